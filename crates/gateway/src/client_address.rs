//! Whose address a request comes from.

use http::HeaderMap;
use keygate_contract::IpRule;
use std::net::{IpAddr, SocketAddr};

/// The client's address: the peer's, or, where the peer is a trusted proxy, the rightmost address in
/// `X-Forwarded-For` that is not one.
///
/// Each proxy appends the address it was called from, so what stands to the left of the first untrusted address was
/// written by a stranger. `Forwarded` and `X-Real-IP` are not read: a proxy that sets none of them would pass on the
/// caller's own. What cannot be read ends the walk at the last address that is vouched for. IPv4-mapped IPv6 addresses
/// are IPv4.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpRule]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|rule| rule.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    // Several headers are one list, in their order.
    for header in headers.get_all("x-forwarded-for").iter().rev() {
        // Entry by entry: one that a stranger made unreadable must not hide what a proxy wrote behind it.
        for entry in header.as_bytes().rsplit(|byte| *byte == b',') {
            let entry = std::str::from_utf8(entry).ok().map(str::trim);
            let Some(address) = entry.and_then(address) else { return client };
            client = address;
            if !is_trusted(client) {
                return client;
            }
        }
    }
    client
}

/// An entry: an address, in brackets if it is IPv6 and the proxy likes them, with or without a port.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|a| a.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn seen(peer: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let trusted: Vec<IpRule> = trusted.iter().map(|text| IpRule::parse(text).unwrap()).collect();
        client_address(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    #[test]
    fn an_untrusted_peer_says_what_it_likes() {
        for name in ["x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "cf-connecting-ip"] {
            let lie = [(name, if name == "forwarded" { "for=10.0.0.1" } else { "10.0.0.1" })];
            assert_eq!(seen("203.0.113.9", &lie, &[]), "203.0.113.9", "{name}");
            assert_eq!(seen("203.0.113.9", &lie, &["10.0.0.0/8"]), "203.0.113.9", "{name}");
        }
        assert_eq!(seen("::ffff:203.0.113.9", &[], &[]), "203.0.113.9");
    }

    #[test]
    fn behind_trusted_proxies_the_rightmost_stranger_is_the_client() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        for (list, client) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["6.6.6.6, 203.0.113.9"][..], "203.0.113.9"),
            (&["203.0.113.9, 10.2.0.1, 2001:db8::1"][..], "203.0.113.9"),
            (&["6.6.6.6", "203.0.113.9,10.2.0.1"][..], "203.0.113.9"),
            (&["203.0.113.9:4711"][..], "203.0.113.9"),
            (&["[2001:db9::7]:4711"][..], "2001:db9::7"),
            (&["[2001:db9::7]"][..], "2001:db9::7"),
            (&["::ffff:203.0.113.9"][..], "203.0.113.9"),
            // All are proxies: the farthest of them.
            (&["10.3.0.1, 10.2.0.1"][..], "10.3.0.1"),
            (&[][..], "10.1.0.1"),
            // What cannot be read is vouched for by nobody.
            (&["203.0.113.9, unknown"][..], "10.1.0.1"),
            (&["203.0.113.9, unknown, 10.2.0.1"][..], "10.2.0.1"),
            (&[""][..], "10.1.0.1"),
        ] {
            let headers: Vec<_> = list.iter().map(|value| ("x-forwarded-for", *value)).collect();
            assert_eq!(seen("10.1.0.1", &headers, &trusted), client, "{list:?}");
        }
        let mut unreadable = HeaderMap::new();
        unreadable.append("x-forwarded-for", HeaderValue::from_bytes(b"\xff, 203.0.113.9").unwrap());
        let trusted_rules = [IpRule::parse("10.0.0.0/8").unwrap()];
        let client = client_address("10.1.0.1".parse().unwrap(), &unreadable, &trusted_rules);
        assert_eq!(client.to_string(), "203.0.113.9", "what a stranger made unreadable hides nothing");
        let others = [("forwarded", "for=6.6.6.6"), ("x-real-ip", "6.6.6.6")];
        assert_eq!(seen("10.1.0.1", &others, &trusted), "10.1.0.1", "other headers are not read");
    }
}

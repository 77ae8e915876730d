//! The network of an address, by which sign-in attempts are counted.

use keygate_store::SignInSource;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network of a client. One person has a whole IPv6 /64, and often a /48, so addresses in them count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Network {
    /// One IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 /64: the upper half of the address.
    V6(u64),
}

impl Network {
    /// The network of an address. IPv4 addresses embedded in IPv6, mapped or by NAT64 (RFC 6052), count as IPv4.
    pub(crate) fn of(address: IpAddr) -> Self {
        const NAT64: u128 = 0x0064_ff9b << 96;
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                match u32::try_from(bits ^ NAT64) {
                    Ok(v4) => Self::V4(Ipv4Addr::from_bits(v4)),
                    Err(_) => Self::V6((bits >> 64) as u64),
                }
            }
        }
    }

    /// The IPv6 /48 that contains it, as the upper 48 bits.
    pub(crate) fn site(self) -> Option<u64> {
        match self {
            Self::V4(_) => None,
            Self::V6(subnet) => Some(subnet >> 16),
        }
    }

    /// The source by which the store counts it.
    pub(crate) fn source(self, nonce_hash: Option<[u8; 32]>, browser_hash: Option<[u8; 32]>) -> SignInSource {
        let block = |upper: u64, bits: u8| {
            format!("{}/{bits}", Ipv6Addr::from_bits(u128::from(upper) << (128 - bits)))
        };
        let subnet = match self {
            Self::V4(address) => address.to_string(),
            Self::V6(subnet) => block(subnet, 64),
        };
        SignInSource { subnet, site: self.site().map(|site| block(site, 48)), nonce_hash, browser_hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> (String, Option<String>) {
        let source = Network::of(address.parse().unwrap()).source(None, None);
        (source.subnet, source.site)
    }

    #[test]
    fn ipv6_counts_by_64_and_48_and_mapped_addresses_are_ipv4() {
        for (address, subnet, site) in [
            ("203.0.113.9", "203.0.113.9", None),
            ("::ffff:203.0.113.9", "203.0.113.9", None),
            ("64:ff9b::203.0.113.9", "203.0.113.9", None),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", Some("2001:db8:1::/48")),
            ("2001:db8:1:2::", "2001:db8:1:2::/64", Some("2001:db8:1::/48")),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64", Some("2001:db8:1::/48")),
            ("64:ff9b:1::1", "64:ff9b:1::/64", Some("64:ff9b:1::/48")),
            ("::1", "::/64", Some("::/48")),
        ] {
            assert_eq!(network(address), (subnet.to_owned(), site.map(str::to_owned)), "{address}");
        }
    }
}

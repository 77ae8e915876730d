//! Addresses that a key may be used from.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// An address, or a block of them in CIDR notation (RFC 4632, RFC 4291 section 2.3).
///
/// Kept and shown as its network: host bits are cleared, a block of one address is the address, and an IPv4-mapped IPv6
/// address (`::ffff:10.0.0.1`) is the IPv4 address, because that is what a socket may tell of the same caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 49, example = "10.0.0.0/8"))]
#[serde(try_from = "String", into = "String")]
pub struct IpRule(IpNet);

/// Why a text is no address and no block. Its `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpRuleError {
    /// Nothing in it.
    Empty,
    /// A name, or something else that is not an address.
    NotAnAddress,
    /// An IPv6 address with a zone (`fe80::1%eth0`), which means something on one machine only.
    Zone,
    /// What stands behind the slash is not a number.
    NotAPrefix,
    /// The number behind the slash is larger than the address has bits.
    PrefixTooLong {
        /// 32 or 128.
        max: u8,
    },
}

impl fmt::Display for IpRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Enter an address, such as 203.0.113.7 or 10.0.0.0/8."),
            Self::NotAnAddress => f.write_str(
                "Enter an IPv4 or IPv6 address or a CIDR block, such as 203.0.113.7 or 2001:db8::/32. Host names are \
                 not taken.",
            ),
            Self::Zone => f.write_str("Leave out the zone: what stands behind % is known to one machine only."),
            Self::NotAPrefix => f.write_str("Enter a number of bits behind the slash, such as 10.0.0.0/8."),
            Self::PrefixTooLong { max } => write!(f, "Use a prefix of at most /{max} with this address."),
        }
    }
}

impl std::error::Error for IpRuleError {}

impl IpRule {
    /// Reads an address or a block.
    ///
    /// # Errors
    /// An [`IpRuleError`] whose sentence says how to mend it.
    pub fn parse(text: &str) -> Result<Self, IpRuleError> {
        let text = text.trim();
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        if text.is_empty() {
            return Err(IpRuleError::Empty);
        }
        if address.contains('%') {
            return Err(IpRuleError::Zone);
        }
        let address: IpAddr = address.parse().map_err(|_| IpRuleError::NotAnAddress)?;
        let max = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => max,
            Some(digits) if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(IpRuleError::NotAPrefix);
            }
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|prefix| *prefix <= max)
                .ok_or(IpRuleError::PrefixTooLong { max })?,
        };
        // The 96 bits before an embedded IPv4 address are the same for all of them.
        let (address, prefix) = match address.to_canonical() {
            v4 @ IpAddr::V4(_) if address.is_ipv6() && prefix >= 96 => (v4, prefix - 96),
            _ => (address, prefix),
        };
        let net = IpNet::new(address, prefix).map_err(|_| IpRuleError::PrefixTooLong { max })?;
        Ok(Self(net.trunc()))
    }

    /// Whether the rule names this address. An IPv4-mapped IPv6 address is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether the rule names every address of its family, and so restricts nothing.
    pub fn is_everything(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl fmt::Display for IpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

impl TryFrom<String> for IpRule {
    type Error = IpRuleError;

    fn try_from(text: String) -> Result<Self, IpRuleError> {
        Self::parse(&text)
    }
}

impl From<IpRule> for String {
    fn from(rule: IpRule) -> String {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn a_rule_is_kept_as_its_network() {
        for (text, kept) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7/32 ", "203.0.113.7"),
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8::1", "2001:db8::1"),
            ("2001:db8:0:0::1/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:0:0/95", "::fffe:0:0/95"),
        ] {
            assert_eq!(IpRule::parse(text).unwrap().to_string(), kept, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_apart() {
        use IpRuleError::{Empty, NotAPrefix, NotAnAddress, PrefixTooLong, Zone};
        for (text, error) in [
            ("", Empty),
            ("  ", Empty),
            ("example.com", NotAnAddress),
            ("10.0.0", NotAnAddress),
            ("010.0.0.1", NotAnAddress),
            ("10.0.0.256", NotAnAddress),
            ("10.0.0.1:80", NotAnAddress),
            ("[2001:db8::1]", NotAnAddress),
            ("10.0.0.1-10.0.0.9", NotAnAddress),
            ("/8", NotAnAddress),
            ("fe80::1%eth0", Zone),
            ("fe80::1%eth0/64", Zone),
            ("10.0.0.0/", NotAPrefix),
            ("10.0.0.0/+8", NotAPrefix),
            ("10.0.0.0/8/8", NotAPrefix),
            ("10.0.0.0/255.0.0.0", NotAPrefix),
            ("10.0.0.0/33", PrefixTooLong { max: 32 }),
            ("10.0.0.0/999999999999", PrefixTooLong { max: 32 }),
            ("2001:db8::/129", PrefixTooLong { max: 128 }),
        ] {
            assert_eq!(IpRule::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        let rule = IpRule::parse("10.0.0.0/8").unwrap();
        let mapped = |a: [u8; 4]| IpAddr::V6(Ipv4Addr::from(a).to_ipv6_mapped());
        assert!(rule.contains(mapped([10, 1, 2, 3])));
        assert!(!rule.contains(mapped([11, 1, 2, 3])));
        assert!(IpRule::parse("0.0.0.0/0").unwrap().is_everything());
        assert!(!IpRule::parse("::/0").unwrap().contains(mapped([10, 1, 2, 3])), "one family each");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_as_the_same_rule(v4 in any::<bool>(), bits in any::<u128>(), prefix in 0u8..=128) {
            let text = if v4 {
                format!("{}/{}", Ipv4Addr::from(bits as u32), prefix.min(32))
            } else {
                format!("{}/{prefix}", Ipv6Addr::from(bits))
            };
            let rule = IpRule::parse(&text).unwrap();
            prop_assert_eq!(IpRule::parse(&rule.to_string()).unwrap(), rule);
        }

        #[test]
        fn a_block_holds_the_addresses_that_share_its_prefix(net in any::<u32>(), other in any::<u32>(), prefix in 0u32..=32) {
            let rule = IpRule::parse(&format!("{}/{prefix}", Ipv4Addr::from(net))).unwrap();
            let share = (net ^ other).leading_zeros() >= prefix;
            prop_assert_eq!(rule.contains(Ipv4Addr::from(other).into()), share);
        }

        #[test]
        fn no_text_makes_it_fall_over(text in "[0-9a-f.:/%]{0,40}") {
            let _ = IpRule::parse(&text);
        }
    }
}

//! New ids: a prefix that says the kind, and characters from the system's random source.

/// Digits and lower-case letters without `i l o u`, which are misread (Crockford's base 32). 5 bits each.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// An id of `prefix` and 16 characters, 80 random bits.
pub(crate) fn random_id(prefix: &str) -> String {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).expect("the system has a random source");
    let mut id = String::with_capacity(prefix.len() + random.len());
    id.push_str(prefix);
    id.extend(random.iter().map(|b| char::from(ALPHABET[usize::from(b & 31)])));
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_prefix_and_16_plain_characters() {
        let id = random_id("ws-");
        let (prefix, rest) = id.split_at(3);
        assert_eq!(prefix, "ws-");
        assert_eq!(rest.len(), 16);
        assert!(rest.bytes().all(|b| ALPHABET.contains(&b)));
        assert_ne!(id, random_id("ws-"));
    }
}

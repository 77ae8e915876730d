//! API keys: `sk-kg-`, a public id of 12, a secret of 43 and a checksum of 6 characters, all base 62.
//!
//! The checksum (CRC-32 of everything before it) tells a mistyped or made-up key from a real one without looking it
//! up, and lets secret scanners know a leaked key when they see it. The public id finds the key; the secret, 256 random
//! bits, proves it. Only a keyed hash of the secret is stored: HMAC-SHA-256 under a key that is not in the database.

mod temporary;

pub use temporary::{PresentedTemporary, TemporaryKey, TemporaryKeySigner};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How every key begins.
pub const PREFIX: &str = "sk-kg-";
/// Characters of a whole key.
pub const KEY_LEN: usize = PREFIX.len() + PUBLIC_LEN + SECRET_LEN + CHECK_LEN;
const PUBLIC_LEN: usize = 12;
/// 62^43 is just above 2^256.
const SECRET_LEN: usize = 43;
/// 62^6 is above 2^32.
const CHECK_LEN: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The part of a key by which it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicId([u8; PUBLIC_LEN]);

impl PublicId {
    /// Reads a stored public id.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; PUBLIC_LEN] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// As it stands in the key.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII gets in")
    }
}

/// A key whose form and checksum are right. Whether it opens anything is for the directory to say.
#[derive(Clone, Copy)]
pub struct PresentedKey<'a> {
    /// Finds the key.
    pub public_id: PublicId,
    secret: &'a str,
}

/// What a call came with.
#[derive(Clone, Copy)]
pub enum Presented<'a> {
    /// A key.
    Key(PresentedKey<'a>),
    /// A temporary key made from one.
    Temporary(PresentedTemporary<'a>),
}

impl Presented<'_> {
    /// Finds the key, or the parent of the temporary one.
    pub fn public_id(&self) -> PublicId {
        match self {
            Self::Key(key) => key.public_id,
            Self::Temporary(key) => key.public_id,
        }
    }
}

/// Looks at the form and checksum of a key of either kind.
pub fn parse(key: &str) -> Option<Presented<'_>> {
    match key.get(..temporary::PREFIX.len()) {
        Some(temporary::PREFIX) => temporary::parse(key).map(Presented::Temporary),
        _ => parse_key(key).map(Presented::Key),
    }
}

/// Whether a text may have a key in it.
pub fn is_in(text: &str) -> bool {
    text.contains(PREFIX) || text.contains(temporary::PREFIX)
}

fn parse_key(key: &str) -> Option<PresentedKey<'_>> {
    let before = checked(key, PREFIX, KEY_LEN)?;
    let (public_id, secret) = before[PREFIX.len()..].split_at(PUBLIC_LEN);
    Some(PresentedKey { public_id: PublicId::parse(public_id)?, secret })
}

/// What stands before the checksum, if prefix, length, characters and checksum are right.
fn checked<'a>(key: &'a str, prefix: &str, len: usize) -> Option<&'a str> {
    let body = key.strip_prefix(prefix)?;
    if key.len() != len || !body.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let (before, check) = key.split_at(len - CHECK_LEN);
    (checksum(before) == *check.as_bytes()).then_some(before)
}

/// A whole key in clear. It has no `Debug` and no `Serialize`, and is wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ApiKeySecret(String);

impl ApiKeySecret {
    /// The key, to be shown to its owner this once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A new key, and what is stored of it.
pub struct Minted {
    /// To be shown once.
    pub secret: ApiKeySecret,
    /// To be stored: finds the key.
    pub public_id: PublicId,
    /// To be stored: proves it.
    pub secret_hash: [u8; 32],
    /// To be stored: the first and last four characters, for people to tell keys apart.
    pub masked: String,
}

/// Hashes the secrets of keys under a key of the server.
#[derive(Clone)]
pub struct KeyHasher(Hmac<Sha256>);

impl KeyHasher {
    /// A hasher under `key`, 32 bytes for this purpose alone.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// Makes a key from the system's random source.
    pub fn mint(&self) -> Minted {
        let mut public_id = String::with_capacity(PUBLIC_LEN);
        push_random(&mut public_id, PUBLIC_LEN);
        self.mint_for(PublicId::parse(&public_id).expect("these characters are a public id"))
    }

    /// Makes a new secret for a key that is there already.
    pub fn mint_for(&self, public_id: PublicId) -> Minted {
        let mut key = String::with_capacity(KEY_LEN);
        key.push_str(PREFIX);
        key.push_str(public_id.as_str());
        push_random(&mut key, SECRET_LEN);
        let check = checksum(&key);
        key.extend(check.iter().copied().map(char::from));
        let presented = parse_key(&key).expect("a key made here has the right form");
        Minted {
            public_id: presented.public_id,
            secret_hash: self.hash(presented),
            masked: format!("{PREFIX}{}…{}", &key[PREFIX.len()..PREFIX.len() + 4], &key[KEY_LEN - 4..]),
            secret: ApiKeySecret(key),
        }
    }

    /// The hash that is stored.
    pub fn hash(&self, presented: PresentedKey<'_>) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(presented.secret.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Whether the key is the one stored as `hash`, in a time that tells nothing.
    pub fn verify(&self, presented: PresentedKey<'_>, hash: &[u8; 32]) -> bool {
        Self::is_same(&self.hash(presented), hash)
    }

    /// Whether two hashes are the same, in a time that tells nothing.
    pub fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
        one.ct_eq(other).into()
    }
}

/// CRC-32 (IEEE) in base 62, most significant first.
fn checksum(text: &str) -> [u8; CHECK_LEN] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut check = [b'0'; CHECK_LEN];
    for place in check.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    check
}

/// Appends `count` characters, each of the 62 equally likely.
fn push_random(text: &mut String, count: usize) {
    let mut random = [0u8; 64];
    let end = text.len() + count;
    while text.len() < end {
        getrandom::fill(&mut random).expect("the system has a random source");
        // 248 is the largest multiple of 62 in a byte; larger bytes would favour some characters.
        let fair = random.iter().filter(|b| **b < 248).take(end - text.len());
        text.extend(fair.map(|b| char::from(BASE62[usize::from(b % 62)])));
    }
    random.zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hasher() -> KeyHasher {
        KeyHasher::new(&[7; 32])
    }

    #[test]
    fn a_minted_key_has_the_documented_form_and_proves_itself() {
        let minted = hasher().mint();
        let key = minted.secret.expose();
        assert_eq!(key.len(), 6 + 12 + 43 + 6);
        let presented = parse_key(key).unwrap();
        assert_eq!(presented.public_id, minted.public_id);
        assert!(hasher().verify(presented, &minted.secret_hash));
        assert!(!KeyHasher::new(&[8; 32]).verify(presented, &minted.secret_hash), "under another server key");
        assert_eq!(minted.masked, format!("sk-kg-{}…{}", &key[6..10], &key[63..]));
    }

    #[test]
    fn a_new_secret_leaves_the_part_by_which_the_key_is_found() {
        let (old, hasher) = (hasher().mint(), hasher());
        let new = hasher.mint_for(old.public_id);
        assert_eq!(new.public_id, old.public_id);
        assert!(!hasher.verify(parse_key(old.secret.expose()).unwrap(), &new.secret_hash));
    }

    #[test]
    fn checksum_is_crc32_in_base_62() {
        // CRC-32 of "123456789" is 0xCBF43926 = 3421780262 (the check value of the algorithm).
        assert_eq!(&checksum("123456789"), b"3jZRME");
    }

    proptest! {
        #[test]
        fn one_changed_character_is_noticed(at in 0..KEY_LEN, to in any::<char>()) {
            let minted = hasher().mint();
            let mut chars: Vec<char> = minted.secret.expose().chars().collect();
            prop_assume!(chars[at] != to);
            chars[at] = to;
            let changed: String = chars.into_iter().collect();
            prop_assert!(parse(&changed).is_none());
        }

        #[test]
        fn no_text_makes_it_fall_over(text in any::<String>(), tail in "[0-9A-Za-z]{61}") {
            prop_assert!(parse(&text).is_none());
            let _ = parse(&format!("{PREFIX}{tail}"));
        }
    }
}

//! Temporary keys: `st-kg-`, then all base 62: the parent's public id of 12 characters, the end of its life in Unix
//! milliseconds (8), a number used once (8), a signature (44) and a checksum (6).
//!
//! They are signed, not stored: HMAC-SHA-256 over what stands before and over the stored hash of the parent's secret,
//! under a key for this purpose alone. So one costs nothing to keep, outlives a restart, and dies with its parent and
//! with the secret it was made under.

use super::{BASE62, CHECK_LEN, PUBLIC_LEN, PublicId, checked, checksum, push_random};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How every temporary key begins.
pub(super) const PREFIX: &str = "st-kg-";
/// 62^8 milliseconds end in the year 8888.
const END_LEN: usize = 8;
const NONCE_LEN: usize = 8;
/// Four times 64 bits, each in 11 digits.
const SIGNATURE_LEN: usize = 44;
const WORD_LEN: usize = 11;
const SIGNED_LEN: usize = PREFIX.len() + PUBLIC_LEN + END_LEN + NONCE_LEN;
/// Characters of a whole temporary key.
const KEY_LEN: usize = SIGNED_LEN + SIGNATURE_LEN + CHECK_LEN;

/// A temporary key whose form and checksum are right. Nothing in it is proven yet.
#[derive(Clone, Copy)]
pub struct PresentedTemporary<'a> {
    /// Finds the parent.
    pub public_id: PublicId,
    /// When it says it ends, in Unix milliseconds.
    pub expires_at: i64,
    signed: &'a str,
    signature: &'a str,
}

/// Looks at a temporary key's form and checksum.
pub(super) fn parse(key: &str) -> Option<PresentedTemporary<'_>> {
    let before = checked(key, PREFIX, KEY_LEN)?;
    let (signed, signature) = before.split_at(SIGNED_LEN);
    let (public_id, rest) = signed[PREFIX.len()..].split_at(PUBLIC_LEN);
    let end = rest[..END_LEN].bytes().try_fold(0i64, |end, digit| {
        let value = BASE62.iter().position(|d| *d == digit)?;
        Some(end * 62 + i64::try_from(value).ok()?)
    })?;
    Some(PresentedTemporary { public_id: PublicId::parse(public_id)?, expires_at: end, signed, signature })
}

/// A whole temporary key in clear. It has no `Debug` and no `Serialize`, and is wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct TemporaryKey(String);

impl TemporaryKey {
    /// The key, to be shown this once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Signs temporary keys.
#[derive(Clone)]
pub struct TemporaryKeySigner(Hmac<Sha256>);

impl TemporaryKeySigner {
    /// A signer under `key`, 32 bytes for this purpose alone.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    /// Makes a key that may do what its parent may, until `expires_at` in Unix milliseconds.
    pub fn mint(&self, parent: PublicId, parent_hash: &[u8; 32], expires_at: i64) -> TemporaryKey {
        let mut key = String::with_capacity(KEY_LEN);
        key.push_str(PREFIX);
        key.push_str(parent.as_str());
        push_number(&mut key, u64::try_from(expires_at).unwrap_or(0), END_LEN);
        push_random(&mut key, NONCE_LEN);
        let signature = self.signature(&key, parent_hash);
        key.push_str(&signature);
        let check = checksum(&key);
        key.extend(check.iter().copied().map(char::from));
        TemporaryKey(key)
    }

    /// Whether the key was made from the parent when the hash of its secret was this, in a time that tells nothing.
    pub fn verify(&self, presented: PresentedTemporary<'_>, parent_hash: &[u8; 32]) -> bool {
        self.signature(presented.signed, parent_hash).as_bytes().ct_eq(presented.signature.as_bytes()).into()
    }

    fn signature(&self, signed: &str, parent_hash: &[u8; 32]) -> String {
        let mut mac = self.0.clone();
        mac.update(signed.as_bytes());
        mac.update(parent_hash);
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        let mut text = String::with_capacity(SIGNATURE_LEN);
        for word in bytes.as_chunks().0 {
            push_number(&mut text, u64::from_be_bytes(*word), WORD_LEN);
        }
        text
    }
}

/// Appends a number in base 62, most significant first, in exactly `len` digits.
fn push_number(text: &mut String, mut number: u64, len: usize) {
    let mut digits = [b'0'; WORD_LEN];
    for place in digits[..len].iter_mut().rev() {
        *place = BASE62[(number % 62) as usize];
        number /= 62;
    }
    text.extend(digits[..len].iter().copied().map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parent() -> PublicId {
        PublicId::parse("AAAAbbbb0123").unwrap()
    }

    #[test]
    fn a_key_says_its_parent_and_its_end_and_proves_both() {
        let signer = TemporaryKeySigner::new(&[7; 32]);
        let key = signer.mint(parent(), &[1; 32], 1_795_163_400_123);
        assert_eq!(key.expose().len(), KEY_LEN);
        let presented = parse(key.expose()).unwrap();
        assert_eq!((presented.public_id, presented.expires_at), (parent(), 1_795_163_400_123));
        assert!(signer.verify(presented, &[1; 32]));
        assert!(!signer.verify(presented, &[2; 32]), "the parent has another secret by now");
        assert!(!TemporaryKeySigner::new(&[8; 32]).verify(presented, &[1; 32]), "under another server key");
        let other = signer.mint(parent(), &[1; 32], 1_795_163_400_123);
        assert_ne!(other.expose(), key.expose());
    }

    proptest! {
        #[test]
        fn no_part_of_it_can_be_changed(at in PREFIX.len()..SIGNED_LEN + SIGNATURE_LEN, to in "[0-9A-Za-z]") {
            let signer = TemporaryKeySigner::new(&[7; 32]);
            let key = signer.mint(parent(), &[1; 32], 1_795_163_400_123);
            let mut forged = key.expose()[..KEY_LEN - CHECK_LEN].to_owned();
            prop_assume!(forged[at..=at] != to);
            forged.replace_range(at..=at, &to);
            // A forger can compute the checksum.
            let check = checksum(&forged);
            forged.extend(check.iter().copied().map(char::from));
            prop_assert!(!signer.verify(parse(&forged).unwrap(), &[1; 32]));
        }
    }
}

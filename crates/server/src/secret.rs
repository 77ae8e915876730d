//! The server's one secret, and the keys made from it, one per purpose.
//!
//! It stands in `server.key` in the data folder, or in `KEYGATE_SECRET_KEY`, and never in the database: whoever has the
//! database alone can neither check a guessed key nor make a session.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use keygate_contract::Email;
use keygate_gateway::credential::{KeyHasher, TemporaryKeySigner};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use std::io::Write as _;
use std::path::Path;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why there is no usable secret.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The text is not 64 hexadecimal digits.
    #[error("{0} must hold 64 hexadecimal digits; make one with `openssl rand -hex 32`")]
    Form(String),
    /// The file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The store is in use and the secret it was used with is gone.
    #[error(
        "the store is in use but {0} is missing; put the file back, or every API key stops working for good. To start \
         over, move the store away too"
    )]
    Missing(String),
}

/// The server's one secret.
#[derive(Clone)]
pub struct ServerSecret(Zeroizing<[u8; 32]>);

/// Whether a missing file may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreState {
    /// Nothing was hashed yet.
    New,
    /// A new secret would make every stored hash worthless.
    InUse,
}

impl ServerSecret {
    /// The secret of the environment, or of the file, which is made for a new store.
    pub(crate) fn load(
        given: Option<&SecretString>,
        file: &Path,
        store: StoreState,
    ) -> Result<Self, SecretError> {
        let file_error = |error| SecretError::File { path: file.display().to_string(), error };
        if let Some(text) = given {
            return Self::parse(text.expose_secret())
                .ok_or_else(|| SecretError::Form("KEYGATE_SECRET_KEY".into()));
        }
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                Self::parse(text.trim()).ok_or_else(|| SecretError::Form(file.display().to_string()))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && store == StoreState::New => {
                let secret = Self::generate();
                secret.write(file).map_err(file_error)?;
                Ok(secret)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Err(SecretError::Missing(file.display().to_string()))
            }
            Err(e) => Err(file_error(e)),
        }
    }

    fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut()).expect("the system has a random source");
        Self(bytes)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text, bytes.as_mut()).ok()?;
        Some(Self(bytes))
    }

    /// Writes a file that only its owner may read.
    fn write(&self, file: &Path) -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(file)?;
        writeln!(file, "{}", self.to_hex().as_str())?;
        file.sync_all()
    }

    /// The secret as written in its file.
    pub(crate) fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_ref()))
    }

    /// Kept in the store, to notice when the store meets another secret. It tells nothing about the others.
    pub(crate) fn check_value(&self) -> [u8; 32] {
        *self.purpose("check value")
    }

    /// For the secrets of API keys.
    pub(crate) fn key_hasher(&self) -> KeyHasher {
        KeyHasher::new(&self.purpose("api key"))
    }

    /// For temporary keys.
    pub(crate) fn temporary_key_signer(&self) -> TemporaryKeySigner {
        TemporaryKeySigner::new(&self.purpose("temporary key"))
    }

    /// The stored form of a session's token.
    pub(crate) fn session_hash(&self, token: &str) -> [u8; 32] {
        self.hash("session", &[token.as_bytes()])
    }

    /// The stored form of a sign-in link's token.
    pub(crate) fn link_hash(&self, token: &str) -> [u8; 32] {
        self.hash("sign-in link", &[token.as_bytes()])
    }

    /// The stored form of an e-mail code, bound to its address and to the browser's cookie.
    pub(crate) fn code_hash(&self, email: &Email, nonce: &str, code: &str) -> [u8; 32] {
        let parts = [email.as_str().as_bytes(), b"\0", nonce.as_bytes(), b"\0", code.as_bytes()];
        self.hash("e-mail code of a browser", &parts)
    }

    /// The stored form of the cookie that a code is bound to.
    pub(crate) fn nonce_hash(&self, nonce: &str) -> [u8; 32] {
        self.hash("sign-in nonce", &[nonce.as_bytes()])
    }

    /// The stored form of the cookie of a known browser.
    pub(crate) fn browser_hash(&self, token: &str) -> [u8; 32] {
        self.hash("known browser", &[token.as_bytes()])
    }

    fn hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.purpose(purpose).as_ref()).expect("HMAC takes any key");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// A key for one purpose, from which no other can be told (RFC 5869).
    fn purpose(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, self.0.as_ref())
            .expand(format!("keygate v1 {label}").as_bytes(), key.as_mut())
            .expect("32 bytes are a valid length");
        key
    }
}

/// A new token for a cookie or a link: 256 random bits in base64url.
pub(crate) fn random_token() -> Zeroizing<String> {
    use base64::Engine as _;
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).expect("the system has a random source");
    Zeroizing::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes.as_ref()))
}

/// A new e-mail code: six digits, each value equally likely.
pub(crate) fn random_code() -> Zeroizing<String> {
    // The largest multiple of a million that fits; what is above would favour small codes.
    const FAIR: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let random = getrandom::u32().expect("the system has a random source");
        if random < FAIR {
            return Zeroizing::new(format!("{:06}", random % 1_000_000));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_made_once_for_a_new_store_and_read_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("server.key");
        assert!(matches!(ServerSecret::load(None, &file, StoreState::InUse), Err(SecretError::Missing(_))));
        let made = ServerSecret::load(None, &file, StoreState::New).unwrap_or_else(|e| panic!("{e}"));
        let read = ServerSecret::load(None, &file, StoreState::InUse).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(made.session_hash("t"), read.session_hash("t"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&file, "short").unwrap();
        assert!(matches!(ServerSecret::load(None, &file, StoreState::InUse), Err(SecretError::Form(_))));
    }

    #[test]
    fn one_text_has_another_hash_for_each_purpose() {
        let secret = ServerSecret::generate();
        assert_ne!(secret.session_hash("t"), secret.link_hash("t"));
        let (a, b) = (Email::parse("a@x.io").unwrap(), Email::parse("b@x.io").unwrap());
        assert_ne!(secret.code_hash(&a, "n", "000000"), secret.code_hash(&b, "n", "000000"));
        assert_ne!(secret.code_hash(&a, "n", "000000"), secret.code_hash(&a, "m", "000000"));
        assert_ne!(secret.nonce_hash("t"), secret.browser_hash("t"));
    }

    #[test]
    fn codes_have_six_digits() {
        for _ in 0..100 {
            let code = random_code();
            assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{}", *code);
        }
    }
}

//! A secret has a type of its own: it cannot be printed, cloned or written out by accident, and its memory is
//! overwritten when the last holder lets go.

/// The secret of an API key or a temporary key, shown once.
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes a secret over.
    pub fn new(text: String) -> Self {
        Self(text.into_bytes())
    }

    /// The secret, to show or copy it.
    pub fn reveal(&self) -> &str {
        std::str::from_utf8(&self.0).expect("it was made from a string")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Keeps the compiler from leaving out a write to memory that is freed next.
        std::hint::black_box(&self.0);
    }
}

//! The Keygate console.

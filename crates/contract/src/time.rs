//! Points in time on the wire.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A point in time, RFC 3339 in UTC with milliseconds: `2026-11-20T08:30:00.000Z`.
///
/// The text is kept as it came: browsers and servers each have a library that reads it. All times are written by
/// the server in this one form, so that their order is the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// Takes a text that is already RFC 3339 in UTC.
    pub fn from_rfc3339(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

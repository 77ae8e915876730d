//! Texts people type. Each is a type that is checked once, when it is made, by the same code in form and server.

use crate::limits::{DESCRIPTION_MAX, EMAIL_MAX, QUERY_MAX, WORKSPACE_NAME_MAX};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text was refused. Its `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// Nothing in it, or only blank characters.
    Empty,
    /// More characters than `max`.
    TooLong {
        /// The most characters it may have.
        max: usize,
        /// How many it has.
        len: usize,
    },
    /// Line breaks, control characters or marks that change the direction of the text around it.
    Unprintable,
    /// Not the form of an e-mail address.
    NotAnEmail,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Enter at least one visible character."),
            Self::TooLong { max, len } => write!(f, "Use at most {max} characters; this has {len}."),
            Self::Unprintable => {
                f.write_str("Remove line breaks, control characters and text direction marks.")
            }
            Self::NotAnEmail => f.write_str("Enter an e-mail address, such as name@example.com."),
        }
    }
}

impl std::error::Error for TextError {}

/// Blank to the eye: white space and the zero-width characters. A zero-width joiner is fine inside an emoji.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{00ad}' | '\u{3164}')
}

/// Control characters, separators of lines, and the marks that reorder or embed text (Unicode bidirectional algorithm,
/// explicit formatting characters), with which one name can be made to look like another.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text without blanks around it, if it is one line of 1 to `max` characters.
fn one_line(text: &str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.chars().any(is_unprintable) {
        return Err(TextError::Unprintable);
    }
    if text.chars().all(is_blank) {
        return Err(TextError::Empty);
    }
    let len = text.chars().count();
    if len > max {
        return Err(TextError::TooLong { max, len });
    }
    Ok(text.to_owned())
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $parse:expr, $($schema:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema($($schema)*))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a text.
            ///
            /// # Errors
            /// A [`TextError`] whose sentence says how to mend it.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                let parse: fn(&str) -> Result<String, TextError> = $parse;
                parse(text).map(Self)
            }

            /// The checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// A workspace's name: one line of 1 to 30 characters, without blanks around it.
    WorkspaceName, |text| one_line(text, WORKSPACE_NAME_MAX),
    value_type = String, min_length = 1, max_length = 30,
    pattern = r"^[^\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069\uFEFF]*[^\s\u0000-\u001F\u007F-\u009F\u00AD\u200B-\u200F\u2028-\u202E\u2060\u2066-\u2069\u3164\uFEFF][^\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069\uFEFF]*$"
}
text! {
    /// What a key is for: one line of 1 to 128 characters, without blanks around it.
    Description, |text| one_line(text, DESCRIPTION_MAX),
    value_type = String, min_length = 1, max_length = 128,
    pattern = r"^[^\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069\uFEFF]*[^\s\u0000-\u001F\u007F-\u009F\u00AD\u200B-\u200F\u2028-\u202E\u2060\u2066-\u2069\u3164\uFEFF][^\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069\uFEFF]*$"
}
text! {
    /// What to search for: at most 128 characters; empty finds everything.
    SearchText, |text| match one_line(text, QUERY_MAX) {
        Err(TextError::Empty) => Ok(String::new()),
        other => other,
    },
    value_type = String, max_length = 128
}
text! {
    /// An e-mail address in lower case. Only its form is checked: a code sent to it proves the rest.
    Email, parse_email,
    value_type = String, format = "email", max_length = 254
}

impl Default for SearchText {
    /// Finds everything.
    fn default() -> Self {
        Self(String::new())
    }
}

fn parse_email(text: &str) -> Result<String, TextError> {
    let text = one_line(text, EMAIL_MAX).map_err(|e| match e {
        TextError::TooLong { .. } | TextError::Empty => e,
        _ => TextError::NotAnEmail,
    })?;
    let (local, domain) = text.rsplit_once('@').ok_or(TextError::NotAnEmail)?;
    let word = |part: &str| !part.is_empty() && part.split('.').all(|label| !label.is_empty());
    let plain = text.is_ascii() && !text.contains(|c: char| c.is_whitespace() || "<>()[],;:\\\"".contains(c));
    let hostname = domain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if plain && hostname && word(local) && word(domain) && !local.contains('@') {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(TextError::NotAnEmail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn workspace_name_counts_characters_not_bytes() {
        for name in
            ["检".repeat(30), "ب".repeat(30), "é".repeat(30), "<script>alert(1)</script>".into(), "👩‍💻".into()]
        {
            assert_eq!(WorkspaceName::parse(&name).unwrap().as_str(), name);
        }
        let long = WorkspaceName::parse(&"检".repeat(31)).unwrap_err();
        assert_eq!(long, TextError::TooLong { max: 30, len: 31 });
        assert_eq!(long.to_string(), "Use at most 30 characters; this has 31.");
    }

    #[test]
    fn blank_names_are_refused_however_they_are_blank() {
        for name in ["", " ", "\u{3000}", "\u{200b}\u{200d}", "\u{2060}", "\u{3164}"] {
            assert_eq!(WorkspaceName::parse(name), Err(TextError::Empty), "{name:?}");
        }
    }

    #[test]
    fn names_that_would_disturb_their_surroundings_are_refused() {
        for name in ["a\nb", "a\u{0}", "a\u{7f}b", "\u{202e}evil", "a\u{2066}b", "a\u{2028}b", "a\u{85}b"] {
            assert_eq!(WorkspaceName::parse(name), Err(TextError::Unprintable), "{name:?}");
        }
    }

    #[test]
    fn email_is_lowered_and_its_form_is_checked() {
        assert_eq!(Email::parse(" Mei@Example.COM ").unwrap().as_str(), "mei@example.com");
        assert_eq!(Email::parse("owner@localhost").unwrap().as_str(), "owner@localhost");
        for bad in [
            "mei",
            "@x.io",
            "mei@",
            "a b@x.io",
            "a@b@x.io",
            "a@x..io",
            "<a@x.io>",
            "a@x.io, b@x.io",
            "a\n@x.io",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn search_text_may_be_empty() {
        assert_eq!(SearchText::parse("  ").unwrap().as_str(), "");
        assert!(SearchText::parse(&"x".repeat(129)).is_err());
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_one_trimmed_line_and_stays_accepted(text in any::<String>()) {
            if let Ok(name) = WorkspaceName::parse(&text) {
                let n = name.as_str();
                prop_assert!((1..=30).contains(&n.chars().count()));
                prop_assert_eq!(n.trim(), n);
                prop_assert!(!n.chars().any(char::is_control));
                prop_assert_eq!(WorkspaceName::parse(n).unwrap(), name.clone());
                let json = serde_json::to_string(&name).unwrap();
                prop_assert_eq!(serde_json::from_str::<WorkspaceName>(&json).unwrap(), name);
            }
        }

        #[test]
        fn reading_json_applies_the_same_rule_as_parse(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(
                serde_json::from_str::<Description>(&json).ok(),
                Description::parse(&text).ok()
            );
        }
    }
}

//! What a key may do within its workspace.

use crate::id::ModelId;
use crate::ip_rule::IpRule;
use crate::limits::{GRANTS_MAX, IP_RULES_MAX};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a key may do within its workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "PermissionFields")]
pub enum Permission {
    /// Everything the workspace may.
    All {},
    /// Less than the workspace may.
    Custom(Restriction),
}

impl Default for Permission {
    fn default() -> Self {
        Self::All {}
    }
}

/// What a key is restricted to. A list that is left out does not restrict; at least one is there, and none is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Restriction {
    /// Where calls may come from, 1 to 20 addresses or blocks.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 20))]
    #[serde(skip_serializing_if = "Option::is_none")]
    ips: Option<Vec<IpRule>>,
    /// Which of the workspace's models may be called.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 2000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<Vec<ModelId>>,
}

/// Why a key cannot be restricted so. Its `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestrictionError {
    /// Neither list is there.
    Nothing,
    /// The list of addresses is there and empty.
    NoIps,
    /// More addresses than there may be.
    TooManyIps,
    /// The list of models is there and empty.
    NoModels,
    /// More models than there may be.
    TooManyModels,
}

impl fmt::Display for RestrictionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Restrict addresses or models, or choose all permissions."),
            Self::NoIps => f.write_str("Enter at least one address, or do not restrict addresses."),
            Self::TooManyIps => {
                write!(
                    f,
                    "Enter at most {IP_RULES_MAX} addresses. A CIDR block such as 10.0.0.0/8 names many."
                )
            }
            Self::NoModels => f.write_str("Choose at least one model, or do not restrict models."),
            Self::TooManyModels => write!(f, "Choose at most {GRANTS_MAX} models."),
        }
    }
}

impl std::error::Error for RestrictionError {}

impl Restriction {
    /// A restriction to addresses, models or both. What stands in a list twice is kept once.
    ///
    /// # Errors
    /// A [`RestrictionError`] whose sentence says how to mend it.
    pub fn new(ips: Option<Vec<IpRule>>, models: Option<Vec<ModelId>>) -> Result<Self, RestrictionError> {
        match (&ips, &models) {
            (None, None) => Err(RestrictionError::Nothing),
            (Some(ips), _) if ips.is_empty() => Err(RestrictionError::NoIps),
            (Some(ips), _) if ips.len() > IP_RULES_MAX => Err(RestrictionError::TooManyIps),
            (_, Some(models)) if models.is_empty() => Err(RestrictionError::NoModels),
            (_, Some(models)) if models.len() > GRANTS_MAX => Err(RestrictionError::TooManyModels),
            _ => Ok(Self { ips: ips.map(once_each), models: models.map(once_each) }),
        }
    }

    /// Where calls may come from; `None`: from anywhere.
    pub fn ips(&self) -> Option<&[IpRule]> {
        self.ips.as_deref()
    }

    /// Which models may be called; `None`: all of the workspace's.
    pub fn models(&self) -> Option<&[ModelId]> {
        self.models.as_deref()
    }
}

fn once_each<T: Clone + Eq + std::hash::Hash>(mut items: Vec<T>) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    items.retain(|item| seen.insert(item.clone()));
    items
}

/// A permission as it is sent, before it is checked: flat, so that an error names its place in a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PermissionFields {
    kind: Kind,
    #[serde(default)]
    ips: Option<Vec<IpRule>>,
    #[serde(default)]
    models: Option<Vec<ModelId>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    All,
    Custom,
}

impl TryFrom<PermissionFields> for Permission {
    type Error = String;

    fn try_from(fields: PermissionFields) -> Result<Self, String> {
        match fields {
            PermissionFields { kind: Kind::All, ips: None, models: None } => Ok(Self::All {}),
            PermissionFields { kind: Kind::All, .. } => {
                Err("A permission of kind `all` restricts nothing: leave out `ips` and `models`, or send the kind \
                     `custom`."
                    .into())
            }
            PermissionFields { kind: Kind::Custom, ips, models } => {
                Restriction::new(ips, models).map(Self::Custom).map_err(|error| error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(json: Value) -> Result<Permission, String> {
        serde_json::from_value(json).map_err(|e| e.to_string())
    }

    #[test]
    fn a_permission_reads_as_it_is_written() {
        for json in [
            json!({"kind": "all"}),
            json!({"kind": "custom", "ips": ["10.0.0.0/8", "2001:db8::1"]}),
            json!({"kind": "custom", "models": ["qwen-plus"]}),
            json!({"kind": "custom", "ips": ["10.0.0.1"], "models": ["qwen-plus", "qwen-max"]}),
        ] {
            assert_eq!(serde_json::to_value(read(json.clone()).unwrap()).unwrap(), json);
        }
    }

    #[test]
    fn what_stands_twice_is_kept_once() {
        let twice = json!({"kind": "custom", "ips": ["10.1.0.0/8", "::ffff:10.0.0.0/104"], "models": ["a", "b", "a"]});
        let once = json!({"kind": "custom", "ips": ["10.0.0.0/8"], "models": ["a", "b"]});
        assert_eq!(serde_json::to_value(read(twice).unwrap()).unwrap(), once);
    }

    #[test]
    fn a_permission_that_says_nothing_or_too_much_is_refused() {
        for (json, expected) in [
            (json!({"kind": "custom"}), "Restrict addresses or models"),
            (json!({"kind": "custom", "ips": null}), "Restrict addresses or models"),
            (json!({"kind": "custom", "ips": []}), "at least one address"),
            (json!({"kind": "custom", "models": []}), "at least one model"),
            (json!({"kind": "custom", "ips": ["10.0.0.1"], "models": []}), "at least one model"),
            (json!({"kind": "custom", "ips": vec!["10.0.0.1"; 21]}), "at most 20 addresses"),
            (json!({"kind": "custom", "models": vec!["m"; 2001]}), "at most 2000 models"),
            (json!({"kind": "custom", "ips": ["10.0.0.0/33"]}), "at most /32"),
            (json!({"kind": "custom", "ips": ["10.0.0.1"], "apps": ["a"]}), "unknown field `apps`"),
            (json!({"kind": "all", "ips": ["10.0.0.1"]}), "kind `all`"),
            (json!({"kind": "most"}), "unknown variant"),
            (json!({}), "missing field `kind`"),
            (json!("all"), "invalid type"),
        ] {
            let error = read(json.clone()).unwrap_err();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}

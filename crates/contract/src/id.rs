//! Identifiers. On the wire they are opaque strings; here each kind is a type, so one cannot stand for another.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// An account: the owner of workspaces, members and keys.
    AccountId
}
id! {
    /// A person who may sign in to an account.
    MemberId
}
id! {
    /// A workspace, `ws-` and 16 characters.
    WorkspaceId
}
id! {
    /// An API key, `key-` and 16 characters. It names the key and opens nothing.
    ApiKeyId
}
id! {
    /// A region, such as `ap-southeast-1`.
    RegionId
}
id! {
    /// A model as applications name it, such as `qwen-plus`.
    ModelId
}

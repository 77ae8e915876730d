//! Signing in, and who is signed in.

use crate::id::{AccountId, MemberId};
use crate::text::Email;
use serde::{Deserialize, Serialize};

/// Body of `session_code`: where to send a code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EmailCodeCreate {
    /// The address of a member. Whether there is such a member is never told.
    pub email: Email,
}

/// Body of `session_create`: `{email, code}`, or the `{token}` of a sign-in link.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionCreate {
    /// The address the code was sent to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<Email>,
    /// The six digits from the mail. They work only with the cookie that `session_code` set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The token of a sign-in link.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// The person.
    pub member: Member,
    /// Their account.
    pub account: Account,
    /// What they may do in it.
    pub role: Role,
}

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// Opaque.
    pub id: MemberId,
    /// Where their codes go; also how the console names them.
    pub email: String,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// Opaque.
    pub id: AccountId,
    /// Chosen at first start.
    pub name: String,
}

/// What a member may do in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but what concerns owners.
    Admin,
    /// What each workspace grants them.
    Member,
}

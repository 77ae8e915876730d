//! What a key has and is, in words.

use crate::components::models_word;
use crate::ui::{Tone, moment, whole};
use keygate_contract::{ApiKey, ApiKeyStatus, Permission};

/// The name of a permission.
pub(super) fn permission(permission: &Permission) -> &'static str {
    match permission {
        Permission::All {} => "All",
        Permission::Custom(_) => "Custom",
    }
}

/// What a permission is restricted to: `3 addresses, 5 models`. A number does not part from its word.
pub(super) fn restriction(permission: &Permission) -> Option<String> {
    let Permission::Custom(restriction) = permission else { return None };
    let ips = restriction.ips().map(|ips| match ips.len() {
        1 => "1\u{a0}address".to_owned(),
        n => format!("{n}\u{a0}addresses"),
    });
    let models = restriction.models().map(<[_]>::len).map(|n| n as u64);
    let models = models.map(|n| format!("{}\u{a0}{}", whole(n), models_word(n)));
    Some(ips.into_iter().chain(models).collect::<Vec<_>>().join(", "))
}

/// A state's colour and words.
pub(super) fn status(status: ApiKeyStatus) -> (Tone, &'static str) {
    match status {
        ApiKeyStatus::Active => (Tone::Good, "active"),
        ApiKeyStatus::Disabled => (Tone::Plain, "disabled"),
        ApiKeyStatus::Expired => (Tone::Bad, "expired"),
        ApiKeyStatus::OwnerDisabled => (Tone::Bad, "owner disabled"),
    }
}

/// What differs between two readings of a key, as it is now.
pub(super) fn changes(before: &ApiKey, now: &ApiKey) -> Vec<String> {
    let description = (before.description != now.description)
        .then(|| format!("The description is now {}", now.description));
    let permission = (before.permission != now.permission).then(|| {
        let detail = restriction(&now.permission).map(|words| format!(", {words}")).unwrap_or_default();
        format!("The permission is now {}{detail}", permission(&now.permission))
    });
    let expiry = (before.expires_at != now.expires_at).then(|| {
        let at = now.expires_at.as_ref().map_or_else(|| "never".to_owned(), |at| moment(at.as_str()));
        format!("It now expires: {at}")
    });
    let status = (before.status != now.status).then(|| format!("The key is now {}", status(now.status).1));
    [description, permission, expiry, status].into_iter().flatten().collect()
}

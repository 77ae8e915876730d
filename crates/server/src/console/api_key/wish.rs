//! What a request wants a key to be, checked against its region and its workspace.

use crate::problem::Problem;
use keygate_contract::{ModelId, Permission, Region, RegionId, Timestamp, WorkspaceId};
use keygate_gateway::catalogue::Catalogue;
use keygate_store::{Change, from_timestamp, now_ms};
use std::collections::HashSet;

/// When the key is to end, in Unix milliseconds.
///
/// # Errors
/// 422 on `expires_at`, when it is not RFC 3339 or not in the future.
pub(super) fn expiry(at: &Timestamp) -> Result<i64, Problem> {
    let wrong = |message| Problem::invalid_field("expires_at", message);
    let at = from_timestamp(at)
        .ok_or_else(|| wrong("Give a time in RFC 3339, such as 2030-01-31T12:00:00Z, or null for never."))?;
    if at <= now_ms() {
        return Err(wrong("Give a time in the future, or null for never. To stop the key now, disable it."));
    }
    Ok(at)
}

/// Refuses a permission of its own where keys have none.
///
/// # Errors
/// 422 on `permission`.
pub(super) fn check_region(permission: &Permission, region: &Region) -> Result<(), Problem> {
    match permission {
        Permission::Custom(_) if !region.features.custom_permission => Err(Problem::invalid_field(
            "permission",
            "Keys of this region may do what their workspace may, no less. Send the kind `all`.",
        )),
        _ => Ok(()),
    }
}

/// Refuses models that the workspace may not call. One that the key has already may stay: it waits for the workspace to
/// be granted it again, and nobody should have to give it up for wanting to change something else.
///
/// # Errors
/// 422 on `permission.models[n]`, or what the store fails with.
pub(super) async fn check_models(
    change: &mut Change,
    catalogue: &Catalogue,
    (region, workspace): (&RegionId, &WorkspaceId),
    permission: &Permission,
    held: &Permission,
) -> Result<(), Problem> {
    let Some(wanted) = models(permission) else { return Ok(()) };
    let grants = change.grant_list(region, workspace).await?;
    let granted: HashSet<&ModelId> = grants.items.iter().map(|grant| &grant.model).collect();
    let held: HashSet<&ModelId> = models(held).unwrap_or_default().iter().collect();
    for (index, model) in wanted.iter().enumerate() {
        let may_call =
            if grants.is_default { catalogue.find(region, model).is_some() } else { granted.contains(model) };
        if !may_call && !held.contains(model) {
            let name: String = model.as_str().chars().take(80).collect();
            return Err(Problem::invalid_field(
                format!("permission.models[{index}]"),
                format!("The workspace may not call `{name}`. Grant it the model first, or leave it out."),
            ));
        }
    }
    Ok(())
}

fn models(permission: &Permission) -> Option<&[ModelId]> {
    match permission {
        Permission::All {} => None,
        Permission::Custom(restriction) => restriction.models(),
    }
}

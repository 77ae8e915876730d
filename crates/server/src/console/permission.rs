//! Who may do what: one table of operation × role.

use crate::problem::Problem;
use keygate_contract::Role;

/// An operation that needs a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    RegionList,
    ModelList,
    GrantList,
    GrantReplace,
    WorkspaceList,
    WorkspaceView,
    WorkspaceCreate,
    WorkspaceUpdate,
    WorkspaceArchive,
    ApiKeyList,
    ApiKeyView,
    ApiKeyCreate,
    ApiKeyUpdate,
    ApiKeyDelete,
    ApiKeyDisable,
    ApiKeyEnable,
    ApiKeyReset,
    TemporaryKeyCreate,
    UsageQuery,
    UsageRegionQuery,
    LiveView,
    RequestList,
    RequestView,
}

/// Whether a role permits an operation. A member's rights come from the workspaces they are added to, and there is no
/// way to add one yet: so, nothing but to see which regions there are.
fn permitted(operation: Operation, role: Role) -> bool {
    match role {
        Role::Owner | Role::Admin => true,
        Role::Member => operation == Operation::RegionList,
    }
}

/// Refuses what the role does not permit.
pub(crate) fn require(operation: Operation, role: Role) -> Result<(), Problem> {
    if permitted(operation, role) { Ok(()) } else { Err(Problem::not_permitted()) }
}

//! Who did what to which object, from where, when. Written in the transaction of the change itself.

use crate::error::StoreError;
use crate::id::random_id;
use keygate_contract::{AccountId, MemberId, RegionId, WorkspaceId};
use serde_json::Value;
use sqlx::SqliteConnection;

/// Who acts, and from where.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The account acted in.
    pub account: AccountId,
    /// The member who acts; `None` for the server itself.
    pub member: Option<MemberId>,
    /// How the log names them, even after they are gone.
    pub email: String,
    /// The address the request came from, or `local`.
    pub address: String,
    /// The request's id.
    pub request_id: String,
}

impl Actor {
    /// The server itself, acting in an account during `request_id`.
    pub fn server(account: AccountId, request_id: &str) -> Self {
        Self {
            account,
            member: None,
            email: "keygate".into(),
            address: "local".into(),
            request_id: request_id.into(),
        }
    }

    /// The member's id as a column; empty for the server itself.
    pub(crate) fn member_text(&self) -> &str {
        self.member.as_ref().map_or("", MemberId::as_str)
    }
}

/// One line of the audit log, but for who and when.
#[derive(Clone, Debug)]
pub struct AuditRow<'a> {
    /// The operation's name, such as `api_key_create`.
    pub action: &'static str,
    /// Such as `api_key`.
    pub object_kind: &'static str,
    /// The object's id.
    pub object_id: &'a str,
    /// The region it is in, if any.
    pub region: Option<&'a RegionId>,
    /// The workspace it is in, if any.
    pub workspace: Option<&'a WorkspaceId>,
    /// What was changed. Never a secret.
    pub detail: Value,
}

impl<'a> AuditRow<'a> {
    /// A line about an object of a workspace, or about the workspace itself.
    pub(crate) fn in_workspace(
        action: &'static str,
        (object_kind, object_id): (&'static str, &'a str),
        region: &'a RegionId,
        workspace: &'a WorkspaceId,
        detail: Value,
    ) -> Self {
        Self { action, object_kind, object_id, region: Some(region), workspace: Some(workspace), detail }
    }
}

/// Writes a line.
pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    actor: &Actor,
    at: i64,
    row: AuditRow<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (id, account_id, at, actor_id, actor_email, action, object_kind, object_id, region, \
         workspace_id, address, request_id, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(random_id("aud-"))
    .bind(actor.account.as_str())
    .bind(at)
    .bind(actor.member.as_ref().map(MemberId::as_str))
    .bind(&actor.email)
    .bind(row.action)
    .bind(row.object_kind)
    .bind(row.object_id)
    .bind(row.region.map(RegionId::as_str))
    .bind(row.workspace.map(WorkspaceId::as_str))
    .bind(&actor.address)
    .bind(&actor.request_id)
    .bind(row.detail.to_string())
    .execute(tx)
    .await?;
    Ok(())
}

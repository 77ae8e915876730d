//! Everything the gateway must know, read at start.

use crate::Store;
use crate::api_key::{RecordRow, record_columns};
use crate::error::StoreError;
use crate::event::{ApiKeyRecord, MemberRecord, WorkspaceRecord};
use crate::grant::{GrantRow, access};
use futures_util::{StreamExt as _, TryStreamExt as _};
use std::collections::HashMap;

/// Everything the gateway must know.
#[derive(Clone, Debug, Default)]
pub struct DirectoryContent {
    /// All members.
    pub members: Vec<MemberRecord>,
    /// All live workspaces.
    pub workspaces: Vec<WorkspaceRecord>,
    /// All keys of them that are not deleted.
    pub api_keys: Vec<ApiKeyRecord>,
}

impl Store {
    /// Reads everything the gateway must know.
    ///
    /// # Errors
    /// [`StoreError::Database`] or [`StoreError::Corrupt`].
    pub async fn directory_content(&self) -> Result<DirectoryContent, StoreError> {
        let members: Vec<(String, bool)> =
            sqlx::query_as("SELECT id, disabled_at IS NULL FROM members").fetch_all(&self.read).await?;
        let workspaces: Vec<(String, String, String, bool)> = sqlx::query_as(
            "SELECT id, account_id, region, is_default FROM workspaces WHERE archived_at IS NULL",
        )
        .fetch_all(&self.read)
        .await?;
        let grants: Vec<GrantRow> = sqlx::query_as("SELECT workspace_id, model, rpm, tpm FROM model_grants")
            .fetch_all(&self.read)
            .await?;
        let mut grants_of: HashMap<String, Vec<GrantRow>> = HashMap::new();
        for grant in grants {
            grants_of.entry(grant.workspace_id.clone()).or_default().push(grant);
        }
        // Row by row: there may be very many, and all rows at once would be the most memory a server ever takes.
        let api_keys = sqlx::query_as::<_, RecordRow>(concat!(
            "SELECT ",
            record_columns!(),
            " FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id \
             WHERE k.deleted_at IS NULL AND w.archived_at IS NULL"
        ))
        .fetch(&self.read)
        .map(|row| ApiKeyRecord::try_from(row?))
        .try_collect()
        .await?;
        Ok(DirectoryContent {
            members: members.into_iter().map(|(id, active)| MemberRecord { id: id.into(), active }).collect(),
            workspaces: workspaces
                .into_iter()
                .map(|(id, account, region, is_default)| {
                    let models = access(is_default, grants_of.remove(&id).unwrap_or_default())?;
                    Ok(WorkspaceRecord {
                        id: id.into(),
                        account: account.into(),
                        region: region.into(),
                        models,
                    })
                })
                .collect::<Result<_, StoreError>>()?,
            api_keys,
        })
    }
}

//! A key's secrets: a new one in place of the old one, the time both work, and temporary keys made from it.

use crate::Change;
use crate::audit::AuditRow;
use crate::error::StoreError;
use crate::event::ApiKeyRecord;
use crate::time::timestamp;
use keygate_contract::{ApiKey, ApiKeyId, ApiKeyStatus, RegionId, WorkspaceId};
use serde_json::json;

/// A secret in place of the one a key has.
#[derive(Clone, Copy, Debug)]
pub struct NewSecret<'a> {
    /// Its keyed hash.
    pub hash: [u8; 32],
    /// What is shown of it afterwards.
    pub masked: &'a str,
    /// How long the old one works beside it, in seconds.
    pub overlap_seconds: u32,
}

impl Change {
    /// The part by which a key is found: it stays when the secret is replaced.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn api_key_public_id(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
    ) -> Result<String, StoreError> {
        self.api_key_row(region, workspace, id).await?;
        Ok(self.api_key_record(id).await?.public_id)
    }

    /// Gives a key a new secret. The old one works for the overlap; the one before that works no more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn api_key_reset(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
        new: NewSecret<'_>,
    ) -> Result<ApiKey, StoreError> {
        let row = self.api_key_row(region, workspace, id).await?;
        let overlaps_until =
            (new.overlap_seconds > 0).then(|| self.now + i64::from(new.overlap_seconds) * 1000);
        sqlx::query(
            "UPDATE api_keys SET previous_secret_hash = CASE WHEN $1 IS NULL THEN NULL ELSE secret_hash END, \
             previous_masked = CASE WHEN $1 IS NULL THEN NULL ELSE masked END, previous_expires_at = $1, \
             secret_hash = $2, masked = $3, version = version + 1 WHERE id = $4 AND account_id = $5",
        )
        .bind(overlaps_until)
        .bind(new.hash.as_slice())
        .bind(new.masked)
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .execute(&mut *self.tx)
        .await?;
        let detail = json!({
            "description": row.description, "masked": { "from": row.masked, "to": new.masked },
            "old_secret_expires_at": overlaps_until.map(timestamp),
        });
        self.api_key_changed("api_key_reset", region, workspace, id, detail).await
    }

    /// Ends the time in which the secret before the last reset works. Where there is none, nothing changes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`StoreError::Database`].
    pub async fn api_key_overlap_end(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
    ) -> Result<(), StoreError> {
        let row = self.api_key_row(region, workspace, id).await?;
        let ended = sqlx::query(
            "UPDATE api_keys SET previous_secret_hash = NULL, previous_masked = NULL, previous_expires_at = NULL, \
             version = version + 1 WHERE id = $1 AND account_id = $2 AND previous_expires_at > $3",
        )
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .bind(self.now)
        .execute(&mut *self.tx)
        .await?;
        if ended.rows_affected() > 0 {
            let detail = json!({ "description": row.description, "masked": row.previous_masked });
            self.api_key_changed("api_key_overlap_end", region, workspace, id, detail).await?;
        }
        Ok(())
    }

    /// Notes that a temporary key is made from this one, to work until `expires_at` in Unix milliseconds. Temporary keys
    /// are not stored: what is returned is all that making and proving one needs.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::KeyInactive`] or [`StoreError::Database`].
    pub async fn temporary_key_create(
        &mut self,
        region: &RegionId,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
        expires_at: i64,
    ) -> Result<ApiKeyRecord, StoreError> {
        let key = self.api_key_row(region, workspace, id).await?.key(self.now)?;
        if key.status != ApiKeyStatus::Active {
            return Err(StoreError::KeyInactive(key.status));
        }
        let detail = json!({ "description": key.description, "expires_at": timestamp(expires_at) });
        self.audit(AuditRow::in_workspace(
            "temporary_key_create",
            ("api_key", id.as_str()),
            region,
            workspace,
            detail,
        ))
        .await?;
        self.api_key_record(id).await
    }
}

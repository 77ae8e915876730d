//! Keys as the gateway's directory takes them.

use crate::Change;
use crate::error::StoreError;
use crate::event::{ApiKeyRecord, PreviousSecretRecord};
use keygate_contract::ApiKeyId;

/// Columns of [`RecordRow`], of a table named `k`.
macro_rules! record_columns {
    () => {
        "k.id, k.public_id, k.secret_hash, k.previous_secret_hash, k.previous_expires_at, k.workspace_id, k.owner_id, \
         k.permission, k.disabled_at, k.expires_at"
    };
}
pub(crate) use record_columns;

#[derive(sqlx::FromRow)]
pub(crate) struct RecordRow {
    id: String,
    public_id: String,
    secret_hash: Vec<u8>,
    previous_secret_hash: Option<Vec<u8>>,
    previous_expires_at: Option<i64>,
    workspace_id: String,
    owner_id: String,
    permission: String,
    disabled_at: Option<i64>,
    expires_at: Option<i64>,
}

impl TryFrom<RecordRow> for ApiKeyRecord {
    type Error = StoreError;

    fn try_from(row: RecordRow) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt(format!("{what} of {}", row.id));
        let hash = |bytes: Vec<u8>| <[u8; 32]>::try_from(bytes).map_err(|_| corrupt("secret hash"));
        let previous = row
            .previous_secret_hash
            .zip(row.previous_expires_at)
            .map(|(bytes, expires_at)| {
                Ok::<_, StoreError>(PreviousSecretRecord { hash: hash(bytes)?, expires_at })
            })
            .transpose()?;
        Ok(Self {
            secret_hash: hash(row.secret_hash)?,
            permission: serde_json::from_str(&row.permission).map_err(|_| corrupt("permission"))?,
            id: row.id.into(),
            public_id: row.public_id,
            previous,
            workspace: row.workspace_id.into(),
            owner: row.owner_id.into(),
            disabled: row.disabled_at.is_some(),
            expires_at: row.expires_at,
        })
    }
}

impl Change {
    /// A key as the directory takes it, as of this change.
    pub(super) async fn api_key_record(&mut self, id: &ApiKeyId) -> Result<ApiKeyRecord, StoreError> {
        let row: RecordRow = sqlx::query_as(concat!(
            "SELECT ",
            record_columns!(),
            " FROM api_keys k WHERE k.id = $1 AND k.account_id = $2"
        ))
        .bind(id.as_str())
        .bind(self.actor.account.as_str())
        .fetch_one(&mut *self.tx)
        .await?;
        row.try_into()
    }
}

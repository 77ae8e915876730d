//! When and from where keys were used, as the gateway tells it now and then.

use crate::Store;
use crate::error::StoreError;
use keygate_contract::ApiKeyId;
use std::net::IpAddr;

/// What became known of a key's use. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyUse {
    /// The key.
    pub id: ApiKeyId,
    /// When a call last came with it.
    pub used_at: Option<i64>,
    /// Where the last call came from that its list of addresses refused, and when.
    pub refused: Option<(IpAddr, i64)>,
}

impl Store {
    /// Writes down the use of keys, in one transaction. What is known to be later stays.
    ///
    /// # Errors
    /// [`StoreError::Database`]; then nothing is written.
    pub async fn api_keys_used(&self, uses: &[ApiKeyUse]) -> Result<(), StoreError> {
        self.write.watch(self.api_keys_used_write(uses)).await
    }

    async fn api_keys_used_write(&self, uses: &[ApiKeyUse]) -> Result<(), StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        for key in uses {
            let (address, refused_at) = key.refused.map(|(a, at)| (a.to_string(), at)).unzip();
            sqlx::query(
                "UPDATE api_keys SET last_used_at = nullif(max(coalesce(last_used_at, 0), coalesce($1, 0)), 0), \
                 refused_address = coalesce($2, refused_address), refused_at = coalesce($3, refused_at) WHERE id = $4",
            )
            .bind(key.used_at)
            .bind(address)
            .bind(refused_at)
            .bind(key.id.as_str())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

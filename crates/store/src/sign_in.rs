//! Ways to sign in: a link that works once, and a code sent by mail.

mod browsers;
mod codes;
mod counts;

pub use browsers::BrowserToken;
pub(crate) use browsers::{forget_others, remember};
pub use codes::{CodeCheck, EmailCode, NewCode, SignInSource};

use crate::Store;
use crate::error::StoreError;
use crate::session::{self, NewSession};
use keygate_contract::{Email, Session};

/// A link works this long, in milliseconds: 15 minutes.
const LINK_MS: i64 = 15 * 60 * 1000;

/// What a link was worth: a session, or nothing if it was wrong, used or too old.
pub type LinkCheck = Option<Session>;

impl Store {
    /// Keeps a new link for the member with this address. `false` when there is no such enabled member.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn link_create(
        &self,
        email: &Email,
        token_hash: &[u8; 32],
        now: i64,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM sign_in_links WHERE expires_at <= $1").bind(now).execute(&mut *tx).await?;
        let created = sqlx::query(
            "INSERT INTO sign_in_links (token_hash, member_id, expires_at) \
             SELECT $1, id, $2 FROM members WHERE email = $3 AND disabled_at IS NULL",
        )
        .bind(token_hash.as_slice())
        .bind(now + LINK_MS)
        .bind(email.as_str())
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        Ok(created > 0)
    }

    /// Uses a link up and opens a session.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn session_create_by_link(
        &self,
        link_hash: &[u8; 32],
        new: &NewSession,
        now: i64,
    ) -> Result<LinkCheck, StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let member: Option<(String,)> = sqlx::query_as(
            "DELETE FROM sign_in_links WHERE token_hash = $1 AND expires_at > $2 RETURNING member_id",
        )
        .bind(link_hash.as_slice())
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((member,)) = member else { return Ok(None) };
        let session = session::open(&mut tx, &member, new, "link", now).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Whether the link is valid now. This only reads, so that a valid link can be accepted even without attempts left.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn link_is_valid(&self, link_hash: &[u8; 32], now: i64) -> Result<bool, StoreError> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM sign_in_links WHERE token_hash = $1 AND expires_at > $2")
                .bind(link_hash.as_slice())
                .bind(now)
                .fetch_optional(&self.read)
                .await?;
        Ok(row.is_some())
    }
}

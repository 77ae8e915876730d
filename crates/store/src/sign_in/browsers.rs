//! Browsers in which a member signed in before. Each has a cookie; the store has its keyed hash, and whose it is.

use crate::Store;
use crate::error::StoreError;
use keygate_contract::Email;
use sqlx::SqliteConnection;

/// A browser is known this long after its last sign-in, in milliseconds: 180 days.
const LIFE_MS: i64 = 180 * 24 * 60 * 60 * 1000;
/// Browsers that are known of one member; with one more, the one that signed in longest ago is forgotten.
const PER_MEMBER: i64 = 10;

/// The cookie of a browser that signs in: the one it has from now on, and the one it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrowserToken {
    /// Keyed hash of the new cookie.
    pub new_hash: [u8; 32],
    /// Keyed hash of the cookie that it replaces.
    pub old_hash: Option<[u8; 32]>,
}

impl Store {
    /// Whether an enabled member signed in before in the browser with this cookie.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn browser_is_known(&self, token_hash: &[u8; 32], now: i64) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(
            "SELECT 1 FROM known_browsers b JOIN members m ON m.id = b.member_id \
             WHERE b.token_hash = $1 AND b.expires_at > $2 AND m.disabled_at IS NULL",
        )
        .bind(token_hash.as_slice())
        .bind(now)
        .fetch_optional(&self.read)
        .await?;
        Ok(row.is_some())
    }
}

/// The same for the member with this address.
pub(super) async fn is_known(
    tx: &mut SqliteConnection,
    token_hash: &[u8; 32],
    email: &Email,
    now: i64,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = sqlx::query_as(
        "SELECT 1 FROM known_browsers b JOIN members m ON m.id = b.member_id \
         WHERE b.token_hash = $1 AND b.expires_at > $2 AND m.email = $3 AND m.disabled_at IS NULL",
    )
    .bind(token_hash.as_slice())
    .bind(now)
    .bind(email.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row.is_some())
}

/// Makes the browser known to a member. The cookie is a new one each time, so that a copy of an old one, or one that
/// somebody else planted, is worth nothing.
pub(crate) async fn remember(
    tx: &mut SqliteConnection,
    member_id: &str,
    token: &BrowserToken,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM known_browsers WHERE expires_at <= $1 OR (token_hash = $2 AND member_id = $3)")
        .bind(now)
        .bind(token.old_hash.as_ref().map(<[u8; 32]>::as_slice))
        .bind(member_id)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO known_browsers (token_hash, member_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(token.new_hash.as_slice())
    .bind(member_id)
    .bind(now)
    .bind(now + LIFE_MS)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "DELETE FROM known_browsers WHERE token_hash IN (SELECT token_hash FROM known_browsers \
         WHERE member_id = $1 ORDER BY created_at DESC, token_hash LIMIT -1 OFFSET $2)",
    )
    .bind(member_id)
    .bind(PER_MEMBER)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Forgets the member's browsers but the one with this cookie.
pub(crate) async fn forget_others(
    tx: &mut SqliteConnection,
    member_id: &str,
    but: Option<&[u8; 32]>,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM known_browsers WHERE member_id = $1 AND token_hash IS NOT $2")
        .bind(member_id)
        .bind(but.map(<[u8; 32]>::as_slice))
        .execute(&mut *tx)
        .await?;
    Ok(())
}

//! Browsers in which a member has signed in before. The store has the keyed hash of each browser's cookie, and its
//! member.

use crate::Store;
use crate::error::StoreError;
use keygate_contract::Email;
use sqlx::SqliteConnection;

/// How long a browser is known after its last sign-in, in milliseconds: 180 days.
const LIFE_MS: i64 = 180 * 24 * 60 * 60 * 1000;
/// The most known browsers of a member. One more evicts the browser with the oldest sign-in.
const PER_MEMBER: i64 = 10;

/// The cookie of a browser that signs in: the new one, and the one it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrowserToken {
    /// Keyed hash of the new cookie.
    pub new_hash: [u8; 32],
    /// Keyed hash of the cookie that it replaces.
    pub old_hash: Option<[u8; 32]>,
}

impl Store {
    /// Whether an enabled member has signed in before in the browser with this cookie.
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

/// The same for the member with this e-mail address.
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

/// Makes the browser known to a member. Each sign-in sets a new cookie, so that a copy of an old one, or a planted one,
/// is worthless.
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

/// Forgets the member's browsers except the one with this cookie.
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

//! Ways to sign in: a link that works once, and a code sent by mail.

use crate::Store;
use crate::error::StoreError;
use crate::session::{self, NewSession};
use keygate_contract::{Email, Session};

/// A link works this long, in milliseconds: 15 minutes.
const LINK_MS: i64 = 15 * 60 * 1000;
/// A code works this long, in milliseconds: 10 minutes.
const CODE_MS: i64 = 10 * 60 * 1000;
/// The least time between two codes for one address, in milliseconds: a minute.
const CODE_STEP_MS: i64 = 60 * 1000;
/// How often a code may be tried.
const CODE_TRIES: i64 = 5;
/// Codes for one address in an hour. With the tries it bounds guessing to 50 of 1,000,000 an hour.
const CODES_PER_HOUR: i64 = 10;
/// An hour in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1000;

/// What to do about a request for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailCode {
    /// The address is a member's: send the code.
    Send,
    /// Nobody's address, or asked again too soon: send nothing, and answer the same.
    Silent,
}

/// What a code was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeCheck {
    /// It was right: the session is open.
    SignedIn(Session),
    /// It was wrong, used or too old.
    Wrong,
    /// It was tried too often; a new code can be asked for in this many seconds.
    TooMany {
        /// Seconds, at least 1.
        retry_after: u64,
    },
}

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

    /// Keeps a new code for an address.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn code_create(
        &self,
        email: &Email,
        code_hash: &[u8; 32],
        now: i64,
    ) -> Result<EmailCode, StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM email_codes WHERE expires_at <= $1 AND hour_start <= $2")
            .bind(now)
            .bind(now - HOUR_MS)
            .execute(&mut *tx)
            .await?;
        let kept = sqlx::query(
            "INSERT INTO email_codes (email, code_hash, sent_at, expires_at, tries_left, hour_start, codes_in_hour) \
             VALUES ($1, $2, $3, $4, $5, $3, 1) \
             ON CONFLICT (email) DO UPDATE SET code_hash = $2, sent_at = $3, expires_at = $4, tries_left = $5, \
             codes_in_hour = CASE WHEN hour_start <= $6 THEN 1 ELSE codes_in_hour + 1 END, \
             hour_start = CASE WHEN hour_start <= $6 THEN $3 ELSE hour_start END \
             WHERE email_codes.sent_at <= $7 AND (email_codes.hour_start <= $6 OR email_codes.codes_in_hour < $8)",
        )
        .bind(email.as_str())
        .bind(code_hash.as_slice())
        .bind(now)
        .bind(now + CODE_MS)
        .bind(CODE_TRIES)
        .bind(now - HOUR_MS)
        .bind(now - CODE_STEP_MS)
        .bind(CODES_PER_HOUR)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        let member: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM members WHERE email = $1 AND disabled_at IS NULL")
                .bind(email.as_str())
                .fetch_optional(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(if kept > 0 && member.is_some() { EmailCode::Send } else { EmailCode::Silent })
    }

    /// Tries a code. A right one is used up and opens a session; a wrong one costs a try.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn session_create_by_code(
        &self,
        email: &Email,
        code_hash: &[u8; 32],
        new: &NewSession,
        now: i64,
    ) -> Result<CodeCheck, StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let row: Option<(Vec<u8>, i64, i64)> = sqlx::query_as(
            "SELECT code_hash, tries_left, sent_at FROM email_codes WHERE email = $1 AND expires_at > $2",
        )
        .bind(email.as_str())
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((expected, tries_left, sent_at)) = row else { return Ok(CodeCheck::Wrong) };
        if tries_left <= 0 {
            let wait = u64::try_from(sent_at + CODE_STEP_MS - now).unwrap_or(0).div_ceil(1000);
            return Ok(CodeCheck::TooMany { retry_after: wait.max(1) });
        }
        if expected != code_hash {
            sqlx::query("UPDATE email_codes SET tries_left = tries_left - 1 WHERE email = $1")
                .bind(email.as_str())
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            return Ok(CodeCheck::Wrong);
        }
        // The row stays, without a code that works: it counts the codes of the hour.
        sqlx::query("UPDATE email_codes SET expires_at = $2 WHERE email = $1")
            .bind(email.as_str())
            .bind(now)
            .execute(&mut *tx)
            .await?;
        let member: Option<(String,)> = sqlx::query_as("SELECT id FROM members WHERE email = $1")
            .bind(email.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let session = match member {
            Some((member,)) => session::open(&mut tx, &member, new, "email_code", now).await?,
            None => None,
        };
        tx.commit().await?;
        Ok(session.map_or(CodeCheck::Wrong, CodeCheck::SignedIn))
    }
}

//! A change: one transaction with everything that belongs to it.

use crate::Store;
use crate::audit::{self, Actor, AuditRow};
use crate::database::WriteTransaction;
use crate::error::StoreError;
use crate::event::Event;
use crate::time::{for_deletion, now_ms};

/// How long an answer is kept to be repeated, in milliseconds: a day.
const REPEATABLE_MS: i64 = 24 * 60 * 60 * 1000;

/// A transaction that changes something. Dropped without [`Change::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Change {
    /// Holds the write lock from the start, so what is read here is still true at the commit.
    pub(crate) tx: WriteTransaction,
    pub(crate) actor: Actor,
    /// The time of everything in it, in Unix milliseconds.
    pub(crate) now: i64,
    pub(crate) events: Vec<Event>,
}

/// A request that its client may send again without doing it again.
#[derive(Clone, Debug)]
pub struct Once {
    /// The client's `Idempotency-Key`.
    pub key: String,
    /// Hash of operation, path and body: the same key with another request is a mistake.
    pub fingerprint: [u8; 32],
}

/// An answer that was given before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// HTTP status.
    pub status: u16,
    /// JSON, without a secret.
    pub body: String,
}

impl Store {
    /// Begins a change.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the database cannot be written now.
    pub async fn change(&self, actor: Actor) -> Result<Change, StoreError> {
        let tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Change { tx, actor, now: now_ms(), events: Vec::new() })
    }
}

impl Change {
    /// The answer given to this request before, if any.
    ///
    /// # Errors
    /// [`StoreError::IdempotencyConflict`] when the key was used for another request.
    pub async fn repeat(&mut self, once: &Once) -> Result<Option<Repeat>, StoreError> {
        sqlx::query("DELETE FROM idempotent_answers WHERE created_at < $1")
            .bind(for_deletion(self.now) - REPEATABLE_MS)
            .execute(&mut *self.tx)
            .await?;
        let row: Option<(Vec<u8>, i64, String)> = sqlx::query_as(
            "SELECT fingerprint, status, body FROM idempotent_answers \
             WHERE account_id = $1 AND member_id = $2 AND idempotency_key = $3",
        )
        .bind(self.actor.account.as_str())
        .bind(self.actor.member_text())
        .bind(&once.key)
        .fetch_optional(&mut *self.tx)
        .await?;
        let Some((fingerprint, status, body)) = row else { return Ok(None) };
        if fingerprint != once.fingerprint {
            return Err(StoreError::IdempotencyConflict);
        }
        let status = u16::try_from(status).map_err(|_| StoreError::Corrupt(format!("status {status}")))?;
        Ok(Some(Repeat { status, body }))
    }

    /// Keeps the answer to this request for a day.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn remember(&mut self, once: &Once, answer: &Repeat) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO idempotent_answers (account_id, member_id, idempotency_key, fingerprint, status, body, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.actor.account.as_str())
        .bind(self.actor.member_text())
        .bind(&once.key)
        .bind(once.fingerprint.as_slice())
        .bind(i64::from(answer.status))
        .bind(&answer.body)
        .bind(self.now)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Commits. The events are for the directory, and must be applied before the next change commits.
    ///
    /// # Errors
    /// [`StoreError::Database`]; then nothing was changed.
    pub async fn commit(self) -> Result<Vec<Event>, StoreError> {
        self.tx.commit().await?;
        Ok(self.events)
    }

    /// Writes the audit row of what was just done.
    pub(crate) async fn audit(&mut self, row: AuditRow<'_>) -> Result<(), StoreError> {
        audit::insert(&mut self.tx, &self.actor, self.now, row).await
    }
}

//! Sessions: who is signed in. A session is known by the keyed hash of its token; the token is only in its cookie.

use crate::audit::{self, Actor, AuditRow};
use crate::error::StoreError;
use crate::sign_in::{self, BrowserToken};
use crate::time::for_deletion;
use crate::{Change, Store};
use keygate_contract::{Account, AccountId, Member, MemberId, Role, Session};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

/// A session ends after this long without a request, in milliseconds: 12 hours.
const IDLE_MS: i64 = 12 * 60 * 60 * 1000;
/// A session ends after this long however busy, in milliseconds: 7 days.
const LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// How exactly the last request is remembered, in milliseconds: a minute.
const SEEN_STEP_MS: i64 = 60 * 1000;

/// A session to be created, and where the request came from.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Keyed hash of its token.
    pub token_hash: [u8; 32],
    /// The cookie by which the browser is known from now on.
    pub browser: BrowserToken,
    /// The address the request came from.
    pub address: String,
    /// The request's id.
    pub request_id: String,
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    member_id: String,
    email: String,
    role: String,
    account_id: String,
    account_name: String,
}

impl TryFrom<MemberRow> for Session {
    type Error = StoreError;

    fn try_from(row: MemberRow) -> Result<Self, StoreError> {
        let role = match row.role.as_str() {
            "owner" => Role::Owner,
            "admin" => Role::Admin,
            "member" => Role::Member,
            other => return Err(StoreError::Corrupt(format!("role {other}"))),
        };
        Ok(Self {
            member: Member { id: row.member_id.into(), email: row.email },
            account: Account { id: AccountId::from(row.account_id), name: row.account_name },
            role,
        })
    }
}

impl Store {
    /// Who the token's session belongs to; `None` when it has ended, or its member is disabled.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn session_find(&self, token_hash: &[u8; 32], now: i64) -> Result<Option<Session>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            last_seen_at: i64,
            #[sqlx(flatten)]
            member: MemberRow,
        }
        let row: Option<Row> = sqlx::query_as(
            "SELECT s.last_seen_at, m.id AS member_id, m.email, m.role, a.id AS account_id, a.name AS account_name \
             FROM sessions s JOIN members m ON m.id = s.member_id JOIN accounts a ON a.id = m.account_id \
             WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.last_seen_at > $3 AND m.disabled_at IS NULL",
        )
        .bind(token_hash.as_slice())
        .bind(now)
        .bind(now - IDLE_MS)
        .fetch_optional(&self.read)
        .await?;
        let Some(row) = row else { return Ok(None) };
        // Not while writes fail: this request does not need it, and the next one tries again.
        if now - row.last_seen_at >= SEEN_STEP_MS && self.write.health().failing_since().is_none() {
            let seen = sqlx::query(
                "UPDATE sessions SET last_seen_at = $1 WHERE token_hash = $2 AND last_seen_at < $1",
            );
            if let Err(error) = self.write.execute(seen.bind(now).bind(token_hash.as_slice())).await {
                tracing::debug!(%error, "failed to record the last request of a session");
            }
        }
        row.member.try_into().map(Some)
    }
}

impl Change {
    /// Whether the token's session goes on: it has not ended, and its member is enabled. Looked at within the change, so
    /// that nothing is changed for someone who was signed out while their request came in.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn session_goes_on(&mut self, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
        let found: Option<(i64,)> = sqlx::query_as(
            "SELECT 1 FROM sessions s JOIN members m ON m.id = s.member_id \
             WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.last_seen_at > $3 AND m.disabled_at IS NULL",
        )
        .bind(token_hash.as_slice())
        .bind(self.now)
        .bind(self.now - IDLE_MS)
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(found.is_some())
    }

    /// Ends a session of the actor.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn session_delete(&mut self, token_hash: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
            .bind(token_hash.as_slice())
            .execute(&mut *self.tx)
            .await?;
        self.audit_sessions("session_delete", json!({})).await
    }

    /// Ends all sessions of the actor, and forgets all their known browsers except the one with this keyed hash of its
    /// cookie.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn session_delete_all(&mut self, browser_hash: Option<&[u8; 32]>) -> Result<(), StoreError> {
        let member = self.actor.member.clone();
        if let Some(member) = &member {
            sign_in::forget_others(&mut self.tx, member.as_str(), browser_hash).await?;
        }
        let ended = sqlx::query("DELETE FROM sessions WHERE member_id = $1")
            .bind(member.as_ref().map(MemberId::as_str))
            .execute(&mut *self.tx)
            .await?
            .rows_affected();
        self.audit_sessions("session_delete_all", json!({ "sessions": ended })).await
    }

    async fn audit_sessions(&mut self, action: &'static str, detail: Value) -> Result<(), StoreError> {
        let member = self.actor.member.clone();
        self.audit(AuditRow {
            action,
            object_kind: "member",
            object_id: member.as_ref().map_or("", |m| m.as_str()),
            region: None,
            workspace: None,
            detail,
        })
        .await
    }
}

/// Opens a session for a member, if they are enabled.
pub(crate) async fn open(
    tx: &mut SqliteConnection,
    member_id: &str,
    new: &NewSession,
    by: &'static str,
    now: i64,
) -> Result<Option<Session>, StoreError> {
    let row: Option<MemberRow> = sqlx::query_as(
        "SELECT m.id AS member_id, m.email, m.role, a.id AS account_id, a.name AS account_name \
         FROM members m JOIN accounts a ON a.id = m.account_id WHERE m.id = $1 AND m.disabled_at IS NULL",
    )
    .bind(member_id)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(session) = row.map(Session::try_from).transpose()? else { return Ok(None) };
    sqlx::query("DELETE FROM sessions WHERE expires_at <= $1 OR last_seen_at <= $2")
        .bind(for_deletion(now))
        .bind(for_deletion(now) - IDLE_MS)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO sessions (token_hash, member_id, created_at, last_seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)",
    )
    .bind(new.token_hash.as_slice())
    .bind(member_id)
    .bind(now)
    .bind(now + LIFE_MS)
    .execute(&mut *tx)
    .await?;
    sign_in::remember(tx, member_id, &new.browser, now).await?;
    let actor = Actor {
        account: session.account.id.clone(),
        member: Some(session.member.id.clone()),
        email: session.member.email.clone(),
        address: new.address.clone(),
        request_id: new.request_id.clone(),
    };
    let row = AuditRow {
        action: "session_create",
        object_kind: "member",
        object_id: session.member.id.as_str(),
        region: None,
        workspace: None,
        detail: json!({ "by": by }),
    };
    audit::insert(tx, &actor, now, row).await?;
    Ok(Some(session))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewAccount, now_ms};
    use keygate_contract::{Email, WorkspaceName};

    #[tokio::test]
    async fn a_clock_ahead_at_one_sign_in_ends_no_other_session() {
        let dir = tempfile::tempdir().unwrap();
        let store =
            Store::open(&format!("sqlite:{}", dir.path().join("keygate.db").display())).await.unwrap();
        let new = NewAccount {
            name: "Account",
            owner: &Email::parse("owner@example.com").unwrap(),
            regions: &[],
            workspace: &WorkspaceName::parse("Default workspace").unwrap(),
        };
        let (owner, _) = store.account_create(new).await.unwrap();
        let now = now_ms();
        for (n, at) in [(1, now), (2, now + 500 * LIFE_MS)] {
            let new = NewSession {
                token_hash: [n; 32],
                browser: BrowserToken { new_hash: [n; 32], old_hash: None },
                address: "127.0.0.1".into(),
                request_id: "test".into(),
            };
            let mut tx = store.write.begin_with("BEGIN IMMEDIATE").await.unwrap();
            assert!(open(&mut tx, owner.member.as_str(), &new, "link", at).await.unwrap().is_some());
            tx.commit().await.unwrap();
        }
        assert!(store.session_find(&[1; 32], now).await.unwrap().is_some());
    }
}

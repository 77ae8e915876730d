//! Codes sent by mail. Each is bound to the browser that requested it, and several browsers may wait for a code for the
//! same address. For the numbers, see [ADR 18](../../../../docs/adr/0018-sign-in-codes-are-bound-to-the-browser.md).

use super::browsers;
use super::counts::{self, Kind, Rule};
use crate::Store;
use crate::error::StoreError;
use crate::session::{self, NewSession};
use keygate_contract::{Email, Session};
use sqlx::SqliteConnection;

const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A code works this long, in milliseconds: 10 minutes.
const CODE_MS: i64 = 10 * MINUTE_MS;
/// The minimum time between two codes for one address and browser, in milliseconds: a minute.
const CODE_STEP_MS: i64 = MINUTE_MS;
/// How often a code may be tried.
const CODE_TRIES: i64 = 5;
/// The most pending codes. A new one then evicts the oldest, from the same network if possible.
const CODES_MAX: i64 = 50_000;

/// Codes an hour for an address and a known browser.
const KNOWN_CODES_PER_HOUR: i64 = 10;
/// Codes an hour for an address and a network.
const SUBNET_CODES_PER_HOUR: i64 = 10;
/// Codes an hour for an address and an IPv6 /48.
const SITE_CODES_PER_HOUR: i64 = 20;
/// Codes for an address from all unknown browsers: this bounds a flood of mail.
const UNKNOWN_CODES_PER_HOUR: i64 = 40;
const UNKNOWN_CODES_PER_DAY: i64 = 200;

/// Wrong codes before the next one must wait a minute, then two, four, …
const FREE_FAILURES: i64 = 5;
/// Wrong codes a day in a known browser.
const KNOWN_FAILURES_PER_DAY: i64 = 20;
/// Wrong codes a day from a network, for any address.
const SUBNET_FAILURES_PER_DAY: i64 = 10;
/// Wrong codes a day from an IPv6 /48.
const SITE_FAILURES_PER_DAY: i64 = 20;
/// Wrong codes a day for an address from all unknown browsers.
const UNKNOWN_FAILURES_PER_DAY: i64 = 40;

/// The source of a sign-in request.
#[derive(Clone, Debug)]
pub struct SignInSource {
    /// An IPv4 address or an IPv6 /64.
    pub subnet: String,
    /// The IPv6 /48 that contains it.
    pub site: Option<String>,
    /// Keyed hash of the cookie from the browser's last code request.
    pub nonce_hash: Option<[u8; 32]>,
    /// Keyed hash of the cookie from the last sign-in in the browser.
    pub browser_hash: Option<[u8; 32]>,
}

/// A code to store, and the cookie it is bound to.
#[derive(Clone, Copy, Debug)]
pub struct NewCode {
    /// Keyed hash of the cookie that the browser gets.
    pub nonce_hash: [u8; 32],
    /// Keyed hash of address, cookie and code.
    pub code_hash: [u8; 32],
}

/// What to do about a request for a code. The answer is the same in all cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailCode {
    /// The address is a member's: send the code and set the cookie.
    Send,
    /// The address has no member: send nothing, and set the cookie.
    Silent,
    /// Requested too often or too soon: send nothing and keep the browser's cookie, whose code may still work.
    Unchanged,
}

/// What a code was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeCheck {
    /// It was right: the session is open.
    SignedIn(Session),
    /// It was wrong, used or expired, or another browser requested it.
    Wrong,
    /// It was tried too often; a new code can be asked for in this many seconds.
    Spent {
        /// Seconds, at least 1.
        retry_after: u64,
    },
    /// It was not checked: there were too many wrong codes. The next attempt is possible in this many seconds.
    TooMany {
        /// Seconds, at least 1.
        retry_after: u64,
    },
}

impl Store {
    /// Stores a new code for an address and a browser. It replaces the browser's previous code.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn code_create(
        &self,
        email: &Email,
        new: &NewCode,
        from: &SignInSource,
        now: i64,
    ) -> Result<EmailCode, StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let lane = Lane::of(&mut tx, email, from, now).await?;
        let rules = lane.codes(email, from);
        let waits = counts::wait(&mut tx, &rules, now).await? > 0;
        if waits || self.asked_just_now(&mut tx, email, from, now).await? {
            return Ok(EmailCode::Unchanged);
        }
        counts::count(&mut tx, &rules, now).await?;
        sqlx::query("DELETE FROM sign_in_codes WHERE expires_at <= $1 OR nonce_hash = $2")
            .bind(now)
            .bind(from.nonce_hash.as_ref().map(<[u8; 32]>::as_slice))
            .execute(&mut *tx)
            .await?;
        make_way(&mut tx, &from.subnet, CODES_MAX).await?;
        sqlx::query(
            "INSERT INTO sign_in_codes (nonce_hash, email, code_hash, network, sent_at, expires_at, tries_left) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.nonce_hash.as_slice())
        .bind(email.as_str())
        .bind(new.code_hash.as_slice())
        .bind(&from.subnet)
        .bind(now)
        .bind(now + CODE_MS)
        .bind(CODE_TRIES)
        .execute(&mut *tx)
        .await?;
        let member: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM members WHERE email = $1 AND disabled_at IS NULL")
                .bind(email.as_str())
                .fetch_optional(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(if member.is_some() { EmailCode::Send } else { EmailCode::Silent })
    }

    /// Checks a code. A right one is used up and opens a session. A wrong one uses up an attempt of the code and counts
    /// against its source. A code that this browser did not request is wrong, but uses up nothing and counts against
    /// nobody.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn session_create_by_code(
        &self,
        email: &Email,
        code_hash: &[u8; 32],
        from: &SignInSource,
        new: &NewSession,
        now: i64,
    ) -> Result<CodeCheck, StoreError> {
        let Some(nonce_hash) = &from.nonce_hash else { return Ok(CodeCheck::Wrong) };
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let row: Option<(Vec<u8>, i64, i64)> = sqlx::query_as(
            "SELECT code_hash, tries_left, sent_at FROM sign_in_codes \
             WHERE nonce_hash = $1 AND email = $2 AND expires_at > $3",
        )
        .bind(nonce_hash.as_slice())
        .bind(email.as_str())
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((expected, tries_left, sent_at)) = row else { return Ok(CodeCheck::Wrong) };
        if tries_left <= 0 {
            return Ok(CodeCheck::Spent { retry_after: seconds(sent_at + CODE_STEP_MS - now) });
        }
        let lane = Lane::of(&mut tx, email, from, now).await?;
        let rules = lane.failures(email, from);
        let wait = counts::wait(&mut tx, &rules, now).await?;
        if wait > 0 {
            return Ok(CodeCheck::TooMany { retry_after: seconds(wait) });
        }
        if expected != code_hash {
            sqlx::query("UPDATE sign_in_codes SET tries_left = tries_left - 1 WHERE nonce_hash = $1")
                .bind(nonce_hash.as_slice())
                .execute(&mut *tx)
                .await?;
            counts::count(&mut tx, &rules, now).await?;
            tx.commit().await?;
            return Ok(CodeCheck::Wrong);
        }
        sqlx::query("DELETE FROM sign_in_codes WHERE nonce_hash = $1")
            .bind(nonce_hash.as_slice())
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

    /// Whether this browser got a code for this address less than a minute ago, on whatever network.
    async fn asked_just_now(
        &self,
        tx: &mut SqliteConnection,
        email: &Email,
        from: &SignInSource,
        now: i64,
    ) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(
            "SELECT 1 FROM sign_in_codes WHERE nonce_hash = $1 AND email = $2 AND sent_at > $3 AND expires_at > $4",
        )
        .bind(from.nonce_hash.as_ref().map(<[u8; 32]>::as_slice))
        .bind(email.as_str())
        .bind(now - CODE_STEP_MS)
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
        Ok(row.is_some())
    }
}

/// Whose budgets count.
enum Lane {
    /// The member has signed in before in this browser: its own budget, which nobody else can use up.
    Known(String),
    /// The budgets of the network, and of all unknown browsers together.
    Unknown,
}

impl Lane {
    async fn of(
        tx: &mut SqliteConnection,
        email: &Email,
        from: &SignInSource,
        now: i64,
    ) -> Result<Self, StoreError> {
        Ok(match &from.browser_hash {
            Some(hash) if browsers::is_known(tx, hash, email, now).await? => {
                Self::Known(hash.iter().map(|byte| format!("{byte:02x}")).collect())
            }
            _ => Self::Unknown,
        })
    }

    /// The limits on requesting codes.
    fn codes(&self, email: &Email, from: &SignInSource) -> Vec<Rule> {
        let rule = |subject, most, window| Rule::new(Kind::Asked, subject, most, window);
        if let Self::Known(browser) = self {
            let subject = format!("code browser {browser}");
            return vec![rule(subject, KNOWN_CODES_PER_HOUR, HOUR_MS).spaced(CODE_STEP_MS)];
        }
        let here = format!("code {} {email}", from.subnet);
        let mut rules = vec![
            rule(here, SUBNET_CODES_PER_HOUR, HOUR_MS).spaced(CODE_STEP_MS),
            rule(format!("code hour {email}"), UNKNOWN_CODES_PER_HOUR, HOUR_MS),
            rule(format!("code day {email}"), UNKNOWN_CODES_PER_DAY, DAY_MS),
        ];
        let site = from.site.iter().map(|site| format!("code {site} {email}"));
        rules.extend(site.map(|site| rule(site, SITE_CODES_PER_HOUR, HOUR_MS)));
        rules
    }

    /// The limits on wrong codes.
    fn failures(&self, email: &Email, from: &SignInSource) -> Vec<Rule> {
        let rule = |subject, most| Rule::new(Kind::Wrong, subject, most, DAY_MS);
        if let Self::Known(browser) = self {
            let subject = format!("wrong browser {browser}");
            return vec![rule(subject, KNOWN_FAILURES_PER_DAY).growing(FREE_FAILURES, MINUTE_MS)];
        }
        let here = format!("wrong {}", from.subnet);
        let mut rules = vec![
            rule(here, SUBNET_FAILURES_PER_DAY).growing(FREE_FAILURES, MINUTE_MS),
            rule(format!("wrong for {email}"), UNKNOWN_FAILURES_PER_DAY),
        ];
        let site = from.site.iter().map(|site| format!("wrong {site}"));
        rules.extend(site.map(|site| rule(site, SITE_FAILURES_PER_DAY)));
        rules
    }
}

/// Evicts one code if there are `most`: the oldest from this network, or else the oldest of all.
async fn make_way(tx: &mut SqliteConnection, subnet: &str, most: i64) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM sign_in_codes WHERE (SELECT count(*) FROM sign_in_codes) >= $1 AND nonce_hash = coalesce( \
         (SELECT nonce_hash FROM sign_in_codes WHERE network = $2 ORDER BY sent_at LIMIT 1), \
         (SELECT nonce_hash FROM sign_in_codes ORDER BY expires_at LIMIT 1))",
    )
    .bind(most)
    .bind(subnet)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Whole seconds, at least 1.
fn seconds(millis: i64) -> u64 {
    u64::try_from(millis).unwrap_or(0).div_ceil(1000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_network_evicts_its_own_oldest_code_first() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", dir.path().join("k.db").display())).await.unwrap();
        let mut tx = store.write.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for (n, network) in ["owner's", "flood", "flood", "flood", "new", "newer"].into_iter().enumerate() {
            make_way(&mut tx, network, 3).await.unwrap();
            sqlx::query("INSERT INTO sign_in_codes VALUES ($1, 'a@x.io', x'00', $2, $3, $3 + 600, 5)")
                .bind(vec![u8::try_from(n).unwrap(); 32])
                .bind(network)
                .bind(i64::try_from(n).unwrap())
                .execute(&mut *tx)
                .await
                .unwrap();
            let rows: Vec<(String, i64)> =
                sqlx::query_as("SELECT network, sent_at FROM sign_in_codes ORDER BY sent_at")
                    .fetch_all(&mut *tx)
                    .await
                    .unwrap();
            let kept: Vec<i64> = rows.iter().map(|(_, at)| *at).collect();
            let expected: &[i64] = match n {
                3 => &[0, 2, 3],
                4 => &[2, 3, 4],
                5 => &[3, 4, 5],
                n => &(0..=i64::try_from(n).unwrap()).collect::<Vec<_>>(),
            };
            assert_eq!(kept, expected, "{rows:?}");
        }
    }
}

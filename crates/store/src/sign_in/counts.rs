//! Counts of actions in a window of time, and how long the next attempt must wait. They are in the store so that a
//! restart resets nobody's count.

use crate::error::StoreError;
use sqlx::SqliteConnection;

/// The most rows. A full table evicts the row with the lowest count, code requests before wrong codes. So a flood of
/// new subjects evicts its own rows and resets nobody who was counted more than once.
const ROWS_MAX: i64 = 100_000;

/// What is counted. Lighter kinds are evicted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Requested codes.
    Asked,
    /// Wrong codes that were entered.
    Wrong,
}

/// A limit on how often one subject may do something. Times are in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    kind: Kind,
    /// What is counted, and for whom.
    subject: String,
    /// The window begins with the first count.
    window: i64,
    /// The most per window.
    most: i64,
    /// How many are free before the next must wait; 0: each must wait, and the wait does not grow.
    free: i64,
    /// The wait after that. It doubles each time.
    gap: i64,
}

impl Rule {
    /// At most `most` per window.
    pub(super) fn new(kind: Kind, subject: String, most: i64, window: i64) -> Self {
        Self { kind, subject, window, most, free: most, gap: 0 }
    }

    /// The first `free` without a wait, then a wait of `gap`, which doubles each time.
    pub(super) fn growing(self, free: i64, gap: i64) -> Self {
        Self { free, gap, ..self }
    }

    /// The same wait of `gap` between any two.
    pub(super) fn spaced(self, gap: i64) -> Self {
        Self { free: 0, gap, ..self }
    }

    /// How long after the last of `count` the next is possible.
    fn gap_after(&self, count: i64) -> i64 {
        if self.free == 0 {
            return self.gap;
        }
        let doublings = u32::try_from(count - self.free).map(|n| n.min(20));
        doublings.map_or(0, |n| self.gap << n).min(self.window)
    }

    /// How long the next must wait from `now`; 0 if it need not.
    async fn wait(&self, tx: &mut SqliteConnection, now: i64) -> Result<i64, StoreError> {
        let row: Option<(i64, i64, i64)> =
            sqlx::query_as("SELECT count, last_at, ends_at FROM sign_in_counts WHERE subject = $1")
                .bind(&self.subject)
                .fetch_optional(&mut *tx)
                .await?;
        let Some((count, last_at, ends_at)) = row else { return Ok(0) };
        // A window that ends after one that begins now is from before the clock was set back.
        if ends_at <= now || ends_at > now + self.window {
            return Ok(0);
        }
        let until = if count >= self.most { ends_at } else { last_at + self.gap_after(count) };
        Ok((until - now).clamp(0, self.window))
    }

    async fn count(&self, tx: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO sign_in_counts (subject, weight, count, last_at, ends_at) VALUES ($1, $2, 1, $3, $3 + $4) \
             ON CONFLICT (subject) DO UPDATE SET last_at = $3, \
             count = CASE WHEN ends_at <= $3 OR ends_at > $3 + $4 THEN 1 ELSE count + 1 END, \
             ends_at = CASE WHEN ends_at <= $3 OR ends_at > $3 + $4 THEN $3 + $4 ELSE ends_at END",
        )
        .bind(&self.subject)
        .bind(match self.kind {
            Kind::Asked => 0,
            Kind::Wrong => 1,
        })
        .bind(now)
        .bind(self.window)
        .execute(&mut *tx)
        .await?;
        Ok(())
    }
}

/// The longest wait that any of the rules requires, in milliseconds; 0 if the next is possible now.
pub(super) async fn wait(tx: &mut SqliteConnection, rules: &[Rule], now: i64) -> Result<i64, StoreError> {
    let mut longest = 0;
    for rule in rules {
        longest = rule.wait(tx, now).await?.max(longest);
    }
    Ok(longest)
}

/// Counts one for each of the rules.
pub(super) async fn count(tx: &mut SqliteConnection, rules: &[Rule], now: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sign_in_counts WHERE ends_at <= $1").bind(now).execute(&mut *tx).await?;
    for rule in rules {
        rule.count(tx, now).await?;
    }
    bound(tx, ROWS_MAX).await
}

/// Evicts rows above the limit, the lowest counts first.
async fn bound(tx: &mut SqliteConnection, most: i64) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM sign_in_counts WHERE subject IN (SELECT subject FROM sign_in_counts \
         ORDER BY weight, count, last_at LIMIT max(0, (SELECT count(*) FROM sign_in_counts) - $1))",
    )
    .bind(most)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    const MINUTE: i64 = 60_000;
    const DAY: i64 = 24 * 60 * MINUTE;

    async fn store() -> (Store, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", dir.path().join("k.db").display())).await.unwrap();
        (store, dir)
    }

    #[tokio::test]
    async fn waits_double_and_end_with_the_window() {
        let (store, _dir) = store().await;
        let mut tx = store.write.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let rules = [Rule::new(Kind::Wrong, "a".into(), 10, DAY).growing(5, MINUTE)];
        let mut now = 1_000_000;
        let end = now + DAY;
        let mut waits = Vec::new();
        for _ in 0..10 {
            count(&mut tx, &rules, now).await.unwrap();
            let next = wait(&mut tx, &rules, now).await.unwrap();
            waits.push(next / MINUTE);
            if waits.len() < 10 {
                now += next;
            }
        }
        assert_eq!(waits[..9], [0, 0, 0, 0, 1, 2, 4, 8, 16]);
        assert_eq!(now + wait(&mut tx, &rules, now).await.unwrap(), end, "the tenth was the last of the day");
        assert_eq!(wait(&mut tx, &rules, end).await.unwrap(), 0);
        count(&mut tx, &rules, end).await.unwrap();
        assert_eq!(wait(&mut tx, &rules, end).await.unwrap(), 0, "the next window starts at one");
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_locks_nobody_out() {
        let (store, _dir) = store().await;
        let mut tx = store.write.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let rules = [Rule::new(Kind::Wrong, "a".into(), 1, DAY)];
        count(&mut tx, &rules, 500 * DAY).await.unwrap();
        assert_eq!(wait(&mut tx, &rules, 500 * DAY).await.unwrap(), DAY);
        assert_eq!(wait(&mut tx, &rules, 400 * DAY).await.unwrap(), 0);
        count(&mut tx, &rules, 400 * DAY).await.unwrap();
        assert_eq!(wait(&mut tx, &rules, 400 * DAY).await.unwrap(), DAY);
    }

    #[tokio::test]
    async fn a_flood_of_subjects_resets_nobodys_count() {
        let (store, _dir) = store().await;
        let mut tx = store.write.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let rule = |kind, subject: &str| [Rule::new(kind, subject.into(), 3, DAY)];
        for n in 0..3 {
            count(&mut tx, &rule(Kind::Asked, "asked often"), n).await.unwrap();
        }
        count(&mut tx, &rule(Kind::Wrong, "guessed once"), 3).await.unwrap();
        for n in 0..50 {
            count(&mut tx, &rule(Kind::Asked, &format!("flood {n}")), 4 + n).await.unwrap();
            bound(&mut tx, 10).await.unwrap();
        }
        let rows: Vec<(String,)> = sqlx::query_as("SELECT subject FROM sign_in_counts ORDER BY last_at")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
        let names: Vec<&str> = rows.iter().map(|(subject,)| subject.as_str()).collect();
        assert_eq!(names.len(), 10, "one row makes way at a time");
        assert_eq!(names[..2], ["asked often", "guessed once"]);
        assert_eq!(names[2..], (42..50).map(|n| format!("flood {n}")).collect::<Vec<_>>());
    }
}

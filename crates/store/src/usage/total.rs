//! How many calls a filter finds: from the sums, and from the log where they do not reach.

use super::block;
use super::calls::{Sought, minutes_in_log};
use super::rows::{self, Span};
use crate::error::StoreError;
use keygate_contract::{UsageGroup, UsageStep};
use sqlx::SqliteConnection;

/// The calls of the log that are sought.
pub(super) async fn of(
    connection: &mut SqliteConnection,
    sought: &Sought,
    folded: i64,
) -> Result<i64, StoreError> {
    let Some((oldest, newest)) = minutes_in_log(connection, sought.workspace).await? else { return Ok(0) };
    let around = Span::around(UsageStep::Minute, sought.from, sought.to);
    let around = Span { from: around.from.max(oldest), to: around.to.min(newest + 1), ..around };
    // Minutes that the range cuts are counted call by call.
    let from = around.from + i64::from(sought.from > around.from * 60_000);
    let to = around.to - i64::from(sought.to < around.to.saturating_mul(60_000));
    let whole = Span { from, to: to.max(from), ..around };
    let mut total = 0u64;
    for span in whole.cover() {
        for (_, row) in
            rows::of_span(connection, sought.workspace, sought.wanted.kind(UsageGroup::None), span).await?
        {
            total = total.saturating_add(sought.count(&row)?);
        }
    }
    total = total.saturating_add(in_blocks(connection, sought, whole, folded).await?);
    for cut in [Span { to: from.min(around.to), ..around }, Span { from: to.max(from), ..around }] {
        total = total.saturating_add(in_blocks(connection, sought, cut, 0).await?);
    }
    Ok(i64::try_from(total).unwrap_or(i64::MAX))
}

/// Counts the calls sought in blocks of these minutes that were written after `after`.
async fn in_blocks(
    connection: &mut SqliteConnection,
    sought: &Sought,
    span: Span,
    after: i64,
) -> Result<u64, StoreError> {
    if span.from >= span.to {
        return Ok(0);
    }
    // The `+` picks the index: new blocks are found by their number, those of a minute by the minute.
    let sql = if after > 0 {
        "SELECT minute, calls FROM call_blocks WHERE seq > $1 AND +workspace = $2 AND +minute >= $3 AND +minute < $4"
    } else {
        "SELECT minute, calls FROM call_blocks WHERE +seq > $1 AND workspace = $2 AND minute >= $3 AND minute < $4"
    };
    let blocks: Vec<(i64, Vec<u8>)> = sqlx::query_as(sql)
        .bind(after)
        .bind(sought.workspace)
        .bind(span.from)
        .bind(span.to)
        .fetch_all(connection)
        .await?;
    let mut count = 0;
    for (minute, block) in blocks {
        let calls = block::read(minute, &block)?;
        count += calls
            .iter()
            .filter(|call| sought.has(call))
            .map(|call| u64::from(call.record.count))
            .sum::<u64>();
    }
    Ok(count)
}

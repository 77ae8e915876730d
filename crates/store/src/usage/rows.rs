//! Reading rows of sums.

use super::cell::{self, Kind};
use super::query::Asked;
use crate::error::StoreError;
use keygate_contract::{UsageGroup, UsageStep};
use sqlx::SqliteConnection;
use std::collections::HashMap;

/// A span of time in steps of one length: from the first to before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) step: UsageStep,
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Span {
    /// The steps that hold every moment between two Unix times in milliseconds.
    pub(super) fn around(step: UsageStep, from: i64, to: i64) -> Self {
        let within = |steps: i64| steps.clamp(0, u32::MAX.into());
        let to = to.div_euclid(step.millis()) + i64::from(to.rem_euclid(step.millis()) > 0);
        Self { step, from: within(from.div_euclid(step.millis())), to: within(to) }
    }

    /// The same time in as few steps as can be: the longest in the middle, shorter ones at the ends.
    pub(super) fn cover(self) -> Vec<Self> {
        let coarse = match self.step {
            UsageStep::Minute => UsageStep::Hour,
            UsageStep::Hour => UsageStep::Day,
            UsageStep::Day => return vec![self],
        };
        let times = coarse.millis() / self.step.millis();
        let first = self.from.div_euclid(times) + i64::from(self.from.rem_euclid(times) > 0);
        let end = self.to.div_euclid(times);
        if first >= end {
            return vec![self];
        }
        let mut spans = Self { step: coarse, from: first, to: end }.cover();
        spans.push(Self { to: first * times, ..self });
        spans.push(Self { from: end * times, ..self });
        spans.retain(|span| span.from < span.to);
        spans
    }
}

/// The rows of a span, the latest last: when each begins, in steps, and its cells.
pub(super) async fn of_span(
    connection: &mut SqliteConnection,
    workspace: u32,
    kind: Kind,
    span: Span,
) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    if span.from >= span.to {
        return Ok(Vec::new());
    }
    let mut rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT slot, cells FROM usage_rollups WHERE slot BETWEEN $1 AND $2 ORDER BY slot")
            .bind(cell::slot(span.step, workspace, kind, span.from))
            .bind(cell::slot(span.step, workspace, kind, span.to - 1))
            .fetch_all(connection)
            .await?;
    for (slot, _) in &mut rows {
        *slot = cell::slot_time(*slot);
    }
    Ok(rows)
}

/// The rows of these slots that are there.
pub(super) async fn of_slots(
    connection: &mut SqliteConnection,
    slots: &[i64],
) -> Result<HashMap<i64, Vec<u8>>, StoreError> {
    let list = serde_json::to_string(slots).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT slot, cells FROM usage_rollups WHERE slot IN (SELECT value FROM json_each($1))",
    )
    .bind(list)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().collect())
}

/// When the first row of a span begins; `None`: it has none.
pub(super) async fn first_within(
    connection: &mut SqliteConnection,
    asked: &Asked,
    group: UsageGroup,
    span: Span,
) -> Result<Option<i64>, StoreError> {
    let kind = asked.wanted.kind(group);
    let mut first: Option<i64> = None;
    for workspace in &asked.workspaces {
        let (slot,): (Option<i64>,) =
            sqlx::query_as("SELECT min(slot) FROM usage_rollups WHERE slot BETWEEN $1 AND $2")
                .bind(cell::slot(span.step, *workspace, kind, span.from))
                .bind(cell::slot(span.step, *workspace, kind, span.to - 1))
                .fetch_one(&mut *connection)
                .await?;
        let time = slot.map(cell::slot_time);
        first = first.into_iter().chain(time).min();
    }
    Ok(first)
}

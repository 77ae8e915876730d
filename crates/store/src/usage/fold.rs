//! Folding the log into sums.

use super::block;
use super::cell::{self, Cell, Cells, Kind};
use super::figures::Figures;
use super::size::row_bytes;
use super::writer::{ROWS_MOST, UsageWriter};
use super::{State, rows};
use crate::error::StoreError;
use keygate_contract::UsageStep;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::BTreeMap;

/// About the most calls that are folded in one transaction.
const CALLS_MOST: usize = 100_000;
/// Blocks that are read at once.
const BLOCKS_MOST: i64 = 256;

/// Sums to be added: by workspace and step, for each key and model.
type Sums = BTreeMap<(u32, i64), Cells>;

/// The first time of each step that is written, in steps; what is before stays as it is.
#[derive(Clone, Copy, Default)]
struct Floor(i64);

impl Floor {
    /// In steps of this length, rounded up: a step that began before the log cannot be known from it.
    fn of(self, step: UsageStep) -> i64 {
        let minutes = step.millis() / UsageStep::Minute.millis();
        self.0.div_euclid(minutes) + i64::from(self.0.rem_euclid(minutes) > 0)
    }
}

impl UsageWriter {
    /// Adds what is new in the log to the sums.
    ///
    /// # Errors
    /// [`StoreError::Database`]; then it goes on where it was when it is called again.
    pub async fn fold(&mut self) -> Result<(), StoreError> {
        self.write.watch(self.fold_all()).await
    }

    async fn fold_all(&self) -> Result<(), StoreError> {
        loop {
            let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
            let folded = State::read(&mut tx).await?.folded;
            let (last, bytes) = fold_after(&mut tx, folded, i64::MAX, Floor::default()).await?;
            if last == folded {
                return Ok(());
            }
            set_folded(&mut tx, last, bytes).await?;
            tx.commit().await?;
        }
    }

    /// Makes the sums anew from the log, as far back as the log goes. In one transaction: calls are not appended until it
    /// is done.
    ///
    /// # Errors
    /// [`StoreError::Database`]; then nothing has changed.
    pub async fn rebuild(&mut self) -> Result<(), StoreError> {
        let mut tx = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let state = State::read(&mut tx).await?;
        let floor = Floor(state.log_from);
        let workspaces: Vec<(u32,)> =
            sqlx::query_as("SELECT id FROM usage_workspaces").fetch_all(&mut *tx).await?;
        for (workspace,) in workspaces {
            for step in UsageStep::ALL {
                for kind in Kind::ALL {
                    sqlx::query("DELETE FROM usage_rollups WHERE slot BETWEEN $1 AND $2")
                        .bind(cell::slot(step, workspace, kind, floor.of(step)))
                        .bind(cell::slot(step, workspace, kind, i64::MAX))
                        .execute(&mut *tx)
                        .await?;
                }
            }
        }
        let mut done = 0;
        loop {
            let (last, _) = fold_after(&mut tx, done, state.folded, floor).await?;
            if last == done {
                break;
            }
            done = last;
        }
        tx.commit().await?;
        Ok(())
    }
}

async fn set_folded(connection: &mut SqliteConnection, folded: i64, bytes: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE usage_state SET folded = $1, log_bytes = log_bytes + $2 WHERE id = 1")
        .bind(folded)
        .bind(bytes)
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds blocks after `after`, up to `until`, to the sums. Returns the last block added, and the bytes that the added
/// blocks take in the log. If there are many, adds only some of them.
async fn fold_after(
    connection: &mut SqliteConnection,
    after: i64,
    until: i64,
    floor: Floor,
) -> Result<(i64, i64), StoreError> {
    let mut minutes = Sums::new();
    let (mut last, mut calls, mut bytes) = (after, 0, 0);
    while calls < CALLS_MOST {
        let blocks: Vec<(i64, u32, i64, Vec<u8>)> = sqlx::query_as(
            "SELECT seq, workspace, minute, calls FROM call_blocks WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
        )
        .bind(last)
        .bind(until)
        .bind(BLOCKS_MOST)
        .fetch_all(&mut *connection)
        .await?;
        if blocks.is_empty() {
            break;
        }
        for (seq, workspace, minute, block) in blocks {
            last = seq;
            bytes += row_bytes(block.len());
            if minute < floor.of(UsageStep::Minute) {
                continue;
            }
            let read = match block::read(minute, &block) {
                Ok(read) => read,
                Err(error) => {
                    // Nothing will ever make it whole, and all that comes after it can be added up.
                    tracing::error!(%error, seq, "a damaged block of the log is passed over");
                    continue;
                }
            };
            let cells = minutes.entry((workspace, minute)).or_default();
            for call in read {
                calls += 1;
                cells.entry((call.api_key, call.model)).or_default().record(&call.record);
            }
        }
    }
    let hours = coarser(&minutes, 60);
    let days = coarser(&hours, 24);
    for (step, sums) in [(UsageStep::Minute, minutes), (UsageStep::Hour, hours), (UsageStep::Day, days)] {
        add(connection, step, sums, floor).await?;
    }
    Ok((last, bytes))
}

/// The same sums in steps that are so many times longer.
fn coarser(sums: &Sums, times: i64) -> Sums {
    let mut coarse = Sums::new();
    for ((workspace, time), cells) in sums {
        let into = coarse.entry((*workspace, time.div_euclid(times))).or_default();
        for (cell, figures) in cells {
            into.entry(*cell).or_default().add(figures);
        }
    }
    coarse
}

/// Adds sums to those that are stored.
async fn add(
    connection: &mut SqliteConnection,
    step: UsageStep,
    sums: Sums,
    floor: Floor,
) -> Result<(), StoreError> {
    let mut changed: BTreeMap<i64, Cells> = BTreeMap::new();
    for ((workspace, time), cells) in sums {
        if time < floor.of(step) {
            continue;
        }
        for kind in [Kind::Workspace, Kind::Model, Kind::ApiKey] {
            let row = changed.entry(cell::slot(step, workspace, kind, time)).or_default();
            for (cell, figures) in &cells {
                merge(row, kind.cell(*cell), figures);
            }
        }
        // The sums are of these already.
        changed.insert(cell::slot(step, workspace, Kind::ApiKeyAndModel, time), cells);
    }
    let slots: Vec<i64> = changed.keys().copied().collect();
    for slots in slots.chunks(ROWS_MOST) {
        let mut written = Vec::with_capacity(slots.len());
        let stored = rows::of_slots(connection, slots).await?;
        for slot in slots {
            let cells = changed.remove(slot).unwrap_or_default();
            let stored = stored.get(slot).map_or(&[][..], Vec::as_slice);
            written.push((*slot, cell::merge(stored, &cells)?));
        }
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT OR REPLACE INTO usage_rollups (slot, cells) ");
        insert.push_values(&written, |mut row, (slot, cells)| {
            row.push_bind(*slot).push_bind(cells.as_slice());
        });
        insert.build().persistent(slots.len() == ROWS_MOST).execute(&mut *connection).await?;
    }
    Ok(())
}

fn merge(cells: &mut Cells, cell: Cell, figures: &Figures) {
    cells.entry(cell).or_default().add(figures);
}

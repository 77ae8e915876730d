//! Rows of sums. A row holds a step of a workspace, and in it a cell for each model, key, or key and model that was
//! called. So a query reads one row a step however many cells there are, and passes over those it does not want.

use super::figures::{ClassCounts, Figures};
use crate::error::StoreError;
use keygate_contract::UsageStep;
use std::collections::BTreeMap;

/// What a row tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Workspace,
    Model,
    ApiKey,
    ApiKeyAndModel,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Workspace, Self::Model, Self::ApiKey, Self::ApiKeyAndModel];

    /// The coarsest that still tells apart what is asked for.
    pub(super) fn telling(api_key: bool, model: bool) -> Self {
        match (api_key, model) {
            (false, false) => Self::Workspace,
            (false, true) => Self::Model,
            (true, false) => Self::ApiKey,
            (true, true) => Self::ApiKeyAndModel,
        }
    }

    /// The cell that a call with this key and model belongs to. What is not told apart is 0.
    pub(super) fn cell(self, (api_key, model): Cell) -> Cell {
        match self {
            Self::Workspace => (0, 0),
            Self::Model => (0, model),
            Self::ApiKey => (api_key, 0),
            Self::ApiKeyAndModel => (api_key, model),
        }
    }
}

/// A key and a model, by the numbers of their names.
pub(super) type Cell = (u32, u32);
/// The cells of a row.
pub(super) type Cells = BTreeMap<Cell, Figures>;

/// The number of a row. Numbers of a step, workspace and kind follow each other in the order of time.
pub(super) fn slot(step: UsageStep, workspace: u32, kind: Kind, time: i64) -> i64 {
    let step = match step {
        UsageStep::Minute => 0,
        UsageStep::Hour => 1,
        UsageStep::Day => 2,
    };
    let kind = match kind {
        Kind::Workspace => 0,
        Kind::Model => 1,
        Kind::ApiKey => 2,
        Kind::ApiKeyAndModel => 3,
    };
    (step << 60) | (i64::from(workspace & 0x3ff_ffff) << 34) | (kind << 32) | time.clamp(0, u32::MAX.into())
}

/// When the row's step begins, in steps since 1970.
pub(super) fn slot_time(slot: i64) -> i64 {
    slot & i64::from(u32::MAX)
}

/// A row as it is written, with more cells added to it, both in order. Cells to which nothing is added, most of a large row, stay as they
/// were written.
pub(super) fn merge(stored: &[u8], cells: &Cells) -> Result<Vec<u8>, StoreError> {
    let (mut row, mut body) = (Vec::with_capacity(stored.len()), Vec::new());
    let mut push = |row: Vec<u8>, cell: Cell, figures: &Figures| {
        body.clear();
        body = postcard::to_extend(figures, std::mem::take(&mut body)).map_err(unwritable)?;
        put(row, cell, &body)
    };
    let mut new = cells.iter().peekable();
    for old in read(stored) {
        let old = old?;
        while let Some((cell, figures)) = new.next_if(|(cell, _)| **cell < old.cell) {
            row = push(row, *cell, figures)?;
        }
        row = match new.next_if(|(cell, _)| **cell == old.cell) {
            Some((cell, figures)) => {
                let mut sum = old.figures()?;
                sum.add(figures);
                push(row, *cell, &sum)?
            }
            None => put(row, old.cell, old.body)?,
        };
    }
    for (cell, figures) in new {
        row = push(row, *cell, figures)?;
    }
    Ok(row)
}

fn put(row: Vec<u8>, (api_key, model): Cell, body: &[u8]) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(&(api_key, model, body), row).map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn unwritable(error: postcard::Error) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// A cell as it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenCell<'a> {
    pub(super) cell: Cell,
    body: &'a [u8],
}

impl WrittenCell<'_> {
    /// Its sums.
    pub(super) fn figures(&self) -> Result<Figures, StoreError> {
        postcard::from_bytes(self.body).map_err(|_| corrupt())
    }

    /// Its calls by class, without reading the rest.
    pub(super) fn calls(&self) -> Result<ClassCounts, StoreError> {
        postcard::take_from_bytes(self.body).map(|(calls, _)| calls).map_err(|_| corrupt())
    }
}

/// The cells of a row, one after the other.
pub(super) fn read(mut row: &[u8]) -> impl Iterator<Item = Result<WrittenCell<'_>, StoreError>> {
    std::iter::from_fn(move || {
        if row.is_empty() {
            return None;
        }
        let Ok(((api_key, model, body), rest)) = postcard::take_from_bytes::<(u32, u32, &[u8])>(row) else {
            row = &[];
            return Some(Err(corrupt()));
        };
        row = rest;
        Some(Ok(WrittenCell { cell: (api_key, model), body }))
    })
}

fn corrupt() -> StoreError {
    StoreError::Corrupt("sums of usage".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_to_which_nothing_is_added_are_not_even_read() {
        let cells = |of: &[Cell]| of.iter().map(|cell| (*cell, Figures::default())).collect::<Cells>();
        let row = merge(&[], &cells(&[(1, 1), (3, 1)])).unwrap();
        // Sums that cannot be read, between others.
        let row = put(put(row, (3, 2), b"\xff").unwrap(), (7, 0), b"\xff").unwrap();
        let merged = merge(&row, &cells(&[(0, 9), (3, 1), (3, 3), (8, 0)])).unwrap();
        let found: Vec<Cell> = read(&merged).map(|cell| cell.unwrap().cell).collect();
        assert_eq!(found, [(0, 9), (1, 1), (3, 1), (3, 2), (3, 3), (7, 0), (8, 0)]);
        assert!(merge(&row, &cells(&[(7, 0)])).is_err());
    }
}

//! Sums for a file: as long a range as there is, a little at a time.

use super::UsageStore;
use super::query::{Asked, UsageQuery};
use super::rows::Span;
use crate::error::StoreError;
use keygate_contract::{UsageGroup, UsageItem};
use std::sync::Arc;

/// The steps of a first chunk.
const FIRST_STEPS: i64 = 8;
/// Chunks are made longer while they have fewer items than this, and shorter when they have more.
const ITEMS_AIM: usize = 2_000;
/// The most steps of a chunk.
const STEPS_MOST: i64 = 4_096;

/// Reads the items of a query chunk by chunk. Between two chunks nothing is held open.
#[derive(Clone, Debug)]
pub struct UsageExport {
    store: UsageStore,
    asked: Option<Arc<Asked>>,
    group: UsageGroup,
    left: Span,
    steps: i64,
}

impl UsageStore {
    /// The items of a query, however long its range is. Its totals are not told.
    pub fn export(&self, query: &UsageQuery) -> UsageExport {
        UsageExport {
            store: self.clone(),
            asked: self.asked(query).map(Arc::new),
            group: query.group_by,
            left: Span::around(query.step, query.from, query.to),
            steps: FIRST_STEPS,
        }
    }
}

impl UsageExport {
    /// The next items, in the order of time; `None` at the end.
    ///
    /// # Errors
    /// [`StoreError::Database`]; called again, it tries the same chunk.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<UsageItem>>, StoreError> {
        let mut next = self.clone();
        let read = move || async move {
            let items = next.read().await?;
            Ok((next, items))
        };
        let (next, items) = self.store.aside.run(read).await?;
        *self = next;
        Ok(items)
    }

    async fn read(&mut self) -> Result<Option<Vec<UsageItem>>, StoreError> {
        let Some(asked) = &self.asked else { return Ok(None) };
        let mut tx = self.store.read.begin().await?;
        while self.left.from < self.left.to {
            // A range may begin long before the first call.
            let Some(first) = super::rows::first_within(&mut tx, asked, self.group, self.left).await? else {
                self.left.from = self.left.to;
                break;
            };
            let chunk = Span { from: first, to: self.left.to.min(first + self.steps), ..self.left };
            let items = self.store.items(&mut tx, asked, self.group, chunk, usize::MAX).await?;
            self.left.from = chunk.to;
            self.steps = match items.len() {
                few if few < ITEMS_AIM / 2 => (self.steps * 2).min(STEPS_MOST),
                many if many > ITEMS_AIM => (self.steps / 2).max(1),
                _ => self.steps,
            };
            if !items.is_empty() {
                return Ok(Some(items));
            }
        }
        Ok(None)
    }
}

//! One call by its request id, and the models that were called.

use super::calls::told;
use super::cell::{self, Kind};
use super::rows::{self, Span};
use super::{State, UsageStore, block};
use crate::error::StoreError;
use keygate_contract::{Call, ModelId, UsageStep, WorkspaceId};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The most minutes that a call takes.
const CALL_MINUTES: i64 = 24 * 60;

impl UsageStore {
    /// A call of a workspace; `None`: it is not in the log, or of another workspace.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn call(&self, workspace: &WorkspaceId, request_id: &str) -> Result<Option<Call>, StoreError> {
        let Some(id) = request_id_bytes(request_id) else { return Ok(None) };
        let Some(workspace) = self.names.read().workspace_number(workspace) else { return Ok(None) };
        // A UUID of version 7 begins with when it was made; a minute to spare for a clock that was set back.
        let began = id[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte));
        let first = block::minute_of(began) - 1;
        let mut tx = self.read.begin().await?;
        let first = first.max(State::read(&mut tx).await?.log_from);
        // SQLite looks for the bytes of the id, so that only the block that has them is read.
        let found: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT minute, calls FROM call_blocks WHERE workspace = $1 AND minute >= $2 AND minute < $3 \
             AND instr(calls, $4) ORDER BY minute, seq LIMIT 1",
        )
        .bind(workspace)
        .bind(first)
        .bind(first + CALL_MINUTES)
        .bind(id.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
        let Some((minute, block)) = found else { return Ok(None) };
        let call = block::read(minute, &block)?.into_iter().find(|call| call.record.request_id == id);
        Ok(call.map(|call| told(call, &self.names.read())))
    }

    /// The models that a workspace has called within so many days, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn models_called(
        &self,
        workspace: &WorkspaceId,
        days: u32,
    ) -> Result<Vec<ModelId>, StoreError> {
        let Some(workspace) = self.names.read().workspace_number(workspace) else { return Ok(Vec::new()) };
        let today = crate::time::now_ms().div_euclid(UsageStep::Day.millis());
        let days = Span { step: UsageStep::Day, from: today - i64::from(days), to: today + 2 };
        let mut connection = self.read.acquire().await?;
        let mut models = BTreeSet::new();
        for (_, row) in rows::of_span(&mut connection, workspace, Kind::Model, days).await? {
            for cell in cell::read(&row) {
                models.insert(cell?.cell.1);
            }
        }
        let known = self.names.read();
        let mut models: Vec<ModelId> =
            models.into_iter().filter(|model| *model != 0).map(|model| known.name(model).into()).collect();
        models.sort_unstable();
        Ok(models)
    }
}

/// A request id as the caller was told it.
pub(super) fn request_id_text(id: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in id.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("a string takes all text");
    }
    text
}

/// The bytes of a request id; `None`: it is none.
fn request_id_bytes(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?;
    let id = number.to_be_bytes();
    (request_id_text(id) == text.to_ascii_lowercase()).then_some(id)
}

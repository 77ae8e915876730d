//! The list of calls, the newest first.

use super::block;
use super::figures::{amount, class_index, currency};
use super::names::Known;
use super::query::Wanted;
use super::record::{CallCost, LoggedCall};
use super::rows::{self, Span};
use super::{State, UsageStore, cell};
use crate::error::StoreError;
use crate::page::PageRequest;
use crate::time::timestamp;
use keygate_contract::{ApiKeyId, Call, CallClass, Cost, ModelId, Page, UsageGroup, UsageStep, WorkspaceId};
use sqlx::SqliteConnection;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Blocks that are read at once.
const BLOCKS_MOST: i64 = 64;
/// Hours whose sums are looked through at once for those with a wanted call.
const HOURS_MOST: i64 = 240;

/// Which calls of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CallFilter {
    /// Only calls that ended at this Unix time in milliseconds, or later.
    pub from: Option<i64>,
    /// Only calls that ended before this one. Leave it out where a list goes to the present: pages are of the same
    /// filter only.
    pub to: Option<i64>,
    /// Only calls that ended so.
    pub class: Option<CallClass>,
    /// Only calls of this model; the empty one: only those without.
    pub model: Option<ModelId>,
    /// Only calls with this key.
    pub api_key: Option<ApiKeyId>,
}

/// Where a call stands in the log: its minute, block and place in that.
pub(super) type Position = (i64, i64, usize);

/// A filter by its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sought {
    pub(super) workspace: u32,
    pub(super) wanted: Wanted,
    pub(super) class: Option<CallClass>,
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Sought {
    pub(super) fn has(&self, call: &LoggedCall) -> bool {
        (self.from..self.to).contains(&call.record.ended_at)
            && self.wanted.has((call.api_key, call.model))
            && self.class.is_none_or(|class| class == call.record.class)
    }

    /// Whether every call of a minute is sought.
    fn all(&self) -> bool {
        self.wanted.api_key.is_none() && self.wanted.model.is_none() && self.class.is_none()
    }

    /// How many calls of a row of sums are sought, its whole span lying within the range.
    pub(super) fn count(&self, row: &[u8]) -> Result<u64, StoreError> {
        let mut count = 0u64;
        for cell in cell::read(row) {
            let cell = cell?;
            if self.wanted.has(cell.cell) {
                let calls = cell.calls()?;
                count = count.saturating_add(match self.class {
                    Some(class) => calls[class_index(class)],
                    None => calls.iter().fold(0, |a, b| a.saturating_add(*b)),
                });
            }
        }
        Ok(count)
    }
}

impl UsageStore {
    /// A page of the calls of a workspace, the newest first. Calls that end in between move nothing.
    ///
    /// # Errors
    /// [`StoreError::PageToken`] when the token is not of this list; [`StoreError::Database`].
    pub async fn calls(
        &self,
        workspace: &WorkspaceId,
        filter: &CallFilter,
        page: &PageRequest,
    ) -> Result<Page<Call>, StoreError> {
        let (store, workspace, filter) = (self.clone(), workspace.clone(), filter.clone());
        let page = page.clone();
        self.aside.run(move || async move { store.list(&workspace, &filter, &page).await }).await
    }

    async fn list(
        &self,
        workspace: &WorkspaceId,
        filter: &CallFilter,
        page: &PageRequest,
    ) -> Result<Page<Call>, StoreError> {
        let mut tx = self.read.begin().await?;
        let state = State::read(&mut tx).await?;
        let check = |position: &Position| {
            let mut hasher = DefaultHasher::new();
            (&state.page_key, workspace, filter, position).hash(&mut hasher);
            hasher.finish()
        };
        let before = match page.position::<(Position, u64)>()? {
            Some((position, told)) if told != check(&position) => return Err(StoreError::PageToken),
            position => position.map(|(position, _)| position),
        };
        let Some(sought) = self.sought(workspace, filter, &state) else {
            return Ok(page.page(Vec::new(), 0, |_: &Call| (), |call| call));
        };
        let total = super::total::of(&mut tx, &sought, state.folded).await?;
        let most = usize::try_from(page.rows()).unwrap_or(usize::MAX);
        let found = if sought.all() {
            let mut found = Vec::new();
            let minutes = Span::around(UsageStep::Minute, sought.from, sought.to);
            scan(&mut tx, &sought, (minutes.from, minutes.to), before, most, &mut found).await?;
            found
        } else {
            search(&mut tx, &sought, state.folded, before, most).await?
        };
        let known = self.names.read();
        let position = |(at, _): &(Position, LoggedCall)| (*at, check(at));
        Ok(page.page(found, total, position, |(_, call)| told(call, &known)))
    }

    /// The filter by numbers, within what is in the log; `None`: nothing can be found.
    pub(super) fn sought(
        &self,
        workspace: &WorkspaceId,
        filter: &CallFilter,
        state: &State,
    ) -> Option<Sought> {
        let known = self.names.read();
        Some(Sought {
            workspace: known.workspace_number(workspace)?,
            wanted: Wanted::find(&known, filter.api_key.as_ref(), filter.model.as_ref())?,
            class: filter.class,
            from: filter.from.unwrap_or(0).max(state.log_from.saturating_mul(60_000)),
            to: filter.to.unwrap_or(i64::MAX),
        })
    }
}

/// Looks for calls that are few: first which hours have any, then which minutes, then there.
async fn search(
    connection: &mut SqliteConnection,
    sought: &Sought,
    folded: i64,
    before: Option<Position>,
    most: usize,
) -> Result<Vec<(Position, LoggedCall)>, StoreError> {
    let mut found = Vec::new();
    let kind = sought.wanted.kind(UsageGroup::None);
    let range = Span::around(UsageStep::Minute, sought.from, sought.to);
    let end = before.map_or(range.to, |(minute, ..)| range.to.min(minute + 1));
    let Some((oldest, newest)) = minutes_in_log(connection, sought.workspace).await? else {
        return Ok(found);
    };
    let (first, mut end) = (range.from.max(oldest), end.min(newest + 1));
    // What is not in the sums yet may be anywhere.
    let new: Vec<(i64,)> = sqlx::query_as(
        "SELECT DISTINCT minute FROM call_blocks WHERE seq > $1 AND workspace = $2 AND minute >= $3 AND minute < $4",
    )
    .bind(folded)
    .bind(sought.workspace)
    .bind(first)
    .bind(end)
    .fetch_all(&mut *connection)
    .await?;
    while first < end && found.len() < most {
        let begin = first.max((end - 1).div_euclid(60) * 60 - (HOURS_MOST - 1) * 60);
        let hours = Span { step: UsageStep::Hour, from: begin.div_euclid(60), to: (end + 59).div_euclid(60) };
        let mut candidates = BTreeSet::new();
        for (hour, row) in rows::of_span(connection, sought.workspace, kind, hours).await? {
            if sought.count(&row)? > 0 {
                candidates.insert(hour);
            }
        }
        let new = || new.iter().map(|(minute,)| *minute).filter(|minute| (begin..end).contains(minute));
        candidates.extend(new().map(|minute| minute.div_euclid(60)));
        for hour in candidates.into_iter().rev() {
            let span =
                Span { step: UsageStep::Minute, from: begin.max(hour * 60), to: end.min(hour * 60 + 60) };
            let mut minutes: BTreeSet<i64> =
                new().filter(|minute| (span.from..span.to).contains(minute)).collect();
            for (minute, row) in rows::of_span(connection, sought.workspace, kind, span).await? {
                if sought.count(&row)? > 0 {
                    minutes.insert(minute);
                }
            }
            for minute in minutes.into_iter().rev() {
                scan(connection, sought, (minute, minute + 1), before, most, &mut found).await?;
                if found.len() >= most {
                    return Ok(found);
                }
            }
        }
        end = begin;
    }
    Ok(found)
}

/// The first and the last minute of a workspace's log; `None`: it is empty.
pub(super) async fn minutes_in_log(
    connection: &mut SqliteConnection,
    workspace: u32,
) -> Result<Option<(i64, i64)>, StoreError> {
    // Each is a look at one end of the index; both in one aggregate would read all of it.
    let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT min(minute) FROM call_blocks WHERE workspace = $1), \
         (SELECT max(minute) FROM call_blocks WHERE workspace = $1)",
    )
    .bind(workspace)
    .fetch_one(connection)
    .await?;
    Ok(first.zip(last))
}

/// Adds the calls sought in the minutes from the first to before the second, the newest first, until there are `most`.
async fn scan(
    connection: &mut SqliteConnection,
    sought: &Sought,
    (first, end): (i64, i64),
    before: Option<Position>,
    most: usize,
    found: &mut Vec<(Position, LoggedCall)>,
) -> Result<(), StoreError> {
    // From here on, this block too.
    let mut from =
        before.map_or((i64::MAX, i64::MAX), |(minute, seq, _)| (minute, seq)).min((end - 1, i64::MAX));
    loop {
        let blocks: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
            "SELECT minute, seq, calls FROM call_blocks WHERE workspace = $1 AND minute >= $2 \
             AND (minute, seq) <= ($3, $4) ORDER BY minute DESC, seq DESC LIMIT $5",
        )
        .bind(sought.workspace)
        .bind(first)
        .bind(from.0)
        .bind(from.1)
        .bind(BLOCKS_MOST)
        .fetch_all(&mut *connection)
        .await?;
        let Some((minute, seq, _)) = blocks.last() else { return Ok(()) };
        from = (*minute, *seq - 1);
        for (minute, seq, block) in blocks {
            for (index, call) in block::read(minute, &block)?.into_iter().enumerate().rev() {
                let at = (minute, seq, index);
                if before.is_none_or(|before| at < before) && sought.has(&call) {
                    found.push((at, call));
                    if found.len() >= most {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// A call as it stands on the wire.
pub(super) fn told(call: LoggedCall, known: &Known) -> Call {
    let record = call.record;
    #[expect(clippy::cast_precision_loss, reason = "durations are far below 53 bits")]
    let ms = |us: u64| us as f64 / 1000.0;
    Call {
        request_id: super::lookup::request_id_text(record.request_id),
        time: timestamp(record.ended_at),
        api_key: known.name(call.api_key).into(),
        member: known.name(call.member).into(),
        model: (call.model != 0).then(|| known.name(call.model).into()),
        door: record.door,
        status: record.status,
        class: record.class,
        error_code: record.error_code.map(std::borrow::Cow::into_owned),
        throttled_by: record.throttled_by,
        stream: record.stream,
        input_tokens: record.input_tokens,
        output_tokens: record.output_tokens,
        cached_tokens: record.cached_tokens,
        estimated: record.estimated,
        latency_ms: ms(record.latency_us),
        forwarded_ms: record.forwarded_us.map(ms),
        first_token_ms: record.first_token_us.map(ms),
        address: record.address.to_string(),
        cost: match record.cost {
            CallCost::Priced { currency: code, pico } => {
                Some(Cost { currency: currency(code), amount: amount(pico.into()) })
            }
            CallCost::None | CallCost::Unpriced => None,
        },
        count: record.count,
    }
}

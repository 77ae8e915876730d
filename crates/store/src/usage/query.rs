//! Sums for charts and tables.

use super::UsageStore;
use super::cell::{self, Cell, Kind};
use super::figures::Figures;
use super::names::Known;
use super::rows::{self, Span};
use crate::error::StoreError;
use crate::time::timestamp;
use keygate_contract::{
    ApiKeyId, ModelId, RegionId, UsageFigures, UsageGroup, UsageItem, UsageOf, UsagePeriod, UsageStep,
    UsageTotal, WorkspaceId,
};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashMap};

/// The most items of an answer: a month of hours by forty models.
const ITEMS_MOST: usize = 30_000;
/// The steps whose rows are read first; then as many as have about so many bytes.
const STEPS_FIRST: i64 = 8;
const STEPS_MOST: i64 = 4_096;
const BYTES_AIM: usize = 4 << 20;

/// Whose usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageScope {
    /// Of these workspaces together.
    Workspaces(Vec<WorkspaceId>),
    /// Of every workspace of a region.
    Region(RegionId),
}

/// What usage is asked for.
#[derive(Clone, Debug)]
pub struct UsageQuery {
    /// Whose.
    pub of: UsageScope,
    /// From this Unix time in milliseconds; from the beginning of the step it lies in.
    pub from: i64,
    /// To before this one; to the end of the step it lies in.
    pub to: i64,
    /// The length of the spans.
    pub step: UsageStep,
    /// What the spans are told apart by.
    pub group_by: UsageGroup,
    /// What the totals are told apart by; `None`: as the spans.
    pub totals_by: Option<UsageGroup>,
    /// Only calls of this model; the empty one: only those without.
    pub model: Option<ModelId>,
    /// Only calls with this key.
    pub api_key: Option<ApiKeyId>,
}

/// A query by the numbers of its names.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) workspaces: Vec<u32>,
    pub(super) wanted: Wanted,
}

/// Which calls are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    pub(super) api_key: Option<u32>,
    pub(super) model: Option<u32>,
}

impl Wanted {
    /// `None`: no call can be.
    pub(super) fn find(known: &Known, api_key: Option<&ApiKeyId>, model: Option<&ModelId>) -> Option<Self> {
        Some(Self {
            api_key: api_key.map(|key| known.number(key.as_str()).ok_or(())).transpose().ok()?,
            model: model.map(|model| known.number(model.as_str()).ok_or(())).transpose().ok()?,
        })
    }

    /// The rows that tell these calls apart, by a grouping besides.
    pub(super) fn kind(self, group: UsageGroup) -> Kind {
        Kind::telling(
            self.api_key.is_some() || group == UsageGroup::ApiKey,
            self.model.is_some() || group == UsageGroup::Model,
        )
    }

    pub(super) fn has(self, (api_key, model): Cell) -> bool {
        self.api_key.is_none_or(|k| k == api_key) && self.model.is_none_or(|m| m == model)
    }
}

impl UsageStore {
    /// What was used in a range of time. It is for the caller to see that the range is not too long for the step.
    ///
    /// # Errors
    /// [`StoreError::TooMuch`] when it has too many spans of too many groups; [`StoreError::Database`].
    pub async fn usage(&self, query: &UsageQuery) -> Result<UsagePeriod, StoreError> {
        let (store, query) = (self.clone(), query.clone());
        self.aside.run(move || async move { store.sum(&query).await }).await
    }

    async fn sum(&self, query: &UsageQuery) -> Result<UsagePeriod, StoreError> {
        let span = Span::around(query.step, query.from, query.to);
        let mut period = UsagePeriod {
            from: timestamp(span.from * span.step.millis()),
            to: timestamp(span.to * span.step.millis()),
            items: Vec::new(),
            total: Figures::default().told(),
            totals: Vec::new(),
        };
        let Some(asked) = self.asked(query) else { return Ok(period) };
        let mut tx = self.read.begin().await?;
        period.items = self.items(&mut tx, &asked, query.group_by, span, ITEMS_MOST).await?;
        let total = self.totals(&mut tx, &asked, UsageGroup::None, span).await?;
        if let Some(total) = total.into_iter().next() {
            period.total = total.figures;
        }
        let by = query.totals_by.unwrap_or(query.group_by);
        if by != UsageGroup::None {
            period.totals = self.totals(&mut tx, &asked, by, span).await?;
        }
        Ok(period)
    }

    /// The query by numbers; `None`: nothing can be found.
    pub(super) fn asked(&self, query: &UsageQuery) -> Option<Asked> {
        let known = self.names.read();
        let mut workspaces: Vec<u32> = match &query.of {
            UsageScope::Workspaces(ids) => ids.iter().filter_map(|id| known.workspace_number(id)).collect(),
            UsageScope::Region(region) => known.workspaces_in(region),
        };
        workspaces.sort_unstable();
        workspaces.dedup();
        let wanted = Wanted::find(&known, query.api_key.as_ref(), query.model.as_ref())?;
        Some(Asked { workspaces, wanted })
    }

    /// Each step of each group, in the order of time.
    pub(super) async fn items(
        &self,
        connection: &mut SqliteConnection,
        asked: &Asked,
        group: UsageGroup,
        span: Span,
        most: usize,
    ) -> Result<Vec<UsageItem>, StoreError> {
        let (mut items, mut left, mut steps) = (Vec::new(), span, STEPS_FIRST);
        while left.from < left.to {
            let chunk = Span { to: left.to.min(left.from + steps), ..left };
            left.from = chunk.to;
            let bytes = self.chunk(connection, asked, group, chunk, &mut items).await?;
            if items.len() > most {
                return Err(StoreError::TooMuch { most });
            }
            steps = match bytes {
                few if few < BYTES_AIM / 2 => (steps * 4).min(STEPS_MOST),
                many if many > BYTES_AIM => (steps / 2).max(1),
                _ => steps,
            };
        }
        let names = self.named(group, items.iter().map(|(_, of, _)| *of));
        let mut items: Vec<(i64, UsageItem)> = items
            .into_iter()
            .map(|(time, of, figures)| {
                let at = timestamp(time * span.step.millis());
                (time, UsageItem { time: at, of: name(&names, of), figures })
            })
            .collect();
        items.sort_by(|(a, first), (b, second)| a.cmp(b).then_with(|| first.of.cmp(&second.of)));
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }

    /// Adds the items of a chunk, by number, and tells how many bytes of rows it had. Only these are in memory, and the sums
    /// of one step.
    async fn chunk(
        &self,
        connection: &mut SqliteConnection,
        asked: &Asked,
        group: UsageGroup,
        chunk: Span,
        items: &mut Vec<(i64, u32, UsageFigures)>,
    ) -> Result<usize, StoreError> {
        let mut steps: BTreeMap<i64, Vec<(u32, Vec<u8>)>> = BTreeMap::new();
        for workspace in &asked.workspaces {
            let rows = rows::of_span(connection, *workspace, asked.wanted.kind(group), chunk).await?;
            for (time, row) in rows {
                steps.entry(time).or_default().push((*workspace, row));
            }
        }
        let (mut turn, mut read) = (self.aside.turn().await?, 0);
        for (time, rows) in steps {
            let mut sums: HashMap<u32, Figures> = HashMap::new();
            for (workspace, row) in rows {
                for_each(&row, workspace, asked.wanted, group, |of, figures| {
                    add(sums.entry(of).or_default(), figures);
                })?;
                read += row.len();
                turn = turn.used(row.len()).await?;
            }
            items.extend(sums.into_iter().map(|(of, figures)| (time, of, figures.told())));
        }
        Ok(read)
    }

    /// All of a span for each group, those with the most calls first.
    async fn totals(
        &self,
        connection: &mut SqliteConnection,
        asked: &Asked,
        group: UsageGroup,
        span: Span,
    ) -> Result<Vec<UsageTotal>, StoreError> {
        let mut sums: HashMap<u32, Figures> = HashMap::new();
        for workspace in &asked.workspaces {
            for span in span.cover() {
                let rows = rows::of_span(connection, *workspace, asked.wanted.kind(group), span).await?;
                let mut turn = self.aside.turn().await?;
                for (_, row) in rows {
                    turn = turn.used(row.len()).await?;
                    for_each(&row, *workspace, asked.wanted, group, |of, figures| {
                        add(sums.entry(of).or_default(), figures);
                    })?;
                }
            }
        }
        let names = self.named(group, sums.keys().copied());
        let mut totals: Vec<UsageTotal> = sums
            .into_iter()
            .map(|(of, figures)| UsageTotal { of: name(&names, of), figures: figures.told() })
            .collect();
        totals.sort_by(|a, b| b.figures.calls.cmp(&a.figures.calls).then_with(|| a.of.cmp(&b.of)));
        Ok(totals)
    }

    /// The names of groups. Sums are added up by number: a new key would have to wait while somebody holds the names.
    fn named(&self, group: UsageGroup, numbers: impl Iterator<Item = u32>) -> HashMap<u32, UsageOf> {
        let mut names: HashMap<u32, UsageOf> = numbers.map(|of| (of, UsageOf::default())).collect();
        let known = self.names.read();
        for (of, name) in &mut names {
            *name = named(&known, group, *of);
        }
        names
    }
}

fn name(names: &HashMap<u32, UsageOf>, of: u32) -> UsageOf {
    names.get(&of).cloned().unwrap_or_default()
}

/// Most sums begin with nothing: then the first figures are taken as they are.
fn add(sum: &mut Figures, figures: Figures) {
    if *sum == Figures::default() {
        *sum = figures;
    } else {
        sum.add(&figures);
    }
}

/// Gives each wanted cell of a row to `take`, with the number of its group.
fn for_each(
    row: &[u8],
    workspace: u32,
    wanted: Wanted,
    group: UsageGroup,
    mut take: impl FnMut(u32, Figures),
) -> Result<(), StoreError> {
    for found in cell::read(row) {
        let found = found?;
        if !wanted.has(found.cell) {
            continue;
        }
        let of = match group {
            UsageGroup::None => 0,
            UsageGroup::ApiKey => found.cell.0,
            UsageGroup::Model => found.cell.1,
            UsageGroup::Workspace => workspace,
        };
        take(of, found.figures()?);
    }
    Ok(())
}

/// A group by its name.
fn named(known: &Known, group: UsageGroup, of: u32) -> UsageOf {
    match group {
        UsageGroup::None => UsageOf::default(),
        UsageGroup::Model => UsageOf { model: Some(known.name(of).into()), ..UsageOf::default() },
        UsageGroup::ApiKey => UsageOf { api_key: Some(known.name(of).into()), ..UsageOf::default() },
        UsageGroup::Workspace => UsageOf { workspace: Some(known.workspace(of)), ..UsageOf::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CallSubject;

    #[tokio::test]
    #[expect(clippy::await_holding_lock, reason = "that is the point")]
    async fn sums_are_added_up_while_the_writer_gives_a_number_to_a_new_key() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("usage.db").display());
        let (store, mut writer) = UsageStore::open(&url).await.unwrap();
        writer.subject(&CallSubject {
            region: "here".into(),
            workspace: "ws-1".into(),
            api_key: "key-1".into(),
            member: "mem-1".into(),
            model: None,
        });
        let asked = Asked { workspaces: vec![1], wanted: Wanted::default() };
        let span = Span { step: UsageStep::Hour, from: 0, to: 10 };
        // A row that cannot be added up tells that the sums were begun with the names in another's hands.
        sqlx::query("INSERT INTO usage_rollups (slot, cells) VALUES ($1, x'ff')")
            .bind(cell::slot(UsageStep::Hour, 1, Kind::Workspace, 5))
            .execute(store.write.pool())
            .await
            .unwrap();
        let mut connection = store.read.acquire().await.unwrap();
        let held = store.names.write();
        for items in [true, false] {
            let result = match items {
                true => store.items(&mut connection, &asked, UsageGroup::None, span, 9).await.map(|_| ()),
                false => store.totals(&mut connection, &asked, UsageGroup::None, span).await.map(|_| ()),
            };
            assert!(matches!(result, Err(StoreError::Corrupt(_))));
        }
        drop(held);
    }

    #[tokio::test]
    async fn a_question_that_takes_long_does_not_hold_up_the_thread_that_asked_it() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("usage.db").display());
        let (store, _writer) = UsageStore::open(&url).await.unwrap();
        let query = UsageQuery {
            of: UsageScope::Region("here".into()),
            from: 0,
            to: 10,
            step: UsageStep::Minute,
            group_by: UsageGroup::None,
            totals_by: None,
            model: None,
            api_key: None,
        };
        // Until it is given back, the question stands still on whatever thread it is read.
        let mut held = Some(store.names.write());
        let (workspace, filter) = (WorkspaceId::from("ws-1"), crate::CallFilter::default());
        let page = crate::PageRequest::default();
        let mut calls = std::pin::pin!(store.calls(&workspace, &filter, &page));
        let mut usage = std::pin::pin!(store.usage(&query));
        for _ in 0..50 {
            tokio::select! {
                biased;
                _ = &mut usage => unreachable!("the names are held"),
                _ = &mut calls => unreachable!("the names are held"),
                () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
            }
        }
        held.take();
        assert_eq!(usage.await.unwrap().total.calls, 0);
        assert_eq!(calls.await.unwrap().total, 0);
    }
}

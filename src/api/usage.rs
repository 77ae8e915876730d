//! Usage over time, and what the limits count now.

use super::cache::QueryKey;
use super::client::Client;
use super::error::{ApiError, Result};
use super::workspace::WorkspaceKey;
use crate::uri::{encode, query};
use keygate_contract::{Live, RegionId, Usage, UsageGroup, UsageStep, WorkspaceId};
use wasm_bindgen::JsValue;

/// From when to when, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsageRange {
    /// So long until now. It is asked for anew each time it is read.
    Last(i64),
    /// A piece of the past.
    Between(i64, i64),
}

impl UsageRange {
    /// Its length in milliseconds.
    pub fn length(self) -> i64 {
        match self {
            Self::Last(length) => length,
            Self::Between(from, to) => to - from,
        }
    }

    /// Its ends; of one until now in whole steps, the running one included. The server takes whole steps of any.
    pub fn ends(self, step: UsageStep, now: i64) -> (i64, i64) {
        match self {
            // So that it is as many steps as it is long: the one that `from` is in counts, too.
            Self::Last(length) => (step.floor(step.ceil(now) - length), step.ceil(now)),
            Self::Between(from, to) => (from, to),
        }
    }
}

pub(super) fn now() -> i64 {
    js_sys::Date::now() as i64
}

pub(super) fn rfc3339(moment: i64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(moment as f64));
    // Of a moment that no date stands for the library makes no text but an error.
    if date.get_time().is_nan() { String::new() } else { date.to_iso_string().into() }
}

/// Names usage of a workspace, or of a whole region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsageKey {
    /// The region.
    pub region: RegionId,
    /// The workspace; none: all of the region.
    pub workspace: Option<WorkspaceId>,
    /// From when to when.
    pub range: UsageRange,
    /// In spans of this length.
    pub step: UsageStep,
    /// What the spans are told apart by.
    pub group_by: UsageGroup,
    /// What the totals are told apart by; nothing: as `group_by`.
    pub totals_by: UsageGroup,
    /// Only of this model; empty: of any.
    pub model: String,
    /// Only of this key; empty: of any.
    pub api_key: String,
    /// With the range of the same length before it.
    pub previous: bool,
}

impl UsageKey {
    /// The path of an operation on it: `usage` or `usage.csv`.
    fn path(&self, operation: &str, now: i64) -> String {
        let region = encode(self.region.as_str());
        let workspace = self.workspace.as_ref().map(|id| format!("/workspaces/{}", encode(id.as_str())));
        let (from, to) = self.range.ends(self.step, now);
        let [from, to] = [from, to].map(rfc3339);
        let group = |group: UsageGroup| if group == UsageGroup::None { "" } else { group.as_str() };
        let query = query(&[
            ("from", &from),
            ("to", &to),
            ("step", self.step.as_str()),
            ("group_by", group(self.group_by)),
            ("totals_by", group(self.totals_by)),
            ("model", &self.model),
            ("api_key", &self.api_key),
            ("previous", if self.previous { "true" } else { "" }),
        ]);
        format!("/regions/{region}{}/{operation}{query}", workspace.unwrap_or_default())
    }

    /// The path of the same figures as CSV, which streams. It takes neither totals nor the range before.
    pub fn csv_path(&self) -> String {
        let plain = Self { totals_by: UsageGroup::None, previous: false, ..self.clone() };
        plain.path("usage.csv", now())
    }
}

impl QueryKey for UsageKey {
    fn continues(&self, other: &Self) -> bool {
        let of = |key: &Self| (key.region.clone(), key.workspace.clone(), key.group_by, key.totals_by);
        of(self) == of(other)
    }
}

/// What was used. In a coarser step where the one asked for is no longer kept.
///
/// # Errors
/// `not_found`, `invalid_field` for a range that is not answered, and what any request can meet.
pub async fn usage_query(client: Client, mut key: UsageKey) -> Result<Usage> {
    loop {
        let answer = client.get(&key.path("usage", now())).await;
        let is_too_fine = |error: &ApiError| error.field.as_deref() == Some("step");
        let coarser = UsageStep::ALL.into_iter().find(|step| *step > key.step);
        match (&answer, coarser) {
            (Err(error), Some(coarser)) if is_too_fine(error) => key.step = coarser,
            _ => return answer,
        }
    }
}

/// What the limits have counted in the minute that ends now.
///
/// # Errors
/// `not_found`, and what any request can meet.
pub async fn live_view(client: Client, workspace: &WorkspaceKey) -> Result<Live> {
    client.get(&format!("{}/live", workspace.path())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn the_last_hour_is_sixty_minutes_of_which_one_still_runs() {
        let now = 100 * MINUTE + 1;
        assert_eq!(UsageRange::Last(60 * MINUTE).ends(UsageStep::Minute, now), (41 * MINUTE, 101 * MINUTE));
        assert_eq!(
            UsageRange::Last(60 * MINUTE).ends(UsageStep::Minute, 100 * MINUTE),
            (40 * MINUTE, 100 * MINUTE)
        );
    }

    #[test]
    fn a_piece_of_the_past_is_asked_for_as_it_is() {
        let range = UsageRange::Between(MINUTE + 1, 3 * MINUTE - 1);
        assert_eq!(range.ends(UsageStep::Minute, 0), (MINUTE + 1, 3 * MINUTE - 1));
        assert_eq!(range.length(), 2 * MINUTE - 2);
    }

    #[test]
    fn figures_of_one_workspace_never_stand_in_anothers_place() {
        let key = UsageKey {
            region: "r".into(),
            workspace: Some("ws-1".into()),
            range: UsageRange::Last(MINUTE),
            step: UsageStep::Minute,
            group_by: UsageGroup::None,
            totals_by: UsageGroup::Model,
            model: String::new(),
            api_key: String::new(),
            previous: true,
        };
        assert!(
            UsageKey { model: "m".into(), range: UsageRange::Between(0, 1), ..key.clone() }.continues(&key)
        );
        assert!(!UsageKey { workspace: None, ..key.clone() }.continues(&key));
        assert!(!UsageKey { totals_by: UsageGroup::None, ..key.clone() }.continues(&key));
    }
}

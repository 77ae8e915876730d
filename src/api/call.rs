//! The log of calls.

use super::cache::QueryKey;
use super::client::Client;
use super::error::Result;
use super::queries::Queries;
use super::usage::{UsageRange, now, rfc3339};
use super::workspace::WorkspaceKey;
use crate::uri::{encode, query};
use keygate_contract::{Call, CallClass, Page};

/// Names a page of a workspace's calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallListKey {
    /// The workspace.
    pub workspace: WorkspaceKey,
    /// When they ended.
    pub range: UsageRange,
    /// How they ended; none: however.
    pub class: Option<CallClass>,
    /// Which model they asked for; empty: any.
    pub model: String,
    /// Which key they came with; empty: any.
    pub api_key: String,
    /// Which page, as the page before it told; empty: the first.
    pub page_token: String,
}

impl QueryKey for CallListKey {
    fn continues(&self, other: &Self) -> bool {
        self.workspace == other.workspace
    }
}

/// A page of calls.
#[derive(Clone, Debug, PartialEq)]
pub struct CallPage {
    /// The calls, the newest first.
    pub page: Page<Call>,
    /// When the range ends, in milliseconds since 1970: calls that came later are on none of its pages.
    pub until: i64,
}

/// Names a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallKey {
    /// The workspace.
    pub workspace: WorkspaceKey,
    /// As the answer's `x-request-id` told.
    pub request_id: String,
}

impl QueryKey for CallKey {}

/// A token of the server with the end of the range that it is of. A range that ends now would end later with each page.
fn token(until: i64, token: &str) -> String {
    format!("{until}~{token}")
}

fn split(token: &str) -> Option<(i64, &str)> {
    let (until, token) = token.split_once('~')?;
    Some((until.parse().ok()?, token))
}

/// Whether a token can be of then: no log is kept for longer than some years, nor are clocks a day ahead.
fn is_moment(until: i64, now: i64) -> bool {
    const DAY: i64 = 86_400_000;
    (now - 4_000 * DAY..now + DAY).contains(&until)
}

/// A page of a workspace's calls, the newest first.
///
/// # Errors
/// `not_found`, `invalid_page_token`, and what any request can meet.
pub(crate) async fn call_list(client: Client, key: &CallListKey) -> Result<CallPage> {
    let CallListKey { workspace, range, class, model, api_key, page_token } = key;
    let now = now();
    // A token without a moment when it can be of use is not one that was given out here; the server says so.
    let (asked, page_token) =
        split(page_token).filter(|(until, _)| is_moment(*until, now)).unwrap_or((now, page_token));
    let (from, until) = match *range {
        UsageRange::Last(length) => (asked - length, asked),
        UsageRange::Between(from, to) => (from, to),
    };
    let query = query(&[
        ("from", &rfc3339(from)),
        ("to", &rfc3339(until)),
        ("class", class.map_or("", CallClass::as_str)),
        ("model", model),
        ("api_key", api_key),
        ("page_token", page_token),
    ]);
    let page: Page<Call> = client.get(&format!("{}/requests{query}", workspace.path())).await?;
    let next_page_token = page.next_page_token.as_deref().map(|next| token(until, next));
    Ok(CallPage { page: Page { next_page_token, ..page }, until })
}

/// One call.
///
/// # Errors
/// `not_found`, and what any request can meet.
pub(crate) async fn call_view(client: Client, key: &CallKey) -> Result<Call> {
    client.get(&format!("{}/requests/{}", key.workspace.path(), encode(&key.request_id))).await
}

impl Queries {
    /// Has the newest calls read again. Later pages stay as they are: no call comes into them any more.
    pub fn calls_came(self, workspace: &WorkspaceKey) {
        self.calls.invalidate(|key| key.workspace == *workspace && key.page_token.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_the_moment_its_first_page_was_read_at() {
        assert_eq!(split(&token(1_795_163_400_000, "a~b")), Some((1_795_163_400_000, "a~b")));
        for other in ["", "a", "a~b", "~"] {
            assert_eq!(split(other), None, "{other}");
        }
    }

    #[test]
    fn a_moment_long_before_any_log_is_of_no_token() {
        let now = 1_795_163_400_000;
        assert!(is_moment(now - 30 * 86_400_000, now) && is_moment(now + 1_000, now));
        assert!(!is_moment(123, now) && !is_moment(i64::MIN, now) && !is_moment(i64::MAX, now));
    }
}

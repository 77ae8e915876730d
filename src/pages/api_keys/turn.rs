//! Reads the keys again at the moment one of them turns by itself: it expires, or its old secret stops working.

use crate::api::Query;
use crate::ui::{millis, now};
use keygate_contract::{ApiKey, ApiKeyList, ApiKeyStatus};
use leptos::prelude::*;
use std::time::Duration;

/// How long after the moment the server is asked, in milliseconds: it has to be over there, too.
const AFTER: f64 = 250.0;
/// How long to wait where a moment is past here and not there: the two clocks differ, or the server is away.
const DIFFERING: f64 = 10_000.0;
/// The longest wait. No timer of a browser takes more than 24 days.
const LONGEST: f64 = 86_400_000.0;

/// Asks again at the next such moment, as long as the page is there.
pub(super) fn read_at_each_turn(list: Query<ApiKeyList>) {
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    Effect::new(move |_| {
        stop();
        let pause = list.state().with(|state| {
            let keys = state.value.as_ref().filter(|_| !state.fetching)?;
            pause(keys.page.items.iter().flat_map(turns).filter_map(millis), now())
        });
        if let Some(pause) = pause {
            timer.set_value(set_timeout_with_handle(move || list.retry(), pause).ok());
        }
    });
    on_cleanup(stop);
}

/// When a key is going to turn.
fn turns(key: &ApiKey) -> impl Iterator<Item = &str> {
    let may_expire = matches!(key.status, ApiKeyStatus::Active | ApiKeyStatus::OwnerDisabled);
    let expiry = key.expires_at.as_ref().filter(|_| may_expire);
    let overlap = key.previous_secret.as_ref().map(|previous| &previous.expires_at);
    expiry.into_iter().chain(overlap).map(keygate_contract::Timestamp::as_str)
}

/// How long it is to the next of these moments.
fn pause(moments: impl Iterator<Item = f64>, now: f64) -> Option<Duration> {
    let wait = |at: f64| if at > now { at - now + AFTER } else { DIFFERING };
    let next = moments.map(wait).reduce(f64::min)?;
    Some(Duration::from_secs_f64(next.min(LONGEST) / 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(moments: &[f64]) -> Option<f64> {
        pause(moments.iter().copied(), 1_000.0).map(|pause| pause.as_secs_f64() * 1_000.0)
    }

    #[test]
    fn the_next_moment_is_waited_for() {
        assert_eq!(wait(&[9_000.0, 3_000.0, 7_000.0]), Some(2_000.0 + AFTER));
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[1e15]), Some(LONGEST), "no further than a timer reaches");
    }

    #[test]
    fn a_moment_that_is_past_here_only_is_asked_for_again_but_not_at_once() {
        assert_eq!(wait(&[1_000.0]), Some(DIFFERING));
        assert_eq!(wait(&[500.0, 3_000.0]), Some(2_000.0 + AFTER), "others do not wait for it");
    }

    #[test]
    fn a_key_turns_when_it_expires_and_when_its_overlap_ends() {
        let key = |status: &str| -> ApiKey {
            let at = |hour: u8| format!("2026-11-21T{hour:02}:00:00.000Z");
            serde_json::from_value(serde_json::json!({
                "id": "key-1", "masked": "sk", "description": "ci", "permission": {"kind": "all"}, "status": status,
                "created_by": {"id": "mem-1", "email": "a@b.example"}, "created_at": at(1), "expires_at": at(2),
                "previous_secret": {"masked": "sk", "expires_at": at(3)}, "last_used_at": null,
                "last_refused": null, "version": 1
            }))
            .unwrap()
        };
        let hours = |status| turns(&key(status)).map(|at| at[11..13].to_owned()).collect::<Vec<_>>();
        assert_eq!(hours("active"), ["02", "03"]);
        assert_eq!(hours("expired"), ["03"]);
        assert_eq!(hours("disabled"), ["03"], "it stays disabled");
    }
}

//! The server is away: says so, tries again by itself, and reads what was missed once it is back.

use crate::api::{Queries, session_view};
use crate::ui::{Glyph, Icon};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

/// A banner below the top bar while the server does not answer.
#[component]
pub fn AwayBanner() -> impl IntoView {
    let queries = Queries::expect();
    let away = queries.client.connection.away;
    let attempts = StoredValue::new(0_u32);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    let ask = Callback::new(move |()| {
        stop();
        spawn_local(async move {
            let _ = session_view(queries.client).await;
            if away.try_get_untracked() == Some(true) {
                schedule(attempts, timer, queries);
            }
        });
    });
    Effect::new(move |was_away: Option<bool>| {
        let is_away = away.get();
        match (was_away.unwrap_or(false), is_away) {
            (false, true) => {
                attempts.set_value(0);
                schedule(attempts, timer, queries);
            }
            (true, false) => {
                stop();
                queries.retry_failed();
            }
            _ => {}
        }
        is_away
    });
    on_cleanup(stop);
    move || {
        away.get().then(|| {
            view! {
                <div class="banner" role="status">
                    <Icon glyph=Glyph::Unplugged />
                    <span>"Keygate does not answer. What you see may be out of date. Trying again…"</span>
                    <button type="button" class="btn small" on:click=move |_| ask.run(())>"Try now"</button>
                </div>
            }
        })
    }
}

/// Asks again after a while, and so on until an answer comes.
fn schedule(attempts: StoredValue<u32>, timer: StoredValue<Option<TimeoutHandle>>, queries: Queries) {
    let attempt = attempts.get_value();
    attempts.set_value(attempt + 1);
    let ask = move || {
        spawn_local(async move {
            let _ = session_view(queries.client).await;
            let still_here = !timer.is_disposed();
            if still_here && queries.client.connection.away.get_untracked() {
                schedule(attempts, timer, queries);
            }
        });
    };
    timer.set_value(set_timeout_with_handle(ask, pause(attempt)).ok());
}

/// One second, then twice as long each time, to fifteen.
fn pause(attempt: u32) -> Duration {
    Duration::from_secs(2_u64.saturating_pow(attempt).min(15))
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn attempts_grow_rarer_but_never_stop() {
        assert_eq!([0, 1, 2, 3, 4, 90].map(|n| pause(n).as_secs()), [1, 2, 4, 8, 15, 15]);
    }
}

//! A backend is away: says so where it is the one in use, tries again by itself, and reads what was missed once it is
//! back.

use crate::api::{BackendId, Queries, session_view};
use crate::state::{Regions, SignedIn};
use crate::ui::{Glyph, Icon};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

/// A banner below the top bar while the backend in use does not answer. The others are asked again too, in silence.
#[component]
pub fn AwayBanner() -> impl IntoView {
    let (queries, regions, signed_in) = (Queries::expect(), Regions::expect(), SignedIn::expect());
    let watches: Vec<_> = queries.client.backends.all().map(|(id, _)| Watch::start(queries, id)).collect();
    let watches = StoredValue::new(watches);
    let in_use = move || regions.backend.get().map(|id| watches.with_value(|all| all[id.index()]));
    let away = Memo::new(move |_| in_use().filter(|watch| watch.away.get()).map(|watch| watch.backend));
    move || {
        away.get().map(|backend| {
            let who = signed_in.name(backend).unwrap_or("Keygate");
            let watch = watches.with_value(|all| all[backend.index()]);
            view! {
                <div class="banner" role="status">
                    <Icon glyph=Glyph::Unplugged />
                    <span><bdi>{who}</bdi> " does not answer. What you see may be out of date. Trying again…"</span>
                    <button type="button" class="btn small" on:click=move |_| watch.ask()>"Try now"</button>
                </div>
            }
        })
    }
}

/// Asks a backend again while it is away.
#[derive(Clone, Copy)]
struct Watch {
    queries: Queries,
    backend: BackendId,
    away: RwSignal<bool>,
    attempts: StoredValue<u32>,
    timer: StoredValue<Option<TimeoutHandle>>,
}

impl Watch {
    fn start(queries: Queries, backend: BackendId) -> Self {
        let away = queries.client.connection(backend).away;
        let this =
            Self { queries, backend, away, attempts: StoredValue::new(0), timer: StoredValue::new(None) };
        Effect::new(move |was_away: Option<bool>| {
            let is_away = away.get();
            match (was_away.unwrap_or(false), is_away) {
                (false, true) => {
                    this.attempts.set_value(0);
                    this.schedule();
                }
                (true, false) => {
                    this.stop();
                    queries.retry_failed();
                }
                _ => {}
            }
            is_away
        });
        on_cleanup(move || this.stop());
        this
    }

    fn stop(self) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }

    /// Asks now, and so on until an answer comes.
    fn ask(self) {
        self.stop();
        spawn_local(async move {
            let _ = session_view(self.queries.client.at(self.backend)).await;
            let still_here = !self.timer.is_disposed();
            if still_here && self.away.get_untracked() {
                self.schedule();
            }
        });
    }

    /// Asks after a while.
    fn schedule(self) {
        let attempt = self.attempts.get_value();
        self.attempts.set_value(attempt + 1);
        self.timer.set_value(set_timeout_with_handle(move || self.ask(), pause(attempt)).ok());
    }
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

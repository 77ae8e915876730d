//! A temporary key while it works.

use super::{Arc, Secret};
use crate::ui::{CopyButton, Ring, moment, now};
use keygate_contract::Timestamp;
use leptos::prelude::*;
use std::time::Duration;

/// How often the time left is looked at.
const TICK: Duration = Duration::from_millis(250);
/// Told aloud when so many seconds are left, and no more often.
const TOLD: [u32; 6] = [10, 30, 60, 300, 600, 1200];

/// A temporary key while it works. Its token is wiped with the last clone.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) token: Arc<Secret>,
    /// In milliseconds since 1970, by the clock of this machine.
    pub(super) ends_at: f64,
    /// In seconds.
    pub(super) life: u32,
    /// By the clock of the server.
    pub(super) expires_at: Timestamp,
}

/// What stands in the ring: `45 s`, or `4:05`.
fn clock(left: u32) -> String {
    if left < 100 { format!("{left} s") } else { format!("{}:{:02}", left / 60, left % 60) }
}

/// What is said of the time left. It stays the same for a while, so that not every second is heard.
fn spoken(left: u32) -> String {
    let bound = TOLD.into_iter().find(|bound| left <= *bound);
    match bound {
        None => "The temporary key works.".to_owned(),
        Some(seconds @ ..=60) => format!("It works for less than {} more.", span(seconds, "second")),
        Some(seconds) => format!("It works for less than {} more.", span(seconds / 60, "minute")),
    }
}

fn span(n: u32, unit: &str) -> String {
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}

/// The token, with the time it has left.
#[component]
pub(super) fn LiveKey(live: Live, on_over: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let Live { token, ends_at, life, expires_at } = live;
    let left_now = move || ((ends_at - now()) / 1000.0).max(0.0);
    let left = RwSignal::new(left_now());
    let tick = move || {
        let now = left_now();
        if left.try_set(now).is_none() && now <= 0.0 {
            on_over.run(());
        }
    };
    let timer = set_interval_with_handle(tick, TICK).ok();
    on_cleanup(move || {
        if let Some(timer) = timer {
            timer.clear();
        }
    });
    // Rounded up, as a clock that shows 0 is over.
    let seconds = Memo::new(move |_| left.get().ceil() as u32);
    let words = Memo::new(move |_| spoken(seconds.get()));
    let shown = token.reveal().to_owned();
    let text = Callback::new(move |()| token.reveal().to_owned());
    view! {
        <div class="body">
            <div class="countdown">
                <Ring
                    left=Signal::derive(move || f64::from(seconds.get()) / f64::from(life))
                    text=Signal::derive(move || clock(seconds.get()))
                />
                <div>
                    <p>"Shown as long as it works, then wiped. Copy it now."</p>
                    <p class="muted">"Works until " {moment(expires_at.as_str())}</p>
                </div>
            </div>
            <div class="secret">
                <code>{shown}</code>
                <CopyButton text what="the temporary key" />
            </div>
            <span class="sr-only" role="status">{move || words.get()}</span>
        </div>
        <footer>
            <button type="button" class="btn primary" on:click=move |_| on_close.run(())>"Close"</button>
        </footer>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_minutes_when_there_are_many_seconds() {
        assert_eq!([0, 60, 99, 100, 1800].map(clock), ["0 s", "60 s", "99 s", "1:40", "30:00"]);
    }

    #[test]
    fn the_time_left_is_told_a_few_times_only() {
        let told: std::collections::BTreeSet<String> = (1..=1800).map(spoken).collect();
        assert_eq!(told.len(), TOLD.len() + 1);
        assert_eq!(spoken(8), "It works for less than 10 seconds more.");
        assert_eq!(spoken(301), "It works for less than 10 minutes more.");
    }
}

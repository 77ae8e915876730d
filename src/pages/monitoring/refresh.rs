//! Keeps the page up to date while someone looks at it.

use crate::api::Query;
use crate::components::{Lately, PageRange};
use crate::ui::now;
use keygate_contract::{Live, Usage};
use leptos::ev;
use leptos::prelude::*;
use std::time::Duration;

/// How often the limits are read, in milliseconds.
const LIVE_MS: f64 = 5_000.0;

/// How often usage of up to an hour is read, in milliseconds. Of a longer range, and so too of this, it is read whenever
/// a minute begins.
const USAGE_MS: f64 = 15_000.0;

/// What keeps the page up to date.
#[derive(Clone, Copy)]
pub(super) struct Refresh {
    /// Whether the person has stopped it.
    pub(super) paused: RwSignal<bool>,
    /// Whether the page is out of sight.
    pub(super) hidden: RwSignal<bool>,
    usage: Query<Usage>,
    rates: Query<Usage>,
    live: Query<Live>,
    range: Memo<PageRange>,
    asked: StoredValue<(f64, f64)>,
}

impl Refresh {
    /// Begins.
    pub(super) fn start(
        range: Memo<PageRange>,
        usage: Query<Usage>,
        rates: Query<Usage>,
        live: Query<Live>,
    ) -> Self {
        let this = Self {
            paused: RwSignal::new(false),
            hidden: RwSignal::new(document().hidden()),
            usage,
            rates,
            live,
            range,
            asked: StoredValue::new((now(), now())),
        };
        let seen = window_event_listener(ev::visibilitychange, move |_| {
            this.hidden.set(document().hidden());
            this.look();
        });
        // One beat a second, of which most ask for nothing; none while nobody looks.
        let beat = StoredValue::new(None::<IntervalHandle>);
        Effect::new(move |_| {
            let rests = this.hidden.get() || this.paused.get() || !range.get().is_live();
            beat.update_value(|beat| {
                if let Some(beat) = beat.take() {
                    beat.clear();
                }
                if !rests {
                    *beat = set_interval_with_handle(move || this.look(), Duration::from_secs(1)).ok();
                }
            });
        });
        on_cleanup(move || {
            seen.remove();
            if let Some(beat) = beat.try_update_value(Option::take).flatten() {
                beat.clear();
            }
        });
        this
    }

    /// When the figures in view came, in milliseconds since 1970.
    pub(super) fn updated(self) -> Option<f64> {
        self.usage.state().with(|state| state.read_at)
    }

    /// Reads what is due.
    fn look(self) {
        let rests = self.hidden.get_untracked() || self.paused.get_untracked();
        if rests || !self.range.get_untracked().is_live() {
            return;
        }
        let now = now();
        let (live, usage) = self.asked.get_value();
        if now - live >= LIVE_MS && !self.live.state().with_untracked(|state| state.fetching) {
            self.asked.update_value(|asked| asked.0 = now);
            self.live.retry();
        }
        let minute = |moment: f64| (moment / 60_000.0).floor();
        let is_short =
            matches!(self.range.get_untracked(), PageRange::Lately(Lately::Minutes15 | Lately::Hour));
        let due = (is_short && now - usage >= USAGE_MS) || minute(now) > minute(usage);
        if due && !self.usage.state().with_untracked(|state| state.fetching) {
            self.asked.update_value(|asked| asked.1 = now);
            self.usage.retry();
            self.rates.retry();
        }
    }

    /// Stops, or goes on at once.
    pub(super) fn toggle(self) {
        self.paused.update(|paused| *paused = !*paused);
        self.look();
    }

    /// Reads everything now.
    pub(super) fn all(self) {
        self.asked.set_value((now(), now()));
        self.live.retry();
        self.usage.retry();
        self.rates.retry();
    }
}

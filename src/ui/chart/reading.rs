//! Which span of a chart is read, and which are chosen.

use super::data::{ChartData, Spans};
use super::table::span_words;
use crate::ui::time::Short;
use leptos::prelude::*;

/// What is read. Moments, not places, so that it stays when newer figures move the chart.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// The beginning of the span that is read.
    at: RwSignal<Option<f64>>,
    /// The beginning of the span where a choice began.
    anchor: RwSignal<Option<f64>>,
    /// What is announced.
    pub(super) spoken: RwSignal<String>,
    data: Memo<Option<ChartData>>,
    on_brush: Option<Callback<(f64, f64)>>,
}

impl Reading {
    pub(super) fn of(data: Memo<Option<ChartData>>, on_brush: Option<Callback<(f64, f64)>>) -> Self {
        let spoken = RwSignal::new(String::new());
        Self { at: RwSignal::new(None), anchor: RwSignal::new(None), spoken, data, on_brush }
    }

    fn spans(self) -> Option<Spans> {
        self.data.with_untracked(|data| data.as_ref().map(|data| data.spans)).filter(|spans| spans.count > 0)
    }

    /// The span that is read. It is tracked.
    pub(super) fn here(self) -> Option<usize> {
        let at = self.at.get()?;
        self.data.with(|data| data.as_ref().and_then(|data| data.spans.find(at)))
    }

    /// The first and the last span of those that are chosen. It is tracked.
    pub(super) fn chosen(self) -> Option<(usize, usize)> {
        let (anchor, here) = (self.anchor.get()?, self.here()?);
        let anchor = self.data.with(|data| data.as_ref().and_then(|data| data.spans.find(anchor)))?;
        (anchor != here).then(|| (anchor.min(here), anchor.max(here)))
    }

    /// Reads a span.
    pub(super) fn read(self, i: usize) {
        if let Some(spans) = self.spans() {
            self.at.set(Some(spans.begin(i.min(spans.count - 1))));
        }
    }

    /// The choice begins where is read.
    pub(super) fn begin(self) {
        if self.on_brush.is_some() {
            self.anchor.set(self.at.get_untracked());
        }
    }

    /// Nothing is chosen any more.
    pub(super) fn cancel(self) {
        self.anchor.set(None);
    }

    /// Nothing is read any more.
    pub(super) fn leave(self) {
        self.cancel();
        self.at.set(None);
        self.spoken.set(String::new());
    }

    /// What is chosen is chosen.
    pub(super) fn finish(self) {
        let chosen = untrack(|| self.chosen());
        self.cancel();
        if let (Some((first, last)), Some(spans), Some(on_brush)) = (chosen, self.spans(), self.on_brush) {
            self.at.set(None);
            on_brush.run((spans.begin(first), spans.begin(last + 1)));
        }
    }

    /// Moves by a key, if that is one to move by. What is read then is announced.
    pub(super) fn key(self, key: &str, choosing: bool) -> bool {
        let Some(spans) = self.spans() else { return false };
        let (here, last) = (untrack(|| self.here()), spans.count - 1);
        let to = match key {
            "ArrowLeft" => here.map_or(last, |here| here.saturating_sub(1)),
            "ArrowRight" => here.map_or(last, |here| here + 1),
            "PageUp" => here.map_or(last, |here| here.saturating_sub(10)),
            "PageDown" => here.map_or(last, |here| here + 10),
            "Home" => 0,
            "End" => last,
            "Enter" if untrack(|| self.chosen()).is_some() => {
                self.finish();
                return true;
            }
            "Escape" if here.is_some() => {
                self.leave();
                return true;
            }
            _ => return false,
        };
        match (choosing, self.anchor.get_untracked()) {
            (true, None) => self.begin(),
            (false, Some(_)) => self.cancel(),
            _ => {}
        }
        self.read(to);
        self.spoken.set(untrack(|| self.words()));
        true
    }

    /// What is read or chosen, in words.
    fn words(self) -> String {
        self.data.with(|data| {
            let Some((data, here)) = data.as_ref().zip(self.here()) else { return String::new() };
            if let Some((first, last)) = self.chosen() {
                let [from, to] = [first, last + 1].map(|i| Short::DayClock.write(data.spans.begin(i)));
                return format!("{from} to {to} chosen. Enter shows this range.");
            }
            let mut words = span_words(data.spans, here);
            for series in &data.series {
                let value = series.values.get(here).copied().flatten();
                let value = value.map_or_else(|| "none".to_owned(), |value| data.unit.exactly(value));
                words.push_str(&format!(", {} {value}", series.name));
            }
            words
        })
    }
}

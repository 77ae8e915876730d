//! The drawing and what is read of it.

use super::ChartShape;
use super::data::ChartData;
use super::picture::Picture;
use super::reading::Reading;
use super::scale::HEIGHT;
use super::table::span_words;
use crate::ui::dom::unique_id;
use leptos::prelude::*;
use leptos::{ev, html};

/// Where points are nearer to each other than this, lines are thin.
const DENSE: f64 = 1.5;

/// The drawing. It has the focus of the keyboard as one stop; arrows move what is read.
#[component]
pub(super) fn Plot(
    /// What is shown.
    data: Memo<Option<ChartData>>,
    /// Whether there is nothing to see even with every series.
    is_blank: Memo<bool>,
    /// Of what.
    title: Signal<String>,
    /// How.
    shape: ChartShape,
    /// What is said when there is nothing.
    empty: Signal<String>,
    /// Runs with the ends of a range that was chosen.
    on_brush: Option<Callback<(f64, f64)>>,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let width = RwSignal::new(560.0);
    let measure = move || {
        if let Some(plot) = node.try_get_untracked().flatten().filter(|plot| plot.client_width() > 0) {
            width.set(f64::from(plot.client_width()));
        }
    };
    Effect::new(move |_| {
        node.track();
        measure();
    });
    let resize = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || resize.remove());

    let picture =
        Memo::new(move |_| data.with(|data| data.as_ref().map(|data| Picture::of(data, shape, width.get()))));
    let reading = Reading::of(data, on_brush);
    let follow = move |event: &ev::PointerEvent| {
        let (Some(plot), Some(frame)) =
            (node.get_untracked(), picture.with_untracked(|p| p.as_ref().map(|p| p.frame)))
        else {
            return;
        };
        let x = f64::from(event.client_x()) - plot.get_bounding_client_rect().left();
        reading.read(frame.nearest(x));
    };
    let press = move |event: ev::PointerEvent| {
        if event.button() == 0 {
            follow(&event);
            // A finger that moves reads; it would choose when it only meant to look.
            if event.pointer_type() != "touch" {
                reading.begin();
            }
            if let Some(plot) = node.get_untracked() {
                // Fails only for a pointer that has just gone.
                let _ = plot.set_pointer_capture(event.pointer_id());
            }
        }
    };
    let leave = move |event: ev::PointerEvent| {
        // A finger that is lifted leaves what it read in view.
        if event.pointer_type() != "touch" {
            reading.leave();
        }
    };
    let on_keydown = move |event: ev::KeyboardEvent| {
        let with_more = event.ctrl_key() || event.meta_key() || event.alt_key();
        if !with_more && reading.key(&event.key(), event.shift_key()) {
            event.prevent_default();
        }
    };

    let dense = move || picture.with(|picture| picture.as_ref().is_some_and(|p| p.frame.span() < DENSE));
    let help = unique_id("chart");
    let drawn = move || {
        picture.with(|picture| {
            let (picture, data) = (picture.as_ref()?, data.get_untracked()?);
            let mark = |(mark, series): (&super::draw::Mark, &super::data::Series)| {
                let kind = if shape == ChartShape::StackedBars && !series.dashed { "bars" } else { "line" };
                let class =
                    format!("{kind} {}{}", series.hue.class(), if series.dashed { " dashed" } else { "" });
                let dots = format!("dots {}", series.hue.class());
                view! {
                    <path class=class d=mark.path.clone()></path>
                    <path class=dots d=mark.dots.clone()></path>
                }
            };
            Some(view! {
                {picture.ground()}
                {picture.marks.iter().zip(&data.series).map(mark).collect_view()}
                {picture.limit()}
            })
        })
    };
    let nothing = move || {
        data.with(|data| {
            let words = match data {
                None => return Some(view! { <i class="bone fill"></i> }.into_any()),
                Some(_) if is_blank.get() => empty.get(),
                Some(data) if data.series.is_empty() => "Every series is switched off".to_owned(),
                Some(data) if data.is_empty() => "Nothing in the series that are switched on".to_owned(),
                Some(_) => return None,
            };
            Some(view! { <p class="none">{words}</p> }.into_any())
        })
    };
    view! {
        <div
            node_ref=node
            class="plot"
            class:brushes=on_brush.is_some()
            tabindex="0"
            role="application"
            aria-roledescription="chart"
            aria-label=move || title.get()
            aria-describedby=help.clone()
            on:keydown=on_keydown
            on:pointermove=move |event| follow(&event)
            on:pointerdown=press
            on:pointerup=move |_| reading.finish()
            on:pointercancel=move |_| reading.leave()
            on:pointerleave=leave
            on:blur=move |_| reading.leave()
        >
            <svg class:dense=dense viewBox=move || format!("0 0 {} {HEIGHT}", width.get()) preserveAspectRatio="none" aria-hidden="true">
                {drawn}
                {cross(picture, data, reading)}
            </svg>
            {nothing}
            {readout(picture, data, reading)}
        </div>
        <p class="sr-only" id=help>
            {if on_brush.is_some() {
                "Arrow keys, Home and End read it. With Shift they choose a range, Enter shows it."
            } else {
                "Arrow keys, Home and End read it."
            }}
        </p>
        <p class="sr-only" role="status">{move || reading.spoken.get()}</p>
    }
}

/// The cross-hair, the points on it, and the range that is being chosen.
fn cross(picture: Memo<Option<Picture>>, data: Memo<Option<ChartData>>, reading: Reading) -> impl IntoView {
    move || {
        let here = reading.here()?;
        picture.with(|picture| {
            let picture = picture.as_ref()?;
            let frame = picture.frame;
            let (top, bottom) = (frame.y(frame.most), frame.y(0.0));
            let brush = reading.chosen().map(|(first, last)| {
                let (from, to) = (frame.begin(first), frame.begin(last + 1));
                view! { <path class="brush" d=format!("M{from:.1} {top}H{to:.1}V{bottom}H{from:.1}z")></path> }
            });
            let x = frame.middle(here);
            let hues: Vec<_> = data.with_untracked(|data| {
                data.iter().flat_map(|data| &data.series).map(|series| series.hue.class()).collect()
            });
            let point = |(mark, hue): (&super::draw::Mark, &str)| {
                let y = mark.heights.get(here).copied().flatten()?;
                Some(view! { <path class=format!("point {hue}") d=format!("M{x:.1} {y:.1}h0")></path> })
            };
            Some(view! {
                {brush}
                <path class="cross" d=format!("M{x:.1} {top}V{bottom}")></path>
                {picture.marks.iter().zip(hues).map(point).collect_view()}
            })
        })
    }
}

/// The figures of the span that is read, beside the cross-hair.
fn readout(picture: Memo<Option<Picture>>, data: Memo<Option<ChartData>>, reading: Reading) -> impl IntoView {
    move || {
        let here = reading.here()?;
        let frame = picture.with(|picture| picture.as_ref().map(|picture| picture.frame))?;
        let x = frame.middle(here);
        let leftward = x > frame.width / 2.0;
        let inset = format!("{:.0}px", if leftward { frame.width - x + 12.0 } else { x + 12.0 });
        data.with(|data| {
            let data = data.as_ref()?;
            let row = |series: &super::data::Series| {
                let value = series.values.get(here).copied().flatten();
                let value = value.map_or_else(|| "–".to_owned(), |value| data.unit.exactly(value));
                view! {
                    <dt class=format!("key {}", series.hue.class())><i></i><bdi>{series.name.clone()}</bdi></dt>
                    <dd>{value}</dd>
                }
            };
            Some(view! {
                <div
                    class="readout"
                    aria-hidden="true"
                    style:left=(!leftward).then(|| inset.clone())
                    style:right=leftward.then_some(inset)
                >
                    <p>{span_words(data.spans, here)}</p>
                    <dl>{data.series.iter().map(row).collect_view()}</dl>
                </div>
            })
        })
    }
}

//! The rows of a page: boxes to tick by pointer, or by keys from one stop of Tab.

use super::picking::{PAGE, Picking};
use crate::components::model_words::type_name;
use crate::ui::dom::{all_in, first_in, focus, is_focus_lost, target};
use crate::ui::{Checkbox, Column, Tick};
use leptos::html;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, MouseEvent};

pub(super) const COLUMNS: &[Column] = &[
    Column { label: "Model", class: "" },
    Column { label: "Vendor", class: "" },
    Column { label: "Type", class: "" },
];

const KEYS: &str = "Arrow keys move, Space selects, with Shift from row to row. Page Up and Page Down turn the pages. Control and Enter add what is selected.";

#[component]
pub(super) fn Rows(picking: Picking) -> impl IntoView {
    let node = NodeRef::<html::Tbody>::new();
    let here = RwSignal::new(0_usize);
    let count = Memo::new(move |_| picking.rows.with(Vec::len));
    let place = Memo::new(move |_| here.get().min(count.get().saturating_sub(1)));
    let page_tick = Memo::new(move |_| picking.page_tick());
    let tick = Signal::derive(move || match page_tick.get() {
        (_, 0) => Tick::Off,
        (free, chosen) if free == chosen => Tick::On,
        _ => Tick::Part,
    });
    let go = move |to: usize| {
        if let Some(body) = node.try_get_untracked().flatten() {
            all_in(&body, "input").get(to).map(focus);
        }
    };
    let on_keydown = move |event: KeyboardEvent| {
        let (from, last) = (place.get_untracked(), count.get_untracked().saturating_sub(1));
        let to = match event.key().as_str() {
            "ArrowDown" => (from + 1).min(last),
            "ArrowUp" => from.saturating_sub(1),
            "Home" => 0,
            "End" => last,
            "PageDown" => {
                picking.next();
                from
            }
            "PageUp" => {
                picking.previous();
                from
            }
            // It would send the form; that takes Control as well.
            "Enter" if !event.ctrl_key() && !event.meta_key() => from,
            _ => return,
        };
        event.prevent_default();
        if event.shift_key() && to != from {
            picking.extend(from, to);
        }
        go(to);
    };
    // A shorter page comes: the row that had the focus is gone.
    Effect::new(move |before: Option<()>| {
        let to = place.get();
        if before.is_some() {
            request_animation_frame(move || {
                if is_focus_lost() {
                    go(to);
                }
            });
        }
    });
    let outdated = move || picking.is_outdated().to_string();
    let on_click = move |event: MouseEvent| {
        if untrack(|| picking.is_outdated()) {
            event.prevent_default();
            event.stop_propagation();
        }
    };
    view! {
        <p class="sr-only" id="pick-keys">{KEYS}</p>
        <table class="table tabular pick" aria-label="Models to add" aria-describedby="pick-keys" aria-busy=outdated on:click:capture=on_click>
            <thead>
                <tr>
                    <th scope="col" class="box">
                        <Checkbox
                            label="Select this page"
                            tick
                            fixed=Signal::derive(move || page_tick.get().0 == 0)
                            on_change=Callback::new(move |ticked| picking.change_page(ticked))
                        />
                    </th>
                    <th scope="col">"Model"</th>
                    <th scope="col" class="wide-only vendor">"Vendor"</th>
                    <th scope="col" class="wide-only type">"Type"</th>
                    <th scope="col" class="standing"><span class="sr-only">"Standing"</span></th>
                </tr>
            </thead>
            <tbody node_ref=node on:keydown=on_keydown>
                // By place, not by model: another page is drawn into the same rows, and the focus stays.
                <For each=move || 0..count.get() key=|at| *at let(at)>
                    <Row picking at here place />
                </For>
            </tbody>
        </table>
    }
}

#[component]
fn Row(picking: Picking, at: usize, here: RwSignal<usize>, place: Memo<usize>) -> impl IntoView {
    debug_assert!(at < PAGE, "a page has no more rows");
    let model = Memo::new(move |_| picking.rows.with(|rows| rows.get(at).cloned()));
    let text = move |of: fn(&keygate_contract::Model) -> String| {
        move || model.with(|model| model.as_ref().map(of).unwrap_or_default())
    };
    let taken = Memo::new(move |_| model.with(|m| m.as_ref().and_then(|m| picking.taken.run(m.id.clone()))));
    let tick = Memo::new(move |_| model.with(|m| m.as_ref().map_or(Tick::Off, |m| picking.tick(&m.id))));
    let change = Callback::new(move |ticked| picking.change(at, ticked));
    // The whole row is a target for the pointer; the box in it tells for itself.
    let press = move |event: MouseEvent| {
        let on_box = target(&event).is_some_and(|element| element.tag_name() == "INPUT");
        if !on_box && taken.get_untracked().is_none() {
            let on = tick.get_untracked() == Tick::Off;
            picking.change(at, crate::ui::Ticked { on, with_shift: event.shift_key() });
            // The arrows go on from here.
            let row = target(&event).and_then(|element| element.closest("tr").ok().flatten());
            if let Some(input) = row.and_then(|row| first_in(&row, "input")) {
                focus(&input);
            }
        }
    };
    view! {
        <tr class:taken=move || taken.get().is_some() class:on=move || tick.get() == Tick::On on:click=press on:focusin=move |_| here.set(at)>
            <td class="box">
                <Checkbox
                    label=Signal::derive(text(|m| m.id.to_string()))
                    tick=tick.into()
                    fixed=Signal::derive(move || taken.get().is_some())
                    tabindex=Signal::derive(move || if place.get() == at { "0" } else { "-1" })
                    on_change=change
                />
            </td>
            <td>
                <span class="main mono">{text(|m| m.id.to_string())}</span>
                <span class="sub narrow-only">{text(|m| format!("{} · {}", m.vendor, type_name(m.kind)))}</span>
            </td>
            <td class="muted wide-only vendor">{text(|m| m.vendor.clone())}</td>
            <td class="muted wide-only">{text(|m| type_name(m.kind).to_owned())}</td>
            <td class="muted num">{move || taken.get()}</td>
        </tr>
    }
}

//! A filter: one value of several, each with how much it leaves where that is known.

mod found;

use super::combo_list::ComboList;
use super::dom::unique_id;
use super::icon::{Glyph, Icon};
use super::menu::Menu;
use super::menu_item::MenuRadio;
use super::number::whole;
use super::popover::{Popover, close_popover};
use found::{Found, find};
use leptos::prelude::*;

/// A value and how much it leaves, where that is known.
pub type FilterOption = (String, Option<u64>);

/// More values than this are searched: they would not all be in view.
const MANY: usize = 20;

/// A button that shows what is chosen, and a menu to choose from.
#[component]
pub fn FilterMenu(
    /// What it filters by, such as `Vendor`.
    label: &'static str,
    /// The values and how much each leaves.
    options: Signal<Vec<FilterOption>>,
    /// A value in words.
    #[prop(into)]
    name: Callback<String, String>,
    /// The value chosen; empty: any.
    chosen: Signal<String>,
    /// Runs with the value, or with nothing for any.
    on_choose: Callback<String>,
) -> impl IntoView {
    // Read again they are the same as a rule, and what is open stays as it is.
    let options = Memo::new(move |_| options.get());
    let are_many = Memo::new(move |_| options.with(|options| options.len() > MANY));
    let shown = move || {
        chosen.with(|value| if value.is_empty() { "any".to_owned() } else { name.run(value.clone()) })
    };
    let any = move || format!("Any {}", label.to_ascii_lowercase());
    let item = move |value: String, words: String, count: Option<u64>| {
        let this = value.clone();
        let checked = Signal::derive(move || chosen.with(|chosen| *chosen == this));
        let choose = Callback::new(move |()| on_choose.run(value.clone()));
        view! { <MenuRadio label=words detail=count.map(whole).unwrap_or_default() checked on_select=choose /> }
    };
    let items = move || {
        let others = options.get().into_iter().map(|(value, count)| {
            let words = name.run(value.clone());
            item(value, words, count)
        });
        std::iter::once(item(String::new(), any(), None)).chain(others).collect_view()
    };
    let words = move |value: String| if value.is_empty() { any() } else { name.run(value) };
    move || {
        let trigger = view! {
            <span class="word">{label} ": " <b>{shown}</b></span>
            <Icon glyph=Glyph::ChevronDown />
        }
        .into_any();
        if are_many.get() {
            let words = Callback::new(words);
            view! { <SearchedMenu label trigger options words chosen on_choose /> }.into_any()
        } else {
            view! { <Menu label class="btn filter" trigger>{items}</Menu> }.into_any()
        }
    }
}

/// The same with a search. Its list is there only while it is open.
#[component]
fn SearchedMenu(
    label: &'static str,
    trigger: AnyView,
    options: Memo<Vec<FilterOption>>,
    /// A value in words, none included.
    words: Callback<String, String>,
    chosen: Signal<String>,
    on_choose: Callback<String>,
) -> impl IntoView {
    let id = unique_id("filter");
    let open = RwSignal::new(false);
    let list = {
        let id = id.clone();
        move || {
            let text = RwSignal::new(String::new());
            let found = Memo::new(move |_| {
                let all = options.with(|all| all.iter().map(|(value, _)| value.clone()).collect::<Vec<_>>());
                text.with(|text| find(all, &chosen.get(), text, |value| words.run(value.to_owned())))
            });
            let values = Memo::new(move |_| found.with(|found| found.values.clone()));
            let note = Signal::derive(move || found.with(Found::note));
            let row = Callback::new(move |value| {
                view! { <span class="who"><bdi>{words.run(value)}</bdi></span> }.into_any()
            });
            let choose = {
                let id = id.clone();
                Callback::new(move |value| {
                    close_popover(&id);
                    on_choose.run(value);
                })
            };
            let is_current = Callback::new(move |value| chosen.with_untracked(|chosen| *chosen == value));
            view! { <ComboList label="Search" what=label text options=values is_current row note on_choose=choose /> }
        }
    };
    view! {
        <button
            type="button"
            class="btn filter"
            id=format!("{id}-button")
            popovertarget=id.clone()
            aria-haspopup="dialog"
            aria-expanded=move || open.get().to_string()
        >
            {trigger}
        </button>
        <Popover id class="menu picker plain" role="dialog" label=Signal::stored(label.to_owned()) open>
            {move || open.get().then(&list)}
        </Popover>
    }
}

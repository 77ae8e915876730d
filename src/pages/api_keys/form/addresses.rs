//! Where calls with a key may come from.

use super::KeyForm;
use super::address_text::{Entered, hopeless, is_separator, kept_as, news, take};
use super::scope::Spot;
use crate::components::Submission;
use crate::ui::dom::{all_in, by_id, focus, unique_id};
use crate::ui::{FieldError, Glyph, Icon, Note, ago};
use keygate_contract::{IP_RULES_MAX, IpRule, RefusedAddress, RestrictionError};
use leptos::html;
use leptos::prelude::*;
use std::collections::HashMap;
use web_sys::KeyboardEvent;

const HINT: &str = "Enter adds it. Paste many at once, with commas, blanks or line breaks between.";

/// How addresses were entered that are kept otherwise.
type Originals = RwSignal<HashMap<IpRule, String>>;

impl KeyForm {
    /// Moves addresses from the field to the list; whether none is left in the field.
    pub(super) fn take_addresses(self, text: &str, all: bool) -> bool {
        let known = self.scope.with_untracked(|scope| scope.ips.clone());
        let mut taken = take(text, all, IP_RULES_MAX);
        let (there, entered): (Vec<_>, Vec<_>) =
            taken.entered.into_iter().partition(|entered| known.contains(&entered.rule));
        taken.entered = entered;
        let room = IP_RULES_MAX.saturating_sub(known.len());
        let over = taken.entered.split_off(room.min(taken.entered.len()));
        let mut left = taken.left;
        for Entered { rule, text } in &over {
            let text = text.clone().unwrap_or_else(|| rule.to_string());
            left = if left.is_empty() { text } else { format!("{left}, {text}") };
        }
        let is_full = !over.is_empty() || (taken.error.is_none() && all && !left.trim().is_empty());
        let error = taken.error.map(|(part, error)| format!("“{part}”: {error}"));
        self.ip_error.set(error.or_else(|| is_full.then(|| RestrictionError::TooManyIps.to_string())));
        let rules = |entered: &[Entered]| entered.iter().map(|entered| entered.rule).collect::<Vec<_>>();
        if let Some(words) = news(&rules(&taken.entered), &rules(&there)) {
            self.ip_news.set(words);
        }
        self.ip_there.set(news(&[], &rules(&there)));
        if !taken.entered.is_empty() {
            self.originals.update(|originals| {
                originals.extend(taken.entered.iter().filter_map(|e| Some((e.rule, e.text.clone()?))));
            });
            self.scope.update(|scope| scope.ips.extend(taken.entered.into_iter().map(|e| e.rule)));
        }
        let is_clear = left.trim_matches(is_separator).is_empty();
        self.ip_text.set(if is_clear { String::new() } else { left });
        is_clear
    }
}

/// The list and the field that adds to it.
#[component]
pub(super) fn Addresses(
    form: KeyForm,
    submission: Submission,
    last_refused: Option<RefusedAddress>,
) -> impl IntoView {
    let (id, hint_id, error_id) = (unique_id("address"), unique_id("hint"), unique_id("error"));
    let list = NodeRef::<html::Ul>::new();
    let refused = form.error_at(Spot::Ips, submission);
    let error = Signal::derive(move || form.ip_error.get().or_else(|| refused.get()));
    let count = Memo::new(move |_| form.scope.with(|scope| scope.ips.len()));
    let typed = move |text: String| {
        let many = text.chars().count() > form.ip_text.with_untracked(|t| t.chars().count()) + 1;
        form.ip_error.set(hopeless(&text).filter(|_| !text.contains(is_separator)).map(|e| e.to_string()));
        if text.contains(is_separator) {
            form.take_addresses(&text, many);
        } else {
            form.ip_text.set(text);
            form.ip_there.set(None);
            // The same words would not be heard a second time.
            form.ip_news.set(String::new());
        }
    };
    let add = move || {
        let text = form.ip_text.get_untracked();
        if text.trim().is_empty() {
            form.ip_error.set(Some(keygate_contract::IpRuleError::Empty.to_string()));
        } else {
            form.take_addresses(&text, true);
        }
    };
    let on_keydown = move |event: KeyboardEvent| {
        if event.key() == "Enter" && !event.ctrl_key() && !event.meta_key() {
            event.prevent_default();
            add();
        }
    };
    let hint = move || {
        let there = form.ip_there.get().map(|words| format!("{words}."));
        there.or_else(|| form.ip_text.with(|text| kept_as(text))).unwrap_or_else(|| HINT.to_owned())
    };
    let remove = {
        let id = id.clone();
        Callback::new(move |rule: IpRule| {
            let at = form.scope.with_untracked(|scope| scope.ips.iter().position(|ip| *ip == rule));
            form.scope.update(|scope| scope.ips.retain(|ip| *ip != rule));
            form.ip_error.set(None);
            form.ip_there.set(None);
            form.ip_news.set(format!("{rule} removed"));
            let id = id.clone();
            // What had the focus goes with the row: the next one takes it, or else the field.
            request_animation_frame(move || {
                let buttons = list.try_get_untracked().flatten().map(|list| all_in(&list, "button"));
                let mut buttons = buttons.unwrap_or_default();
                let at = at.unwrap_or_default().min(buttons.len().saturating_sub(1));
                let next = (!buttons.is_empty()).then(|| buttons.swap_remove(at));
                if let Some(next) = next.or_else(|| by_id(&id)) {
                    focus(&next);
                }
            });
        })
    };
    let described_by = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || {
            if error.with(Option::is_some) { format!("{error_id} {hint_id}") } else { hint_id.clone() }
        }
    };
    view! {
        <div class="stack-s">
            <div class="field">
                <label for=id.clone()>"Address or CIDR block"</label>
                <div class="adder">
                    // Of several lines, as a field of one loses the line breaks of what is pasted.
                    <textarea
                        id=id
                        class="input mono"
                        rows="1"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        aria-invalid=move || error.with(Option::is_some).then_some("true")
                        aria-describedby=described_by
                        prop:value=move || form.ip_text.get()
                        on:input:target=move |event| typed(event.target().value())
                        on:keydown=on_keydown
                    ></textarea>
                    <button type="button" class="btn" on:click=move |_| add()>"Add" <span class="sr-only">" address"</span></button>
                </div>
                <FieldError id=error_id error />
                <div class="below" id=hint_id>
                    <span>{hint}</span>
                    <span class="counter">{move || format!("{}/{IP_RULES_MAX}", count.get())}</span>
                </div>
            </div>
            {last_refused.map(|refused| view! { <LastRefused form refused /> })}
            <ul class="entries" aria-label="Addresses" node_ref=list hidden=move || count.get() == 0>
                <For each=move || form.scope.with(|scope| scope.ips.clone()) key=|rule| *rule let(rule)>
                    <Row rule originals=form.originals on_remove=remove />
                </For>
            </ul>
            <span class="sr-only" role="status">{move || form.ip_news.get()}</span>
        </div>
    }
}

#[component]
fn Row(rule: IpRule, originals: Originals, on_remove: Callback<IpRule>) -> impl IntoView {
    let original =
        move || originals.with(|originals| originals.get(&rule).map(|text| format!("entered as {text}")));
    view! {
        <li>
            <span class="words">
                <span class="mono main">{rule.to_string()}</span>
                {move || original().map(|words| view! { <span class="sub">{words}</span> })}
                {rule.is_everything().then(|| view! {
                    <span class="sub warn"><Icon glyph=Glyph::Warning />{everything(rule)}</span>
                })}
            </span>
            <button
                type="button"
                class="btn quiet small square"
                aria-label=format!("Remove {rule}")
                on:click=move |_| on_remove.run(rule)
            >
                <Icon glyph=Glyph::Close />
            </button>
        </li>
    }
}

/// What a rule is that names every address of its family.
fn everything(rule: IpRule) -> &'static str {
    if rule.to_string().contains(':') {
        "Every IPv6 address: restricts nothing"
    } else {
        "Every IPv4 address: restricts nothing"
    }
}

/// The last call that was refused for its address, and the way to let it in.
#[component]
fn LastRefused(form: KeyForm, refused: RefusedAddress) -> impl IntoView {
    let RefusedAddress { address, at } = refused;
    let rule = IpRule::parse(&address).ok();
    let is_in =
        Memo::new(move |_| form.scope.with(|scope| rule.is_some_and(|rule| scope.ips.contains(&rule))));
    let add = {
        let address = address.clone();
        move |_| {
            let typed = form.ip_text.get_untracked();
            form.take_addresses(&address, true);
            form.ip_text.set(typed);
        }
    };
    view! {
        <Note class="note info" glyph=Glyph::Ban>
            "Refused call from " <b class="mono">{address}</b> ", " {ago(at.as_str())} ". "
            {move || if is_in.get() {
                view! { "It is in the list now." }.into_any()
            } else {
                let add = add.clone();
                view! { <button type="button" class="link" on:click=add>"Add it to the list"</button> }.into_any()
            }}
        </Note>
    }
}

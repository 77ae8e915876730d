//! A range between two moments.

use super::PageRange;
use crate::ui::dom::{first_in, focus, unique_id};
use crate::ui::{FieldError, Form, Popover, close_popover, date_time_field, millis, now, rfc3339, time_zone};
use leptos::prelude::*;
use web_sys::HtmlElement;

/// Why it is no range.
fn wrong(from: Option<f64>, to: Option<f64>) -> Option<&'static str> {
    match (from, to) {
        (Some(from), Some(to)) if from < to => None,
        (Some(_), Some(_)) => Some("Choose a beginning that is before the end."),
        _ => Some("Choose a date and a time for both ends."),
    }
}

/// The last of the choices: a button that opens two fields.
#[component]
pub(super) fn CustomRange(
    /// The range of the page.
    chosen: Memo<PageRange>,
    /// Runs with both ends, in milliseconds since 1970.
    on_choose: Callback<(f64, f64)>,
) -> impl IntoView {
    let id = unique_id("range");
    let error_id = unique_id("error");
    let (from, to) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (open, error) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let fill = Callback::new(move |panel: HtmlElement| {
        let (first, last) = match chosen.get_untracked() {
            PageRange::Between(from, to) => (from as f64, to as f64),
            PageRange::Lately(range) => (now() - range.millis() as f64, now()),
        };
        let field = |at| rfc3339(at).map(|at| date_time_field(&at)).unwrap_or_default();
        from.set(field(first));
        to.set(field(last));
        error.set(None);
        if let Some(input) = first_in(&panel, "input") {
            focus(&input);
        }
    });
    let choose = {
        let id = id.clone();
        Callback::new(move |()| {
            let ends = [from, to].map(|field| field.with_untracked(|text| millis(text)));
            let problem = wrong(ends[0], ends[1]);
            error.set(problem.map(str::to_owned));
            if let ([Some(from), Some(to)], None) = (ends, problem) {
                close_popover(&id);
                on_choose.run((from, to));
            }
        })
    };
    let is_chosen = move || matches!(chosen.get(), PageRange::Between(..));
    let label = move || if is_chosen() { chosen.get().words() } else { "Custom".to_owned() };
    let zone = time_zone().map(|zone| view! { <p class="below">{format!("In your time zone, {zone}.")}</p> });
    view! {
        <button
            type="button"
            id=format!("{id}-button")
            popovertarget=id.clone()
            aria-haspopup="dialog"
            aria-expanded=move || open.get().to_string()
            aria-pressed=move || is_chosen().to_string()
        >
            {label}
        </button>
        <Popover id class="menu range" role="dialog" label=Signal::stored("Range of time".to_owned()) open on_open=fill>
            <Form class="stack-s" on_submit=choose>
                <MomentField label="From" value=from error error_id=error_id.clone() />
                <MomentField label="To" value=to error error_id=error_id.clone() />
                <FieldError id=error_id error=error.into() />
                {zone}
                <button type="submit" class="btn primary">"Show this range"</button>
            </Form>
        </Popover>
    }
}

#[component]
fn MomentField(
    label: &'static str,
    value: RwSignal<String>,
    error: RwSignal<Option<String>>,
    error_id: String,
) -> impl IntoView {
    let id = unique_id("field");
    let is_wrong = move || error.with(Option::is_some);
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                class="input"
                type="datetime-local"
                max="9999-12-31T23:59"
                aria-invalid=move || is_wrong().then_some("true")
                aria-describedby=move || is_wrong().then(|| error_id.clone())
                prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())
            />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn both_ends_are_needed_in_order() {
        assert_eq!(wrong(Some(1.0), Some(2.0)), None);
        assert!(wrong(Some(2.0), Some(2.0)).is_some_and(|text| text.contains("before")));
        assert!(wrong(None, Some(2.0)).is_some_and(|text| text.contains("both")));
    }
}

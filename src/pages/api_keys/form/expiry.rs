//! When a key stops working by itself.

use crate::components::Submission;
use crate::ui::{
    Choice, FieldError, RadioGroup, date_time_field, dom::unique_id, millis, moment, now, rfc3339, time_zone,
};
use keygate_contract::Timestamp;
use leptos::prelude::*;
use std::fmt;

const DAY: f64 = 86_400_000.0;
/// The last moment with a year of four digits, as RFC 3339 has them.
const LAST: f64 = 253_402_300_799_999.0;
const PRESETS: [(u16, &str); 3] = [(30, "In 30 days"), (90, "In 90 days"), (365, "In 365 days")];

/// How long a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Never,
    Days(u16),
    Until,
}

/// Why a key cannot expire then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ExpiryError {
    NoDate,
    Past,
    TooLate,
}

impl fmt::Display for ExpiryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDate => "Choose a date and a time, or let the key never expire.",
            Self::Past => "Choose a time in the future: this one is past.",
            Self::TooLate => "Choose a year up to 9999, or let the key never expire.",
        })
    }
}

/// The moment that is meant, in milliseconds; none: never.
fn resolve(term: Term, chosen_at: f64, field: Option<f64>, now: f64) -> Result<Option<f64>, ExpiryError> {
    match (term, field) {
        (Term::Never, _) => Ok(None),
        (Term::Days(days), _) => Ok(Some(chosen_at + f64::from(days) * DAY)),
        (Term::Until, None) => Err(ExpiryError::NoDate),
        (Term::Until, Some(at)) if at <= now => Err(ExpiryError::Past),
        (Term::Until, Some(at)) if at > LAST => Err(ExpiryError::TooLate),
        (Term::Until, Some(at)) => Ok(Some(at)),
    }
}

/// The choice, while it is made.
#[derive(Clone, Copy)]
pub(super) struct Expiry {
    term: RwSignal<Term>,
    /// When a number of days was chosen: they count from then, so that sending again means the same moment.
    chosen_at: StoredValue<f64>,
    field: RwSignal<String>,
    /// What the key has now.
    base: RwSignal<Option<Timestamp>>,
    refused: RwSignal<Option<ExpiryError>>,
    sent: RwSignal<Option<(Term, String)>>,
}

impl Expiry {
    pub(super) fn new(at: Option<Timestamp>) -> Self {
        let this = Self {
            term: RwSignal::new(Term::Never),
            chosen_at: StoredValue::new(0.0),
            field: RwSignal::new(String::new()),
            base: RwSignal::new(None),
            refused: RwSignal::new(None),
            sent: RwSignal::new(None),
        };
        this.reset(at);
        this
    }

    /// Starts from what the key has.
    pub(super) fn reset(self, at: Option<Timestamp>) {
        self.term.set(if at.is_some() { Term::Until } else { Term::Never });
        self.field.set(at.as_ref().map(|at| date_time_field(at.as_str())).unwrap_or_default());
        self.base.set(at);
    }

    /// What the key has by now; the choice stays.
    pub(super) fn rebase(self, at: Option<Timestamp>) {
        self.base.set(at);
    }

    /// Whether something else is chosen than the key has.
    pub(super) fn is_changed(self) -> bool {
        match (self.term.get(), self.base.get()) {
            (Term::Never, base) => base.is_some(),
            (Term::Until, Some(base)) => self.field.with(|field| *field != date_time_field(base.as_str())),
            (Term::Until, None) | (Term::Days(_), _) => true,
        }
    }

    fn resolve(self) -> Result<Option<Timestamp>, ExpiryError> {
        let field = self.field.with(|field| millis(field));
        let at = resolve(self.term.get(), self.chosen_at.get_value(), field, now())?;
        Ok(at.and_then(rfc3339).map(Timestamp::from_rfc3339))
    }

    /// What was chosen; else the field shows why not. What is as it was is not looked at: it may be past.
    pub(super) fn parse(self) -> Option<Option<Timestamp>> {
        if !untrack(|| self.is_changed()) {
            return Some(self.base.get_untracked());
        }
        let resolved = untrack(|| self.resolve());
        self.refused.set(resolved.as_ref().err().copied());
        self.sent.set(Some((self.term.get_untracked(), self.field.get_untracked())));
        resolved.ok()
    }

    fn error(self, submission: Submission) -> Signal<Option<String>> {
        let unchanged = move || {
            self.sent.with(|sent| {
                sent.as_ref().is_some_and(|(term, field)| {
                    *term == self.term.get() && self.field.with(|now| now == field)
                })
            })
        };
        let told = move || {
            submission.error().filter(|e| e.field.as_deref() == Some("expires_at")).map(|e| e.message)
        };
        Signal::derive(move || {
            unchanged().then(|| self.refused.get().map(|e| e.to_string()).or_else(told)).flatten()
        })
    }
}

/// The choice of it.
#[component]
pub(super) fn ExpiryField(expiry: Expiry, submission: Submission) -> impl IntoView {
    let (id, hint_id, error_id) = (unique_id("expiry"), unique_id("hint"), unique_id("error"));
    let choice = |value, label| Choice { value, label, detail: String::new() };
    let mut choices = vec![choice(Term::Never, "Never")];
    choices.extend(PRESETS.map(|(days, label)| choice(Term::Days(days), label)));
    choices.push(choice(Term::Until, "Date and time"));
    let choose = Callback::new(move |term| {
        expiry.chosen_at.set_value(now());
        expiry.term.set(term);
    });
    let error = expiry.error(submission);
    let zone = time_zone().map(|zone| format!("In your time zone, {zone}. ")).unwrap_or_default();
    let until = Memo::new(move |_| expiry.term.get() == Term::Until);
    let words = move || match expiry.resolve() {
        Ok(Some(at)) => format!("Calls are refused from {} on.", moment(at.as_str())),
        Ok(None) => "It works until it is disabled or deleted.".to_owned(),
        Err(_) => String::new(),
    };
    let described_by = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        StoredValue::new((hint_id, error_id))
    };
    let date = move || {
        let id = id.clone();
        until.get().then(|| {
            view! {
                <div class="field">
                    <label for=id.clone()>"Expires on"</label>
                    <input
                        id=id
                        class="input"
                        type="datetime-local"
                        max="9999-12-31T23:59"
                        aria-invalid=move || error.with(Option::is_some).then_some("true")
                        aria-describedby=move || described_by.with_value(|(hint, wrong)| {
                            if error.with(Option::is_some) { format!("{wrong} {hint}") } else { hint.clone() }
                        })
                        prop:value=move || expiry.field.get()
                        on:input:target=move |event| expiry.field.set(event.target().value())
                    />
                </div>
            }
        })
    };
    view! {
        <div class="stack-s">
            <RadioGroup label="Expiry" choices chosen=expiry.term.into() on_choose=choose class="radios row" />
            {date}
            <FieldError id=error_id error />
            <p class="below" id=hint_id>{move || until.get().then(|| zone.clone())} {words}</p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_when_they_were_chosen() {
        assert_eq!(resolve(Term::Never, 0.0, None, 5.0), Ok(None));
        assert_eq!(resolve(Term::Days(30), 1000.0, None, 9e15), Ok(Some(1000.0 + 30.0 * DAY)));
        assert_eq!(PRESETS.map(|(days, _)| days), [30, 90, 365]);
    }

    #[test]
    fn a_date_is_in_the_future_and_in_this_age() {
        let until = |field| resolve(Term::Until, 0.0, field, 1000.0);
        assert_eq!(until(None), Err(ExpiryError::NoDate));
        assert_eq!(until(Some(1000.0)), Err(ExpiryError::Past));
        assert_eq!(until(Some(1001.0)), Ok(Some(1001.0)));
        assert_eq!(until(Some(LAST + 1.0)), Err(ExpiryError::TooLate));
    }
}

//! What a key is told: its description, what it may do, how long it works. Adding and editing share the form.

mod address_text;
mod addresses;
mod expiry;
mod fields;
mod models;
mod scope;

use crate::components::{Checked, Submission};
use expiry::Expiry;
pub(super) use fields::Fields;
use keygate_contract::{ApiKey, ApiKeyUpdate, Description, IpRule, Permission, RestrictionError, Timestamp};
use leptos::prelude::*;
pub(super) use models::ModelPicker;
use scope::{Scope, Spot};
use std::collections::HashMap;

/// What is chosen so far.
#[derive(Clone, Copy)]
pub(super) struct KeyForm {
    description: Checked,
    scope: RwSignal<Scope>,
    /// The permission as it was last sent, and all that is wrong with it.
    sent: RwSignal<Option<Sent>>,
    ip_text: RwSignal<String>,
    ip_error: RwSignal<Option<String>>,
    /// What was just done to the list of addresses, to be heard.
    ip_news: RwSignal<String>,
    /// Which addresses were entered that stand in the list already, until something else is typed.
    ip_there: RwSignal<Option<String>>,
    originals: RwSignal<HashMap<IpRule, String>>,
    /// Whether the choice of models is open.
    picking: RwSignal<bool>,
    expiry: Expiry,
}

/// A permission as it was sent, and why it is none.
type Sent = (Scope, Vec<RestrictionError>);

/// What the form says.
pub(super) struct Filled {
    pub(super) description: Description,
    pub(super) permission: Permission,
    pub(super) expires_at: Option<Timestamp>,
}

impl KeyForm {
    /// A form for a key that is not there yet.
    pub(super) fn new() -> Self {
        Self::with("", &Permission::default(), None)
    }

    /// A form that starts with what a key has.
    pub(super) fn of(key: &ApiKey) -> Self {
        Self::with(&key.description, &key.permission, key.expires_at.clone())
    }

    fn with(description: &str, permission: &Permission, expires_at: Option<Timestamp>) -> Self {
        Self {
            description: Checked::new(description),
            scope: RwSignal::new(Scope::of(permission)),
            sent: RwSignal::new(None),
            ip_text: RwSignal::new(String::new()),
            ip_error: RwSignal::new(None),
            ip_news: RwSignal::new(String::new()),
            ip_there: RwSignal::new(None),
            originals: RwSignal::new(HashMap::new()),
            picking: RwSignal::new(false),
            expiry: Expiry::new(expires_at),
        }
    }

    /// Whether it says anything else than this.
    pub(super) fn differs(self, description: &str, permission: &Permission) -> bool {
        self.description.text.with(|text| text.trim() != description)
            || self.scope.with(|scope| scope.differs(permission))
            || self.ip_text.with(|text| !text.trim().is_empty())
            || self.expiry.is_changed()
    }

    /// What it says, if every field keeps its rule; else the fields show why not.
    pub(super) fn parse(self) -> Option<Filled> {
        let description = self.description.parse(Description::parse);
        let expires_at = self.expiry.parse();
        let permission = self.parse_permission();
        Some(Filled { description: description?, permission: permission?, expires_at: expires_at? })
    }

    fn parse_permission(self) -> Option<Permission> {
        let text = self.ip_text.get_untracked();
        let takes_text = self.scope.with_untracked(|scope| scope.custom && scope.by_ip);
        // What stands in the field is meant to be in the list.
        let is_taken = !takes_text || text.trim().is_empty() || self.take_addresses(&text, true);
        let scope = self.scope.get_untracked();
        let permission = scope.permission().ok().filter(|_| is_taken);
        let mut wrong = scope.errors();
        // The field says what is wrong with its text.
        wrong.retain(|error| is_taken || Spot::of(*error) != Spot::Ips);
        self.sent.set(Some((scope, wrong)));
        permission
    }

    /// The fields that show the server's errors themselves.
    pub(super) fn has_field(field: &str) -> bool {
        matches!(field, "description" | "expires_at") || Spot::of_field(field).is_some()
    }

    /// What is wrong at a spot of the permission. It stands until the permission is changed.
    fn error_at(self, spot: Spot, submission: Submission) -> Signal<Option<String>> {
        let told = move |sent: &Scope| {
            let error = submission.error()?;
            let (at, place) = Spot::of_field(error.field.as_deref()?).filter(|(at, _)| *at == spot)?;
            let entry = place.and_then(|place| sent.entry(at, place));
            Some(entry.map_or_else(|| error.message.clone(), |entry| format!("“{entry}”: {}", error.message)))
        };
        Signal::derive(move || {
            self.sent.with(|sent| {
                let (sent, wrong) = sent.as_ref().filter(|(sent, _)| self.scope.with(|now| now == sent))?;
                let own = wrong.iter().find(|error| Spot::of(**error) == spot).map(ToString::to_string);
                own.or_else(|| told(sent))
            })
        })
    }

    /// The change from what a key has to what the form says.
    pub(super) fn update(self, filled: Filled, base: &ApiKey) -> ApiKeyUpdate {
        let Filled { description, permission, expires_at } = filled;
        ApiKeyUpdate {
            description: Some(description).filter(|text| text.as_str() != base.description),
            permission: Some(permission).filter(|permission| *permission != base.permission),
            expires_at: Some(expires_at).filter(|at| *at != base.expires_at),
            version: Some(base.version),
        }
    }

    /// The key was changed elsewhere: what the person has not touched follows.
    pub(super) fn follow(self, before: &ApiKey, now: &ApiKey) {
        if self.description.text.with_untracked(|text| text.trim() == before.description) {
            self.description.text.set(now.description.clone());
        }
        if !self.scope.with_untracked(|scope| scope.differs(&before.permission)) {
            self.scope.set(Scope::of(&now.permission));
        }
        if untrack(|| self.expiry.is_changed()) {
            self.expiry.rebase(now.expires_at.clone());
        } else {
            self.expiry.reset(now.expires_at.clone());
        }
    }
}

//! What part of a page is shown; in the address, so that it can be shared and returned to.

use super::Place;
use crate::uri::query;

/// What part of a list, or of what was used, is shown. What is empty is as usual, or anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListView {
    /// The search text.
    pub q: String,
    /// Whose models are shown.
    pub vendor: String,
    /// The type of the models shown.
    pub kind: String,
    /// The status of the keys shown.
    pub status: String,
    /// The page's token.
    pub page: String,
    /// The model that is open over the list; where usage is shown, the one whose usage it is.
    pub model: String,
    /// How long until now the range of time is.
    pub range: String,
    /// Where the range begins, if it does not end now: RFC 3339.
    pub from: String,
    /// Where such a range ends.
    pub to: String,
    /// How the calls ended that are shown.
    pub class: String,
    /// The key whose usage is shown.
    pub key: String,
    /// What of the usage is shown: tokens, calls or cost.
    pub what: String,
    /// What the usage is told apart by.
    pub by: String,
    /// The currency of the costs.
    pub currency: String,
}

impl ListView {
    /// The view in an address, of whose query `field` gives the values.
    pub fn read(field: impl Fn(&str) -> String) -> Self {
        Self {
            q: field("q"),
            vendor: field("vendor"),
            kind: field("type"),
            status: field("status"),
            page: field("page"),
            model: field("model"),
            range: field("range"),
            from: field("from"),
            to: field("to"),
            class: field("class"),
            key: field("key"),
            what: field("what"),
            by: field("by"),
            currency: field("currency"),
        }
    }

    /// The address of this view of a place. What is as usual is left out.
    pub fn at(&self, place: &Place) -> String {
        let fields = [
            ("q", &*self.q),
            ("vendor", &self.vendor),
            ("type", &self.kind),
            ("status", &self.status),
            ("what", &self.what),
            ("by", &self.by),
            ("currency", &self.currency),
            ("range", &self.range),
            ("from", &self.from),
            ("to", &self.to),
            ("class", &self.class),
            ("page", &self.page),
            ("model", &self.model),
            ("key", &self.key),
        ];
        format!("{place}{}", query(&fields))
    }

    /// Whether it leaves anything of a list out. The model is not looked at: over a list of models it is open.
    pub fn is_narrow(&self) -> bool {
        [&self.q, &self.vendor, &self.kind, &self.status].into_iter().any(|field| !field.is_empty())
    }

    /// Whether it leaves anything of a log of calls out.
    pub fn is_narrow_log(&self) -> bool {
        let fields = [&self.range, &self.from, &self.to, &self.class, &self.model, &self.key];
        fields.into_iter().any(|field| !field.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_view_leaves_out_what_is_as_usual() {
        let place = Place::workspaces("a".into());
        assert_eq!(ListView::default().at(&place), "/a/workspaces");
        let view = ListView { q: "a b".into(), page: "t/1".into(), ..ListView::default() };
        assert_eq!(view.at(&place), "/a/workspaces?q=a%20b&page=t%2F1");
        let view = ListView { kind: "3d".into(), model: "a/b".into(), ..ListView::default() };
        assert_eq!(view.at(&place), "/a/workspaces?type=3d&model=a%2Fb");
    }

    #[test]
    fn every_field_is_read_back() {
        let view = ListView::read(str::to_owned);
        let address = view.at(&Place::Home);
        let given = |name: &str| {
            let found = address.split(['?', '&']).find_map(|field| field.strip_prefix(&format!("{name}=")));
            found.unwrap_or_default().to_owned()
        };
        assert_eq!(ListView::read(given), view);
        assert!(view.is_narrow() && view.is_narrow_log());
    }
}

use super::*;
use keygate_contract::{ModelGrants, ModelInWorkspace, ModelType};

fn model(id: &str, called: Option<&str>) -> Model {
    let last_called_at = called.map(|at| Timestamp::from_rfc3339(at.to_owned()));
    Model {
        id: id.into(),
        vendor: "Qwen".into(),
        kind: ModelType::Text,
        rpm: 600,
        tpm: (!id.contains("image")).then_some(1000),
        context_window: None,
        max_output_tokens: None,
        prices: vec![],
        workspace: Some(ModelInWorkspace { rpm: 60, tpm: None, last_called_at }),
    }
}

fn grant(id: &str) -> ModelGrant {
    let tpm = (!id.contains("image")).then(|| PerMinute::within(100, 1000).unwrap());
    ModelGrant { model: id.into(), rpm: PerMinute::within(60, 600).unwrap(), tpm }
}

fn list(ids: &[&str]) -> GrantList {
    GrantList {
        items: ids.iter().map(|id| grant(id)).collect(),
        version: 1,
        models: Some(ids.iter().filter(|id| !id.contains("lost")).map(|id| model(id, None)).collect()),
    }
}

impl Draft {
    fn type_into(&mut self, id: &str, part: Part, text: &str) {
        let row = self.row(&id.into()).unwrap();
        self.enter(&row, part, text.to_owned());
    }

    fn limits(&mut self) -> Vec<(String, u64, Option<u64>)> {
        let grants = self.check().unwrap();
        grants.iter().map(|g| (g.model.to_string(), g.rpm.get(), g.tpm.map(PerMinute::get))).collect()
    }
}

#[test]
fn changes_are_counted_by_row_and_an_equal_number_is_no_change() {
    let mut draft = Draft::new(list(&["a", "b", "c"]));
    draft.type_into("a", Part::Rpm, "0060 ");
    draft.type_into("a", Part::Tpm, "1 000");
    draft.type_into("b", Part::Rpm, "60");
    assert_eq!(draft.changes(), Changes { added: 0, removed: 0, limits: 1 });
    draft.remove(&"a".into());
    draft.add(vec![model("d", None)]);
    draft.type_into("d", Part::Rpm, "5");
    assert_eq!(draft.changes(), Changes { added: 1, removed: 1, limits: 0 });
    draft.discard();
    assert_eq!((draft.changes().total(), draft.count()), (0, 3));
}

#[test]
fn a_new_row_starts_on_top_with_the_accounts_limits() {
    let mut draft = Draft::new(list(&["a"]));
    draft.add(vec![model("b", None), model("image", None)]);
    assert_eq!(
        draft.limits(),
        [("b".into(), 600, Some(1000)), ("image".into(), 600, None), ("a".into(), 60, Some(100))]
    );
    draft.remove(&"b".into());
    assert!(draft.row(&"b".into()).is_none() && !draft.grants(&"b".into()));
}

#[test]
fn adding_what_was_removed_puts_it_back() {
    let mut draft = Draft::new(list(&["a"]));
    draft.remove(&"a".into());
    assert!(!draft.grants(&"a".into()) && draft.is_removed(&"a".into()) && draft.count() == 0);
    draft.add(vec![model("a", None)]);
    assert_eq!(draft.changes().total(), 0);
    assert_eq!(draft.limits(), [("a".into(), 60, Some(100))]);
}

#[test]
fn a_limit_over_the_accounts_is_refused_at_its_field_until_it_is_changed() {
    let mut draft = Draft::new(list(&["a", "b"]));
    draft.type_into("b", Part::Tpm, "1001");
    assert!(draft.check().is_none());
    assert_eq!(draft.first_refused(), Some(1));
    assert_eq!(
        draft.error(&"b".into(), Part::Tpm).as_deref(),
        Some("Enter at most 1000, the limit of the account.")
    );
    draft.type_into("b", Part::Tpm, "1000");
    assert_eq!(draft.error(&"b".into(), Part::Tpm), None);
    assert!(draft.check().is_some());
}

#[test]
fn what_the_server_refuses_lands_on_the_row_that_was_sent() {
    let mut draft = Draft::new(list(&["a", "b", "c"]));
    draft.remove(&"a".into());
    let sent = ModelGrants::new(draft.check().unwrap()).unwrap();
    assert!(draft.refuse(&sent, "grants[1].rpm", "Too high.".into()));
    assert_eq!(draft.error(&"c".into(), Part::Rpm).as_deref(), Some("Too high."));
    assert!(draft.refuse(&sent, "grants[0].model", "Unknown.".into()));
    assert_eq!(draft.error(&"b".into(), Part::Model).as_deref(), Some("Unknown."));
    for other in ["name", "grants", "grants[9].rpm", "grants[x].rpm"] {
        assert!(!draft.refuse(&sent, other, String::new()), "{other}");
    }
}

#[test]
fn a_model_the_region_lost_stays_as_it_was_and_can_be_removed() {
    let mut draft = Draft::new(list(&["a", "lost"]));
    assert_eq!(draft.limits()[1], ("lost".into(), 60, Some(100)));
    draft.remove(&"lost".into());
    assert_eq!(draft.limits().len(), 1);
}

#[test]
fn changes_outlive_what_someone_else_did_in_the_meantime() {
    let mut draft = Draft::new(list(&["a", "b", "c"]));
    draft.type_into("a", Part::Rpm, "7");
    draft.remove(&"b".into());
    draft.add(vec![model("d", None), model("e", None)]);
    draft.type_into("e", Part::Rpm, "9");
    // They removed b and granted e and f.
    draft.rebase(list(&["a", "c", "e", "f"]));
    assert_eq!(draft.changes(), Changes { added: 1, removed: 0, limits: 2 });
    assert_eq!(
        draft.limits(),
        [
            ("d".into(), 600, Some(1000)),
            ("a".into(), 7, Some(100)),
            ("c".into(), 60, Some(100)),
            ("e".into(), 9, Some(1000)),
            ("f".into(), 60, Some(100)),
        ]
    );
}

#[test]
fn a_page_holds_what_the_search_finds() {
    let mut draft = Draft::new(list(&["qwen-a", "qwen-b", "wan-image"]));
    let ids = |(ids, total): (Vec<ModelId>, usize)| {
        (ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(","), total)
    };
    assert_eq!(ids(draft.page("", 1, 2)), ("wan-image".into(), 3));
    assert_eq!(ids(draft.page(" WAN ", 0, 2)), ("wan-image".into(), 1));
    draft.remove(&"qwen-a".into());
    assert_eq!(ids(draft.page("", 0, 2)), ("qwen-a,qwen-b".into(), 3), "a removed row stays in view");
}

#[test]
fn removed_models_that_are_in_use_are_told_the_last_called_first() {
    let mut read = list(&["a", "b", "c"]);
    read.models = Some(vec![
        model("a", Some("2026-11-20T10:00:00.000Z")),
        model("b", Some("2026-11-20T12:00:00.000Z")),
        model("c", Some("2026-11-18T12:00:00.000Z")),
    ]);
    let mut draft = Draft::new(read);
    for id in ["a", "b", "c"] {
        draft.remove(&id.into());
    }
    let told: Vec<_> =
        draft.removed_since("2026-11-20T00:00:00.000Z").into_iter().map(|(id, _)| id).collect();
    assert_eq!(told, ["b".into(), "a".into()]);
}

#[test]
fn two_thousand_rows_take_a_change_and_a_page() {
    let ids: Vec<String> = (0..2000).map(|i| format!("m{i:04}")).collect();
    let mut draft = Draft::new(list(&ids.iter().map(String::as_str).collect::<Vec<_>>()));
    for id in &ids {
        draft.type_into(id, Part::Rpm, "1");
    }
    assert_eq!(draft.changes().limits, 2000);
    assert_eq!(draft.page("m19", 9, 10).1, 100);
    assert_eq!(draft.check().unwrap().len(), 2000);
}

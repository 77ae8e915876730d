//! The way to a call by its id.

use crate::api::WorkspaceKey;
use crate::routes::Place;
use crate::state::{use_list_view, use_navigation, use_workspace_place};
use crate::ui::SearchBox;
use leptos::prelude::*;

/// How many characters an id has.
const LENGTH: usize = 36;

/// The id in a text that was pasted, perhaps with the name of its header, or with quotes around it.
fn find_id(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(|word| {
        let parts: Vec<usize> = word.split('-').map(str::len).collect();
        word.len() == LENGTH
            && parts == [8, 4, 4, 4, 12]
            && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
    })
}

/// A field for the id that an answer told. A whole one opens its call at once, anything else on Enter.
#[component]
pub(super) fn FindCall() -> impl IntoView {
    let (workspace, view, navigation) = (use_workspace_place(), use_list_view(), use_navigation());
    let typed = StoredValue::new(String::new());
    let open = move |request_id: &str| {
        if let Some(WorkspaceKey { region, id }) = workspace.get_untracked() {
            let open = Some(request_id.to_ascii_lowercase());
            navigation.within(&view.get_untracked().at(&Place::Requests { region, workspace: id, open }));
        }
    };
    let search = move |text: String| {
        if let Some(id) = find_id(&text) {
            open(id);
        }
        typed.set_value(text);
    };
    let enter = move |()| {
        typed.with_value(|text| match find_id(text).unwrap_or(text) {
            "" => {}
            id => open(id),
        });
    };
    view! {
        <SearchBox
            label="Request ID"
            value=Signal::stored(String::new())
            on_search=Callback::new(search)
            on_enter=Callback::new(enter)
        />
    }
}

#[cfg(test)]
mod tests {
    use super::find_id;

    const ID: &str = "019a8b6e-0e4c-7c31-9d1e-3f2a1b0c4d5e";

    #[test]
    fn an_id_is_found_in_what_is_pasted() {
        for text in [ID.to_owned(), format!("x-request-id: {ID}"), format!("\"{ID}\","), format!(" {ID}\n")] {
            assert_eq!(find_id(&text), Some(ID), "{text}");
        }
        for text in ["", "019a8b6e", "x-request-id", &ID.replace('a', "x"), &ID.replace('-', "0")] {
            assert_eq!(find_id(text), None, "{text}");
        }
    }
}

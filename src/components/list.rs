//! What all lists share: which state they are in.

use super::error::{ErrorNote, ErrorView};
use super::list_navigation::use_list_navigation;
use crate::api::{Query, QueryState};
use crate::routes::ListView;
use crate::state::use_list_view;
use crate::ui::dom::end_boot;
use crate::ui::{Column, Pager, SkeletonRows, TableHead};
use keygate_contract::{ErrorCode, Page};
use leptos::prelude::*;

/// Which state a list is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Skeleton,
    Failed,
    Empty,
    NoResults,
    Rows,
}

fn shape<T>(state: &QueryState<Page<T>>, searching: bool) -> Shape {
    match (&state.value, &state.error) {
        (Some(page), _) if !page.items.is_empty() => Shape::Rows,
        (Some(_), None) if searching => Shape::NoResults,
        (Some(_), None) => Shape::Empty,
        (_, Some(_)) => Shape::Failed,
        (None, None) => Shape::Skeleton,
    }
}

/// A list in its card: rows, or what stands in their place.
#[component]
pub fn ListCard<T>(
    /// The page of the list.
    query: Query<Page<T>>,
    /// What the list holds, such as `workspaces`.
    what: &'static str,
    /// The columns.
    columns: &'static [Column],
    /// What tells two items apart.
    id: fn(&T) -> &str,
    /// One row. Its item changes in place, so that the focus stays where it is.
    row: Callback<Memo<T>, AnyView>,
    /// What is said when there is nothing yet.
    empty: ViewFn,
    /// What is said when the search finds nothing.
    no_results: ViewFn,
    /// What is said below the rows, of a page.
    foot: Callback<Page<T>, String>,
    /// Whether the address leaves anything of the list out.
    #[prop(default = ListView::is_narrow)]
    is_narrow: fn(&ListView) -> bool,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let view = use_list_view();
    let navigation = use_list_navigation();
    let state = query.state();
    let shape = Memo::new(move |_| state.with(|state| shape(state, view.with(is_narrow))));
    let retry = Callback::new(move |()| query.retry());
    Effect::new(move |_| {
        if shape.get() != Shape::Skeleton {
            end_boot();
        }
    });
    let stale_token = move || query.error().is_some_and(|error| error.code == ErrorCode::InvalidPageToken);
    Effect::new(move |_| {
        if stale_token() {
            navigation.first_page();
        }
    });

    let items = move || query.value().map(|page| page.items).unwrap_or_default();
    let render = move |first: T| {
        let key = id(&first).to_owned();
        let item = Memo::new(move |before: Option<&T>| {
            let now =
                state.with(|state| state.value.as_ref()?.items.iter().find(|item| id(item) == key).cloned());
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        });
        row.run(item)
    };
    // While the server is away the banner tells for all of the page.
    let refresh_error =
        Signal::derive(move || query.error().filter(|e| shape.get() == Shape::Rows && !e.is_away()));
    let table = move |rows: AnyView, busy: Signal<bool>| {
        view! {
            <table class="table" role="table" aria-label=what aria-busy=move || busy.get().to_string()>
                <TableHead columns />
                {rows}
            </table>
        }
    };
    let rows = move || {
        let body = view! {
            <tbody role="rowgroup">
                <For each=items key=move |item| id(item).to_owned() children=render />
            </tbody>
        };
        let outdated = Signal::derive(move || state.with(|state| state.outdated));
        let next = Signal::derive(move || query.value().and_then(|page| page.next_page_token));
        view! {
            {table(body.into_any(), outdated)}
            <div class="table-foot">
                <span>{move || query.value().map(|page| foot.run(page))}</span>
                <div class="spring"></div>
                <Pager
                    has_previous=Signal::derive(move || view.with(|view| !view.page.is_empty()))
                    has_next=Signal::derive(move || next.get().is_some())
                    on_previous=Callback::new(move |()| navigation.previous_page())
                    on_next=Callback::new(move |()| navigation.next_page(next.get_untracked()))
                />
            </div>
        }
    };
    let skeleton = move || {
        let body = view! { <SkeletonRows columns /> };
        view! {
            {table(body.into_any(), Signal::stored(true))}
            <div class="table-foot" aria-hidden="true"></div>
        }
    };
    let failed = move || query.error().map(|error| view! { <ErrorView error what on_retry=retry /> });
    view! {
        <div class="list-note"><ErrorNote error=refresh_error on_retry=retry /></div>
        <div class="card">
            {move || match shape.get() {
                Shape::Skeleton => skeleton().into_any(),
                Shape::Failed => failed.into_any(),
                Shape::Empty => empty.run(),
                Shape::NoResults => no_results.run(),
                Shape::Rows => rows().into_any(),
            }}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ApiError;

    fn state(items: Option<Vec<u8>>, failed: bool) -> QueryState<Page<u8>> {
        let page = |items: Vec<u8>| Page { total: items.len() as u64, items, next_page_token: None };
        let error = failed.then(ApiError::unreachable);
        QueryState { value: items.map(page), error, ..QueryState::nothing() }
    }

    #[test]
    fn nothing_found_is_not_nothing_there() {
        assert_eq!(shape(&state(Some(vec![]), false), true), Shape::NoResults);
        assert_eq!(shape(&state(Some(vec![]), false), false), Shape::Empty);
    }

    #[test]
    fn rows_outlive_an_error_and_emptiness_does_not() {
        assert_eq!(shape(&state(Some(vec![1]), true), false), Shape::Rows);
        assert_eq!(shape(&state(Some(vec![]), true), false), Shape::Failed);
        assert_eq!(shape(&state(None, true), false), Shape::Failed);
        assert_eq!(shape(&state(None, false), false), Shape::Skeleton);
    }
}

//! What tables share: their head, and the bones that stand in the rows' place.

use super::dom::is_booting;
use leptos::prelude::*;

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading; empty for the column of acts, which assistive technology hears as "Actions".
    pub label: &'static str,
    /// `num` for numbers.
    pub class: &'static str,
}

/// The head of a table. Roles are written out, as a narrow screen lays the table out as a list.
#[component]
pub fn TableHead(
    /// The columns.
    columns: &'static [Column],
) -> impl IntoView {
    let cells = columns.iter().map(|column| {
        let label = if column.label.is_empty() {
            view! { <span class="sr-only">"Actions"</span> }.into_any()
        } else {
            column.label.into_any()
        };
        view! { <th scope="col" role="columnheader" class=column.class>{label}</th> }
    });
    view! {
        <thead role="rowgroup">
            <tr role="row">{cells.collect_view()}</tr>
        </thead>
    }
}

/// Rows of bones. The first ones of all take over from `index.html` at once; later ones wait for 150 ms.
#[component]
pub fn SkeletonRows(
    /// The columns.
    columns: &'static [Column],
) -> impl IntoView {
    let booting = is_booting();
    let row = move || {
        let cells = columns.iter().enumerate().map(|(i, column)| {
            let (class, bone) = match i {
                0 => ("lead", "bone long"),
                _ if i + 1 == columns.len() => ("acts", "bone short"),
                _ => (column.class, "bone"),
            };
            view! { <td class=class><i class=bone></i></td> }
        });
        view! { <tr>{cells.collect_view()}</tr> }
    };
    view! {
        <tbody class=if booting { "skeleton at-once" } else { "skeleton" } aria-hidden="true">
            {(0..5).map(|_| row()).collect_view()}
        </tbody>
    }
}

//! One model that is granted, or will be.

use super::draft::{Draft, Part, Row};
use crate::components::type_name;
use crate::ui::dom::unique_id;
use crate::ui::{Badge, FieldError, Glyph, Icon, NumberInput, Tone, whole};
use leptos::prelude::*;
use std::sync::Arc;

/// A row. A removed one stays until it is saved, and can be put back.
#[component]
pub(super) fn GrantRow(
    row: Arc<Row>,
    draft: RwSignal<Draft>,
    /// Runs when the row goes at once.
    on_gone: Callback<()>,
) -> impl IntoView {
    let id = row.id.clone();
    let is_new = row.granted.is_none();
    let removed = {
        let id = id.clone();
        Memo::new(move |_| draft.with(|draft| draft.is_removed(&id)))
    };
    let error = {
        let id = id.clone();
        move |part| {
            let id = id.clone();
            Signal::from(Memo::new(move |_| draft.with(|draft| draft.error(&id, part))))
        }
    };
    let is_known = row.model.is_some();
    let about = match &row.model {
        Some(model) => {
            view! { <div class="sub"><bdi>{model.vendor.clone()}</bdi> " · " {type_name(model.kind)}</div> }
                .into_any()
        }
        None => view! { <div class="sub lost">"No longer in the catalogue"</div> }.into_any(),
    };
    let field = {
        let error = error.clone();
        move |part: Part, what: &str| {
            let row = Arc::clone(&row);
            let (label, bound) = (format!("{what}, {}", row.id), row.account(part)?);
            let value = {
                let row = Arc::clone(&row);
                Memo::new(move |_| draft.with(|draft| draft.text(&row, part)))
            };
            let enter = Callback::new(move |text| draft.update(|draft| draft.enter(&row, part, text)));
            Some(view! {
                <NumberInput label value=value.into() error=error(part) hint=format!("max {}", whole(bound)) on_input=enter />
            })
        }
    };
    let tokens = {
        let field = field.clone();
        move || match (is_known, field(Part::Tpm, "Tokens per minute")) {
            (_, Some(field)) => field.into_any(),
            (true, None) => view! { <div class="sub">"not metered"</div> }.into_any(),
            (false, None) => view! { <div class="muted">"—"</div> }.into_any(),
        }
    };
    let times = move || match field(Part::Rpm, "Times per minute") {
        Some(field) => field.into_any(),
        None => view! { <div class="muted">"—"</div> }.into_any(),
    };
    let cells = move || {
        match removed.get() {
        true => view! { <td role="cell" class="muted limit" data-label="On saving">"removed"</td> <td role="cell" class="limit"></td> }.into_any(),
        false => view! {
            <td role="cell" class="limit" data-label="Times / min">{times()}</td>
            <td role="cell" class="limit" data-label="Tokens / min">{tokens()}</td>
        }
        .into_any(),
    }
    };
    let act = {
        let id = id.clone();
        move |_| {
            let was_removed = removed.get_untracked();
            draft.update(|draft| if was_removed { draft.put_back(&id) } else { draft.remove(&id) });
            if is_new {
                on_gone.run(());
            }
        }
    };
    let name = id.to_string();
    let label = {
        let name = name.clone();
        move || if removed.get() { format!("Put back {name}") } else { format!("Remove {name}") }
    };
    view! {
        <tr role="row" class:gone=move || removed.get()>
            <td role="cell" class="lead">
                <div class="name">
                    <span class="main mono">{name}</span>
                    {is_new.then(|| view! { <Badge tone=Tone::Plain label="new" /> })}
                </div>
                {about}
                <FieldError id=unique_id("error") error=error(Part::Model) />
            </td>
            {cells}
            <td role="cell" class="acts">
                <div>
                    <button type="button" class="btn quiet small square" aria-label=label.clone() title=label on:click=act>
                        {move || if removed.get() { view! { <Icon glyph=Glyph::Undo /> } } else { view! { <Icon glyph=Glyph::Close /> } }}
                    </button>
                </div>
            </td>
        </tr>
    }
}

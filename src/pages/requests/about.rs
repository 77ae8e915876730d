//! All that is known of a call.

use super::meaning::meaning;
use super::row::key_address;
use super::timing::timing;
use crate::api::WorkspaceKey;
use crate::components::{KeyNames, NamedKey, class_name, class_tone, door_name};
use crate::state::SignedIn;
use crate::ui::{Badge, Glyph, Note, moment, money, whole};
use keygate_contract::{Call, CallClass, ThrottledBy};
use leptos::prelude::*;

/// A limit, in words.
fn limit_name(limit: ThrottledBy) -> &'static str {
    match limit {
        ThrottledBy::WorkspaceRequests => "Calls per minute of the workspace",
        ThrottledBy::WorkspaceTokens => "Tokens per minute of the workspace",
        ThrottledBy::AccountRequests => "Calls per minute of the account",
        ThrottledBy::AccountTokens => "Tokens per minute of the account",
        ThrottledBy::KeyConcurrency => "Calls of the key under way at once",
    }
}

/// The call, in the drawer.
pub(super) fn about(call: &Call, workspace: WorkspaceKey, names: KeyNames) -> AnyView {
    let note = meaning(call).map(|words| {
        let class = match call.class {
            CallClass::ServerError => "note bad",
            CallClass::Throttled => "note",
            CallClass::Ok | CallClass::ClientError => "note info",
        };
        view! { <Note class glyph=Glyph::Error>{words}</Note> }
    });
    let ended = moment(call.time.as_str());
    let model = match &call.model {
        Some(model) => view! { <span class="mono">{model.to_string()}</span> }.into_any(),
        None => "None, or one that the region does not have".into_any(),
    };
    view! {
        <section class="stack call">
            <p class="name">
                <Badge tone=class_tone(call.class) label=class_name(call.class) />
                <span class="num">"HTTP " {call.status}</span>
                {call.error_code.clone().map(|code| view! { <code class="muted">{code}</code> })}
            </p>
            {note}
        </section>
        <section class="stack call">
            <h2>"Timings"</h2>
            {timing(call)}
        </section>
        <section class="stack call">
            <h2>"Call"</h2>
            <dl class="facts">
                <dt>"Ended"</dt>
                <dd><time datetime=call.time.to_string()>{ended}</time></dd>
                {(call.count > 1).then(|| view! {
                    <dt>"Requests"</dt>
                    <dd>{whole(call.count.into())} " similar rejections within seconds. This is the latest."</dd>
                })}
                <dt>"Model"</dt>
                <dd class="anywhere">{model}</dd>
                <dt>"Protocol"</dt>
                <dd>{door_name(call.door)} {call.stream.then_some(", as a stream")}</dd>
                {call.throttled_by.map(|limit| view! { <dt>"Refused by"</dt><dd>{limit_name(limit)}</dd> })}
                <Whose call=call.clone() workspace names />
                <dt>"Address"</dt>
                <dd class="anywhere"><span class="mono">{call.address.clone()}</span></dd>
            </dl>
        </section>
        <section class="stack call">
            <h2>"Usage"</h2>
            <dl class="facts">
                <dt>"Tokens in"</dt>
                <dd class="tabular">
                    {whole(call.input_tokens)}
                    {(call.cached_tokens > 0).then(|| format!(", {} of them cached", whole(call.cached_tokens)))}
                </dd>
                <dt>"Tokens out"</dt>
                <dd class="tabular">{whole(call.output_tokens)}</dd>
                {call.estimated.then(|| view! { <dt></dt><dd class="muted">"Estimated: the model told no usage."</dd> })}
                <dt>"Cost"</dt>
                <dd class="tabular">{cost(call)}</dd>
            </dl>
        </section>
    }    .into_any()
}

fn cost(call: &Call) -> String {
    match &call.cost {
        Some(cost) => money(cost.amount, &cost.currency),
        None if call.class == CallClass::Ok => "The catalogue has no price for it.".to_owned(),
        None => "Nothing".to_owned(),
    }
}

/// With which key it came, and whose that is.
#[component]
fn Whose(call: Call, workspace: WorkspaceKey, names: KeyNames) -> impl IntoView {
    let session = SignedIn::expect().session;
    let (id, member) = (call.api_key, call.member);
    let key = {
        let id = id.clone();
        Memo::new(move |_| names.find(id.as_str()))
    };
    let words = move || match key.get() {
        NamedKey::Key(key) => view! {
            <a href=key_address(&workspace, key.id.as_str())><bdi>{key.description}</bdi></a>
            " "
            <span class="mono muted nowrap">{key.masked}</span>
        }
        .into_any(),
        NamedKey::Deleted => {
            let id = id.to_string();
            view! { <span class="mono">{id}</span> <span class="muted">", deleted"</span> }.into_any()
        }
        NamedKey::Unknown => view! { <span class="mono">{id.to_string()}</span> }.into_any(),
    };
    let owner = move || {
        let of_key = match key.get() {
            NamedKey::Key(key) if key.created_by.id == member => Some(key.created_by.email),
            _ => None,
        };
        let own = session.value().filter(|session| session.member.id == member).map(|s| s.member.email);
        of_key.or(own).unwrap_or_else(|| member.to_string())
    };
    view! {
        <dt>"API key"</dt>
        <dd class="anywhere">{words}</dd>
        <dt>"Owner of the key"</dt>
        <dd class="anywhere"><bdi>{owner}</bdi></dd>
    }
}

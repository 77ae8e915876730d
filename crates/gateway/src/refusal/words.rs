//! Parts of messages.

use crate::limit::{Dimension, Exceeded, Scope};

/// Which limit, how much of it the call asks for, and what to do.
pub(super) fn limit_message(model: &str, exceeded: &Exceeded) -> String {
    let Exceeded { limit, asked, retry_after_seconds: seconds, .. } = *exceeded;
    let whose = match exceeded.scope {
        Scope::Workspace => "the workspace",
        Scope::Account => "the account",
    };
    let wait = if seconds == 1 { "1 second".to_owned() } else { format!("{seconds} seconds") };
    match exceeded.dimension {
        Dimension::Requests => format!(
            "The limit of {whose} for `{model}`, {limit} requests per minute, is reached. Try again in {wait}."
        ),
        Dimension::Tokens if !exceeded.can_ever_pass => format!(
            "This call may use {asked} tokens, which is more than the whole limit of {whose} for `{model}`, {limit} \
             tokens per minute. Lower `max_tokens` or shorten the prompt."
        ),
        Dimension::Tokens => format!(
            "This call may use {asked} tokens, and of the limit of {whose} for `{model}`, {limit} tokens per minute, \
             that much is free again in {wait}. Try again then, or lower `max_tokens`."
        ),
    }
}

/// A name out of a request, short enough for a message.
pub(super) fn short(name: &str) -> String {
    const MAX: usize = 80;
    match name.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

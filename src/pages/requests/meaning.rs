//! What the code of a call means, and what to do about it.
//!
//! Each protocol has codes of its own for the same refusal; they are those of the gateway, listed in
//! `docs/api-design.md`.

use keygate_contract::{Call, CallClass, ThrottledBy};

/// One or two sentences; none for a call that was answered.
pub(super) fn meaning(call: &Call) -> Option<&'static str> {
    if let Some(limit) = call.throttled_by {
        return Some(of_limit(limit));
    }
    let code = call.error_code.as_deref();
    let told = code.and_then(|code| of_code(code, call.status)).or_else(|| of_status(call.status));
    told.or(match call.class {
        CallClass::Ok => None,
        CallClass::ClientError => Some("The call was refused. The answer that its caller got says why."),
        CallClass::Throttled => Some("A limit was reached. Send calls more slowly."),
        CallClass::ServerError => Some("The call failed behind the gateway. Send it again."),
    })
}

fn of_limit(limit: ThrottledBy) -> &'static str {
    match limit {
        ThrottledBy::WorkspaceRequests => {
            "The workspace had made as many calls of this model as it may in a minute. Send calls more slowly, or raise the limit in the workspace’s model permission."
        }
        ThrottledBy::WorkspaceTokens => {
            "The tokens per minute that the workspace has for this model did not suffice. Lower max_tokens, send calls more slowly, or raise the limit in the workspace’s model permission."
        }
        ThrottledBy::AccountRequests => {
            "The account had made as many calls of this model as it may in a minute, in all workspaces together. Send calls more slowly, or use another model."
        }
        ThrottledBy::AccountTokens => {
            "The tokens per minute that the account has for this model did not suffice, all workspaces together. Lower max_tokens, send calls more slowly, or use another model."
        }
        ThrottledBy::KeyConcurrency => {
            "The key had as many calls under way as it may. Wait until one has ended, or use another key."
        }
    }
}

fn of_code(code: &str, status: u16) -> Option<&'static str> {
    Some(match code {
        "client_closed_request" if status == 200 => {
            "The caller left while the answer was streaming. What was used until then is counted."
        }
        "client_closed_request" => {
            "The caller left before there was an answer. Have it wait longer, or stream the answer."
        }
        "server_stopped" => "Keygate was stopped while the call was under way. Send it again.",
        "invalid_api_key" | "InvalidApiKey" | "authentication_error" => {
            "The key could not be used: it was disabled or had expired, its owner was disabled, or it belongs to another region. The list of API keys shows its state."
        }
        "access_denied" | "Endpoint.AccessDenied" | "AccessDenied" => {
            "The host that was called takes the keys of another workspace. Use a base URL from the Endpoints page."
        }
        "ip_not_allowed" => {
            "The key may not be used from this address. If the address is yours, add it to the key’s permission."
        }
        "Model.AccessDenied" => {
            "The key may not call this model. Add it to the workspace’s model permission, and to the key’s if that is custom."
        }
        "permission_error" => {
            "The key may not call this model, not from this address, or not at this host. Look at its permission, and at its workspace’s."
        }
        "model_not_found" | "ModelNotFound" => {
            "The region has no model of the name that was asked for. The Models page lists those that may be called."
        }
        "not_found" | "NotFound" => {
            "There is nothing at the path that was called. Check the base URL and the path."
        }
        "not_found_error" => {
            "The region has no model of the name that was asked for, or there is nothing at the path. The Models page lists the models that may be called."
        }
        "method_not_allowed" | "MethodNotAllowed" => "The path takes another method. Most take POST.",
        "invalid_request_error" | "InvalidParameter" | "BadRequest.IllegalInput" => {
            "The body is not what the operation or the model takes. The answer that the caller got names the field that is wrong."
        }
        "BadRequest.EmptyModel" => "The body named no model. Put one into its field “model”.",
        "request_too_large" | "headers_too_large" | "BadRequest.TooLarge" => {
            "The body or the headers were larger than the gateway takes. Send less at once."
        }
        "usage_unavailable" | "UsageUnavailable" => {
            "Calls could not be recorded, so this one was not made. Look at the server’s disk and log."
        }
        "server_overloaded" | "ServerOverloaded" => {
            "The server already held all the request and answer data it may hold. Send the call again in a few seconds. If this repeats, raise limits.body_memory or send smaller requests."
        }
        "model_unavailable" | "ModelUnavailable" => {
            "No upstream serves the model, or it could not be reached. Check the server’s configuration and the upstream."
        }
        "model_overloaded" | "ModelServingError" | "overloaded_error" => {
            "The upstream had no room for the call. Send it again in a moment."
        }
        "upstream_error" | "InternalError.Upstream" => {
            "The upstream’s answer was cut off or could not be read. Send the call again; if it goes on, look at the upstream."
        }
        _ => return None,
    })
}

/// What is told by the status alone, as some protocols have one code for all.
fn of_status(status: u16) -> Option<&'static str> {
    Some(match status {
        408 => "The body did not arrive in time. Send it again, faster or smaller.",
        500 => "The upstream did not answer in time. Send the call again, with less to do if you can.",
        502 => "The upstream’s answer was cut off or could not be read. Send the call again.",
        503 => "The model could not be reached, or had no room. Send the call again in a moment.",
        _ => return None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use keygate_contract::{CallDoor, Timestamp};

    pub(in crate::pages::requests) fn call() -> Call {
        Call {
            request_id: "019a8b6e-0e4c-7c31-9d1e-3f2a1b0c4d5e".into(),
            time: Timestamp::from_rfc3339("2026-11-21T11:00:00.000Z".into()),
            api_key: "key-1".into(),
            member: "mem-1".into(),
            model: None,
            door: CallDoor::Openai,
            status: 200,
            class: CallClass::Ok,
            error_code: None,
            throttled_by: None,
            stream: false,
            input_tokens: 0,
            output_tokens: 0,
            cached_tokens: 0,
            estimated: false,
            latency_ms: 1.0,
            forwarded_ms: None,
            first_token_ms: None,
            address: "127.0.0.1".into(),
            cost: None,
            count: 1,
        }
    }

    fn told(status: u16, class: CallClass, code: &str) -> Option<&'static str> {
        meaning(&Call { status, class, error_code: Some(code.into()), ..call() })
    }

    #[test]
    fn an_answer_means_nothing_more_and_every_failure_is_explained() {
        assert_eq!(meaning(&call()), None);
        for (class, status) in
            [(CallClass::ClientError, 418), (CallClass::Throttled, 429), (CallClass::ServerError, 599)]
        {
            assert!(told(status, class, "of_a_later_version").is_some(), "{class}");
        }
    }

    #[test]
    fn one_code_means_what_its_status_says() {
        let slow_body = told(408, CallClass::ClientError, "request_timeout");
        let slow_model = told(500, CallClass::ServerError, "request_timeout");
        assert!(slow_body.is_some_and(|words| words.contains("body")));
        assert!(slow_model.is_some_and(|words| words.contains("upstream")));
        let left = told(200, CallClass::Ok, "client_closed_request");
        assert_ne!(left, told(499, CallClass::ClientError, "client_closed_request"));
    }

    #[test]
    fn a_limit_is_told_before_its_code() {
        let limit = Some(ThrottledBy::KeyConcurrency);
        let refused = Call { throttled_by: limit, error_code: Some("invalid_api_key".into()), ..call() };
        assert_eq!(meaning(&refused), Some(of_limit(ThrottledBy::KeyConcurrency)));
    }
}

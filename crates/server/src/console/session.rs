//! Signing in and out, and who is signed in.

use super::Console;
use super::change::Done;
use super::extract::{Json, Origin, Signed};
use crate::problem::{Problem, Problems};
use crate::secret::{random_code, random_token};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use keygate_contract::{Email, EmailCodeCreate, ErrorCode, Session, SessionCreate};
use keygate_store::{CodeCheck, EmailCode, NewSession, now_ms};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(session_code))
        .routes(routes!(session_create, session_view, session_delete))
        .routes(routes!(session_delete_all))
}

/// Send a sign-in code
///
/// Sends a code of six digits to a member's address. The answer is the same whether the address is a member's or not.
/// A code works once, for 10 minutes and 5 tries; one is sent at most once a minute and ten times an hour.
#[utoipa::path(
    post, path = "/session/email-code", operation_id = "session_code", tag = "session",
    request_body = EmailCodeCreate,
    responses((status = 202, description = "A code was sent, if the address is a member's", body = Value), Problems),
)]
async fn session_code(
    State(console): State<Console>,
    origin: Origin,
    Json(body): Json<EmailCodeCreate>,
) -> Result<(StatusCode, axum::Json<Value>), Problem> {
    console.attempts.take(&origin.address)?;
    let code = random_code();
    let hash = console.secret.code_hash(&body.email, &code);
    if console.store.code_create(&body.email, &hash, now_ms()).await? == EmailCode::Send {
        // Not waited for: how long a mail takes would tell who is a member.
        let console = console.clone();
        tokio::spawn(async move {
            if let Err(error) = console.mailer.send_code(&body.email, &code).await {
                tracing::error!(%error, "a sign-in code could not be sent");
            }
        });
    }
    Ok((StatusCode::ACCEPTED, axum::Json(json!({}))))
}

/// Sign in
///
/// With a code sent by mail, or the token of a sign-in link. Sets the session's cookie.
#[utoipa::path(
    post, path = "/session", operation_id = "session_create", tag = "session",
    request_body = SessionCreate,
    responses((status = 201, description = "Signed in", body = Session, headers(("set-cookie" = String))), Problems),
)]
async fn session_create(
    State(console): State<Console>,
    origin: Origin,
    Json(body): Json<SessionCreate>,
) -> Result<Response, Problem> {
    console.attempts.take(&origin.address)?;
    let token = random_token();
    let new = NewSession {
        token_hash: console.secret.session_hash(&token),
        address: origin.address,
        request_id: origin.request_id,
    };
    let session = match proof(body)? {
        Proof::Link(link) => {
            let hash = console.secret.link_hash(&link);
            console.store.session_create_by_link(&hash, &new, now_ms()).await?.ok_or_else(bad_link)?
        }
        Proof::Code(email, code) => {
            let hash = console.secret.code_hash(&email, &code);
            match console.store.session_create_by_code(&email, &hash, &new, now_ms()).await? {
                CodeCheck::SignedIn(session) => session,
                CodeCheck::Wrong => return Err(bad_code()),
                CodeCheck::TooMany { retry_after } => return Err(too_many_tries(retry_after)),
            }
        }
    };
    let mut response = (StatusCode::CREATED, axum::Json(session)).into_response();
    response.headers_mut().insert(header::SET_COOKIE, console.cookie.set(&token));
    Ok(response)
}

/// Show who is signed in
#[utoipa::path(
    get, path = "/session", operation_id = "session_view", tag = "session", security(("session" = [])),
    responses((status = 200, description = "The person, their account and role", body = Session), Problems),
)]
async fn session_view(signed: Signed) -> axum::Json<Session> {
    axum::Json(signed.session)
}

/// Sign out
///
/// Ends the session on the server; its cookie opens nothing afterwards.
#[utoipa::path(
    delete, path = "/session", operation_id = "session_delete", tag = "session", security(("session" = [])),
    responses((status = 204, description = "Signed out"), Problems),
)]
async fn session_delete(State(console): State<Console>, signed: Signed) -> Result<Response, Problem> {
    let hash = signed.token_hash;
    let done: Done<()> = console
        .changes
        .run(signed.author(), None, StatusCode::NO_CONTENT, move |change| {
            Box::pin(async move { change.session_delete(&hash).await })
        })
        .await?;
    let mut response = done.into_response();
    response.headers_mut().insert(header::SET_COOKIE, console.cookie.clear());
    Ok(response)
}

/// Sign out everywhere
///
/// Ends all sessions of the person who asks, this one and those of other browsers, at once.
#[utoipa::path(
    delete, path = "/sessions", operation_id = "session_delete_all", tag = "session", security(("session" = [])),
    responses((status = 204, description = "Signed out everywhere"), Problems),
)]
async fn session_delete_all(State(console): State<Console>, signed: Signed) -> Result<Response, Problem> {
    let done: Done<()> = console
        .changes
        .run(signed.author(), None, StatusCode::NO_CONTENT, move |change| {
            Box::pin(async move { change.session_delete_all().await })
        })
        .await?;
    let mut response = done.into_response();
    response.headers_mut().insert(header::SET_COOKIE, console.cookie.clear());
    Ok(response)
}

enum Proof {
    Link(Zeroizing<String>),
    Code(Email, Zeroizing<String>),
}

fn proof(body: SessionCreate) -> Result<Proof, Problem> {
    let missing = |field: &str| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::MissingField,
            "Send `email` and `code`, or the `token` of a sign-in link.",
        )
        .field(field)
    };
    match (body.email, body.code, body.token) {
        (None, None, Some(token)) => Ok(Proof::Link(Zeroizing::new(token))),
        (Some(email), Some(code), None) => {
            let code = Zeroizing::new(code);
            let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
            if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
                Ok(Proof::Code(email, Zeroizing::new(digits)))
            } else {
                Err(Problem::invalid_field("code", "Enter the six digits of the mail."))
            }
        }
        (Some(_), None, None) => Err(missing("code")),
        (None, Some(_), None) => Err(missing("email")),
        (None, None, None) => Err(missing("token")),
        (_, _, Some(_)) => {
            Err(Problem::invalid_field("token", "Send a token alone, without `email` and `code`."))
        }
    }
}

fn bad_link() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        ErrorCode::SignInFailed,
        "This link was used already or is older than 15 minutes. Make another with `keygate sign-in-link`, or sign in \
         by e-mail.",
    )
}

fn bad_code() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        ErrorCode::SignInFailed,
        "This code is wrong, was used already or is older than 10 minutes. Check it, or ask for a new one.",
    )
    .field("code")
}

fn too_many_tries(retry_after: u64) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooManyAttempts,
        "This code was tried too often and works no more. Ask for a new one in a minute; at most ten are sent an hour.",
    )
    .field("code")
    .retry_after(retry_after)
}

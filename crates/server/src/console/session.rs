//! Signing in and out, and who is signed in.

use super::Console;
use super::browser::Browser;
use super::change::Done;
use super::extract::{Json, Signed};
use crate::problem::{Problem, Problems};
use crate::secret::{random_code, random_token};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use keygate_contract::{Email, EmailCodeCreate, ErrorCode, Session, SessionCreate};
use keygate_store::{BrowserToken, CodeCheck, EmailCode, NewCode, NewSession, now_ms};
use serde_json::json;
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
/// The code works only together with the cookie that this answer sets: send it back with `session_create`. It works
/// once, for 10 minutes and 5 attempts. A browser gets at most one code a minute and ten an hour.
#[utoipa::path(
    post, path = "/session/email-code", operation_id = "session_code", tag = "session",
    request_body = EmailCodeCreate,
    responses(
        (status = 202, description = "A code was sent, if the address is a member's", body = Value, headers(("set-cookie" = String))),
        Problems,
    ),
)]
async fn session_code(
    State(console): State<Console>,
    browser: Browser,
    Json(body): Json<EmailCodeCreate>,
) -> Result<Response, Problem> {
    browser.take_attempt(&console).await?;
    let (code, nonce) = (random_code(), random_token());
    let new = NewCode {
        nonce_hash: console.secret.nonce_hash(&nonce),
        code_hash: console.secret.code_hash(&body.email, &nonce, &code),
    };
    let created = console.store.code_create(&body.email, &new, &browser.source(), now_ms()).await?;
    if created == EmailCode::Send {
        // Not waited for: how long a mail takes would tell who is a member.
        let console = console.clone();
        tokio::spawn(async move {
            if let Err(error) = console.mailer.send_code(&body.email, &code).await {
                tracing::error!(%error, "a sign-in code could not be sent");
            }
        });
    }
    let mut response = (StatusCode::ACCEPTED, axum::Json(json!({}))).into_response();
    if created != EmailCode::Unchanged {
        response.headers_mut().append(header::SET_COOKIE, console.cookie.set_code(&nonce));
    }
    Ok(response)
}

/// Sign in
///
/// Takes a code sent by mail and the cookie of `session_code`, or the token of a sign-in link. Sets the session's
/// cookie, and a cookie by which the browser is known at the next sign-in.
#[utoipa::path(
    post, path = "/session", operation_id = "session_create", tag = "session",
    request_body = SessionCreate,
    responses((status = 201, description = "Signed in", body = Session, headers(("set-cookie" = String))), Problems),
)]
async fn session_create(
    State(console): State<Console>,
    browser: Browser,
    Json(body): Json<SessionCreate>,
) -> Result<Response, Problem> {
    let attempt = browser.take_attempt(&console).await;
    let proof = match attempt {
        Ok(()) => proof(body)?,
        Err(problem) => working_link(&console, body).await?.ok_or(problem)?,
    };
    let (token, browser_token) = (random_token(), random_token());
    let source = browser.source();
    let new = NewSession {
        token_hash: console.secret.session_hash(&token),
        browser: BrowserToken {
            new_hash: console.secret.browser_hash(&browser_token),
            old_hash: browser.browser_hash,
        },
        address: browser.origin.address.clone(),
        request_id: browser.origin.request_id.clone(),
    };
    let by_code = matches!(proof, Proof::Code(..));
    let session = match proof {
        Proof::Link(link) => {
            let hash = console.secret.link_hash(&link);
            console.store.session_create_by_link(&hash, &new, now_ms()).await?.ok_or_else(bad_link)?
        }
        Proof::Code(email, code) => {
            let hash = console.secret.code_hash(&email, browser.nonce(), &code);
            match console.store.session_create_by_code(&email, &hash, &source, &new, now_ms()).await? {
                CodeCheck::SignedIn(session) => session,
                CodeCheck::Wrong => return Err(bad_code()),
                CodeCheck::Spent { retry_after } => return Err(spent_code(retry_after)),
                CodeCheck::TooMany { retry_after } => return Err(too_many_failures(retry_after)),
            }
        }
    };
    let mut response = (StatusCode::CREATED, axum::Json(session)).into_response();
    let headers = response.headers_mut();
    headers.append(header::SET_COOKIE, console.cookie.set(&token));
    headers.append(header::SET_COOKIE, console.cookie.set_browser(&browser_token));
    if by_code {
        headers.append(header::SET_COOKIE, console.cookie.clear_code());
    }
    Ok(response)
}

/// The valid link of a request whose network has no attempts left. Nobody can guess a link, so it needs no limit, and
/// the operator can always sign in with one.
async fn working_link(console: &Console, body: SessionCreate) -> Result<Option<Proof>, Problem> {
    let Ok(Proof::Link(link)) = proof(body) else { return Ok(None) };
    let is_valid = console.store.link_is_valid(&console.secret.link_hash(&link), now_ms()).await?;
    Ok(is_valid.then_some(Proof::Link(link)))
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
/// Ends all sessions of the person who asks, in this and in other browsers, at once. The other browsers count as
/// unknown at their next sign-in.
#[utoipa::path(
    delete, path = "/sessions", operation_id = "session_delete_all", tag = "session", security(("session" = [])),
    responses((status = 204, description = "Signed out everywhere"), Problems),
)]
async fn session_delete_all(
    State(console): State<Console>,
    browser: Browser,
    signed: Signed,
) -> Result<Response, Problem> {
    let hash = browser.browser_hash;
    let done: Done<()> = console
        .changes
        .run(signed.author(), None, StatusCode::NO_CONTENT, move |change| {
            Box::pin(async move { change.session_delete_all(hash.as_ref()).await })
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
        "This code is wrong, already used, older than 10 minutes, or was requested in another browser. Check it, or \
         request a new one here.",
    )
    .field("code")
}

fn spent_code(retry_after: u64) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooManyAttempts,
        "This code was tried too often and works no more. Ask for a new one in a minute; at most ten are sent an hour.",
    )
    .field("code")
    .retry_after(retry_after)
}

fn too_many_failures(retry_after: u64) -> Problem {
    let wait = match retry_after.div_ceil(60) {
        1 => "a minute".to_owned(),
        minutes @ 2..=90 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes.div_ceil(60)),
    };
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooManyAttempts,
        format!(
            "Too many wrong codes. Try again in {wait}, use a browser in which you have signed in before, or use a \
             link from `keygate sign-in-link`."
        ),
    )
    .field("code")
    .retry_after(retry_after)
}

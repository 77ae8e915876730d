//! Signing in and out. Each backend has sessions of its own, so the client is one [`at`](Client::at) a backend.

use super::client::Client;
use super::error::Result;
use keygate_contract::{EmailCodeCreate, Session, SessionCreate};

/// Who is signed in.
///
/// # Errors
/// `not_signed_in`, and what any request can meet.
pub async fn session_view(client: Client) -> Result<Session> {
    client.get("/session").await
}

/// Sends a code to a member's address. The answer is the same whether there is such a member.
///
/// # Errors
/// `too_many_attempts`, and what any request can meet.
pub async fn session_code(client: Client, body: EmailCodeCreate) -> Result<()> {
    client.command("/session/email-code", &body, None).await
}

/// Signs in by code or link.
///
/// # Errors
/// `sign_in_failed`, `too_many_attempts`, and what any request can meet.
pub async fn session_create(client: Client, body: SessionCreate) -> Result<Session> {
    client.post("/session", &body, None).await
}

/// Signs out.
///
/// # Errors
/// What any request can meet.
pub async fn session_delete(client: Client) -> Result<()> {
    client.delete("/session").await
}

/// Ends every session of the person on this backend, this one included.
///
/// # Errors
/// What any request can meet.
pub async fn session_delete_all(client: Client) -> Result<()> {
    client.delete("/sessions").await
}

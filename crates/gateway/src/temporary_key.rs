//! Temporary keys made by applications: `POST /api/v1/tokens?expire_in_seconds=60`, as DashScope has it.

use crate::credential::{Presented, PublicId, TemporaryKeySigner};
use crate::refusal::Refusal;
use bytes::Bytes;
use keygate_contract::TemporaryKeyLife;
use keygate_store::now_ms;
use serde_json::json;

/// The one field of the query. Others are for other services, and pass.
const FIELD: &str = "expire_in_seconds";

/// Makes a temporary key from the one that was presented, `parent`.
///
/// # Errors
/// [`Refusal::TemporaryKeyMints`] or [`Refusal::BadQuery`].
pub(crate) fn create(
    presented: Presented<'_>,
    parent: (PublicId, &[u8; 32]),
    signer: &TemporaryKeySigner,
    query: Option<&str>,
) -> Result<Bytes, Refusal> {
    if matches!(presented, Presented::Temporary(_)) {
        return Err(Refusal::TemporaryKeyMints);
    }
    let life = life(query.unwrap_or_default())?;
    let expires_at = now_ms() + i64::from(life.get()) * 1000;
    let token = signer.mint(parent.0, parent.1, expires_at);
    Ok(Bytes::from(json!({ "token": token.expose(), "expires_at": expires_at / 1000 }).to_string()))
}

fn life(query: &str) -> Result<TemporaryKeyLife, Refusal> {
    let mut given = query.split('&').filter_map(|pair| match pair.split_once('=') {
        Some((FIELD, value)) => Some(value),
        None if pair == FIELD => Some(""),
        _ => None,
    });
    let bad = |message| Refusal::BadQuery { message, param: FIELD };
    match (given.next(), given.next()) {
        (None, _) => Ok(TemporaryKeyLife::default()),
        (Some(value), None) => {
            TemporaryKeyLife::parse(value).map_err(|error| bad(format!("In `{FIELD}`: {error}")))
        }
        (Some(_), Some(_)) => Err(bad(format!("`{FIELD}` stands twice. Send it once."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_1_to_1800_seconds_and_60_unless_told() {
        for (query, seconds) in [
            ("", Some(60)),
            ("other=1", Some(60)),
            ("expire_in_seconds=1", Some(1)),
            ("a=b&expire_in_seconds=1800", Some(1800)),
            ("expire_in_seconds=0", None),
            ("expire_in_seconds=1801", None),
            ("expire_in_seconds=abc", None),
            ("expire_in_seconds=", None),
            ("expire_in_seconds", None),
            ("expire_in_seconds=60&expire_in_seconds=60", None),
        ] {
            assert_eq!(life(query).ok().map(TemporaryKeyLife::get), seconds, "{query}");
        }
    }
}

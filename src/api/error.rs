//! The one type of everything that can go wrong with a request.

use keygate_contract::{ErrorBody, ErrorCode};

/// What a call to the console API answers.
pub type Result<T> = std::result::Result<T, ApiError>;

/// Why a request failed, as the server told it, or that no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Stable code to branch on; [`ErrorCode::Unknown`] if the answer was not from the console API.
    pub code: ErrorCode,
    /// One or two sentences for a person, saying what to do.
    pub message: String,
    /// The field of the request that is wrong.
    pub field: Option<String>,
    /// The HTTP status; 0 if no answer came.
    pub status: u16,
    /// Names the request in the server's log.
    pub request_id: Option<String>,
    /// Whole seconds to wait before another attempt.
    pub retry_after: Option<u32>,
}

impl ApiError {
    /// No answer came: the server is down, or the network is.
    pub fn unreachable() -> Self {
        Self::of_client(0, "Keygate does not answer. Check that the server runs and that you are connected.")
    }

    /// An answer came that is not one of the console API.
    pub fn unreadable(status: u16) -> Self {
        Self::of_client(
            status,
            "The answer could not be read. Another program may be answering in Keygate's place.",
        )
    }

    /// No backend serves the region.
    pub fn unserved() -> Self {
        Self {
            code: ErrorCode::NotFound,
            ..Self::of_client(404, "No server of this console has this region.")
        }
    }

    /// The error that a refusal's body tells.
    pub fn from_body(status: u16, body: &str, retry_after: Option<u32>) -> Self {
        match serde_json::from_str::<ErrorBody>(body) {
            Ok(ErrorBody { error }) => Self {
                code: error.code,
                message: error.message,
                field: error.field,
                status,
                request_id: Some(error.request_id),
                retry_after,
            },
            Err(_) => Self::unreadable(status),
        }
    }

    fn of_client(status: u16, message: &str) -> Self {
        Self {
            code: ErrorCode::Unknown,
            message: message.to_owned(),
            field: None,
            status,
            request_id: None,
            retry_after: None,
        }
    }

    /// Whether the server, not the request, is the trouble: the same request may succeed later.
    pub fn is_away(&self) -> bool {
        self.status == 0 || (self.status >= 502 && self.code == ErrorCode::Unknown)
    }

    /// Whether the server may have done what was asked although it did not say so.
    pub fn is_undecided(&self) -> bool {
        self.status == 0 || self.status >= 500
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_what_the_server_told() {
        let body = r#"{"error":{"code":"name_taken","message":"Pick another.","field":"name","request_id":"req-1"}}"#;
        let error = ApiError::from_body(409, body, None);
        assert_eq!((error.code, error.status), (ErrorCode::NameTaken, 409));
        assert_eq!((error.field.as_deref(), error.request_id.as_deref()), (Some("name"), Some("req-1")));
    }

    #[test]
    fn a_proxy_page_in_the_servers_place_counts_as_away() {
        let error = ApiError::from_body(502, "<html>Bad gateway</html>", None);
        assert!(error.is_away() && error.is_undecided());
        assert!(ApiError::unreachable().is_away());
    }

    #[test]
    fn an_error_the_server_tells_itself_is_not_away() {
        let body = r#"{"error":{"code":"store_unavailable","message":"Wait.","request_id":"req-1"}}"#;
        assert!(!ApiError::from_body(503, body, Some(2)).is_away());
        assert!(!ApiError::from_body(404, "Not found", None).is_undecided());
    }
}

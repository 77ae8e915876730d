//! The typed client of the console API: a transparent view of it, with a function an operation under the same name.
//!
//! Reads go through [`queries`], which keeps answers and knows when they are stale. Changes are plain calls; each
//! marks what it made stale, so that no page has to remember.

mod api_key;
mod backend;
mod cache;
mod call;
mod client;
mod error;
mod health;
mod model;
mod queries;
mod query;
mod region;
mod secret;
mod serving;
mod session;
mod usage;
mod workspace;

pub use api_key::{
    ApiKeyListKey, CreatedKey, STATUSES, TemporaryKey, api_key_create, api_key_delete, api_key_disable,
    api_key_enable, api_key_overlap_end, api_key_reset, api_key_update, api_key_view, status_name, status_of,
    temporary_key_create,
};
pub use backend::{Backend, BackendId, Backends};
pub use cache::{Cache, QueryKey, QueryState};
pub use call::{CallKey, CallListKey, CallPage};
pub use client::{Client, Connection, IdempotencyKey};
pub use error::{ApiError, Result};
pub use health::{NoHealth, health};
pub use model::{ModelFilter, ModelListKey, grant_list, model_list};
pub use queries::Queries;
pub use query::{Query, use_query};
pub use region::openai_base_url;
pub use secret::Secret;
pub use session::{session_code, session_create, session_delete, session_delete_all, session_view};
pub use usage::{UsageKey, UsageRange, live_view, usage_query};
pub use workspace::{
    WorkspaceKey, WorkspaceListKey, workspace_archive, workspace_create, workspace_list, workspace_update,
    workspace_view,
};

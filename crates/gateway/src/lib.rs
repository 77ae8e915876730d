//! The data plane: one straight line with no way back.
//!
//! ```text
//! request → door → authenticate → authorize → admit → forward → settle
//! ```
//!
//! - [`door`] finds which protocol a path speaks and gives every refusal that protocol's shape;
//! - [`credential`] mints, parses and hashes keys; the form and checksum are looked at before anything else is;
//! - [`directory`] is the view in memory of keys, workspaces and members; nothing on the line asks the database;
//! - [`authorize`] decides, as a pure function over what the directory knows;
//! - [`limit`] admits what the workspace and its account may use in a minute, and settles what was used;
//! - [`memory`] bounds the memory that requests and answers hold;
//! - [`ended`] keeps what is to be recorded of each call, however it ends;
//! - [`upstream`] forwards, and passes a stream through as it comes.
//!
//! [`Gateway::call`] is the line itself.

pub mod authorize;
pub mod catalogue;
pub mod credential;
pub mod directory;
pub mod door;
pub mod ended;
pub mod limit;
pub mod upstream;

pub mod memory;

mod admit;
mod belief;
mod body;
mod call;
mod client_address;
pub mod context;
mod gateway;
mod headers;
pub mod last_use;
mod map;
mod meter;
mod models;
mod note;
mod redact;
mod refusal;
mod rejections;
mod request;
mod scan;
mod sse;
mod temporary_key;
mod time;
mod tokens;
mod usage;

pub use body::{Body, drain, next_piece};
pub use client_address::client_address;
pub use gateway::{Gateway, GatewayOptions, RegionAddress, Timeouts};
pub use redact::Redactor;
pub use refusal::Refusal;
pub use rejections::SINGLE_REJECTIONS;
pub use request::header_bytes;

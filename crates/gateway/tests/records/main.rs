//! What is recorded of calls: each whose key was proven leaves exactly one record, however it ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod ends;
mod floods;
mod refusals;
mod rig;
mod room;

//! The server as its users meet it: a real one on free ports, with a store of its own, over HTTP.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api_keys;
mod assets;
mod binary;
mod browsers;
mod canary;
mod disk;
mod gateway;
mod grants;
mod key_life;
mod key_permission;
mod limits;
mod metering;
mod metrics;
mod models;
mod origins;
mod outbox;
mod proxy;
mod regions;
mod rejections;
mod reservation;
mod routes;
mod secrets;
mod session;
mod sign_in;
mod slow_bodies;
mod slow_readers;
mod stub;
mod support;
mod temporary_keys;
mod upstream;
mod usage;
mod usage_steps;
mod workspaces;

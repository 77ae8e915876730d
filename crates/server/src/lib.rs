//! The Keygate server: configuration, the console API, sessions, static files; it wires store and gateway together.
//!
//! - [`config`] reads and checks the configuration; nothing else looks at files or the environment;
//! - [`server`] starts and stops everything;
//! - `listen` accepts connections and tells the gateway's paths from the console's;
//! - `usage` writes down every call, and `metrics` counts them for those who operate the server;
//! - `limits` keeps the gateway's windows over a restart;
//! - `store_watch` detects whether the databases can be written, and `stop` gives tasks a deadline;
//! - `console` is the control plane: one module a resource, each exposing `router()`;
//! - [`demo`] fills an empty store with a made-up account;
//! - `assets` serves the built console.

pub mod config;
pub mod demo;
pub mod log;
pub mod server;

mod access_log;
mod assets;
mod console;
mod health;
mod last_use;
mod limits;
mod listen;
mod mail;
mod metrics;
mod problem;
mod secret;
mod stop;
mod store_watch;
mod usage;
mod worker;

pub use console::openapi;
pub use secret::ServerSecret;

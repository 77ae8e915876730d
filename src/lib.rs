//! The Keygate console: a client-side app over the console API.
//!
//! Arrows go one way: `pages` → `components` → `ui`, and `pages` → `api` → the contract. `ui` knows no router, no API
//! and no state of the console; `api` knows no view. Read in this order:

#![expect(
    unreachable_pub,
    reason = "the component macro writes builders that are public whatever the component is"
)]

pub mod app;
pub mod boot;
pub mod routes;

pub mod pages;

pub mod components;

pub mod ui;

pub mod state;

pub mod api;

mod uri;

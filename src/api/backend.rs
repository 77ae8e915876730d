//! The servers that the console speaks to.

mod config;

use super::cache::QueryKey;

/// One of the servers, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BackendId(pub(super) usize);

impl QueryKey for BackendId {}

impl BackendId {
    /// Its place in the configuration.
    pub fn index(self) -> usize {
        self.0
    }
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// What people call it; no other has the same.
    pub name: String,
    /// Its origin, perhaps with a path; empty for the page's own. Without a slash at its end.
    pub url: String,
}

/// All servers: one at least, in the order of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backends(&'static [Backend]);

impl Backends {
    /// The page's own origin alone.
    pub fn own() -> Self {
        Self::keep(vec![Backend { name: OWN.into(), url: String::new() }])
    }

    /// They stay as they are as long as the page lives.
    fn keep(all: Vec<Backend>) -> Self {
        Self(Vec::leak(all))
    }

    /// Each, in order.
    pub fn all(self) -> impl DoubleEndedIterator<Item = (BackendId, &'static Backend)> + Clone {
        self.0.iter().enumerate().map(|(i, backend)| (BackendId(i), backend))
    }

    /// The first.
    pub fn first(self) -> BackendId {
        BackendId(0)
    }

    /// One of them.
    pub fn get(self, id: BackendId) -> &'static Backend {
        &self.0[id.0]
    }

    /// The one with this name.
    pub fn named(self, name: &str) -> Option<BackendId> {
        self.all().find(|(_, backend)| backend.name == name).map(|(id, _)| id)
    }

    /// Whether there is a choice. Where there is none, nobody needs to hear of it.
    pub fn are_several(self) -> bool {
        self.0.len() > 1
    }
}

/// What the page's own server is called, unless it is given a name.
const OWN: &str = "This server";

//! Which backend serves a region.
//!
//! A path names its region, and each region has one backend: of two that serve the same, the first in the
//! configuration. So that it is always the same one, a region counts as served only when all backends before its own
//! have told their regions, or failed to. Once it counts, it stays for the life of the page, and what is kept of it
//! never comes from two backends.

use super::backend::BackendId;
use crate::uri::decode;
use keygate_contract::RegionId;
use std::collections::HashMap;
use std::task::{Poll, Waker};

/// What is known of it.
pub(super) struct Serving {
    /// What each backend said.
    told: Vec<Told>,
    served: HashMap<RegionId, BackendId>,
    /// Requests that wait to know where to go.
    waiting: Vec<Waker>,
}

#[derive(Clone, PartialEq, Eq)]
enum Told {
    /// It has not said yet.
    Awaited,
    /// It cannot be had now, or nobody is signed in to it.
    Nothing,
    Regions(Vec<RegionId>),
}

impl Serving {
    pub(super) fn by(backends: usize) -> Self {
        Self { told: vec![Told::Awaited; backends], served: HashMap::new(), waiting: Vec::new() }
    }

    /// The backend of a region; none if nobody serves it. Pending while that is not known.
    pub(super) fn find(&self, region: &RegionId) -> Poll<Option<BackendId>> {
        // One alone is asked at once: it knows best.
        let found = if self.told.len() == 1 { Some(BackendId(0)) } else { self.served.get(region).copied() };
        if found.is_some() || self.is_settled() { Poll::Ready(found) } else { Poll::Pending }
    }

    /// The backend of a region, if it is known.
    pub(super) fn known(&self, region: &RegionId) -> Option<BackendId> {
        match self.find(region) {
            Poll::Ready(found) => found,
            Poll::Pending => None,
        }
    }

    /// Whether every backend has told its regions, or failed to.
    pub(super) fn is_settled(&self) -> bool {
        !self.told.contains(&Told::Awaited)
    }

    /// Whether the backend has not yet told its regions, nor failed to.
    pub(super) fn is_awaited(&self, BackendId(i): BackendId) -> bool {
        self.told[i] == Told::Awaited
    }

    /// Has a request woken when there is more to know.
    pub(super) fn wait(&mut self, waker: &Waker) {
        self.waiting.push(waker.clone());
    }

    /// The backend is asked, again perhaps.
    pub(super) fn ask(&mut self, BackendId(i): BackendId) {
        if self.told[i] == Told::Nothing {
            self.told[i] = Told::Awaited;
        }
    }

    /// All that failed are going to be asked again.
    pub(super) fn ask_failed(&mut self) {
        (0..self.told.len()).for_each(|i| self.ask(BackendId(i)));
    }

    /// The backend told its regions, or failed to.
    pub(super) fn tell(&mut self, BackendId(i): BackendId, regions: Option<Vec<RegionId>>) {
        match regions {
            Some(regions) => self.told[i] = Told::Regions(regions),
            // What it told before holds on.
            None if self.told[i] == Told::Awaited => self.told[i] = Told::Nothing,
            None => {}
        }
        for (i, told) in self.told.iter().enumerate() {
            match told {
                Told::Awaited => break,
                Told::Nothing => {}
                Told::Regions(regions) => {
                    for region in regions {
                        self.served.entry(region.clone()).or_insert(BackendId(i));
                    }
                }
            }
        }
        self.waiting.drain(..).for_each(Waker::wake);
    }

    /// Nobody is signed in to the backend any more.
    pub(super) fn forget(&mut self, backend: BackendId) {
        self.told[backend.0] = Told::Nothing;
        self.served.retain(|_, by| *by != backend);
    }
}

/// The region that a path of the API is about.
pub(super) fn region_in(path: &str) -> Option<RegionId> {
    let id = path.strip_prefix("/regions/")?.split(['/', '?']).next()?;
    decode(id).map(RegionId::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(serving: &Serving, region: &str) -> Option<Option<usize>> {
        match serving.find(&region.into()) {
            Poll::Ready(found) => Some(found.map(|id| id.0)),
            Poll::Pending => None,
        }
    }

    fn regions(ids: &[&str]) -> Option<Vec<RegionId>> {
        Some(ids.iter().map(|id| RegionId::from(*id)).collect())
    }

    #[test]
    fn one_alone_serves_everything_at_once() {
        assert_eq!(found(&Serving::by(1), "anything"), Some(Some(0)));
    }

    #[test]
    fn the_first_of_two_wins_whoever_answers_first() {
        let mut serving = Serving::by(2);
        serving.tell(BackendId(1), regions(&["a", "b"]));
        assert_eq!((found(&serving, "a"), found(&serving, "b")), (None, None));
        serving.tell(BackendId(0), regions(&["a"]));
        assert_eq!((found(&serving, "a"), found(&serving, "b")), (Some(Some(0)), Some(Some(1))));
        assert_eq!(found(&serving, "c"), Some(None));
    }

    #[test]
    fn a_backend_that_is_away_holds_nobody_up_and_takes_nothing_away_when_it_is_back() {
        let mut serving = Serving::by(2);
        serving.tell(BackendId(0), None);
        serving.tell(BackendId(1), regions(&["a"]));
        assert_eq!(found(&serving, "a"), Some(Some(1)));
        serving.ask_failed();
        assert_eq!((found(&serving, "a"), found(&serving, "b")), (Some(Some(1)), None));
        serving.tell(BackendId(0), regions(&["a", "b"]));
        assert_eq!((found(&serving, "a"), found(&serving, "b")), (Some(Some(1)), Some(Some(0))));
        serving.tell(BackendId(0), None);
        assert_eq!(found(&serving, "b"), Some(Some(0)), "what it told holds on");
    }

    #[test]
    fn signing_out_takes_its_regions_away_until_they_are_told_again() {
        let mut serving = Serving::by(2);
        serving.tell(BackendId(0), regions(&["a"]));
        serving.tell(BackendId(1), regions(&["b"]));
        serving.forget(BackendId(1));
        assert_eq!((found(&serving, "a"), found(&serving, "b")), (Some(Some(0)), Some(None)));
        serving.ask(BackendId(1));
        assert_eq!(found(&serving, "b"), None);
    }

    #[test]
    fn a_path_names_its_region() {
        assert_eq!(region_in("/regions/us-east-1/workspaces?q=a"), Some("us-east-1".into()));
        assert_eq!(region_in("/regions/..%2Fx"), Some("../x".into()));
        assert_eq!(region_in("/regions"), None);
        assert_eq!(region_in("/session"), None);
    }
}

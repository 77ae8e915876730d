//! The places of the console: every path is read and written here.
//!
//! A path is whole: it begins with the console's own place on its host, so that links and navigation use it as it is.
//! `static/boot.js` finds that place, and knows the forms of these paths.

mod base;
mod view;

pub use base::{base, set_base};
pub use view::ListView;

use crate::uri::{decode, encode, query};
use keygate_contract::{RegionId, WorkspaceId};
use std::fmt;

/// Stands in a path in the place of a workspace where it is not known which one: the one last used in the region, or its
/// default one. The address is put right as soon as that is known.
const USUAL: &str = "-";

/// Where a person is, or a link leads. Its `Display` is the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `/`: leads on to the workspaces of a region.
    Home,
    /// `/sign-in`
    SignIn,
    /// `/{region}/workspaces`, and `/{region}/workspaces/{workspace}` with one of them open.
    Workspaces {
        /// The region.
        region: RegionId,
        /// The one that is open.
        open: Option<WorkspaceId>,
    },
    /// `/{region}/w/{workspace}/api-keys`
    ApiKeys {
        /// The region.
        region: RegionId,
        /// Whose keys.
        workspace: WorkspaceId,
    },
    /// `/{region}/w/{workspace}/models`
    Models {
        /// The region.
        region: RegionId,
        /// Which workspace may call them.
        workspace: WorkspaceId,
    },
    /// `/{region}/w/{workspace}/monitoring`
    Monitoring {
        /// The region.
        region: RegionId,
        /// Whose calls are watched.
        workspace: WorkspaceId,
    },
    /// `/{region}/w/{workspace}/analytics`
    Analytics {
        /// The region.
        region: RegionId,
        /// Whose usage is told.
        workspace: WorkspaceId,
    },
    /// `/{region}/w/{workspace}/requests`, and `/{region}/w/{workspace}/requests/{request}` with one of them open.
    Requests {
        /// The region.
        region: RegionId,
        /// Whose calls are listed.
        workspace: WorkspaceId,
        /// The id of the one that is open.
        open: Option<String>,
    },
    /// `/{region}/endpoints`
    Endpoints {
        /// The region.
        region: RegionId,
    },
}

impl Place {
    /// The list of a region's workspaces.
    pub fn workspaces(region: RegionId) -> Self {
        Self::Workspaces { region, open: None }
    }

    /// The log of a workspace's calls.
    pub fn requests(region: RegionId, workspace: WorkspaceId) -> Self {
        Self::Requests { region, workspace, open: None }
    }

    /// The place a path names, if it names one.
    pub fn parse(path: &str) -> Option<Self> {
        let segments: Option<Vec<String>> =
            base::strip(path)?.split('/').filter(|segment| !segment.is_empty()).map(decode).collect();
        match segments?.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => Some(Self::Home),
            ["sign-in"] => Some(Self::SignIn),
            [region, "workspaces"] => Some(Self::workspaces(region.into())),
            [region, "workspaces", open] => {
                Some(Self::Workspaces { region: region.into(), open: Some(open.into()) })
            }
            [region, "endpoints"] => Some(Self::Endpoints { region: region.into() }),
            [region, "w", workspace, "api-keys"] => {
                Some(Self::ApiKeys { region: region.into(), workspace: workspace.into() })
            }
            [region, "w", workspace, "models"] => {
                Some(Self::Models { region: region.into(), workspace: workspace.into() })
            }
            [region, "w", workspace, "monitoring"] => {
                Some(Self::Monitoring { region: region.into(), workspace: workspace.into() })
            }
            [region, "w", workspace, "analytics"] => {
                Some(Self::Analytics { region: region.into(), workspace: workspace.into() })
            }
            [region, "w", workspace, "requests"] => Some(Self::requests(region.into(), workspace.into())),
            [region, "w", workspace, "requests", open] => Some(Self::Requests {
                region: region.into(),
                workspace: workspace.into(),
                open: Some(open.to_owned()),
            }),
            _ => None,
        }
    }

    /// The region this place is in.
    pub fn region(&self) -> Option<&RegionId> {
        match self {
            Self::Home | Self::SignIn => None,
            Self::Workspaces { region, .. }
            | Self::ApiKeys { region, .. }
            | Self::Models { region, .. }
            | Self::Monitoring { region, .. }
            | Self::Analytics { region, .. }
            | Self::Requests { region, .. }
            | Self::Endpoints { region } => Some(region),
        }
    }

    /// The workspace whose page this is. One that is merely open over the list is not.
    pub fn workspace(&self) -> Option<&WorkspaceId> {
        self.workspace_in_path().filter(|id| id.as_str() != USUAL)
    }

    /// Whether it is a page of a workspace, and does not say of which.
    pub fn is_of_usual(&self) -> bool {
        self.workspace_in_path().is_some_and(|id| id.as_str() == USUAL)
    }

    /// What names the usual workspace of a region in a path.
    pub fn usual() -> WorkspaceId {
        USUAL.into()
    }

    fn workspace_in_path(&self) -> Option<&WorkspaceId> {
        match self {
            Self::Home | Self::SignIn | Self::Workspaces { .. } | Self::Endpoints { .. } => None,
            Self::ApiKeys { workspace, .. }
            | Self::Models { workspace, .. }
            | Self::Monitoring { workspace, .. }
            | Self::Analytics { workspace, .. }
            | Self::Requests { workspace, .. } => Some(workspace),
        }
    }

    /// The same page for another workspace, perhaps of another region.
    #[must_use]
    pub fn moved_to(&self, region: RegionId, workspace: WorkspaceId) -> Self {
        match self {
            Self::Home | Self::SignIn | Self::Workspaces { .. } => Self::workspaces(region),
            Self::ApiKeys { .. } => Self::ApiKeys { region, workspace },
            Self::Models { .. } => Self::Models { region, workspace },
            Self::Monitoring { .. } => Self::Monitoring { region, workspace },
            Self::Analytics { .. } => Self::Analytics { region, workspace },
            Self::Requests { .. } => Self::requests(region, workspace),
            Self::Endpoints { .. } => Self::Endpoints { region },
        }
    }

    /// The page without what is open over it: as long as it stays the same, no one has left the page.
    #[must_use]
    pub fn page(self) -> Self {
        match self {
            Self::Workspaces { region, .. } => Self::workspaces(region),
            Self::Requests { region, workspace, .. } => Self::requests(region, workspace),
            other => other,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(base())?;
        match self {
            Self::Home => f.write_str("/"),
            Self::SignIn => f.write_str("/sign-in"),
            Self::Workspaces { region, open: None } => write!(f, "/{}/workspaces", encode(region.as_str())),
            Self::Workspaces { region, open: Some(open) } => {
                write!(f, "/{}/workspaces/{}", encode(region.as_str()), encode(open.as_str()))
            }
            Self::ApiKeys { region, workspace } => write_page(f, region, workspace, "api-keys"),
            Self::Models { region, workspace } => write_page(f, region, workspace, "models"),
            Self::Monitoring { region, workspace } => write_page(f, region, workspace, "monitoring"),
            Self::Analytics { region, workspace } => write_page(f, region, workspace, "analytics"),
            Self::Requests { region, workspace, open } => {
                write_page(f, region, workspace, "requests")?;
                open.iter().try_for_each(|open| write!(f, "/{}", encode(open)))
            }
            Self::Endpoints { region } => write!(f, "/{}/endpoints", encode(region.as_str())),
        }
    }
}

/// A page that is about one workspace.
fn write_page(
    f: &mut fmt::Formatter<'_>,
    region: &RegionId,
    workspace: &WorkspaceId,
    page: &str,
) -> fmt::Result {
    write!(f, "/{}/w/{}/{page}", encode(region.as_str()), encode(workspace.as_str()))
}

/// The way to sign in and come back to `here`, a path with its query; to the backend of this name, where there are
/// several.
pub fn sign_in_path(here: &str, backend: Option<&str>) -> String {
    let next = if Place::parse(here) == Some(Place::Home) { "" } else { here };
    format!("{}{}", Place::SignIn, query(&[("backend", backend.unwrap_or_default()), ("next", next)]))
}

/// Where to go after signing in. Only paths of this console are followed: `next` may come from anyone's link.
pub fn next_path(next: Option<&str>) -> String {
    let is_ours = |path: &&str| {
        base::strip(path).is_some_and(|path| path.starts_with('/'))
            && !path.starts_with("//")
            && !path.contains(|c: char| c == '\\' || c.is_control())
            && Place::parse(path.split(['?', '#']).next().unwrap_or_default()) != Some(Place::SignIn)
    };
    next.filter(is_ours).map_or_else(|| Place::Home.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_read_back_from_its_path() {
        let (region, workspace) = (RegionId::from("ap-southeast-1"), WorkspaceId::from("ws-1"));
        for (place, path) in [
            (Place::Home, "/"),
            (Place::SignIn, "/sign-in"),
            (Place::workspaces(region.clone()), "/ap-southeast-1/workspaces"),
            (
                Place::Workspaces { region: region.clone(), open: Some(workspace.clone()) },
                "/ap-southeast-1/workspaces/ws-1",
            ),
            (
                Place::ApiKeys { region: region.clone(), workspace: workspace.clone() },
                "/ap-southeast-1/w/ws-1/api-keys",
            ),
            (
                Place::Models { region: region.clone(), workspace: workspace.clone() },
                "/ap-southeast-1/w/ws-1/models",
            ),
            (
                Place::Monitoring { region: region.clone(), workspace: workspace.clone() },
                "/ap-southeast-1/w/ws-1/monitoring",
            ),
            (
                Place::Analytics { region: region.clone(), workspace: workspace.clone() },
                "/ap-southeast-1/w/ws-1/analytics",
            ),
            (Place::requests(region.clone(), workspace.clone()), "/ap-southeast-1/w/ws-1/requests"),
            (
                Place::Requests { region: region.clone(), workspace, open: Some("0198-a".into()) },
                "/ap-southeast-1/w/ws-1/requests/0198-a",
            ),
            (Place::Endpoints { region }, "/ap-southeast-1/endpoints"),
        ] {
            assert_eq!(place.to_string(), path);
            assert_eq!(Place::parse(path), Some(place));
        }
    }

    #[test]
    fn a_hostile_segment_stays_one_segment() {
        let place = Place::ApiKeys { region: "a/../b".into(), workspace: "?x#y 检".into() };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
    }

    #[test]
    fn other_paths_are_no_place() {
        for path in
            ["/workspaces", "/r/w", "/r/w/ws-1", "/r/w/ws-1/keys", "/r/workspaces/a/b", "/r/%zz", "/a/b/c"]
        {
            assert_eq!(Place::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_page_may_be_of_the_workspace_that_is_used_there() {
        let keys = Place::ApiKeys { region: "a".into(), workspace: "ws-1".into() };
        assert!(!keys.is_of_usual() && keys.workspace().is_some());
        let unknown = keys.moved_to("b".into(), Place::usual());
        assert_eq!(unknown.to_string(), "/b/w/-/api-keys");
        let read = Place::parse("/b/w/-/api-keys").unwrap();
        assert!(read == unknown && read.is_of_usual());
        assert_eq!(read.workspace(), None, "no workspace is called so");
        assert!(!Place::workspaces("a".into()).is_of_usual());
    }

    #[test]
    fn moving_keeps_the_page() {
        let keys = Place::ApiKeys { region: "a".into(), workspace: "ws-1".into() };
        assert_eq!(keys.moved_to("b".into(), "ws-2".into()).to_string(), "/b/w/ws-2/api-keys");
        let open = Place::Workspaces { region: "a".into(), open: Some("ws-1".into()) };
        assert_eq!(open.moved_to("b".into(), "ws-2".into()).to_string(), "/b/workspaces");
        let call = Place::Requests { region: "a".into(), workspace: "ws-1".into(), open: Some("x".into()) };
        assert_eq!(call.moved_to("b".into(), "ws-2".into()).to_string(), "/b/w/ws-2/requests");
        let endpoints = Place::Endpoints { region: "a".into() };
        assert_eq!(endpoints.moved_to("b".into(), "ws-2".into()).to_string(), "/b/endpoints");
    }

    #[test]
    fn signing_in_leads_back_into_the_console_only() {
        assert_eq!(next_path(Some("/a/workspaces?q=x")), "/a/workspaces?q=x");
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "evil",
            "",
            "/sign-in?next=/a",
        ] {
            assert_eq!(next_path(Some(bad)), "/", "{bad:?}");
        }
        assert_eq!(next_path(None), "/");
        assert_eq!(sign_in_path("/", None), "/sign-in");
        assert_eq!(
            sign_in_path("/a/w/b/api-keys?q=x", None),
            "/sign-in?next=%2Fa%2Fw%2Fb%2Fapi-keys%3Fq%3Dx"
        );
        assert_eq!(sign_in_path("/a", Some("Home lab")), "/sign-in?backend=Home%20lab&next=%2Fa");
    }
}

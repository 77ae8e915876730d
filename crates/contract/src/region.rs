//! Regions: places with their own keys, workspaces, models, limits, endpoints and rules.

use crate::id::RegionId;
use crate::usage::UsageRetention;
use serde::{Deserialize, Serialize};

/// A region as the console sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Region {
    /// Such as `ap-southeast-1`.
    pub id: RegionId,
    /// Such as `Singapore`.
    pub name: String,
    /// Where applications of this region call, one per protocol and kind.
    pub endpoints: Vec<Endpoint>,
    /// What keys of this region can do.
    pub features: RegionFeatures,
    /// How many of each thing an account may have here.
    pub limits: RegionLimits,
    /// How long usage is kept, and so which steps `usage_query` may be asked for.
    #[serde(default)]
    pub usage: UsageRetention,
}

/// An address for applications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Endpoint {
    /// Which clients it speaks to.
    pub protocol: Protocol,
    /// What to give the client as its base URL. One of kind `workspace` has the workspace's id in place of
    /// `{workspace}`.
    pub base_url: String,
    /// Who can reach it.
    pub kind: EndpointKind,
    /// What is served below the base URL: a method and a path each, such as `POST /chat/completions`.
    #[serde(default)]
    pub operations: Vec<String>,
}

/// The protocol of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OpenAI-compatible.
    Openai,
    /// DashScope-native.
    Dashscope,
    /// Anthropic Messages.
    Anthropic,
}

/// Who can reach an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EndpointKind {
    /// Anyone who can reach the gateway.
    Public,
    /// A private network only.
    Private,
    /// A host of one workspace, which takes that workspace's keys only.
    Workspace,
}

/// What keys of a region can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegionFeatures {
    /// A key may be limited to addresses and models.
    pub custom_permission: bool,
    /// Short-lived keys may be made from a key.
    pub temporary_keys: bool,
}

/// How many of each thing an account may have in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegionLimits {
    /// Workspaces, the default one included.
    pub workspaces: u32,
    /// Keys in one workspace.
    pub keys_per_workspace: u32,
    /// Keys in all workspaces of the region.
    pub keys_per_region: u32,
    /// Keys one member may own in the region; null where only the limits above hold.
    pub keys_per_owner: Option<u32>,
}

/// Answer of `GET /health` on every listener: the process lives, and this is the region of the listener. Any page may
/// ask, so that a console elsewhere can check an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `ok`
    pub status: String,
    /// The region whose gateway listens here.
    pub region: RegionId,
}

//! What both sides of the console API agree on: wire types, ids, limits, validation and error codes.
//!
//! The server and the console compile the same types, so a form and a handler apply the same rule.
//! The crate knows no transport and no framework: `serde`, and `utoipa` schemas behind the feature `openapi`.

mod api_key;
mod call;
mod grant;
mod id;
mod ip_rule;
mod limits;
mod model;
mod page;
mod permission;
mod problem;
mod region;
mod seconds;
mod session;
mod text;
mod time;
mod usage;
mod workspace;

pub use api_key::{
    ApiKey, ApiKeyCounts, ApiKeyCreate, ApiKeyCreated, ApiKeyList, ApiKeyOwner, ApiKeyReset, ApiKeyStatus,
    ApiKeyUpdate, PreviousSecret, RefusedAddress, TemporaryKeyCreate, TemporaryKeyCreated,
};
pub use call::{Call, CallClass, CallDoor, Cost, Live, LiveModel, LiveWindow, ThrottledBy};
pub use grant::{GrantList, GrantReplace, LimitError, ModelGrant, ModelGrants, PerMinute};
pub use id::{AccountId, ApiKeyId, MemberId, ModelId, RegionId, WorkspaceId};
pub use ip_rule::{IpRule, IpRuleError};
pub use limits::{
    DESCRIPTION_MAX, EMAIL_MAX, GRANTS_MAX, IP_RULES_MAX, KEYS_PER_OWNER, KEYS_PER_REGION,
    KEYS_PER_WORKSPACE, LIMIT_MAX, OVERLAP_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, QUERY_MAX,
    TEMPORARY_KEY_LIFE, TEMPORARY_KEY_LIFE_MAX, WORKSPACE_NAME_MAX, WORKSPACES_PER_REGION,
};
pub use model::{Model, ModelInWorkspace, ModelList, ModelType, Price, TypeCount, VendorCount};
pub use page::{Page, PageSize};
pub use permission::{Permission, Restriction, RestrictionError};
pub use problem::{ErrorBody, ErrorCode, ErrorDetail};
pub use region::{Endpoint, EndpointKind, Health, Protocol, Region, RegionFeatures, RegionLimits};
pub use seconds::{Overlap, SecondsError, TemporaryKeyLife};
pub use session::{Account, EmailCodeCreate, Member, Role, Session, SessionCreate};
pub use text::{Description, Email, SearchText, TextError, WorkspaceName};
pub use time::Timestamp;
pub use usage::{
    Percentiles, Usage, UsageFigures, UsageGroup, UsageItem, UsageOf, UsagePeriod, UsageRetention, UsageStep,
    UsageTotal,
};
pub use workspace::{Workspace, WorkspaceArchive, WorkspaceCreate, WorkspaceUpdate};

//! The numbers that both sides check. The defaults follow the product this one replaces.

/// Longest workspace name, in characters.
pub const WORKSPACE_NAME_MAX: usize = 30;
/// Longest description of an API key, in characters.
pub const DESCRIPTION_MAX: usize = 128;
/// Longest e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_MAX: usize = 254;
/// Longest search text, in characters.
pub const QUERY_MAX: usize = 128;
/// Workspaces an account may have in a region, the default one included.
pub const WORKSPACES_PER_REGION: u32 = 20;
/// Keys a workspace may have.
pub const KEYS_PER_WORKSPACE: u32 = 20;
/// Keys an account may have in a region.
pub const KEYS_PER_REGION: u32 = 50;
/// Keys a member may own in a region that counts by owner.
pub const KEYS_PER_OWNER: u32 = 20;
/// Addresses and blocks a key may be restricted to.
pub const IP_RULES_MAX: usize = 20;
/// The longest time that a replaced secret may work beside the new one, in seconds: a day.
pub const OVERLAP_MAX: u32 = 86_400;
/// How long a temporary key works unless told, in seconds (DashScope's default).
pub const TEMPORARY_KEY_LIFE: u32 = 60;
/// The longest life of a temporary key, in seconds (DashScope's limit).
pub const TEMPORARY_KEY_LIFE_MAX: u32 = 1800;
/// Models a workspace may be granted.
pub const GRANTS_MAX: usize = 2000;
/// The highest limit of calls or tokens a minute that an account may be configured with.
pub const LIMIT_MAX: u64 = 1_000_000_000_000;
/// Items in a page when the request does not say.
pub const PAGE_SIZE_DEFAULT: u32 = 20;
/// Most items in a page.
pub const PAGE_SIZE_MAX: u32 = 100;

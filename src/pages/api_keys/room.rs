//! Whether there is room for another key.

use keygate_contract::{ApiKeyCounts, RegionLimits, Workspace};

/// Why no key can be added: a limit is reached that would refuse it.
pub(super) fn no_room(
    workspace: Option<&Workspace>,
    limits: Option<RegionLimits>,
    counts: ApiKeyCounts,
) -> Option<String> {
    let of_workspace =
        workspace.map(|w| (w.api_key_count, w.api_key_limit)).filter(|(used, limit)| used >= limit);
    if let Some((_, limit)) = of_workspace {
        return Some(format!("This workspace holds at most {}. Delete one to add another.", keys(limit)));
    }
    let limits = limits?;
    if let Some(most) = limits.keys_per_owner.filter(|most| counts.keys_of_owner >= *most) {
        return Some(format!(
            "A member may own at most {} in this region, in all workspaces. Delete one of yours to add another.",
            keys(most)
        ));
    }
    (counts.keys_in_region >= limits.keys_per_region).then(|| {
        format!(
            "This region holds at most {}, in all workspaces. Delete one to add another.",
            keys(limits.keys_per_region)
        )
    })
}

fn keys(n: u32) -> String {
    if n == 1 { "1 key".to_owned() } else { format!("{n} keys") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(in_workspace: u32, of_owner: u32, in_region: u32, per_owner: Option<u32>) -> Option<String> {
        let workspace = serde_json::from_value(json!({
            "id": "ws-1", "name": "Team", "is_default": false, "created_at": "2026-11-20T09:30:00.000Z",
            "api_key_count": in_workspace, "api_key_limit": 20, "model_count": 0, "version": 1
        }));
        let limits = RegionLimits {
            workspaces: 20,
            keys_per_workspace: 20,
            keys_per_region: 50,
            keys_per_owner: per_owner,
        };
        let counts = ApiKeyCounts { keys_in_region: in_region, keys_of_owner: of_owner };
        no_room(Some(&workspace.unwrap()), Some(limits), counts)
    }

    #[test]
    fn the_limit_that_is_reached_is_named() {
        let named = |told: Option<String>, part: &str| told.is_some_and(|told| told.starts_with(part));
        assert!(named(words(20, 20, 50, Some(20)), "This workspace holds at most 20 keys."));
        assert!(named(words(3, 20, 50, Some(20)), "A member may own at most 20 keys in this region"));
        assert!(named(words(3, 20, 50, None), "This region holds at most 50 keys"));
    }

    #[test]
    fn there_is_room_below_every_limit_and_while_nothing_is_known() {
        assert_eq!(words(19, 19, 49, Some(20)), None);
        assert_eq!(words(19, 49, 49, None), None, "owners are not counted");
        assert_eq!(no_room(None, None, ApiKeyCounts::default()), None);
    }
}

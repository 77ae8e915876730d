//! Where on its host the console stands.

use std::sync::OnceLock;

static BASE: OnceLock<String> = OnceLock::new();

/// The beginning of every path, without a slash at its end: empty at the host's root.
pub fn base() -> &'static str {
    BASE.get().map_or("", String::as_str)
}

/// Sets it, once and before anything is shown.
pub fn set_base(base: String) {
    // Whoever comes second is late: links stand already.
    let _ = BASE.set(base);
}

/// What follows the base in a path; none if the path is not below it.
pub(super) fn strip(path: &str) -> Option<&str> {
    below(base(), path)
}

fn below<'a>(base: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn only_whole_segments_count_as_the_base() {
        assert_eq!(below("", "/a/workspaces"), Some("/a/workspaces"));
        assert_eq!(below("/tools/keygate", "/tools/keygate/a/workspaces"), Some("/a/workspaces"));
        assert_eq!(below("/tools/keygate", "/tools/keygate"), Some(""));
        assert_eq!(below("/tools/keygate", "/tools/keygate?next=x"), Some("?next=x"));
        for other in ["/tools/keygate2/a", "/tools", "/", "tools/keygate/"] {
            assert_eq!(below("/tools/keygate", other), None, "{other}");
        }
    }
}

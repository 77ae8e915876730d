//! What the console says of a door: where it stands, and what is served there.

use super::{ANTHROPIC, DASHSCOPE, Door, OPENAI};

impl Door {
    /// What stands between the host and the path of an operation.
    pub fn path(self) -> &'static str {
        match self {
            Self::Openai => OPENAI,
            Self::Dashscope => DASHSCOPE,
            Self::Anthropic => ANTHROPIC,
        }
    }

    /// What is served below [`Self::path`]: a method and a path each.
    pub fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Openai => &[
                "POST /chat/completions",
                "POST /completions",
                "POST /embeddings",
                "POST /responses",
                "GET /models",
            ],
            Self::Dashscope => &["POST /tokens"],
            Self::Anthropic => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_served() {
        for door in [Door::Openai, Door::Dashscope, Door::Anthropic] {
            for listed in door.operations() {
                let (method, path) = listed.split_once(' ').unwrap();
                let path = format!("{}{path}", door.path());
                assert_eq!(Door::of(&path), Some(door));
                assert!(door.operation(&method.parse().unwrap(), &path).is_ok(), "{listed}");
            }
        }
    }
}

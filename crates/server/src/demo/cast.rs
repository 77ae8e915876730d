//! Who calls what in the made-up account.

use super::traffic::Profile;

/// A made-up workspace.
pub(super) struct Team {
    /// `None`: the default workspace, which is there already.
    pub(super) name: Option<&'static str>,
    pub(super) keys: &'static [Application],
}

/// A made-up key.
pub(super) struct Application {
    pub(super) description: &'static str,
    /// Models it calls, and how often beside all others.
    pub(super) models: &'static [(&'static str, f64)],
    /// Whether it runs into its limit each night.
    pub(super) is_batch: bool,
}

const fn application(description: &'static str, models: &'static [(&'static str, f64)]) -> Application {
    Application { description, models, is_batch: false }
}

const fn batch(description: &'static str, models: &'static [(&'static str, f64)]) -> Application {
    Application { description, models, is_batch: true }
}

/// All of them.
pub(super) const TEAMS: &[Team] = &[
    Team {
        name: Some("Search team"),
        keys: &[
            application(
                "Search, production",
                &[("text-embedding-v4", 24.0), ("qwen3-rerank", 14.0), ("qwen-flash", 12.0)],
            ),
            application("Query rewriting", &[("qwen-plus", 7.0)]),
            application("Search, staging", &[("text-embedding-v4", 1.2), ("qwen-flash", 0.6)]),
            batch("Nightly reindex", &[("text-embedding-v4", 6.0)]),
        ],
    },
    Team {
        name: Some("Support assistant"),
        keys: &[
            application("Chat widget", &[("qwen-plus", 11.0), ("qwen3-max", 3.0)]),
            application("Agent desktop", &[("qwen3-max", 4.0), ("deepseek-v3.2", 2.5)]),
            application("Ticket triage", &[("qwen-flash", 5.0)]),
        ],
    },
    Team {
        name: Some("Data science"),
        keys: &[
            application(
                "Notebooks",
                &[("qwen3-max", 1.5), ("qwen3-coder-plus", 2.2), ("deepseek-v3.2", 0.8)],
            ),
            batch("Evaluation runs", &[("qwen-plus", 2.0), ("qwen3-max", 1.2), ("deepseek-v4-pro", 0.5)]),
        ],
    },
    Team {
        name: Some("Mobile app"),
        keys: &[
            application("iOS", &[("qwen-flash", 4.0), ("qwen-vl-plus", 1.5)]),
            application("Android", &[("qwen-flash", 5.0), ("qwen-vl-plus", 1.2)]),
            application("Stickers", &[("wan2.6-t2i", 0.4)]),
        ],
    },
    Team {
        name: None,
        keys: &[application(
            "Playground",
            &[("qwen-plus", 0.5), ("qwen3-max", 0.3), ("qwen-turbo", 0.2), ("text-embedding-v3", 0.1)],
        )],
    },
];

/// How calls of a model look, as far as its name tells.
pub(super) fn profile(model: &str) -> Profile {
    let chat =
        |prompt, answer, first_ms, token_ms, streams| Profile { prompt, answer, first_ms, token_ms, streams };
    match model {
        m if m.contains("embedding") => chat(310.0, 0.0, 28.0, 0.0, 0.0),
        m if m.contains("rerank") => chat(1900.0, 0.0, 65.0, 0.0, 0.0),
        m if m.contains("t2i") => chat(40.0, 0.0, 5200.0, 0.0, 0.0),
        m if m.contains("vl") => chat(1250.0, 120.0, 620.0, 9.0, 0.5),
        m if m.contains("coder") => chat(2600.0, 420.0, 480.0, 11.0, 0.9),
        m if m.contains("max") || m.contains("pro") => chat(900.0, 380.0, 540.0, 16.0, 0.8),
        m if m.contains("deepseek") => chat(750.0, 520.0, 610.0, 18.0, 0.7),
        m if m.contains("flash") || m.contains("turbo") => chat(420.0, 90.0, 170.0, 4.0, 0.3),
        _ => chat(640.0, 260.0, 290.0, 8.5, 0.75),
    }
}

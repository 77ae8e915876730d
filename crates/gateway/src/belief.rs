//! How many tokens an upstream is believed to have used for a call.

use crate::catalogue::Model;
use crate::usage::Usage;

/// What a call of a model whose window is not known can use at most, in tokens for each prompt and each answer: longer
/// windows than this are known.
pub(crate) const UNKNOWN: u64 = 4_000_000;
/// Windows count for no less than this: one of the configuration may be too small.
const LEAST: u64 = 100_000;

/// The most tokens that are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Belief {
    input: u64,
    output: u64,
}

impl Belief {
    /// Of a call with so many prompts, that asks for so many answers to each. What a model thinks is in its window, but not
    /// always in the most it may answer; media are counted differently from model to model. So the double of the window is
    /// believed for either.
    pub(crate) fn of(model: &Model, prompts: u64, answers: u64) -> Self {
        let window = model.context_window.map(|window| window.max(model.max_output_tokens.unwrap_or(0)));
        let most = window.map_or(UNKNOWN, |window| window.saturating_mul(2).max(LEAST));
        let input = most.saturating_mul(prompts.max(1));
        Self { input, output: input.saturating_mul(answers.max(1)) }
    }

    pub(crate) fn holds(self, usage: Usage) -> bool {
        usage.input <= self.input && usage.output <= self.output
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Limits;
    use keygate_contract::ModelType;

    fn believed(window: Option<u64>, calls: (u64, u64), (input, output): (u64, u64)) -> bool {
        let model = Model {
            slot: 0,
            id: "m".into(),
            vendor: "V".into(),
            kind: ModelType::Text,
            limits: Limits { rpm: 60, tpm: None },
            context_window: window,
            max_output_tokens: Some(10),
            expected_output_tokens: 10,
            prices: Vec::new(),
        };
        Belief::of(&model, calls.0, calls.1).holds(Usage { input, output, cached: 0 })
    }

    #[test]
    fn no_more_is_believed_than_twice_what_the_model_reads() {
        let window = Some(1_000_000);
        assert!(believed(window, (1, 1), (2_000_000, 2_000_000)));
        assert!(!believed(window, (1, 1), (2_000_001, 1)));
        assert!(!believed(window, (1, 1), (1, 2_000_001)));
        assert!(believed(window, (3, 2), (6_000_000, 12_000_000)), "for each prompt and answer");
        assert!(!believed(window, (3, 2), (6_000_001, 1)));
        assert!(believed(Some(100), (1, 1), (100_000, 100_000)), "a small window may be a mistake");
        assert!(!believed(Some(100), (1, 1), (100_001, 0)));
        assert!(believed(None, (0, 0), (4_000_000, 4_000_000)));
        assert!(!believed(None, (1, 1), (1 << 30, 1)));
        assert!(!believed(Some(u64::MAX / 4), (1, 1), (0, u64::MAX)));
    }
}

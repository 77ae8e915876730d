//! What a call asks of its limits.

use crate::belief::Belief;
use crate::call::CallBody;
use crate::catalogue::Model;
use crate::door::Call;
use crate::limit::{Ask, Limits};

/// A call that is permitted, and asks for what it needs.
pub(crate) struct Asking<'a> {
    pub(crate) model: &'a Model,
    /// What its workspace may do with the model in a minute.
    pub(crate) workspace: Limits,
    pub(crate) call: Call,
    pub(crate) body: &'a CallBody<'a>,
}

impl Asking<'_> {
    /// What it asks for.
    pub(crate) fn ask(&self) -> Ask {
        let account = self.model.limits;
        let tokens = if account.tpm.is_some() || self.workspace.tpm.is_some() { self.tokens() } else { 0 };
        Ask { workspace: self.workspace, account, tokens }
    }

    /// The tokens of the prompt, by estimate; of each, if there are several, no more than the model can read.
    pub(crate) fn prompt_tokens(&self) -> u64 {
        let most = self.model.context_window.map_or(u64::MAX, |window| window.saturating_mul(self.prompts()));
        self.body.prompt.tokens().min(most)
    }

    /// The tokens that the upstream is believed to have used for it.
    pub(crate) fn belief(&self) -> Belief {
        Belief::of(self.model, self.prompts(), self.body.answers)
    }

    /// How many prompts the operation takes the body for.
    fn prompts(&self) -> u64 {
        match self.call {
            Call::Completions | Call::Embeddings => self.body.prompts,
            Call::ChatCompletions | Call::Responses => 1,
        }
    }

    fn tokens(&self) -> u64 {
        let prompt = self.prompt_tokens();
        let answer = match (self.call, self.body.max_tokens) {
            (Call::Embeddings, _) => 0,
            (_, Some(most)) => most.min(self.model.max_output_tokens.unwrap_or(u64::MAX)),
            (_, None) => self.model.expected_output_tokens,
        };
        let answers = self.body.answers.saturating_mul(self.prompts());
        let tokens = prompt.saturating_add(answer.saturating_mul(answers));
        match self.body.max_tokens {
            Some(_) => tokens,
            // The client did not ask for so much: a guess of ours must not make the call one that can never pass.
            None => {
                let tightest = [self.workspace.tpm, self.model.limits.tpm].into_iter().flatten().min();
                tokens.min(tightest.unwrap_or(u64::MAX).max(prompt))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keygate_contract::ModelType;

    fn model(max_output_tokens: Option<u64>, tpm: Option<u64>) -> Model {
        Model {
            slot: 0,
            id: "m".into(),
            vendor: "V".into(),
            kind: ModelType::Text,
            limits: Limits { rpm: 60, tpm },
            context_window: Some(1000),
            max_output_tokens,
            expected_output_tokens: 400,
            prices: Vec::new(),
        }
    }

    fn asked(model: &Model, call: Call, fields: &str) -> u64 {
        let body = format!(r#"{{"model":"m"{fields}}}"#);
        let body = CallBody::parse(body.as_bytes()).unwrap();
        let workspace = Limits { rpm: 6, tpm: Some(5000) };
        Asking { model, workspace, call, body: &body }.ask().tokens
    }

    #[test]
    fn a_call_asks_for_its_prompt_and_for_the_answer_it_may_get() {
        let m = model(Some(800), Some(100_000));
        let prompt = r#","prompt":"abcdef""#;
        assert_eq!(asked(&m, Call::Completions, prompt), 2 + 400);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{prompt},"max_tokens":10"#)), 2 + 10);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{prompt},"max_tokens":10,"n":3"#)), 2 + 30);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{prompt},"max_tokens":90000"#)), 2 + 800);
        assert_eq!(asked(&m, Call::Embeddings, &format!(r#"{prompt},"max_tokens":10"#)), 2);
        let long = format!(r#","prompt":"{}""#, "x".repeat(90_000));
        assert_eq!(asked(&m, Call::Embeddings, &long), 1000, "no more than the model reads");
        let unmetered = Asking {
            model: &model(None, None),
            workspace: Limits { rpm: 6, tpm: None },
            call: Call::Completions,
            body: &CallBody::parse(br#"{"model":"m","prompt":"abcdef"}"#).unwrap(),
        };
        assert_eq!(unmetered.ask().tokens, 0, "not metered in tokens");
        assert!(
            asked(&model(None, None), Call::Completions, prompt) > 0,
            "a limit of the workspace alone holds"
        );
    }

    #[test]
    fn several_prompts_in_one_call_ask_for_as_many_answers() {
        let m = model(Some(800), Some(100_000));
        let batch = r#","prompt":["abc","abc","abc"],"max_tokens":10"#;
        assert_eq!(asked(&m, Call::Completions, batch), 3 + 3 * 10);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{batch},"n":2"#)), 3 + 6 * 10);
        let long = format!(r#","input":["{0}","{0}"]"#, "x".repeat(90_000));
        assert_eq!(asked(&m, Call::Embeddings, &long), 2000, "each as much as the model reads");
    }

    #[test]
    fn a_guess_never_asks_for_more_than_the_tightest_limit() {
        let m = model(None, Some(100));
        assert_eq!(asked(&m, Call::ChatCompletions, ""), 100);
        assert_eq!(asked(&m, Call::ChatCompletions, r#","max_tokens":200"#), 200, "but a client may");
        let long = format!(r#","prompt":"{}""#, "x".repeat(600));
        assert_eq!(asked(&m, Call::ChatCompletions, &long), 200, "and so may a prompt");
    }
}

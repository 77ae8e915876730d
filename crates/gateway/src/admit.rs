//! What a call asks of its limits.

use crate::belief::Belief;
use crate::call::CallBody;
use crate::catalogue::Model;
use crate::context::{ContextKey, Contexts, Kind};
use crate::door::Call;
use crate::limit::{Ask, Limits};
use crate::upstream::Terms;
use keygate_contract::WorkspaceId;
use std::time::Instant;

/// A call that is permitted, and asks for what it needs.
pub(crate) struct Asking<'a> {
    pub(crate) model: &'a Model,
    pub(crate) workspace: &'a WorkspaceId,
    /// What its workspace may do with the model in a minute.
    pub(crate) limits: Limits,
    pub(crate) call: Call,
    pub(crate) body: &'a CallBody<'a>,
    /// How its upstream counts tokens.
    pub(crate) terms: Terms,
    pub(crate) contexts: &'a Contexts,
}

/// What a call is expected to use, estimated before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Estimate {
    pub(crate) ask: Ask,
    /// Tokens of the prompt, including context that is not in the body.
    pub(crate) prompt: u64,
    /// Tokens without the overruns of earlier requests.
    pub(crate) base: u64,
    /// Identifies requests of the same kind.
    pub(crate) kind: ContextKey,
}

/// The length of one answer, as far as the request determines it.
struct Output {
    /// The largest limit that the request sets; 0 if it sets none.
    asked: u64,
    /// Tokens to reserve.
    reserved: u64,
}

impl Asking<'_> {
    /// Estimates what it will use.
    pub(crate) fn estimate(&self) -> Estimate {
        let output = self.output();
        let (known, guessed) = self.context();
        let most = self.model.context_window.map_or(u64::MAX, |window| window.saturating_mul(self.prompts()));
        let text = self.body.prompt.tokens();
        let prompt = text.saturating_add(known).saturating_add(guessed).min(most);
        let kind = self.contexts.kind(self.workspace, self.model.slot, self.kind(&output));
        let account = self.model.limits;
        let answers = self.body.answers.saturating_mul(self.prompts());
        let base = prompt.saturating_add(output.reserved.saturating_mul(answers));
        let tightest = [self.limits.tpm, account.tpm].into_iter().flatten().min();
        let tokens = tightest.map_or(0, |tightest| {
            let total = base.saturating_add(self.contexts.overrun(kind, Instant::now()));
            // The rest is guessed, and a guess must not make the call impossible.
            let text = text.saturating_add(known).min(most);
            let asked = text.saturating_add(output.asked.saturating_mul(answers));
            total.min(tightest.max(asked))
        });
        Estimate { ask: Ask { workspace: self.limits, account, tokens }, prompt, base, kind }
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

    /// One answer. A limit lowers the reservation only if the upstream is known to enforce it, and if its value is more
    /// than 0, which upstreams treat as no limit. Other limits can only raise it. Of several, the largest counts,
    /// because the upstream's choice is unknown. Reasoning comes on top: services with a thinking budget count it
    /// separately.
    fn output(&self) -> Output {
        if self.call == Call::Embeddings {
            return Output { asked: 0, reserved: 0 };
        }
        let most = self.model.max_output_tokens.unwrap_or(u64::MAX);
        let default = self.model.expected_output_tokens;
        let said = || self.body.output_limits().map(|(name, tokens)| (name, tokens.min(most)));
        let asked = said().map(|(_, tokens)| tokens).max().unwrap_or(0).saturating_add(self.body.thinking);
        let holds = said().any(|(name, _)| self.terms.obeys(name)) && said().all(|(_, tokens)| tokens > 0);
        Output { asked, reserved: if holds { asked } else { asked.max(default) } }
    }

    /// Tokens that the upstream reads in addition to the body: those seen before, and guesses for those never seen.
    fn context(&self) -> (u64, u64) {
        let seen = |id: &[u8]| self.contexts.seen(self.contexts.id(self.workspace, id));
        let window = self.model.context_window.unwrap_or(crate::belief::UNKNOWN);
        // A share in whole tokens; windows are far below what a float represents exactly.
        let share = (window as f64 * f64::from(self.terms.unseen_context)) as u64;
        let (mut known, mut guessed) = (0u64, self.body.unnamed_references().saturating_mul(share));
        // Only the upstream issues these ids, and never twice: their size is certain.
        match self.body.previous().map(|id| seen(&id)) {
            Some(Some(tokens)) => known = tokens,
            Some(None) => guessed = guessed.saturating_add(share),
            None => {}
        }
        for id in self.body.references() {
            // The request in which this id was last seen may not have read it, so it counts at least the share.
            guessed = guessed.saturating_add(seen(&id).unwrap_or(0).max(share));
        }
        (known, guessed)
    }

    fn kind(&self, output: &Output) -> Kind {
        Kind {
            is_limited: output.reserved < self.model.expected_output_tokens,
            has_media: self.body.has_media,
            has_context: self.body.has_references(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::OutputLimit;
    use keygate_contract::ModelType;

    const TEXT: &str = r#","prompt":"abcdef""#;
    /// The weight of that text, with its quotes and comma.
    const TEXT_TOKENS: u64 = 3;

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

    fn obeys(names: &[OutputLimit]) -> Terms {
        Terms::new(names, 0.25)
    }

    fn asked_of(contexts: &Contexts, terms: Terms, model: &Model, call: Call, fields: &str) -> u64 {
        let body = format!(r#"{{"model":"m"{fields}}}"#);
        let body = CallBody::parse(body.as_bytes(), call).unwrap();
        let limits = Limits { rpm: 6, tpm: Some(5000) };
        let workspace = &"ws-1".into();
        Asking { model, workspace, limits, call, body: &body, terms, contexts }.estimate().ask.tokens
    }

    fn asked(model: &Model, call: Call, fields: &str) -> u64 {
        asked_of(&Contexts::default(), obeys(&OutputLimit::ALL), model, call, fields)
    }

    #[test]
    fn a_call_asks_for_its_prompt_and_for_the_answer_it_may_get() {
        let m = model(Some(800), Some(100_000));
        let text = TEXT_TOKENS;
        assert_eq!(asked(&m, Call::Completions, TEXT), text + 400);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{TEXT},"max_tokens":10"#)), text + 10);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{TEXT},"max_tokens":10,"n":3"#)), text + 30);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{TEXT},"max_tokens":90000"#)), text + 800);
        let input = r#","input":"abcdef","max_tokens":10"#;
        assert_eq!(asked(&m, Call::Embeddings, input), text);
        let long = format!(r#","input":"{}""#, "x".repeat(90_000));
        assert_eq!(asked(&m, Call::Embeddings, &long), 1000, "no more than the model reads");
        let contexts = Contexts::default();
        let unmetered = Asking {
            model: &model(None, None),
            workspace: &"ws-1".into(),
            limits: Limits { rpm: 6, tpm: None },
            call: Call::Completions,
            body: &CallBody::parse(br#"{"model":"m","prompt":"abcdef"}"#, Call::Completions).unwrap(),
            terms: obeys(&[]),
            contexts: &contexts,
        };
        assert_eq!(unmetered.estimate().ask.tokens, 0, "not metered in tokens");
        assert!(
            asked(&model(None, None), Call::Completions, TEXT) > 0,
            "a limit of the workspace alone holds"
        );
    }

    #[test]
    fn only_names_that_operation_and_upstream_have_lower_it() {
        use OutputLimit::{
            MaxCompletionTokens as Completion, MaxOutputTokens as Output, MaxTokens as Tokens,
        };
        let m = model(Some(800), Some(100_000));
        let answer = |names: &[OutputLimit], call, fields: &str| {
            asked_of(&Contexts::default(), obeys(names), &m, call, fields)
        };
        let all = &OutputLimit::ALL[..];
        let (chat, responses) = (Call::ChatCompletions, Call::Responses);
        for (names, call, fields, expected) in [
            (all, chat, r#","max_tokens":10"#, 10),
            (all, chat, r#","max_completion_tokens":10"#, 10),
            (all, chat, r#","max_output_tokens":10"#, 400),
            (all, Call::Completions, r#","max_completion_tokens":10"#, 400),
            (all, responses, r#","max_tokens":10"#, 400),
            (all, responses, r#","max_output_tokens":10"#, 10),
            (all, responses, r#","max_output_tokens":10,"n":3"#, 30),
            (all, chat, r#","max_tokens":0"#, 400),
            (all, chat, r#","max_tokens":10,"max_completion_tokens":0"#, 400),
            (all, chat, r#","max_tokens":10,"max_completion_tokens":20"#, 20),
            (all, chat, r#","max_tokens":null"#, 400),
            (all, chat, r#","max_tokens":10,"max_output_tokens":700"#, 10),
            (&[Tokens], chat, r#","max_completion_tokens":10"#, 400),
            (&[Tokens], chat, r#","max_completion_tokens":700"#, 700),
            (&[Tokens], chat, r#","max_tokens":10,"max_completion_tokens":20"#, 20),
            (&[Completion], chat, r#","max_tokens":10"#, 400),
            (&[Output], chat, r#","max_tokens":10"#, 400),
            (&[], chat, r#","max_tokens":10"#, 400),
            (&[], chat, r#","max_tokens":700"#, 700),
            (all, chat, r#","max_tokens":10,"thinking_budget":300"#, 310),
            (all, chat, r#","thinking_budget":300"#, 400),
            (all, chat, r#","max_tokens":10,"thinking_budget":"low""#, 10),
        ] {
            assert_eq!(answer(names, call, fields), expected, "{names:?} {call:?} {fields}");
        }
    }

    #[test]
    fn several_prompts_in_one_call_ask_for_as_many_answers() {
        let m = model(Some(800), Some(100_000));
        let batch = r#","prompt":["abc","abc","abc"],"max_tokens":10"#;
        let text = (3 * 6 + 3u64).div_ceil(3);
        assert_eq!(asked(&m, Call::Completions, batch), text + 3 * 10);
        assert_eq!(asked(&m, Call::Completions, &format!(r#"{batch},"n":2"#)), text + 6 * 10);
        let long = format!(r#","input":["{0}","{0}"]"#, "x".repeat(90_000));
        assert_eq!(asked(&m, Call::Embeddings, &long), 2000, "each as much as the model reads");
    }

    #[test]
    fn a_guess_never_asks_for_more_than_the_tightest_limit() {
        let m = model(None, Some(100));
        assert_eq!(asked(&m, Call::ChatCompletions, ""), 100);
        assert_eq!(asked(&m, Call::ChatCompletions, r#","max_tokens":200"#), 200, "but a client may");
        let long = format!(r#","x":"{}""#, "x".repeat(591));
        assert_eq!(asked(&m, Call::ChatCompletions, &long), 200, "and so may a prompt");
        let ignored =
            asked_of(&Contexts::default(), obeys(&[]), &m, Call::ChatCompletions, r#","max_tokens":20"#);
        assert_eq!(ignored, 100, "a name that may be ignored does not ask for what is guessed in its place");
    }

    #[test]
    fn context_outside_the_body_is_what_was_seen_or_a_share() {
        let (contexts, m) = (Contexts::default(), model(Some(800), Some(100_000)));
        let asked = |fields: &str| {
            let fields = format!(r#","max_output_tokens":10{fields}"#);
            asked_of(&contexts, obeys(&OutputLimit::ALL), &m, Call::Responses, &fields) - 10
        };
        let previous = r#","previous_response_id":"resp_1""#;
        assert_eq!(asked(previous), 250, "a quarter of the window");
        contexts.see(contexts.id(&"ws-1".into(), b"resp_1"), 70);
        assert_eq!(asked(previous), 70);
        assert_eq!(asked(r#","previous_response_id":"resp_\u0031""#), 70, "however it is written");
        let conversation = r#","conversation":{"id":"conv_1"}"#;
        assert_eq!((asked(conversation), asked(r#","conversation":"conv_1""#)), (250, 250));
        contexts.see(contexts.id(&"ws-1".into(), b"conv_1"), 600);
        assert_eq!((asked(conversation), asked(r#","conversation":"conv_1""#)), (600, 600));
        contexts.see(contexts.id(&"ws-1".into(), b"conv_1"), 6);
        assert_eq!(asked(conversation), 250, "no less than the share");
        for refers in [
            r#","prompt":{"id":"pmpt_1"}"#,
            r#","input":[{"role":"user","content":[{"type":"input_file","file_id":"file_1"}]}]"#,
            r#","input":[{"role":"user","content":[{"type":"input_image","file\u005fid":"file_1"}]}]"#,
            r#","input":[{"type":"item_reference","id":"msg_1"}]"#,
            r#","input":[{"role":"user","content":[{"type":"input_file","file_url":"https://a/b.pdf"}]}]"#,
            r#","input":[{"role":"user","content":"fileid://file-1"}]"#,
            r#","input":[{"role":"user","content":"\u0066ileid://file-1"}]"#,
            r#","tools":[{"type":"function","name":"f"},{"type":"web_search"}]"#,
            r#","enable_search":true"#,
            r#","web_search_options":{}"#,
        ] {
            assert!(
                (250..300).contains(&asked(refers)) || asked(refers) == 1000,
                "{refers}: {}",
                asked(refers)
            );
        }
        for refers_to_nothing in [
            r#","tools":[{"type":"function"}]"#,
            r#","enable_search":false"#,
            r#","previous_response_id":null"#,
        ] {
            assert!(asked(refers_to_nothing) < 250, "{refers_to_nothing}");
        }
    }

    #[test]
    fn requests_of_a_kind_reserve_what_the_last_took_more() {
        let (contexts, m) = (Contexts::default(), model(Some(800), Some(100_000)));
        let ask =
            |fields: &str| asked_of(&contexts, obeys(&OutputLimit::ALL), &m, Call::ChatCompletions, fields);
        contexts.overran(contexts.kind(&"ws-1".into(), 0, Kind::default()), 300, Instant::now());
        assert_eq!((ask(""), ask(r#","max_tokens":10"#)), (700, 10));
        contexts.overran(contexts.kind(&"ws-1".into(), 0, Kind::default()), 90_000, Instant::now());
        assert_eq!(ask(""), 5000, "a guess, too");
    }
}

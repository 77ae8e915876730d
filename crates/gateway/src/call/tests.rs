use super::*;

fn parse(body: &str) -> Result<CallBody<'_>, Refusal> {
    CallBody::parse(body.as_bytes(), Call::ChatCompletions)
}

fn param(body: &str) -> Option<String> {
    match parse(body) {
        Err(Refusal::BadBody { param, .. }) => param,
        other => panic!("{body}: {other:?}"),
    }
}

fn model_of(body: &str) -> String {
    let mut reader = BodyReader::new(body.as_bytes(), Call::ChatCompletions);
    while reader.advance(3).unwrap() == Progress::More {}
    reader.named().unwrap().into_owned()
}

#[test]
fn the_model_is_found_wherever_it_stands() {
    let text = r#"{"messages":[{"model":"no"}], "stream":true, "model" : "qwen\u002dplus" ,"x":1}"#;
    let call = parse(text).unwrap();
    assert_eq!((model_of(text).as_str(), call.stream), ("qwen-plus", true));
    let body = Bytes::from_static(text.as_bytes());
    assert_eq!(
        call.rewritten(&body, Some("up\"stream"), false),
        r#"{"messages":[{"model":"no"}], "stream":true, "model" : "up\"stream" ,"x":1}"#
    );
    assert_eq!(call.rewritten(&body, None, false), body);
}

#[test]
fn a_stream_is_asked_for_its_usage_and_nothing_else_changes() {
    for (text, expected) in [
        (
            r#" {"model":"a","stream":true}"#,
            r#" {"stream_options":{"include_usage":true},"model":"b","stream":true}"#,
        ),
        (
            r#"{"stream_options":null,"model":"a"}"#,
            r#"{"stream_options":{"include_usage":true},"model":"b"}"#,
        ),
        (
            r#"{"model":"a","stream_options":{"include_usage":false,"x":[1]}}"#,
            r#"{"model":"b","stream_options":{"include_usage":true,"x":[1]}}"#,
        ),
    ] {
        let call = parse(text).unwrap();
        assert!(!call.wants_usage);
        assert_eq!(call.rewritten(&Bytes::from_static(text.as_bytes()), Some("b"), true), expected);
    }
    assert!(parse(r#"{"model":"a","stream_options":{"include_usage":true}}"#).unwrap().wants_usage);
}

#[test]
fn a_body_that_two_parsers_could_read_differently_is_refused() {
    for body in [
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"a","stream":true,"stream":false}"#,
        r#"{"model":"a","max_tokens":1,"max_tokens":2}"#,
        r#"{"model":"a","max_tokens":1,"max\u005ftokens":2}"#,
        r#"{"model":"a","Model":"b"}"#,
        r#"{"model":"a","MAX_TOKENS":9}"#,
        r#"{"model":"a","\u017ftream":true}"#,
        r#"{"model":"a","max_to\u212aens":9}"#,
    ] {
        assert_eq!(param(body), None, "{body}");
    }
}

#[test]
fn bodies_without_a_model_or_without_json_are_told_apart() {
    for body in ["{}", r#"{"model":""}"#, r#"{"model":null}"#] {
        assert_eq!(parse(body).unwrap_err(), Refusal::ModelMissing, "{body}");
    }
    for body in ["", "[", "[]", "\"x\"", "{\"model\":", "null"] {
        assert_eq!(param(body), None, "{body}");
    }
    assert_eq!(param(r#"{"model":7}"#).as_deref(), Some("model"));
    assert_eq!(param(r#"{"model":"a","stream":"yes"}"#).as_deref(), Some("stream"));
    assert_eq!(param(r#"{"model":"a","stream_options":[true]}"#).as_deref(), Some("stream_options"));
    assert_eq!(param(r#"{"model":"a","background":true}"#).as_deref(), Some("background"));
    assert!(parse(r#"{"model":"a","background":false,"Messages":[]}"#).is_ok());
    assert!(matches!(CallBody::parse(b"\xff{}", Call::ChatCompletions), Err(Refusal::BadBody { .. })));
}

#[test]
fn what_is_counted_must_be_a_whole_number_that_can_be() {
    for value in ["-1", "1.5", "1e12", "1000000000000", "\"5\"", "[]", "true"] {
        for name in ["max_tokens", "max_completion_tokens", "max_output_tokens", "n"] {
            assert_eq!(
                param(&format!(r#"{{"model":"a","{name}":{value}}}"#)).as_deref(),
                Some(name),
                "{value}"
            );
        }
    }
    assert_eq!(param(r#"{"model":"a","n":0}"#).as_deref(), Some("n"));
    let call = parse(r#"{"model":"a","max_tokens":5,"max_completion_tokens":7,"n":2}"#).unwrap();
    let limits: Vec<_> = call.output_limits().collect();
    assert_eq!(limits, [(OutputLimit::MaxTokens, 5), (OutputLimit::MaxCompletionTokens, 7)]);
    assert_eq!(call.answers, 2);
    assert_eq!(parse(r#"{"model":"a","n":2,"best_of":5}"#).unwrap().answers, 5);
    let call = parse(r#"{"model":"a","max_tokens":null,"n":null}"#).unwrap();
    assert_eq!((call.output_limits().count(), call.answers), (0, 1));
}

fn weigh(call: Call, body: &str) -> u64 {
    CallBody::parse(body.as_bytes(), call).unwrap().prompt.tokens()
}

fn chat(fields: &str) -> u64 {
    weigh(Call::ChatCompletions, &format!(r#"{{"model":"a",{fields}}}"#))
}

/// A message with this content.
fn content(content: &str) -> u64 {
    chat(&format!(r#""messages":[{{"role":"user","content":{content}}}]"#))
}

#[test]
fn the_prompt_is_weighed_without_what_only_steers() {
    let messages = r#""messages":[{"role":"user","content":"Hello there"}]"#;
    // The text of the list, with a comma after each value.
    assert_eq!(chat(messages), (r#"[{"role":"user","content":"Hello there"}]"#.len() as u64 + 3).div_ceil(3));
    assert_eq!(
        chat(&format!(r#""max_tokens":9,"stream":true,"stream_options":{{"a":[1]}},{messages}"#)),
        chat(messages)
    );
    assert_eq!(
        chat(&format!(r#"{messages} , "a" : "b""#)),
        chat(&format!(r#"{messages},"a":"b""#)),
        "whitespace has no weight"
    );
}

#[test]
fn text_weighs_as_text_whatever_it_looks_like() {
    let long = "A".repeat(60_000);
    for text in [
        content(&format!(r#""data:a;base64,{long}""#)),
        content(&format!(r#"[{{"type":"text","text":"data:image/png;base64,{long}"}}]"#)),
        content(&format!(r#"[{{"type":"image_url","image_url":{{"url":"https://a/{long}"}}}}]"#)),
        content(&format!(
            r#"[{{"type":"image_url","image_url":{{"url":"data:a;base64,{}"}}}}]"#,
            "many words ".repeat(6_000)
        )),
        content(&format!(r#"[{{"type":"image_url","image_url":{{"detail":"{long}"}}}}]"#)),
        chat(&format!(r#""tools":[{{"function":{{"parameters":{{"image_url":{{"url":"{long}"}}}}}}}}]"#)),
        chat(&format!(r#""tools":[{{"content":[{{"image_url":{{"url":"{long}"}}}}]}}]"#)),
        chat(&format!(r#""image_url":"{long}""#)),
        chat(&format!(r#""input":[{{"image":"{long}"}}]"#)),
        weigh(Call::Responses, &format!(r#"{{"model":"a","input":"data:a;base64,{long}"}}"#)),
        weigh(Call::Embeddings, &format!(r#"{{"model":"a","input":["data:a;base64,{long}"]}}"#)),
        weigh(Call::Completions, &format!(r#"{{"model":"a","prompt":"data:a;base64,{long}"}}"#)),
    ] {
        assert!(text >= 20_000, "{text}");
    }
}

#[test]
fn numbers_and_brackets_weigh_by_their_length() {
    let digits = "7".repeat(60_000);
    assert!(chat(&format!(r#""seed":{digits}"#)) >= 20_000);
    assert!(chat(&format!(r#""tools":[{}]"#, "[],".repeat(30_000) + "[]")) >= 20_000);
    assert!(chat(&format!(r#""tools":[{}]"#, "null,".repeat(12_000) + "1")) >= 20_000);
    let ids = format!("[{}1]", "7,".repeat(29_999));
    let completion =
        |prompt: &str| weigh(Call::Completions, &format!(r#"{{"model":"a","prompt":{prompt}}}"#));
    assert_eq!(completion(&ids), 30_001, "token ids count one each");
    assert_eq!(completion(&format!("[{ids},{ids}]")), 60_003);
    assert!(
        (60_000..60_010).contains(&completion(&format!("[{digits}]"))),
        "and other numbers by their length"
    );
    let embeddings = weigh(Call::Embeddings, &format!(r#"{{"model":"a","input":{ids}}}"#));
    assert_eq!(embeddings, 30_001);
}

#[test]
fn names_weigh_the_same_in_any_case() {
    for (plain, other) in [
        (
            r#""messages":[{"content":[{"image_url":{"url":"https://a/b"}}]}]"#,
            r#""messages":[{"Content":[{"Image_URL":{"URL":"https://a/b"}}]}]"#,
        ),
        (
            r#""messages":[{"content":[{"video_url":{"url":"https://a/b"}}]}]"#,
            r#""Messages":[{"content":[{"Video_url":{"url":"https://a/b"}}]}]"#,
        ),
        (r#""tools":[{"type":"web_search"}]"#, r#""Tools":[{"Type":"web_search"}]"#),
    ] {
        assert_eq!(chat(plain), chat(other), "{other}");
        let references = |fields: &str| {
            let body = format!(r#"{{"model":"a",{fields}}}"#);
            CallBody::parse(body.as_bytes(), Call::ChatCompletions).unwrap().unnamed_references()
        };
        assert_eq!(references(plain), references(other), "{other}");
    }
    let nested = content(r#"[{"content":[{"image_url":{"url":"https://a/b"}}]}]"#);
    assert!(nested > 1_750, "{nested}");
}

#[test]
fn media_weigh_by_their_bytes_only_in_parts_of_a_message() {
    let png = format!("data:image/png;base64,{}", "A".repeat(4_000_000));
    let (one, most) = (1_750, 11_718);
    let image = content(&format!(r#"[{{"type":"image_url","image_url":{{"url":"{png}"}}}}]"#));
    assert!((most..most + 40).contains(&image), "{image}");
    let escaped =
        content(&format!(r#"[{{"type":"image_url","image_url":{{"url":"{}"}}}}]"#, png.replace('/', "\\/")));
    assert_eq!(escaped, image, "as PHP writes it");
    let small = content(r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]"#);
    assert!((one..one + 40).contains(&small), "{small}");
    for (call, body) in [
        (
            Call::Responses,
            format!(
                r#"{{"model":"a","input":[{{"role":"user","content":[{{"type":"input_image","image_url":"{png}"}}]}}]}}"#
            ),
        ),
        (
            Call::Responses,
            format!(
                r#"{{"model":"a","input":[{{"type":"computer_call_output","output":{{"type":"computer_screenshot","image_url":"{png}"}}}}]}}"#
            ),
        ),
        (Call::Embeddings, format!(r#"{{"model":"a","input":[{{"image":"{png}"}}]}}"#)),
    ] {
        let weight = weigh(call, &body);
        assert!((most..most + 60).contains(&weight), "{weight}");
    }
    for larger in [
        r#"{"model":"a","vl_high_resolution_images":true,"messages":[{"content":[{"image_url":"https://a/b.png"}]}]}"#,
        r#"{"model":"a","messages":[{"content":[{"image_url":"https://a/b.png","min_pixels":9}]}]}"#,
    ] {
        let weight = weigh(Call::ChatCompletions, larger);
        assert!((16_384..16_450).contains(&weight), "{weight}");
    }
    let audio = content(&format!(
        r#"[{{"type":"input_audio","input_audio":{{"data":"{}","format":"mp3"}}}}]"#,
        "A".repeat(96_000)
    ));
    assert!((3_000..3_050).contains(&audio), "{audio}");
}

#[test]
fn a_list_of_prompts_is_as_many_as_it_has() {
    let count = |call, field: &str, json: &str| {
        CallBody::parse(format!(r#"{{"model":"a","{field}":{json}}}"#).as_bytes(), call).unwrap().prompts
    };
    for (json, expected) in
        [(r#""a""#, 1), ("[]", 1), (r#"["a","b"]"#, 2), ("[1,2,3]", 1), ("[[1,2],[3]]", 2), ("null", 1)]
    {
        assert_eq!(count(Call::Completions, "prompt", json), expected, "{json}");
        assert_eq!(count(Call::Embeddings, "input", json), expected, "{json}");
        assert_eq!(count(Call::Embeddings, "prompt", json), 1, "{json}");
    }
}

#[test]
fn a_body_that_nests_too_deep_is_refused_and_says_so() {
    let nested = |depth: usize| format!(r#"{{"model":"a","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(126)).is_ok());
    match parse(&nested(127)) {
        Err(Refusal::BadBody { message, param: None }) => {
            assert!(message.contains("127 levels"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_model_is_known_before_what_follows_it_is_read() {
    let body = format!(r#"{{"model":"a","messages":[{}"#, "[".repeat(1 << 20));
    let mut reader = BodyReader::new(body.as_bytes(), Call::ChatCompletions);
    assert_eq!(reader.advance(SLICE).unwrap(), Progress::Paused);
    assert_eq!(reader.named().unwrap(), "a");
    assert!(reader.advance(SLICE).is_err());
    let long = format!(r#"{{"model":"{}"}}"#, "a".repeat(1 << 20));
    assert!(model_of(&long).len() <= MODEL_MAX);
}

#[test]
fn a_long_body_gives_others_a_turn() {
    let body = format!(r#"{{"x":[{}1],"model":"a"}}"#, "1,".repeat(1 << 20));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let turns = |body: &str| {
        let reading = async {
            let mut reader = BodyReader::new(body.as_bytes(), Call::ChatCompletions);
            reader.model().await.unwrap();
            reader.rest().await.unwrap();
        };
        let mut reading = std::pin::pin!(reading);
        let mut turns = 0;
        runtime.block_on(std::future::poll_fn(|cx| {
            turns += 1;
            reading.as_mut().poll(cx)
        }));
        turns
    };
    assert!(turns(&body) >= body.len() / SLICE);
    assert_eq!(turns(r#"{"model":"a","messages":[]}"#), 1, "a small one is read at once");
}

#[test]
fn places_of_faults_are_told_and_long_fields_are_not_read() {
    match parse("{\"model\":\"a\",\n  \"x\": tru}") {
        Err(Refusal::BadBody { message, .. }) => assert!(message.contains("line 2, column 8"), "{message}"),
        other => panic!("{other:?}"),
    }
    for field in ["stream", "stream_options", "n", "max_tokens"] {
        let long = format!(r#"{{"model":"a","{field}":[{}1]}}"#, "1,".repeat(100_000));
        assert_eq!(param(&long).as_deref(), Some(field));
    }
}

proptest::proptest! {
    #[test]
    fn a_body_read_in_slices_weighs_the_same(slice in 1usize..40) {
        let body = r#"{"n":2,"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image\/png;base64,iVBOR\/w0KGgo="},
            {"type":"input_text","text":"é🙂\u00e9\n fileid"},{"type":"input_file","file_id":"f1"}]},{"type":"item_reference","id":"m"}],
            "model":"a","previous_response_id":"resp_1","tools":[{"a":[1,-2.5e3,null]}],"max_output_tokens":5}"#;
        let whole = CallBody::parse(body.as_bytes(), Call::Responses).unwrap();
        let sliced = CallBody::parse_in_slices(body.as_bytes(), Call::Responses, slice).unwrap();
        proptest::prop_assert_eq!(format!("{whole:?}"), format!("{sliced:?}"));
        proptest::prop_assert_eq!((whole.references.unnamed, whole.references().count(), whole.previous().is_some()), (1, 1, true));
    }
}

use super::*;
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Records all calls.
#[derive(Debug, Default, PartialEq, Eq)]
struct All(Vec<String>);

impl Sink for All {
    fn open(&mut self, at: usize, is_object: bool) -> Result<(), Fault> {
        self.0.push(format!("open {at} {is_object}"));
        Ok(())
    }
    fn close(&mut self, end: usize) {
        self.0.push(format!("close {end}"));
    }
    fn key(&mut self, at: Range<usize>, weight: u64) -> Result<(), Fault> {
        self.0.push(format!("key {at:?} {weight}"));
        Ok(())
    }
    fn is_media(&self) -> bool {
        true
    }
    fn text(&mut self, text: Text) -> Result<(), Fault> {
        self.0.push(format!("{text:?}"));
        Ok(())
    }
    fn number(&mut self, at: Range<usize>, is_whole: bool) -> Result<(), Fault> {
        self.0.push(format!("number {at:?} {is_whole}"));
        Ok(())
    }
    fn literal(&mut self, at: Range<usize>) -> Result<(), Fault> {
        self.0.push(format!("literal {at:?}"));
        Ok(())
    }
    fn takes_pause(&mut self) -> bool {
        false
    }
}

fn scan(text: &[u8], slice: usize) -> Result<All, Fault> {
    let (mut scanner, mut all) = (Scanner::new(text), All::default());
    loop {
        if scanner.run(&mut all, slice)? == Progress::Done {
            return Ok(all);
        }
    }
}

/// The scanner accepts what serde accepts, except for numbers that no float can represent.
fn agrees_with_serde(text: &[u8]) {
    let scanned = scan(text, usize::MAX);
    let value = serde_json::from_slice::<Value>(text);
    let shown = String::from_utf8_lossy(text);
    if value.is_ok() {
        assert!(scanned.is_ok(), "{shown}: {scanned:?}");
    }
    if scanned.is_ok() {
        assert!(serde_json::from_slice::<IgnoredAny>(text).is_ok(), "{shown}");
        if let Err(error) = value {
            assert!(error.to_string().starts_with("number out of range"), "{shown}: {error}");
        }
    }
}

fn weight(text: &str) -> u64 {
    let json = Value::from(text).to_string();
    let (mut scanner, mut all) = (Scanner::new(json.as_bytes()), All::default());
    scanner.run(&mut all, usize::MAX).unwrap();
    scanner.weight
}

#[test]
fn it_takes_json_and_nothing_else() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1,]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{1:2}",
        "[1 2]",
        "1",
        "-",
        "-0",
        "01",
        "1.",
        "1.5e",
        "1e+5",
        "-1.0E-2",
        "+1",
        ".5",
        "true",
        "tru",
        "nul",
        "[true,false,null]",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude42\"",
        "\"\\ud83d\"",
        "\"\\ude42\"",
        "\"\\ud83d\\u0041\"",
        "\"a\u{7f}b\"",
        "\"a\nb\"",
        "\"\\n\"",
        "{} {}",
        "[]x",
        "{\"a\":[{\"b\":[]}]}",
        "\u{feff}{}",
        "1e999",
        "[1e5,-0.0]",
        "{\"a\":1]",
        "[1}",
        "nullx",
        "\"12345678\\\"",
        "\"1234567\n\"",
    ] {
        agrees_with_serde(text.as_bytes());
    }
    for bytes in
        [&b"\"\xff\""[..], b"\"\xc3\"", b"\xc3", b"\"\xed\xa0\x80\"", b"\"1234567\x01\"", b"\"\x80\""]
    {
        assert!(scan(bytes, usize::MAX).is_err());
        agrees_with_serde(bytes);
    }
}

#[test]
fn nesting_has_an_end_and_is_told_apart() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(scan(nested(DEPTH_MAX).as_bytes(), 7).is_ok());
    assert!(serde_json::from_str::<Value>(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(scan(nested(DEPTH_MAX + 1).as_bytes(), 7), Err(Fault::Depth(DEPTH_MAX)));
    assert!(serde_json::from_str::<Value>(&nested(DEPTH_MAX + 1)).is_err());
    assert_eq!(scan(nested(5_000_000).as_bytes(), 1 << 16), Err(Fault::Depth(DEPTH_MAX)));
}

#[test]
fn a_text_weighs_by_its_characters() {
    for (text, expected) in [
        ("", 0),
        ("abc", 3),
        ("abcdefgh12345678!", 33),
        ("你好", 6),
        ("a\n\"\\", 4),
        ("🙂 ok", 15),
        ("ünïcödé text, long", 26),
    ] {
        assert_eq!(weight(text), expected, "{text}");
    }
}

#[test]
fn base64_is_told_behind_the_head_of_a_data_url() {
    let is = |text: &str| {
        format!("{:?}", scan(format!("\"{text}\"").as_bytes(), 5).unwrap().0).contains("is_base64: true")
    };
    assert!(is("data:image/png;base64,iVBORw0KGgo="));
    assert!(is("data:image\\/png;base64,iVBOR\\/0KGgo="), "as PHP writes it");
    assert!(is("iVBORw0KGgoiVBORw0KGgo="));
    for text in
        ["data:a;base64,many words", "data:a;base64,é", "https://a/b", "data:text/plain,AAAA", "AAAA\\n"]
    {
        assert!(!is(text), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_of_json_bytes_is_judged_as_serde_does(
        text in r#"[ \n{}\[\]:,"\\/bnu0-9aeEtrflsd+.é🙂\-]{0,40}"#
    ) {
        agrees_with_serde(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_judged_as_serde_does(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
        let mut quoted = vec![b'"'];
        quoted.extend_from_slice(&bytes);
        quoted.push(b'"');
        agrees_with_serde(&quoted);
        agrees_with_serde(&bytes);
    }

    #[test]
    fn a_text_read_in_slices_is_read_the_same(
        text in r#"(\{"a":\[("[a-z\\n"é🙂]{0,20}"|-?[0-9]{1,5}(\.[0-9]+)?(e[0-9])?|true|null|\{\})(,"x")?\]\}|.{0,30})"#,
        slice in 1usize..12,
    ) {
        prop_assert_eq!(scan(text.as_bytes(), slice), scan(text.as_bytes(), usize::MAX));
    }

    #[test]
    fn any_value_of_serde_is_read_and_weighed(text in ".{0,60}") {
        let expected: u64 = text.chars().map(|c| match c {
            '0'..='9' => 3,
            c if c.is_ascii() => 1,
            c if c.len_utf8() == 4 => 12,
            _ => 3,
        }).sum();
        prop_assert_eq!(weight(&text), expected);
    }
}

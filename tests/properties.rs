//! Properties: what has to hold for any input, not only for the examples.

use std::collections::BTreeSet;
use std::io::Read;

use orderctl::document::{Document, Edits, Stream, SyntaxFaultKind, yaml};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

/// Brings at most so many bytes at a read, one size after the other.
struct Dripping<'b> {
    bytes: &'b [u8],
    sizes: Vec<usize>,
    reads: usize,
}

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes[self.reads % self.sizes.len()];
        self.reads += 1;
        let size = size.min(self.bytes.len()).min(buffer.len());
        buffer[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

/// Text, line and column of every document, and the error that ends the stream.
type Outcome = (Vec<(String, u64, u64)>, Option<String>);

fn read(bytes: &[u8], sizes: &[usize]) -> Outcome {
    let reader = Dripping {
        bytes,
        sizes: sizes.to_vec(),
        reads: 0,
    };
    let mut stream = Stream::new(reader, "f");
    let mut documents = Vec::new();
    while let Some(batch) = stream.next_batch() {
        let (parsed, error) = batch.parse();
        documents.extend(parsed.iter().map(|document| {
            (
                document.text().to_owned(),
                document.origin().line,
                document.origin().column,
            )
        }));
        if let Some(error) = error {
            return (documents, Some(error.to_string()));
        }
    }
    (documents, None)
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        "[\\x00-\\x7f]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec(("[a-c@]{0,3}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A JSON text with white space where the grammar allows it.
fn spaced(value: &Value, gaps: &[&str], used: &mut usize, text: &mut String) {
    let mut gap = |text: &mut String| {
        if !gaps.is_empty() {
            text.push_str(gaps[*used % gaps.len()]);
            *used += 1;
        }
    };
    match value {
        Value::Array(elements) => {
            text.push('[');
            gap(text);
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                spaced(element, gaps, used, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            gap(text);
            for (position, (key, member)) in members.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                spaced(member, gaps, used, text);
            }
            text.push('}');
        }
        scalar => {
            gap(text);
            text.push_str(&scalar.to_string());
            text.push(' ');
        }
    }
}

fn spaced_json() -> impl Strategy<Value = String> {
    let gaps = vec(select(vec!["", " ", "\n", "\t", "\r\n", "  "]), 0..5);
    (json(), gaps).prop_map(|(value, gaps)| {
        let mut text = String::new();
        spaced(&value, &gaps, &mut 0, &mut text);
        text
    })
}

/// Fragments that break a text, or mend it.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "\\ud83d\\ude00",
    "\\udc00",
    "\\u0061",
    "0",
    "01",
    "-",
    "-0",
    "1.",
    ".5",
    "1e",
    "1e5",
    "1E+2",
    "true",
    "tru",
    "null",
    "nul",
    "false",
    " ",
    "\n",
    "\r",
    "\t",
    "\u{c}",
    "\u{0}",
    "\u{1f}",
    "\u{7f}",
    "é",
    "\u{feff}",
    "/",
    "\"a\":1",
    "'",
    "+1",
];

fn mutated_json() -> impl Strategy<Value = String> {
    let change = (any::<Index>(), any::<bool>(), select(PIECES.to_vec()));
    (spaced_json(), vec(change, 0..4)).prop_map(|(mut text, changes)| {
        for (at, insert, piece) in changes {
            let places: Vec<usize> = text
                .char_indices()
                .map(|(place, _)| place)
                .chain([text.len()])
                .collect();
            let place = places[at.index(places.len())];
            if insert || place == text.len() {
                text.insert_str(place, piece);
            } else {
                text.remove(place);
            }
        }
        text
    })
}

/// A stream as it may come: documents, arrays of them, torn and foreign parts.
fn stream_bytes() -> impl Strategy<Value = Vec<u8>> {
    let object = || {
        vec(("[ab]{1,2}", json()), 0..3)
            .prop_map(|members| Value::Object(members.into_iter().collect()).to_string())
    };
    let part = prop_oneof![
        12 => object(),
        2 => vec(object(), 0..3).prop_map(|objects| format!("[{}]", objects.join(", "))),
        1 => mutated_json(),
        1 => select(vec!["{\"a\":{}", "{\"a\":\"x}", "{\"a\":[}", "}", "[", "{\"a\":\"\\}", "{]", "{x", ",", "]"])
            .prop_map(str::to_owned),
    ];
    let gap = select(vec![
        "\n", "\n", "\n", "\r\n", "\n\n", " ", "", " \n ", "\u{c}\n", ",",
    ]);
    let broken = prop::option::weighted(0.2, (any::<Index>(), any::<u8>()));
    (any::<bool>(), vec((part, gap), 0..8), broken).prop_map(|(marked, parts, broken)| {
        let mut bytes = if marked {
            b"\xEF\xBB\xBF".to_vec()
        } else {
            Vec::new()
        };
        for (part, gap) in parts {
            bytes.extend(part.bytes());
            bytes.extend(gap.bytes());
        }
        if let Some((at, byte)) = broken
            && !bytes.is_empty()
        {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

/// Whether it is one of the points in which orderctl is stricter than the grammar.
fn stricter(kind: &SyntaxFaultKind) -> bool {
    matches!(
        kind,
        SyntaxFaultKind::DuplicateKey { .. }
            | SyntaxFaultKind::NumberRange(_)
            | SyntaxFaultKind::TooDeep
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_is_accepted_exactly_when_serde_json_accepts_it(text in mutated_json()) {
        let theirs = serde_json::from_str::<Value>(&text);
        match Document::parse(text.clone(), "f") {
            Ok(document) => {
                prop_assert!(theirs.is_ok(), "{:?} is accepted, but: {:?}", text, theirs);
                let ours: Value = serde_json::from_str(document.text()).expect("what was parsed is JSON");
                prop_assert_eq!(ours, theirs.expect("just checked"));
            }
            Err(fault) => {
                let same = theirs.is_err() || stricter(&fault.kind);
                prop_assert!(same, "{:?} is refused: {}", text, fault.kind);
                prop_assert!(text.is_char_boundary(fault.offset), "{:?} at {}", text, fault.offset);
            }
        }
    }

    #[test]
    fn compact_output_changes_white_space_only(text in spaced_json()) {
        let Ok(document) = Document::parse(text.clone(), "f") else {
            return Err(TestCaseError::reject("duplicate keys"));
        };
        let mut compact = Vec::new();
        document.write_compact(&mut compact);
        let compact = String::from_utf8(compact).expect("compact output is UTF-8");
        let before: Value = serde_json::from_str(&text).expect("made as JSON");
        let after: Value = serde_json::from_str(&compact).expect("compact output is JSON");
        prop_assert_eq!(before, after);
        prop_assert_eq!(tokens(&text), compact);
    }

    #[test]
    fn a_stream_does_not_depend_on_how_its_bytes_arrive(
        bytes in stream_bytes(),
        sizes in vec(1_usize..40, 1..6),
    ) {
        let whole = read(&bytes, &[usize::MAX]);
        prop_assert_eq!(&whole, &read(&bytes, &sizes), "{}", String::from_utf8_lossy(&bytes));
        prop_assert_eq!(&whole, &read(&bytes, &[1]), "{}", String::from_utf8_lossy(&bytes));
        for (text, _, _) in &whole.0 {
            let value: Value = serde_json::from_str(text).expect("documents are JSON");
            prop_assert!(value.is_object(), "{}", text);
        }
    }

    #[test]
    fn places_are_those_of_the_bytes(bytes in stream_bytes()) {
        let (documents, _) = read(&bytes, &[usize::MAX]);
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let lines: Vec<&str> = text.split('\n').collect();
        for (document, line, column) in documents {
            let line = usize::try_from(line).expect("few lines") - 1;
            let column = usize::try_from(column).expect("short lines") - 1;
            let here: String = lines[line].chars().skip(column).collect();
            let first = document.split('\n').next().expect("split gives something");
            prop_assert!(here.starts_with(first), "{} is not at {}:{}", document, line + 1, column + 1);
        }
    }

    #[test]
    fn edits_keep_every_other_byte(text in spaced_json(), value in json(), at in any::<Index>()) {
        let text = format!("{{\"kept\" : {text} , \"set\":[ 1 ], \"list\":[ ]}}");
        let Ok(document) = Document::parse(text.clone(), "f") else {
            return Err(TestCaseError::reject("duplicate keys"));
        };
        let keys = ["set", "new", "list"];
        let key = keys[at.index(keys.len())];
        let mut edits = Edits::new();
        edits.set(document.root(), key, &value.to_string());
        let changed = edits.apply(&document).expect("a JSON text was set");
        for (member, node) in document.root().members() {
            let name = member.as_str().expect("keys are strings");
            let kept = changed.root().member(&name).expect("no member is lost");
            if name == key {
                prop_assert_eq!(kept.raw(), value.to_string());
            } else {
                prop_assert_eq!(kept.raw(), node.raw());
            }
        }
        let set = changed.root().member(key).expect("the member was set");
        prop_assert_eq!(set.raw(), value.to_string());
    }

    #[test]
    fn appending_keeps_what_is_there(
        given in vec(json(), 0..4),
        added in vec(json(), 1..4),
        absent in any::<bool>(),
    ) {
        let list = Value::from(given.clone());
        let text = if absent { "{}".to_owned() } else { format!("{{\"a\":{list}}}") };
        let document = Document::parse(text, "f").expect("made as JSON");
        let joined: Vec<String> = added.iter().map(Value::to_string).collect();
        let mut edits = Edits::new();
        edits.append(document.root(), "a", &joined.join(","));
        let changed = edits.apply(&document).expect("JSON texts were added");
        let expected: Vec<Value> =
            if absent { Vec::new() } else { given }.into_iter().chain(added).collect();
        let value: Value = serde_json::from_str(changed.text()).expect("edits give JSON");
        prop_assert_eq!(value, serde_json::json!({ "a": expected }));
    }

    #[test]
    fn json_read_as_yaml_is_the_same(value in json()) {
        let object = serde_json::json!({ "value": value });
        let text = object.to_string();
        // Not printable in the terms of YAML; the YAML reader refuses them even in quotes.
        let unprintable = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}');
        prop_assume!(!text.contains(unprintable));
        let documents = yaml::documents(&text, "f").map_err(|error| {
            TestCaseError::fail(format!("{text}: {error}"))
        })?;
        prop_assert_eq!(documents.len(), 1);
        let read: Value = serde_json::from_str(documents[0].text()).expect("documents are JSON");
        prop_assert_eq!(read, object);
    }
}

/// A JSON text without the white space between its tokens.
fn tokens(text: &str) -> String {
    let (mut kept, mut inside, mut escaped) = (String::new(), false, false);
    for character in text.chars() {
        if inside {
            inside = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            inside = character == '"';
        }
        kept.push(character);
    }
    kept
}

#[test]
fn halves_of_surrogate_pairs_are_refused_as_serde_json_refuses_them() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\ud800""#,
        r#""\ud800x""#,
        r#""\ud83d\ude00""#,
    ] {
        let ours = Document::parse(text.to_owned(), "f").is_ok();
        assert_eq!(ours, serde_json::from_str::<Value>(text).is_ok(), "{text}");
    }
}

#[test]
fn duplicate_keys_are_found_however_they_are_written() {
    let names: BTreeSet<String> = (0..60).map(|number| format!("k{number}")).collect();
    let wide: Vec<String> = names.iter().map(|name| format!("\"{name}\":0")).collect();
    let wide = wide.join(",");
    for (text, duplicate) in [
        (r#"{"a":1,"a":2}"#.to_owned(), true),
        (r#"{"a":1,"\u0061":2}"#.to_owned(), true),
        (r#"{"":1,"":2}"#.to_owned(), true),
        (r#"{"a":1,"b":{"a":1}}"#.to_owned(), false),
        (format!("{{{wide}}}"), false),
        (format!("{{{wide},\"k7\":1}}"), true),
        (format!("{{{wide},\"\\u006b7\":1}}"), true),
    ] {
        let parsed = Document::parse(text.clone(), "f");
        let found =
            parsed.is_err_and(|fault| matches!(fault.kind, SyntaxFaultKind::DuplicateKey { .. }));
        assert_eq!(found, duplicate, "{text}");
    }
}

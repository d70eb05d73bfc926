//! Hostile, broken and endless input, through the real binary: an exit code,
//! one clear line, nothing half written, in bounded time and memory.
#![cfg(unix)]

use std::io::Write as _;
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;

/// Address space in KiB that a run may take: enough for the program and a
/// document of 50 MB, far from enough for input without end.
const MEMORY_LIMIT: u32 = 800_000;

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Runs a shell command in which `$ORDERCTL` is the program, within limits.
fn shell(script: &str) -> Output {
    Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY_LIMIT}; {script}")])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("ORDERCTL", cargo_bin("orderctl"))
        .current_dir(std::env::temp_dir())
        .timeout(TIME_LIMIT)
        .output()
        .expect("sh runs")
}

fn validate(input: &[u8]) -> Output {
    orderctl(&["validate"], input)
}

fn orderctl(args: &[&str], input: &[u8]) -> Output {
    Command::new(cargo_bin("orderctl"))
        .args(args)
        .env_clear()
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"))
        .write_stdin(input)
        .timeout(TIME_LIMIT)
        .output()
        .expect("the binary runs")
}

#[track_caller]
fn gives(output: &Output, status: i32, stdout: &str, stderr: &str) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(&output.stderr), stderr);
    assert_eq!(text(&output.stdout), stdout);
    assert_eq!(output.status.code(), Some(status));
}

/// Input is refused with one line, after `before` was written.
#[track_caller]
fn refused(input: &[u8], before: &str, message: &str) {
    gives(&validate(input), 2, before, &format!("error: {message}\n"));
}

#[test]
fn input_without_end_is_refused_where_it_goes_wrong() {
    for (script, message) in [
        ("yes '{'", "-:2:1: expected a key in quotes, found `{`"),
        ("yes '{\"a\":'", "-:257:1: nested deeper than 256 levels"),
        (
            "yes '['",
            "-:2:1: a document has to be a JSON object, found an array",
        ),
        (
            "yes x",
            "-:1:1: a document has to be a JSON object, found `x`",
        ),
        (
            "yes 1",
            "-:1:1: a document has to be a JSON object, found a number",
        ),
        (
            "yes '\"'",
            "-:1:1: a document has to be a JSON object, found a string",
        ),
        (
            "yes '{\"a\": \"'",
            "-:1:8: control character U+000A in a string; it has to be written as an escape",
        ),
        (
            "cat /dev/zero",
            "-:1:1: a document has to be a JSON object, found U+0000",
        ),
    ] {
        let output = shell(&format!(
            "{script} 2>/dev/null | exec \"$ORDERCTL\" validate"
        ));
        gives(&output, 2, "", &format!("error: {message}\n"));
    }
}

#[test]
fn a_hundred_megabytes_of_brackets_are_refused_at_once() {
    let brackets = |bracket: &str| {
        let pipe = format!("yes '{bracket}' | tr -d '\\n' | head -c 100000000 2>/dev/null");
        shell(&format!("{pipe} | exec \"$ORDERCTL\" validate"))
    };
    let message = "error: -:1:2: a document has to be a JSON object, found an array\n";
    gives(&brackets("["), 2, "", message);
    let message = "error: -:1:2: expected a key in quotes, found `{`\n";
    gives(&brackets("{"), 2, "", message);
}

const FIFTY_MEGABYTES: &str = "yes a | tr -d '\\n' | head -c 50000000";

#[test]
fn a_string_of_fifty_megabytes_is_no_document() {
    let script =
        format!("{{ printf '\"'; {FIFTY_MEGABYTES}; printf '\"'; }} | exec \"$ORDERCTL\" validate");
    let message = "error: -:1:1: a document has to be a JSON object, found a string\n";
    gives(&shell(&script), 2, "", message);
}

#[test]
fn a_string_of_fifty_megabytes_in_an_order_is_passed_on() {
    let script = format!(
        "{{ printf '%s' '{{\"@type\":\"ProductOrder\",\"id\":\"1\",\"description\":\"'; {FIFTY_MEGABYTES}; \
         printf '%s' '\",\"productOrderItem\":[{{\"id\":\"1\",\"action\":\"add\"}}]}}'; }} \
         | \"$ORDERCTL\" validate | wc -c | tr -d ' '"
    );
    gives(&shell(&script), 0, "50000098\n", "");
}

#[test]
fn a_torn_string_of_fifty_megabytes_is_reported_at_its_end() {
    let script =
        format!("{{ printf '{{\"x\":\"'; {FIFTY_MEGABYTES}; }} | exec \"$ORDERCTL\" validate");
    gives(
        &shell(&script),
        2,
        "",
        "error: -:1:50000007: the input ends inside a string\n",
    );
}

#[test]
fn documents_in_front_of_a_fault_are_written() {
    for fault in [
        "}", "]", "x", "\0", "1", "\"a\"", "null", "{\"a\":}", "{\"a\":1", "{\"a\"", "{", "[{},]",
        "[1]", "[[]]",
    ] {
        let input = format!("{{\"a\":1}}\n[{{\"b\": 2}}]\n{fault}");
        let output = validate(input.as_bytes());
        let before = if fault == "[{},]" {
            "{\"a\":1}\n{\"b\":2}\n{}\n"
        } else {
            "{\"a\":1}\n{\"b\":2}\n"
        };
        assert_eq!(String::from_utf8_lossy(&output.stdout), before, "{fault:?}");
        assert_eq!(output.status.code(), Some(2), "{fault:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.starts_with("error: -:3:"), "{fault:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{fault:?}: {stderr}");
    }
}

#[test]
fn faults_name_their_place() {
    let one = "{\"a\":1}\n";
    refused(b"{\"a\":1e999}", "", "-:1:6: number 1e999 is out of range");
    refused(
        b"{\"a\":-1e999}",
        "",
        "-:1:6: number -1e999 is out of range",
    );
    refused(
        b"{\"a\":01}",
        "",
        "-:1:6: a number has to be written as in JSON (digits, one point, one exponent)",
    );
    refused(
        b"{\"a\":1} garbage",
        one,
        "-:1:9: a document has to be a JSON object, found `g`",
    );
    refused(
        b"{\"a\":1},{\"b\":1}",
        one,
        "-:1:8: a document has to be a JSON object, found `,`",
    );
    refused(
        "{\"a\":1}é".as_bytes(),
        one,
        "-:1:8: a document has to be a JSON object, found `é`",
    );
    refused(
        b"{\"a\":1}\0",
        one,
        "-:1:8: a document has to be a JSON object, found U+0000",
    );
    refused(
        b"[{\"a\":1} {\"b\":1}]",
        one,
        "-:1:10: expected `,` or `]`, found `{`",
    );
    refused(
        b"[{\"a\":1},]",
        one,
        "-:1:10: a document has to be a JSON object, found `]`",
    );
    refused(b"[{\"a\":1}", one, "-:1:9: the input ends inside an array");
    refused(
        b"{\"a\":1} 5 {\"b\":1}\n{\"c\":1}\n",
        one,
        "-:1:9: a document has to be a JSON object, found a number",
    );
    refused(
        b"{\"a\":1}\n{\"b\":{}\n{\"c\":1}\n",
        one,
        "-:3:1: expected `,` or `}`, found `{`",
    );
    refused(
        b"{\"a\":1}\n{\"b\":\"",
        one,
        "-:2:7: the input ends inside a string",
    );
    refused(
        b"{\"a\":1}\n{\"b\":tr",
        one,
        "-:2:8: the input ends inside a literal",
    );
    refused(
        b"{\"a\":1}\r\n{\"b\": nul}\r\n",
        one,
        "-:2:7: expected a value, found `n`",
    );
    refused(
        br#"{"a":"\ud800"}"#,
        "",
        "-:1:7: half of a surrogate pair is not text",
    );
    refused(
        br#"{"a":"\udc00"}"#,
        "",
        "-:1:7: half of a surrogate pair is not text",
    );
    refused(
        br#"{"a":"\x"}"#,
        "",
        "-:1:7: `\\` is not followed by a valid escape",
    );
    refused(
        b"{\"a\":\"\t\"}",
        "",
        "-:1:7: control character U+0009 in a string; it has to be written as an escape",
    );
    refused(
        b"{\"a\":1}\n \xEF\xBB\xBF{}",
        one,
        "-:2:2: a document has to be a JSON object, found `\\u{feff}`",
    );
}

#[test]
fn duplicate_keys_name_both_places() {
    refused(
        b"{\"a\": 1,\n \"b\": 2,\n  \"a\": 3}",
        "",
        "-:3:3: duplicate key \"a\", first at -:1:2",
    );
    refused(
        "{\"x\":{\"é\":1,\n\"y\":[],\"\\u00e9\":2}}".as_bytes(),
        "",
        "-:2:8: duplicate key \"é\", first at -:1:7",
    );
}

#[test]
fn bytes_that_are_no_text_name_line_column_and_offset() {
    refused(
        b"{\"a\":1}\n{\"b\":\n \"\xC3\xA9\xFF\"}",
        "{\"a\":1}\n",
        "-:3:4: invalid UTF-8 (byte 18 of the input)",
    );
    refused(
        b"{\"a\":1}\n\xFF",
        "{\"a\":1}\n",
        "-:2:1: invalid UTF-8 (byte 8 of the input)",
    );
    refused(
        b"{\"a\":1}\n\xC3",
        "{\"a\":1}\n",
        "-:2:1: invalid UTF-8 (byte 8 of the input)",
    );
    refused(
        b"{\"\xC0\xAF\":1}",
        "",
        "-:1:3: invalid UTF-8 (byte 2 of the input)",
    );
    refused(
        b"{\"a\":\"\xED\xA0\x80\"}",
        "",
        "-:1:7: invalid UTF-8 (byte 6 of the input)",
    );
    refused(
        b"\xFF\xFE{\0}\0",
        "",
        "-:1:1: invalid UTF-8 (byte 0 of the input)",
    );
}

#[test]
fn nesting_ends_at_256_levels() {
    // The object itself is the first level.
    let nested = |levels: usize| {
        format!(
            "{{\"a\":{}{}}}",
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        )
    };
    for levels in [255, 256] {
        gives(
            &validate(nested(levels).as_bytes()),
            0,
            &format!("{}\n", nested(levels)),
            "",
        );
    }
    refused(
        nested(257).as_bytes(),
        "",
        "-:1:261: nested deeper than 256 levels",
    );
}

#[test]
fn every_way_of_writing_a_stream_gives_the_same_documents() {
    for input in [
        "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n",
        "{\"a\":1}\n{\"b\":2}\n{\"c\":3}",
        "{\"a\":1}{\"b\":2}{\"c\":3}",
        "{\"a\":1} {\"b\":2} {\"c\":3}\n",
        "[{\"a\":1},{\"b\":2},{\"c\":3}]",
        "[{\"a\":1}]\n[]\n{\"b\":2}\n[ {\"c\" : 3} ]",
        "\u{feff}{\"a\":1}\r\n{\"b\":2}\r\n{\"c\":3}\r\n",
        "\n\n {\n  \"a\": 1\n}\n\n{\n\t\"b\": 2\n}{\n\"c\"\n:\n3\n}\n\n",
        "{\"a\":1}\n{\"b\":2}{\"c\":3}\n",
    ] {
        let output = validate(input.as_bytes());
        gives(&output, 0, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n", "");
    }
}

#[test]
fn input_without_a_document_is_an_error() {
    for input in ["", " \n\t\r\n", "[]", "\u{feff}", "[] []"] {
        refused(
            input.as_bytes(),
            "",
            "there is no document in standard input",
        );
    }
}

#[test]
fn a_catalog_that_cannot_be_used_ends_the_run_before_its_input_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let within = format!("cd '{}'", folder.path().display());
    let catalog = "mkdir catalog && printf '{' > catalog/broken.json";
    let made = shell(&format!("{within} && {catalog} && mkfifo endless"));
    gives(&made, 0, "", "");
    for command in ["validate", "decompose", "plan"] {
        let output = shell(&format!(
            "{within} && exec 3<>endless && \
             exec \"$ORDERCTL\" {command} --catalog catalog < endless"
        ));
        let place = "catalog/broken.json:1:2: the input ends inside an object";
        let message = format!("error: the catalog cannot be read: {place}\n");
        gives(&output, 2, "", &message);
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("order.json");
    std::fs::File::create(&file)
        .and_then(|mut file| file.write_all(b"{\"a\":1}"))
        .expect("a file");
    let name = |path: &std::path::Path| {
        path.to_str()
            .expect("temporary folders are UTF-8")
            .to_owned()
    };
    let (file, folder) = (name(&file), name(folder.path()));

    // `validate` takes a folder for a catalog; no other command has a use for one.
    let output = orderctl(&["plan", &file, &folder], b"");
    let message = format!("error: cannot read {folder}: Is a directory (os error 21)\n");
    gives(&output, 2, "{\"a\":1}\n", &message);

    let missing = format!("{folder}/missing.json");
    let output = orderctl(&["validate", &file, &missing, &file], b"");
    let message = format!("error: cannot read {missing}: No such file or directory (os error 2)\n");
    gives(&output, 2, "{\"a\":1}\n", &message);

    let output = orderctl(&["validate", &file, "-", &file], b"{\"b\":2}");
    gives(&output, 0, "{\"a\":1}\n{\"b\":2}\n{\"a\":1}\n", "");
}

/// The example of a broadband order.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/broadband-b2c");

/// So many orders, one a line, each with ids of its own; a foreign document now and then, and
/// some orders that cannot be accepted, if they are wanted.
fn orders(count: usize, faulty: Faulty) -> Vec<u8> {
    let text = std::fs::read(format!("{EXAMPLE}/order.json")).expect("the example's order");
    let order: serde_json::Value = serde_json::from_slice(&text).expect("the order is JSON");
    let mut stream = Vec::new();
    for number in 0..count {
        let mut order = order.clone();
        order["id"] = format!("ORD-{number}").into();
        order["externalId"] = format!("CRM-{number}").into();
        if faulty == Faulty::Some && number % 5 == 1 {
            order["productOrderItem"][0]["product"]["productCharacteristic"] =
                serde_json::json!([]);
        }
        stream.extend(order.to_string().bytes());
        stream.push(b'\n');
        if number % 7 == 3 {
            stream.extend(b"{\"@type\":\"Greeting\",\"kept\" : [1.50, \"\\u00e9\"]}\n");
        }
    }
    stream
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Faulty {
    None,
    Some,
}

fn in_example(args: &[&str], input: &[u8]) -> Output {
    Command::new(cargo_bin("orderctl"))
        .args(args)
        .env_clear()
        .current_dir(EXAMPLE)
        .write_stdin(input)
        .timeout(Duration::from_secs(300))
        .output()
        .expect("the binary runs")
}

#[test]
fn long_streams_give_the_same_bytes_on_any_number_of_threads() {
    let stream = orders(2_100, Faulty::Some);
    assert!(
        stream.len() > 2 * 256 * 1024,
        "the stream is longer than a read"
    );
    let validated = in_example(&["validate"], &stream);
    assert_eq!(in_example(&["validate", "-j", "4"], &stream), validated);
    assert_eq!(
        validated.status.code(),
        Some(1),
        "every fifth order lacks what is mandatory"
    );

    let decomposed = in_example(&["decompose"], &stream);
    assert_eq!(in_example(&["decompose", "-j", "4"], &stream), decomposed);
    let services = in_example(&["decompose", "--to", "service"], &stream).stdout;
    let again = in_example(&["decompose", "-j", "3"], &services);
    assert_eq!(
        again.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&again.stderr)
    );
    assert!(
        again.stdout == decomposed.stdout,
        "decompose in two steps gives other bytes"
    );
    assert!(in_example(&["decompose"], &services).stdout == decomposed.stdout);

    let planned = in_example(&["plan"], &decomposed.stdout);
    assert_eq!(
        planned.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&planned.stderr)
    );
    assert!(in_example(&["plan", "-j", "4"], &decomposed.stdout) == planned);
    let plans = String::from_utf8_lossy(&planned.stdout)
        .matches("\"OrchestrationPlan\"")
        .count();
    assert_eq!(plans, 1_680);
    assert_eq!(
        String::from_utf8_lossy(&planned.stdout)
            .matches("\"Greeting\"")
            .count(),
        300
    );
}

#[test]
fn reports_and_rejects_are_the_same_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stream = orders(300, Faulty::Some);
    let written = |jobs: &str| {
        let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
        let (rejects, report) = (path("rejects"), path("report"));
        let args = [
            "validate",
            "--rejects",
            &rejects,
            "--report",
            &report,
            "-j",
            jobs,
        ];
        let output = in_example(&args, &stream);
        let explained = in_example(&["decompose", "--explain", "-j", jobs], &stream);
        let read = |path: &str| std::fs::read(path).expect("a file that was written");
        (output, explained, read(&rejects), read(&report))
    };
    let one = written("1");
    assert_eq!(String::from_utf8_lossy(&one.2).lines().count(), 60);
    assert!(written("4") == one);
}

#[test]
fn a_fault_late_in_a_stream_is_the_same_on_any_number_of_threads() {
    let mut stream = orders(400, Faulty::Some);
    stream.extend(b"{\"torn\":");
    for command in ["validate", "decompose"] {
        let one = in_example(&[command], &stream);
        assert_eq!(one.status.code(), Some(2));
        assert_eq!(in_example(&[command, "-j", "4"], &stream), one);
        let message = String::from_utf8_lossy(&one.stderr);
        let last = message.lines().last().expect("an error is reported");
        assert!(last.ends_with("the input ends inside an object"), "{last}");
    }
}

#[test]
fn a_reader_that_takes_one_line_ends_the_run_without_a_word() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("big.ndjson");
    std::fs::write(&file, orders(1_500, Faulty::None)).expect("a file");
    for arguments in [
        "validate",
        "validate -j 2",
        "decompose",
        "decompose -j 2",
        "decompose -j 4",
    ] {
        let script = format!(
            "cd '{EXAMPLE}'; {{ \"$ORDERCTL\" {arguments} '{}'; echo $? >&2; }} | head -n 1 | cut -c 1-24",
            file.display()
        );
        let output = shell(&script);
        gives(&output, 0, "{\"@type\":\"ProductOrder\",\n", "0\n");
    }
}

#[test]
fn foreign_documents_without_end_behind_an_order_are_not_kept() {
    // Twice what may be kept, after an order that its resource order might still follow.
    let order = r#"{"@type":"ProductOrder","id":"O","state":"completed","productOrderItem":[{"id":"1","action":"add"}]}"#;
    let foreign = format!(r#"{{"@type":"X","note":"{}"}}"#, "x".repeat(4000));
    let stream = format!("{{ echo '{order}'; yes '{foreign}' | head -n 100000; }}");
    let expected = shell(&format!("{stream} | cksum"));
    for jobs in ["1", "2"] {
        let output = shell(&format!(
            "{stream} | (ulimit -v 200000; \"$ORDERCTL\" plan -q -j {jobs}) | cksum"
        ));
        gives(&output, 0, &String::from_utf8_lossy(&expected.stdout), "");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_read_as_standard_input_is_not_overwritten_either() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("order.json");
    let order =
        r#"{"@type":"ProductOrder","id":"O","productOrderItem":[{"id":"1","action":"add"}]}"#;
    std::fs::write(&file, order).expect("a file");
    let name = file.display();
    for input in ["", "-"] {
        for output in ["--rejects", "--report"] {
            let run = format!("exec \"$ORDERCTL\" validate -q {input} {output} {name} < {name}");
            let message = format!("error: {name} is read; write to another file\n");
            let output = shell(&run);
            assert_eq!(String::from_utf8_lossy(&output.stderr), message);
            assert_eq!(output.status.code(), Some(2));
            assert_eq!(std::fs::read_to_string(&file).expect("a file"), order);
        }
    }
}

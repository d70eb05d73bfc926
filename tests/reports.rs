//! Reports in the formats of others: accepted by those who read them, whatever
//! the input held.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Longest comment that GitHub takes.
const LONGEST_COMMENT: usize = 65_536;

fn run(args: &[&str], input: &[u8]) -> Output {
    Command::new(cargo_bin("orderctl"))
        .args(args)
        .env_clear()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/broadband-b2c"))
        .write_stdin(input)
        .timeout(TIME_LIMIT)
        .output()
        .expect("the binary runs")
}

fn text(output: Output) -> String {
    String::from_utf8(output.stdout).expect("reports are UTF-8")
}

/// An order with faults everywhere, its texts made of everything that could do harm.
fn hostile() -> Vec<u8> {
    let text = "\u{0}\u{1b}[2J\u{7f}\u{85}\u{fffe}\u{ffff}<&>\"'`]]>\r\n::error::x\n```\n@all | #1\u{202e}%0A";
    let order = json!({
        "@type": "ProductOrder",
        "id": text,
        "state": text,
        "orderDate": text,
        text: null,
        "productOrderItem": [
            { "id": text, "action": text, "quantity": text },
            { "id": text, "action": "add", "productOffering": { "id": text } }
        ]
    });
    order.to_string().into_bytes()
}

/// Many orders with many faults.
fn many() -> Vec<u8> {
    let order = |number: usize| {
        let items: Vec<Value> = (0..40)
            .map(|item| json!({ "id": item.to_string(), "action": "create" }))
            .collect();
        let id = format!("O-{number}");
        json!({ "@type": "ProductOrder", "id": id, "productOrderItem": items }).to_string()
    };
    let orders: Vec<String> = (0..50).map(order).collect();
    orders.join("\n").into_bytes()
}

/// Inputs: arguments and standard input.
fn inputs() -> Vec<(Vec<&'static str>, Vec<u8>)> {
    vec![
        (vec!["order.json"], Vec::new()),
        (vec!["order-invalid.json"], Vec::new()),
        (vec!["./order-invalid.json", "--strict"], Vec::new()),
        (vec!["no-such-file.json"], Vec::new()),
        (vec![], hostile()),
        (vec![], many()),
        (
            vec![],
            b"{\"@type\":\"ProductOrder\",\"id\":\"1\"}\n{\"id\":".to_vec(),
        ),
        (
            vec!["order-invalid.json", "--catalog", "orderctl.toml"],
            Vec::new(),
        ),
    ]
}

fn report(format: &str, input: &(Vec<&'static str>, Vec<u8>)) -> String {
    let mut args = vec!["validate", "--format", format];
    args.extend(&input.0);
    text(run(&args, &input.1))
}

/// Commands about catalogs, run at the top of the repository; each finds something.
const OF_CATALOGS: [&[&str]; 5] = [
    &[
        "catalog",
        "lint",
        "--catalog",
        "tests/cases/catalog/lint-levels-and-exceptions/catalog.yaml",
    ],
    &[
        "catalog",
        "diff",
        "tests/cases/catalog/diff-in-the-words-of-catalogs/old.yaml",
        "tests/cases/catalog/diff-in-the-words-of-catalogs/new.yaml",
    ],
    &[
        "catalog",
        "impact",
        "tests/cases/catalog/impact-of-a-small-change/old.yaml",
        "tests/cases/catalog/impact-of-a-small-change/new.yaml",
        "--orders",
        "tests/cases/catalog/impact-of-a-small-change/orders.json",
        "--exit-code",
    ],
    &[
        "catalog",
        "coverage",
        "--catalog",
        "examples/catalog",
        "--orders",
        "examples/catalog-tests/broadband",
        "--min",
        "90",
    ],
    &["catalog", "diff", "no-such-catalog", "nor-this"],
];

fn of_catalog(format: &str, args: &[&str]) -> String {
    let output = Command::new(cargo_bin("orderctl"))
        .args(args)
        .args(["--format", format])
        .env_clear()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .timeout(TIME_LIMIT)
        .output()
        .expect("the binary runs");
    text(output)
}

/// What was run, and its report in SARIF.
fn sarif_reports() -> Vec<(Vec<&'static str>, Value)> {
    let of_orders = inputs().into_iter().map(|input| {
        let text = report("sarif", &input);
        (input.0, text)
    });
    let of_catalogs = OF_CATALOGS.map(|args| (args.to_vec(), of_catalog("sarif", args)));
    let reports = of_orders.chain(of_catalogs);
    reports
        .map(|(args, text)| (args, serde_json::from_str(&text).expect("JSON")))
        .collect()
}

/// The official schema, which the crate serde-sarif ships, if that crate's sources are here.
fn sarif_schema() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
    registries
        .filter_map(Result::ok)
        .map(|registry| registry.path().join("serde-sarif-0.8.0/src/schema.json"))
        .find(|path| path.is_file())
}

#[test]
fn sarif_reports_are_valid_against_the_official_schema() {
    let Some(path) = sarif_schema() else {
        println!("skipped: the sources of the crate serde-sarif 0.8.0 are not here");
        return;
    };
    let schema = std::fs::read(path).expect("a readable schema");
    let mut schema: Value = serde_json::from_slice(&schema).expect("a schema in JSON");
    // Its pattern for languages, which we do not give, is no regular expression.
    for object in ["run", "toolComponent"] {
        schema["definitions"][object]["properties"]["language"] = json!({ "type": "string" });
    }
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a schema");
    assert!(!validator.is_valid(&json!({ "version": "2.1.0", "runs": [{}] })));
    for (args, log) in sarif_reports() {
        let faults: Vec<String> = validator
            .iter_errors(&log)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{args:?}");
    }
}

#[test]
fn sarif_reports_have_what_code_scanning_asks_for() {
    for (args, log) in sarif_reports() {
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        // Reports of several commands stand beside each other.
        let category = run["automationDetails"]["id"].as_str().expect("a category");
        let command: Vec<&str> = if args.first() == Some(&"catalog") {
            args[..2].to_vec()
        } else {
            vec!["validate"]
        };
        assert_eq!(category, format!("orderctl {}/", command.join(" ")));
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "orderctl");
        assert_eq!(driver["semanticVersion"], env!("CARGO_PKG_VERSION"));
        let rules = driver["rules"].as_array().expect("rules");
        for rule in rules {
            for text in ["shortDescription", "fullDescription", "help"] {
                let text = rule[text]["text"].as_str().unwrap_or_default();
                assert!(!text.is_empty() && text.len() < 1_024, "{rule}");
            }
            let level = &rule["defaultConfiguration"]["level"];
            assert!(["error", "warning", "note"].iter().any(|it| level == it));
        }
        let mut prints = Vec::new();
        for result in run["results"].as_array().expect("results") {
            let number = result["ruleIndex"].as_u64().expect("an index");
            let rule = &rules[usize::try_from(number).expect("an index")];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(
                result["message"]["text"]
                    .as_str()
                    .is_some_and(|it| !it.is_empty())
            );
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().expect("a URI");
            assert!(!uri.starts_with(['/', '.']) && uri.is_ascii(), "{uri}");
            assert!(place["region"]["startLine"].as_u64() >= Some(1), "{result}");
            prints.push(result["partialFingerprints"].to_string());
        }
        let count = prints.len();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), count, "{args:?}");
    }
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let prints = |input: &[u8]| -> Vec<String> {
        let args = ["validate", "--format", "sarif"];
        let log: Value = serde_json::from_str(&text(run(&args, input))).expect("JSON");
        let results = log["runs"][0]["results"].as_array().expect("results");
        let mut prints: Vec<String> = results
            .iter()
            .map(|result| result["partialFingerprints"].to_string())
            .collect();
        prints.sort();
        prints
    };
    let input = many();
    let mut moved = b"\n\n{\"@type\":\"ProductOrder\",\"id\":\"new\",\"productOrderItem\":[{\"id\":\"1\",\"action\":\"add\"}]}\n".to_vec();
    moved.extend(String::from_utf8_lossy(&input).replace('{', "{\n").bytes());
    let before = prints(&input);
    assert_eq!(before.len(), 2_000);
    let after = prints(&moved);
    // The new order has one finding of its own: it orders nothing.
    assert_eq!(after.len(), before.len() + 1);
    assert!(
        before
            .iter()
            .all(|print| after.binary_search(print).is_ok())
    );
}

#[test]
fn junit_reports_are_well_formed_and_count_their_failures() {
    for input in inputs() {
        let xml = report("junit", &input);
        let read = quick_junit::Report::deserialize_from_str(&xml).expect("well-formed XML");
        let json: Value = serde_json::from_str(&report("json", &input)).expect("JSON");
        assert_eq!(json!(read.failures), json["errorCount"], "{:?}", input.0);
        let failed = json["failures"].as_array().map(Vec::len);
        assert_eq!(Some(read.errors), failed, "{:?}", input.0);
        let illegal = |character: char| !matches!(character, '\n' | ' '..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(!xml.contains(illegal), "{xml:?}");
    }
}

#[test]
fn reports_of_catalogs_say_in_every_format_what_was_found() {
    for (args, places) in OF_CATALOGS.iter().zip([1, 2, 2, 20, 0]) {
        let annotations = of_catalog("github", args);
        let commands = annotations.lines().filter(|it| it.starts_with("::"));
        let found = commands.clone().filter(|it| it.contains(" file=")).count();
        assert!(found >= places, "{annotations}");
        let failed = commands.filter(|it| it.starts_with("::error ")).count();
        let xml = of_catalog("junit", args);
        let read = quick_junit::Report::deserialize_from_str(&xml).expect("well-formed XML");
        assert_eq!(read.failures + read.errors, failed, "{xml}");
        for format in ["human", "json", "markdown"] {
            let text = of_catalog(format, args);
            let wanted = format != "human" || places > 1;
            assert_eq!(!text.is_empty(), wanted, "{args:?} {format}");
        }
    }
}

#[test]
fn annotations_are_the_only_commands_of_a_github_report() {
    for input in inputs() {
        let lines = report("github", &input);
        let json: Value = serde_json::from_str(&report("json", &input)).expect("JSON");
        let list = |name: &str| json[name].as_array().map_or(0, Vec::len);
        let expected = list("diagnostics") + list("failures");
        let commands = lines.lines().filter(|line| line.starts_with("::"));
        assert_eq!(commands.count(), expected, "{lines}");
        let others: Vec<&str> = lines.lines().filter(|it| !it.starts_with("::")).collect();
        assert_eq!(others, [json["summary"].as_str().expect("a summary")]);
        for line in lines.lines().filter(|line| line.starts_with("::")) {
            let (head, _) = line[2..].split_once("::").expect("a message");
            let (command, properties) = head.split_once(' ').expect("properties");
            assert!(["error", "warning", "notice"].contains(&command), "{line}");
            for property in properties.split(',') {
                let (name, _) = property.split_once('=').expect("a property");
                assert!(["file", "line", "col", "title"].contains(&name), "{line}");
            }
        }
    }
}

#[test]
fn a_markdown_report_fits_into_a_comment() {
    for input in inputs() {
        let comment = report("markdown", &input);
        assert!(comment.len() <= LONGEST_COMMENT, "{}", comment.len());
        assert!(comment.starts_with("### orderctl validate: "));
        let starts = comment.matches("<details>").count();
        assert_eq!(starts, comment.matches("\n</details>\n").count());
        assert_eq!(
            starts * 2,
            comment.lines().filter(|it| it.starts_with("```")).count()
        );
    }
    let comment = report("markdown", &(vec![], many()));
    let shown = comment.matches("\nerror[").count();
    let left_out = format!("\n{} more findings are left out", 2_000 - shown);
    assert!(comment.contains(&left_out), "{comment}");
    assert!(
        comment.contains("2000 errors in 50 documents."),
        "{comment}"
    );
}

#[test]
fn a_report_has_the_same_bytes_with_any_number_of_threads() {
    for format in ["json", "sarif", "junit", "github", "markdown"] {
        let args = ["validate", "--format", format];
        let once = text(run(&args, &many()));
        let args = ["validate", "-j", "4", "--format", format];
        assert_eq!(once, text(run(&args, &many())), "{format}");
    }
}

//! The journal, as its owners see it: what older releases wrote, what was done
//! to it in silence, and what is in it.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::evidence::{every_effect_happened_once, plans};
use crate::support::{Mock, Workplace, chain, documents, run, stderr, stdout};

/// A journal of schema 2 with one order, held after 8 entries.
const SCHEMA_2: &str = include_str!("journals/schema-2.sql");

fn sql(workplace: &Workplace, text: &str) {
    let connection = Connection::open(workplace.journal()).unwrap();
    connection
        .pragma_update(None, "foreign_keys", false)
        .unwrap();
    connection.execute_batch(text).unwrap();
}

fn number(workplace: &Workplace, text: &str) -> i64 {
    let connection = Connection::open(workplace.journal()).unwrap();
    connection.query_row(text, [], |row| row.get(0)).unwrap()
}

/// Exit code, the report, and what was said.
fn verify(workplace: &Workplace) -> (Option<i32>, Value, String) {
    let output = run(&mut workplace.orderctl(&["journal", "verify"]), "");
    let written = documents(&stdout(&output)).remove(0);
    let faults = faults("journal-verification", &written);
    assert_eq!(faults, Vec::<String>::new());
    (output.status.code(), written, stderr(&output))
}

#[test]
fn an_empty_file_is_no_journal() {
    let workplace = Workplace::new("http://127.0.0.1:1");
    workplace.write("journal.db", "");
    let output = run(&mut workplace.orderctl(&["journal", "verify"]), "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr(&output),
        "error: journal.db is not a journal of orderctl\n"
    );
}

fn faults(schema: &str, document: &Value) -> Vec<String> {
    let text = orderctl::schemas::find(schema).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator
        .iter_errors(document)
        .map(|fault| format!("{fault}: {document}"))
        .collect()
}

/// Two orders of the example, carried out.
fn two_orders() -> (Mock, Workplace) {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let chains = chain("order.json", "1") + &chain("order-hfc.json", "2");
    let output = workplace.activate(&chains, &["-j", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    (mock, workplace)
}

#[test]
fn a_journal_of_schema_2_is_read_as_it_is_and_brought_up_to_date_when_it_is_written() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    sql(&workplace, SCHEMA_2);
    let before = fs::read(workplace.journal()).unwrap();

    let (code, report, said) = verify(&workplace);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(report["schemaVersion"], 2);
    assert_eq!(report["sealed"], false);
    assert_eq!(report["entries"], 8);
    let status = run(&mut workplace.orderctl(&["status", "ORD-4821-0001"]), "");
    assert_eq!(documents(&stdout(&status))[0]["state"], "held");
    assert_eq!(fs::read(workplace.journal()).unwrap(), before);

    let exported = run(
        &mut workplace.orderctl(&["journal", "export", "--documents"]),
        "",
    );
    let lines = documents(&stdout(&exported));
    let taken_on = lines[0]["document"].as_array().unwrap().iter();
    let taken_on: Vec<String> = taken_on.map(Value::to_string).collect();
    let chain = taken_on.join("\n");
    let output = workplace.activate(&chain, &["--clock", "virtual"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // Two of seven were done before, elsewhere.
    assert_eq!(mock.record().len(), 5);
    assert_eq!(number(&workplace, "PRAGMA user_version"), 4);
    let (code, report, said) = verify(&workplace);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(report["sealed"], true);
    let exported = run(&mut workplace.orderctl(&["journal", "export"]), "");
    let after = documents(&stdout(&exported));
    for (old, new) in lines[1..].iter().zip(&after[1..]) {
        let mut old = old.clone();
        old["hash"] = new["hash"].clone();
        assert_eq!(&old, new);
    }
}

#[test]
fn people_bring_an_older_journal_up_to_date_too_and_a_refusal_leaves_it_alone() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    sql(&workplace, SCHEMA_2);
    let task = |deed: &str| {
        let name = "1.CFS-INTERNET-ACCESS.RFS-GPON-BEARER";
        let deed = [
            "task",
            deed,
            "ORD-4821-0001",
            name,
            "--by",
            "jane",
            "--reason",
            "so",
        ];
        run(&mut workplace.orderctl(&deed), "").status.code()
    };
    assert_eq!(task("skip"), Some(1), "it is completed");
    assert_eq!(number(&workplace, "PRAGMA user_version"), 2);
    let held = "1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE";
    let skip = [
        "task",
        "skip",
        "ORD-4821-0001",
        held,
        "--by",
        "jane",
        "--reason",
        "so",
    ];
    let output = run(&mut workplace.orderctl(&skip), "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(number(&workplace, "PRAGMA user_version"), 4);
    let (code, report, said) = verify(&workplace);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(report["entries"], 9);
}

#[test]
fn whatever_is_changed_in_silence_is_found_with_its_place() {
    let (_mock, workplace) = two_orders();
    let (code, report, said) = verify(&workplace);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(
        (&report["orders"], &report["entries"]),
        (&2.into(), &30.into())
    );
    let sound = fs::read(workplace.journal()).unwrap();
    let cases = [
        (
            "UPDATE entry SET detail = json_set(detail, '$.status', 200)
             WHERE order_id = 'ORD-1' AND kind = 'completed' AND seq = 4",
            &["order ORD-1, entry 4: (completed) it does not fit to its hash"][..],
        ),
        (
            "UPDATE entry SET at = '2026-01-01T00:00:00.000000Z'
             WHERE order_id = 'ORD-2' AND seq = 9",
            &["order ORD-2, entry 9: "],
        ),
        (
            "DELETE FROM entry WHERE order_id = 'ORD-1' AND seq = 5",
            &["order ORD-1, entry 5: it is missing"],
        ),
        (
            "DELETE FROM entry WHERE order_id = 'ORD-1' AND seq > 13",
            &["order ORD-1, entry 14: it is missing, with all up to entry 15"],
        ),
        (
            "UPDATE entry SET seq = 99 WHERE order_id = 'ORD-1' AND seq = 4;
             UPDATE entry SET seq = 4 WHERE order_id = 'ORD-1' AND seq = 5;
             UPDATE entry SET seq = 5 WHERE order_id = 'ORD-1' AND seq = 99",
            &["order ORD-1, entry 4: ", "order ORD-1, entry 5: "],
        ),
        (
            "INSERT INTO entry SELECT order_id, 16, at, 'held', task, '{\"reason\":\"\"}', hash
             FROM entry WHERE order_id = 'ORD-1' AND seq = 15",
            &["order ORD-1, entry 16: "],
        ),
        (
            "UPDATE document SET text = replace(text, 'OLT-EAST-07', 'OLT-WEST-01')",
            &["order ORD-1, entry 1: "],
        ),
        (
            "UPDATE plan SET external_id = 'CRM-9' WHERE order_id = 'ORD-2'",
            &["order ORD-2, entry 1: "],
        ),
        (
            "DELETE FROM entry WHERE order_id = 'ORD-2'; DELETE FROM head WHERE order_id = 'ORD-2';
             DELETE FROM document WHERE order_id = 'ORD-2'; DELETE FROM plan WHERE order_id = 'ORD-2'",
            &["order number 2 is missing: what was taken on after order ORD-1"],
        ),
        (
            "DELETE FROM head WHERE order_id = 'ORD-1'",
            &["order number 1 is missing", "order ORD-1: it is in the table `entry`"],
        ),
        (
            "DELETE FROM plan WHERE order_id = 'ORD-1'",
            &["order ORD-1: its row in `plan` is missing"],
        ),
        (
            "UPDATE entry SET kind = 'vanished' WHERE order_id = 'ORD-1' AND seq = 3",
            &["order ORD-1, entry 3: unknown kind of entry \"vanished\""],
        ),
        (
            "ALTER TABLE owner RENAME COLUMN since TO sinse; DROP INDEX plan_external_id",
            &[
                "the schema is not as it was made: column `since` of table `owner` is missing",
                "the schema is not as it was made: index `plan_external_id` is missing",
            ],
        ),
    ];
    for (change, expected) in cases {
        fs::write(workplace.journal(), &sound).unwrap();
        sql(&workplace, change);
        let (code, report, said) = verify(&workplace);
        assert_eq!(code, Some(1), "{change}: {said}");
        assert_eq!(report["sound"], false);
        let found = report["finding"].as_array().unwrap().len();
        assert_eq!(said.matches("error: ").count(), found, "{said}");
        for expected in expected {
            assert!(said.contains(expected), "{change}: {expected}: {said}");
        }
    }
}

#[test]
fn bytes_that_were_changed_below_the_database_are_found() {
    let (mock, workplace) = two_orders();
    let sound = fs::read(workplace.journal()).unwrap();
    // A bit in a text: the pages hold together all the same.
    let needle = b"\"attempt\":1";
    let place = sound
        .windows(needle.len())
        .rposition(|window| window == needle)
        .unwrap();
    let mut flipped = sound.clone();
    flipped[place + needle.len() - 1] = b'7';
    fs::write(workplace.journal(), flipped).unwrap();
    let (code, _, said) = verify(&workplace);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("(started) it does not fit to its hash"),
        "{said}"
    );

    // Every page torn in turn: half of it is nothing.
    let everything = || {
        let export = ["journal", "export", "--documents"];
        stdout(&run(&mut workplace.orderctl(&export), ""))
    };
    fs::write(workplace.journal(), &sound).unwrap();
    let written = everything();
    let mut found = 0;
    let size = usize::try_from(number(&workplace, "PRAGMA page_size")).unwrap();
    let pages = sound.len() / size;
    assert!(pages > 10);
    for page in 1..pages {
        let mut torn = sound.clone();
        torn[page * size + size / 2..(page + 1) * size].fill(0);
        if torn == sound {
            continue;
        }
        fs::write(workplace.journal(), &torn).unwrap();
        let output = run(&mut workplace.orderctl(&["journal", "verify"]), "");
        if output.status.code() == Some(0) {
            // What was there was deleted before: nothing that is written is lost.
            assert_eq!(everything(), written, "page {page}");
        } else {
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "page {page}: {said}");
            found += 1;
        }
    }
    assert!(found > pages / 2, "{found} of {pages} pages");
    let sent = mock.record();
    // The pages of the entries: nothing is sent on what they say.
    let root = {
        fs::write(workplace.journal(), &sound).unwrap();
        number(
            &workplace,
            "SELECT rootpage FROM sqlite_schema WHERE name = 'entry'",
        )
    };
    let mut torn = sound.clone();
    let at = usize::try_from(root - 1).unwrap() * size;
    torn[at..at + size].fill(0x5a);
    fs::write(workplace.journal(), &torn).unwrap();
    let output = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("journal.db is corrupt: "), "{said}");
    assert_eq!(mock.record(), sent);
}

#[test]
fn the_export_is_every_entry_and_as_its_schema_says() {
    let (_mock, workplace) = two_orders();
    let export = |args: &[&str]| {
        let command = [&["journal", "export"], args].concat();
        let output = run(&mut workplace.orderctl(&command), "");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        documents(&stdout(&output))
    };
    let all = export(&[]);
    assert_eq!(all.len(), 32);
    for line in &all {
        assert_eq!(faults("journal-export", line), Vec::<String>::new());
    }
    assert_eq!(all[0]["@type"], "JournalOrder");
    assert_eq!(all[1]["kind"], "planned");
    assert_eq!(all[1]["detail"]["orderId"], "ORD-1");
    let one = export(&["CRM-2", "--documents"]);
    assert_eq!(one.len(), 16);
    assert_eq!(one[0]["document"].as_array().unwrap().len(), 4);
    assert_eq!(one[1..], all[17..]);
    let unknown = run(&mut workplace.orderctl(&["journal", "export", "ORD-3"]), "");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        stderr(&unknown).contains("did you mean"),
        "{}",
        stderr(&unknown)
    );
}

#[test]
fn different_orders_are_carried_out_side_by_side_by_several_processes() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let chains: Vec<String> = (1..=24)
        .map(|n| chain("order.json", &n.to_string()))
        .collect();
    let mut runs = Vec::new();
    for (number, part) in chains.chunks(6).enumerate() {
        let name = format!("chains-{number}");
        workplace.write(&name, &part.concat());
        let mut command = workplace.orderctl(&["-q", "activate", &name, "-o", "json"]);
        command.stdout(std::process::Stdio::null());
        runs.push(command.spawn().unwrap());
    }
    for mut run in runs {
        assert_eq!(run.wait().unwrap().code(), Some(0));
    }
    every_effect_happened_once(&mock.record(), &plans(&documents(&chains.concat())));
    let (code, report, said) = verify(&workplace);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(report["orders"], 24);
    assert_eq!(report["entries"], 24 * 15);
}

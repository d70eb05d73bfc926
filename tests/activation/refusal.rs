//! What is not begun: plans, endpoints and journals that are not acceptable.

use std::fs;

use crate::support::evidence::{every_effect_happened_once, plans};
use crate::support::{
    Mock, Workplace, chain, document, documents, numbered, orderctl, run, stderr, stdout,
};

/// A stream with a text replaced, once, in one of its documents.
fn changed(chain: &str, type_name: &str, from: &str, to: &str) -> String {
    let is_it = |line: &str| documents(line)[0]["@type"] == type_name;
    let change = |line: &str| {
        let changed = if is_it(line) {
            line.replacen(from, to, 1)
        } else {
            line.to_owned()
        };
        assert_eq!(changed != line, is_it(line), "{from} is in {type_name}");
        changed + "\n"
    };
    chain.lines().map(change).collect()
}

/// Runs it, sees that it ends with `code`, says `said`, and did nothing.
fn refused(workplace: &Workplace, mock: &Mock, input: &str, code: i32, said: &[&str]) -> String {
    let before = mock.record();
    let output = workplace.activate(input, &[]);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert_eq!(stdout(&output), "");
    for said in said {
        assert!(message.contains(said), "{said:?} is not in {message}");
    }
    assert_eq!(mock.record(), before);
    message
}

fn place() -> (Mock, Workplace) {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    (mock, workplace)
}

#[test]
fn a_plan_whose_order_was_changed_is_stale_unless_that_is_allowed() {
    let (mock, workplace) = place();
    let stale = changed(
        &chain("order.json", "1"),
        "ResourceOrder",
        "GPON-Bearer",
        "Bearer",
    );
    let said = [
        "plan/stale",
        "ResourceOrder ORD-1.S.R was changed",
        "--allow-stale",
    ];
    let message = refused(&workplace, &mock, &stale, 1, &said);
    assert_eq!(message.matches("plan/stale").count(), 1, "{message}");
    let allowed = workplace.activate(&stale, &["--allow-stale"]);
    assert_eq!(allowed.status.code(), Some(0), "{}", stderr(&allowed));
    assert_eq!(mock.record().len(), 7);
}

#[test]
fn a_plan_edited_by_hand_is_refused() {
    let (mock, workplace) = place();
    let edited = changed(
        &chain("order.json", "1"),
        "OrchestrationPlan",
        "OLT-EAST-07",
        "OLT-WEST-01",
    );
    let message = refused(
        &workplace,
        &mock,
        &edited,
        1,
        &["plan/stale", "the plan was changed"],
    );
    assert_eq!(message.matches("plan/stale").count(), 1, "{message}");
}

#[test]
fn a_plan_of_a_newer_format_says_what_reads_it() {
    let (mock, workplace) = place();
    let newer = changed(
        &chain("order.json", "1"),
        "OrchestrationPlan",
        "\"1.0\"",
        "\"2.0\"",
    );
    let newer = newer.replace("\"taskFlow\"", "\"somethingNew\"");
    let said = ["format version 2.0", "reads 1.x", "use a newer orderctl"];
    refused(&workplace, &mock, &newer, 1, &said);
}

#[test]
fn an_order_that_was_begun_with_another_plan_names_both() {
    let (mock, workplace) = place();
    let first = chain("order.json", "1");
    assert_eq!(workplace.activate(&first, &[]).status.code(), Some(0));
    let other = chain("order-static-ip.json", "1");
    let digests = [&first, &other].map(|chain| {
        let plan = documents(chain).pop().unwrap();
        plan["digest"]["plan"].as_str().unwrap().to_owned()
    });
    let [in_journal, given] = &digests;
    refused(
        &workplace,
        &mock,
        &other,
        1,
        &["ORD-1 was begun with another plan", in_journal, given],
    );
}

#[test]
fn an_order_without_a_plan_names_the_commands_for_it() {
    let (mock, workplace) = place();
    let order = numbered("order.json", "1");
    refused(
        &workplace,
        &mock,
        &order,
        2,
        &["ProductOrder ORD-1", "orderctl decompose", "orderctl plan"],
    );
    let decomposed = chain("order.json", "1")
        .lines()
        .take(3)
        .collect::<Vec<_>>()
        .join("\n");
    refused(
        &workplace,
        &mock,
        &decomposed,
        2,
        &["ProductOrder ORD-1", "orderctl plan"],
    );
    for input in ["", "{", "[", "\u{1}", "{\"@type\":\"OrchestrationPlan\""] {
        refused(&workplace, &mock, input, 2, &["error: "]);
    }
    assert!(!workplace.journal().exists() || mock.record().is_empty());
}

#[test]
fn a_plan_for_an_endpoint_that_is_not_defined_is_the_callers_fault() {
    let (mock, workplace) = place();
    let text = fs::read_to_string(workplace.path("endpoints.toml")).unwrap();
    workplace.write(
        "endpoints.toml",
        &text.replace("endpoint.olt", "endpoint.tlo"),
    );
    let chain = chain("order.json", "1");
    refused(
        &workplace,
        &mock,
        &chain,
        2,
        &["endpoint olt, which is not defined"],
    );
    let dry = workplace.activate(&chain, &["--dry-run"]);
    assert_eq!(dry.status.code(), Some(2));
    assert!(stderr(&dry).contains("endpoint olt, which is not defined"));
}

#[test]
fn without_an_endpoints_file_nothing_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(orderctl().arg("activate").current_dir(&folder), "{");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--endpoints FILE"),
        "{}",
        stderr(&output)
    );
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn a_journal_that_cannot_be_used_is_named_and_left_alone() {
    let (mock, workplace) = place();
    let chain = chain("order.json", "1");
    let refused = |said: &str| drop(refused(&workplace, &mock, &chain, 2, &[said, "journal.db"]));

    fs::write(
        workplace.journal(),
        "no database, but long enough to look like one".repeat(99),
    )
    .unwrap();
    refused("is not a journal of orderctl");
    fs::remove_file(workplace.journal()).unwrap();

    fs::create_dir(workplace.journal()).unwrap();
    refused("it is a folder");
    fs::remove_dir(workplace.journal()).unwrap();

    let other = rusqlite::Connection::open(workplace.journal()).unwrap();
    other.execute_batch("CREATE TABLE customer (id)").unwrap();
    drop(other);
    refused("is not a journal of orderctl");
    fs::remove_file(workplace.journal()).unwrap();

    assert_eq!(workplace.activate(&chain, &[]).status.code(), Some(0));
    let newer = rusqlite::Connection::open(workplace.journal()).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    refused("use a newer orderctl");
    let newer = rusqlite::Connection::open(workplace.journal()).unwrap();
    newer.pragma_update(None, "user_version", 4).unwrap();
    newer
        .execute_batch("UPDATE entry SET kind = 'vanished' WHERE seq = 3")
        .unwrap();
    drop(newer);
    refused("is corrupt: order ORD-1, entry 3");
}

#[test]
fn what_was_begun_with_another_journal_is_not_begun_again() {
    // The first try is refused for good, so that the order is held with work left.
    let mock = Mock::failing(&["bng:1=422"]);
    let workplace = Workplace::new(&mock.url());
    let held = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(held.status.code(), Some(3), "{}", stderr(&held));
    let written = stdout(&held);
    fs::rename(workplace.journal(), workplace.path("kept.db")).unwrap();
    let said = [
        "order ORD-1 was begun",
        "journal.db does not know it",
        "--journal FILE",
        "--anew",
    ];
    refused(&workplace, &mock, &written, 2, &said);
    // A journal that knows the order, but less of it than the documents do.
    let empty = Mock::failing(&["olt:1=422", "warehouse:1=422"]);
    let elsewhere = Workplace::new(&empty.url());
    let chain = chain("order.json", "1");
    assert_eq!(elsewhere.activate(&chain, &[]).status.code(), Some(3));
    let before = empty.record();
    let output = elsewhere.activate(&written, &[]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let message = stderr(&output);
    assert!(
        message.contains("the journal says that it is not"),
        "{message}"
    );
    assert_eq!(empty.record(), before);
    // The right one goes on where it stopped; and who insists begins anew.
    let onwards = workplace.activate(&written, &["--journal", "kept.db"]);
    assert_eq!(onwards.status.code(), Some(0), "{}", stderr(&onwards));
    assert_eq!(
        document(&documents(&stdout(&onwards)), "ProductOrder")["state"],
        "completed"
    );
    let anew = workplace.activate(&written, &["--anew"]);
    assert_eq!(anew.status.code(), Some(0), "{}", stderr(&anew));
    every_effect_happened_once(&mock.record(), &plans(&documents(&written)));
}

#[test]
fn a_history_that_cannot_have_happened_is_the_journals_fault() {
    let (mock, workplace) = place();
    let chain = chain("order.json", "1");
    assert_eq!(workplace.activate(&chain, &[]).status.code(), Some(0));
    let journal = rusqlite::Connection::open(workplace.journal()).unwrap();
    journal
        .execute_batch("DELETE FROM entry WHERE kind = 'started'")
        .unwrap();
    drop(journal);
    let lacking = [
        "order ORD-1: 15 entries were written, 8 are there",
        "journal verify",
    ];
    refused(&workplace, &mock, &chain, 2, &lacking);
    let journal = rusqlite::Connection::open(workplace.journal()).unwrap();
    journal.execute_batch("UPDATE head SET seq = 8").unwrap();
    drop(journal);
    refused(&workplace, &mock, &chain, 2, &["journal of order ORD-1"]);
}

#[test]
fn a_journal_below_a_file_is_refused() {
    let (mock, workplace) = place();
    workplace.write("file", "");
    let output = workplace.activate(&chain("order.json", "1"), &["--journal", "file/journal.db"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("for the journal"),
        "{}",
        stderr(&output)
    );
    assert_eq!(mock.record(), []);
}

/// The command as somebody for whom read-only files are read-only: root is made nobody, and
/// gets a copy of the binary that nobody can reach.
#[cfg(unix)]
fn without_privileges(workplace: &Workplace, arguments: &[&str]) -> std::process::Command {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65534;
    let folder = workplace.path("");
    // Whoever made the folder runs the tests.
    if fs::metadata(&folder).unwrap().uid() != 0 {
        return workplace.orderctl(arguments);
    }
    for name in ["orderctl.toml", "endpoints.toml"] {
        let mode = fs::Permissions::from_mode(0o644);
        fs::set_permissions(workplace.path(name), mode).unwrap();
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let binary = workplace.path("orderctl");
    // By another process: one that another test starts meanwhile would inherit the file while it
    // is written, and nobody can run it then.
    let mut copy = std::process::Command::new("cp");
    copy.arg(env!("CARGO_BIN_EXE_orderctl")).arg(&binary);
    assert!(copy.status().unwrap().success());
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = std::process::Command::new(binary);
    command.args(arguments).current_dir(folder).env_clear();
    command.uid(NOBODY).gid(NOBODY);
    command
}

#[test]
#[cfg(unix)]
fn a_journal_that_is_read_only_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let (mock, workplace) = place();
    let chain = chain("order.json", "1");
    assert_eq!(workplace.activate(&chain, &[]).status.code(), Some(0));
    let mode = fs::Permissions::from_mode(0o444);
    fs::set_permissions(workplace.journal(), mode).unwrap();
    let output = run(&mut without_privileges(&workplace, &["activate"]), &chain);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = "journal.db is read-only";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    assert_eq!(mock.record().len(), 7);
}

#[test]
#[cfg(unix)]
fn a_journal_that_cannot_grow_ends_the_run_and_loses_nothing() {
    let (mock, workplace) = place();
    let chain = chain("order.json", "1");
    workplace.write("chain", &chain);
    // Blocks of 512 bytes: enough to take the order on, not enough for all that happens to it.
    let limited = format!(
        "ulimit -f 280; exec '{}' activate chain",
        env!("CARGO_BIN_EXE_orderctl")
    );
    let mut sh = std::process::Command::new("sh");
    sh.args(["-c", &limited]).current_dir(workplace.path(""));
    let output = run(&mut sh, "");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("journal.db cannot be written: disk I/O error"),
        "{}",
        stderr(&output)
    );
    assert!(mock.record().len() < 7, "the limit is never reached");
    // What was sent was recorded before, and what was recorded is whole.
    let sound = run(&mut workplace.orderctl(&["journal", "verify"]), "");
    assert_eq!(sound.status.code(), Some(0), "{}", stderr(&sound));
    let entries = run(&mut workplace.orderctl(&["journal", "export"]), "");
    let entries = documents(&stdout(&entries));
    for call in mock.record() {
        let is_it = |entry: &serde_json::Value| entry["detail"]["idempotencyKey"] == call.key;
        assert!(entries.iter().any(is_it), "{call:?}");
    }
    let again = workplace.activate(&chain, &[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    every_effect_happened_once(&mock.record(), &plans(&documents(&chain)));
}

#[test]
fn validate_finds_an_external_id_that_was_activated_and_lets_the_same_order_pass() {
    let (_mock, workplace) = place();
    let order = numbered("order.json", "1");
    assert_eq!(
        workplace
            .activate(&chain("order.json", "1"), &[])
            .status
            .code(),
        Some(0)
    );
    let validate = |input: &str| run(&mut workplace.orderctl(&["validate"]), input);
    let same = validate(&order);
    assert_eq!(same.status.code(), Some(0), "{}", stderr(&same));
    let other = validate(&order.replace("\"ORD-1\"", "\"ORD-2\""));
    assert_eq!(other.status.code(), Some(1));
    let said = stderr(&other);
    assert!(
        said.contains("order/duplicate") && said.contains("as order ORD-1"),
        "{said}"
    );
}

#[test]
fn what_was_installed_meanwhile_stands_in_the_way_of_who_was_not_begun() {
    let (mock, workplace) = place();
    let order = |id: &str| {
        let item = r#"{"id":"a","action":"add","resource":{"id":"R-1","name":"Port"}}"#;
        format!(r#"{{"@type":"ResourceOrder","id":"{id}","orderItem":[{item}]}}"#)
    };
    let planned = |orders: &str| {
        let output = run(orderctl().args(["plan", "--endpoint", "olt"]), orders);
        stdout(&output)
    };
    let inventory = ["--inventory", "inventory.ndjson"];
    // The second one in a run is told by the first, and so is the next run.
    let both = planned(&(order("RO-1") + &order("RO-2")));
    for _ in 0..2 {
        let output = workplace.activate(&both, &inventory);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let said = "error[plan/stale-inventory]: item `a` adds resource `R-1`";
        assert_eq!(
            stderr(&output).matches(said).count(),
            1,
            "{}",
            stderr(&output)
        );
        assert!(stderr(&output).contains("activate RO-1: completed"));
        assert_eq!(mock.record().len(), 1);
    }
    let insisting = workplace.activate(&both, &[&inventory[..], &["--allow-stale"]].concat());
    // It is sent; the endpoint has the last word.
    assert_eq!(insisting.status.code(), Some(3), "{}", stderr(&insisting));
    assert_eq!(mock.record().len(), 2);
}

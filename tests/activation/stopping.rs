//! Being asked to stop, and being in somebody's way.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use crate::support::evidence::{entries, plans, the_journal_tells_how_it_was_done};
use crate::support::gate::Gate;
use crate::support::{Mock, Workplace, chain, document, documents, stderr};

const BEARER: &str = "1.CFS-INTERNET-ACCESS.RFS-GPON-BEARER";
const VLAN: &str = "1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE";

/// A project with one endpoint that answers when it is told to, and a chain in the file `chain`.
fn gated(endpoint: &str) -> (Mock, Gate, Workplace) {
    let (mock, gate) = (Mock::start(), Gate::start());
    let workplace = Workplace::new(&mock.url());
    workplace.redirect(endpoint, &gate.url());
    workplace.write("chain", &chain("order.json", "1"));
    (mock, gate, workplace)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn wait_until_it_stops(workplace: &Workplace) {
    while !workplace.read("stderr").contains("stopping: ") {
        std::thread::yield_now();
    }
}

fn the_rest_is_done_by_the_next_run(mock: &Mock, workplace: &Workplace) {
    workplace.endpoints(&mock.url(), "");
    let chain = workplace.read("chain");
    let output = workplace.activate(&chain, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    the_journal_tells_how_it_was_done(&workplace.journal(), &plans(&documents(&chain))[0]);
}

#[test]
fn a_signal_lets_running_tasks_finish_and_starts_no_more() {
    for name in ["TERM", "INT"] {
        let (mock, gate, workplace) = gated("olt");
        let mut run = workplace.begin("chain", &[]);
        let bearer = gate.next();
        signal(&run, name);
        wait_until_it_stops(&workplace);
        bearer.answer();
        assert_eq!(
            run.wait().unwrap().code(),
            Some(3),
            "{}",
            workplace.read("stderr")
        );
        let said = workplace.read("stderr");
        assert!(said.contains("activate ORD-1: interrupted, "), "{said}");
        let entries = entries(&workplace.journal(), "ORD-1");
        assert!(
            entries.contains(&format!("completed {BEARER}")),
            "{entries:?}"
        );
        assert!(!entries.contains(&format!("started {VLAN}")), "{entries:?}");
        let written = documents(&workplace.read("stdout"));
        assert_eq!(document(&written, "ProductOrder")["state"], "inProgress");
        the_rest_is_done_by_the_next_run(&mock, &workplace);
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let (mock, gate, workplace) = gated("olt");
    let mut run = workplace.begin("chain", &[]);
    let _bearer = gate.next();
    signal(&run, "TERM");
    wait_until_it_stops(&workplace);
    signal(&run, "INT");
    assert_eq!(run.wait().unwrap().code(), Some(3));
    let entries = entries(&workplace.journal(), "ORD-1");
    assert!(
        !entries.contains(&format!("completed {BEARER}")),
        "{entries:?}"
    );
    the_rest_is_done_by_the_next_run(&mock, &workplace);
}

#[test]
fn the_grace_period_ends() {
    let (mock, gate, workplace) = gated("olt");
    let mut run = workplace.begin("chain", &["--grace", "1ms"]);
    let _bearer = gate.next();
    signal(&run, "TERM");
    assert_eq!(run.wait().unwrap().code(), Some(3));
    the_rest_is_done_by_the_next_run(&mock, &workplace);
}

#[test]
fn a_signal_during_the_very_last_task_leaves_no_work() {
    let (_mock, gate, workplace) = gated("wifi");
    let mut run = workplace.begin("chain", &[]);
    let last = gate.next();
    signal(&run, "TERM");
    wait_until_it_stops(&workplace);
    last.answer();
    assert_eq!(
        run.wait().unwrap().code(),
        Some(0),
        "{}",
        workplace.read("stderr")
    );
    let said = workplace.read("stderr");
    assert!(
        said.contains("activate ORD-1: completed, 7 of 7 tasks done"),
        "{said}"
    );
}

#[test]
fn a_signal_ends_a_run_whose_input_is_still_open() {
    let (_mock, gate, workplace) = gated("olt");
    let mut command = workplace.orderctl(&["activate", "-j", "2", "--grace", "1ms"]);
    let chain = workplace.read("chain");
    let begin = |command: &mut Command| {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut run = begin(&mut command);
    let mut stdin = run.stdin.take().unwrap();
    stdin.write_all(chain.as_bytes()).unwrap();
    // The next chain begins, so the first is complete.
    stdin
        .write_all(chain.lines().next().unwrap().as_bytes())
        .unwrap();
    stdin.write_all(b"\n").unwrap();
    let _bearer = gate.next();
    signal(&run, "TERM");
    assert_eq!(run.wait().unwrap().code(), Some(3));
    drop(stdin);

    // Also one that has read nothing yet. Once it owns the journal, it listens to signals.
    let (_mock, _gate, workplace) = gated("olt");
    let mut run = begin(&mut workplace.orderctl(&["activate"]));
    let stdin = run.stdin.take();
    while !owner_file_exists(&workplace) {
        std::thread::yield_now();
    }
    signal(&run, "TERM");
    assert_eq!(run.wait().unwrap().code(), Some(3));
    drop(stdin);
}

fn owner_file_exists(workplace: &Workplace) -> bool {
    let folder = workplace.journal().parent().unwrap().to_owned();
    std::fs::read_dir(folder).unwrap().any(|file| {
        file.is_ok_and(|file| {
            file.file_name()
                .to_string_lossy()
                .starts_with("journal.db-owner-")
        })
    })
}

#[test]
fn an_order_that_somebody_is_at_work_on_is_left_to_them() {
    let (mock, gate, workplace) = gated("olt");
    let mut first = workplace.begin("chain", &[]);
    let bearer = gate.next();
    let second = workplace.activate(
        &(workplace.read("chain") + &chain("order-hfc.json", "2")),
        &[],
    );
    assert_eq!(second.status.code(), Some(3));
    let said = format!("order ORD-1 is being carried out by process {}", first.id());
    assert!(stderr(&second).contains(&said), "{}", stderr(&second));
    assert!(
        stderr(&second).contains("activate ORD-2: completed"),
        "{}",
        stderr(&second)
    );
    bearer.answer();
    assert_eq!(first.wait().unwrap().code(), Some(0));
    the_rest_is_done_by_the_next_run(&mock, &workplace);
}

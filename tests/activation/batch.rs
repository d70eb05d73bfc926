//! Streams of orders.

use std::process::Stdio;

use crate::support::evidence::{every_effect_happened_once, plans};
use crate::support::gate::Gate;
use crate::support::{Mock, Workplace, chain, document, documents, numbered, run, stderr, stdout};

/// Ids of the product orders in a stream.
fn order_ids(stream: &str) -> Vec<String> {
    let documents = documents(stream);
    let orders = documents
        .iter()
        .filter(|it| it.get("productOrderItem").is_some());
    orders
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

fn chains(numbers: &[&str]) -> String {
    numbers
        .iter()
        .map(|number| chain("order.json", number))
        .collect()
}

/// A project in which endpoint `cmts` is a gate, and the others are played by the mock.
fn gated(mock: &Mock, gate: &Gate) -> Workplace {
    let workplace = Workplace::new(&mock.url());
    workplace.redirect("cmts", &gate.url());
    workplace
}

#[test]
fn an_order_that_takes_long_does_not_keep_others_from_being_carried_out() {
    let (mock, gate) = (Mock::start(), Gate::start());
    let workplace = gated(&mock, &gate);
    let others = ["2", "3", "4", "5", "6", "7"];
    let stream = chain("order-hfc.json", "1") + &chains(&others);
    workplace.write("chains", &stream);
    let mut run = workplace.begin("chains", &["-j", "2"]);
    let channel = gate.next();
    let effects = plans(&documents(&chains(&others)))
        .iter()
        .map(|plan| plan.tasks.len())
        .sum();
    let of_others = || {
        mock.record()
            .iter()
            .filter(|it| !it.body["id"].as_str().unwrap().starts_with("ORD-1."))
            .count()
    };
    while of_others() < effects {
        assert!(
            run.try_wait().unwrap().is_none(),
            "{}",
            workplace.read("stderr")
        );
        std::thread::yield_now();
    }
    // All the while the first one could not go on, and nothing was written.
    assert_eq!(workplace.read("stdout"), "");
    channel.answer();
    assert_eq!(
        run.wait().unwrap().code(),
        Some(0),
        "{}",
        workplace.read("stderr")
    );
    assert_eq!(order_ids(&workplace.read("stdout")), order_ids(&stream));
}

#[test]
fn what_is_done_is_written_while_more_is_awaited() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let mut command = workplace.orderctl(&["activate", "-j", "4"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let write = |text: &str, stdin: &mut std::process::ChildStdin| {
        std::io::Write::write_all(stdin, text.as_bytes()).unwrap();
    };
    write(&chain("order.json", "1"), &mut stdin);
    // The next chain begins, so the first is complete.
    let second = chain("order.json", "2");
    let (begin, rest) = second.split_at(second.find('\n').unwrap() + 1);
    write(begin, &mut stdin);
    let first: Vec<String> = lines.by_ref().take(4).map(Result::unwrap).collect();
    assert_eq!(order_ids(&first.join("\n")), ["ORD-1"]);
    write(rest, &mut stdin);
    drop(stdin);
    assert_eq!(lines.count(), 4);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_output_is_in_the_order_of_the_input_whatever_the_number_of_jobs() {
    let numbers = ["5", "3", "1", "4", "2"];
    let stream = chains(&numbers);
    for jobs in ["1", "3", "16"] {
        let mock = Mock::start();
        let workplace = Workplace::new(&mock.url());
        let output = workplace.activate(&stream, &["-j", jobs]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(
            order_ids(&stdout(&output)),
            numbers.map(|number| format!("ORD-{number}"))
        );
        every_effect_happened_once(&mock.record(), &plans(&documents(&stream)));
    }
}

#[test]
fn one_order_that_is_refused_does_not_stop_the_others() {
    let mock = Mock::failing(&["cmts:*=400"]);
    let workplace = Workplace::new(&mock.url());
    let (good, last) = (chains(&["1", "2"]), chains(&["3"]));
    let stale = chain("order.json", "4").replace("OLT-EAST-07", "OLT-WEST-01");
    let held = chain("order-hfc.json", "5");
    let unplanned = numbered("order.json", "6") + "\n";
    for (bad, code, said) in [
        (&held, 3, "held"),
        (&stale, 1, "plan/stale"),
        (&unplanned, 2, "orderctl plan"),
    ] {
        for jobs in ["1", "3"] {
            let stream = format!("{good}{bad}{last}");
            let output = workplace.activate(&stream, &["-j", jobs]);
            assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
            assert!(stderr(&output).contains(said), "{}", stderr(&output));
            let mut written = order_ids(&stdout(&output));
            written.retain(|it| it != "ORD-5");
            assert_eq!(written, ["ORD-1", "ORD-2", "ORD-3"], "{}", stderr(&output));
        }
    }
}

#[test]
fn what_stood_before_a_torn_end_is_carried_out_and_written() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let stream = chains(&["1", "2"]) + "{\"@type\":\"ProductOrder\",";
    let output = workplace.activate(&stream, &["-j", "2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("error: "), "{}", stderr(&output));
    assert_eq!(order_ids(&stdout(&output)), ["ORD-1", "ORD-2"]);
    every_effect_happened_once(&mock.record(), &plans(&documents(&chains(&["1", "2"]))));
}

#[test]
fn an_order_that_comes_twice_is_carried_out_once() {
    for jobs in ["1", "4"] {
        let mock = Mock::start();
        let workplace = Workplace::new(&mock.url());
        let output = workplace.activate(&chains(&["1", "1", "2", "1"]), &["-j", jobs]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(
            order_ids(&stdout(&output)),
            ["ORD-1", "ORD-1", "ORD-2", "ORD-1"]
        );
        every_effect_happened_once(&mock.record(), &plans(&documents(&chains(&["1", "2"]))));
    }
}

#[test]
fn documents_of_others_pass_untouched_and_in_place() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let other = "{\"@type\":\"Customer\",\"n\":1.50,\"id\":\"C\"}\n";
    let stream = format!("{other}{}{other}", chains(&["1"]));
    let output = workplace.activate(&stream, &["-j", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let written = stdout(&output);
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines.len(), 6);
    assert_eq!((lines[0], lines[5]), (other.trim_end(), other.trim_end()));
}

#[test]
fn a_reader_that_goes_away_does_not_stop_the_activation() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let stream = chains(&["1", "2", "3", "4", "5", "6"]);
    workplace.write("chains", &stream);
    let mut command = workplace.orderctl(&["activate", "chains"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    every_effect_happened_once(&mock.record(), &plans(&documents(&stream)));
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_an_error_and_loses_nothing() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let stream = chains(&["1", "2", "3"]);
    let full = std::fs::File::create("/dev/full").unwrap();
    workplace.write("chains", &stream);
    let mut command = workplace.orderctl(&["activate", "chains"]);
    let output = command
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("cannot write standard output"),
        "{}",
        stderr(&output)
    );
    let again = run(&mut workplace.orderctl(&["activate", "chains"]), "");
    assert_eq!(again.status.code(), Some(0));
    every_effect_happened_once(&mock.record(), &plans(&documents(&stream)));
}

#[test]
fn foreign_documents_neither_cut_a_chain_nor_get_lost() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let foreign = |name: &str| format!("{{\"@type\":\"Customer\",\"id\":\"{name}\"}}\n");
    let mut input = foreign("before");
    for line in chain("order.json", "1").lines() {
        input += line;
        input += "\n";
        input += &foreign("behind");
    }
    // What goes along with an order that is refused.
    input += &(numbered("order.json", "2") + "\n" + &foreign("refused"));
    let output = workplace.activate(&input, &[]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let written = documents(&stdout(&output));
    let what = written.iter().map(|it| match it["@type"].as_str() {
        Some("Customer") => it["id"].as_str().unwrap(),
        other => other.unwrap_or("ProductOrder"),
    });
    assert_eq!(
        what.collect::<Vec<_>>(),
        [
            "before",
            "ProductOrder",
            "behind",
            "ServiceOrder",
            "behind",
            "ResourceOrder",
            "behind",
            "OrchestrationPlan",
            "behind",
            "refused"
        ]
    );
    assert_eq!(document(&written, "ProductOrder")["state"], "completed");
    // The journal keeps what the order is about.
    let journal = rusqlite::Connection::open(workplace.journal()).unwrap();
    let count = "SELECT count(*) FROM document";
    let count: i64 = journal.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 4);
}

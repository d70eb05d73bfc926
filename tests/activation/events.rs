//! `activate --events`: who is told what happens, and that nobody is told too little.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde_json::Value;

use crate::support::{Mock, Workplace, chain, documents, run, stderr, stdout};

fn valid(events: &[Value]) {
    let text = orderctl::schemas::find("order-event").unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for event in events {
        let faults: Vec<String> = validator
            .iter_errors(event)
            .map(|it| it.to_string())
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{event}");
    }
}

/// `ResourceOrder inProgress`
fn told(events: &[Value]) -> Vec<String> {
    let order = |event: &Value| {
        event["event"]
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .clone()
    };
    let one = |event: &Value| {
        let order = order(event);
        let text = |key: &str| order[key].as_str().unwrap().to_owned();
        format!("{} {}", text("@type"), text("state"))
    };
    events.iter().map(one).collect()
}

const ALL: [&str; 6] = [
    "ResourceOrder inProgress",
    "ServiceOrder inProgress",
    "ProductOrder inProgress",
    "ResourceOrder completed",
    "ServiceOrder completed",
    "ProductOrder completed",
];

#[test]
fn a_file_gets_every_event_once_however_often_the_order_is_run() {
    let mock = Mock::failing(&["bng:1=422"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    let activate = || workplace.activate(&chain, &["--events", "events", "--clock", "virtual"]);
    let events = || documents(&workplace.read("events"));
    assert_eq!(activate().status.code(), Some(3));
    let held = events();
    assert_eq!(told(&held)[..3], ALL[..3]);
    assert_eq!(told(&held)[3], "ResourceOrder held");
    // Killed while it wrote: the last line is half a one.
    let text = workplace.read("events");
    workplace.write("events", &text[..text.len() - 20]);
    let output = activate();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let all = events();
    valid(&all);
    assert_eq!(all[..held.len()], held);
    assert_eq!(told(&all)[all.len() - 3..], ALL[3..]);
    assert_eq!(activate().status.code(), Some(0));
    assert_eq!(events(), all);

    // The same happens elsewhere: the same is told.
    let mock = Mock::failing(&["bng:1=422"]);
    let elsewhere = Workplace::new(&mock.url());
    for code in [3, 0] {
        let output = elsewhere.activate(&chain, &["--events", "events", "--clock", "virtual"]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    }
    assert_eq!(documents(&elsewhere.read("events")), all);

    workplace.write("other", "{\"id\":1}\n");
    let other = workplace.activate(&chain, &["--events", "other"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(
        stderr(&other).contains("other is no file of events"),
        "{}",
        stderr(&other)
    );
    assert_eq!(workplace.read("other"), "{\"id\":1}\n");
}

#[test]
fn runs_at_the_same_time_share_a_file() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    // Ids of different lengths: so have their lines.
    let numbers = ["1", "22222222", "333", "4444444444444444"];
    let arguments = ["--events", "events"];
    let runs = numbers.map(|number| {
        workplace.write(number, &chain("order.json", number));
        workplace.begin(number, &arguments)
    });
    for mut run in runs {
        assert_eq!(run.wait().unwrap().code(), Some(0));
    }
    let events = documents(&workplace.read("events"));
    valid(&events);
    assert_eq!(events.len(), numbers.len() * ALL.len());
    for number in numbers {
        let id = format!("CRM-{number}");
        let of_it = events.iter().filter(|event| event["correlationId"] == *id);
        assert_eq!(told(&of_it.cloned().collect::<Vec<_>>()), ALL, "{id}");
    }
    let again = workplace.begin("1", &arguments).wait().unwrap();
    assert_eq!(again.code(), Some(0));
    assert_eq!(documents(&workplace.read("events")), events);
}

#[test]
fn a_cancellation_under_way_is_told_and_what_was_told_before_is_not_told_again() {
    let mock = Mock::failing(&["wifi:*=422"]);
    let workplace = Workplace::new(&mock.url());
    let activate =
        |chain: &str| workplace.activate(chain, &["--events", "events", "--clock", "virtual"]);
    assert_eq!(activate(&chain("order.json", "1")).status.code(), Some(3));
    let before = documents(&workplace.read("events"));
    let words = [
        "plan",
        "--cancel",
        "ORD-1",
        "--reason",
        "the customer moves",
    ];
    let planned = run(&mut workplace.orderctl(&words), "");
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    let output = activate(&stdout(&planned));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let all = documents(&workplace.read("events"));
    valid(&all);
    assert_eq!(all[..before.len()], before);
    let after = told(&all[before.len()..]);
    for order in ["ResourceOrder", "ServiceOrder", "ProductOrder"] {
        let mut states = after.iter().filter_map(|it| it.strip_prefix(order));
        assert_eq!(states.next_back(), Some(" cancelled"), "{after:?}");
    }
    let product: Vec<&str> = after
        .iter()
        .filter_map(|it| it.strip_prefix("ProductOrder "))
        .collect();
    let way = ["assessingCancellation", "pendingCancellation", "cancelled"];
    assert_eq!(product, way, "{after:?}");
    // Whoever comes later is told the same from the beginning.
    let output = workplace.activate(
        &stdout(&planned),
        &["--events", "later", "--clock", "virtual"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(documents(&workplace.read("later")), all);
}

#[test]
fn standard_output_gets_events_in_place_of_chains() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let chains = chain("order.json", "1") + &chain("order-hfc.json", "2");
    let output = workplace.activate(&chains, &["--events", "-", "-j", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let events = documents(&stdout(&output));
    valid(&events);
    assert_eq!(told(&events), [ALL, ALL].concat());
    assert_eq!(events[0]["correlationId"], "CRM-1");
}

#[test]
fn what_people_decide_is_told_by_the_run_that_goes_on() {
    let mock = Mock::failing(&["bng:1=422"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    let activate = || workplace.activate(&chain, &["--events", "events"]);
    assert_eq!(activate().status.code(), Some(3));
    let before = documents(&workplace.read("events"));
    let task = "1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE";
    let fail = [
        "task",
        "fail",
        "ORD-1",
        task,
        "--by",
        "jane",
        "--reason",
        "no VLAN left",
    ];
    let failed = run(&mut workplace.orderctl(&fail), "");
    assert_eq!(failed.status.code(), Some(0), "{}", stderr(&failed));
    assert_eq!(activate().status.code(), Some(1));
    let events = documents(&workplace.read("events"));
    assert_eq!(events[..before.len()], before);
    assert_eq!(
        told(&events)[before.len()..],
        [
            "ResourceOrder inProgress",
            "ResourceOrder partial",
            "ServiceOrder inProgress",
            "ServiceOrder partial",
            "ProductOrder inProgress",
            "ProductOrder partial",
        ]
    );
}

/// A listener that answers each request with the next of these statuses, then with 201; gives
/// request lines and bodies.
fn listener(statuses: &'static [u16]) -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/tmf", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut statuses = statuses.iter().copied().chain(std::iter::repeat(201));
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            loop {
                let mut first = String::new();
                if stream.read_line(&mut first).unwrap_or(0) == 0 {
                    break;
                }
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).unwrap();
                    let line = line.trim().to_ascii_lowercase();
                    if let Some(value) = line.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let body = serde_json::from_slice(&body).unwrap();
                let status = statuses.next().unwrap();
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
                if tell.send((first.trim().to_owned(), body)).is_err() {
                    return;
                }
            }
        }
    });
    (address, told)
}

#[test]
fn a_listener_gets_events_at_its_paths_again_where_it_is_busy() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let (address, told_of) = listener(&[503]);
    let output = workplace.activate(&chain("order.json", "1"), &["--events", &address]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (lines, events): (Vec<String>, Vec<Value>) = told_of.try_iter().unzip();
    assert_eq!(
        lines[0],
        "POST /tmf/listener/resourceOrderStateChangeEvent HTTP/1.1"
    );
    assert_eq!(
        lines[3],
        "POST /tmf/listener/productOrderStateChangeEvent HTTP/1.1"
    );
    assert_eq!(events[0], events[1]);
    assert_eq!(told(&events[1..]), ALL);
    valid(&events);
}

#[test]
fn what_a_listener_refuses_is_told_again_by_the_next_run() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    // A redirect leads elsewhere, and is not followed.
    let (address, told_of) = listener(&[201, 307]);
    let output = workplace.activate(&chain, &["--events", &address]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("5 were not taken: 307"), "{said}");
    assert!(said.contains("activate ORD-1: completed"), "{said}");
    assert_eq!(told_of.try_iter().count(), 2);
    let again = workplace.activate(&chain, &["--events", &address]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let (_, events): (Vec<String>, Vec<Value>) = told_of.try_iter().unzip();
    assert_eq!(told(&events), ALL);
    assert_eq!(mock.record().len(), 7);

    let credentials = workplace.activate(&chain, &["--events", "https://me:secret@example.net"]);
    assert_eq!(credentials.status.code(), Some(2));
    assert!(fs::metadata(workplace.path("https:")).is_err());
}

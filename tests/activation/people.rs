//! What people do, waves, windows, and what becomes of an order in which something fails.

use std::process::Output;

use orderctl::journal::JournalReader;
use serde_json::{Value, json};

use crate::support::evidence::entries;
use crate::support::tasks::{START, order, task};
use crate::support::{Mock, Workplace, chain, documents, run, stderr, stdout};

const MANUAL: &str = "manual";

fn manual() -> Value {
    json!({"kind": MANUAL})
}

/// A site survey by a person between two requests.
fn survey() -> String {
    order(&[
        task("port", &[], json!({})),
        task("survey", &["port"], manual()),
        task("cpe", &["survey"], json!({})),
    ])
}

fn hand(workplace: &Workplace, arguments: &[&str]) -> Output {
    run(
        workplace
            .orderctl(&["task"])
            .args(arguments)
            .env("USER", "joe"),
        "",
    )
}

fn journal(workplace: &Workplace) -> Vec<String> {
    entries(&workplace.journal(), "R-1")
}

/// State of the order, and of its items by id.
fn states(output: &Output) -> (String, Vec<(String, String)>) {
    let documents = documents(&stdout(output));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = documents[0]["orderItem"].as_array().unwrap().iter();
    let items = items.map(|item| (text(&item["id"]), text(&item["state"])));
    (text(&documents[0]["state"]), items.collect())
}

/// Waits until somebody is at work on the order.
fn wait_until_begun(workplace: &Workplace) {
    let is_begun = || {
        let reader = JournalReader::open(&workplace.journal()).ok()?;
        reader.orders().ok()?.first()?.owner
    };
    while is_begun().is_none() {
        std::thread::yield_now();
    }
}

#[test]
fn a_person_does_a_task_and_the_next_run_goes_on() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let waiting = workplace.activate(&survey(), &[]);
    assert_eq!(waiting.status.code(), Some(3));
    assert_eq!(
        stderr(&waiting),
        "activate R-1: waiting, 1 of 3 tasks done\n  \
         waits SURVEY: for a person; done: orderctl task complete R-1 survey\n  \
         the same command goes on later; with --wait it stays until then\n"
    );
    assert_eq!(states(&waiting).0, "inProgress");

    let done = hand(
        &workplace,
        &["complete", "R-1", "SURVEY", "--reason", "duct is free"],
    );
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert_eq!(
        stderr(&done),
        "complete order R-1: survey completed by joe: duct is free\n  \
         activate the plan again to go on with the order\n"
    );
    let told = &documents(&stdout(&done))[0];
    assert_eq!(
        (&told["id"], &told["state"]),
        (&json!("survey"), &json!("completed"))
    );
    assert_eq!(told["outcome"], "byHand");

    let finished = workplace.activate(&survey(), &[]);
    assert_eq!(finished.status.code(), Some(0), "{}", stderr(&finished));
    let note = &documents(&stdout(&finished))[0]["note"][0];
    assert_eq!(
        (&note["author"], &note["id"]),
        (&json!("joe"), &json!("task:survey"))
    );
    assert_eq!(
        journal(&workplace),
        [
            "planned",
            "started port",
            "completed port",
            "completedByHand survey",
            "started cpe",
            "completed cpe"
        ]
    );
    assert_eq!(mock.record().len(), 2);
}

#[test]
fn the_tasks_that_are_left_are_listed() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    workplace.activate(&survey(), &[]);
    let listed = |arguments: &[&str]| {
        let output = hand(&workplace, &[&["list", "R-1"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let text = listed(&["-o", "table"]);
    let (tasks, can) = text
        .split_once("  SURVEY (survey) waits for a person")
        .unwrap();
    assert!(
        can.contains("you can  orderctl task complete R-1 survey\n"),
        "{can}"
    );
    assert_eq!(
        tasks,
        "\
─────────────────────────────────────────────────────────────────────
 Task            Kind / endpoint   State          Waits for / reason
═════════════════════════════════════════════════════════════════════
 survey SURVEY   person            acknowledged   a person
 cpe CPE         olt               acknowledged   SURVEY
─────────────────────────────────────────────────────────────────────
nobody is at work on it
"
    );
    let ids = |text: &str| -> Vec<String> {
        let id = |task: &Value| task["id"].as_str().unwrap().to_owned();
        documents(text).iter().map(id).collect()
    };
    assert_eq!(ids(&listed(&[])), ["survey", "cpe"]);
    assert_eq!(ids(&listed(&["--all"])), ["port", "survey", "cpe"]);
}

#[test]
fn decisions_that_make_no_sense_are_refused_and_written_nowhere() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let mut tasks = vec![
        task("port", &[], json!({})),
        task("survey", &["port"], manual()),
        task("cpe", &["survey"], json!({})),
        task("cpe-2", &["survey"], json!({"name": "CPE"})),
    ];
    tasks.push(task("ready", &["cpe"], json!({"kind": "milestone"})));
    workplace.activate(&order(&tasks), &[]);
    let before = journal(&workplace);
    let refused = |arguments: &[&str], code: i32, message: &str| {
        let output = hand(&workplace, arguments);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
        let said = stderr(&output);
        assert!(said.contains(message), "{said}");
    };
    let why = ["--reason", "so it is"];
    refused(
        &["complete", "R-1", "port"],
        1,
        "order R-1: task port cannot be completed: it is completed",
    );
    refused(
        &["skip", "R-1", "port", why[0], why[1]],
        1,
        "task port cannot be skipped: it is completed",
    );
    refused(
        &["complete", "R-1", "cpe"],
        1,
        "task cpe cannot be completed: it waits for SURVEY; where it need not be done, \
         `orderctl task skip` says so",
    );
    refused(
        &["release", "R-1", "survey"],
        1,
        "task survey is no milestone, but to be done by a person; `orderctl task complete` does that",
    );
    refused(
        &["complete", "R-1", "ready"],
        1,
        "task ready is a milestone, which is let pass; `orderctl task release` does that",
    );
    refused(
        &["complete", "R-1", "CPE"],
        2,
        "2 tasks are called `CPE`; name one by its id: cpe, cpe-2",
    );
    refused(
        &["complete", "R-1", "survy"],
        2,
        "unknown task `survy`; did you mean `survey`?",
    );
    refused(
        &["complete", "R-7", "survey"],
        2,
        "unknown order `R-7`; did you mean `R-1`?",
    );
    refused(&["fail", "R-1", "survey"], 2, "--reason <TEXT>");
    refused(
        &["fail", "R-1", "survey", "--reason", " "],
        2,
        "it is empty",
    );
    assert_eq!(journal(&workplace), before);
    let absent = run(
        workplace
            .orderctl(&["task", "complete", "R-1", "survey"])
            .args(["--journal", "absent.db"]),
        "",
    );
    assert_eq!(absent.status.code(), Some(2));
    assert!(stderr(&absent).contains("no journal at absent.db"));
    assert!(!workplace.path("absent.db").exists());
}

#[test]
fn what_an_endpoint_has_refused_is_sent_with_other_characteristics() {
    let mock = Mock::failing(&["bng/spec=RS-VLAN:1=422 VLAN 835 is taken"]);
    let workplace = Workplace::new(&mock.url());
    let chain = chain("order.json", "1");
    let held = workplace.activate(&chain, &[]);
    assert_eq!(held.status.code(), Some(3), "{}", stderr(&held));
    let why = ["--reason", "835 is taken"];
    let change = |task: &str, value: &str| {
        hand(
            &workplace,
            &[&["set", "ORD-1", task, value], &why[..]].concat(),
        )
    };

    let vlan = "1.CFS-INTERNET-ACCESS.RFS-VLAN-SERVICE";
    let standing = stdout(&run(
        &mut workplace.orderctl(&["status", "ORD-1", "-o", "table"]),
        "",
    ));
    let command = format!("orderctl task set ORD-1 {vlan} NAME=VALUE --reason '…'\n");
    assert!(standing.contains(&command), "{standing}");
    for (task, value, code, said) in [
        (
            "VLAN-Service",
            "serviceVlans=1201",
            2,
            "sends no characteristic `serviceVlans`; did you mean `serviceVlan`?",
        ),
        (
            "VLAN-Service",
            "serviceVlan=high",
            2,
            "`serviceVlan` is 835, and high is of another type",
        ),
        (
            "GPON-Bearer",
            "accessTechnology=EPON",
            1,
            "cannot be changed: it is completed",
        ),
        ("nothing", "a=1", 2, "unknown task `nothing`"),
    ] {
        let refused = change(task, value);
        assert_eq!(refused.status.code(), Some(code), "{}", stderr(&refused));
        assert!(stderr(&refused).contains(said), "{}", stderr(&refused));
    }
    let twice = ["set", "ORD-1", vlan, "serviceVlan=1", "serviceVlan=2"];
    let refused = hand(&workplace, &[&twice[..], &why[..]].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(
        stderr(&refused),
        "error: order ORD-1: `serviceVlan` is given twice\n"
    );
    let changed = change("VLAN-Service", "serviceVlan=1201");
    assert_eq!(changed.status.code(), Some(0), "{}", stderr(&changed));
    assert_eq!(
        stderr(&changed),
        format!(
            "set order ORD-1: {vlan} is sent as it is now, says joe: 835 is taken\n  activate the plan again to go on with the order\n"
        )
    );
    assert_eq!(documents(&stdout(&changed))[0]["id"], vlan);

    let done = workplace.activate(&chain, &[]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let sent = mock.record();
    let sent: Vec<_> = sent
        .iter()
        .filter(|it| it.body["resourceSpecification"]["id"] == "RS-VLAN")
        .collect();
    let value = |list: &Value| {
        let mut list = list.as_array().unwrap().iter();
        list.find(|it| it["name"] == "serviceVlan").unwrap()["value"].clone()
    };
    let list = "resourceCharacteristic";
    assert_eq!(sent.len(), 2);
    assert_eq!(value(&sent[0].body[list]), 835);
    assert_eq!(value(&sent[1].body[list]), 1201);
    assert_ne!(sent[0].key, sent[1].key);
    // The order says so, and everything else was sent once.
    let orders = documents(&stdout(&done));
    let mut items = orders[2]["orderItem"].as_array().unwrap().iter();
    let item = items.find(|it| it["id"] == vlan).unwrap();
    assert_eq!(value(&item["resource"][list]), 1201);
    assert_eq!(mock.record().len(), 8);
    let verified = run(&mut workplace.orderctl(&["journal", "verify"]), "");
    assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
}

#[test]
fn characteristics_of_what_may_have_been_done_are_not_changed() {
    let mock = Mock::failing(&["bng/spec=RS-VLAN:*=lost"]);
    let workplace = Workplace::new(&mock.url());
    workplace.endpoints(&mock.url(), "readBack = \"none\"\n");
    let held = workplace.activate(&chain("order.json", "1"), &[]);
    assert_eq!(held.status.code(), Some(3), "{}", stderr(&held));
    let set = [
        "set",
        "ORD-1",
        "VLAN-Service",
        "serviceVlan=1201",
        "--reason",
        "a try",
    ];
    let refused = hand(&workplace, &set);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("its last request may have been done"));
    let retry = [
        "retry",
        "ORD-1",
        "VLAN-Service",
        "--reason",
        "it is not there",
    ];
    assert_eq!(hand(&workplace, &retry).status.code(), Some(0));
    let changed = hand(&workplace, &set);
    assert_eq!(changed.status.code(), Some(0), "{}", stderr(&changed));
}

#[test]
fn a_released_wave_is_noticed_by_the_run_that_waits() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    workplace.write(
        "chain",
        &order(&[
            task("site-1", &[], manual()),
            task("pilot", &["site-1"], json!({"kind": "milestone"})),
            task("site-2", &["pilot"], json!({})),
        ]),
    );
    let mut waiting = workplace.begin("chain", &["--wait"]);
    wait_until_begun(&workplace);
    let released = hand(&workplace, &["release", "R-1", "PILOT", "--by", "jane"]);
    let pid = waiting.id();
    assert_eq!(
        stderr(&released),
        format!(
            "release order R-1: pilot released by jane\n  process {pid} goes on with the order\n"
        )
    );
    while !journal(&workplace).contains(&"completed site-2".to_owned()) {
        assert!(waiting.try_wait().unwrap().is_none(), "it waits for site-1");
        std::thread::yield_now();
    }
    let failed = ["fail", "R-1", "site-1", "--reason", "no duct"];
    assert_eq!(hand(&workplace, &failed).status.code(), Some(0));
    assert_eq!(waiting.wait().unwrap().code(), Some(1));
    let said = workplace.read("stderr");
    assert!(said.contains("partial, 2 of 3 tasks done"), "{said}");
    assert!(
        said.contains("  failed site-1: failed by joe: no duct"),
        "{said}"
    );
}

#[test]
fn killed_while_it_waits_the_next_run_goes_on() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    workplace.write("chain", &survey());
    let mut waiting = workplace.begin("chain", &["--wait"]);
    wait_until_begun(&workplace);
    while !journal(&workplace).contains(&"completed port".to_owned()) {
        std::thread::yield_now();
    }
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    let done = hand(&workplace, &["complete", "R-1", "survey"]);
    assert!(
        stderr(&done).contains("activate the plan again"),
        "{}",
        stderr(&done)
    );
    let finished = workplace.activate(&survey(), &["--wait"]);
    assert_eq!(finished.status.code(), Some(0), "{}", stderr(&finished));
    assert_eq!(mock.record().len(), 2);
}

#[test]
fn windows_open_on_the_virtual_clock_and_missed_ones_hold() {
    let mock = Mock::start();
    let workplace = Workplace::new(&mock.url());
    let window = |start: &str, end: &str| json!({"window": {"start": start, "end": end}});
    let chain = order(&[
        task(
            "port",
            &[],
            window("2026-12-08T08:00:00Z", "2026-12-08T12:00:00Z"),
        ),
        task(
            "late",
            &[],
            window("2026-11-01T08:00:00Z", "2026-11-01T12:00:00Z"),
        ),
    ]);
    let real = Workplace::new(&mock.url());
    let waiting = real.activate(
        &order(&[task(
            "port",
            &[],
            window("2999-01-01T00:00:00Z", "2999-01-02T00:00:00Z"),
        )]),
        &[],
    );
    assert_eq!(waiting.status.code(), Some(3));
    assert!(stderr(&waiting).contains("  waits PORT (port): not before 2999-01-01T00:00:00Z"));
    assert_eq!(mock.record().len(), 0);

    for _ in 0..2 {
        let held = workplace.activate(&chain, &["--clock", "virtual"]);
        assert_eq!(held.status.code(), Some(3), "{}", stderr(&held));
        assert!(
            stderr(&held).contains("held late: window missed: it ended at 2026-11-01T12:00:00Z")
        );
    }
    assert_eq!(
        journal(&workplace),
        [
            "planned",
            "windowMissed late",
            "started port",
            "completed port"
        ]
    );
    let stored = JournalReader::open(&workplace.journal()).unwrap();
    let stored = stored.order("R-1").unwrap().unwrap();
    let times: Vec<_> = stored.entries.iter().map(|it| it.at.to_string()).collect();
    let opens = "2026-12-08T08:00:00Z";
    assert_eq!(times, [START, START, opens, opens]);

    let skipped = hand(
        &workplace,
        &["skip", "R-1", "late", "--reason", "not wanted"],
    );
    assert_eq!(skipped.status.code(), Some(0), "{}", stderr(&skipped));
    let other = workplace.activate(&chain, &[]);
    assert_eq!(other.status.code(), Some(2));
    assert!(stderr(&other).contains("go on with --clock virtual"));
    let finished = workplace.activate(&chain, &["--clock", "virtual"]);
    assert_eq!(finished.status.code(), Some(0), "{}", stderr(&finished));
    assert_eq!(mock.record().len(), 1);
}

#[test]
fn what_fails_is_named_and_the_rest_is_done() {
    let mock = Mock::failing(&["olt:2=422"]);
    let workplace = Workplace::new(&mock.url());
    workplace.endpoints(&mock.url(), "concurrency = 1\nretries = 0\n");
    let fails = || json!({"onFailure": "fail"});
    let chain = order(&[
        task("a", &[], fails()),
        task("b", &[], fails()),
        task("c", &[], fails()),
        task("b-next", &["b"], json!({})),
        task("c-next", &["c"], json!({})),
    ]);
    let ended = workplace.activate(&chain, &[]);
    assert_eq!(ended.status.code(), Some(1));
    let said = stderr(&ended);
    assert!(
        said.starts_with("activate R-1: partial, 3 of 5 tasks done\n  failed b: 422"),
        "{said}"
    );
    assert!(
        said.contains("  given up 1 task that needs what failed\n"),
        "{said}"
    );
    let (order, items) = states(&ended);
    let items: Vec<_> = items
        .iter()
        .map(|(id, state)| format!("{id} {state}"))
        .collect();
    assert_eq!(order, "partial");
    assert_eq!(
        items,
        [
            "a completed",
            "b failed",
            "c completed",
            "b-next cancelled",
            "c-next completed"
        ]
    );
    let again = workplace.activate(&chain, &[]);
    assert_eq!(
        (again.status.code(), stdout(&again)),
        (Some(1), stdout(&ended))
    );
    assert_eq!(mock.record().len(), 4);
}

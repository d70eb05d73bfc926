//! docs/mock.md: every fault of its table does what the table says, and the script is one.

use std::path::Path;

use orderctl::endpoint::Outcome;
use orderctl::mock::{Fault, FaultKind, MALFORMATIONS, Script};

use crate::support::{HASTY, Mock, PATIENT, get, options, post};

const PAGE: &str = include_str!("../../docs/mock.md");

/// Fault, effect and outcome.
fn rows() -> Vec<[String; 3]> {
    let table = PAGE.split("| fault | effect | outcome |\n").nth(1).unwrap();
    let lines = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let cell = |text: &str| text.trim().trim_matches('`').to_owned();
    let row = |line: &str| {
        let cells: Vec<String> = line.trim_matches('|').split('|').map(cell).collect();
        cells.try_into().unwrap()
    };
    lines.map(row).collect()
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed { status, .. } => format!("completed {status}"),
        Outcome::Rejected { reason, .. } => format!("rejected: {reason}"),
        Outcome::Failed { reason, .. } => format!("failed: {reason}"),
        Outcome::Unknown { reason, .. } | Outcome::AtWork { reason } => {
            format!("unknown: {reason}")
        }
        Outcome::Accepted { monitor } => panic!("the monitor {monitor} is followed by a call"),
    }
}

#[tokio::test]
async fn every_documented_fault_has_its_effect_and_its_outcome() {
    for [fault, effect, outcome] in rows() {
        let mock = Mock::start(options(&[&fault])).await;
        // What is to be waited for in vain is not waited for long.
        let patience = if outcome.contains("300ms") || outcome.ends_with("monitor") {
            HASTY
        } else {
            PATIENT
        };
        let olt = mock.endpoint("olt", patience);
        let seen = told(&post(&olt, r#"{"id":"r","name":"n"}"#, "k").await);
        assert!(seen.starts_with(&outcome), "{fault}: {seen}");
        let record = mock.record().await;
        let line = &record[0];
        let applied = line["effect"] == "applied";
        assert_eq!(applied, effect == "yes", "{fault}: {line}");
        let is_deferred = line["effect"] == "deferred";
        assert_eq!(is_deferred, effect == "later", "{fault}: {line}");
        let parsed = Fault::parse(&fault).unwrap().kind;
        assert_eq!(line["fault"], parsed.to_string());
        assert_eq!(parsed.has_effect(), applied || is_deferred, "{fault}");
        let kept = get(
            mock.address,
            "/olt/tmf-api/ResourceActivationAndConfiguration/v4/resource",
        );
        assert!(is_deferred || (kept.await.1 != "[]") == applied, "{fault}");
        // The same request again is answered as if nothing had been, and has no second effect.
        let again = mock.endpoint("olt", PATIENT);
        if !fault.contains("1h") {
            let outcome = post(&again, r#"{"id":"r","name":"n"}"#, "k").await;
            assert_eq!(told(&outcome), "completed 201", "{fault}");
        }
        let mut effects = mock.effects().await;
        while is_deferred && effects.len() < 3 {
            effects = mock.effects().await;
        }
        assert_eq!(effects.iter().filter(|it| *it == "applied").count(), 1);
        drop(mock);
    }
}

#[test]
fn every_kind_of_fault_is_in_the_table() {
    let kinds: Vec<FaultKind> = rows()
        .iter()
        .map(|[fault, ..]| Fault::parse(fault).unwrap().kind)
        .collect();
    let has = |is: &dyn Fn(&FaultKind) -> bool| assert!(kinds.iter().any(is));
    has(&|it| {
        matches!(
            it,
            FaultKind::Status {
                retry_after: Some(_),
                ..
            }
        )
    });
    has(&|it| matches!(it, FaultKind::Status { effect: true, .. }));
    has(&|it| matches!(it, FaultKind::Unqualified { .. }));
    has(&|it| matches!(it, FaultKind::Hang));
    has(&|it| matches!(it, FaultKind::Late(None)));
    has(&|it| matches!(it, FaultKind::Late(Some(_))));
    has(&|it| matches!(it, FaultKind::Lost));
    has(&|it| matches!(it, FaultKind::Reset { effect: false }));
    has(&|it| matches!(it, FaultKind::Reset { effect: true }));
    has(&|it| matches!(it, FaultKind::Drip(_)));
    has(&|it| matches!(it, FaultKind::Twice));
    has(&|it| matches!(it, FaultKind::Slow(_)));
    has(&|it| matches!(it, FaultKind::Accepted { .. }));
    for (_, malformation) in MALFORMATIONS {
        has(&|it| *it == FaultKind::Malformed(*malformation));
    }
}

#[test]
fn the_script_of_the_page_says_what_its_comments_say() {
    let text = PAGE.split("```toml\n").nth(1).unwrap();
    let text = text.split("```").next().unwrap();
    let script = Script::parse(text, Path::new("faults.toml")).unwrap();
    let flags = text
        .lines()
        .filter_map(|line| line.split("--fail '").nth(1));
    let flags: Vec<Fault> = flags
        .map(|flag| Fault::parse(flag.trim_end_matches('\'')).unwrap())
        .collect();
    assert_eq!(flags.len(), 5);
    assert_eq!(script.faults, flags);
    assert!(script.manners["acs"].ignores_keys);
    let callback = script.manners["warehouse"].accepts.unwrap();
    assert_eq!(callback.after.to_string(), "~2s");
}

//! Orders that come again after they were carried out: nothing happens twice.

use crate::support::{Mock, Workplace, documents, example, run, stderr, stdout};

struct Story {
    mock: Mock,
    workplace: Workplace,
}

impl Story {
    fn begin() -> Story {
        let mock = Mock::start();
        let workplace = Workplace::new(&mock.url());
        let toml = workplace.read("orderctl.toml");
        let catalog = example().join("../catalog/broadband");
        workplace.write(
            "orderctl.toml",
            &format!(
                "{toml}catalog = \"{}\"\ninventory = \"inventory.ndjson\"\n",
                catalog.display()
            ),
        );
        Story { mock, workplace }
    }

    /// An order of the example through the whole pipe; what is written, and its plan.
    fn order(&self, name: &str) -> (String, String) {
        let order = std::fs::read_to_string(example().join(name)).unwrap();
        let stage = |command: &[&str], input: &str| {
            let output = run(&mut self.workplace.orderctl(command), input);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            stdout(&output)
        };
        let decomposed = stage(&["decompose"], &order);
        let planned = stage(&["plan"], &decomposed);
        (stage(&["activate"], &planned), planned)
    }

    fn inventory(&self) -> String {
        self.workplace.read("inventory.ndjson")
    }
}

#[test]
fn orders_that_were_carried_out_are_not_carried_out_again() {
    let story = Story::begin();
    let (added, add_plan) = story.order("order.json");
    assert_eq!(story.order("order.json").0, added);
    let (modified, _) = story.order("order-modify.json");
    let (before, record) = (story.inventory(), story.mock.record());
    // Nothing is left to modify, and the chain says that it was done.
    let (again, _) = story.order("order-modify.json");
    assert_eq!(again, modified);
    assert_eq!((story.inventory(), story.mock.record()), (before, record));

    let (ceased, _) = story.order("order-cease.json");
    assert_eq!(story.inventory(), "");
    let record = story.mock.record();
    // What was removed is not there to be removed, and nothing comes back.
    assert_eq!(story.order("order-cease.json").0, ceased);
    let planned = story.workplace.activate(&add_plan, &[]);
    assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    assert_eq!(story.order("order.json").0, added);
    assert_eq!(story.order("order-modify.json").0, modified);
    assert_eq!(
        (story.inventory(), story.mock.record()),
        (String::new(), record)
    );
    let states = documents(&ceased);
    assert!(
        states.iter().all(|it| it["state"] == "completed"),
        "{ceased}"
    );
}

#[test]
fn an_order_that_was_not_carried_out_is_still_refused() {
    let story = Story::begin();
    story.order("order.json");
    story.order("order-cease.json");
    let cease = std::fs::read_to_string(example().join("order-cease.json")).unwrap();
    for other in [
        // Another order, and the same one asking for something else.
        cease.replace("-0003", "-0004"),
        cease.replacen("\"category\"", "\"projectId\": \"x\", \"category\"", 1),
    ] {
        assert_ne!(other, cease);
        let output = run(&mut story.workplace.orderctl(&["decompose"]), &other);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let said = "decompose/not-installed";
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

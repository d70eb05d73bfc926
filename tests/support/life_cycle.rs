//! The life cycles of orders and of their items as the diagrams of the standards have them (TMF622 4.0,
//! TMF641 4.1, TMF652 4.0), written down a second time, and orders watched for keeping to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The states that may follow a state.
pub fn successors(type_name: &str, state: &str) -> &'static [&'static str] {
    match (type_name, state) {
        ("ProductOrder", "acknowledged") => &["inProgress", "pending"],
        ("ServiceOrder", "acknowledged") => &[
            "inProgress",
            "rejected",
            "assessingCancellation",
            "cancelled",
        ],
        ("ResourceOrder", "acknowledged") => &["inProgress", "rejected", "assessingCancellation"],
        ("ServiceOrder", "inProgress") => &[
            "pending",
            "held",
            "assessingCancellation",
            "cancelled",
            "completed",
            "failed",
            "partial",
        ],
        (_, "inProgress") => &[
            "pending",
            "held",
            "assessingCancellation",
            "completed",
            "failed",
            "partial",
        ],
        (_, "pending" | "held") => &["inProgress", "assessingCancellation", "cancelled"],
        ("ProductOrder", "assessingCancellation") => {
            &["inProgress", "pending", "held", "pendingCancellation"]
        }
        (_, "assessingCancellation") => &[
            "acknowledged",
            "inProgress",
            "pending",
            "held",
            "pendingCancellation",
        ],
        (_, "pendingCancellation") => &["cancelled"],
        (_, "rejected" | "cancelled" | "completed" | "failed" | "partial") => &[],
        other => panic!("{other:?}"),
    }
}

/// The states that items of a type of order may be in (TMF622 and TMF652 have no `partial` there).
pub fn item_states(type_name: &str) -> BTreeSet<&'static str> {
    let mut states = BTreeSet::from(["acknowledged", "rejected"]);
    let mut open: Vec<&str> = states.iter().copied().collect();
    while let Some(state) = open.pop() {
        open.extend(
            successors(type_name, state)
                .iter()
                .filter(|it| states.insert(it)),
        );
    }
    if type_name != "ServiceOrder" {
        states.remove("partial");
    }
    states
}

/// Whether an item of a type of order may have gone from one state to another, by whatever steps. TMF652
/// has no life cycle of items.
pub fn leads(type_name: &str, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(state) = open.pop() {
        open.extend(
            successors(type_name, state)
                .iter()
                .filter(|it| seen.insert(it)),
        );
    }
    type_name == "ResourceOrder" || seen.contains(to)
}

/// Orders, watched by the events that tell of them.
#[derive(Debug, Clone, Default)]
pub struct LifeCycles {
    /// The states that each order was told to be in, by type and id.
    ways: BTreeMap<(String, String), Vec<String>>,
    ids: BTreeSet<String>,
}

impl LifeCycles {
    /// Takes note of an event; says what is wrong with it.
    pub fn take(&mut self, event: &Value) -> Result<(), String> {
        if !self.ids.insert(event["eventId"].to_string()) {
            return Err(format!("told twice: {event}"));
        }
        let event_type = event["eventType"].as_str().unwrap_or_default();
        if !event_type.ends_with("StateChangeEvent") {
            return Ok(());
        }
        let orders = event["event"].as_object();
        let order = orders.and_then(|it| it.values().next()).unwrap();
        let text = |key: &str| order[key].as_str().unwrap().to_owned();
        let (type_name, state) = (text("@type"), text("state"));
        let way = self.ways.entry((type_name.clone(), text("id")));
        let way = way.or_insert_with(|| vec!["acknowledged".to_owned()]);
        let before = way.last().unwrap();
        if !successors(&type_name, before).contains(&&*state) {
            return Err(format!("from {before}: {event}"));
        }
        way.push(state);
        Ok(())
    }

    /// The states that each order was in, by type and id; the first one is that of its creation.
    pub fn ways(&self) -> &BTreeMap<(String, String), Vec<String>> {
        &self.ways
    }

    /// The state that each order is in, by type.
    pub fn ends(&self) -> BTreeMap<&str, &str> {
        let ends = self.ways.iter();
        ends.map(|((type_name, _), way)| (&**type_name, &**way.last().unwrap()))
            .collect()
    }
}

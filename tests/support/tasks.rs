//! Plans written by hand, with tasks of all kinds.

use orderctl::plan::flow::OrchestrationPlan;
use orderctl::plan::plan_digest;
use serde_json::{Value, json};

/// When the plans start.
pub const START: &str = "2026-12-01T08:00:00Z";

/// A task that waits for these, with the members in `changes`; by default an activation at `olt`.
pub fn task(id: &str, after: &[&str], changes: Value) -> Value {
    let relationships: Vec<Value> = after
        .iter()
        .map(|id| json!({"relationshipType": "finishToStart", "taskFlow": {"id": id}}))
        .collect();
    let mut task = json!({
        "id": id, "@type": "TaskFlow", "name": id.to_uppercase(), "kind": "activation",
        "state": "new", "relatedEntity": [], "taskFlowRelationship": relationships,
        "duration": "PT1M", "earliestStart": "PT0S", "latestStart": "PT0S", "slack": "PT0S",
        "critical": false, "wave": 1
    });
    if changes["kind"].is_null() {
        task["endpoint"] = "olt".into();
        task["request"] = json!({"method": "POST", "path": "resource", "body": {"name": id}});
        task["idempotencyKey"] = format!("key-{id}").into();
    }
    if let Value::Object(changes) = changes {
        for (key, value) in changes {
            task[key] = value;
        }
    }
    task
}

/// A resource order R-1 with an item for each task that is no milestone, and its plan.
pub fn order(tasks: &[Value]) -> String {
    let items: Vec<Value> = tasks
        .iter()
        .filter(|task| task["kind"] != "milestone")
        .map(|task| {
            json!({
                "id": task["id"], "action": "add",
                "resource": {"name": task["name"], "@type": "LogicalResource"}
            })
        })
        .collect();
    let order = json!({"@type": "ResourceOrder", "id": "R-1", "orderItem": items});
    let plan = json!({
        "@type": "OrchestrationPlan", "@baseType": "ProcessFlow", "formatVersion": "1.0",
        "id": "R-1.P", "processFlowSpecification": "OrchestrationPlan/1", "state": "active",
        "relatedEntity": [{"id": "R-1", "role": "rootOrder", "@referredType": "ResourceOrder"}],
        "digest": {"order": [], "plan": ""},
        "schedule": {
            "start": START, "expectedDuration": "PT0S", "totalDuration": "PT0S", "waves": 1,
            "criticalPath": []
        },
        "taskFlow": tasks
    });
    let mut plan: OrchestrationPlan = serde_json::from_value(plan).expect("a plan");
    plan.digest.plan = plan_digest(&plan);
    let plan = serde_json::to_string(&plan).expect("a plan is JSON");
    format!("{order}\n{plan}\n")
}

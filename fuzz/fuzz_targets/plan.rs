//! Plans.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orderctl::plan::flow::OrchestrationPlan;
use orderctl::plan::{Notation, draw, explain, plan_digest, write};

fuzz_target!(|text: &str| {
    let Ok(plan) = serde_json::from_str::<OrchestrationPlan>(text) else {
        return;
    };
    let digest = plan_digest(&plan);
    drop(draw(&plan, Notation::Dot));
    for task in &plan.task_flow {
        drop(explain(&plan, &task.id));
    }
    let written = write(plan).concat();
    let again: OrchestrationPlan = serde_json::from_slice(&written).expect("a plan");
    assert_eq!(plan_digest(&again), digest);
});

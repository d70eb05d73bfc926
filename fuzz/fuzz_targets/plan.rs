//! Plans.

#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use orderctl::plan::flow::OrchestrationPlan;
use orderctl::plan::{Notation, PlanText, draw, explain, plan_digest};

fuzz_target!(|text: &str| {
    let Ok(plan) = serde_json::from_str::<OrchestrationPlan>(text) else {
        return;
    };
    let digest = plan_digest(&plan);
    drop(draw(&plan, Notation::Dot));
    for task in &plan.task_flow {
        drop(explain(&plan, &task.id));
    }
    let mut written = Vec::new();
    let _all = PlanText::of(plan).pieces(|piece| {
        written.extend_from_slice(piece);
        ControlFlow::<()>::Continue(())
    });
    let again: OrchestrationPlan = serde_json::from_slice(&written).expect("a plan");
    assert_eq!(plan_digest(&again), digest);
});

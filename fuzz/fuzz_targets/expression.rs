//! Expressions of rules.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orderctl::catalog::expression::{Bindings, Expected, Expression, Scope, Shape};

fuzz_target!(|source: &str| {
    let scope = Scope::new().with("source", Shape::Any).with("place", Shape::Any);
    for expected in [Expected::Boolean, Expected::Any, Expected::List] {
        if let Ok(expression) = Expression::compile(source, &expected, &scope) {
            let bindings = Bindings::new();
            drop(expression.evaluate(&bindings));
            drop(expression.explain(&bindings));
        }
    }
});

//! The soak of `benches/soak`, at a size that every run of the tests can bear.
#![cfg(unix)]

#[path = "../benches/figures/mock.rs"]
mod mock;
#[path = "../benches/figures/orders.rs"]
#[allow(dead_code, reason = "the figures use all of it")]
mod orders;
#[path = "../benches/soak/soak.rs"]
#[allow(dead_code, reason = "the command tells how long it took")]
mod soak;
#[path = "../benches/soak/systems.rs"]
mod systems;

use std::path::Path;

use soak::Soak;

#[test]
fn eight_processes_some_of_them_killed_complete_every_order_once_at_systems_that_fail() {
    let soak = Soak {
        orders: 200,
        processes: 8,
        kills: 24,
        seed: 7,
    };
    let figures = soak.run(Path::new(env!("CARGO_BIN_EXE_orderctl")));
    let figures = figures.unwrap_or_else(|error| panic!("{error}"));
    assert!(figures.kills >= soak.kills && figures.runs > soak.kills);
    assert!(figures.effects > 5 * soak.orders && figures.calls > figures.effects);
    let met: usize = figures.faults.values().sum();
    assert!(met * 12 > figures.calls, "{met} of {}", figures.calls);
    println!("{figures:#?}");
}

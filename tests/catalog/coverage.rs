//! Generated orders exercise the example catalog, and are what they are meant to be.

use std::sync::LazyLock;

use orderctl::catalog::{self, Catalog};
use orderctl::coverage::{self, Coverage, Generated, PointKind, Samples, Wanted};
use orderctl::diagnostic::Severity;
use orderctl::document::{Document, Selection};
use orderctl::rehearsal::{Rehearsal, is_root_order};
use orderctl::schemas;
use orderctl::validate::Validation;

use crate::{orderctl, path, stderr, stdout};

fn example(folder: &str) -> Catalog {
    let files = catalog::read_folder(&path(folder)).expect("a folder");
    catalog::load(&files)
        .expect("a catalog")
        .catalog
        .expect("a sound catalog")
}

/// What the orders of the stories say where the catalog does not.
fn samples(catalog: &Catalog) -> Samples {
    let mut samples = Samples::default();
    for story in [
        "broadband",
        "cloud-msp",
        "fixed-b2b",
        "mobile-4g",
        "mobile-5g",
        "satellite-maritime",
        "sdwan-b2b",
    ] {
        let files = Selection {
            what: "orders",
            extensions: &["json"],
        };
        let folder = path("examples/catalog-tests").join(story);
        for file in files.read(&folder).expect("files") {
            for order in file
                .json_documents()
                .expect("documents")
                .iter()
                .filter(|it| is_root_order(it))
            {
                samples.learn(catalog, order);
            }
        }
    }
    samples
}

/// The example catalog and the orders that are generated for it, made once for all tests.
static EXAMPLE: LazyLock<(Catalog, Vec<Generated>)> = LazyLock::new(|| {
    let catalog = example("examples/catalog");
    let (coverage, orders) = generated(&catalog, false);
    let missing: Vec<String> = coverage.missing().map(ToString::to_string).collect();
    assert!(missing.is_empty(), "{missing:?}");
    (catalog, orders)
});

fn generated(catalog: &Catalog, pairwise: bool) -> (Coverage<'_>, Vec<Generated>) {
    let mut coverage = Coverage::new(catalog);
    let wanted = Wanted {
        pairwise,
        now: None,
    };
    let orders = coverage::generate(&mut coverage, &samples(catalog), wanted);
    (coverage, orders)
}

fn rehearse(catalog: &Catalog, order: &Document) -> orderctl::rehearsal::Rehearsed {
    let rehearsal = Rehearsal {
        catalog,
        inventory: None,
        now: None,
        explain: false,
    };
    rehearsal.rehearse(order)
}

#[test]
fn generated_orders_alone_exercise_all_rules_and_conditions_and_are_valid() {
    let (catalog, orders) = &*EXAMPLE;
    let mut coverage = Coverage::new(catalog);
    for it in orders {
        coverage.order(&it.order, None, None);
        let rehearsed = rehearse(catalog, &it.order);
        assert!(
            rehearsed.findings.is_empty(),
            "{}: {:?}",
            it.id,
            rehearsed.findings
        );
        // One of which nothing is to be made has a plan without tasks.
        assert!(rehearsed.plan.is_some(), "{}", it.id);
        let validation = Validation {
            catalog: Some(catalog),
            inventory: None,
            strict: true,
            now: None,
        };
        let checked = validation.inspect(&it.order);
        assert!(checked.accepted, "{}: {:?}", it.id, checked.diagnostics);
    }
    let missing: Vec<String> = coverage.missing().map(ToString::to_string).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for kind in [PointKind::Rule, PointKind::Condition, PointKind::Value] {
        assert!(coverage.points.iter().filter(|it| it.kind == kind).count() > 30);
    }
    assert!(orders.len() < 60, "{}", orders.len());
}

#[test]
fn orders_with_one_fault_are_refused_with_one_error_and_follow_the_seed() {
    let (catalog, valid) = &*EXAMPLE;
    let of_seed = |seed| coverage::faulty(catalog, valid, seed, None);
    let faulty = of_seed(7);
    assert!(faulty.len() > 30, "{}", faulty.len());
    for it in &faulty {
        let rehearsed = rehearse(catalog, &it.order);
        let errors = rehearsed
            .findings
            .iter()
            .filter(|it| it.severity == Severity::Error);
        let codes: Vec<&str> = errors.map(|it| it.code.0).collect();
        assert_eq!(codes, [it.code], "{}", it.id);
    }
    let texts = |seed| {
        of_seed(seed)
            .iter()
            .map(|it| it.order.text().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(7), texts(7));
    assert_ne!(texts(7), texts(8));
}

#[test]
fn pairs_of_values_are_ordered_together_where_that_is_wanted() {
    let catalog = example("examples/catalog/broadband");
    let (_, few) = generated(&catalog, false);
    let (_, many) = generated(&catalog, true);
    assert!(
        many.len() > 2 * few.len(),
        "{} and {}",
        many.len(),
        few.len()
    );
    let asks = |order: &Document, pair: [(&str, &str); 2]| {
        let text = order.text();
        pair.iter().all(|(name, value)| {
            text.contains(&format!("{{\"name\":\"{name}\",\"value\":{value}}}"))
        })
    };
    for pair in [
        [("downloadSpeed", "50"), ("wifiApp", "false")],
        [("downloadSpeed", "1000"), ("staticIp", "true")],
        [("accessTechnology", "\"HFC\""), ("staticIp", "true")],
    ] {
        assert!(many.iter().any(|it| asks(&it.order, pair)), "{pair:?}");
    }
}

#[test]
fn too_little_is_a_finding_and_the_report_is_valid_against_its_schema() {
    let run = |more: &[&str]| {
        let arguments = [
            "catalog",
            "coverage",
            "--catalog",
            "examples/catalog",
            "--orders",
        ];
        orderctl(&[&arguments[..], more].concat())
    };
    let output = run(&["examples/catalog-tests", "--min", "100"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = run(&[
        "examples/catalog-tests/broadband",
        "--min",
        "90",
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let document = Document::parse(stdout(&output), "coverage").expect("JSON");
    let faults = schemas::check_as("catalog-coverage", document.root());
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(
        run(&["examples/catalog-tests", "--min", "101"])
            .status
            .code(),
        Some(2)
    );
}

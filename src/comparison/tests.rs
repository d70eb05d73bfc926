//! What is called different, and what of it breaking.

use super::*;
use crate::document::yaml;

fn documents(text: &str) -> Vec<Document> {
    let documents = yaml::documents(text, "catalog.yaml").expect("YAML");
    documents
        .into_iter()
        .flat_map(|it| it.elements().unwrap_or_else(|| vec![it]))
        .collect()
}

/// The lines that a change of one document gives, without its title.
fn lines(before: &str, now: &str) -> Vec<String> {
    let comparison = Comparison::of(&documents(before), &documents(now));
    human(&comparison)
        .lines()
        .skip(1)
        .map(|it| it.trim_end().to_owned())
        .collect()
}

fn product(characteristic: &str) -> String {
    format!(
        "- {{\"@type\": ProductSpecification, id: PS, name: Home, productSpecCharacteristic: [{characteristic}]}}"
    )
}

#[test]
fn characteristics_are_compared_by_name_and_values_by_what_they_are() {
    let values = "productSpecCharacteristicValue";
    for (before, now, line) in [
        (
            format!("{{name: speed, {values}: [{{value: 100}}, {{value: 200}}]}}"),
            format!("{{name: speed, {values}: [{{value: 200}}]}}"),
            "  ! characteristic `speed`: value 100 removed  (orders that ask for it are refused)",
        ),
        (
            format!("{{name: speed, {values}: [{{value: 100}}]}}"),
            format!("{{name: speed, {values}: [{{value: 200}}, {{value: 100}}]}}"),
            "    characteristic `speed`: value 200 added",
        ),
        (
            format!("{{name: speed, {values}: [{{valueFrom: 1, valueTo: 10}}]}}"),
            format!("{{name: speed, {values}: [{{valueFrom: 1, valueTo: 9}}]}}"),
            "  ! characteristic `speed`: range: valueTo 10 → 9  (orders with values outside of it are refused)",
        ),
        (
            format!("{{name: speed, {values}: [{{valueFrom: 1, valueTo: 10}}]}}"),
            format!("{{name: speed, {values}: [{{valueFrom: 0, valueTo: 10}}]}}"),
            "    characteristic `speed`: range: valueFrom 1 → 0",
        ),
        (
            "{name: speed}".to_owned(),
            "{name: speed}, {name: area, minCardinality: 1}".to_owned(),
            "  ! characteristic `area` added  (orders that do not give it are refused)",
        ),
        (
            "{name: speed}".to_owned(),
            "{name: area}, {name: speed}".to_owned(),
            "    characteristic `area` added",
        ),
        (
            "{name: speed, minCardinality: 0}".to_owned(),
            "{name: speed, minCardinality: 1}".to_owned(),
            "  ! characteristic `speed`: minCardinality 0 → 1  (orders that give fewer values are refused)",
        ),
        (
            "{name: speed, maxCardinality: 0}".to_owned(),
            "{name: speed, maxCardinality: 5}".to_owned(),
            "  ! characteristic `speed`: maxCardinality 0 → 5  (orders that give more values are refused)",
        ),
        (
            "{name: speed, maxCardinality: 5}".to_owned(),
            "{name: speed, maxCardinality: 0}".to_owned(),
            "    characteristic `speed`: maxCardinality 5 → 0",
        ),
    ] {
        assert_eq!(lines(&product(&before), &product(&now)), [line]);
    }
}

#[test]
fn where_documents_and_members_stand_makes_no_difference() {
    let one = "- {\"@type\": ProductSpecification, id: A, name: x, href: a, lastUpdate: b}\n- {\"@type\": ProductSpecification, id: B, name: y}";
    let other = "- {name: y, id: B, \"@type\": ProductSpecification}\n- {name: x, id: A, \"@type\": ProductSpecification, href: c}";
    let comparison = Comparison::of(&documents(one), &documents(other));
    assert_eq!(comparison, Comparison::default());
    assert_eq!(comparison.summary(), "no difference");
}

#[test]
fn rules_are_compared_by_what_they_say() {
    let rule = |rest: &str| {
        format!(
            "- {{\"@type\": DecompositionRule, id: R, source: {{id: A}}, target: {{id: B}}, {rest}}}"
        )
    };
    assert_eq!(
        lines(
            &rule(
                "condition: a, mapping: [{target: x, value: 1}], dependsOn: [{id: C, lag: PT1M}]"
            ),
            &rule(
                "condition: b, mapping: [{target: x, value: 2}, {target: y, value: 1}], dependsOn: [{id: C, lag: PT2M}]"
            ),
        ),
        [
            "    condition \"a\" → \"b\"",
            "    mapping to `x`: value 1 → 2",
            "    mapping to `y` added",
            "  ! dependency on C: lag \"PT1M\" → \"PT2M\"  (work is done in another order)",
        ]
    );
    let waves = |list: &str| format!("- {{\"@type\": RolloutRule, id: W, waves: {list}}}");
    assert_eq!(
        lines(&waves("[a, b]"), &waves("[a, b]")),
        Vec::<String>::new()
    );
    assert_eq!(
        lines(&waves("[a, b]"), &waves("[b, a]")),
        ["  ! waves [\"a\",\"b\"] → [\"b\",\"a\"]  (the rollout has other waves)"]
    );
}

#[test]
fn what_is_removed_is_named_with_what_it_breaks() {
    let offering = "- {\"@type\": ProductOffering, id: PO, name: Home}";
    let comparison = Comparison::of(&documents(offering), &[]);
    assert_eq!(
        human(&comparison),
        "- ProductOffering PO (Home)\n  ! removed  (orders that name it are refused)\n"
    );
    assert_eq!(
        comparison.summary(),
        "documents: 1 removed; 1 breaking change"
    );
    let back = Comparison::of(&[], &documents(offering));
    assert_eq!(back.summary(), "documents: 1 added; nothing breaks");
}

#[test]
fn markdown_keeps_within_what_a_comment_may_have_and_escapes_names() {
    let many: Vec<String> = (0..5000)
        .map(|number| {
            format!("- {{\"@type\": ProductOffering, id: PO-{number}, name: \"<b>|{number}\"}}")
        })
        .collect();
    let many = many.join("\n");
    let text = markdown(&Comparison::of(&documents(&many), &[]));
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(
        text.contains("There is no room for"),
        "{}",
        &text[text.len() - 200..]
    );
    assert!(!text.contains("<b>"));
}

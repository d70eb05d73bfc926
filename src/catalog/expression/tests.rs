//! Expressions against shapes, and against values.

use proptest::prelude::*;

use super::*;

fn scope() -> Scope {
    let source = ObjectShape::closed()
        .with_required("accessTechnology", Shape::String)
        .with_required("speed", Shape::Integer)
        .with_required("price", Shape::Number)
        .with_required("staticIp", Shape::Boolean)
        .with_required("vlans", Shape::List(Box::new(Shape::Integer)))
        .with_required("access type", Shape::String)
        .with_optional("servingArea", Shape::String)
        .with_optional("oltPort", Shape::Integer)
        .with_optional(
            "address",
            Shape::Object(
                ObjectShape::closed()
                    .with_required("city", Shape::String)
                    .with_optional("street", Shape::String),
            ),
        );
    Scope::new()
        .with("source", Shape::Object(source))
        .with("product", Shape::Object(ObjectShape::open()))
        .with(
            "item",
            Shape::Object(
                ObjectShape::closed()
                    .with_required("id", Shape::String)
                    .with_required("quantity", Shape::Integer),
            ),
        )
}

const SOURCE: [(&str, &str); 8] = [
    ("accessTechnology", "\"GPON\""),
    ("speed", "200"),
    ("price", "29.5"),
    ("staticIp", "true"),
    ("vlans", "[10, 20, 30]"),
    ("access type", "\"fibre\""),
    ("oltPort", "7.0"),
    ("address", "{\"street\": \"Main St\", \"city\": \"Ghent\"}"),
];

fn bindings() -> Bindings<'static> {
    let mut bindings = Bindings::new();
    bindings.bind_object("source", SOURCE);
    bindings.bind_object("product", [("name", "\"Fibre\"")]);
    bindings.bind_object("item", [("id", "\"1\""), ("quantity", "2")]);
    bindings
}

fn faults(source: &str, expected: &Expected) -> Vec<ExpressionFault> {
    Expression::compile(source, expected, &scope())
        .err()
        .unwrap_or_default()
}

/// Compiles a condition that has one fault, and gives its code, the text it
/// underlines, its message and its hint.
#[track_caller]
fn fault(source: &str) -> (&'static str, String, String, String) {
    one(source, &Expected::Boolean)
}

#[track_caller]
fn one(source: &str, expected: &Expected) -> (&'static str, String, String, String) {
    let faults = faults(source, expected);
    assert_eq!(faults.len(), 1, "{source}: {faults:#?}");
    let fault = &faults[0];
    (
        fault.code.0,
        source[fault.start..fault.end].to_owned(),
        fault.message.clone(),
        fault.hint.clone().unwrap_or_default(),
    )
}

#[track_caller]
fn condition(source: &str) -> Expression {
    Expression::compile(source, &Expected::Boolean, &scope())
        .unwrap_or_else(|faults| panic!("{source}: {faults:#?}"))
}

#[track_caller]
fn value(source: &str) -> String {
    Expression::compile(source, &Expected::Any, &scope())
        .unwrap_or_else(|faults| panic!("{source}: {faults:#?}"))
        .evaluate(&bindings())
        .unwrap_or_else(|fault| panic!("{source}: {fault}"))
}

#[track_caller]
fn holds(source: &str) -> bool {
    condition(source)
        .holds(&bindings())
        .unwrap_or_else(|fault| panic!("{source}: {fault}"))
}

#[test]
fn expressions_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Expression>();
    shared::<Bindings<'_>>();
}

#[test]
fn broken_syntax_is_reported_where_it_breaks() {
    let (code, text, message, hint) = fault("source.staticIp and source.speed > 1");
    assert_eq!(code, "rule/expression-syntax");
    assert_eq!(text, "and");
    assert_eq!(message, "`and` is not expected here");
    assert_eq!(hint, "write `&&`");
    let (_, text, _, hint) = fault("source.speed = 1");
    assert_eq!(
        (text.as_str(), hint.as_str()),
        ("=", "write `==` to compare")
    );
    let (_, text, message, _) = fault("source.speed ==");
    assert_eq!(
        (text.as_str(), message.as_str()),
        ("", "the expression ends too early")
    );
    let (_, text, message, _) = fault("source.accessTechnology == \"GPON");
    assert_eq!(
        (text.as_str(), message.as_str()),
        ("\"GPON", "unterminated string literal")
    );
    let (_, text, _, _) = fault("\n\n  source.speed ==\n  @ 1");
    assert_eq!(text, "@");
    assert_eq!(fault("").2, "the expression ends too early");
    assert_eq!(fault("thing{a: 1} == 1").0, "rule/expression-syntax");
}

#[test]
fn an_unknown_variable_is_named_with_its_neighbour() {
    let (code, text, message, hint) = fault("1 == 1 && sourc.speed > 1");
    assert_eq!(code, "rule/unknown-variable");
    assert_eq!(text, "sourc");
    assert_eq!(message, "there is no variable `sourc`");
    assert_eq!(hint, "did you mean `source`?");
    let (_, text, _, hint) = fault("source.accessTechnology == GPON");
    assert_eq!(text, "GPON");
    assert_eq!(
        hint,
        "there are `item`, `product`, `source`; write \"GPON\" in quotes if it is text"
    );
    assert_eq!(fault(".source.speed > 1").1, ".source");
}

#[test]
fn an_unknown_characteristic_is_named_with_its_neighbour() {
    let (code, text, message, hint) = fault("source.sped > 1");
    assert_eq!(code, "rule/unknown-characteristic");
    assert_eq!(text, "sped");
    assert_eq!(message, "`source` has no `sped`");
    assert_eq!(hint, "did you mean `speed`?");
    assert_eq!(fault("has(source.oltPrt)").1, "oltPrt");
    assert_eq!(fault("source[\"sped\"] > 1").1, "\"sped\"");
    assert_eq!(fault("\"oltPrt\" in source").1, "\"oltPrt\"");
    assert_eq!(
        fault("item.colour == \"x\"").3,
        "there are `id`, `quantity`"
    );
}

#[test]
fn an_optional_member_needs_a_guard() {
    let (code, text, message, hint) = fault("source.servingArea == \"A\"");
    assert_eq!(code, "rule/unguarded-optional");
    assert_eq!(text, "source.servingArea");
    assert_eq!(
        message,
        "`source.servingArea` is optional and may be absent"
    );
    assert_eq!(
        hint,
        "guard it: `has(source.servingArea) && …`, or \
         `has(source.servingArea) ? source.servingArea : …`"
    );
    let (_, text, _, hint) = fault("product[\"the name\"] == 1");
    assert_eq!(text, "product[\"the name\"]");
    assert!(
        hint.starts_with("guard it: `\"the name\" in product && …`"),
        "{hint}"
    );
    for unguarded in [
        "source.oltPort > 1 && has(source.oltPort)",
        "has(source.oltPort) || source.oltPort > 1",
        "!has(source.oltPort) && source.oltPort > 1",
        "has(source.oltPort) ? true : source.oltPort > 1",
        "(has(source.oltPort) || source.staticIp) && source.oltPort > 1",
        "has(source.servingArea) && source.oltPort > 1",
        "product.anything == 1",
        "has(source.address.street)",
        "has(source.address) && source.address.street == \"x\"",
        "source.vlans.exists(v, v == source.oltPort)",
        "[source.staticIp].all(has, has(source.oltPort)) && source.oltPort > 1",
    ] {
        assert_eq!(fault(unguarded).0, "rule/unguarded-optional", "{unguarded}");
    }
}

#[test]
fn guards_are_understood() {
    for guarded in [
        "has(source.oltPort) && source.oltPort > 1",
        "source.staticIp && (has(source.oltPort) && source.speed > 1) && source.oltPort > 1",
        "!has(source.oltPort) || source.oltPort > 1",
        "has(source.oltPort) ? source.oltPort > 1 : false",
        "!has(source.oltPort) ? false : source.oltPort > 1",
        "!(!has(source.oltPort) || source.staticIp) && source.oltPort > 1",
        "\"oltPort\" in source && source.oltPort > 1",
        "has(product.x) && product[\"x\"] == 1",
        "\"a b\" in product && product[\"a b\"] == 1",
        "has(source.address) && has(source.address.street) && source.address.street != \"\"",
        "has(source.oltPort) && source.vlans.exists(v, v == source.oltPort)",
        "(has(source.oltPort) && source.staticIp || has(source.oltPort)) && source.oltPort > 1",
    ] {
        condition(guarded);
    }
}

#[test]
fn values_that_do_not_go_together_are_reported() {
    let (code, text, message, hint) = fault("source.staticIp && source.speed == \"200\"");
    assert_eq!(code, "rule/expression-type");
    assert_eq!(text, "source.speed == \"200\"");
    assert_eq!(
        message,
        "`source.speed` is an integer, `\"200\"` is a string: they are never equal"
    );
    assert_eq!(hint, "write 200 without quotes");
    assert_eq!(
        fault("source.accessTechnology == 5").3,
        "write \"5\" in quotes"
    );
    assert_eq!(
        fault("source.staticIp == \"true\"").3,
        "write true without quotes"
    );
    assert_eq!(fault("source.speed in [\"1\"]").0, "rule/expression-type");
    assert_eq!(
        fault("\"a\" in source.accessTechnology").3,
        "ask `source.accessTechnology.contains(\"a\")`"
    );
    assert_eq!(
        fault("\"v\" + source.speed == \"v1\"").3,
        "convert it: `string(source.speed)`"
    );
    assert_eq!(fault("source.speed > \"1\"").3, "write 1 without quotes");
    assert_eq!(fault("source.speed && true").1, "source.speed");
    assert_eq!(
        fault("!source.accessTechnology").1,
        "source.accessTechnology"
    );
    assert_eq!(fault("source.price % 2 == 1").1, "source.price % 2");
    assert_eq!(fault("source.speed.max > 1").1, "max");
    assert_eq!(fault("source.vlans[\"a\"] == 1").0, "rule/expression-type");
    assert_eq!(
        fault("source.accessTechnology == null").3,
        "ask `has(source.accessTechnology)`"
    );
    assert_eq!(fault("item.exists(x, x == \"id\")").1, "item");
    assert_eq!(fault("source.vlans.exists(v, v == \"a\")").1, "v == \"a\"");
    assert_eq!(
        fault("source.vlans.map(v, v * 2)[0] == \"a\"").0,
        "rule/expression-type"
    );
    assert_eq!(
        fault("-source.accessTechnology == 1").1,
        "-source.accessTechnology"
    );
    assert_eq!(fault("source.speed == 1u").1, "1u");
    assert_eq!(fault("{\"a\": 1, \"a\": 2} == {\"a\": 1}").1, "\"a\"");
}

#[test]
fn the_result_must_fit() {
    let (code, text, message, _) = fault("source.speed + 1");
    assert_eq!(code, "rule/expression-type");
    assert_eq!(text, "source.speed + 1");
    assert_eq!(
        message,
        "a condition must be true or false, this is an integer"
    );
    assert_eq!(
        fault("source.accessTechnology").3,
        "compare it, or ask `has(source.accessTechnology)`"
    );
    let integer = Expected::Shape(Shape::Integer);
    let (_, text, message, hint) = one("source.price * 2", &integer);
    assert_eq!(text, "source.price * 2");
    assert_eq!(
        message,
        "the value does not fit the characteristic: a number is not an integer"
    );
    assert_eq!(hint, "convert it: `int(source.price * 2)`");
    assert_eq!(faults("source.speed", &Expected::Shape(Shape::Number)), []);
    assert_eq!(faults("source.staticIp ? 1 : 2", &integer), []);
    let list = Expected::Shape(Shape::List(Box::new(Shape::String)));
    assert_eq!(faults("source.vlans.map(v, string(v))", &list), []);
    assert_eq!(faults("[]", &list), []);
    assert_eq!(
        one("source.vlans", &list).2,
        "the value does not fit the characteristic: its elements: an integer is not a string"
    );
    let object = Expected::Shape(Shape::Object(
        ObjectShape::closed()
            .with_required("city", Shape::String)
            .with_optional("street", Shape::String),
    ));
    assert_eq!(faults("{\"city\": \"Ghent\"}", &object), []);
    assert!(
        one("{\"street\": \"x\"}", &object)
            .2
            .ends_with("its member `city` is missing")
    );
    assert!(
        one("{\"city\": \"x\", \"zip\": \"9000\"}", &object)
            .2
            .ends_with("there is no member `zip`")
    );
}

#[test]
fn functions_are_checked() {
    let (code, text, message, hint) = fault("source.accessTechnology.startWith(\"G\")");
    assert_eq!(code, "rule/unknown-function");
    assert_eq!(text, "startWith");
    assert_eq!(message, "there is no function `startWith`");
    assert_eq!(hint, "did you mean `startsWith`?");
    let (code, text, _, hint) = fault("size(source.vlans, 1) == 1");
    assert_eq!((code, text.as_str()), ("rule/unknown-function", "size"));
    assert_eq!(hint, "write `size(…)` or `x.size()`");
    assert_eq!(
        fault("contains(source.accessTechnology, \"G\")").3,
        "write `x.contains(…)`"
    );
    assert_eq!(
        fault("source.vlans.all(x)").3,
        "write `list.all(x, condition)`"
    );
    assert_eq!(
        faults("optional.of(1).hasValue()", &Expected::Boolean)[0].code,
        CODE_VARIABLE
    );
    let (code, text, message, hint) = fault("source.accessTechnology.contains(source.speed)");
    assert_eq!(
        (code, text.as_str()),
        ("rule/expression-type", "source.speed")
    );
    assert_eq!(message, "`contains` wants a string, this is an integer");
    assert_eq!(hint, "convert it: `string(source.speed)`");
    assert_eq!(fault("source.accessTechnology.matches(\"(\")").1, "\"(\"");
}

#[test]
fn all_faults_come_at_once_in_order() {
    let source = "sorce.speed > 1 && source.sped > 1 && source.oltPort == \"1\"";
    let codes: Vec<_> = faults(source, &Expected::Boolean)
        .into_iter()
        .map(|fault| (fault.start, fault.code.0))
        .collect();
    assert_eq!(
        codes,
        [
            (0, "rule/unknown-variable"),
            (26, "rule/unknown-characteristic"),
            (38, "rule/unguarded-optional"),
            (38, "rule/expression-type"),
        ]
    );
}

#[test]
fn places_are_bytes_behind_other_alphabets_and_lines() {
    let source = "source.accessTechnology == \"дом €\" // später\n  && source.sped > 1";
    assert_eq!(fault(source).1, "sped");
    let source = "\"\"\"a\nb\"\"\" == source.accessTechnology && (sorce).x == 1";
    assert_eq!(fault(source).1, "sorce");
}

#[test]
fn limits_hold_before_anything_recurses() {
    let long = format!("source.speed > {}1", " ".repeat(MAX_LENGTH));
    assert_eq!(fault(&long).0, "rule/expression-too-long");
    for deep in [
        "(".repeat(2000),
        "[".repeat(2000),
        "{1:".repeat(1000),
        "!-".repeat(2000),
        "!(".repeat(1000),
        format!("source{}", ".a".repeat(2000)),
        format!("source{}", "[0]".repeat(1000)),
        format!("1{}", "+1".repeat(2000)),
        format!("1{}", "==1".repeat(1000)),
        format!("true{}", "?true:true".repeat(400)),
        "true?".repeat(800),
        format!("source{}", ".a()".repeat(1000)),
        "has(".repeat(1000),
    ] {
        assert_eq!(fault(&deep).0, "rule/expression-too-long", "{deep:.20}");
    }
    for nearly in [
        format!("{}true{}", "(".repeat(45), ")".repeat(45)),
        format!("1{} > 1", "+1".repeat(30)),
        format!("source.price{} > 1", "+1".repeat(28)),
        format!("{}true{}", "true ? (".repeat(22), ") : false".repeat(22)),
        format!(
            "[1].all(x, {}[1].all(y, y > 0){})",
            "!(".repeat(16),
            ")".repeat(16)
        ),
    ] {
        condition(&nearly).explain(&bindings()).unwrap();
    }
    let wide = vec!["source.accessTechnology == \"A\""; 120].join(" || ");
    assert!(!holds(&wide));
    let many = vec!["\"A\""; 800].join(",");
    assert!(!holds(&format!("source.accessTechnology in [{many}]")));
    let nested = "[1].all(a, [1].all(b, [1].all(c, c == 1)))";
    assert_eq!(fault(nested).0, "rule/expression-too-long");
}

#[test]
fn running_costs_are_bounded() {
    let list = format!("[{}]", vec!["1"; MAX_ELEMENTS + 1].join(","));
    let mut bindings = Bindings::new();
    bindings.bind_object(
        "product",
        [("l", list.as_str()), ("o", "{\"a\":1}"), ("t", "\"aaaa\"")],
    );
    let run = |source: &str| {
        Expression::compile(source, &Expected::Any, &scope())
            .unwrap()
            .evaluate(&bindings)
            .unwrap_err()
            .message
    };
    assert_eq!(
        run("has(product.l) && product.l.all(x, x == 1)"),
        "`comprehension`: the list has 1001 elements, the limit is 1000"
    );
    assert_eq!(
        run("has(product.o) ? product.o.map(x, x) : []"),
        "`comprehension`: a map is not a list"
    );
    let grow = ".replace(\"a\", \"aaaaaaaaaa\")".repeat(10);
    assert_eq!(
        run(&format!("has(product.t) ? product.t{grow} : \"\"")),
        "`replace`: the text would grow beyond 65536 bytes"
    );
}

#[test]
fn conditions_are_judged() {
    for (source, expected) in [
        ("source.accessTechnology == \"GPON\"", true),
        ("source.accessTechnology in [\"XGS\", \"GPON\"]", true),
        ("source.speed >= 100 && source.speed < 1000", true),
        ("source.speed == 200.0", true),
        ("source.price > 29", true),
        ("source.price == 29", false),
        ("source.price * 2 == 59", true),
        ("source.speed + source.price == 229.5", true),
        ("source.speed / 3 == 66", true),
        ("has(source.oltPort) && source.oltPort == 7", true),
        ("has(source.oltPort) && source.oltPort + 1 == 8", true),
        ("has(source.servingArea)", false),
        ("\"servingArea\" in source", false),
        (
            "has(product.name) && product.name.startsWith(\"Fib\")",
            true,
        ),
        ("source.vlans.exists(v, v > 25)", true),
        ("source.vlans.all(v, v > 25)", false),
        ("source.vlans.exists_one(v, v > 25)", true),
        ("size(source.vlans) == 3 && source.vlans.size() == 3", true),
        ("source[\"access type\"] == \"fibre\"", true),
        ("source.`access type` == \"fibre\"", true),
        (
            "has(source.address) && source.address.city == \"Ghent\"",
            true,
        ),
        ("size(source) == 8", true),
        ("size(item) == 2 && source.speed > 1", true),
        ("item == {\"id\": \"1\", \"quantity\": 2}", true),
        ("source.accessTechnology.matches(\"^G.*N$\")", true),
        ("{\"a\": 1}.a == 1", true),
        ("(source.staticIp)", true),
    ] {
        assert_eq!(holds(source), expected, "{source}");
    }
}

#[test]
fn values_are_computed() {
    for (source, expected) in [
        ("source.accessTechnology", "\"GPON\""),
        ("source.price", "29.5"),
        ("source.vlans", "[10,20,30]"),
        ("has(source.oltPort) ? source.oltPort : 0", "7"),
        ("source[\"access type\"]", "\"fibre\""),
        ("source.speed * 1000", "200000"),
        ("source.price * 2", "59"),
        ("-source.price", "-29.5"),
        ("source.speed / 8.0", "25"),
        ("int(source.price)", "29"),
        (
            "\"olt-\" + source.accessTechnology.lowerAscii()",
            "\"olt-gpon\"",
        ),
        ("\"a b c\".replace(\" \", \"-\")", "\"a-b-c\""),
        ("\"a b c\".replace(\" \", \"-\", 1)", "\"a-b c\""),
        ("\"a,b\".split(\",\")", "[\"a\",\"b\"]"),
        ("\"b,a,b\".split(\",\").sort()", "[\"a\",\"b\",\"b\"]"),
        ("source.vlans.map(v, v + 1)", "[11,21,31]"),
        ("source.vlans.filter(v, v > 10)", "[20,30]"),
        ("source.vlans.map(v, v > 10, string(v))", "[\"20\",\"30\"]"),
        ("source.vlans.map(v, v * 1.5)", "[15,30,45]"),
        (
            "{\"z\": source.speed, \"a\": [null, true]}",
            "{\"a\":[null,true],\"z\":200}",
        ),
        (
            "\"tab\\t\\\"quote\\\" \\u0001\"",
            "\"tab\\t\\\"quote\\\" \\u0001\"",
        ),
        ("item", "{\"id\":\"1\",\"quantity\":2}"),
        (
            "has(source.address) ? source.address.city : \"\"",
            "\"Ghent\"",
        ),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn a_member_taken_over_keeps_its_text() {
    let mut bindings = Bindings::new();
    bindings.bind_object(
        "source",
        [
            ("price", "1.10"),
            (
                "vlans",
                " [ 1 , {\"b\": \"x  y\\\" z\", \"a\": 12345678901234567890} ] ",
            ),
        ],
    );
    let text = |source: &str| {
        Expression::compile(source, &Expected::Any, &scope())
            .unwrap()
            .evaluate(&bindings)
            .unwrap()
    };
    assert_eq!(text("source.price"), "1.10");
    assert_eq!(
        text("source.vlans"),
        "[1,{\"b\":\"x  y\\\" z\",\"a\":12345678901234567890}]"
    );
}

#[test]
fn what_goes_wrong_while_running_is_told_with_what_was_seen() {
    let run = |source: &str, values: &[(&'static str, &'static str)]| {
        let mut bindings = Bindings::new();
        bindings.bind_object("source", values.iter().copied());
        condition(source).holds(&bindings).unwrap_err()
    };
    let fault = run("source.speed / 0 == 1", &[("speed", "1")]);
    assert_eq!(fault.message, "division by zero");
    assert_eq!(
        fault.seen,
        [Seen {
            path: "source.speed".to_owned(),
            value: Some("1".to_owned())
        }]
    );
    assert_eq!(run("source.speed > 1", &[]).message, "`speed` is absent");
    assert_eq!(
        run("source.speed > 1", &[("speed", "\"fast\"")]).message,
        "`>` does not work on string and int"
    );
    assert_eq!(run("item.id == \"1\"", &[]).message, "`item` has no value");
    assert_eq!(
        run("source.speed * 9223372036854775807 > 1", &[("speed", "2")]).message,
        "the number becomes too large"
    );
    assert!(
        run("source.speed > 1", &[("speed", "{]")])
            .message
            .starts_with("`speed`: its value is not JSON: ")
    );
    assert_eq!(
        run("source.vlans[3] == 1", &[("vlans", "[1]")]).message,
        "there is no such place in the list"
    );
    let text = Expression::compile("1.0 / 0.0", &Expected::Any, &scope())
        .unwrap()
        .evaluate(&Bindings::new())
        .unwrap_err();
    assert_eq!(
        text.message,
        "the result holds the number inf, which has no JSON form"
    );
}

fn explain(source: &str) -> (bool, String, Vec<(String, Option<String>)>) {
    let verdict = condition(source).explain(&bindings()).unwrap();
    (
        verdict.holds,
        verdict.conjunct,
        verdict
            .seen
            .into_iter()
            .map(|seen| (seen.path, seen.value))
            .collect(),
    )
}

fn pair(path: &str, value: Option<&str>) -> (String, Option<String>) {
    (path.to_owned(), value.map(str::to_owned))
}

#[test]
fn a_condition_that_is_false_names_the_part_that_is() {
    assert_eq!(
        explain(
            "source.staticIp && (source.speed > 500 || item.quantity > 5) && has(source.servingArea)"
        ),
        (
            false,
            "source.speed > 500 || item.quantity > 5".to_owned(),
            vec![
                pair("source.speed", Some("200")),
                pair("item.quantity", Some("2"))
            ]
        )
    );
    assert_eq!(
        explain("(source.staticIp && (has(source.servingArea))) && source.speed > 1"),
        (
            false,
            "has(source.servingArea)".to_owned(),
            vec![pair("source.servingArea", None)]
        )
    );
    assert_eq!(
        explain("source.staticIp && (source.accessTechnology + \"&&\") in [\"a && b\", \"c\"]").1,
        "(source.accessTechnology + \"&&\") in [\"a && b\", \"c\"]"
    );
    assert_eq!(
        explain("source.staticIp ? false && true : true").1,
        "source.staticIp ? false && true : true"
    );
    assert_eq!(
        explain("true && source.vlans.all(v, v > 10 && v < 100) && true"),
        (
            false,
            "source.vlans.all(v, v > 10 && v < 100)".to_owned(),
            vec![pair("source.vlans", Some("[10,20,30]"))]
        )
    );
    assert_eq!(
        explain("true && !source[\"access type\"].endsWith(\"re\")"),
        (
            false,
            "!source[\"access type\"].endsWith(\"re\")".to_owned(),
            vec![pair("source[\"access type\"]", Some("\"fibre\""))]
        )
    );
}

#[test]
fn a_condition_that_holds_shows_what_it_saw() {
    assert_eq!(
        explain("has(source.address) && source.address.city == \"Ghent\" && source.speed > -1"),
        (
            true,
            String::new(),
            vec![
                pair(
                    "source.address",
                    Some("{\"street\":\"Main St\",\"city\":\"Ghent\"}")
                ),
                pair("source.address.city", Some("\"Ghent\"")),
                pair("source.speed", Some("200")),
            ]
        )
    );
}

#[test]
fn timings_are_printed() {
    let scope = scope();
    let began = std::time::Instant::now();
    for rule in 0..2000 {
        let source = format!("source.accessTechnology == \"GPON{rule}\" && source.speed >= 100");
        Expression::compile(&source, &Expected::Boolean, &scope).unwrap();
    }
    println!("compile: {:?} each", began.elapsed() / 2000);
    let rule = condition("source.accessTechnology == \"GPON\"");
    let bound = bindings();
    let began = std::time::Instant::now();
    for _ in 0..10_000 {
        assert!(rule.holds(&bound).unwrap());
    }
    println!("holds: {:?} each", began.elapsed() / 10_000);
    let began = std::time::Instant::now();
    for _ in 0..10_000 {
        let mut bindings = Bindings::new();
        bindings.bind_object("source", SOURCE);
        assert!(bindings.member("source", "speed").is_some());
    }
    println!("bind: {:?} each", began.elapsed() / 10_000);
}

/// Compiles and, where that works, runs; the result does not matter, that
/// there is one does.
fn survive(source: &str) {
    for expected in [
        Expected::Boolean,
        Expected::Any,
        Expected::Shape(Shape::Integer),
    ] {
        match Expression::compile(source, &expected, &scope()) {
            Ok(expression) => {
                let outcome = expression.evaluate(&bindings());
                if let Ok(text) = &outcome {
                    serde_json::from_str::<serde_json::Value>(text).unwrap();
                }
                let holds = expression.holds(&bindings());
                let explained = expression.explain(&bindings());
                assert_eq!(holds.ok(), explained.ok().map(|verdict| verdict.holds));
            }
            Err(faults) => {
                assert!(!faults.is_empty());
                for fault in faults {
                    assert!(fault.start <= fault.end && fault.end <= source.len());
                    assert!(source.get(fault.start..fault.end).is_some(), "{fault:?}");
                }
            }
        }
    }
}

const WORDS: [&str; 62] = [
    "source",
    "product",
    "item",
    "x",
    ".",
    ".",
    ".",
    "speed",
    "price",
    "vlans",
    "oltPort",
    "address",
    "city",
    "accessTechnology",
    "staticIp",
    "name",
    "&&",
    "||",
    "!",
    "-",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "*",
    "/",
    "%",
    "in",
    "?",
    ":",
    ",",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "1",
    "0",
    "2.5",
    "\"G\"",
    "'GPON'",
    "true",
    "null",
    "has(",
    "source.vlans",
    "has(source.oltPort)",
    ".all(x, ",
    ".map(x, ",
    ".filter(x, ",
    "size(",
    "string(",
    "int(",
    ".contains(",
    ".substring(",
    "b'x'",
    "1u",
    "// c\n",
    "`a b`",
    "source.speed",
    "item.id",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_too_strange(source in "\\PC{0,60}") {
        survive(&source);
    }

    #[test]
    fn no_punctuation_is_too_strange(source in "[-a-c0-9 .,()\\[\\]{}?:!&|=<>+*/%\"'`\\\\rbu\\n\\ré€]{0,40}") {
        survive(&source);
    }

    #[test]
    fn no_sequence_of_words_is_too_strange(
        words in prop::collection::vec(prop::sample::select(&WORDS[..]), 1..14),
        spaced in any::<bool>(),
    ) {
        survive(&words.join(if spaced { " " } else { "" }));
    }

    #[test]
    fn no_value_is_too_strange(text in "[-0-9eE.\"\\\\a\\[\\]{}:, truefalsn]{0,12}") {
        let mut bindings = Bindings::new();
        bindings.bind_object("product", [("p", text.as_str())]);
        for source in ["has(product.p) && product.p == 1", "has(product.p) ? product.p : 0", "product"] {
            let expression = Expression::compile(source, &Expected::Any, &scope()).unwrap();
            if let Ok(result) = expression.evaluate(&bindings) {
                serde_json::from_str::<serde_json::Value>(&result).unwrap();
            }
        }
    }
}

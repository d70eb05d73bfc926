//! `validate --strict` and TM Forum's own schemas agree on which documents to
//! accept: over generated orders and the same with one fault each, over orders
//! for the example catalog and what they are decomposed into, and over all of
//! TM Forum's samples that are of a kind that orderctl knows; but for the
//! deviations that docs/deviations.md lists, all of which occur.
//!
//! The schemas and samples are not part of the repository: where they do not
//! lie beside it, this test says so and checks nothing.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use orderctl::catalog;
use orderctl::coverage::{self, Coverage, Samples, Wanted};
use orderctl::diagnostic::Severity;
use orderctl::document::{Document, DocumentKind, SourceFile};
use orderctl::rehearsal::Rehearsal;
use orderctl::validate::Validation;
use serde_json::{Map, Value, json};

/// Generated orders of each standard, and orders with one fault made from each of them.
const ORDERS: u64 = 120;
const FAULTS: usize = 30;

/// A standard: its number, the file of its schemas, the definition of its order.
const STANDARDS: [(&str, &str, &str); 3] = [
    (
        "TMF622",
        "TMF622-ProductOrder-v4.0.0.swagger.json",
        "ProductOrder",
    ),
    (
        "TMF641",
        "TMF641-ServiceOrdering-v4.1.0.swagger.json",
        "ServiceOrder",
    ),
    (
        "TMF652",
        "open-api-and-data-model/TMF652-ResourceOrder-v4.0.0.swagger.json",
        "ResourceOrder",
    ),
];

/// Standards of which only TM Forum's samples are compared: name, file, definition, and what the
/// names of the samples begin with. Orders that are to be created have a definition of their own in
/// version 5.
const SAMPLED: [(&str, &str, &str, &[&str]); 8] = [
    (
        "TMF622 5",
        "TMF622-ProductOrdering-v5.0.0.oas.yaml",
        "ProductOrder",
        &["TMF622_v5"],
    ),
    (
        "TMF641 5",
        "TMF641-ServiceOrdering-v5.0.0.oas.yaml",
        "ServiceOrder",
        &["TMF641_v5"],
    ),
    (
        "TMF633",
        "TMF633-ServiceCatalog-v4.0.0.swagger.json",
        "ServiceSpecification",
        &["TMF633", "onap"],
    ),
    (
        "TMF634",
        "TMF634-ResourceCatalog-v4.1.0.swagger.json",
        "ResourceSpecification",
        &["TMF634"],
    ),
    (
        "TMF637",
        "TMF637-ProductInventory-v4.0.0.swagger.json",
        "Product",
        &["TMF637"],
    ),
    (
        "TMF638",
        "TMF638-ServiceInventory-v4.0.0.swagger.json",
        "Service",
        &["TMF638"],
    ),
    (
        "TMF639",
        "TMF639-ResourceInventory-v4.0.0.swagger.json",
        "Resource",
        &["TMF639"],
    ),
    (
        "TMF640",
        "TMF640-ServiceActivation-v4.0.0.swagger.json",
        "Service",
        &["TMF640"],
    ),
];

fn tmf() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tmf");
    if folder.join("specs").is_dir() {
        return Some(folder);
    }
    println!("skipped: TM Forum's files are not at {}", folder.display());
    None
}

/// A fault that somebody found: a code of ours or a keyword of the standard's schema, and where.
type Found = (String, String);

/// A row of docs/deviations.md.
struct Deviation {
    standard: String,
    what: String,
    place: String,
    seen: Cell<bool>,
}

/// The two tables of docs/deviations.md: what we refuse, and what we accept, unlike the standard.
fn deviations() -> [Vec<Deviation>; 2] {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deviations.md");
    let page = std::fs::read_to_string(page).expect("a page");
    let (before, after) = page
        .split_once("\n## Accepted")
        .expect("a part on what is accepted");
    [before, after].map(|part| {
        let rows = part.lines().filter(|line| line.starts_with("| `"));
        let read = |row: &str| {
            let cells: Vec<&str> = row
                .trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect();
            assert_eq!(cells.len(), 4, "{row}");
            assert!(cells[3].len() > 20, "a deviation has a reason: {row}");
            Deviation {
                standard: cells[0].to_owned(),
                what: cells[1].to_owned(),
                place: cells[2].to_owned(),
                seen: Cell::new(false),
            }
        };
        rows.map(read).collect()
    })
}

/// Whether a row covers a fault; it has been seen then.
fn is_listed(rows: &[Deviation], standard: &str, (what, pointer): &Found) -> bool {
    let covers = |row: &&Deviation| {
        let standards = row.standard == "all" || row.standard == standard;
        let place = row.place.trim_end_matches('/');
        let pattern: Vec<&str> = place.split('/').skip(1).collect();
        let pointer: Vec<&str> = pointer.split('/').skip(1).collect();
        standards && row.what == *what && matches(&pattern, &pointer)
    };
    let Some(row) = rows.iter().find(covers) else {
        return false;
    };
    row.seen.set(true);
    true
}

/// Whether the segments of a pointer are those of a pattern: `*` is one, `**` any number.
fn matches(pattern: &[&str], pointer: &[&str]) -> bool {
    match (pattern.split_first(), pointer.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            matches(rest, pointer) || !pointer.is_empty() && matches(pattern, &pointer[1..])
        }
        (Some((one, rest)), Some((other, others))) => {
            (*one == "*" || one == other) && matches(rest, others)
        }
        _ => false,
    }
}

/// Both judges of the orders of one standard.
struct Judges {
    name: &'static str,
    order: &'static str,
    definitions: Value,
    official: Validator,
}

impl Judges {
    fn of(tmf: &Path, (name, file, order): (&'static str, &str, &'static str)) -> Judges {
        let definitions = specification(tmf, file);
        let reference = format!("#/definitions/{order}");
        let schema = json!({ "allOf": [{ "$ref": reference }], "definitions": definitions });
        let official = jsonschema::options()
            .with_draft(Draft::Draft4)
            .should_validate_formats(true)
            .build(&schema)
            .expect("a schema");
        Judges {
            name,
            order,
            definitions,
            official,
        }
    }

    fn official_faults(&self, order: &Value) -> Vec<Found> {
        let what = |fault: &ValidationError<'_>| match fault.kind() {
            ValidationErrorKind::Required { property } => {
                format!("required {}", property.as_str().unwrap_or_default())
            }
            ValidationErrorKind::Type { .. } => "type".to_owned(),
            ValidationErrorKind::Enum { .. } => "enum".to_owned(),
            ValidationErrorKind::Format { format } => format!("format {format}"),
            ValidationErrorKind::MinItems { .. } => "minItems".to_owned(),
            ValidationErrorKind::OneOfMultipleValid { .. }
            | ValidationErrorKind::OneOfNotValid { .. } => "oneOf".to_owned(),
            other => format!("{other:?}"),
        };
        self.official
            .iter_errors(order)
            .map(|fault| (what(&fault), fault.instance_path().to_string()))
            .collect()
    }

    /// Compares the judgements; says what is listed nowhere.
    fn compare(&self, order: &Value, [refused, accepted]: &[Vec<Deviation>; 2]) -> Option<String> {
        let official = self.official_faults(order);
        let ours = our_faults(order);
        let rows = match (official.is_empty(), ours.is_empty()) {
            (true, false) => refused,
            (false, true) => accepted,
            _ => return None,
        };
        let unlisted: Vec<&Found> = official
            .iter()
            .chain(&ours)
            .filter(|found| !is_listed(rows, self.name, found))
            .collect();
        (!unlisted.is_empty()).then(|| {
            let judge = if ours.is_empty() {
                "TM Forum"
            } else {
                "orderctl"
            };
            format!("{}: only {judge} refuses: {unlisted:?}: {order}", self.name)
        })
    }
}

/// The definitions of a standard: those of version 5 are YAML, and stand elsewhere.
fn specification(tmf: &Path, file: &str) -> Value {
    let bytes = std::fs::read(tmf.join("specs").join(file)).expect("a specification");
    if Path::new(file).extension().is_some_and(|it| it == "json") {
        let swagger: Value = serde_json::from_slice(&bytes).expect("swagger files are JSON");
        return swagger["definitions"].clone();
    }
    let file = SourceFile {
        name: file.to_owned(),
        yaml: true,
        bytes,
    };
    let documents = file.documents().expect("YAML");
    let text = documents[0]
        .text()
        .replace("#/components/schemas/", "#/definitions/");
    let specification: Value = serde_json::from_str(&text).expect("JSON");
    specification["components"]["schemas"].clone()
}

fn our_faults(order: &Value) -> Vec<Found> {
    let document = Document::parse(order.to_string(), "order").expect("JSON");
    let strict = Validation {
        strict: true,
        ..Validation::default()
    };
    let checked = strict.inspect(&document);
    let errors = checked
        .diagnostics
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    errors
        .map(|finding| (finding.code.to_string(), finding.location.pointer.clone()))
        .collect()
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).expect("small")
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Makes orders that both judges accept.
struct Generator<'j> {
    definitions: &'j Value,
    random: Random,
    /// For ids and names that have to differ.
    count: usize,
}

/// Members that make an order sound; always given.
const WANTED: [&str; 4] = [
    "productOffering",
    "serviceSpecification",
    "resourceSpecification",
    "@type",
];

/// Dates that must not contradict each other, in their sequence.
const DATES: [&str; 6] = [
    "orderDate",
    "requestedStartDate",
    "startDate",
    "requestedCompletionDate",
    "expectedCompletionDate",
    "completionDate",
];

/// Items are set anew once the rest of the order is there.
const ITEMS: [&str; 3] = ["productOrderItem", "serviceOrderItem", "orderItem"];

impl Generator<'_> {
    fn order(&mut self, definition: &str) -> Value {
        let mut order = self.object(definition, 0);
        order["@type"] = definition.into();
        let list = ITEMS
            .into_iter()
            .find(|list| self.member(definition, list).is_some())
            .expect("an order has items");
        let item = reference(&self.definitions[definition]["properties"][list]["items"]);
        let item = item.expect("items are defined").to_owned();
        let items: Vec<Value> = (0..=self.random.below(2))
            .map(|number| {
                let mut made = self.object(&item, 1);
                made["id"] = (number + 1).to_string().into();
                made["action"] = "add".into();
                made
            })
            .collect();
        order[list] = items.into();
        let relationship = match list {
            "productOrderItem" => json!([{ "id": "1", "relationshipType": "reliesOn" }]),
            // Both standards demand an `id` that they do not describe.
            _ => {
                json!([{ "relationshipType": "dependency", "orderItem": { "id": "1", "itemId": "1" } }])
            }
        };
        if let Some(second) = order[list].get_mut(1) {
            second[format!("{list}Relationship")] = relationship;
        }
        order
    }

    fn member(&self, definition: &str, name: &str) -> Option<&Value> {
        self.definitions[definition]["properties"].get(name)
    }

    fn object(&mut self, definition: &str, depth: usize) -> Value {
        let schema = self.definitions[definition].clone();
        let required: Vec<&str> = schema["required"].as_array().map_or(Vec::new(), |list| {
            list.iter().filter_map(Value::as_str).collect()
        });
        let mut object = Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let is_item = ITEMS.contains(&name.as_str()) || name.ends_with("ItemRelationship");
            let wanted = WANTED.contains(&name.as_str()) && (depth < 3 || name == "@type");
            let given = required.contains(&name.as_str()) || wanted;
            let chance = [60, 45, 30, 15].get(depth).copied().unwrap_or(0);
            if is_item || !given && self.random.below(100) >= chance {
                continue;
            }
            object.insert(name.clone(), self.value(name, member, depth + 1));
        }
        Value::Object(object)
    }

    fn value(&mut self, name: &str, schema: &Value, depth: usize) -> Value {
        if let Some(definition) = reference(schema) {
            return match &self.definitions[definition]["enum"] {
                Value::Array(values) => {
                    let number = self.random.below(values.len());
                    values[number].clone()
                }
                _ if definition == "Any" => {
                    let values = [json!("any"), json!(7), json!(true), json!({ "own": 1 })];
                    self.random.pick(&values).clone()
                }
                _ => self.object(definition, depth),
            };
        }
        self.count += 1;
        let count = self.count;
        match schema["type"].as_str().unwrap_or_default() {
            "array" => {
                let least = usize::from(schema["minItems"].is_number());
                let number = least + self.random.below(2);
                (0..number)
                    .map(|_| self.value(name, &schema["items"], depth))
                    .collect()
            }
            "boolean" => count.is_multiple_of(2).into(),
            "integer" => (1 + count % 4).into(),
            "number" => json!(1.5),
            "object" => json!({}),
            _ => match schema["format"].as_str() {
                Some("date-time") => {
                    let month = DATES.iter().position(|date| *date == name).unwrap_or(0) + 1;
                    format!("2026-{month:02}-01T08:00:00Z").into()
                }
                Some("uri") => format!("https://example.com/{count}").into(),
                _ => format!("text {count}").into(),
            },
        }
    }
}

/// Name of the definition that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// A member of an order: pointer to the object that it is in, name, and schema.
type Site = (String, String, Value);

fn sites(definitions: &Value, definition: &str, value: &Value, at: &str, found: &mut Vec<Site>) {
    let definition = &definitions[definition];
    // Some definitions demand members that they do not describe.
    let demanded = definition["required"].as_array().into_iter().flatten();
    let undescribed = demanded
        .filter_map(Value::as_str)
        .filter(|name| definition["properties"].get(name).is_none());
    let undescribed = undescribed.map(|name| (name.to_owned(), Value::Null));
    let members = definition["properties"].as_object().into_iter().flatten();
    let members = members.map(|(name, schema)| (name.clone(), schema.clone()));
    for (name, schema) in members.chain(undescribed) {
        let Some(inside) = value.get(&name) else {
            continue;
        };
        found.push((at.to_owned(), name.clone(), schema.clone()));
        let pointer = format!("{at}/{name}");
        if let Some(definition) = reference(&schema) {
            sites(definitions, definition, inside, &pointer, found);
        } else if let Some(definition) = reference(&schema["items"]) {
            for (number, element) in inside.as_array().into_iter().flatten().enumerate() {
                sites(
                    definitions,
                    definition,
                    element,
                    &format!("{pointer}/{number}"),
                    found,
                );
            }
        }
    }
}

/// The order with one fault, or something that is none but looks like one.
fn with_a_fault(order: &Value, (at, name, schema): &Site, random: &mut Random) -> Value {
    let mut order = order.clone();
    let object = order
        .pointer_mut(at)
        .and_then(Value::as_object_mut)
        .expect("an object");
    let old = object[name].clone();
    let new = match random.below(9) {
        0 => {
            object.remove(name);
            return order;
        }
        1 => {
            object.insert(format!("x-{name}-of-our-own"), json!({ "value": 1 }));
            return order;
        }
        2 => {
            object.remove(name);
            object.insert(format!("{name}{}", &name[name.len() - 1..]), old);
            return order;
        }
        3 => Value::Null,
        4 => json!(""),
        5 => match &old {
            Value::String(_) => json!(5),
            Value::Number(_) => json!("many"),
            Value::Array(_) => json!({}),
            _ => json!([1]),
        },
        6 => match &old {
            Value::Array(list) => [list.as_slice(), list.as_slice()].concat().into(),
            Value::String(text) => json!(text.to_uppercase()),
            _ => json!("text"),
        },
        7 => match schema["format"].as_str() {
            Some("date-time") => json!(random.pick(&["2026-01-01", "tomorrow"])),
            Some("uri") => json!("no uri"),
            _ => json!("nonsense"),
        },
        _ => match &old {
            Value::Array(_) => json!([]),
            Value::Number(_) => json!(0.5),
            _ => json!({}),
        },
    };
    object.insert(name.clone(), new);
    order
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The documents among TM Forum's samples, in the folders whose names begin like this.
fn documents(tmf: &Path, folder: &str) -> Vec<(PathBuf, Value)> {
    let samples = tmf.join("samples");
    let mut found = Vec::new();
    for path in files(&samples) {
        let name = path.strip_prefix(&samples).expect("a sample");
        if !name.to_string_lossy().starts_with(folder) {
            continue;
        }
        let text = std::fs::read(&path).expect("a sample");
        // Two of them end in the middle of a document.
        let values = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
        for value in values.filter_map(Result::ok) {
            let list = value.as_array().cloned().unwrap_or_else(|| vec![value]);
            let objects = list.into_iter().filter(Value::is_object);
            found.extend(objects.map(|it| (name.to_owned(), it)));
        }
    }
    found
}

/// The orders of version 4 (and 3) among TM Forum's samples, with the name of their definition.
fn samples(tmf: &Path) -> Vec<(&'static str, Value)> {
    let mut orders = Vec::new();
    for (path, order) in documents(tmf, "") {
        if path.to_string_lossy().contains("_v5") {
            continue;
        }
        let document = Document::parse(order.to_string(), "sample").expect("JSON");
        let kind = DocumentKind::of(&document).name();
        if let Some((_, _, name)) = STANDARDS.iter().find(|(_, _, name)| *name == kind) {
            orders.push((*name, order));
        }
    }
    orders
}

#[test]
fn strict_and_the_standards_agree_but_for_the_listed_deviations() {
    let Some(tmf) = tmf() else { return };
    let listed = deviations();
    let samples = samples(&tmf);
    assert!(samples.len() >= 10, "{}", samples.len());
    let mut unlisted = Vec::new();
    let (mut valid, mut refused) = (0, 0);
    for standard in STANDARDS {
        let judges = Judges::of(&tmf, standard);
        for seed in 0..ORDERS {
            let mut generator = Generator {
                definitions: &judges.definitions,
                random: Random(seed),
                count: 0,
            };
            let order = generator.order(judges.order);
            let official = judges.official_faults(&order);
            let ours = our_faults(&order);
            assert!(
                official.is_empty() && ours.is_empty(),
                "{official:?} {ours:?} {order}"
            );
            valid += 1;
            let mut found = Vec::new();
            sites(&judges.definitions, judges.order, &order, "", &mut found);
            for _ in 0..FAULTS {
                let site = generator.random.pick(&found).clone();
                let order = with_a_fault(&order, &site, &mut generator.random);
                refused += usize::from(!judges.official_faults(&order).is_empty());
                unlisted.extend(judges.compare(&order, &listed));
            }
        }
        for (_, order) in samples.iter().filter(|(name, _)| *name == judges.order) {
            unlisted.extend(judges.compare(order, &listed));
        }
    }
    assert_eq!(valid, 3 * ORDERS);
    assert!(refused > 3_000, "{refused} orders with a fault");
    let shown: Vec<&String> = unlisted.iter().take(20).collect();
    assert!(
        unlisted.is_empty(),
        "{} disagreements: {shown:#?}",
        unlisted.len()
    );
    let compared = other_samples(&tmf, &listed, &mut unlisted);
    assert!(compared >= 40, "{compared} samples");
    let shown: Vec<&String> = unlisted.iter().take(20).collect();
    assert!(
        unlisted.is_empty(),
        "{} disagreements: {shown:#?}",
        unlisted.len()
    );
    for row in listed.iter().flatten() {
        let Deviation {
            standard,
            what,
            place,
            seen,
        } = row;
        assert!(seen.get(), "no longer seen: {standard} {what} {place}");
    }
}

/// Compares the judgements of the samples of [`SAMPLED`]; how many there are.
fn other_samples(tmf: &Path, listed: &[Vec<Deviation>; 2], unlisted: &mut Vec<String>) -> usize {
    let mut compared = 0;
    for (name, file, definition, folders) in SAMPLED {
        let judges = Judges::of(tmf, (name, file, definition));
        let created = format!("{definition}_FVO");
        let created = judges.definitions.get(&created).is_some().then(|| {
            // The judges live as long as the test.
            let definition: &'static str = Box::leak(created.into_boxed_str());
            Judges::of(tmf, (name, file, definition))
        });
        for folder in folders {
            for (path, document) in documents(tmf, folder) {
                let text = Document::parse(document.to_string(), "sample").expect("JSON");
                if DocumentKind::of(&text).name() != definition {
                    continue;
                }
                let request = path.to_string_lossy().ends_with("_request.json");
                let judges = created.as_ref().filter(|_| request).unwrap_or(&judges);
                compared += 1;
                unlisted.extend(judges.compare(&document, listed));
            }
        }
    }
    compared
}

/// The example catalog's orders, and what they are decomposed into: what orderctl itself writes is
/// accepted, and refused with one fault, by both judges.
#[test]
fn orders_of_the_example_catalog_and_what_is_made_of_them_are_judged_alike() {
    let Some(tmf) = tmf() else { return };
    let listed = deviations();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = catalog::read_folder(&folder.join("catalog")).expect("a folder");
    let catalog = catalog::load(&files).expect("a catalog").catalog;
    let catalog = catalog.expect("a sound catalog");
    let mut samples = Samples::default();
    for path in files_of_orders(&folder.join("catalog-tests")) {
        let bytes = std::fs::read(&path).expect("a file");
        let file = SourceFile {
            name: path.display().to_string(),
            yaml: false,
            bytes,
        };
        for order in file.json_documents().expect("documents") {
            samples.learn(&catalog, &order);
        }
    }
    let mut coverage = Coverage::new(&catalog);
    let valid = coverage::generate(&mut coverage, &samples, Wanted::default());
    let faulty = coverage::faulty(&catalog, &valid, 7, None);
    assert!(valid.len() > 20 && faulty.len() > 30);
    let judges = STANDARDS.map(|standard| Judges::of(&tmf, standard));
    let value = |document: &Document| -> Value {
        serde_json::from_str(document.text()).expect("documents are JSON")
    };
    let of = |document: &Document| {
        let kind = DocumentKind::of(document).name();
        judges.iter().find(|it| it.order == kind).expect("an order")
    };
    let (mut unlisted, mut refused) = (Vec::new(), 0);
    let mut random = Random(11);
    for generated in &valid {
        let rehearsal = Rehearsal {
            catalog: &catalog,
            inventory: None,
            now: None,
            explain: false,
        };
        let rehearsed = rehearsal.rehearse(&generated.order);
        for document in std::iter::once(&generated.order).chain(&rehearsed.derived) {
            let (judges, order) = (of(document), value(document));
            let official = judges.official_faults(&order);
            let ours = our_faults(&order);
            assert!(ours.is_empty(), "{}: {ours:?}", generated.id);
            if !official.is_empty() {
                unlisted.extend(judges.compare(&order, &listed));
            }
            let mut found = Vec::new();
            sites(&judges.definitions, judges.order, &order, "", &mut found);
            for _ in 0..FAULTS {
                let site = random.pick(&found).clone();
                let order = with_a_fault(&order, &site, &mut random);
                refused += usize::from(!judges.official_faults(&order).is_empty());
                unlisted.extend(judges.compare(&order, &listed));
            }
        }
    }
    for it in &faulty {
        unlisted.extend(of(&it.order).compare(&value(&it.order), &listed));
    }
    assert!(refused > 200, "{refused} orders with a fault");
    let shown: Vec<&String> = unlisted.iter().take(20).collect();
    assert!(
        unlisted.is_empty(),
        "{} disagreements: {shown:#?}",
        unlisted.len()
    );
}

fn files_of_orders(folder: &Path) -> Vec<PathBuf> {
    let mut files = files(folder);
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".json") && !name.ends_with(".expected.json")
    });
    files
}

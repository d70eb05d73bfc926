//! A place in a document in the words of catalogs.

use crate::document::DocumentKind;

/// A step on the way to a place in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A member of an object.
    Member(String),
    /// An element of a list, by what names it.
    Element(String),
}

/// Lists of characteristic specifications.
pub const CHARACTERISTICS: [&str; 5] = [
    "productSpecCharacteristic",
    "productSpecificationCharacteristic",
    "specCharacteristic",
    "serviceSpecCharacteristic",
    "resourceSpecCharacteristic",
];

/// Lists of the values of a characteristic.
pub const VALUES: [&str; 4] = [
    "productSpecCharacteristicValue",
    "characteristicValueSpecification",
    "resourceSpecCharacteristicValue",
    "serviceSpecCharacteristicValue",
];

/// A path, as in ``characteristic `speed`: value 100: isDefault``.
pub fn told(kind: DocumentKind, path: &[Segment]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut position = 0;
    while position < path.len() {
        let next = match path.get(position + 1) {
            Some(Segment::Element(key)) => Some(key),
            _ => None,
        };
        match (&path[position], next) {
            (Segment::Member(list), Some(key)) => {
                parts.push(element(kind, list, key));
                position += 1;
            }
            (Segment::Member(name), None) => parts.push(name.clone()),
            (Segment::Element(key), _) => parts.push(key.clone()),
        }
        position += 1;
    }
    parts.join(": ")
}

fn element(kind: DocumentKind, list: &str, key: &str) -> String {
    if CHARACTERISTICS.contains(&list) {
        return format!("characteristic `{key}`");
    }
    if VALUES.contains(&list) {
        return match key {
            "range" => "range".to_owned(),
            key => format!("value {key}"),
        };
    }
    match list {
        "prodSpecCharValueUse" => format!("narrowing of `{key}`"),
        "serviceSpecification" | "serviceSpecRelationship" => {
            format!("service specification {key}")
        }
        "resourceSpecification" => format!("resource specification {key}"),
        "bundledProductOffering" => format!("bundled offering {key}"),
        "mapping" => format!("mapping to `{key}`"),
        "dependsOn" => format!("dependency on {key}"),
        "forEach" => format!("loop over `{key}`"),
        "overrides" => format!("overriding of {key}"),
        "after" if kind == DocumentKind::GateRule => format!("comes after {key}"),
        "holds" => format!("holding of {key}"),
        other => format!("{other} {key}"),
    }
}

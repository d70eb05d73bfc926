//! Orders with one fault, made of valid ones.

use jiff::Timestamp;

use super::generate::Generated;
use super::random::Random;
use crate::catalog::{Catalog, CharacteristicSpecification, Specification, ValueType};
use crate::diagnostic::Severity;
use crate::document::{Document, quote};
use crate::rehearsal::Rehearsal;

/// An order with one fault.
#[derive(Debug, Clone)]
pub struct Faulty {
    /// Its id; fit for the name of a file.
    pub id: String,
    /// The code that it is refused with.
    pub code: &'static str,
    /// The order.
    pub order: Document,
}

/// What can be done to an order.
#[derive(Clone, Copy)]
enum Fault {
    UnknownOffering,
    UnknownAction,
    NoItem,
    UnknownCharacteristic,
    Missing,
    Value,
    Type,
}

const FAULTS: [Fault; 7] = [
    Fault::UnknownOffering,
    Fault::UnknownAction,
    Fault::NoItem,
    Fault::UnknownCharacteristic,
    Fault::Missing,
    Fault::Value,
    Fault::Type,
];

/// For each product each fault once, in one of its characteristics that is drawn by the seed; each
/// is refused with one error.
pub fn faulty(
    catalog: &Catalog,
    valid: &[Generated],
    seed: u64,
    now: Option<Timestamp>,
) -> Vec<Faulty> {
    let mut random = Random::new(seed);
    let rehearsal = Rehearsal {
        catalog,
        inventory: None,
        now,
        explain: false,
    };
    let mut products: Vec<&str> = Vec::new();
    let mut found: Vec<Faulty> = Vec::new();
    for generated in valid {
        let Some(product) = generated.product.as_deref() else {
            continue;
        };
        let Some(specification) = catalog.product(product).map(|it| &it.specification) else {
            continue;
        };
        if products.contains(&product) {
            continue;
        }
        products.push(product);
        for fault in FAULTS {
            let mut tries: Vec<Document> = made(&generated.order, specification, fault);
            while !tries.is_empty() {
                let order = tries.swap_remove(random.below(tries.len()));
                let rehearsed = rehearsal.rehearse(&order);
                let mut errors = rehearsed
                    .findings
                    .iter()
                    .filter(|it| it.severity == Severity::Error);
                let (Some(error), None) = (errors.next(), errors.next()) else {
                    continue;
                };
                let id = format!("{product}-{}", error.code.0.replace('/', "-"));
                if found.iter().any(|it| it.id == id) {
                    continue;
                }
                let code = error.code.0;
                let text = order.text().replacen(&quote(&generated.id), &quote(&id), 1);
                if let Ok(order) = Document::parse(text, &id) {
                    found.push(Faulty { id, code, order });
                }
                break;
            }
        }
    }
    found
}

/// The orders with a fault, one for each place that it may be at.
fn made(order: &Document, product: &Specification, fault: Fault) -> Vec<Document> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(order.text()) else {
        return Vec::new();
    };
    let mut made = Vec::new();
    let mut add = |change: &dyn Fn(&mut serde_json::Value) -> Option<()>| {
        let mut changed = value.clone();
        if change(&mut changed).is_some() {
            made.extend(Document::parse(changed.to_string(), "generated").ok());
        }
    };
    let set = |order: &mut serde_json::Value, pointer: &str, value: serde_json::Value| {
        *order.pointer_mut(pointer)? = value;
        Some(())
    };
    match fault {
        Fault::UnknownOffering => add(&|it| {
            let offering = "/productOrderItem/0/productOffering/id";
            set(it, offering, "no-such-offering".into())
        }),
        Fault::UnknownAction => add(&|it| set(it, "/productOrderItem/0/action", "order".into())),
        Fault::NoItem => add(&|it| {
            set(
                it,
                "/productOrderItem",
                serde_json::Value::Array(Vec::new()),
            )
        }),
        Fault::UnknownCharacteristic => add(&|it| {
            let list = it.pointer_mut("/productOrderItem/0/product/productCharacteristic")?;
            let unknown = serde_json::json!({"name": "noSuchCharacteristic", "value": 1});
            list.as_array_mut()?.push(unknown);
            Some(())
        }),
        Fault::Missing | Fault::Value | Fault::Type => {
            for characteristic in &product.characteristics {
                add(&|it| in_characteristic(it, characteristic, fault));
            }
        }
    }
    made
}

/// A fault in a characteristic, if the order gives it.
fn in_characteristic(
    order: &mut serde_json::Value,
    characteristic: &CharacteristicSpecification,
    fault: Fault,
) -> Option<()> {
    let list = order.pointer_mut("/productOrderItem/0/product/productCharacteristic")?;
    let list = list.as_array_mut()?;
    let position = list
        .iter()
        .position(|it| it["name"] == characteristic.name.as_str())?;
    let value = match (fault, characteristic.value_type) {
        (Fault::Missing, _) => {
            list.remove(position);
            return characteristic.has_to_be_given().then_some(());
        }
        (Fault::Type, ValueType::String) => serde_json::json!(7),
        (Fault::Type, ValueType::Any) => return None,
        (Fault::Type, _) => serde_json::json!("seven"),
        (_, ValueType::String) => serde_json::json!("no such value"),
        (_, ValueType::Integer | ValueType::Number) => serde_json::json!(987_654_321),
        (_, ValueType::Boolean | ValueType::Object | ValueType::Any) => return None,
    };
    list[position]["value"] = value;
    Some(())
}

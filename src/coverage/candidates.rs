//! For an offering, the values that its characteristics may be ordered with.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::points;
use super::samples::Sample;
use crate::catalog::expression::Expression;
use crate::catalog::{
    Catalog, CharacteristicSpecification, Decomposition, Loop, Offering, Over, Specification,
    ValueType,
};

/// A characteristic and the values that it may be ordered with, as JSON texts; `None` leaves it out.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub values: Vec<Option<String>>,
}

/// The parameters of an offering of a product.
pub fn parameters(
    catalog: &Catalog,
    (offering, product): (&Offering, &Specification),
    sample: &Sample,
) -> Vec<Parameter> {
    let literals = literals(catalog, &product.id);
    let parameters = product.characteristics.iter().map(|characteristic| {
        let name = &characteristic.name;
        let narrowed = offering.narrows(name);
        let mut values: Vec<String> = points::values(characteristic, narrowed)
            .into_iter()
            .flatten()
            .collect();
        if !characteristic.is_enumerated() {
            let compared = literals.iter().filter(|(known, _)| known == name);
            for (_, literal) in compared {
                values.extend(around(literal));
            }
        }
        if characteristic.is_list() {
            values = values.iter().map(|it| format!("[{it}]")).collect();
        }
        let known = sample.values.get(name).map_or(&[][..], Vec::as_slice);
        values.extend(known.iter().cloned());
        values.extend(varied(known, &members(catalog, (product, name))));
        if values.is_empty() {
            values.push(invented(characteristic));
        }
        let mut known = HashSet::new();
        values.retain(|value| {
            known.insert(value.clone())
                && characteristic.takes(value).is_ok()
                && narrowed.is_none_or(|it| it.takes(value).is_ok())
        });
        let mut values: Vec<Option<String>> = values.into_iter().map(Some).collect();
        if characteristic.minimum == 0 || characteristic.default.is_some() {
            values.push(None);
        }
        Parameter {
            name: name.clone(),
            values,
        }
    });
    parameters.filter(|it| !it.values.is_empty()).collect()
}

/// The members of the elements of a list that become characteristics of services which list their
/// values: each with such a value.
fn members(
    catalog: &Catalog,
    (product, list): (&Specification, &str),
) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let steps = catalog.product(&product.id).into_iter();
    for step in steps.flat_map(|it| &it.decompositions) {
        let over = |it: &Loop| match &it.over {
            Over::List(over) => over.is_path() && over.paths() == [["source", list]],
            Over::Count(_) => false,
        };
        let Some(variable) = step.loops.iter().find(|it| over(it)).map(|it| &it.variable) else {
            continue;
        };
        let target = &catalog.service_at(step.target).specification;
        for mapping in step.mappings() {
            let path = mapping.expression().filter(|it| it.is_path());
            let path = path.map(Expression::paths).unwrap_or_default();
            let known = target.characteristic(&mapping.target);
            if let ([path], Some(known)) = (path.as_slice(), known)
                && let [first, member] = path.as_slice()
                && first == variable
            {
                let values = known.allowed_values();
                found.extend(values.map(|it| (member.clone(), it.to_owned())));
            }
        }
    }
    found
}

/// Lists as they were ordered before, in the first element of which one member is another one.
fn varied(known: &[String], members: &BTreeSet<(String, String)>) -> Vec<String> {
    let Some(Value::Array(list)) = known.first().and_then(|it| serde_json::from_str(it).ok())
    else {
        return Vec::new();
    };
    let varied = members.iter().filter_map(|(member, value)| {
        let mut list = list.clone();
        let place = list.first_mut()?.get_mut(member)?;
        *place = serde_json::from_str(value).ok()?;
        Some(Value::Array(list).to_string())
    });
    varied.collect()
}

/// A value where nothing is known.
fn invented(characteristic: &CharacteristicSpecification) -> String {
    let one = match characteristic.value_type {
        ValueType::String | ValueType::Any => "\"sample\"",
        ValueType::Integer | ValueType::Number => "1",
        ValueType::Boolean => "true",
        ValueType::Object => "{}",
    };
    if characteristic.is_list() {
        format!("[{one}]")
    } else {
        one.to_owned()
    }
}

/// A literal, and what lies beside it.
fn around(literal: &str) -> Vec<String> {
    match literal.parse::<f64>() {
        Ok(number) => [number - 1.0, number, number + 1.0]
            .map(|it| it.to_string())
            .to_vec(),
        Err(_) => vec![literal.to_owned()],
    }
}

/// What the rules of a product compare its characteristics with: those of the product itself, and
/// those that services have by the same name.
fn literals(catalog: &Catalog, product: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let Some(product) = catalog.product(product) else {
        return found;
    };
    let mut seen = HashSet::new();
    let mut open: Vec<&Decomposition> = product.decompositions.iter().collect();
    while let Some(decomposition) = open.pop() {
        for usage in decomposition.expressions().flat_map(Expression::usages) {
            if let [variable, name] = usage.path.as_slice()
                && (variable == "source" || variable == "product")
            {
                let literals = usage.literals.into_iter();
                found.extend(literals.map(|it| (name.clone(), it)));
            }
        }
        if seen.insert(decomposition.target) {
            open.extend(&catalog.service_at(decomposition.target).decompositions);
        }
    }
    for gate in catalog.gate_rules() {
        for usage in gate.condition.iter().flat_map(Expression::usages) {
            if let [variable, name] = usage.path.as_slice()
                && (variable == "source" || variable == "product")
            {
                let literals = usage.literals.into_iter();
                found.extend(literals.map(|it| (name.clone(), it)));
            }
        }
    }
    found
}

//! A value that a rule gives and its target does not take.

use super::super::survey::Step;
use super::super::{Found, Rule, Subject};
use crate::catalog::expression::{Expression, Usage};
use crate::catalog::space::{Domain, Space};
use crate::catalog::{
    Alternative, CharacteristicSpecification, MappingSource, Misfit, Specification, ValueType,
};
use crate::diagnostic::Location;

pub const RULE: Rule = Rule {
    code: "lint/mapping-range",
    why: "The order is valid, and what is made of it is not: some value that the source allows is none that \
          the target takes, or cannot be computed with. A computed value stops the order when it is decomposed; a copied one reaches \
          the network.",
    example: r#"
- {"@type": CustomerFacingServiceSpecification, id: CFS-LINE, specCharacteristic: [
    {name: speed, valueType: integer, minCardinality: 1,
     characteristicValueSpecification: [{value: 100}, {value: 1000}]}]}
- {"@type": ResourceFacingServiceSpecification, id: RFS-PORT, resourceSpecification: [{id: RS-PORT}],
   specCharacteristic: [
    {name: speed, valueType: integer, minCardinality: 1,
     characteristicValueSpecification: [{value: 100}, {value: 500}]}]}        # not 1000
"#,
    mended: r"
     characteristicValueSpecification: [{value: 100}, {value: 500}, {value: 1000}]}]}
",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found) {
    let catalog = subject.catalog;
    for step in &subject.survey.steps {
        let target = &catalog.service_at(step.decomposition.target).specification;
        for alternative in step.alternatives() {
            for characteristic in &target.characteristics {
                let name = &characteristic.name;
                let mut mapping = alternative.mapping.iter();
                match mapping.find(|it| it.target == *name).map(|it| &it.source) {
                    Some(MappingSource::Expression(expression)) => {
                        computed(
                            step,
                            (alternative, expression),
                            (target, characteristic),
                            found,
                        );
                    }
                    // A value was checked when the catalog was loaded.
                    Some(MappingSource::Value(_)) => {}
                    None => copied(
                        (step.source, target),
                        name,
                        (Some((step, alternative)), &alternative.location),
                        found,
                    ),
                }
            }
        }
    }
    for index in &subject.survey.services {
        let service = &catalog.services()[*index];
        for resource in &service.resources {
            let resource = &catalog.resource_at(*resource).specification;
            for characteristic in &resource.characteristics {
                let pair = (&service.specification, resource);
                copied(
                    pair,
                    &characteristic.name,
                    (None, &resource.location),
                    found,
                );
            }
        }
    }
}

/// Whether it takes only some of the values of its type.
fn is_narrow(characteristic: &CharacteristicSpecification) -> bool {
    characteristic.is_enumerated()
        || characteristic.bounds().next().is_some()
        || characteristic.has_pattern()
        || characteristic.value_type == ValueType::Boolean
}

fn computed(
    step: &Step<'_>,
    (alternative, expression): (&Alternative, &Expression),
    (target, characteristic): (&Specification, &CharacteristicSpecification),
    found: &mut Found,
) {
    // What only compares cannot fail; what computes with a value may.
    let may_fail = expression.usages().iter().any(|it| !it.is_plain);
    if !is_narrow(characteristic) && !may_fail {
        return;
    }
    let condition = alternative.condition.as_ref();
    let space = Space::of(condition.into_iter().chain([expression]), &|usage| {
        step.view.domain(usage)
    });
    let Some(space) = space.filter(Space::is_exact) else {
        return;
    };
    let mut said = None;
    space.any(&mut |bindings| {
        if condition.is_some_and(|it| it.holds(bindings) != Ok(true)) {
            return false;
        }
        let given = || match space.told(bindings) {
            nothing if nothing.is_empty() => nothing,
            given => format!(" where {given}"),
        };
        let value = match expression.evaluate(bindings) {
            Ok(value) => value,
            Err(fault) => {
                let name = &characteristic.name;
                let id = &target.id;
                said = Some(format!(
                    "`{name}` of `{id}` cannot be computed{}: {fault}",
                    given()
                ));
                return true;
            }
        };
        let misfit = (value != "null")
            .then(|| characteristic.takes(&value).err())
            .flatten();
        said = misfit.map(|misfit| {
            format!(
                "`{}` of `{}` would be {value}{}; {misfit}",
                characteristic.name,
                target.id,
                given()
            )
        });
        said.is_some()
    });
    if let Some(message) = said {
        found.add(RULE.code, alternative.location.clone(), message);
    }
}

fn copied(
    (source, target): (&Specification, &Specification),
    name: &str,
    (way, place): (Option<(&Step<'_>, &Alternative)>, &Location),
    found: &mut Found,
) {
    let (Some(from), Some(to)) = (source.characteristic(name), target.characteristic(name)) else {
        return;
    };
    let message = if from.is_list() && !to.is_list() {
        Some(format!(
            "`{name}` is a list in `{}`, and one value in `{}`",
            source.id, target.id
        ))
    } else if is_narrow(to) && !from.is_list() {
        refused(from, to, way).map(|(value, misfit)| {
            format!(
                "`{name}` of `{}` may be {value}, which `{}` does not take; {misfit}",
                source.id, target.id
            )
        })
    } else {
        None
    };
    if let Some(message) = message {
        found.add(RULE.code, place.clone(), message).related = Some(source.location.clone());
    }
}

/// A value that the one allows, where the way can be taken, and the other does not take.
fn refused(
    from: &CharacteristicSpecification,
    to: &CharacteristicSpecification,
    way: Option<(&Step<'_>, &Alternative)>,
) -> Option<(String, Misfit)> {
    let path = vec!["source".to_owned(), from.name.clone()];
    let usage = Usage {
        path: path.clone(),
        literals: Vec::new(),
        is_plain: true,
    };
    let condition = way.and_then(|(_, alternative)| alternative.condition.as_ref());
    let usages = condition
        .into_iter()
        .flat_map(Expression::usages)
        .chain([usage]);
    let space = Space::over(usages, &|usage| match way {
        _ if usage.path == path => Domain::of(from, usage),
        Some((step, _)) => step.view.domain(usage),
        None => None,
    });
    let space = space.filter(Space::is_exact)?;
    let mut refused = None;
    space.any(&mut |bindings| {
        if condition.is_some_and(|it| it.holds(bindings) != Ok(true)) {
            return false;
        }
        let value = bindings.text_of("source", Some(&from.name));
        refused = value.and_then(|value| Some((value.to_owned(), to.takes(value).err()?)));
        refused.is_some()
    });
    refused
}

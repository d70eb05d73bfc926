//! Finitely many values that stand for all that an expression may see: those that are allowed, the
//! bounds of ranges, what expressions compare with and what lies beside that.

use super::characteristic::{CharacteristicSpecification, ValueType};
use super::expression::{Bindings, Expression, Usage};

/// Most assignments that are looked at; of more nothing is said.
const MOST: usize = 4096;

/// Stands for a text that nobody has thought of.
pub const OTHER_TEXT: &str = "\"\u{2026}\"";

/// The values that stand for all values of a characteristic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// JSON texts; `None` where it is absent.
    pub values: Vec<Option<String>>,
    /// Whether every one of them is really allowed.
    pub is_exact: bool,
}

impl Domain {
    /// Values of a characteristic that is looked at like this; `None` if no few values stand for all.
    pub fn of(characteristic: &CharacteristicSpecification, usage: &Usage) -> Option<Domain> {
        let mut values: Vec<String> = Vec::new();
        let mut is_exact = true;
        let asked_only = usage.is_plain && usage.literals.is_empty();
        if characteristic.is_list() {
            asked_only.then_some(())?;
            values.push("[]".to_owned());
        } else if characteristic.value_type == ValueType::Boolean {
            values.extend(["true".to_owned(), "false".to_owned()]);
        } else if characteristic.is_enumerated() {
            values.extend(characteristic.allowed_values().map(str::to_owned));
        } else {
            usage.is_plain.then_some(())?;
            match characteristic.value_type {
                ValueType::Integer | ValueType::Number => {
                    values.extend(numbers(characteristic, &usage.literals));
                    // Only ranges say what is allowed in between.
                    is_exact = characteristic.bounds().next().is_some();
                }
                ValueType::String => {
                    values.extend(usage.literals.iter().cloned());
                    values.push(OTHER_TEXT.to_owned());
                    is_exact = false;
                }
                ValueType::Object | ValueType::Any | ValueType::Boolean => {
                    asked_only.then_some(())?;
                    values.push("{}".to_owned());
                    is_exact = false;
                }
            }
        }
        let optional = characteristic.minimum == 0 && characteristic.default.is_none();
        let mut values: Vec<Option<String>> = values.into_iter().map(Some).collect();
        if optional {
            values.push(None);
        }
        Some(Domain { values, is_exact })
    }

    /// Values of something that no specification describes.
    pub fn open(usage: &Usage) -> Option<Domain> {
        usage.is_plain.then_some(())?;
        let mut values: Vec<String> = usage.literals.clone();
        let is_number = |text: &String| text.parse::<f64>().is_ok();
        if values.iter().any(is_number) {
            let found: Vec<f64> = values.iter().filter_map(|it| it.parse().ok()).collect();
            values.extend(around(&found));
        }
        if values.iter().any(|it| it == "true" || it == "false") {
            values.extend(["true".to_owned(), "false".to_owned()]);
        } else if !values.iter().any(is_number) {
            values.push(OTHER_TEXT.to_owned());
        }
        values.sort();
        values.dedup();
        let values = values.into_iter().map(Some).chain([None]);
        Some(Domain {
            values: values.collect(),
            is_exact: false,
        })
    }

    /// What either of two may be.
    pub fn joined(mut self, other: Domain) -> Domain {
        for value in other.values {
            if !self.values.contains(&value) {
                self.values.push(value);
            }
        }
        self.is_exact = false;
        self
    }
}

/// The bounds of the ranges, what is compared with, and what lies beside and between, as far as the
/// ranges allow.
fn numbers(characteristic: &CharacteristicSpecification, literals: &[String]) -> Vec<String> {
    let mut marks: Vec<f64> = literals.iter().filter_map(|it| it.parse().ok()).collect();
    let mut bounded = false;
    for (from, to) in characteristic.bounds() {
        bounded = true;
        marks.extend(from.into_iter().chain(to));
    }
    let fits = |text: &String| characteristic.takes(text).is_ok();
    let mut found: Vec<String> = characteristic
        .allowed_values()
        .map(str::to_owned)
        .chain(around(&marks))
        .collect();
    if marks.is_empty() {
        found.push("1".to_owned());
    }
    found.retain(|text| !bounded && !text.contains('.') || fits(text));
    found.dedup();
    found
}

/// Numbers, and those just beside and between them.
fn around(marks: &[f64]) -> Vec<String> {
    let mut sorted = marks.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let mut all: Vec<f64> = sorted
        .iter()
        .flat_map(|mark| [mark - 1.0, *mark, mark + 1.0])
        .chain(
            sorted
                .windows(2)
                .map(|pair| f64::midpoint(pair[0], pair[1])),
        )
        .collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all.iter().map(ToString::to_string).collect()
}

/// All that a few expressions may see together.
#[derive(Debug, Clone, Default)]
pub struct Space {
    paths: Vec<Vec<String>>,
    domains: Vec<Domain>,
}

/// How a condition comes out over a space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// For some values it holds.
    pub holds: bool,
    /// For some values it does not.
    pub fails: bool,
    /// For some values it cannot be evaluated.
    pub breaks: bool,
}

impl Space {
    /// The space of what expressions look at, by what `domain` says of each value; `None` if it says
    /// nothing of one, or there are too many.
    pub fn of<'e>(
        expressions: impl IntoIterator<Item = &'e Expression>,
        domain: &dyn Fn(&Usage) -> Option<Domain>,
    ) -> Option<Space> {
        let usages = expressions.into_iter().flat_map(Expression::usages);
        Space::over(usages, domain)
    }

    /// The space of values that are looked at like this, as [`Space::of`].
    pub fn over(
        all: impl Iterator<Item = Usage>,
        domain: &dyn Fn(&Usage) -> Option<Domain>,
    ) -> Option<Space> {
        let mut usages: Vec<Usage> = Vec::new();
        for usage in all {
            match usages.iter_mut().find(|it| it.path == usage.path) {
                None => usages.push(usage),
                Some(known) => {
                    known.is_plain &= usage.is_plain;
                    let new = usage.literals.into_iter();
                    let new: Vec<String> = new.filter(|it| !known.literals.contains(it)).collect();
                    known.literals.extend(new);
                }
            }
        }
        let mut space = Space::default();
        let mut size: usize = 1;
        for usage in usages {
            let whole = |it: &Vec<String>| it[0] == usage.path[0] && it.len() != usage.path.len();
            if usage.path.len() > 2 || space.paths.iter().any(whole) {
                return None;
            }
            let domain = domain(&usage)?;
            size = size.checked_mul(domain.values.len())?;
            if size > MOST {
                return None;
            }
            space.paths.push(usage.path);
            space.domains.push(domain);
        }
        Some(space)
    }

    /// Whether every assignment is really allowed.
    pub fn is_exact(&self) -> bool {
        self.domains.iter().all(|it| it.is_exact)
    }

    /// Goes through the assignments until `look` says that it has seen enough.
    pub fn any(&self, look: &mut dyn FnMut(&Bindings<'_>) -> bool) -> bool {
        let mut positions = vec![0; self.domains.len()];
        if self.domains.iter().any(|it| it.values.is_empty()) {
            return false;
        }
        loop {
            if look(&self.bindings(&positions)) {
                return true;
            }
            let mut turned = 0;
            for (position, domain) in positions.iter_mut().zip(&self.domains) {
                *position += 1;
                if *position < domain.values.len() {
                    break;
                }
                *position = 0;
                turned += 1;
            }
            if turned == positions.len() {
                return false;
            }
        }
    }

    fn bindings(&self, positions: &[usize]) -> Bindings<'_> {
        let mut objects: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
        let mut bindings = Bindings::new();
        for ((path, domain), position) in self.paths.iter().zip(&self.domains).zip(positions) {
            let value = domain.values[*position].as_deref();
            match (path.as_slice(), value) {
                ([variable], Some(text)) => bindings.bind_text(variable, text),
                ([variable, member], value) => {
                    let known = objects.iter_mut().find(|(name, _)| name == variable);
                    let pair = value.map(|text| (member.as_str(), text));
                    match known {
                        Some((_, members)) => members.extend(pair),
                        None => objects.push((variable, pair.into_iter().collect())),
                    }
                }
                _ => {}
            }
        }
        for (name, members) in objects {
            bindings.bind_object(name, members);
        }
        bindings
    }

    /// An assignment in words, as in `source.tier is "gold"`.
    pub fn told(&self, bindings: &Bindings<'_>) -> String {
        let mut told: Vec<String> = Vec::new();
        for path in &self.paths {
            let value = match path.as_slice() {
                [variable, member] => bindings.text_of(variable, Some(member)),
                [variable, ..] => bindings.text_of(variable, None),
                [] => None,
            };
            told.push(format!(
                "{} is {}",
                path.join("."),
                value.unwrap_or("absent")
            ));
        }
        told.join(", ")
    }

    /// How a condition comes out where `given` holds.
    pub fn outcomes(
        &self,
        condition: &Expression,
        given: &dyn Fn(&Bindings<'_>) -> bool,
    ) -> Outcomes {
        let mut outcomes = Outcomes::default();
        self.any(&mut |bindings| {
            if given(bindings) {
                match condition.holds(bindings) {
                    Ok(true) => outcomes.holds = true,
                    Ok(false) => outcomes.fails = true,
                    Err(_) => outcomes.breaks = true,
                }
            }
            outcomes.holds && outcomes.fails
        });
        outcomes
    }
}

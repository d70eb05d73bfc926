//! What the variables of an expression may be, by the specifications behind them.

use crate::catalog::Specification;
use crate::catalog::expression::Usage;
use crate::catalog::space::Domain;

/// What stands behind the variables of an expression.
#[derive(Debug, Clone, Default)]
pub struct View<'c> {
    /// `source`: one of these.
    pub source: Vec<&'c Specification>,
    /// `product`: one of these.
    pub product: Vec<&'c Specification>,
    /// `other`.
    pub other: Option<&'c Specification>,
    /// Whether every characteristic of `product` may be absent, as when an order changes something.
    pub product_is_partial: bool,
    /// Actions of the item.
    pub actions: &'c [&'static str],
}

/// Actions of items whose conditions are judged.
pub const MADE: &[&str] = &["add", "modify"];

impl View<'_> {
    /// The values that stand for all that may be at a path; `None` if there are no such few.
    pub fn domain(&self, usage: &Usage) -> Option<Domain> {
        match usage.path.as_slice() {
            [variable, name] => match variable.as_str() {
                "source" => joined(&self.source, name, usage),
                "product" => {
                    let mut domain = joined(&self.product, name, usage)?;
                    if self.product_is_partial && !domain.values.contains(&None) {
                        domain.values.push(None);
                    }
                    Some(domain)
                }
                "other" => joined(self.other.as_slice(), name, usage),
                "item" if name == "action" => Some(Domain {
                    values: self
                        .actions
                        .iter()
                        .map(|it| Some(format!("\"{it}\"")))
                        .collect(),
                    is_exact: true,
                }),
                "siblings" | "installed" | "places" => None,
                _ => Domain::open(usage),
            },
            [variable] => {
                let objects = [
                    "source",
                    "product",
                    "other",
                    "item",
                    "order",
                    "place",
                    "places",
                    "siblings",
                    "installed",
                    "resource",
                ];
                (!objects.contains(&variable.as_str())).then(|| Domain::open(usage))?
            }
            _ => None,
        }
    }
}

fn joined(specifications: &[&Specification], name: &str, usage: &Usage) -> Option<Domain> {
    let mut joined: Option<Domain> = None;
    for specification in specifications {
        let domain = match specification.characteristic(name) {
            Some(characteristic) => Domain::of(characteristic, usage)?,
            None => Domain {
                values: vec![None],
                is_exact: true,
            },
        };
        joined = Some(match joined {
            None => domain,
            Some(before) => before.joined(domain),
        });
    }
    joined
}

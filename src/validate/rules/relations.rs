//! Products that need or exclude each other, by the relationships of the catalog.

use foldhash::{HashSet, HashSetExt as _};
use jiff::Timestamp;

use super::{Rule, error, warning};
use crate::catalog::{Catalog, Relation, RelationKind, Subject as About};
use crate::chain::order_name;
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::inventory::{Installed, Inventory};
use crate::model::state::OrderState;
use crate::model::{Action, Order, ProductOrder, ProductOrderItem};
use crate::validate::Subject;
use crate::validate::ordered::product_specification;

/// The rule.
pub const RULE: Rule = Rule {
    demand: "what a product requires is there as well, and what it excludes is not",
    codes: &[
        "order/requires",
        "order/requires-unseen",
        "order/excludes",
        "order/still-required",
    ],
    check,
};

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let (Some(catalog), Order::Product(order)) = (subject.catalog, subject.order) else {
        return;
    };
    if !catalog.has_relations() {
        return;
    }
    let customer = Customer::of(subject, catalog, order);
    for position in 0..customer.lines.len() {
        let line = &customer.lines[position];
        if OrderState::has_ended(line.item.node) {
            continue;
        }
        match line.item.action {
            Some(Action::Add) => {
                diagnostics.extend(customer.requires(position));
                diagnostics.extend(customer.excludes(position));
            }
            Some(Action::Delete) => diagnostics.extend(customer.still_required(position)),
            Some(Action::Modify | Action::NoChange) | None => {}
        }
    }
}

/// An item, and what its product is.
struct Line<'a> {
    item: &'a ProductOrderItem<'a>,
    about: Vec<About>,
}

impl<'a> Line<'a> {
    /// Where it says what it orders.
    fn node(&self) -> Node<'a> {
        let offering = self.item.offering.as_ref().map(|it| it.node);
        offering.unwrap_or(self.item.node)
    }

    fn stays(&self) -> bool {
        self.item.action.is_some_and(|it| it != Action::Delete)
    }
}

/// What a customer orders, and has.
struct Customer<'a> {
    catalog: &'a Catalog,
    inventory: Option<&'a Inventory>,
    moment: Option<Timestamp>,
    lines: Vec<Line<'a>>,
    /// Ids of the products that the order is about: they are no others.
    ordered: HashSet<String>,
    /// Ids of the customer's parties; empty if the order names none.
    parties: HashSet<String>,
}

impl<'a> Customer<'a> {
    fn of(subject: &Subject<'a, '_>, catalog: &'a Catalog, order: &'a ProductOrder<'a>) -> Self {
        let id = order_name(order.node.document());
        let mut ordered = HashSet::new();
        let mut lines = Vec::with_capacity(order.items.len());
        for item in &order.items {
            let product = item.product_id();
            let product = product.map_or_else(|| format!("{id}.{}", item.id), Into::into);
            let installed = subject.inventory.and_then(|it| it.product(&product));
            let installed = installed.filter(|_| item.action != Some(Action::Add));
            let sold = installed.as_ref().and_then(offering_of);
            let offering = item
                .offering
                .as_ref()
                .map(|it| it.id.as_ref().to_owned())
                .or(sold);
            let specification = product_specification(catalog, item, installed.as_ref());
            let specification = specification.map(|it| it.specification.id.as_str());
            lines.push(Line {
                item,
                about: catalog.subjects(offering.as_deref(), specification),
            });
            ordered.insert(product);
        }
        Customer {
            catalog,
            inventory: subject.inventory,
            moment: subject.moment,
            lines,
            ordered,
            parties: parties(order.node),
        }
    }

    /// The relations of a kind that a product has at the moment of the order.
    fn relations(&self, about: About, kind: RelationKind) -> impl Iterator<Item = &'a Relation> {
        let relations = self.catalog.relations(about).iter();
        relations.filter(move |it| it.kind == kind && self.holds(it))
    }

    fn holds(&self, relation: &Relation) -> bool {
        let period = relation.valid_for;
        self.moment.is_none_or(|moment| {
            period.start.is_none_or(|start| start <= moment)
                && period.end.is_none_or(|end| moment < end)
        })
    }

    /// Another item that orders, changes or leaves as it is such a product.
    fn ordered(&self, about: About, but: usize) -> Option<&Line<'a>> {
        let others = self.lines.iter().enumerate();
        let mut others = others.filter(|(position, line)| *position != but && line.stays());
        others
            .find(|(_, line)| line.about.contains(&about))
            .map(|(_, line)| line)
    }

    /// Products of the customer that are of an offering or specification, and that the order does
    /// not speak of.
    fn installed(&self, about: About) -> Vec<&'a str> {
        let Some(inventory) = self.inventory else {
            return Vec::new();
        };
        let mut ids: Vec<&'a str> = Vec::new();
        let id = self.catalog.id_of(about);
        match about {
            About::Offering(_) => ids.extend(
                inventory
                    .products_of_offering(id)
                    .iter()
                    .map(String::as_str),
            ),
            About::Product(product) => {
                ids.extend(
                    inventory
                        .products_of_specification(id)
                        .iter()
                        .map(String::as_str),
                );
                for offering in self.catalog.offerings_of(product) {
                    ids.extend(
                        inventory
                            .products_of_offering(offering)
                            .iter()
                            .map(String::as_str),
                    );
                }
            }
        }
        ids.retain(|id| {
            let product = inventory.product(id);
            !self.ordered.contains(*id) && product.is_some_and(|it| self.owns(&it))
        });
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Whether something installed is the customer's, as far as order and product name parties.
    fn owns(&self, product: &Installed<'_>) -> bool {
        let theirs = parties(product.node);
        self.parties.is_empty() || theirs.is_empty() || !self.parties.is_disjoint(&theirs)
    }

    fn requires(&self, position: usize) -> Vec<Diagnostic> {
        let line = &self.lines[position];
        let relations = (line.about.iter()).flat_map(|about| {
            self.relations(*about, RelationKind::Requires)
                .map(|it| (*about, it))
        });
        let missing = relations.filter(|(_, it)| {
            self.ordered(it.other, position).is_none() && self.installed(it.other).is_empty()
        });
        missing
            .map(|(about, relation)| {
                let (name, other) = (self.catalog.name_of(about), self.catalog.name_of(relation.other));
                let place = relation.location.clone();
                if self.inventory.is_some() {
                    let message = format!("`{name}` requires `{other}`, which is neither ordered nor installed");
                    let finding = error("order/requires", line.node(), message);
                    return finding.with_related(place).with_hint("order that as well");
                }
                let message = format!("`{name}` requires `{other}`, which is not in the order; whether it is installed cannot be seen");
                let finding = warning("order/requires-unseen", line.node(), message);
                let hint = "order that as well, or name the installed base with --inventory";
                finding.with_related(place).with_hint(hint)
            })
            .collect()
    }

    fn excludes(&self, position: usize) -> Vec<Diagnostic> {
        let line = &self.lines[position];
        let mut found = Vec::new();
        for about in &line.about {
            for relation in self.relations(*about, RelationKind::Excludes) {
                let with = (*about, relation.other, relation);
                if let Some(other) = self.ordered(relation.other, position) {
                    found.push(self.excluded(line, with, &format!("item `{}`", other.item.id)));
                } else if let Some(other) = self.installed(relation.other).first() {
                    found.push(self.excluded(
                        line,
                        with,
                        &format!("the installed product `{other}`"),
                    ));
                }
            }
            // What others that are there already say of it.
            for (other, relation) in self.catalog.related_to(*about) {
                let excludes = relation.kind == RelationKind::Excludes && self.holds(relation);
                if !excludes || other == *about {
                    continue;
                }
                let with = (other, *about, relation);
                if let Some(id) = self.installed(other).first() {
                    found.push(self.excluded(line, with, &format!("the installed product `{id}`")));
                } else if let Some(there) = self.ordered(other, position)
                    && there.item.action != Some(Action::Add)
                {
                    found.push(self.excluded(line, with, &format!("item `{}`", there.item.id)));
                }
            }
        }
        found
    }

    fn excluded(
        &self,
        line: &Line<'_>,
        (one, other, relation): (About, About, &Relation),
        where_it_is: &str,
    ) -> Diagnostic {
        let (one, other) = (self.catalog.name_of(one), self.catalog.name_of(other));
        let message = format!("`{one}` excludes `{other}`; there is {where_it_is}");
        let finding = error("order/excludes", line.node(), message);
        let finding = finding.with_related(relation.location.clone());
        finding.with_hint("order only one of them, or remove the other one in the same order")
    }

    /// What is removed, although something installed requires it and nothing else takes its place.
    fn still_required(&self, position: usize) -> Vec<Diagnostic> {
        let line = &self.lines[position];
        let mut found = Vec::new();
        for about in &line.about {
            let still =
                self.ordered(*about, position).is_some() || !self.installed(*about).is_empty();
            if still {
                continue;
            }
            for (other, relation) in self.catalog.related_to(*about) {
                if relation.kind != RelationKind::Requires || !self.holds(relation) {
                    continue;
                }
                let kept = self.lines.iter().find(|it| {
                    matches!(it.item.action, Some(Action::Modify | Action::NoChange))
                        && it.about.contains(&other)
                });
                let kept = kept.map(|it| format!("item `{}`", it.item.id));
                let installed = self.installed(other);
                let installed = installed
                    .first()
                    .map(|id| format!("the installed product `{id}`"));
                if let Some(user) = kept.or(installed) {
                    let (name, other) = (self.catalog.name_of(*about), self.catalog.name_of(other));
                    let message =
                        format!("`{name}` is removed, and `{other}` requires it; there is {user}");
                    let finding = error("order/still-required", line.node(), message);
                    let finding = finding.with_related(relation.location.clone());
                    found.push(finding.with_hint("remove that as well, or keep both"));
                }
            }
        }
        found
    }
}

fn offering_of(installed: &Installed<'_>) -> Option<String> {
    let offering = installed.node.get("productOffering")?;
    offering.text("id").map(std::borrow::Cow::into_owned)
}

/// Ids of those whom something belongs to: its customers, where roles tell who is one, else all its
/// parties.
fn parties(node: Node<'_>) -> HashSet<String> {
    let (mut customers, mut all) = (HashSet::new(), HashSet::new());
    for party in node.list("relatedParty") {
        let inner = party.get("partyOrPartyRole").unwrap_or(party);
        let Some(id) = inner.text("id") else { continue };
        let role = party.text("role").or_else(|| inner.text("role"));
        if role.is_some_and(|role| role.eq_ignore_ascii_case("customer")) {
            customers.insert(id.to_string());
        }
        all.insert(id.into_owned());
    }
    if customers.is_empty() { all } else { customers }
}

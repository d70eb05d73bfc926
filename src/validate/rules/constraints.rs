//! Constraints: what the rules of the catalog demand of items and orders.

use super::{Rule, error};
use crate::catalog::expression::{Bindings, EvaluationFault, Expression, Seen};
use crate::catalog::{Catalog, ConstraintRule, Values};
use crate::chain::order_name;
use crate::diagnostic::Diagnostic;
use crate::document::{Kind, Node, quote};
use crate::inventory::Installed;
use crate::model::state::OrderState;
use crate::model::{Action, Order, ProductOrder, ProductOrderItem};
use crate::validate::Subject;
use crate::validate::ordered::{
    item_members, order_members, product_specification, product_values, quantity,
};

/// The rule.
pub const RULE: Rule = Rule {
    demand: "what the constraints of the catalog demand holds",
    codes: &["order/constraint"],
    check,
};

/// Characters of a value that are shown.
const SHOWN: usize = 60;

fn check(subject: &Subject<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let (Some(catalog), Order::Product(order)) = (subject.catalog, subject.order) else {
        return;
    };
    if !catalog.has_constraints() {
        return;
    }
    let id = order_name(order.node.document());
    let members = order_members(&id, order.node);
    for item in &order.items {
        if let Some(action) = item.action.filter(|_| !OrderState::has_ended(item.node)) {
            let judged = Item::of(subject, catalog, (&id, item));
            diagnostics.extend(judged.findings(&members, action));
        }
    }
    let mut rules = catalog.order_constraints().peekable();
    if rules.peek().is_none() {
        return;
    }
    let items = items(subject, catalog, (&id, order));
    let mut bindings = Bindings::new();
    bindings.bind_object("order", texts(&members));
    bindings.bind_text("items", &items);
    for rule in rules {
        diagnostics.extend(judged(rule, &bindings, |_| order.node));
    }
}

/// An item, with what is known of its product.
struct Item<'a> {
    catalog: &'a Catalog,
    item: &'a ProductOrderItem<'a>,
    installed: Option<Installed<'a>>,
    values: Values<'a>,
    /// Whether the values are all that there are, not only those that change.
    whole: bool,
}

impl<'a> Item<'a> {
    fn of(
        subject: &Subject<'a, '_>,
        catalog: &'a Catalog,
        (order, item): (&str, &'a ProductOrderItem<'a>),
    ) -> Self {
        let added = item.action == Some(Action::Add);
        let id = item.product_id();
        let id = id.map_or_else(|| format!("{order}.{}", item.id), Into::into);
        let installed = subject.inventory.filter(|_| !added);
        let installed = installed.and_then(|it| it.product(&id));
        let whole = added || installed.is_some();
        let values = if whole {
            product_values(catalog, item, installed.as_ref())
        } else {
            let product = product_specification(catalog, item, None);
            Values::given(
                item.characteristics.iter(),
                product.map(|it| &it.specification),
            )
        };
        Item {
            catalog,
            item,
            installed,
            values,
            whole,
        }
    }

    fn findings(&self, order: &[(&'static str, String)], action: Action) -> Vec<Diagnostic> {
        let Item { catalog, item, .. } = *self;
        let installed = self.installed.as_ref();
        let product = product_specification(catalog, item, installed);
        let sold = installed.and_then(|it| it.node.get("productOffering")?.text("id"));
        let offering = item.offering.as_ref().map(|it| &*it.id).or(sold.as_deref());
        let product = product.map(|it| it.specification.id.as_str());
        let quantity = quantity(item.node, installed);
        let members = item_members(&item.id, item.action, quantity);
        let mut bindings = Bindings::new();
        bindings.bind_object("product", self.values.iter());
        bindings.bind_object("item", texts(&members));
        bindings.bind_object("order", texts(order));
        match self.place() {
            Some(place) => bindings.bind_node("place", place),
            None => bindings.bind_object("place", []),
        }
        let subjects = catalog.subjects(offering, product);
        let rules = subjects.into_iter().flat_map(|it| catalog.constraints(it));
        let rules = rules.filter(|rule| rule.actions.contains(&action) && self.tells(rule));
        rules
            .filter_map(|rule| judged(rule, &bindings, |seen| self.node(seen)))
            .collect()
    }

    /// The first place where the product is.
    fn place(&self) -> Option<Node<'a>> {
        let given = self.item.product.and_then(|it| it.get("place"));
        match given {
            Some(list) if list.kind() == Kind::Array => list.elements().next(),
            Some(place) => Some(place),
            None => self.installed.as_ref()?.place(),
        }
    }

    /// Whether the item says all that a rule looks at: of what is changed an order says only what
    /// changes, and without an installed base nobody knows the rest.
    fn tells(&self, rule: &ConstraintRule) -> bool {
        let mut paths = rule.condition.iter().flat_map(Expression::paths);
        let known = |path: &Vec<String>| {
            path[0] != "product" || path.get(1).is_some_and(|it| self.values.get(it).is_some())
        };
        self.whole || paths.all(|it| known(&it)) && rule.demand.paths().iter().all(known)
    }

    /// Where the order gives the first of the values that a rule has seen.
    fn node(&self, seen: &[Seen]) -> Node<'a> {
        let given = |seen: &Seen| {
            let name = seen.path.strip_prefix("product.")?;
            let mut all = self.item.characteristics.iter();
            all.find(|it| it.name == name)?.value
        };
        seen.iter().find_map(given).unwrap_or(self.item.node)
    }
}

/// The finding of a rule that does not hold, at the place of what it has seen.
fn judged<'a>(
    rule: &ConstraintRule,
    bindings: &Bindings<'_>,
    place: impl Fn(&[Seen]) -> Node<'a>,
) -> Option<Diagnostic> {
    let unjudged = |fault: EvaluationFault| {
        let message = format!(
            "constraint `{}` cannot be judged: {}",
            rule.id, fault.message
        );
        let seen = shown(&fault.seen);
        error("order/constraint", place(&fault.seen), message + &seen)
            .with_related(rule.location.clone())
    };
    match rule.condition.as_ref().map(|it| it.holds(bindings)) {
        None | Some(Ok(true)) => {}
        Some(Ok(false)) => return None,
        Some(Err(fault)) => return Some(unjudged(fault)),
    }
    match rule.demand.explain(bindings) {
        Ok(verdict) if verdict.holds => None,
        Ok(verdict) => {
            let mut seen = verdict.seen;
            if let Some(Ok(condition)) = rule.condition.as_ref().map(|it| it.explain(bindings)) {
                let others = condition.seen.into_iter();
                let new: Vec<Seen> = others.filter(|it| !seen.contains(it)).collect();
                seen.extend(new);
            }
            let message = format!(
                "{}{} (constraint `{}`)",
                rule.message,
                shown(&seen),
                rule.id
            );
            let node = place(&seen);
            Some(error("order/constraint", node, message).with_related(rule.location.clone()))
        }
        Err(fault) => Some(unjudged(fault)),
    }
}

/// `; product.quality is "HD"`
fn shown(seen: &[Seen]) -> String {
    let seen: Vec<String> = seen
        .iter()
        .filter_map(|it| {
            let value = it.value.as_deref().unwrap_or("absent");
            let short = value.chars().count() <= SHOWN;
            short.then(|| format!("{} is {value}", it.path))
        })
        .collect();
    if seen.is_empty() {
        String::new()
    } else {
        format!("; {}", seen.join(", "))
    }
}

fn texts<'v>(members: &'v [(&'static str, String)]) -> impl Iterator<Item = (&'v str, &'v str)> {
    members.iter().map(|(name, text)| (*name, text.as_str()))
}

/// `items` for expressions: a list, as JSON text.
fn items(
    subject: &Subject<'_, '_>,
    catalog: &Catalog,
    (id, order): (&str, &ProductOrder<'_>),
) -> String {
    let one = |item: &ProductOrderItem<'_>| {
        let it = Item::of(subject, catalog, (id, item));
        let installed = it.installed.as_ref();
        let product = product_specification(catalog, item, installed);
        let sold = installed.and_then(|it| it.node.get("productOffering")?.text("id"));
        let offering = item.offering.as_ref().map(|it| &*it.id).or(sold.as_deref());
        format!(
            "{{\"id\":{},\"action\":{},\"quantity\":{},\"offering\":{},\"specification\":{},\"product\":{}}}",
            quote(&item.id),
            quote(item.action.unwrap_or(Action::Add).name()),
            quantity(item.node, installed),
            quote(offering.unwrap_or_default()),
            quote(product.map_or("", |it| it.specification.id.as_str())),
            it.values.to_json()
        )
    };
    let items: Vec<String> = order.items.iter().map(one).collect();
    format!("[{}]", items.join(","))
}

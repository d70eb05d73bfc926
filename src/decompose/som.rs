//! SOM: a service order becomes a resource order.

use std::borrow::Cow;
use std::rc::Rc;

use foldhash::{HashMap, HashMapExt as _, HashSet};

use super::around::{self, Surroundings};
use super::com;
use super::expand::{Expansion, Source, installed_values};
use super::standing::{self, Mode, Named};
use super::staying::Staying;
use super::step::Roots;
use super::write::{self, Head};
use super::{Decomposer, Derived, NotDecomposable};
use crate::catalog::{ServiceIndex, ServiceSpecification, Values};
use crate::chain::order_name;
use crate::inventory::Layer;
use crate::model::reference::RelationshipKind;
use crate::model::state::OrderState;
use crate::model::{Action, ProductOrder, ProductOrderItem, ServiceOrderItem};
use crate::validate::ValidOrder;
use crate::validate::ordered::{self, product_values};

struct Som<'a, 'c> {
    service_order_id: &'a str,
    /// Items of the product order by id, and that order's id.
    roots: HashMap<&'a str, &'a ProductOrderItem<'c>>,
    product_order_id: &'a str,
    order_members: &'a [(&'static str, String)],
    /// What is known of products, and of the one that was looked at last.
    known: HashMap<Rc<Roots>, Rc<Root<'c>>>,
    last: Option<Rc<Root<'c>>>,
    expansion: Expansion<'a, 'c>,
}

/// Decomposes a service order into a resource order. `product_order` is the order that it came
/// from, if that is part of the chain: rules may read its characteristics. Other orders give
/// nothing.
///
/// # Errors
/// Every fault that values of the order bring to light in rules, and every service that should be
/// installed and is not.
pub fn resource_order(
    with: &Decomposer<'_>,
    order: &ValidOrder<'_>,
    product_order: Option<&ValidOrder<'_>>,
) -> Result<Derived, NotDecomposable> {
    let Some(order) = order.service() else {
        return Ok(Derived::default());
    };
    let order_id = order_name(order.node.document());
    let root = product_order.and_then(ValidOrder::product);
    // A service order that comes alone still names the order that it came from.
    let root_id = order.product_order.as_deref().unwrap_or(&order_id);
    let order_members = ordered::order_members(root_id, root.map_or(order.node, |root| root.node));
    let mut expansion = Expansion::new(with, Layer::Resource, root_id);
    expansion.gone = order
        .items
        .iter()
        .filter(|item| item.action == Some(Action::Delete) && !OrderState::has_ended(item.node))
        .map(|item| service_id(&order_id, item))
        .collect();
    let mut som = Som {
        service_order_id: &order_id,
        roots: root.map_or_else(HashMap::new, items_by_id),
        product_order_id: root_id,
        order_members: &order_members,
        known: HashMap::new(),
        last: None,
        expansion,
    };
    for item in &order.items {
        som.item(item);
    }
    som.staying(&order.items);
    let id = format!("{order_id}.R");
    let head = Head {
        id: &id,
        above: order.node,
        above_id: &order_id,
        products: &[],
    };
    som.expansion.finish(head, write::resource_order)
}

impl<'c> Som<'_, 'c> {
    /// Looks at the items of what stays as it is, for what lies between what the others change.
    fn staying(&mut self, items: &[ServiceOrderItem<'c>]) {
        let Decomposer {
            catalog, inventory, ..
        } = *self.expansion.with;
        let expansion = &mut self.expansion;
        if inventory.is_none() || !expansion.steps.faults.is_empty() {
            return;
        }
        let made = expansion.steps.made.iter();
        let made = made.filter(|it| it.item.action != Action::NoChange.name());
        // What becomes of something shared is not known yet.
        let removes = expansion.shared.len() > 0
            || made
                .clone()
                .any(|it| it.item.action == Action::Delete.name());
        let changing: HashSet<ServiceIndex> = made
            .filter_map(|it| it.service)
            .chain(expansion.shared.kinds())
            .collect();
        expansion.staying = Some(Staying::beside(catalog, changing, removes));
        let explain = std::mem::take(&mut expansion.steps.explain);
        for item in items {
            if item.action == Some(Action::NoChange) {
                self.item(item);
            }
        }
        self.expansion.steps.explain = explain;
        self.expansion.staying = None;
    }

    /// Whether anything of a service that stays as it is may lie between what changes.
    fn lies_between(&mut self, service: &ServiceSpecification) -> bool {
        let catalog = self.expansion.with.catalog;
        let own = catalog.service_index(&service.specification.id);
        let inside = service.decompositions.iter().map(|it| it.target);
        let mut kinds = inside.chain(own);
        self.expansion.staying.is_some() && kinds.any(|it| self.expansion.may_matter(it))
    }

    fn item(&mut self, item: &ServiceOrderItem<'c>) {
        let Decomposer {
            catalog, inventory, ..
        } = *self.expansion.with;
        if let Some(state) = OrderState::ended(item.node) {
            let id = item.specification.as_ref().map(|it| &*it.id);
            if let Some(it) = id.and_then(|id| catalog.service(id)) {
                let source = (&*item.id, &it.specification);
                self.expansion.ended(source, &it.decompositions, state);
            }
            return;
        }
        let service_id = service_id(self.service_order_id, item);
        let action = item.action.unwrap_or(Action::Add);
        let named = Named {
            layer: Layer::Service,
            order: self.service_order_id,
            item: &item.id,
            node: item.node,
            id: &service_id,
            action,
        };
        let found = inventory.map(|inventory| named.find(inventory));
        let installed = match found.transpose() {
            Ok(installed) => installed.flatten(),
            Err(finding) => return self.expansion.steps.faults.push(*finding),
        };
        let specified = item
            .specification
            .as_ref()
            .map(|reference| reference.id.to_string());
        let known = installed
            .as_ref()
            .map(|it| it.specification_id().to_owned());
        let Some(specification) = specified.or(known).and_then(|id| catalog.service(&id)) else {
            return;
        };
        let mode = match &installed {
            // Nothing below it changes.
            Some(_) if action == Action::NoChange && !self.lies_between(specification) => return,
            Some(_) => Mode::below(action),
            None => Mode::Make(action),
        };
        let known = &specification.specification;
        let before = installed
            .as_ref()
            .map(|it| installed_values(it, Some(known)));
        let values = match &before {
            Some(before) => Values::given(item.characteristics.iter(), Some(known)).over(before),
            None => Values::of_item(item.characteristics.iter(), None, Some(known)),
        };
        let values = values.presumed(known);
        let root = self.root(item);
        let (product, product_before) = (root.product.as_ref(), root.before.as_ref());
        let quantity = ordered::quantity(item.node, installed.as_ref());
        let members = ordered::item_members(&item.id, item.action, quantity);
        let around = |product| Surroundings {
            product,
            item: &members,
            order: self.order_members,
        };
        let now = around(product).bindings();
        let then = around(product_before).bindings();
        let given = item.service.and_then(|it| it.get("place"));
        let there = installed.as_ref().and_then(|it| it.node.get("place"));
        let name = item.service.and_then(|it| it.text("name"));
        let key = name.as_deref().and_then(|it| known.key_in(it));
        let source = Source {
            node: item.node,
            item_id: &item.id,
            entity_id: &service_id,
            specification: known,
            key: key.unwrap_or_default(),
            decompositions: &specification.decompositions,
            own: catalog.service_index(&known.id),
            roots: &root.roots,
            quantity,
            mode,
            values: &values,
            before: before.as_ref(),
            now: &now,
            then: &then,
            place: given.or(there),
            there,
            given: around::first(given),
            changes: false,
            sharing: None,
        };
        let below = installed.as_ref().zip(inventory);
        let below = below.map_or(Vec::new(), |(service, inventory)| {
            standing::resources_below(inventory, catalog, service)
        });
        self.expansion.again =
            action == Action::Add && inventory.is_some_and(|it| it.service(&service_id).is_some());
        self.expansion.expand_named(&source, below, &named);
    }

    /// The products that a service is part of. What services have in common is read once.
    fn root(&mut self, item: &ServiceOrderItem<'_>) -> Rc<Root<'c>> {
        let roots = self.roots_of(item);
        if let Some(last) = &self.last
            && *last.roots == roots
        {
            return Rc::clone(last);
        }
        let root = match self.known.get(&roots) {
            Some(known) => Rc::clone(known),
            None => Rc::new(self.read_root(roots)),
        };
        if let Some(last) = self.last.replace(Rc::clone(&root)) {
            self.known.insert(Rc::clone(&last.roots), last);
        }
        root
    }

    fn read_root(&self, roots: Roots) -> Root<'c> {
        let Decomposer {
            catalog, inventory, ..
        } = *self.expansion.with;
        let first = roots.items.first();
        let item = first.and_then(|it| self.roots.get(it.as_str()).copied());
        let changes = item.is_some_and(|it| it.action.is_some_and(|it| it != Action::Add));
        let owner = inventory
            .filter(|_| changes)
            .and_then(|inventory| inventory.product(&roots.entity));
        Root {
            product: item.map(|it| product_values(catalog, it, owner.as_ref())),
            before: item
                .zip(owner.as_ref())
                .map(|(it, owner)| com::installed_product(catalog, it, owner)),
            roots: Rc::new(roots),
        }
    }

    /// The product order items that a service is part of.
    fn roots_of(&self, item: &ServiceOrderItem<'_>) -> Roots {
        let mut items: Vec<String> = item
            .relationships
            .iter()
            .filter(|it| it.kind == RelationshipKind::Realizes)
            .map(|it| it.item.to_string())
            .collect();
        items.sort_unstable();
        items.dedup();
        let first = items.first().map_or("", String::as_str);
        let computed = || format!("{}.{first}", self.product_order_id);
        let entity = match self.roots.get(first) {
            Some(product) => product.product_id().map_or_else(computed, Cow::into_owned),
            None => item.product_id().map_or_else(computed, Cow::into_owned),
        };
        Roots { items, entity }
    }
}

/// What services have in common that are part of one product.
struct Root<'c> {
    roots: Rc<Roots>,
    /// Its characteristics as they are to be, if its order is there, and as they are installed.
    product: Option<Values<'c>>,
    before: Option<Values<'c>>,
}

fn service_id(order: &str, item: &ServiceOrderItem<'_>) -> String {
    item.service_id()
        .map_or_else(|| format!("{order}.{}", item.id), Cow::into_owned)
}

/// Orders with many items are searched once for each item made from them.
fn items_by_id<'a, 'c>(order: &'a ProductOrder<'c>) -> HashMap<&'a str, &'a ProductOrderItem<'c>> {
    order.items.iter().map(|item| (&*item.id, item)).collect()
}

//! COM: a product order becomes a service order.

use std::borrow::Cow;
use std::rc::Rc;

use super::around::{self, Surroundings};
use super::expand::{Expansion, Source, installed_values};
use super::standing::{Mode, Named};
use super::step::Roots;
use super::write::{self, Head};
use super::{Decomposer, Derived, NotDecomposable};
use crate::catalog::{self, Catalog, Values};
use crate::chain::order_name;
use crate::document::Node;
use crate::inventory::{Installed, Layer};
use crate::model::state::OrderState;
use crate::model::{Action, ProductOrderItem};
use crate::validate::ValidOrder;
use crate::validate::ordered::{self, product_specification, product_values};

/// Whether the catalog says of an item that no service realizes its product: a fee, or a bundle.
pub fn needs_no_service(catalog: &Catalog, item: &ProductOrderItem<'_>) -> bool {
    let offering = || catalog.offering(&item.offering.as_ref()?.id);
    match product_specification(catalog, item, None) {
        Some(product) => product.decompositions.is_empty(),
        None => offering().is_some_and(|it| it.product.is_none()),
    }
}

/// Specification and characteristics of an installed product.
pub fn installed_product<'d>(
    catalog: &'d Catalog,
    item: &ProductOrderItem<'_>,
    installed: &Installed<'d>,
) -> Values<'d> {
    let specification = product_specification(catalog, item, Some(installed));
    installed_values(installed, specification.map(|it| &it.specification))
}

struct Com<'a, 'c> {
    order_id: &'a str,
    order_members: &'a [(&'static str, String)],
    expansion: Expansion<'a, 'c>,
    /// Installed products, each with the item that is about it and does not say what it is.
    products: Vec<(String, Node<'c>)>,
}

/// Decomposes a product order into a service order. Other orders give nothing.
///
/// # Errors
/// Every fault that values of the order bring to light in rules, and every product that should be
/// installed and is not.
pub fn service_order(
    with: &Decomposer<'_>,
    order: &ValidOrder<'_>,
) -> Result<Derived, NotDecomposable> {
    let Some(order) = order.product() else {
        return Ok(Derived::default());
    };
    let order_id = order_name(order.node.document());
    let order_members = ordered::order_members(&order_id, order.node);
    let expansion = Expansion::new(with, Layer::Service, &order_id);
    let mut com = Com {
        order_id: &order_id,
        order_members: &order_members,
        expansion,
        products: Vec::new(),
    };
    for item in &order.items {
        com.item(item);
    }
    let id = format!("{order_id}.S");
    let head = Head {
        id: &id,
        above: order.node,
        above_id: &order_id,
        products: &com.products,
    };
    com.expansion.finish(head, write::service_order)
}

impl<'c> Com<'_, 'c> {
    /// What is installed of an item's product; the second value is false if that is at fault.
    fn installed(
        &mut self,
        item: &ProductOrderItem<'c>,
        id: &str,
    ) -> (Option<Installed<'c>>, bool) {
        let Some(inventory) = self.expansion.with.inventory else {
            return (None, true);
        };
        let action = item.action.unwrap_or(Action::Add);
        // Bundles and fees are no product of their own.
        let none = product_specification(self.expansion.with.catalog, item, None).is_none();
        if none && (item.product_id().is_none() || action == Action::Add) {
            return (None, true);
        }
        let named = Named {
            layer: Layer::Product,
            order: self.order_id,
            item: &item.id,
            node: item.node,
            id,
            action,
        };
        match named.find(inventory) {
            Ok(installed) => (installed, true),
            Err(finding) => {
                self.expansion.steps.faults.push(*finding);
                (None, false)
            }
        }
    }

    fn item(&mut self, item: &ProductOrderItem<'c>) {
        if let Some(state) = OrderState::ended(item.node) {
            let product = product_specification(self.expansion.with.catalog, item, None);
            if let Some(it) = product {
                let source = (&*item.id, &it.specification);
                self.expansion.ended(source, &it.decompositions, state);
            }
            return;
        }
        let product_id = item
            .product_id()
            .map_or_else(|| format!("{}.{}", self.order_id, item.id), Cow::into_owned);
        let (installed, sound) = self.installed(item, &product_id);
        let Decomposer {
            catalog, inventory, ..
        } = *self.expansion.with;
        let product = product_specification(catalog, item, installed.as_ref());
        let action = item.action.unwrap_or(Action::Add);
        let named = Named {
            layer: Layer::Product,
            order: self.order_id,
            item: &item.id,
            node: item.node,
            id: &product_id,
            action,
        };
        let Some(product) = product.filter(|_| sound) else {
            let says_what = item.offering.is_some() || item.product_id().is_none();
            if inventory.is_none() && action != Action::Add && !says_what {
                self.expansion.steps.faults.push(named.untold(None));
            }
            return;
        };
        let installed_node = installed.as_ref().map(|it| it.node);
        self.products.extend(
            installed_node
                .filter(|it| says_more(it, item))
                .map(|it| (item.id.to_string(), it)),
        );
        let values = product_values(catalog, item, installed.as_ref());
        let before = installed
            .as_ref()
            .map(|it| installed_values(it, Some(&product.specification)));
        let quantity = ordered::quantity(item.node, installed.as_ref());
        let members = ordered::item_members(&item.id, item.action, quantity);
        let around = |product| Surroundings {
            product,
            item: &members,
            order: self.order_members,
        };
        let now = around(Some(&values)).bindings();
        let then = around(before.as_ref()).bindings();
        let given = item.product.and_then(|it| it.get("place"));
        let there = installed.as_ref().and_then(|it| it.node.get("place"));
        let roots = Rc::new(Roots {
            items: vec![item.id.to_string()],
            entity: product_id.clone(),
        });
        if action == Action::Delete {
            self.expansion.gone.insert(product_id.clone());
        }
        let source = Source {
            node: item.node,
            item_id: &item.id,
            entity_id: &product_id,
            specification: &product.specification,
            key: "",
            decompositions: &product.decompositions,
            own: None,
            roots: &roots,
            quantity,
            mode: match &installed {
                Some(_) => Mode::below(action),
                None => Mode::Make(action),
            },
            values: &values,
            before: before.as_ref(),
            now: &now,
            then: &then,
            place: given.or(there),
            there,
            given: around::first(given),
            changes: before
                .as_ref()
                .is_some_and(|before| differ(before, &values)),
            sharing: None,
        };
        let below = installed.as_ref().zip(inventory);
        let below = below.map_or(Vec::new(), |(it, inventory)| inventory.services_of(it));
        self.expansion.reached.clear();
        self.expansion.again =
            action == Action::Add && inventory.is_some_and(|it| it.product(&product_id).is_some());
        self.expansion.expand_named(&source, below, &named);
    }
}

/// Whether an installed product says what an item that is about it does not: what was sold, or what
/// that is.
fn says_more(installed: &Node<'_>, item: &ProductOrderItem<'_>) -> bool {
    let says = |key: &str| {
        installed
            .get(key)
            .is_some_and(|it| it.text("id").is_some_and(|id| !id.is_empty()))
    };
    item.offering.is_none()
        && (says("productOffering") || item.specification.is_none() && says("productSpecification"))
}

fn differ(before: &Values<'_>, now: &Values<'_>) -> bool {
    let same = |(name, value): (&str, &str)| {
        before
            .get(name)
            .is_some_and(|before| catalog::same(before, value))
    };
    !now.iter().all(same) || before.iter().count() != now.iter().count()
}

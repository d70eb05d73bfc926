//! The items of a chain over all layers: which item is below which, and which
//! tasks are below each.

use std::borrow::Cow;

use foldhash::{HashMap, HashMapExt as _, HashSet};
use smallvec::SmallVec;

use crate::document::{Kind, Node};
use crate::model::order;
use crate::model::product_order::{INSTALLED_PRODUCT, PRODUCT_ORDER_ITEM};
use crate::model::reference::RelationshipKind;
use crate::model::resource_order::INSTALLED_RESOURCE;
use crate::model::service_order::INSTALLED_SERVICE;
use crate::model::{Characteristic, ItemRelationship, Order, OrderItem, Site};

/// A layer of orders, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// TMF652
    Resource,
    /// TMF641
    Service,
    /// TMF622
    Product,
}

impl Layer {
    fn of(order: &Order<'_>) -> Layer {
        match order {
            Order::Resource(_) => Layer::Resource,
            Order::Service(_) => Layer::Service,
            Order::Product(_) => Layer::Product,
        }
    }

    /// Name of an item of the layer, as in `@referredType`.
    pub fn item_type(self) -> &'static str {
        match self {
            Layer::Resource => "ResourceOrderItem",
            Layer::Service => "ServiceOrderItem",
            Layer::Product => "ProductOrderItem",
        }
    }
}

/// An item among those of all layers.
#[derive(Debug)]
pub struct Entry<'a, 'd> {
    /// Its layer.
    pub layer: Layer,
    /// Position of its order.
    pub order: usize,
    /// The item.
    pub item: OrderItem<'a, 'd>,
    /// How many items of its own order hold it.
    pub depth: usize,
    /// The item of its own order that holds it.
    pub holder: Option<usize>,
    /// The items that hold it or that it realizes.
    pub above: Few,
    /// The tasks below it, its own included, in ascending order.
    pub tasks: Few,
}

/// Positions, which are one or two for most items.
pub type Few = SmallVec<[usize; 2]>;

impl<'d> Entry<'_, 'd> {
    /// The service or resource as it was installed when its order was made, where that is told: of
    /// what is changed or removed.
    pub fn installed(&self) -> Option<Node<'d>> {
        let member = match self.layer {
            Layer::Resource => INSTALLED_RESOURCE,
            Layer::Service => INSTALLED_SERVICE,
            Layer::Product => return None,
        };
        order::installed(self.item.node, member)
    }

    /// The characteristics that stay as they are installed.
    pub fn staying(&self) -> Vec<Characteristic<'d>> {
        let key = match self.layer {
            Layer::Resource => "resourceCharacteristic",
            Layer::Service => "serviceCharacteristic",
            Layer::Product => return Vec::new(),
        };
        let Some(installed) = self.installed() else {
            return Vec::new();
        };
        let mut staying = Characteristic::list(installed, key);
        let changes = |name: &str| self.item.characteristics.iter().any(|it| it.name == name);
        staying.retain(|it| !changes(&it.name));
        staying
    }
}

/// The items of all orders of a chain: those of the lowest layer first, nested ones after the item
/// that holds them.
#[derive(Debug)]
pub struct Layers<'a, 'd> {
    /// The items.
    pub entries: Vec<Entry<'a, 'd>>,
    /// The item of each task.
    pub tasks: Vec<usize>,
    by_order: HashMap<(usize, &'a str), usize>,
    /// The orders of each layer.
    of_layer: HashMap<Layer, Vec<usize>>,
    /// The first item of an id in a layer of several orders.
    by_layer: HashMap<(Layer, &'a str), usize>,
    /// Installed products, by the items that are about them and do not say what they are.
    products: HashMap<usize, Node<'d>>,
    /// Positions of orders.
    named_orders: HashMap<(Layer, &'a str), usize>,
    orders: &'a [Order<'d>],
    /// Whether an order has an id twice.
    is_ambiguous: bool,
}

impl<'a, 'd> Layers<'a, 'd> {
    /// Gathers the items. `tasks` are the items with a task, by order and position in it, in the
    /// order of the tasks.
    pub fn new(orders: &'a [Order<'d>], tasks: &[(usize, usize)]) -> Layers<'a, 'd> {
        let count = orders.iter().map(Order::len).sum();
        let mut of_layer: HashMap<Layer, Vec<usize>> = HashMap::new();
        for (position, order) in orders.iter().enumerate() {
            of_layer.entry(Layer::of(order)).or_default().push(position);
        }
        let mut layers = Layers {
            entries: Vec::with_capacity(count),
            tasks: Vec::with_capacity(tasks.len()),
            by_order: HashMap::with_capacity(count),
            of_layer,
            by_layer: HashMap::new(),
            products: HashMap::new(),
            named_orders: HashMap::new(),
            orders,
            is_ambiguous: false,
        };
        let mut starts = vec![0; orders.len()];
        for layer in [Layer::Resource, Layer::Service, Layer::Product] {
            for (order, read) in orders.iter().enumerate() {
                if Layer::of(read) == layer {
                    starts[order] = layers.entries.len();
                    layers.enter(layer, order);
                }
            }
        }
        for (task, (order, position)) in tasks.iter().enumerate() {
            let entry = starts[*order] + position;
            layers.entries[entry].tasks.push(task);
            layers.tasks.push(entry);
        }
        for entry in 0..layers.entries.len() {
            layers.look_up(entry);
        }
        layers.hand_up();
        layers.look_up_products();
        layers
    }

    fn enter(&mut self, layer: Layer, order: usize) {
        let orders = self.orders;
        let start = self.entries.len();
        let several = self.of_layer[&layer].len() > 1;
        if let Some(id) = orders[order].id() {
            self.named_orders.entry((layer, id)).or_insert(order);
        }
        for item in orders[order].items() {
            let index = self.entries.len();
            let held = item.parent.map(|parent| start + parent);
            let depth = held.map_or(0, |parent| self.entries[parent].depth + 1);
            let first = *self.by_order.entry((order, item.id)).or_insert(index);
            self.is_ambiguous |= first != index;
            if several {
                self.by_layer.entry((layer, item.id)).or_insert(index);
            }
            self.entries.push(Entry {
                layer,
                order,
                item,
                depth,
                holder: held,
                above: held.into_iter().collect(),
                tasks: Few::new(),
            });
        }
    }

    /// Finds the items that an item realizes.
    fn look_up(&mut self, entry: usize) {
        let Entry { layer, item, .. } = &self.entries[entry];
        let layer = match layer {
            Layer::Resource => Layer::Service,
            Layer::Service => Layer::Product,
            Layer::Product => return,
        };
        let realizes = item.relationships.iter();
        let realizes = realizes.filter(|it| it.kind == RelationshipKind::Realizes);
        let named = |it: &ItemRelationship<'_>| self.named(layer, &it.item, it.order.as_deref());
        let above: Few = realizes.filter_map(named).collect();
        let known = &mut self.entries[entry].above;
        if known.len() + above.len() < 2 {
            known.extend(above);
            return;
        }
        let mut seen: HashSet<usize> = known.iter().copied().collect();
        known.extend(above.into_iter().filter(|other| seen.insert(*other)));
    }

    /// Finds the items that are about the installed products which service orders name.
    fn look_up_products(&mut self) {
        let orders = self.orders;
        for order in orders {
            let Order::Service(order) = order else {
                continue;
            };
            let above = order.product_order.as_deref();
            for product in order.node.list(INSTALLED_PRODUCT) {
                let item = product.text(PRODUCT_ORDER_ITEM).unwrap_or_default();
                if let Some(entry) = self.named(Layer::Product, &item, above) {
                    self.products.insert(entry, product);
                }
            }
        }
    }

    /// Whether ids of tasks may be those of several items.
    pub fn may_repeat(&self) -> bool {
        let resources = self.of_layer.get(&Layer::Resource);
        self.is_ambiguous || resources.is_some_and(|orders| orders.len() > 1)
    }

    /// What a product order item says of its product under a key, in the item itself or else as the
    /// product is installed.
    fn of_product(&self, own: Option<Node<'d>>, entry: usize, key: &str) -> Option<Node<'d>> {
        own.or_else(|| self.products.get(&entry)?.get(key))
    }

    /// `productOffering` of a product order item, or of the installed product that it is about.
    pub fn offering(&self, product: usize) -> Option<Node<'d>> {
        let own = self.entries[product].item.node.get("productOffering");
        self.of_product(own, product, "productOffering")
    }

    /// Id of the product specification of a product order item, or of the installed product that it
    /// is about.
    pub fn product_specification(&self, product: usize) -> Option<Cow<'d, str>> {
        let own = self.entries[product].item.specification;
        let own = own.map(|it| it.node);
        self.of_product(own, product, "productSpecification")?
            .text("id")
    }

    /// The item of a layer with an id: in the order of this name, if that is here.
    fn named(&self, layer: Layer, id: &str, named: Option<&str>) -> Option<usize> {
        let order = named.and_then(|named| self.named_orders.get(&(layer, named)));
        let found = order.and_then(|order| self.by_order.get(&(*order, id)));
        let elsewhere = || match self.of_layer.get(&layer)?.as_slice() {
            [only] => self.by_order.get(&(*only, id)),
            _ => self.by_layer.get(&(layer, id)),
        };
        found.or_else(elsewhere).copied()
    }

    /// The item of an item's own order that a relationship names.
    pub fn beside(&self, entry: usize, relationship: &ItemRelationship<'_>) -> Option<usize> {
        let order = self.entries[entry].order;
        self.by_order.get(&(order, &*relationship.item)).copied()
    }

    /// Whether a relationship is to an item of the order that it stands in.
    pub fn is_here(&self, entry: usize, relationship: &ItemRelationship<'_>) -> bool {
        let id = self.orders[self.entries[entry].order].id();
        let named = relationship.order.as_deref();
        named.is_none_or(|named| id.is_none_or(|id| **id == *named))
    }

    /// Hands the tasks below each item up to those above. Items above come later, except those of
    /// the same order, which come before.
    fn hand_up(&mut self) {
        let mut sequence: Vec<usize> = (0..self.entries.len()).collect();
        sequence.sort_by_key(|entry| {
            let it = &self.entries[*entry];
            (it.layer, std::cmp::Reverse(it.depth))
        });
        for entry in sequence {
            let mut tasks = std::mem::take(&mut self.entries[entry].tasks);
            tasks.sort_unstable();
            tasks.dedup();
            for position in 0..self.entries[entry].above.len() {
                let above = self.entries[entry].above[position];
                self.entries[above].tasks.extend_from_slice(&tasks);
            }
            tasks.shrink_to_fit();
            self.entries[entry].tasks = tasks;
        }
    }

    /// The items above an item, nearest first; itself not among them.
    pub fn ancestors(&self, entry: usize) -> Vec<usize> {
        let mut found: Vec<usize> = self.entries[entry].above.to_vec();
        let mut seen: HashSet<usize> = found.iter().copied().collect();
        let mut next = 0;
        while let Some(&other) = found.get(next) {
            next += 1;
            let above = self.entries[other].above.iter().copied();
            found.extend(above.filter(|it| seen.insert(*it)));
        }
        found
    }

    /// Whether one item of an order is somewhere inside another.
    pub fn is_inside(&self, inner: usize, outer: usize) -> bool {
        let mut here = self.entries[inner].holder;
        while let Some(holder) = here {
            if holder == outer {
                return true;
            }
            here = self.entries[holder].holder;
        }
        false
    }

    /// Where an item is: the place that its entity names or was installed at, else that of what is
    /// above it. None where it is in several places.
    pub fn place(&self, entry: usize) -> Option<Node<'d>> {
        let it = &self.entries[entry];
        let named = it.item.entity.and_then(|it| it.get("place"));
        if let Some(own) = named.or_else(|| it.installed()?.get("place")) {
            return match own.kind() {
                Kind::Array => {
                    let mut places = own.elements();
                    places.next().filter(|_| places.next().is_none())
                }
                _ => Some(own),
            };
        }
        let mut above = self.entries[entry].above.iter();
        let first = self.place(*above.next()?)?;
        let site = Site::of(first);
        let same = |other: &usize| self.place(*other).is_some_and(|it| Site::of(it) == site);
        above.all(same).then_some(first)
    }

    /// Which place an item is at.
    pub fn site(&self, entry: usize) -> Option<Site<'d>> {
        Site::of(self.place(entry)?)
    }
}

//! What tasks are of: specifications, places, products. Rules name these.

use super::layers::{Layer, Layers};
use crate::catalog::{Catalog, Facing, Subject, Values};
use crate::model::{Action, OrderItem, Site};

/// A list, and the key of an element of it.
pub type Element<'s> = (&'s str, String);

/// The tasks of items, as the rules of a catalog see them.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s, 'a, 'd> {
    /// The catalog.
    pub catalog: &'s Catalog,
    /// The items.
    pub layers: &'s Layers<'a, 'd>,
    /// The item of each task.
    pub entries: &'s [usize],
}

impl<'s, 'd: 's> Scope<'s, '_, 'd> {
    /// An item.
    pub fn item(&self, entry: usize) -> &'s OrderItem<'_, 'd> {
        &self.layers.entries[entry].item
    }

    /// Id of the specification of an item.
    pub fn specification(&self, entry: usize) -> Option<&'s str> {
        Some(&self.layers.entries[entry].item.specification?.id)
    }

    /// Whether a task is of a specification: of its resource, or of a service that it realizes.
    pub fn is_of(&self, task: usize, id: &str) -> bool {
        let entry = self.entries[task];
        if self.specification(entry) == Some(id) || self.realizes(entry, id) {
            return true;
        }
        let mut above = self.layers.ancestors(entry).into_iter();
        above.any(|it| {
            self.layers.entries[it].layer == Layer::Service && self.specification(it) == Some(id)
        })
    }

    /// Whether a resource order item stands for a resource-facing service. It does not name that,
    /// but it is of one of its resources, and where other services have that too it is called as
    /// the service is.
    fn realizes(&self, entry: usize, id: &str) -> bool {
        let Some(service) = self.catalog.service(id) else {
            return false;
        };
        let resource = self.specification(entry);
        let resources = &service.resources;
        let own = |index: &_| Some(&*self.catalog.resource_at(*index).specification.id) == resource;
        if service.facing != Facing::Resource || !resources.iter().any(own) {
            return false;
        }
        let name = self.item(entry).entity.and_then(|it| it.text("name"));
        let shared = self.catalog.is_shared(resource.unwrap_or_default());
        let called = |name: &str| service.specification.key_in(name).is_some();
        !shared || name.as_deref().is_some_and(called)
    }

    /// What a product order item is about.
    pub fn subjects(&self, product: usize) -> Vec<Subject> {
        let offering = self.layers.offering(product).and_then(|it| it.text("id"));
        let product = self.layers.product_specification(product);
        self.catalog
            .subjects(offering.as_deref(), product.as_deref())
    }

    /// The characteristics of a product order item. What holds by default counts for what is new
    /// only: of what is changed the order says what changes.
    pub fn product_values(&self, product: usize) -> Values<'s> {
        let item = self.item(product);
        let offering = self.layers.offering(product);
        let offering = offering.and_then(|it| self.catalog.offering(&it.text("id")?));
        let known = self.layers.product_specification(product);
        let known = known.and_then(|id| self.catalog.product(&id));
        let known = known.or_else(|| Some(self.catalog.product_at(offering?.product?)));
        let specification = known.map(|it| &it.specification);
        if item.action == Some(Action::Add) {
            Values::of_item(item.characteristics.iter(), offering, specification)
        } else {
            Values::given(item.characteristics.iter(), specification)
        }
    }

    /// The characteristics of a service order item, those that stay as they are installed among them.
    pub fn service_values(&self, service: usize) -> Values<'s> {
        let entry = &self.layers.entries[service];
        let known = self.specification(service);
        let known = known.and_then(|id| self.catalog.service(id));
        let all = entry.item.characteristics.iter().chain(entry.staying());
        Values::of_item(all, None, known.map(|it| &it.specification))
    }

    /// The list for whose elements a service order item is made, and the key of its own.
    pub fn element(&self, service: usize) -> Option<Element<'s>> {
        let known = self.catalog.service(self.specification(service)?)?;
        let list = known.list.as_deref()?;
        let name = self.item(service).entity?.text("name")?;
        let key = known.specification.key_in(&name)?;
        Some((list, known.element_in(key)?.to_owned()))
    }

    /// The elements of a list for which the services are made that a task realizes.
    pub fn elements_of(&self, task: usize, list: &str) -> Vec<String> {
        let above = self.layers.ancestors(self.entries[task]).into_iter();
        let services = above.filter(|it| self.layers.entries[*it].layer == Layer::Service);
        let elements = services.filter_map(|it| self.element(it));
        let of_list = elements.filter(|(other, _)| *other == list);
        of_list.map(|(_, key)| key).collect()
    }

    /// Which place a task is at.
    pub fn site_of(&self, task: usize) -> Option<Site<'d>> {
        self.layers.site(self.entries[task])
    }
}

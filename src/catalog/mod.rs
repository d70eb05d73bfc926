//! The catalog: offerings, specifications and rules; loaded once, checked,
//! indexed, immutable.
//!
//! Invariant: a [`Catalog`] holds no dangling reference, no decomposition
//! cycle, and no expression that was not checked against the characteristics
//! it reads. Whatever breaks that is a diagnostic, and there is no catalog.

mod activation;
pub mod characteristic;
mod constraint;
mod entry;
mod estimate;
pub mod expression;
mod gate;
mod link;
mod load;
mod reach;
mod relation;
mod rollout;
mod rule;
mod ruling;
pub mod space;
mod specification;
mod values;

use foldhash::{HashMap, HashSet};

pub use activation::{
    ActivationRule, CompensationMethod, CompensationRequest, CompensationRule, WindowRule, Work,
};
pub use characteristic::{CharacteristicSpecification, Misfit, ValueType};
pub use constraint::ConstraintRule;
pub use estimate::Estimate;
pub use gate::{After, GateKind, GateRule};
pub(crate) use load::iso_duration;
pub use load::{
    LoadError, Loaded, inspect, load, load_documents, load_selected, parse, read_folder,
};
pub use relation::{Relation, RelationKind};
pub use rollout::{Release, RolloutRule, WaveEnd};
pub use rule::{
    Alternative, Decomposition, Dependency, DependencyScope, Loop, Mapping, MappingSource, Over,
    Share, ShareScope,
};
pub use ruling::Subject;
pub use specification::{
    BundledOffering, Facing, Offering, Period, ProductSpecification, ResourceSpecification,
    ServiceSpecification, Specification,
};
pub use values::{Strength, Values, same};

/// Position of a product specification in its catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProductIndex(pub(crate) usize);

/// Position of a service specification in its catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceIndex(pub(crate) usize);

/// Position of a resource specification in its catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceIndex(pub(crate) usize);

/// A checked catalog.
#[derive(Debug, Default)]
pub struct Catalog {
    pub(crate) offerings: Vec<Offering>,
    pub(crate) products: Vec<ProductSpecification>,
    pub(crate) services: Vec<ServiceSpecification>,
    pub(crate) resources: Vec<ResourceSpecification>,
    activations: Vec<ActivationRule>,
    gates: Vec<GateRule>,
    rollouts: Vec<RolloutRule>,
    constraints: constraint::Constraints,
    relations: relation::Relations,
    offering_by_id: HashMap<String, usize>,
    product_by_id: HashMap<String, ProductIndex>,
    service_by_id: HashMap<String, ServiceIndex>,
    resource_by_id: HashMap<String, ResourceIndex>,
    activation_by_resource: HashMap<ResourceIndex, usize>,
    /// Resources that more than one service names.
    shared_resources: HashSet<ResourceIndex>,
    gates_by_subject: HashMap<Subject, Vec<usize>>,
    rollout_by_subject: HashMap<Subject, usize>,
    /// Whether anything waits for what is at the same place.
    pub(crate) waits_at_sites: bool,
    /// Whether any resource is shared.
    pub(crate) shares_resources: bool,
    digest: String,
}

impl Catalog {
    /// `sha256:…` over all documents, however they are spread over files.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// An offering by id.
    pub fn offering(&self, id: &str) -> Option<&Offering> {
        self.offering_by_id
            .get(id)
            .map(|index| &self.offerings[*index])
    }

    /// A product specification by id.
    pub fn product(&self, id: &str) -> Option<&ProductSpecification> {
        self.product_by_id
            .get(id)
            .map(|index| self.product_at(*index))
    }

    /// A product specification by position.
    pub fn product_at(&self, index: ProductIndex) -> &ProductSpecification {
        &self.products[index.0]
    }

    /// A service specification by id.
    pub fn service(&self, id: &str) -> Option<&ServiceSpecification> {
        self.service_by_id
            .get(id)
            .map(|index| self.service_at(*index))
    }

    /// Position of a service specification by id.
    pub fn service_index(&self, id: &str) -> Option<ServiceIndex> {
        self.service_by_id.get(id).copied()
    }

    /// A service specification by position.
    pub fn service_at(&self, index: ServiceIndex) -> &ServiceSpecification {
        &self.services[index.0]
    }

    /// A resource specification by id.
    pub fn resource(&self, id: &str) -> Option<&ResourceSpecification> {
        self.resource_by_id
            .get(id)
            .map(|index| self.resource_at(*index))
    }

    /// A resource specification by position.
    pub fn resource_at(&self, index: ResourceIndex) -> &ResourceSpecification {
        &self.resources[index.0]
    }

    /// How a resource specification's resources are carried out.
    pub fn activation(&self, resource_specification: &str) -> Option<&ActivationRule> {
        let index = self.resource_by_id.get(resource_specification)?;
        self.activation_by_resource
            .get(index)
            .map(|rule| &self.activations[*rule])
    }

    /// What an order item is about, as rules are declared for it: its offering, and its product
    /// specification, which is that of the offering where the item names none.
    pub fn subjects(&self, offering: Option<&str>, product: Option<&str>) -> Vec<Subject> {
        let offering = offering.and_then(|id| self.offering_by_id.get(id).copied());
        let product = product.and_then(|id| self.product_by_id.get(id).copied());
        let product = product.or_else(|| self.offerings[offering?].product);
        let subjects = [
            offering.map(Subject::Offering),
            product.map(Subject::Product),
        ];
        subjects.into_iter().flatten().collect()
    }

    /// The gates declared for a subject, by id.
    pub fn gates(&self, subject: Subject) -> impl Iterator<Item = &GateRule> {
        let gates = self.gates_by_subject.get(&subject);
        gates.into_iter().flatten().map(|index| &self.gates[*index])
    }

    /// The rollout declared for a subject.
    pub fn rollout(&self, subject: Subject) -> Option<&RolloutRule> {
        let index = self.rollout_by_subject.get(&subject)?;
        Some(&self.rollouts[*index])
    }

    /// Whether resources of a specification stand for more than one service.
    pub(crate) fn is_shared(&self, resource_specification: &str) -> bool {
        let index = self.resource_by_id.get(resource_specification);
        index.is_some_and(|index| self.shared_resources.contains(index))
    }

    /// Whether there are gates or rollouts at all.
    pub fn has_gates(&self) -> bool {
        !self.gates.is_empty() || !self.rollouts.is_empty()
    }

    /// All offerings, in catalog order.
    pub fn offerings(&self) -> &[Offering] {
        &self.offerings
    }

    /// All product specifications, in catalog order.
    pub fn products(&self) -> &[ProductSpecification] {
        &self.products
    }

    /// All service specifications, in catalog order.
    pub fn services(&self) -> &[ServiceSpecification] {
        &self.services
    }

    /// All resource specifications, in catalog order.
    pub fn resources(&self) -> &[ResourceSpecification] {
        &self.resources
    }

    /// All activation rules, in catalog order.
    pub fn activation_rules(&self) -> &[ActivationRule] {
        &self.activations
    }

    /// All gate rules, by id.
    pub fn gate_rules(&self) -> &[GateRule] {
        &self.gates
    }

    /// All rollout rules, by id.
    pub fn rollout_rules(&self) -> &[RolloutRule] {
        &self.rollouts
    }

    /// The product specifications that a rule is declared for: its own; of a bundle those of what is
    /// in it.
    pub fn products_of(&self, subject: Subject) -> Vec<ProductIndex> {
        ruling::products(self, subject)
    }

    /// Ids of all product specifications.
    pub fn product_ids(&self) -> impl Iterator<Item = &str> {
        self.products
            .iter()
            .map(|product| product.specification.id.as_str())
    }

    /// Ids of all service specifications.
    pub fn service_ids(&self) -> impl Iterator<Item = &str> {
        self.services
            .iter()
            .map(|service| service.specification.id.as_str())
    }

    /// Ids of all resource specifications.
    pub fn resource_ids(&self) -> impl Iterator<Item = &str> {
        self.resources
            .iter()
            .map(|resource| resource.specification.id.as_str())
    }

    /// Ids of all offerings.
    pub fn offering_ids(&self) -> impl Iterator<Item = &str> {
        self.offerings.iter().map(|offering| offering.id.as_str())
    }
}

//! Offerings and specifications (TMF620, TMF633, TMF634) as the catalog holds
//! them.

use std::borrow::Cow;

use foldhash::{HashSet, HashSetExt as _};
use jiff::Timestamp;

use super::characteristic::CharacteristicSpecification;
use super::expression::Expression;
use super::rule::{Decomposition, Dependency};
use super::{Catalog, ProductIndex, ResourceIndex, ServiceIndex};
use crate::diagnostic::{Diagnostic, Location};
use crate::document::Node;
use crate::model::date::DateReading;

/// A time from which and to which something holds (`TimePeriod`); open ends are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// First moment.
    pub start: Option<Timestamp>,
    /// Moment from which it no longer holds.
    pub end: Option<Timestamp>,
}

impl Period {
    pub(super) fn read(node: Node<'_>) -> Period {
        let moment = |key: &str| {
            let text = node.get("validFor")?.text(key)?;
            DateReading::of(&text).timestamp()
        };
        Period {
            start: moment("startDateTime"),
            end: moment("endDateTime"),
        }
    }
}

/// What offerings and specifications have in common.
#[derive(Debug, Clone)]
pub struct Specification {
    /// Id, unique among documents of its kind.
    pub id: String,
    /// Name; the id if there is none.
    pub name: String,
    /// `version`
    pub version: Option<String>,
    /// `lifecycleStatus`, as written.
    pub lifecycle_status: Option<String>,
    /// `validFor`
    pub valid_for: Period,
    /// Its characteristics.
    pub characteristics: Vec<CharacteristicSpecification>,
    /// Where it stands.
    pub location: Location,
}

impl Specification {
    pub(super) fn read(
        node: Node<'_>,
        characteristics: &[&str],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Specification {
        let text = |key: &str| node.text(key).filter(|text| !text.is_empty());
        let id = text("id").unwrap_or_default().into_owned();
        let list = characteristics.iter().find_map(|key| node.get(key));
        Specification {
            name: text("name").map_or_else(|| id.clone(), Cow::into_owned),
            id,
            version: text("version").map(Cow::into_owned),
            lifecycle_status: text("lifecycleStatus").map(Cow::into_owned),
            valid_for: Period::read(node),
            characteristics: list.map_or(Vec::new(), |list| {
                list.elements()
                    .map(|node| CharacteristicSpecification::read(node, diagnostics))
                    .collect()
            }),
            location: node.location(),
        }
    }

    /// What one of several is called that are of it: its name, and the key that tells that one
    /// apart.
    pub fn name_of(&self, key: &str) -> Cow<'_, str> {
        match key {
            "" => Cow::Borrowed(&self.name),
            key => Cow::Owned([&self.name, " (", key, ")"].concat()),
        }
    }

    /// The key in the name of something of it, empty if there is none; `None` if it is called
    /// otherwise.
    pub fn key_in<'n>(&self, name: &'n str) -> Option<&'n str> {
        match name.strip_prefix(&self.name)? {
            "" => Some(""),
            rest => rest.strip_prefix(" (")?.strip_suffix(')'),
        }
    }

    /// A characteristic by name.
    pub fn characteristic(&self, name: &str) -> Option<&CharacteristicSpecification> {
        self.characteristics
            .iter()
            .find(|characteristic| characteristic.name == name)
    }

    /// Why it cannot be ordered at `moment`, if it cannot: by its life cycle or its validity.
    /// Life-cycle names are TMF620's; one that is not among them does not forbid.
    pub fn refuses_orders(&self, moment: Option<Timestamp>) -> Option<String> {
        let status = self.lifecycle_status.as_deref().unwrap_or_default();
        let closed = [
            "In study",
            "In design",
            "In test",
            "Rejected",
            "Retired",
            "Obsolete",
        ];
        let compact = |text: &str| text.replace([' ', '_', '-'], "").to_ascii_lowercase();
        if closed.iter().any(|name| compact(name) == compact(status)) {
            return Some(format!("its lifecycleStatus is {status}"));
        }
        let moment = moment?;
        if let Some(start) = self.valid_for.start
            && moment < start
        {
            return Some(format!(
                "it is valid from {start} on, the order is of {moment}"
            ));
        }
        if let Some(end) = self.valid_for.end
            && moment >= end
        {
            return Some(format!(
                "it was valid until {end}, the order is of {moment}"
            ));
        }
        None
    }
}

/// How many of an offering a bundle holds.
#[derive(Debug, Clone)]
pub struct BundledOffering {
    /// Id of the offering inside.
    pub id: String,
    /// Fewest.
    pub minimum: u64,
    /// Most; `None` is no limit.
    pub maximum: Option<u64>,
}

/// TMF620 ProductOffering.
#[derive(Debug, Clone)]
pub struct Offering {
    /// Id, name, life cycle; its characteristics are those of the product specification.
    pub specification: Specification,
    /// Id, for lookups.
    pub id: String,
    /// What is sold, unless it is a bundle only.
    pub product: Option<ProductIndex>,
    /// `isSellable`; true if not said.
    pub sellable: bool,
    /// What a bundle holds.
    pub bundled: Vec<BundledOffering>,
    /// `prodSpecCharValueUse`: what the offering narrows of the product's characteristics.
    pub uses: Vec<CharacteristicSpecification>,
}

impl Offering {
    /// What the offering says about a characteristic, if it narrows it.
    pub fn narrows(&self, characteristic: &str) -> Option<&CharacteristicSpecification> {
        self.uses
            .iter()
            .find(|narrowed| narrowed.name == characteristic)
    }
}

/// TMF620 ProductSpecification.
#[derive(Debug)]
pub struct ProductSpecification {
    /// What all specifications have.
    pub specification: Specification,
    /// The services that it may need, in catalog order.
    pub decompositions: Vec<Decomposition>,
}

impl ProductSpecification {
    /// Whether anything that it is made of, at any depth, looks at the quantity of the item.
    pub fn counts(&self, catalog: &Catalog) -> bool {
        let reads = |it: &Decomposition| it.expressions().any(Expression::reads_quantity);
        let mut open: Vec<&Decomposition> = self.decompositions.iter().collect();
        let mut seen = HashSet::new();
        while let Some(decomposition) = open.pop() {
            if reads(decomposition) {
                return true;
            }
            if seen.insert(decomposition.target) {
                open.extend(&catalog.service_at(decomposition.target).decompositions);
            }
        }
        false
    }
}

/// Whom a service faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facing {
    /// Customer-facing service (CFS).
    Customer,
    /// Resource-facing service (RFS).
    Resource,
}

/// TMF633 ServiceSpecification.
#[derive(Debug)]
pub struct ServiceSpecification {
    /// What all specifications have.
    pub specification: Specification,
    /// CFS or RFS.
    pub facing: Facing,
    /// For a CFS: the services that it may need.
    pub decompositions: Vec<Decomposition>,
    /// Services of the same layer that come first, where they are made.
    pub depends_on: Vec<Dependency>,
    /// Services that its items may wait for, whatever says so.
    pub waits_for: Vec<ServiceIndex>,
    /// Names of the characteristics by which dependencies choose between its items.
    pub observed: Vec<String>,
    /// The list of a product, and how its elements are told apart, if each of its items is made for
    /// an element of one and not shared.
    pub list: Option<String>,
    /// A service is inside others only if their rank is lower.
    pub rank: usize,
    /// The resources that realize it; an RFS has at least one.
    pub resources: Vec<ResourceIndex>,
}

impl ServiceSpecification {
    /// The element of its list that something of it is made for, by the key in its name. Keys of
    /// loops inside that one do not count, nor does what comes after a dot in the key of the element:
    /// nothing tells it from those.
    pub fn element_in<'k>(&self, key: &'k str) -> Option<&'k str> {
        self.list.as_ref()?;
        key.split('.').next().filter(|it| !it.is_empty())
    }
}

/// TMF634 ResourceSpecification.
#[derive(Debug)]
pub struct ResourceSpecification {
    /// What all specifications have.
    pub specification: Specification,
}

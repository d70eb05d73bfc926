//! References between entities and relationships between order items.

use std::borrow::Cow;

use crate::document::Node;

/// A reference by id (`…Ref` in TM Forum's models).
#[derive(Debug, Clone)]
pub struct Reference<'d> {
    /// The reference object.
    pub node: Node<'d>,
    /// Id of what is meant; empty if there is none.
    pub id: Cow<'d, str>,
}

impl<'d> Reference<'d> {
    /// Reads a reference object.
    pub fn read(node: Node<'d>) -> Reference<'d> {
        Reference {
            node,
            id: node.text("id").unwrap_or_default(),
        }
    }

    /// Its name, if given.
    pub fn name(&self) -> Option<Cow<'d, str>> {
        self.node.text("name")
    }
}

/// Id of the product, service or resource that an item is about, if it names one. Some systems
/// write the text `null` for none.
pub fn entity_id(entity: Option<Node<'_>>) -> Option<Cow<'_, str>> {
    let id = entity?.text("id")?;
    (!id.is_empty() && id != "null").then_some(id)
}

/// What a relationship between two order items means to planning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationshipKind {
    /// This item waits for the other one (`dependency`, `dependsOn`, `reliesOn`, `requires`).
    Dependency,
    /// This item holds the other one (`bundles`).
    Bundles,
    /// This item was derived from the other one, in the order above (`realizes`).
    Realizes,
    /// What this item is about was there for the other one too, and no longer is (`releases`).
    Releases,
    /// Informative only.
    Other,
}

impl RelationshipKind {
    /// Kind of a `relationshipType`; TM Forum's order standards leave it a free text.
    pub fn of(relationship_type: &str) -> RelationshipKind {
        let is = |name: &str| relationship_type.eq_ignore_ascii_case(name);
        if is("dependency") || is("dependsOn") || is("reliesOn") || is("requires") {
            RelationshipKind::Dependency
        } else if is("bundles") {
            RelationshipKind::Bundles
        } else if is("realizes") {
            RelationshipKind::Realizes
        } else if is("releases") {
            RelationshipKind::Releases
        } else {
            RelationshipKind::Other
        }
    }
}

/// A relationship written on an order item, in any of the three shapes:
/// TMF622 `{id, relationshipType}`, TMF641/652 `{relationshipType,
/// orderItem: {itemId, …OrderId}}`, version 3 `{id, type}`.
#[derive(Debug, Clone)]
pub struct ItemRelationship<'d> {
    /// The relationship object.
    pub node: Node<'d>,
    /// What it means.
    pub kind: RelationshipKind,
    /// Id of the other item; empty if there is none.
    pub item: Cow<'d, str>,
    /// Id of the other item's order, if it is named.
    pub order: Option<Cow<'d, str>>,
    /// Whether it says nothing but of which kind it is, and to which item.
    pub is_plain: bool,
}

impl<'d> ItemRelationship<'d> {
    /// Reads a relationship object.
    pub fn read(node: Node<'d>) -> ItemRelationship<'d> {
        let name = node.text("relationshipType");
        let item = node.get("orderItem");
        let is_plain = name.is_some() && item.is_some() && node.len() == 2;
        let kind = name
            .or_else(|| node.text("type"))
            .map_or(RelationshipKind::Other, |name| RelationshipKind::of(&name));
        let target = item.unwrap_or(node);
        ItemRelationship {
            node,
            kind,
            is_plain,
            item: target
                .text("itemId")
                .or_else(|| target.text("id"))
                .unwrap_or_default(),
            order: ["serviceOrderId", "resourceOrderId", "productOrderId"]
                .iter()
                .find_map(|key| target.text(key)),
        }
    }

    /// Entity referred to, if it is named (`ProductOrderItem`, …).
    pub fn referred_type(&self) -> Option<Cow<'d, str>> {
        let target = self.node.get("orderItem").unwrap_or(self.node);
        target.text("@referredType")
    }

    /// Time that has to pass after the other item, as ISO 8601 duration; a member of ours.
    pub fn lag(&self) -> Option<Cow<'d, str>> {
        self.node.text("lag")
    }

    /// The relationships listed under the first of `keys` that the item has.
    pub fn list(item: Node<'d>, keys: &[&str]) -> Vec<ItemRelationship<'d>> {
        let array = keys.iter().find_map(|key| item.get(key));
        array.map_or(Vec::new(), |array| {
            let mut list = Vec::with_capacity(array.len());
            list.extend(array.elements().map(Self::read));
            list
        })
    }
}

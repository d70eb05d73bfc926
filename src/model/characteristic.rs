//! Characteristics: named values of products, services and resources.

use std::borrow::Cow;

use crate::document::Node;

/// A characteristic of an entity, name and value (TM Forum `Characteristic`).
#[derive(Debug, Clone)]
pub struct Characteristic<'d> {
    /// The characteristic object.
    pub node: Node<'d>,
    /// Name; empty if there is none.
    pub name: Cow<'d, str>,
    /// Value, unless absent or `null`.
    pub value: Option<Node<'d>>,
}

impl<'d> Characteristic<'d> {
    /// Reads the characteristics listed under `key` of an entity.
    pub fn list(entity: Node<'d>, key: &str) -> Vec<Characteristic<'d>> {
        entity.list(key).map(Characteristic::read).collect()
    }

    fn read(node: Node<'d>) -> Characteristic<'d> {
        Characteristic {
            node,
            name: node.text("name").unwrap_or_default(),
            value: node.get("value"),
        }
    }
}

/// The characteristics of an order item, which are read each time that somebody asks for them:
/// mostly that is once, or never.
#[derive(Debug, Clone, Copy)]
pub struct Characteristics<'d> {
    list: Option<Node<'d>>,
}

impl<'d> Characteristics<'d> {
    /// Those listed under `key` of an entity, if there is one.
    pub fn of(entity: Option<Node<'d>>, key: &str) -> Characteristics<'d> {
        Characteristics {
            list: entity.and_then(|entity| entity.member(key)),
        }
    }

    /// Each of them, as they are written.
    pub fn iter(self) -> impl Iterator<Item = Characteristic<'d>> {
        let elements = self.list.map(Node::elements);
        elements.into_iter().flatten().map(Characteristic::read)
    }
}

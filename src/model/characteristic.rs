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
        entity
            .list(key)
            .map(|node| Characteristic {
                node,
                name: node.text("name").unwrap_or_default(),
                value: node.get("value"),
            })
            .collect()
    }
}

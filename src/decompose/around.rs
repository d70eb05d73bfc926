//! What expressions see around the item that is being decomposed.

use std::borrow::Cow;

use crate::catalog::Values;
use crate::catalog::expression::Bindings;
use crate::document::{Kind, Node};
use crate::model::{Site, place};

/// What stands around an order item.
#[derive(Debug)]
pub struct Surroundings<'v> {
    /// `product`: characteristics of the product order item at the root.
    pub product: Option<&'v Values<'v>>,
    /// `item`
    pub item: &'v [(&'static str, String); 3],
    /// `order`
    pub order: &'v [(&'static str, String)],
}

impl<'v> Surroundings<'v> {
    /// The variables of expressions, but for those that tell of what is decomposed.
    pub fn bindings(&self) -> Bindings<'v> {
        let mut bindings = Bindings::new();
        if let Some(product) = self.product {
            bindings.bind_object("product", product.iter());
        }
        bindings.bind_object("item", texts(self.item));
        bindings.bind_object("order", texts(self.order));
        bindings
    }
}

fn texts<'v>(members: &'v [(&'static str, String)]) -> impl Iterator<Item = (&'v str, &'v str)> {
    members.iter().map(|(name, text)| (*name, text.as_str()))
}

/// The places of an entity, as its member `place` gives them: a list, one object, or none.
#[derive(Debug, Clone)]
pub struct Places<'v> {
    member: Option<Node<'v>>,
    /// A list that the entity does not write as one.
    list: Cow<'static, str>,
}

impl<'v> Places<'v> {
    /// The places that a member `place` gives.
    pub fn of(member: Option<Node<'v>>) -> Self {
        let list = match member {
            Some(node) if node.kind() == Kind::Array => Cow::Borrowed(""),
            Some(node) => Cow::Owned(format!("[{}]", node.raw())),
            None => Cow::Borrowed("[]"),
        };
        Places { member, list }
    }

    /// The variables of a thing that is decomposed, over those that stand around it.
    pub fn bindings<'b>(
        &'b self,
        around: &'b Bindings<'b>,
        source: &'b Values<'b>,
    ) -> Bindings<'b> {
        let mut bindings = Bindings::over_with(around, 5);
        bindings.bind_object("source", source.iter());
        // Until there are any.
        bindings.bind_object("siblings", []);
        bindings.bind_object("installed", []);
        bind_place(&mut bindings, first(self.member));
        match self.member {
            Some(node) if self.list.is_empty() => bindings.bind_node("places", node),
            _ => bindings.bind_text("places", &self.list),
        }
        bindings
    }
}

/// Binds `place`.
pub fn bind_place<'b>(bindings: &mut Bindings<'b>, place: Option<Node<'b>>) {
    match place {
        Some(place) => bindings.bind_node("place", place),
        None => bindings.bind_object("place", []),
    }
}

/// The first place that a member `place` gives.
pub fn first(member: Option<Node<'_>>) -> Option<Node<'_>> {
    let member = member?;
    match member.kind() {
        Kind::Array => member.elements().next(),
        _ => Some(member),
    }
}

/// Whether two entities say the same of where they are: the same place, by the same name, in the
/// same role.
pub fn same_place(one: Option<Node<'_>>, other: Option<Node<'_>>) -> bool {
    let text = |node: Option<Node<'_>>, key: &str| {
        let member = place::member(node?, key)?;
        Some(member.compact().into_owned())
    };
    one.and_then(Site::of) == other.and_then(Site::of)
        && ["name", "role"]
            .into_iter()
            .all(|key| text(one, key) == text(other, key))
}

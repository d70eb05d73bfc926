//! Derived orders as they are written: TMF641 4.1 and TMF652 4.0.

use std::borrow::Cow;

use super::around;
use crate::catalog::{Specification, Values};
use crate::document::{Composer, Document, Kind, Node, Piece, Pieces};
use crate::inventory::{self, Installed};
use crate::model::identifier::{EXTERNAL_IDENTIFIER, Identifier};
use crate::model::product_order::{INSTALLED_PRODUCT, PRODUCT_ORDER_ITEM, external_id};
use crate::model::resource_order::INSTALLED_RESOURCE;
use crate::model::service_order::INSTALLED_SERVICE;

/// Bytes that an item takes beside what it is about and its relationships, at most if ids are short.
const ITEM_SIZE: usize = 320;

/// Bytes that a relationship takes beside ids.
const RELATIONSHIP_SIZE: usize = 160;

/// An item of a derived order while its order is being made.
#[derive(Debug)]
pub struct Item<'c> {
    /// Its id.
    pub id: String,
    /// The action of the item above.
    pub action: &'static str,
    /// The quantity of the item above.
    pub quantity: i64,
    /// The specification, where it stands beside the entity (TMF652).
    pub specification: Option<&'c Specification>,
    /// The service or resource.
    pub entity: Piece,
    /// The service or resource as it is installed, where the item changes or removes it.
    pub installed: Option<Piece>,
    /// Ids of the items that it realizes, in the order above.
    pub realizes: Vec<String>,
    /// Ids of items that it was made for before the order and no longer is, and whether they are of
    /// its own order.
    pub releases: Vec<(String, bool)>,
    /// Ids of items of its own order that it holds beside others.
    pub bundles: Vec<String>,
    /// Ids of the items of its own order that come before it, with the time between the two.
    pub dependencies: Vec<Before>,
}

/// An item that comes before another one.
#[derive(Debug)]
pub struct Before {
    /// Its id.
    pub id: String,
    /// Time between the two, as ISO 8601 duration.
    pub lag: Option<String>,
    /// Whether it counts as well where it failed.
    pub until_ended: bool,
}

/// Where a derived order comes from.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Id of the derived order.
    pub id: &'a str,
    /// The order above.
    pub above: Node<'a>,
    /// Id of the order above.
    pub above_id: &'a str,
    /// What its items are about and do not say themselves: installed products, each with the id of
    /// its item.
    pub products: &'a [(String, Node<'a>)],
}

/// A derived order: where it comes from, and what is in it.
#[derive(Debug)]
pub struct Derivation<'a> {
    /// Where it comes from.
    pub head: Head<'a>,
    /// The items.
    pub items: &'a [Item<'a>],
    /// What the items are about.
    pub pieces: &'a Pieces,
    /// Bytes that it takes, roughly.
    pub size: usize,
}

/// Bytes that a derived order takes, roughly, and rather too many.
pub fn size(items: &[Item<'_>], pieces: &Pieces) -> usize {
    let related = |id: &String| RELATIONSHIP_SIZE + 2 * id.len();
    let of_item = |item: &Item<'_>| {
        let realizes: usize = item.realizes.iter().map(related).sum();
        let before: usize = item.dependencies.iter().map(|it| related(&it.id)).sum();
        ITEM_SIZE + item.id.len() + realizes + before
    };
    let items: usize = items.iter().map(of_item).sum();
    4 * ITEM_SIZE + pieces.size() + items
}

/// What differs between the layers in how items refer to each other.
struct Layer {
    item_type: &'static str,
    relationships: &'static str,
    /// Member that names the order of an item of this layer.
    order_member: &'static str,
    entity: &'static str,
    /// Member that holds the entity as it is installed.
    installed: &'static str,
    item_above_type: &'static str,
}

const SERVICE: Layer = Layer {
    item_type: "ServiceOrderItem",
    relationships: "serviceOrderItemRelationship",
    order_member: "serviceOrderId",
    entity: "service",
    installed: INSTALLED_SERVICE,
    item_above_type: "ProductOrderItem",
};

const RESOURCE: Layer = Layer {
    item_type: "ResourceOrderItem",
    relationships: "orderItemRelationship",
    order_member: "resourceOrderId",
    entity: "resource",
    installed: INSTALLED_RESOURCE,
    item_above_type: "ServiceOrderItem",
};

/// A TMF641 `ServiceOrder` made from a product order.
pub fn service_order(derivation: &Derivation<'_>) -> Document {
    let Head {
        id,
        above,
        above_id,
        products,
    } = derivation.head;
    let mut order = Composer::new(derivation.size);
    order.object(|order| {
        head(order, "ServiceOrder", derivation);
        if let Some(priority) = above.get("priority") {
            let text = priority.as_str().unwrap_or(Cow::Borrowed(priority.raw()));
            order.key("priority").string(&text);
        }
        order.key("state").string("acknowledged");
        order
            .key("orderRelationship")
            .array([above_id], |list, id| {
                list.object(|relationship| {
                    relationship.key("id").string(id);
                    relationship.key("relationshipType").string("cross-ref");
                    relationship.key("@referredType").string("ProductOrder");
                });
            });
        related_parties(order, above);
        if !products.is_empty() {
            order
                .key(INSTALLED_PRODUCT)
                .array(products, installed_product);
        }
        order
            .key("serviceOrderItem")
            .array(derivation.items, |list, it| {
                item(list, it, &SERVICE, derivation);
            });
    });
    order.finish(&format!("ServiceOrder {id}"))
}

/// A TMF652 `ResourceOrder` made from a service order.
pub fn resource_order(derivation: &Derivation<'_>) -> Document {
    let Head {
        id,
        above,
        above_id,
        ..
    } = derivation.head;
    let mut order = Composer::new(derivation.size);
    order.object(|order| {
        head(order, "ResourceOrder", derivation);
        let priority = above.get("priority");
        let number = |node: Node<'_>| node.as_i64().or_else(|| node.as_str()?.trim().parse().ok());
        if let Some(priority) = priority.and_then(number) {
            order.key("priority").integer(priority);
        }
        order.key("state").string("acknowledged");
        // The members of both published schemas.
        order
            .key("externalReference")
            .array([above_id], |list, id| {
                list.object(|reference| {
                    reference.key("id").string(id);
                    reference.key("name").string(id);
                    reference
                        .key("externalReferenceType")
                        .string("ServiceOrder");
                    reference.key("entityType").string("ServiceOrder");
                    reference.key("owner").string("SOM");
                });
            });
        related_parties(order, above);
        order.key("orderItem").array(derivation.items, |list, it| {
            item(list, it, &RESOURCE, derivation);
        });
    });
    order.finish(&format!("ResourceOrder {id}"))
}

/// What an order hands down to the order below.
fn head(order: &mut Composer, type_name: &str, derivation: &Derivation<'_>) {
    let above = derivation.head.above;
    order.key("@type").string(type_name);
    order.key("id").string(derivation.head.id);
    if let Some(id) = external_id(above) {
        order.key("externalId").string(&id);
    }
    let text = |key: &str| above.get(key).filter(|node| node.as_str().is_some());
    for (key, value) in [
        ("category", text("category")),
        ("description", text("description")),
        (
            "orderDate",
            text("orderDate").or_else(|| text("creationDate")),
        ),
        ("requestedStartDate", text("requestedStartDate")),
        ("requestedCompletionDate", text("requestedCompletionDate")),
    ] {
        if let Some(value) = value {
            order.key(key).copy(value);
        }
    }
}

fn item(list: &mut Composer, item: &Item<'_>, layer: &Layer, derivation: &Derivation<'_>) {
    list.object(|to| {
        to.key("@type").string(layer.item_type);
        to.key("id").string(&item.id);
        to.key("action").string(item.action);
        to.key("quantity").integer(item.quantity);
        to.key("state").string("acknowledged");
        if let Some(specification) = &item.specification {
            let to = to.key("resourceSpecification");
            reference(to, specification, "ResourceSpecification");
        }
        to.key(layer.entity).piece(derivation.pieces, item.entity);
        if let Some(installed) = item.installed {
            to.key(layer.installed).piece(derivation.pieces, installed);
        }
        // TMF641 and TMF652 name the order of an item above by the same member.
        let realizes = item.realizes.iter().map(|above| Relationship {
            kind: "realizes",
            lag: None,
            until: None,
            item: above,
            order: (SERVICE.order_member, derivation.head.above_id),
            referred_type: layer.item_above_type,
        });
        let dependencies = item.dependencies.iter().map(|before| Relationship {
            kind: "dependency",
            lag: before.lag.as_deref(),
            until: before.until_ended.then_some("ended"),
            item: &before.id,
            order: (layer.order_member, derivation.head.id),
            referred_type: layer.item_type,
        });
        let own = |kind: &'static str, item| Relationship {
            kind,
            lag: None,
            until: None,
            item,
            order: (layer.order_member, derivation.head.id),
            referred_type: layer.item_type,
        };
        let releases = item.releases.iter().map(|(other, of_own_order)| {
            let above = Relationship {
                order: (SERVICE.order_member, derivation.head.above_id),
                referred_type: layer.item_above_type,
                ..own("releases", other)
            };
            if *of_own_order {
                own("releases", other)
            } else {
                above
            }
        });
        let bundles = item.bundles.iter().map(|held| own("bundles", held));
        let related = realizes.chain(releases).chain(bundles).chain(dependencies);
        to.key(layer.relationships).array(related, relationship);
    });
}

/// A relationship between items.
#[derive(Clone, Copy)]
struct Relationship<'a> {
    kind: &'static str,
    lag: Option<&'a str>,
    until: Option<&'static str>,
    item: &'a str,
    /// Member that names the order of the other item, and its id.
    order: (&'static str, &'a str),
    referred_type: &'static str,
}

/// Writes a relationship in the shape of TMF641 and TMF652. The swagger files require `id`
/// though they name the item `itemId`; both are written.
fn relationship(list: &mut Composer, relationship: Relationship<'_>) {
    list.object(|to| {
        to.key("relationshipType").string(relationship.kind);
        if let Some(lag) = relationship.lag {
            to.key("lag").string(lag);
        }
        if let Some(until) = relationship.until {
            to.key("until").string(until);
        }
        to.key("orderItem").object(|to| {
            to.key("id").string(relationship.item);
            to.key("itemId").string(relationship.item);
            let (member, order) = relationship.order;
            to.key(member).string(order);
            to.key("@referredType").string(relationship.referred_type);
        });
    });
}

/// What an item is about.
#[derive(Clone, Copy)]
pub struct Entity<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its member `place`, where it is written.
    pub place: Option<Node<'a>>,
}

/// TMF641 `ServiceRefOrValue`. `product`: the one that it is part of, where its order item does not
/// tell.
pub fn service(
    to: &mut Composer,
    (entity, product): (&Entity<'_>, Option<&str>),
    specification: &Specification,
    values: &Values<'_>,
) {
    to.object(|to| {
        to.key("@type").string("Service");
        to.key("id").string(entity.id);
        to.key("name").string(entity.name);
        to.key("category").string("CFS");
        to.key("serviceType").string("CFS");
        reference(
            to.key("serviceSpecification"),
            specification,
            "CustomerFacingServiceSpecification",
        );
        if let Some(product) = product {
            to.key("relatedEntity").array([product], |list, id| {
                list.object(|to| {
                    to.key("id").string(id);
                    to.key("role").string("product");
                    to.key("@referredType").string("Product");
                });
            });
        }
        if let Some(place) = entity.place {
            match place.kind() {
                Kind::Array => to.key("place").copy(place),
                _ => to.key("place").array([place], Composer::copy),
            }
        }
        characteristics(to, ("serviceCharacteristic", values));
    });
}

/// TMF652 `ResourceRefOrValue`.
pub fn resource(to: &mut Composer, entity: &Entity<'_>, values: &Values<'_>) {
    to.object(|to| {
        to.key("@type").string("Resource");
        to.key("id").string(entity.id);
        to.key("name").string(entity.name);
        // TMF652 knows one place a resource.
        if let Some(place) = around::first(entity.place) {
            to.key("place").copy(place);
        }
        characteristics(to, ("resourceCharacteristic", values));
    });
}

/// What an installed product is, and which item is about it.
fn installed_product(list: &mut Composer, (item, product): &(String, Node<'_>)) {
    list.object(|to| {
        to.key("@type").string("Product");
        to.key("id").string(&product.text("id").unwrap_or_default());
        to.key(PRODUCT_ORDER_ITEM).string(item);
        for key in ["productOffering", "productSpecification"] {
            let reference = product.get(key);
            if let Some(reference) = reference.filter(|it| it.kind() == Kind::Object) {
                to.key(key).copy(reference);
            }
        }
    });
}

/// A service or resource as it is installed, with what it takes to make it so again. What cannot be
/// read of a service counts as absent.
pub fn installed(to: &mut Composer, installed: &Installed<'_>) {
    let is_service = installed.layer == inventory::Layer::Service;
    to.object(|to| {
        to.key("@type")
            .string(if is_service { "Service" } else { "Resource" });
        to.key("id").string(&installed.id);
        if let Some(name) = installed.node.text("name") {
            to.key("name").string(&name);
        }
        if is_service {
            let places = places(installed);
            if !places.is_empty() {
                to.key("place").array(places, Composer::copy);
            }
        } else if let Some(place) = installed.place() {
            to.key("place").copy(place);
        }
        let key = installed.layer.characteristics();
        let named = |it: &Node<'_>| it.text("name").is_some_and(|name| !name.is_empty());
        let list = installed.node.list(key);
        let mut list = list.filter(|it| !is_service || named(it)).peekable();
        if list.peek().is_some() {
            to.key(key).array(list, Composer::copy);
        }
        // By these its endpoint is asked to change or remove it.
        let named = installed.node.list(EXTERNAL_IDENTIFIER);
        let named = named.filter(|it| !is_service && Identifier::read(*it).is_some());
        let mut named = named.peekable();
        if named.peek().is_some() {
            to.key(EXTERNAL_IDENTIFIER).array(named, Composer::copy);
        }
    });
}

/// The places of an installed service, which may be several.
fn places<'i>(installed: &Installed<'i>) -> Vec<Node<'i>> {
    let Some(member) = installed.node.get("place") else {
        return Vec::new();
    };
    let mut places = match member.kind() {
        Kind::Array => member.elements().collect(),
        _ => vec![member],
    };
    places.retain(|it| it.kind() == Kind::Object);
    places
}

/// `ServiceSpecificationRef` and `ResourceSpecificationRef`.
fn reference(to: &mut Composer, specification: &Specification, referred_type: &str) {
    to.object(|to| {
        to.key("id").string(&specification.id);
        to.key("name").string(&specification.name);
        if let Some(version) = &specification.version {
            to.key("version").string(version);
        }
        to.key("@referredType").string(referred_type);
    });
}

fn characteristics(to: &mut Composer, (key, values): (&str, &Values<'_>)) {
    if values.iter().next().is_some() {
        to.key(key).array(values.iter(), characteristic);
    }
}

/// TM Forum `Characteristic`.
fn characteristic(list: &mut Composer, (name, value): (&str, &str)) {
    list.object(|to| {
        to.key("name").string(name);
        to.key("valueType").string(value_type(value));
        let value = to.key("value").json(value);
        value.expect("values are JSON texts, from parsed documents or checked");
    });
}

fn value_type(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'[') => "array",
        Some(b'{') => "object",
        _ if json.contains(['.', 'e', 'E']) => "number",
        _ => "integer",
    }
}

/// Related parties in the shape of version 4, with the members that TMF641 4.1 demands.
fn related_parties(order: &mut Composer, above: Node<'_>) {
    let parties = above.list("relatedParty").filter_map(|node| {
        // Version 5 wraps the party.
        let party = node.get("partyOrPartyRole").unwrap_or(node);
        Some((party.text("id")?, party, node))
    });
    let mut parties = parties.peekable();
    if parties.peek().is_none() {
        return;
    }
    order
        .key("relatedParty")
        .array(parties, |list, (id, party, node)| {
            list.object(|to| {
                to.key("@type").string("RelatedParty");
                to.key("id").string(&id);
                for (key, holder) in [("href", party), ("name", party), ("role", node)] {
                    if let Some(value) = holder.text(key).filter(|value| !value.is_empty()) {
                        to.key(key).string(&value);
                    }
                }
                let referred = party
                    .text("@referredType")
                    .unwrap_or(Cow::Borrowed("Party"));
                if !referred.is_empty() {
                    to.key("@referredType").string(&referred);
                }
            });
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Inventory, Layer};

    #[test]
    fn what_is_installed_is_told_with_the_ids_by_which_endpoints_know_it() {
        let known = r#"{"owner":"olt","externalIdentifierType":"Resource","id":"olt-7"}"#;
        let text = format!(
            r#"{{"@type":"Resource","id":"R","externalIdentifier":
                [{{"owner":"olt","externalIdentifierType":"serialNumber","id":"SN"}},{known},7]}}"#
        );
        let document = Document::parse(text, "test").expect("JSON");
        let service = r#"{"@type":"Service","id":"R","externalIdentifier":[]}"#;
        let service = Document::parse(service.to_owned(), "test").expect("JSON");
        let inventory = Inventory::of(vec![document, service]).0;
        let told = |layer| {
            let mut to = Composer::new(64);
            installed(&mut to, &inventory.get(layer, "R").expect("it is there"));
            to.finish("test").text().to_owned()
        };
        assert_eq!(
            told(Layer::Resource),
            format!(r#"{{"@type":"Resource","id":"R","externalIdentifier":[{known}]}}"#)
        );
        assert_eq!(told(Layer::Service), r#"{"@type":"Service","id":"R"}"#);
    }
}

//! TM Forum entities as they are on the wire.
//!
//! Each entity is a view that borrows from its document: it holds what
//! orderctl works with, read leniently (version 3 and 5 spellings, `null` for
//! absent), and the node it was read from, so that a finding can name the
//! place. What a view does not hold stays in the document.

pub mod action;
pub mod characteristic;
pub mod date;
pub mod digest;
pub mod identifier;
pub mod order;
pub mod place;
pub mod product_order;
pub mod reference;
pub mod resource_order;
pub mod service_order;
pub mod state;
pub mod version5;

pub use action::Action;
pub use characteristic::{Characteristic, Characteristics};
pub use order::{Order, OrderItem};
pub use place::Site;
pub use product_order::{ProductOrder, ProductOrderItem};
pub use reference::{ItemRelationship, Reference, entity_id};
pub use resource_order::{ResourceOrder, ResourceOrderItem};
pub use service_order::{ServiceOrder, ServiceOrderItem};

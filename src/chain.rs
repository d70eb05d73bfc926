//! A chain: an order and everything derived from it, root first.
//!
//! A stream is cut into chains by what each document says about where it came
//! from; nothing is looked up elsewhere. Documents that are neither orders nor
//! plans do not cut a chain: they ride along with the one before them.

use crate::document::{Document, DocumentKind};
use crate::model::digest::{ITEM_LISTS, order_digest};
use crate::model::product_order::external_id;
use crate::model::state::OrderState;
use crate::model::version5::flattened;
use crate::model::{Order, ResourceOrder, ServiceOrder};
use crate::parallel;

/// Documents that belong together, in the order of the stream.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The documents; the first is the root.
    pub documents: Vec<Document>,
}

/// How a document stands to the chain before it in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It begins a chain of its own.
    Root,
    /// It is derived from a document of the chain.
    Derived,
    /// It is neither an order nor a plan, and goes along with the chain.
    Foreign,
}

/// Most foreign documents in a row, and most bytes of them, that are kept until it is known
/// whether the chain goes on behind them.
const FOREIGN: usize = 64;
const FOREIGN_SIZE: usize = 1 << 20;

/// Chains of so many bytes are given back by another thread.
const LARGE: usize = 1 << 20;

impl Chain {
    /// A chain that begins with a document.
    pub fn new(root: Document) -> Chain {
        Chain {
            documents: vec![root],
        }
    }

    /// Gives back the memory of a chain that is done with; of a large one beside what follows.
    pub fn discard(self) {
        let size: usize = self.documents.iter().map(|it| it.text().len()).sum();
        if size >= LARGE {
            parallel::discard(self);
        }
    }

    /// Whether a document may belong to a chain before it at all: if not, it begins one,
    /// whatever came before. For an order, that is said by what it names.
    pub fn may_be_derived(document: &Document) -> bool {
        match DocumentKind::of(document) {
            DocumentKind::ServiceOrder => ServiceOrder::product_order_of(document.root()).is_some(),
            DocumentKind::ResourceOrder => {
                ResourceOrder::service_order_of(document.root()).is_some()
            }
            DocumentKind::ProductOrder => false,
            // A plan, or something that goes along.
            _ => true,
        }
    }

    /// How a document stands to this chain.
    pub fn link(&self, document: &Document) -> Link {
        if !is_own(document) {
            let last = || self.documents.iter().rev().take_while(|it| !is_own(it));
            let size: usize = last().map(|it| it.text().len()).sum();
            let goes_along = self.documents.first().is_some_and(is_own)
                && last().count() < FOREIGN
                && size + document.text().len() <= FOREIGN_SIZE;
            return if goes_along {
                Link::Foreign
            } else {
                Link::Root
            };
        }
        let named = match DocumentKind::of(document) {
            DocumentKind::ServiceOrder => ServiceOrder::product_order_of(document.root()),
            DocumentKind::ResourceOrder => ResourceOrder::service_order_of(document.root()),
            DocumentKind::OrchestrationPlan => document
                .root()
                .list("relatedEntity")
                .find(|entity| entity.text("role").as_deref() == Some("rootOrder"))
                .and_then(|entity| entity.text("id")),
            _ => None,
        };
        let is_named = |id: &str| named.as_deref() == Some(id);
        let derived = named.is_some()
            && self
                .documents
                .iter()
                .any(|other| is_named(&order_name(other)));
        if derived { Link::Derived } else { Link::Root }
    }

    /// The documents of a kind.
    pub fn of_kind(&self, kind: DocumentKind) -> impl Iterator<Item = &Document> {
        self.documents
            .iter()
            .filter(move |document| DocumentKind::of(document) == kind)
    }

    /// The first document of a kind.
    pub fn first(&self, kind: DocumentKind) -> Option<&Document> {
        self.of_kind(kind).next()
    }

    /// The orders of the chain, root first.
    pub fn orders(&self) -> impl Iterator<Item = &Document> {
        self.documents.iter().filter(|document| is_order(document))
    }

    /// The state in which the root order has ended, or all its items have; none where they have
    /// not. What has ended is not decomposed, planned or carried out again.
    pub fn ended(&self) -> Option<OrderState> {
        let document = self.orders().next()?;
        let ended = |node| OrderState::of(node).filter(|state| state.is_final());
        let first = || {
            ITEM_LISTS
                .iter()
                .find_map(|key| document.root().list(key).next())
        };
        ended(document.root()).or_else(|| {
            // Most items have no state, or have not ended: then the others need not be looked at.
            ended(first()?)?;
            let order = Order::read(document)?;
            let states: Option<Vec<OrderState>> = order.items().map(|it| ended(it.node)).collect();
            states.map(OrderState::roll_up)
        })
    }

    /// The documents that are neither orders nor plans. They are passed on whatever becomes of the
    /// others.
    pub fn foreign(&self) -> impl Iterator<Item = &Document> {
        self.documents.iter().filter(|document| !is_own(document))
    }
}

fn is_own(document: &Document) -> bool {
    is_order(document) || DocumentKind::of(document) == DocumentKind::OrchestrationPlan
}

fn is_order(document: &Document) -> bool {
    matches!(
        DocumentKind::of(document),
        DocumentKind::ProductOrder | DocumentKind::ServiceOrder | DocumentKind::ResourceOrder
    )
}

/// The id under which documents derived from an order name it: its id, else its external id, else
/// one computed from what it asks for.
pub fn order_name(document: &Document) -> String {
    let root = document.root();
    let id = root.text("id").filter(|id| !id.is_empty());
    id.or_else(|| external_id(root)).map_or_else(
        || {
            // The same name, however places and parties are written.
            let flat = flattened(document);
            let digest = order_digest(flat.as_ref().map_or(root, Document::root));
            digest.replace("sha256:", "order-")[..ANONYMOUS].to_owned()
        },
        std::borrow::Cow::into_owned,
    )
}

/// Length of the name of an order that has none: `order-` and 16 digits.
const ANONYMOUS: usize = 22;

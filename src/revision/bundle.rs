//! Which tasks belong together: those for one product order item, with all that
//! it holds.

use std::collections::{BTreeSet, HashMap};

use crate::document::{Document, DocumentKind};
use crate::model::Order;
use crate::model::reference::RelationshipKind;
use crate::plan::flow::{OrchestrationPlan, TaskFlow};

/// The bundles of an order, by task. What several share belongs to several.
#[derive(Debug, Clone, Default)]
pub struct Bundles {
    by_task: HashMap<String, BTreeSet<String>>,
}

impl Bundles {
    /// The bundles of a chain, by its orders. Where there are none, or they do not say where a task
    /// belongs, everything is one bundle.
    #[must_use]
    pub fn of(documents: &[Document], plan: &OrchestrationPlan) -> Self {
        let orders: Vec<Order<'_>> = documents.iter().filter_map(Order::read).collect();
        let mut tops: HashMap<(DocumentKind, String), BTreeSet<String>> = HashMap::new();
        for kind in [
            DocumentKind::ProductOrder,
            DocumentKind::ServiceOrder,
            DocumentKind::ResourceOrder,
        ] {
            for order in orders.iter().filter(|order| kind_of(order) == kind) {
                note_order(order, kind, &mut tops);
            }
        }
        let mut by_task: HashMap<String, BTreeSet<String>> = HashMap::new();
        // Each comes after those that it waits for.
        for task in &plan.task_flow {
            let mut bundles = bundles_of(task, &tops);
            if bundles.is_empty() {
                // A milestone belongs to what comes before it.
                let before = task.relationship.iter();
                let before = before.filter_map(|it| by_task.get(&it.task_flow.id));
                bundles = before.flatten().cloned().collect();
            }
            if !bundles.is_empty() {
                by_task.insert(task.id.clone(), bundles);
            }
        }
        Self { by_task }
    }

    /// The bundles that a task belongs to: ids of product order items; the one without a name where
    /// that is not known.
    #[must_use]
    pub fn of_task(&self, task: &str) -> BTreeSet<&str> {
        match self.by_task.get(task) {
            Some(bundles) => bundles.iter().map(String::as_str).collect(),
            None => BTreeSet::from([""]),
        }
    }
}

fn kind_of(order: &Order<'_>) -> DocumentKind {
    match order {
        Order::Product(_) => DocumentKind::ProductOrder,
        Order::Service(_) => DocumentKind::ServiceOrder,
        Order::Resource(_) => DocumentKind::ResourceOrder,
    }
}

/// The outermost items that the items of an order belong to.
fn note_order(
    order: &Order<'_>,
    kind: DocumentKind,
    tops: &mut HashMap<(DocumentKind, String), BTreeSet<String>>,
) {
    let above = match kind {
        DocumentKind::ServiceOrder => Some(DocumentKind::ProductOrder),
        DocumentKind::ResourceOrder => Some(DocumentKind::ServiceOrder),
        _ => None,
    };
    for item in order.items() {
        let mut found = BTreeSet::new();
        if let Some(above) = above {
            let realized = item.relationships.iter();
            for it in realized.filter(|it| it.kind == RelationshipKind::Realizes) {
                if let Some(tops) = tops.get(&(above, it.item.to_string())) {
                    found.extend(tops.iter().cloned());
                }
            }
        }
        if let Some(parent) = item.parent.map(|at| order.item(at).id.to_string())
            && let Some(tops) = tops.get(&(kind, parent))
        {
            found.extend(tops.iter().cloned());
        }
        if found.is_empty() {
            found.insert(item.id.to_string());
        }
        tops.insert((kind, item.id.to_string()), found);
    }
}

/// The bundles of a task: those of its own item, else of what it is about.
fn bundles_of(
    task: &TaskFlow,
    tops: &HashMap<(DocumentKind, String), BTreeSet<String>>,
) -> BTreeSet<String> {
    let kinds = [
        ("ResourceOrderItem", DocumentKind::ResourceOrder),
        ("ServiceOrderItem", DocumentKind::ServiceOrder),
        ("ProductOrderItem", DocumentKind::ProductOrder),
    ];
    let related = task.related_entity.iter().filter_map(|entity| {
        let (_, kind) = kinds
            .iter()
            .find(|(name, _)| *name == entity.referred_type)?;
        tops.get(&(*kind, entity.id.clone()))
    });
    related.flatten().cloned().collect()
}

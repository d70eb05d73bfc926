//! Chains to plans: tasks, their dependencies and their schedule.
//!
//! The plan is where the three order types become uniform: one task for each
//! resource order item that changes something, and dependencies gathered from
//! the items of all layers.

mod dependencies;
mod digest;
mod drawing;
pub mod flow;
mod request;
mod schedule;

pub use digest::plan_digest;
pub use drawing::{Notation, draw};
pub use schedule::duration_for_people;

use std::collections::HashMap;

use jiff::SignedDuration;

use crate::catalog::Catalog;
use crate::chain::{Chain, order_name};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{DocumentKind, describe};
use crate::graph;
use crate::model::date::DateReading;
use crate::model::digest::order_digest;
use crate::model::reference::RelationshipKind;
use crate::model::state::{FlowState, OrderState, TaskState};
use crate::model::{Action, Order, ResourceOrder, ResourceOrderItem};
use crate::schemas;
use flow::{
    Digests, FORMAT_VERSION, OrchestrationPlan, OrderDigest, RelatedEntity, TaskFlow, TaskFlowRef,
    TaskFlowRelationship, TaskKind,
};

/// What a plan is made with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Planning<'c> {
    /// Says which endpoint carries out what, and how long it takes.
    pub catalog: Option<&'c Catalog>,
    /// Endpoint for resources without an activation rule.
    pub default_endpoint: Option<&'c str>,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum NotPlanned {
    /// The chain has no resource order: it has to be decomposed first.
    NotDecomposed {
        /// Type of the lowest order there is.
        type_name: &'static str,
        /// Its id.
        id: String,
    },
    /// The order cannot be carried out as it is.
    Faults(Vec<Diagnostic>),
}

/// A task before the schedule is known.
struct Draft<'d> {
    order: &'d ResourceOrder<'d>,
    item: &'d ResourceOrderItem<'d>,
    endpoint: String,
    duration: SignedDuration,
    request: flow::Request,
}

impl Planning<'_> {
    /// Plans a chain.
    ///
    /// # Errors
    /// See [`NotPlanned`]; all faults at once.
    pub fn plan(&self, chain: &Chain) -> Result<OrchestrationPlan, NotPlanned> {
        let orders: Vec<Order<'_>> = chain.orders().filter_map(Order::read).collect();
        let resource_orders: Vec<&ResourceOrder<'_>> = orders
            .iter()
            .filter_map(|order| match order {
                Order::Resource(order) => Some(order),
                Order::Product(_) | Order::Service(_) => None,
            })
            .collect();
        // Where nothing below an order changes, none is derived from it.
        let lowest = orders.iter().rev().take(1);
        let mut actions = lowest
            .flat_map(Order::items)
            .map(|item| item.action)
            .peekable();
        let unchanged =
            actions.peek().is_some() && actions.all(|action| action == Some(Action::NoChange));
        if resource_orders.is_empty() && !unchanged {
            let lowest = chain.orders().last();
            let type_name = lowest.map_or("document", |it| DocumentKind::of(it).name());
            let id = lowest.map_or(String::new(), order_name);
            return Err(NotPlanned::NotDecomposed { type_name, id });
        }
        let mut diagnostics = Vec::new();
        for order in &resource_orders {
            diagnostics.extend(schemas::check(DocumentKind::ResourceOrder, order.node));
        }
        if !diagnostics.is_empty() {
            return Err(NotPlanned::Faults(diagnostics));
        }
        duplicates(&resource_orders, &mut diagnostics);
        let mut drafts = Vec::new();
        for order in resource_orders {
            for item in &order.items {
                if item.action != Some(Action::NoChange) && !OrderState::has_ended(item.node) {
                    drafts.extend(self.draft(order, item, &mut diagnostics));
                }
            }
        }
        diagnostics.extend(dependencies::dangling(&orders));
        let edges = dependencies::edges(&orders, &drafts);
        for cycle in graph::cycles(&edges) {
            let mut members: Vec<&str> = cycle.iter().map(|task| &*drafts[*task].item.id).collect();
            members.push(members[0]);
            let message = format!("tasks wait for each other: {}", members.join(" → "));
            let place = drafts[cycle[0]].item.node;
            let finding = Diagnostic::new(
                Code("plan/cycle"),
                Severity::Error,
                place.location(),
                message,
            );
            diagnostics.push(finding.with_hint("remove one of these item relationships"));
        }
        if !diagnostics.is_empty() {
            return Err(NotPlanned::Faults(diagnostics));
        }
        Ok(self.assemble(chain, &drafts, &edges))
    }

    fn draft<'d>(
        &self,
        order: &'d ResourceOrder<'d>,
        item: &'d ResourceOrderItem<'d>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Draft<'d>> {
        if item.action.is_none() {
            let node = item.node.get("action").unwrap_or(item.node);
            let message = format!(
                "item `{}` has an unknown action {}",
                item.id,
                describe(node)
            );
            diagnostics.push(
                Diagnostic::new(
                    Code("plan/unknown-action"),
                    Severity::Error,
                    node.location(),
                    message,
                )
                .with_hint("use one of add, modify, delete, noChange"),
            );
            return None;
        }
        let specification = item.specification.as_ref().map(|reference| &*reference.id);
        let rule = specification.and_then(|id| self.catalog?.activation(id));
        let endpoint = rule
            .map(|rule| rule.endpoint.as_str())
            .or(self.default_endpoint);
        let Some(endpoint) = endpoint else {
            let what = specification.map_or_else(
                || format!("item `{}` without a resource specification", item.id),
                |id| format!("resource specification `{id}`"),
            );
            let message = format!("no activation rule says which endpoint carries out {what}");
            let code = Code("plan/no-endpoint");
            diagnostics.push(
                Diagnostic::new(code, Severity::Error, item.node.location(), message)
                    .with_hint("add an ActivationRule to the catalog, or give --endpoint NAME"),
            );
            return None;
        };
        let request = match request::request(item) {
            Ok(request) => request,
            Err(finding) => {
                diagnostics.push(*finding);
                return None;
            }
        };
        let duration = rule.map_or(SignedDuration::ZERO, |rule| rule.duration);
        Some(Draft {
            order,
            item,
            endpoint: endpoint.to_owned(),
            duration,
            request,
        })
    }

    fn assemble(
        &self,
        chain: &Chain,
        drafts: &[Draft<'_>],
        edges: &[Vec<usize>],
    ) -> OrchestrationPlan {
        let durations: Vec<SignedDuration> = drafts.iter().map(|draft| draft.duration).collect();
        let times = schedule::Times::compute(edges, &durations);
        let root = chain.orders().next().map_or_else(String::new, order_name);
        let requested = chain
            .orders()
            .next()
            .and_then(|order| order.root().text("requestedCompletionDate"))
            .and_then(|text| DateReading::of(&text).timestamp());
        let mut tasks = Vec::with_capacity(drafts.len());
        for &position in &times.order {
            tasks.push(task(&root, drafts, edges, &times, position));
        }
        let names: Vec<&str> = drafts.iter().map(|draft| &*draft.item.id).collect();
        let mut plan = OrchestrationPlan {
            type_name: "OrchestrationPlan".to_owned(),
            base_type: "ProcessFlow".to_owned(),
            format_version: FORMAT_VERSION.to_owned(),
            id: format!("{root}.P"),
            specification: "OrchestrationPlan/1".to_owned(),
            state: FlowState::Active,
            related_entity: related_orders(chain),
            digest: Digests {
                order: chain
                    .orders()
                    .map(|order| OrderDigest {
                        id: order_name(order),
                        referred_type: DocumentKind::of(order).name().to_owned(),
                        digest: order_digest(order.root()),
                    })
                    .collect(),
                catalog: self.catalog.map(|catalog| catalog.digest().to_owned()),
                plan: String::new(),
            },
            schedule: times.schedule(&names, &durations, requested),
            task_flow: tasks,
        };
        plan.digest.plan = plan_digest(&plan);
        plan
    }
}

/// Tasks are told apart by the ids of their items.
fn duplicates(orders: &[&ResourceOrder<'_>], diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for item in orders.iter().flat_map(|order| &order.items) {
        let node = item.node.get("id").unwrap_or(item.node);
        if let Some(first) = seen.insert(&*item.id, node) {
            let message = format!("two items have the id `{}`, which names a task", item.id);
            let code = Code("plan/duplicate-task");
            diagnostics.push(
                Diagnostic::new(code, Severity::Error, node.location(), message)
                    .with_related(first.location()),
            );
        }
    }
}

fn related_orders(chain: &Chain) -> Vec<RelatedEntity> {
    chain
        .orders()
        .enumerate()
        .map(|(position, order)| RelatedEntity {
            id: order_name(order),
            role: if position == 0 { "rootOrder" } else { "order" }.to_owned(),
            referred_type: DocumentKind::of(order).name().to_owned(),
        })
        .collect()
}

fn task(
    root: &str,
    drafts: &[Draft<'_>],
    edges: &[Vec<usize>],
    times: &schedule::Times,
    position: usize,
) -> TaskFlow {
    let draft = &drafts[position];
    let item = draft.item;
    let name = item.resource.and_then(|resource| resource.text("name"));
    let name = name.or_else(|| item.specification.as_ref()?.name.clone());
    let mut related_entity = vec![RelatedEntity {
        id: item.id.to_string(),
        role: "orderItem".to_owned(),
        referred_type: "ResourceOrderItem".to_owned(),
    }];
    for relationship in &item.relationships {
        if relationship.kind == RelationshipKind::Realizes {
            related_entity.push(RelatedEntity {
                id: relationship.item.to_string(),
                role: "realizes".to_owned(),
                referred_type: relationship
                    .referred_type
                    .as_deref()
                    .unwrap_or("ServiceOrderItem")
                    .to_owned(),
            });
        }
    }
    TaskFlow {
        id: item.id.to_string(),
        type_name: "TaskFlow".to_owned(),
        name: name.map_or_else(|| item.id.to_string(), std::borrow::Cow::into_owned),
        kind: TaskKind::Activation,
        state: TaskState::New,
        reason: None,
        specification: item
            .specification
            .as_ref()
            .map(|reference| reference.id.to_string()),
        related_entity,
        relationship: edges[position]
            .iter()
            .map(|before| TaskFlowRelationship {
                relationship_type: "finishToStart".to_owned(),
                lag: None,
                until: flow::Until::Completed,
                task_flow: TaskFlowRef {
                    id: drafts[*before].item.id.to_string(),
                },
            })
            .collect(),
        why: None,
        action: item.action.map(|action| action.name().to_owned()),
        gate: None,
        rollout_wave: None,
        endpoint: Some(draft.endpoint.clone()),
        idempotency_key: Some(digest::idempotency_key(
            root,
            draft.order,
            item,
            &draft.request,
        )),
        request: Some(draft.request.clone()),
        window: None,
        point_of_no_return: false,
        compensation: None,
        on_failure: flow::OnFailure::Hold,
        estimate: None,
        duration: schedule::iso(draft.duration),
        earliest_start: schedule::iso(times.earliest[position]),
        latest_start: schedule::iso(times.latest[position]),
        slack: schedule::iso(times.latest[position] - times.earliest[position]),
        critical: times.is_critical(position),
        wave: times.wave[position],
    }
}

//! Chains as they come in: is there a plan, can it be read, and does it still
//! match the orders that it was made from? Pure.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use crate::chain::{Chain, order_name};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, DocumentKind};
use crate::model::digest::order_digest;
use crate::model::state::OrderState;
use crate::plan::flow::OrchestrationPlan;
use crate::plan::plan_digest_by;
use crate::schemas;

/// Newest major version of the plan's format that is read.
const FORMAT_MAJOR: u64 = 1;

/// What a chain is to the activation.
#[derive(Debug)]
pub enum Intake {
    /// It can be carried out.
    Accepted(super::Chain),
    /// Its plan is not acceptable.
    Refused(Vec<Diagnostic>),
    /// It has no plan: it has to be planned first.
    NotPlanned {
        /// Type of the order.
        type_name: &'static str,
        /// Its id.
        id: String,
    },
    /// Its order has ended, and it has no plan that could have been begun here.
    Ended(OrderState),
    /// It is no order at all.
    Other,
}

impl Intake {
    /// Looks at a chain. With `allow_stale` a plan is taken although its orders have changed.
    pub fn of(chain: &Chain, allow_stale: bool) -> Intake {
        let Some(document) = chain.first(DocumentKind::OrchestrationPlan) else {
            if let Some(state) = chain.ended() {
                return Intake::Ended(state);
            }
            return match chain.orders().next() {
                Some(order) => Intake::NotPlanned {
                    type_name: DocumentKind::of(order).name(),
                    id: order_name(order),
                },
                None => Intake::Other,
            };
        };
        let root = document.root();
        let error = |code: &'static str, message: String| {
            Diagnostic::new(Code(code), Severity::Error, root.location(), message)
        };
        let version = root.text("formatVersion").unwrap_or_default();
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse::<u64>().ok());
        if major.is_some_and(|major| major > FORMAT_MAJOR) {
            let message = format!(
                "the plan has format version {version}; orderctl {} reads {FORMAT_MAJOR}.x",
                env!("CARGO_PKG_VERSION")
            );
            return Intake::Refused(vec![
                error("plan/format-version", message).with_hint("use a newer orderctl"),
            ]);
        }
        let faults = schemas::check(DocumentKind::OrchestrationPlan, root);
        if !faults.is_empty() {
            return Intake::Refused(faults);
        }
        let text = document.compacted();
        let plan: OrchestrationPlan = match serde_json::from_str(&text) {
            Ok(plan) => plan,
            Err(fault) => {
                let message = format!("the plan cannot be read: {fault}");
                return Intake::Refused(vec![error("plan/unreadable", message)]);
            }
        };
        let (stale, mut documents) = thread::scope(|scope| {
            let compacted = || chain.orders().map(Document::compacted).collect::<Vec<_>>();
            let found = || {
                if allow_stale {
                    Vec::new()
                } else {
                    stale(chain, (&plan, document))
                }
            };
            if text.len() < LARGE {
                return (found(), compacted());
            }
            let documents = scope.spawn(compacted);
            (
                found(),
                documents.join().unwrap_or_else(|it| resume_unwind(it)),
            )
        });
        if !stale.is_empty() {
            let hint = "plan the order again, or give --allow-stale";
            let stale = stale.into_iter();
            let stale = stale.map(|what| error("plan/stale", what).with_hint(hint));
            return Intake::Refused(stale.collect());
        }
        documents.push(text);
        if let Some(state) = chain.ended()
            && !plan.is_begun()
        {
            return Intake::Ended(state);
        }
        let external_id = chain
            .orders()
            .next()
            .and_then(|order| crate::model::product_order::external_id(order.root()))
            .map(std::borrow::Cow::into_owned);
        Intake::Accepted(super::Chain {
            plan: Arc::new(plan),
            external_id,
            documents: Arc::new(documents),
            alone: None,
        })
    }
}

/// Size of a plan in bytes from which on a thread of its own is worth it.
const LARGE: usize = 1 << 20;

/// How a plan differs from what it was made from, as far as that is in the chain: a plan may come
/// alone.
fn stale(chain: &Chain, (plan, document): (&OrchestrationPlan, &Document)) -> Vec<String> {
    let mut found = Vec::new();
    if plan_digest_by(plan, document) != plan.digest.plan {
        found.push("the plan was changed after it was made".to_owned());
    }
    for made_from in &plan.digest.order {
        let order = chain.orders().find(|order| {
            order_name(order) == made_from.id
                && DocumentKind::of(order).name() == made_from.referred_type
        });
        if order.is_some_and(|order| order_digest(order.root()) != made_from.digest) {
            let (name, id) = (&made_from.referred_type, &made_from.id);
            found.push(format!("{name} {id} was changed after the plan was made"));
        }
    }
    found
}

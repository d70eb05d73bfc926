//! Which orders are asked for. Pure.
//!
//! What is not known of an order does not match.

use jiff::Timestamp;

use super::{ItemStanding, Listed, Standing};
use crate::chain::Chain;
use crate::document::Node;
use crate::journal::Progress;
use crate::model::state::{OrderState, TaskState};
use crate::plan::flow::TaskOutcome;

/// What orders have to be like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// In one of these states; any where it is empty.
    pub states: Vec<OrderState>,
    /// Id or name of the customer.
    pub customer: Option<String>,
    /// Part of the reason why a task is held or failed, in whatever case.
    pub error: Option<String>,
    /// Taken on at this moment or before.
    pub taken_on_by: Option<Timestamp>,
    /// Nothing has happened after this moment.
    pub unchanged_since: Option<Timestamp>,
}

impl Selection {
    /// Whether it asks for anything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an order in a list is asked for, as far as the list tells.
    #[must_use]
    pub fn takes_listed(&self, order: &Listed) -> bool {
        (self.states.is_empty() || self.states.contains(&order.state))
            && by(order.planned_at, self.taken_on_by)
            && by(order.changed_at, self.unchanged_since)
    }

    /// Whether an order with everything derived from it is asked for.
    #[must_use]
    pub fn takes(&self, chain: &Chain, standing: &Standing, progress: Option<&Progress>) -> bool {
        let root = chain.orders().next();
        (self.states.is_empty() || self.states.contains(&standing.state))
            && by(progress.and_then(Progress::planned_at), self.taken_on_by)
            && by(
                progress.and_then(Progress::changed_at),
                self.unchanged_since,
            )
            && (self.customer.is_none() || root.is_some_and(|it| self.is_customer(it.root())))
            && self.is_error_of(&standing.items)
    }

    /// Whether the customer of an order is the one asked for.
    #[must_use]
    pub fn is_customer(&self, order: Node<'_>) -> bool {
        let Some(customer) = &self.customer else {
            return true;
        };
        order.list("relatedParty").any(|related| {
            let is_customer = |role: &str| role.eq_ignore_ascii_case("customer");
            // Version 5 has the party in an object of its own.
            let party = related.get("partyOrPartyRole").unwrap_or(related);
            related.text("role").is_some_and(|role| is_customer(&role))
                && ["id", "name"]
                    .into_iter()
                    .any(|key| party.text(key).as_deref() == Some(customer))
        })
    }

    fn is_error_of(&self, items: &[ItemStanding]) -> bool {
        let Some(error) = &self.error else {
            return true;
        };
        let error = error.to_lowercase();
        let mut open: Vec<&ItemStanding> = items.iter().collect();
        while let Some(item) = open.pop() {
            let stopped = item.task.as_ref().filter(|task| {
                task.state == TaskState::Hold || task.outcome == Some(TaskOutcome::Failed)
            });
            let reason = stopped.and_then(|task| task.reason.as_deref());
            if reason.is_some_and(|it| it.to_lowercase().contains(&error)) {
                return true;
            }
            open.extend(&item.items);
        }
        false
    }
}

/// Whether something happened by a moment.
fn by(at: Option<Timestamp>, limit: Option<Timestamp>) -> bool {
    limit.is_none_or(|limit| at.is_some_and(|at| at <= limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn is_customer(customer: &str, order: &str) -> bool {
        let document = Document::parse(order.to_owned(), "test").expect("JSON");
        let selection = Selection {
            customer: Some(customer.to_owned()),
            ..Selection::default()
        };
        selection.is_customer(document.root())
    }

    #[test]
    fn the_customer_is_found_by_id_or_name_in_both_versions() {
        let v4 = r#"{"relatedParty":[{"id":"S-1","role":"seller"},{"id":"C-1","name":"Ann","role":"Customer"}]}"#;
        let v5 = r#"{"relatedParty":[{"role":"customer","partyOrPartyRole":{"id":"C-1","name":"Ann"}}]}"#;
        for order in [v4, v5] {
            assert!(is_customer("C-1", order) && is_customer("Ann", order));
            assert!(!is_customer("S-1", order) && !is_customer("C", order));
        }
        assert!(!is_customer("C-1", "{}"));
    }
}

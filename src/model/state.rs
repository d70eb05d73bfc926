//! Life cycles: the states of orders, items, tasks and flows, and which may
//! follow which.
//!
//! Every table is an exhaustive match: a new state does not compile until it
//! has its place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::Node;

/// State of an order or order item (TMF622, TMF641, TMF652, version 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OrderState {
    /// Received and checked; nothing has begun.
    Acknowledged,
    /// Not accepted.
    Rejected,
    /// Waiting for information.
    Pending,
    /// Blocked by an issue.
    Held,
    /// Being carried out.
    InProgress,
    /// Ended by a cancellation.
    Cancelled,
    /// Done.
    Completed,
    /// Ended without any success.
    Failed,
    /// Some items were done, others were not.
    Partial,
    /// A cancellation is being assessed.
    AssessingCancellation,
    /// A cancellation is being carried out.
    PendingCancellation,
}

use OrderState::{
    Acknowledged, AssessingCancellation, Cancelled, Completed, Failed, Held, InProgress, Partial,
    Pending, PendingCancellation, Rejected,
};

impl OrderState {
    /// All states.
    pub const ALL: [OrderState; 11] = [
        Acknowledged,
        Rejected,
        Pending,
        Held,
        InProgress,
        Cancelled,
        Completed,
        Failed,
        Partial,
        AssessingCancellation,
        PendingCancellation,
    ];

    /// As the standards spell it.
    pub fn name(self) -> &'static str {
        match self {
            Acknowledged => "acknowledged",
            Rejected => "rejected",
            Pending => "pending",
            Held => "held",
            InProgress => "inProgress",
            Cancelled => "cancelled",
            Completed => "completed",
            Failed => "failed",
            Partial => "partial",
            AssessingCancellation => "assessingCancellation",
            PendingCancellation => "pendingCancellation",
        }
    }

    /// Reads a state; the second value tells whether it is spelled as version 4 has it
    /// (version 5 knows `draft` and `inProgress.accepted`; others write other cases).
    pub fn read(text: &str) -> Option<(OrderState, bool)> {
        if let Some(state) = Self::ALL.into_iter().find(|state| state.name() == text) {
            return Some((state, true));
        }
        match text {
            "draft" => return Some((Acknowledged, false)),
            "inProgress.accepted" => return Some((InProgress, false)),
            _ => {}
        }
        let lenient = text.replace(['_', '-'], "");
        let is = |state: &OrderState| state.name().eq_ignore_ascii_case(&lenient);
        Self::ALL.into_iter().find(is).map(|state| (state, false))
    }

    /// The state that an order or item is in, as far as it can be read.
    pub fn of(node: Node<'_>) -> Option<OrderState> {
        node.text("state")
            .and_then(|text| Self::read(&text))
            .map(|read| read.0)
    }

    /// Whether an order item has ended: nothing of it is carried out any more.
    pub fn has_ended(item: Node<'_>) -> bool {
        Self::ended(item).is_some()
    }

    /// The state in which an order item has ended, if it has.
    pub fn ended(item: Node<'_>) -> Option<OrderState> {
        Self::of(item).filter(|state| state.is_final())
    }

    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        match self {
            Rejected | Cancelled | Completed | Failed | Partial => true,
            Acknowledged
            | Pending
            | Held
            | InProgress
            | AssessingCancellation
            | PendingCancellation => false,
        }
    }

    /// States that may follow in the life cycle of TMF622 4.0 (order and item).
    pub fn product_order_successors(self) -> &'static [OrderState] {
        match self {
            Acknowledged => &[InProgress, Pending],
            InProgress => &[
                Pending,
                Held,
                AssessingCancellation,
                Completed,
                Failed,
                Partial,
            ],
            Pending | Held => &[InProgress, AssessingCancellation, Cancelled],
            AssessingCancellation => &[InProgress, Pending, Held, PendingCancellation],
            PendingCancellation => &[Cancelled],
            Rejected | Cancelled | Completed | Failed | Partial => &[],
        }
    }

    /// States that may follow in the life cycle of TMF641 4.1 (order and item).
    pub fn service_order_successors(self) -> &'static [OrderState] {
        match self {
            Acknowledged => &[InProgress, Rejected, AssessingCancellation, Cancelled],
            InProgress => &[
                Pending,
                Held,
                AssessingCancellation,
                Cancelled,
                Completed,
                Failed,
                Partial,
            ],
            Pending | Held => &[InProgress, AssessingCancellation, Cancelled],
            AssessingCancellation => {
                &[Acknowledged, InProgress, Pending, Held, PendingCancellation]
            }
            PendingCancellation => &[Cancelled],
            Rejected | Cancelled | Completed | Failed | Partial => &[],
        }
    }

    /// States that may follow in the life cycle of TMF652 4.0.
    pub fn resource_order_successors(self) -> &'static [OrderState] {
        match self {
            Acknowledged => &[InProgress, Rejected, AssessingCancellation],
            InProgress => &[
                Pending,
                Held,
                AssessingCancellation,
                Completed,
                Failed,
                Partial,
            ],
            Pending | Held => &[InProgress, AssessingCancellation, Cancelled],
            AssessingCancellation => {
                &[Acknowledged, InProgress, Pending, Held, PendingCancellation]
            }
            PendingCancellation => &[Cancelled],
            Rejected | Cancelled | Completed | Failed | Partial => &[],
        }
    }

    /// State of a whole from the states of its parts, independent of their order.
    ///
    /// A whole is being cancelled where all of it is, or has been: a part that is cancelled beside others
    /// that go on is something that moves. Then rejection comes first; then, if every part has ended,
    /// how they ended; else whether anything moves, is held, or waits. An empty whole is completed:
    /// there is nothing left to do.
    pub fn roll_up(parts: impl IntoIterator<Item = OrderState>) -> OrderState {
        let mut counts = [0_usize; 11];
        let mut all = 0;
        for part in parts {
            counts[part as usize] += 1;
            all += 1;
        }
        let count = |state: OrderState| counts[state as usize];
        let ended: usize = Self::ALL
            .into_iter()
            .filter(|state| state.is_final())
            .map(count)
            .sum();
        let cancelling = count(PendingCancellation) + count(AssessingCancellation);
        if cancelling > 0 && cancelling + count(Cancelled) == all {
            if count(PendingCancellation) > 0 {
                PendingCancellation
            } else {
                AssessingCancellation
            }
        } else if count(Rejected) > 0 {
            Rejected
        } else if ended == all {
            if count(Completed) == all {
                Completed
            } else if count(Cancelled) == all {
                Cancelled
            } else if count(Completed) + count(Partial) == 0 {
                Failed
            } else {
                Partial
            }
        } else if count(Acknowledged) == all {
            Acknowledged
        } else if count(InProgress) + cancelling > 0 {
            InProgress
        } else if count(Held) > 0 {
            Held
        } else if count(Pending) > 0 {
            Pending
        } else {
            // Some parts have ended, the others have yet to begin.
            InProgress
        }
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// State of a task (TMF701 `TaskFlowStateType`). A failed task is `hold`, with
/// its reason, while somebody can mend it, and `cancelled` once it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaskState {
    /// Not begun.
    #[default]
    New,
    /// Being carried out.
    Active,
    /// Stopped by a fault, waiting for somebody.
    Hold,
    /// Given up.
    Cancelled,
    /// Done.
    Completed,
}

impl TaskState {
    /// As the standard spells it.
    pub fn name(self) -> &'static str {
        match self {
            TaskState::New => "new",
            TaskState::Active => "active",
            TaskState::Hold => "hold",
            TaskState::Cancelled => "cancelled",
            TaskState::Completed => "completed",
        }
    }

    /// States that may follow (TMF701 4.0; a task that was begun again after an interruption
    /// stays active).
    pub fn successors(self) -> &'static [TaskState] {
        match self {
            TaskState::New => &[TaskState::Active],
            TaskState::Active => &[TaskState::Completed, TaskState::Hold, TaskState::Cancelled],
            TaskState::Hold => &[TaskState::Active, TaskState::Cancelled],
            TaskState::Cancelled | TaskState::Completed => &[],
        }
    }

    /// State of the order item that the task carries out.
    pub fn item_state(self) -> OrderState {
        match self {
            TaskState::New => Acknowledged,
            TaskState::Active => InProgress,
            TaskState::Hold => Held,
            TaskState::Cancelled => Cancelled,
            TaskState::Completed => Completed,
        }
    }
}

/// State of a plan (TMF701 `ProcessFlowStateType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FlowState {
    /// Being carried out, or ready to be.
    Active,
    /// Nothing can go on without somebody.
    Hold,
    /// Given up.
    Cancelled,
    /// Done.
    Completed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn states() -> impl Strategy<Value = Vec<OrderState>> {
        proptest::collection::vec(proptest::sample::select(OrderState::ALL.to_vec()), 1..12)
    }

    proptest! {
        #[test]
        fn roll_up_does_not_depend_on_the_order_of_parts(mut parts in states()) {
            let before = OrderState::roll_up(parts.clone());
            parts.reverse();
            prop_assert_eq!(before, OrderState::roll_up(parts.clone()));
            parts.sort_unstable();
            prop_assert_eq!(before, OrderState::roll_up(parts));
        }

        #[test]
        fn a_whole_is_final_only_when_its_parts_are(parts in states()) {
            let whole = OrderState::roll_up(parts.clone());
            if whole.is_final() && whole != Rejected {
                prop_assert!(parts.iter().all(|part| part.is_final()));
            }
        }
    }

    #[test]
    fn some_failed_and_some_completed_is_partial() {
        assert_eq!(OrderState::roll_up([Completed, Failed]), Partial);
        assert_eq!(OrderState::roll_up([Completed, Completed]), Completed);
        assert_eq!(OrderState::roll_up([Failed, Cancelled]), Failed);
        assert_eq!(OrderState::roll_up([Completed, Cancelled]), Partial);
    }

    #[test]
    fn an_order_is_held_once_nothing_moves() {
        assert_eq!(OrderState::roll_up([Held, InProgress]), InProgress);
        assert_eq!(OrderState::roll_up([Held, Completed, Acknowledged]), Held);
        assert_eq!(OrderState::roll_up([Completed, Acknowledged]), InProgress);
        assert_eq!(
            OrderState::roll_up([Acknowledged, Acknowledged]),
            Acknowledged
        );
    }

    #[test]
    fn nothing_leads_to_failed_but_work_in_progress() {
        for state in OrderState::ALL {
            for successors in [
                state.product_order_successors(),
                state.service_order_successors(),
                state.resource_order_successors(),
            ] {
                let ends = [Failed, Partial, Completed];
                if state != InProgress {
                    assert!(
                        successors.iter().all(|next| !ends.contains(next)),
                        "{state}"
                    );
                }
                assert_eq!(state.is_final(), successors.is_empty(), "{state}");
            }
        }
    }

    #[test]
    fn other_spellings_are_read_and_told_apart() {
        assert_eq!(OrderState::read("inProgress"), Some((InProgress, true)));
        assert_eq!(
            OrderState::read("ACKNOWLEDGED"),
            Some((Acknowledged, false))
        );
        assert_eq!(OrderState::read("IN_PROGRESS"), Some((InProgress, false)));
        assert_eq!(OrderState::read("draft"), Some((Acknowledged, false)));
        assert_eq!(OrderState::read("active"), None);
    }
}

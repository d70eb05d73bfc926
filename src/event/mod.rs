//! TM Forum's events of orders as they move (TMF622, TMF641, TMF652).
//!
//! Pure: what a chain was taken on with and the entries of its journal in, events
//! out. The same entries give the same events under the same ids, so that
//! whoever is told twice can tell.
//!
//! Invariant: a state follows another only as the life cycle of its standard
//! allows; where a change of the journal is several steps there, each is told.

mod jeopardy;
mod teller;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::state::OrderState;
pub use teller::Teller;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id; the same however often it is told.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// External id of the chain's root order, else its id.
    pub correlation_id: String,
    /// Type of the order, as in `@type`.
    pub order_type: OrderType,
    /// Id of the order.
    pub order_id: String,
    /// External id of the order.
    pub external_id: Option<String>,
    /// State of the order then.
    pub state: OrderState,
    /// What happened.
    pub what: What,
}

/// Types of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderType {
    /// TMF622.
    Product,
    /// TMF641.
    Service,
    /// TMF652.
    Resource,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Its state is another one.
    StateChange {
        /// The one before.
        from: OrderState,
    },
    /// A milestone was reached, or let pass.
    Milestone {
        /// Id of the task.
        id: String,
        /// Its name.
        name: String,
        /// In words.
        message: String,
    },
    /// It may be too late.
    Jeopardy {
        /// How bad it is.
        level: JeopardyLevel,
        /// Id of the task that is late.
        id: String,
        /// Its name.
        name: String,
        /// In words.
        message: String,
    },
}

/// How bad a jeopardy is (`jeopardyType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JeopardyLevel {
    /// A task should have begun, for the order to be done in time.
    Hazard,
    /// The order should have been done.
    Critical,
}

impl OrderType {
    /// As in `@type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Product => "ProductOrder",
            Self::Service => "ServiceOrder",
            Self::Resource => "ResourceOrder",
        }
    }

    fn domain(self) -> &'static str {
        match self {
            Self::Product => "productOrdering",
            Self::Service => "serviceOrdering",
            Self::Resource => "resourceOrdering",
        }
    }

    /// States that may follow in its life cycle.
    fn successors(self, state: OrderState) -> &'static [OrderState] {
        match self {
            Self::Product => state.product_order_successors(),
            Self::Service => state.service_order_successors(),
            Self::Resource => state.resource_order_successors(),
        }
    }
}

impl JeopardyLevel {
    /// As in `jeopardyType`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hazard => "Hazard",
            Self::Critical => "Critical",
        }
    }
}

impl What {
    fn suffix(&self) -> &'static str {
        match self {
            Self::StateChange { .. } => "StateChangeEvent",
            Self::Milestone { .. } => "MilestoneEvent",
            Self::Jeopardy { .. } => "JeopardyEvent",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    event_id: &'a str,
    event_time: String,
    event_type: String,
    correlation_id: &'a str,
    domain: &'static str,
    title: String,
    description: String,
    time_ocurred: String,
    event: Content<'a>,
}

#[derive(Serialize)]
enum Content<'a> {
    #[serde(rename = "productOrder")]
    Product(Order<'a>),
    #[serde(rename = "serviceOrder")]
    Service(Order<'a>),
    #[serde(rename = "resourceOrder")]
    Resource(Order<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Order<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_date: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    milestone: Vec<Milestone<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    jeopardy_alert: Vec<Alert<'a>>,
    #[serde(rename = "@type")]
    type_name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Milestone<'a> {
    id: &'a str,
    name: &'a str,
    message: &'a str,
    milestone_date: String,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    id: &'a str,
    name: &'a str,
    message: &'a str,
    alert_date: String,
    jeopardy_type: &'static str,
}

impl Event {
    /// Its type, as in `eventType`: `ServiceOrderStateChangeEvent`.
    #[must_use]
    pub fn event_type(&self) -> String {
        format!("{}{}", self.order_type.name(), self.what.suffix())
    }

    /// Where a listener takes it, below its address: `listener/serviceOrderStateChangeEvent`.
    #[must_use]
    pub fn listener(&self) -> String {
        let name = self.event_type();
        let (first, rest) = name.split_at(1);
        format!("listener/{}{rest}", first.to_ascii_lowercase())
    }

    /// The event in the standard's envelope, compact, without a line end.
    ///
    /// # Panics
    /// Never: it is made of texts.
    #[must_use]
    pub fn envelope(&self) -> String {
        let at = self.at.to_string();
        let (title, description) = self.words();
        let order = self.order(&at);
        let envelope = Envelope {
            event_id: &self.id,
            event_time: at.clone(),
            event_type: self.event_type(),
            correlation_id: &self.correlation_id,
            domain: self.order_type.domain(),
            title,
            description,
            time_ocurred: at,
            event: match self.order_type {
                OrderType::Product => Content::Product(order),
                OrderType::Service => Content::Service(order),
                OrderType::Resource => Content::Resource(order),
            },
        };
        serde_json::to_string(&envelope).expect("texts always serialize")
    }

    fn order(&self, at: &str) -> Order<'_> {
        let (mut milestone, mut jeopardy_alert) = (Vec::new(), Vec::new());
        match &self.what {
            What::StateChange { .. } => {}
            What::Milestone { id, name, message } => milestone.push(Milestone {
                id,
                name,
                message,
                milestone_date: at.to_owned(),
                status: "Completed",
            }),
            What::Jeopardy {
                level,
                id,
                name,
                message,
            } => jeopardy_alert.push(Alert {
                id,
                name,
                message,
                alert_date: at.to_owned(),
                jeopardy_type: level.name(),
            }),
        }
        let is_completed = self.state == OrderState::Completed;
        Order {
            id: &self.order_id,
            external_id: self.external_id.as_deref(),
            state: self.state.name(),
            completion_date: is_completed.then(|| at.to_owned()),
            milestone,
            jeopardy_alert,
            type_name: self.order_type.name(),
        }
    }

    fn words(&self) -> (String, String) {
        let (kind, id, state) = (self.order_type.name(), &self.order_id, self.state.name());
        match &self.what {
            What::StateChange { from } => (
                format!("{kind} {id} is {state}"),
                format!("{kind} {id} went from {} to {state}", from.name()),
            ),
            What::Milestone { name, message, .. } => {
                (format!("{kind} {id} has reached {name}"), message.clone())
            }
            What::Jeopardy { message, .. } => {
                (format!("{kind} {id} is in jeopardy"), message.clone())
            }
        }
    }
}

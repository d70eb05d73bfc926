//! Tasks before the schedule is known: what carries out each resource order
//! item, by its activation rule.
//!
//! How tasks wait for each other, and when they start, is worked out over drafts. What else there is
//! to a task of an item is made once that is known, so that a large order's tasks need not all be
//! there at one time.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::flow::{
    Body, Compensation, Estimate, Method, RelatedEntity, Request, TaskFlow, TaskKind, Window,
};
use super::layers::Layers;
use super::variables::{self, Variables};
use super::{Planning, digest, request, schedule};
use crate::catalog::expression::{Bindings, EvaluationFault, Expression};
use crate::catalog::{
    self, ActivationRule, CompensationMethod, CompensationRequest, CompensationRule, WindowRule,
    Work,
};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Node, describe, quote};
use crate::model::date::DateReading;
use crate::model::reference::RelationshipKind;
use crate::model::state::TaskState;
use crate::model::{Action, ResourceOrderItem};

/// What of a task has to be known before the schedule.
#[derive(Debug)]
pub struct Draft<'d> {
    /// Its id.
    pub id: Cow<'d, str>,
    /// Expected duration.
    pub duration: SignedDuration,
    /// When it may start.
    pub window: Bounds,
    /// Wave of the rollout that it belongs to.
    pub rollout_wave: Option<String>,
    /// The rule that it is made by, if one is there for its item.
    pub rule: Option<&'d ActivationRule>,
    /// The item that findings about it point to.
    pub node: Node<'d>,
    /// The task, without what the schedule says, where it is of no resource order item.
    pub made: Option<Box<TaskFlow>>,
}

impl<'d> Draft<'d> {
    /// A task that stands before or between those of items.
    pub fn around(task: Box<TaskFlow>, duration: SignedDuration, node: Node<'d>) -> Draft<'d> {
        Draft {
            id: task.id.clone().into(),
            duration,
            window: Bounds::default(),
            rollout_wave: task.rollout_wave.clone(),
            rule: None,
            node,
            made: Some(task),
        }
    }
}

/// From when to when a task may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Not before.
    pub start: Option<Timestamp>,
    /// Not at or after.
    pub end: Option<Timestamp>,
    /// Whether one of them was written without time or zone, and read as UTC.
    pub guessed: bool,
}

/// A task that nothing has been said about yet but who it is and why it is there.
pub fn blank(id: String, name: String, kind: TaskKind, why: String) -> Box<TaskFlow> {
    Box::new(TaskFlow {
        id,
        type_name: "TaskFlow".into(),
        name,
        kind,
        state: TaskState::New,
        reason: None,
        outcome: None,
        start_date: None,
        completion_date: None,
        why: Some(why),
        action: None,
        gate: None,
        rollout_wave: None,
        specification: None,
        related_entity: Vec::new(),
        relationship: Vec::new(),
        endpoint: None,
        request: None,
        idempotency_key: None,
        window: None,
        point_of_no_return: false,
        compensation: None,
        retry: None,
        compensates: None,
        disposition: None,
        on_failure: None,
        estimate: None,
        duration: String::new(),
        earliest_start: String::new(),
        latest_start: String::new(),
        slack: String::new(),
        critical: false,
        wave: 0,
    })
}

/// The estimates that an expected duration comes from, where there are several.
pub fn estimate(estimate: &catalog::Estimate) -> Option<Estimate> {
    estimate.is_range().then(|| Estimate {
        optimistic: estimate.optimistic.map(schedule::iso),
        most_likely: schedule::iso(estimate.most_likely),
        pessimistic: estimate.pessimistic.map(schedule::iso),
    })
}

/// Makes the tasks of resource order items.
pub struct Drafting<'c, 'p, 'a, 'd> {
    /// Endpoints, durations and the rest.
    pub planning: Planning<'c>,
    /// Name of the root order.
    pub root: &'p str,
    /// Where items stand.
    pub layers: &'p Layers<'a, 'd>,
    /// What keeps the order from being planned.
    pub faults: Vec<Diagnostic>,
}

impl<'c: 'd, 'p, 'a, 'd> Drafting<'c, 'p, 'a, 'd> {
    /// Nothing is wrong yet.
    pub fn new(planning: Planning<'c>, root: &'p str, layers: &'p Layers<'a, 'd>) -> Self {
        Drafting {
            planning,
            root,
            layers,
            faults: Vec::new(),
        }
    }

    fn rule(&self, item: &ResourceOrderItem<'d>) -> Option<&'c ActivationRule> {
        let specification = item.specification.as_ref()?;
        self.planning.catalog?.activation(&specification.id)
    }

    /// What has to be known first of the task of a resource order item, which stands at `entry` among
    /// the items.
    pub fn draft(&mut self, entry: usize, item: &ResourceOrderItem<'d>) -> Draft<'d> {
        let rule = self.rule(item);
        let window = rule.and_then(|rule| {
            let window = rule.window.as_ref()?;
            let is_kept = window.actions.contains(&item.action?);
            is_kept.then_some((rule, window))
        });
        let window = window.map_or_else(Bounds::default, |(rule, window)| {
            let variables = self.variables((entry, endpoint_of(rule)), item);
            self.ruled(rule, item, &variables.bindings()).window(window)
        });
        Draft {
            id: item.id.clone(),
            duration: rule.map_or(SignedDuration::ZERO, |rule| rule.estimate.expected()),
            window,
            rollout_wave: None,
            rule,
            node: item.node,
            made: None,
        }
    }

    /// The task of a resource order item, which stands at `entry` among the items, without what the
    /// schedule says.
    pub fn task(
        &mut self,
        entry: usize,
        item: &ResourceOrderItem<'d>,
        draft: &Draft<'d>,
    ) -> Option<Box<TaskFlow>> {
        if item.action.is_none() {
            self.faults.push(unknown_action(item));
            return None;
        }
        let rule = draft.rule;
        let endpoint = match rule {
            Some(rule) => endpoint_of(rule),
            None => Some(self.default_endpoint(item)?),
        };
        let kind = endpoint.map_or(TaskKind::Manual, |_| TaskKind::Activation);
        let name = name(item).into_owned();
        let mut task = blank(item.id.to_string(), name, kind, why(rule, endpoint));
        task.action = item.action.map(|action| action.name().into());
        let specification = item.specification.as_ref();
        task.specification = specification.map(|reference| reference.id.to_string());
        task.related_entity = related(item);
        task.endpoint = endpoint.map(str::to_owned);
        task.window = draft.window.window();
        task.rollout_wave.clone_from(&draft.rollout_wave);
        if let Some(rule) = rule {
            self.apply(rule, (entry, item), &mut task);
        } else {
            task.compensation = undone(item, endpoint);
        }
        if let Some(endpoint) = endpoint {
            let request = match request::request(item, endpoint) {
                Ok(request) => request,
                Err(fault) => {
                    self.faults.push(*fault);
                    return None;
                }
            };
            let order = item.node.document().root().text("id").unwrap_or_default();
            let key = digest::idempotency_key(self.root, &order, &task.id, &request);
            task.idempotency_key = Some(key);
            task.request = Some(request);
        }
        Some(task)
    }

    fn default_endpoint(&mut self, item: &ResourceOrderItem<'_>) -> Option<&'c str> {
        let endpoint = self.planning.default_endpoint;
        if endpoint.is_none() {
            let specification = item.specification.as_ref();
            let what = specification.map_or_else(
                || format!("item `{}` without a resource specification", item.id),
                |reference| format!("resource specification `{}`", reference.id),
            );
            let message = format!("no activation rule says which endpoint carries out {what}");
            let code = Code("plan/no-endpoint");
            self.faults.push(
                Diagnostic::new(code, Severity::Error, item.node.location(), message)
                    .with_hint("add an ActivationRule to the catalog, or give --endpoint NAME"),
            );
        }
        endpoint
    }

    /// What a rule adds to the task of an item.
    fn apply(
        &mut self,
        rule: &ActivationRule,
        (entry, item): (usize, &ResourceOrderItem<'d>),
        task: &mut TaskFlow,
    ) {
        let action = item.action.unwrap_or(Action::Add);
        task.estimate = estimate(&rule.estimate);
        task.point_of_no_return =
            rule.point_of_no_return && matches!(action, Action::Add | Action::Modify);
        task.retry.clone_from(&rule.retry);
        task.on_failure = rule.on_failure;
        let request = match &rule.compensation {
            Some(CompensationRule::Request(request)) => Some(&**request),
            _ => None,
        };
        if let Some(request) = request.filter(|request| request.actions.contains(&action)) {
            let variables = self.variables((entry, task.endpoint.as_deref()), item);
            let bindings = variables.bindings();
            let mut ruled = self.ruled(rule, item, &bindings);
            task.compensation = ruled.request(request).map(Compensation::Request);
        }
        match &rule.compensation {
            Some(CompensationRule::None(reason)) if action != Action::Delete => {
                task.compensation = Some(Compensation::None(reason.clone()));
            }
            _ if task.compensation.is_none() && rule.work != Work::Manual => {
                task.compensation = undone(item, task.endpoint.as_deref());
            }
            _ => {}
        }
    }

    fn ruled<'r>(
        &'r mut self,
        rule: &'r ActivationRule,
        item: &ResourceOrderItem<'d>,
        bindings: &'r Bindings<'r>,
    ) -> Ruled<'r, 'd> {
        Ruled {
            rule: &rule.id,
            node: item.node,
            bindings,
            faults: &mut self.faults,
        }
    }

    fn variables<'v>(
        &self,
        (entry, endpoint): (usize, Option<&str>),
        item: &ResourceOrderItem<'v>,
    ) -> Variables<'v>
    where
        'd: 'v,
    {
        let mut about = variables::item(&self.layers.entries[entry].item);
        if let Some(id) = request::id(item, endpoint) {
            about.push(("resource".into(), quote(&id).into()));
        }
        Variables::default()
            .with("item", about)
            .with("place", variables::place(self.layers.place(entry)))
            .with("resource", variables::characteristics(item.characteristics))
    }
}

/// The endpoint that carries out what a rule is for; none where a person does.
fn endpoint_of(rule: &ActivationRule) -> Option<&str> {
    match &rule.work {
        Work::Endpoint(name) => Some(name.as_str()),
        Work::Manual => None,
    }
}

/// The name of an item's task: that of its resource, else of what that is one of.
pub fn name<'i>(item: &'i ResourceOrderItem<'_>) -> Cow<'i, str> {
    let name = item.resource.and_then(|resource| resource.text("name"));
    let name = name.or_else(|| item.specification.as_ref()?.name());
    name.unwrap_or_else(|| Cow::Borrowed(&*item.id))
}

/// Expressions of a rule, and what is wrong with what they give.
struct Ruled<'r, 'd> {
    rule: &'r str,
    node: Node<'d>,
    bindings: &'r Bindings<'r>,
    faults: &'r mut Vec<Diagnostic>,
}

impl Ruled<'_, '_> {
    fn window(&mut self, window: &WindowRule) -> Bounds {
        let mut moment = |bound: &Option<Expression>, what| self.moment(bound.as_ref()?, what);
        let start = moment(&window.start, "start");
        let end = moment(&window.end, "end");
        let is_guessed = |it: &Option<DateReading>| matches!(it, Some(DateReading::Lenient(_)));
        let bounds = Bounds {
            start: start.and_then(DateReading::timestamp),
            end: end.and_then(DateReading::timestamp),
            guessed: is_guessed(&start) || is_guessed(&end),
        };
        if let (Some(start), Some(end)) = (bounds.start, bounds.end)
            && end <= start
        {
            let message = format!(
                "rule `{}`: the window ends at {end}, before it starts at {start}",
                self.rule
            );
            self.fault("plan/window", message);
        }
        bounds
    }

    fn moment(&mut self, expression: &Expression, what: &str) -> Option<DateReading> {
        let text = match variables::text(expression, self.bindings) {
            Ok(Ok(text)) => text?,
            Ok(Err(value)) => {
                let message = format!(
                    "rule `{}`: the {what} of the window is {value}, which is no text",
                    self.rule
                );
                self.fault("plan/window", message);
                return None;
            }
            Err(fault) => return self.failed(&format!("the {what} of the window"), &fault),
        };
        let moment = DateReading::of(&text);
        if moment == DateReading::None {
            let message = format!(
                "rule `{}`: the {what} of the window is `{text}`, which is no moment",
                self.rule
            );
            self.fault("plan/window", message);
            if let Some(finding) = self.faults.last_mut() {
                finding.hint =
                    Some("write it as in RFC 3339: 2026-11-25T09:00:00+11:00".to_owned());
            }
        }
        Some(moment)
    }

    fn request(&mut self, compensation: &CompensationRequest) -> Option<Request> {
        let CompensationRequest {
            method, path, body, ..
        } = compensation;
        let path = match variables::text(path, self.bindings) {
            Ok(Ok(Some(path))) if !path.is_empty() => path,
            Ok(path) => {
                let given = match path {
                    Ok(path) => path.map_or("null".to_owned(), |path| quote(&path)),
                    Err(value) => value,
                };
                let message = format!(
                    "rule `{}`: the path of the compensation is {given}",
                    self.rule
                );
                self.fault("plan/compensation", message);
                return None;
            }
            Err(fault) => return self.failed("the path of the compensation", &fault),
        };
        let body = match body.as_ref().map(|body| body.evaluate(self.bindings)) {
            Some(Ok(body)) => Some(Body::new(body).expect("expressions give JSON")),
            Some(Err(fault)) => return self.failed("the body of the compensation", &fault),
            None => None,
        };
        let method = match method {
            CompensationMethod::Post => Method::Post,
            CompensationMethod::Patch => Method::Patch,
            CompensationMethod::Delete => Method::Delete,
        };
        Some(Request { method, path, body })
    }

    fn failed<T>(&mut self, what: &str, fault: &EvaluationFault) -> Option<T> {
        let what = format!("{what} cannot be computed");
        let finding = variables::fault(self.node, self.rule, &what, fault);
        self.faults.push(finding);
        None
    }

    fn fault(&mut self, code: &'static str, message: String) {
        self.faults.push(Diagnostic::new(
            Code(code),
            Severity::Error,
            self.node.location(),
            message,
        ));
    }
}

impl Bounds {
    /// As plans write it.
    pub fn window(self) -> Option<Window> {
        let text = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
        (self != Bounds::default()).then(|| Window {
            start: text(self.start),
            end: text(self.end),
        })
    }
}

/// What undoes a task where its rule does not say.
fn undone(item: &ResourceOrderItem<'_>, endpoint: Option<&str>) -> Option<Compensation> {
    match item.action {
        Some(Action::Add) => {
            let request = request::removal(item)?;
            Some(Compensation::Request(request))
        }
        Some(Action::Modify | Action::Delete) => {
            let request = endpoint.and_then(|it| request::restoration(item, it));
            let request = request.map(Compensation::Request);
            let reason = || "the order does not hold what was there before".to_owned();
            Some(request.unwrap_or_else(|| Compensation::None(reason())))
        }
        Some(Action::NoChange) | None => None,
    }
}

fn why(rule: Option<&ActivationRule>, endpoint: Option<&str>) -> String {
    let at = endpoint.unwrap_or_default();
    match rule {
        Some(ActivationRule { id, resource, .. }) => match endpoint {
            Some(_) => [
                "rule `",
                id,
                "` has ",
                resource,
                " carried out at `",
                at,
                "`",
            ]
            .concat(),
            None => ["rule `", id, "` has ", resource, " carried out by a person"].concat(),
        },
        None => ["what no rule is for is carried out at `", at, "`"].concat(),
    }
}

fn unknown_action(item: &ResourceOrderItem<'_>) -> Diagnostic {
    let node = item.node.get("action").unwrap_or(item.node);
    let message = format!(
        "item `{}` has an unknown action {}",
        item.id,
        describe(node)
    );
    let code = Code("plan/unknown-action");
    Diagnostic::new(code, Severity::Error, node.location(), message)
        .with_hint("use one of add, modify, delete, noChange")
}

/// The order item, then what it realizes.
fn related(item: &ResourceOrderItem<'_>) -> Vec<RelatedEntity> {
    let realizes = item.relationships.iter();
    let realizes = realizes.filter(|it| it.kind == RelationshipKind::Realizes);
    let mut related = Vec::with_capacity(1 + realizes.clone().count());
    related.push(RelatedEntity {
        id: item.id.to_string(),
        role: "orderItem".into(),
        referred_type: "ResourceOrderItem".into(),
    });
    related.extend(realizes.map(|relationship| {
        let referred_type = match relationship.referred_type().as_deref() {
            None | Some("ServiceOrderItem") => "ServiceOrderItem".into(),
            Some(other) => other.to_owned().into(),
        };
        RelatedEntity {
            id: relationship.item.to_string(),
            role: "realizes".into(),
            referred_type,
        }
    }));
    related
}

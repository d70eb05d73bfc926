//! Activation rules: who carries out a resource, when, and what undoes it.

use foldhash::{HashMap, HashMapExt as _};

use super::expression::{Expected, Expression, ObjectShape, Parsed, Scope, Shape};
use super::ruling::{Reader, actions, surroundings, uncertain};
use super::{Catalog, Estimate, ResourceIndex, ServiceIndex, link};
use crate::diagnostic::Diagnostic;
use crate::document::{Document, DocumentKind, Node};
use crate::model::Action;
use crate::retry::{OnFailure, RetryPolicy};

/// How resources of one specification are carried out.
#[derive(Debug)]
pub struct ActivationRule {
    /// Id of the rule.
    pub id: String,
    /// Id of the resource specification.
    pub resource: String,
    /// Who does it.
    pub work: Work,
    /// How long it takes.
    pub estimate: Estimate,
    /// When it may start.
    pub window: Option<WindowRule>,
    /// Whether making or changing it cannot be undone once it has started.
    pub point_of_no_return: bool,
    /// What undoes it, where the rule says so.
    pub compensation: Option<CompensationRule>,
    /// How its request is repeated, where the rule says so.
    pub retry: Option<RetryPolicy>,
    /// What becomes of it when it cannot be done, where the rule says so.
    pub on_failure: Option<OnFailure>,
}

/// Who carries a resource out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The endpoint of this name.
    Endpoint(String),
    /// A person.
    Manual,
}

/// When a task may start: expressions for RFC 3339 texts.
#[derive(Debug)]
pub struct WindowRule {
    /// Not before.
    pub start: Option<Expression>,
    /// Not at or after.
    pub end: Option<Expression>,
    /// For which actions of the order item.
    pub actions: Vec<Action>,
}

/// What undoes a task, beside what holds by default.
#[derive(Debug)]
pub enum CompensationRule {
    /// What was added is deleted.
    Delete,
    /// A request.
    Request(Box<CompensationRequest>),
    /// Nothing, and why.
    None(String),
}

/// A request that undoes a task.
#[derive(Debug)]
pub struct CompensationRequest {
    /// Its method.
    pub method: CompensationMethod,
    /// Expression for its path.
    pub path: Expression,
    /// Expression for its body.
    pub body: Option<Expression>,
    /// For which actions of the order item.
    pub actions: Vec<Action>,
}

/// Method of a request that undoes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompensationMethod {
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

/// Reads the activation rules among the documents of a catalog.
pub(super) fn link(catalog: &mut Catalog, documents: &[&Document], found: &mut Vec<Diagnostic>) {
    let realized = services_of_resources(catalog);
    let parsed = Parsed::default();
    let mut reader = Reader {
        catalog,
        parsed: &parsed,
        diagnostics: found,
    };
    let mut places: HashMap<String, Node<'_>> = HashMap::new();
    let (mut rules, mut by_resource) = (Vec::new(), HashMap::new());
    for document in documents {
        if DocumentKind::of(document) != DocumentKind::ActivationRule {
            continue;
        }
        let Some(reference) = document.root().get("resourceSpecification") else {
            continue;
        };
        let resource = reference.text("id").unwrap_or_default();
        if let Some(first) = places.get(&*resource) {
            let message = format!("resource specification `{resource}` has two activation rules");
            let finding = reader.error("rule/conflict", reference.location(), message);
            finding.related = Some(first.location());
            finding.hint = Some("keep one of them".to_owned());
            continue;
        }
        places.insert(resource.to_string(), reference);
        let index = reader.catalog.resource_by_id.get(&*resource).copied();
        if index.is_none() {
            let known = reader.catalog.resource_ids();
            reader.dangling(reference, "resource specification", known);
        }
        let services = index.and_then(|it| realized.get(&it));
        let shape = index.map(|it| shape(reader.catalog, it, services.map_or(&[], Vec::as_slice)));
        let rule = reader.activation(document.root(), &resource, shape);
        if let (Some(rule), Some(index)) = (rule, index) {
            by_resource.insert(index, rules.len());
            rules.push(rule);
        }
    }
    let several = realized
        .into_iter()
        .filter(|(_, services)| services.len() > 1);
    catalog.shared_resources = several.map(|(resource, _)| resource).collect();
    catalog.activations = rules;
    catalog.activation_by_resource = by_resource;
}

fn services_of_resources(catalog: &Catalog) -> HashMap<ResourceIndex, Vec<ServiceIndex>> {
    let mut realized: HashMap<ResourceIndex, Vec<ServiceIndex>> = HashMap::new();
    for (index, service) in catalog.services.iter().enumerate() {
        for resource in &service.resources {
            let services = realized.entry(*resource).or_default();
            services.push(ServiceIndex(index));
        }
    }
    realized
}

/// What an order item for a resource holds: its own characteristics, and those of the service that
/// it realizes.
fn shape(catalog: &Catalog, index: ResourceIndex, services: &[ServiceIndex]) -> ObjectShape {
    let services = services
        .iter()
        .map(|it| &catalog.service_at(*it).specification);
    let mut shape = link::joined(services.map(link::shape));
    let own = link::shape(&catalog.resource_at(index).specification);
    for name in own.names() {
        if let Some(member) = own.member(name) {
            shape.insert(name, member.shape.clone(), member.required);
        }
    }
    shape
}

impl Reader<'_> {
    fn activation(
        &mut self,
        root: Node<'_>,
        resource: &str,
        shape: Option<ObjectShape>,
    ) -> Option<ActivationRule> {
        let estimate = Estimate::read(root, self.diagnostics);
        let work = self.work(root);
        let manual = work == Some(Work::Manual);
        let shape = shape?;
        let window = root.get("window").map(|node| self.window(node, &shape));
        let compensation = root
            .get("compensation")
            .and_then(|node| self.compensation(node, &shape, manual));
        Some(ActivationRule {
            id: root.text("id").unwrap_or_default().into_owned(),
            resource: resource.to_owned(),
            work: work?,
            estimate,
            window,
            point_of_no_return: root.get("pointOfNoReturn").and_then(Node::as_bool) == Some(true),
            compensation,
            // What cannot be read was found by the schema.
            retry: root
                .get("retry")
                .and_then(|node| serde_json::from_str(&node.compact()).ok()),
            on_failure: root.text("onFailure").and_then(|it| OnFailure::named(&it)),
        })
    }

    fn work(&mut self, root: Node<'_>) -> Option<Work> {
        let manual = root.text("kind").as_deref() == Some("manual");
        match root.get("endpoint") {
            Some(node) if manual => {
                let message = "manual work has no endpoint".to_owned();
                self.error("rule/endpoint", node.location(), message).hint =
                    Some("leave out `endpoint`, or `kind: manual`".to_owned());
                None
            }
            Some(node) => node.as_str().map(|name| Work::Endpoint(name.into_owned())),
            None if manual => Some(Work::Manual),
            None => {
                let message = "nothing says which endpoint carries it out".to_owned();
                self.error("rule/endpoint", root.location(), message).hint = Some(
                    "name it in `endpoint`; for the work of a person, write `kind: manual`"
                        .to_owned(),
                );
                None
            }
        }
    }

    fn window(&mut self, node: Node<'_>, shape: &ObjectShape) -> WindowRule {
        let actions = actions(node, &[Action::Add]);
        let scope = scope(shape, &actions);
        let moment = Expected::Shape(Shape::String);
        let mut bound = |key: &str| self.expression(node.get(key)?, &moment, &scope);
        let (start, end) = (bound("start"), bound("end"));
        WindowRule {
            start,
            end,
            actions,
        }
    }

    fn compensation(
        &mut self,
        node: Node<'_>,
        shape: &ObjectShape,
        manual: bool,
    ) -> Option<CompensationRule> {
        if let Some(reason) = node.text("none") {
            self.alone(node, "none");
            return Some(CompensationRule::None(reason.into_owned()));
        }
        if manual {
            let message = "manual work has no endpoint that could be asked to undo it".to_owned();
            self.error("rule/compensation", node.location(), message)
                .hint = Some("say in `none` why nothing undoes it, or who does".to_owned());
            return None;
        }
        let Some(method) = node.text("method") else {
            self.alone(node, "action");
            return Some(CompensationRule::Delete);
        };
        let method = match &*method {
            "POST" => CompensationMethod::Post,
            "PATCH" => CompensationMethod::Patch,
            _ => CompensationMethod::Delete,
        };
        let actions = actions(node, &[Action::Add]);
        let scope = scope(shape, &actions);
        if let Some(body) = node
            .get("body")
            .filter(|_| method == CompensationMethod::Delete)
        {
            let message = "a DELETE has no body".to_owned();
            self.error("rule/compensation", body.location(), message);
        }
        let body = node
            .get("body")
            .map(|it| self.expression(it, &Expected::Any, &scope));
        let Some(path) = node.get("path") else {
            let message = "a request needs a path".to_owned();
            self.error("rule/compensation", node.location(), message)
                .hint = Some("such as path: '\"resource/\" + item.resource'".to_owned());
            return None;
        };
        let path = self.expression(path, &Expected::Shape(Shape::String), &scope)?;
        let body = match body {
            Some(body) => Some(body?),
            None => None,
        };
        Some(CompensationRule::Request(Box::new(CompensationRequest {
            method,
            path,
            body,
            actions,
        })))
    }

    /// What says it all has nothing beside it.
    fn alone(&mut self, node: Node<'_>, key: &str) {
        for other in ["path", "body", "actions"] {
            if let Some(member) = node.get(other) {
                let message = format!("`{other}` belongs to a request, not to `{key}`");
                self.error("rule/compensation", member.location(), message);
            }
        }
    }
}

/// A modification holds only what changes, and a removal nothing: then no characteristic is certain.
fn scope(shape: &ObjectShape, actions: &[Action]) -> Scope {
    let resource = if actions.iter().all(|action| *action == Action::Add) {
        shape.clone()
    } else {
        uncertain(shape)
    };
    let mut scope = surroundings();
    if let Some(Shape::Object(item)) = scope.variable("item").cloned() {
        scope.declare(
            "item",
            Shape::Object(item.with_required("resource", Shape::String)),
        );
    }
    scope.with("resource", Shape::Object(resource))
}

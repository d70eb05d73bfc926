//! Gate rules: what has to be decided or reached before tasks start.

use foldhash::{HashMap, HashMapExt as _};

use super::expression::{Expected, Expression, ObjectShape, Parsed, Scope, Shape};
use super::ruling::{Reach, Reader, Subject, actions, nearest, products, surroundings, uncertain};
use super::{Catalog, Estimate, Facing, link};
use crate::diagnostic::{Diagnostic, Location, has_errors};
use crate::document::{Document, DocumentKind, Node};
use crate::graph;
use crate::model::Action;

/// What has to be decided or reached before the tasks of an order item start.
#[derive(Debug)]
pub struct GateRule {
    /// Id of the rule.
    pub id: String,
    /// Its name; that of its kind if it has none, or its id for a milestone.
    pub name: String,
    /// What it is declared for.
    pub subject: Subject,
    /// What is decided.
    pub kind: GateKind,
    /// Id of the customer-facing service each item of which has a gate of its own.
    pub per: Option<String>,
    /// Whether there is a gate; always, if there is no condition.
    pub condition: Option<Expression>,
    /// Actions of the order item for which there is a gate.
    pub actions: Vec<Action>,
    /// What comes before it.
    pub after: Vec<After>,
    /// Ids of the specifications whose tasks wait for it; empty for all.
    pub holds: Vec<String>,
    /// Name of the endpoint that is asked; none where none is.
    pub endpoint: Option<String>,
    /// How long it takes.
    pub estimate: Estimate,
}

/// What comes before a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Another gate, by the id of its rule.
    Gate(String),
    /// All tasks of a service or resource specification, by its id.
    Specification(String),
}

/// What a gate decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GateKind {
    /// TMF645 service qualification.
    Feasibility,
    /// TMF679 product offering qualification.
    AddressQualification,
    /// TMF696 risk assessment.
    Credit,
    /// TMF696 risk assessment.
    Fraud,
    /// A person's decision.
    Approval,
    /// Reached by itself.
    Milestone,
}

impl GateKind {
    const ALL: [GateKind; 6] = [
        GateKind::Feasibility,
        GateKind::AddressQualification,
        GateKind::Credit,
        GateKind::Fraud,
        GateKind::Approval,
        GateKind::Milestone,
    ];

    /// As rules and plans write it.
    pub fn name(self) -> &'static str {
        match self {
            GateKind::Feasibility => "feasibility",
            GateKind::AddressQualification => "addressQualification",
            GateKind::Credit => "credit",
            GateKind::Fraud => "fraud",
            GateKind::Approval => "approval",
            GateKind::Milestone => "milestone",
        }
    }

    /// Name for people.
    pub fn title(self) -> &'static str {
        match self {
            GateKind::Feasibility => "Feasibility",
            GateKind::AddressQualification => "Address qualification",
            GateKind::Credit => "Credit check",
            GateKind::Fraud => "Fraud check",
            GateKind::Approval => "Approval",
            GateKind::Milestone => "Milestone",
        }
    }

    /// Whether an endpoint is asked.
    pub fn asks(self) -> bool {
        match self {
            GateKind::Feasibility
            | GateKind::AddressQualification
            | GateKind::Credit
            | GateKind::Fraud => true,
            GateKind::Approval | GateKind::Milestone => false,
        }
    }
}

/// Reads the gate rules among the documents of a catalog, whose specifications are tied together.
pub(super) fn link(catalog: &mut Catalog, documents: &[&Document], found: &mut Vec<Diagnostic>) {
    let documents = documents.iter().map(|document| document.root());
    let mut roots: Vec<Node<'_>> = documents
        .filter(|root| DocumentKind::of(root.document()) == DocumentKind::GateRule)
        .collect();
    // Plans do not depend on how rules are spread over files.
    roots.sort_by_key(|root| root.text("id"));
    let sound = !has_errors(found);
    let parsed = Parsed::default();
    let mut reader = Reader {
        catalog,
        parsed: &parsed,
        diagnostics: found,
    };
    let gates: HashMap<String, Node<'_>> = roots
        .iter()
        .map(|root| (root.text("id").unwrap_or_default().into_owned(), *root))
        .collect();
    let rules: Vec<GateRule> = roots
        .iter()
        .filter_map(|root| reader.gate(*root, &gates, sound))
        .collect();
    reader.sequence(&rules, &gates);
    let mut by_subject: HashMap<Subject, Vec<usize>> = HashMap::new();
    for (index, rule) in rules.iter().enumerate() {
        by_subject.entry(rule.subject).or_default().push(index);
    }
    catalog.gates = rules;
    catalog.gates_by_subject = by_subject;
}

impl Reader<'_> {
    fn gate(
        &mut self,
        root: Node<'_>,
        gates: &HashMap<String, Node<'_>>,
        sound: bool,
    ) -> Option<GateRule> {
        let estimate = Estimate::read(root, self.diagnostics);
        let kind = root.text("kind");
        let kind = GateKind::ALL
            .into_iter()
            .find(|it| Some(it.name()) == kind.as_deref())?;
        let endpoint = self.gate_endpoint(root, kind);
        let subject = self.subject(root)?;
        let reach = Reach::of(self.catalog, subject);
        let per = root
            .get("for")
            .and_then(|node| self.per(node, &reach, sound));
        let actions = actions(root, &[Action::Add, Action::Modify]);
        let condition = root.get("condition").and_then(|node| {
            let scope = self.gate_scope(&reach, per.as_deref(), &actions);
            self.expression(node, &Expected::Boolean, &scope)
        });
        let after = root
            .list("after")
            .filter_map(|node| self.after(node, gates, &reach, sound))
            .collect();
        let holds: Vec<String> = root
            .list("holds")
            .filter_map(|node| self.needed(node, &reach, sound))
            .collect();
        let id = root.text("id").unwrap_or_default().into_owned();
        let rule = GateRule {
            name: match (root.text("name"), kind) {
                (Some(name), _) => name.into_owned(),
                (None, GateKind::Milestone) => id.clone(),
                (None, _) => kind.title().to_owned(),
            },
            id,
            subject,
            kind,
            per,
            condition,
            actions,
            after,
            holds,
            endpoint,
            estimate,
        };
        self.holds_what_comes_before(root, &rule);
        self.milestone_waits(root, &rule);
        Some(rule)
    }

    fn gate_endpoint(&mut self, root: Node<'_>, kind: GateKind) -> Option<String> {
        match root.get("endpoint") {
            Some(node) if kind.asks() => node.as_str().map(std::borrow::Cow::into_owned),
            Some(node) => {
                let message = format!("the kind {} asks no endpoint", kind.name());
                self.error("rule/endpoint", node.location(), message).hint =
                    Some("leave out `endpoint`".to_owned());
                None
            }
            None => {
                if kind.asks() {
                    let message =
                        format!("nothing says which endpoint is asked for {}", kind.name());
                    self.error("rule/endpoint", root.location(), message).hint =
                        Some("name it in `endpoint`".to_owned());
                }
                None
            }
        }
    }

    /// The customer-facing service each item of which has a gate.
    fn per(&mut self, node: Node<'_>, reach: &Reach<'_>, sound: bool) -> Option<String> {
        let id = self.needed(node, reach, sound)?;
        let catalog = self.catalog;
        let facing = catalog.service(&id).map(|service| service.facing);
        if facing == Some(Facing::Customer) {
            return Some(id);
        }
        let message = format!("`{id}` is no customer-facing service");
        self.error("catalog/reference-type", node.location(), message);
        None
    }

    /// The id of a specification that the product may need.
    fn needed(&mut self, node: Node<'_>, reach: &Reach<'_>, sound: bool) -> Option<String> {
        let id = node.text("id").unwrap_or_default().into_owned();
        if reach.ids.contains(&*id) {
            return Some(id);
        }
        let catalog = self.catalog;
        if catalog.service(&id).is_none() && catalog.resource(&id).is_none() {
            let known = reach.ids.iter().copied();
            self.dangling(node, "service or resource specification", known);
        } else if sound {
            let message = format!("`{id}` is never made for what the gate is declared for");
            let place = node.get("id").unwrap_or(node).location();
            let hint = nearest(&id, reach.ids.iter().copied());
            self.error("rule/gate-scope", place, message).hint = hint;
        }
        None
    }

    fn after(
        &mut self,
        node: Node<'_>,
        gates: &HashMap<String, Node<'_>>,
        reach: &Reach<'_>,
        sound: bool,
    ) -> Option<After> {
        let id = node.text("id").unwrap_or_default().into_owned();
        let catalog = self.catalog;
        let specification = catalog.service(&id).is_some() || catalog.resource(&id).is_some();
        match (gates.contains_key(&id), specification) {
            (true, true) => {
                let message = format!("`{id}` is both a gate rule and a specification");
                self.error("rule/ambiguous-reference", node.location(), message)
                    .hint = Some("rename one of them".to_owned());
                None
            }
            (true, false) => Some(After::Gate(id)),
            (false, true) => self.needed(node, reach, sound).map(After::Specification),
            (false, false) => {
                let known = gates.keys().map(String::as_str);
                let known = known.chain(reach.ids.iter().copied());
                self.dangling(node, "gate rule or specification", known);
                None
            }
        }
    }

    fn gate_scope(&self, reach: &Reach<'_>, per: Option<&str>, actions: &[Action]) -> Scope {
        let catalog = self.catalog;
        let products = reach.products.iter();
        let shapes = products.map(|it| link::shape(&catalog.product_at(*it).specification));
        let mut product = link::joined(shapes);
        // A change names of the product only what changes.
        if actions.iter().any(|action| *action != Action::Add) {
            product = uncertain(&product);
        }
        let source = per.and_then(|id| catalog.service(id)).map_or_else(
            || product.clone(),
            |service| link::shape(&service.specification),
        );
        let order = ObjectShape::closed()
            .with_required("id", Shape::String)
            .with_optional("externalId", Shape::String)
            .with_optional("category", Shape::String)
            .with_optional("priority", Shape::String);
        surroundings()
            .with("source", Shape::Object(source))
            .with("product", Shape::Object(product))
            .with("order", Shape::Object(order))
    }

    /// A gate cannot hold what it comes after.
    fn holds_what_comes_before(&mut self, root: Node<'_>, rule: &GateRule) {
        for held in root.list("holds") {
            let id = held.text("id").unwrap_or_default().into_owned();
            if rule.after.contains(&After::Specification(id.clone())) {
                let message = format!("the gate comes after `{id}` and cannot hold it");
                self.error("rule/gate-scope", held.location(), message);
            }
        }
    }

    fn milestone_waits(&mut self, root: Node<'_>, rule: &GateRule) {
        if rule.kind == GateKind::Milestone && root.get("after").is_none() {
            let message = "a milestone that comes after nothing is reached at once".to_owned();
            self.error("rule/gate-after", root.location(), message).hint =
                Some("name in `after` what has to be done first".to_owned());
        }
    }

    /// Gates come after gates of the same product, and not after themselves.
    fn sequence(&mut self, rules: &[GateRule], nodes: &HashMap<String, Node<'_>>) {
        let positions: HashMap<&str, usize> = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| (rule.id.as_str(), index))
            .collect();
        let mut edges = vec![Vec::new(); rules.len()];
        for (index, rule) in rules.iter().enumerate() {
            for after in &rule.after {
                let After::Gate(id) = after else { continue };
                let Some(&before) = positions.get(id.as_str()) else {
                    continue;
                };
                edges[index].push(before);
                if !self.together(rule.subject, rules[before].subject) {
                    let message = format!("gate `{id}` is declared for something else");
                    let place = place_of_after(nodes[&rule.id], id);
                    self.error("rule/gate-after", place, message).hint = Some(
                        "both have to be declared for the same offering or product specification"
                            .to_owned(),
                    );
                }
            }
        }
        for cycle in graph::cycles(&edges) {
            let mut members: Vec<&str> = cycle.iter().map(|it| rules[*it].id.as_str()).collect();
            members.push(members[0]);
            let message = format!("gates come after each other: {}", members.join(" → "));
            let place = place_of_after(nodes[members[0]], members[1]);
            self.error("rule/gate-cycle", place, message);
        }
    }

    /// Whether two gates can stand before the same order item.
    fn together(&self, one: Subject, other: Subject) -> bool {
        one == other
            || match (one, other) {
                (Subject::Offering(_), Subject::Offering(_)) => false,
                (one, other) => {
                    let others = products(self.catalog, other);
                    products(self.catalog, one)
                        .iter()
                        .any(|it| others.contains(it))
                }
            }
    }
}

/// Where a gate names another one.
fn place_of_after(root: Node<'_>, id: &str) -> Location {
    let mut after = root.list("after");
    let node = after.find(|node| node.text("id").as_deref() == Some(id));
    node.unwrap_or(root).location()
}

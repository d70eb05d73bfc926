//! Gates: what has to be decided or reached before tasks start, by the gate
//! rules of what is ordered.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use foldhash::{HashMap, HashMapExt as _, HashSet};

use super::digest;
use super::draft::{self, Draft};
use super::flow::{Compensation, RelatedEntity, TaskKind};
use super::inquiry::{self, Inquiry};
use super::layers::{Entry, Layer};
use super::network::{Network, Wait};
use super::scope::{Element, Scope};
use super::variables::{self, Members, Variables};
use crate::catalog::{After, GateKind, GateRule, Values};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::quote;
use crate::model::product_order::external_id;
use crate::model::{Action, Order, Site};

/// Puts gates before the tasks of a chain.
pub struct Gating<'g, 'a, 'd> {
    /// The tasks of items, and what there is to say about them.
    pub scope: Scope<'g, 'a, 'd>,
    /// Name of the root order.
    pub root: &'g str,
    /// The root order.
    pub order: &'g Order<'d>,
    /// What keeps the order from being planned.
    pub faults: &'g mut Vec<Diagnostic>,
}

/// A gate of an item.
struct Gate<'g> {
    rule: &'g GateRule,
    /// The product order item that the rule is for.
    product: usize,
    /// That item, or a service order item below it.
    entry: usize,
    /// Where the service order item is.
    place: Option<Site<'g>>,
    /// What it is made for, if that is an element of a list.
    element: Option<Element<'g>>,
    /// The tasks that wait for it.
    held: Vec<usize>,
    /// The tasks that it waits for.
    after: Vec<usize>,
}

impl<'g> Gate<'g> {
    fn whereabouts(&self) -> Whereabouts<'g> {
        (&self.rule.id, self.product, self.place.clone())
    }
}

impl<'g, 'd: 'g> Gating<'g, '_, 'd> {
    /// Adds the gates to the network; their drafts come in the order of their positions there.
    pub fn add(&mut self, network: &mut Network) -> Vec<Draft<'d>> {
        let mut gates = self.candidates();
        let mut places = Places::default();
        for gate in &mut gates {
            self.look_around(gate, &mut places, network);
        }
        gates.retain(|gate| !gate.held.is_empty());
        let sequence = sequence(&gates);
        let mut known = Known::default();
        let mut made: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut positions = HashMap::new();
        for index in sequence {
            let gate = &gates[index];
            let mut before: Vec<usize> = Vec::new();
            for after in &gate.rule.after {
                if let After::Gate(id) = after {
                    before.extend(known.before(&self.scope, gate, id));
                }
            }
            before.sort_unstable();
            before.dedup();
            // What a milestone marks is not there.
            if gate.rule.kind == GateKind::Milestone && before.is_empty() && gate.after.is_empty() {
                continue;
            }
            known.enter(&self.scope, gate, index);
            positions.insert(index, made.len());
            made.push((index, before));
        }
        // By item, as people read: the sequence above only made sure of what comes before.
        made.sort_unstable_by_key(|(index, _)| *index);
        let nodes: HashMap<usize, usize> = made
            .iter()
            .map(|(index, _)| (*index, network.add()))
            .collect();
        let ends: Vec<(Vec<usize>, Vec<usize>)> = made
            .iter()
            .map(|(index, _)| {
                let gate = &gates[*index];
                (network.lasts(&gate.after), network.firsts(&gate.held))
            })
            .collect();
        let mut holding: HashMap<usize, Vec<usize>> = HashMap::new();
        for ((index, before), (lasts, firsts)) in made.iter().zip(ends) {
            let node = nodes[index];
            for task in lasts.into_iter().chain(before.iter().map(|it| nodes[it])) {
                network.wait(node, Wait::on(task));
            }
            for task in firsts {
                holding.entry(task).or_default().push(*index);
            }
        }
        let follows: HashSet<(usize, usize)> = made
            .iter()
            .flat_map(|(index, before)| before.iter().map(|it| (*index, *it)))
            .collect();
        let mut holding: Vec<(usize, Vec<usize>)> = holding.into_iter().collect();
        holding.sort_unstable();
        for (task, gates) in holding {
            for gate in &gates {
                // Who waits for a gate waits for those before it.
                if !gates.iter().any(|other| follows.contains(&(*other, *gate))) {
                    network.wait(task, Wait::on(nodes[gate]));
                }
            }
        }
        let mut called: HashMap<Whereabouts<'_>, usize> = HashMap::new();
        for (index, _) in &made {
            *called.entry(gates[*index].whereabouts()).or_default() += 1;
        }
        let drafts = made.iter().map(|(index, _)| {
            let gate = &gates[*index];
            let is_alone = called.get(&gate.whereabouts()) == Some(&1);
            self.draft(gate, is_alone)
        });
        drafts.collect()
    }

    /// The gates that the rules ask for: by product order item, rule and service order item.
    fn candidates(&mut self) -> Vec<Gate<'g>> {
        let layers = self.scope.layers;
        let catalog = self.scope.catalog;
        let mut services: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, entry) in layers.entries.iter().enumerate() {
            if entry.layer == Layer::Service && !entry.tasks.is_empty() {
                for above in layers.ancestors(index) {
                    services.entry(above).or_default().push(index);
                }
            }
        }
        let mut gates = Vec::new();
        for (product, entry) in layers.entries.iter().enumerate() {
            if entry.layer != Layer::Product || entry.tasks.is_empty() {
                continue;
            }
            let subjects = self.scope.subjects(product);
            let rules = subjects.iter().flat_map(|it| catalog.gates(*it));
            let mut rules: Vec<&'g GateRule> = rules.collect();
            rules.sort_by_key(|rule| &rule.id);
            let values = if rules.iter().any(|rule| rule.condition.is_some()) {
                self.scope.product_values(product)
            } else {
                Values::default()
            };
            for rule in rules {
                let below = services.get(&product).map_or(&[][..], Vec::as_slice);
                let items: Vec<usize> = match &rule.per {
                    None => vec![product],
                    Some(id) => {
                        let items = below.iter().copied();
                        items
                            .filter(|it| self.scope.specification(*it) == Some(id))
                            .collect()
                    }
                };
                for entry in items {
                    if self.is_there(rule, (product, &values), entry) {
                        gates.push(Gate {
                            rule,
                            product,
                            entry,
                            place: rule.per.as_ref().and_then(|_| layers.site(entry)),
                            element: rule.per.as_ref().and_then(|_| self.scope.element(entry)),
                            held: Vec::new(),
                            after: Vec::new(),
                        });
                    }
                }
            }
        }
        gates
    }

    /// Whether an item has the rule's actions and condition.
    fn is_there(
        &mut self,
        rule: &GateRule,
        (product, values): (usize, &Values<'g>),
        entry: usize,
    ) -> bool {
        let item = self.scope.item(entry);
        if !item.action.is_some_and(|it| rule.actions.contains(&it)) {
            return false;
        }
        let Some(condition) = &rule.condition else {
            return true;
        };
        let source = if entry == product {
            values.clone()
        } else {
            self.scope.service_values(entry)
        };
        let variables = Variables::default()
            .with("source", members(&source))
            .with("product", members(values))
            .with("item", variables::item(item))
            .with("place", variables::place(self.scope.layers.place(entry)))
            .with("order", self.order_members());
        match condition.holds(&variables.bindings()) {
            Ok(holds) => holds,
            Err(fault) => {
                let what = "the condition cannot be computed";
                let finding = variables::fault(item.node, &rule.id, what, &fault);
                self.faults.push(finding);
                false
            }
        }
    }

    fn order_members(&self) -> Members<'g> {
        let node = self.order.node();
        let texts = [
            ("id", Some(Cow::Borrowed(self.root))),
            ("externalId", external_id(node)),
            ("category", node.text("category")),
            ("priority", node.text("priority")),
        ];
        let given = texts.into_iter();
        given
            .filter_map(|(key, text)| Some((Cow::Borrowed(key), Cow::Owned(quote(&text?)))))
            .collect()
    }

    /// Finds the tasks that a gate holds, and those that it comes after.
    fn look_around(&self, gate: &mut Gate<'g>, places: &mut Places<'g>, network: &mut Network) {
        let around = places.around(&self.scope, gate);
        let rule = gate.rule;
        let ids: Vec<&str> = rule
            .after
            .iter()
            .filter_map(|after| match after {
                After::Specification(id) => Some(id.as_str()),
                After::Gate(_) => None,
            })
            .collect();
        if !ids.is_empty() {
            let after = around.iter().copied();
            gate.after = after
                .filter(|task| ids.iter().any(|id| self.scope.is_of(*task, id)))
                .collect();
        }
        // What it comes after, and what that waits for, cannot wait for it.
        let earlier = network.closure_before(&around, &gate.after);
        let held = around.iter().copied();
        let held = held.filter(|task| earlier.binary_search(task).is_err());
        gate.held = held
            .filter(|task| {
                rule.holds.is_empty() || rule.holds.iter().any(|id| self.scope.is_of(*task, id))
            })
            .collect();
    }

    /// The task of a gate; where it is not alone at its place, its name says for what it is there.
    fn draft(&self, gate: &Gate<'g>, is_alone: bool) -> Draft<'d> {
        let rule = gate.rule;
        let entry = &self.scope.layers.entries[gate.entry];
        let item = &entry.item;
        let id = format!("{}.{}", item.id, rule.id);
        let per_place = rule.per.as_ref().and(self.scope.layers.place(gate.entry));
        let place = per_place.and_then(|place| {
            let inner = place.get("place").unwrap_or(place);
            inner.text("name").or_else(|| inner.text("id"))
        });
        let (mut name, mut holds) = match &place {
            Some(place) => (
                format!("{}: {place}", rule.name),
                format!("what is at {place}"),
            ),
            None => (
                rule.name.clone(),
                format!("what item `{}` of the order asks for", item.id),
            ),
        };
        if let Some((_, key)) = gate.element.as_ref().filter(|_| !is_alone) {
            let _ = write!(name, " ({key})");
            let _ = write!(holds, ", for {key}");
        }
        let kind = match rule.kind {
            GateKind::Approval => TaskKind::Manual,
            GateKind::Milestone => TaskKind::Milestone,
            _ => TaskKind::Activation,
        };
        let why = format!("gate rule `{}` holds {holds}", rule.id);
        let mut task = draft::blank(id, name, kind, why);
        task.gate = Some(rule.kind.name().to_owned());
        task.related_entity = vec![RelatedEntity {
            id: item.id.to_string(),
            role: "orderItem".into(),
            referred_type: entry.layer.item_type().into(),
        }];
        task.estimate = draft::estimate(&rule.estimate);
        let reference = format!("{}/{}", self.root, task.id);
        let request = inquiry::request(
            rule.kind,
            &Inquiry {
                layers: self.scope.layers,
                entry: gate.entry,
                product: gate.product,
                order: self.order,
                reference: &reference,
                name: &task.name,
            },
        );
        if let Some(request) = request {
            let key = digest::idempotency_key(self.root, "", &task.id, &request);
            task.endpoint.clone_from(&rule.endpoint);
            task.idempotency_key = Some(key);
            task.request = Some(request);
            let reason = "a question changes nothing";
            task.compensation = Some(Compensation::None(reason.to_owned()));
        }
        Draft::around(task, rule.estimate.expected(), item.node)
    }
}

/// Product order items of which nothing says what they are about: no rule is looked for.
pub fn unknown(scope: Scope<'_, '_, '_>) -> Vec<Diagnostic> {
    let entries = scope.layers.entries.iter().enumerate();
    let holders: HashSet<usize> = scope
        .layers
        .entries
        .iter()
        .filter_map(|it| it.holder)
        .collect();
    let unknown = entries.filter(|(index, entry)| {
        // What only holds others is about nothing itself.
        let item = &entry.item;
        let names = item.specification.is_some() || item.node.get("productOffering").is_some();
        let only_holds = holders.contains(index) && !names;
        let wanted = matches!(item.action, Some(Action::Add | Action::Modify)) && !only_holds;
        let planned = entry.layer == Layer::Product && wanted && !entry.tasks.is_empty();
        planned && scope.subjects(*index).is_empty()
    });
    let warning = |(_, entry): (usize, &Entry<'_, '_>)| {
        let message = format!(
            "item `{}` names no offering or product specification of the catalog: gates and waves \
             that are declared for it are left out",
            entry.item.id
        );
        let place = entry.item.node.location();
        let code = Code("plan/unknown-product");
        Diagnostic::new(code, Severity::Warning, place, message)
            .with_hint("name `productOffering` in the item")
    };
    unknown.map(warning).collect()
}

fn members<'g>(values: &Values<'g>) -> Members<'g> {
    let pairs = values.iter();
    pairs
        .map(|(name, text)| (Cow::Owned(name.to_owned()), Cow::Owned(text.to_owned())))
        .collect()
}

/// Tasks below product order items by the place that they are at.
#[derive(Default)]
struct Places<'g> {
    tasks: HashMap<usize, BTreeMap<Option<Site<'g>>, Vec<usize>>>,
    /// Those at a place by the elements of a list that they are for.
    elements: HashMap<Whereabouts<'g>, Elements>,
}

/// Tasks at a place by the elements of a list.
#[derive(Default)]
struct Elements {
    of: HashMap<String, Vec<usize>>,
    /// Those for no element.
    of_none: Vec<usize>,
}

impl<'g> Places<'g> {
    /// The tasks that a gate may hold, in ascending order: all of its product order item, or for a
    /// service order item those at its place, without those of other elements of its list. Where
    /// items have places and it has none, only its own.
    fn around<'d: 'g>(&mut self, scope: &Scope<'g, '_, 'd>, gate: &Gate<'g>) -> Vec<usize> {
        let all = &scope.layers.entries[gate.product].tasks;
        if gate.entry == gate.product {
            return all.to_vec();
        }
        let places = self.tasks.entry(gate.product).or_insert_with(|| {
            let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
            for &task in all {
                places.entry(scope.site_of(task)).or_default().push(task);
            }
            places
        });
        let somewhere = places.keys().any(Option::is_some);
        let there = places.get(&gate.place).map_or(&[][..], Vec::as_slice);
        let mut around = match &gate.element {
            _ if gate.place.is_none() && somewhere => Vec::new(),
            Some((list, key)) => {
                let at = (*list, gate.product, gate.place.clone());
                let elements = self.elements.entry(at);
                elements
                    .or_insert_with(|| Elements::among(scope, there, list))
                    .with(key)
            }
            None => there.to_vec(),
        };
        around.extend(&scope.layers.entries[gate.entry].tasks);
        around.sort_unstable();
        around.dedup();
        around
    }
}

impl Elements {
    fn among<'g, 'd: 'g>(scope: &Scope<'g, '_, 'd>, tasks: &[usize], list: &str) -> Elements {
        let mut elements = Elements::default();
        for &task in tasks {
            let keys = scope.elements_of(task, list);
            if keys.is_empty() {
                elements.of_none.push(task);
            }
            for key in keys {
                elements.of.entry(key).or_default().push(task);
            }
        }
        elements
    }

    /// The tasks for an element, and those for none.
    fn with(&self, key: &str) -> Vec<usize> {
        let own = self.of.get(key).into_iter().flatten();
        own.chain(&self.of_none).copied().collect()
    }
}

/// The gates in an order in which each comes after those that it has to come after.
fn sequence(gates: &[Gate<'_>]) -> Vec<usize> {
    let rules: BTreeMap<&str, &GateRule> = gates
        .iter()
        .map(|gate| (gate.rule.id.as_str(), gate.rule))
        .collect();
    let mut ranks: HashMap<&str, usize> = HashMap::new();
    // Rules have no cycle: so many rounds are enough.
    for _ in 0..rules.len() {
        let mut changed = false;
        for (id, rule) in &rules {
            let before = rule.after.iter().filter_map(|after| match after {
                After::Gate(other) => Some(ranks.get(other.as_str()).map_or(0, |rank| rank + 1)),
                After::Specification(_) => None,
            });
            let rank = before.max().unwrap_or(0);
            changed |= ranks.insert(id, rank) != Some(rank);
        }
        if !changed {
            break;
        }
    }
    let mut sequence: Vec<usize> = (0..gates.len()).collect();
    sequence.sort_by_key(|index| (ranks.get(gates[*index].rule.id.as_str()), *index));
    sequence
}

/// A rule or a list, a product order item, and a place.
type Whereabouts<'g> = (&'g str, usize, Option<Site<'g>>);

/// The gates that were made, by rule and by where they are.
#[derive(Default)]
struct Known<'g> {
    /// By product order item.
    own: HashMap<(&'g str, usize), Vec<usize>>,
    /// By the items that hold that.
    inside: HashMap<(&'g str, usize), Vec<usize>>,
    /// Of service order items, by product order item and place.
    at: HashMap<Whereabouts<'g>, Vec<(usize, Option<Element<'g>>)>>,
}

impl<'g> Known<'g> {
    fn enter(&mut self, scope: &Scope<'_, '_, '_>, gate: &Gate<'g>, index: usize) {
        let id = gate.rule.id.as_str();
        self.own.entry((id, gate.product)).or_default().push(index);
        for above in scope.layers.ancestors(gate.product) {
            self.inside.entry((id, above)).or_default().push(index);
        }
        if gate.rule.per.is_some() {
            let there = self.at.entry(gate.whereabouts()).or_default();
            there.push((index, gate.element.clone()));
        }
    }

    /// The gates of a rule that come before a gate: of the same place where both are of services, and
    /// there of no other element, else of the product order item, what holds it and what it holds.
    fn before(&self, scope: &Scope<'_, '_, '_>, gate: &Gate<'g>, id: &'g str) -> Vec<usize> {
        if gate.rule.per.is_some()
            && let Some(there) = self.at.get(&(id, gate.product, gate.place.clone()))
        {
            let apart = gate.element.as_ref();
            let beside = there.iter().filter(|(_, other)| {
                let same =
                    |(one, other): (&Element<'_>, &Element<'_>)| one.0 != other.0 || one == other;
                apart.zip(other.as_ref()).is_none_or(same)
            });
            let beside: Vec<usize> = beside.map(|(index, _)| *index).collect();
            if !beside.is_empty() {
                return beside;
            }
        }
        let own = self.own.get(&(id, gate.product));
        let inside = self.inside.get(&(id, gate.product));
        let mut found: Vec<usize> = own.into_iter().chain(inside).flatten().copied().collect();
        for above in scope.layers.ancestors(gate.product) {
            found.extend(self.own.get(&(id, above)).into_iter().flatten());
        }
        found
    }
}

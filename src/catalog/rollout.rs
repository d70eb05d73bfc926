//! Rollout rules: in which waves an order is carried out.

use foldhash::{HashMap, HashMapExt as _};

use super::Catalog;
use super::characteristic::CharacteristicSpecification;
use super::expression::Parsed;
use super::ruling::{Reach, Reader, Subject, nearest, products};
use crate::diagnostic::{Diagnostic, Location, has_errors};
use crate::document::{Document, DocumentKind, Node};

/// In which waves an order is carried out.
#[derive(Debug)]
pub struct RolloutRule {
    /// Id of the rule.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What it is declared for.
    pub subject: Subject,
    /// Name of the characteristic that tells the wave.
    pub characteristic: String,
    /// Values of the characteristic, first wave to last; numbers as they are written.
    pub waves: Vec<String>,
    /// What a wave has to have come to.
    pub until: WaveEnd,
    /// How the next wave starts.
    pub release: Release,
}

/// What the tasks of a wave have to have come to before the next one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveEnd {
    /// They were completed.
    Completed,
    /// They were completed, or were given up.
    Ended,
}

/// How the next wave starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// By itself.
    Automatic,
    /// By a person.
    Manual,
}

/// Reads the rollout rules among the documents of a catalog, whose specifications are tied
/// together.
pub(super) fn link(catalog: &mut Catalog, documents: &[&Document], found: &mut Vec<Diagnostic>) {
    let documents = documents.iter().map(|document| document.root());
    let mut roots: Vec<Node<'_>> = documents
        .filter(|root| DocumentKind::of(root.document()) == DocumentKind::RolloutRule)
        .collect();
    roots.sort_by_key(|root| root.text("id"));
    let sound = !has_errors(found);
    let parsed = Parsed::default();
    let mut reader = Reader {
        catalog,
        parsed: &parsed,
        diagnostics: found,
    };
    let mut places: HashMap<Subject, Location> = HashMap::new();
    let (mut rules, mut by_subject) = (Vec::new(), HashMap::new());
    for root in roots {
        let Some(subject) = reader.subject(root) else {
            continue;
        };
        let first = overlapping(reader.catalog, subject)
            .into_iter()
            .find_map(|subject| places.get(&subject));
        if let Some(first) = first.cloned() {
            let message = "two rollout rules are for the same product".to_owned();
            let finding = reader.error("rule/conflict", root.location(), message);
            finding.related = Some(first);
            finding.hint = Some("keep one of them".to_owned());
            continue;
        }
        places.insert(subject, root.location());
        by_subject.insert(subject, rules.len());
        rules.push(reader.rollout(root, subject, sound));
    }
    catalog.rollouts = rules;
    catalog.rollout_by_subject = by_subject;
}

/// The subjects whose order items may be those of a subject.
fn overlapping(catalog: &Catalog, subject: Subject) -> Vec<Subject> {
    let mut subjects = vec![subject];
    match subject {
        Subject::Offering(index) => {
            subjects.extend(catalog.offerings[index].product.map(Subject::Product));
        }
        Subject::Product(product) => {
            let offerings = catalog.offerings.iter().enumerate();
            let sold = offerings.filter(|(_, offering)| offering.product == Some(product));
            subjects.extend(sold.map(|(index, _)| Subject::Offering(index)));
        }
    }
    subjects
}

impl Reader<'_> {
    fn rollout(&mut self, root: Node<'_>, subject: Subject, sound: bool) -> RolloutRule {
        let characteristic = root.text("characteristic").unwrap_or_default().into_owned();
        let waves = root.list("waves");
        if sound {
            self.waves(root, subject, &characteristic);
        }
        RolloutRule {
            id: root.text("id").unwrap_or_default().into_owned(),
            name: root.text("name").map(std::borrow::Cow::into_owned),
            subject,
            characteristic,
            waves: waves.map(|node| node.told().into_owned()).collect(),
            until: match root.text("until").as_deref() {
                Some("ended") => WaveEnd::Ended,
                _ => WaveEnd::Completed,
            },
            release: match root.text("release").as_deref() {
                Some("manual") => Release::Manual,
                _ => Release::Automatic,
            },
        }
    }

    /// The characteristic has to be one of what is ordered, and its values the waves.
    fn waves(&mut self, root: Node<'_>, subject: Subject, name: &str) {
        let catalog = self.catalog;
        let known = characteristics(catalog, subject);
        let same: Vec<&CharacteristicSpecification> =
            known.iter().copied().filter(|it| it.name == name).collect();
        if same.is_empty() {
            let node = root.get("characteristic").unwrap_or(root);
            let message = format!("nothing that is ordered has a characteristic `{name}`");
            let hint = nearest(name, known.iter().map(|it| it.name.as_str()));
            self.error("rule/unknown-characteristic", node.location(), message)
                .hint = hint;
            return;
        }
        for node in root.list("waves") {
            let misfits = same.iter().map(|it| it.check(node).err());
            let misfits: Option<Vec<_>> = misfits.collect();
            if let Some((_, misfit)) = misfits.and_then(|it| it.into_iter().next()) {
                let message = format!("`{name}` is never {}: {misfit}", node.raw());
                self.error("rule/rollout-wave", node.location(), message)
                    .hint = misfit.hint();
            }
        }
    }
}

/// The characteristics of everything that may be made for a subject, its own first.
fn characteristics(catalog: &Catalog, subject: Subject) -> Vec<&CharacteristicSpecification> {
    let reach = Reach::of(catalog, subject);
    let products = products(catalog, subject);
    let products = products
        .iter()
        .map(|it| &catalog.product_at(*it).specification);
    let services = reach
        .services
        .iter()
        .map(|it| &catalog.service_at(*it).specification);
    let resources = reach.ids.iter().filter_map(|id| catalog.resource(id));
    let resources = resources.map(|it| &it.specification);
    let all = products.chain(services).chain(resources);
    all.flat_map(|it| &it.characteristics).collect()
}

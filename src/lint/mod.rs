//! Is a catalog not only sound but sensible? One rule, one file, one table.
//!
//! Loading refuses what cannot work at all; a lint rule finds what works otherwise than its author
//! meant: what is never made, what always holds, what cannot be undone. Pure functions of the catalog.

mod conditions;
mod explain;
pub mod rules;
mod settings;
pub(crate) mod survey;
pub(crate) mod view;

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

pub use explain::explain;
pub use settings::{Exception, Level, Settings};

use crate::catalog::Catalog;
use crate::catalog::expression::Expression;
use crate::catalog::space::{Outcomes, Space};
use crate::diagnostic::{Code, Diagnostic, Location, codes};
use crate::document::{Document, DocumentKind, Node};
use crate::parallel;
use conditions::Condition;
use survey::Survey;
use view::View;

/// A lint rule.
pub struct Rule {
    /// What it reports.
    pub code: &'static str,
    /// Why that is bad, a few sentences.
    pub why: &'static str,
    /// A catalog in which it finds something, YAML.
    pub example: &'static str,
    /// The example, mended.
    pub mended: &'static str,
    check: fn(&Subject<'_>, &mut Found),
}

/// A catalog that is looked at.
pub struct Subject<'c> {
    /// The catalog.
    pub catalog: &'c Catalog,
    /// Names of the endpoints that there are, if anybody has said so.
    pub endpoints: Option<&'c BTreeSet<String>>,
    documents: &'c [Document],
    /// The documents by kind and id, put together when one is first asked for.
    nodes: OnceLock<HashMap<(DocumentKind, String), Node<'c>>>,
    survey: Survey<'c>,
    /// The conditions of which it can be said how they come out over all that they may see, and how.
    judged: Vec<(Condition<'c>, Outcomes)>,
}

/// What was found so far.
#[derive(Default)]
pub struct Found(Vec<Diagnostic>);

impl Found {
    /// Adds a finding, with the severity of its code.
    fn add(
        &mut self,
        code: &'static str,
        location: Location,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let severity = codes::find(Code(code))
            .expect("every code is described")
            .severity;
        self.0
            .push(Diagnostic::new(Code(code), severity, location, message));
        self.0.last_mut().expect("a finding was just pushed")
    }
}

/// Looks at a catalog that was loaded from `documents`. The findings by file and place, as the
/// settings want them.
pub fn lint(
    catalog: &Catalog,
    documents: &[Document],
    endpoints: Option<&BTreeSet<String>>,
    settings: &Settings,
) -> Vec<Diagnostic> {
    let survey = Survey::of(catalog);
    let judged = conditions::judged(catalog, &survey);
    let subject = Subject {
        catalog,
        endpoints,
        documents,
        nodes: OnceLock::new(),
        survey,
        judged,
    };
    let check = |rule: &Rule| {
        let mut found = Found::default();
        (rule.check)(&subject, &mut found);
        found.0
    };
    let found = parallel::map_over(documents.len(), rules::RULES.iter().collect(), check);
    let found = found.into_iter().flatten().collect();
    let starts = starts(documents, settings);
    let mut findings = settings.applied(found, &|location| {
        let place = |it: &(Location, String)| it.0 <= *location;
        let last = starts.partition_point(place).checked_sub(1)?;
        Some(starts[last].1.clone())
    });
    findings.sort_by(|a, b| {
        a.location
            .cmp(&b.location)
            .then_with(|| a.code.cmp(&b.code))
            .then_with(|| a.message.cmp(&b.message))
    });
    findings.dedup();
    findings
}

/// Where the documents begin, in the order of their places, with their ids; none where no exception
/// names a document.
fn starts(documents: &[Document], settings: &Settings) -> Vec<(Location, String)> {
    if settings.exceptions.iter().all(|it| it.document.is_none()) {
        return Vec::new();
    }
    let mut starts: Vec<(Location, String)> = documents
        .iter()
        .filter_map(|it| Some((it.root().location(), it.root().text("id")?.into_owned())))
        .collect();
    starts.sort();
    starts
}

impl<'c> Subject<'c> {
    /// A document of the catalog.
    fn node(&self, kind: DocumentKind, id: &str) -> Option<Node<'c>> {
        let nodes = self.nodes.get_or_init(|| {
            let nodes = self.documents.iter().filter_map(|document| {
                let root = document.root();
                let id = root.text("id")?.into_owned();
                Some(((DocumentKind::of(document), id), root))
            });
            nodes.collect()
        });
        nodes.get(&(kind, id.to_owned())).copied()
    }

    /// Where a member of a document stands, else the document; `or` if there is no such document.
    fn place(&self, (kind, id): (DocumentKind, &str), member: &str, or: &Location) -> Location {
        let root = self.node(kind, id);
        let node = root.map(|root| root.get(member).unwrap_or(root));
        node.map_or_else(|| or.clone(), Node::location)
    }
}

/// How a condition comes out over all that it may see, where another one holds; `None` where
/// that cannot be said.
fn outcomes(
    condition: &Expression,
    given: Option<&Expression>,
    view: &View<'_>,
) -> Option<Outcomes> {
    let space = Space::of(given.into_iter().chain([condition]), &|it| view.domain(it))?;
    let given = given.filter(|it| !std::ptr::eq(*it, condition));
    Some(space.outcomes(condition, &|bindings| {
        given.is_none_or(|it| it.holds(bindings) == Ok(true))
    }))
}

#[cfg(test)]
mod tests;

//! Two documents, member by member; elements of lists are matched by what names them, not by where
//! they stand.

use std::collections::BTreeMap;

use super::words::{self, Segment};
use super::{Alteration, Change, breaking};
use crate::document::{DocumentKind, Kind, Node};

/// Members that say nothing about what a catalog does.
const IGNORED: [&str; 4] = ["href", "lastUpdate", "@schemaLocation", "$schema"];

/// Lists of which it matters what comes first.
const SEQUENCES: [&str; 2] = ["waves", "forEach"];

/// What a document has now that it did not have before, and the other way round.
pub fn alterations(kind: DocumentKind, before: Node<'_>, now: Node<'_>) -> Vec<Alteration> {
    let mut walk = Walk {
        kind,
        here: now,
        path: Vec::new(),
        found: Vec::new(),
    };
    walk.value(Some(before), Some(now));
    walk.found
}

struct Walk<'d> {
    kind: DocumentKind,
    /// The object or list that is looked into, as it is now.
    here: Node<'d>,
    path: Vec<Segment>,
    found: Vec<Alteration>,
}

impl<'d> Walk<'d> {
    fn value(&mut self, before: Option<Node<'d>>, now: Option<Node<'d>>) {
        match (before, now) {
            (Some(before), Some(now)) => match (before.kind(), now.kind()) {
                (Kind::Object, Kind::Object) => self.object(before, now),
                (Kind::Array, Kind::Array) => self.list(before, now),
                _ if same(before, now) => {}
                _ => self.found(Change::Changed, Some(before), Some(now)),
            },
            (None, Some(now)) => self.whole(Change::Added, now),
            (Some(before), None) => self.whole(Change::Removed, before),
            (None, None) => {}
        }
    }

    /// Something that is only on one side: of a list each of its elements.
    fn whole(&mut self, change: Change, node: Node<'d>) {
        let elements = keyed(node);
        match elements {
            Some(elements) if node.kind() == Kind::Array && !elements.is_empty() => {
                for (key, element) in elements {
                    self.path.push(Segment::Element(key));
                    self.one_sided(change, element);
                    self.path.pop();
                }
            }
            _ => self.one_sided(change, node),
        }
    }

    fn one_sided(&mut self, change: Change, node: Node<'d>) {
        match change {
            Change::Removed => self.found(change, Some(node), None),
            Change::Added | Change::Changed => self.found(change, None, Some(node)),
        }
    }

    fn object(&mut self, before: Node<'d>, now: Node<'d>) {
        let outer = std::mem::replace(&mut self.here, now);
        let mut names: Vec<String> = Vec::new();
        for (key, _) in before.members().chain(now.members()) {
            let name = key.as_str().unwrap_or_default().into_owned();
            if !names.contains(&name) && !IGNORED.contains(&name.as_str()) {
                names.push(name);
            }
        }
        for name in names {
            let (before, now) = (before.get(&name), now.get(&name));
            self.path.push(Segment::Member(name));
            self.value(before, now);
            self.path.pop();
        }
        self.here = outer;
    }

    fn list(&mut self, before: Node<'d>, now: Node<'d>) {
        let (Some(old), Some(new)) = (keyed(before), keyed(now)) else {
            if !same(before, now) {
                self.found(Change::Changed, Some(before), Some(now));
            }
            return;
        };
        if self.is_sequence() && is_moved(&old, &new) {
            return self.found(Change::Changed, Some(before), Some(now));
        }
        let outer = std::mem::replace(&mut self.here, now);
        let matched: BTreeMap<&String, Node<'_>> = new.iter().map(|(key, it)| (key, *it)).collect();
        for (key, element) in &old {
            self.path.push(Segment::Element(key.clone()));
            self.value(Some(*element), matched.get(key).copied());
            self.path.pop();
        }
        for (key, element) in &new {
            if !old.iter().any(|(known, _)| known == key) {
                self.path.push(Segment::Element(key.clone()));
                self.one_sided(Change::Added, *element);
                self.path.pop();
            }
        }
        self.here = outer;
    }

    fn is_sequence(&self) -> bool {
        match self.path.last() {
            Some(Segment::Member(name)) => SEQUENCES.contains(&name.as_str()),
            Some(Segment::Element(_)) | None => false,
        }
    }

    fn found(&mut self, change: Change, before: Option<Node<'d>>, now: Option<Node<'d>>) {
        let breaking = breaking::why(self.kind, &self.path, (change, before, now));
        self.found.push(Alteration {
            what: words::told(self.kind, &self.path),
            change,
            from: before.map(|it| it.compact().into_owned()),
            to: now.map(|it| it.compact().into_owned()),
            breaking,
            location: now.unwrap_or(self.here).location(),
        });
    }
}

/// Whether two lists have elements of the same keys in another order.
fn is_moved(old: &[(String, Node<'_>)], new: &[(String, Node<'_>)]) -> bool {
    let keys = |list: &[(String, Node<'_>)]| -> Vec<String> {
        list.iter().map(|(key, _)| key.clone()).collect()
    };
    let (mut old, mut new) = (keys(old), keys(new));
    if old == new {
        return false;
    }
    old.sort();
    new.sort();
    old == new
}

fn same(one: Node<'_>, other: Node<'_>) -> bool {
    one.raw() == other.raw() || one.canonical() == other.canonical()
}

/// The elements of a list by what names them; `None` where their places matter.
fn keyed(list: Node<'_>) -> Option<Vec<(String, Node<'_>)>> {
    let mut keyed: Vec<(String, Node<'_>)> = Vec::new();
    for element in list.elements() {
        let key = key(element)?;
        let count = keyed.iter().filter(|(known, _)| *known == key).count();
        let key = if count == 0 {
            key
        } else {
            format!("{key} ({})", count + 1)
        };
        keyed.push((key, element));
    }
    Some(keyed)
}

fn key(element: Node<'_>) -> Option<String> {
    if element.kind() != Kind::Object {
        return Some(element.compact().into_owned());
    }
    for name in ["name", "target", "as"] {
        // References have a name for people beside their id.
        if element.get("id").is_none()
            && let Some(text) = element.text(name)
        {
            return Some(text.into_owned());
        }
    }
    if let Some(id) = element.text("id") {
        let scope = element
            .text("scope")
            .map_or(String::new(), |scope| format!(" ({scope})"));
        return Some(format!("{id}{scope}"));
    }
    if let Some(value) = element.get("value") {
        return Some(value.compact().into_owned());
    }
    // A range is one of its characteristic: which one it was tells its bounds.
    (element.get("valueFrom").is_some() || element.get("valueTo").is_some())
        .then(|| "range".to_owned())
}

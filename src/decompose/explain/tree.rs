//! Explanations as a tree: order, item, service, resource.
//!
//! What was made alike of many elements of a list is told once, with how many
//! more there are.

use foldhash::{HashMap, HashMapExt as _};

use super::{Detail, Explanation, TOLD};

/// So many different stories of one target are told with their values; of more the values are
/// left out, so that more of them are alike.
const STORIES: usize = 10;

/// The lines of a tree; `title` names the order.
pub fn lines(title: &str, explanations: &[Explanation]) -> Vec<String> {
    let mut by_source: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut made: HashMap<&str, usize> = HashMap::new();
    for (position, it) in explanations.iter().enumerate() {
        by_source.entry(&it.source_item).or_default().push(position);
        made.entry(&it.item).or_insert(position);
    }
    let mut roots: Vec<&Explanation> = Vec::new();
    for it in explanations {
        let inside = made.contains_key(it.source_item.as_str());
        if !inside && roots.iter().all(|root| root.source_item != it.source_item) {
            roots.push(it);
        }
    }
    let mut tree = Tree {
        explanations,
        by_source,
        made,
        kinds: HashMap::new(),
        lines: vec![title.to_owned()],
    };
    for (position, root) in roots.iter().enumerate() {
        let last = position + 1 == roots.len();
        let (branch, below) = branches("", last);
        tree.lines
            .push(format!("{branch}{}  {}", root.source_item, root.source));
        let children = tree.children(&root.source_item);
        tree.children_lines(&root.source_item, &children, &below);
    }
    tree.lines
}

struct Tree<'e> {
    explanations: &'e [Explanation],
    by_source: HashMap<&'e str, Vec<usize>>,
    /// The explanation that an item is told with, of several the first.
    made: HashMap<&'e str, usize>,
    /// Numbers of the different stories.
    kinds: HashMap<(String, Vec<usize>), usize>,
    lines: Vec<String>,
}

/// A step, and those below it.
struct Twig {
    position: usize,
    children: Vec<Twig>,
    /// Number of its story, with values and without.
    kind: usize,
    rough: usize,
}

/// Steps with one story.
struct Alike<'t> {
    first: &'t Twig,
    others: Vec<&'t Twig>,
}

impl<'e> Tree<'e> {
    fn children(&mut self, item: &str) -> Vec<Twig> {
        let positions = self.by_source.get(item).cloned().unwrap_or_default();
        positions.into_iter().map(|it| self.twig(it)).collect()
    }

    fn twig(&mut self, position: usize) -> Twig {
        let it = &self.explanations[position];
        // What several share is told in full where it comes first.
        let children = match self.made.get(it.item.as_str()) {
            Some(first) if *first == position => self.children(&it.item),
            _ => Vec::new(),
        };
        let text = |detail| format!("{}{} {}", it.outcome.marker(), it.target, it.reason(detail));
        let kinds = children.iter().map(|twig| twig.kind).collect();
        let roughs = children.iter().map(|twig| twig.rough).collect();
        Twig {
            position,
            kind: self.kind(text(Detail::Values), kinds),
            rough: self.kind(text(Detail::Rules), roughs),
            children,
        }
    }

    fn kind(&mut self, text: String, children: Vec<usize>) -> usize {
        let next = self.kinds.len();
        *self.kinds.entry((text, children)).or_insert(next)
    }

    fn children_lines(&mut self, item: &str, twigs: &[Twig], indent: &str) {
        let alike = self.alike(twigs);
        let mut entries: Vec<(usize, &Twig, Vec<&Twig>)> = Vec::new();
        for group in alike {
            if group.others.len() < TOLD {
                entries.push((group.first.position, group.first, Vec::new()));
                for other in group.others {
                    entries.push((other.position, other, Vec::new()));
                }
            } else {
                entries.push((group.first.position, group.first, group.others));
            }
        }
        entries.sort_by_key(|(position, ..)| *position);
        let count = entries.len();
        for (number, (_, twig, others)) in entries.into_iter().enumerate() {
            let last = number + 1 == count;
            self.twig_lines(item, twig, (indent, last && others.is_empty()));
            if !others.is_empty() {
                let (branch, _) = branches(indent, last);
                let ids = others.iter().take(TOLD);
                let ids: Vec<&str> = ids.map(|twig| self.id(item, twig)).collect();
                let more = others.len();
                let end = if more > TOLD { ", …" } else { "" };
                let ids = ids.join(", ");
                self.lines
                    .push(format!("{branch}… and {more} more like it: {ids}{end}"));
            }
        }
    }

    fn twig_lines(&mut self, item: &str, twig: &Twig, (indent, last): (&str, bool)) {
        let (branch, below) = branches(indent, last);
        let it = &self.explanations[twig.position];
        let id = self.id(item, twig);
        let reason = it.reason(Detail::Values);
        let marker = it.outcome.marker();
        self.lines
            .push(format!("{branch}{marker} {id}  {}: {reason}", it.name));
        self.children_lines(&it.item, &twig.children, &below);
    }

    /// Id of a step's item, without that of the item above.
    fn id(&self, above: &str, twig: &Twig) -> &'e str {
        let id = self.explanations[twig.position].item.as_str();
        let inside = id.strip_prefix(above).and_then(|it| it.strip_prefix('.'));
        inside.unwrap_or(id)
    }

    /// The steps by story, in the order in which the stories come first.
    fn alike<'t>(&self, twigs: &'t [Twig]) -> Vec<Alike<'t>> {
        let mut stories: HashMap<&str, Vec<usize>> = HashMap::new();
        for twig in twigs {
            let told = stories.entry(self.target(twig)).or_default();
            if told.len() <= STORIES && !told.contains(&twig.kind) {
                told.push(twig.kind);
            }
        }
        let mut groups: Vec<Alike<'t>> = Vec::new();
        let mut known: HashMap<(bool, usize), usize> = HashMap::new();
        for twig in twigs {
            let rough = stories[self.target(twig)].len() > STORIES;
            let story = if rough { twig.rough } else { twig.kind };
            if let Some(group) = known.get(&(rough, story)) {
                groups[*group].others.push(twig);
                continue;
            }
            known.insert((rough, story), groups.len());
            groups.push(Alike {
                first: twig,
                others: Vec::new(),
            });
        }
        groups
    }

    fn target(&self, twig: &Twig) -> &'e str {
        &self.explanations[twig.position].target
    }
}

/// What a line begins with, and those below it.
fn branches(indent: &str, last: bool) -> (String, String) {
    let (branch, below) = if last {
        ("└─ ", "   ")
    } else {
        ("├─ ", "│  ")
    };
    (format!("{indent}{branch}"), format!("{indent}{below}"))
}

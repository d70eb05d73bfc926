//! What a rule with `forEach` goes through: elements, their keys, and the
//! variables inside.
//!
//! A list is read once, and its elements are looked at where they stand: the
//! cost is linear in their number.

use std::fmt::Write as _;

use foldhash::{HashMap, HashMapExt as _};

use super::faults::ElementKey;
use crate::catalog::expression::{Bindings, EvaluationFault, Expression, Found};
use crate::catalog::{Loop, Over};
use crate::diagnostic::suggestion::{closest, is_slip};
use crate::document::{Document, Kind, Node, describe};

/// Most items of a derived order.
pub const MAX_ITEMS: usize = 1_000_000;

/// One pass through the loops of a rule.
pub struct Element<'a> {
    /// The variables, those of the loops among them.
    pub bindings: &'a Bindings<'a>,
    /// What tells it apart from others of its rule, for ids: a dot and the key for each loop.
    pub suffix: &'a str,
}

impl<'a> Element<'a> {
    /// What tells it apart for people, below what has this key.
    pub fn key(&self, above: &'a str) -> ElementKey<'a> {
        let suffix = self.suffix;
        ElementKey { above, suffix }
    }
}

/// An element that has nothing to go through inside it.
pub struct Without {
    /// Its key, with those of the elements around it.
    pub element: String,
    /// What the loop inside it is over.
    pub over: String,
    /// Whether the list is absent, not empty.
    pub absent: bool,
}

/// Why there is no item for an element, or for all.
pub enum LoopFault {
    /// An expression cannot be evaluated.
    Expression {
        /// What it is for, as in "its list cannot be computed".
        what: String,
        /// Why.
        fault: EvaluationFault,
    },
    /// The elements are not what they have to be.
    Elements {
        /// Stable code.
        code: &'static str,
        /// One sentence without a full stop.
        message: String,
    },
}

/// Calls `visit` for each element, outer loops first; once, if there are no loops; until it gives
/// `false`. Gives the faults, and the elements that had nothing to go through inside them.
pub fn each(
    loops: &[Loop],
    bindings: &Bindings<'_>,
    visit: &mut dyn FnMut(&Element<'_>) -> bool,
) -> (Vec<LoopFault>, Vec<Without>) {
    let mut walk = Walk {
        visit,
        suffix: String::new(),
        known: HashMap::new(),
        without: Vec::new(),
        count: 0,
        goes_on: true,
        faults: Vec::new(),
    };
    walk.inside(loops, bindings);
    (walk.faults, walk.without)
}

struct Walk<'w> {
    visit: &'w mut dyn FnMut(&Element<'_>) -> bool,
    suffix: String,
    /// The number of each element by its suffix.
    known: HashMap<String, usize>,
    without: Vec<Without>,
    count: usize,
    goes_on: bool,
    faults: Vec<LoopFault>,
}

impl Walk<'_> {
    fn inside(&mut self, loops: &[Loop], bindings: &Bindings<'_>) {
        let Some((outer, inner)) = loops.split_first() else {
            self.goes_on &= (self.visit)(&Element {
                bindings,
                suffix: &self.suffix,
            });
            return;
        };
        match &outer.over {
            Over::List(over) => match list(over, bindings) {
                Ok(list) => {
                    let count = list.as_ref().map_or(0, |list| list.node().len());
                    if count == 0 && !self.suffix.is_empty() {
                        self.nothing(over, list.is_none(), bindings);
                    }
                    self.enter(count);
                    let elements = list.iter().flat_map(|list| list.node().elements());
                    for (position, element) in elements.enumerate() {
                        if !self.goes_on {
                            break;
                        }
                        let mut inside = Bindings::over(bindings);
                        inside.bind_node(&outer.variable, element);
                        self.element((outer, inner), position + 1, &inside);
                    }
                }
                Err(fault) => self.faults.push(fault),
            },
            Over::Count(count) => match number(count, bindings) {
                Ok(count) => {
                    self.enter(count);
                    for number in 1..=count {
                        if !self.goes_on {
                            break;
                        }
                        let text = number.to_string();
                        let mut inside = Bindings::over(bindings);
                        inside.bind_text(&outer.variable, &text);
                        self.element((outer, inner), number, &inside);
                    }
                }
                Err(fault) => self.faults.push(fault),
            },
        }
    }

    /// There is nothing to go through inside an element. A list that is absent is as good as an empty
    /// one, unless it seems to be there under a misspelt name: what it holds would be left out, or
    /// deleted, in silence.
    fn nothing(&mut self, over: &Expression, absent: bool, bindings: &Bindings<'_>) {
        let element = self.suffix[1..].to_owned();
        let near = if absent {
            misspelt(over, bindings)
        } else {
            None
        };
        if let Some(near) = near {
            let message = format!(
                "element `{element}` has no `{}`: did you mean its `{near}`?",
                over.source()
            );
            let code = "decompose/no-list";
            self.faults.push(LoopFault::Elements { code, message });
        } else {
            self.without.push(Without {
                element,
                over: over.source().to_owned(),
                absent,
            });
        }
    }

    /// A member that an element does not have, and seems to have under a misspelt name, which nobody
    /// reads: what it says would be left out in silence.
    fn misspelt_members(&mut self, of: &Loop, element: Node<'_>) {
        let known = |name: &str| of.words.contains(name);
        for (name, _) in element.members() {
            let Some(name) = name.as_str().filter(|it| !known(it)) else {
                continue;
            };
            let mut meant = of.members.iter().filter(|it| is_slip(&name, it));
            let meant = meant.find(|it| element.member(it).is_none());
            if let Some(meant) = meant {
                let element = &self.suffix[1..];
                let message =
                    format!("element `{element}` has no `{meant}`: did you mean its `{name}`?");
                let code = "decompose/misspelt-member";
                self.faults.push(LoopFault::Elements { code, message });
            }
        }
    }

    /// Counts elements that come next; too many end it all.
    fn enter(&mut self, elements: usize) {
        self.count += elements;
        if self.count > MAX_ITEMS {
            self.goes_on = false;
            let message = format!("there are more than {MAX_ITEMS} elements to go through");
            let code = "decompose/too-many-items";
            self.faults.push(LoopFault::Elements { code, message });
        }
    }

    fn element(&mut self, (outer, inner): (&Loop, &[Loop]), number: usize, inside: &Bindings<'_>) {
        let before = self.suffix.len();
        match key(outer, inside) {
            Ok(key) => {
                let _ = write!(self.suffix, ".{key}");
                if let Some(Found::Node(element)) = inside.value(&outer.variable) {
                    self.misspelt_members(outer, element);
                }
            }
            Err(Some(fault)) => {
                let what = format!("the key of element {number} cannot be computed");
                return self.faults.push(LoopFault::Expression { what, fault });
            }
            Err(None) => {
                let message = format!(
                    "element {number} of `{}` has no key: a text or a whole number is needed",
                    outer.source()
                );
                let code = "decompose/element-key";
                return self.faults.push(LoopFault::Elements { code, message });
            }
        }
        if inner.is_empty() {
            if let Some(first) = self.known.insert(self.suffix.clone(), number) {
                let elements = if before == 0 {
                    format!("elements {first} and {number}")
                } else {
                    // Each stands in its own list.
                    "two elements".to_owned()
                };
                let message = format!(
                    "{elements} of `{}` have the same key `{}`",
                    outer.source(),
                    &self.suffix[1..]
                );
                let code = "decompose/duplicate-element";
                self.faults.push(LoopFault::Elements { code, message });
            } else {
                self.inside(inner, inside);
            }
        } else {
            self.inside(inner, inside);
        }
        self.suffix.truncate(before);
    }
}

/// The key of the element that is bound; an error without a reason if it has none.
fn key(of: &Loop, inside: &Bindings<'_>) -> Result<String, Option<EvaluationFault>> {
    let text = match &of.key {
        Some(expression) => expression.evaluate(inside).map_err(Some)?,
        None => match inside.value(&of.variable) {
            Some(Found::Text(text)) => text.to_owned(),
            Some(Found::Node(node)) if node.kind() == Kind::Object => {
                node.get("id").ok_or(None)?.raw().to_owned()
            }
            Some(Found::Node(node)) => node.raw().to_owned(),
            None => return Err(None),
        },
    };
    key_text(&text).ok_or(None)
}

/// The text of a key, from its JSON text: that of a string that is not empty, or of an integer.
pub fn key_text(json: &str) -> Option<String> {
    let key = match serde_json::from_str(json) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Number(number)) if number.is_i64() => number.to_string(),
        _ => return None,
    };
    (!key.is_empty()).then_some(key)
}

/// Whether the list of the outermost loop is absent.
pub fn is_absent(loops: &[Loop], bindings: &Bindings<'_>) -> bool {
    match loops.first().map(|it| &it.over) {
        Some(Over::List(list)) => Reading::of(list, bindings).is_ok_and(|it| it.is_none()),
        _ => false,
    }
}

/// A value that an expression gives, where it stands or read anew.
pub enum Reading<'v> {
    /// It stands in a document.
    Node(Node<'v>),
    /// It was read from a text.
    Document(Document),
}

impl<'v> Reading<'v> {
    /// The value; `None` for the names of something absent.
    pub fn of(
        expression: &Expression,
        bindings: &Bindings<'v>,
    ) -> Result<Option<Self>, EvaluationFault> {
        match expression.find_within(bindings) {
            Some((Found::Node(node), _)) => Ok(Some(Reading::Node(node))),
            Some((Found::Text(text), members)) => Ok(Reading::parsed(text.to_owned(), members)),
            None if expression.is_path() => Ok(None),
            None => Ok(Reading::parsed(expression.evaluate(bindings)?, &[])),
        }
    }

    fn parsed(text: String, members: &[String]) -> Option<Self> {
        let document = Document::parse(text, "").ok()?;
        if members.is_empty() {
            return Some(Reading::Document(document));
        }
        let mut names = members.iter();
        let found = names.try_fold(document.root(), |node, name| node.get(name))?;
        let inside = Document::parse(found.raw().to_owned(), "").ok()?;
        Some(Reading::Document(inside))
    }

    /// The value.
    pub fn node(&self) -> Node<'_> {
        match self {
            Reading::Node(node) => *node,
            Reading::Document(document) => document.root(),
        }
    }
}

/// The member of an element that is spelt nearly as the absent one which a path leads to.
fn misspelt(path: &Expression, bindings: &Bindings<'_>) -> Option<String> {
    let paths = path.paths();
    let [path] = &paths[..] else { return None };
    let (variable, members) = path.split_first()?;
    let (wanted, members) = members.split_last()?;
    let Found::Node(mut node) = bindings.value(variable)? else {
        return None;
    };
    for member in members {
        node = node.get(member)?;
    }
    if node.member(wanted).is_some() {
        return None;
    }
    let names = node.members().filter_map(|(key, _)| key.as_str());
    let names: Vec<_> = names.collect();
    closest(wanted, names.iter().map(|it| &**it)).map(str::to_owned)
}

/// The list of a loop, if there is one.
fn list<'v>(
    expression: &Expression,
    bindings: &Bindings<'v>,
) -> Result<Option<Reading<'v>>, LoopFault> {
    let list = Reading::of(expression, bindings).map_err(|fault| {
        let what = "what it loops over cannot be computed".to_owned();
        LoopFault::Expression { what, fault }
    })?;
    match &list {
        Some(list) if list.node().kind() != Kind::Array => Err(LoopFault::Elements {
            code: "decompose/no-list",
            message: format!(
                "`{}` is {}, and has to be a list",
                expression.source(),
                describe(list.node())
            ),
        }),
        _ => Ok(list),
    }
}

fn number(expression: &Expression, bindings: &Bindings<'_>) -> Result<usize, LoopFault> {
    let text = expression.evaluate(bindings).map_err(|fault| {
        let what = "the number of times cannot be computed".to_owned();
        LoopFault::Expression { what, fault }
    })?;
    let number = text.parse().ok().filter(|number| *number <= MAX_ITEMS);
    number.ok_or_else(|| LoopFault::Elements {
        code: "decompose/count",
        message: format!(
            "`{}` is {text}, and has to be a whole number from 0 to {MAX_ITEMS}",
            expression.source()
        ),
    })
}

//! Checks a syntax tree against the declared variables.
//!
//! The checker gives every node a shape and collects all faults; it knows
//! which optional members are certain to be there from the guards passed on
//! the way to a node.

mod call;
mod guard;
mod operator;

use std::borrow::Cow;

use cel::IdedExpr;
use cel::common::ast::{
    ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, LiteralValue, SelectExpr, operators,
};

use super::places::Places;
use super::shape::{Expected, ObjectShape, Scope, Shape};
use super::{
    CODE_CHARACTERISTIC, CODE_SYNTAX, CODE_TOO_LONG, CODE_TYPE, CODE_VARIABLE, ExpressionFault,
};
pub(super) use guard::{path_of, string_of};

use crate::diagnostic::Code;
use crate::diagnostic::suggestion::closest;

/// Comprehensions inside each other, at most.
const MAX_COMPREHENSIONS: usize = 2;

type Type<'s> = Cow<'s, Shape>;

/// What the checker learned beyond faults.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Variables used otherwise than through their members.
    pub(super) whole: Vec<String>,
    /// Arithmetic that must be done on doubles, by the number of its node.
    pub(super) doubles: Vec<u64>,
    /// Whether the tree has parts that run guarded.
    pub(super) guarded: bool,
    /// Shape of the result.
    pub(super) shape: Shape,
}

/// Checks `tree`; all its faults, in the order of their places.
pub(super) fn check(
    tree: &IdedExpr,
    source: &str,
    expected: &Expected,
    scope: &Scope,
) -> Result<Findings, Vec<ExpressionFault>> {
    let mut checker = Checker {
        source,
        scope,
        locals: Vec::new(),
        certain: Vec::new(),
        comprehensions: 0,
        faults: Vec::new(),
        findings: Findings::default(),
        places: None,
    };
    if *expected == Expected::List
        && let Some(path) = path_of(tree)
    {
        let ways = 2..=path.len();
        checker.certain = ways.map(|names| path[..names].to_vec()).collect();
    }
    let shape = checker.shape(tree);
    checker.check_result(tree, &shape, expected);
    checker.findings.shape = shape.into_owned();
    if checker.faults.is_empty() {
        return Ok(checker.findings);
    }
    let mut faults = checker.faults;
    faults.sort_by_key(|fault| (fault.start, fault.end));
    faults.dedup();
    Err(faults)
}

struct Checker<'s> {
    source: &'s str,
    scope: &'s Scope,
    locals: Vec<(&'s str, Type<'s>)>,
    /// Paths of optional members known to be there.
    certain: Vec<Path>,
    comprehensions: usize,
    faults: Vec<ExpressionFault>,
    findings: Findings,
    places: Option<Places>,
}

/// A member, as the names on the way to it from a variable.
type Path = Vec<String>;

/// What a fault underlines.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    Name,
}

const ANY: Type<'static> = Cow::Owned(Shape::Any);
const BOOLEAN: Type<'static> = Cow::Owned(Shape::Boolean);
const INTEGER: Type<'static> = Cow::Owned(Shape::Integer);
const NUMBER: Type<'static> = Cow::Owned(Shape::Number);
const STRING: Type<'static> = Cow::Owned(Shape::String);

impl<'s> Checker<'s> {
    fn report(
        &mut self,
        (node, part): (&IdedExpr, Part),
        code: Code,
        message: String,
        hint: Option<String>,
    ) {
        let (start, end) = self.place(node, part);
        self.faults.push(ExpressionFault {
            start,
            end,
            code,
            message,
            hint,
        });
    }

    fn place(&mut self, node: &IdedExpr, part: Part) -> (usize, usize) {
        let places = self.places.get_or_insert_with(|| Places::of(self.source));
        match part {
            Part::Whole => places.range(node),
            Part::Name => places.name_range(node),
        }
    }

    /// The text of a node, shortened for a message.
    fn text(&mut self, node: &IdedExpr) -> String {
        let (start, end) = self.place(node, Part::Whole);
        let text = self.source.get(start..end).unwrap_or(self.source);
        if text.chars().count() <= 60 {
            return text.to_owned();
        }
        let mut short: String = text.chars().take(57).collect();
        short.push('…');
        short
    }

    fn check_result(&mut self, tree: &IdedExpr, shape: &Shape, expected: &Expected) {
        let of_this = |wanted: &str, allowed: &[&Shape]| {
            (!allowed.contains(&shape)).then(|| format!("{wanted}, this is {}", shape.article()))
        };
        let mut hint = None;
        let reason = match expected {
            _ if *shape == Shape::Any => None,
            Expected::Any => None,
            Expected::Boolean => {
                if matches!(tree.expr, Expr::Select(_)) {
                    hint = Some(format!("compare it, or ask `has({})`", self.text(tree)));
                }
                of_this("a condition must be true or false", &[&Shape::Boolean])
            }
            Expected::Shape(target) => shape.fits(target).err().map(|reason| {
                hint = conversion(shape, target)
                    .map(|function| format!("convert it: `{function}({})`", self.text(tree)));
                format!("the value does not fit the characteristic: {reason}")
            }),
            Expected::List if matches!(shape, Shape::List(_)) => None,
            Expected::List => of_this("a loop goes through a list", &[]),
            Expected::Count => of_this("the number of times is an integer", &[&Shape::Integer]),
            Expected::Key => {
                let allowed = [&Shape::String, &Shape::Integer];
                of_this("a key is a string or an integer", &allowed)
            }
            Expected::Place if matches!(shape, Shape::Object(_)) => None,
            Expected::Place => of_this("a place is an object", &[]),
        };
        // One fault is enough where the cause is already named.
        if let Some(reason) = reason
            && self.faults.is_empty()
        {
            self.report((tree, Part::Whole), CODE_TYPE, reason, hint);
        }
    }

    fn shape(&mut self, node: &'s IdedExpr) -> Type<'s> {
        match &node.expr {
            Expr::Literal(literal) => self.literal(node, literal),
            Expr::Ident(name) => {
                let shape = self.variable(node, name);
                if !self.is_local(name) && !self.findings.whole.contains(name) {
                    self.findings.whole.push(name.clone());
                }
                shape
            }
            Expr::Select(select) => self.select(node, select),
            Expr::Call(call) => self.call(node, call),
            Expr::List(list) => {
                let mut joined: Option<Shape> = None;
                for element in &list.elements {
                    let shape = self.shape(element);
                    joined = Some(match joined {
                        None => shape.into_owned(),
                        Some(before) => before.joined(&shape),
                    });
                }
                Cow::Owned(Shape::List(Box::new(joined.unwrap_or(Shape::Any))))
            }
            Expr::Map(map) => self.map(&map.entries),
            Expr::Comprehension(fold) => self.comprehension(node, fold),
            Expr::Struct(_) | Expr::Unspecified => {
                self.report(
                    (node, Part::Whole),
                    CODE_SYNTAX,
                    "there are no message types here".to_owned(),
                    Some("write an object as `{\"name\": value}`".to_owned()),
                );
                ANY
            }
        }
    }

    fn literal(&mut self, node: &IdedExpr, literal: &LiteralValue) -> Type<'s> {
        let (what, hint) = match literal {
            LiteralValue::Boolean(_) => return BOOLEAN,
            LiteralValue::Double(_) => return NUMBER,
            LiteralValue::Int(_) => return INTEGER,
            LiteralValue::Null => return Cow::Owned(Shape::Null),
            LiteralValue::String(_) => return STRING,
            LiteralValue::Bytes(_) => ("bytes have no JSON form", "leave out the `b`"),
            LiteralValue::UInt(_) => (
                "unsigned integers do not mix with JSON numbers",
                "leave out the `u`",
            ),
        };
        self.report(
            (node, Part::Whole),
            CODE_TYPE,
            what.to_owned(),
            Some(hint.to_owned()),
        );
        ANY
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|(local, _)| *local == name)
    }

    fn variable(&mut self, node: &IdedExpr, name: &str) -> Type<'s> {
        if let Some((_, shape)) = self.locals.iter().rev().find(|(local, _)| *local == name) {
            return shape.clone();
        }
        let scope = self.scope;
        if let Some(shape) = scope.variable(name) {
            return Cow::Borrowed(shape);
        }
        let bare = name.trim_start_matches('.');
        let near = scope
            .variable(bare)
            .map(|_| bare)
            .or_else(|| closest(bare, scope.names()));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if scope.names().next().is_none() => {
                format!("write \"{bare}\" in quotes if it is text")
            }
            None => format!(
                "there are {}; write \"{bare}\" in quotes if it is text",
                listed(scope.names())
            ),
        };
        self.report(
            (node, Part::Whole),
            CODE_VARIABLE,
            format!("there is no variable `{name}`"),
            Some(hint),
        );
        ANY
    }

    /// Shape of a value some member of which is looked at: a variable is then
    /// not used as a whole.
    fn owner(&mut self, node: &'s IdedExpr) -> Type<'s> {
        match &node.expr {
            Expr::Ident(name) => self.variable(node, name),
            _ => self.shape(node),
        }
    }

    fn select(&mut self, node: &'s IdedExpr, select: &'s SelectExpr) -> Type<'s> {
        let owner = self.owner(&select.operand);
        let member = self.member(node, (&select.operand, &owner), &select.field, select.test);
        if select.test { BOOLEAN } else { member }
    }

    /// Shape of a member; `asked` if the expression only asks whether it is there.
    fn member(
        &mut self,
        node: &'s IdedExpr,
        (operand, owner): (&'s IdedExpr, &Type<'s>),
        name: &str,
        asked: bool,
    ) -> Type<'s> {
        let object = match owner.as_ref() {
            Shape::Any => return ANY,
            Shape::Object(object) => object,
            other => {
                let message = format!(
                    "`{}` is {} and has no members",
                    self.text(operand),
                    other.article()
                );
                self.report((node, Part::Name), CODE_TYPE, message, None);
                return ANY;
            }
        };
        let member = object.member(name);
        if member.is_none() && object.is_closed() {
            self.unknown_member(node, operand, object, name);
            return ANY;
        }
        if !asked && !member.is_some_and(|member| member.required) {
            self.require_guard(node, operand, name);
        }
        // What the scope lends is lent on; a shape made here is copied.
        match (owner, member) {
            (_, None) => ANY,
            (Cow::Borrowed(Shape::Object(object)), Some(_)) => object
                .member(name)
                .map_or(ANY, |member| Cow::Borrowed(&member.shape)),
            (_, Some(member)) => Cow::Owned(member.shape.clone()),
        }
    }

    fn unknown_member(
        &mut self,
        node: &IdedExpr,
        operand: &IdedExpr,
        object: &ObjectShape,
        name: &str,
    ) {
        let hint = match closest(name, object.names()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if object.names().next().is_none() => None,
            None => Some(format!("there are {}", listed(object.names()))),
        };
        let message = format!("`{}` has no `{name}`", self.text(operand));
        self.report((node, Part::Name), CODE_CHARACTERISTIC, message, hint);
    }

    fn map(&mut self, entries: &'s [IdedEntryExpr]) -> Type<'s> {
        let mut object = ObjectShape::closed();
        let mut named = true;
        for entry in entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                continue;
            };
            let key = self.shape(&entry.key);
            let value = self.shape(&entry.value);
            match string_of(&entry.key) {
                Some(name) if object.member(name).is_some() => {
                    let message = format!("the object already has a member `{name}`");
                    self.report((&entry.key, Part::Whole), CODE_TYPE, message, None);
                }
                Some(name) => object.insert(name, value.into_owned(), true),
                None if matches!(*key, Shape::String | Shape::Any) => named = false,
                None => {
                    let message =
                        format!("the name of a member is a string, not {}", key.article());
                    self.report((&entry.key, Part::Whole), CODE_TYPE, message, None);
                }
            }
        }
        if named {
            return Cow::Owned(Shape::Object(object));
        }
        let mut open = ObjectShape::open();
        for name in object.names() {
            if let Some(member) = object.member(name) {
                open.insert(name, member.shape.clone(), true);
            }
        }
        Cow::Owned(Shape::Object(open))
    }

    fn comprehension(&mut self, node: &'s IdedExpr, fold: &'s ComprehensionExpr) -> Type<'s> {
        self.findings.guarded = true;
        let range = self.shape(&fold.iter_range);
        let element = match range.as_ref() {
            Shape::Any => ANY,
            Shape::List(element) => Cow::Owned((**element).clone()),
            other => {
                let message = format!(
                    "`{}` is {}; only lists have elements to go through",
                    self.text(&fold.iter_range),
                    other.article()
                );
                self.report((&fold.iter_range, Part::Whole), CODE_TYPE, message, None);
                ANY
            }
        };
        if self.comprehensions == MAX_COMPREHENSIONS {
            self.report(
                (node, Part::Whole),
                CODE_TOO_LONG,
                format!("more than {MAX_COMPREHENSIONS} loops inside each other"),
                Some("split the rule into several".to_owned()),
            );
            return ANY;
        }
        // What is known of a variable is not known of one that hides it.
        let known = self.certain.clone();
        self.certain.retain(|path| path[0] != fold.iter_var);
        self.locals.push((&fold.iter_var, element));
        self.comprehensions += 1;
        let shape = self.step(fold);
        self.comprehensions -= 1;
        self.locals.pop();
        self.certain = known;
        shape
    }

    /// The part of a comprehension that its author wrote, told by the step
    /// that the macro made of it.
    fn step(&mut self, fold: &'s ComprehensionExpr) -> Type<'s> {
        let Expr::Call(step) = &fold.loop_step.expr else {
            return ANY;
        };
        match (step.func_name.as_str(), step.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [_, condition]) => {
                self.truth(condition);
                BOOLEAN
            }
            (operators::CONDITIONAL, [condition, yes, _]) => {
                self.truth(condition);
                if matches!(fold.accu_init.expr, Expr::Literal(_)) {
                    return BOOLEAN;
                }
                let more = self.learned(condition, true);
                self.knowing(more, |checker| checker.collected(yes))
            }
            (operators::ADD, [_, _]) => self.collected(&fold.loop_step),
            _ => ANY,
        }
    }

    /// Shape of the list that `@result + [value]` makes.
    fn collected(&mut self, step: &'s IdedExpr) -> Type<'s> {
        match &step.expr {
            Expr::Call(call) => match call.args.last() {
                Some(list) => self.shape(list),
                None => ANY,
            },
            _ => ANY,
        }
    }
}

fn is_scalar(shape: &Shape) -> bool {
    shape.is_numeric() || *shape == Shape::Boolean
}

/// The function that turns a value of one shape into the other.
fn conversion(from: &Shape, to: &Shape) -> Option<&'static str> {
    match (from, to) {
        (Shape::Number | Shape::String, Shape::Integer) => Some("int"),
        (Shape::String, Shape::Number) => Some("double"),
        (Shape::Integer | Shape::Number | Shape::Boolean, Shape::String) => Some("string"),
        (Shape::String, Shape::Boolean) => Some("bool"),
        _ => None,
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.len() > 8 {
        let more = names.len() - 8;
        names.truncate(8);
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

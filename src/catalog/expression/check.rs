//! Checks a syntax tree against the declared variables, and prepares it to run.
//!
//! The checker gives every node a shape and collects all faults; it knows
//! which optional members are certain to be there from the guards passed on
//! the way to a node.

use std::borrow::Cow;

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators,
};

use super::functions::{ELEMENTS, FUNCTIONS, Function, MACROS, REPLACE};
use super::shape::{Expected, ObjectShape, Scope, Shape};
use super::syntax::Places;
use super::{
    CODE_CHARACTERISTIC, CODE_FUNCTION, CODE_OPTIONAL, CODE_SYNTAX, CODE_TOO_LONG, CODE_TYPE,
    CODE_VARIABLE, ExpressionFault,
};
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
    doubles: Vec<u64>,
    /// Whether the tree has parts that run guarded.
    guarded: bool,
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
    let shape = checker.shape(tree);
    checker.check_result(tree, &shape, expected);
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
        let (reason, hint) = match expected {
            Expected::Any => return,
            Expected::Boolean if matches!(shape, Shape::Boolean | Shape::Any) => return,
            Expected::Boolean => (
                format!(
                    "a condition must be true or false, this is {}",
                    shape.article()
                ),
                matches!(tree.expr, Expr::Select(_))
                    .then(|| format!("compare it, or ask `has({})`", self.text(tree))),
            ),
            Expected::Shape(target) => match shape.fits(target) {
                Ok(()) => return,
                Err(reason) => (
                    format!("the value does not fit the characteristic: {reason}"),
                    conversion(shape, target)
                        .map(|function| format!("convert it: `{function}({})`", self.text(tree))),
                ),
            },
        };
        // One fault is enough where the cause is already named.
        if self.faults.is_empty() {
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

    fn require_guard(&mut self, node: &IdedExpr, operand: &IdedExpr, name: &str) {
        let Some(mut path) = path_of(operand) else {
            let message = format!("`{name}` may be absent where it is used");
            self.report((node, Part::Whole), CODE_OPTIONAL, message, None);
            return;
        };
        path.push(name.to_owned());
        if self.certain.contains(&path) {
            return;
        }
        let text = self.text(node);
        let guard = if matches!(node.expr, Expr::Select(_)) {
            format!("has({text})")
        } else {
            format!("{} in {}", quoted(name), self.text(operand))
        };
        self.report(
            (node, Part::Whole),
            CODE_OPTIONAL,
            format!("`{text}` is optional and may be absent"),
            Some(format!(
                "guard it: `{guard} && …`, or `{guard} ? {text} : …`"
            )),
        );
    }

    /// Runs `inner` knowing that more members are there.
    fn knowing<R>(&mut self, more: Vec<Path>, inner: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.certain.len();
        self.certain.extend(more);
        let result = inner(self);
        self.certain.truncate(before);
        result
    }

    /// The members certain to be there once `node` has come out as `outcome`.
    fn learned(&self, node: &IdedExpr, outcome: bool) -> Vec<Path> {
        match &node.expr {
            Expr::Select(select) if select.test && outcome => path_of(&select.operand)
                .map(|mut path| {
                    path.push(select.field.clone());
                    path
                })
                .into_iter()
                .collect(),
            Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
                (operators::LOGICAL_NOT, [inner]) => self.learned(inner, !outcome),
                (operators::LOGICAL_AND, [left, right]) => {
                    self.learned_of_both(left, right, outcome, outcome)
                }
                (operators::LOGICAL_OR, [left, right]) => {
                    self.learned_of_both(left, right, outcome, !outcome)
                }
                (operators::IN, [name, object]) if outcome => {
                    match (string_of(name), path_of(object)) {
                        (Some(name), Some(mut path)) => {
                            path.push(name.to_owned());
                            vec![path]
                        }
                        _ => Vec::new(),
                    }
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn learned_of_both(
        &self,
        left: &IdedExpr,
        right: &IdedExpr,
        outcome: bool,
        both: bool,
    ) -> Vec<Path> {
        let mut paths = self.learned(left, outcome);
        let others = self.learned(right, outcome);
        if both {
            paths.extend(others);
        } else {
            paths.retain(|path| others.contains(path));
        }
        paths
    }

    fn call(&mut self, node: &'s IdedExpr, call: &'s CallExpr) -> Type<'s> {
        if call.target.is_some() {
            return self.function(node, call);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => {
                self.truth(left);
                let more = self.learned(left, true);
                self.knowing(more, |checker| checker.truth(right));
                BOOLEAN
            }
            (operators::LOGICAL_OR, [left, right]) => {
                self.truth(left);
                let more = self.learned(left, false);
                self.knowing(more, |checker| checker.truth(right));
                BOOLEAN
            }
            (operators::LOGICAL_NOT, [inner]) => {
                self.truth(inner);
                BOOLEAN
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.truth(condition);
                let more = self.learned(condition, true);
                let yes = self.knowing(more, |checker| checker.shape(yes));
                let more = self.learned(condition, false);
                let no = self.knowing(more, |checker| checker.shape(no));
                if yes == no {
                    yes
                } else {
                    Cow::Owned(yes.joined(&no))
                }
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                self.equality(node, left, right);
                BOOLEAN
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [left, right],
            ) => {
                self.ordering(node, left, right);
                BOOLEAN
            }
            (operators::IN, [element, container]) => {
                self.membership(node, element, container);
                BOOLEAN
            }
            (
                operators::ADD
                | operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO,
                [left, right],
            ) => self.arithmetic(node, &call.func_name, left, right),
            (operators::NEGATE, [inner]) => {
                let shape = self.shape(inner);
                if shape.is_numeric() || *shape == Shape::Any {
                    return shape;
                }
                let message = format!("cannot take the negative of {}", shape.article());
                self.report((node, Part::Whole), CODE_TYPE, message, None);
                ANY
            }
            (operators::INDEX, [container, index]) => self.index(node, container, index),
            _ => self.function(node, call),
        }
    }

    /// Checks that a node is a boolean.
    fn truth(&mut self, node: &'s IdedExpr) {
        let shape = self.shape(node);
        if matches!(*shape, Shape::Boolean | Shape::Any) {
            return;
        }
        let text = self.text(node);
        let hint = match *shape {
            Shape::String => Some(format!("compare it: `{text} == \"…\"`")),
            Shape::Integer | Shape::Number => Some(format!("compare it: `{text} == …`")),
            _ => None,
        };
        self.report(
            (node, Part::Whole),
            CODE_TYPE,
            format!("`{text}` must be true or false, it is {}", shape.article()),
            hint,
        );
    }

    fn equality(&mut self, node: &'s IdedExpr, left: &'s IdedExpr, right: &'s IdedExpr) {
        let left_shape = self.shape(left);
        let right_shape = self.shape(right);
        if left_shape.can_equal(&right_shape) {
            return;
        }
        let hint = if *left_shape == Shape::Null || *right_shape == Shape::Null {
            let other = if *left_shape == Shape::Null {
                right
            } else {
                left
            };
            matches!(other.expr, Expr::Select(_))
                .then(|| format!("ask `has({})`", self.text(other)))
        } else {
            self.requote(left, &right_shape)
                .or_else(|| self.requote(right, &left_shape))
        };
        let message = format!(
            "`{}` is {}, `{}` is {}: they are never equal",
            self.text(left),
            left_shape.article(),
            self.text(right),
            right_shape.article()
        );
        self.report((node, Part::Whole), CODE_TYPE, message, hint);
    }

    /// How to write a literal so that it has the shape wanted.
    fn requote(&mut self, literal: &IdedExpr, wanted: &Shape) -> Option<String> {
        if let Some(text) = string_of(literal) {
            let plain = match wanted {
                Shape::Boolean => matches!(text, "true" | "false"),
                Shape::Integer => text.parse::<i64>().is_ok(),
                Shape::Number => text.parse::<f64>().is_ok_and(f64::is_finite),
                _ => false,
            };
            return plain.then(|| format!("write {text} without quotes"));
        }
        let scalar = matches!(
            literal.expr,
            Expr::Literal(
                LiteralValue::Int(_) | LiteralValue::Double(_) | LiteralValue::Boolean(_)
            )
        );
        (scalar && *wanted == Shape::String)
            .then(|| format!("write \"{}\" in quotes", self.text(literal)))
    }

    fn ordering(&mut self, node: &'s IdedExpr, left: &'s IdedExpr, right: &'s IdedExpr) {
        let left_shape = self.shape(left);
        let right_shape = self.shape(right);
        let fits = match (left_shape.as_ref(), right_shape.as_ref()) {
            (Shape::Any, other) | (other, Shape::Any) => {
                other.is_numeric() || matches!(other, Shape::Any | Shape::String | Shape::Boolean)
            }
            (Shape::String, Shape::String) | (Shape::Boolean, Shape::Boolean) => true,
            (one, other) => one.is_numeric() && other.is_numeric(),
        };
        if fits {
            return;
        }
        let hint = self
            .requote(left, &right_shape)
            .or_else(|| self.requote(right, &left_shape));
        let message = format!(
            "cannot order {} and {}",
            left_shape.article(),
            right_shape.article()
        );
        self.report((node, Part::Whole), CODE_TYPE, message, hint);
    }

    fn membership(&mut self, node: &'s IdedExpr, element: &'s IdedExpr, container: &'s IdedExpr) {
        let element_shape = self.shape(element);
        let container_shape = self.owner(container);
        let message = match container_shape.as_ref() {
            Shape::Any => return,
            Shape::List(inner) if inner.can_equal(&element_shape) => return,
            Shape::Object(_) if matches!(*element_shape, Shape::String | Shape::Any) => {
                if let (Shape::Object(object), Some(name)) =
                    (container_shape.as_ref(), string_of(element))
                {
                    if object.is_closed() && object.member(name).is_none() {
                        self.unknown_member(element, container, object, name);
                    }
                }
                return;
            }
            Shape::List(inner) => format!(
                "{} cannot be in a list whose elements are {}",
                element_shape.article(),
                inner.article()
            ),
            Shape::Object(_) => format!(
                "the names of an object's members are strings, not {}",
                element_shape.article()
            ),
            other => format!("`in` wants a list or an object, not {}", other.article()),
        };
        let hint = match container_shape.as_ref() {
            Shape::List(inner) => self.requote(element, inner),
            Shape::String => Some(format!(
                "ask `{}.contains({})`",
                self.text(container),
                self.text(element)
            )),
            _ => None,
        };
        self.report((node, Part::Whole), CODE_TYPE, message, hint);
    }

    fn arithmetic(
        &mut self,
        node: &'s IdedExpr,
        operator: &str,
        left: &'s IdedExpr,
        right: &'s IdedExpr,
    ) -> Type<'s> {
        let left_shape = self.shape(left);
        let right_shape = self.shape(right);
        let adds = operator == operators::ADD;
        match (left_shape.as_ref(), right_shape.as_ref()) {
            (Shape::Integer, Shape::Integer) => return INTEGER,
            (Shape::Number, Shape::Integer | Shape::Number | Shape::Any)
            | (Shape::Integer | Shape::Any, Shape::Number)
                if operator != operators::MODULO =>
            {
                self.findings.doubles.push(node.id);
                return NUMBER;
            }
            (Shape::Any, Shape::Any | Shape::Integer) | (Shape::Integer, Shape::Any) => return ANY,
            (Shape::Any, Shape::String) | (Shape::String, Shape::Any | Shape::String) if adds => {
                return STRING;
            }
            (Shape::List(_), Shape::Any) if adds => return left_shape,
            (Shape::Any, Shape::List(_)) if adds => return right_shape,
            (Shape::List(one), Shape::List(other)) if adds => {
                return Cow::Owned(Shape::List(Box::new(one.joined(other))));
            }
            _ => {}
        }
        let hint = if operator == operators::MODULO {
            Some("`%` works on integers: convert with `int(…)`".to_owned())
        } else if adds && *left_shape == Shape::String && is_scalar(&right_shape) {
            Some(format!("convert it: `string({})`", self.text(right)))
        } else if adds && *right_shape == Shape::String && is_scalar(&left_shape) {
            Some(format!("convert it: `string({})`", self.text(left)))
        } else {
            None
        };
        let message = format!(
            "`{}` does not work on {} and {}",
            operator.trim_matches('_'),
            left_shape.article(),
            right_shape.article()
        );
        self.report((node, Part::Whole), CODE_TYPE, message, hint);
        ANY
    }

    fn index(
        &mut self,
        node: &'s IdedExpr,
        container: &'s IdedExpr,
        index: &'s IdedExpr,
    ) -> Type<'s> {
        let owner = self.owner(container);
        let index_shape = self.shape(index);
        let message = match (owner.as_ref(), index_shape.as_ref()) {
            (Shape::Any, _) | (Shape::Object(_), Shape::Any) => return ANY,
            (Shape::Object(_), Shape::String) => {
                return match string_of(index) {
                    Some(name) => self.member(node, (container, &owner), name, false),
                    None => ANY,
                };
            }
            (Shape::List(element), Shape::Integer | Shape::Any) => {
                return Cow::Owned((**element).clone());
            }
            (Shape::List(_), other) => {
                format!("the place in a list is an integer, not {}", other.article())
            }
            (Shape::Object(_), other) => {
                format!("the name of a member is a string, not {}", other.article())
            }
            (other, _) => format!(
                "`{}` is {} and has no members",
                self.text(container),
                other.article()
            ),
        };
        self.report((node, Part::Whole), CODE_TYPE, message, None);
        ANY
    }

    fn map(&mut self, entries: &'s [cel::common::ast::IdedEntryExpr]) -> Type<'s> {
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

    fn function(&mut self, node: &'s IdedExpr, call: &'s CallExpr) -> Type<'s> {
        let name = call.func_name.as_str();
        if MACROS.iter().any(|(known, _)| *known == name) {
            // Its arguments may name variables that it would have declared.
            self.unknown_function(node, call);
            return ANY;
        }
        let known: Vec<&Function> = FUNCTIONS.iter().filter(|f| f.name == name).collect();
        let arguments: Vec<(&IdedExpr, Type<'s>)> = call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .map(|argument| (argument, self.shape(argument)))
            .collect();
        if known.is_empty() {
            self.unknown_function(node, call);
            return ANY;
        }
        let on_value = call.target.is_some();
        let Some(function) = known
            .iter()
            .find(|f| f.on_value == on_value && f.takes.len() == arguments.len())
        else {
            self.wrong_call(node, call, &known);
            return Cow::Owned(known[0].gives.shape());
        };
        for ((argument, shape), parameter) in arguments.iter().zip(function.takes) {
            if parameter.takes(shape) {
                continue;
            }
            let message = format!(
                "`{name}` wants {}, this is {}",
                parameter.wanted(),
                shape.article()
            );
            let hint = (parameter.wanted() == "a string" && is_scalar(shape))
                .then(|| format!("convert it: `string({})`", self.text(argument)));
            self.report((argument, Part::Whole), CODE_TYPE, message, hint);
        }
        if name == "matches" {
            self.check_pattern(call.args.last());
        }
        if name == "replace" {
            self.findings.guarded = true;
        }
        Cow::Owned(function.gives.shape())
    }

    fn check_pattern(&mut self, pattern: Option<&IdedExpr>) {
        let Some((node, text)) = pattern.and_then(|node| Some((node, string_of(node)?))) else {
            return;
        };
        if let Err(error) = regex::Regex::new(text) {
            let said = error.to_string();
            let reason = said.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            let message = format!("not a regular expression: {reason}");
            self.report((node, Part::Whole), CODE_SYNTAX, message, None);
        }
    }

    fn unknown_function(&mut self, node: &IdedExpr, call: &CallExpr) {
        let name = call.func_name.trim_start_matches('.');
        let hint = match MACROS.iter().find(|(known, _)| *known == name) {
            Some((_, form)) => Some(format!("write `{form}`")),
            None => closest(
                name,
                FUNCTIONS
                    .iter()
                    .map(|f| f.name)
                    .chain(MACROS.iter().map(|(name, _)| *name)),
            )
            .map(|near| format!("did you mean `{near}`?")),
        };
        let message = if MACROS.iter().any(|(known, _)| *known == name) {
            format!("`{name}` is not called like this")
        } else {
            format!("there is no function `{name}`")
        };
        self.report((node, Part::Name), CODE_FUNCTION, message, hint);
    }

    fn wrong_call(&mut self, node: &IdedExpr, call: &CallExpr, known: &[&Function]) {
        let mut forms: Vec<String> = known.iter().map(|f| form(f)).collect();
        forms.dedup();
        let message = format!(
            "`{}` does not take {} here",
            call.func_name,
            match call.args.len() {
                0 => "nothing".to_owned(),
                1 => "one argument".to_owned(),
                many => format!("{many} arguments"),
            }
        );
        let hint = format!("write {}", forms.join(" or "));
        self.report((node, Part::Name), CODE_FUNCTION, message, Some(hint));
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

/// How a function is written, for a hint.
fn form(function: &Function) -> String {
    let arguments = function.takes.len() - usize::from(function.on_value);
    let list = ["…"].repeat(arguments).join(", ");
    if function.on_value {
        format!("`x.{}({list})`", function.name)
    } else {
        format!("`{}({list})`", function.name)
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

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The text of a string literal.
pub(super) fn string_of(node: &IdedExpr) -> Option<&str> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// The names on the way to a member: `source.address["street name"]`.
pub(super) fn path_of(node: &IdedExpr) -> Option<Path> {
    match &node.expr {
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) if !select.test => {
            let mut path = path_of(&select.operand)?;
            path.push(select.field.clone());
            Some(path)
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [container, index] = call.args.as_slice() else {
                return None;
            };
            let name = string_of(index)?;
            let mut path = path_of(container)?;
            path.push(name.to_owned());
            Some(path)
        }
        _ => None,
    }
}

/// Makes a checked tree ready to run: arithmetic between numbers of which one
/// may have a fraction is done on doubles (CEL does not mix the two), and what
/// could grow without bound runs guarded.
pub(super) fn prepare(tree: &mut IdedExpr, findings: &Findings) {
    if findings.guarded || !findings.doubles.is_empty() {
        prepare_node(tree, findings);
    }
}

fn prepare_node(node: &mut IdedExpr, findings: &Findings) {
    let doubles = findings.doubles.contains(&node.id);
    match &mut node.expr {
        Expr::Call(call) => {
            if let Some(target) = &mut call.target {
                prepare_node(target, findings);
                if call.func_name == "replace" {
                    REPLACE.clone_into(&mut call.func_name);
                }
            }
            for argument in &mut call.args {
                prepare_node(argument, findings);
                if doubles {
                    wrap(argument, "double");
                }
            }
        }
        Expr::Select(select) => prepare_node(&mut select.operand, findings),
        Expr::List(list) => {
            for element in &mut list.elements {
                prepare_node(element, findings);
            }
        }
        Expr::Map(map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    prepare_node(&mut entry.key, findings);
                    prepare_node(&mut entry.value, findings);
                }
            }
        }
        Expr::Comprehension(fold) => {
            prepare_node(&mut fold.iter_range, findings);
            wrap(&mut fold.iter_range, ELEMENTS);
            prepare_node(&mut fold.loop_step, findings);
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {}
    }
}

/// Replaces a node with a call of a function on it.
fn wrap(node: &mut IdedExpr, function: &str) {
    let inner = std::mem::take(node);
    node.id = inner.id;
    node.expr = Expr::Call(CallExpr {
        func_name: function.to_owned(),
        target: None,
        args: vec![inner],
    });
}

//! Operators: what they combine, and what comes of it.

use std::borrow::Cow;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use super::guard::string_of;
use super::{
    ANY, BOOLEAN, CODE_TYPE, Checker, INTEGER, NUMBER, Part, STRING, Shape, Type, is_scalar,
};

impl<'s> Checker<'s> {
    pub(super) fn call(&mut self, node: &'s IdedExpr, call: &'s CallExpr) -> Type<'s> {
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
    pub(super) fn truth(&mut self, node: &'s IdedExpr) {
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

    pub(super) fn equality(&mut self, node: &'s IdedExpr, left: &'s IdedExpr, right: &'s IdedExpr) {
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
    pub(super) fn requote(&mut self, literal: &IdedExpr, wanted: &Shape) -> Option<String> {
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

    pub(super) fn ordering(&mut self, node: &'s IdedExpr, left: &'s IdedExpr, right: &'s IdedExpr) {
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

    pub(super) fn membership(
        &mut self,
        node: &'s IdedExpr,
        element: &'s IdedExpr,
        container: &'s IdedExpr,
    ) {
        let element_shape = self.shape(element);
        let container_shape = self.owner(container);
        let message = match container_shape.as_ref() {
            Shape::Any => return,
            Shape::List(inner) if inner.can_equal(&element_shape) => return,
            Shape::Object(_) if matches!(*element_shape, Shape::String | Shape::Any) => {
                if let (Shape::Object(object), Some(name)) =
                    (container_shape.as_ref(), string_of(element))
                    && object.is_closed()
                    && object.member(name).is_none()
                {
                    self.unknown_member(element, container, object, name);
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

    pub(super) fn arithmetic(
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

    pub(super) fn index(
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
}

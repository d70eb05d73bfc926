//! Expressions of rules: compiled once, checked before anything runs, evaluated often.
//!
//! Expressions are written in the Common Expression Language. This module is
//! the only one that knows which implementation of it is used. Compiling checks
//! an expression against the shapes of the variables it may use and reports all
//! its faults, each with its place; evaluating takes and gives JSON texts.
//!
//! Evaluation always ends and its cost is bounded: the text of an expression,
//! its nesting, the lists it walks through and the texts it makes all have
//! limits.

mod check;
mod functions;
mod near;
mod places;
mod prepare;
mod seen;
mod shape;
mod syntax;
mod usage;
mod value;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use cel::common::ast::{Expr, operators};
use cel::common::types::CelBool;
use cel::common::value::CowVal;
use cel::{Context, ExecutionError, IdedExpr, Value};
use foldhash::HashMap;

pub use functions::{MAX_ELEMENTS, MAX_TEXT};
pub use near::{Near, NearKind};
pub use seen::Seen;
pub use shape::{Expected, Member, ObjectShape, Scope, Shape};
pub use syntax::{MAX_DEPTH, MAX_LENGTH};
pub use usage::Usage;
pub use value::{Bindings, Found, Kept};

use crate::diagnostic::Code;

/// The text is not an expression.
pub const CODE_SYNTAX: Code = Code("rule/expression-syntax");
/// A variable is not declared.
pub const CODE_VARIABLE: Code = Code("rule/unknown-variable");
/// An object has no member of this name.
pub const CODE_CHARACTERISTIC: Code = Code("rule/unknown-characteristic");
/// A member that may be absent is used without asking.
pub const CODE_OPTIONAL: Code = Code("rule/unguarded-optional");
/// Values are combined that do not go together.
pub const CODE_TYPE: Code = Code("rule/expression-type");
/// A function does not exist, or not with these arguments.
pub const CODE_FUNCTION: Code = Code("rule/unknown-function");
/// A limit of length or nesting is passed.
pub const CODE_TOO_LONG: Code = Code("rule/expression-too-long");

/// What is wrong with an expression, found without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// First byte concerned, in the text of the expression; on a character
    /// boundary.
    pub start: usize,
    /// Byte after the last one concerned; on a character boundary.
    pub end: usize,
    /// Stable code.
    pub code: Code,
    /// One sentence without a full stop.
    pub message: String,
    /// What to do about it, where that can be known.
    pub hint: Option<String>,
}

/// A compiled expression. Rules take conditions and mappings over from each other: copies cost
/// nothing.
#[derive(Debug, Clone)]
pub struct Expression(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    source: String,
    /// Shared by all expressions of the same text, where nothing had to be made ready.
    tree: Arc<IdedExpr>,
    /// Variables used otherwise than through their members.
    whole: Vec<String>,
    /// The names on the way to a value, where the expression is nothing but that.
    path: Option<Vec<String>>,
    /// What is known of its result.
    shape: Shape,
}

/// The trees of texts that were parsed before: rules say the same many times.
#[derive(Debug, Default)]
pub struct Parsed(Mutex<HashMap<String, Arc<IdedExpr>>>);

impl Parsed {
    fn tree(&self, source: &str) -> Result<Arc<IdedExpr>, ExpressionFault> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tree) = known().get(source) {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(syntax::parse(source)?);
        known().insert(source.to_owned(), Arc::clone(&tree));
        Ok(tree)
    }
}

/// What a condition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the condition holds.
    pub holds: bool,
    /// Where it does not: the text of the first part, of those joined by `&&`,
    /// that is false. Empty where it holds.
    pub conjunct: String,
    /// What that part (of a condition that holds: all of it) looked at.
    pub seen: Vec<Seen>,
    /// Where it does not hold: values that it would nearly have taken.
    pub near: Vec<Near>,
}

/// An expression that could not be evaluated on the values it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationFault {
    /// One sentence without a full stop.
    pub message: String,
    /// What the expression looked at.
    pub seen: Vec<Seen>,
}

impl Expression {
    /// Compiles `source`, which must yield what is expected and may use the
    /// variables in scope.
    ///
    /// # Errors
    ///
    /// As [`Expression::compile_among`].
    pub fn compile(
        source: &str,
        expected: &Expected,
        scope: &Scope,
    ) -> Result<Expression, Vec<ExpressionFault>> {
        Expression::compile_among(&Parsed::default(), source, expected, scope)
    }

    /// As [`Expression::compile`]; what is parsed once is not parsed again.
    ///
    /// # Errors
    ///
    /// All faults, in the order of their places; after a fault of syntax
    /// nothing further is checked.
    pub fn compile_among(
        parsed: &Parsed,
        source: &str,
        expected: &Expected,
        scope: &Scope,
    ) -> Result<Expression, Vec<ExpressionFault>> {
        let mut tree = parsed.tree(source).map_err(|fault| vec![fault])?;
        let findings = check::check(&tree, source, expected, scope)?;
        if prepare::is_needed(&findings) {
            prepare::prepare(Arc::make_mut(&mut tree), &findings);
        }
        syntax::check_depth(&tree, source).map_err(|fault| vec![fault])?;
        let path = check::path_of(&tree);
        Ok(Expression(Arc::new(Compiled {
            source: source.to_owned(),
            tree,
            whole: findings.whole,
            path,
            shape: findings.shape,
        })))
    }

    /// What is known of its result.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.0.shape
    }

    /// Whether it is nothing but the names on the way to a value.
    #[must_use]
    pub fn is_path(&self) -> bool {
        self.0.path.is_some()
    }

    /// The value that it leads to, where it is nothing but the names on the way to one and no
    /// evaluation is needed: what is found is not copied.
    #[must_use]
    pub fn find<'v>(&self, bindings: &Bindings<'v>) -> Option<Found<'v>> {
        match self.find_within(bindings)? {
            (found, []) => Some(found),
            _ => None,
        }
    }

    /// Like [`Expression::find`], as far as no evaluation is needed, with the names that are left.
    #[must_use]
    pub fn find_within<'v>(&self, bindings: &Bindings<'v>) -> Option<(Found<'v>, &[String])> {
        bindings.find(self.0.path.as_ref()?)
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether it looks at a variable.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        self.paths().iter().any(|path| path[0] == variable)
    }

    /// Whether it looks at `item.quantity`.
    pub fn reads_quantity(&self) -> bool {
        let quantity =
            |path: &[String]| path.len() > 1 && path[0] == "item" && path[1] == "quantity";
        self.0.source.contains("quantity") && self.paths().iter().any(|it| quantity(it))
    }

    /// The paths of all values that it looks at, each once, in the order they are written; of a
    /// variable that is used as a whole only its name.
    #[must_use]
    pub fn paths(&self) -> Vec<Vec<String>> {
        seen::paths(&self.0.tree)
    }

    /// How it looks at each value, in the order they are written.
    #[must_use]
    pub fn usages(&self) -> Vec<Usage> {
        usage::usages(&self.0.tree)
    }

    /// Keeps what it looks at of bindings, but for one variable.
    #[must_use]
    pub fn keep(&self, bindings: &Bindings<'_>, except: &str) -> Kept {
        Kept::of(&self.paths(), bindings, except)
    }

    /// Evaluates to a JSON text without white space. A member that is taken
    /// over as it is keeps its text; other objects have their members in the
    /// order of their names.
    ///
    /// # Errors
    ///
    /// When the values do not go together, one is absent, a limit is passed, or
    /// the result has no JSON form.
    pub fn evaluate(&self, bindings: &Bindings<'_>) -> Result<String, EvaluationFault> {
        match self.find(bindings) {
            Some(Found::Text(text)) => return Ok(value::compact(text).into_owned()),
            Some(Found::Node(node)) => return Ok(node.compact().into_owned()),
            None if self.0.path.as_ref().is_some_and(|path| path.len() == 2) => {
                let message = format!("`{}` is absent", self.0.source);
                return Err(fault(&self.0.tree, bindings, message));
            }
            None => {}
        }
        self.run(&self.0.tree, bindings, |result| {
            let mut text = String::new();
            value::write(&*result, &mut text)
                .map(|()| text)
                .map_err(|what| format!("the result holds {what}, which has no JSON form"))
        })
    }

    /// Whether the expression, a condition, is true.
    ///
    /// # Errors
    ///
    /// As [`Expression::evaluate`], and when the result is no boolean.
    pub fn holds(&self, bindings: &Bindings<'_>) -> Result<bool, EvaluationFault> {
        self.truth(&self.0.tree, bindings)
    }

    /// Like [`Expression::holds`], with the reason.
    ///
    /// # Errors
    ///
    /// As [`Expression::holds`].
    pub fn explain(&self, bindings: &Bindings<'_>) -> Result<Verdict, EvaluationFault> {
        if self.holds(bindings)? {
            return Ok(Verdict {
                holds: true,
                conjunct: String::new(),
                seen: seen::seen(&self.0.tree, bindings),
                near: Vec::new(),
            });
        }
        let mut conjuncts = Vec::new();
        collect_conjuncts(&self.0.tree, &mut conjuncts);
        // One is false, or the whole could not be: an error in another one
        // does not change that.
        let decisive = conjuncts
            .into_iter()
            .find(|conjunct| self.truth(conjunct, bindings) == Ok(false))
            .unwrap_or(&self.0.tree);
        let (start, end) = places::Places::of(&self.0.source).range(decisive);
        Ok(Verdict {
            holds: false,
            conjunct: self
                .0
                .source
                .get(start..end)
                .unwrap_or(&self.0.source)
                .to_owned(),
            seen: seen::seen(decisive, bindings),
            near: near::near(decisive, bindings),
        })
    }

    fn truth(&self, node: &IdedExpr, bindings: &Bindings<'_>) -> Result<bool, EvaluationFault> {
        self.run(node, bindings, |result| {
            result
                .downcast_ref::<CelBool>()
                .map(|truth| *truth.inner())
                .ok_or_else(|| {
                    format!(
                        "the condition is of type {}, not true or false",
                        result.get_type().name()
                    )
                })
        })
    }

    fn run<R>(
        &self,
        node: &IdedExpr,
        bindings: &Bindings<'_>,
        read: impl FnOnce(CowVal<'_, '_>) -> Result<R, String>,
    ) -> Result<R, EvaluationFault> {
        let but = value::Except {
            bindings,
            names: &self.0.whole,
        };
        let mut context = Context::with_env(Arc::clone(&functions::ENVIRONMENT));
        if self.0.whole.is_empty() {
            context.set_variable_resolver(bindings);
        } else {
            context.set_variable_resolver(&but);
            bindings
                .add_whole(&self.0.whole, &mut context)
                .map_err(|error| fault(node, bindings, describe(&error)))?;
        }
        let outcome = match Value::resolve_val(node, &context) {
            Ok(result) => read(result),
            Err(error) => Err(describe(&error)),
        };
        outcome.map_err(|message| fault(node, bindings, message))
    }
}

fn fault(node: &IdedExpr, bindings: &Bindings<'_>, message: String) -> EvaluationFault {
    EvaluationFault {
        message,
        seen: seen::seen(node, bindings),
    }
}

/// An error of the evaluator in words that do not show its insides.
fn describe(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) => format!("`{name}` is absent"),
        ExecutionError::UndeclaredReference(name) => format!("`{name}` has no value"),
        ExecutionError::NoSuchOverload(call) => {
            let on = call.argument_types().join(" and ");
            format!(
                "`{}` does not work on {on}",
                call.function().trim_matches('_')
            )
        }
        ExecutionError::UnsupportedBinaryOperator(name, left, right) => {
            format!("cannot {name} {} and {}", left.type_of(), right.type_of())
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "division by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "the number becomes too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "there is no such place in the list".to_owned(),
        ExecutionError::DuplicateKey(_) => "a member of the object is given twice".to_owned(),
        ExecutionError::FunctionError { function, message } => {
            format!(
                "`{function}`: {}",
                message.lines().next().unwrap_or_default()
            )
        }
        other => other.to_string(),
    }
}

/// The parts of a condition that are joined by `&&`, in the order they are written.
fn collect_conjuncts<'e>(node: &'e IdedExpr, into: &mut Vec<&'e IdedExpr>) {
    if let Expr::Call(call) = &node.expr
        && call.func_name == operators::LOGICAL_AND
        && call.target.is_none()
    {
        for part in &call.args {
            collect_conjuncts(part, into);
        }
        return;
    }
    into.push(node);
}

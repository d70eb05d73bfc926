//! The functions an expression may call, with what they take and give.
//!
//! The standard functions of CEL that make sense on JSON values, and the
//! functions of texts that every CEL implementation offers as an extension, with
//! `sort` of those of lists. Beside
//! them two of our own, which no source text can name: they stand guard over
//! what a comprehension walks through and over how long a text may grow.

use std::sync::{Arc, LazyLock};

use cel::common::types::{CelInt, CelList, CelString, DYN_TYPE, INT_TYPE, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{Env, ExecutionError, extensions};

use super::shape::Shape;

/// Most elements a comprehension walks through.
pub const MAX_ELEMENTS: usize = 1000;

/// Name of the guard of comprehensions; `@` cannot be written in an expression.
pub(super) const ELEMENTS: &str = "@elements";

/// Longest text that `replace` makes, in bytes.
pub const MAX_TEXT: usize = 65_536;

/// Name of the `replace` that keeps to [`MAX_TEXT`].
pub(super) const REPLACE: &str = "@replace";

/// Macros by name, with how they are written.
pub(super) const MACROS: [(&str, &str); 7] = [
    ("has", "has(source.name)"),
    ("all", "list.all(x, condition)"),
    ("exists", "list.exists(x, condition)"),
    ("exists_one", "list.exists_one(x, condition)"),
    ("existsOne", "list.existsOne(x, condition)"),
    ("map", "list.map(x, value)"),
    ("filter", "list.filter(x, condition)"),
];

/// The one environment all expressions run in.
pub(super) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::default().with_optional_support(false).with_stdlib();
    env.add_extension(extensions::strings)
        .expect("the string extension is new to this environment");
    env.add_extension(extensions::lists)
        .expect("the list extension is new to this environment");
    env.add_overload(ELEMENTS, "elements_dyn", vec![DYN_TYPE], elements)
        .expect("no other function has this name");
    for (id, takes) in [
        ("replace_all", vec![STRING_TYPE, STRING_TYPE]),
        ("replace_some", vec![STRING_TYPE, STRING_TYPE, INT_TYPE]),
    ] {
        env.add_member_overload(REPLACE, id, STRING_TYPE, takes, replace)
            .expect("no other function has this name");
    }
    Arc::new(env)
});

/// The list given, if it is one and not too long. Objects are not walked
/// through: their members have no order.
fn elements<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let value = args
        .pop()
        .ok_or_else(|| ExecutionError::invalid_argument_count(1, 0))?;
    let length = value
        .downcast_ref::<CelList>()
        .map(|list| list.inner().len());
    match length {
        Some(length) if length <= MAX_ELEMENTS => Ok(value),
        Some(length) => Err(ExecutionError::function_error(
            "comprehension",
            format!("the list has {length} elements, the limit is {MAX_ELEMENTS}"),
        )),
        None => Err(ExecutionError::function_error(
            "comprehension",
            format!("a {} is not a list", value.get_type().name()),
        )),
    }
}

/// `text.replace(from, to)` and `text.replace(from, to, times)`; a negative
/// number of times means all.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature of every overload"
)]
fn replace<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = |at: usize| {
        args.get(at)
            .and_then(|value| value.downcast_ref::<CelString>())
            .map(CelString::inner)
            .ok_or_else(|| ExecutionError::invalid_argument_count(3, args.len()))
    };
    let (whole, from, to) = (text(0)?, text(1)?, text(2)?);
    let times = args
        .get(3)
        .and_then(|value| value.downcast_ref::<CelInt>())
        .and_then(|times| usize::try_from(*times.inner()).ok())
        .unwrap_or(usize::MAX);
    let found = whole.matches(from).count().min(times);
    let length = whole.len().saturating_add(found.saturating_mul(to.len()));
    if length > MAX_TEXT {
        return Err(ExecutionError::function_error(
            "replace",
            format!("the text would grow beyond {MAX_TEXT} bytes"),
        ));
    }
    Ok(CowVal::owned(CelString::from(
        whole.replacen(from, to, times),
    )))
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    Anything,
    Integer,
    Text,
    NumberOrText,
    BooleanOrText,
    Scalar,
    Strings,
    Sized,
}

impl Parameter {
    pub(super) fn takes(self, shape: &Shape) -> bool {
        match (self, shape) {
            (Parameter::Anything, _)
            | (_, Shape::Any)
            | (Parameter::Integer, Shape::Integer)
            | (
                Parameter::Text
                | Parameter::NumberOrText
                | Parameter::BooleanOrText
                | Parameter::Scalar
                | Parameter::Sized,
                Shape::String,
            )
            | (Parameter::NumberOrText | Parameter::Scalar, Shape::Integer | Shape::Number)
            | (Parameter::BooleanOrText | Parameter::Scalar, Shape::Boolean)
            | (Parameter::Sized, Shape::List(_) | Shape::Object(_)) => true,
            (Parameter::Strings, Shape::List(element)) => {
                matches!(**element, Shape::String | Shape::Any)
            }
            _ => false,
        }
    }

    pub(super) fn wanted(self) -> &'static str {
        match self {
            Parameter::Anything => "anything",
            Parameter::Integer => "an integer",
            Parameter::Text => "a string",
            Parameter::NumberOrText => "a number or a string",
            Parameter::BooleanOrText => "a boolean or a string",
            Parameter::Scalar => "a string, a number or a boolean",
            Parameter::Strings => "a list of strings",
            Parameter::Sized => "a string, a list or an object",
        }
    }
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Anything,
    Boolean,
    Integer,
    Number,
    Text,
    Strings,
}

impl Gives {
    pub(super) fn shape(self) -> Shape {
        match self {
            Gives::Anything => Shape::Any,
            Gives::Boolean => Shape::Boolean,
            Gives::Integer => Shape::Integer,
            Gives::Number => Shape::Number,
            Gives::Text => Shape::String,
            Gives::Strings => Shape::List(Box::new(Shape::String)),
        }
    }
}

/// One way to call a function.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Written `x.name(…)`; the first parameter is the `x`.
    pub(super) on_value: bool,
    pub(super) takes: &'static [Parameter],
    pub(super) gives: Gives,
}

const fn on(name: &'static str, takes: &'static [Parameter], gives: Gives) -> Function {
    Function {
        name,
        on_value: true,
        takes,
        gives,
    }
}

const fn of(name: &'static str, takes: &'static [Parameter], gives: Gives) -> Function {
    Function {
        name,
        on_value: false,
        takes,
        gives,
    }
}

use Parameter::{Anything, BooleanOrText, Integer, NumberOrText, Scalar, Sized, Strings, Text};

/// All functions, ways to call one of them next to each other.
pub(super) const FUNCTIONS: &[Function] = &[
    of("size", &[Sized], Gives::Integer),
    on("size", &[Sized], Gives::Integer),
    of("bool", &[BooleanOrText], Gives::Boolean),
    of("int", &[NumberOrText], Gives::Integer),
    of("double", &[NumberOrText], Gives::Number),
    of("string", &[Scalar], Gives::Text),
    of("dyn", &[Anything], Gives::Anything),
    of("matches", &[Text, Text], Gives::Boolean),
    on("matches", &[Text, Text], Gives::Boolean),
    on("contains", &[Text, Text], Gives::Boolean),
    on("startsWith", &[Text, Text], Gives::Boolean),
    on("endsWith", &[Text, Text], Gives::Boolean),
    on("charAt", &[Text, Integer], Gives::Text),
    on("indexOf", &[Text, Text], Gives::Integer),
    on("indexOf", &[Text, Text, Integer], Gives::Integer),
    on("lastIndexOf", &[Text, Text], Gives::Integer),
    on("lastIndexOf", &[Text, Text, Integer], Gives::Integer),
    on("join", &[Strings], Gives::Text),
    on("join", &[Strings, Text], Gives::Text),
    on("lowerAscii", &[Text], Gives::Text),
    on("upperAscii", &[Text], Gives::Text),
    on("trim", &[Text], Gives::Text),
    on("replace", &[Text, Text, Text], Gives::Text),
    on("replace", &[Text, Text, Text, Integer], Gives::Text),
    on("sort", &[Strings], Gives::Strings),
    on("split", &[Text, Text], Gives::Strings),
    on("split", &[Text, Text, Integer], Gives::Strings),
    on("substring", &[Text, Integer], Gives::Text),
    on("substring", &[Text, Integer, Integer], Gives::Text),
];

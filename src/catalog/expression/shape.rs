//! What is known of values before anything runs: shapes, and the variables
//! that have them.

use std::collections::BTreeMap;

/// Shape of a JSON value, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Shape {
    /// Nothing is known; checked when the expression runs.
    #[default]
    Any,
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number without a fraction; `200.0` is one.
    Integer,
    /// Any number.
    Number,
    /// A string.
    String,
    /// An array whose elements all have one shape.
    List(Box<Shape>),
    /// An object.
    Object(ObjectShape),
}

impl Shape {
    /// The shape with its article, for messages: `an integer`.
    pub(in crate::catalog) fn article(&self) -> &'static str {
        match self {
            Shape::Any => "anything",
            Shape::Null => "null",
            Shape::Boolean => "a boolean",
            Shape::Integer => "an integer",
            Shape::Number => "a number",
            Shape::String => "a string",
            Shape::List(_) => "a list",
            Shape::Object(_) => "an object",
        }
    }

    pub(super) fn is_numeric(&self) -> bool {
        matches!(self, Shape::Integer | Shape::Number)
    }

    /// Whether values of the two shapes can be equal.
    pub(super) fn can_equal(&self, other: &Shape) -> bool {
        match (self, other) {
            (Shape::Any, _) | (_, Shape::Any) | (Shape::Object(_), Shape::Object(_)) => true,
            (Shape::List(left), Shape::List(right)) => left.can_equal(right),
            _ => self == other || (self.is_numeric() && other.is_numeric()),
        }
    }

    /// Whether a value of this shape can stand where `target` is wanted;
    /// `Err` says which part cannot.
    pub(super) fn fits(&self, target: &Shape) -> Result<(), String> {
        match (self, target) {
            (Shape::Any, _) | (_, Shape::Any) | (Shape::Integer, Shape::Number) => Ok(()),
            (Shape::List(have), Shape::List(want)) => have
                .fits(want)
                .map_err(|part| format!("its elements: {part}")),
            (Shape::Object(have), Shape::Object(want)) => have.fits(want),
            _ if self == target => Ok(()),
            _ => Err(format!("{} is not {}", self.article(), target.article())),
        }
    }

    /// The narrowest shape both fit.
    pub(super) fn joined(&self, other: &Shape) -> Shape {
        match (self, other) {
            _ if self == other => self.clone(),
            _ if self.is_numeric() && other.is_numeric() => Shape::Number,
            (Shape::List(left), Shape::List(right)) => Shape::List(Box::new(left.joined(right))),
            _ => Shape::Any,
        }
    }
}

/// Members of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectShape {
    members: BTreeMap<String, Member>,
    closed: bool,
}

/// One member of an [`ObjectShape`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Shape of its value, where it has one.
    pub shape: Shape,
    /// Whether it is always there. One that is not must be guarded with
    /// `has()` before it is used.
    pub required: bool,
}

impl ObjectShape {
    /// An object that may have members other than those named; such members
    /// count as optional and of unknown shape.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// An object whose members are all named: using another one is a fault.
    #[must_use]
    pub fn closed() -> Self {
        Self {
            members: BTreeMap::new(),
            closed: true,
        }
    }

    /// Adds a member that is always there.
    #[must_use]
    pub fn with_required(mut self, name: impl Into<String>, shape: Shape) -> Self {
        self.insert(name, shape, true);
        self
    }

    /// Adds a member that may be absent.
    #[must_use]
    pub fn with_optional(mut self, name: impl Into<String>, shape: Shape) -> Self {
        self.insert(name, shape, false);
        self
    }

    /// Adds a member, replacing one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, shape: Shape, required: bool) {
        self.members.insert(name.into(), Member { shape, required });
    }

    /// The same object, whose members may all be absent.
    #[must_use]
    pub fn optional(mut self) -> Self {
        for member in self.members.values_mut() {
            member.required = false;
        }
        self
    }

    /// The member of this name, if it is declared.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.get(name)
    }

    /// Names of the declared members, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Whether a member that is not declared is a fault.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn fits(&self, target: &ObjectShape) -> Result<(), String> {
        for (name, wanted) in &target.members {
            match self.members.get(name) {
                Some(member) => member
                    .shape
                    .fits(&wanted.shape)
                    .map_err(|part| format!("its member `{name}`: {part}"))?,
                None if wanted.required && self.closed => {
                    return Err(format!("its member `{name}` is missing"));
                }
                None => {}
            }
        }
        if target.closed
            && let Some(name) = self.names().find(|name| target.member(name).is_none())
        {
            return Err(format!("there is no member `{name}`"));
        }
        Ok(())
    }
}

/// The variables an expression may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    variables: BTreeMap<String, Shape>,
}

impl Scope {
    /// A scope without variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a variable, replacing one of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, shape: Shape) -> Self {
        self.declare(name, shape);
        self
    }

    /// Declares a variable, replacing one of the same name.
    pub fn declare(&mut self, name: impl Into<String>, shape: Shape) {
        self.variables.insert(name.into(), shape);
    }

    /// Shape of the variable of this name, if it is declared.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Shape> {
        self.variables.get(name)
    }

    /// Names of the variables, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }
}

/// What an expression is wanted to yield.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A boolean: the expression is a condition.
    Boolean,
    /// Whatever comes.
    Any,
    /// A value of this shape: the expression computes a characteristic.
    Shape(Shape),
    /// A list to go through. A member that is absent is an empty one: it needs no guard where the
    /// expression is nothing but the names on the way to it.
    List,
    /// A number of times.
    Count,
    /// A string or an integer that tells elements apart.
    Key,
    /// An object that describes a place.
    Place,
}

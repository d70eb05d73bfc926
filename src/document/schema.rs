//! JSON Schema (2020-12) over tapes: the `jsonschema` crate reads our nodes in
//! place, without a copy of the document.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node as SchemaNode, NodeIdentity, Object};
use serde_json::{Number, Value};

use super::tape::{Document, Elements, Kind, Members, Node, mark};

/// The representation that [`Node`] is, for `jsonschema::options_for`.
#[derive(Debug)]
pub struct Tape;

impl Json for Tape {
    type Node<'a> = Node<'a>;
    type PreparedKey = MarkedKey;
    type StringBuffer = Option<Document>;

    // A lookup walks the members: past a few lookups one walk is cheaper.
    const KEYS_PER_LOOKUP: usize = 8;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> MarkedKey {
        MarkedKey {
            mark: mark(key.as_bytes()),
            text: key.into(),
        }
    }

    fn with_string_node<T>(
        buffer: &mut Option<Document>,
        string: &str,
        f: impl FnOnce(Node<'_>) -> T,
    ) -> T {
        let text = super::edit::quote(string);
        let document = Document::parse(text, "").expect("a quoted text is a JSON value");
        f(buffer.insert(document).root())
    }
}

/// A key of a schema, and the mark by which it is looked for.
#[derive(Debug)]
pub struct MarkedKey {
    mark: u32,
    text: Box<str>,
}

/// A number as it is written.
#[derive(Debug)]
pub struct WrittenNumber<'a>(&'a str);

impl JsonNumber for WrittenNumber<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok()
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }

    fn to_number(&self) -> Cow<'_, Number> {
        Cow::Owned(serde_json::from_str(self.0).unwrap_or_else(|_| Number::from(0)))
    }

    fn is_integer(&self) -> bool {
        self.as_i64().is_some() || self.as_f64().is_some_and(|float| float.fract() == 0.0)
    }
}

impl<'a> SchemaNode<'a, Tape> for Node<'a> {
    type Object = Node<'a>;
    type Array = Node<'a>;
    type Number = WrittenNumber<'a>;

    fn as_object(&self) -> Option<Node<'a>> {
        (self.kind() == Kind::Object).then_some(*self)
    }

    fn as_array(&self) -> Option<Node<'a>> {
        (self.kind() == Kind::Array).then_some(*self)
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        self.as_str()
    }

    fn as_number(&self) -> Option<WrittenNumber<'a>> {
        (self.kind() == Kind::Number).then(|| WrittenNumber(self.raw()))
    }

    fn as_boolean(&self) -> Option<bool> {
        self.as_bool()
    }

    fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    fn json_type(&self) -> JsonType {
        match self.kind() {
            Kind::Null => JsonType::Null,
            Kind::True | Kind::False => JsonType::Boolean,
            Kind::Number => JsonType::Number,
            Kind::String => JsonType::String,
            Kind::Array => JsonType::Array,
            Kind::Object => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self.as_str(), expected) {
            (Some(text), Value::String(other)) => text == other.as_str(),
            _ => *self.to_value() == *expected,
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(serde_json::from_str(self.raw()).unwrap_or(Value::Null))
    }

    fn identity(&self) -> Option<NodeIdentity> {
        let address = std::ptr::from_ref(self.document).addr();
        Some(NodeIdentity::tagged(address, self.index))
    }

    // Documents are dropped and made anew at one address: nothing may be remembered of them.
    fn container_identity(&self) -> Option<NodeIdentity> {
        None
    }
}

impl<'a> Object<'a, Tape> for Node<'a> {
    type Node = Node<'a>;
    type MemberName = Cow<'a, str>;
    type MembersIter = Named<'a>;

    fn len(&self) -> usize {
        Node::len(*self)
    }

    fn get(&self, key: &MarkedKey) -> Option<Node<'a>> {
        self.marked(key.mark, &key.text)
    }

    fn members(&self) -> Named<'a> {
        Named(Node::members(*self))
    }
}

/// Members with their names as text.
pub struct Named<'a>(Members<'a>);

impl<'a> Iterator for Named<'a> {
    type Item = (Cow<'a, str>, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.0.next()?;
        Some((key.as_str().unwrap_or_default(), value))
    }
}

impl<'a> Array<'a, Tape> for Node<'a> {
    type Node = Node<'a>;
    type ElementsIter = Elements<'a>;

    fn len(&self) -> usize {
        Node::len(*self)
    }

    fn elements(&self) -> Elements<'a> {
        Node::elements(*self)
    }
}

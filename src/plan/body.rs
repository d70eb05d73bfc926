//! The body of a request, and what makes it the same one.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::document::{Canonical, Document, Node, SharedText};

/// A JSON text that is sent as it stands. What it says is digested once, whoever asks.
#[derive(Debug, Clone)]
pub struct Body {
    text: Text,
    digest: OnceLock<[u8; 32]>,
}

#[derive(Debug, Clone)]
enum Text {
    Whole(Box<RawValue>),
    /// What stands in an order.
    Shared(SharedText),
    /// What stands in an order in other places is put together when it is written: a large plan has
    /// many bodies.
    Parts(Box<Parts>),
}

/// An object of an order, which is nothing where there is none, with one more member at its end.
#[derive(Debug, Clone)]
struct Parts {
    object: Option<SharedText>,
    name: &'static str,
    value: SharedText,
}

impl Parts {
    fn text(&self) -> String {
        let object = self.object.as_deref().unwrap_or("{}");
        let inside = &object[..object.len() - 1];
        let comma = if inside == "{" { "" } else { "," };
        format!("{inside}{comma}\"{}\":{}}}", self.name, &*self.value)
    }
}

impl Body {
    /// A body of this text.
    ///
    /// # Errors
    /// The text is no JSON.
    pub fn new(text: String) -> Result<Body, serde_json::Error> {
        RawValue::from_string(text).map(Body::from)
    }

    /// The object `node`, which is nothing where there is none, with one more member at its end.
    pub fn with_member(node: Option<Node<'_>>, (name, value): (&'static str, Node<'_>)) -> Body {
        let parts = Parts {
            object: node.map(Node::shared),
            name,
            value: value.shared(),
        };
        let canonical = Node::canonical_with(node, (name, value));
        Body {
            text: Text::Parts(Box::new(parts)),
            digest: OnceLock::from(digest_of(&canonical)),
        }
    }

    /// `{}`
    pub fn empty() -> Body {
        json("{}".to_owned()).into()
    }

    /// The text of a value.
    pub fn of(node: Node<'_>) -> Body {
        Body {
            text: Text::Shared(node.shared()),
            digest: OnceLock::from(digest_of(&node.canonical())),
        }
    }

    /// The text.
    pub fn get(&self) -> Cow<'_, str> {
        match &self.text {
            Text::Whole(text) => text.get().into(),
            Text::Shared(text) => (&**text).into(),
            Text::Parts(parts) => parts.text().into(),
        }
    }

    /// The text as a value of its own.
    pub fn to_raw(&self) -> Box<RawValue> {
        match &self.text {
            Text::Whole(text) => text.clone(),
            _ => json(self.get().into_owned()),
        }
    }

    /// Digests what it says by what it was read from, if it is written there as it is here.
    pub(super) fn digest_by<'d>(
        &self,
        written: Node<'d>,
        (canonical, room): (&mut Canonical<'d>, &mut Vec<u8>),
    ) {
        if self.digest.get().is_none() && self.get() == written.raw() {
            room.clear();
            canonical.write(written, room);
            let _ = self.digest.set(digest_of(room));
        }
    }

    /// SHA-256 of what it says, however that is written.
    pub fn digest(&self) -> &[u8; 32] {
        self.digest.get_or_init(|| {
            // What is no document of ours, such as one with a key twice, is the same only if it is
            // written the same.
            match Document::parse(self.get().into_owned(), "") {
                Ok(document) => digest_of(&document.root().canonical()),
                Err(_) => digest_of(self.get().as_bytes()),
            }
        })
    }
}

fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("what is made of documents is JSON")
}

fn digest_of(canonical: &[u8]) -> [u8; 32] {
    Sha256::digest(canonical).into()
}

impl From<Box<RawValue>> for Body {
    fn from(text: Box<RawValue>) -> Body {
        Body {
            text: Text::Whole(text),
            digest: OnceLock::new(),
        }
    }
}

/// By this name of a structure and of its one member `serde_json` knows a text that it writes as it
/// stands. Its own [`RawValue`] is one, but reads each text before it takes it.
const AS_IT_STANDS: &str = "$serde_json::private::RawValue";

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct(AS_IT_STANDS, 1)?;
        body.serialize_field(AS_IT_STANDS, &*self.get())?;
        body.end()
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Body, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Body::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_digest_is_that_of_what_is_sent() {
        let text = r#"{"value": {"name": "caf\u00e9", "b": 2e2, "a": []}, "more": {"z": 1.50, "y": null}, "none": {}}"#;
        let document = Document::parse(text.to_owned(), "").expect("JSON");
        let member = |name: &str| document.root().get(name).expect("it is there");
        for node in [None, Some(member("value")), Some(member("none"))] {
            let made = Body::with_member(node, ("specification", member("more")));
            let read = Body::new(made.get().into_owned()).expect("JSON");
            assert_eq!(made.digest(), read.digest(), "{}", made.get());
            for body in [&made, &read] {
                let written = serde_json::to_string(&[body]).expect("JSON");
                assert_eq!(written, format!("[{}]", made.get()));
                let value = serde_json::to_value(body).expect("JSON");
                let expected: Value = serde_json::from_str(&made.get()).expect("JSON");
                assert_eq!(value, expected);
                assert_eq!(body.to_raw().get(), made.get());
            }
        }
        let (made, read) = (Body::of(member("value")), member("value").raw());
        assert_eq!(
            made.digest(),
            Body::new(read.to_owned()).expect("JSON").digest()
        );
        assert_ne!(made.digest(), Body::of(member("more")).digest());
    }
}

//! A JSON object whose values stay as they were written.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A JSON object, its values as written.
pub(super) struct Members<'a>(Vec<(Name<'a>, &'a RawValue)>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Members<'a> {
    pub fn read(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key.0 == name)
            .map(|(_, value)| *value)
    }

    /// The text of a member that is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// The object's text with this id and href in front.
    pub fn with_identity(&self, id: &str, href: &str) -> Bytes {
        let size: usize = self
            .0
            .iter()
            .map(|(name, value)| name.0.len() + value.get().len())
            .sum();
        let mut text = Vec::with_capacity(size + self.0.len() * 4 + id.len() + href.len() + 24);
        text.extend_from_slice(b"{\"id\":");
        write_string(&mut text, id);
        text.extend_from_slice(b",\"href\":");
        write_string(&mut text, href);
        for (name, value) in &self.0 {
            if !matches!(name.0.as_ref(), "id" | "href") {
                text.push(b',');
                write_string(&mut text, &name.0);
                text.push(b':');
                text.extend_from_slice(value.get().as_bytes());
            }
        }
        text.push(b'}');
        text.into()
    }
}

fn write_string(text: &mut Vec<u8>, string: &str) {
    serde_json::to_writer(text, string).expect("a string can be written to memory");
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

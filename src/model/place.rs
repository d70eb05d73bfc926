//! Places: what an entity says of where it is, in any version, and which of them are the same one.

use std::borrow::Cow;

use crate::document::{Canonical, Kind, Node, quote};

/// Which place something is at: two things are at the same place exactly if these are equal.
///
/// Version 4 demands no more of a place than its role: one may have an id, or an address (`href`)
/// alone, or be written by value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site<'d> {
    /// Its id.
    Id(Cow<'d, str>),
    /// Its address, where it has no id.
    Href(Cow<'d, str>),
    /// Canonical text of what it says, where it has neither.
    Value(String),
}

impl<'d> Site<'d> {
    /// The place that an object names, whatever its role there; `None` where it says nothing else.
    pub fn of(place: Node<'d>) -> Option<Site<'d>> {
        if let Some(id) = named(place, "id") {
            return Some(Site::Id(id));
        }
        match named(place, "href") {
            Some(href) => Some(Site::Href(href)),
            None => value(&said(place)).map(Site::Value),
        }
    }

    /// With texts of its own.
    pub fn into_owned(self) -> Site<'static> {
        match self {
            Site::Id(id) => Site::Id(Cow::Owned(id.into_owned())),
            Site::Href(href) => Site::Href(Cow::Owned(href.into_owned())),
            Site::Value(value) => Site::Value(value),
        }
    }
}

/// What stands for a place in the ids of what is made there: its id, else the last segment of its
/// address, else its name. `None` where it has none of these.
pub fn key(place: Node<'_>) -> Option<Cow<'_, str>> {
    let end = |href: Cow<'_, str>| {
        let end = href.trim_end_matches('/').rsplit('/').next();
        end.filter(|it| !it.is_empty()).map(str::to_owned)
    };
    match Site::of(place)? {
        Site::Id(id) => Some(id),
        Site::Href(href) => end(href).map(Cow::Owned),
        Site::Value(_) => named(place, "name"),
    }
}

/// A member of a place, unless it is absent or `null`. Version 5 wraps the place, with its role
/// beside it.
pub fn member<'d>(place: Node<'d>, key: &str) -> Option<Node<'d>> {
    // What begins so speaks of the wrapper.
    let outer = || place.get(key).filter(|_| !key.starts_with('@'));
    match wrapped(place) {
        Some(inner) => inner.get(key).or_else(outer),
        None => place.get(key),
    }
}

fn wrapped(place: Node<'_>) -> Option<Node<'_>> {
    place.get("place").filter(|it| it.kind() == Kind::Object)
}

fn named<'d>(place: Node<'d>, key: &str) -> Option<Cow<'d, str>> {
    let value = member(place, key)?;
    let text = match value.kind() {
        Kind::Number => Some(Cow::Borrowed(value.raw())),
        _ => value.as_str(),
    };
    // Some systems write the text `null` for none.
    text.filter(|it| !it.is_empty() && it != "null")
}

/// A member of a place.
#[derive(Debug, Clone)]
pub struct Member<'d> {
    /// What its key says.
    pub name: Cow<'d, str>,
    /// Its value.
    pub value: Node<'d>,
}

fn members(object: Node<'_>) -> impl Iterator<Item = Member<'_>> {
    let members = object.members();
    members.filter_map(|(key, value)| {
        let name = key.as_str()?;
        Some(Member { name, value })
    })
}

/// What a place says of itself, by the names of its members: not its id and its address, nor what
/// it is to who names it.
pub fn said(place: Node<'_>) -> Vec<Member<'_>> {
    let mut said: Vec<Member<'_>> = members(place).collect();
    if let Some(inner) = wrapped(place) {
        said.retain(|it| it.name != "place" && inner.get(&it.name).is_none());
        said.extend(members(inner));
    }
    said.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    said.retain(|Member { name, value, .. }| {
        let is_blank = value.is_null() || value.raw() == "\"\"";
        !is_blank && !name.starts_with('@') && !matches!(&**name, "id" | "href" | "role")
    });
    said
}

fn value(members: &[Member<'_>]) -> Option<String> {
    let mut text = Vec::new();
    for member in members {
        text.push(if text.is_empty() { b'{' } else { b',' });
        text.extend_from_slice(quote(&member.name).as_bytes());
        text.push(b':');
        Canonical::of(member.value.document()).write(member.value, &mut text);
    }
    if text.is_empty() {
        return None;
    }
    text.push(b'}');
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn site(text: &str) -> Option<Site<'static>> {
        let place = Document::parse(text.to_owned(), "place").expect("JSON");
        Site::of(place.root()).map(Site::into_owned)
    }

    fn is(same: bool, one: &str, other: &str) {
        assert_eq!(site(one) == site(other), same, "{one} {other}");
        assert_eq!(site(other) == site(one), same, "{other} {one}");
    }

    #[test]
    fn an_id_tells_else_an_address_else_what_it_says() {
        is(
            true,
            r#"{"id": "1", "name": "A", "role": "x"}"#,
            r#"{"href": "h", "id": "1", "name": "B", "role": "y"}"#,
        );
        is(
            true,
            r#"{"href": "h", "id": null, "name": "A"}"#,
            r#"{"href": "h", "id": ""}"#,
        );
        is(
            true,
            r#"{"name": "A", "n": 1.0, "role": "x", "@type": "GeographicAddress", "id": "null", "city": null}"#,
            r#"{"n":1,"name":"\u0041","@referredType":"Site","href":""}"#,
        );
        is(false, r#"{"id": "1"}"#, r#"{"id": "2"}"#);
        is(false, r#"{"href": "1"}"#, r#"{"href": "2"}"#);
        is(
            false,
            r#"{"name": "A", "city": "X"}"#,
            r#"{"name": "A", "city": "Y"}"#,
        );
    }

    #[test]
    fn with_an_id_it_is_another_one_than_without() {
        is(false, r#"{"id": "1", "name": "A"}"#, r#"{"name": "A"}"#);
        is(false, r#"{"id": "1"}"#, r#"{"href": "1"}"#);
        is(false, r#"{"href": "1"}"#, r#"{"name": "1"}"#);
    }

    #[test]
    fn version_5_wraps_the_same_place() {
        for inner in [
            r#"{"id": "1", "role": "own"}"#,
            r#"{"href": "h", "@type": "PlaceRef"}"#,
            r#"{"street": "High Street", "city": "X"}"#,
        ] {
            let wrapped = format!(r#"{{"role": "x", "@type": "W", "place": {inner}}}"#);
            is(true, inner, &wrapped);
        }
        is(
            true,
            r#"{"role": "x", "note": "n", "place": {"name": "A"}}"#,
            r#"{"name": "A", "note": "n"}"#,
        );
    }

    #[test]
    fn a_role_alone_is_no_place() {
        for text in [
            r#"{"role": "x", "@type": "W", "name": ""}"#,
            r#"{"role": "x", "place": {"@type": "W"}}"#,
            r#""text""#,
            "[]",
        ] {
            assert_eq!(site(text), None, "{text}");
        }
    }

    #[test]
    fn ids_are_made_of_what_names_a_place() {
        let key = |text: &str| {
            let place = Document::parse(text.to_owned(), "place").expect("JSON");
            super::key(place.root()).map(Cow::into_owned)
        };
        let wrapped = r#"{"role": "x", "place": {"id": 17, "href": "h", "name": "A"}}"#;
        assert_eq!(key(wrapped).as_deref(), Some("17"));
        let address = r#"{"href": "https://x/site/P-1/", "name": "A"}"#;
        assert_eq!(key(address).as_deref(), Some("P-1"));
        assert_eq!(key(r#"{"name": "A", "city": "X"}"#).as_deref(), Some("A"));
        assert_eq!(key(r#"{"city": "X", "role": "x"}"#), None);
    }
}

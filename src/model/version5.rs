//! Version 5 wraps related places and parties: `{role, place: {…}}` and
//! `{role, partyOrPartyRole: {…}}` where version 4 has one object.
//!
//! Orders are read as version 4 has them. What is passed on stays as it was.

use crate::document::{Document, Kind, Node};

/// The members that wrap, and what they wrap.
const WRAPPERS: [(&str, &str); 2] = [("place", "place"), ("relatedParty", "partyOrPartyRole")];

/// An order with its places and parties as version 4 has them; `None` if they are so already.
///
/// Only white space takes the place of what is left out, so that everything else stays where it
/// was written, and findings name the right places.
pub fn flattened(order: &Document) -> Option<Document> {
    // Most orders are of version 4: a look at the text spares looking at every value.
    let text = order.text();
    if !text.contains("\"partyOrPartyRole\"") && text.matches("\"place\"").count() < 2 {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    flatten(order.root(), &mut bytes);
    if bytes == text.as_bytes() {
        return None;
    }
    order.respelled(String::from_utf8(bytes).ok()?)
}

/// Deep documents are refused when they are read, so that this ends soon.
fn flatten(value: Node<'_>, text: &mut [u8]) {
    for element in value.elements() {
        flatten(element, text);
    }
    for (key, member) in value.members() {
        let name = key.as_str().unwrap_or_default();
        match WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name) {
            Some((_, inner)) if member.kind() == Kind::Array => {
                for element in member.elements() {
                    unwrap(element, inner, text);
                }
            }
            Some((_, inner)) => unwrap(member, inner, text),
            // Values of characteristics are nobody's places.
            None if name.ends_with("haracteristic") => {}
            None => flatten(member, text),
        }
    }
}

/// Replaces a wrapper by what it wraps and those of its members that this has not.
fn unwrap(wrapper: Node<'_>, inner: &str, text: &mut [u8]) {
    let Some(content) = wrapper.get(inner).filter(|it| it.kind() == Kind::Object) else {
        return;
    };
    let is_kept = |key: Node<'_>, value: Node<'_>| {
        let name = key.as_str().unwrap_or_default();
        if value.range() == content.range() {
            !content.is_empty()
        } else {
            // These speak of the wrapper.
            !name.starts_with('@') && content.member(&name).is_none()
        }
    };
    let members: Vec<_> = wrapper.members().collect();
    let last = members
        .iter()
        .rposition(|(key, value)| is_kept(*key, *value));
    for (position, (key, value)) in members.iter().enumerate() {
        if value.range() == content.range() {
            blank(text, key.range().start, value.range().start + 1);
            blank(text, value.range().end - 1, value.range().end);
        } else if !is_kept(*key, *value) {
            blank(text, key.range().start, value.range().end);
        }
        let has_comma = is_kept(*key, *value) && Some(position) < last;
        if let Some((next, _)) = members.get(position + 1)
            && !has_comma
        {
            blank(text, value.range().end, next.range().start);
        }
    }
}

/// Line ends stay, so that lines do.
fn blank(text: &mut [u8], start: usize, end: usize) {
    for byte in &mut text[start..end] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> Option<String> {
        let document = Document::parse(text.to_owned(), "order.json").expect("JSON");
        flattened(&document).map(|flat| {
            assert_eq!(flat.text().len(), document.text().len());
            let mut compact = Vec::new();
            flat.write_compact(&mut compact);
            String::from_utf8(compact).expect("UTF-8")
        })
    }

    #[test]
    fn wrapped_places_and_parties_are_as_in_version_4() {
        assert_eq!(
            flat(
                r#"{"relatedParty": [{"@type": "RelatedPartyOrPartyRole", "role": "customer",
                     "partyOrPartyRole": {"@type": "PartyRef", "id": "C-1", "name": "Ä"}}],
                    "productOrderItem": [{"product": {"place": [{"role": "site",
                     "place": {"id": "P-1", "role": "own"}, "@type": "RelatedPlaceRefOrValue", "x": 1}]}}]}"#
            )
            .as_deref(),
            Some(
                r#"{"relatedParty":[{"role":"customer","@type":"PartyRef","id":"C-1","name":"Ä"}],"productOrderItem":[{"product":{"place":[{"id":"P-1","role":"own","x":1}]}}]}"#
            )
        );
        assert_eq!(
            flat(r#"{"place":{"place":{},"role":"r"},"a":[{"place":[{"place":{"id":"1"}}]}]}"#)
                .as_deref(),
            Some(r#"{"place":{"role":"r"},"a":[{"place":[{"id":"1"}]}]}"#)
        );
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in [
            r#"{"place":[{"id":"1","role":"place"}],"relatedParty":[{"id":"partyOrPartyRole"}]}"#,
            r#"{"serviceCharacteristic":[{"value":{"place":{"place":{"id":"1"}}}}]}"#,
            r#"{"place":"place","relatedParty":{"partyOrPartyRole":null}}"#,
            r#"{"place":[{"place":"text"}],"relatedParty":[[],"x",{"partyOrPartyRole":[]}]}"#,
            "[]",
        ] {
            assert_eq!(flat(text), None, "{text}");
        }
    }

    #[test]
    fn what_stays_stands_where_it_stood() {
        let text = "{\n\"place\":\n {\"place\": {\n\"id\": 1 }, \"@type\": \"W\"},\n \"b\": 2}";
        let document = Document::parse(text.to_owned(), "order.json").expect("JSON");
        let flat = flattened(&document).expect("it is wrapped");
        let b = |document: &Document| document.root().member("b").expect("b").location();
        assert_eq!(b(&flat), b(&document));
        let place = flat.root().member("place").expect("place");
        assert_eq!(place.member("id").expect("id").location().line, 4);
        assert_eq!(place.len(), 1);
    }
}

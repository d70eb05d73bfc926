//! Ids by which endpoints know resources: TMF639 v5 `externalIdentifier`.
//!
//! TMF639 v4 has no place for them, so documents of version 4 have the member of version 5. One of them
//! counts where its `owner` is the endpoint's name and its type is that of a resource there; what else the
//! list holds belongs to others, and stays as it is.

use std::borrow::Cow;

use crate::document::{Node, quote};

/// Member of a resource that lists its ids in other systems.
pub const EXTERNAL_IDENTIFIER: &str = "externalIdentifier";

/// `externalIdentifierType` of what is a resource in the system that owns it, too (TMF702).
const RESOURCE: &str = "Resource";

/// Id of a resource at the endpoint that owns it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identifier<'d> {
    /// Name of the endpoint.
    pub owner: Cow<'d, str>,
    /// Id.
    pub id: Cow<'d, str>,
}

impl<'d> Identifier<'d> {
    /// Reads an element of the list; none where it is about something else, or cannot be read.
    pub fn read(node: Node<'d>) -> Option<Identifier<'d>> {
        let text = |key| node.text(key).filter(|it| !it.is_empty());
        let is_resource = text("externalIdentifierType")? == RESOURCE;
        let (owner, id) = (text("owner")?, text("id")?);
        is_resource.then_some(Identifier { owner, id })
    }

    /// The ids of a resource, sorted.
    pub fn list(resource: Node<'d>) -> Vec<Identifier<'d>> {
        let list = resource.list(EXTERNAL_IDENTIFIER);
        let mut list: Vec<_> = list.filter_map(Identifier::read).collect();
        list.sort_unstable();
        list
    }

    /// As an element of the list.
    pub fn to_json(&self) -> String {
        format!(
            "{{\"owner\":{},\"externalIdentifierType\":\"{RESOURCE}\",\"id\":{},\"@type\":\"ExternalIdentifier\"}}",
            quote(&self.owner),
            quote(&self.id)
        )
    }
}

/// Id by which an endpoint knows a resource, where that is not the id of the resource itself. The most
/// recent one comes first.
pub fn id_at<'d>(resource: Node<'d>, endpoint: &str) -> Option<Cow<'d, str>> {
    let mut list = resource.list(EXTERNAL_IDENTIFIER);
    let found = list.find_map(|it| Identifier::read(it).filter(|it| it.owner == endpoint))?;
    Some(found.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    #[test]
    fn an_id_is_that_of_a_resource_at_its_endpoint() {
        let text = r#"{"externalIdentifier": [
            null, 7, {}, {"id": "1"}, {"id": "2", "owner": "olt"},
            {"id": "SN-3", "owner": "olt", "externalIdentifierType": "serialNumber"},
            {"id": "", "owner": "olt", "externalIdentifierType": "Resource"},
            {"id": "4", "owner": "olt", "externalIdentifierType": "Resource", "@type": "ExternalIdentifier"},
            {"id": "5", "owner": "olt", "externalIdentifierType": "Resource"},
            {"id": "6", "owner": "bng", "externalIdentifierType": "Resource"}]}"#;
        let document = Document::parse(text.to_owned(), "").expect("JSON");
        let root = document.root();
        assert_eq!(id_at(root, "olt").as_deref(), Some("4"));
        assert_eq!(id_at(root, "bng").as_deref(), Some("6"));
        assert_eq!(id_at(root, "acs"), None);
        let list = Identifier::list(root);
        let ids: Vec<&str> = list.iter().map(|it| &*it.id).collect();
        assert_eq!(ids, ["6", "4", "5"]);
        let written = list[1].to_json();
        let written = Document::parse(written, "").expect("JSON");
        assert_eq!(Identifier::read(written.root()).as_ref(), Some(&list[1]));
    }
}

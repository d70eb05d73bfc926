//! `share` of rules.

use std::collections::BTreeMap;

use super::{Compiler, Linker};
use crate::catalog::ServiceIndex;
use crate::catalog::expression::{Expected, Scope};
use crate::catalog::rule::{Decomposition, Share, ShareScope};
use crate::catalog::specification::Facing;
use crate::diagnostic::Location;
use crate::document::Node;

impl Compiler<'_> {
    pub(super) fn share(&mut self, rule: Node<'_>, scope: &Scope) -> Option<Share> {
        let node = rule.get("share")?;
        let key = node
            .get("key")
            .and_then(|key| self.reader.expression(key, &Expected::Key, scope));
        let scope = match node.text("scope").as_deref() {
            Some("site") => ShareScope::Site,
            Some("order") => ShareScope::Order,
            _ => ShareScope::Item,
        };
        Some(Share { scope, key })
    }
}

impl Linker<'_, '_> {
    /// Whoever needs a shared target has to say the same about it.
    pub(super) fn share_alike(&mut self) {
        let mut first: BTreeMap<ServiceIndex, &Decomposition> = BTreeMap::new();
        let products = self.catalog.products.iter().map(|it| &it.decompositions);
        let services = self.catalog.services.iter().map(|it| &it.decompositions);
        let all = products.chain(services).flatten();
        for shared in all.clone().filter(|it| it.share.is_some()) {
            first.entry(shared.target).or_insert(shared);
        }
        let shares_resources = first
            .keys()
            .any(|it| self.catalog.services[it.0].facing == Facing::Resource);
        let mut found: Vec<(Location, Location, String)> = Vec::new();
        for decomposition in all {
            let Some(first) = first.get(&decomposition.target) else {
                continue;
            };
            let said =
                |it: &Decomposition| it.share.as_ref().map(|it| (it.scope, it.key.is_some()));
            if said(first) == said(decomposition) {
                continue;
            }
            let id = &self.catalog.services[decomposition.target.0]
                .specification
                .id;
            let wanted = first.share.as_ref().map(|it| {
                let key = if it.key.is_some() { ", with a key" } else { "" };
                format!("`{}`{key}", it.scope.name())
            });
            let here = match &decomposition.share {
                Some(share) if share.key.is_some() => {
                    format!("`{}`, with a key", share.scope.name())
                }
                Some(share) => format!("`{}`", share.scope.name()),
                None => "not at all".to_owned(),
            };
            let message = format!(
                "`{id}` is shared by {}, and {here} here",
                wanted.unwrap_or_default()
            );
            found.push((
                decomposition.location.clone(),
                first.location.clone(),
                message,
            ));
        }
        self.catalog.shares_resources = shares_resources;
        for (location, related, message) in found {
            let finding = self.error("rule/share", location, message);
            finding.related = Some(related);
            finding.hint = Some("every rule for a shared target says the same `share`".to_owned());
        }
    }
}

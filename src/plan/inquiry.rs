//! What a gate asks its endpoint: TMF645 service qualification, TMF679 product
//! offering qualification, TMF696 risk assessment.

use std::borrow::Cow;

use super::flow::{Body, Method, Request};
use super::layers::{Layer, Layers};
use crate::catalog::GateKind;
use crate::document::{Composer, Node};
use crate::model::{Order, OrderItem, Site, place};

/// What a gate is about.
#[derive(Debug, Clone, Copy)]
pub struct Inquiry<'i, 'a, 'd> {
    /// The items of the chain.
    pub layers: &'i Layers<'a, 'd>,
    /// The item that the gate is for: a product order item, or a service order item.
    pub entry: usize,
    /// The product order item.
    pub product: usize,
    /// The root order.
    pub order: &'i Order<'d>,
    /// What tells the question apart from others, for who is asked.
    pub reference: &'i str,
    /// Name of the gate, for people.
    pub name: &'i str,
}

/// The request of a gate; none for gates that ask nobody.
pub fn request(kind: GateKind, inquiry: &Inquiry<'_, '_, '_>) -> Option<Request> {
    let mut body = Composer::new(1024);
    let path = match kind {
        GateKind::Feasibility => {
            inquiry.service_qualification(&mut body);
            "checkServiceQualification"
        }
        GateKind::AddressQualification => {
            inquiry.offering_qualification(&mut body);
            "checkProductOfferingQualification"
        }
        GateKind::Credit | GateKind::Fraud => {
            inquiry.risk_assessment(kind, &mut body);
            "productOfferingRiskAssessment"
        }
        GateKind::Approval | GateKind::Milestone => return None,
    };
    let body = body.finish(path).text().to_owned();
    Some(Request {
        method: Method::Post,
        path: path.to_owned(),
        body: Some(Body::new(body).expect("what is composed is JSON")),
    })
}

impl<'d> Inquiry<'_, '_, 'd> {
    /// TMF645 4.0 `CheckServiceQualification_Create`.
    fn service_qualification(&self, body: &mut Composer) {
        body.object(|to| {
            to.key("@type").string("CheckServiceQualification");
            to.key("externalId").string(self.reference);
            to.key("description").string(self.name);
            truth(to, "instantSyncQualification");
            truth(to, "provideUnavailabilityReason");
            let services = self.services().into_iter().enumerate();
            to.key("serviceQualificationItem")
                .array(services, |list, (position, entry)| {
                    list.object(|to| self.service_item(to, position, entry));
                });
        });
    }

    /// The service order items that are asked about: the one that the gate is for, else those of
    /// the product order item.
    fn services(&self) -> Vec<usize> {
        if self.entry != self.product {
            return vec![self.entry];
        }
        let entries = self.layers.entries.iter().enumerate();
        let services = entries.filter(|(index, it)| {
            it.layer == Layer::Service
                && !it.tasks.is_empty()
                && self.layers.ancestors(*index).contains(&self.product)
        });
        services.map(|(index, _)| index).collect()
    }

    fn service_item(&self, to: &mut Composer, position: usize, entry: usize) {
        let item = &self.layers.entries[entry].item;
        let staying = self.layers.entries[entry].staying();
        let staying = staying
            .into_iter()
            .filter_map(|it| Some((it.name, it.value?)));
        let values = values(item).into_iter().chain(staying);
        to.key("id").string(&(position + 1).to_string());
        to.key("service").object(|to| {
            to.key("@type").string("Service");
            if let Some(specification) = item.specification {
                to.key("serviceSpecification").object(|to| {
                    to.key("id").string(&specification.id);
                    if let Some(name) = specification.name() {
                        to.key("name").string(&name);
                    }
                    to.key("@referredType").string("ServiceSpecification");
                });
            }
            if let Some(place) = self.layers.place(entry) {
                to.key("place").array([place], |list, place| {
                    list.object(|to| flat_place(to, place));
                });
            }
            to.key("serviceCharacteristic")
                .array(values, |list, (name, value)| {
                    list.object(|to| {
                        to.key("name").string(&name);
                        to.key("value").copy(value);
                    });
                });
        });
    }

    /// TMF679 5.0 `CheckProductOfferingQualification_FVO`.
    fn offering_qualification(&self, body: &mut Composer) {
        let item = &self.layers.entries[self.product].item;
        body.object(|to| {
            to.key("@type").string("CheckProductOfferingQualification");
            to.key("description").string(self.name);
            truth(to, "instantSyncQualification");
            truth(to, "provideResultReason");
            to.key("checkProductOfferingQualificationItem")
                .array([item], |list, item| {
                    list.object(|to| {
                        to.key("@type")
                            .string("CheckProductOfferingQualificationItem");
                        to.key("id").string(item.id);
                        let action = item.action.map_or("add", crate::model::Action::name);
                        to.key("action").string(action);
                        self.offering(to);
                        to.key("product").object(|to| self.product(to, item));
                    });
                });
        });
    }

    fn product(&self, to: &mut Composer, item: &OrderItem<'_, 'd>) {
        to.key("@type").string("Product");
        let place = self.layers.place(self.entry);
        if let Some(place) = place.or_else(|| self.layers.place(self.product)) {
            to.key("place").array([place], |list, place| {
                list.object(|to| {
                    to.key("@type").string("RelatedPlaceRefOrValue");
                    to.key("role").string(&role(place));
                    to.key("place").object(|to| {
                        to.key("@type").string(match Site::of(place) {
                            Some(Site::Id(_)) => "PlaceRef",
                            _ => "GeographicAddress",
                        });
                        which(to, place);
                    });
                });
            });
        }
        to.key("productCharacteristic")
            .array(values(item), |list, (name, value)| {
                list.object(|to| {
                    to.key("@type").string("Characteristic");
                    to.key("name").string(&name);
                    to.key("value").copy(value);
                });
            });
    }

    fn offering(&self, to: &mut Composer) {
        let Some(offering) = self.layers.offering(self.product) else {
            return;
        };
        to.key("productOffering").object(|to| {
            to.key("@type").string("ProductOfferingRef");
            to.key("id")
                .string(&offering.text("id").unwrap_or_default());
            if let Some(name) = offering.text("name") {
                to.key("name").string(&name);
            }
            to.key("@referredType").string("ProductOffering");
        });
    }

    /// TMF696 `ProductOfferingRiskAssessment`.
    fn risk_assessment(&self, kind: GateKind, body: &mut Composer) {
        body.object(|to| {
            to.key("@type").string("ProductOfferingRiskAssessment");
            self.offering(to);
            if let Some(place) = self.layers.place(self.product) {
                to.key("place").object(|to| flat_place(to, place));
            }
            let parties = self.order.node().list("relatedParty");
            let parties = parties.filter_map(|node| {
                let party = node.get("partyOrPartyRole").unwrap_or(node);
                Some((node.text("role")?, party.text("id")?))
            });
            let about = [
                (Cow::Borrowed("assessment"), Cow::Borrowed(kind.name())),
                (Cow::Borrowed("gate"), Cow::Borrowed(self.reference)),
            ];
            to.key("characteristic").array(
                about.into_iter().chain(parties),
                |list, (name, value)| {
                    list.object(|to| {
                        to.key("name").string(&name);
                        to.key("value").string(&value);
                    });
                },
            );
        });
    }
}

fn truth(to: &mut Composer, key: &str) {
    let written = to.key(key).json("true");
    debug_assert!(written.is_ok(), "a literal is JSON");
}

fn values<'d>(item: &OrderItem<'_, 'd>) -> Vec<(Cow<'d, str>, Node<'d>)> {
    let given = item.characteristics.iter();
    given.filter_map(|it| Some((it.name, it.value?))).collect()
}

fn role(place: Node<'_>) -> Cow<'_, str> {
    let role = place.text("role").filter(|role| !role.is_empty());
    role.unwrap_or(Cow::Borrowed("serviceAddress"))
}

/// A related place as version 4 has it: role and reference, or value, in one.
fn flat_place(to: &mut Composer, place: Node<'_>) {
    which(to, place);
    to.key("role").string(&role(place));
    let mut named = ["@referredType", "@type"].into_iter();
    let named = named.find_map(|key| place::member(place, key)?.as_str());
    let kind = named.unwrap_or(Cow::Borrowed("GeographicAddress"));
    to.key("@referredType").string(&kind);
}

/// What tells which place it is: its id, with its name; else all that it says.
fn which(to: &mut Composer, place: Node<'_>) {
    match Site::of(place) {
        Some(Site::Id(id)) => {
            to.key("id").string(&id);
            let name = place::member(place, "name").and_then(Node::as_str);
            if let Some(name) = name {
                to.key("name").string(&name);
            }
        }
        site => {
            if let Some(Site::Href(href)) = site {
                to.key("href").string(&href);
            }
            for member in place::said(place) {
                to.key(&member.name).copy(member.value);
            }
        }
    }
}

//! Where a path leads.

use std::borrow::Cow;

use hyper::Method;

use super::check::Check;
use super::system::{API, Action};
use crate::plan::unsegment;

/// Where a path leads below an endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Resources,
    Resource(Cow<'a, str>),
    Monitor(Cow<'a, str>),
    /// Where those who want to be told of events say so.
    Hub,
    Listener(Cow<'a, str>),
    /// Where questions of this kind are asked.
    Checks(Check),
    /// One that was answered.
    Answered,
    /// Nowhere, as far as the mock knows.
    Other,
}

impl<'a> Place<'a> {
    /// The name of the endpoint, and the place below it.
    pub fn of(path: &'a str) -> Option<(&'a str, Self)> {
        let (name, rest) = path.strip_prefix('/')?.split_once('/')?;
        let resources = rest.strip_prefix(API).and_then(|it| it.strip_prefix('/'));
        let place = match resources.filter(|rest| Check::named(rest).is_none()) {
            Some(rest) => below_api(rest),
            None => checks(rest),
        };
        Some((name, place))
    }

    /// What a method does there.
    pub fn action(&self, method: &Method) -> Action<'_> {
        match (method, self) {
            (&Method::POST, Place::Resources) => Action::Create,
            (&Method::POST, Place::Checks(check)) => Action::Ask(*check),
            (&Method::POST, Place::Hub) => Action::Subscribe,
            (&Method::PATCH, Place::Resource(id)) => Action::Change(id),
            (&Method::DELETE, Place::Resource(id)) => Action::Remove(id),
            (&Method::DELETE, Place::Listener(id)) => Action::Unsubscribe(id),
            (_, Place::Other) => Action::Nothing(404, "there is nothing at this path"),
            _ => Action::Nothing(405, "this path does not have this method"),
        }
    }
}

fn below_api(rest: &str) -> Place<'_> {
    let Some((collection, id)) = rest.split_once('/') else {
        return match rest {
            "resource" => Place::Resources,
            "hub" => Place::Hub,
            _ => Place::Other,
        };
    };
    match (
        collection,
        unsegment(id).filter(|_| !id.contains('/') && !id.is_empty()),
    ) {
        ("resource", Some(id)) => Place::Resource(id),
        ("monitor", Some(id)) => Place::Monitor(id),
        ("hub", Some(id)) => Place::Listener(id),
        _ => Place::Other,
    }
}

/// `tmf-api/<API>/<version>/<collection>`, and an id.
fn checks(path: &str) -> Place<'_> {
    let mut parts = path
        .strip_prefix("tmf-api/")
        .unwrap_or_default()
        .split('/')
        .skip(2);
    match (
        parts.next().and_then(Check::named),
        parts.next(),
        parts.next(),
    ) {
        (Some(check), None, _) => Place::Checks(check),
        (Some(_), Some(_), None) => Place::Answered,
        _ => Place::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_resources_monitors_and_listeners() {
        let place = |rest: &str| match Place::of(&format!("/olt/{API}/{rest}")) {
            Some(("olt", place)) => format!("{place:?}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(place("resource"), "Resources");
        assert_eq!(place("resource/a%2Fb"), "Resource(\"a/b\")");
        assert_eq!(place("monitor/olt-m1"), "Monitor(\"olt-m1\")");
        assert_eq!(place("hub"), "Hub");
        assert_eq!(place("hub/1"), "Listener(\"1\")");
        for rest in ["", "resource/", "resource/a/b", "resource/%zz", "resources"] {
            assert_eq!(place(rest), "Other", "{rest}");
        }
        for path in ["", "/", "/health", "olt/"] {
            assert!(Place::of(path).is_none(), "{path}");
        }
    }

    #[test]
    fn questions_are_asked_below_any_api_of_tm_forum() {
        let asks = |path| matches!(checks(path), Place::Checks(_));
        assert!(asks(
            "tmf-api/serviceQualification/v4/checkServiceQualification"
        ));
        assert!(asks(
            "tmf-api/riskManagement/v5/productOfferingRiskAssessment"
        ));
        let answered = "tmf-api/q/v4/checkProductOfferingQualification/7";
        assert_eq!(checks(answered), Place::Answered);
        for path in [
            "checkServiceQualification",
            "tmf-api/v4/checkServiceQualification",
            "tmf-api/q/v4/query",
            "tmf-api/q/v4/checkServiceQualification/7/8",
        ] {
            assert_eq!(checks(path), Place::Other, "{path}");
        }
    }
}

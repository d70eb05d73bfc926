//! Events (TMF630, TMF702 v4): who is told, and what.

use std::net::IpAddr;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::fault::Notice;

/// When and how an accepted request ends.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub due: Instant,
    pub notice: Notice,
    /// Idempotency key of the request.
    pub key: Option<String>,
    pub events: Vec<Event>,
    /// Those who had subscribed when the request was accepted.
    pub listeners: Vec<Listener>,
}

/// Something that has happened.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// The same for the same event, however often it is sent.
    pub id: String,
    /// Such as `MonitorStateChangeEvent`.
    pub kind: &'static str,
    /// Name of the entity in the envelope.
    pub member: &'static str,
    /// The entity, JSON.
    pub content: Bytes,
}

impl Event {
    /// The event in its envelope. `key` is the idempotency key of the request
    /// that it belongs to, by which its sender recognises it.
    pub fn envelope(&self, key: Option<&str>, now: Timestamp) -> String {
        let content: Option<&RawValue> = serde_json::from_slice(&self.content).ok();
        let time = now.to_string();
        json!({
            "eventId": self.id,
            "eventTime": time,
            "timeOcurred": time,
            "eventType": self.kind,
            "correlationId": key,
            "domain": "resource",
            "event": {self.member: content},
        })
        .to_string()
    }

    /// Where a listener takes it: below its callback, by the name of the event.
    pub fn address(&self, callback: &Url) -> Url {
        let mut address = callback.clone();
        let name = self.kind;
        let path = callback.path().trim_end_matches('/');
        let (first, rest) = name.split_at(1);
        let path = format!("{path}/listener/{}{rest}", first.to_ascii_lowercase());
        address.set_path(&path);
        address
    }
}

/// Somebody who wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Base address of the listener's API.
    pub callback: Url,
    /// Which events, `eventType=A,B`; all where absent or in other words.
    pub query: Option<String>,
}

impl Listener {
    /// Somebody who wants to be told everything, at a loopback address.
    ///
    /// # Errors
    /// Where the address is none that the mock sends to.
    pub fn at(address: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("callback {address:?} {why}");
        let callback =
            Url::parse(address).map_err(|error| wrong(&format!("is not a URL: {error}")))?;
        let host = callback.host_str().unwrap_or_default();
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let here = host == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if callback.scheme() != "http" || !here {
            return Err(wrong("is not http:// to this machine (loopback)"));
        }
        Ok(Self {
            callback,
            query: None,
        })
    }

    /// Reads a subscription.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Subscription {
            callback: String,
            query: Option<String>,
        }
        let subscription: Subscription = serde_json::from_slice(body)
            .map_err(|_| "the body is not a JSON object with a callback".to_owned())?;
        let listener = Self::at(&subscription.callback)?;
        Ok(Self {
            query: subscription.query,
            ..listener
        })
    }

    /// Whether it wants to be told of events of this kind.
    pub(super) fn wants(&self, kind: &str) -> bool {
        let types = self
            .query
            .as_deref()
            .and_then(|it| it.strip_prefix("eventType="));
        types.is_none_or(|types| types.split(',').any(|one| one == kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_goes_to_its_own_path_below_the_callback() {
        let event = Event {
            id: "olt-m1-monitor".to_owned(),
            kind: "MonitorStateChangeEvent",
            member: "monitor",
            content: Bytes::from_static(b"{\"id\":\"olt-m1\"}"),
        };
        let listener = Listener::at("http://127.0.0.1:9000/tmf/").unwrap();
        assert_eq!(
            event.address(&listener.callback).as_str(),
            "http://127.0.0.1:9000/tmf/listener/monitorStateChangeEvent"
        );
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let text: serde_json::Value =
            serde_json::from_str(&event.envelope(Some("k1"), now)).unwrap();
        assert_eq!(text["eventType"], "MonitorStateChangeEvent");
        assert_eq!(text["correlationId"], "k1");
        assert_eq!(text["eventTime"], "2026-11-23T12:00:00Z");
        assert_eq!(text["event"]["monitor"]["id"], "olt-m1");
    }

    #[test]
    fn callbacks_stay_on_this_machine() {
        for address in [
            "http://127.0.0.1:1/x",
            "http://localhost",
            "http://[::1]:80",
        ] {
            assert!(Listener::at(address).is_ok(), "{address}");
        }
        for address in [
            "",
            "127.0.0.1:1",
            "https://127.0.0.1",
            "http://192.0.2.1",
            "http://a.example",
        ] {
            let why = Listener::at(address).unwrap_err();
            assert!(
                why.starts_with(&format!("callback {address:?} is not ")),
                "{why}"
            );
        }
    }

    #[test]
    fn a_subscription_may_name_the_events_that_it_is_about() {
        let read = |text: &str| Listener::read(text.as_bytes());
        let all = read(r#"{"callback":"http://127.0.0.1:1"}"#).unwrap();
        assert!(all.wants("A") && all.wants("B"));
        let some = read(r#"{"callback":"http://127.0.0.1:1","query":"eventType=A,C"}"#).unwrap();
        assert!(some.wants("A") && !some.wants("B"));
        assert!(read("{}").is_err() && read("[]").is_err());
    }
}

//! Who waits for what an endpoint tells by events.
//!
//! An event is a hint: whoever waits for what it is about looks at once, at the
//! endpoint itself. So anybody may send one: at worst, somebody looks in vain.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use tokio::sync::Notify;

/// Longest pause between two looks at what events are awaited about: they may be lost.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Those who wait, by what they wait for.
#[derive(Debug)]
pub struct Callbacks {
    /// Pause before the first look.
    first: Duration,
    waiting: Mutex<HashMap<String, Vec<Arc<Notify>>>>,
    /// Those who wait also while they do something else, by what they wait for in the first place.
    kept: Mutex<HashMap<String, Waiter>>,
}

/// Somebody who waits: for what, and how that is told.
#[derive(Debug, Clone, Default)]
struct Waiter {
    names: Vec<String>,
    heard: Arc<Notify>,
}

impl Default for Callbacks {
    fn default() -> Self {
        Self::after(super::tmf702::FIRST_PAUSE)
    }
}

impl Callbacks {
    /// Where those who wait look by themselves after so long, then after twice that, and so on.
    #[must_use]
    pub fn after(first: Duration) -> Self {
        Self {
            first,
            waiting: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// Wakes whoever waits for what an event is about. Says how many that are.
    pub fn heard(&self, event: &Value) -> usize {
        let entities = event.get("event").and_then(Value::as_object);
        let mut woken = 0;
        for entity in entities.into_iter().flat_map(|it| it.values()) {
            let names = ["href", "id", "sourceHref"].map(|key| entity.get(key));
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            let mut names: Vec<String> = names.map(name).collect();
            names.dedup();
            let waiting = self.waiting();
            for waiter in names.iter().filter_map(|name| waiting.get(name)).flatten() {
                waiter.notify_one();
                woken += 1;
            }
        }
        woken
    }

    /// Begins to wait for what is at a URL, or goes on where that was kept.
    pub(super) fn expect(self: &Arc<Self>, url: &Url) -> Expected {
        let kept = self.kept().get(&name(url.as_str())).cloned();
        let mut expected = Expected {
            callbacks: Arc::clone(self),
            pause: self.first,
            is_kept: kept.is_some(),
            waiter: kept.unwrap_or_default(),
        };
        expected.also(url.as_str());
        expected
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Waiter>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Notify>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an entity is called: the path of its URL, of which the last segment is its id.
fn name(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => url.path().to_owned(),
        Err(_) => text.to_owned(),
    }
}

/// Somebody who waits; gone when dropped, unless kept.
#[derive(Debug)]
pub(super) struct Expected {
    callbacks: Arc<Callbacks>,
    waiter: Waiter,
    pause: Duration,
    is_kept: bool,
}

impl Expected {
    /// Waits for what is at another URL, too.
    pub fn also(&mut self, url: &str) {
        let path = name(url);
        let id = path.rsplit('/').next().unwrap_or_default().to_owned();
        for name in [path, id] {
            if !name.is_empty() && !self.waiter.names.contains(&name) {
                let mut waiting = self.callbacks.waiting();
                let waiters = waiting.entry(name.clone()).or_default();
                waiters.push(Arc::clone(&self.waiter.heard));
                self.waiter.names.push(name);
            }
        }
    }

    /// Lets what is told from now on be known to whoever expects the same next.
    pub fn keep(mut self) {
        if let Some(first) = self.waiter.names.first().cloned() {
            self.callbacks.kept().insert(first, self.waiter.clone());
            self.is_kept = true;
        }
    }

    /// Done when something was heard.
    pub async fn heard(&self) {
        self.waiter.heard.notified().await;
    }

    /// Done when it is time to look: something was heard, or nothing for long enough.
    pub async fn turn(&mut self) {
        tokio::select! {
            () = self.waiter.heard.notified() => {}
            () = tokio::time::sleep(self.pause) => {
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        let mut waiting = self.callbacks.waiting();
        for name in &self.waiter.names {
            if let Some(waiters) = waiting.get_mut(name) {
                waiters.retain(|waiter| !Arc::ptr_eq(waiter, &self.waiter.heard));
                if waiters.is_empty() {
                    waiting.remove(name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[tokio::test]
    async fn an_event_wakes_those_who_wait_for_what_it_is_about() {
        let callbacks = Arc::new(Callbacks::after(Duration::from_secs(3600)));
        let mut olt = callbacks.expect(&url("http://olt:8080/tmf/monitor/m1"));
        olt.also("/tmf/resource/R%201");
        let bng = callbacks.expect(&url("http://bng/tmf/monitor/m2"));
        let heard = |event: Value| callbacks.heard(&event);
        let of_monitor = |monitor: Value| json!({"event": {"monitor": monitor}});
        assert_eq!(heard(of_monitor(json!({"id": "m1"}))), 1);
        // It was heard before it was waited for.
        olt.turn().await;
        assert_eq!(heard(of_monitor(json!({"href": "/tmf/monitor/m1"}))), 1);
        assert_eq!(
            heard(of_monitor(json!({"href": "https://x/tmf/monitor/m2"}))),
            1
        );
        assert_eq!(
            heard(json!({"event": {"resource": {"href": "/tmf/resource/R%201"}}})),
            1
        );
        assert_eq!(
            heard(of_monitor(json!({"id": "m3", "href": "/tmf/monitor/m3"}))),
            0
        );
        for nothing in [
            json!({}),
            json!([]),
            json!({"event": [1]}),
            of_monitor(json!(7)),
        ] {
            assert_eq!(heard(nothing), 0);
        }
        drop((olt, bng));
        assert!(callbacks.waiting().is_empty());
    }

    #[tokio::test]
    async fn what_is_told_while_nobody_listens_is_known_to_who_listens_next() {
        let callbacks = Arc::new(Callbacks::default());
        let monitor = url("http://olt:8080/tmf/monitor/m1");
        let mut first = callbacks.expect(&monitor);
        first.also("/tmf/resource/R1");
        first.keep();
        let event = json!({"event": {"resource": {"href": "/tmf/resource/R1"}}});
        for _ in 0..2 {
            assert_eq!(callbacks.heard(&event), 1);
            callbacks.expect(&monitor).heard().await;
        }
    }
}

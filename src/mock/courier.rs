//! Takes events to those who want to know, and lets happen what happens later.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::answer::JSON;
use super::event::{Ending, Event, Listener};
use super::fault::Notice;
use super::http::Site;
use super::record::{Effect, Entry};
use crate::activate::{Clock as _, SystemClock};

/// How long a listener may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Events under way, and what happens later.
#[derive(Debug, Default)]
pub(super) struct Courier {
    client: OnceLock<Client>,
    under_way: Mutex<JoinSet<()>>,
}

impl Courier {
    /// Takes what happens at the end of a request to its listeners, when it has come.
    pub fn send_off(&self, site: &Arc<Site>, endpoint: &str, ending: Ending) {
        let (site, endpoint) = (Arc::clone(site), endpoint.to_owned());
        self.later(ending.due, async move {
            for event in &ending.events {
                for listener in ending.listeners.iter().filter(|it| it.wants(event.kind)) {
                    site.courier
                        .deliver(&site, &endpoint, (event, &ending), listener)
                        .await;
                }
            }
        });
    }

    /// Lets something happen when its time has come.
    pub fn later(&self, due: Instant, what: impl Future<Output = ()> + Send + 'static) {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while under_way.try_join_next().is_some() {}
        under_way.spawn(async move {
            sleep_until(due).await;
            what.await;
        });
    }

    /// Leaves what has not been delivered, and has not happened yet.
    pub fn stop(&self) {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        under_way.abort_all();
    }

    async fn deliver(
        &self,
        site: &Site,
        endpoint: &str,
        (event, ending): (&Event, &Ending),
        listener: &Listener,
    ) {
        let url = event.address(&listener.callback);
        let text = event.envelope(ending.key.as_deref(), SystemClock.now());
        let mut entry = Entry {
            endpoint: Some(endpoint),
            method: "POST",
            path: url.as_str(),
            idempotency_key: ending.key.as_deref(),
            effect: Effect::Notified,
            fault: None,
            status: None,
            body: text.as_bytes(),
            answer: None,
        };
        let times = match ending.notice {
            Notice::None | Notice::Event => 1,
            Notice::Twice => 2,
            Notice::Lost => {
                entry.effect = Effect::Withheld;
                site.add(&entry);
                0
            }
        };
        for _ in 0..times {
            entry.status = self.post(&url, &text).await;
            site.add(&entry);
        }
    }

    /// The status that a listener answers with; none where it does not answer.
    async fn post(&self, url: &Url, text: &str) -> Option<u16> {
        let request = self
            .client()
            .post(url.clone())
            .header(CONTENT_TYPE, JSON)
            .body(text.to_owned());
        let answer = request.send().await.ok()?;
        Some(answer.status().as_u16())
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .tls_certs_only(std::iter::empty())
                .timeout(PATIENCE)
                .build()
                .expect("a client without certificates can be made")
        })
    }
}

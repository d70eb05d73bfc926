//! What befalls the calls of one endpoint, and how long their answers take.
//!
//! Numbers of calls follow the order of arrival. What is drawn (shares, delays)
//! depends on the seed, the endpoint, the request (its idempotency key, else
//! method, path and body) and how often it came before: the same requests meet
//! the same faults whatever order they arrive in, and a repetition is drawn
//! anew.

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::answer::{Delivery, Reply, error};
use super::draw::{Delay, draw};
use super::fault::{Calls, Concerns, Early, Fault, FaultKind, Notice};
use super::record::Effect;

/// How an endpoint is played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// How long an answer takes.
    pub latency: Delay,
    /// Whether requests are accepted at once and carried out behind a monitor.
    pub accepts: Option<Accepts>,
    /// Whether idempotency keys are ignored, so that a repetition is a request
    /// like any other.
    pub ignores_keys: bool,
    /// Whether nothing of what it keeps can be read; monitors and answers to questions can.
    pub refuses_reads: bool,
    /// Whether what is made gets an id of the endpoint's own, whatever id was asked for.
    pub names_itself: bool,
}

/// How accepted requests are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepts {
    /// How long a request is in progress.
    pub after: Delay,
    /// Who is told when it has ended.
    pub notice: Notice,
}

/// What a call is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Subject {
    pub method: String,
    pub item: Option<String>,
    pub resource: Option<String>,
    pub specification: Option<String>,
}

/// What is to become of a call.
#[derive(Debug)]
pub(super) struct Verdict {
    /// Number of the call at its endpoint, from 1.
    pub number: u64,
    pub fault: Option<FaultKind>,
    /// How long its answer takes.
    pub latency: Duration,
    /// How long it is in progress behind a monitor, if it is accepted first.
    pub accepted: Option<(Duration, Notice)>,
    /// How long it takes until its effect happens, if its answer does not wait for that.
    pub deferred: Option<Duration>,
}

impl Verdict {
    /// A call that nothing befalls.
    pub fn untroubled(number: u64) -> Self {
        Self {
            number,
            fault: None,
            latency: Duration::ZERO,
            accepted: None,
            deferred: None,
        }
    }

    /// What becomes of a call that is not to take effect. The question of a
    /// gate can be answered by no, which `asks` leaves to who answers it.
    pub fn instead(&self, name: &str, asks: bool) -> Option<(Effect, Delivery)> {
        let answer = |reply| Delivery::Answer(reply);
        match self.fault.as_ref()? {
            FaultKind::Hang => Some((Effect::Failed, Delivery::Never)),
            FaultKind::Reset { effect: false } => Some((Effect::Failed, Delivery::Reset)),
            FaultKind::Status { effect: false, .. } => {
                Some((Effect::Failed, answer(self.status(name)?)))
            }
            FaultKind::Unqualified { message } if !asks => {
                let reason = unqualified(name, message.as_deref());
                Some((Effect::Refused, answer(error(422, "unqualified", &reason))))
            }
            _ => None,
        }
    }

    /// The reason for which a question is answered by no.
    pub fn no(&self, name: &str) -> Option<String> {
        match self.fault.as_ref()? {
            FaultKind::Unqualified { message } => Some(unqualified(name, message.as_deref())),
            _ => None,
        }
    }

    /// What becomes of the answer to a call that may have taken effect.
    pub fn deliver(&self, name: &str, reply: Reply) -> Delivery {
        match &self.fault {
            Some(FaultKind::Status { .. }) => Delivery::Answer(self.status(name).unwrap_or(reply)),
            Some(FaultKind::Deferred {
                answer: Early::Accepted,
                ..
            }) => Delivery::Answer(Reply::new(202, "")),
            Some(
                FaultKind::Late(None)
                | FaultKind::Hang
                | FaultKind::Deferred {
                    answer: Early::Hang,
                    ..
                },
            ) => Delivery::Never,
            Some(
                FaultKind::Lost
                | FaultKind::Deferred {
                    answer: Early::Lost,
                    ..
                },
            ) => Delivery::Close,
            Some(FaultKind::Reset { .. }) => Delivery::Reset,
            Some(FaultKind::Malformed(how)) => how.spoil(&reply),
            Some(FaultKind::Drip(pause)) => Delivery::Raw {
                bytes: reply.bytes().into(),
                reply,
                pause: Some(*pause),
            },
            Some(FaultKind::Twice) => {
                let bytes = reply.bytes().repeat(2);
                Delivery::raw(&reply, bytes)
            }
            Some(
                FaultKind::Late(Some(_))
                | FaultKind::Slow(_)
                | FaultKind::Accepted { .. }
                | FaultKind::Unqualified { .. },
            )
            | None => Delivery::Answer(reply),
        }
    }

    /// How long the answer takes to set out.
    pub fn after(&self) -> Duration {
        match self.fault {
            Some(FaultKind::Late(Some(time))) => time,
            _ => self.latency,
        }
    }

    fn status(&self, name: &str) -> Option<Reply> {
        let Some(FaultKind::Status {
            status,
            retry_after,
            message,
            ..
        }) = &self.fault
        else {
            return None;
        };
        let told = || format!("call {} of endpoint {name} was told to fail", self.number);
        let mut reply = error(*status, "fault", &message.clone().unwrap_or_else(told));
        reply.retry_after = retry_after.map(|time| {
            let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
            seconds.to_string()
        });
        Some(reply)
    }
}

fn unqualified(name: &str, message: Option<&str>) -> String {
    message.map_or_else(|| format!("endpoint {name} was told so"), str::to_owned)
}

/// A fault, and how many calls it has seen that it may concern.
#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u64,
}

/// Judges the calls of one endpoint.
#[derive(Debug)]
pub(super) struct Judge {
    name: String,
    seed: u64,
    manner: Manner,
    faults: Vec<Armed>,
    calls: u64,
    /// How often each request came.
    tries: HashMap<Identity, u64>,
}

/// Digest of what a repetition has in common with its first time.
type Identity = [u8; 16];

impl Judge {
    pub fn new(name: &str, seed: u64, manner: Manner, faults: Vec<Fault>) -> Self {
        let armed = |fault| Armed { fault, seen: 0 };
        Self {
            name: name.to_owned(),
            seed,
            manner,
            faults: faults.into_iter().map(armed).collect(),
            calls: 0,
            tries: HashMap::new(),
        }
    }

    /// Whether some fault asks what resource a call is about.
    pub fn asks_for_resources(&self) -> bool {
        let mut faults = self.faults.iter();
        faults.any(|armed| armed.fault.concerns.is_about_resources())
    }

    /// Counts a call and says what befalls it. `request` are the parts by which
    /// a repetition is known.
    pub fn call(&mut self, subject: &Subject, request: &[&[u8]]) -> Verdict {
        self.calls += 1;
        let identity = identity(request);
        let tries = self.tries.entry(identity).or_default();
        *tries += 1;
        let chance = Chance {
            seed: self.seed,
            name: &self.name,
            identity,
            tries: *tries,
        };
        let mut found = None;
        for (position, armed) in self.faults.iter_mut().enumerate() {
            if !concerns(&armed.fault.concerns, subject) {
                continue;
            }
            armed.seen += 1;
            let holds = |calls: &Calls| match calls {
                Calls::Numbered(numbers) => numbers.contains(&armed.seen),
                Calls::Every(every) => armed.seen.is_multiple_of(*every),
                Calls::Tries(tries) => tries.contains(&chance.tries),
                Calls::Share(share) => {
                    chance.draw("fault", position as u64) < f64::from(*share) / 10_000.0
                }
            };
            if found.is_none() && armed.fault.calls.iter().all(holds) {
                found = Some(armed.fault.kind.clone());
            }
        }
        self.verdict(found, &chance)
    }

    fn verdict(&self, fault: Option<FaultKind>, chance: &Chance<'_>) -> Verdict {
        let latency = match fault {
            Some(FaultKind::Slow(delay)) => delay,
            _ => self.manner.latency,
        };
        let accepts = match fault {
            Some(FaultKind::Accepted { after, notice }) => Some(Accepts { after, notice }),
            _ => self.manner.accepts,
        };
        let progress = |it: Accepts| {
            let after = it.after.at(|| chance.draw("progress", 0));
            (after, it.notice)
        };
        let deferred = match fault {
            Some(FaultKind::Deferred { after, .. }) => Some(after),
            _ => None,
        };
        Verdict {
            number: self.calls,
            deferred: deferred.map(|it| it.at(|| chance.draw("deferred", 0))),
            latency: latency.at(|| chance.draw("latency", 0)),
            accepted: accepts.map(progress),
            fault,
        }
    }
}

/// All that draws for a call depend on.
struct Chance<'a> {
    seed: u64,
    name: &'a str,
    identity: Identity,
    tries: u64,
}

impl Chance<'_> {
    fn draw(&self, what: &str, which: u64) -> f64 {
        let (which, tries) = (which.to_be_bytes(), self.tries.to_be_bytes());
        let parts = [
            what.as_bytes(),
            &which,
            self.name.as_bytes(),
            &self.identity,
            &tries,
        ];
        draw(self.seed, &parts)
    }
}

fn identity(request: &[&[u8]]) -> Identity {
    let mut hash = Sha256::new();
    for part in request {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    digest[..16].try_into().expect("a digest has 32 bytes")
}

fn concerns(wanted: &Concerns, subject: &Subject) -> bool {
    let same = |wanted: &Option<String>, is: Option<&String>| {
        wanted.as_ref().is_none_or(|wanted| is == Some(wanted))
    };
    same(&wanted.method, Some(&subject.method))
        && same(&wanted.specification, subject.specification.as_ref())
        && same(&wanted.item, subject.item.as_ref())
        && wanted.resource.as_ref().is_none_or(|part| {
            let resource = subject.resource.as_ref();
            resource.is_some_and(|resource| resource.contains(part))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(seed: u64, faults: &[&str]) -> Judge {
        let faults = faults.iter().map(|it| Fault::parse(it).unwrap()).collect();
        Judge::new("olt", seed, Manner::default(), faults)
    }

    fn fault(judge: &mut Judge, key: &str) -> String {
        let verdict = judge.call(&Subject::default(), &[key.as_bytes()]);
        verdict.fault.map_or_else(String::new, |it| it.to_string())
    }

    fn faults(judge: &mut Judge, keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| fault(judge, key)).collect()
    }

    #[test]
    fn the_first_fault_that_fits_counts_and_all_of_them_count_calls() {
        let mut judge = judge(0, &["olt:2..3=503", "olt:3..4=lost", "olt:*/5=hang"]);
        assert_eq!(
            faults(&mut judge, &["a", "b", "c", "d", "e", "f"]),
            ["", "503", "503", "lost", "hang", ""]
        );
    }

    #[test]
    fn tries_are_counted_for_each_request() {
        let mut judge = judge(0, &["olt:try2..3=lost"]);
        assert_eq!(
            faults(&mut judge, &["a", "b", "a", "a", "b", "a"]),
            ["", "", "lost", "lost", "lost", ""]
        );
    }

    #[test]
    fn shares_depend_on_the_request_and_not_on_its_place() {
        let keys: Vec<String> = (0..1000).map(|n| format!("k{n}")).collect();
        let drawn = |seed, keys: &mut dyn Iterator<Item = &String>| {
            let mut judge = judge(seed, &["olt:10%=503", "olt:10%=lost"]);
            let mut drawn: Vec<(String, String)> = keys
                .map(|key| (key.clone(), fault(&mut judge, key)))
                .collect();
            drawn.sort();
            drawn
        };
        let forth = drawn(7, &mut keys.iter());
        assert_eq!(forth, drawn(7, &mut keys.iter().rev()));
        assert_ne!(forth, drawn(8, &mut keys.iter()));
        let count = |kind: &str| forth.iter().filter(|(_, fault)| fault == kind).count();
        assert!((70..130).contains(&count("503")), "{}", count("503"));
        // One of ten of those that the first fault leaves.
        assert!((60..120).contains(&count("lost")), "{}", count("lost"));
    }

    #[test]
    fn a_repetition_is_drawn_anew() {
        let mut judge = judge(3, &["olt:50%=503"]);
        let drawn = faults(&mut judge, &["k"; 64]);
        assert!(drawn.iter().any(String::is_empty) && drawn.iter().any(|it| it == "503"));
    }

    #[test]
    fn only_calls_that_are_concerned_are_counted() {
        let subject = |method: &str, item: &str, specification: &str, resource: &str| Subject {
            method: method.to_owned(),
            item: Some(item.to_owned()),
            specification: Some(specification.to_owned()),
            resource: Some(resource.to_owned()),
        };
        let calls = [
            subject("POST", "1", "RS-A", "port-7"),
            subject("POST", "2", "RS-B", "port-8"),
            subject("PATCH", "2", "RS-A", "port-70"),
        ];
        for (text, hit) in [
            ("olt/method=PATCH:1", [false, false, true]),
            ("olt/spec=RS-A:2", [false, false, true]),
            ("olt/item=2:1", [false, true, false]),
            ("olt/port-7:2", [false, false, true]),
            ("olt/method=POST/port-7:1", [true, false, false]),
            ("olt/method=POST/item=2/spec=RS-A:1", [false, false, false]),
        ] {
            let mut judge = judge(0, &[text]);
            let seen: Vec<bool> = calls
                .iter()
                .map(|subject| judge.call(subject, &[]).fault.is_some())
                .collect();
            assert_eq!(seen, hit, "{text}");
        }
        let mut judge = judge(0, &["olt/spec=RS-A:1", "olt/item=1:1"]);
        assert!(judge.call(&Subject::default(), &[]).fault.is_none());
    }

    #[test]
    fn delays_are_those_of_the_endpoint_unless_the_fault_has_its_own() {
        let ms = Duration::from_millis;
        let manner = Manner {
            latency: Delay::Uniform(ms(10), ms(50)),
            accepts: None,
            ..Manner::default()
        };
        let faults = ["olt:2=slow,3s", "olt:3=accepted,1s"];
        let faults = faults.iter().map(|it| Fault::parse(it).unwrap()).collect();
        let mut judge = Judge::new("olt", 1, manner, faults);
        let first = judge.call(&Subject::default(), &[b"a"]);
        assert!((ms(10)..ms(50)).contains(&first.latency));
        assert_eq!(judge.call(&Subject::default(), &[b"b"]).latency, ms(3000));
        let third = judge.call(&Subject::default(), &[b"c"]);
        assert_eq!(third.accepted, Some((ms(1000), Notice::None)));
        assert_eq!(third.number, 3);
    }
}

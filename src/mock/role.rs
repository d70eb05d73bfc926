//! A role: one endpoint as it is played, and what befalls its calls.

use std::sync::Arc;

use tokio::time::Instant;

use super::answer::{Delivery, Reply, error};
use super::forward::Forward;
use super::judge::{Judge, Subject, Verdict};
use super::members::Members;
use super::place::Place;
use super::record::Effect;
use super::replay::Replay;
use super::system::{Action, Call, Played, System};

/// One endpoint as it is played.
pub(super) struct Role {
    name: String,
    judge: Judge,
    player: Player,
}

/// Where answers come from.
pub(super) enum Player {
    /// From a system that is played.
    System(Box<System>),
    /// From a recording.
    Replay(Replay),
    /// From the endpoint itself.
    Forward(Arc<Forward>),
}

/// What becomes of a call, as far as it is known at once.
pub(super) enum Outcome {
    Played(Box<Played>),
    /// The endpoint itself has to be asked first.
    Forward(Arc<Forward>),
}

impl Role {
    pub fn new(name: &str, judge: Judge, player: Player) -> Self {
        Self {
            name: name.to_owned(),
            judge,
            player,
        }
    }

    /// Counts a call, judges it, and plays it where that can be done here.
    pub fn call(&mut self, call: &Call<'_>, now: Instant) -> (Verdict, Outcome) {
        let verdict = self.judged(call);
        let asks = call.asks() && matches!(self.player, Player::System(_));
        if let Some(instead) = verdict.instead(&self.name, asks) {
            return (verdict, Outcome::Played(Box::new(Played::at_once(instead))));
        }
        let outcome = match &mut self.player {
            Player::System(system) => Outcome::Played(Box::new(match verdict.deferred {
                Some(after) => Played {
                    effect: Effect::Deferred,
                    delivery: verdict.deliver(&self.name, Reply::new(202, "")),
                    ending: None,
                    due: Some(now + after),
                },
                None => system.call(call, &verdict, now),
            })),
            Player::Replay(recorded) => {
                let (effect, answer) = recorded.call(call.method, call.path, call.key, call.body);
                let delivery = match answer {
                    Some(reply) => verdict.deliver(&self.name, reply),
                    None => Delivery::Close,
                };
                Outcome::Played(Box::new(Played::at_once((effect, delivery))))
            }
            Player::Forward(forward) => Outcome::Forward(Arc::clone(forward)),
        };
        (verdict, outcome)
    }

    /// Lets a call take effect whose time has come; none where nothing is played.
    pub fn take_effect(&mut self, call: &Call<'_>, now: Instant) -> Option<Effect> {
        match &mut self.player {
            Player::System(system) => {
                let untroubled = Verdict::untroubled(0);
                Some(system.call(call, &untroubled, now).effect)
            }
            Player::Replay(_) | Player::Forward(_) => None,
        }
    }

    /// What is read at a place; the endpoint itself where it has to be asked.
    pub fn read(
        &mut self,
        place: &Place<'_>,
        (path, query): (&str, Option<&str>),
    ) -> Result<Option<Reply>, Arc<Forward>> {
        match &mut self.player {
            Player::System(system) => Ok(Some(match place {
                Place::Resources => system.list(query),
                Place::Resource(id) => system.resource(id),
                Place::Monitor(id) => system.monitor(id, Instant::now()),
                Place::Checks(_) | Place::Answered => system.answered(path),
                Place::Hub | Place::Listener(_) | Place::Other => {
                    error(404, "notFound", "there is nothing at this path")
                }
            })),
            Player::Replay(recorded) => Ok(recorded.call("GET", path, None, b"").1),
            Player::Forward(forward) => Err(Arc::clone(forward)),
        }
    }

    fn judged(&mut self, call: &Call<'_>) -> Verdict {
        let subject = self.subject(call);
        let whole = [call.method.as_bytes(), call.path.as_bytes(), call.body];
        let key = call.key.map(|key| [key.as_bytes()]);
        self.judge
            .call(&subject, key.as_ref().map_or(&whole[..], |key| key))
    }

    /// What a call is about, as far as faults ask.
    fn subject(&self, call: &Call<'_>) -> Subject {
        let mut subject = Subject {
            method: call.method.to_owned(),
            item: call.item.map(str::to_owned),
            ..Subject::default()
        };
        if !self.judge.asks_for_resources() {
            return subject;
        }
        let sent = Members::read(call.body);
        subject.resource = match call.action {
            Action::Change(id) | Action::Remove(id) => Some(id.to_owned()),
            Action::Create => sent.as_ref().and_then(|members| members.text("id")),
            _ => None,
        };
        subject.specification = sent.as_ref().and_then(specification).or_else(|| {
            let Player::System(system) = &self.player else {
                return None;
            };
            let kept = system.kept(subject.resource.as_deref()?)?;
            specification(&Members::read(kept)?)
        });
        subject
    }
}

/// Id of the specification of a resource.
fn specification(resource: &Members<'_>) -> Option<String> {
    let reference = resource.get("resourceSpecification")?;
    Members::read(reference.get().as_bytes())?.text("id")
}

#[cfg(test)]
mod tests;

//! Faults that the mock is told to commit: which calls, and what befalls them.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::draw::Delay;
use super::malform::Malformation;

/// A fault: which calls of which endpoint, and what befalls them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the endpoint; `*` stands for each of them.
    pub endpoint: String,
    /// Which calls it is about at all; only those are counted.
    pub concerns: Concerns,
    /// Which of these: all conditions have to hold, none means every one.
    pub calls: Vec<Calls>,
    /// What happens to them.
    pub kind: FaultKind,
}

/// What a call has to be about; absent members mean anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerns {
    /// `POST`, `PATCH` or `DELETE`.
    pub method: Option<String>,
    /// Id of the resource's specification.
    pub specification: Option<String>,
    /// Id of the order item that the request carries out.
    pub item: Option<String>,
    /// Part of the resource's id.
    pub resource: Option<String>,
}

impl Concerns {
    /// Whether only calls about some resources or items are concerned.
    pub(super) fn is_about_resources(&self) -> bool {
        self.specification.is_some() || self.resource.is_some()
    }
}

/// A condition on a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calls {
    /// Those with these numbers, from 1, in the order of arrival, repetitions counted.
    Numbered(RangeInclusive<u64>),
    /// Every so manyth.
    Every(u64),
    /// Drawn by the seed: so many of ten thousand.
    Share(u32),
    /// The first, second, … time that a request arrives, from 1.
    Tries(RangeInclusive<u64>),
}

/// What befalls a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Answered with a status from 400 to 599.
    Status {
        /// The status.
        status: u16,
        /// What `Retry-After` says, in whole seconds.
        retry_after: Option<Duration>,
        /// Whether it takes effect first.
        effect: bool,
        /// What the answer says.
        message: Option<String>,
    },
    /// The question of a gate is answered by no; anything else with 422, without effect.
    Unqualified {
        /// The reason.
        message: Option<String>,
    },
    /// Never answered, without effect.
    Hang,
    /// Takes effect, and is answered so much later, or never.
    Late(Option<Duration>),
    /// Takes effect, then the connection is closed without an answer.
    Lost,
    /// The connection is reset without an answer.
    Reset {
        /// Whether it takes effect first.
        effect: bool,
    },
    /// Takes effect, and its answer cannot be understood.
    Malformed(Malformation),
    /// Takes effect, and its answer comes byte by byte, with this pause between them.
    Drip(Duration),
    /// Takes effect, and is answered twice.
    Twice,
    /// Takes effect, and is answered after this time.
    Slow(Delay),
    /// Takes effect, and is answered by 202 and a monitor.
    Accepted {
        /// How long it is in progress.
        after: Delay,
        /// Whether its end is told to those who want to know.
        notice: Notice,
    },
    /// Takes effect only after this time, which nothing waits for.
    Deferred {
        /// How long that takes.
        after: Delay,
        /// What the caller is told at once.
        answer: Early,
    },
}

/// What the caller is told of a request whose effect comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Early {
    /// 202 without a monitor.
    #[default]
    Accepted,
    /// Nothing, ever.
    Hang,
    /// Nothing: the connection is closed.
    Lost,
}

/// Who is told when an accepted request has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notice {
    /// Nobody: the monitor has to be asked.
    #[default]
    None,
    /// Those who want to know, by an event.
    Event,
    /// The event is lost.
    Lost,
    /// The event comes twice.
    Twice,
}

impl FaultKind {
    /// Whether the effect of the call happens, where the call is acceptable.
    pub fn has_effect(&self) -> bool {
        match self {
            Self::Status { effect, .. } | Self::Reset { effect } => *effect,
            Self::Unqualified { .. } | Self::Hang => false,
            Self::Late(_)
            | Self::Lost
            | Self::Malformed(_)
            | Self::Drip(_)
            | Self::Twice
            | Self::Slow(_)
            | Self::Accepted { .. }
            | Self::Deferred { .. } => true,
        }
    }
}

/// As on the command line, without the message.
impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status {
                status,
                retry_after,
                effect,
                ..
            } => {
                write!(f, "{status}")?;
                if let Some(time) = retry_after {
                    write!(f, ",{time:?}")?;
                }
                f.write_str(if *effect { ",effect" } else { "" })
            }
            Self::Unqualified { .. } => f.write_str("unqualified"),
            Self::Hang => f.write_str("hang"),
            Self::Late(None) => f.write_str("late"),
            Self::Late(Some(time)) => write!(f, "late,{time:?}"),
            Self::Lost => f.write_str("lost"),
            Self::Reset { effect: false } => f.write_str("reset"),
            Self::Reset { effect: true } => f.write_str("reset,effect"),
            Self::Malformed(how) => write!(f, "malformed,{how}"),
            Self::Drip(pause) => write!(f, "drip,{pause:?}"),
            Self::Twice => f.write_str("twice"),
            Self::Slow(delay) => write!(f, "slow,{delay}"),
            Self::Accepted { after, notice } => match notice {
                Notice::None => write!(f, "accepted,{after}"),
                Notice::Event => write!(f, "callback,{after}"),
                Notice::Lost => write!(f, "callback,{after},lost"),
                Notice::Twice => write!(f, "callback,{after},twice"),
            },
            Self::Deferred { after, answer } => match answer {
                Early::Accepted => write!(f, "deferred,{after}"),
                Early::Hang => write!(f, "deferred,{after},hang"),
                Early::Lost => write!(f, "deferred,{after},lost"),
            },
        }
    }
}

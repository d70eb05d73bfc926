//! Faults as they are written on the command line:
//! `ENDPOINT[/FILTER]:CALLS[=KIND]`, such as `olt:2=503`.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::draw::Delay;
use super::fault::{Calls, Concerns, Early, Fault, FaultKind, Notice};
use super::malform::{MALFORMATIONS, Malformation};
use crate::configuration::day_or_less;

/// Pause between two bytes of an answer that drips, where none is given.
pub(super) const DRIP: Duration = Duration::from_millis(10);

/// A fault that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "fault {text:?}: {why}; write ENDPOINT[/FILTER]:CALLS[=KIND], such as olt:2=503 (orderctl mock --help has all of them)"
)]
pub struct FaultError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl Fault {
    /// Reads a fault as written on the command line.
    ///
    /// # Errors
    /// Where the text has another form.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        // What is said may hold anything, so the shortest fault in front of a space counts.
        let saying = text.match_indices(' ').find_map(|(space, _)| {
            let mut fault = rule(&text[..space]).ok()?;
            let said = text[space..].trim().to_owned();
            match &mut fault.kind {
                FaultKind::Status { message, .. } | FaultKind::Unqualified { message }
                    if text[..space].contains('=') =>
                {
                    *message = Some(said).filter(|said| !said.is_empty());
                    Some(fault)
                }
                _ => None,
            }
        });
        saying
            .map_or_else(|| rule(text), Ok)
            .map_err(|why| FaultError {
                text: text.to_owned(),
                why,
            })
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        Self::parse(text)
    }
}

/// A fault without words of its own.
fn rule(text: &str) -> Result<Fault, String> {
    let (about, rest) = text.rsplit_once(':').ok_or("there is no `:`")?;
    let (endpoint, filters) = match about.split_once('/') {
        Some((_, "")) => return Err("the filter is missing".to_owned()),
        Some((endpoint, filters)) => (endpoint, filters),
        None => (about, ""),
    };
    if endpoint.is_empty() {
        return Err("the endpoint is missing".to_owned());
    }
    let (calls, kind) = rest.split_once('=').unwrap_or((rest, "500"));
    Ok(Fault {
        endpoint: endpoint.to_owned(),
        concerns: concerns(filters)?,
        calls: parse_calls(calls)?,
        kind: parse_kind(kind)?,
    })
}

/// `method=POST/spec=RS-VLAN/item=1.2/port-7`: all optional; what is left is part of the
/// resource's id, slashes included.
fn concerns(mut text: &str) -> Result<Concerns, String> {
    let mut concerns = Concerns::default();
    loop {
        let (first, rest) = text.split_once('/').unwrap_or((text, ""));
        let (into, value) = match first.split_once('=') {
            Some(("method", value)) => (&mut concerns.method, value),
            Some(("spec", value)) => (&mut concerns.specification, value),
            Some(("item", value)) => (&mut concerns.item, value),
            _ => {
                let later = rest.split('/').find(|it| is_filter(it));
                if let Some(later) = later {
                    return Err(format!(
                        "`{later}` stands behind `{first}`: part of a resource's id comes last"
                    ));
                }
                concerns.resource = Some(text.to_owned()).filter(|text| !text.is_empty());
                break;
            }
        };
        if value.is_empty() || into.is_some() {
            return Err(format!("`{first}` has no value, or stands twice"));
        }
        *into = Some(value.to_owned());
        text = rest;
    }
    match concerns.method.as_deref() {
        Some("POST" | "PATCH" | "DELETE") | None => Ok(concerns),
        Some(_) => Err("the method is neither POST, PATCH nor DELETE".to_owned()),
    }
}

/// Whether this is a filter of another kind than part of a resource's id.
fn is_filter(text: &str) -> bool {
    let name = text.split_once('=').map(|(name, _)| name);
    matches!(name, Some("method" | "spec" | "item"))
}

/// Conditions on calls, separated by commas: `2`, `2..4`, `2..`, `*`, `*/3`, `10%`, `try1`,
/// `try1..2`.
pub(super) fn parse_calls(text: &str) -> Result<Vec<Calls>, String> {
    let wrong = || {
        "the calls are neither a number from 1, a range (2..4), each so manyth (*/3), a share (10%), tries (try1) nor `*`".to_owned()
    };
    let mut calls = Vec::new();
    for part in text.split(',') {
        if part == "*" {
            continue;
        }
        let condition = if let Some(every) = part.strip_prefix("*/") {
            number(every).filter(|it| *it > 0).map(Calls::Every)
        } else if let Some(share) = part.strip_suffix('%') {
            percent(share).map(Calls::Share)
        } else if let Some(tries) = part.strip_prefix("try") {
            parse_range(tries).map(Calls::Tries)
        } else {
            parse_range(part).map(Calls::Numbered)
        };
        calls.push(condition.ok_or_else(wrong)?);
    }
    Ok(calls)
}

/// `2`, `2..4` or `2..`, from 1.
pub(super) fn parse_range(text: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = match text.split_once("..") {
        Some((first, "")) => (number(first)?, u64::MAX),
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    (first > 0 && first <= last).then_some(first..=last)
}

/// A percentage with at most two decimals, in hundredths.
fn percent(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let hundredths = match part.len() {
        1 => number(part)? * 10,
        2 => number(part)?,
        _ => return None,
    };
    let all = number(whole)?.checked_mul(100)?.checked_add(hundredths)?;
    u32::try_from(all)
        .ok()
        .filter(|it| (1..=10_000).contains(it))
}

/// The kind and its arguments, separated by commas.
fn parse_kind(text: &str) -> Result<FaultKind, String> {
    let mut words = text.split(',');
    let name = words.next().unwrap_or_default();
    let arguments: Vec<&str> = words.collect();
    let kind = match (name, arguments.as_slice()) {
        ("hang", []) => FaultKind::Hang,
        ("lost", []) => FaultKind::Lost,
        ("late", []) => FaultKind::Late(None),
        ("late", [time]) => FaultKind::Late(Some(duration(time)?)),
        ("unqualified", []) => FaultKind::Unqualified { message: None },
        ("garbage" | "malformed", []) => FaultKind::Malformed(Malformation::Html),
        ("malformed", [how]) => FaultKind::Malformed(malformation(how)?),
        ("reset", []) => FaultKind::Reset { effect: false },
        ("reset", ["effect"]) => FaultKind::Reset { effect: true },
        ("drip", []) => FaultKind::Drip(DRIP),
        ("drip", [pause]) => FaultKind::Drip(duration(pause)?),
        ("twice", []) => FaultKind::Twice,
        ("slow", [delay]) => FaultKind::Slow(delay.parse::<Delay>()?),
        ("accepted", arguments) => accepted(arguments, Notice::None)?,
        ("callback", [arguments @ .., "lost"]) => accepted(arguments, Notice::Lost)?,
        ("callback", [arguments @ .., "twice"]) => accepted(arguments, Notice::Twice)?,
        ("callback", arguments) => accepted(arguments, Notice::Event)?,
        ("deferred", [after]) => deferred(after, Early::Accepted)?,
        ("deferred", [after, "hang"]) => deferred(after, Early::Hang)?,
        ("deferred", [after, "lost"]) => deferred(after, Early::Lost)?,
        (_, arguments) => return status(name, arguments),
    };
    Ok(kind)
}

fn accepted(arguments: &[&str], notice: Notice) -> Result<FaultKind, String> {
    let after = match arguments {
        [] => Delay::NONE,
        [after] => after.parse()?,
        _ => return Err(unknown()),
    };
    Ok(FaultKind::Accepted { after, notice })
}

fn deferred(after: &str, answer: Early) -> Result<FaultKind, String> {
    let after = after.parse()?;
    Ok(FaultKind::Deferred { after, answer })
}

fn status(name: &str, arguments: &[&str]) -> Result<FaultKind, String> {
    let status = number(name).and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (400..600).contains(status));
    let (retry_after, effect) = match arguments {
        [] => (None, false),
        ["effect"] => (None, true),
        [time] => (Some(duration(time)?), false),
        [time, "effect"] => (Some(duration(time)?), true),
        _ => return Err(unknown()),
    };
    Ok(FaultKind::Status {
        status: status.ok_or_else(unknown)?,
        retry_after,
        effect,
        message: None,
    })
}

fn unknown() -> String {
    "the kind is not known; it is a status from 400 to 599, unqualified, hang, late, lost, reset, malformed, drip, twice, slow, accepted, callback or deferred".to_owned()
}

pub(super) fn malformation(text: &str) -> Result<Malformation, String> {
    text.parse().map_err(|()| {
        let names: Vec<&str> = MALFORMATIONS.iter().map(|(name, _)| *name).collect();
        format!("an answer can be malformed as {}", names.join(", "))
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    day_or_less(text)
        .ok_or_else(|| format!("{text:?} is not a time of a day at most: write 250ms, 10s or 1m"))
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::judge::{Judge, Manner, Subject};
    use super::*;

    fn fault(calls: &[Calls], kind: FaultKind) -> Fault {
        Fault {
            endpoint: "olt".to_owned(),
            concerns: Concerns::default(),
            calls: calls.to_vec(),
            kind,
        }
    }

    fn status(status: u16) -> FaultKind {
        FaultKind::Status {
            status,
            retry_after: None,
            effect: false,
            message: None,
        }
    }

    fn saying(status: u16, said: &str) -> FaultKind {
        FaultKind::Status {
            status,
            retry_after: None,
            effect: false,
            message: Some(said.to_owned()),
        }
    }

    #[test]
    fn calls_are_numbers_ranges_shares_and_tries() {
        let two = Calls::Numbered(2..=2);
        for (text, calls) in [
            ("olt:2", vec![two.clone()]),
            ("olt:2..4", vec![Calls::Numbered(2..=4)]),
            ("olt:2..", vec![Calls::Numbered(2..=u64::MAX)]),
            ("olt:*", vec![]),
            ("olt:*/3", vec![Calls::Every(3)]),
            ("olt:10%", vec![Calls::Share(1000)]),
            ("olt:0.05%", vec![Calls::Share(5)]),
            ("olt:try1", vec![Calls::Tries(1..=1)]),
            (
                "olt:100%,try1..2",
                vec![Calls::Share(10_000), Calls::Tries(1..=2)],
            ),
        ] {
            assert_eq!(Fault::parse(text), Ok(fault(&calls, status(500))), "{text}");
        }
    }

    #[test]
    fn filters_name_method_specification_item_and_part_of_a_resource() {
        let concerns = |text: &str| Fault::parse(text).unwrap().concerns;
        let about = |text: &str| Some(text.to_owned());
        assert_eq!(
            concerns("olt/port:7/1:1=422"),
            Concerns {
                resource: about("port:7/1"),
                ..Concerns::default()
            }
        );
        assert_eq!(
            concerns("*/method=POST/spec=RS-VLAN/item=1.CFS-A/x=y:1"),
            Concerns {
                method: about("POST"),
                specification: about("RS-VLAN"),
                item: about("1.CFS-A"),
                resource: about("x=y"),
            }
        );
    }

    #[test]
    fn kinds_are_read_with_their_arguments_and_written_the_same() {
        let ms = Duration::from_millis;
        for (text, kind) in [
            ("503", status(503)),
            (
                "429,2s,effect",
                FaultKind::Status {
                    status: 429,
                    retry_after: Some(ms(2000)),
                    effect: true,
                    message: None,
                },
            ),
            ("unqualified", FaultKind::Unqualified { message: None }),
            ("hang", FaultKind::Hang),
            ("late", FaultKind::Late(None)),
            ("late,250ms", FaultKind::Late(Some(ms(250)))),
            ("lost", FaultKind::Lost),
            ("reset", FaultKind::Reset { effect: false }),
            ("reset,effect", FaultKind::Reset { effect: true }),
            ("malformed,torn", FaultKind::Malformed(Malformation::Torn)),
            ("drip,5ms", FaultKind::Drip(ms(5))),
            ("twice", FaultKind::Twice),
            ("slow,~20ms", FaultKind::Slow(Delay::Exponential(ms(20)))),
            (
                "accepted,1s",
                FaultKind::Accepted {
                    after: ms(1000).into(),
                    notice: Notice::None,
                },
            ),
            (
                "callback,1ms..2ms,lost",
                FaultKind::Accepted {
                    after: Delay::Uniform(ms(1), ms(2)),
                    notice: Notice::Lost,
                },
            ),
            (
                "deferred,1s,hang",
                FaultKind::Deferred {
                    after: ms(1000).into(),
                    answer: Early::Hang,
                },
            ),
            (
                "deferred,~1s",
                FaultKind::Deferred {
                    after: Delay::Exponential(ms(1000)),
                    answer: Early::Accepted,
                },
            ),
        ] {
            let read = Fault::parse(&format!("olt:*={text}")).unwrap();
            assert_eq!(read.kind, kind);
            assert_eq!(kind.to_string(), text);
        }
        for (short, long) in [
            ("garbage", "malformed,html"),
            ("malformed", "malformed,html"),
            ("drip", "drip,10ms"),
            ("accepted", "accepted,0ns"),
            ("callback,twice", "callback,0ns,twice"),
        ] {
            let read = Fault::parse(&format!("olt:*={short}")).unwrap();
            assert_eq!(read.kind.to_string(), long);
        }
    }

    #[test]
    fn what_stands_after_a_space_is_what_is_said() {
        let one = [Calls::Numbered(1..=1)];
        for (text, kind) in [
            (
                "olt:1=422 no port: the splitter = full",
                saying(422, "no port: the splitter = full"),
            ),
            ("olt:1=503 =hang", saying(503, "=hang")),
            (
                "olt:1=unqualified no free port",
                FaultKind::Unqualified {
                    message: Some("no free port".to_owned()),
                },
            ),
        ] {
            assert_eq!(Fault::parse(text), Ok(fault(&one, kind)), "{text}");
        }
        let about = Fault::parse("olt/port 7:1=422 no port").unwrap();
        assert_eq!(about.concerns.resource.as_deref(), Some("port 7"));
    }

    #[test]
    fn other_forms_are_refused_with_the_reason() {
        let calls = "the calls are neither a number from 1, a range (2..4), each so manyth (*/3), a share (10%), tries (try1) nor `*`";
        let kind = unknown();
        for (text, why) in [
            ("olt", "there is no `:`"),
            (":2", "the endpoint is missing"),
            ("olt/:2", "the filter is missing"),
            ("olt/spec=:2", "`spec=` has no value, or stands twice"),
            (
                "olt/port-7/method=DELETE:2",
                "`method=DELETE` stands behind `port-7`: part of a resource's id comes last",
            ),
            (
                "olt/item=1/item=2:2",
                "`item=2` has no value, or stands twice",
            ),
            (
                "olt/method=GET:2",
                "the method is neither POST, PATCH nor DELETE",
            ),
            ("olt:", calls),
            ("olt:0", calls),
            ("olt:+1", calls),
            ("olt:4..2", calls),
            ("olt:*/0", calls),
            ("olt:0%", calls),
            ("olt:101%", calls),
            ("olt:1.001%", calls),
            ("olt:try", calls),
            ("olt:2,", calls),
            ("olt:1=200", &kind),
            ("olt:1=", &kind),
            ("olt:1=later", &kind),
            ("olt:1=503,1s,2s", &kind),
            ("olt:1=accepted,1s,2s", &kind),
            ("olt:1=lost to the world", &kind),
            (
                "olt:1=503,soon",
                "\"soon\" is not a time of a day at most: write 250ms, 10s or 1m",
            ),
            (
                "olt:1=malformed,badly",
                "an answer can be malformed as html, cut, torn, empty, list, text, binary, other, deep, huge, headers, noise",
            ),
        ] {
            let error = Fault::parse(text).unwrap_err();
            assert_eq!(error.why, why, "{text}");
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("fault {text:?}: {why}; write "))
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[a-z*/:=,.%0-9~ é]{0,40}") {
            if let Ok(fault) = Fault::parse(&text) {
                let kind = fault.kind.to_string();
                let again = Fault::parse(&format!("olt:*={kind}")).unwrap();
                proptest::prop_assert_eq!(again.kind.to_string(), kind);
            }
        }

        #[test]
        fn what_is_nearly_a_fault_does_no_harm(
            calls in "(try|[*]/)?[0-9]{1,25}(\\.\\.[0-9]{0,25})?%?",
            kind in "(slow|late|drip|accepted|callback|503|429),~?[0-9]{1,25}(ns|s|h)(\\.\\.[0-9]{1,9}h)?",
        ) {
            if let Ok(fault) = Fault::parse(&format!("olt:{calls}={kind}")) {
                let mut judge = Judge::new("olt", 0, Manner::default(), vec![fault]);
                let verdict = judge.call(&Subject::default(), &[b"k"]);
                let longest = Duration::from_hours(24 * 20);
                proptest::prop_assert!(verdict.after() <= longest);
                let accepted = verdict.accepted.map_or(Duration::ZERO, |(after, _)| after);
                proptest::prop_assert!(accepted <= longest);
            }
        }
    }
}

//! What the answer to a gate's question says: TMF645 and TMF679 qualifications,
//! TMF696 risk assessments, of all versions.

use serde::Deserialize;
use serde_json::Value;

/// The collections that questions are posted to.
const QUESTIONS: [&str; 4] = [
    "checkServiceQualification",
    "checkProductOfferingQualification",
    "productOfferingQualification",
    "productOfferingRiskAssessment",
];

/// Words for yes; all others that stand for a result are a no: who waits for a decision cannot take
/// what it does not understand for one.
const YES: [&str; 7] = [
    "qualified",
    "green",
    "approved",
    "accepted",
    "passed",
    "low",
    "yes",
];

/// An answer as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Yes.
    Yes,
    /// No, and why.
    No(String),
    /// It is still being found out; the state, as written.
    Open(String),
}

/// Whether a request asks something that may be answered by no.
pub(super) fn is_question(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    QUESTIONS.contains(&last)
}

/// Members that say how it stands, wherever a version has them. What is of another type counts as
/// absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    state: Value,
    status: Value,
    qualification_result: Value,
    qualification_item_result: Value,
    credit_decision: Value,
    risk_assessment_result: Value,
    service_qualification_item: Value,
    product_offering_qualification_item: Value,
    check_product_offering_qualification_item: Value,
    eligibility_unavailability_reason: Value,
    eligibility_result_reason: Value,
    termination_error: Value,
}

/// What an answer says; nothing bad is yes.
pub(super) fn verdict(answer: &str) -> Verdict {
    let Ok(answer) = serde_json::from_str::<Answer>(answer) else {
        return Verdict::Yes;
    };
    let items: Vec<Answer> = answer.items();
    let all = || std::iter::once(&answer).chain(&items);
    let reasons: Vec<String> = all().flat_map(Answer::reasons).collect();
    let no = all().find_map(Answer::refusal);
    if let Some(word) = no {
        let mut said = vec![word];
        said.extend(reasons);
        said.dedup();
        return Verdict::No(said.join(": "));
    }
    match answer.unfinished() {
        Some(state) => Verdict::Open(state),
        None => Verdict::Yes,
    }
}

impl Answer {
    fn items(&self) -> Vec<Answer> {
        let lists = [
            &self.service_qualification_item,
            &self.product_offering_qualification_item,
            &self.check_product_offering_qualification_item,
        ];
        let items = lists.into_iter().filter_map(Value::as_array).flatten();
        items
            .filter_map(|item| serde_json::from_value(item.clone()).ok())
            .collect()
    }

    fn states(&self) -> impl Iterator<Item = &str> {
        [&self.state, &self.status]
            .into_iter()
            .filter_map(Value::as_str)
    }

    /// The word that makes it a no.
    fn refusal(&self) -> Option<String> {
        let ended = |state: &&str| {
            let plain = plain(state);
            ["terminatedwitherror", "rejected", "cancelled", "failed"].contains(&plain.as_str())
        };
        if let Some(state) = self.states().find(ended) {
            return Some(state.to_owned());
        }
        let risk = ["decision", "result", "creditDecision"];
        let risk = risk.map(|key| &self.risk_assessment_result[key]);
        let results = [
            &self.qualification_result,
            &self.qualification_item_result,
            &self.credit_decision,
        ];
        let words = results.into_iter().chain(risk).filter_map(Value::as_str);
        let mut bad = words.filter(|word| !word.is_empty() && !YES.contains(&&*plain(word)));
        bad.next().map(str::to_owned)
    }

    /// The state, if it is not decided yet.
    fn unfinished(&self) -> Option<String> {
        let open = |state: &&str| {
            let plain = plain(state);
            ["acknowledged", "accepted", "inprogress", "pending"].contains(&plain.as_str())
        };
        self.states().find(open).map(str::to_owned)
    }

    fn reasons(&self) -> Vec<String> {
        let lists = [
            &self.eligibility_unavailability_reason,
            &self.eligibility_result_reason,
            &self.termination_error,
            &self.risk_assessment_result["score"],
        ];
        let entries = lists.into_iter().filter_map(Value::as_array).flatten();
        let text = |entry: &Value| {
            let keys = [
                "label", "message", "value", "reason", "riskName", "code", "id",
            ];
            keys.iter().find_map(|key| match &entry[key] {
                Value::String(text) if !text.is_empty() => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
        };
        entries.filter_map(text).collect()
    }
}

/// A word without what systems spell differently.
fn plain(word: &str) -> String {
    let letters = word.chars().filter(char::is_ascii_alphabetic);
    letters.collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_qualified_or_says_nothing_is_a_yes() {
        for answer in [
            "{}",
            "[]",
            r#"{"state": "done"}"#,
            r#"{"state": "done", "qualificationResult": "qualified", "serviceQualificationItem": [{"qualificationResult": "green", "state": "done"}]}"#,
            r#"{"state": 7, "qualificationResult": null, "serviceQualificationItem": {"qualificationResult": "no"}}"#,
            r#"{"status": "done", "riskAssessmentResult": {"overallScore": 0.9, "decision": "approved"}}"#,
        ] {
            assert_eq!(verdict(answer), Verdict::Yes, "{answer}");
        }
    }

    #[test]
    fn a_no_says_why() {
        for (answer, why) in [
            (r#"{"qualificationResult": "unqualified"}"#, "unqualified"),
            (
                r#"{"state": "done", "serviceQualificationItem": [{"qualificationResult": "qualified"}, {"qualificationResult": "Unqualified",
                    "eligibilityUnavailabilityReason": [{"code": "P7", "label": "no free port"}, {"code": "X"}]}]}"#,
                "Unqualified: no free port: X",
            ),
            (
                r#"{"productOfferingQualificationItem": [{"qualificationItemResult": "alternate"}]}"#,
                "alternate",
            ),
            (
                r#"{"checkProductOfferingQualificationItem": [{"qualificationItemResult": "red", "eligibilityResultReason": [{"label": "withdrawn"}]}]}"#,
                "red: withdrawn",
            ),
            (
                r#"{"state": "terminatedWithError", "terminationError": [{"id": "17", "value": "no such address"}]}"#,
                "terminatedWithError: no such address",
            ),
            (
                r#"{"riskAssessmentResult": {"decision": "declined", "score": [{"riskName": "bad debt", "score": 0.9}]}}"#,
                "declined: bad debt",
            ),
            (r#"{"creditDecision": "DECLINED"}"#, "DECLINED"),
            (r#"{"qualificationResult": "perhaps"}"#, "perhaps"),
        ] {
            assert_eq!(verdict(answer), Verdict::No(why.to_owned()), "{answer}");
        }
    }

    #[test]
    fn what_is_not_decided_is_open() {
        for state in ["acknowledged", "inProgress", "IN_PROGRESS", "accepted"] {
            let answer = format!(r#"{{"state": "{state}"}}"#);
            assert_eq!(verdict(&answer), Verdict::Open(state.to_owned()));
        }
    }

    #[test]
    fn questions_are_told_by_their_collection() {
        assert!(is_question("checkServiceQualification"));
        assert!(is_question("a/b/productOfferingRiskAssessment"));
        assert!(!is_question("resource"));
        assert!(!is_question("checkServiceQualification/7"));
    }
}

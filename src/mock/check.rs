//! Questions that gates ask: service qualification (TMF645), product offering
//! qualification (TMF679) and risk assessment (TMF696), and how they are answered.

use bytes::Bytes;
use serde_json::{Map, Value, json};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// TMF645.
    Service,
    /// TMF679.
    Offering,
    /// TMF696.
    Risk,
}

impl Check {
    /// The check whose collection has this name.
    pub fn named(collection: &str) -> Option<Check> {
        match collection {
            "checkServiceQualification" => Some(Check::Service),
            "checkProductOfferingQualification" => Some(Check::Offering),
            "productOfferingRiskAssessment" => Some(Check::Risk),
            _ => None,
        }
    }

    /// The question with its answer: yes, or no for a reason. None where the body is no object.
    pub fn answer(self, body: &[u8], id: &str, href: &str, no: Option<&str>) -> Option<Bytes> {
        let asked: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let mut answer = Map::from_iter([
            ("id".to_owned(), id.into()),
            ("href".to_owned(), href.into()),
        ]);
        answer.extend(asked);
        match self {
            Check::Service => judge(
                &mut answer,
                no,
                &["serviceQualificationItem"],
                "qualificationResult",
            ),
            // The one list in version 4, the other in version 5.
            Check::Offering => judge(
                &mut answer,
                no,
                &[
                    "productOfferingQualificationItem",
                    "checkProductOfferingQualificationItem",
                ],
                "qualificationItemResult",
            ),
            Check::Risk => {
                let score = if no.is_some() { 0.9 } else { 0.1 };
                let named = no.map(|reason| json!({"riskName": reason, "score": score}));
                answer.insert("status".to_owned(), "done".into());
                let scores = Vec::from_iter(named);
                // The standard leaves open from which score on it is a no: a word says so.
                let decision = if no.is_some() { "declined" } else { "approved" };
                let result = json!({"overallScore": score, "score": scores, "decision": decision});
                answer.insert("riskAssessmentResult".to_owned(), result);
            }
        }
        Some(Value::Object(answer).to_string().into())
    }
}

/// Writes the result on the whole and on its items.
fn judge(answer: &mut Map<String, Value>, no: Option<&str>, lists: &[&str], result: &str) {
    let word = if no.is_some() {
        "unqualified"
    } else {
        "qualified"
    };
    answer.insert("state".to_owned(), "done".into());
    answer.insert("qualificationResult".to_owned(), word.into());
    let lists = answer
        .iter_mut()
        .filter(|(key, _)| lists.contains(&key.as_str()));
    let items = lists.filter_map(|(_, list)| list.as_array_mut()).flatten();
    for item in items.filter_map(Value::as_object_mut) {
        item.insert("state".to_owned(), "done".into());
        item.insert(result.to_owned(), word.into());
        if let Some(reason) = no {
            let reason = json!([{"code": "unqualified", "label": reason}]);
            item.insert("eligibilityUnavailabilityReason".to_owned(), reason);
        }
    }
}

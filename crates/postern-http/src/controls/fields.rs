//! Header fields and query parameters under data rules.

use std::collections::BTreeMap;

use http::header::{HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE};
use postern_inspect::{Cleaner, InspectError};
use postern_types::{Finding, Refusal};

use super::blocked;
use crate::arrival::Query;
use crate::context::refuse;

/// What was found, in the answer, where a rule says so: `email=2,card=1`.
const FINDINGS: HeaderName = HeaderName::from_static("postern-findings");
/// What the counts are of: `request`, or `request, response`. A stream's own findings are not known
/// when its head goes out.
const FINDINGS_OF: HeaderName = HeaderName::from_static("postern-findings-of");

/// Classes named in the field at most.
const CLASSES_TOLD_MAX: usize = 32;

/// Cleans the values of the named fields.
///
/// # Errors
/// `data_blocked`; `cannot_inspect` when a value is not UTF-8.
pub(super) fn clean_headers(
    headers: &mut HeaderMap,
    named: &[String],
    cleaner: &mut Cleaner,
) -> Result<(), Refusal> {
    for name in named {
        let Ok(name) = HeaderName::try_from(name.as_str()) else {
            continue;
        };
        let place = format!("header {name}");
        let left = format!("{name}: ");
        for value in headers.get_all(&name).iter().cloned().collect::<Vec<_>>() {
            let text = std::str::from_utf8(value.as_bytes()).map_err(|_| {
                refuse(&InspectError::CannotInspect(
                    format!("the header {name} is not in UTF-8").into(),
                ))
            })?;
            let clean = cleaner.clean_embedded(&place, &left, text);
            let clean = clean.map_err(blocked)?;
            let Some(clean) = clean else {
                continue;
            };
            let clean = HeaderValue::from_bytes(clean.as_bytes()).map_err(|_| {
                refuse(&InspectError::CannotInspect(
                    format!("the header {name} cannot be written anew").into(),
                ))
            })?;
            for (at, slot) in headers.iter_mut() {
                if *at == name && *slot == value {
                    slot.clone_from(&clean);
                }
            }
        }
    }
    Ok(())
}

/// Cleans the values of the named parameters; `None` where nothing changes.
///
/// # Errors
/// `data_blocked` and `cannot_inspect`.
pub(super) fn clean_query(
    query: &Query,
    named: &[String],
    cleaner: &mut Cleaner,
) -> Result<Option<Query>, Refusal> {
    if named.is_empty() {
        return Ok(None);
    }
    query.replace(|name, value| {
        if !named.iter().any(|known| known == name) {
            return Ok(None);
        }
        cleaner
            .clean_embedded(&format!("query {name}"), &format!("{name}: "), value)
            .map_err(blocked)
    })
}

/// Takes out what asks for a part of a body: a part of a value cannot be recognised.
pub(super) fn ask_for_the_whole(headers: &mut HeaderMap) {
    headers.remove(RANGE);
    headers.remove(IF_RANGE);
}

/// Tells the client what was found. `whole` says that the answer's findings are among them.
pub(crate) fn tell_findings(findings: &[Finding], whole: bool, headers: &mut HeaderMap) {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(&finding.class).or_insert(0_u64) += u64::from(finding.count);
    }
    let told: Vec<String> = counts
        .iter()
        .take(CLASSES_TOLD_MAX)
        .map(|(class, count)| format!("{class}={count}"))
        .collect();
    if let Ok(value) = HeaderValue::try_from(told.join(",")) {
        headers.insert(FINDINGS, value);
    }
    let of = if whole {
        "request, response"
    } else {
        "request"
    };
    headers.insert(FINDINGS_OF, HeaderValue::from_static(of));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_by_class() {
        let finding = |class: &str, count| -> Finding {
            serde_json::from_value(serde_json::json!({
                "class": class, "direction": "request", "action": "mask", "rule": "r",
                "dry_run": false, "place": "a", "count": count,
            }))
            .unwrap()
        };
        let mut headers = HeaderMap::new();
        let found = [
            finding("email", 1),
            finding("custom:badge", 2),
            finding("email", 3),
        ];
        tell_findings(&found, true, &mut headers);
        assert_eq!(headers["postern-findings"], "email=4,custom:badge=2");
        assert_eq!(headers["postern-findings-of"], "request, response");
        tell_findings(&[], false, &mut headers);
        assert_eq!(headers["postern-findings"], "");
        assert_eq!(headers["postern-findings-of"], "request");
    }
}

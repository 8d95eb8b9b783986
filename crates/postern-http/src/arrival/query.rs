//! The query of a request: decoded to decide on, encoded again in one way to send.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use postern_types::looks_like_token;

use crate::strict::Fault;

/// What stands as itself in a name or value; `;`, `+`, `&` and `=` have meanings and do not.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b':')
    .remove(b'@')
    .remove(b'/');

/// Parameters taken at most.
const PAIRS_MAX: usize = 128;

/// Names under which clients put credentials into URLs. URLs end up in logs and histories.
const CREDENTIAL_NAMES: [&str; 4] = ["key", "access_token", "api_key", "api-key"];

/// The parameters of a request, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    encoded: Option<String>,
}

impl Query {
    pub(super) fn parse(raw: Option<&str>) -> Result<Self, Fault> {
        let Some(raw) = raw else {
            return Ok(Self::default());
        };
        let mut pairs = Vec::new();
        let mut encoded = String::with_capacity(raw.len());
        for piece in raw.split('&').filter(|piece| !piece.is_empty()) {
            if pairs.len() == PAIRS_MAX {
                return Err(Fault::bad("the query has too many parameters"));
            }
            let (name, value) = match piece.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (piece, None),
            };
            let name = decode(name)?;
            if !encoded.is_empty() {
                encoded.push('&');
            }
            encoded.extend(utf8_percent_encode(&name, PLAIN));
            let value = match value {
                Some(value) => {
                    let value = decode(value)?;
                    encoded.push('=');
                    encoded.extend(utf8_percent_encode(&value, PLAIN));
                    value
                }
                None => String::new(),
            };
            if is_credential(&name, &value) {
                return Err(Fault::bad("a credential stands in the query"));
            }
            pairs.push((name, value));
        }
        Ok(Self {
            encoded: (!pairs.is_empty()).then_some(encoded),
            pairs,
        })
    }

    /// The parameters, decoded, in order.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The query with other values in the place of some; `None` where `replaced` gives none.
    ///
    /// # Errors
    /// What `replaced` gives.
    pub(crate) fn replace<E>(
        &self,
        mut replaced: impl FnMut(&str, &str) -> Result<Option<String>, E>,
    ) -> Result<Option<Self>, E> {
        let pieces = self.encoded.iter().flat_map(|encoded| encoded.split('&'));
        let mut new = Self::default();
        let mut encoded = Vec::new();
        let mut changed = false;
        for ((name, value), piece) in self.pairs.iter().zip(pieces) {
            let Some(other) = replaced(name, value)? else {
                new.pairs.push((name.clone(), value.clone()));
                encoded.push(piece.to_owned());
                continue;
            };
            changed = true;
            let plain = |text| utf8_percent_encode(text, PLAIN).to_string();
            encoded.push(format!("{}={}", plain(name), plain(&other)));
            new.pairs.push((name.clone(), other));
        }
        new.encoded = Some(encoded.join("&"));
        Ok(changed.then_some(new))
    }

    /// The query as it goes on, without the question mark; `None` when there is none.
    pub(crate) fn encoded(&self) -> Option<String> {
        self.encoded.clone()
    }
}

fn is_credential(name: &str, value: &str) -> bool {
    CREDENTIAL_NAMES
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
        || looks_like_token(name)
        || looks_like_token(value)
}

fn decode(text: &str) -> Result<String, Fault> {
    let bytes = text.as_bytes();
    let broken = bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'%'
            && !bytes
                .get(at + 1..at + 3)
                .is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    });
    if broken {
        return Err(Fault::bad("the query has a broken percent-encoding"));
    }
    // Only now, so that `%2B` stays a plus.
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes())
        .decode_utf8()
        .map_err(|_| Fault::bad("the query is not UTF-8 when decoded"))?;
    if decoded.chars().any(char::is_control) {
        return Err(Fault::bad("the query holds a control character"));
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_decided_on_is_what_is_sent() {
        let query = Query::parse(Some("a=1+2&%62=%2b;x&alt&empty=&&u=%C3%A9[]")).unwrap();
        let pairs: Vec<_> = query
            .pairs()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("a", "1 2"),
                ("b", "+;x"),
                ("alt", ""),
                ("empty", ""),
                ("u", "é[]")
            ]
        );
        assert_eq!(
            query.encoded().unwrap(),
            "a=1%202&b=%2B%3Bx&alt&empty=&u=%C3%A9%5B%5D"
        );
        assert_eq!(Query::parse(None).unwrap().encoded(), None);
        assert_eq!(Query::parse(Some("")).unwrap().encoded(), None);
    }

    #[test]
    fn ambiguous_queries_and_credentials_are_faults() {
        for bad in [
            "a=%",
            "a=%2",
            "a=%zz",
            "%=1",
            "a=%ff",
            "a=%00",
            "a=%0d%0a",
            "key=x",
            "KEY=x",
            "access_token=1",
            "x=pstn_sk1_dev_1",
            "pstn_sk1=1",
            "%6Bey=AIza",
        ] {
            assert!(Query::parse(Some(bad)).is_err(), "{bad}");
        }
        let many = "a&".repeat(PAIRS_MAX + 1);
        assert!(Query::parse(Some(&many)).is_err());
    }

    #[test]
    fn a_replaced_value_leaves_the_others_as_they_were() {
        let query = Query::parse(Some("a=1%202&b&c=x%2By")).unwrap();
        let none: Result<_, ()> = query.replace(|_, _| Ok(None));
        assert_eq!(none, Ok(None));
        let some: Result<_, ()> =
            query.replace(|name, value| Ok((name == "c").then(|| format!("[{value}]&"))));
        let some = some.unwrap().unwrap();
        assert_eq!(some.encoded().unwrap(), "a=1%202&b&c=%5Bx%2By%5D%26");
        assert_eq!(some.pairs()[2].1, "[x+y]&");
    }

    proptest! {
        #[test]
        fn the_encoded_form_reads_as_the_same_pairs(raw in "[ -~]{0,40}") {
            if let Ok(query) = Query::parse(Some(&raw)) {
                let again = Query::parse(query.encoded().as_deref()).unwrap();
                prop_assert_eq!(again.pairs(), query.pairs());
                prop_assert_eq!(again.encoded(), query.encoded());
            }
        }
    }
}

//! The request in the words of the schema.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use cedar_policy::{Context, RestrictedExpression as Expression};
use jiff::Timestamp;
use postern_types::{Operation, RequestContext, SmolStr, SourceVia, UpstreamName};

use crate::Denial;
use crate::bounds::{ADDRESSES_REMEMBERED_MAX, CONTEXTS_REMEMBERED_MAX};
use crate::reads::Reads;
use crate::schema::Type;

/// What the context is built from.
pub(crate) struct Facts<'a> {
    pub(crate) request: &'a RequestContext,
    /// The token's HTTP rules whose demands on values hold; see `rules_met` in the schema.
    pub(crate) rules_met: Vec<String>,
}

/// One attribute: its name, and its value for a request; `None` where the schema has it optional or
/// the request's kind does not have it.
type Attribute = (&'static str, fn(&Facts<'_>) -> Option<Expression>);

const ATTRIBUTES: [Attribute; 21] = [
    ("upstream", |facts| {
        Some(entity(Type::Upstream, facts.request.upstream.as_str()))
    }),
    ("token", |facts| {
        Some(entity(Type::Token, facts.request.subject.token.as_str()))
    }),
    ("token_age", |facts| Some(token_age(facts.request))),
    ("source", |facts| Some(ip(facts.request.source.address))),
    ("source_via", |facts| {
        Some(text(via(facts.request.source.via)))
    }),
    ("tls", |facts| Some(Expression::new_bool(facts.request.tls))),
    ("time", |facts| {
        Some(Expression::new_datetime(instant(facts.request.now)))
    }),
    ("method", |facts| Some(text(&facts.request.method))),
    ("path", |facts| Some(text(facts.request.path.encoded()))),
    ("segments", |facts| segments(facts.request)),
    ("query_names", |facts| {
        Some(set(facts.request.query.iter().map(|(name, _)| name)))
    }),
    ("query_repeated", |facts| {
        Some(Expression::new_bool(query_repeated(&facts.request.query)))
    }),
    ("header_names", |facts| Some(set(&facts.request.headers))),
    ("has_body", |facts| {
        Some(Expression::new_bool(facts.request.body_bytes != Some(0)))
    }),
    ("body_bytes", |facts| facts.request.body_bytes.map(long)),
    ("operation", |facts| {
        Some(text(facts.request.ai.as_ref()?.operation.as_str()))
    }),
    ("model", |facts| {
        Some(text(facts.request.ai.as_ref()?.model.as_ref()?))
    }),
    ("stream", |facts| {
        Some(Expression::new_bool(invoked(facts)?.stream))
    }),
    ("output_cap", |facts| invoked(facts)?.output_cap.map(long)),
    ("text_bytes", |facts| Some(long(invoked(facts)?.text_bytes))),
    ("rules_met", rules_met),
];

/// What a set of policies needs at hand, found once when it is compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needed {
    attributes: Vec<Attribute>,
    /// Whether the principal, the resource and what they belong to are looked into.
    pub(crate) entities: bool,
    /// Whether facts about rules are asked for.
    pub(crate) rules_met: bool,
    /// Which of the attributes in [`KEPT`] they are, where there are no others.
    kept: Option<[bool; KEPT.len()]>,
}

/// Attributes whose values come again and again: a context of these alone is remembered.
const KEPT: [&str; 2] = ["upstream", "model"];

/// All that a remembered context is made from, so that equal keys have equal contexts.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    needed: [bool; KEPT.len()],
    upstream: UpstreamName,
    model: Option<SmolStr>,
}

impl Needed {
    pub(crate) fn by(reads: &Reads) -> Self {
        let attributes: Vec<Attribute> = ATTRIBUTES
            .into_iter()
            .filter(|(name, _)| reads.attribute(name))
            .collect();
        let all_kept = attributes.iter().all(|(name, _)| KEPT.contains(name));
        Self {
            entities: reads.entities,
            rules_met: reads.attribute("rules_met"),
            kept: all_kept.then(|| KEPT.map(|name| reads.attribute(name))),
            attributes,
        }
    }

    /// The same for the question what may be revealed, whose context knows no `rules_met`.
    pub(crate) fn to_reveal(reads: &Reads) -> Self {
        let mut needed = Self::by(reads);
        needed.attributes.retain(|(name, _)| *name != "rules_met");
        needed.rules_met = false;
        needed
    }

    /// Whether no attribute is read but those of which a decision may be remembered.
    pub(crate) fn only_kept(&self) -> bool {
        self.kept.is_some() && !self.rules_met
    }

    /// The context of a request, with the attributes needed and no more.
    pub(crate) fn context(&self, facts: &Facts<'_>) -> Result<Context, Denial> {
        if self.attributes.is_empty() {
            return Ok(Context::empty());
        }
        match self.kept {
            Some(needed) => self.remembered(needed, facts),
            None => self.made(facts),
        }
    }

    /// The context out of memory where it was met before: making one costs more than a decision.
    fn remembered(&self, needed: [bool; KEPT.len()], facts: &Facts<'_>) -> Result<Context, Denial> {
        thread_local! {
            static MET: RefCell<HashMap<Key, Context>> = RefCell::default();
        }
        let model = facts.request.ai.as_ref().and_then(|ai| ai.model.clone());
        let key = Key {
            needed,
            upstream: facts.request.upstream.clone(),
            model,
        };
        if let Some(context) = MET.with_borrow(|met| met.get(&key).cloned()) {
            return Ok(context);
        }
        let context = self.made(facts)?;
        MET.with_borrow_mut(|met| {
            if met.len() >= CONTEXTS_REMEMBERED_MAX {
                met.clear();
            }
            met.insert(key, context.clone());
        });
        Ok(context)
    }

    fn made(&self, facts: &Facts<'_>) -> Result<Context, Denial> {
        let valued = |(name, value): &Attribute| Some(((*name).to_owned(), value(facts)?));
        Context::from_pairs(self.attributes.iter().filter_map(valued))
            .map_err(|_| Denial::Unclear("a value is outside Cedar's range"))
    }
}

fn text(value: &str) -> Expression {
    Expression::new_string(value.to_owned())
}

fn entity(kind: Type, id: &str) -> Expression {
    Expression::new_entity_uid(kind.uid(id))
}

fn set(values: impl IntoIterator<Item: AsRef<str>>) -> Expression {
    Expression::new_set(values.into_iter().map(|value| text(value.as_ref())))
}

/// Cedar's integers are signed: what is larger than they reach is as large as they reach.
fn long(value: u64) -> Expression {
    Expression::new_long(i64::try_from(value).unwrap_or(i64::MAX))
}

fn via(via: SourceVia) -> &'static str {
    match via {
        SourceVia::Socket => "socket",
        SourceVia::TrustedProxy => "trusted_proxy",
    }
}

/// Cedar reads the name of the constructor anew each time, so an address that was met before is
/// remembered.
fn ip(source: IpAddr) -> Expression {
    thread_local! {
        static MET: RefCell<HashMap<IpAddr, Expression>> = RefCell::default();
    }
    MET.with_borrow_mut(|met| {
        if met.len() >= ADDRESSES_REMEMBERED_MAX {
            met.clear();
        }
        let make = || Expression::new_ip(address(source));
        met.entry(source).or_insert_with(make).clone()
    })
}

/// The address in the one form that Cedar reads: IPv4 dressed as IPv6 is undressed, because a range
/// of IPv4 addresses would not match it otherwise; and IPv6 without the dotted shorthand.
pub(crate) fn address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let mut text = String::with_capacity(39);
            for (place, group) in address.segments().into_iter().enumerate() {
                let colon = if place == 0 { "" } else { ":" };
                write!(text, "{colon}{group:x}").expect("a String takes all that is written");
            }
            text
        }
    }
}

/// RFC 3339 with milliseconds, the form that Cedar's `datetime` reads.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn token_age(request: &RequestContext) -> Expression {
    let age = request.now.as_millisecond() - request.subject.issued_at.as_millisecond();
    Expression::new_duration(format!("{}ms", age.max(0)))
}

fn segments(request: &RequestContext) -> Option<Expression> {
    let segments = request.path.segments();
    let count = Expression::new_long(i64::try_from(segments.len()).ok()?);
    let numbered = segments
        .iter()
        .enumerate()
        .map(|(place, segment)| (format!("s{}", place + 1), text(segment)));
    Expression::new_record(std::iter::once(("count".to_owned(), count)).chain(numbered)).ok()
}

pub(crate) fn query_repeated(query: &[(String, String)]) -> bool {
    let mut names: Vec<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// What is asked of a model; not for the list of models.
fn invoked<'a>(facts: &'a Facts<'_>) -> Option<&'a postern_types::AiRequest> {
    facts
        .request
        .ai
        .as_ref()
        .filter(|ai| ai.operation != Operation::ListModels)
}

fn rules_met(facts: &Facts<'_>) -> Option<Expression> {
    facts.request.ai.is_none().then(|| set(&facts.rules_met))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SCHEMA;
    use crate::testing;

    #[test]
    fn contexts_are_what_the_schema_says() {
        // Goal: the request is checked against the schema here, so that it need not be on the hot
        // path. Method: full contexts of every action, with and without what is optional.
        let needed = Needed::by(&Reads::everything());
        for request in testing::every_kind_of_request() {
            let facts = Facts {
                request: &request,
                rules_met: vec!["0.1".to_owned()],
            };
            let context = needed.context(&facts).unwrap();
            let action = crate::asked::action(&request);
            context
                .validate(&SCHEMA, &action)
                .unwrap_or_else(|error| panic!("{action}: {error}"));
            let context = Needed::to_reveal(&Reads::everything())
                .context(&facts)
                .unwrap();
            for reveal in ["reveal_in_request", "reveal_in_response"] {
                context
                    .validate(&SCHEMA, &Type::Action.uid(reveal))
                    .unwrap_or_else(|error| panic!("{reveal}: {error}"));
            }
        }
    }

    #[test]
    fn a_remembered_context_is_the_one_that_would_be_made() {
        // Goal: remembering changes no decision. Method: every kind of request, under each choice
        // of the attributes that are kept, twice: what comes out is what is made afresh.
        for names in [&["upstream"][..], &["model"], &["upstream", "model"]] {
            let reads = Reads {
                attributes: names.iter().map(|name| (*name).to_owned()).collect(),
                ..Reads::default()
            };
            let needed = Needed::by(&reads);
            assert!(needed.kept.is_some(), "{names:?}");
            for request in testing::every_kind_of_request()
                .into_iter()
                .chain(testing::every_kind_of_request())
            {
                let facts = Facts {
                    request: &request,
                    rules_met: Vec::new(),
                };
                let fresh = needed.made(&facts).unwrap();
                let given = needed.context(&facts).unwrap();
                assert_eq!(format!("{given:?}"), format!("{fresh:?}"), "{names:?}");
            }
        }
        assert!(Needed::by(&Reads::everything()).kept.is_none());
    }

    #[test]
    fn addresses_have_one_form() {
        for (given, form) in [
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::1", "0:0:0:0:0:0:0:1"),
            ("::10.0.0.1", "0:0:0:0:0:0:a00:1"),
            ("2001:db8::ff", "2001:db8:0:0:0:0:0:ff"),
        ] {
            assert_eq!(address(given.parse().unwrap()), form);
        }
    }

    #[test]
    fn repeats_are_seen_wherever_they_stand() {
        let query = |names: &[&str]| -> Vec<_> {
            names
                .iter()
                .map(|name| ((*name).to_owned(), String::new()))
                .collect()
        };
        assert!(!query_repeated(&query(&[])) && !query_repeated(&query(&["a", "b", "A"])));
        assert!(query_repeated(&query(&["a", "b", "a"])) && query_repeated(&query(&["", ""])));
    }
}

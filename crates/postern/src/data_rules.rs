//! Data rules on their way in: read from their shape, and checked before they are saved or tried.
//!
//! The admin API and `data-rule test` go through here, so that what was tried can be saved.

use postern_inspect::RuleSet;
use postern_store::{Store, StoreError};
use postern_types::{ClassGroup, ClassSelector, DataClass, DataRule, RuleName, UpstreamKind};

use crate::shapes::DataRuleSpec;

/// Classes that one rule may define: each is searched for in every text.
const CUSTOM_MAX: usize = 32;
/// Words of one list. The store bounds the bytes of the whole rule.
const WORDS_MAX: usize = 10_000;
/// Bytes of one pattern.
const PATTERN_BYTES_MAX: usize = 2_048;
/// Fields that one rule may name.
const FIELDS_MAX: usize = 100;
/// Headers, and query parameters, that one rule may name.
const NAMES_MAX: usize = 32;
/// Bytes of a path or a name. All of a rule but its lists of words fits into an audit record.
const NAME_BYTES_MAX: usize = 200;
/// Classes that one rule may name: there are not many more.
const CLASSES_MAX: usize = 200;

/// Reads and checks a rule.
///
/// # Errors
/// What is wrong and what to do, for the person who wrote it.
pub fn read(name: &RuleName, spec: &DataRuleSpec) -> Result<DataRule, String> {
    let value = serde_json::to_value(spec).map_err(|error| error.to_string())?;
    // The types that the data plane works with are the check: what they do not take is not stored.
    let mut spec: postern_types::DataRuleSpec =
        serde_json::from_value(value).map_err(|error| format!("data rule {name}: {error}"))?;
    for header in &mut spec.headers {
        header.make_ascii_lowercase();
    }
    let mut seen = Vec::new();
    spec.directions.retain(|direction| {
        let new = !seen.contains(direction);
        seen.push(*direction);
        new
    });
    let rule = DataRule {
        name: name.clone(),
        spec,
    };
    check(&rule).map_err(|wrong| format!("data rule {name}: {wrong}"))?;
    Ok(rule)
}

/// Compiles rules as the data plane will: those for all upstreams with those for each. What is
/// compiled when a text first asks for it is compiled here, too, so that no stream waits for it: on
/// a thread that carries nothing and ends with it, which gives back the memory that compiling took.
///
/// # Errors
/// What is wrong with which rule.
pub async fn prepare(rules: Vec<DataRule>) -> Result<(), String> {
    let (done, outcome) = tokio::sync::oneshot::channel();
    let work = move || {
        // Who asked may be gone.
        let _ = done.send(compile(&rules));
    };
    let failed = |cause: &str| Err(format!("compiling the data rules failed: {cause}"));
    match std::thread::Builder::new()
        .name("data-rules".to_owned())
        .spawn(work)
    {
        Ok(_) => outcome
            .await
            .unwrap_or_else(|_| failed("its thread came to an end")),
        Err(error) => failed(&error.to_string()),
    }
}

fn compile(rules: &[DataRule]) -> Result<(), String> {
    let mut upstreams: Vec<_> = rules
        .iter()
        .map(|rule| rule.spec.upstream.clone())
        .collect();
    upstreams.sort();
    upstreams.dedup();
    for upstream in upstreams {
        let here: Vec<DataRule> = rules
            .iter()
            .filter(|rule| rule.spec.upstream.is_none() || rule.spec.upstream == upstream)
            .cloned()
            .collect();
        let set = RuleSet::compile(&here).map_err(|error| error.to_string())?;
        set.warm();
    }
    Ok(())
}

/// Prepares the rules of every environment. What does not compile is refused by the data plane.
///
/// # Errors
/// When the store is unavailable, or a rule in it does not open.
pub async fn prepare_all(store: &Store) -> Result<(), StoreError> {
    for environment in store.environments().list().await? {
        let rows = store.data_rules().list(&environment.name).await?;
        let rules = rows.into_iter().map(|row| row.rule).collect();
        if let Err(cause) = prepare(rules).await {
            let environment = environment.name;
            tracing::error!(%environment, cause, "requests under data rules will be refused");
        }
    }
    Ok(())
}

/// The shape of a rule.
///
/// # Panics
/// Never: both speak of the same fields.
#[must_use]
pub fn shape(rule: &DataRule) -> DataRuleSpec {
    let value = serde_json::to_value(&rule.spec).expect("a rule has text keys");
    serde_json::from_value(value).expect("the shape has the fields of a rule: a test holds it")
}

fn check(rule: &DataRule) -> Result<(), String> {
    let spec = &rule.spec;
    if spec.directions.is_empty() {
        return Err("it has no direction: name request, response or both".to_owned());
    }
    if spec.classes.is_empty() && spec.custom.is_empty() && spec.fields.is_empty() {
        return Err(
            "it looks for nothing: name classes, a pattern, words or a field (`postern data-rule \
             classes` lists what there is)"
                .to_owned(),
        );
    }
    if spec.classes.len() > CLASSES_MAX {
        return Err(format!(
            "it names more than {CLASSES_MAX} classes: name groups"
        ));
    }
    if spec.confidence_min > 100 {
        return Err("the confidence is a percentage, from 0 to 100".to_owned());
    }
    custom(rule)?;
    names(rule)
}

/// Refuses a rule for fields at an upstream of a kind in whose bodies none are looked for: it would
/// do nothing.
///
/// # Errors
/// Which rule and upstream do not fit, and what to do.
pub fn fields_fit(rule: &DataRule, kind: UpstreamKind) -> Result<(), String> {
    let (Some(upstream), false) = (&rule.spec.upstream, rule.spec.fields.is_empty()) else {
        return Ok(());
    };
    if kind == UpstreamKind::Http {
        return Ok(());
    }
    Err(format!(
        "data rule {}: fields are looked for in the bodies of plain HTTP upstreams alone, and \
         {upstream} is of the kind {kind}: name classes or words instead",
        rule.name
    ))
}

/// Refuses a rule that needs an analyzer where there is none, which `why` says. Names of people,
/// places and organisations are told by an external analyzer alone.
///
/// # Errors
/// What of the rule needs one, and what to do.
pub fn without_analyzer(rule: &DataRule, why: &str) -> Result<(), String> {
    let analyzed = |class: &DataClass| match class {
        DataClass::Builtin(class) => class.group() == ClassGroup::Analyzed,
        DataClass::Custom(_) => false,
    };
    let named = rule.spec.classes.iter().find(|selector| match selector {
        ClassSelector::All => false,
        ClassSelector::Group(group) => *group == ClassGroup::Analyzed,
        ClassSelector::Class(class) => analyzed(class),
    });
    match named {
        None => Ok(()),
        Some(selector) => Err(format!(
            "the data rule {}: {selector} needs an analyzer, {why}",
            rule.name
        )),
    }
}

/// The rules of an installation that need an analyzer, for one that has none: what they are for is
/// refused, all of it.
///
/// # Errors
/// When the store cannot be read.
pub async fn unanswered(store: &Store) -> Result<Vec<String>, StoreError> {
    let why = "and there is none: what the rule is for is refused as cannot_inspect until \
               [analyzer] in postern.toml says where one is";
    let mut unanswered = Vec::new();
    for environment in store.environments().list().await? {
        for row in store.data_rules().list(&environment.name).await? {
            let acts = !row.rule.spec.dry_run;
            if let Some(said) = without_analyzer(&row.rule, why).err().filter(|_| acts) {
                unanswered.push(format!("environment {}: {said}", environment.name));
            }
        }
    }
    Ok(unanswered)
}

fn custom(rule: &DataRule) -> Result<(), String> {
    let spec = &rule.spec;
    if spec.custom.len() > CUSTOM_MAX {
        return Err(format!(
            "it defines more than {CUSTOM_MAX} classes: split it into several rules"
        ));
    }
    for detector in &spec.custom {
        let class = &detector.class;
        if !matches!(class, DataClass::Custom(_)) {
            return Err(format!(
                "it defines {class}, which ships with the product: call yours custom:NAME"
            ));
        }
        if *class == DataClass::cannot_inspect() {
            return Err(format!(
                "{class} is what dry runs report of text that they cannot read: take another name"
            ));
        }
        match (&detector.pattern, detector.words.len()) {
            (None, 0) => {
                return Err(format!("{class} has neither a pattern nor words: give one"));
            }
            (Some(_), 1..) => {
                return Err(format!(
                    "{class} has a pattern and words: define it twice, once with each"
                ));
            }
            (Some(pattern), 0) if pattern.len() > PATTERN_BYTES_MAX => {
                return Err(format!(
                    "the pattern of {class} is longer than {PATTERN_BYTES_MAX} bytes: split it"
                ));
            }
            (None, count) if count > WORDS_MAX => {
                return Err(format!(
                    "{class} has more than {WORDS_MAX} words: split it into several rules"
                ));
            }
            (Some(_), 0) | (None, _) => {}
        }
    }
    let defined = |class: &DataClass| spec.custom.iter().any(|custom| custom.class == *class);
    let unknown = spec.classes.iter().find_map(|selector| match selector {
        ClassSelector::Class(class @ DataClass::Custom(_)) if !defined(class) => Some(class),
        _ => None,
    });
    unknown.map_or(Ok(()), |class| {
        Err(format!(
            "it names {class} without defining it: give its pattern or words in the same rule"
        ))
    })
}

fn names(rule: &DataRule) -> Result<(), String> {
    let spec = &rule.spec;
    if spec.fields.len() > FIELDS_MAX {
        return Err(format!("it names more than {FIELDS_MAX} fields"));
    }
    if spec.headers.len() > NAMES_MAX || spec.query.len() > NAMES_MAX {
        return Err(format!(
            "it names more than {NAMES_MAX} headers or query parameters"
        ));
    }
    let paths = spec.fields.iter().map(|field| &field.path);
    let mut names = paths.chain(&spec.headers).chain(&spec.query);
    if names.any(|name| name.len() > NAME_BYTES_MAX) {
        return Err(format!(
            "a path or name in it is longer than {NAME_BYTES_MAX} bytes"
        ));
    }
    if let Some(field) = spec.fields.iter().find(|field| !is_path(&field.path)) {
        return Err(format!(
            "{:?} is no path: write $.customer.email, $.items[*].note or $..password",
            field.path
        ));
    }
    let header = |name: &String| http::HeaderName::from_bytes(name.as_bytes()).is_err();
    if let Some(name) = spec.headers.iter().find(|name| header(name)) {
        return Err(format!("{name:?} is no name of a header"));
    }
    if spec.query.iter().any(String::is_empty) {
        return Err("the name of a query parameter is empty".to_owned());
    }
    Ok(())
}

/// Member names, `[*]`, `*` and `..` after the `$`.
fn is_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('$') else {
        return false;
    };
    let rest = rest.replace("[*]", ".*").replace("..", ".");
    let mut steps = rest.split('.');
    let first = steps.next();
    let mut count = 0;
    let named = steps.all(|step| {
        count += 1;
        !step.is_empty() && !step.contains(['[', ']', '$', '"', '\''])
    });
    first == Some("") && named && count > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &serde_json::Value) -> DataRuleSpec {
        let mut whole = serde_json::json!({"directions": ["request"], "action": "mask"});
        for (key, value) in json.as_object().unwrap() {
            whole[key] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn a_rule_reads_back_as_it_was_given() {
        // Goal: shape and rule have the same fields and the same defaults. Method: a rule that says
        // everything and one that says little, to the rule and back.
        let full = spec(&serde_json::json!({
            "upstream": "openai", "directions": ["request", "response"],
            "classes": ["all", "payment", "email", "custom:badge"], "action": "keep-last-4",
            "dry_run": true, "confidence_min": 70,
            "custom": [{"class": "custom:badge", "pattern": "B-[0-9]{6}"},
                {"class": "custom:project", "words": ["Blue Falcon"]}],
            "fields": [{"path": "$..password", "class": "generic_secret"}],
            "headers": ["x-note"], "query": ["q"], "opaque": "allow", "thinking": "pass",
            "tell_client": true,
        }));
        let bare = spec(&serde_json::json!({"classes": ["email"]}));
        for given in [full, bare] {
            let rule = read(&"people".parse().unwrap(), &given).unwrap();
            assert_eq!(shape(&rule), given);
        }
        let rule = spec(
            &serde_json::json!({"classes": ["email"], "headers": ["X-Note"],
            "directions": ["request", "request"]}),
        );
        let rule = read(&"people".parse().unwrap(), &rule).unwrap();
        assert_eq!(rule.spec.headers, ["x-note"]);
        assert_eq!(rule.spec.directions.len(), 1);
    }

    #[test]
    fn what_needs_an_analyzer_is_known() {
        let needs = |classes: serde_json::Value| {
            let given = spec(&serde_json::json!({"classes": classes}));
            let rule = read(&"people".parse().unwrap(), &given).unwrap();
            without_analyzer(&rule, "and so on").is_err()
        };
        assert!(needs(serde_json::json!(["email", "person"])));
        assert!(needs(serde_json::json!(["analyzed"])));
        assert!(!needs(serde_json::json!(["all", "email"])));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let rows = r#"
            {} => looks for nothing
            {"classes": ["emial"]} => data-rule classes
            {"classes": ["email"], "directions": []} => no direction
            {"classes": ["email"], "directions": ["up"]} => up
            {"classes": ["email"], "action": "redact"} => use allow, flag
            {"classes": ["email"], "confidence_min": 101} => percentage
            {"classes": ["custom:badge"]} => without defining it
            {"custom": [{"class": "custom:badge"}]} => neither a pattern
            {"custom": [{"class": "custom:cannot_inspect", "pattern": "x"}]} => another name
            {"custom": [{"class": "email", "pattern": "x+"}]} => custom:NAME
            {"custom": [{"class": "custom:a", "pattern": "x", "words": ["y"]}]} => twice
            {"fields": [{"path": "customer.email", "class": "email"}]} => is no path
            {"fields": [{"path": "$.a[0]", "class": "email"}]} => is no path
            {"classes": ["email"], "headers": ["a b"]} => no name of a header
            {"classes": ["email"], "query": [""]} => is empty
            {"classes": ["email"], "opaque": "maybe"} => maybe"#;
        for (given, said) in rows.lines().filter_map(|row| row.split_once(" => ")) {
            let given = spec(&serde_json::from_str(given).unwrap());
            let error = read(&"people".parse().unwrap(), &given).unwrap_err();
            assert!(error.contains("people"), "{given:?}: {error}");
            assert!(error.contains(said), "{given:?}: {error}");
        }
    }

    #[test]
    fn paths_are_of_the_kind_that_is_taken() {
        for path in ["$.a", "$.a.b", "$..b", "$.items[*].note", "$.*.x", "$[*].a"] {
            assert!(is_path(path), "{path}");
        }
        for path in ["", "$", "a", "$a", "$.", "$.a.", "$.a...b", "$['a']"] {
            assert!(!is_path(path), "{path}");
        }
    }
}

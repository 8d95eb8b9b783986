//! What a rule says, as options.

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Args, ValueEnum};
use postern_types::{ClassSelector, DataAction, DataClass, UpstreamName};

use super::super::failure::{Failure, Outcome};
use crate::shapes::{ChangeDataRule, CustomClass, DataRuleSpec, FieldRule};

/// Bytes of a list of words that is read.
const WORDS_BYTES_MAX: u64 = 256 * 1024;

#[derive(Debug, Default, Args)]
pub(in crate::cli) struct Said {
    /// The upstream it is for [default: every upstream of the environment]
    #[arg(long, value_parser = UpstreamName::parse)]
    pub(super) upstream: Option<UpstreamName>,
    /// Classes, groups of classes, or all; see `postern data-rule classes`
    #[arg(long = "class", value_name = "CLASS,…", value_delimiter = ',',
        value_parser = ClassSelector::parse)]
    pub(super) classes: Vec<ClassSelector>,
    /// Which way it looks [default: both]
    #[arg(long)]
    pub(super) direction: Option<Way>,
    /// allow, flag, mask, keep-last-N, hash, pseudonym[:SCOPE] or block
    #[arg(long, value_parser = DataAction::parse)]
    pub(super) action: Option<DataAction>,
    /// Only report what it would do
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub(super) dry_run: Option<bool>,
    /// Pass over findings less sure than this, in percent [default: 50]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(super) confidence: Option<u8>,
    /// Look for a class of your own by a regular expression, without look-around
    #[arg(long = "pattern", value_name = "custom:NAME=REGEX", value_parser = custom)]
    pub(super) patterns: Vec<(DataClass, String)>,
    /// Look for a class of your own by a list of words or phrases, one a line
    #[arg(long = "words", value_name = "custom:NAME=FILE", value_parser = custom)]
    pub(super) words: Vec<(DataClass, String)>,
    /// Take the field of a JSON body at this place for a class, such as $.user.email=email
    #[arg(long = "field", value_name = "PATH=CLASS", value_parser = field)]
    pub(super) fields: Vec<(String, DataClass)>,
    /// Look into this header too
    #[arg(long = "header", value_name = "NAME")]
    pub(super) headers: Vec<String>,
    /// Look into this query parameter too
    #[arg(long, value_name = "NAME")]
    pub(super) query: Vec<String>,
    /// What happens to content that is no text (images, audio, files) [default: refuse]
    #[arg(long)]
    pub(super) opaque: Option<Opaque>,
    /// What happens to signed reasoning, which must not be altered [default: drop]
    #[arg(long)]
    pub(super) thinking: Option<Thinking>,
    /// Tell the client what was found, in the header postern-findings
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub(super) tell_client: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Way {
    /// What clients send
    Request,
    /// What upstreams answer
    Response,
    /// Both
    Both,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Opaque {
    /// It passes uninspected
    Allow,
    /// The request or answer is refused
    Refuse,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Thinking {
    /// It is left out
    Drop,
    /// It passes whole, uninspected
    Pass,
}

/// A list of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum List {
    /// The classes that ship
    Class,
    /// The classes of your own, of patterns and of words
    Custom,
    /// The fields
    Field,
    /// The headers
    Header,
    /// The query parameters
    Query,
}

impl List {
    /// Empties the list with a change of the rule.
    pub(super) fn clear(self, change: &mut ChangeDataRule) -> Outcome {
        let said = match self {
            Self::Class => change.classes.replace(Vec::new()).is_some(),
            Self::Custom => change.custom.replace(Vec::new()).is_some(),
            Self::Field => change.fields.replace(Vec::new()).is_some(),
            Self::Header => change.headers.replace(Vec::new()).is_some(),
            Self::Query => change.query.replace(Vec::new()).is_some(),
        };
        if said {
            return Err(Failure::usage("a list is to be emptied and is named, too")
                .hint("name it alone: what is named replaces the whole list"));
        }
        Ok(())
    }
}

impl Said {
    /// A rule from what was said.
    pub(super) fn rule(&self) -> Outcome<DataRuleSpec> {
        let action = self.action.ok_or_else(|| {
            Failure::usage("the action is missing")
                .hint("use --action mask, or another of those that `--help` lists")
        })?;
        self.rule_with(action)
    }

    /// A rule from what was said, with an action where none was.
    pub(super) fn rule_with(&self, action: DataAction) -> Outcome<DataRuleSpec> {
        let looks = !self.classes.is_empty() || !self.patterns.is_empty();
        if !looks && self.words.is_empty() && self.fields.is_empty() {
            return Err(Failure::usage("nothing to look for was named").hint(
                "use --class (see `postern data-rule classes`), --pattern, --words or --field",
            ));
        }
        let nothing = DataRuleSpec {
            upstream: None,
            directions: ways(Way::Both),
            classes: Vec::new(),
            action: action.to_string(),
            dry_run: false,
            confidence_min: 50,
            custom: Vec::new(),
            fields: Vec::new(),
            headers: Vec::new(),
            query: Vec::new(),
            opaque: "refuse".to_owned(),
            thinking: "drop".to_owned(),
            tell_client: false,
        };
        Ok(nothing.changed(self.change()?))
    }

    /// What was said, as a change of a rule.
    pub(super) fn change(&self) -> Outcome<ChangeDataRule> {
        let custom = self.custom()?;
        let fields = self.fields.iter().map(|(path, class)| FieldRule {
            path: path.clone(),
            class: class.to_string(),
        });
        let fields: Vec<FieldRule> = fields.collect();
        let classes: Vec<String> = self.classes.iter().map(ToString::to_string).collect();
        Ok(ChangeDataRule {
            upstream: self.upstream.as_ref().map(ToString::to_string),
            directions: self.direction.map(ways),
            classes: (!classes.is_empty()).then_some(classes),
            action: self.action.map(|action| action.to_string()),
            dry_run: self.dry_run,
            confidence_min: self.confidence,
            custom: (!custom.is_empty()).then_some(custom),
            fields: (!fields.is_empty()).then_some(fields),
            headers: (!self.headers.is_empty()).then(|| self.headers.clone()),
            query: (!self.query.is_empty()).then(|| self.query.clone()),
            opaque: self.opaque.map(|opaque| match opaque {
                Opaque::Allow => "allow".to_owned(),
                Opaque::Refuse => "refuse".to_owned(),
            }),
            thinking: self.thinking.map(|thinking| match thinking {
                Thinking::Drop => "drop".to_owned(),
                Thinking::Pass => "pass".to_owned(),
            }),
            tell_client: self.tell_client,
        })
    }

    fn custom(&self) -> Outcome<Vec<CustomClass>> {
        let mut custom = Vec::new();
        for (class, pattern) in &self.patterns {
            custom.push(CustomClass {
                class: class.to_string(),
                pattern: Some(pattern.clone()),
                words: Vec::new(),
            });
        }
        let mut lists: BTreeMap<&DataClass, Vec<String>> = BTreeMap::new();
        for (class, file) in &self.words {
            lists.entry(class).or_default().extend(words(file)?);
        }
        custom.extend(lists.into_iter().map(|(class, words)| CustomClass {
            class: class.to_string(),
            pattern: None,
            words,
        }));
        Ok(custom)
    }
}

fn ways(way: Way) -> Vec<String> {
    let words: &[&str] = match way {
        Way::Request => &["request"],
        Way::Response => &["response"],
        Way::Both => &["request", "response"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The lines of a file that say something.
fn words(file: &str) -> Outcome<Vec<String>> {
    let path = Path::new(file);
    let wrong =
        |what: String| Failure::usage(format!("the words in {file} cannot be read: {what}"));
    let bytes = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() > WORDS_BYTES_MAX {
        return Err(wrong(format!("it is longer than {WORDS_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let words: Vec<String> = lines.map(str::to_owned).collect();
    if words.is_empty() {
        return Err(wrong("it holds no word".to_owned()));
    }
    Ok(words)
}

fn custom(text: &str) -> Result<(DataClass, String), String> {
    let write = "write custom:NAME=…, with lower-case letters, digits and _ in the name";
    let (class, value) = text.split_once('=').ok_or(write)?;
    match DataClass::parse(class) {
        Ok(class @ DataClass::Custom(_)) if !value.is_empty() => Ok((class, value.to_owned())),
        _ => Err(write.to_owned()),
    }
}

fn field(text: &str) -> Result<(String, DataClass), String> {
    let (path, class) = text
        .rsplit_once('=')
        .ok_or("write PATH=CLASS, such as $.user.email=email")?;
    let class = DataClass::parse(class).map_err(|error| error.to_string())?;
    Ok((path.to_owned(), class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_the_rule_they_spell() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("projects");
        std::fs::write(&list, "Blue Falcon\n\n  Grey Heron \n").unwrap();
        let said = Said {
            classes: vec![ClassSelector::parse("payment").unwrap()],
            direction: Some(Way::Response),
            action: Some(DataAction::KeepLast(4)),
            patterns: vec![custom("custom:badge=B=[0-9]{6}").unwrap()],
            words: vec![custom(&format!("custom:project={}", list.display())).unwrap()],
            fields: vec![field("$.user.email=email").unwrap()],
            ..Said::default()
        };
        let rule = said.rule().unwrap();
        assert_eq!(rule.directions, ["response"]);
        assert_eq!(rule.action, "keep-last-4");
        assert_eq!(rule.custom[0].pattern.as_deref(), Some("B=[0-9]{6}"));
        assert_eq!(rule.custom[1].words, ["Blue Falcon", "Grey Heron"]);
        assert_eq!(rule.fields[0].path, "$.user.email");
        assert!(crate::data_rules::read(&"r".parse().unwrap(), &rule).is_ok());
    }

    #[test]
    fn a_list_is_emptied_or_named() {
        let said = Said {
            headers: vec!["x-note".to_owned()],
            ..Said::default()
        };
        let mut change = said.change().unwrap();
        let lists = [List::Class, List::Custom, List::Field, List::Query];
        assert!(lists.iter().all(|list| list.clear(&mut change).is_ok()));
        assert_eq!(change.headers, Some(vec!["x-note".to_owned()]));
        assert_eq!((change.classes, change.query), (Some(vec![]), Some(vec![])));
        let mut change = said.change().unwrap();
        assert!(List::Header.clear(&mut change).is_err());
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(Said::default().rule().is_err());
        let no_action = Said {
            classes: vec![ClassSelector::All],
            ..Said::default()
        };
        let failure = no_action.rule().unwrap_err();
        assert!(failure.render(false).contains("--action mask"));
        for wrong in ["badge=x", "custom:badge", "custom:badge=", "email=x"] {
            assert!(custom(wrong).is_err(), "{wrong}");
        }
        assert!(field("$.a").is_err() && field("$.a=emial").is_err());
    }
}

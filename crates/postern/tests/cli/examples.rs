//! The examples are loaded, so that they cannot grow old.

use std::fs;
use std::path::{Path, PathBuf};

use postern::config::Config;
use postern_policy::{GuardRails, PolicySource};
use postern_types::{EnvName, Grant, PolicyName, UpstreamKind};

fn examples(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(folder);
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the examples are there")
        .map(|entry| entry.expect("they can be listed").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

#[test]
fn every_example_configuration_is_accepted() {
    for file in examples("", "toml") {
        Config::read(&file).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn every_example_policy_passes_the_check_that_saving_it_makes() {
    let env = EnvName::parse("prod").unwrap();
    for file in examples("policies", "cedar") {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let source = PolicySource {
            name: PolicyName::parse(name).unwrap(),
            text: fs::read_to_string(&file).unwrap(),
        };
        if let Err(error) = GuardRails::compile(&env, &[source]) {
            panic!("{}: {error}", file.display());
        }
    }
}

#[test]
fn every_example_grant_is_accepted_for_an_http_upstream() {
    for file in examples("tokens", "json") {
        let text = fs::read_to_string(&file).unwrap();
        let grant =
            Grant::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        grant
            .expand(UpstreamKind::Http)
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

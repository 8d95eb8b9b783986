//! Official SDKs as clients: run a driver, judge what it saw.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postern_testkit::{process, tools};
use serde_json::Value;

/// How long a driver may take, all its scenarios together.
const DRIVER_MAX: Duration = Duration::from_secs(60);

/// An SDK's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    Node,
}

/// What a driver saw, scenario by scenario.
pub(crate) struct Seen {
    driver: String,
    scenarios: Value,
}

/// Runs a driver (all scenarios when `only` is empty); `None` when the SDK is not installed.
pub(crate) fn drive(
    language: Language,
    script: &str,
    base: &str,
    key: &str,
    only: &[&str],
) -> Option<Seen> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sdk");
    let mut command = match language {
        Language::Python => {
            let mut command = Command::new(tools::python()?);
            // -B: the scripts' folder is the repository.
            command.arg("-B").arg(folder.join("python").join(script));
            command
        }
        Language::Node => {
            let mut command = Command::new(tools::node()?);
            let modules: PathBuf = tools::node_modules()?;
            command.env("POSTERN_TOOLS_NODE_MODULES", modules);
            command.arg(folder.join("node").join(script));
            command
        }
    };
    for variable in [
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
    ] {
        command.env_remove(variable);
    }
    command.arg(base).arg(key).args(only);
    let printed = process::run(script, &mut command, DRIVER_MAX).expect("the driver ends well");
    let scenarios = serde_json::from_str(&printed).expect("the driver prints JSON");
    Some(Seen {
        driver: script.to_owned(),
        scenarios,
    })
}

impl Seen {
    fn scenario(&self, name: &str) -> &Value {
        let scenario = &self.scenarios[name];
        assert!(!scenario.is_null(), "{}: no scenario {name}", self.driver);
        scenario
    }

    /// Everything but the time it took and what names the one request.
    pub(crate) fn comparable(&self) -> Value {
        let mut scenarios = self.scenarios.clone();
        let all = scenarios
            .as_object_mut()
            .expect("a driver prints an object");
        // Headers are the gateway's to add to; they have tests of their own.
        all.remove("headers");
        for scenario in all.values_mut().filter_map(Value::as_object_mut) {
            scenario.remove("seconds");
            scenario.remove("request_id");
        }
        scenarios
    }

    /// What a scenario returned.
    pub(crate) fn returned(&self, name: &str) -> &Value {
        let scenario = self.scenario(name);
        let returned = scenario.get("returned");
        returned.unwrap_or_else(|| panic!("{} {name}: {scenario:#}", self.driver))
    }

    /// The exception that a scenario raised, whichever it is.
    pub(crate) fn failed(&self, name: &str) -> &Value {
        let scenario = self.scenario(name);
        assert!(
            scenario["raised"].is_string(),
            "{} {name}: {scenario:#}",
            self.driver
        );
        scenario
    }

    /// The exception that a scenario raised: it must be of this kind and have this status.
    pub(crate) fn raised(&self, name: &str, kind: &str, status: Option<u16>) -> &Value {
        let scenario = self.scenario(name);
        let kinds = scenario["kinds"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let same = kinds.iter().any(|name| name == kind);
        assert!(
            same,
            "{} {name} did not raise {kind}: {scenario:#}",
            self.driver
        );
        if let Some(status) = status {
            assert_eq!(
                scenario["status"], status,
                "{} {name}: {scenario:#}",
                self.driver
            );
        }
        scenario
    }

    /// How long a scenario took.
    pub(crate) fn seconds(&self, name: &str) -> f64 {
        self.scenario(name)["seconds"]
            .as_f64()
            .expect("each scenario is timed")
    }

    /// Asserts that the SDK honoured a `Retry-After` of one second and then succeeded.
    pub(crate) fn retried_after_one_second(&self, name: &str) {
        self.returned(name);
        let seconds = self.seconds(name);
        assert!(
            (1.0..3.0).contains(&seconds),
            "{} {name}: {seconds} s",
            self.driver
        );
    }

    /// Asserts that the SDK gave up after its own time-out of 0.4 seconds.
    pub(crate) fn gave_up(&self, name: &str, kind: &str) {
        self.raised(name, kind, None);
        let seconds = self.seconds(name);
        assert!(
            (0.35..2.5).contains(&seconds),
            "{} {name}: {seconds} s",
            self.driver
        );
    }
}

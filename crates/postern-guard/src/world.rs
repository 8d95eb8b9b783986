//! The environments as they are now: guard-rails, upstreams, data rules, credentials, peppers.
//!
//! Everything a request needs of its environment is compiled and unsealed when it changes, not when
//! it is asked for. A request takes one look at the current picture and keeps it to its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use postern_policy::{GuardRails, PolicySource, UpstreamRules};
use postern_store::{DataRuleRow, KeyRing, Peppers, Store, UpstreamRow};
use postern_types::{EnvName, Secret, UpstreamName};
use serde::{Deserialize, Serialize};

use crate::OpenGuardError;
use crate::meters::RequestCounts;

/// What an upstream is set to, beside its address and credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamSettings {
    /// Whether `stream_options.include_usage` is spliced into OpenAI stream requests that lack it.
    /// Some compatible servers refuse the option.
    pub include_usage: bool,
    /// A PEM file with the certificate authority of the upstream, instead of the system's roots.
    pub ca_file: Option<PathBuf>,
    /// Headers that the gateway sets on each request to the upstream; `{credential}` stands for the
    /// credential. Empty means: where the upstream's kind takes it.
    pub headers: BTreeMap<String, String>,
    /// Whether it may be on the gateway's own machine or link, or be a cloud's metadata service.
    /// Where it may not, no connection there is made, whatever its address means at that time.
    pub own_machine: bool,
}

impl UpstreamSettings {
    /// Reads the settings of an upstream; unknown names are errors.
    ///
    /// # Errors
    /// When a setting is unknown or of the wrong type.
    pub fn parse(
        settings: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self, serde_json::Error> {
        Self::deserialize(settings)
    }
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            include_usage: true,
            ca_file: None,
            headers: BTreeMap::new(),
            own_machine: true,
        }
    }
}

/// A named backend, ready to be called.
pub struct Upstream {
    /// What the store knows of it: name, kind, address, version.
    pub row: UpstreamRow,
    /// What it is set to.
    pub settings: UpstreamSettings,
    /// The data rules of the environment that name it, or name no upstream.
    pub rules: UpstreamRules,
    pub(crate) counts: Arc<RequestCounts>,
    /// The credential; or why it cannot be had, in which case nothing is forwarded.
    credential: Result<Option<Secret>, String>,
}

impl Upstream {
    /// The credential to send upstream, if the upstream has one.
    ///
    /// # Errors
    /// Why it cannot be had, for the operator.
    pub fn credential(&self) -> Result<Option<&Secret>, &str> {
        self.credential
            .as_ref()
            .map(Option::as_ref)
            .map_err(String::as_str)
    }
}

/// One environment as it is now.
pub(crate) struct Environment {
    pub(crate) name: EnvName,
    pub(crate) rails: GuardRails,
    pub(crate) upstreams: HashMap<UpstreamName, Arc<Upstream>>,
    /// Requests of the environment's tokens that reached none of its upstreams.
    pub(crate) counts: Arc<RequestCounts>,
    /// All peppers that a live secret may have been stored under.
    pub(crate) peppers: Arc<Peppers>,
}

impl Environment {
    /// The upstreams as the store knows them.
    pub(crate) fn rows(&self) -> Vec<UpstreamRow> {
        self.upstreams
            .values()
            .map(|upstream| upstream.row.clone())
            .collect()
    }
}

/// All environments that this node serves.
#[derive(Default, Clone)]
pub(crate) struct World {
    pub(crate) environments: HashMap<EnvName, Arc<Environment>>,
}

impl World {
    /// Loads every environment.
    pub(crate) async fn load(store: &Store, keys: &KeyRing) -> Result<Self, OpenGuardError> {
        let mut world = Self::default();
        for row in store.environments().list().await? {
            let environment = load_environment(store, keys, &row.name, None).await?;
            world
                .environments
                .insert(row.name.clone(), Arc::new(environment));
        }
        Ok(world)
    }

    /// The same picture with one environment loaded anew, or gone.
    pub(crate) async fn reload(
        &self,
        store: &Store,
        keys: &KeyRing,
        name: &EnvName,
    ) -> Result<Self, OpenGuardError> {
        let mut world = self.clone();
        let known = store
            .environments()
            .list()
            .await?
            .iter()
            .any(|row| row.name == *name);
        if known {
            let earlier = self.environments.get(name).map(Arc::as_ref);
            let environment = load_environment(store, keys, name, earlier).await?;
            world
                .environments
                .insert(name.clone(), Arc::new(environment));
        } else {
            world.environments.remove(name);
        }
        Ok(world)
    }
}

async fn load_environment(
    store: &Store,
    keys: &KeyRing,
    name: &EnvName,
    earlier: Option<&Environment>,
) -> Result<Environment, OpenGuardError> {
    let sources: Vec<PolicySource> = store
        .policies()
        .list(name)
        .await?
        .into_iter()
        .map(|row| PolicySource {
            name: row.name,
            text: row.text,
        })
        .collect();
    let rails = GuardRails::compile(name, &sources)
        .map_err(|error| OpenGuardError::Policies(name.clone(), error.to_string()))?;
    let rules = store.data_rules().list(name).await?;
    let mut upstreams = HashMap::new();
    for row in store.upstreams().list(name).await? {
        let rules = rules_at(&rules, &row.name);
        let mut upstream = ready(store, name, row, rules).await?;
        // What was counted is not forgotten by a change of settings.
        if let Some(before) = earlier.and_then(|it| it.upstreams.get(&upstream.row.name)) {
            upstream.counts = Arc::clone(&before.counts);
        }
        upstreams.insert(upstream.row.name.clone(), Arc::new(upstream));
    }
    let peppers = keys.peppers(name)?;
    Ok(Environment {
        name: name.clone(),
        rails,
        upstreams,
        counts: earlier.map_or_else(Arc::default, |it| Arc::clone(&it.counts)),
        peppers,
    })
}

/// The rules that name an upstream, or name none, in the order of their names.
fn rules_at(rules: &[DataRuleRow], upstream: &UpstreamName) -> UpstreamRules {
    let here = rules.iter().map(|row| &row.rule).filter(|rule| {
        let named = rule.spec.upstream.as_ref();
        named.is_none_or(|named| named == upstream)
    });
    UpstreamRules::new(here.cloned().collect())
}

async fn ready(
    store: &Store,
    env: &EnvName,
    row: UpstreamRow,
    rules: UpstreamRules,
) -> Result<Upstream, OpenGuardError> {
    let settings = UpstreamSettings::parse(&row.settings).map_err(|error| {
        OpenGuardError::Settings(env.clone(), row.name.clone(), error.to_string())
    })?;
    // A credential that cannot be had now (a file that is missing) must not keep the gateway from
    // starting: it refuses the requests that need it, and says why in the diagnostic log.
    let credential = store
        .upstreams()
        .credential(&row)
        .await
        .map_err(|error| error.with_causes());
    if let Err(error) = &credential {
        let upstream = &row.name;
        tracing::warn!(environment = %env, %upstream, %error, "credential cannot be had");
    }
    Ok(Upstream {
        row,
        settings,
        rules,
        counts: Arc::default(),
        credential,
    })
}

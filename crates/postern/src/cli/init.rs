//! `postern init`: a new installation.

use std::path::PathBuf;

use clap::Args;
use postern_policy::{GuardRails, PolicySource};
use postern_store::{
    AdminRole, NewAccess, NewCredential, NewEnvironment, NewToken, NewUpstream, Store,
};
use postern_types::{EnvName, PolicyName, UpstreamKind, UpstreamName};
use serde::Serialize;

use super::check::settings;
use super::failure::{Failure, Outcome};
use super::output::{Out, style};
use super::table::Sheet;
use super::{Globals, prompt};
use crate::admin::BASELINE;
use crate::config::Config;
use crate::installation::{Installation, Paths, now, signing_key};
use crate::shapes::SecretText;

/// Providers that are offered when their key is in the environment.
const OFFERS: [Offer; 2] = [
    Offer {
        variable: "OPENAI_API_KEY",
        name: "openai",
        kind: UpstreamKind::OpenAi,
        url: "https://api.openai.com",
        grant: "openai:invoke:gpt-4o-mini",
    },
    Offer {
        variable: "ANTHROPIC_API_KEY",
        name: "anthropic",
        kind: UpstreamKind::Anthropic,
        url: "https://api.anthropic.com",
        grant: "anthropic:invoke:claude-haiku-4-5",
    },
];

struct Offer {
    variable: &'static str,
    name: &'static str,
    kind: UpstreamKind,
    url: &'static str,
    grant: &'static str,
}

/// Make a new installation: keys, store, audit log, first administrator.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Accept what is offered without asking
    #[arg(long, conflicts_with = "no_upstream")]
    yes: bool,
    /// Do not offer a provider whose key is in the environment
    #[arg(long)]
    no_upstream: bool,
    /// The configuration to make it for [default: postern.toml in the data directory, if any]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The environment that is made for the first upstream
    #[arg(long, value_parser = EnvName::parse, default_value = "dev")]
    env: EnvName,
}

#[derive(Serialize)]
struct Made {
    data: String,
    keys: String,
    admin_token: SecretText,
    admin_token_expires_at: String,
    audit_key: String,
    upstreams: Vec<String>,
}

impl Init {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let paths = Paths {
            data: globals.data.clone(),
            keys: globals.keys(),
        };
        let is_set = |name: &str| std::env::var_os(name).is_some();
        let offers = self.accepted(&is_set)?;
        let config = settings(self.config.as_deref(), &paths)?;
        self.say_what_is_passed_over(&is_set, out);
        let mut places = Vec::new();
        let made = self.make(&paths, &config, &offers, &mut places).await;
        let made = made.map_err(|why| refused(&paths, &why, &places))?;
        out.answer(&made, |out| describe(out, &made, &offers, &self.env))?;
        Ok(())
    }

    /// The providers whose key is there and that the user wants.
    fn accepted(&self, is_set: &dyn Fn(&str) -> bool) -> Outcome<Vec<&'static Offer>> {
        let mut accepted = Vec::new();
        for offer in OFFERS
            .iter()
            .filter(|offer| !self.no_upstream && is_set(offer.variable))
        {
            let question = format!(
                "{} is set. Make {} the first upstream of environment {}? The gateway reads the \
                 key from that variable each time it starts; it is not copied.",
                offer.variable, offer.name, self.env
            );
            if self.yes || (prompt::somebody_is_there() && prompt::confirm(&question, true)?) {
                accepted.push(offer);
            }
        }
        Ok(accepted)
    }

    /// Without a terminal nobody is asked, and who runs a script should know what was not done.
    fn say_what_is_passed_over(&self, is_set: &dyn Fn(&str) -> bool, out: &mut Out) {
        if self.yes || self.no_upstream || out.is_json() || prompt::somebody_is_there() {
            return;
        }
        for offer in OFFERS.iter().filter(|offer| is_set(offer.variable)) {
            let (variable, name) = (offer.variable, offer.name);
            out.aside(&format!(
                "{variable} is set: `postern init --yes` would make {name} the first upstream"
            ));
        }
    }

    async fn make(
        &self,
        paths: &Paths,
        config: &Config,
        offers: &[&'static Offer],
        places: &mut Vec<PathBuf>,
    ) -> Result<Made, String> {
        let installation = Installation::create(paths, config, places).await;
        let installation = installation.map_err(|error| format!("{error:#}"))?;
        let made = self.fill(paths, &installation, offers).await;
        // Closed in good order also when something failed in between.
        let closed = installation.close().await;
        let made = made.map_err(|failure| failure.to_string())?;
        closed.map_err(|error| format!("{error:#}"))?;
        Ok(made)
    }

    async fn fill(
        &self,
        paths: &Paths,
        installation: &Installation,
        offers: &[&'static Offer],
    ) -> Outcome<Made> {
        let guard = &installation.guard;
        let store = guard.store();
        let issued = store.tokens().create(&first_administrator(), now()).await;
        let issued = issued.map_err(|error| Failure::new(error.with_causes()))?;
        let detail = format!("release {}, first administrator", env!("CARGO_PKG_VERSION"));
        let token = issued.row.id;
        guard
            .record_system("init", format!("{detail} {token}"))
            .await
            .map_err(|error| Failure::new(error.to_string()))?;
        if !offers.is_empty() {
            first_upstreams(store, &self.env, offers).await?;
            let names: Vec<_> = offers.iter().map(|offer| offer.name).collect();
            let detail = format!("environment {} with {}", self.env, names.join(", "));
            guard
                .record_system("init", detail)
                .await
                .map_err(|error| Failure::new(error.to_string()))?;
        }
        let text = zeroize::Zeroizing::new(issued.token.expose().to_owned());
        Ok(Made {
            data: paths.data.display().to_string(),
            keys: paths.keys.display().to_string(),
            admin_token: SecretText::new(text),
            admin_token_expires_at: issued.row.expires_at.to_string(),
            audit_key: signing_key(guard.keys())?.verifying_key().to_string(),
            upstreams: offers.iter().map(|offer| offer.name.to_owned()).collect(),
        })
    }
}

fn first_administrator() -> NewToken {
    NewToken {
        access: NewAccess::Admin {
            role: AdminRole::Owner,
            env: None,
        },
        ttl: None,
        owner: None,
        purpose: Some("first administrator, made by init".to_owned()),
        created_by: "postern init".to_owned(),
        idempotency_key: None,
    }
}

async fn first_upstreams(store: &Store, env: &EnvName, offers: &[&'static Offer]) -> Outcome {
    let failed = |error: postern_store::StoreError| Failure::new(error.with_causes());
    let new = NewEnvironment::named(env.clone());
    store
        .environments()
        .create(&new, now())
        .await
        .map_err(failed)?;
    let name = PolicyName::parse("baseline").expect("it is a policy name");
    let source = PolicySource {
        name: name.clone(),
        text: BASELINE.to_owned(),
    };
    GuardRails::compile(env, &[source]).map_err(|error| Failure::new(error.to_string()))?;
    store
        .policies()
        .create(env, &name, BASELINE, now())
        .await
        .map_err(failed)?;
    for offer in offers {
        let upstream = NewUpstream {
            name: UpstreamName::parse(offer.name).expect("it is an upstream name"),
            kind: offer.kind,
            url: offer.url.to_owned(),
            credential: Some(NewCredential::Env(offer.variable.to_owned())),
            settings: postern_store::UpstreamSettings::default(),
        };
        store
            .upstreams()
            .create(env, &upstream, now())
            .await
            .map_err(failed)?;
    }
    Ok(())
}

fn refused(paths: &Paths, why: &str, made: &[PathBuf]) -> Failure {
    let mut failure = Failure::new(format!("no installation was made: {why}"));
    let left = made.iter().filter(|place| place.exists());
    let left: Vec<_> = left.map(|place| place.display().to_string()).collect();
    if !left.is_empty() {
        let left = left.join(" ");
        failure = failure.hint(format!(
            "delete what is left of it before the next try: {left}"
        ));
    }
    failure
        .hint(format!(
            "data directory {}, keys directory {}",
            paths.data.display(),
            paths.keys.display()
        ))
        .hint("another place: --data DIR and --keys DIR; an existing one is never written over")
}

fn describe(out: &mut Out, made: &Made, offers: &[&Offer], env: &EnvName) -> std::io::Result<()> {
    out.styled(style::GOOD, "The installation is there.")?;
    out.sheet(&places(made, env))?;
    // On lines of their own and never wrapped, so that they can be copied whole.
    out.styled(
        style::FAINT,
        "The key that the audit log's checkpoints are checked with:",
    )?;
    out.line(&made.audit_key)?;
    out.line("")?;
    out.styled(
        style::STRONG,
        "The first administrator's token, shown once:",
    )?;
    out.line(made.admin_token.expose())?;
    let expires = &made.admin_token_expires_at;
    out.styled(
        style::FAINT,
        &format!("For --url from elsewhere; it expires {expires}."),
    )?;
    out.line("")?;
    out.styled(style::STRONG, "What to do next")?;
    let mut step = |what: &str, command: &str| {
        out.line(&format!("  {what}"))?;
        out.styled(style::COMMAND, &format!("    {command}"))
    };
    step(
        "Keep a copy of the keys apart from the data: without them the data cannot be opened.",
        &format!("tar -C {} -czf keys-backup.tgz .", made.keys),
    )?;
    let data = if made.data == "postern-data" {
        String::new()
    } else {
        format!(" --data {}", made.data)
    };
    step(
        "Start the gateway, here or as a service:",
        &format!("postern serve{data}"),
    )?;
    if offers.is_empty() {
        step(
            "In another terminal, make an environment:",
            &format!("postern env create dev{data}"),
        )?;
        step(
            "Put a provider behind it (the key is read from the gateway's environment):",
            &format!(
                "postern upstream create openai --env dev --kind openai \
                 --url https://api.openai.com --credential env:OPENAI_API_KEY{data}"
            ),
        )?;
    }
    step(
        "Say who a token is for:",
        &format!("postern principal create service:web --env {env}{data}"),
    )?;
    let grant = offers
        .first()
        .map_or("openai:invoke:gpt-4o-mini", |offer| offer.grant);
    step(
        "And make the token:",
        &format!(
            "postern token create --env {env} --principal service:web --grant {grant} \
             --limit requests=100/minute --ttl 1h{data}"
        ),
    )
}

/// Where it is, and what is in it already.
fn places(made: &Made, env: &EnvName) -> Sheet {
    let mut sheet = Sheet::new();
    sheet.line("data", made.data.as_str());
    sheet.line("keys", made.keys.as_str());
    if !made.upstreams.is_empty() {
        sheet.line("environment", env.as_str());
        sheet.line("upstreams in it", made.upstreams.join(", "));
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_offered_only_when_their_key_is_there_and_wanted() {
        let env = EnvName::parse("dev").unwrap();
        let openai = |name: &str| name == "OPENAI_API_KEY";
        let names = |yes, no_upstream| {
            let init = Init {
                yes,
                no_upstream,
                config: None,
                env: env.clone(),
            };
            let accepted = init.accepted(&openai).unwrap();
            accepted.iter().map(|offer| offer.name).collect::<Vec<_>>()
        };
        assert_eq!(names(true, false), ["openai"]);
        assert!(names(false, true).is_empty());
    }
}

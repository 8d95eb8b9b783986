//! `postern upstream`: the named backends of an environment.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use postern_types::{EnvName, UpstreamKind, UpstreamName};

use super::Globals;
use super::admin::Admin;
use super::env::deleted;
use super::failure::{Failure, Outcome};
use super::output::{Out, style};
use super::prompt;
use super::table::{Cell, Sheet, Table, Tone};
use super::values::{self, Listed};
use crate::shapes::{
    ChangeUpstream, NewCredential, NewUpstream, SecretText, Upstream as Shape, UpstreamSettings,
};

/// Upstreams.
#[derive(Debug, Subcommand)]
pub(super) enum Upstream {
    /// Make an upstream
    Create {
        /// Its name, the first segment of its requests' paths
        #[arg(value_parser = UpstreamName::parse)]
        name: UpstreamName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// The API that it speaks
        #[arg(long, value_parser = Listed::new(UpstreamKind::parse, values::kinds))]
        kind: UpstreamKind,
        /// Its address, such as https://api.openai.com
        #[arg(long)]
        url: String,
        /// Its credential: env:NAME or file:PATH (of the gateway), or - to type it (sealed)
        #[arg(long, value_name = "REF")]
        credential: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// List the upstreams of an environment
    List {
        /// The environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
    },
    /// Show one upstream; never its credential
    Show {
        /// Its name
        #[arg(value_parser = UpstreamName::parse)]
        name: UpstreamName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
    },
    /// Change an upstream: its address, its credential, or its settings
    Update {
        /// Its name
        #[arg(value_parser = UpstreamName::parse)]
        name: UpstreamName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// Its new address
        #[arg(long)]
        url: Option<String>,
        /// Its new credential: env:NAME, file:PATH, or -
        #[arg(long, value_name = "REF")]
        credential: Option<String>,
        /// Replace all settings by those given here; what may be reached stays if it is not said
        #[arg(long)]
        settings: bool,
        #[command(flatten)]
        new_settings: Settings,
    },
    /// Delete an upstream; grants that name it open nothing any more
    Delete {
        /// Its name
        #[arg(value_parser = UpstreamName::parse)]
        name: UpstreamName,
        /// Its environment
        #[arg(long, value_parser = EnvName::parse)]
        env: EnvName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Settings {
    /// PEM file on the gateway's machine with the certificate authority to trust
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Do not ask OpenAI streams for their usage (some compatible servers refuse the option)
    #[arg(long)]
    no_include_usage: bool,
    /// Set this header on each request, as NAME=VALUE; {credential} stands for the credential
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// It may be on the gateway's own machine or link, or be a cloud's metadata service; for
    /// administrators of the whole installation
    #[arg(long, conflicts_with = "no_own_machine")]
    own_machine: bool,
    /// Never connect to such addresses, whatever its name means then; always so for administrators
    /// of one environment
    #[arg(long)]
    no_own_machine: bool,
}

impl Settings {
    fn are_given(&self) -> bool {
        let Self {
            ca,
            no_include_usage,
            headers,
            own_machine,
            no_own_machine,
        } = self;
        let flags = [no_include_usage, own_machine, no_own_machine];
        ca.is_some() || !headers.is_empty() || flags.contains(&&true)
    }

    fn shape(self) -> UpstreamSettings {
        let own_machine = match (self.own_machine, self.no_own_machine) {
            (false, false) => None,
            // Of both, which the command line refuses, the narrower.
            (_, forbidden) => Some(!forbidden),
        };
        UpstreamSettings {
            own_machine,
            include_usage: !self.no_include_usage,
            ca_file: self.ca.map(|path| path.display().to_string()),
            headers: self.headers.into_iter().collect(),
        }
    }
}

impl Upstream {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let admin = Admin::of(globals)?;
        match self {
            Self::Create {
                name,
                env,
                kind,
                url,
                credential,
                settings,
            } => {
                let body = NewUpstream {
                    name: name.to_string(),
                    kind: kind.to_string(),
                    url,
                    credential: credential.as_deref().map(read_credential).transpose()?,
                    settings: settings.shape(),
                };
                let made: Shape = admin.post(&list_path(&env), &body, None).await?;
                warn_of(out, &made);
                out.answer(&made, |out| {
                    out.styled(style::GOOD, &format!("upstream {} is there", made.name))?;
                    out.line(&format!(
                        "Requests for it: /{}/… on the data plane.",
                        made.name
                    ))
                })?;
            }
            Self::List { env } => {
                let list: Vec<Shape> = admin.fetch(&list_path(&env)).await?;
                let nothing = format!("There is no upstream in {env} yet.");
                out.answer(&list, |out| out.table(&table(&list), &nothing))?;
            }
            Self::Show { name, env } => {
                let found: Shape = admin.fetch(&path(&env, &name)).await?;
                out.answer(&found, |out| out.sheet(&sheet(&found)))?;
            }
            Self::Update {
                name,
                env,
                url,
                credential,
                settings,
                new_settings,
            } => {
                // A restriction that was asked for and not made would be worse than none.
                if new_settings.are_given() && !settings {
                    return Err(Failure::usage("settings are replaced together")
                        .hint("use --settings, with all settings to hold"));
                }
                let change = ChangeUpstream {
                    url,
                    credential: credential.as_deref().map(read_credential).transpose()?,
                    settings: settings.then(|| new_settings.shape()),
                };
                if change.url.is_none() && change.credential.is_none() && !settings {
                    return Err(Failure::usage("nothing to change was named")
                        .hint("use --url, --credential, or --settings with the settings to hold"));
                }
                let changed: Shape = admin.patch(&path(&env, &name), &change).await?;
                warn_of(out, &changed);
                out.answer(&changed, |out| out.sheet(&sheet(&changed)))?;
            }
            Self::Delete { name, env, yes } => {
                prompt::confirm_loss(&format!("Delete upstream {name} of {env}?"), yes)?;
                admin.delete(&path(&env, &name)).await?;
                deleted(out, "upstream", name.as_str())?;
            }
        }
        Ok(())
    }
}

/// What will not work as it stands, said while it can still be mended in peace.
fn warn_of(out: &mut Out, upstream: &Shape) {
    if let Some(fault) = &upstream.credential_fault {
        out.warn(&format!(
            "requests for it are refused, because its credential cannot be had: {fault}; mend it, \
             then `postern upstream update {} --credential REF`, or start the gateway again",
            upstream.name
        ));
    }
    if upstream.kind != "http"
        && let Some(version) = doubled_version(&upstream.url)
    {
        out.warn(&format!(
            "requests bring {version} in their own path: with {} the upstream is asked for \
             {version}{version}/…; leave it out of the address",
            upstream.url
        ));
    }
}

/// The version with which an address ends, as clients add it themselves.
fn doubled_version(url: &str) -> Option<&str> {
    let url = url.trim_end_matches('/');
    let last = &url[url.rfind('/')?..];
    matches!(last, "/v1" | "/v1beta" | "/v1alpha").then_some(last)
}

/// Reads a credential reference; `-` asks for the credential itself.
pub(super) fn read_credential(reference: &str) -> Outcome<NewCredential> {
    if reference == "-" {
        return Ok(NewCredential::Sealed(SecretText::new(prompt::secret(
            "upstream credential",
        )?)));
    }
    match reference.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(NewCredential::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => {
            // The gateway may run elsewhere in the file system than this command.
            let path = std::path::absolute(path)?;
            Ok(NewCredential::File(path.display().to_string()))
        }
        Some(("vault", _)) => Err(Failure::usage("credentials from a vault are not built yet")
            .hint("use env:NAME, file:PATH, or - to type it")),
        // SECURITY: a credential pasted here by mistake must not be repeated on the screen.
        _ => Err(Failure::usage("--credential is not a reference")
            .hint("use env:NAME, file:PATH, or - to type it; never the credential itself")),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() {
        return Err("the name is missing: write NAME=VALUE".to_owned());
    }
    Ok((name.to_ascii_lowercase(), value.to_owned()))
}

fn list_path(env: &EnvName) -> String {
    format!("/api/v1/environments/{env}/upstreams")
}

fn path(env: &EnvName, name: &UpstreamName) -> String {
    format!("{}/{name}", list_path(env))
}

fn table(list: &[Shape]) -> Table {
    let mut table = Table::new(&["UPSTREAM", "KIND", "URL", "CREDENTIAL"]);
    for upstream in list {
        table.row(vec![
            Cell::new(&upstream.name, Tone::Strong),
            upstream.kind.as_str().into(),
            upstream.url.as_str().into(),
            Cell::maybe(upstream.credential.as_ref()),
        ]);
    }
    table
}

fn sheet(upstream: &Shape) -> Sheet {
    let mut sheet = Sheet::new();
    sheet.line("upstream", Cell::new(&upstream.name, Tone::Strong));
    sheet.line("kind", upstream.kind.as_str());
    sheet.line("url", upstream.url.as_str());
    sheet.line("credential", Cell::maybe(upstream.credential.as_ref()));
    if let Some(fault) = &upstream.credential_fault {
        sheet.line("cannot be had", Cell::new(fault, Tone::Bad));
    }
    sheet.maybe("certificate authority", upstream.settings.ca_file.as_ref());
    if !upstream.settings.include_usage {
        sheet.line("usage", "streams are not asked for it");
    }
    if upstream.settings.own_machine == Some(false) {
        sheet.line("own machine", "never connected to");
    }
    for (name, value) in &upstream.settings.headers {
        sheet.line("header", format!("{name}: {value}"));
    }
    sheet.line("created", upstream.created_at.as_str());
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_in_an_address_is_noticed() {
        assert_eq!(doubled_version("https://api.openai.com/v1"), Some("/v1"));
        assert_eq!(doubled_version("https://host/a/v1beta/"), Some("/v1beta"));
        assert_eq!(doubled_version("https://api.openai.com"), None);
        assert_eq!(doubled_version("https://host/v1/a"), None);
    }

    #[test]
    fn a_credential_given_instead_of_a_reference_is_not_repeated() {
        let failure = read_credential("sk-proj-oops").unwrap_err();
        assert!(!failure.render(false).contains("oops"));
        assert!(!failure.render(true).contains("oops"));
        assert!(
            matches!(read_credential("env:KEY"), Ok(NewCredential::Env(name)) if name == "KEY")
        );
        assert!(read_credential("vault:x").is_err());
    }
}

//! `postern token`: create, list, show, rotate, revoke.

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use postern_types::{
    BodyRule, CallRule, EnvName, Grant, Limit, PrincipalId, Rights, TokenId, UpstreamName,
};

use super::Globals;
use super::admin::{Admin, encoded};
use super::failure::{Failure, Outcome};
use super::output::{Out, style};
use super::table::{Cell, Sheet, Table, Tone};
use crate::config::parse_duration;
use crate::installation::now;
use crate::shapes::{IssuedToken, NewToken, RevokeToken, RotateToken, Token as Shape, TokenList};

/// Tokens asked for at once.
const PAGE: usize = 200;

/// Tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token; it is shown once
    Create(Create),
    /// List tokens
    List {
        /// Only those of this environment
        #[arg(long, value_parser = EnvName::parse)]
        env: Option<EnvName>,
        /// Only those of this principal
        #[arg(long, value_parser = PrincipalId::parse)]
        principal: Option<PrincipalId>,
        /// Only those in this state
        #[arg(long)]
        state: Option<State>,
        /// Only those of administrators
        #[arg(long)]
        admin: bool,
        /// The most to list
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
    /// Show one token: what it may reach, how much it may do, when it was used
    Show {
        /// Its id, the fourth part of the token between the underscores
        #[arg(value_parser = TokenId::parse)]
        id: TokenId,
    },
    /// Give a token a new secret; the old one opens for a while longer
    Rotate {
        /// Its id
        #[arg(value_parser = TokenId::parse)]
        id: TokenId,
        /// How long the old secret still opens, such as 1h or 0s [default: 24h]
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        grace: Option<String>,
        /// Repeating the command with the same key does nothing twice
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
    },
    /// End a token now: the next request is refused and running streams end
    Revoke {
        /// Its id
        #[arg(value_parser = TokenId::parse)]
        id: TokenId,
        /// Why, for the record
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The environment it opens; with --role the one it may administer (left out: all)
    #[arg(long, value_parser = EnvName::parse, required_unless_present = "role")]
    env: Option<EnvName>,
    /// Who it speaks for
    #[arg(long, value_parser = PrincipalId::parse, required_unless_present = "role")]
    principal: Option<PrincipalId>,
    /// What it may reach: UPSTREAM:invoke:MODEL,… or 'UPSTREAM:call:METHOD /path?parameter,…' or
    /// JSON; repeat it for more. Behind the path of POST, PUT and PATCH stands what the body may
    /// be: json=KEY&KEY (JSON with these keys only), body=none or body=any
    #[arg(long = "grant", value_parser = Grant::parse, required_unless_present = "role")]
    grants: Vec<Grant>,
    /// How much it may do: requests=100/minute, requests=5/second, concurrency=3; repeat it
    #[arg(long = "limit", value_parser = Limit::parse)]
    limits: Vec<Limit>,
    /// Make an administrator's token with this role instead
    #[arg(long, conflicts_with_all = ["principal", "grants", "limits"])]
    role: Option<Role>,
    /// Its life, such as 1h or 30d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    ttl: Option<String>,
    /// Who answers for it
    #[arg(long)]
    owner: Option<String>,
    /// What it is for
    #[arg(long)]
    purpose: Option<String>,
    /// Repeating the command with the same key makes no second token
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Everything
    Owner,
    /// Everything but other administrators
    Admin,
    /// Read only
    Auditor,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum State {
    Live,
    Expired,
    Revoked,
}

impl Token {
    pub(super) async fn run(self, globals: &Globals, out: &mut Out) -> Outcome {
        let admin = Admin::of(globals)?;
        match self {
            Self::Create(create) => create.run(&admin, out).await?,
            Self::List {
                env,
                principal,
                state,
                admin: admins,
                limit,
            } => {
                let mut filter = Vec::new();
                filter.extend(env.map(|env| format!("environment={env}")));
                filter.extend(principal.map(|id| format!("principal={}", encoded(id.as_str()))));
                let word =
                    |state: State| state.to_possible_value().map(|v| v.get_name().to_owned());
                filter.extend(state.and_then(word).map(|state| format!("state={state}")));
                filter.extend(admins.then(|| "kind=admin".to_owned()));
                let list = fetch_all(&admin, &filter.join("&"), limit).await?;
                out.answer(&list, |out| {
                    out.table(&table(&list, now()), "There is no such token.")
                })?;
            }
            Self::Show { id } => {
                let found: Shape = admin.fetch(&path(id)).await?;
                out.answer(&found, |out| out.sheet(&sheet(&found)))?;
            }
            Self::Rotate {
                id,
                grace,
                idempotency_key,
            } => {
                let body = RotateToken {
                    grace: grace.clone(),
                };
                let route = format!("{}/rotate", path(id));
                let issued: IssuedToken = admin
                    .post(&route, &body, idempotency_key.as_deref())
                    .await?;
                out.answer(&issued, |out| {
                    shown_once(out, &issued)?;
                    let grace = grace.as_deref().unwrap_or("24h");
                    out.line(
                        &if parse_duration(grace).is_ok_and(|grace| grace.is_zero()) {
                            "The old secret opens no more; what ran under it was ended.".to_owned()
                        } else {
                            format!(
                                "The old secret opens for {grace} more, or till the token ends."
                            )
                        },
                    )
                })?;
            }
            Self::Revoke { id, reason } => {
                let route = format!("{}/revoke", path(id));
                let gone: Shape = admin.post(&route, &RevokeToken { reason }, None).await?;
                out.answer(&gone, |out| {
                    out.styled(style::GOOD, &format!("token {id} is revoked"))?;
                    out.line("Its next request is refused; its running streams were ended.")
                })?;
            }
        }
        Ok(())
    }
}

impl Create {
    async fn run(self, admin: &Admin, out: &mut Out) -> Outcome {
        let role = self.role.and_then(|role| role.to_possible_value());
        let open_ended = self.grants.iter().any(Grant::includes_future);
        let any_body = self.grants.iter().any(Grant::takes_any_body);
        let body = NewToken {
            environment: self.env.map(|env| env.to_string()),
            principal: self.principal.map(|id| id.to_string()),
            role: role.map(|role| role.get_name().to_owned()),
            grants: self.grants,
            limits: self.limits,
            ttl: self.ttl,
            owner: self.owner,
            purpose: self.purpose,
        };
        let key = self.idempotency_key;
        let issued: IssuedToken = admin.post("/api/v1/tokens", &body, key.as_deref()).await?;
        if open_ended {
            out.warn("a grant of this token is open to models or paths that do not exist yet");
        }
        if any_body {
            out.warn(
                "a grant of this token takes any body: what the upstream reads in one is open",
            );
        }
        out.answer(&issued, |out| shown_once(out, &issued))?;
        Ok(())
    }
}

/// A time that the server will read: a mistake in it is one of use, as in every other argument.
fn duration(text: &str) -> Result<String, String> {
    parse_duration(text).map(|_| text.to_owned())
}

fn shown_once(out: &mut Out, issued: &IssuedToken) -> std::io::Result<()> {
    let mut sheet = Sheet::new();
    sheet.line("id", Cell::new(&issued.id, Tone::Strong));
    sheet.line("expires", issued.expires_at.as_str());
    out.sheet(&sheet)?;
    // On a line of its own and never wrapped, so that it can be copied whole.
    out.line(issued.token.expose())?;
    out.styled(style::FAINT, "This is the token. It is not shown again.")
}

fn path(id: TokenId) -> String {
    format!("/api/v1/tokens/{id}")
}

async fn fetch_all(admin: &Admin, filter: &str, most: usize) -> Outcome<Vec<Shape>> {
    let mut items: Vec<Shape> = Vec::new();
    let mut after = String::new();
    while items.len() < most {
        let page = PAGE.min(most - items.len());
        let list: TokenList = admin
            .fetch(&format!("/api/v1/tokens?{filter}&limit={page}{after}"))
            .await?;
        if list.items.is_empty() && list.next.is_some() {
            return Err(Failure::new(
                "the server sent an empty page that is not the last",
            ));
        }
        items.extend(list.items);
        let Some(next) = list.next else { break };
        after = format!("&after={}", encoded(&next));
    }
    Ok(items)
}

fn state(token: &Shape) -> Cell {
    let tone = match token.state.as_str() {
        "live" => Tone::Good,
        "revoked" => Tone::Bad,
        _ => Tone::Warn,
    };
    Cell::new(&token.state, tone)
}

fn table(list: &[Shape], now: Timestamp) -> Table {
    let mut table = Table::new(&["TOKEN", "STATE", "ENV", "PRINCIPAL", "EXPIRES", "LAST USED"]);
    for token in list {
        let who = token.principal.clone().or_else(|| token.role.clone());
        table.row(vec![
            Cell::new(&token.id, Tone::Strong),
            state(token),
            Cell::maybe(token.environment.as_ref()),
            Cell::maybe(who),
            from_now(&token.expires_at, now).into(),
            Cell::maybe(token.last_used_at.as_deref().map(|at| from_now(at, now))),
        ]);
    }
    table
}

/// How far away a time is, in the largest unit that it fills: lists are for looking over, and a row
/// with two whole times does not fit a terminal.
fn from_now(time: &str, now: Timestamp) -> String {
    let Ok(at) = time.parse::<Timestamp>() else {
        return time.to_owned();
    };
    let seconds = at.as_second() - now.as_second();
    let away = seconds.unsigned_abs();
    let away = match away {
        0..60 => format!("{away}s"),
        60..3_600 => format!("{}m", away / 60),
        3_600..172_800 => format!("{}h", away / 3_600),
        _ => format!("{}d", away / 86_400),
    };
    if seconds > 0 {
        format!("in {away}")
    } else {
        format!("{away} ago")
    }
}

fn sheet(token: &Shape) -> Sheet {
    let mut sheet = Sheet::new();
    sheet.line("token", Cell::new(&token.id, Tone::Strong));
    sheet.line("state", state(token));
    sheet.line("kind", token.kind.as_str());
    sheet.maybe("environment", token.environment.as_ref());
    sheet.maybe("principal", token.principal.as_ref());
    sheet.maybe("role", token.role.as_ref());
    for grant in &token.grants {
        let tone = if grant.includes_future() || grant.takes_any_body() {
            Tone::Warn
        } else {
            Tone::Plain
        };
        sheet.line("grant", Cell::new(spell_grant(grant), tone));
    }
    for limit in &token.limits {
        sheet.line("limit", limit.to_string());
    }
    sheet.maybe("owner", token.owner.as_ref());
    sheet.maybe("purpose", token.purpose.as_ref());
    sheet.line(
        "created",
        format!("{} by {}", token.created_at, token.created_by),
    );
    sheet.line("expires", token.expires_at.as_str());
    sheet.line("last used", Cell::maybe(token.last_used_at.as_ref()));
    if let Some(revoked) = &token.revoked {
        let reason = revoked.reason.as_deref().unwrap_or("no reason given");
        let text = format!("{} by {}: {reason}", revoked.at, revoked.by);
        sheet.line("revoked", Cell::new(text, Tone::Bad));
    }
    for secret in &token.secrets {
        let used = match &secret.last_used_at {
            Some(at) => format!("last used {at}"),
            None => "never used".to_owned(),
        };
        let text = format!("…{} until {}, {used}", secret.last_four, secret.expires_at);
        sheet.line(&format!("secret {}", secret.number), text);
    }
    sheet
}

fn spell_body(rule: &CallRule) -> String {
    match &rule.body {
        // Also of a grant that was made when this went without saying.
        _ if rule.takes_any_body() => " body=any".to_owned(),
        BodyRule::JsonKeys(keys) => format!(" json={}", keys.join("&")),
        BodyRule::None => " body=none".to_owned(),
        BodyRule::ByMethod | BodyRule::Any => String::new(),
    }
}

/// Rules of an HTTP grant in the form of the command line. `None` where that form cannot say all
/// of them: what is copied from here must not open more than the grant does.
fn spell_rules(upstream: &UpstreamName, rules: &[CallRule]) -> Option<String> {
    let spell = |rule: &CallRule| {
        let query: Vec<_> = rule.query.keys().map(String::as_str).collect();
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{}", query.join("&"))
        };
        let (methods, path) = (rule.methods.join("|"), rule.path.as_str());
        format!("{methods} {path}{query}{}", spell_body(rule))
    };
    let spelt: Vec<String> = rules.iter().map(spell).collect();
    let text = format!("{upstream}:call:{}", spelt.join(","));
    let Rights::Call { rules: read } = Grant::parse(&text).ok()?.actions else {
        return None;
    };
    let same = read.iter().map(settled).eq(rules.iter().map(settled));
    same.then_some(text)
}

/// A rule with its body said, where it went without saying.
fn settled(rule: &CallRule) -> CallRule {
    let mut rule = marked(rule);
    if matches!(rule.body, BodyRule::ByMethod | BodyRule::Any) && !rule.takes_any_body() {
        rule.body = BodyRule::None;
    }
    rule
}

/// A rule that says so where it takes any body: grants made when that went without saying do not.
fn marked(rule: &CallRule) -> CallRule {
    let mut rule = rule.clone();
    if rule.takes_any_body() {
        rule.body = BodyRule::Any;
    }
    rule
}

/// A grant in JSON, which the command line takes as well.
fn spell_json(grant: &Grant, rules: &[CallRule]) -> String {
    let grant = Grant {
        actions: Rights::Call {
            rules: rules.iter().map(marked).collect(),
        },
        ..grant.clone()
    };
    serde_json::to_string(&grant).expect("a grant has text keys")
}

/// A grant in the form of the command line, as far as that form can say it; rules that it cannot
/// say, in JSON.
fn spell_grant(grant: &Grant) -> String {
    let upstream = &grant.upstream;
    let mut text = match &grant.actions {
        Rights::Invoke(invoke) => {
            let models: Vec<_> = invoke.models.iter().map(|model| model.as_str()).collect();
            let operations: Vec<_> = invoke.operations.iter().map(|o| o.as_str()).collect();
            format!(
                "{upstream}:invoke:{} ({})",
                models.join(","),
                operations.join(", ")
            )
        }
        Rights::Call { rules } => match spell_rules(upstream, rules) {
            Some(text) => text,
            None => return spell_json(grant, rules),
        },
    };
    if !grant.conditions.is_empty() {
        let from: Vec<_> = grant
            .conditions
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect();
        text.push_str(&format!(" from {}", from.join(", ")));
    }
    if grant.includes_future() {
        text.push_str(" [open to what is added later]");
    }
    text
}

#[cfg(test)]
mod tests;

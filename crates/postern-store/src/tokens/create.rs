//! Making a token.

use std::time::Duration;

use jiff::Timestamp;
use postern_types::{ApiToken, EnvName, Grant, TokenDigest, TokenId, TokenKind};
use sqlx::sqlite::SqliteConnection;
use zeroize::Zeroizing;

use super::row::{AdminAccess, BoundGrant, DataAccess, SecretRow, TokenAccess, TokenRow};
use super::{Issued, NewAccess, NewToken, Tokens, stored};
use crate::bounds::{
    GRANTS_BYTES_MAX, GRANTS_MAX, IDEMPOTENCY_KEY_BYTES_MAX, LIMITS_MAX, TEXT_BYTES_MAX,
    TOKEN_TTL_DEFAULT, TOKEN_TTL_MAX, TOKEN_TTL_MIN,
};
use crate::database::{Durability, column, noun, whole_ms};
use crate::error::{Doing as _, StoreError, check_text};
use crate::{INSTALLATION, KeyRing, Store, environments, principals, record, upstreams};

/// What a token will open, checked against the state of the transaction.
struct Checked {
    access: TokenAccess,
    ttl_max: Duration,
}

impl Tokens<'_> {
    /// Makes a token.
    ///
    /// # Errors
    /// Not found when the environment, principal or an upstream of a grant is not there; invalid
    /// when a grant does not fit its upstream or the life is too long; conflict when the
    /// idempotency key was used before: `existing` then tells the token that it made.
    pub async fn create(self, new: &NewToken, now: Timestamp) -> Result<Issued, StoreError> {
        check_words(new)?;
        let now = whole_ms(now);
        let keys = self.store.keys();
        let mut writer = self.store.database().writer(Durability::Full).await?;
        let mut change = writer.change().await?;
        let checked = check_access(change.sql(), keys, &new.access).await?;
        let key = new.idempotency_key.as_deref();
        let idempotency = key.map(|key| Idempotency::of(keys, new, &checked.access, key));
        let idempotency = idempotency.transpose()?;
        if let Some(idempotency) = &idempotency {
            idempotency.refuse_repeat(change.sql()).await?;
        }
        let ttl = life(new.ttl, checked.ttl_max)?;
        let expires_at = now.checked_add(ttl).map_err(|_| {
            StoreError::invalid("the token would end after the end of the calendar")
        })?;
        let (token, mut secret) = self.store.mint(&checked.access, None)?;
        (secret.number, secret.created_at, secret.expires_at) = (1, now, expires_at);
        let row = TokenRow {
            id: token.id(),
            access: checked.access,
            secrets: vec![secret],
            owner: new.owner.clone(),
            purpose: new.purpose.clone(),
            created_at: now,
            created_by: new.created_by.clone(),
            expires_at,
            revoked: None,
            last_used_at: None,
            version: 1,
        };
        let marks = idempotency.as_ref().map(Idempotency::marks);
        stored::insert(change.sql(), self.store, &row, marks).await?;
        stored::insert_secret(change.sql(), &row.id, &row.secrets[0], None).await?;
        change.commit().await?;
        Ok(Issued { token, row })
    }
}

impl Store {
    /// A token with a fresh secret, and a fresh id unless it has one; and the secret's digest under
    /// the current pepper. Number and times are the caller's to set.
    pub(super) fn mint(
        &self,
        access: &TokenAccess,
        id: Option<TokenId>,
    ) -> Result<(ApiToken, SecretRow), StoreError> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.random().fill(&mut *bytes)?;
        let (kind, env, peppers) = match access {
            TokenAccess::Data(data) => (
                TokenKind::Server,
                data.env.clone(),
                self.keys().peppers(&data.env)?,
            ),
            TokenAccess::Admin(_) => (
                TokenKind::Admin,
                installation_env(),
                self.keys().admin_peppers(),
            ),
        };
        let token = match id {
            Some(id) => ApiToken::mint_for(kind, &env, id, &bytes),
            None => {
                let mut id = [0; 12];
                self.random().fill(&mut id)?;
                ApiToken::mint(kind, &env, &id, &bytes)
            }
        };
        let pepper = peppers.current();
        let secret = SecretRow {
            number: 0,
            digest: TokenDigest::compute(pepper, &token),
            pepper_version: pepper.version(),
            last_four: token.last_four().to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH,
            last_used_at: None,
        };
        Ok((token, secret))
    }
}

/// The environment named in the text of an administrator's token.
fn installation_env() -> EnvName {
    EnvName::parse(INSTALLATION).expect("the installation's name has the form of an environment's")
}

fn check_words(new: &NewToken) -> Result<(), StoreError> {
    let owner = new.owner.as_deref().unwrap_or_default();
    let purpose = new.purpose.as_deref().unwrap_or_default();
    for (noun, text) in [
        ("owner", owner),
        ("purpose", purpose),
        ("maker", &new.created_by),
    ] {
        check_text(noun, text, TEXT_BYTES_MAX)?;
    }
    check_idempotency_key(new.idempotency_key.as_deref())
}

pub(super) fn check_idempotency_key(key: Option<&str>) -> Result<(), StoreError> {
    match key {
        Some("") => Err(StoreError::invalid("the idempotency key is empty")),
        Some(key) => check_text("idempotency key", key, IDEMPOTENCY_KEY_BYTES_MAX),
        None => Ok(()),
    }
}

async fn check_access(
    sql: &mut SqliteConnection,
    keys: &KeyRing,
    access: &NewAccess,
) -> Result<Checked, StoreError> {
    match access {
        NewAccess::Data {
            env,
            principal,
            grants,
            limits,
        } => {
            let environment = environments::require(sql, env).await?;
            let found = principals::find(sql, keys, env, principal).await?;
            let found = found.ok_or_else(|| principals::missing(env, principal))?;
            let data = DataAccess {
                env: env.clone(),
                principal: principal.clone(),
                principal_key: found.key,
                grants: bind(sql, env, grants).await?,
                limits: limits.clone(),
            };
            check_size(&data)?;
            Ok(Checked {
                access: TokenAccess::Data(data),
                ttl_max: environment.token_ttl_max,
            })
        }
        NewAccess::Admin { role, env } => {
            let ttl_max = match env {
                Some(env) => environments::require(sql, env).await?.token_ttl_max,
                None => TOKEN_TTL_MAX,
            };
            let admin = AdminAccess {
                role: *role,
                env: env.clone(),
            };
            Ok(Checked {
                access: TokenAccess::Admin(admin),
                ttl_max,
            })
        }
    }
}

/// Grants with the upstreams that have their names now, expanded for their kinds.
async fn bind(
    sql: &mut SqliteConnection,
    env: &EnvName,
    grants: &[Grant],
) -> Result<Vec<BoundGrant>, StoreError> {
    if grants.is_empty() {
        return Err(StoreError::invalid(
            "a token without a grant opens nothing: give one",
        ));
    }
    if grants.len() > GRANTS_MAX {
        return Err(StoreError::invalid(format!(
            "a token has at most {GRANTS_MAX} grants"
        )));
    }
    let mut bound = Vec::with_capacity(grants.len());
    for grant in grants {
        let upstream = upstreams::find(sql, env, &grant.upstream).await?;
        let upstream = upstream.ok_or_else(|| upstreams::missing(env, &grant.upstream))?;
        let grant = grant.clone().expand(upstream.kind);
        bound.push(BoundGrant {
            upstream_id: upstream.id,
            grant: grant.map_err(|error| StoreError::invalid(error.to_string()))?,
        });
    }
    Ok(bound)
}

fn check_size(data: &DataAccess) -> Result<(), StoreError> {
    if data.limits.len() > LIMITS_MAX {
        return Err(StoreError::invalid(format!(
            "a token has at most {LIMITS_MAX} limits"
        )));
    }
    if rights(data)?.len() > GRANTS_BYTES_MAX {
        return Err(StoreError::invalid(format!(
            "the grants and limits of a token take at most {GRANTS_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

fn rights(data: &DataAccess) -> Result<String, StoreError> {
    serde_json::to_string(&(&data.grants, &data.limits))
        .map_err(|error| StoreError::unavailable("write grants", error))
}

/// How long the token lives. The cap never lengthens what was asked, and never shortens it
/// silently: only the default gives way to it.
fn life(asked: Option<Duration>, cap: Duration) -> Result<Duration, StoreError> {
    let Some(asked) = asked else {
        return Ok(TOKEN_TTL_DEFAULT.min(cap));
    };
    if asked < TOKEN_TTL_MIN {
        return Err(StoreError::invalid("a token lives at least one second"));
    }
    if asked > cap {
        return Err(StoreError::invalid(format!(
            "the token would live {}: at most {} are allowed here",
            span(asked),
            span(cap)
        )));
    }
    Ok(asked)
}

/// A time as people say it: in the largest unit that it is whole in.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    let whole = |(unit, _): &(u64, _)| seconds >= *unit && seconds.is_multiple_of(*unit);
    let (unit, word) = units.into_iter().find(whole).unwrap_or((1, "second"));
    let count = seconds / unit;
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Marks of a caller's key and of all else in the request.
struct Idempotency {
    key: [u8; 32],
    request: [u8; 32],
}

impl Idempotency {
    fn of(
        keys: &KeyRing,
        new: &NewToken,
        access: &TokenAccess,
        key: &str,
    ) -> Result<Self, StoreError> {
        let domain = stored::domain_of(access);
        let (who, rights) = match access {
            TokenAccess::Data(data) => (data.principal_key.0.to_string(), rights(data)?),
            TokenAccess::Admin(admin) => {
                let scope = admin.env.as_ref().map_or("", EnvName::as_str);
                (admin.role.as_str().to_owned(), scope.to_owned())
            }
        };
        let ttl = new
            .ttl
            .map_or(String::new(), |ttl| ttl.as_millis().to_string());
        let owner = new.owner.as_deref().unwrap_or_default();
        let purpose = new.purpose.as_deref().unwrap_or_default();
        let request = ["request", &who, &rights, &ttl, owner, purpose];
        Ok(Self {
            key: record::mark(keys, &domain, &["create", key])?,
            request: record::mark(keys, &domain, &request)?,
        })
    }

    fn marks(&self) -> (&[u8; 32], &[u8; 32]) {
        (&self.key, &self.request)
    }

    async fn refuse_repeat(&self, sql: &mut SqliteConnection) -> Result<(), StoreError> {
        let statement = "SELECT token_id, request_mark FROM tokens WHERE idempotency_mark = $1";
        let row = sqlx::query(statement)
            .bind(&self.key[..])
            .fetch_optional(sql)
            .await
            .doing("look an idempotency key up")?;
        let Some(row) = row else {
            return Ok(());
        };
        let existing: TokenId = noun(&row, "token_id")?;
        let before: Option<Vec<u8>> = column(&row, "request_mark")?;
        let reason = if before.as_deref() == Some(&self.request[..]) {
            format!(
                "the idempotency key has made token {existing} already, and a secret is shown \
                 once: if it was lost, rotate that token"
            )
        } else {
            format!("the idempotency key was used for another request, which made token {existing}")
        };
        Err(StoreError::Conflict {
            reason,
            existing: Some(existing),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_the_largest_unit_that_it_is_whole_in() {
        let rows = [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (60, "1 minute"),
            (7_200, "2 hours"),
            (86_400, "1 day"),
            (2_592_000, "30 days"),
        ];
        for (seconds, said) in rows {
            assert_eq!(span(Duration::from_secs(seconds)), said);
        }
    }
}

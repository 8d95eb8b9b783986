//! Administrators: who they are, and how their acts are recorded.

use std::net::IpAddr;
use std::sync::Arc;

use postern_audit::{Durability, SlotPool};
use postern_store::{AdminAccess, AdminRole, INSTALLATION, SecretRow, TokenAccess};
use postern_types::{
    Actor, AdminRecord, ApiToken, AuditRecord, EnvName, Refusal, RefusalCode, RequestId,
    TokenDigest, TokenKind,
};

use crate::Guard;

/// An administrator.
#[derive(Debug, Clone)]
pub struct AdminCaller {
    /// Who it is, for the record.
    pub actor: Actor,
    /// Which secret of the administrator's token was presented; `None` on the socket.
    pub secret: Option<u32>,
    /// What it may do.
    pub role: AdminRole,
    /// The one environment it may do it in; `None` means all, and the installation itself.
    pub scope: Option<EnvName>,
}

/// An act of an administrator, as it is recorded. Nothing in it is secret.
#[derive(Debug, Clone)]
pub struct AdminAct {
    /// The admin request.
    pub request: RequestId,
    /// Who.
    pub actor: Actor,
    /// The client's address; `None` on the socket.
    pub address: Option<IpAddr>,
    /// `token.create`, `policy.delete`, `audit.search` …
    pub action: &'static str,
    /// The object's name or id.
    pub object: String,
    /// The environment, where there is one.
    pub environment: Option<EnvName>,
    /// What was asked, as JSON without secrets.
    pub detail: String,
}

impl AdminAct {
    fn record(&self, status: Option<u16>) -> AuditRecord {
        AuditRecord::Admin(AdminRecord {
            request: self.request,
            actor: self.actor.clone(),
            address: self.address,
            action: self.action.to_owned(),
            object: self.object.clone(),
            environment: self.environment.clone(),
            status,
            detail: self.detail.clone(),
        })
    }
}

impl Guard {
    /// Makes a request id for an admin request.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        let unix_ms = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        RequestId::new(unix_ms, &self.random.bytes())
    }

    /// Finds out which administrator presents a credential.
    ///
    /// # Errors
    /// `unauthenticated`, `rate_limited` (only failures) or `store_unavailable`.
    pub async fn authenticate_admin(
        &self,
        presented: Option<&str>,
        address: IpAddr,
    ) -> Result<AdminCaller, Refusal> {
        let found = self.admin_caller(presented).await;
        found.map_err(|refusal| match refusal.code() {
            RefusalCode::Unauthenticated => {
                let at_ms = self.clock.now().as_millisecond();
                self.strangers
                    .refused(address, refusal.code(), "admin API", at_ms);
                self.failed(refusal, address, self.clock.micros())
            }
            _ => refusal,
        })
    }

    async fn admin_caller(&self, presented: Option<&str>) -> Result<AdminCaller, Refusal> {
        let no = |cause: &str| Refusal::new(RefusalCode::Unauthenticated, cause);
        let text = presented.ok_or_else(|| no("no admin token was presented"))?;
        let token = ApiToken::parse(text).map_err(|error| no(&error.to_string()))?;
        if token.kind() != TokenKind::Admin || token.env().as_str() != INSTALLATION {
            return Err(no("the token is not an administrator's"));
        }
        let row = self
            .store
            .tokens()
            .by_id(&token.id())
            .await
            .map_err(|error| Refusal::new(RefusalCode::StoreUnavailable, error.to_string()))?;
        let peppers = self.keys.admin_peppers();
        let Some(row) = row else {
            // SECURITY: the same work as for a known id.
            let digest = TokenDigest::compute(peppers.current(), &token);
            std::hint::black_box(digest.matches(&TokenDigest::from_bytes([0; 32])));
            return Err(no("the admin token is unknown"));
        };
        let now = self.clock.now();
        let mut matched = None;
        for secret in &row.secrets {
            if let Some(pepper) = peppers.by_version(secret.pepper_version)
                && TokenDigest::compute(pepper, &token).matches(&secret.digest)
            {
                matched = Some(secret);
            }
        }
        let secret = matched.ok_or_else(|| no("the secret of the admin token is wrong"))?;
        if row.revoked.is_some() || secret.expires_at <= now || row.expires_at <= now {
            return Err(no("the admin token is revoked or expired"));
        }
        let TokenAccess::Admin(access) = &row.access else {
            return Err(no("the token is not an administrator's"));
        };
        self.last_used.touch(row.id, secret.number, now);
        let (role, scope) = (access.role, access.env.clone());
        Ok(AdminCaller {
            actor: Actor::AdminToken(row.id),
            secret: Some(secret.number),
            role,
            scope,
        })
    }

    /// Whether an administrator who was let in still would be: for answers that go on for long.
    /// What cannot be found out counts as no.
    pub async fn is_still_admin(&self, caller: &AdminCaller) -> bool {
        let Actor::AdminToken(id) = &caller.actor else {
            // The owner of the data directory holds no token that could end.
            return true;
        };
        let Ok(Some(row)) = self.store.tokens().by_id(id).await else {
            return false;
        };
        let now = self.clock.now();
        let holds =
            |secret: &SecretRow| Some(secret.number) == caller.secret && secret.expires_at > now;
        let access = AdminAccess {
            role: caller.role,
            env: caller.scope.clone(),
        };
        row.revoked.is_none()
            && row.expires_at > now
            && row.secrets.iter().any(holds)
            && row.access == TokenAccess::Admin(access)
    }

    /// Does an act of an administrator between its two records: the intent is durable before the
    /// act begins, and the outcome before its answer is given.
    ///
    /// `status` reads the status of what the act gave.
    ///
    /// # Errors
    /// `overloaded` or `audit_unavailable`. When the outcome cannot be recorded the act is done,
    /// the intent says that it was begun, and its answer (a new secret) is withheld.
    pub async fn act<T>(
        self: &Arc<Self>,
        act: &AdminAct,
        work: impl Future<Output = T>,
        status: impl Fn(&T) -> u16,
    ) -> Result<T, Refusal> {
        let mut slots = self.slots(SlotPool::Control, 2)?;
        self.append_at(&mut slots, act.record(None), Durability::Durable)
            .await?;
        let done = work.await;
        let status = status(&done);
        self.meters.acted(act.action, status < 400);
        let record = act.record(Some(status));
        self.append_at(&mut slots, record, Durability::Durable)
            .await?;
        Ok(done)
    }

    /// Records a look of an administrator at what is sensitive but changes nothing, such as a
    /// search of the audit log: one record, before the answer.
    ///
    /// # Errors
    /// `overloaded` or `audit_unavailable`.
    pub async fn look(&self, act: &AdminAct, status: u16) -> Result<(), Refusal> {
        self.meters.acted(act.action, status < 400);
        let mut slots = self.slots(SlotPool::Control, 1)?;
        self.append_at(&mut slots, act.record(Some(status)), Durability::Durable)
            .await
            .map(|_| ())
    }
}

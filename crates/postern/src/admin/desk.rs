//! The desk: one request of an administrator, with what its caller may do.
//!
//! A handler gets a [`Desk`] only behind the layer that found out who calls. It asks the desk
//! whether this caller may see or change something, and does what changes anything through
//! [`Desk::act`], which records the act before and after.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use postern_guard::{AdminAct, AdminCaller};
use postern_store::{AdminRole, Store};
use postern_types::{Actor, EnvName, RefusalCode, RequestId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::AdminState;
use super::problem::Refused;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Peer {
    /// A process of this machine, over the socket.
    Process {
        /// The user it runs as.
        user: u32,
    },
    /// Somebody on the network.
    Address(IpAddr),
}

/// One request of an administrator.
#[derive(Clone)]
pub(super) struct Desk {
    state: Arc<AdminState>,
    caller: AdminCaller,
    request: RequestId,
    address: Option<IpAddr>,
}

/// Finds out who calls, or refuses.
pub(super) async fn admit(
    State(state): State<Arc<AdminState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = state.guard.request_id();
    let peer = request.extensions().get::<Peer>().copied();
    let presented = bearer(request.headers()).map(|token| Zeroizing::new(token.to_owned()));
    match caller(&state, peer, presented.as_deref().map(String::as_str)).await {
        Ok((caller, address)) => {
            let desk = Desk {
                state: Arc::clone(&state),
                caller,
                request: id,
                address,
            };
            request.extensions_mut().insert(desk);
            // An act that was begun is finished, whether or not its client waits for the answer:
            // between the store and the data plane's memory there must be no half of a revocation.
            let handling = state.under_way.spawn(next.run(request));
            let mut answer = handling
                .await
                .unwrap_or_else(|_panic| Refused::silent(RefusalCode::Internal).render(id));
            if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
                answer.headers_mut().insert("postern-request-id", value);
            }
            answer
        }
        Err(refused) => refused.render(id),
    }
}

async fn caller(
    state: &AdminState,
    peer: Option<Peer>,
    presented: Option<&str>,
) -> Result<(AdminCaller, Option<IpAddr>), Refused> {
    match peer {
        Some(Peer::Process { user }) if user == state.owner => {
            let actor = Actor::Owner(user);
            Ok((
                AdminCaller {
                    actor,
                    secret: None,
                    role: AdminRole::Owner,
                    scope: None,
                },
                None,
            ))
        }
        // The mode of the socket keeps others out; this is the second lock.
        Some(Peer::Process { .. }) | None => Err(Refused::silent(RefusalCode::Unauthenticated)),
        Some(Peer::Address(address)) => {
            let caller = state.guard.authenticate_admin(presented, address).await?;
            Ok((caller, Some(address)))
        }
    }
}

/// The token of `Authorization: Bearer`, if there is exactly one such header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, more) = (values.next()?, values.next());
    if more.is_some() {
        return None;
    }
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

impl FromRequestParts<Arc<AdminState>> for Desk {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AdminState>,
    ) -> Result<Self, Response> {
        // A route that was put outside the layer by mistake answers nobody.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Refused::silent(RefusalCode::Unauthenticated).render(state.guard.request_id())
        })
    }
}

/// A JSON body. What is wrong with it is said in problem details.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<AdminState>> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &Arc<AdminState>) -> Result<Self, Response> {
        let id = request.extensions().get::<Desk>().map(Desk::request);
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => {
                let refused = match &rejection {
                    JsonRejection::BytesRejection(_) => Refused::silent(RefusalCode::BodyTooLarge),
                    // SECURITY: serde's message names the field and the place, and may quote a
                    // value; credentials are read by a type that never does.
                    other => Refused::bad(other.body_text()),
                };
                Err(refused.render(id.unwrap_or_else(|| state.guard.request_id())))
            }
        }
    }
}

/// An act that is to be recorded.
pub(super) struct Act<'a> {
    /// `noun.verb`.
    pub(super) action: &'static str,
    /// The object's name or id.
    pub(super) object: String,
    /// The environment, where there is one.
    pub(super) environment: Option<&'a EnvName>,
    /// What was asked; nothing in it is secret.
    pub(super) detail: serde_json::Value,
}

impl Desk {
    /// The request's id.
    pub(super) fn request(&self) -> RequestId {
        self.request
    }

    pub(super) fn state(&self) -> &AdminState {
        &self.state
    }

    pub(super) fn store(&self) -> &Store {
        self.state.guard.store()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.state.guard.clock().now()
    }

    /// The one environment that the caller is bound to.
    pub(super) fn scope(&self) -> Option<&EnvName> {
        self.caller.scope.as_ref()
    }

    pub(super) fn caller(&self) -> &AdminCaller {
        &self.caller
    }

    /// Whether the caller's token still holds.
    async fn still_holds(&self) -> Result<(), Refused> {
        if self.state.guard.is_still_admin(&self.caller).await {
            Ok(())
        } else {
            Err(Refused::silent(RefusalCode::Unauthenticated))
        }
    }

    /// The turn of one change of an environment that is checked together with what is there. It is
    /// waited for, and the caller's token may end meanwhile.
    ///
    /// INVARIANT: from the check to the end of the change nothing else is saved that the check
    /// would have had to see. Two that were checked apart may be a rule that does nothing, or rules
    /// that do not compile together.
    pub(super) async fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, Refused> {
        let turn = self.state.one_change.lock().await;
        self.still_holds().await?;
        Ok(turn)
    }

    /// Who calls, as it is kept beside what they made.
    pub(super) fn name(&self) -> String {
        match &self.caller.actor {
            Actor::AdminToken(id) => format!("admin token {id}"),
            Actor::Owner(_) => "owner of the data directory".to_owned(),
            Actor::Gateway => "the gateway".to_owned(),
        }
    }

    fn reaches(&self, env: Option<&EnvName>) -> bool {
        match (&self.caller.scope, env) {
            (None, _) => true,
            (Some(scope), Some(env)) => scope == env,
            (Some(_), None) => false,
        }
    }

    /// Whether the caller may look at something of an environment (`None`: of the installation).
    pub(super) fn may_see(&self, env: Option<&EnvName>) -> Result<(), Refused> {
        if self.reaches(env) {
            Ok(())
        } else {
            Err(Refused::silent(RefusalCode::Denied))
        }
    }

    /// Whether the caller manages administrators' tokens of this scope.
    pub(super) fn may_manage_administrators(&self, scope: Option<&EnvName>) -> bool {
        self.caller.role.may_manage_administrators() && self.reaches(scope)
    }

    /// Does an act between its two records, if the caller may change things there. What is refused
    /// is recorded too.
    pub(super) async fn act<T>(
        &self,
        act: Act<'_>,
        work: impl Future<Output = Result<T, Refused>>,
    ) -> Result<T, Refused> {
        if !self.caller.role.may_write() || !self.reaches(act.environment) {
            return self.denied(act).await;
        }
        let (record, place) = self.record(act).await;
        if let Err(refused) = place {
            self.state.guard.look(&record, refused.status()).await?;
            return Err(refused);
        }
        let status =
            |done: &Result<T, Refused>| done.as_ref().map_or_else(Refused::status, |_| 200);
        // SECURITY: who calls was found out with the head of the request, and its body may have
        // taken as long as it liked. An administrator whose token has ended meanwhile does nothing
        // more with it, above all make another token.
        let work = async {
            self.still_holds().await?;
            work.await
        };
        self.state.guard.act(&record, work, status).await?
    }

    /// Records that an act was refused, and refuses it.
    pub(super) async fn denied<T>(&self, act: Act<'_>) -> Result<T, Refused> {
        // Who may not act there is not told whether it is there.
        let (record, _place) = self.record(act).await;
        let denied = Refused::silent(RefusalCode::Denied);
        self.state.guard.look(&record, denied.status()).await?;
        Err(denied)
    }

    /// Records a look at what is sensitive, before it is shown.
    pub(super) async fn look(&self, act: Act<'_>) -> Result<(), Refused> {
        let (record, place) = self.record(act).await;
        let status = place.as_ref().map_or_else(Refused::status, |()| 200);
        self.state.guard.look(&record, status).await?;
        place
    }

    /// The record of an act, with why nothing can be done at its place. An environment that is not
    /// there has no keys for a record of its own, so the installation records what was tried.
    async fn record(&self, act: Act<'_>) -> (AdminAct, Result<(), Refused>) {
        // SECURITY: a scoped caller's refused act is sealed for the caller's own environment: the
        // name it asked for may be another's, and stands in the object.
        let own = self.caller.scope.as_ref();
        let mut environment = act
            .environment
            .filter(|env| self.reaches(Some(env)))
            .or(own);
        let mut object = act.object;
        let mut place = Ok(());
        if let Some(env) = environment
            && let Err(error) = self.store().environments().show(env).await
        {
            if error.is_not_found() {
                object = format!("{env}/{object}");
                environment = None;
            }
            place = Err(Refused::from(error));
        }
        let record = AdminAct {
            request: self.request,
            actor: self.caller.actor.clone(),
            address: self.address,
            action: act.action,
            object,
            environment: environment.cloned(),
            detail: if act.detail.is_null() {
                String::new()
            } else {
                act.detail.to_string()
            },
        };
        (record, place)
    }

    /// Turns a handler's result into the answer.
    pub(super) fn answer<T: Serialize>(&self, given: Result<T, Refused>) -> Response {
        self.answer_as(StatusCode::OK, given)
    }

    /// The same for something that was made.
    pub(super) fn created<T: Serialize>(&self, given: Result<T, Refused>) -> Response {
        self.answer_as(StatusCode::CREATED, given)
    }

    fn answer_as<T: Serialize>(&self, status: StatusCode, given: Result<T, Refused>) -> Response {
        match given {
            Ok(value) => (status, Json(value)).into_response(),
            Err(refused) => refused.render(self.request),
        }
    }
}

/// Reads a name out of a path.
pub(super) fn name<T, E: ToString>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Refused> {
    parse(text).map_err(|error| Refused::bad(error.to_string()))
}

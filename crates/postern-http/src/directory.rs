//! Where each upstream is: addresses parsed and credentials laid out once per version of the
//! upstream, not once per request.

use std::sync::Arc;

use foldhash::HashMap;
use parking_lot::RwLock;
use postern_guard::Upstream;
use postern_types::{EnvName, Refusal, RefusalCode, UpstreamName};

use crate::bounds::Bounds;
use crate::forward::{Destination, Endpoint, PoolKey};
use crate::headers::{HeaderTemplate, UpstreamCredential};
use crate::own_machine::Reach;

/// The destinations in use, the newest version of each.
#[derive(Default)]
pub(crate) struct Directory {
    known: RwLock<HashMap<(EnvName, UpstreamName), Arc<Destination>>>,
}

impl Directory {
    /// The destination of an upstream as it is now.
    ///
    /// # Errors
    /// `upstream_unreachable` when the credential cannot be had or the address is not usable: then
    /// nothing is sent, rather than something without a credential.
    pub(crate) fn find(
        &self,
        environment: &EnvName,
        upstream: &Arc<Upstream>,
        bounds: &Bounds,
    ) -> Result<Arc<Destination>, Refusal> {
        let name = (environment.clone(), upstream.row.name.clone());
        let known = self.known.read().get(&name).cloned();
        let key = PoolKey {
            environment: environment.clone(),
            upstream: upstream.row.name.clone(),
            upstream_id: upstream.row.id,
            version: upstream.row.version,
        };
        if let Some(destination) = known.filter(|destination| destination.key == key) {
            return Ok(destination);
        }
        let destination = Arc::new(lay_out(key, upstream, bounds)?);
        self.known.write().insert(name, Arc::clone(&destination));
        Ok(destination)
    }
}

fn lay_out(key: PoolKey, upstream: &Upstream, bounds: &Bounds) -> Result<Destination, Refusal> {
    let unusable = |cause: String| Refusal::new(RefusalCode::UpstreamUnreachable, cause);
    let settings = &upstream.settings;
    let reach = if settings.own_machine {
        Reach::Anywhere
    } else {
        Reach::BeyondOwnMachine
    };
    let endpoint = Endpoint::parse(&upstream.row.url, settings.ca_file.as_deref(), reach)
        .map_err(|error| unusable(error.to_string()))?;
    let secret = upstream
        .credential()
        .map_err(|error| unusable(format!("the credential cannot be had: {error}")))?;
    let templates: Vec<HeaderTemplate> = settings
        .headers
        .iter()
        .map(|(name, value)| HeaderTemplate {
            name: name.clone(),
            value: value.clone(),
        })
        .collect();
    let credential = UpstreamCredential::lay_out(upstream.row.kind, &templates, secret);
    let credential = credential.map_err(|error| unusable(error.to_string()))?;
    Ok(Destination {
        key,
        endpoint,
        credential,
        timeouts: bounds.upstream.timeouts,
    })
}

//! A gateway that runs: the installation, the data plane, the admin API, from start to stop.
//!
//! `serve`, the demo and the tests all start it here. The order matters: everything that can be
//! refused is refused before the first request is taken, and the audit log is the first thing that
//! opens and the last that closes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use postern_audit::RecoveryReport;
use postern_http::{
    AnalyzerSettings, Bounds, Endpoint, Gateway, GatewayParts, ListenOptions, Listener, Reach,
    Serving, TlsFiles,
};
use postern_store::Store;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{self, AdminListener, AdminListenerOptions, AdminState};
use crate::config::Config;
use crate::data_rules;
use crate::installation::{Installation, Paths, now, private_dir, signing_key, write_private};
use crate::metrics::Sources;

/// Where a running gateway listens, as `run/addresses.json` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The data plane.
    pub data: SocketAddr,
    /// The admin API.
    pub admin: SocketAddr,
}

/// A gateway that runs.
pub struct Running {
    installation: Installation,
    addresses: Addresses,
    addresses_file: PathBuf,
    drain: Duration,
    serving: Serving,
    stop_data: CancellationToken,
    stop_admin: CancellationToken,
    stop_housekeeping: CancellationToken,
    admin: JoinHandle<()>,
    acts: TaskTracker,
    housekeeping: JoinHandle<()>,
}

/// How long acts of administrators that are under way may finish.
const ACTS: Duration = Duration::from_secs(10);
/// How long flights whose data plane is gone may take to be closed: they only wait for a thread.
const LAST_FLIGHTS: Duration = Duration::from_secs(5);

impl Running {
    /// Opens the installation and starts everything.
    ///
    /// # Errors
    /// When anything is missing, refused or taken; nothing is then left running.
    pub async fn start(paths: &Paths, config: &Config) -> Result<Self> {
        let installation = Installation::open(paths, config).await?;
        match Self::start_planes(paths, config, &installation).await {
            Ok(planes) => Ok(planes.into_running(installation, config)),
            Err(error) => {
                if let Err(also) = installation.close().await {
                    tracing::error!(error = format!("{also:#}"), "after a start that failed");
                }
                Err(error)
            }
        }
    }

    async fn start_planes(
        paths: &Paths,
        config: &Config,
        installation: &Installation,
    ) -> Result<Planes> {
        private_dir(&paths.run())?;
        nobody_else_listens(config.listen.data)?;
        let listener = Listener::bind(&listen_options(config)).context("the data plane")?;
        let admin_listener = AdminListener::bind(AdminListenerOptions {
            address: config.listen.admin,
            tls: config.tls.as_ref(),
            socket: &paths.run().join("admin.sock"),
        })
        .await?;
        let addresses = Addresses {
            data: listener.address(),
            admin: admin_listener.address()?,
        };
        let analyzer = analyzer(config)?;
        let guard = &installation.guard;
        if analyzer.is_none() {
            warn_of_unanswered(guard.store()).await?;
        }
        let started = what_started(addresses, &installation.recovery);
        guard.record_system("start", started).await?;
        let verifying = signing_key(guard.keys())?.verifying_key();
        let owner = admin_listener.owner()?;
        let counts = analyzer.as_ref().map(|it| Arc::clone(&it.counts));
        let gateway = Gateway::new(GatewayParts {
            guard: Arc::clone(guard),
            bounds: bounds(config),
            proxies: config.trust.proxies.clone(),
            analyzer,
        });
        let addresses_file = paths.run().join("addresses.json");
        write_private(&addresses_file, &serde_json::to_vec(&addresses)?)?;
        // Before the first request is taken: none should wait for the detectors.
        if let Err(error) = data_rules::prepare_all(guard.store()).await {
            let error = error.with_causes();
            tracing::error!(error, "the data rules are not prepared");
        }
        let (stop_data, started_at) = (CancellationToken::new(), now());
        let serving = gateway.serve(listener, &stop_data)?;
        let state = AdminState {
            guard: Arc::clone(guard),
            reader: installation.reader.clone(),
            verifying,
            started_at,
            data_address: addresses.data.to_string(),
            admin_address: addresses.admin.to_string(),
            hosts: config.listen.admin_hosts.clone(),
            plain_http_upstreams: config.trust.plain_http_upstreams,
            metrics: Sources {
                guard: Arc::clone(guard),
                connections: serving.connections(),
                analyzer: counts,
                audit_syncs: Arc::clone(&installation.audit_syncs),
                started_at,
            },
            owner,
            under_way: TaskTracker::new(),
            one_change: tokio::sync::Mutex::default(),
            store_ready: tokio::sync::Mutex::default(),
        };
        Ok(Planes {
            addresses,
            addresses_file,
            serving,
            stop_data,
            admin_listener,
            state,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The open installation.
    #[must_use]
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Stops taking requests, lets those in progress finish for a while, ends the rest, and closes
    /// log and store in good order.
    ///
    /// # Errors
    /// When the log could not be closed in good order, or a thread had failed.
    pub async fn stop(self) -> Result<()> {
        let guard = Arc::clone(&self.installation.guard);
        let _ = std::fs::remove_file(&self.addresses_file);
        self.stop_data.cancel();
        guard.shut_down(self.drain).await;
        let served = self.serving.finished().await;
        if !guard.all_closed(LAST_FLIGHTS).await {
            // Without the note of good order the next start looks for what has no outcome.
            bail!("requests were still under way; the next start closes them as abandoned");
        }
        self.stop_admin.cancel();
        let _ = self.admin.await;
        self.acts.close();
        if tokio::time::timeout(ACTS, self.acts.wait()).await.is_err() {
            tracing::warn!("an act of an administrator was still under way");
        }
        self.stop_housekeeping.cancel();
        let _ = self.housekeeping.await;
        let recorded = guard
            .record_system("stop", "in good order".to_owned())
            .await;
        self.installation.close().await?;
        recorded.context("the stop could not be recorded")?;
        served.context("the data plane")
    }
}

/// What was started, before it belongs to a [`Running`].
struct Planes {
    addresses: Addresses,
    addresses_file: PathBuf,
    serving: Serving,
    stop_data: CancellationToken,
    admin_listener: AdminListener,
    state: AdminState,
}

impl Planes {
    fn into_running(self, installation: Installation, config: &Config) -> Running {
        let (stop_admin, stop_housekeeping) = (CancellationToken::new(), CancellationToken::new());
        let acts = self.state.under_way.clone();
        let router = admin::router(Arc::new(self.state));
        let admin = tokio::spawn(self.admin_listener.serve(router, stop_admin.clone()));
        let guard = Arc::clone(&installation.guard);
        let stop = stop_housekeeping.clone();
        let housekeeping = tokio::spawn(async move { guard.housekeeping(stop).await });
        Running {
            installation,
            addresses: self.addresses,
            addresses_file: self.addresses_file,
            drain: config.limits.drain,
            serving: self.serving,
            stop_data: self.stop_data,
            stop_admin,
            stop_housekeeping,
            admin,
            acts,
            housekeeping,
        }
    }
}

/// Says which rules ask for an analyzer, where there is none.
async fn warn_of_unanswered(store: &Store) -> Result<()> {
    for rule in data_rules::unanswered(store).await? {
        tracing::warn!("{rule}");
    }
    Ok(())
}

/// The record of the start, in words.
fn what_started(addresses: Addresses, recovery: &RecoveryReport) -> String {
    let log = if recovery.clean || recovery.created {
        "was closed in good order"
    } else {
        "was recovered"
    };
    format!(
        "release {}, data plane {}, admin API {}, log {log}",
        env!("CARGO_PKG_VERSION"),
        addresses.data,
        addresses.admin,
    )
}

/// The data plane's sockets share their port with each other (`SO_REUSEPORT`), and would share it
/// with another gateway of the same user just as silently: each would get half of the clients. A
/// socket that does not share finds that out.
fn nobody_else_listens(address: SocketAddr) -> Result<()> {
    if address.port() == 0 {
        return Ok(());
    }
    let alone = std::net::TcpListener::bind(address);
    alone
        .map(drop)
        .with_context(|| format!("the data plane cannot listen on {address}"))
}

fn listen_options(config: &Config) -> ListenOptions {
    ListenOptions {
        address: config.listen.data,
        tls: config.tls.as_ref().map(|tls| TlsFiles {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
        }),
        plain_beyond_loopback: config.listen.plain_http_anywhere,
        cores: config.listen.workers,
    }
}

/// The analyzer, if the operator has set one up.
fn analyzer(config: &Config) -> Result<Option<AnalyzerSettings>> {
    let Some(analyzer) = &config.analyzer else {
        return Ok(None);
    };
    // The operator's own configuration, which may well name a service of this machine.
    let endpoint = Endpoint::parse(&analyzer.url, analyzer.ca_file.as_deref(), Reach::Anywhere);
    Ok(Some(AnalyzerSettings {
        endpoint: endpoint.context("the analyzer")?,
        timeout: analyzer.timeout,
        language: analyzer.language.clone(),
        score_min: analyzer.score_min,
        counts: Arc::default(),
    }))
}

/// The data plane's bounds with the operator's settings in them.
fn bounds(config: &Config) -> Bounds {
    let limits = &config.limits;
    let mut bounds = Bounds::default();
    let downstream = &mut bounds.downstream;
    downstream.connections_max = limits.connections;
    downstream.connections_per_address_max = limits.connections_per_address;
    downstream.head_bytes_max = limits.request_head_bytes;
    downstream.buffer_bytes_max = downstream.buffer_bytes_max.max(limits.request_head_bytes);
    downstream.body_bytes_max = limits.request_body_bytes;
    downstream.head = limits.head_timeout;
    downstream.body_total = limits.body_timeout;
    downstream.idle = limits.idle_timeout;
    downstream.stalled_reader = limits.stalled_reader;
    let timeouts = &mut bounds.upstream.timeouts;
    timeouts.connect = limits.upstream_connect;
    timeouts.first_byte = limits.upstream_first_byte;
    timeouts.idle = limits.upstream_idle;
    timeouts.total = limits.upstream_total;
    bounds.drain = limits.drain;
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_file_are_those_of_the_data_plane() {
        assert_eq!(bounds(&Config::without_file()), Bounds::default());
    }
}

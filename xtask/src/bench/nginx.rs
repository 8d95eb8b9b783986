//! nginx as the yardstick: `proxy_pass` with keep-alive to the upstream and the access log on. It
//! checks no token, so it is a floor and not an equal.

use super::legs::Leg;
use super::processes::Process;
use super::upstream::Upstream;
use crate::run;
use anyhow::{Context, Result};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Starts nginx with its files under `folder`.
pub(super) fn start(folder: &Path, upstream: &Upstream) -> Result<Leg> {
    let program = run::find_program("nginx").context("nginx is missing: `cargo xtask tools`")?;
    let home = folder.join("nginx");
    std::fs::create_dir_all(&home)?;
    let address = free_address()?;
    let file = home.join("nginx.conf");
    std::fs::write(&file, configuration(&home, address, upstream.address))?;
    let mut command = Command::new(program);
    command
        .arg("-p")
        .arg(&home)
        .arg("-c")
        .arg(&file)
        .args(["-g", "daemon off;"]);
    let mut process = Process::start(command.arg("-e").arg(home.join("error.log")))?;
    process
        .wait_until(Duration::from_secs(5), || TcpStream::connect(address).ok())
        .context("nginx does not listen")?;
    Ok(Leg {
        name: "nginx",
        address,
        path: "/v1/chat/completions".to_owned(),
        tokens: vec!["sk-bench".to_owned()],
        process: Some(process),
    })
}

/// An address that was free a moment ago.
pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Two workers for two cores, keep-alive wider than the load, no buffering, so that streams flow.
fn configuration(home: &Path, address: SocketAddr, upstream: SocketAddr) -> String {
    let home = home.display();
    format!(
        "worker_processes 2;
pid {home}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log {home}/access.log combined;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  keepalive_requests 1000000000;
  upstream bench {{ server {upstream}; keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen {address} reuseport backlog=4096;
    location / {{
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_set_header Authorization \"Bearer sk-upstream\";
      proxy_buffering off;
    }}
  }}
}}
"
    )
}

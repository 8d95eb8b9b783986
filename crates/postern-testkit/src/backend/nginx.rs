//! nginx, as a backend that tells what it parsed and as a proxy in front.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;
use tempfile::TempDir;

use super::{BackendRequest, START_MAX, Witness};
use crate::process::{Process, free_port};
use crate::tools;

/// One process, nothing outside its own folder, every request in the log.
const MAIN: &str = r#"
daemon off;
master_process off;
pid DIR/nginx.pid;
error_log DIR/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path DIR/body;
    proxy_temp_path DIR/proxy;
    fastcgi_temp_path DIR/fastcgi;
    uwsgi_temp_path DIR/uwsgi;
    scgi_temp_path DIR/scgi;
    client_body_buffer_size 1m;
    log_format seen escape=json
        '{"method":"$request_method","target":"$request_uri","host":"$http_host",'
        '"line":"$request","completion":"$request_completion","body":"$request_body"}';
SERVER
}
"#;

/// The inner server is there so that the outer one reads the whole body before it logs.
const WITNESS: &str = r"
    server {
        listen 127.0.0.1:PORT;
        access_log DIR/seen.log seen;
        location / {
            proxy_pass http://unix:DIR/inner.sock:;
            proxy_http_version 1.1;
            proxy_set_header Connection '';
        }
    }
    server {
        listen unix:DIR/inner.sock;
        default_type application/json;
        location / { return 200 '{}'; }
    }
";

/// Everything that arrives goes on to one address, with the client's address named.
const FRONT: &str = r"
    server {
        listen 127.0.0.1:PORT;
        location / {
            proxy_pass http://UPSTREAM;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_set_header Connection '';
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    }
";

/// A running nginx.
pub struct Nginx {
    // Ends before its folder goes.
    _process: Process,
    addr: SocketAddr,
    dir: TempDir,
}

#[derive(Deserialize)]
struct Line {
    method: String,
    target: String,
    host: String,
    line: String,
    completion: String,
    body: String,
}

impl Nginx {
    /// A backend that answers every request with `{}` and tells what it parsed.
    ///
    /// # Errors
    ///
    /// When nginx is there and does not start.
    pub fn witness() -> Result<Option<Self>> {
        Self::start(WITNESS)
    }

    /// A proxy in front of `upstream`.
    ///
    /// # Errors
    ///
    /// As [`Nginx::witness`].
    pub fn in_front_of(upstream: SocketAddr) -> Result<Option<Self>> {
        Self::start(&FRONT.replace("UPSTREAM", &upstream.to_string()))
    }

    /// nginx with these server blocks; `PORT` and `DIR` in them are filled in.
    ///
    /// # Errors
    ///
    /// As [`Nginx::witness`].
    pub fn start(servers: &str) -> Result<Option<Self>> {
        let Some(program) = tools::nginx() else {
            return Ok(None);
        };
        let dir = tempfile::tempdir()?;
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let config = MAIN.replace("SERVER", servers);
        let config = config.replace("DIR", &dir.path().display().to_string());
        let config = config.replace("PORT", &addr.port().to_string());
        let file = dir.path().join("nginx.conf");
        fs::write(&file, config)?;
        let mut process = run(&program, &file, dir.path())?;
        process.wait_for_port(addr, START_MAX).context("nginx")?;
        Ok(Some(Self {
            _process: process,
            addr,
            dir,
        }))
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

fn run(program: &PathBuf, config: &Path, dir: &Path) -> Result<Process> {
    let mut command = Command::new(program);
    command
        .arg("-p")
        .arg(dir)
        .arg("-e")
        .arg(dir.join("early.log"))
        .arg("-c")
        .arg(config);
    Process::start("nginx", &mut command, dir)
}

impl Witness for Nginx {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn requests(&self) -> Vec<BackendRequest> {
        let log = fs::read(self.dir.path().join("seen.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let parse = |line| serde_json::from_str(line).expect("nginx writes JSON as configured");
        let told = |line: Line| {
            // An unreadable request has no method; its first line says what it was.
            let target = if line.method.is_empty() {
                line.line
            } else {
                line.target
            };
            BackendRequest {
                method: line.method,
                target,
                host: line.host,
                body: line.body,
                complete: line.completion == "OK",
            }
        };
        text.lines().map(parse).map(told).collect()
    }

    fn name(&self) -> &'static str {
        "nginx"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw;

    // Goal: the witness tells apart what was one request and what were two. Method: both.
    #[test]
    fn nginx_tells_what_it_parsed() {
        let Some(nginx) = Nginx::witness().unwrap() else {
            return;
        };
        let answer = raw::request(nginx.addr(), "POST", "/a?b=1", &[], b"{\"x\": 1}");
        assert_eq!(answer.status, 200);
        let two = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n";
        let conversation = raw::talk(nginx.addr(), two, std::time::Duration::from_secs(1));
        assert_eq!(conversation.unwrap().statuses(), [200, 200]);
        let seen = nginx.requests();
        let told: Vec<_> = seen
            .iter()
            .map(|r| (r.target.as_str(), r.body.as_str()))
            .collect();
        assert_eq!(told, [("/a?b=1", "{\"x\": 1}"), ("/1", ""), ("/2", "")]);
    }

    #[test]
    fn nginx_in_front_names_the_client() {
        let upstream = crate::ReplayUpstream::own().unwrap();
        let Some(nginx) = Nginx::in_front_of(upstream.addr()).unwrap() else {
            return;
        };
        assert_eq!(
            raw::request(nginx.addr(), "GET", "/v1/models", &[], b"").status,
            200
        );
        let seen = upstream.requests();
        assert_eq!(seen[0].header("x-forwarded-for"), Some("127.0.0.1"));
    }
}

//! Node's http server as a backend that tells what it parsed.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use anyhow::Result;
use serde::Deserialize;
use tempfile::TempDir;

use super::{BackendRequest, START_MAX, Witness};
use crate::process::Process;
use crate::tools;

const SCRIPT: &str = include_str!("requests.js");

/// A running Node backend.
pub struct NodeBackend {
    process: Process,
    addr: SocketAddr,
    _dir: TempDir,
}

/// A line that the script writes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Port { port: u16 },
    Seen(BackendRequest),
    Refused { refused: String },
}

impl NodeBackend {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When Node is there and the script does not start.
    pub fn witness() -> Result<Option<Self>> {
        let Some(program) = tools::node() else {
            return Ok(None);
        };
        let dir = tempfile::tempdir()?;
        let script = dir.path().join("requests.js");
        fs::write(&script, SCRIPT)?;
        let mut process = Process::start("node", Command::new(program).arg(&script), dir.path())?;
        let log = dir.path().join("node.log");
        let port = process.wait_for(START_MAX, || {
            let told = fs::read_to_string(&log).unwrap_or_default();
            told.lines()
                .find_map(|line| match serde_json::from_str(line) {
                    Ok(Line::Port { port }) => Some(port),
                    _ => None,
                })
        })?;
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Some(Self {
            process,
            addr,
            _dir: dir,
        }))
    }

    fn lines(&self) -> Vec<Line> {
        let told = self.process.output();
        let whole = told.rfind('\n').map_or("", |end| &told[..end]);
        whole
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The parse errors it met, as Node names them.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        let refusal = |line| match line {
            Line::Refused { refused } => Some(refused),
            Line::Port { .. } | Line::Seen(_) => None,
        };
        self.lines().into_iter().filter_map(refusal).collect()
    }
}

impl Witness for NodeBackend {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn requests(&self) -> Vec<BackendRequest> {
        let request = |line| match line {
            Line::Seen(request) => Some(request),
            Line::Port { .. } | Line::Refused { .. } => None,
        };
        self.lines().into_iter().filter_map(request).collect()
    }

    fn name(&self) -> &'static str {
        "node"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw;

    // Goal: the witness tells what it parsed and what it would not. Method: one of each.
    #[test]
    fn node_tells_what_it_parsed() {
        let Some(node) = NodeBackend::witness().unwrap() else {
            return;
        };
        let answer = raw::request(node.addr(), "PUT", "/a?b=1", &[], b"body");
        assert_eq!(answer.status, 200);
        let odd = b"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n";
        let refused = raw::talk(node.addr(), odd, std::time::Duration::from_secs(1)).unwrap();
        assert_eq!(refused.statuses(), [400]);
        let seen = node.requests();
        assert_eq!(seen.len(), 1);
        assert_eq!(
            (seen[0].target.as_str(), seen[0].body.as_str()),
            ("/a?b=1", "body")
        );
        assert_eq!(node.refusals(), ["HPE_INVALID_HEADER_TOKEN"]);
    }
}

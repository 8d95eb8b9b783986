//! parse-server, a real Backend-as-a-Service, on a PostgreSQL of its own.
//!
//! It is seeded with two classes that point at each other's neighbourhood: `Note`, which a narrow
//! token may read, and `Secret`, which nobody behind the gateway may reach. Whoever holds the
//! application's keys can read both: what keeps them apart in a test is the gateway alone.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Postgres, START_MAX};
use crate::process::Process;
use crate::raw::{self, RawAnswer};
use crate::tools;

const SCRIPT: &str = include_str!("parse_server.js");

/// The words in the one object of class `Secret`; a narrow token must never see them.
pub const SECRET_TEXT: &str = "the cellar key hangs behind the clock";

/// A running parse-server with its data.
pub struct ParseServer {
    // In this order: the server ends before its database.
    _process: Process,
    _database: Postgres,
    _dir: TempDir,
    addr: SocketAddr,
    /// The application id.
    pub application: String,
    /// The REST key.
    pub rest_key: String,
    /// The master key.
    pub master_key: String,
    /// The object ids of the notes; the first points at the secret.
    pub notes: Vec<String>,
    /// The object id of the secret.
    pub secret: String,
}

impl ParseServer {
    /// Starts PostgreSQL and parse-server, and puts two notes and a secret into it.
    ///
    /// # Errors
    ///
    /// When the programs are there and do not start.
    pub fn start() -> Result<Option<Self>> {
        let (Some(node), Some(modules)) = (tools::node(), tools::node_modules()) else {
            return Ok(None);
        };
        let Some(database) = Postgres::start()? else {
            return Ok(None);
        };
        let dir = tempfile::tempdir()?;
        let script = dir.path().join("parse_server.js");
        fs::write(&script, SCRIPT)?;
        let keys = [
            "keeper-app",
            "rest-key-of-the-keeper",
            "master-key-of-the-keeper",
        ];
        let [application, rest_key, master_key] = keys.map(str::to_owned);
        let mut command = Command::new(node);
        command
            .arg(&script)
            .current_dir(dir.path())
            .env("PARSE_NODE_MODULES", modules.canonicalize()?)
            .env("PARSE_DATABASE", database.url())
            .env("PARSE_APPLICATION", &application)
            .env("PARSE_REST_KEY", &rest_key)
            .env("PARSE_MASTER_KEY", &master_key)
            .env("PARSE_LOGS", dir.path().join("logs"));
        let mut process = Process::start("parse-server", &mut command, dir.path())?;
        let log = dir.path().join("parse-server.log");
        let port = process.wait_for(START_MAX, || {
            let told = fs::read_to_string(&log).unwrap_or_default();
            let line = told
                .lines()
                .find_map(|line| line.strip_prefix("listening on "))?;
            line.parse::<u16>().ok()
        })?;
        let mut server = Self {
            _process: process,
            _database: database,
            _dir: dir,
            addr: SocketAddr::from(([127, 0, 0, 1], port)),
            application,
            rest_key,
            master_key,
            notes: Vec::new(),
            secret: String::new(),
        };
        server.seed().context("seeding parse-server")?;
        Ok(Some(server))
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://` and the address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A request with the master key, past any gateway.
    #[must_use]
    pub fn as_master(&self, method: &str, target: &str, body: &Value) -> RawAnswer {
        let headers = [
            ("x-parse-application-id", self.application.as_str()),
            ("x-parse-master-key", self.master_key.as_str()),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        raw::request(self.addr, method, target, &headers, body.as_bytes())
    }

    /// The objects of a class, past any gateway. (Counting is an estimate on PostgreSQL.)
    #[must_use]
    pub fn objects(&self, class: &str) -> Vec<Value> {
        let answer = self.as_master("GET", &format!("/classes/{class}"), &Value::Null);
        let mut body = answer.json();
        let results = body["results"].as_array_mut().map(std::mem::take);
        results.expect("parse-server lists")
    }

    fn seed(&mut self) -> Result<()> {
        self.secret = self.create("Secret", &json!({"text": SECRET_TEXT, "level": 3}))?;
        let pointer = json!({
            "__type": "Pointer", "className": "Secret", "objectId": self.secret
        });
        let first = json!({"title": "Oil for the lamp", "hides": pointer, "level": 3});
        let second = json!({"title": "Wick", "level": 1});
        self.notes = vec![self.create("Note", &first)?, self.create("Note", &second)?];
        Ok(())
    }

    fn create(&self, class: &str, object: &Value) -> Result<String> {
        let answer = self.as_master("POST", &format!("/classes/{class}"), object);
        ensure!(answer.status == 201, "{} {}", answer.status, answer.text());
        let id = answer.json()["objectId"].as_str().map(str::to_owned);
        id.context("a created object has an id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: without a gateway every way in is open, so that a test which finds it closed behind the
    // gateway proves the gateway. Method: each way in, with the application's own keys.
    #[test]
    fn the_secret_is_reachable_without_the_gateway() {
        let Some(parse) = ParseServer::start().unwrap() else {
            return;
        };
        let get = |target: &str| parse.as_master("GET", target, &Value::Null).text();
        assert!(get(&format!("/classes/Secret/{}", parse.secret)).contains(SECRET_TEXT));
        assert!(get("/classes/Note?include=hides").contains(SECRET_TEXT));
        let guess = |text: &str| {
            let inner = json!({"where": {"text": {"$regex": text}}, "className": "Secret"});
            let query = json!({"hides": {"$inQuery": inner}}).to_string();
            get(&format!("/classes/Note?where={}", raw::percent(&query))).contains("Oil")
        };
        assert!(
            guess("cellar") && !guess("attic"),
            "a query tells what the secret says"
        );
        assert!(get("/schemas").contains("Secret"));
        let disguised = json!({"_method": "GET", "where": {}});
        let found = parse.as_master("POST", "/classes/Secret", &disguised);
        assert!(found.text().contains(SECRET_TEXT), "{}", found.text());
        let path = format!("/classes/Secret/{}", parse.secret);
        let write = json!({"method": "PUT", "path": path, "body": {"level": 3}});
        let batch = parse.as_master("POST", "/batch", &json!({"requests": [write]}));
        assert!(batch.text().contains("success"), "{}", batch.text());
        assert_eq!(
            (parse.objects("Note").len(), parse.objects("Secret").len()),
            (2, 1)
        );
    }
}

//! Finding the programs that tests run beside the gateway.
//!
//! The workshop installs them and names them in the environment; without that they are looked for
//! in `target/tools` and on the path. What is missing is skipped with a line that says so, except
//! under `CI=true`, where it is a failure.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::corpora::workspace_root;

/// Names what is missing and gives nothing.
///
/// # Panics
///
/// Under `CI=true`.
pub fn missing<T>(what: &str) -> Option<T> {
    let strict = env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!strict, "{what} (skipping is an error under CI=true)");
    eprintln!("SKIPPED: {what}");
    None
}

/// A Python interpreter that has the official SDKs.
#[must_use]
pub fn python() -> Option<PathBuf> {
    found("POSTERN_TOOLS_PYTHON", &["target/tools/python/bin/python"])
        .or_else(|| missing("no Python with the SDKs: POSTERN_TOOLS_PYTHON or target/tools/python"))
}

/// The `node_modules` folder that has the official SDKs and parse-server.
#[must_use]
pub fn node_modules() -> Option<PathBuf> {
    found(
        "POSTERN_TOOLS_NODE_MODULES",
        &["target/tools/node/node_modules"],
    )
    .or_else(|| missing("no node_modules: POSTERN_TOOLS_NODE_MODULES or target/tools/node"))
}

/// Node itself.
#[must_use]
pub fn node() -> Option<PathBuf> {
    found("POSTERN_TOOLS_NODE", &[])
        .or_else(|| on_path("node"))
        .or_else(|| missing("no Node: POSTERN_TOOLS_NODE or on the path"))
}

/// nginx.
#[must_use]
pub fn nginx() -> Option<PathBuf> {
    found("POSTERN_TOOLS_NGINX", &["/usr/sbin/nginx"])
        .or_else(|| on_path("nginx"))
        .or_else(|| missing("no nginx: POSTERN_TOOLS_NGINX or on the path"))
}

/// curl.
#[must_use]
pub fn curl() -> Option<PathBuf> {
    found("POSTERN_TOOLS_CURL", &[])
        .or_else(|| on_path("curl"))
        .or_else(|| missing("no curl: POSTERN_TOOLS_CURL or on the path"))
}

/// promtool, which checks metrics.
#[must_use]
pub fn promtool() -> Option<PathBuf> {
    let unpacked = "target/tools/promtool/unpacked/usr/bin/promtool";
    found("POSTERN_TOOLS_PROMTOOL", &[unpacked])
        .or_else(|| on_path("promtool"))
        .or_else(|| missing("no promtool: POSTERN_TOOLS_PROMTOOL or on the path"))
}

/// The folder with PostgreSQL's `initdb` and `postgres`.
#[must_use]
pub fn postgres_bin() -> Option<PathBuf> {
    let debian = |version: u32| format!("/usr/lib/postgresql/{version}/bin");
    let usual: Vec<String> = (13..=19).rev().map(debian).collect();
    let usual: Vec<&str> = usual.iter().map(String::as_str).collect();
    found("POSTERN_TOOLS_POSTGRES_BIN", &usual)
        .or_else(|| on_path("initdb").and_then(|path| path.parent().map(PathBuf::from)))
        .filter(|bin| bin.join("initdb").exists())
        .or_else(|| {
            missing("no PostgreSQL server: POSTERN_TOOLS_POSTGRES_BIN or /usr/lib/postgresql")
        })
}

/// The words that go before a PostgreSQL program: it refuses to run as root, so root hands over to
/// the user that Debian made for it.
#[must_use]
pub fn postgres_as() -> Vec<String> {
    let told = env::var("POSTERN_TOOLS_POSTGRES_AS").unwrap_or_else(|_| {
        let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        if root {
            "runuser -u postgres --".to_owned()
        } else {
            String::new()
        }
    });
    told.split_whitespace().map(str::to_owned).collect()
}

/// The path in this variable, else the first of `usual` that exists, relative to the workspace.
fn found(variable: &str, usual: &[&str]) -> Option<PathBuf> {
    if let Some(named) = env::var_os(variable) {
        return Some(PathBuf::from(named)).filter(|path| path.exists());
    }
    usual
        .iter()
        .map(|path| workspace_root().join(path))
        .find(|path| path.exists())
}

/// A program on the path.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}

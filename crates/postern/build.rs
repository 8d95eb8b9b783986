//! Has the linker put the functions of a request next to each other, where it can: `lld` takes a
//! list of symbols, other linkers do not. A request runs once through code from all over the
//! binary, and on fewer pages it takes less time (docs/performance.md).

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Written by `cargo xtask bench --order`.
const LIST: &str = "link-order.txt";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LIST}");
    // A development build is not worth the trial.
    if env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    let Some(folder) = env::var_os("CARGO_MANIFEST_DIR") else {
        return;
    };
    let list = PathBuf::from(folder).join(LIST);
    let order = format!("--symbol-ordering-file={}", list.display());
    // What has changed its name since the list was made is no cause for a warning.
    let words = [&*order, "--no-warn-symbol-ordering"];
    if links_with(&words) == Some(true) {
        for word in words {
            // `-Wl,` would split a path at its commas.
            println!("cargo::rustc-link-arg-bins=-Xlinker");
            println!("cargo::rustc-link-arg-bins={word}");
        }
    }
}

/// Whether a small program links with these words for the linker. `None` if it cannot be tried.
fn links_with(words: &[&str]) -> Option<bool> {
    let folder = PathBuf::from(env::var_os("OUT_DIR")?);
    let source = folder.join("probe.rs");
    std::fs::write(&source, "fn main() {}\n").ok()?;
    let mut rustc = Command::new(env::var_os("RUSTC")?);
    rustc.arg(&source).arg("-o").arg(folder.join("probe"));
    rustc.arg("--target").arg(env::var_os("TARGET")?);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={}", linker.display()));
    }
    if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        rustc.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    }
    for word in words {
        rustc.args(["-C", "link-arg=-Xlinker", "-C"]);
        rustc.arg(format!("link-arg={word}"));
    }
    let tried = rustc.stdout(Stdio::null()).stderr(Stdio::null()).status();
    Some(tried.ok()?.success())
}

//! Programs that Debian packages: servers to test against, and the interpreters of the clients.

use super::{Missing, Toolbox};
use crate::run;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program and the package that has it.
struct Program {
    name: &'static str,
    package: &'static str,
    /// The variable that tells tests where it is.
    export: Option<&'static str>,
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "curl",
        package: "curl",
        export: Some("POSTERN_TOOLS_CURL"),
    },
    Program {
        name: "nginx",
        package: "nginx",
        export: Some("POSTERN_TOOLS_NGINX"),
    },
    Program {
        name: "node",
        package: "nodejs",
        export: Some("POSTERN_TOOLS_NODE"),
    },
    Program {
        name: "npm",
        package: "npm",
        export: None,
    },
    Program {
        name: "python3",
        package: "python3",
        export: None,
    },
];

/// The folder whose sub-folders are Debian's installed PostgreSQL versions.
const POSTGRES: &str = "/usr/lib/postgresql";

/// Installs what is missing in one go and notes where everything is.
pub(super) fn install(toolbox: &mut Toolbox) {
    let mut wanted: Vec<&str> = PROGRAMS
        .iter()
        .filter(|program| run::find_program(program.name).is_none())
        .map(|program| program.package)
        .collect();
    if postgres_bin().is_none() {
        wanted.push("postgresql");
    }
    if !has_venv() {
        wanted.extend(["python3-venv", "python3-pip"]);
    }
    let failed = if wanted.is_empty() {
        None
    } else {
        apt_install(&wanted).err()
    };
    let why = || match &failed {
        Some(error) => format!("{error:#}"),
        None => "installed, but not where it was expected".to_owned(),
    };
    for program in PROGRAMS {
        match (run::find_program(program.name), program.export) {
            (Some(path), Some(variable)) => toolbox.export(variable, &path),
            (Some(_), None) => {}
            (None, _) => toolbox.missing.push(Missing {
                tool: program.name,
                why: why(),
            }),
        }
    }
    match postgres_bin() {
        Some(folder) => {
            toolbox.export("POSTERN_TOOLS_POSTGRES_BIN", &folder);
            // PostgreSQL refuses to run as root. Debian's package brings a user for it.
            let prefix = if is_root() {
                "runuser -u postgres --"
            } else {
                ""
            };
            toolbox
                .exports
                .push(("POSTERN_TOOLS_POSTGRES_AS", prefix.to_owned()));
        }
        None => toolbox.missing.push(Missing {
            tool: "postgres",
            why: why(),
        }),
    }
}

/// Installs packages by apt.
///
/// # Errors
/// When we are not root, there is no apt, or a package cannot be had.
pub(crate) fn apt_install(packages: &[&str]) -> anyhow::Result<()> {
    let list = packages.join(" ");
    if run::find_program("apt-get").is_none() {
        anyhow::bail!("this machine has no apt-get: install {list} by hand");
    }
    if !is_root() {
        anyhow::bail!("not root: run `apt-get install {list}` once");
    }
    println!("tools: apt-get install {list}");
    let mut failed = String::new();
    // An update may fail in part (one source down) and the install still succeed.
    for arguments in [
        vec!["update"],
        [
            vec!["install", "-y", "--no-install-recommends"],
            packages.to_vec(),
        ]
        .concat(),
    ] {
        let mut command = Command::new("apt-get");
        command
            .arg("-q")
            .args(&arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        let outcome = run::quietly(&mut command)?;
        failed = if outcome.success {
            String::new()
        } else {
            outcome.output
        };
    }
    if !failed.is_empty() {
        println!("{failed}");
        anyhow::bail!("apt-get install {list} failed");
    }
    Ok(())
}

/// Whether the interpreter can make virtual environments; Debian packages that part apart.
fn has_venv() -> bool {
    let mut command = Command::new("python3");
    command.args(["-c", "import venv, ensurepip"]);
    run::quietly(&mut command).is_ok_and(|outcome| outcome.success)
}

/// The programs of the newest PostgreSQL: `initdb`, `pg_ctl`, `postgres`.
fn postgres_bin() -> Option<PathBuf> {
    let versions = Path::new(POSTGRES).read_dir().ok()?;
    versions
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").is_file().then_some((version, bin))
        })
        .max()
        .map(|(_, bin)| bin)
}

fn is_root() -> bool {
    // The owner of our own process directory, without a call into libc.
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

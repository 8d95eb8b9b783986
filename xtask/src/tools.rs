//! The real clients and servers that the tests drive, installed where they are missing.
//!
//! Debian packages come by apt when we are root on a machine that has it; Python and Node packages
//! and cargo-deny go under `target/tools/`, from the pinned lists in `xtask/tools/`. A stamp beside
//! each remembers the list it was made from, so that a second run costs nothing. Whatever cannot
//! be had is a row in the closing table, not a silent gap.

mod cargo_deny;
mod debian;
mod node;
mod promtool;
mod python;

use anyhow::Result;
pub(crate) use debian::apt_install;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is at hand for the tests.
#[derive(Default)]
pub(crate) struct Toolbox {
    /// Environment variables that tell the tests where the tools are.
    pub(crate) exports: Vec<(&'static str, String)>,
    pub(crate) missing: Vec<Missing>,
    pub(crate) cargo_deny: Option<PathBuf>,
}

/// A tool that could not be had, and why.
pub(crate) struct Missing {
    pub(crate) tool: &'static str,
    pub(crate) why: String,
}

/// A Python environment with a pinned list of its own, and the interpreter that sees it.
pub(crate) fn python_environment(root: &Path, name: &str, list: &str) -> Result<PathBuf> {
    let folder = root.join("target/tools");
    std::fs::create_dir_all(&folder)?;
    python::install(&root.join(list), &folder, name)
}

impl Toolbox {
    /// Installs what is missing.
    pub(crate) fn install(root: &Path) -> Result<Self> {
        let folder = root.join("target/tools");
        std::fs::create_dir_all(&folder)?;
        let mut toolbox = Self::default();
        debian::install(&mut toolbox);
        toolbox.keep(
            "python clients",
            python::install(
                &root.join("xtask/tools/requirements.txt"),
                &folder,
                "python",
            ),
            |toolbox, python| {
                toolbox.export("POSTERN_TOOLS_PYTHON", &python);
            },
        );
        toolbox.keep(
            "node clients",
            node::install(root, &folder),
            |toolbox, modules| {
                toolbox.export("POSTERN_TOOLS_NODE_MODULES", &modules);
            },
        );
        toolbox.keep(
            "promtool",
            promtool::install(&folder),
            |toolbox, program| {
                toolbox.export("POSTERN_TOOLS_PROMTOOL", &program);
            },
        );
        toolbox.keep(
            "cargo-deny",
            cargo_deny::install(root, &folder),
            |toolbox, program| {
                toolbox.cargo_deny = Some(program);
            },
        );
        toolbox.corpora(root);
        Ok(toolbox)
    }

    fn keep(
        &mut self,
        tool: &'static str,
        result: Result<PathBuf>,
        use_it: impl FnOnce(&mut Self, PathBuf),
    ) {
        match result {
            Ok(path) => use_it(self, path),
            Err(error) => self.missing.push(Missing {
                tool,
                why: format!("{error:#}"),
            }),
        }
    }

    fn export(&mut self, name: &'static str, path: &Path) {
        self.exports.push((name, path.display().to_string()));
    }

    /// The recorded traffic that the larger tests replay is kept beside the repository.
    fn corpora(&mut self, root: &Path) {
        let folder = std::env::var_os("POSTERN_CORPORA")
            .map_or_else(|| root.join("../shared/corpora"), PathBuf::from);
        match folder.canonicalize() {
            Ok(folder) if folder.is_dir() => self.export("POSTERN_CORPORA", &folder),
            _ => self.missing.push(Missing {
                tool: "corpora",
                why: "no folder ../shared/corpora, and POSTERN_CORPORA names none".to_owned(),
            }),
        }
    }
}

/// `cargo xtask tools`: installs, and prints what tests need to know.
pub(crate) fn run(root: &Path) -> Result<ExitCode> {
    let toolbox = Toolbox::install(root)?;
    for (name, value) in &toolbox.exports {
        println!("export {name}='{value}'");
    }
    for Missing { tool, why } in &toolbox.missing {
        println!("# missing: {tool}: {why}");
    }
    Ok(if toolbox.missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether `stamp` says that the thing beside it was made from exactly this recipe.
fn is_fresh(stamp: &Path, recipe: &str) -> bool {
    std::fs::read_to_string(stamp).is_ok_and(|made_from| made_from == recipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what the tests drive does not change under them. Method: the lists themselves: each
    /// Python package has its version, each Node package its version and hash.
    #[test]
    fn every_listed_client_is_pinned() {
        let python = include_str!("../tools/requirements.txt");
        let mut packages = python.lines().filter(|line| !line.starts_with('#'));
        assert!(packages.all(|line| line.contains("==")), "{python}");
        let node = include_str!("../tools/package-lock.json");
        let node: serde_json::Value = serde_json::from_str(node).expect("a lock file is JSON");
        let node = node["packages"].as_object().expect("it lists packages");
        for (name, package) in node.iter().filter(|(name, _)| !name.is_empty()) {
            let has = |field: &str| package[field].is_string();
            assert!(has("version") && has("integrity"), "{name}: {package}");
        }
    }

    /// Goal: a changed list is noticed, an unchanged one is not installed again.
    #[test]
    fn a_stamp_remembers_its_recipe() {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        let stamp = folder.join("stamp");
        assert!(!is_fresh(&stamp, "openai==1"));
        std::fs::write(&stamp, "openai==1").expect("the stamp can be written");
        assert!(is_fresh(&stamp, "openai==1"));
        assert!(!is_fresh(&stamp, "openai==2"));
        std::fs::remove_dir_all(&folder).expect("the temporary folder is ours");
    }
}

//! `postern completions`: scripts for shells.

use clap::Args;
use clap_complete::Shell;

use super::failure::Outcome;
use super::output::Out;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "For bash: postern completions bash > \
                        ~/.local/share/bash-completion/completions/postern")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, out: &mut Out) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "postern", &mut script);
        out.raw(&String::from_utf8_lossy(&script))?;
        Ok(())
    }
}

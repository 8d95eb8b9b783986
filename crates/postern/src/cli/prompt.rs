//! Questions to the person at the terminal.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::escape::plain;
use super::failure::{Failure, Outcome};

/// Bytes of a secret that is read.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Whether there is somebody to ask.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a yes-or-no question; the answer to just pressing return is `default`.
pub(super) fn confirm(question: &str, default: bool) -> Outcome<bool> {
    let choices = if default { "[Y/n]" } else { "[y/N]" };
    loop {
        let answer = ask(&format!("{question} {choices} "))?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "" => return Ok(default),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

/// Asks before something that cannot be undone; without a terminal, `--yes` is needed.
pub(super) fn confirm_loss(question: &str, yes: bool) -> Outcome {
    if yes {
        return Ok(());
    }
    if !somebody_is_there() {
        return Err(
            Failure::usage("this cannot be undone and nobody is here to confirm it")
                .hint("say --yes if it is meant"),
        );
    }
    if confirm(question, false)? {
        Ok(())
    } else {
        Err(Failure::new("not confirmed: nothing done"))
    }
}

fn ask(question: &str) -> Outcome<String> {
    let mut terminal = anstream::stderr();
    write!(terminal, "{}", plain(question))?;
    terminal.flush()?;
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(Failure::new(
            "the input ended before the question was answered",
        ));
    }
    Ok(line)
}

/// Reads a secret: from the terminal without showing it, or all of standard input but a final line
/// break.
pub(super) fn secret(what: &str) -> Outcome<Zeroizing<String>> {
    let text = if io::stdin().is_terminal() {
        let _hidden = Hidden::begin();
        let mut terminal = anstream::stderr();
        write!(terminal, "{} (not shown): ", plain(what))?;
        terminal.flush()?;
        let mut line = Zeroizing::new(String::new());
        io::stdin().lock().read_line(&mut line)?;
        writeln!(terminal)?;
        line
    } else {
        let mut all = Zeroizing::new(String::new());
        io::stdin()
            .lock()
            .take(SECRET_BYTES_MAX + 1)
            .read_to_string(&mut all)?;
        if u64::try_from(all.len()).is_ok_and(|bytes| bytes > SECRET_BYTES_MAX) {
            return Err(Failure::usage(format!(
                "{what} is longer than {SECRET_BYTES_MAX} bytes"
            )));
        }
        all
    };
    let text = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if text.is_empty() {
        return Err(Failure::usage(format!("{what} is empty")));
    }
    Ok(text)
}

/// The terminal does not show what is typed until this is dropped.
struct Hidden(bool);

impl Hidden {
    fn begin() -> Self {
        Self(stty("-echo"))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if self.0 {
            stty("echo");
        }
    }
}

fn stty(mode: &str) -> bool {
    let status = Command::new("stty")
        .arg(mode)
        .stdin(Stdio::inherit())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

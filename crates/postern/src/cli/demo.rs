//! `postern demo`: the guided tour.

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::failure::{Failure, Outcome};
use super::output::Out;
use super::serve::Signals;
use crate::demo::{self, Tour};

/// A guided tour on loopback with everything embedded; leaves nothing behind.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Run unattended and end; exit 0 only if every step did what it said
    #[arg(long)]
    once: bool,
    /// Make this step go wrong, to see that the tour notices
    #[arg(long, hide = true, value_name = "STEP")]
    sabotage: Option<usize>,
}

impl Demo {
    pub(super) async fn run(self, out: &mut Out) -> Outcome {
        if let Some(step) = self.sabotage
            && !(1..=demo::STEPS.len()).contains(&step)
        {
            return Err(Failure::usage(format!(
                "there are steps 1 to {}",
                demo::STEPS.len()
            )));
        }
        let mut signals = Signals::new()?;
        // A terminal that is closed must not leave the directory of the tour behind.
        let mut hangup = signal(SignalKind::hangup())?;
        let mut tour = Tour::prepare(self.sabotage).await?;
        let walked = tokio::select! {
            walked = tour.walk(out) => walked,
            _ = signals.next() => Err(interrupted()),
            _ = hangup.recv() => Err(interrupted()),
        };
        if !self.once && walked.is_ok() {
            let said = tour.farewell(out).await;
            if said.is_err() {
                tour.end().await?;
                return said;
            }
            tokio::select! {
                _ = signals.next() => {}
                _ = hangup.recv() => {}
            }
        }
        tour.end().await?;
        // Whoever asks for the exit code wants the steps to have held, read or not.
        match walked {
            Err(failure) if self.once => Err(failure.also_unread()),
            walked => walked,
        }
    }
}

fn interrupted() -> Failure {
    Failure::new("interrupted before the end of the tour")
}

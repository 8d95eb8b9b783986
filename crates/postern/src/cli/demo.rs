//! `postern demo`: the guided tour.

use clap::Args;

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
        let mut tour = Tour::prepare(self.sabotage).await?;
        let walked = tokio::select! {
            walked = tour.walk(out) => walked,
            _ = signals.next() => Err(Failure::new("interrupted before the end of the tour")),
        };
        if !self.once && walked.is_ok() {
            tour.farewell(out).await?;
            signals.next().await;
        }
        tour.end().await?;
        walked
    }
}

//! `postern demo`: a tour on which every sentence is tried out.
//!
//! Everything is real but the providers: the gateway, its admin API, the command line and the audit
//! log are those of `postern serve`, on free loopback ports and in a directory that goes when the
//! tour ends. Each step prints the command, runs it, and checks what came of it. `--sabotage N`
//! makes step N go wrong, so that a test can see that the tour would notice.

mod audit_steps;
mod call;
mod narrator;
mod notes;
mod sandbox;
mod server;
mod stage;
mod traffic_steps;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::Out;

use narrator::Narrator;
use stage::Stage;

/// The steps: what each one says.
pub const STEPS: [&str; 9] = [
    "Mint a narrow token: one model, one path of an HTTP backend, one hour",
    "A streamed chat call passes",
    "Another model is refused",
    "An HTTP backend opens by method and path, and no further",
    "A token of another environment cannot reach this one's upstream",
    "An endless stream is cut by revoking its token",
    "A rate limit answers 429",
    "The audit log shows all of it, and verifies",
    "One flipped byte in a copy is found, and the record named",
];

/// The tour and everything it stands on.
pub struct Tour {
    stage: Stage,
    sabotage: Option<usize>,
}

impl Tour {
    /// Starts the backends, makes an installation and starts the gateway.
    ///
    /// # Errors
    /// When something cannot be started.
    pub async fn prepare(sabotage: Option<usize>) -> Outcome<Self> {
        Ok(Self {
            stage: Stage::build().await?,
            sabotage,
        })
    }

    /// Walks through all steps; stops at the first that did not do what it said.
    ///
    /// # Errors
    /// With the step that did not hold.
    pub async fn walk(&mut self, out: &mut Out) -> Outcome {
        let mut narrator = Narrator::new(out);
        self.stage.introduce(&mut narrator)?;
        self.stage.furnish(&mut narrator).await?;
        for (place, says) in STEPS.iter().enumerate() {
            let number = place + 1;
            narrator.step(number, STEPS.len(), says)?;
            let sabotaged = self.sabotage == Some(number);
            let held = self.step(number, sabotaged, &mut narrator).await;
            match held {
                Ok(()) => narrator.held()?,
                Err(failure) => {
                    narrator.did_not_hold()?;
                    let message = format!("step {number} did not hold: {failure}");
                    return Err(Failure::new(message));
                }
            }
        }
        narrator.all_held(STEPS.len())?;
        Ok(())
    }

    async fn step(&mut self, number: usize, sabotaged: bool, say: &mut Narrator<'_>) -> Outcome {
        let stage = &mut self.stage;
        match number {
            1 => traffic_steps::mint(stage, sabotaged, say).await,
            2 => traffic_steps::stream(stage, sabotaged, say).await,
            3 => traffic_steps::other_model(stage, sabotaged, say).await,
            4 => traffic_steps::http_backend(stage, sabotaged, say).await,
            5 => traffic_steps::other_environment(stage, sabotaged, say).await,
            6 => traffic_steps::revoke(stage, sabotaged, say).await,
            7 => traffic_steps::rate_limit(stage, sabotaged, say).await,
            8 => audit_steps::shows_all(stage, sabotaged, say).await,
            9 => audit_steps::flipped_byte(stage, sabotaged, say).await,
            _ => Err(Failure::new("there is no such step")),
        }
    }

    /// What to try by hand while the tour stays up.
    ///
    /// # Errors
    /// When no token can be made, or the output is closed.
    pub async fn farewell(&mut self, out: &mut Out) -> Outcome {
        self.stage.farewell(&mut Narrator::new(out)).await
    }

    /// Stops everything and removes the directory.
    ///
    /// # Errors
    /// When the gateway could not be stopped in good order.
    pub async fn end(self) -> Outcome {
        self.stage.clear().await
    }
}

/// Fails with a sentence unless something holds.
fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(Failure::new(otherwise()))
    }
}

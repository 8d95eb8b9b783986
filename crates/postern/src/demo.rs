//! The guided tour.

use crate::cli::failure::Outcome;
use crate::cli::output::Out;

pub(crate) struct Tour;
pub(crate) const STEPS: [&str; 1] = ["nothing yet"];

impl Tour {
    pub(crate) async fn prepare(_sabotage: Option<usize>) -> Outcome<Self> {
        Ok(Self)
    }
    pub(crate) async fn walk(&mut self, _out: &mut Out) -> Outcome {
        Err(crate::cli::failure::Failure::new("the tour is not ready"))
    }
    pub(crate) fn farewell(&mut self, _out: &mut Out) -> Outcome {
        Ok(())
    }
    pub(crate) async fn end(self) -> Outcome {
        Ok(())
    }
}

//! The stages on a real store, real keys and a real audit log, with a clock that the test moves.

mod ending;
mod fixture;
mod recording;
mod who;

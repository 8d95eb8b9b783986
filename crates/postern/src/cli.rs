//! The command line.

pub mod escape;
pub mod failure;
pub mod output;
pub mod table;

//! The command line, the admin API and the demo as their users meet them: the real binary, real
//! sockets, an installation in a directory of its own.

mod advice;
mod apart;
mod data_rules;
mod demo;
mod door;
mod examples;
mod first_steps;
mod following;
mod house;
mod living;
mod metrics;
mod records;
mod terminal;

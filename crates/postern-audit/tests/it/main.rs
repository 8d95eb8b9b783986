//! The promises of the audit log, tested from outside: one module a promise.

mod append;
mod crash;
mod faults;
mod power;
mod read;
mod seals;
mod support;
mod tamper;

//! The integration tests of the workspace: one module a promise, one binary, real sockets.

mod clients;
mod door;
mod exchanges;
mod fuzz;
mod gateway;
mod malformed;
mod parse;
mod proxies;
mod sdk_anthropic;
mod sdk_google;
mod sdk_openai;
mod sdk_refusals;
mod smuggling;
mod wire;

//! The integration tests of the workspace: one module a promise, one binary, real sockets.

mod apart;
mod clients;
mod door;
mod exchanges;
mod fuzz;
mod gateway;
mod hostile;
mod killed;
mod malformed;
mod parse;
mod proxies;
mod revocation;
mod sdk_anthropic;
mod sdk_google;
mod sdk_masked;
mod sdk_openai;
mod sdk_refusals;
mod sealed;
mod smuggling;
mod usage;
mod wire;

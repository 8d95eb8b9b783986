//! The integration tests of the workspace: one module a promise, one binary, real sockets.

mod clients;
mod sdk_anthropic;
mod sdk_google;
mod sdk_openai;

//! Requests of the tour: printed as curl, sent by the program's own client.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use crate::cli::failure::{Failure, Outcome};
use crate::client::{self, Endpoint};

/// A piece of a stream must come within this time.
const PIECE: Duration = Duration::from_secs(10);

/// A request to the data plane.
pub(super) struct Call<'a> {
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    /// How the command names the token: a shell variable.
    pub(super) variable: &'a str,
    pub(super) body: Option<Value>,
}

/// An answer, read whole.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// An answer that comes in pieces.
pub(super) struct Flowing {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: hyper::body::Incoming,
}

/// The next piece of a stream.
pub(super) enum Piece {
    /// Bytes.
    Data(Bytes),
    /// The answer is over, as it should be.
    End,
    /// The connection broke.
    Broken(String),
    /// Nothing came in time.
    Silent,
}

impl Call<'_> {
    /// The request as a command to type.
    pub(super) fn as_curl(&self, base: &str) -> String {
        let stream = self
            .body
            .as_ref()
            .is_some_and(|body| body["stream"] == true);
        let mut command = format!("curl {}", if stream { "-sN " } else { "-s " });
        if self.method != "GET" && self.body.is_none() {
            command.push_str(&format!("-X {} ", self.method));
        }
        command.push_str(&format!("{base}{}", self.path));
        command.push_str(&format!(
            " \\\n  -H \"Authorization: Bearer ${}\"",
            self.variable
        ));
        if let Some(body) = &self.body {
            command.push_str(" \\\n  -H 'Content-Type: application/json'");
            command.push_str(&format!(" \\\n  -d '{body}'"));
        }
        command
    }

    async fn send(
        &self,
        base: &str,
        token: &str,
    ) -> Outcome<http::Response<hyper::body::Incoming>> {
        let fail = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
        let endpoint = Endpoint::of_url(base, None).map_err(|error| fail(&error))?;
        let body = self.body.as_ref().map(|body| Bytes::from(body.to_string()));
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header(header::HOST, endpoint.host())
            .header(header::USER_AGENT, "postern-demo")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(body.unwrap_or_default()));
        endpoint
            .send(request.map_err(|error| fail(&error))?)
            .await
            .map_err(|error| fail(&error))
    }

    /// Sends it and reads the answer whole.
    pub(super) async fn whole(&self, base: &str, token: &str) -> Outcome<Answered> {
        let response = self.send(base, token).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = client::read_whole(response).await;
        let body = body.map_err(|error| Failure::new(error.to_string()))?;
        Ok(Answered {
            status,
            headers,
            body,
        })
    }

    /// Sends it and gives the answer as it comes.
    pub(super) async fn flowing(&self, base: &str, token: &str) -> Outcome<Flowing> {
        let (head, body) = self.send(base, token).await?.into_parts();
        Ok(Flowing {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

impl Answered {
    /// The refusal code, if the gateway refused.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.headers
            .get("postern-refusal")
            .and_then(|value| value.to_str().ok())
    }

    /// Status, code and body in one line each.
    pub(super) fn summary(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let code = self
            .refusal()
            .map(|code| format!("  postern-refusal: {code}"));
        let retry = self
            .headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let retry = retry.map(|seconds| format!("  retry-after: {seconds}"));
        format!(
            "{}{}{}\n{}",
            self.status,
            code.unwrap_or_default(),
            retry.unwrap_or_default(),
            crate::cli::escape::plain(body.trim()),
        )
    }
}

impl Flowing {
    /// Waits for the next piece.
    pub(super) async fn piece(&mut self) -> Piece {
        self.piece_until(Instant::now() + PIECE).await
    }

    /// Waits for the next piece until a moment.
    pub(super) async fn piece_until(&mut self, moment: Instant) -> Piece {
        loop {
            let waiting = tokio::time::timeout_at(moment.into(), self.body.frame());
            match waiting.await {
                Err(_) => return Piece::Silent,
                Ok(None) => return Piece::End,
                Ok(Some(Err(error))) => return Piece::Broken(error.to_string()),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Piece::Data(data);
                    }
                }
            }
        }
    }
}

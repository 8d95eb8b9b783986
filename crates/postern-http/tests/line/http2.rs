//! Several requests on one connection: what ends one of them ends no other, and none without a
//! word.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use postern_store::Issued;
use postern_testkit::{Answer, Ending};

use crate::fixture::Line;

const STREAM: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[]}"#;
const EVENT: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"on and on \"}}]}\n\n";

type Client = SendRequest<Full<Bytes>>;

async fn connect(line: &Line) -> Client {
    let stream = tokio::net::TcpStream::connect(line.address).await.unwrap();
    let executor = TokioExecutor::new();
    let (client, connection) = handshake(executor, TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Sends a request; the answer's head, or why none came.
async fn ask(
    client: &mut Client,
    line: &Line,
    token: &Issued,
    (method, path, body): (&str, &str, &'static str),
) -> hyper::Result<Response<Incoming>> {
    let bearer = format!("Bearer {}", token.token.expose());
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{}{path}", line.address))
        .header("authorization", bearer)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from_static(body.as_bytes())))
        .unwrap();
    client.send_request(request).await
}

/// Reads until this text came, or the body ended; gives what came.
async fn read_until(body: &mut Incoming, text: &str) -> String {
    let mut seen = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = frame.ok().and_then(|frame| frame.into_data().ok());
        seen.extend_from_slice(&data.unwrap_or_default());
        if String::from_utf8_lossy(&seen).contains(text) {
            break;
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
fn the_head_of_an_answer_is_not_overtaken_by_its_reset() {
    // Goal: the client has the status and the request's id of what was broken off right behind its
    // head. Method: many times on one connection, since it is a matter of turns.
    let line = Line::new();
    let token = line.token(&["notes:call:GET /x"], &[]);
    line.block_on(async {
        let mut client = connect(&line).await;
        for round in 0..60 {
            let whole = Answer::new(200, "text/plain", "0123456789");
            line.upstream.queue(whole.ending(Ending::CloseAfter(0)));
            let asked = ask(&mut client, &line, &token, ("GET", "/notes/x", ""));
            let answer = asked.await;
            let answer = answer.unwrap_or_else(|error| panic!("round {round}: {error}"));
            assert_eq!(answer.status(), 200);
            assert!(answer.headers().contains_key("postern-request-id"));
            assert!(answer.into_body().collect().await.is_err(), "looks whole");
        }
    });
}

#[test]
fn a_revoke_ends_the_streams_of_its_token_and_no_other() {
    // Goal: tokens that share a connection, as behind a proxy, do not share its end. Method: an
    // endless stream of each of two tokens on one connection; one token is revoked.
    let line = Line::new();
    let tokens = [(); 2].map(|()| line.token(&["openai:invoke:gpt-4o-mini"], &[]));
    line.block_on(async {
        let mut client = connect(&line).await;
        let mut bodies = Vec::new();
        for token in &tokens {
            let endless = Answer::endless("", EVENT, Duration::from_millis(2));
            line.upstream.queue(endless);
            let chat = ("POST", "/openai/v1/chat/completions", STREAM);
            let answer = ask(&mut client, &line, token, chat).await.unwrap();
            assert_eq!(answer.status(), 200);
            let mut body = answer.into_body();
            read_until(&mut body, "on and on").await;
            bodies.push(body);
        }
        let id = tokens[0].row.id;
        tokio::task::block_in_place(|| line.revoke(id));
        let last = read_until(&mut bodies[0], "revoked").await;
        assert!(last.contains(r#"data: {"error":"#), "{last}");
        assert_eq!(
            read_until(&mut bodies[0], "on and on").await,
            "",
            "it ended"
        );
        for _ in 0..20 {
            let more = read_until(&mut bodies[1], "on and on").await;
            assert!(
                more.contains("on and on") && !more.contains("error"),
                "{more}"
            );
        }
    });
}

//! Revoke, and the next request is refused and everything under way ends.
//!
//! The clock starts when the command has returned: from then on the operator may rely on it.

use std::cell::Cell;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use postern_testkit::raw::{self, Conversation, End};
use postern_testkit::{Answer, Reading, ReplayUpstream, SeenRequest, exchange};
use serde_json::json;

use crate::gateway::{Gateway, Token};

/// How long anything of a revoked token may go on.
const END_MAX: Duration = Duration::from_millis(100);
/// What this machine may add to any one measured time when all tests run at once.
const NOISE: Duration = Duration::from_millis(400);
/// Rounds of which one must keep [`END_MAX`]: a busy machine delays one, a slow gateway all.
const ROUNDS: usize = 3;
/// A client that waits for longer than this would wait for ever.
const PATIENCE: Duration = Duration::from_secs(5);

struct Scene {
    upstream: ReplayUpstream,
    gateway: Gateway,
    token: Token,
    /// The longest time that anything took to end.
    slowest: Cell<Duration>,
}

impl Scene {
    fn new(answer: Answer) -> Self {
        let upstream = ReplayUpstream::start(move |_: &SeenRequest| answer.clone());
        let upstream = upstream.expect("the upstream starts");
        let gateway = Gateway::start();
        gateway.upstream("openai", "openai", &upstream.url(), crate::door::CREDENTIAL);
        gateway.upstream("back", "http", &upstream.url(), crate::door::CREDENTIAL);
        let token = gateway.token(&["openai:invoke:*", "back:call:GET|PUT /{path...} body=any"]);
        Self {
            upstream,
            gateway,
            token,
            slowest: Cell::default(),
        }
    }

    /// Sends a streaming chat request and gives the connection.
    fn stream(&self) -> TcpStream {
        let body = exchange::named("openai-chat-stream").request.body;
        self.send("POST", "/openai/v1/chat/completions", body.len(), &body)
    }

    /// Sends a request of `length` bytes with the first of them.
    fn send(&self, method: &str, target: &str, length: usize, first: &[u8]) -> TcpStream {
        let addr: SocketAddr = self.gateway.addr();
        let bearer = self.token.bearer();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {addr}\r\nAuthorization: {bearer}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(addr).expect("the gateway listens");
        stream
            .write_all(&[head.as_bytes(), first].concat())
            .expect("it reads");
        stream
    }

    /// Revokes the token; gives the moment when that was done.
    fn revoke(&self) -> Instant {
        self.gateway
            .json(&["token", "revoke", &self.token.id, "--reason", "a test"]);
        Instant::now()
    }

    fn took(&self, what: &str, time: Duration) {
        assert!(
            time < END_MAX + NOISE,
            "{what} took {time:?} after the revoke"
        );
        self.slowest.set(self.slowest.get().max(time));
    }

    /// The whole conversation of a client, which must have ended in time.
    fn ended(&self, reader: JoinHandle<Conversation>, revoked: Instant) -> Conversation {
        let conversation = reader.join().expect("the reader does not panic");
        let time = conversation.last_byte.saturating_duration_since(revoked);
        self.took("the client's end", time);
        let told = conversation
            .answers
            .last()
            .is_some_and(|answer| answer.complete);
        assert!(
            told || conversation.end != End::Quiet,
            "the client still waits"
        );
        conversation
    }

    /// Asserts that the upstream lost its client in time, and that the token opens nothing now.
    fn assert_over(&self, revoked: Instant) {
        assert!(
            self.upstream.wait_until(|upstream| upstream.hangups() > 0),
            "it is still served"
        );
        self.took("the upstream's end", revoked.elapsed());
        let bearer = self.token.bearer();
        let headers = [("authorization", bearer.as_str())];
        let again = raw::request(self.gateway.addr(), "GET", "/back/x", &headers, b"");
        assert_eq!(
            (again.status, again.header("postern-refusal")),
            (401, Some("unauthenticated"))
        );
    }
}

/// Plays rounds until one ends everything in time.
fn one_of_three(round: impl Fn() -> Scene) {
    let mut slowest = Vec::new();
    for _ in 0..ROUNDS {
        let took = round().slowest.get();
        if took <= END_MAX {
            return;
        }
        slowest.push(took);
    }
    panic!("no round ended within {END_MAX:?}: {slowest:?}");
}

/// Reads to the end of the answer on a thread of its own.
fn read_to_end(mut stream: TcpStream) -> JoinHandle<Conversation> {
    std::thread::spawn(move || raw::await_answer(&mut stream, PATIENCE))
}

fn endless(every: Duration) -> Answer {
    let stream = exchange::named("openai-chat-stream");
    let text = stream.response_text().expect("it is text");
    let events: Vec<&str> = text.split_inclusive("\n\n").collect();
    Answer::endless(events[0].to_owned(), events[2].to_owned(), every)
}

#[test]
fn a_revoke_ends_an_endless_stream() {
    one_of_three(|| {
        let scene = Scene::new(endless(Duration::from_millis(2)));
        let reader = read_to_end(scene.stream());
        assert!(
            scene
                .upstream
                .wait_until(|upstream| upstream.repeats() > 20)
        );
        let revoked = scene.revoke();
        let conversation = scene.ended(reader, revoked);
        let text = String::from_utf8_lossy(&conversation.bytes).into_owned();
        assert_eq!(conversation.answers[0].status, 200);
        // The end must not look like the end of a whole answer.
        assert!(!text.contains("[DONE]"), "{text}");
        let last = text
            .rfind("data: ")
            .map(|at| &text[at..])
            .expect("events came");
        assert!(
            last.contains("\"error\"") && last.contains("revoked"),
            "{last}"
        );
        scene.assert_over(revoked);
        scene
    });
}

// Goal: a rotation without a grace takes the old secret for stolen and ends what runs under it; one
// with a grace leaves it alone. Method: one endless stream, rotated both ways.
#[test]
fn a_rotation_without_a_grace_ends_what_runs() {
    one_of_three(|| {
        let scene = Scene::new(endless(Duration::from_millis(2)));
        let reader = read_to_end(scene.stream());
        let goes_on = |from: usize| {
            scene
                .upstream
                .wait_until(move |upstream| upstream.repeats() > from + 20)
        };
        assert!(goes_on(0));
        let rotate = |grace: &str| {
            scene
                .gateway
                .json(&["token", "rotate", &scene.token.id, "--grace", grace]);
            Instant::now()
        };
        rotate("1h");
        assert!(
            goes_on(scene.upstream.repeats()),
            "a grace is for what runs"
        );
        assert_eq!(scene.upstream.hangups(), 0);
        let rotated = rotate("0s");
        let conversation = scene.ended(reader, rotated);
        let text = String::from_utf8_lossy(&conversation.bytes).into_owned();
        assert!(text.contains("\"error\"") && !text.contains("[DONE]"));
        scene.assert_over(rotated);
        scene
    });
}

#[test]
fn a_revoke_ends_the_wait_for_a_silent_upstream() {
    one_of_three(|| {
        let scene = Scene::new(Answer::silent());
        let reader = read_to_end(scene.stream());
        assert!(
            scene
                .upstream
                .wait_until(|upstream| upstream.requests().len() == 1)
        );
        let revoked = scene.revoke();
        let conversation = scene.ended(reader, revoked);
        let answer = conversation.answers.first().expect("the client is told");
        assert_eq!(
            (answer.status, answer.header("postern-refusal")),
            (401, Some("revoked"))
        );
        scene.assert_over(revoked);
        scene
    });
}

// Goal: a client that does not read cannot keep a stream alive. Method: an endless stream faster
// than any socket buffer, a client that takes nothing, and the upstream's view of the connection.
#[test]
fn a_revoke_ends_the_stream_of_a_stalled_client() {
    one_of_three(|| {
        let scene = Scene::new(endless(Duration::ZERO));
        let stalled = scene.stream();
        // Full when the upstream's own writes stall: what it has sent no longer grows.
        let mut sent = 0;
        while {
            std::thread::sleep(Duration::from_millis(100));
            std::mem::replace(&mut sent, scene.upstream.repeats()) != sent || sent == 0
        } {}
        let revoked = scene.revoke();
        scene.assert_over(revoked);
        drop(stalled);
        scene
    });
}

#[test]
fn a_revoke_ends_a_body_that_is_still_being_uploaded() {
    one_of_three(|| {
        let scene = Scene::new(Answer::json(200, &json!({})));
        let reader = read_to_end(scene.send("PUT", "/back/upload", 1 << 20, &[b'x'; 4096]));
        assert!(
            scene
                .upstream
                .wait_until(|upstream| upstream.requests().len() == 1)
        );
        let revoked = scene.revoke();
        let conversation = scene.ended(reader, revoked);
        if let Some(answer) = conversation.answers.first() {
            assert_eq!(
                (answer.status, answer.header("postern-refusal")),
                (401, Some("revoked"))
            );
        }
        scene.assert_over(revoked);
        assert!(
            !scene.upstream.requests()[0].complete,
            "half a body was made whole"
        );
        scene
    });
}

// Goal: the same for an upload that the gateway still reads itself. Method: an AI request, which
// goes on only when it is whole, of which one byte is missing.
#[test]
fn a_revoke_ends_a_request_that_is_not_forwarded_yet() {
    one_of_three(|| {
        let scene = Scene::new(Answer::json(200, &json!({})));
        scene.upstream.set_reading(Reading::Whole);
        let body = exchange::named("openai-chat-plain").request.body;
        let target = "/openai/v1/chat/completions";
        let stream = scene.send("POST", target, body.len(), &body[..body.len() - 1]);
        let reader = read_to_end(stream.try_clone().expect("a socket can be shared"));
        // The gateway has the head when it answers a later request of another connection.
        let bearer = scene.token.bearer();
        let headers = [("authorization", bearer.as_str())];
        let other = raw::request(scene.gateway.addr(), "GET", "/back/x", &headers, b"");
        assert_eq!(other.status, 200);
        let revoked = scene.revoke();
        let conversation = scene.ended(reader, revoked);
        let answer = conversation.answers.first().expect("the client is told");
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert_eq!(
            scene.upstream.requests().len(),
            1,
            "an incomplete request was forwarded"
        );
        drop(stream);
        scene
    });
}

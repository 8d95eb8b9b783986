//! Steps 1 to 7: tokens and the requests they open, or do not.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::{Value, json};

use super::call::{Call, Flowing, Piece};
use super::expect;
use super::narrator::Narrator;
use super::sandbox::{ENDLESS, WORDS};
use super::stage::Stage;
use crate::cli::failure::{Failure, Outcome};
use crate::shapes::Token;

/// Where a stream must have ended after its token was revoked. It takes milliseconds; a busy
/// machine gets more.
const CUT_WITHIN: Duration = Duration::from_secs(2);
/// Requests that the limited token has per minute.
const RATE: usize = 3;

const OPENAI_GRANT: &str = "openai:invoke:gpt-4o-mini";
const NOTES_GRANT: &str = "notes:call:GET /notes";

fn token_line<'a>(env: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut line = vec![
        "token",
        "create",
        "--env",
        env,
        "--principal",
        "service:tour",
    ];
    line.extend(more);
    line.extend(["--ttl", "1h"]);
    line
}

pub(super) async fn mint(stage: &mut Stage, sabotaged: bool, say: &mut Narrator<'_>) -> Outcome {
    let grant = if sabotaged {
        "openai:invoke:*"
    } else {
        OPENAI_GRANT
    };
    let more = [
        "--grant",
        grant,
        "--grant",
        NOTES_GRANT,
        "--limit",
        "concurrency=3",
    ];
    stage.mint(say, "TOKEN", &token_line("dev", &more)).await?;
    let id = stage.token("TOKEN").id.clone();
    let printed = stage.run(say, &["token", "show", &id]).await?;
    printed.ended?;
    say.answer(&printed.text)?;
    let token: Token = stage.ask(&["token", "show", &id]).await?;
    expect(token.grants.len() == 2 && !token.includes_future, || {
        "the token reaches more than was asked for".to_owned()
    })?;
    expect(
        !printed.text.contains(stage.token("TOKEN").token.expose()),
        || "the token is shown a second time".to_owned(),
    )
}

fn chat(model: &str, prompt: &str, stream: bool) -> Value {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": prompt }] });
    if stream {
        body["stream"] = json!(true);
    }
    body
}

fn chat_call<'a>(variable: &'a str, body: Value) -> Call<'a> {
    Call {
        method: "POST",
        path: "/openai/v1/chat/completions",
        variable,
        body: Some(body),
    }
}

pub(super) async fn stream(stage: &mut Stage, sabotaged: bool, say: &mut Narrator<'_>) -> Outcome {
    if sabotaged {
        stage.sandbox.break_streams();
    }
    let call = chat_call("TOKEN", chat("gpt-4o-mini", "What is a postern?", true));
    say.command(&call.as_curl(&stage.base()))?;
    let token = stage.token("TOKEN").token.expose();
    let mut flowing = call.flowing(&stage.base(), token).await?;
    expect(flowing.status == StatusCode::OK, || {
        format!("the answer is {}", flowing.status)
    })?;
    say.answer(&head_line(&flowing))?;
    say.piece("     ")?;
    let mut events = Events::default();
    let mut pieces = 0;
    loop {
        match flowing.piece().await {
            Piece::Data(data) => {
                pieces += 1;
                for word in events.push(&data) {
                    say.piece(&word)?;
                }
            }
            Piece::End => break,
            Piece::Broken(why) => return Err(Failure::new(format!("the stream broke: {why}"))),
            Piece::Silent => return Err(Failure::new("the stream fell silent")),
        }
    }
    say.end_of_line()?;
    expect(events.said == WORDS.concat(), || {
        format!("it said {:?}", events.said)
    })?;
    expect(events.done, || {
        "the stream has no end of its own".to_owned()
    })?;
    expect(pieces > 2, || {
        "the words came at once, not as a stream".to_owned()
    })
}

fn head_line(flowing: &Flowing) -> String {
    let header = |name: &str| {
        let value = flowing
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or("-").to_owned()
    };
    format!(
        "{}  {}  postern-request-id: {}",
        flowing.status,
        header("content-type"),
        header("postern-request-id")
    )
}

/// The words of a chat stream, put together from its events.
#[derive(Default)]
struct Events {
    held: String,
    said: String,
    done: bool,
    error: Option<String>,
}

impl Events {
    /// Takes bytes; gives the words that became whole.
    fn push(&mut self, data: &[u8]) -> Vec<String> {
        self.held.push_str(&String::from_utf8_lossy(data));
        let mut words = Vec::new();
        while let Some(end) = self.held.find("\n\n") {
            let rest = self.held.split_off(end + 2);
            let event = std::mem::replace(&mut self.held, rest);
            for data in event.lines().filter_map(|line| line.strip_prefix("data: ")) {
                self.event(data, &mut words);
            }
        }
        words
    }

    fn event(&mut self, data: &str, words: &mut Vec<String>) {
        if data == "[DONE]" {
            self.done = true;
            return;
        }
        let Ok(event) = serde_json::from_str::<Value>(data) else {
            return;
        };
        if event["error"].is_object() {
            self.error = Some(event["error"].to_string());
        }
        if let Some(word) = event["choices"][0]["delta"]["content"].as_str() {
            self.said.push_str(word);
            words.push(word.to_owned());
        }
    }
}

pub(super) async fn other_model(
    stage: &mut Stage,
    sabotaged: bool,
    say: &mut Narrator<'_>,
) -> Outcome {
    let mut variable = "TOKEN";
    if sabotaged {
        let wide = token_line("dev", &["--grant", "openai:invoke:*"]);
        stage.mint(say, "WIDE_TOKEN", &wide).await?;
        variable = "WIDE_TOKEN";
    }
    let call = chat_call(variable, chat("gpt-4o", "Just this once?", false));
    must_refuse(stage, say, &call, "denied").await
}

/// Sends a call that the gateway must refuse with this code.
async fn must_refuse(
    stage: &Stage,
    say: &mut Narrator<'_>,
    call: &Call<'_>,
    code: &str,
) -> Outcome {
    say.command(&call.as_curl(&stage.base()))?;
    let token = stage.token(if call.variable.is_empty() {
        "TOKEN"
    } else {
        call.variable
    });
    let answered = call.whole(&stage.base(), token.token.expose()).await?;
    say.answer(&answered.summary())?;
    expect(answered.refusal() == Some(code), || {
        format!(
            "the gateway answered {} instead of refusing with {code}",
            answered.status
        )
    })
}

pub(super) async fn http_backend(
    stage: &mut Stage,
    sabotaged: bool,
    say: &mut Narrator<'_>,
) -> Outcome {
    let mut variable = "TOKEN";
    if sabotaged {
        let grant = "notes:call:GET /notes,DELETE /notes/{id}";
        stage
            .mint(say, "WIDE_TOKEN", &token_line("dev", &["--grant", grant]))
            .await?;
        variable = "WIDE_TOKEN";
    }
    let read = Call {
        method: "GET",
        path: "/notes/notes",
        variable,
        body: None,
    };
    say.command(&read.as_curl(&stage.base()))?;
    let token = stage.token(variable).token.expose();
    let answered = read.whole(&stage.base(), token).await?;
    say.answer(&answered.summary())?;
    expect(answered.status == StatusCode::OK, || {
        format!("reading gave {}", answered.status)
    })?;
    let delete = Call {
        method: "DELETE",
        path: "/notes/notes/1",
        variable,
        body: None,
    };
    must_refuse(stage, say, &delete, "denied").await
}

pub(super) async fn other_environment(
    stage: &mut Stage,
    sabotaged: bool,
    say: &mut Narrator<'_>,
) -> Outcome {
    let mut grants = vec!["--grant", NOTES_GRANT];
    if sabotaged {
        let key = format!("file:{}", stage.scratch("sandbox-key").display());
        let url = stage.sandbox_url();
        let line = [
            "upstream",
            "create",
            "openai",
            "--env",
            "prod",
            "--kind",
            "openai",
            "--url",
            &url,
            "--credential",
            &key,
        ];
        stage.must(say, &line).await?;
        grants.extend(["--grant", OPENAI_GRANT]);
    }
    stage
        .mint(say, "PROD_TOKEN", &token_line("prod", &grants))
        .await?;
    let call = chat_call(
        "PROD_TOKEN",
        chat("gpt-4o-mini", "Is this door open?", false),
    );
    must_refuse(stage, say, &call, "unknown_upstream").await?;
    say.remark("The same name in its own environment is another backend:")?;
    let own = Call {
        method: "GET",
        path: "/notes/notes",
        variable: "PROD_TOKEN",
        body: None,
    };
    say.command(&own.as_curl(&stage.base()))?;
    let answered = own
        .whole(&stage.base(), stage.token("PROD_TOKEN").token.expose())
        .await?;
    say.answer(&answered.summary())?;
    let body = String::from_utf8_lossy(&answered.body);
    expect(
        body.contains("production") && !body.contains("plants"),
        || "the notes are not those of its own environment".to_owned(),
    )
}

pub(super) async fn revoke(stage: &mut Stage, sabotaged: bool, say: &mut Narrator<'_>) -> Outcome {
    let grants = ["--grant", OPENAI_GRANT, "--purpose", "a stream that is cut"];
    stage
        .mint(say, "ENDLESS_TOKEN", &token_line("dev", &grants))
        .await?;
    let prompt = format!("Tell me a story {ENDLESS}.");
    let call = chat_call("ENDLESS_TOKEN", chat("gpt-4o-mini", &prompt, true));
    say.command(&call.as_curl(&stage.base()))?;
    let token = stage.token("ENDLESS_TOKEN");
    let (id, token) = (token.id.clone(), token.token.expose().to_owned());
    let mut flowing = call.flowing(&stage.base(), &token).await?;
    expect(flowing.status == StatusCode::OK, || {
        format!("the answer is {}", flowing.status)
    })?;
    let mut events = Events::default();
    say.piece("     ")?;
    while events.said.len() < WORDS.concat().len() + 20 {
        let Piece::Data(data) = flowing.piece().await else {
            return Err(Failure::new(
                "the stream ended before its token was revoked",
            ));
        };
        for word in events.push(&data) {
            say.piece(&word)?;
        }
    }
    say.piece("…")?;
    say.end_of_line()?;
    if !sabotaged {
        let line = [
            "token",
            "revoke",
            &id,
            "--reason",
            "the tour is over for it",
        ];
        stage.must(say, &line).await?;
    }
    let revoked_at = Instant::now();
    let ended = drain(&mut flowing, &mut events, revoked_at + CUT_WITHIN).await;
    let took = revoked_at.elapsed();
    expect(ended, || {
        format!("the stream still ran {CUT_WITHIN:?} later")
    })?;
    say.answer(&format!(
        "the stream was cut {} ms after the answer to revoke",
        took.as_millis()
    ))?;
    let error = events.error.as_deref();
    expect(error.is_some_and(|error| error.contains("revoked")), || {
        "the stream ended without saying why".to_owned()
    })?;
    say.answer(&format!("its last event: {}", error.unwrap_or_default()))?;
    let call = chat_call("ENDLESS_TOKEN", chat("gpt-4o-mini", "And now?", false));
    must_refuse(stage, say, &call, "unauthenticated").await
}

/// Reads until the stream is over, or a moment comes.
async fn drain(flowing: &mut Flowing, events: &mut Events, moment: Instant) -> bool {
    loop {
        match flowing.piece_until(moment).await {
            Piece::Data(data) => {
                events.push(&data);
                if Instant::now() >= moment {
                    return false;
                }
            }
            Piece::End | Piece::Broken(_) => return true,
            Piece::Silent => return false,
        }
    }
}

pub(super) async fn rate_limit(
    stage: &mut Stage,
    sabotaged: bool,
    say: &mut Narrator<'_>,
) -> Outcome {
    let limit = format!("requests={RATE}/minute");
    let mut more = vec!["--grant", OPENAI_GRANT];
    if !sabotaged {
        more.extend(["--limit", &limit]);
    }
    stage
        .mint(say, "LIMITED_TOKEN", &token_line("dev", &more))
        .await?;
    let call = chat_call("LIMITED_TOKEN", chat("gpt-4o-mini", "Knock, knock.", false));
    say.command(&call.as_curl(&stage.base()))?;
    say.remark(&format!("… {} times:", RATE + 1))?;
    let token = stage.token("LIMITED_TOKEN").token.expose();
    for _ in 0..RATE {
        let answered = call.whole(&stage.base(), token).await?;
        say.answer(&answered.status.to_string())?;
        expect(answered.status == StatusCode::OK, || {
            format!(
                "a request within the limit was answered {}",
                answered.status
            )
        })?;
    }
    let answered = call.whole(&stage.base(), token).await?;
    say.answer(&answered.summary())?;
    let after = answered.headers.get(http::header::RETRY_AFTER);
    expect(
        answered.status == StatusCode::TOO_MANY_REQUESTS && after.is_some(),
        || format!("request {} was answered {}", RATE + 1, answered.status),
    )
}

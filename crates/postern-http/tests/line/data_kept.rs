//! Placeholders over several requests: turned back for the token that sent the value, and for
//! nobody else.

use postern_store::Issued;
use postern_testkit::raw::RawAnswer;
use postern_testkit::{Answer, Cut};
use serde_json::{Value, json};

use crate::data::{CARD, refused, rule};
use crate::fixture::{Line, env};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn ask(line: &Line, token: &Issued, request: &Value) -> RawAnswer {
    let body = request.to_string();
    line.request(
        token,
        "POST",
        "/openai/v1/responses",
        &JSON,
        body.as_bytes(),
    )
}

/// Says the card to the model; gives the placeholder that the provider saw.
fn begin(line: &Line, token: &Issued) -> String {
    line.upstream.queue(said("resp_1", "ok"));
    let request = json!({"model": "m", "input": format!("my card is {CARD} ok")});
    let answer = ask(line, token, &request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = line.upstream.take_requests().remove(0);
    let seen = String::from_utf8(seen.body).unwrap();
    assert!(!seen.contains(CARD));
    let at = seen.find("CARD_").unwrap();
    seen[at..at + "CARD_".len() + 16].to_owned()
}

/// Refers to the first answer and has the model name the placeholder.
fn go_on(line: &Line, token: &Issued, placeholder: &str) -> RawAnswer {
    line.upstream
        .queue(said("resp_2", &format!("it is {placeholder} still")));
    let request = json!({"model": "m", "input": "which?", "previous_response_id": "resp_1"});
    ask(line, token, &request)
}

fn said(id: &str, text: &str) -> Answer {
    let content = json!([{"type": "output_text", "text": text}]);
    let output = json!([{"type": "message", "role": "assistant", "content": content}]);
    Answer::json(
        200,
        &json!({"object": "response", "id": id, "status": "completed", "output": output}),
    )
}

#[test]
fn a_conversation_that_the_provider_keeps_is_turned_back_over_requests() {
    // Goal: a later answer that names a value of an earlier request gives it back, whole and in a
    // stream, for each scope wider than the request, and for none that is not. Method: a provider
    // whose second answer names the placeholder of the first request.
    for (action, restores) in [
        ("pseudonym", false),
        ("pseudonym:conversation", true),
        ("pseudonym:token", true),
        ("pseudonym:environment", true),
    ] {
        let line = Line::new();
        line.rule("cards", rule(&["request"], action));
        let token = line.master();
        let placeholder = begin(&line, &token);
        let shown = if restores { CARD } else { &placeholder };
        let answer = go_on(&line, &token, &placeholder);
        let expected = format!("it is {shown} still");
        assert!(
            answer.text().contains(&expected),
            "{action}: {}",
            answer.text()
        );

        let delta = json!({"type": "response.output_text.delta", "item_id": "i",
            "output_index": 0, "content_index": 0, "delta": format!("so {placeholder} it is")});
        let stream = format!("event: response.output_text.delta\ndata: {delta}\n\n");
        line.upstream
            .queue(Answer::events(stream).cut(Cut::Every(5)));
        let request = json!({"model": "m", "input": "again?", "stream": true,
            "previous_response_id": "resp_1"});
        let answer = ask(&line, &token, &request);
        assert!(answer.text().contains(shown), "{action}: {}", answer.text());
    }
}

#[test]
fn a_placeholder_stays_the_same_in_its_conversation() {
    // Goal: a model takes one person for one person through a conversation, and nobody can tell
    // that two conversations are about the same. Method: the card again, in requests that go on
    // from an answer and from a streamed one, and that begin anew.
    let line = Line::new();
    line.rule("cards", rule(&["request"], "pseudonym:conversation"));
    let token = line.master();
    let first = begin(&line, &token);
    let sent = |answer: Answer, mut request: Value| {
        request["model"] = json!("m");
        request["input"] = json!(format!("again {CARD} ok"));
        line.upstream.queue(answer);
        let answer = ask(&line, &token, &request);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = line.upstream.take_requests().remove(0);
        let seen = String::from_utf8(seen.body).unwrap();
        let at = seen.find("CARD_").unwrap();
        seen[at..at + first.len()].to_owned()
    };
    let created = json!({"type": "response.created", "response": {"object": "response",
        "id": "resp_2", "output": []}});
    let stream = Answer::events(format!("event: response.created\ndata: {created}\n\n"));
    let from_first = json!({"previous_response_id": "resp_1", "stream": true});
    assert_eq!(sent(stream, from_first), first);
    let from_second = json!({"previous_response_id": "resp_2"});
    assert_eq!(sent(said("resp_3", "ok"), from_second), first);
    let other = sent(said("resp_4", "ok"), json!({}));
    assert_ne!(other, first);
    let from_other = json!({"previous_response_id": "resp_4"});
    assert_eq!(sent(said("resp_5", "ok"), from_other), other);
}

#[test]
fn placeholders_are_never_turned_back_for_another_token() {
    // Goal: who learns a placeholder does not learn its value. Method: another token of the same
    // principal, which may refer to the same answers, and a rule whose placeholders are alike in
    // all of the environment.
    let line = Line::new();
    line.rule("cards", rule(&["request"], "pseudonym:environment"));
    let placeholder = begin(&line, &line.master());
    let other = line.master();
    for _ in 0..2 {
        let answer = go_on(&line, &other, &placeholder);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.text().contains(&placeholder) && !answer.text().contains(CARD));
        // It has placeholders of its own by now.
        line.upstream.queue(said("resp_3", "ok"));
        ask(
            &line,
            &other,
            &json!({"model": "m", "input": "a@example.com 4111111111111111"}),
        );
    }
}

#[test]
fn what_cannot_be_kept_does_not_leave_and_a_revoked_tokens_is_gone() {
    // Goal: a value whose placeholder could not be turned back later is not sent; nothing outlives
    // its token. Method: a token that is revoked; then a store that is closed under a token whose
    // record is in memory.
    let line = Line::new();
    line.rule("cards", rule(&["request"], "pseudonym:token"));
    let (revoked, token) = (line.master(), line.master());
    begin(&line, &revoked);
    let store = line.guard.store().clone();
    let now = line.guard.clock().now();
    let dev = env("dev");
    let kept = || line.block_on(store.pseudonyms().read(&dev, &revoked.row.id, now));
    assert!(kept().unwrap().is_some());
    line.revoke(revoked.row.id);
    assert!(kept().unwrap().is_none());

    begin(&line, &token);
    line.block_on(store.close());
    let request = json!({"model": "m", "input": format!("and {CARD} again"), "store": false});
    let answer = ask(&line, &token, &request);
    assert_eq!(refused(&answer), Some("store_unavailable"));
    assert!(line.upstream.take_requests().is_empty());
}

#[test]
fn requests_at_the_same_time_lose_no_placeholder() {
    // Goal: what one request keeps is not written over by another. Method: requests side by side,
    // each with a value of its own; afterwards one answer names them all.
    let line = Line::new();
    line.rule(
        "people",
        json!({"directions": ["request"], "classes": ["email"],
        "action": "pseudonym:token"}),
    );
    let token = line.master();
    let mails: Vec<String> = (0..8).map(|n| format!("user{n}@example.com")).collect();
    for _ in &mails {
        line.upstream.queue(Answer::json(200, &json!({})));
    }
    std::thread::scope(|scope| {
        for mail in &mails {
            let (line, token) = (&line, &token);
            scope.spawn(move || {
                let body = json!({ "to": mail }).to_string();
                let answer = line.request(token, "POST", "/notes/a", &JSON, body.as_bytes());
                assert_eq!(answer.status, 200, "{}", answer.text());
            });
        }
    });
    let seen: Vec<Value> = line
        .upstream
        .take_requests()
        .iter()
        .map(|request| request.json().unwrap()["to"].clone())
        .collect();
    assert_eq!(seen.len(), mails.len());
    line.upstream
        .queue(Answer::json(200, &json!({ "all": seen })));
    let answer = line.request(&token, "GET", "/notes/a", &[], b"");
    let text = answer.text();
    assert!(mails.iter().all(|mail| text.contains(mail)), "{text}");
}

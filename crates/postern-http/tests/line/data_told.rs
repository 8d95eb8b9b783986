//! What clients and operators are told where a data rule refuses, or would.

use postern_testkit::{Answer, Cut};
use postern_types::OutcomeRecord;
use serde_json::{Value, json};

use crate::data::{CARD, echoing, post, refused, rule, with};
use crate::fixture::Line;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn picture() -> Value {
    let url = json!({"url": "data:image/png;base64,AAAA"});
    json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "text", "text": format!("my card is {CARD}")},
        {"type": "image_url", "image_url": url}]}]})
}

fn twice() -> String {
    let answer = json!({"object": "chat.completion", "choices": []}).to_string();
    answer.replacen('{', "{\"x\":1,\"x\":2,", 1)
}

#[test]
fn a_dry_run_records_what_it_would_refuse() {
    // Goal: who looks at a dry run sees what a rule will refuse once it acts, and the values beside
    // it. Method: a picture beside a value, a key that stands twice, in a request and an answer;
    // everything passes as it came.
    let line = Line::new();
    let both = rule(&["request", "response"], "mask");
    line.rule("cards", with(both, "dry_run", json!(true)));
    let token = line.master();
    line.upstream
        .queue(Answer::new(200, "application/json", twice()));
    let body = picture().to_string();
    let answer = line.chat(&token, &body);
    assert_eq!(answer.text(), twice());
    let sent = line.upstream.take_requests().remove(0);
    assert_eq!(sent.body, body.as_bytes());
    let odd = b"{\"a\":1,\"a\":2}";
    line.upstream.queue(Answer::new(204, "text/plain", ""));
    line.request(&token, "POST", "/notes/a", &JSON, odd);
    line.upstream.queue(Answer::new(204, "text/plain", ""));
    let image = [("content-type", "image/png")];
    line.request(&token, "POST", "/notes/a", &image, &[0x89, 1]);
    let told: Vec<Vec<String>> = line
        .outcomes(3)
        .iter()
        .map(|outcome| {
            let all = outcome.findings.iter();
            let all = all.filter(|it| it.dry_run);
            all.map(|it| format!("{} {}", it.class, it.direction.as_str()))
                .collect()
        })
        .collect();
    let unread = |direction: &str| format!("custom:cannot_inspect {direction}");
    assert!(told[0].contains(&"card request".to_owned()), "{told:?}");
    for direction in ["request", "response"] {
        assert!(told[0].contains(&unread(direction)), "{told:?}");
    }
    assert_eq!(told[1..], [[unread("request")], [unread("request")]]);
}

#[test]
fn a_blocked_request_or_answer_tells_what_was_found() {
    let line = Line::new();
    let both = rule(&["request", "response"], "block");
    line.rule("cards", with(both, "tell_client", json!(true)));
    let token = line.master();
    let said = |text: &str| json!({"model": "m", "messages": [{"role": "user", "content": text}]});
    let request = line.chat(&token, &said(CARD).to_string());
    assert_eq!(refused(&request), Some("data_blocked"));
    assert_eq!(request.header("postern-findings"), Some("card=1"));
    assert_eq!(request.header("postern-findings-of"), Some("request"));
    let answer = json!({"object": "chat.completion", "choices": [{"index": 0, "message":
        {"role": "assistant", "content": CARD}}]});
    line.upstream.queue(Answer::json(200, &answer));
    let answer = line.chat(&token, &said("hi").to_string());
    assert_eq!(refused(&answer), Some("data_blocked"));
    assert_eq!(answer.header("postern-findings"), Some("card=1"));
    assert_eq!(
        answer.header("postern-findings-of"),
        Some("request, response")
    );
    assert_eq!(line.outcomes(2)[0].findings.len(), 1, "it is recorded too");
}

#[test]
fn what_cannot_be_inspected_says_which_and_why() {
    // Goal: a developer sees what to mend: the request or the answer, and the sort of thing, never
    // what stood there.
    let line = Line::new();
    line.rule("cards", rule(&["request", "response"], "mask"));
    let token = line.master();
    let request = line.chat(&token, &picture().to_string());
    assert_eq!(refused(&request), Some("cannot_inspect"));
    let text = request.text();
    assert!(
        text.contains("(request: it holds content that is no text)"),
        "{text}"
    );
    assert!(!text.contains("AAAA") && !text.contains(CARD), "{text}");
    assert_eq!(request.header("retry-after"), None);
    line.upstream
        .queue(Answer::new(200, "application/json", twice()));
    let fine = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let answer = line.chat(&token, &fine.to_string());
    assert_eq!(refused(&answer), Some("cannot_inspect"));
    assert!(answer.text().contains("(answer: "), "{}", answer.text());
}

#[test]
fn what_is_found_in_a_list_of_models_is_told() {
    // Goal: the list is an answer like others. Method: a value in a field of a model, masked, and
    // then blocked.
    for (action, status) in [("mask", 200), ("block", 403)] {
        let line = Line::new();
        let told = with(rule(&["response"], action), "tell_client", json!(true));
        line.rule("cards", told);
        let model = json!({"id": "gpt-4o-mini", "object": "model", "owned_by": CARD});
        let list = json!({"object": "list", "data": [model]});
        line.upstream
            .queue(Answer::new(200, "application/json", list.to_string()));
        let got = line.request(&line.master(), "GET", "/openai/v1/models", &[], b"");
        assert_eq!(got.status, status, "{}", got.text());
        assert_eq!(got.header("postern-findings"), Some("card=1"), "{action}");
        let of = got.header("postern-findings-of");
        assert_eq!(of, Some("request, response"), "{action}");
        assert!(!got.text().contains(CARD));
    }
}

#[test]
fn findings_are_recorded_and_told_where_a_rule_says_so() {
    let both = rule(&["request", "response"], "mask");
    let line = echoing(with(both, "tell_client", json!(true)));
    let body = format!("{{\"a\":\"{CARD}\",\"b\":\"{CARD}\"}}");
    let answer = post(&line, "application/json", body.as_bytes());
    assert_eq!(answer.header("postern-findings"), Some("card=2"));
    assert_eq!(
        answer.header("postern-findings-of"),
        Some("request, response")
    );
    // A text that is not held goes on before all of it was looked at.
    let long = "so ".repeat(6000) + CARD;
    let text = post(&line, "text/plain", long.as_bytes());
    assert_eq!(text.header("postern-findings"), Some("card=1"));
    assert_eq!(text.header("postern-findings-of"), Some("request"));
    let outcomes = line.outcomes(2);
    let count = |outcome: &OutcomeRecord| outcome.findings.iter().map(|it| it.count).sum::<u32>();
    assert_eq!(outcomes.iter().map(count).collect::<Vec<_>>(), [2, 1]);
    let record = format!("{outcomes:?}");
    assert!(
        !record.contains(CARD) && !record.contains("1486"),
        "{record}"
    );
}

#[test]
fn a_small_text_is_refused_in_its_head() {
    // Goal: what is wrong with a text that is no stream is said like that of any document. Method:
    // texts that say their length, whole and in pieces, with a value under a block, and with bytes
    // that are no text; and texts, short and long, in which nothing is wrong.
    let line = Line::new();
    let cards = rule(&["response"], "block");
    line.rule("cards", with(cards, "tell_client", json!(true)));
    let token = line.master();
    let ask = |answer: Answer| {
        line.upstream.queue(answer);
        line.request(&token, "POST", "/notes/a", &JSON, b"{}")
    };
    let text = |body: &[u8]| Answer::new(200, "text/plain", body.to_vec());
    let card = format!("it is {CARD}, so").into_bytes();
    for cut in [1, 4096] {
        let blocked = ask(text(&card).cut(Cut::Every(cut)));
        assert_eq!(refused(&blocked), Some("data_blocked"));
        let said = (
            blocked.header("postern-findings"),
            blocked.header("postern-findings-of"),
        );
        assert_eq!(said, (Some("card=1"), Some("request, response")));
        let odd = ask(text(b"it is \xff so").cut(Cut::Every(cut)));
        assert_eq!(refused(&odd), Some("cannot_inspect"));
    }
    let fine = ask(text(b"it is so"));
    assert_eq!((fine.status, fine.text().as_str()), (200, "it is so"));
    let long = "so it is ".repeat(4000);
    let fine = ask(text(long.as_bytes()));
    assert_eq!((fine.status, fine.text().as_str()), (200, long.as_str()));
}

#[test]
fn a_head_alone_tells_nothing_of_bytes_that_do_not_pass() {
    // Goal: what HEAD answers is true of what GET would: length, validators and digests are not
    // those of bytes that are changed. Method: heads of a text, of one that was not changed since,
    // and of a picture, which passes as it is.
    let line = Line::new();
    let cards = rule(&["response"], "mask");
    line.rule("cards", with(cards, "opaque", json!("allow")));
    let token = line.master();
    let said = format!("it is {CARD}, so");
    let ask = |method: &str, status: u16, kind: &str| {
        let answer = Answer::new(status, kind, said.clone())
            .header("etag", "\"1\"")
            .header("digest", "sha-256=AA==");
        line.upstream.queue(answer);
        line.request(&token, method, "/notes/a", &[], b"")
    };
    for (method, status) in [("HEAD", 200), ("HEAD", 404), ("GET", 304)] {
        let head = ask(method, status, "text/plain");
        assert_eq!((head.status, head.text().as_str()), (status, ""));
        for gone in ["etag", "digest", "content-length"] {
            assert_eq!(head.header(gone), None, "{method} {status}: {gone}");
        }
    }
    let picture = ask("HEAD", 200, "image/png");
    let length = said.len().to_string();
    assert_eq!(picture.header("etag"), Some("\"1\""));
    assert_eq!(picture.header("content-length"), Some(length.as_str()));
}

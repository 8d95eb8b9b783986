//! Data rules on AI requests and answers: documents and streams of each dialect.

use postern_testkit::{Answer, Cut, Gzip, ReplayUpstream, SeenRequest};
use serde_json::{Value, json};

use crate::data::{CARD, refused, rule};
use crate::fixture::Line;

/// A request of each dialect with a text in it: upstream's name, target, body.
pub(crate) fn ai_requests(stream: bool) -> [(&'static str, String, Value); 4] {
    let text = format!("my card is {CARD} ok");
    let turn = json!([{"role": "user", "content": text}]);
    let generate = if stream {
        "streamGenerateContent?alt=sse"
    } else {
        "generateContent"
    };
    [
        (
            "openai",
            "/v1/chat/completions".to_owned(),
            json!({"model": "m", "stream": stream, "messages": turn}),
        ),
        (
            "openai",
            "/v1/responses".to_owned(),
            json!({"model": "m", "stream": stream, "input": text, "store": false}),
        ),
        (
            "anthropic",
            "/v1/messages".to_owned(),
            json!({"model": "m", "stream": stream, "max_tokens": 9, "messages": turn}),
        ),
        (
            "gemini",
            format!("/v1beta/models/m:{generate}"),
            json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        ),
    ]
}

#[test]
fn ai_requests_and_whole_answers_are_cleaned() {
    let line = Line::new();
    line.rule("cards", rule(&["request", "response"], "mask"));
    let token = line.master();
    let said = format!("yours is {CARD} too");
    let answers = [
        json!({"object": "chat.completion", "choices": [{"index": 0, "message":
            {"role": "assistant", "content": said}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}),
        json!({"object": "response", "id": "r", "output": [{"type": "message", "content":
            [{"type": "output_text", "text": said}]}]}),
        json!({"type": "message", "role": "assistant",
            "content": [{"type": "text", "text": said}]}),
        json!({"candidates": [{"content": {"role": "model", "parts": [{"text": said}]}}]}),
    ];
    for ((upstream, target, request), answer) in ai_requests(false).into_iter().zip(answers) {
        line.upstream.queue(Answer::json(200, &answer));
        let headers = [("content-type", "application/json")];
        let target = format!("/{upstream}{target}");
        let body = request.to_string();
        let got = line.request(&token, "POST", &target, &headers, body.as_bytes());
        assert_eq!(
            got.text(),
            answer.to_string().replace(CARD, "[CARD]"),
            "{target}"
        );
        let seen = line.upstream.take_requests().remove(0);
        let seen = String::from_utf8(seen.body).unwrap();
        assert_eq!(seen, body.replace(CARD, "[CARD]"), "{target}");
    }
    let outcomes = line.outcomes(4);
    assert!(outcomes.iter().all(|outcome| outcome.findings.len() == 2));
    assert_eq!(outcomes[0].usage.unwrap().output_tokens(), 2);
}

/// Pieces of a text, as the events of a stream of each dialect, in the order of `ai_requests`.
pub(crate) fn ai_streams(pieces: &[&str]) -> [String; 4] {
    let each = |event: &dyn Fn(&str) -> String| pieces.iter().map(|text| event(text)).collect();
    let chat: String = each(&|text| {
        let delta = json!({"object": "chat.completion.chunk", "choices": [{"index": 0,
            "delta": {"content": text}, "finish_reason": null}]});
        format!("data: {delta}\n\n")
    });
    let end = json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {},
        "finish_reason": "stop"}]});
    let responses: String = each(&|text| {
        let delta = json!({"type": "response.output_text.delta", "item_id": "i",
            "output_index": 0, "content_index": 0, "delta": text, "sequence_number": 1});
        format!("event: response.output_text.delta\ndata: {delta}\n\n")
    });
    let done = json!({"type": "response.output_text.done", "item_id": "i", "output_index": 0,
        "content_index": 0, "text": pieces.concat(), "sequence_number": 2});
    let messages: String = each(&|text| {
        let delta = json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": text}});
        format!("event: content_block_delta\ndata: {delta}\n\n")
    });
    let stop = json!({"type": "content_block_stop", "index": 0});
    let generate: String = each(&|text| {
        let part = json!({"candidates": [{"index": 0, "content":
            {"role": "model", "parts": [{"text": text}]}}]});
        format!("data: {part}\n\n")
    });
    let last = json!({"candidates": [{"index": 0, "finishReason": "STOP"}]});
    [
        format!("{chat}data: {end}\n\ndata: [DONE]\n\n"),
        format!("{responses}event: response.output_text.done\ndata: {done}\n\n"),
        format!("{messages}event: content_block_stop\ndata: {stop}\n\n"),
        format!("{generate}data: {last}\n\n"),
    ]
}

/// All text of the deltas of a stream, whatever its dialect.
pub(crate) fn delta_text(stream: &str) -> String {
    let mut text = String::new();
    let data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    for event in data.filter_map(|data| serde_json::from_str::<Value>(data).ok()) {
        let places = [
            "/choices/0/delta/content",
            "/delta/text",
            "/candidates/0/content/parts/0/text",
        ];
        let found = places.iter().find_map(|place| event.pointer(place));
        let flat = event.get("delta").filter(|delta| delta.is_string());
        text += found.or(flat).and_then(Value::as_str).unwrap_or_default();
    }
    text
}

#[test]
fn ai_streams_are_cleaned_wherever_they_are_cut() {
    // Goal: a value spread over deltas, transport pieces and a content coding does not arrive, and
    // the rest does. Method: every dialect, the value in one delta and a digit a delta, each cut,
    // with and without gzip.
    let line = Line::new();
    line.rule("cards", rule(&["response"], "mask"));
    let token = line.master();
    let digits: Vec<String> = CARD.chars().map(String::from).collect();
    let spread: Vec<&str> = ["it is "]
        .into_iter()
        .chain(digits.iter().map(String::as_str))
        .chain([", as", " I said."])
        .collect();
    let together = ["it is ", CARD, ", as I said."];
    for pieces in [spread.as_slice(), together.as_slice()] {
        let streams = ai_streams(pieces);
        for ((upstream, target, request), stream) in ai_requests(true).into_iter().zip(streams) {
            for (cut, gzip) in [(1, Gzip::Never), (100, Gzip::Never), (50, Gzip::Always)] {
                let answer = Answer::events(stream.clone())
                    .cut(Cut::Every(cut))
                    .gzip(gzip);
                line.upstream.queue(answer);
                let headers = [("content-type", "application/json")];
                let target = format!("/{upstream}{target}");
                let body = request.to_string();
                let got = line.request(&token, "POST", &target, &headers, body.as_bytes());
                let text = got.text();
                assert_eq!(
                    delta_text(&text),
                    "it is [CARD], as I said.",
                    "{target}: {text}"
                );
                assert!(!text.contains(CARD), "{target}: {text}");
                assert_eq!(got.header("content-encoding"), None);
            }
        }
    }
}

#[test]
fn placeholders_are_turned_back_in_ai_streams() {
    // Goal: a model that repeats a placeholder, in pieces, gives its caller the value. Method: an
    // upstream that streams the user's text back, three letters a delta.
    let echo = |request: &SeenRequest| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let text = asked["messages"][0]["content"].as_str().unwrap().to_owned();
        let letters: Vec<char> = text.chars().collect();
        let pieces: Vec<String> = letters.chunks(3).map(|few| few.iter().collect()).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        Answer::events(ai_streams(&pieces)[0].clone())
    };
    let line = Line::before(ReplayUpstream::start(echo).unwrap());
    line.rule("cards", rule(&["request"], "pseudonym"));
    let [(_, _, request), ..] = ai_requests(true);
    let answer = line.chat(&line.master(), &request.to_string());
    let asked = format!("my card is {CARD} ok");
    assert_eq!(delta_text(&answer.text()), asked, "{}", answer.text());
    let seen = line.upstream.take_requests().remove(0);
    assert!(!String::from_utf8(seen.body).unwrap().contains(CARD));
}

#[test]
fn what_is_read_twice_differently_is_refused_under_a_rule_alone() {
    let line = Line::new();
    let twice = r#"{"model":"m","messages":[],"metadata":{"a":"1","a":"2"}}"#;
    let lone = r#"{"model":"m","messages":[{"role":"user","content":"\ud800"}]}"#;
    let token = line.master();
    for body in [twice, lone] {
        line.upstream.queue(Answer::json(200, &json!({})));
        assert_eq!(line.chat(&token, body).status, 200, "{body}");
    }
    line.rule("cards", rule(&["request"], "mask"));
    for body in [twice, lone] {
        assert_eq!(
            refused(&line.chat(&token, body)),
            Some("cannot_inspect"),
            "{body}"
        );
    }
}

#[test]
fn the_last_event_of_a_stream_has_its_usage_also_where_one_is_added() {
    // Goal: clients that read the usage and the reason of the last event find them there. Method:
    // a committed stream whose last letter is held to its end.
    let line = Line::new();
    let all = json!({"directions": ["response"], "classes": ["all"], "action": "mask"});
    line.rule("all", all);
    let ask = r#"{"contents":[{"parts":[{"text":"What do you see tonight?"}],"role":"user"}]}"#;
    let target = "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
    let headers = [("content-type", "application/json")];
    let got = line.request(&line.master(), "POST", target, &headers, ask.as_bytes());
    let text = got.text();
    assert_eq!(
        delta_text(&text),
        "Moon over the skerries, and no wind – 🌙."
    );
    let last = text
        .lines()
        .rfind(|line| line.starts_with("data: "))
        .unwrap();
    let last: Value = serde_json::from_str(&last["data: ".len()..]).unwrap();
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 23, "{text}");
    assert_eq!(last["candidates"][0]["finishReason"], "STOP", "{text}");
}

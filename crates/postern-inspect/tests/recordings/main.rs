//! The promises of this crate on recorded traffic of real providers: with no rule every byte of
//! requests and answers goes on as it came, wherever it is cut, and the usage that is read is the
//! usage that was reported.
//!
//! What is expected is worked out here a second time, by parsing whole bodies with `serde_json`.

#![expect(clippy::unwrap_used, reason = "a broken corpus has to fail the test")]

mod bodies;
mod cleaning;
mod corpus;
mod cuts;
mod deltas;
mod json_suite;
mod streams;
mod words;

use bytes::Bytes;
use corpus::{Exchange, documents, expected_usage};
use postern_inspect::{Dialect, ResponseOptions, ResponseReader, ResponseReport, Target, locate};
use postern_types::{CanonicalPath, Operation, RefusalCode};
use serde_json::Value;

const CUTS: [usize; 4] = [1, 7, 64, 4096];

fn options(exchange: &Exchange, strip_usage: bool) -> ResponseOptions<'_> {
    ResponseOptions {
        operation: exchange.operation,
        dialect: exchange.dialect,
        stream_asked: exchange.streaming,
        strip_usage,
        keeps_answer: true,
        choices: None,
        content_type: &exchange.content_type,
        content_encoding: None,
        status: exchange.status,
    }
}

/// Sends a body through a reader in pieces; gives what came out and what was learnt.
fn carry(options: &ResponseOptions<'_>, body: &[u8], cut: usize) -> (Vec<u8>, ResponseReport) {
    let mut reader = ResponseReader::new(options, None);
    let (mut all, mut out) = (Vec::new(), Vec::new());
    for piece in body.chunks(cut) {
        reader
            .push(Bytes::copy_from_slice(piece), &mut out)
            .unwrap();
        let given = out.concat();
        if !options.strip_usage {
            assert_eq!(given, piece, "bytes go on at once");
        }
        all.extend_from_slice(&given);
        out.clear();
    }
    reader.finish(&mut out).unwrap();
    all.extend(out.concat());
    (all, reader.report())
}

#[test]
fn answers_pass_unchanged_and_their_usage_is_read() {
    // Goal: bytes out are bytes in at every cut, and usage and model equal what the whole body
    // says. Method: every recorded answer of the dialects that are served, four cuts each.
    let Some(exchanges) = corpus::exchanges() else {
        return;
    };
    let (mut answers, mut with_usage) = (0, 0);
    for exchange in &exchanges {
        let documents = documents(&exchange.answer);
        let expected = expected_usage(exchange.dialect, &documents)
            .filter(|_| exchange.operation != Operation::CountTokens);
        for cut in CUTS {
            let (out, report) = carry(&options(exchange, false), &exchange.answer, cut);
            assert_eq!(out, exchange.answer, "{} cut at {cut}", exchange.id);
            let usage = report.usage.map(|usage| corpus::Figures::from(&usage));
            assert_eq!(usage, expected, "{} cut at {cut}", exchange.id);
            let model = corpus::expected_model(exchange.dialect, &documents)
                .filter(|_| exchange.operation != Operation::CountTokens);
            assert_eq!(
                report.response_model.as_deref(),
                model.as_deref(),
                "{} cut at {cut}",
                exchange.id
            );
        }
        answers += 1;
        with_usage += usize::from(expected.is_some());
    }
    assert!(
        answers >= 250 && with_usage >= 150,
        "{answers} answers, {with_usage} with usage"
    );
}

#[test]
fn complete_answers_end_and_cut_ones_do_not() {
    // Goal: `ended` tells a whole answer from a broken one. Method: every recorded success, whole
    // and without its second half.
    let Some(exchanges) = corpus::exchanges() else {
        return;
    };
    let mut ended = 0;
    for exchange in exchanges
        .iter()
        .filter(|e| e.recorded && (200..300).contains(&e.status))
    {
        let (_, report) = carry(&options(exchange, false), &exchange.answer, 4096);
        if exchange.dialect != Dialect::Gemini || !exchange.streaming {
            assert!(report.ended, "{}", exchange.id);
            let half = &exchange.answer[..exchange.answer.len() / 2];
            let (_, report) = carry(&options(exchange, false), half, 4096);
            assert!(!report.ended, "{}", exchange.id);
            ended += 1;
        }
    }
    assert!(ended >= 100, "{ended}");
}

#[test]
fn requests_are_read_and_pass_unchanged() {
    // Goal: every recorded request of a served operation is understood and its bytes go on as
    // they are; every other one is refused. Method: all recorded requests of the four providers.
    let Some(requests) = corpus::requests() else {
        return;
    };
    let (mut read, mut refused) = (0, 0);
    for request in &requests {
        let path = CanonicalPath::parse(&request.path).unwrap();
        let target = Target {
            method: &request.method,
            path: &path,
            query: &request.query,
            content_type: Some("application/json"),
            content_encoding: None,
        };
        let facts = locate(request.dialect, &target)
            .and_then(|located| located.read(request.body.as_bytes()));
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let facts = match facts {
            Ok(facts) => facts,
            Err(error) => {
                let expected = match request.api.as_str() {
                    // The provider chooses a model here; then nobody can tell which.
                    "moderations" if request.method == "POST" => RefusalCode::UnknownModel,
                    // The body names another model than the deployment in the path.
                    "embeddings" => RefusalCode::BadRequest,
                    "batches" | "embedContent" | "completions" | "moderations" => {
                        RefusalCode::UnknownOperation
                    }
                    api => panic!("{}: {api} was refused: {error}", request.id),
                };
                assert_eq!(error.refusal_code(), expected, "{}", request.id);
                refused += 1;
                continue;
            }
        };
        let sent = Bytes::from(request.body.clone());
        let out = facts.outbound(sent.clone(), false);
        assert_eq!(
            (out.pieces.concat(), out.strip_usage),
            (sent.to_vec(), false)
        );
        if request.dialect != Dialect::Gemini {
            assert_eq!(
                facts.ai.model.as_deref(),
                body["model"].as_str(),
                "{}",
                request.id
            );
            assert_eq!(facts.ai.stream, body["stream"] == true, "{}", request.id);
        }
        assert!(facts.ai.text_bytes > 0, "{}", request.id);
        check_splice(&facts, &sent, &body, request);
        read += 1;
    }
    assert!(
        read >= 110 && refused >= 10,
        "{read} read, {refused} refused"
    );
}

/// With splicing, the body differs from the original by the one option and nothing else.
fn check_splice(
    facts: &postern_inspect::RequestFacts,
    sent: &Bytes,
    body: &Value,
    request: &corpus::Request,
) {
    let out = facts.outbound(sent.clone(), true);
    let wanted = request.api == "chat.completions"
        && body["stream"] == true
        && body["stream_options"]["include_usage"] != true;
    assert_eq!(out.strip_usage, wanted, "{}", request.id);
    let mut expected = body.clone();
    if wanted {
        expected["stream_options"]["include_usage"] = true.into();
        let added = out.pieces[1].len() as u64;
        assert_eq!(out.len, sent.len() as u64 + added);
        assert_eq!(
            [&out.pieces[0][..], &out.pieces[2][..]].concat(),
            sent.to_vec()
        );
    }
    let spliced: Value = serde_json::from_slice(&out.pieces.concat()).unwrap();
    assert_eq!(spliced, expected, "{}", request.id);
}

#[test]
fn stripping_gives_what_the_provider_sends_without_the_option() {
    // Goal: strip(with usage) == without usage, byte for byte, at every cut, and the usage is
    // read. Method: recordings without the option get null fields and the extra frame added (as
    // OpenAI places them, and at the ends); recordings with it are compared with their own text
    // after plain removal; line ends are also tried as CRLF and CR.
    let Some(exchanges) = corpus::exchanges() else {
        return;
    };
    let chats = exchanges.iter().filter(|exchange| {
        exchange.operation == Operation::ChatCompletions
            && exchange.streaming
            && (200..300).contains(&exchange.status)
    });
    let (mut added, mut removed) = (0, 0);
    for exchange in chats {
        let text = std::str::from_utf8(&exchange.answer).unwrap();
        let pairs = if text.contains("\"usage\"") {
            removed += 1;
            // A frame with choices keeps its figures: the provider sends them unasked.
            vec![(text.to_owned(), corpus::without_usage(text))]
        } else {
            added += 1;
            corpus::with_usage(text)
                .map(|with| (with, text.to_owned()))
                .to_vec()
        };
        for (with, without) in pairs {
            for ends in ["\n", "\r\n", "\r"] {
                let with = with.replace('\n', ends);
                let without = without.replace('\n', ends);
                for cut in CUTS {
                    let (out, report) = carry(&options(exchange, true), with.as_bytes(), cut);
                    let out = String::from_utf8(out).unwrap();
                    assert!(out == without, "{} {ends:?} cut at {cut}", exchange.id);
                    assert!(report.usage.is_some() && report.ended, "{}", exchange.id);
                }
            }
        }
    }
    assert!(
        added >= 8 && removed >= 12,
        "{added} added, {removed} removed"
    );
}

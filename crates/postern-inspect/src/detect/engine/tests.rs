use super::*;
use crate::detect::prefilter::Plain;
use crate::segment::{Segmenter, Step};

/// The text with all names in the text to the left of its values as programs write them.
fn spellings(example: &str) -> Vec<String> {
    let joined = |joint: &dyn Fn(char) -> String| {
        let (mut text, mut inside, mut before) = (String::new(), false, ' ');
        let mut chars = example.chars().peekable();
        while let Some(c) = chars.next() {
            inside = c == '⟦' || inside && c != '⟧';
            let after = chars.peek().filter(|after| after.is_alphanumeric());
            match after {
                Some(after) if c == ' ' && !inside && before.is_alphanumeric() => {
                    text.push_str(&joint(*after));
                    chars.next();
                }
                _ => text.push(c),
            }
            before = c;
        }
        text
    };
    let camel = joined(&|after| after.to_uppercase().to_string());
    let snake = joined(&|after| format!("_{after}"));
    let key = example.replace('⟦', "key=⟦");
    let all = [example.to_owned(), camel, snake, key];
    let white = ["\t", "\n", "\x0b", "\x0c"].map(|white| example.replace(" ⟦", white));
    all.iter()
        .chain(&white)
        .map(|text| text.replace(['⟦', '⟧'], ""))
        .collect()
}

/// How many rows find something in the text; none of them may be passed over.
fn found_by_picked(text: &str, wanted: &Wanted, confidence_min: u8) -> usize {
    let judge = |_: &DataClass, confidence| match confidence >= confidence_min {
        true => Weight::Acts(0),
        false => Weight::None,
    };
    let (mut segmenter, mut near) = (Segmenter::new(""), Near::default());
    let (mut told, mut scratch) = (0, ENGINE.scratches.get());
    while let Step::Segment(start, end) = segmenter.step(text, &ENGINE.prefilter.plain, true) {
        let alone = segmenter.is_alone(text, start, end);
        let (picked, asked) = ENGINE.pick(text, (start..end, alone), wanted, &mut near);
        let search = Search {
            text: &text[..end],
            from: start,
            alone,
            judge: &judge,
            near: None,
        };
        let mut rows = wanted.rows;
        rows.join(&wanted.alone);
        let may = ENGINE.prefilter.pick(&text.as_bytes()[start..end], &rows);
        for order in may.iter().flat_map(|(rows, _)| rows.rows()) {
            let mut spans = Vec::new();
            let row = &ENGINE.rows[order];
            row.find(&search, &mut scratch, &mut spans);
            if !spans.is_empty() {
                told += 1;
                assert!(picked.has(order), "{}: {text:?}", row.detector.id);
                let near = asked.then_some((&ENGINE.words, &near));
                let mut reached = Vec::new();
                row.find(&Search { near, ..search }, &mut scratch, &mut reached);
                assert_eq!(spans, reached, "{}: {text:?}", row.detector.id);
            }
        }
    }
    told
}

/// Goal: no row is passed over that would find something. Method: the examples of all rows, with
/// their labels as people write them and as programs name them, for rows of any confidence: what
/// each row finds by itself, it is picked for.
#[test]
fn rows_are_picked_wherever_they_find() {
    let mut told = 0;
    for confidence_min in [1, 50, 70, 90] {
        let wanted = ENGINE.wanted(|_, confidence| confidence >= confidence_min);
        for row in &ENGINE.rows {
            let examples = row.detector.found.iter().chain(row.detector.clear);
            for text in examples.flat_map(|example| spellings(example)) {
                told += found_by_picked(&text, &wanted, confidence_min);
            }
        }
    }
    assert!(told > 5000, "{told} findings");
}

/// The shortest values of letters, of a word and of letters that stand alone, and of digits.
const SHORT: [&str; 3] = ["the BIC WESTDEFF", "an abcd.efab.cdef", "in small hrb 123"];

/// Goal: no segment is passed over as too short that a row finds something in. Method: the examples
/// of all rows as people and programs write them, whole and without their beginning, and the
/// shortest values, cut as ever and with no such length; every row looks at what is passed over.
#[test]
fn nothing_is_found_in_what_is_too_short() {
    let plain = &ENGINE.prefilter.plain;
    let all = Plain {
        lettered_least: 0,
        lettered_gated_least: 0,
        numbered_least: 0,
        ..plain.clone()
    };
    let cut = |text: &str, plain: &Plain| {
        let mut segmenter = Segmenter::new("");
        let mut cut = Vec::new();
        while let Step::Segment(start, end) = segmenter.step(text, plain, true) {
            cut.push((start, end, segmenter.is_alone(text, start, end)));
        }
        cut
    };
    let mut passed_over = 0;
    let mut scratch = ENGINE.scratches.get();
    for row in &ENGINE.rows {
        let examples = row.detector.found.iter().chain(row.detector.clear);
        for text in examples.chain(&SHORT).flat_map(|text| spellings(text)) {
            let parts = text.match_indices(' ').map(|(at, _)| &text[at + 1..]);
            for text in parts.chain([text.as_str()]) {
                let kept = cut(text, plain);
                for (from, end, alone) in cut(text, &all) {
                    if kept.contains(&(from, end, alone)) {
                        continue;
                    }
                    passed_over += 1;
                    let search = Search {
                        text: &text[..end],
                        from,
                        alone,
                        judge: &|_: &DataClass, _| Weight::Acts(0),
                        near: None,
                    };
                    let mut spans = Vec::new();
                    for row in &ENGINE.rows {
                        row.find(&search, &mut scratch, &mut spans);
                        assert!(spans.is_empty(), "{}: {text:?}", row.detector.id);
                    }
                }
            }
        }
    }
    assert!(passed_over > 500, "{passed_over} segments");
}

/// Goal: the automata that stand before the patterns say what these say. Method: the examples of
/// each row with its labels in every spelling, each place in them.
#[test]
fn scouts_say_what_patterns_say() {
    let (mut matched, mut ended) = (0, 0);
    let mut scratch = ENGINE.scratches.get();
    for row in &ENGINE.rows {
        let examples = row.detector.found.iter().chain(row.detector.clear);
        for text in examples.flat_map(|example| spellings(example)) {
            for (at, _) in text.char_indices() {
                matched += usize::from(row.scouts(&text, at, &mut scratch));
                ended += usize::from(row.left.scouts(left_of(&text, at), &mut scratch));
            }
        }
    }
    assert!(matched > 1000 && ended > 1000, "{matched} {ended}");
}

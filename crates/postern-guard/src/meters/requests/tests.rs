use super::*;

fn settled(end: End, refusal: Option<RefusalCode>, upstream_status: Option<u16>) -> Settled {
    Settled {
        end,
        refusal,
        upstream_status,
        request_bytes: 3,
        response_bytes: 5,
        total_us: 1_000,
        forwarded_us: upstream_status.map(|_| 60),
    }
}

#[test]
fn lists_are_in_the_order_of_their_places() {
    // A count stands at its value's place in the list: the lists must be whole and in order.
    for (place, end) in End::ALL.iter().enumerate() {
        assert_eq!(*end as usize, place);
    }
    for (place, code) in RefusalCode::ALL.iter().enumerate() {
        assert_eq!(*code as usize, place);
    }
}

#[test]
fn what_threads_count_apart_is_read_together() {
    // Goal: no request is lost between the lanes. Method: more threads than lanes count alike.
    let counts = RequestCounts::default();
    let threads = COUNT_LANES as u64 * 2 + 1;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                counts.settle(&settled(End::Done, None, Some(200)));
                counts.settle(&settled(End::Refused, Some(RefusalCode::Denied), None));
                counts.turned_away(RefusalCode::Overloaded);
            });
        }
    });
    let ended = |wanted| counts.ends().find(|(end, _)| *end == wanted).unwrap().1;
    assert_eq!(
        (ended(End::Done), ended(End::Refused)),
        (threads, 2 * threads)
    );
    let refused = |wanted| {
        counts
            .refusals()
            .find(|(code, _)| *code == wanted)
            .unwrap()
            .1
    };
    assert_eq!(refused(RefusalCode::Denied), threads);
    assert_eq!(refused(RefusalCode::Overloaded), threads);
    let answers: Vec<_> = counts.answers().collect();
    assert_eq!(answers, [(1, 0), (2, threads), (3, 0), (4, 0), (5, 0)]);
    assert_eq!(counts.request_bytes(), 2 * 3 * threads);
    assert_eq!(counts.response_bytes(), 2 * 5 * threads);
    assert_eq!(counts.took().count(), 2 * threads);
    assert_eq!(counts.before_forward().count(), threads);
    assert_eq!(counts.before_forward().sum_us, 60 * threads);
}

#[test]
fn an_odd_status_is_counted_nowhere_and_breaks_nothing() {
    let counts = RequestCounts::default();
    for status in [0, 99, 600, 999] {
        counts.settle(&settled(End::Done, None, Some(status)));
    }
    assert!(counts.answers().all(|(_, count)| count == 0));
}

#[test]
fn only_models_that_a_grant_spells_out_have_a_name() {
    // Goal: no client makes a name of its own. Method: a grant with a prefix and one with a name;
    // models by either, and more names than there is room for.
    let upstream = UpstreamName::parse("openai").unwrap();
    let grants = [
        Grant::parse("openai:invoke:gpt-*,o3").unwrap(),
        Grant::parse("other:invoke:o4").unwrap(),
    ];
    let counts = RequestCounts::default();
    let usage = Usage {
        input_uncached: 7,
        output_text: 2,
        ..Usage::default()
    };
    for model in ["o3", "gpt-4o", "gpt-*", "o4", "o3"] {
        counts.model(model, &upstream, &grants).add(&usage);
    }
    let told = |name: &str, turns: u64| ModelUse {
        model: name.to_owned(),
        input_tokens: 7 * turns,
        output_tokens: 2 * turns,
    };
    assert_eq!(counts.models(), [told("o3", 2), told(REST, 3)]);
    for number in 0..MODELS_COUNTED_MAX + 9 {
        let model = format!("m{number}");
        let grant = Grant::parse(&format!("openai:invoke:{model}")).unwrap();
        counts.model(&model, &upstream, &[grant]).add(&usage);
    }
    let all = counts.models();
    assert_eq!(all.len(), MODELS_COUNTED_MAX + 1);
    assert_eq!(all.last(), Some(&told(REST, 3 + 10)));
}

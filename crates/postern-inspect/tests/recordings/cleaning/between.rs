//! Texts of one answer that come in turn.

use super::*;

#[test]
fn texts_that_come_between_each_other_do_not_mix() {
    // Goal: each text is cleaned by itself, however the events of several come between each other.
    // Method: in each recorded stream a value is planted, cut into pieces; the events of the next
    // one of its dialect are moved to other places and put between its own.
    let Some(streams) = streams() else {
        return;
    };
    let mut mixed = 0;
    for (number, pair) in streams.windows(2).enumerate() {
        let [(exchange, first), (_, second)] = pair else {
            continue;
        };
        if (first.dialect, first.operation, first.array)
            != (second.dialect, second.operation, second.array)
            || exchange.answer.len() > LONG
        {
            continue;
        }
        let given = (exchange.dialect, exchange.operation, true);
        let clear = |stream: &Stream| {
            let (_, found) = carried(given, stream.body().as_bytes(), usize::MAX).unwrap();
            !found
        };
        let value = VALUES[number % VALUES.len()];
        let mut choice = Choice(number as u64);
        let second = moved(second);
        let (Some([first, first_clear]), Some([second, second_clear])) = (
            spread(first, value, &mut choice),
            spread(&second, value, &mut choice),
        ) else {
            continue;
        };
        let Some(sent) = between(&first, &second) else {
            continue;
        };
        if !clear(&first_clear) || !clear(&second_clear) {
            continue;
        }
        let mut expected = first_clear.texts();
        expected.extend(second_clear.texts());
        eprintln!("{} {}", exchange.id, value.1);
        let out = carried(given, sent.body().as_bytes(), 64).unwrap().0;
        check(&sent, &out, &expected, value);
        mixed += 1;
    }
    assert!(mixed >= 30, "{mixed}");
}

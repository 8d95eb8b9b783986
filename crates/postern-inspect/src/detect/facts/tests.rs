use super::*;

#[test]
fn what_a_pattern_can_match_is_known() {
    let facts = Facts::read(r"(?:eyJ|abc)[a-z]{2,4}\.([0-9.]+)").unwrap();
    assert_eq!((facts.bytes_min, facts.bytes_max), (7, None));
    let tail = facts.tail.unwrap();
    assert!(tail.has(b'7') && tail.has(b'.') && !tail.has(b'a'));
    let left = Facts::read(r"password\s*[:=]?\s*").unwrap();
    assert!(left.last.has(b'd') && left.last.has(b'=') && !left.last.has(b' '));
    assert!(!left.last.has(b'p'));
    assert_eq!(left.tail.map(|set| set.has(b' ')), Some(true));
    assert!(Facts::read("(").is_err());
    let in_row = |pattern| Facts::read(pattern).unwrap().digits_in_row;
    assert_eq!(in_row(r"[0-9]{3}[ -]?[0-9]{4}(?:[0-9]{2})?7"), 5);
    assert_eq!(in_row(r"(?:[0-9]{3}|[0-9]{2}x)[0-9]+"), 2);
    assert_eq!(in_row(r"(?:[0-9]x?){5}"), 1);
    // Too small, which is fine: a round that ends in digits is taken to end in none.
    assert_eq!(in_row(r"[0-9]{4}(?:[a-z][0-9]{2})*[0-9]{3}"), 4);
    let facts = Facts::read(r"[0-9a-f]{24}:[0-9a-f_]{64}").unwrap();
    assert_eq!((facts.word_in_row, facts.run_in_row), (64, 64));
    let facts = Facts::read(r"[MNO][A-Z]{3}\.[A-Z-]{6,9}\.x").unwrap();
    assert_eq!((facts.word_in_row, facts.run_in_row), (4, 13));
    let musts = Facts::read(r"(?:x|[0-9]y?)[a-z]+(?:@[A-Z]?)?:")
        .unwrap()
        .musts;
    assert_eq!(musts.len(), 3);
    assert!(musts[0].has(b':') && musts[1].has(b'x') && musts[1].has(b'7'));
}

#[test]
fn what_plain_words_can_match_is_known() {
    let mut plain = ByteSet::default();
    (b'a'..=b'z').chain(*b".,").for_each(|byte| plain.add(byte));
    let cases = [
        ("[a-z]{4,9}", Some(4)),
        ("[A-Z]{2}", None),
        ("[A-Z][a-z]+", Some(2)),
        ("[A-Z][a-z.]+[A-Z]", Some(3)),
        ("[A-Z][a-z]+[A-Z]", None),
        ("ab[0-9]", None),
        ("ab[0-9]?c", Some(3)),
        ("ab(?:[0-9]|x,)A", Some(5)),
        ("(?i:sk)_", None),
        ("(?:[A-Z]x)?[A-Z]", Some(1)),
        ("(?:[A-Z][a-z]){3}", None),
        ("(?:[A-Z][a-z.]){3}", Some(6)),
        ("(?:x|[A-Z]y){3}[A-Z]", None),
        ("(?:,[A-Z]?){3}[a-z]{40,}", Some(43)),
    ];
    for (pattern, min) in cases {
        let read = syntax::parse_with(pattern, &syntax()).unwrap();
        assert_eq!(plain_min(&read, &plain), min, "{pattern}");
    }
}

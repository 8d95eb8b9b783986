use proptest::prelude::*;

use super::*;

fn outcome(head: &[u8]) -> Result<Framing, Fault> {
    judge(head, &DownstreamBounds::default())
}

#[test]
fn framing_is_read_as_the_standard_says() {
    let with =
        |fields: &str| outcome(format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n").as_bytes());
    assert_eq!(with(""), Ok(Framing::Length(0)));
    assert_eq!(with("content-length: 007\r\n"), Ok(Framing::Length(7)));
    assert_eq!(with("CONTENT-LENGTH:\t5 \r\n"), Ok(Framing::Length(5)));
    assert_eq!(with("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
    for bad in [
        "content-length: \r\n",
        "content-length: 1 2\r\n",
        "content-length: -1\r\n",
        "content-length: 5,5\r\n",
        "content-length: ٥\r\n",
        "transfer-encoding: chunked;q=1\r\n",
        "transfer-encoding: \"chunked\"\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: \r\n",
        "transfer-encoding: chunked\r\ncontent-length: 0\r\n",
        "connection: content-length\r\n",
        "connection: close, Transfer-Encoding\r\n",
        "connection: a b\r\n",
    ] {
        assert!(with(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_fault_is_told_with_the_first_bad_line() {
    // Goal: a head whose lines end otherwise never ends, so it must not be waited for.
    let bounds = DownstreamBounds::default();
    for bad in [
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\rH",
        "GET /\0",
        "GET / HTTP/1.1\r\nA: \x1b",
    ] {
        let mut scanner = HeadScanner::default();
        assert!(scanner.scan(bad.as_bytes(), &bounds).is_err(), "{bad:?}");
    }
    let mut scanner = HeadScanner::default();
    assert_eq!(
        scanner.scan(b"GET / HTTP/1.1\r\nA: b\r\n\r", &bounds),
        Ok(None)
    );
    assert_eq!(
        scanner.scan(b"GET / HTTP/1.1\r\nA: b\r\n\r\nrest", &bounds),
        Ok(Some(24))
    );
}

#[test]
fn trailers_may_not_say_what_only_a_head_may() {
    assert!(trailer(b"x-checksum: 1").is_ok());
    for bad in [
        "Content-Length: 1",
        "transfer-encoding: x",
        "HOST: x",
        "a b: c",
        " a: b",
        "a",
    ] {
        assert!(trailer(bad.as_bytes()).is_err(), "{bad}");
    }
}

/// Lines that are nearly right, to be put together.
fn line() -> impl Strategy<Value = String> {
    let good = prop_oneof![
        Just("Host: x".to_owned()),
        Just("Content-Length: 3".to_owned()),
        Just("Transfer-Encoding: chunked".to_owned()),
        Just("Connection: close".to_owned()),
        Just("A: b".to_owned()),
        "[ -~]{0,20}",
    ];
    (
        good,
        prop_oneof![9 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("\r\n ")],
    )
        .prop_map(|(line, end)| line + end)
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        // Goal: no panic, and one answer however the bytes are cut.
        let bounds = DownstreamBounds::default();
        let at_once = HeadScanner::default().scan(&bytes, &bounds);
        let mut scanner = HeadScanner::default();
        let mut bit_by_bit = Ok(None);
        for end in 0..=bytes.len() {
            bit_by_bit = scanner.scan(&bytes[..end], &bounds);
            if !matches!(bit_by_bit, Ok(None)) {
                break;
            }
        }
        prop_assert_eq!(at_once, bit_by_bit);
        let _ = judge(&bytes, &bounds);
    }

    #[test]
    fn what_passes_has_one_reading(lines in proptest::collection::vec(line(), 0..6)) {
        // Goal: whatever passes has exactly one Host, and at most one way to frame the body, also
        // when it is read by somebody who splits lines at every CR and LF.
        let head = format!("POST / HTTP/1.1\r\n{}\r\n", lines.concat());
        let bounds = DownstreamBounds::default();
        if let Ok(Some(length)) = HeadScanner::default().scan(head.as_bytes(), &bounds)
            && let Ok(framing) = judge(&head.as_bytes()[..length], &bounds)
        {
            let lenient = head[..length].to_ascii_lowercase().replace('\r', "\n");
            let count = |name: &str| {
                lenient.split('\n').filter(|line| line.trim().starts_with(name)).count()
            };
            prop_assert_eq!(count("host"), 1, "{:?}", head);
            let (lengths, codings) = (count("content-length"), count("transfer-encoding"));
            let wanted = match framing {
                Framing::Chunked => (0, 1),
                Framing::Length(0) if lengths == 0 => (0, 0),
                Framing::Length(_) => (1, 0),
            };
            prop_assert_eq!((lengths, codings), wanted, "{:?}", head);
        }
    }
}

/// The same as [`HeadScanner::scan`], a byte at a time.
fn scan_slowly(bytes: &[u8]) -> Result<Option<usize>, &'static str> {
    let (mut line_start, mut lines) = (0, 0);
    for (at, byte) in bytes.iter().enumerate() {
        let after_cr = at > line_start && bytes[at - 1] == b'\r';
        match byte {
            b'\n' if after_cr && at - 1 == line_start => return Ok(Some(at + 1)),
            b'\n' if after_cr => (line_start, lines) = (at + 1, lines + 1),
            b'\n' => return Err("a line of the head ends in a bare LF"),
            b'\r' => {}
            _ if after_cr => return Err("the head holds a bare CR"),
            b'\t' if lines > 0 => {}
            0..=0x1f | 0x7f => return Err("the head holds a control character"),
            _ => {}
        }
    }
    Ok(None)
}

proptest! {
    #[test]
    fn a_head_is_found_as_if_each_byte_were_looked_at(
        parts in proptest::collection::vec(
            prop_oneof![
                8 => "[a-z: é]{0,40}",
                6 => Just("\r\n".to_owned()),
                1 => Just("\r\n\r\n".to_owned()),
                1 => prop_oneof![
                    Just("\n"), Just("\r"), Just("\t"), Just("\x01"), Just("\x7f"), Just("\r\r\n"),
                ].prop_map(str::to_owned),
            ], 0..12),
        cuts in proptest::collection::vec(0_usize..200, 0..6),
    ) {
        // Goal: taking many bytes at a time finds the same end and the same faults, wherever the
        // bytes are cut. Method: beside the same rules a byte at a time.
        let bytes = parts.concat().into_bytes();
        let slow = scan_slowly(&bytes);
        let mut scanner = HeadScanner::default();
        let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        ends.sort_unstable();
        ends.push(bytes.len());
        let mut quick = Ok(None);
        for end in ends {
            quick = scanner.scan(&bytes[..end], &DownstreamBounds::default());
            if quick != Ok(None) {
                break;
            }
        }
        prop_assert_eq!(quick.map_err(|fault| fault.cause), slow);
    }
}

#[test]
fn tokens_are_those_of_the_standard() {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    for byte in 0..=255_u8 {
        assert_eq!(is_token(&byte), token(&byte), "{byte:#x}");
    }
}

//! Hosts and ports as they stand in `Host`, `:authority` and absolute targets.

use std::net::Ipv6Addr;

/// Longest authority taken: a DNS name has at most 253 bytes.
const AUTHORITY_BYTES_MAX: usize = 261;

/// Whether this is a host with an optional port, and nothing else: no user, no empty host, no list.
pub(crate) fn is_sane(authority: &[u8]) -> bool {
    let Some((host, port)) = split(authority) else {
        return false;
    };
    let port_ok = port.is_none_or(|port| {
        (1..=5).contains(&port.len())
            && port.iter().all(u8::is_ascii_digit)
            && std::str::from_utf8(port).is_ok_and(|port| port.parse::<u16>().is_ok())
    });
    port_ok && host_is_sane(host)
}

fn host_is_sane(host: &[u8]) -> bool {
    if let Some(inner) = host.strip_prefix(b"[") {
        return inner
            .strip_suffix(b"]")
            .and_then(|inner| std::str::from_utf8(inner).ok())
            .is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
    }
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    !host.is_empty()
        && host.iter().all(plain)
        && !host.starts_with(b".")
        && !host.windows(2).any(|pair| matches!(pair, [b'.', b'.']))
}

/// Splits host and port; `None` when it is too long.
fn split(authority: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    if authority.len() > AUTHORITY_BYTES_MAX {
        return None;
    }
    let host_end = if authority.starts_with(b"[") {
        authority.iter().position(|byte| *byte == b']')? + 1
    } else {
        authority
            .iter()
            .position(|byte| *byte == b':')
            .unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at(host_end);
    match rest {
        [] => Some((host, None)),
        [b':', port @ ..] => Some((host, Some(port))),
        _ => None,
    }
}

/// Splits `http://` or `https://` off an absolute target; the flag says whether it was `https`.
pub(crate) fn split_scheme(target: &[u8]) -> Option<(bool, &[u8])> {
    let cut = |scheme: &[u8]| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    cut(b"https://")
        .map(|rest| (true, rest))
        .or_else(|| cut(b"http://").map(|rest| (false, rest)))
}

/// Whether two authorities are the same under a scheme: case does not count, nor the default port.
pub(crate) fn are_same(https: bool, one: &[u8], other: &[u8]) -> bool {
    if !is_sane(one) || !is_sane(other) {
        return false;
    }
    let default: &[u8] = if https { b"443" } else { b"80" };
    match (split(one), split(other)) {
        (Some((host, port)), Some((other_host, other_port))) => {
            host.eq_ignore_ascii_case(other_host)
                && port.unwrap_or(default) == other_port.unwrap_or(default)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_authorities_are_not_sane() {
        for good in [
            "x",
            "a.b:80",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:8080",
            "a-b_c~d",
            "x:0",
        ] {
            assert!(is_sane(good.as_bytes()), "{good}");
        }
        for bad in [
            "", ":80", "a,b", "a b", "user@a", "a:", "a:b", "a:65536", "a:000080", "[::1", "[x]",
            "::1", "a/b", "a%2e", "a\\b", ".a", "a..b", "a:80:80", "[::1]x",
        ] {
            assert!(!is_sane(bad.as_bytes()), "{bad}");
        }
        assert!(!is_sane(&[b'a'; 300]));
    }

    #[test]
    fn the_default_port_and_case_do_not_count() {
        assert!(are_same(false, b"A.example:80", b"a.example"));
        assert!(are_same(true, b"a:443", b"a"));
        assert!(!are_same(true, b"a:80", b"a"));
        assert!(!are_same(false, b"a", b"b"));
        assert_eq!(split_scheme(b"HTTPS://x/"), Some((true, b"x/".as_slice())));
        assert_eq!(split_scheme(b"ftp://x/"), None);
    }
}

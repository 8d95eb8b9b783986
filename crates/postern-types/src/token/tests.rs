use proptest::prelude::*;

use super::*;

fn env() -> EnvName {
    EnvName::parse("live").unwrap()
}

#[test]
fn layout_is_the_documented_one() {
    // Goal: the text has the published length and alphabet. Method: mint one, look at its parts.
    let token = ApiToken::mint(TokenKind::Server, &env(), &[1; 12], &[2; 32]);
    let text = token.expose();
    assert_eq!(text.len(), 80, "pstn_sk1_live_ + 16 + _ + 43 + 6");
    assert!(text.starts_with("pstn_sk1_live_"));
    assert!(text.bytes().all(|b| b == b'_' || is_base62(b)));
    assert_eq!(text.split('_').count(), 5);
    assert!(looks_like_token(text));
}

#[test]
fn secrets_of_256_bits_and_more_are_told_apart() {
    let token = ApiToken::mint(TokenKind::Server, &env(), &[0; 12], &[255; 32]);
    assert!(ApiToken::parse(token.expose()).is_ok());
    // The same with the largest 43 digits: above 2^256, so no mint could have made it.
    let (head, _) = token.expose().split_at(token.expose().len() - 49);
    let body = format!("{head}{}", "z".repeat(43));
    let forged = format!("{body}{}", std::str::from_utf8(&checksum(&body)).unwrap());
    assert_eq!(
        ApiToken::parse(&forged).unwrap_err(),
        ParseTokenError::Shape
    );
}

#[test]
fn kinds_that_are_not_served_are_named_as_such() {
    let body = format!("pstn_rt1_live_{}_{}", "0".repeat(16), "0".repeat(43));
    let text = format!("{body}{}", std::str::from_utf8(&checksum(&body)).unwrap());
    assert_eq!(ApiToken::parse(&text).unwrap_err(), ParseTokenError::Kind);
}

#[test]
fn digests_depend_on_pepper_environment_and_secret() {
    // Goal: no two of pepper, environment and secret may differ without a different digest.
    let pepper = |byte| Pepper::new(1, Secret::new(vec![byte; 32]));
    let token = ApiToken::mint(TokenKind::Server, &env(), &[1; 12], &[2; 32]);
    let digest = TokenDigest::compute(&pepper(1), &token);
    assert!(digest.matches(&TokenDigest::compute(&pepper(1), &token)));
    assert!(!digest.matches(&TokenDigest::compute(&pepper(2), &token)));
    let other = ApiToken::mint(TokenKind::Server, &env(), &[1; 12], &[3; 32]);
    assert!(!digest.matches(&TokenDigest::compute(&pepper(1), &other)));
    let dev = EnvName::parse("dev").unwrap();
    let other = ApiToken::mint(TokenKind::Server, &dev, &[1; 12], &[2; 32]);
    assert!(!digest.matches(&TokenDigest::compute(&pepper(1), &other)));
}

#[test]
fn nothing_prints_a_secret() {
    let token = ApiToken::mint(TokenKind::Admin, &env(), &[1; 12], &[2; 32]);
    let secret = &token.expose()[token.expose().len() - 49..];
    let pepper = Pepper::new(3, Secret::new(b"very-secret-pepper".to_vec()));
    let digest = TokenDigest::compute(&pepper, &token);
    let printed = format!("{token:?} {pepper:?} {digest:?}");
    assert!(
        !printed.contains(secret) && !printed.contains("very-secret"),
        "{printed}"
    );
}

proptest! {
    #[test]
    fn mint_and_parse_agree(id: [u8; 12], secret: [u8; 32], env in "[a-z][a-z0-9]{0,15}") {
        let env = EnvName::parse(&env).unwrap();
        let token = ApiToken::mint(TokenKind::Server, &env, &id, &secret);
        let back = ApiToken::parse(token.expose()).unwrap();
        prop_assert_eq!(back.id(), token.id());
        prop_assert_eq!(back.env(), &env);
        prop_assert_eq!(back.expose(), token.expose());
    }

    #[test]
    fn any_changed_character_is_noticed(
        id: [u8; 12], secret: [u8; 32], place in 0_usize..80, with in "[0-9A-Za-z_]",
    ) {
        let token = ApiToken::mint(TokenKind::Server, &env(), &id, &secret);
        let mut text = token.expose().to_owned();
        if text[place..=place] != with {
            text.replace_range(place..=place, &with);
            prop_assert!(ApiToken::parse(&text).is_err());
        }
    }

    #[test]
    fn parsing_never_panics(text in "\\PC{0,120}") {
        let _ = ApiToken::parse(&text);
    }
}

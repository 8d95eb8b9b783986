use std::time::Duration;

use postern_store::{
    AdminAccess, AdminRole, DataAccess, INSTALLATION, KeyDomain, KeyPurpose, NewAccess, NewToken,
    Page, Rehash, Revocation, StoreError, TokenAccess, TokenFilter, TokenRow, TokenState, Touch,
};
use postern_types::{Operation, Rights, TokenDigest, TokenKind};

use crate::fixture::{DAY, Fixture, after, env, grant, principal, start, upstream};

fn data(row: &TokenRow) -> &DataAccess {
    match &row.access {
        TokenAccess::Data(data) => data,
        TokenAccess::Admin(_) => panic!("a token of the data plane was expected"),
    }
}

pub(crate) async fn are_checked_by_their_digest(fixture: &Fixture) {
    let issued = fixture.issue("dev").await;
    let row = fixture
        .store
        .tokens()
        .by_id(&issued.token.id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row, issued.row);
    assert_eq!((row.kind(), row.version), (TokenKind::Server, 1));
    assert_eq!(row.owner.as_deref(), Some("the web team"));
    let [secret] = row.secrets.as_slice() else {
        panic!("one secret was expected");
    };
    let peppers = fixture.keys.peppers(&env("dev")).unwrap();
    let pepper = peppers.by_version(secret.pepper_version).unwrap();
    assert!(
        secret
            .digest
            .matches(&TokenDigest::compute(pepper, &issued.token))
    );
    assert_eq!(secret.last_four, issued.token.last_four());
    let other = fixture.issue("dev").await;
    assert!(
        !secret
            .digest
            .matches(&TokenDigest::compute(pepper, &other.token))
    );
    let unknown = fixture
        .store
        .tokens()
        .by_id(&"0000000000000000".parse().unwrap())
        .await;
    assert_eq!(unknown.unwrap(), None);
}

pub(crate) async fn live_for_a_bounded_time(fixture: &Fixture) {
    let tokens = fixture.store.tokens();
    let row = fixture.issue("dev").await.row;
    assert_eq!(row.expires_at, after(90 * DAY));
    assert_eq!(row.state(after(90 * DAY - 1)), TokenState::Live);
    assert_eq!(row.state(after(90 * DAY)), TokenState::Expired);
    let with = |ttl| NewToken {
        ttl: Some(Duration::from_secs(ttl)),
        ..Fixture::wanted("dev")
    };
    let row = tokens.create(&with(3_600), start()).await.unwrap().row;
    assert_eq!(row.expires_at, after(3_600));
    for ttl in [0, 367 * DAY, u64::MAX] {
        let refusal = tokens.create(&with(ttl), start()).await.unwrap_err();
        assert!(refusal.is_invalid(), "{ttl}: {refusal}");
    }
    // An environment's own cap refuses what is asked and shortens the default.
    let mut short = postern_store::NewEnvironment::named(env("short"));
    short.token_ttl_max = Some(Duration::from_secs(60));
    fixture
        .store
        .environments()
        .create(&short, start())
        .await
        .unwrap();
    fixture.add_principal("short", "service:web").await;
    fixture.add_upstream("short", "openai", None).await;
    let row = tokens
        .create(&Fixture::wanted("short"), start())
        .await
        .unwrap()
        .row;
    assert_eq!(row.expires_at, after(60));
    let mut long = Fixture::wanted("short");
    long.ttl = Some(Duration::from_secs(61));
    assert!(
        tokens
            .create(&long, start())
            .await
            .unwrap_err()
            .is_invalid()
    );
}

pub(crate) async fn bind_and_expand_their_grants(fixture: &Fixture) {
    let row = fixture.issue("dev").await.row;
    let access = data(&row);
    let openai = fixture
        .store
        .upstreams()
        .show(&env("dev"), &upstream("openai"))
        .await
        .unwrap();
    assert_eq!(access.grants[0].upstream_id, openai.id);
    let Rights::Invoke(invoke) = &access.grants[0].grant.actions else {
        panic!("an AI grant was expected");
    };
    assert!(invoke.operations.contains(&Operation::ChatCompletions));
    assert_eq!(
        access.grants_on([&openai]),
        [access.grants[0].grant.clone()]
    );
    assert_eq!(access.limits.len(), 1);
    // The same name in another environment is another upstream.
    let prod = fixture
        .store
        .upstreams()
        .show(&env("prod"), &upstream("openai"))
        .await
        .unwrap();
    assert_eq!(access.grants_on([&prod]), []);
}

pub(crate) async fn open_nothing_on_an_upstream_made_again(fixture: &Fixture) {
    // Goal: deleting an upstream and making one of its name does not re-open old tokens. Method:
    // resolve an old and a new token's grants against the upstreams of before and after.
    let (store, dev) = (&fixture.store, env("dev"));
    let old = fixture.issue("dev").await.row;
    let before = store.upstreams().list(&dev).await.unwrap();
    assert_eq!(data(&old).grants_on(&before).len(), 1);
    store
        .upstreams()
        .delete(&dev, &upstream("openai"), after(1))
        .await
        .unwrap();
    let gone = store.upstreams().list(&dev).await.unwrap();
    assert_eq!(data(&old).grants_on(&gone), []);
    fixture.add_upstream("dev", "openai", None).await;
    let now = store.upstreams().list(&dev).await.unwrap();
    let read_back = store.tokens().show(&old.id).await.unwrap();
    assert_eq!(data(&read_back).grants_on(&now), []);
    let new = fixture.issue("dev").await.row;
    assert_eq!(data(&new).grants_on(&now).len(), 1);
}

pub(crate) async fn are_made_once_for_an_idempotency_key(fixture: &Fixture) {
    let tokens = fixture.store.tokens();
    let mut wanted = Fixture::wanted("dev");
    wanted.idempotency_key = Some("deploy 17".to_owned());
    let first = tokens.create(&wanted, start()).await.unwrap();
    let conflict = |error: StoreError| match error {
        StoreError::Conflict { reason, existing } => (reason, existing),
        other => panic!("{other}"),
    };
    let (reason, existing) = conflict(tokens.create(&wanted, after(9)).await.unwrap_err());
    assert_eq!(existing, Some(first.token.id()));
    assert!(reason.contains("rotate"), "{reason}");
    wanted.purpose = Some("something else".to_owned());
    let (reason, existing) = conflict(tokens.create(&wanted, after(9)).await.unwrap_err());
    assert_eq!(existing, Some(first.token.id()));
    assert!(reason.contains("another request"), "{reason}");
    // The key is one inside its environment.
    let mut prod = Fixture::wanted("prod");
    prod.idempotency_key.clone_from(&wanted.idempotency_key);
    tokens.create(&prod, start()).await.unwrap();
    for bad in ["", "a\nb", &"x".repeat(256)] {
        prod.idempotency_key = Some(bad.to_owned());
        assert!(
            tokens
                .create(&prod, start())
                .await
                .unwrap_err()
                .is_invalid()
        );
    }
}

pub(crate) async fn need_what_they_name(fixture: &Fixture) {
    let tokens = fixture.store.tokens();
    let with = |in_env: &str, id: &str, grants: &[&str]| NewToken {
        access: NewAccess::Data {
            env: env(in_env),
            principal: principal(id),
            grants: grants.iter().map(|text| grant(text)).collect(),
            limits: Vec::new(),
        },
        ..Fixture::wanted("dev")
    };
    let fine = "openai:invoke:gpt-4o";
    for missing in [
        with("test", "service:web", &[fine]),
        with("dev", "service:other", &[fine]),
        with("dev", "service:web", &["anthropic:invoke:claude"]),
        with("dev", "service:web", &[fine, "anthropic:invoke:claude"]),
    ] {
        let refusal = tokens.create(&missing, start()).await.unwrap_err();
        assert!(refusal.is_not_found(), "{refusal}");
    }
    // A grant that does not fit the upstream's kind, and none at all.
    for invalid in [
        with("dev", "service:web", &["openai:call:GET /v1/models"]),
        with("dev", "service:web", &[]),
    ] {
        let refusal = tokens.create(&invalid, start()).await.unwrap_err();
        assert!(refusal.is_invalid(), "{refusal}");
    }
}

pub(crate) async fn are_revoked_once(fixture: &Fixture) {
    let tokens = fixture.store.tokens();
    let id = fixture.issue("dev").await.row.id;
    let by = |name: &str| Revocation {
        by: name.to_owned(),
        reason: Some(format!("{name} saw it on the web")),
    };
    let revoked = tokens.revoke(&id, &by("ada"), after(5)).await.unwrap();
    assert_eq!(
        (revoked.state(after(5)), revoked.version),
        (TokenState::Revoked, 2)
    );
    let again = tokens.revoke(&id, &by("bob"), after(9)).await.unwrap();
    assert_eq!(again, revoked);
    let hand = again.revoked.unwrap();
    assert_eq!((hand.at, hand.by.as_str()), (after(5), "ada"));
    assert_eq!(hand.reason.as_deref(), Some("ada saw it on the web"));
    let unknown = tokens
        .revoke(&"0000000000000000".parse().unwrap(), &by("ada"), after(5))
        .await;
    assert!(unknown.unwrap_err().is_not_found());
}

pub(crate) async fn are_listed_page_by_page(fixture: &Fixture) {
    // Goal: pages join up without gap or repetition. Method: tokens made at the
    // same and at different times, read in pages of two.
    let tokens = fixture.store.tokens();
    let mut made = Vec::new();
    for seconds in [0, 0, 0, 1, 1, 2, 3] {
        let issued = tokens
            .create(&Fixture::wanted("dev"), after(seconds))
            .await
            .unwrap();
        made.push((issued.row.created_at, issued.row.id));
    }
    fixture.issue("prod").await;
    made.sort();
    made.reverse();
    let filter = TokenFilter {
        env: Some(env("dev")),
        ..TokenFilter::default()
    };
    let mut page = Page {
        after: None,
        limit: 2,
    };
    let mut seen = Vec::new();
    loop {
        let part = tokens.list(&filter, &page, after(4)).await.unwrap();
        assert!(part.rows.len() <= 2 && part.rows.iter().all(|row| row.secrets.len() == 1));
        seen.extend(part.rows.iter().map(|row| (row.created_at, row.id)));
        page.after = part.next;
        if part.next.is_none() {
            break;
        }
    }
    assert_eq!(seen, made);

    for limit in [0, 1_001] {
        let page = Page { after: None, limit };
        let refusal = tokens.list(&filter, &page, after(4)).await.unwrap_err();
        assert!(refusal.is_invalid(), "{limit}");
    }
}

pub(crate) async fn are_listed_by_state_principal_and_kind(fixture: &Fixture) {
    let tokens = fixture.store.tokens();
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(fixture.issue("dev").await.row.id);
    }
    fixture.issue("prod").await;
    fixture.rotate(&made[0], 60, after(4)).await.unwrap();
    let revocation = Revocation {
        by: "test".to_owned(),
        reason: None,
    };
    tokens
        .revoke(&made[1], &revocation, after(4))
        .await
        .unwrap();
    let count = |state, kind, now| async move {
        let filter = TokenFilter {
            env: Some(env("dev")),
            principal: Some(principal("service:web")),
            state,
            kind,
        };
        let page = tokens.list(&filter, &Page::default(), now).await.unwrap();
        page.rows.len()
    };
    assert_eq!(count(None, None, after(4)).await, 7);
    assert_eq!(count(Some(TokenState::Live), None, after(4)).await, 6);
    assert_eq!(count(Some(TokenState::Revoked), None, after(4)).await, 1);
    assert_eq!(count(Some(TokenState::Expired), None, after(4)).await, 0);
    assert_eq!(
        count(Some(TokenState::Expired), None, after(91 * DAY)).await,
        6
    );
    assert_eq!(count(None, Some(TokenKind::Admin), after(4)).await, 0);
    let unknown = TokenFilter {
        env: Some(env("test")),
        principal: Some(principal("service:web")),
        ..TokenFilter::default()
    };
    let page = tokens
        .list(&unknown, &Page::default(), after(4))
        .await
        .unwrap();
    assert!(page.rows.is_empty() && page.next.is_none());
    let nowhere = TokenFilter {
        principal: Some(principal("service:web")),
        ..TokenFilter::default()
    };
    let refusal = tokens.list(&nowhere, &Page::default(), after(4)).await;
    assert!(refusal.unwrap_err().is_invalid());
}

pub(crate) async fn record_uses_without_a_new_version(fixture: &Fixture) {
    let tokens = fixture.store.tokens();
    let id = fixture.issue("dev").await.row.id;
    let revision = fixture.store.revision().await.unwrap();
    let touch = |token, secret, seconds| Touch {
        token,
        secret,
        at: after(seconds),
    };
    let nobody = "0000000000000000".parse().unwrap();
    let touches = [
        touch(id, 1, 7),
        touch(id, 1, 3),
        touch(id, 9, 8),
        touch(nobody, 1, 1),
    ];
    tokens.touch_last_used(&touches).await.unwrap();
    let row = tokens.show(&id).await.unwrap();
    assert_eq!(row.last_used_at, Some(after(7)));
    assert_eq!(row.secrets[0].last_used_at, Some(after(7)));
    assert_eq!(row.version, 1);
    assert_eq!(fixture.store.revision().await.unwrap(), revision);
    // The token remembers it when the secret is gone.
    let row = fixture.rotate(&id, 0, after(10)).await.unwrap().row;
    assert_eq!(row.last_used_at, Some(after(7)));
    assert_eq!(row.secrets[0].last_used_at, None);
}

pub(crate) async fn are_rehashed_only_from_the_stored_digest(fixture: &Fixture) {
    // Goal: a re-hash moves a token to the new pepper once, and undoes nothing. Method: re-hash,
    // repeat it, and try it with a digest that is not the stored one.
    let tokens = fixture.store.tokens();
    let issued = fixture.issue("dev").await;
    let version = fixture
        .keys
        .rotate_pepper(&env("dev"), &*fixture.random)
        .unwrap();
    assert_eq!(version, 2);
    let peppers = fixture.keys.peppers(&env("dev")).unwrap();
    let rehash = Rehash {
        old: issued.row.secrets[0].digest,
        new: TokenDigest::compute(peppers.current(), &issued.token),
        new_version: version,
    };
    let id = issued.row.id;
    let wrong = Rehash {
        old: TokenDigest::from_bytes([0; 32]),
        ..rehash
    };
    assert!(!tokens.rehash(&id, 1, &wrong).await.unwrap());
    assert!(!tokens.rehash(&id, 2, &rehash).await.unwrap());
    assert!(tokens.rehash(&id, 1, &rehash).await.unwrap());
    assert!(!tokens.rehash(&id, 1, &rehash).await.unwrap());
    let row = tokens.show(&id).await.unwrap();
    assert_eq!(row.secrets[0].pepper_version, 2);
    assert!(row.secrets[0].digest.matches(&rehash.new));
    // New tokens take the new pepper; the old one is still there to check with.
    let new = fixture.issue("dev").await.row;
    assert_eq!(new.secrets[0].pepper_version, 2);
    assert!(peppers.by_version(1).is_some() && peppers.by_version(3).is_none());
}

pub(crate) async fn read_back_after_a_rotation_of_the_record_key(fixture: &Fixture) {
    let (tokens, domain) = (fixture.store.tokens(), KeyDomain::Environment(env("dev")));
    let old = fixture.issue("dev").await.row;
    let rotated = fixture
        .keys
        .rotate(&domain, KeyPurpose::Record, &*fixture.random);
    assert_eq!(rotated.unwrap(), 2);
    assert_eq!(tokens.show(&old.id).await.unwrap(), old);
    let row = fixture.rotate(&old.id, 60, after(1)).await.unwrap().row;
    assert_eq!(tokens.show(&old.id).await.unwrap(), row);
    // The key by which names are found is not rotated: they would be lost.
    let index = fixture
        .keys
        .rotate(&domain, KeyPurpose::Index, &*fixture.random);
    assert!(index.unwrap_err().to_string().contains("not rotated"));
}

pub(crate) async fn serve_administrators_apart(fixture: &Fixture) {
    let tokens = fixture.store.tokens();
    let admin = |role, scope| NewToken {
        access: NewAccess::Admin { role, env: scope },
        ..Fixture::wanted("dev")
    };
    let owner = tokens
        .create(&admin(AdminRole::Owner, None), start())
        .await
        .unwrap();
    assert_eq!(owner.token.kind(), TokenKind::Admin);
    assert_eq!(owner.token.env().as_str(), INSTALLATION);
    let digest = TokenDigest::compute(fixture.keys.admin_peppers().current(), &owner.token);
    assert!(owner.row.secrets[0].digest.matches(&digest));
    let auditor = admin(AdminRole::Auditor, Some(env("dev")));
    let auditor = tokens.create(&auditor, start()).await.unwrap();
    let row = tokens.show(&auditor.row.id).await.unwrap();
    let TokenAccess::Admin(access) = &row.access else {
        panic!("an administrator was expected");
    };
    assert!(!access.role.may_write() && !access.role.may_manage_administrators());
    assert!(access.reaches(&env("dev")) && !access.reaches(&env("prod")));
    let whole = AdminAccess {
        role: AdminRole::Owner,
        env: None,
    };
    assert!(whole.reaches(&env("prod")));
    let rotated = fixture.rotate(&owner.row.id, 60, after(1)).await.unwrap();
    assert_eq!(rotated.token.id(), owner.token.id());
    assert_eq!(rotated.token.kind(), TokenKind::Admin);
    // A scoped administrator is something that lives in the environment.
    let refusal = fixture
        .store
        .environments()
        .delete(&env("dev"), after(1))
        .await;
    assert!(refusal.unwrap_err().is_conflict());
    let nowhere = admin(AdminRole::Admin, Some(env("test")));
    assert!(
        tokens
            .create(&nowhere, start())
            .await
            .unwrap_err()
            .is_not_found()
    );
}

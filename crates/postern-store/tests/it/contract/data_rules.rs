use postern_types::{BuiltinClass, ClassSelector, DataAction, DataRule, DataRuleSpec, Direction};

use crate::fixture::{Fixture, after, env, start, upstream};

pub(crate) fn rule(name: &str, upstream: Option<&str>) -> DataRule {
    DataRule {
        name: name.parse().unwrap(),
        spec: DataRuleSpec {
            upstream: upstream.map(crate::fixture::upstream),
            directions: vec![Direction::Request, Direction::Response],
            classes: vec![ClassSelector::Class(BuiltinClass::Email.into())],
            action: DataAction::Mask,
            dry_run: false,
            confidence_min: 50,
            custom: vec![],
            fields: vec![],
            headers: vec![],
            query: vec![],
            opaque: Default::default(),
            thinking: Default::default(),
            tell_client: false,
        },
    }
}

pub(crate) async fn are_saved_listed_changed_and_deleted(fixture: &Fixture) {
    let (rules, dev) = (fixture.store.data_rules(), env("dev"));
    let (people, cards) = (rule("people", None), rule("cards", Some("openai")));
    let saved = rules.create(&dev, &people, start()).await.unwrap();
    assert_eq!((&saved.rule, saved.version), (&people, 1));
    assert_eq!(rules.show(&dev, &people.name).await.unwrap(), saved);
    let second = rules.create(&dev, &cards, start()).await.unwrap();
    assert_eq!(
        rules.list(&dev).await.unwrap(),
        [second, saved.clone()],
        "by name"
    );
    assert_eq!(rules.list(&env("prod")).await.unwrap(), []);

    let mut blocks = people.clone();
    blocks.spec.action = DataAction::Block;
    let changed = rules.update(&dev, &blocks, 1, after(5)).await.unwrap();
    assert_eq!((&changed.rule, changed.version), (&blocks, 2));
    assert_eq!(changed.created_at, saved.created_at);
    assert_eq!(changed.changed_at, after(5));
    assert_eq!(rules.show(&dev, &people.name).await.unwrap(), changed);

    let late = rules.update(&dev, &people, 1, after(6)).await;
    assert!(
        late.unwrap_err().is_conflict(),
        "a change is not overwritten unseen"
    );

    rules.delete(&dev, &people.name).await.unwrap();
    let gone = rules.show(&dev, &people.name).await.unwrap_err();
    assert!(gone.is_not_found());
    let gone = rules.delete(&dev, &people.name).await.unwrap_err();
    assert!(gone.is_not_found());
    let gone = rules.update(&dev, &blocks, 2, start()).await.unwrap_err();
    assert!(gone.is_not_found());
}

pub(crate) async fn need_what_they_name_and_a_free_name(fixture: &Fixture) {
    let (rules, dev) = (fixture.store.data_rules(), env("dev"));
    let people = rule("people", None);
    rules.create(&dev, &people, start()).await.unwrap();
    let again = rules.create(&dev, &people, start()).await.unwrap_err();
    assert!(again.is_conflict());
    let nowhere = rules.create(&env("test"), &people, start()).await;
    assert!(nowhere.unwrap_err().is_not_found());
    let astray = rule("astray", Some("opneai"));
    let error = rules.create(&dev, &astray, start()).await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("opneai"));
    let astray = rule("people", Some("opneai"));
    let error = rules.update(&dev, &astray, 1, start()).await.unwrap_err();
    assert!(error.is_not_found());
    let mut large = rule("large", None);
    large.spec.headers = vec!["x".repeat(128 * 1024)];
    let error = rules.create(&dev, &large, start()).await.unwrap_err();
    assert!(error.is_invalid());
}

pub(crate) async fn outlive_their_upstream(fixture: &Fixture) {
    // Goal: protection does not end because an upstream was made anew. Method: delete the upstream
    // that a rule names, change the rule, make the upstream again.
    let (rules, dev) = (fixture.store.data_rules(), env("dev"));
    let mut cards = rule("cards", Some("openai"));
    rules.create(&dev, &cards, start()).await.unwrap();
    let (upstreams, openai) = (fixture.store.upstreams(), upstream("openai"));
    upstreams.delete(&dev, &openai, start()).await.unwrap();
    cards.spec.action = DataAction::Block;
    rules.update(&dev, &cards, 1, after(1)).await.unwrap();
    fixture.add_upstream("dev", "openai", None).await;
    assert_eq!(rules.list(&dev).await.unwrap()[0].rule, cards);
}

//! Data rules: which hold for a request, who may see what, and what the record says was found.

use postern_types::{
    AuditRecord, BuiltinClass, DataAction, DataRule, DataRules, Direction, End, Finding, RuleName,
};

use crate::fixture::{Fixture, env};

fn rule(name: &str, upstream: Option<&str>, class: &str) -> DataRule {
    let spec = serde_json::json!({"upstream": upstream, "directions": ["request", "response"],
        "classes": [class], "action": "mask"});
    DataRule {
        name: name.parse().unwrap(),
        spec: serde_json::from_value(spec).unwrap(),
    }
}

impl Fixture {
    async fn save(&self, environment: &str, rule: &DataRule) {
        let environment = env(environment);
        let rules = self.guard.store().data_rules();
        rules.create(&environment, rule, self.now()).await.unwrap();
        self.guard.environment_changed(&environment).await.unwrap();
    }

    /// The data rules in the permit of a request with this token.
    async fn permitted(&self, token: &str) -> DataRules {
        let mut flight = self.arrive();
        let caller = flight.authenticate(Some(token)).await.unwrap();
        let context = self.context(&caller, "gpt-4o-mini");
        let permit = flight.authorize(&caller, &context).unwrap();
        permit.data_rules().clone()
    }
}

fn names(rules: &DataRules) -> Vec<&str> {
    rules.rules.iter().map(|rule| rule.name.as_str()).collect()
}

#[tokio::test]
async fn the_permit_carries_the_rules_of_its_upstream_from_the_next_request_on() {
    // Goal: a saved rule holds at once, for its upstream and its environment alone, and a deleted
    // one no more. Method: rules for one upstream, for every one, and for others, seen by the next
    // request of a token that was in use before.
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let token = token.token.expose();
    assert!(fixture.permitted(token).await.rules.is_empty());
    fixture.save("dev", &rule("people", None, "personal")).await;
    fixture
        .save("dev", &rule("cards", Some("openai"), "card"))
        .await;
    fixture
        .save("prod", &rule("elsewhere", None, "email"))
        .await;
    assert_eq!(names(&fixture.permitted(token).await), ["cards", "people"]);

    let new = postern_store::NewUpstream {
        name: "notes".parse().unwrap(),
        kind: postern_types::UpstreamKind::Http,
        url: "http://127.0.0.1:9".to_owned(),
        credential: None,
        settings: serde_json::Map::new(),
    };
    let upstreams = fixture.guard.store().upstreams();
    upstreams
        .create(&env("dev"), &new, fixture.now())
        .await
        .unwrap();
    fixture
        .save("dev", &rule("notes", Some("notes"), "email"))
        .await;
    assert_eq!(names(&fixture.permitted(token).await), ["cards", "people"]);

    let rules = fixture.guard.store().data_rules();
    let people = RuleName::parse("people").unwrap();
    rules.delete(&env("dev"), &people).await.unwrap();
    fixture
        .guard
        .environment_changed(&env("dev"))
        .await
        .unwrap();
    assert_eq!(names(&fixture.permitted(token).await), ["cards"]);
}

#[tokio::test]
async fn sensitive_data_is_seen_by_whom_a_policy_names_and_by_nobody_else() {
    // Goal: the permit says who may see what, and an allow-all environment shows nothing. Method:
    // the same request before and after a policy that reveals to its principal, and to another.
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let token = token.token.expose();
    fixture.save("dev", &rule("all", None, "all")).await;
    let before = fixture.permitted(token).await;
    assert!(before.revealed_in_request.is_empty() && before.revealed_in_response.is_empty());
    for (name, who) in [("other", "service:other"), ("web", "service:web")] {
        let text = format!(
            "permit(principal == Postern::Principal::\"{who}\",
                action == Postern::Action::\"reveal_in_response\",
                resource in Postern::ClassGroup::\"payment\");"
        );
        let policies = fixture.guard.store().policies();
        let name = name.parse().unwrap();
        policies
            .create(&env("dev"), &name, &text, fixture.now())
            .await
            .unwrap();
        fixture
            .guard
            .environment_changed(&env("dev"))
            .await
            .unwrap();
        let rules = fixture.permitted(token).await;
        assert!(rules.revealed_in_request.is_empty());
        let card = BuiltinClass::Card.into();
        let sees = rules.revealed_in_response.contains(&card);
        assert_eq!(sees, who == "service:web", "{who}");
        assert!(
            !rules
                .revealed_in_response
                .contains(&BuiltinClass::Email.into())
        );
    }
}

#[tokio::test]
async fn findings_stand_in_the_outcome_and_are_bounded() {
    let fixture = Fixture::new().await;
    let token = fixture.token("dev", "openai:invoke:gpt-4o-mini", &[]).await;
    let mut flight = fixture.arrive();
    fixture
        .clear(&mut flight, token.token.expose())
        .await
        .unwrap();
    let finding = |number: u32| Finding {
        class: BuiltinClass::Email.into(),
        direction: Direction::Request,
        action: DataAction::Mask,
        rule: "people".parse().unwrap(),
        dry_run: false,
        place: "m".repeat(128),
        count: number,
    };
    flight.observed().findings = (0..1_000).map(finding).collect();
    flight.close(End::Done);
    let records = fixture.records().await;
    let found = records.iter().find_map(|record| match record {
        AuditRecord::Outcome(outcome) => Some(&outcome.findings),
        _ => None,
    });
    let kept: Vec<Finding> = (0..64).map(finding).collect();
    assert_eq!(found, Some(&kept));
}

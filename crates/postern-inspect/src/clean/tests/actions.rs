//! What is done about findings.

use super::*;
use crate::bounds::PSEUDONYMS_KEPT_MAX;

const TEXT: &str = "card 4111 1111 1111 1111, mail A@b.com or a@B.com.";

fn placeholder(out: &str, label: &str) -> String {
    let at = out.find(label).unwrap();
    out[at..at + label.len() + 16].to_owned()
}

#[test]
fn each_action_does_what_it_says() {
    let out = |rules: &[DataRule]| clean(&mut cleaner(rules), TEXT).unwrap();
    assert_eq!(out(&[rule("r", &["all"], "allow")]), TEXT);
    assert_eq!(out(&[rule("r", &["all"], "flag")]), TEXT);
    assert_eq!(
        out(&[rule("r", &["card"], "mask")]),
        TEXT.replace("4111 1111 1111 1111", "[CARD]")
    );
    assert_eq!(
        out(&[rule("r", &["card"], "keep-last-4")]),
        TEXT.replace("4111 1111 1111 1111", "**** **** **** 1111")
    );
    let hashed = out(&[rule("r", &["email"], "hash")]);
    let label = placeholder(&hashed, "[EMAIL:");
    assert_eq!(
        hashed.matches(&label).count(),
        2,
        "one value, one label: {hashed}"
    );
    let both = [
        rule("a", &["personal"], "mask"),
        rule("b", &["email"], "block"),
    ];
    let blocked = clean(&mut cleaner(&both), TEXT);
    let rule = RuleName::parse("b").unwrap();
    let class = DataClass::Builtin(BuiltinClass::Email);
    assert_eq!(blocked, Err(CleanError::Blocked { class, rule }));
}

/// Goal: once a text is blocked or a detector failed, nothing of it passes any more.
#[test]
fn a_text_that_failed_stays_failed() {
    let mut cleaner = cleaner(&[rule("r", &["all"], "mask")]);
    let mut channel = Channel::new(TextKind::Plain, "", "");
    let mut out = String::new();
    channel
        .push("fine PANIC-2; ", &mut cleaner, &mut out)
        .unwrap();
    assert_eq!(out, "fine [PASSPORT]; ");
    let failed = channel.push("then PANIC-1 a@b.com ", &mut cleaner, &mut out);
    assert_eq!(failed, Err(CleanError::CannotInspect("a detector failed")));
    assert_eq!(channel.push("more ", &mut cleaner, &mut out), failed);
    assert_eq!(channel.finish(&mut cleaner, &mut out), failed);
    assert_eq!(out, "fine [PASSPORT]; ");
}

/// Goal: what passes is reported as such, and what a dry run would do as well. Method: the findings
/// of dry runs, of revealed classes, and of a rule that asks for more confidence.
#[test]
fn findings_say_what_was_done() {
    let mut dry = rule("dry", &["all"], "block");
    dry.spec.dry_run = true;
    let mut sure = rule("sure", &["email"], "mask");
    sure.spec.confidence_min = 99;
    let rules =
        RuleSet::compile_with(&TABLE, &[dry, rule("firm", &["card"], "mask"), sure]).unwrap();
    let revealed = [DataClass::Builtin(BuiltinClass::Card)];
    let keys = MaskKeys::new(&[7; 32], "prod", "token", "request");
    let mut cleaner = Cleaner::new(Arc::new(rules), Direction::Request, &revealed, keys);
    assert_eq!(clean(&mut cleaner, TEXT).unwrap(), TEXT);
    let told: Vec<String> = cleaner
        .findings()
        .iter()
        .map(|f| {
            format!(
                "{} {} {} {} {}",
                f.class, f.action, f.rule, f.dry_run, f.count
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "card block dry true 1",
            "card flag firm false 1",
            "email block dry true 2",
        ]
    );
    assert_eq!(cleaner.findings()[0].place, "messages.content");
}

/// Goal: a value that is only reported does not hide one that may not pass.
#[test]
fn what_passes_does_not_hide_what_may_not() {
    let rules = [rule("a", &["all"], "flag"), rule("b", &["email"], "mask")];
    let text = "password: x.y@example.com";
    assert_eq!(
        clean(&mut cleaner(&rules), text).unwrap(),
        "password: [EMAIL]"
    );
}

/// Goal: the answer to the same caller has the values again, however it is cut and spelled, and no
/// one else's placeholder is turned back. Method: a request and an answer that repeats it.
#[test]
fn placeholders_are_turned_back() {
    let mut request = cleaner(&[rule("r", &["all"], "pseudonym:token")]);
    let sent = clean(&mut request, TEXT).unwrap();
    let mail = placeholder(&sent, "EMAIL_");
    let card = placeholder(&sent, "CARD_");
    assert_eq!(sent, format!("card {card}, mail {mail} or {mail}."));
    let answer =
        format!("<{mail}> x{card}x {mail}{card} EMAIL_abcdefghij CUSTOM_{mail} 4111111111111111");
    let expected = "<A@b.com> x4111 1111 1111 1111x A@b.com4111 1111 1111 1111 EMAIL_abcdefghij CUSTOM_A@b.com ";
    for chars in [1, 2, 3, 11, 500] {
        let out = in_pieces(&mut request.for_response(&[]), &answer, chars).unwrap();
        assert!(out.starts_with(expected), "{out}");
        assert!(
            !out.ends_with("4111111111111111"),
            "a value of the answer itself is masked"
        );
    }
    let json = format!(r#"{{"to":"{mail}","n":["{card}"]}}"#);
    let mut answer = request.for_response(&[]);
    let out = pieces_of(TextKind::Json, &mut answer, &json, 1).unwrap();
    assert_eq!(out, r#"{"to":"A@b.com","n":["4111 1111 1111 1111"]}"#);
    let stranger = cleaner(&[rule("r", &["all"], "pseudonym:token")])
        .for_response(&[])
        .idle();
    assert!(!stranger, "the rule applies to answers");
    let mut stranger = cleaner(&[rule("r", &["all"], "pseudonym:token")]).for_response(&[]);
    assert_eq!(clean(&mut stranger, &mail).unwrap(), mail);
}

/// Goal: placeholders outlive a request where they are kept, and nothing else is read as them.
#[test]
fn placeholders_can_be_kept() {
    let mut first = cleaner(&[rule("r", &["all"], "pseudonym:token")]);
    let sent = clean(&mut first, TEXT).unwrap();
    let mut kept = KeptPseudonyms::default();
    assert!(kept.renew(first.pseudonyms()));
    assert!(!kept.renew(first.pseudonyms()), "all of them are known");
    let bytes = kept.export();
    let kept = KeptPseudonyms::import(&bytes).unwrap();
    let second = cleaner(&[rule("r", &["all"], "pseudonym:token")]);
    let mut answer = second.for_response(&[]);
    answer.remember(&kept);
    let out = clean(&mut answer, &sent).unwrap();
    assert_eq!(out, TEXT.replace("a@B.com", "A@b.com"));
    assert!(KeptPseudonyms::import(&bytes[1..]).is_none());
    assert!(format!("{kept:?}{first:?}").find("b.com").is_none());
}

/// Goal: what was for one request is not kept, and what is kept is bounded: the oldest goes.
#[test]
fn placeholders_are_kept_by_their_scope_and_within_bounds() {
    let mut kept = KeptPseudonyms::default();
    let mut brief = cleaner(&[rule("r", &["all"], "pseudonym")]);
    clean(&mut brief, TEXT).unwrap();
    assert!(!kept.renew(brief.pseudonyms()) && kept.is_empty());

    let sent = |kept: &mut KeptPseudonyms, name: &str| {
        let mut one = cleaner(&[rule("r", &["all"], "pseudonym:conversation")]);
        let out = clean(&mut one, &format!("{name}@example.com")).unwrap();
        kept.renew(one.pseudonyms());
        out
    };
    let back = |kept: &KeptPseudonyms, text: &str| {
        let request = cleaner(&[rule("r", &["all"], "pseudonym:conversation")]);
        let mut answer = request.for_response(&[]);
        answer.remember(kept);
        clean(&mut answer, text).unwrap()
    };
    let (first, second) = (sent(&mut kept, "first"), sent(&mut kept, "second"));
    for number in 0..PSEUDONYMS_KEPT_MAX - 1 {
        sent(&mut kept, &format!("u{number}"));
        // Used all the while, so it stays.
        sent(&mut kept, "second");
    }
    assert_eq!(back(&kept, &first), first, "the oldest went");
    assert_eq!(back(&kept, &second), "second@example.com");
    let kept = KeptPseudonyms::import(&kept.export()).unwrap();
    assert_eq!(back(&kept, &second), "second@example.com");
}

/// Goal: beyond the bound of the map values are masked.
#[test]
fn placeholders_are_bounded() {
    let mut cleaner = cleaner(&[rule("r", &["all"], "pseudonym")]);
    let text: String = (0..2000).map(|n| format!("user{n}@example.com ")).collect();
    let out = clean(&mut cleaner, &text).unwrap();
    assert!(out.starts_with("EMAIL_") && out.ends_with("[EMAIL] "));
    assert!(!out.contains('@'));
}

/// Goal: the scope decides what a placeholder is the same for.
#[test]
fn placeholders_are_of_their_scope() {
    let sent = |scope: &str, environment: &str, token: &str, request: &str| {
        let rules = RuleSet::compile_with(&TABLE, &[rule("r", &["all"], scope)]).unwrap();
        let keys = MaskKeys::new(&[7; 32], environment, token, request);
        clean(
            &mut Cleaner::new(Arc::new(rules), Direction::Request, &[], keys),
            "a@b.com",
        )
        .unwrap()
    };
    let token = sent("pseudonym:token", "e", "t", "r");
    assert_eq!(token, sent("pseudonym:token", "e", "t", "r2"));
    assert_ne!(token, sent("pseudonym:token", "e", "t2", "r"));
    assert_ne!(token, sent("pseudonym:token", "e2", "t", "r"));
    assert_ne!(
        sent("pseudonym", "e", "t", "r"),
        sent("pseudonym", "e", "t", "r2")
    );
    let all = sent("pseudonym:environment", "e", "t", "r");
    assert_eq!(all, sent("pseudonym:environment", "e", "t2", "r2"));
}

/// Goal: a field found by its place is treated as its class, once.
#[test]
fn fields_are_found_by_their_place() {
    let mut cleaner = cleaner(&[rule("r", &["medical_record"], "mask")]);
    let class = DataClass::Builtin(BuiltinClass::MedicalRecord);
    let found = cleaner.found(&class, "$.note", "any text").unwrap();
    assert_eq!(found.as_deref(), Some("[MEDICAL_RECORD]"));
    assert_eq!(
        cleaner.found(&class, "$.note", "[MEDICAL_RECORD]").unwrap(),
        None
    );
    let other = DataClass::Builtin(BuiltinClass::Email);
    assert_eq!(cleaner.found(&other, "$.note", "any text").unwrap(), None);
}

/// Goal: a placeholder does not shield a value of which it is a part. Method: an address with a
/// password, whose user is a placeholder of the request.
#[test]
fn a_placeholder_shields_nothing_beside_it() {
    let rules = [
        rule("mails", &["email"], "pseudonym"),
        rule("secrets", &["secret"], "mask"),
    ];
    let mut request = cleaner(&rules);
    let sent = clean(&mut request, "I am jane.doe@example.com").unwrap();
    let placeholder = sent.strip_prefix("I am ").unwrap();
    let answer =
        format!("use postgres://{placeholder}:hunter2secretX9@db.example.com/prod {placeholder}");
    for chars in [1, 3, 1000] {
        let out = in_pieces(&mut request.for_response(&[]), &answer, chars).unwrap();
        assert!(!out.contains("hunter2"), "{out}");
        assert!(out.ends_with(" jane.doe@example.com"), "{out}");
    }
}

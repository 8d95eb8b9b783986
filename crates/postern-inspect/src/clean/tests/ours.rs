//! What looks like our own writing and may be anybody's.

use super::*;

/// Goal: a value in the shape of a label does not pass. Method: numbers and passwords spelled as
/// placeholders, hashes, labels of a rule's own class and stars, under each action.
#[test]
fn a_value_in_the_shape_of_a_label_is_a_value() {
    let texts = [
        ("password: PASSWORD_abcdefghij", "abcdefghij"),
        (
            "password: GENERIC_SECRET_abcdefghijklmnop",
            "abcdefghijklmnop",
        ),
        (
            "password: [GENERIC_SECRET:abcdefghijklmnop]",
            "abcdefghijklmnop",
        ),
        ("password: [CUSTOM_HUNTER2SECRET]", "HUNTER2SECRET"),
        ("password: [GENERIC_SECRET]hunter2X", "hunter2X"),
        ("password: [GENERIC_SECRET]!$%&/=?", "!$%&/=?"),
        ("password: ****************hunter2x", "hunter2x"),
        ("password: ********abcdefgh", "abcdefgh"),
        ("password: ******ab12cd", "ab12cd"),
    ];
    for action in [
        "mask",
        "hash",
        "keep-last-4",
        "keep-last-8",
        "pseudonym:token",
    ] {
        for (text, value) in texts {
            let out = clean(&mut cleaner(&[rule("all", &["all"], action)]), text).unwrap();
            // Eight letters are left of what is one value with the letters before it.
            let left = action == "keep-last-8" && text.contains("SECRET]");
            assert!(
                left || !out.contains(value),
                "{action}: {text} became {out}"
            );
        }
    }
    let field = DataClass::Builtin(BuiltinClass::GenericSecret);
    for forged in [
        "****1234",
        "GENERIC_SECRET_abcdefghijklmnop",
        "[CUSTOM_HUNTER2]",
    ] {
        let mut cleaner = cleaner(&[rule("all", &["all"], "mask")]);
        let out = cleaner.found(&field, "$.password", forged).unwrap();
        assert_eq!(out.as_deref(), Some("[GENERIC_SECRET]"), "{forged}");
    }
}

/// Goal: what we did write stays as it is, under any request of the environment. Method: values
/// cleaned once, and what came out again, under another token and request.
#[test]
fn what_we_wrote_stays() {
    let text = "password: hunter2!x and a@b.com, 4111 1111 1111 1111; password=\"s3cr3t!!\"";
    for action in ["mask", "hash", "pseudonym", "pseudonym:token"] {
        let rules = [rule("all", &["all"], action)];
        let once = clean(&mut cleaner(&rules), text).unwrap();
        let rules = RuleSet::compile_with(&TABLE, &rules).unwrap();
        let keys = MaskKeys::new(&[7; 32], "prod", "other", "later");
        let mut later = Cleaner::new(Arc::new(rules), Direction::Request, &[], keys);
        assert_eq!(clean(&mut later, &once).unwrap(), once, "{action}");
    }
    let mut own = rule("own", &["all"], "mask");
    own.spec.custom = vec![postern_types::CustomDetector {
        class: DataClass::parse("custom:badge").unwrap(),
        pattern: Some("B-[0-9]{6}".to_owned()),
        words: Vec::new(),
    }];
    let out = clean(&mut cleaner(&[own]), "password: [CUSTOM_BADGE]").unwrap();
    assert_eq!(out, "password: [CUSTOM_BADGE]");
}

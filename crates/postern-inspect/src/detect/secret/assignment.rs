//! The text between a name and its value, as patterns for the text to the left of a value.
//!
//! They are macros, because `concat!` takes literals only. Letter case does not matter there.

/// Behind the name: closing quotes, a type, an operator, opening quotes. Covers `a = "b"`,
/// `"a": "b"`, `'a' => 'b'`, `a := b`, `a: str = "b"`, `<a>b`, `key="a" value="b"`, `a("b")`,
/// `f("A", "b")`, `a[25] = "b"`, `if a == "b"`, `a is b`, `a "b"`.
macro_rules! assigned {
    () => {
        concat!(
            r#"(?:\[[0-9]{0,4}\])?\\?["'`\]\)]{0,3}(?:\s?:\s?&?(?:'static\s)?[a-z]{2,8})?"#,
            r#"(?:\s{0,4}(?:=>|:{1,3}=|={1,3}|!={1,2}|[?|+]=|\|{1,2}:|:|,|\||>|\()\s{0,4}"#,
            r#"|\s(?:value|content)=|\s{1,2}(?:is|are|was)(?:\snow)?:?\s{1,2}|\s{1,2}@?["'`]"#,
            r#")[brf]?\\?[("'`@\[]{0,3}"#,
        )
    };
}

/// An option of a command: `--password x`, `--api-key=x`.
macro_rules! option {
    () => {
        concat!(
            r"--[a-z0-9.-]{0,24}(?:password|passwd|pwd|token|secret|api-?key|access-?key|auth)",
            r#"[a-z0-9.-]{0,10}[\s=]{1,3}["'`]?"#,
        )
    };
}

/// What somebody says who gives it away: ` for the test account is `.
macro_rules! given {
    () => {
        r#" (?:for|of|to|on)(?: [a-z0-9]{1,14}){1,4} is:?\s{1,2}["'`\[]?"#
    };
}

pub(super) use {assigned, given, option};

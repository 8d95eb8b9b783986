//! Generated secrets in every way of writing an assignment: rules that fit a collection only fail
//! here.

use postern_types::{ClassGroup, DataClass};

use crate::detect::scan::detect;

/// A small generator of its own, so that the same values are tried everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound as u64).unwrap()
    }

    fn text(&mut self, alphabet: &[u8], len: usize) -> String {
        (0..len)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }
}

const HEX: &[u8] = b"0123456789abcdef";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const URL_SAFE: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const PASSWORD: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz!#%*+?";

/// Ways to write that a name has a value; `N` is the name, `V` the value.
const SHAPES: &[&str] = &[
    "N=V",
    "N = V",
    "export N=\"V\"",
    "N: V",
    "N: 'V'",
    "\"N\": \"V\",",
    "{\"N\":\"V\"}",
    "'N' => 'V',",
    "N := `V`",
    "const N = \"V\";",
    "let N: &str = \"V\";",
    "<N>V</N>",
    "<add key=\"N\" value=\"V\" />",
    "setProperty(\"N\", \"V\")",
    "if (N == \"V\") {",
    "https://host.internal/a?x=1&N=V&y=2",
    "The N is V and nobody else knows it.",
    "my N is: V\nthanks",
];

/// How many of so many values are found exactly, over all shapes and names.
fn found(names: &[&str], mut value: impl FnMut(&mut Random) -> String) -> (usize, usize) {
    let mut random = Random(7);
    let (mut hits, mut all) = (0, 0);
    for _ in 0..20 {
        for shape in SHAPES {
            let name = names[random.below(names.len())];
            let value = value(&mut random);
            let text = shape.replace('N', name).replace("V", &value);
            let start = text.find(&value).unwrap();
            let exact = detect(&text, 50).into_iter().any(|found| {
                let secret = matches!(found.class, DataClass::Builtin(class)
                    if class.group() == ClassGroup::Secret);
                secret && found.range == (start..start + value.len())
            });
            if !exact {
                println!("not found: {text:?}: {:?}", detect(&text, 50));
            }
            hits += usize::from(exact);
            all += 1;
        }
    }
    (hits, all)
}

#[test]
fn generated_keys_are_found_in_every_shape() {
    let names = [
        "api_key",
        "apiKey",
        "API-TOKEN",
        "client_secret",
        "accessToken",
        "auth_token",
    ];
    for (alphabet, len) in [
        (HEX, 32),
        (HEX, 40),
        (BASE62, 24),
        (BASE62, 40),
        (URL_SAFE, 43),
    ] {
        let (hits, all) = found(&names, |random| {
            // The first and the last letter are not joints, which shapes may take as their own.
            random.text(BASE62, 1) + &random.text(alphabet, len) + &random.text(BASE62, 1)
        });
        assert!(hits * 100 >= all * 96, "{hits} of {all}: {len} letters");
    }
}

#[test]
fn generated_keys_of_vendors_are_found_in_every_shape() {
    let names = [
        "MISTRAL_API_KEY",
        "twilioAuthToken",
        "algolia-admin-key",
        "okta_client_secret",
    ];
    let (hits, all) = found(&names, |random| random.text(BASE62, 22));
    assert!(hits * 100 >= all * 96, "{hits} of {all}");
}

#[test]
fn generated_passwords_are_found_in_every_shape() {
    let names = [
        "password",
        "db_password",
        "PASSWORD",
        "userPassword",
        "pwd",
        "passphrase",
    ];
    let (hits, all) = found(&names, |random| {
        random.text(BASE62, 1) + &random.text(PASSWORD, 10) + "7" + &random.text(BASE62, 1)
    });
    assert!(hits * 100 >= all * 96, "{hits} of {all}");
}

//! IBAN: ISO 13616, with the lengths of the registry, and the check digits of ISO 7064 mod 97-10.

use postern_types::BuiltinClass::Iban;

use crate::detect::checksum::{Signs, mod97};
use crate::detect::{Detector, Edges, Needs};

/// The pattern is the registry: countries by the number of signs behind the two check digits.
macro_rules! by_length {
    ($($countries:literal $rest:literal)*) => {
        concat!("(?i)(?:", $(
            "(?:", $countries, r")\d\d(?:[ \r\n-]{0,2}[0-9A-Z]){", $rest, "}|",
        )*
        // Norway's, the shortest of all, ends the list.
        r"NO\d\d(?:[ \r\n-]{0,2}\d){11})")
    };
}

const PATTERN: &str = by_length! {
    "BE" "12"
    "DK|FI|FK|FO|GL|NL|SD" "14"
    "MK|SI" "15"
    "AT|BA|EE|KZ|LT|LU|MN|XK" "16"
    "CH|CR|HR|LI|LV" "17"
    "BG|BH|DE|GB|GE|IE|ME|RS|VA" "18"
    "AE|GI|IL|IQ|OM|SO|TL" "19"
    "AD|CZ|ES|MD|PK|RO|SA|SE|SK|TN|VG" "20"
    "LY|PT|ST" "21"
    "IS|TR" "22"
    "BI|DJ|FR|GR|IT|MC|MR|SM" "23"
    "AL|AZ|BY|CY|DO|GT|HN|HU|LB|NI|PL|SV" "24"
    "BR|EG|PS|QA|UA" "25"
    "JO|KW|MU|YE" "26"
    "MT|SC" "27"
    "LC" "28"
    "RU" "29"
};

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new("iban", Iban, Needs::Digits(2), PATTERN)
        .check(iban)
        .sure(97)
        .at_most(96)
        .examples(
            &[
                "GB: ⟦GB89WEST12345624017785⟧.",
                "⟦GB89 WEST 1234 5624 0177 85⟧",
                "to ⟦GB89 WEST 1234\n5624 0177 85⟧",
                "⟦GB89  WEST  1234  5624  0177  85⟧",
                "iban=⟦gb89west12345624017785⟧",
                "⟦NO9386011117947⟧",
            ],
            &[
                "GB88WEST12345624017785",
                "GB89WEST1234562401778",
                "XGB89WEST12345624017785",
                "GB89WEST123456240177851",
                "US89WEST12345624017785",
            ],
        ),
    // Whoever writes the name of the thing directly before it means it, wrong digit or not.
    Detector::new(
        "iban_labelled",
        Iban,
        Needs::Digits(2),
        r"(?i)[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){0,7}(?:[ -]?[a-z0-9]{1,3})?",
    )
    .left(concat!(r"(?:^|[^a-z])iban", tail!()))
    .edges(Edges::Key)
    .sure(72)
    .at_most(48)
    .examples(
        &[
            "IBAN: ⟦GB88 WEST 1234 5624 0177 85⟧",
            "iban '⟦us89west12345624017785⟧'",
        ],
        &[
            "GB88 WEST 1234 5624 0177 85",
            "caliban GB88WEST12345624017785",
        ],
    ),
    // The second of two runs: with a space behind the check digits only.
    Detector::new(
        "iban_labelled_rest",
        Iban,
        Needs::Run(11),
        r"(?i)[a-z0-9]{11,30}",
    )
    .left(concat!(r"(?:^|[^a-z])iban", tail!(), r"[a-z]{2}\d{2}\s"))
    .edges(Edges::Key)
    .sure(72)
    .at_most(30)
    .examples(
        &["IBAN: ⟦GB89⟧ ⟦WEST12345624017785⟧"],
        &["GB89 WEST12345624017785", "IBAN GB89 or WEST12345624017785"],
    ),
];

/// The first four signs go to the end; what remains by 97 is one. Check digits are 02 to 98.
fn iban(text: &str) -> bool {
    let signs = Signs::of(text);
    let Some((head, rest)) = signs.split_at_checked(4) else {
        return false;
    };
    let zeros = rest.iter().all(|&sign| sign == b'0');
    let check = &head[2..];
    !zeros
        && check != b"00"
        && check != b"01"
        && check != b"99"
        && mod97(rest.iter().chain(head).copied()) == 1
}

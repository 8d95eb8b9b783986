//! Germany: what people carry, identity cards and passports.
//!
//! Both have nine signs of the same alphabet, without vowels and other letters that are mistaken,
//! and may be written with the check digit of their machine-readable zone. The first sign is that
//! of the office: identity cards have L, M, N, P, R, T, V, W, X or Y, passports C, F, G, H, J or K.

use postern_types::BuiltinClass::{DeIdCard, Passport};

use crate::detect::checksum::{Digits, Signs, base36};
use crate::detect::{Detector, Edges, Needs, alone};

const ID_CARD: &[&str] = &[
    "personalausweis",
    "ausweis",
    "ausweisnummer",
    "personalausweisnummer",
    "perso",
    "id card",
    "identity card",
    "ausweisnr",
    "personalausweisnr",
    "identitätskarte",
];
const PASSPORT: &[&str] = &[
    "reisepass",
    "pass",
    "passnummer",
    "reisepassnummer",
    "passport",
    "passnr",
    "pass-nr",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "de_id_card",
        DeIdCard,
        Needs::Digits(1),
        r"(?i)[lmnprtvwxyz][0-9cfghjklmnprtvwxyz]{8}\d",
    )
    .edges(Edges::Key)
    .check(document)
    .words(ID_CARD, 45, 95)
    .at_most(10)
    .alone(alone::ONE_IN_10)
    .examples(
        &[
            "Personalausweis ⟦L01X00T471⟧",
            "Ausweisnummer: ⟦t220001293⟧",
        ],
        &[
            "part L01X00T471",
            "Ausweis L01X00T472",
            "Ausweis LL01X00T471",
        ],
    ),
    // Nine signs, as printed without the check digit.
    Detector::new(
        "de_id_card_short",
        DeIdCard,
        Needs::Digits(1),
        r"(?i)[lmnprtvwxyz][0-9cfghjklmnprtvwxyz]{8}",
    )
    .edges(Edges::Key)
    .check(some_digits)
    .words(ID_CARD, 20, 85)
    .at_most(9)
    .alone(alone::SHAPE)
    .examples(
        &["Personalausweis ⟦L01X00T47⟧", "Ausweisnummer: ⟦T22000129⟧"],
        &["part L01X00T47", "Ausweis L01X00A47", "Ausweis CFGHJKLMN"],
    ),
    Detector::new(
        "de_passport",
        Passport,
        Needs::Digits(1),
        r"(?i)[cfghjk][0-9cfghjklmnprtvwxyz]{8}\d?",
    )
    .edges(Edges::Key)
    .check(passport)
    .words(PASSPORT, 20, 88)
    .at_most(10)
    .alone(alone::SHAPE)
    .examples(
        &["Reisepass ⟦C01X00T478⟧", "Passnummer: ⟦C01X00T47⟧"],
        &[
            "part C01X00T47",
            "Reisepass C01X00T479",
            "Reisepass B01X00T47",
        ],
    ),
    // What a word calls an identity card is looked for as one, whatever its first sign; and so are
    // nine signs of which nobody says what they are.
    Detector::new(
        "de_id_card_named",
        DeIdCard,
        Needs::Digits(1),
        r"(?i)[cfghjk][0-9cfghjklmnprtvwxyz]{8}\d?",
    )
    .edges(Edges::Key)
    .check(passport)
    .words(ID_CARD, 10, 84)
    .at_most(10)
    .alone(alone::SHAPE)
    .examples(
        &["Personalausweis ⟦C01X00T47⟧", "Ausweisnummer: ⟦C01X00T478⟧"],
        &[
            "part C01X00T47",
            "C01X00T47",
            "Reisepass, nicht Personalausweis: C01X00T47",
            "Ausweis C01X00T479",
        ],
    ),
    Detector::new(
        "de_passport_named",
        Passport,
        Needs::Digits(1),
        r"(?i)[lmnprtvwxyz][0-9cfghjklmnprtvwxyz]{8}\d?",
    )
    .edges(Edges::Key)
    .check(passport)
    .words(PASSPORT, 10, 80)
    .at_most(10)
    .alone(alone::SHAPE)
    .examples(
        &["Reisepass ⟦L01X00T47⟧", "Passnummer: ⟦L01X00T471⟧"],
        &[
            "part L01X00T47",
            "L01X00T47",
            "Reisepass und Ausweis: L01X00T47",
            "Reisepass L01X00T472",
        ],
    ),
];

/// The check digit of ICAO 9303: letters and digits by 7, 3, 1.
fn document(text: &str) -> bool {
    let signs = Signs::of(text);
    let Some((check, body)) = signs.split_last() else {
        return false;
    };
    let sum: u32 = body
        .iter()
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(&sign, weight)| base36(sign) * weight)
        .sum();
    sum % 10 == base36(*check)
}

/// A serial has digits by chance; its letters make no words.
fn some_digits(text: &str) -> bool {
    !Digits::of(text).is_empty()
}

/// Nine signs, or ten with a check digit.
fn passport(text: &str) -> bool {
    if text.len() == 10 {
        document(text)
    } else {
        some_digits(text)
    }
}

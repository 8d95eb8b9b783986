//! Austria and Switzerland.

use postern_types::BuiltinClass::{AtSvnr, ChAhv, CompanyId, OtherNationalId};

use crate::detect::checksum::{Digits, ddmmyy, luhn_sum, number, uniform, weighted};
use crate::detect::{Detector, Edges, Needs, alone};

const AUSTRIAN: &[&str] = &[
    "svnr",
    "sozialversicherungsnummer",
    "sv-nummer",
    "versicherungsnummer",
    "sv-nr",
    "e-card",
    "social insurance",
];
const AHV: &[&str] = &[
    "ahv",
    "avs",
    "ahv-nr",
    "ahv-nummer",
    "numéro avs",
    "navs",
    "ahvn13",
    "versichertennummer",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new("at_svnr", AtSvnr, Needs::Digits(10), r"[1-9]\d{3}[ -]\d{6}")
        .edges(Edges::Number)
        .check(austrian)
        .words(AUSTRIAN, 65, 96)
        .at_most(11)
        .examples(
            &["SVNR ⟦1503-190373⟧", "⟦2250 130376⟧"],
            &["1503 190374", "1513 190373", "11503 190373"],
        ),
    Detector::new("at_svnr_plain", AtSvnr, Needs::Digits(10), r"[1-9]\d{9}")
        .edges(Edges::Number)
        .check(austrian)
        .words(AUSTRIAN, 40, 94)
        .at_most(10)
        .alone(alone::ONE_IN_100)
        .examples(
            &["SVNR ⟦1503190373⟧", "SV-Nummer: ⟦2250130376⟧"],
            &["part 1503190373", "SVNR 1503190374", "SVNR 15031903731"],
        ),
    Detector::new(
        "at_tax_number",
        OtherNationalId,
        Needs::Digits(9),
        r"\d{2}[- ]?\d{3}[/ ]?\d{4}",
    )
    .edges(Edges::Number)
    .check(austrian_tax)
    .words(
        &[
            "abgabenkontonummer",
            "steuernummer",
            "finanzamt",
            "st.nr",
            "steuernr",
        ],
        40,
        92,
    )
    .at_most(11)
    .alone(alone::UNNAMED)
    .examples(
        &["Steuernummer ⟦46-543/0551⟧", "Finanzamt: ⟦337010425⟧"],
        &[
            "465430551",
            "Steuernummer 465430552",
            "Steuernummer 4654305511",
        ],
    ),
    Detector::new(
        "ch_ahv",
        ChAhv,
        Needs::Digits(13),
        r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}",
    )
    .edges(Edges::Number)
    .check(swiss)
    .words(AHV, 88, 97)
    .at_most(16)
    .examples(
        &["AHV ⟦756.2141.0949.64⟧", "⟦7564317215562⟧"],
        &["756.2141.0949.65", "17562141094964", "755.2141.0949.64"],
    ),
    Detector::new(
        "ch_uid",
        CompanyId,
        Needs::Digits(9),
        r"CHE[- ]?\d{3}[. ]?\d{3}[. ]?\d{3}(?: ?(?:MWST|TVA|IVA))?",
    )
    .edges(Edges::Number)
    .check(uid)
    .sure(92)
    .at_most(21)
    .examples(
        &[
            "⟦CHE-113.873.400⟧",
            "UID ⟦CHE932932059⟧",
            "⟦CHE-507.127.271 MWST⟧",
        ],
        &["CHE-113.873.401", "CHE-113.873.4001", "XCHE113873400"],
    ),
];

/// Three serial digits, the check digit, and the birthday; months up to 15 fill full days.
fn austrian(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
    let day = &digits[4..];
    sum == u32::from(digits[3]) && (ddmmyy(day) || matches!(number(&day[2..4]), 13..=15))
}

fn austrian_tax(text: &str) -> bool {
    let digits = Digits::of(text);
    digits.len() == 9 && luhn_sum(&digits).is_multiple_of(10) && !uniform(&digits)
}

/// EAN-13: weights 1 and 3.
fn swiss(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    sum.is_multiple_of(10) && !uniform(&digits[3..12])
}

fn uid(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..8], &[5, 4, 3, 2, 7, 6, 5, 4]);
    (11 - sum % 11) % 11 == u32::from(digits[8])
}

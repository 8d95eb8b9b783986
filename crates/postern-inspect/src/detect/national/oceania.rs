//! Australia and New Zealand.

use postern_types::BuiltinClass::{AuAbn, AuMedicare, AuTfn, NzIrd, OtherNationalId};

use crate::detect::checksum::{Digits, number, one_separator, uniform, weighted};
use crate::detect::{Detector, Edges, Needs, alone};

const TFN: &[&str] = &["tfn", "tax file", "tax file number", "ato"];
const ABN: &[&str] = &["abn", "australian business", "business number"];
const ACN: &[&str] = &["acn", "australian company", "company number", "arbn"];
const MEDICARE: &[&str] = &["medicare", "medicare number", "medicare card", "patient"];
const IRD: &[&str] = &["ird", "inland revenue", "ird number", "gst"];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "au_tfn_grouped",
        AuTfn,
        Needs::Digits(8),
        r"\d{3}[ -]\d{3}[ -]\d{2,3}",
    )
    .edges(Edges::Groups)
    .check(tfn)
    .words(TFN, 54, 96)
    .at_most(11)
    .examples(
        &["it is ⟦807 587 290⟧", "TFN: ⟦807-587-290⟧"],
        &["099 925 489", "099-925 488", "1 099 925 488 1"],
    ),
    Detector::new("au_tfn", AuTfn, Needs::Digits(8), r"\d{8,9}")
        .edges(Edges::Number)
        .check(tfn)
        .words(TFN, 40, 94)
        .at_most(9)
        .alone(alone::ONE_IN_11)
        .examples(
            &["tax file number ⟦099925488⟧", "TFN ⟦234614503⟧"],
            &["part 099925488", "TFN 099925489", "TFN 0999254881"],
        ),
    Detector::new(
        "au_abn",
        AuAbn,
        Needs::Digits(11),
        r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}",
    )
    .edges(Edges::Groups)
    .check(abn)
    .words(ABN, 72, 97)
    .at_most(14)
    .examples(
        &["ABN ⟦83 360 448 496⟧", "⟦68558572572⟧"],
        &["83 360 448 497", "183360448496", "00000000000"],
    ),
    Detector::new(
        "au_acn_grouped",
        AuAbn,
        Needs::Digits(9),
        r"\d{3} \d{3} \d{3}",
    )
    .edges(Edges::Groups)
    .check(acn)
    .words(ACN, 52, 95)
    .at_most(11)
    .alone(alone::ONE_IN_10)
    .examples(
        &[
            "ACN ⟦238 607 826⟧",
            "⟦613 663 504⟧",
            "(ACN ⟦058 371 985⟧)",
            "ACN (⟦058 371 985⟧)",
        ],
        &["238 607 827", "238 607 8261"],
    ),
    Detector::new("au_acn", AuAbn, Needs::Digits(9), r"\d{9}")
        .edges(Edges::Number)
        .check(acn)
        .words(ACN, 38, 93)
        .at_most(9)
        .alone(alone::ONE_IN_10)
        .examples(
            &["ACN ⟦238607826⟧", "acn: ⟦613663504⟧"],
            &["part 238607826", "ACN 238607827", "ACN 2386078261"],
        ),
    Detector::new(
        "au_medicare_grouped",
        AuMedicare,
        Needs::Digits(10),
        r"[2-6]\d{3}[ -]\d{5}[ -]\d(?:[ /-]\d)?",
    )
    .edges(Edges::Number)
    .check(medicare)
    .words(MEDICARE, 75, 96)
    .at_most(14)
    .examples(
        &["⟦2123 45670 1⟧", "Medicare: ⟦3950-88016-1⟧"],
        &["2123 45671 1", "7123 45670 1", "2123 45670 11"],
    ),
    Detector::new("au_medicare", AuMedicare, Needs::Digits(10), r"[2-6]\d{9}")
        .edges(Edges::Number)
        .check(medicare)
        .words(MEDICARE, 40, 93)
        .at_most(10)
        .alone(alone::ONE_IN_11)
        .examples(
            &["Medicare number ⟦2123456701⟧", "medicare card ⟦3950880161⟧"],
            &[
                "part 2123456701",
                "medicare 2123456711",
                "medicare 21234567011",
            ],
        ),
    Detector::new(
        "nz_ird",
        NzIrd,
        Needs::Digits(8),
        r"\d{2,3}[- ]?\d{3}[- ]?\d{3}",
    )
    .edges(Edges::Groups)
    .check(ird)
    .words(IRD, 35, 95)
    .at_most(11)
    .alone(alone::ONE_IN_11)
    .examples(
        &["IRD ⟦86-006-057⟧", "IRD number: ⟦48356400⟧"],
        &["part 86-006-057", "IRD 86-006-058", "IRD 860060571"],
    ),
    Detector::new(
        "nz_nhi",
        OtherNationalId,
        Needs::Digits(2),
        r"(?i)[a-hj-np-z]{3}\d{2}(?:\d{2}|\d[a-hj-np-z]|[a-hj-np-z]{2})",
    )
    .edges(Edges::Key)
    .words(&["nhi", "nhi number", "national health index"], 10, 88)
    .at_most(7)
    .examples(
        &["NHI ⟦ZAA0067⟧", "nhi: ⟦ZBN77VL⟧"],
        &["ZAA0067", "NHI ZAA006", "NHI ZAA00671"],
    ),
];

/// Weights 1, 4, 3, 7, 5, 8, 6, 9, 10 by eleven; old numbers have eight digits.
fn tfn(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = match digits.len() {
        9 => weighted(&digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]),
        _ => weighted(&digits, &[10, 7, 8, 4, 6, 3, 5, 1]),
    };
    one_separator(text) && sum.is_multiple_of(11) && !uniform(&digits)
}

/// One is taken from the first digit; weights by 89.
fn abn(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    sum >= 10 && (sum - 10).is_multiple_of(89)
}

fn acn(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..8], &[8, 7, 6, 5, 4, 3, 2, 1]);
    (10 - sum % 10) % 10 == u32::from(digits[8]) && !uniform(&digits)
}

/// The ninth digit is the check digit; the tenth counts the cards.
fn medicare(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..8], &[1, 3, 7, 9, 1, 3, 7, 9]);
    sum % 10 == u32::from(digits[8]) && digits[9] > 0 && !uniform(&digits)
}

/// Two sets of weights: the second where the first comes to ten.
fn ird(text: &str) -> bool {
    let digits = Digits::of(text);
    let mut eight = [0_u8; 8];
    let body = &digits[..digits.len() - 1];
    eight[8 - body.len()..].copy_from_slice(body);
    let check = |weights: [u32; 8]| (11 - weighted(&eight, &weights) % 11) % 11;
    let digit = match check([3, 2, 7, 6, 5, 4, 3, 2]) {
        10 => check([7, 4, 3, 2, 5, 2, 7, 6]),
        digit => digit,
    };
    digit == u32::from(digits[digits.len() - 1])
        && (10_000_000..150_000_000).contains(&number(&digits))
}

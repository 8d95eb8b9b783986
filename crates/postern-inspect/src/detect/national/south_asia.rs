//! India, Pakistan, Bangladesh and Sri Lanka.

use postern_types::BuiltinClass::{InAadhaar, InGstin, InPan, InVoterId, OtherNationalId};

use crate::detect::checksum::{Digits, Signs, base36, number, one_separator, uniform, verhoeff};
use crate::detect::{Detector, Edges, Needs, alone};

const AADHAAR: &[&str] = &[
    "aadhaar",
    "aadhar",
    "adhaar",
    "uidai",
    "uid",
    "आधार",
    "aadhaar_number",
    "adhar",
];
const PAN: &[&str] = &["pan", "permanent account", "income tax", "pan_number", "पैन"];
const GSTIN: &[&str] = &["gstin", "gstins", "gst", "gst number", "goods and services"];
const VOTER: &[&str] = &[
    "voter",
    "epic",
    "elector",
    "election",
    "vote",
    "voter_id",
    "मतदाता",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "in_aadhaar_grouped",
        InAadhaar,
        Needs::Digits(12),
        r"[2-9]\d{3}[ :-]\d{4}[ :-]\d{4}",
    )
    .edges(Edges::Number)
    .check(aadhaar)
    .words(AADHAAR, 78, 97)
    .at_most(14)
    .examples(
        &[
            "⟦2683 1098 5783⟧",
            "Aadhaar: ⟦2971-1767-5490⟧",
            "7 ⟦2683 1098 5783⟧ Leeds",
            "Aadhaar card holder 7 ⟦2683 1098 5783⟧",
            "⟦2683 1098 5783⟧ 12",
        ],
        &[
            "2683 1098 5784",
            "2683 1098-5783",
            "1683 1098 5783",
            "2683 1098 57831",
            "FI55 2683 1098 5783 09",
        ],
    ),
    Detector::new("in_aadhaar", InAadhaar, Needs::Digits(12), r"[2-9]\d{11}")
        .edges(Edges::Number)
        .check(aadhaar)
        .words(AADHAAR, 45, 95)
        .at_most(12)
        .alone(alone::ONE_IN_10)
        .examples(
            &["aadhaar ⟦268310985783⟧", "UIDAI ⟦264240078088⟧"],
            &["268310985784", "2683109857831", "0683109857831"],
        ),
    // WHY NOT a virtual id's own class: it stands for the same number.
    Detector::new(
        "in_aadhaar_virtual",
        InAadhaar,
        Needs::Digits(16),
        r"\d{4} ?\d{4} ?\d{4} ?\d{4}",
    )
    .edges(Edges::Number)
    .check(virtual_id)
    .words(&["vid", "virtual id", "aadhaar", "virtual_id"], 30, 90)
    .at_most(19)
    .alone(alone::ONE_IN_10)
    .examples(
        &[
            "VID ⟦2341234123412341⟧",
            "virtual id: ⟦9175 4126 8493 2700⟧",
        ],
        &[
            "part 2341234123412341",
            "VID 2341234123412342",
            "VID 23412341234123411",
        ],
    ),
    // The fourth letter says who: person, company, family, trust and so on.
    Detector::new(
        "in_pan",
        InPan,
        Needs::Digits(4),
        r"(?i)[a-z]{3}[abcfghljpt][a-z]\d{4}[a-z]",
    )
    .edges(Edges::Key)
    .check(pan)
    .words(PAN, 78, 96)
    .at_most(10)
    .examples(
        &["PAN ⟦RCHPN9267Y⟧", "⟦LVSPL4473G⟧", "pan: ⟦exjpx9895d⟧"],
        &["RCHZN9267Y", "RCHPN9267", "ARCHPN9267Y", "RCHPN0000Y"],
    ),
    Detector::new(
        "in_gstin",
        InGstin,
        Needs::Digits(6),
        concat!(
            r"(?i)(?:0[1-9]|[12]\d|3[0-8]|9[679])[a-z]{5}\d{4}",
            r"[a-z][1-9a-z]z[0-9a-z]"
        ),
    )
    .edges(Edges::Key)
    .check(gstin)
    .words(GSTIN, 82, 97)
    .at_most(15)
    .examples(
        &["GSTIN ⟦27BJPPV5972K1Z3⟧", "is ⟦27PXPPV1069K1Z9⟧"],
        &[
            "part 27BJPPV5972K1Z4",
            "00BJPPV5972K1Z3",
            "127BJPPV5972K1Z3",
        ],
    ),
    // Those of tests and of forms do not always have the right check sign.
    Detector::new(
        "in_gstin_in_context",
        InGstin,
        Needs::Digits(6),
        concat!(
            r"(?i)(?:0[1-9]|[12]\d|3[0-8]|9[679])[a-z]{5}\d{4}",
            r"[a-z][1-9a-z]z[0-9a-z]"
        ),
    )
    .edges(Edges::Key)
    .words(GSTIN, 45, 90)
    .at_most(15)
    .alone(alone::NARROW_SHAPE)
    .examples(
        &["GSTIN ⟦27BJPPV5972K1Z4⟧", "⟦27BJPPV5972K1Z4⟧"],
        &["part 27BJPPV5972K1Z4", "GSTIN 27BJPPV5972K1A3"],
    ),
    Detector::new(
        "in_voter_id",
        InVoterId,
        Needs::Digits(7),
        r"(?i)[a-z]{3}\d{7}",
    )
    .edges(Edges::Key)
    .check(some)
    .words(VOTER, 45, 92)
    .at_most(10)
    .alone(alone::SHAPE)
    .examples(
        &["voter id ⟦YHV8800732⟧", "EPIC: ⟦kes3976339⟧"],
        &["part YHV8800732", "voter YHV880073", "voter YHV88007321"],
    ),
    Detector::new(
        "pk_cnic",
        OtherNationalId,
        Needs::Digits(13),
        r"[1-7]\d{4}-\d{7}-\d",
    )
    .edges(Edges::Number)
    .check(some)
    .words(&["cnic", "nicop", "nadra", "national identity"], 82, 96)
    .at_most(15)
    .examples(
        &["CNIC ⟦35204-5341137-4⟧", "⟦61101-1158120-4⟧"],
        &["85204-5341137-4", "35204-5341137-44", "35204-534113-4"],
    ),
    Detector::new(
        "bd_nid",
        OtherNationalId,
        Needs::Digits(10),
        r"\d{17}|\d{13}|\d{10}",
    )
    .edges(Edges::Number)
    .check(some)
    .words(
        &["nid", "জাতীয় পরিচয়পত্র", "national id card", "bangladesh"],
        10,
        75,
    )
    .at_most(17)
    .examples(
        &["NID ⟦8241730659⟧", "NID: ⟦19852617294837261⟧"],
        &["8241730659", "NID 824173065", "NID 82417306591"],
    ),
    Detector::new(
        "lk_nic",
        OtherNationalId,
        Needs::Digits(9),
        r"\d{9}[VvXx]|(?:19|20)\d{10}",
    )
    .edges(Edges::Number)
    .check(sri_lankan)
    .words(
        &["nic", "national identity card", "sri lanka", "ජාතික හැඳුනුම්පත"],
        45,
        92,
    )
    .at_most(12)
    .alone(alone::ONE_IN_23)
    .examples(
        &["NIC ⟦853400937V⟧", "nic: ⟦198534000937⟧"],
        &["part 853400937V", "NIC 854000937V", "NIC 853400937A"],
    ),
];

/// Verhoeff's digit; the first digit is at least 2, and no number reads the same backwards.
fn aadhaar(text: &str) -> bool {
    let digits = Digits::of(text);
    verhoeff(&digits) && one_separator(text) && !digits.iter().eq(digits.iter().rev())
}

fn virtual_id(text: &str) -> bool {
    verhoeff(&Digits::of(text)) && one_separator(text)
}

fn pan(text: &str) -> bool {
    number(&Digits::of(text)) > 0
}

/// Fourteen signs as numbers by 36, times 1 and 2 in turn, digit by digit; the last fills up.
fn gstin(text: &str) -> bool {
    let signs = Signs::of(text);
    let sum: u32 = signs[..14]
        .iter()
        .zip([1, 2].into_iter().cycle())
        .map(|(&sign, weight)| base36(sign) * weight)
        .map(|product| product / 36 + product % 36)
        .sum();
    (36 - sum % 36) % 36 == base36(signs[14])
}

fn some(text: &str) -> bool {
    !uniform(&Digits::of(text))
}

/// The day of the year follows the year; 500 is added for women.
fn sri_lankan(text: &str) -> bool {
    let digits = Digits::of(text);
    let at = if digits.len() == 9 { 2 } else { 4 };
    matches!(number(&digits[at..at + 3]), 1..=366 | 501..=866)
}

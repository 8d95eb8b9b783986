//! The United States and Canada.

use postern_types::BuiltinClass::{CaSin, UsEin, UsItin, UsMbi, UsNpi, UsSsn};

use crate::detect::checksum::{Digits, luhn, luhn_sum, number, one_separator, uniform};
use crate::detect::{Detector, Edges, Needs, alone};

const SSN: &[&str] = &[
    "ssn",
    "ssns",
    "social security",
    "social-security",
    "social_security",
    "socialsecurity",
    "ssid",
    "ss#",
    "ssn#",
    "social",
    "soc sec",
];
const TAX: &[&str] = &[
    "itin",
    "taxpayer",
    "tax id",
    "tax identification",
    "tax",
    "tin",
    "tax_id",
    "irs",
    "individual",
];
const SIN: &[&str] = &[
    "sin",
    "social insurance",
    "nas",
    "assurance sociale",
    "social_insurance",
    "insurance number",
];
const NPI: &[&str] = &[
    "npi",
    "provider",
    "national provider",
    "prescriber",
    "physician",
    "npi_number",
    "doctor",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "us_ssn",
        UsSsn,
        Needs::Digits(9),
        r"\d{3}[- .]\d{2}[- .]\d{4}",
    )
    .edges(Edges::Number)
    .check(ssn)
    .words(SSN, 75, 97)
    .at_most(11)
    .examples(
        &["SSN: ⟦552-60-1815⟧", "⟦590 83 0166⟧", "was ⟦513-18-6091⟧."],
        &[
            "000-60-1815",
            "666-60-1815",
            "952-60-1815",
            "552-00-1815",
            "552-60-0000",
            "552-60 1815",
            "1552-60-1815",
            "552-60-1815-2",
            "123-45-6789",
        ],
    ),
    Detector::new(
        "us_ssn_plain",
        UsSsn,
        Needs::Digits(9),
        r"\d{9}|\d{5}-\d{4}",
    )
    .edges(Edges::Number)
    .check(ssn)
    .words(SSN, 15, 88)
    .at_most(10)
    .examples(
        &[
            "ssn ⟦552601815⟧",
            "social security number ⟦590830166⟧",
            "SSN ⟦59083-0166⟧",
        ],
        &["552601815", "ssn 000601815", "ssn 5526018151"],
    ),
    Detector::new("us_ssn_one_hyphen", UsSsn, Needs::Digits(9), r"\d{3}-\d{6}")
        .edges(Edges::Number)
        .check(ssn)
        .words(SSN, 15, 88)
        .at_most(10)
        .alone(alone::SHAPE)
        .examples(
            &["⟦590-830166⟧", "SSN ⟦590-830166⟧"],
            &["part 078-051121", "666-051121", "078-0511213"],
        ),
    Detector::new(
        "us_itin",
        UsItin,
        Needs::Digits(9),
        r"9\d{2}[- ](?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[- ]\d{4}",
    )
    .edges(Edges::Number)
    .check(one_separator)
    .words(TAX, 75, 95)
    .at_most(11)
    .examples(
        &["⟦908-72-4628⟧", "ITIN ⟦919 74 8219⟧"],
        &["908-49-4628", "908-89-4628", "808-72-4628", "908-72-46281"],
    ),
    Detector::new(
        "us_itin_plain",
        UsItin,
        Needs::Digits(9),
        r"9\d{2}(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}",
    )
    .edges(Edges::Number)
    .words(TAX, 20, 85)
    .at_most(9)
    .alone(alone::SHAPE)
    .examples(
        &["ITIN ⟦908724628⟧", "tax id: ⟦919748219⟧"],
        &["part 908724628", "itin 908494628", "itin 9087246281"],
    ),
    Detector::new(
        "us_ein",
        UsEin,
        Needs::Digits(9),
        concat!(
            r"(?:0[1-6]|1[0-6]|2[0-7]|3[0-9]|4[0-8]|5[0-9]|6[0-8]|7[1-7]|8[0-8]",
            r"|9[0-589])-\d{7}"
        ),
    )
    .edges(Edges::Number)
    .words(
        &[
            "ein",
            "fein",
            "employer",
            "employer identification",
            "tax id",
            "taxid",
            "tax",
            "tin",
            "federal tax",
            "tax_id",
            "irs",
        ],
        40,
        90,
    )
    .at_most(10)
    .examples(
        &["EIN ⟦12-7975432⟧", "tax id: ⟦12-3194875⟧"],
        &["12-7975432", "EIN 07-7975432", "EIN 12-79754321"],
    ),
    // Eleven places of the Medicare alphabet, which has no S, L, O, I, B and Z.
    Detector::new(
        "us_mbi",
        UsMbi,
        Needs::Digits(4),
        concat!(
            r"(?i)[1-9][ac-hj-kmnp-rt-y][0-9ac-hj-kmnp-rt-y]",
            r"\d-?[ac-hj-kmnp-rt-y][0-9ac-hj-kmnp-rt-y]\d-?[ac-hj-kmnp-rt-y]{2}",
            r"\d{2}"
        ),
    )
    .edges(Edges::Key)
    .words(
        &["mbi", "medicare", "beneficiary", "patient", "medicare_id"],
        70,
        95,
    )
    .at_most(13)
    .examples(
        &["⟦1EG4-TE5-MK72⟧", "Medicare ⟦2AG9XC4NN22⟧"],
        &[
            "1SG4-TE5-MK72",
            "0EG4-TE5-MK72",
            "1EG4-TE5-MK721",
            "1EG4-TE5-M172",
        ],
    ),
    // The series that begins with 2 is kept for later.
    Detector::new(
        "us_npi",
        UsNpi,
        Needs::Digits(10),
        r"1\d{9}|1\d{3}[- ]\d{3}[- ]\d{3}",
    )
    .edges(Edges::Groups)
    .check(npi)
    .words(NPI, 40, 92)
    .at_most(12)
    .alone(alone::ONE_IN_23)
    .examples(
        &["NPI ⟦1245319599⟧", "provider: ⟦1003000126⟧"],
        &[
            "part 1245319599",
            "NPI 1245319598",
            "NPI 12453195991",
            "npi 3245319599",
        ],
    ),
    Detector::new("us_npi_to_come", UsNpi, Needs::Digits(10), r"2\d{9}")
        .edges(Edges::Number)
        .check(npi)
        .words(NPI, 40, 92)
        .at_most(10)
        .alone(alone::UNNAMED)
        .examples(
            &["NPI ⟦2245319597⟧"],
            &["part 2245319597", "NPI 22453195971"],
        ),
    Detector::new(
        "ca_sin_grouped",
        CaSin,
        Needs::Digits(9),
        r"[1-79]\d{2}[- ]\d{3}[- ]\d{3}",
    )
    .edges(Edges::Groups)
    .check(sin)
    .words(SIN, 60, 95)
    .at_most(11)
    .examples(
        &["⟦195-959-820⟧", "SIN ⟦118 229 822⟧"],
        &["195-959-821", "195-959 820", "895-959-820", "195-959-820-1"],
    ),
    Detector::new("ca_sin", CaSin, Needs::Digits(9), r"[1-79]\d{8}")
        .edges(Edges::Number)
        .check(sin)
        .words(SIN, 40, 90)
        .at_most(9)
        .alone(alone::ONE_IN_10)
        .examples(
            &["my SIN is ⟦195959820⟧", "NAS: ⟦118229822⟧"],
            &["part 195959820", "sin 195959821", "SIN 1959598201"],
        ),
];

/// What the Social Security Administration never gave out, and the numbers of advertisements.
fn ssn(text: &str) -> bool {
    const PRINTED: [u64; 3] = [78_051_120, 219_099_999, 123_456_789];
    let digits = Digits::of(text);
    let (area, group, serial) = (
        number(&digits[..3]),
        number(&digits[3..5]),
        number(&digits[5..]),
    );
    one_separator(text)
        && !matches!(area, 0 | 666 | 900..)
        && group != 0
        && serial != 0
        && !PRINTED.contains(&digits.number())
        && !uniform(&digits)
}

/// Luhn's sum over the number behind the issuer 80840, which adds 24.
fn npi(text: &str) -> bool {
    let digits = Digits::of(text);
    one_separator(text) && (luhn_sum(&digits) + 24).is_multiple_of(10) && !uniform(&digits[..9])
}

fn sin(text: &str) -> bool {
    let digits = Digits::of(text);
    one_separator(text) && luhn(&digits) && !uniform(&digits)
}

//! Germany: taxes, insurance, health, companies.

use postern_types::BuiltinClass::{
    CompanyId, DeSocialSecurity, DeTaxId, DeTaxNumber, EuVat, MedicalLicense, MedicalRecord,
};

use crate::detect::checksum::{
    Digits, Signs, luhn_sum, mod11_10, number, one_separator, uniform, weighted,
};
use crate::detect::{Detector, Edges, Needs, alone};

const TAX_ID: &[&str] = &[
    "idnr",
    "steuer-id",
    "steuerid",
    "steuer id",
    "steueridentifikationsnummer",
    "tin",
    "tax id",
    "steuerliche identifikationsnummer",
    "identifikationsnummer",
    "steuer-idnr",
    "steuer-identifikationsnummer",
];
const TAX_NUMBER: &[&str] = &[
    "steuernummer",
    "st.-nr",
    "st.nr",
    "stnr",
    "steuer-nr",
    "steuernr",
    "finanzamt",
    "tax number",
    "steuer",
];
const PENSION: &[&str] = &[
    "rvnr",
    "sozialversicherungsnummer",
    "rentenversicherungsnummer",
    "versicherungsnummer",
    "sv-nummer",
    "svnr",
    "sozialversicherung",
    "rentenversicherung",
    "sozialversicherungsausweis",
    "vsnr",
];
const HEALTH: &[&str] = &[
    "krankenversichertennummer",
    "kvnr",
    "versichertennummer",
    "krankenkasse",
    "krankenversicherung",
    "versicherten-nr",
    "health insurance",
    "gesundheitskarte",
    "egk",
    "versichertennr",
];
const PHYSICIAN: &[&str] = &[
    "lanr",
    "arztnummer",
    "arzt-nr",
    "lebenslange arztnummer",
    "arztnr",
    "vertragsarzt",
    "physician number",
    "doctor number",
];
const PRACTICE: &[&str] = &[
    "bsnr",
    "betriebsstättennummer",
    "betriebsstaettennummer",
    "betriebsstätte",
    "praxis",
    "nbsnr",
    "betriebsstättennr",
    "practice number",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "de_tax_id",
        DeTaxId,
        Needs::Digits(11),
        r"[1-9]\d(?: ?\d{3}){3}",
    )
    .edges(Edges::Groups)
    .check(tax_id)
    .words(TAX_ID, 68, 96)
    .at_most(14)
    .examples(
        &["IdNr. ⟦85671131901⟧", "⟦37 100 825 900⟧"],
        &["85671131902", "185671131901", "05671131901", "12345678901"],
    ),
    // Numbers of tests and of some years do not keep the rule about repeated digits.
    Detector::new(
        "de_tax_id_in_context",
        DeTaxId,
        Needs::Digits(11),
        r"[1-9]\d(?: ?\d{3}){3}",
    )
    .edges(Edges::Number)
    .check(tax_id_check)
    .words(TAX_ID, 40, 94)
    .at_most(14)
    .alone(alone::ONE_IN_10)
    .examples(
        &["IdNr. ⟦98765432106⟧", "Steuer-ID ⟦12 345 678 903⟧"],
        &[
            "part 98765432106",
            "IdNr. 98765432107",
            "IdNr. 987654321061",
        ],
    ),
    Detector::new(
        "de_tax_number",
        DeTaxNumber,
        Needs::Digits(9),
        r"\d{2,3}/\d{3,4}/\d{4,5}",
    )
    .edges(Edges::Number)
    .check(tax_number)
    .words(TAX_NUMBER, 62, 94)
    .at_most(14)
    .examples(
        &["Steuernummer: ⟦21/831/69691⟧", "⟦181/815/08155⟧"],
        &["21/831/696911", "12/31/2024", "2/831/69691"],
    ),
    Detector::new(
        "de_tax_number_federal",
        DeTaxNumber,
        Needs::Digits(13),
        r"\d{13}",
    )
    .edges(Edges::Number)
    .words(TAX_NUMBER, 40, 92)
    .at_most(13)
    .examples(
        &[
            "Steuernummer ⟦9198081508152⟧",
            "Finanzamt Bonn ⟦5133081508159⟧",
        ],
        &["9198081508152", "Steuernummer 91980815081521"],
    ),
    // The federal form of the number: the number of the state first. Thirteen digits are the number
    // of an article more often, which is told by its check digit.
    Detector::new(
        "de_tax_number_alone",
        DeTaxNumber,
        Needs::Digits(13),
        r"(?:0[1-9]|1[0-6])\d{11}",
    )
    .edges(Edges::Number)
    .check(no_article)
    .words(TAX_NUMBER, 10, 92)
    .at_most(13)
    .alone(alone::SHAPE)
    .examples(
        &["⟦0981508150999⟧", "Steuernummer ⟦0981508150999⟧"],
        &["order 0981508150999", "0012345678905", "0981508150995"],
    ),
    Detector::new(
        "de_social_security",
        DeSocialSecurity,
        Needs::Digits(11),
        r"(?i)\d{2} ?\d{6} ?[a-z] ?\d{3}",
    )
    .edges(Edges::Word)
    .check(pension)
    .words(PENSION, 88, 97)
    .at_most(16)
    .examples(
        &["RVNR ⟦65170839J003⟧", "⟦15070649C103⟧"],
        &["15070649C104", "15073249C103", "115070649C103"],
    ),
    Detector::new(
        "de_health_insurance",
        MedicalRecord,
        Needs::Digits(9),
        r"(?i)[a-z]\d{9}",
    )
    .edges(Edges::Key)
    .check(insured)
    .words(HEALTH, 45, 96)
    .at_most(10)
    .alone(alone::ONE_IN_10)
    .examples(
        &["KVNR ⟦A000500015⟧", "Versichertennummer: ⟦M310119802⟧"],
        &[
            "part A000500015",
            "A000500016",
            "AA000500015",
            "A0005000151",
        ],
    ),
    Detector::new("de_physician", MedicalLicense, Needs::Digits(9), r"\d{9}")
        .edges(Edges::Number)
        .check(physician)
        .words(PHYSICIAN, 35, 92)
        .at_most(9)
        .alone(alone::ONE_IN_10)
        .examples(
            &["LANR ⟦999999901⟧", "Arztnummer: ⟦123456601⟧"],
            &["part 999999901", "LANR 999999801", "LANR 9999999011"],
        ),
    Detector::new(
        "de_practice",
        MedicalLicense,
        Needs::Digits(9),
        concat!(
            r"(?:0[1-3]|17|20|3[1-9]|38|4[0-9]|5[0-9]|6[0-9]|7[1-8]|8[3-9]",
            r"|9[3-9])\d{7}"
        ),
    )
    .edges(Edges::Number)
    .words(PRACTICE, 15, 88)
    .at_most(9)
    .examples(
        &["BSNR ⟦021234568⟧", "Betriebsstättennummer: ⟦711234567⟧"],
        &["021234568", "BSNR 991234", "BSNR 0212345681"],
    ),
    Detector::new(
        "de_company_register",
        CompanyId,
        Needs::Digits(1),
        r"HR[AB][ -]?\d{1,6}(?: ?[A-Z]{1,2})?",
    )
    .words(
        &[
            "amtsgericht",
            "handelsregister",
            "handelsregisternummer",
            "registergericht",
        ],
        75,
        96,
    )
    .at_most(16)
    .examples(
        &["Amtsgericht München ⟦HRB 12345⟧.", "⟦HRA 98765⟧"],
        &["HRC 12345", "HRB 1234567", "HRB"],
    ),
    Detector::new(
        "de_company_register_small",
        CompanyId,
        Needs::Digits(3),
        r"\d{3,6}",
    )
    .left(r"(?:^|[^a-z0-9])hr[ab][ -]{0,2}")
    .sure(70)
    .at_most(6)
    .examples(
        &["hrb ⟦12345⟧", "(hra ⟦98765⟧)"],
        &["hrc 12345", "hrb 12", "three 12345"],
    ),
    Detector::new(
        "de_vat_in_context",
        EuVat,
        Needs::Digits(9),
        r"(?i)de ?\d{3} ?\d{3} ?\d{3}",
    )
    .edges(Edges::Number)
    .words(
        &[
            "ust-idnr",
            "ust-id",
            "ustid",
            "umsatzsteuer",
            "umsatzsteuer-identifikationsnummer",
            "vat",
            "ust",
            "ustidnr",
        ],
        45,
        92,
    )
    .at_most(14)
    .alone(alone::SHAPE)
    .examples(
        &["USt-IdNr.: ⟦DE123456788⟧", "VAT ⟦DE 123 456 789⟧"],
        &[
            "part DE123456789",
            "USt-IdNr. DE12345678",
            "USt-IdNr. DE1234567890",
        ],
    ),
];

/// Not the number of an article (GTIN-13), whose digits times 1, 3, 1, 3, … are a multiple of ten.
fn no_article(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    !sum.is_multiple_of(10) && !uniform(&digits)
}

fn tax_id_check(text: &str) -> bool {
    mod11_10(&Digits::of(text))
}

/// ISO 7064 mod 11-10; of the first ten digits exactly one appears twice or three times.
fn tax_id(text: &str) -> bool {
    let digits = Digits::of(text);
    let mut times = [0_u8; 10];
    for &digit in &digits[..10] {
        times[usize::from(digit)] += 1;
    }
    let repeated = times.iter().filter(|&&count| count > 1).count();
    let most = times.iter().max().copied().unwrap_or(0);
    repeated == 1 && most <= 3 && mod11_10(&digits)
}

/// Ten or eleven digits in three parts.
fn tax_number(text: &str) -> bool {
    let digits = Digits::of(text);
    one_separator(text) && matches!(digits.len(), 10 | 11) && !uniform(&digits)
}

/// The letter counts as its place in the alphabet; products are reduced to their digit sums.
fn pension(text: &str) -> bool {
    const WEIGHTS: [u32; 12] = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let signs = Signs::of(text);
    let digits = Digits::of(text);
    let letter = signs[8] - b'A' + 1;
    let mut places = [0_u8; 12];
    places[..8].copy_from_slice(&digits[..8]);
    places[8] = letter / 10;
    places[9] = letter % 10;
    places[10..].copy_from_slice(&digits[8..10]);
    let sum: u32 = places
        .iter()
        .zip(WEIGHTS)
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    // Fifty is added to the day when two people would have the same number.
    let (day, month) = (number(&digits[2..4]), number(&digits[4..6]));
    sum % 10 == u32::from(digits[10])
        && matches!(day, 1..=31 | 51..=81)
        && (1..=12).contains(&month)
}

/// Luhn's sum from the left over the letter's place in the alphabet and eight digits.
fn insured(text: &str) -> bool {
    let signs = Signs::of(text);
    let digits = Digits::of(text);
    let letter = signs[0] - b'A' + 1;
    let mut places = [0_u8; 11];
    places[0] = letter / 10;
    places[1] = letter % 10;
    places[2..].copy_from_slice(&digits);
    // With a zero for the check digit, Luhn's doubling falls on every second place from the left.
    let check = std::mem::take(&mut places[10]);
    luhn_sum(&places) % 10 == u32::from(check)
}

/// Six digits by 4 and 9 in turn; the seventh fills the last digit of the sum up to ten.
fn physician(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..6], &[4, 9, 4, 9, 4, 9]);
    (10 - sum % 10) % 10 == u32::from(digits[6]) && number(&digits[7..]) > 0
}

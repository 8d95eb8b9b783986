//! The United Kingdom and Ireland, France, the Netherlands, Belgium and Luxembourg.

use postern_types::BuiltinClass::{
    BeNn, CompanyId, FrNir, IePps, NlBsn, OtherNationalId, UkNhs, UkNino,
};

use crate::detect::checksum::{
    Digits, Signs, day_exists, luhn, number, one_separator, uniform, verhoeff, weighted, yyyymmdd,
};
use crate::detect::{Detector, Edges, Needs, alone};

const NHS: &[&str] = &[
    "nhs",
    "nhs number",
    "national health",
    "nhs_number",
    "patient",
    "health service",
    "chi",
];
const NINO: &[&str] = &[
    "nino",
    "ni",
    "national insurance",
    "ni number",
    "ni no",
    "national_insurance",
    "insurance",
];
const NIR: &[&str] = &[
    "nir",
    "insee",
    "sécurité sociale",
    "securite sociale",
    "sécu",
    "secu",
    "n° ss",
    "numéro de sécu",
    "assuré",
    "carte vitale",
    "vitale",
    "social security",
];
const SIREN: &[&str] = &[
    "siren",
    "siret",
    "rcs",
    "entreprise",
    "société",
    "etablissement",
    "établissement",
];
const BSN: &[&str] = &[
    "bsn",
    "burgerservicenummer",
    "sofinummer",
    "sofi",
    "citizen service",
    "rsin",
    "burger",
];
const BELGIAN: &[&str] = &[
    "rijksregisternummer",
    "rijksregister",
    "insz",
    "registre national",
    "niss",
    "rrn",
    "nn",
    "nationaal nummer",
    "numéro national",
    "national register",
    "national number",
];
const PPS: &[&str] = &[
    "pps",
    "ppsn",
    "pps number",
    "personal public service",
    "rsi",
    "psp",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "uk_nhs_grouped",
        UkNhs,
        Needs::Digits(10),
        r"\d{3}[- ]\d{3}[- ]\d{4}",
    )
    .edges(Edges::Groups)
    .check(nhs)
    .words(NHS, 62, 96)
    .at_most(12)
    .examples(
        &["⟦971 874 6331⟧", "NHS: ⟦986-122-1387⟧"],
        &[
            "971 874 6332",
            "971-874 6331",
            "971 874 63311",
            "5-971-874-6331",
        ],
    ),
    Detector::new("uk_nhs", UkNhs, Needs::Digits(10), r"\d{10}")
        .edges(Edges::Number)
        .check(nhs)
        .words(NHS, 40, 93)
        .at_most(10)
        .alone(alone::ONE_IN_11)
        .examples(
            &["NHS number ⟦9718746331⟧", "patient ⟦9200826199⟧"],
            &[
                "part 9718746331",
                "NHS 9718746332",
                "NHS 97187463311",
                "nhs 1111111111",
            ],
        ),
    // The prefixes that are not in use, and the suffix, follow HMRC's manual NIM39110.
    Detector::new(
        "uk_nino",
        UkNino,
        Needs::Digits(6),
        concat!(
            r"(?i)[a-ceghj-prs-tw-z][a-ceghj-npr-tw-z][ -]?\d{2}[ -]?\d{2}",
            r"[ -]?\d{2}[ -]?[a-d]"
        ),
    )
    .edges(Edges::Key)
    .check(nino)
    .words(NINO, 72, 96)
    .at_most(13)
    .examples(
        &["⟦AB 12 34 56 C⟧", "NI ⟦ab123456c⟧", "nino: ⟦PR 123612C⟧"],
        &[
            "QQ 12 34 56 C",
            "BG123456C",
            "AO123456C",
            "AB123456E",
            "AB1234567C",
        ],
    ),
    Detector::new(
        "uk_utr",
        OtherNationalId,
        Needs::Digits(10),
        r"\d{10}|\d{5} \d{5}",
    )
    .edges(Edges::Number)
    .check(utr)
    .words(
        &[
            "utr",
            "unique taxpayer",
            "self assessment",
            "taxpayer reference",
        ],
        10,
        90,
    )
    .at_most(11)
    .alone(alone::UNNAMED)
    .examples(
        &[
            "UTR ⟦4008599798⟧",
            "unique taxpayer reference ⟦23143 01540⟧",
        ],
        &["part 4008599798", "UTR 5008599798", "UTR 40085997981"],
    ),
    Detector::new(
        "uk_company",
        CompanyId,
        Needs::Digits(6),
        r"(?:SC|NI|OC|SO|NC|R|FC)?\d{6,8}",
    )
    .edges(Edges::Number)
    .left(concat!(
        r"(?:^|[^a-z])(?:company|companies house|registered|registration",
        r"|crn)",
        tail!()
    ))
    .sure(70)
    .at_most(10)
    .examples(
        &["Company number ⟦01234567⟧", "registered no. ⟦SC123456⟧"],
        &[
            "01234567",
            "company number 12345",
            "company number 123456789",
        ],
    ),
    Detector::new(
        "ie_pps",
        IePps,
        Needs::Digits(7),
        r"(?i)\d{7}[a-w][a-itwx]?",
    )
    .edges(Edges::Key)
    .check(pps)
    .words(PPS, 65, 96)
    .at_most(9)
    .examples(
        &["PPS ⟦9781497AW⟧", "⟦1932553BT⟧ no", "ppsn: ⟦1026334J⟧"],
        &["PPS 9781497BW", "1026334K", "11026334J"],
    ),
    Detector::new(
        "fr_nir",
        FrNir,
        Needs::Digits(13),
        r"(?i)[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[ab]) ?\d{3} ?\d{3} ?\d{2}",
    )
    .edges(Edges::Number)
    .check(nir)
    .words(NIR, 85, 97)
    .at_most(21)
    .examples(
        &[
            "⟦107007558937997⟧",
            "NIR ⟦1 67 01 75 384 695 97⟧",
            "⟦2 69 05 49 588 157 80⟧",
        ],
        &[
            "107007558937998",
            "1107007558937997",
            "2 69 05 49 588 157 81",
        ],
    ),
    Detector::new(
        "fr_tax_number",
        OtherNationalId,
        Needs::Digits(13),
        r"[0-3]\d(?: ?\d{2})(?: ?\d{3}){3}",
    )
    .edges(Edges::Number)
    .check(spi)
    .words(
        &[
            "numéro fiscal",
            "numero fiscal",
            "spi",
            "fiscal",
            "référence fiscale",
            "nif",
            "impôts",
        ],
        40,
        92,
    )
    .at_most(17)
    .alone(alone::ONE_IN_100)
    .examples(
        &["numéro fiscal ⟦0504833868105⟧", "SPI : ⟦01 07 433 754 092⟧"],
        &[
            "part 0504833868105",
            "numéro fiscal 0504833868106",
            "spi 05048338681051",
        ],
    ),
    Detector::new(
        "fr_siret",
        CompanyId,
        Needs::Digits(14),
        r"\d{3} \d{3} \d{3} \d{5}",
    )
    .edges(Edges::Groups)
    .check(siret)
    .words(SIREN, 60, 94)
    .at_most(17)
    .examples(
        &["SIRET ⟦693 931 990 82204⟧", "⟦495 942 195 81647⟧"],
        &[
            "495 942 195 81648",
            "1 495 942 195 81647",
            "000 000 000 00000",
        ],
    ),
    Detector::new("fr_siret_plain", CompanyId, Needs::Digits(14), r"\d{14}")
        .edges(Edges::Number)
        .check(siret)
        .words(SIREN, 45, 94)
        .at_most(14)
        .alone(alone::ONE_IN_100)
        .examples(
            &["SIRET ⟦49594219581647⟧", "siret: ⟦14784202502103⟧"],
            &[
                "part 49594219581647",
                "SIRET 49594219581648",
                "SIRET 495942195816471",
            ],
        ),
    Detector::new(
        "fr_siren",
        CompanyId,
        Needs::Digits(9),
        r"\d{3} ?\d{3} ?\d{3}",
    )
    .edges(Edges::Groups)
    .check(siren)
    .words(SIREN, 35, 92)
    .at_most(11)
    .alone(alone::UNNAMED)
    .examples(
        &["SIREN ⟦929870525⟧", "RCS Paris ⟦124 085 036⟧"],
        &["929870525", "SIREN 929870526", "SIREN 9298705251"],
    ),
    Detector::new(
        "nl_bsn",
        NlBsn,
        Needs::Digits(8),
        r"\d{9}|\d{4}\.\d{2}\.\d{3}|\d{3}[. ]\d{3}[. ]\d{3}",
    )
    .edges(Edges::Number)
    .check(bsn)
    .words(BSN, 40, 95)
    .at_most(11)
    .alone(alone::ONE_IN_11)
    .examples(
        &[
            "BSN ⟦331244743⟧",
            "burgerservicenummer: ⟦6168.66.914⟧",
            "bsn ⟦981.545.282⟧",
        ],
        &[
            "part 331244743",
            "BSN 331244744",
            "BSN 3312447431",
            "BSN 000000000",
        ],
    ),
    Detector::new(
        "be_nn",
        BeNn,
        Needs::Digits(11),
        r"\d{2}[.]?\d{2}[.]?\d{2}[- .]?\d{3}[. ]?\d{2}",
    )
    .edges(Edges::Number)
    .check(belgian)
    .words(BELGIAN, 80, 96)
    .at_most(15)
    .examples(
        &[
            "⟦75.08.16-972.82⟧",
            "rijksregisternummer ⟦72011011240⟧",
            "⟦78011111833⟧",
        ],
        &["75081697283", "175081697282", "75.13.16-972.82"],
    ),
    Detector::new(
        "lu_id",
        OtherNationalId,
        Needs::Digits(13),
        r"\d{4} ?\d{4} ?\d{5}",
    )
    .edges(Edges::Number)
    .check(luxembourg)
    .words(&["matricule", "ccss", "luxembourg"], 85, 96)
    .at_most(15)
    .examples(
        &["matricule ⟦1983081219715⟧", "⟦1983 0812 19715⟧"],
        &["1983081219716", "1983131219715", "11983081219715"],
    ),
];

/// Ten digits weighted 10 to 2, the rest by 11; ten is no check digit.
fn nhs(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    one_separator(text) && sum.is_multiple_of(11) && !uniform(&digits)
}

/// Prefixes that were never given out, and those of other registers.
fn nino(text: &str) -> bool {
    const UNUSED: [&[u8]; 7] = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    let signs = Signs::of(text);
    !UNUSED.contains(&&signs[..2]) && !uniform(&Digits::of(text))
}

/// The first digit is the check digit over the other nine.
fn utr(text: &str) -> bool {
    let digits = Digits::of(text);
    let rest = weighted(&digits[1..], &[6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11;
    const CHECKS: [u8; 11] = [2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    CHECKS.get(usize::try_from(rest).unwrap_or(0)) == Some(&digits[0])
}

/// Seven digits by 8 to 2, and the second letter by nine, give the first letter.
fn pps(text: &str) -> bool {
    let signs = Signs::of(text);
    let digits = Digits::of(text);
    let second = match signs.get(8) {
        Some(letter @ b'A'..=b'I') => u32::from(letter - b'A') + 1,
        _ => 0,
    };
    let sum = weighted(&digits, &[8, 7, 6, 5, 4, 3, 2]) + second * 9;
    let letter = match sum % 23 {
        0 => 'W',
        rest => char::from_u32(u32::from('A') + rest - 1).unwrap_or('W'),
    };
    char::from(signs[7]) == letter && !uniform(&digits)
}

/// The key is 97 less the remainder of the rest; Corsica's 2A and 2B count as 19 and 18.
fn nir(text: &str) -> bool {
    let signs = Signs::of(text);
    let (body, key) = signs.split_at(13);
    let corsica = match body[6] {
        b'A' => 1_000_000,
        b'B' => 2_000_000,
        _ => 0,
    };
    let value = body.iter().fold(0_u64, |sum, &sign| {
        sum * 10 + u64::from(char::from(sign).to_digit(10).unwrap_or(0))
    });
    let month = number(&Digits::of(text)[3..5]);
    let key = key
        .iter()
        .fold(0, |sum, &sign| sum * 10 + u64::from(sign - b'0'));
    (matches!(month, 1..=12 | 20..=42 | 50..=99) || body[3..5] == *b"00")
        && value
            .checked_sub(corsica)
            .is_some_and(|value| 97 - value % 97 == key)
}

/// The last three digits are the rest by 511.
fn spi(text: &str) -> bool {
    let digits = Digits::of(text);
    number(&digits[..10]) % 511 == number(&digits[10..])
}

/// Luhn's digit; the first series begins with 1 (public bodies), the others with higher digits.
fn siren(text: &str) -> bool {
    let digits = Digits::of(text);
    luhn(&digits) && digits[0] != 0 && !uniform(&digits) && one_separator(text)
}

fn siret(text: &str) -> bool {
    let digits = Digits::of(text);
    luhn(&digits) && luhn(&digits[..9]) && !uniform(&digits[..9])
}

/// Nine digits by 9 to 2, the last one taken away: the eleven test of Dutch numbers.
fn bsn(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum > 0 && sum % 11 == u32::from(digits[8]) && !uniform(&digits)
}

/// 97 less the rest of nine digits, with a 2 before them for those born since 2000. The month is
/// moved by 20 or 40 in the numbers of people who are not in the register.
fn belgian(text: &str) -> bool {
    let digits = Digits::of(text);
    let (body, key) = (number(&digits[..9]), number(&digits[9..]));
    let (month, day) = (number(&digits[2..4]) % 20, number(&digits[4..6]));
    let dated = month == 0 || day == 0 || day_exists(number(&digits[..2]), month, day);
    (97 - body % 97 == key || 97 - (2_000_000_000 + body) % 97 == key) && dated && month <= 12
}

/// A day and a serial; then Luhn's digit, and Verhoeff's digit, each over the same eleven.
fn luxembourg(text: &str) -> bool {
    let digits = Digits::of(text);
    let mut second = digits[..11].to_vec();
    second.push(digits[12]);
    yyyymmdd(&digits) && luhn(&digits[..12]) && verhoeff(&second)
}

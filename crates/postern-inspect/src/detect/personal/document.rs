//! Papers that people carry: passports and driving licences.

use postern_types::BuiltinClass::{DrivingLicense, IdentityCard, Passport};

use crate::detect::checksum::{Digits, Signs, base36, day_exists, number, one_separator, uniform};
use crate::detect::{Detector, Edges, Needs, alone};

const PASSPORT: &[&str] = &[
    "passport",
    "passports",
    "passport number",
    "travel document",
    "passport_number",
    "passeport",
    "pasaporte",
    "passaporto",
    "passaporte",
    "pas",
    "pasnummer",
    "paspoort",
    "paszport",
    "reisepass",
    "pass",
    "passi",
    "pasaport",
    "여권",
    "여권번호",
    "護照",
    "护照",
    "パスポート",
    "паспорт",
    "passnummer",
    "reisepassnummer",
];
const LICENCE: &[&str] = &[
    "driver",
    "driving",
    "driver's license",
    "drivers license",
    "driving licence",
    "driving license",
    "licence",
    "license",
    "dl",
    "dvla",
    "führerschein",
    "fahrerlaubnis",
    "führerscheinnummer",
    "fuehrerschein",
    "kørekort",
    "körkort",
    "førerkort",
    "permis",
    "permis de conduire",
    "patente",
    "patente di guida",
    "rijbewijs",
    "carnet de conducir",
    "prawo jazdy",
    "운전면허",
    "면허",
    "운전면허번호",
    "ajokortti",
    "carta de condução",
    "dmv",
    "운전",
];

pub(super) const DETECTORS: &[Detector] = &[
    // The shapes of many states: one to three letters and six to eight digits, nine digits, or the
    // Korean serial with a letter inside.
    Detector::new(
        "passport",
        Passport,
        Needs::Digits(6),
        concat!(
            r"(?i)[a-z]{1,2} ?\d{6,8}|[a-z]{3}\d{6}[a-z]?|\d{9}",
            r"|\d{2}[a-z]{2}\d{5}|[msrodg]\d{3}[a-z]\d{4}"
        ),
    )
    .edges(Edges::Key)
    .check(varied)
    .words(PASSPORT, 25, 85)
    .at_most(11)
    .examples(
        &[
            "passport ⟦A12803456⟧",
            "Pasnummer: ⟦312141556⟧",
            "pasaporte ⟦XYZ987654⟧",
            "passport no. ⟦M123A4567⟧",
        ],
        &[
            "A12803456",
            "passport A1280",
            "passport ABC1234567",
            "passport 111111111",
        ],
    ),
    Detector::new(
        "kr_passport",
        Passport,
        Needs::Digits(7),
        r"(?i)[msrodg]\d{3}[a-z]\d{4}",
    )
    .edges(Edges::Key)
    .words(PASSPORT, 52, 92)
    .at_most(9)
    .alone(alone::NARROW_SHAPE)
    .examples(
        &["⟦M123A4567⟧", "여권번호는 ⟦m789C1234⟧입니다"],
        &["A123B4567", "M1234A567", "MM123A4567"],
    ),
    Detector::new(
        "passport_mrz",
        Passport,
        Needs::Literal(&["P<"]),
        r"P[A-Z<][A-Z<]{3}[A-Z<]{39}",
    )
    .edges(Edges::Any)
    .sure(97)
    .at_most(44)
    .examples(
        &[
            "⟦P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<⟧",
            "x ⟦P<DNKHANSEN<<OLE<<<<<<<<<<<<<<<<<<<<<<<<<<<<⟧ y",
        ],
        &["P<UTOERIKSSON<<ANNA<MARIA", "template<P<T>>"],
    ),
    Detector::new(
        "mrz_second_line",
        IdentityCard,
        Needs::Run(20),
        r"[A-Z0-9<]{9}\d[A-Z<]{3}\d{6}\d[MFX<]\d{6}\d[A-Z0-9<]{14}[0-9<]\d",
    )
    .edges(Edges::Any)
    .check(mrz)
    .sure(97)
    .at_most(44)
    .examples(
        &[
            "⟦L898902C36UTO7408122F1204159ZE184226B<<<<<10⟧",
            "id ⟦L898902C36UTO7408122F1204159<<<<<<<<<<<<<<04⟧",
        ],
        &[
            "L898902C37UTO7408122F1204159ZE184226B<<<<<10",
            "L898902C36UTO",
        ],
    ),
    // Five letters of the name, a digit of the year, month (plus 50 for women), day, year, and
    // initials.
    Detector::new(
        "uk_driving_licence",
        DrivingLicense,
        Needs::Digits(6),
        concat!(
            r"(?i)(?:[a-z]{5}|[a-z]{1,4}9{1,4}",
            r")\d[0156]\d[0-3]\d\d[a-z][a-z9][0-9a-z][a-z]{2}"
        ),
    )
    .edges(Edges::Key)
    .check(uk_licence)
    .words(LICENCE, 82, 96)
    .at_most(19)
    .examples(
        &["⟦MORGA657054SM9IJ⟧", "licence ⟦SMITH811290AB2CD⟧"],
        &["MORGA657994SM9IJ", "MORGA657054SM9I", "XMORGA657054SM9IJ"],
    ),
    Detector::new(
        "de_driving_licence",
        DrivingLicense,
        Needs::Digits(4),
        concat!(
            r"(?i)[a-z0-9]{2}[0-9]{8}[0-9a-z]",
            r"|[a-hj-np-z0-9][0-9]{2}[a-z0-9]{6}[0-9x][0-9a-z]"
        ),
    )
    .edges(Edges::Key)
    .check(letters_too)
    .words(LICENCE, 30, 88)
    .at_most(11)
    .examples(
        &[
            "Führerschein ⟦BO12345678A⟧",
            "Führerscheinnummer: ⟦B072RRE2I55⟧",
        ],
        &[
            "BO12345678A",
            "Führerschein BO1234567",
            "Führerschein BO12345678AA",
        ],
    ),
    // The tenth sign is a check digit: the nine before it times 9 to 1, modulo 11.
    Detector::new(
        "de_driving_licence_checked",
        DrivingLicense,
        Needs::Digits(2),
        r"(?i)[a-z]\d{2}[a-z0-9]{6}[0-9x][0-9a-z]",
    )
    .edges(Edges::Key)
    .check(de_licence)
    .words(LICENCE, 45, 93)
    .at_most(11)
    .alone(alone::ONE_IN_11)
    .examples(
        &["⟦B072RRE2I55⟧", "Führerschein: ⟦b072rre2i5a⟧"],
        &["B072RRE2I65", "part B072RRE2I55", "B072RRE2I555"],
    ),
    Detector::new(
        "it_driving_licence",
        DrivingLicense,
        Needs::Digits(1),
        r"(?i)[a-z]{2}\d{7}[a-z]|u1[a-hj-z0-9]{7}[a-z]",
    )
    .edges(Edges::Key)
    .words(LICENCE, 45, 92)
    .at_most(10)
    .alone(alone::SHAPE)
    .examples(
        &["patente ⟦AA0123456B⟧", "patente di guida: ⟦U1K71J11MB⟧"],
        &[
            "part AA0123456B",
            "patente AA012345B",
            "patente AA0123456BB",
        ],
    ),
    Detector::new(
        "kr_driving_licence",
        DrivingLicense,
        Needs::Digits(12),
        r"(?:1[1-9]|2[0-8])[- ]\d{2}[- ]\d{6}[- ]\d{2}",
    )
    .edges(Edges::Groups)
    .check(one_separator)
    .words(LICENCE, 60, 93)
    .at_most(15)
    .examples(
        &["⟦11-22-123456-12⟧", "운전면허 ⟦28 22 123456 12⟧"],
        &["10-22-123456-12", "11-22-12345-12", "11-22 123456-12"],
    ),
    Detector::new(
        "kr_driving_licence_plain",
        DrivingLicense,
        Needs::Digits(12),
        r"(?:1[1-9]|2[0-8])\d{10}",
    )
    .edges(Edges::Number)
    .words(LICENCE, 30, 88)
    .at_most(12)
    .examples(
        &["driver license ⟦112212345612⟧", "운전면허 ⟦282212345612⟧"],
        &["112212345612", "driver license 102212345612"],
    ),
    // Formats of the states differ: a letter or two and digits, or digits alone.
    Detector::new(
        "us_driving_licence",
        DrivingLicense,
        Needs::Digits(4),
        concat!(
            r"(?i)[a-z]{1,2}[- ]?\d{3}[- ]?\d{3,4}[- ]?\d{2,4}(?:[- ]?\d{1,3})?",
            r"|[a-z]{1,3}\d{4,14}|\d{2}[a-z]{3}\d{5}|\d{7,10}[a-z]?",
            r"|[a-z]{1,2}-\d{4,8}|[a-z]{2}[a-z0-9]{2}(?:-[a-z0-9]{4}){1,3}",
            r"|\d{3}-?\d{3}-?\d{3}"
        ),
    )
    .edges(Edges::Key)
    .check(varied)
    .left(concat!(
        r"(?:^|[^a-z])(?:driver.{0,3}s? ?licen[cs]e|driving ?licen[cs]e",
        r"|licen[cs]e|\bdl|dmv|k\xC3\xB8rekort|k\xC3\xB6rkort",
        r"|f\xC3\xB8rerkort|f\xC3\xBChrerschein|permis|permis de conduire",
        r"|rijbewijs|prawo jazdy|ajokortti|patente(?: di guida)?)",
        tail!()
    ))
    .sure(78)
    .at_most(24)
    .examples(
        &[
            "driver's license ⟦H12234567⟧",
            "DL: ⟦D123-4567-8901⟧",
            "kørekort nr. ⟦12345678⟧",
        ],
        &["H12234567", "license MIT", "license agreement 12345678"],
    ),
    // Further from its name: under the heading of a column, or later in the sentence.
    Detector::new(
        "driving_licence_named",
        DrivingLicense,
        Needs::Digits(7),
        r"(?i)[a-z]\d{7}(?:\d{5})?|[a-z]\d{3}-\d{4}-\d{4,5}|\d{8,9}",
    )
    .edges(Edges::Key)
    .check(varied)
    .words(
        &[
            "driver's license",
            "drivers license",
            "driver license",
            "driving licence",
            "driving license",
            "license number",
            "licence number",
            "patente di guida",
            "numero di patente",
            "führerscheinnummer",
            "numéro de permis",
        ],
        5,
        60,
    )
    .at_most(15)
    .examples(
        &[
            "name,driving licence number,city\nAnn,⟦N840666222443⟧,Leeds",
            "the driver's license number that I wrote down was ⟦23716644⟧",
        ],
        &["N840666222443", "driving licence, order no. 23716644"],
    ),
    Detector::new(
        "identity_card_in_context",
        IdentityCard,
        Needs::Digits(4),
        concat!(
            r"(?i)(?:[a-z]{1,3}[- ]?)?\d{5,12}[a-z]{0,2}|\d{4}[a-z]{2}\d{5}",
            r"|[a-z0-9]{9}|\d{2}[a-z]{2}\d{6,7}"
        ),
    )
    .edges(Edges::Key)
    .check(varied)
    .left(concat!(
        r"(?:^|[^a-z])(?:id[ _-]?card|identity[ _-]?card|national[ _-]?id",
        r"|id[ _-]?number|carte d.{1,3}identit\xC3\xA9|cni",
        r"|legitimationskort|id-kort|personalausweis|documento de identidad",
        r"|carn\xC3\xA9 de identidad|residence permit",
        r"|titre de s\xC3\xA9jour|opholdskort)",
        tail!()
    ))
    .sure(68)
    .at_most(18)
    .examples(
        &[
            "ID card ⟦A1234567⟧",
            "carte d'identité n° ⟦880692310285⟧",
            "national id: ⟦12345678⟧",
        ],
        &[
            "A1234567",
            "id card 12",
            "paid number 123456",
            "id card 111111",
        ],
    ),
];

fn varied(text: &str) -> bool {
    let digits = Digits::of(text);
    digits.len() >= 4 && !uniform(&digits)
}

fn letters_too(text: &str) -> bool {
    varied(text) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The check digit of a German licence; ten is an X.
fn de_licence(text: &str) -> bool {
    let signs = Signs::of(text);
    let weights = (1..=9).rev();
    let sum: u32 = signs
        .iter()
        .zip(weights)
        .map(|(&sign, weight)| base36(sign) * weight)
        .sum();
    let check = match signs[9] {
        b'X' => 10,
        digit => base36(digit),
    };
    sum % 11 == check
}

/// Seven digits are the year's decade, a month, a day and the year's last digit.
fn uk_licence(text: &str) -> bool {
    let at = &text[5..11];
    let digits = Digits::of(at);
    digits.len() == 6 && {
        let month = number(&digits[1..3]);
        let month = if month > 50 { month - 50 } else { month };
        day_exists(4, month, number(&digits[3..5]))
    }
}

/// ICAO 9303: the check digits of number, birth and expiry, by 7, 3 and 1.
fn mrz(text: &str) -> bool {
    let value = |sign: u8| match sign {
        b'<' => 0,
        sign => base36(sign),
    };
    let bytes = text.as_bytes();
    let check = |from: usize, to: usize| {
        let sum: u32 = bytes[from..to]
            .iter()
            .zip([7, 3, 1].into_iter().cycle())
            .map(|(&sign, weight)| value(sign) * weight)
            .sum();
        sum % 10 == value(bytes[to])
    };
    check(0, 9) && check(13, 19) && check(21, 27) && Signs::of(text).len() > 20
}

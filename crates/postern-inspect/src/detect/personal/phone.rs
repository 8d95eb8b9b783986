//! Telephone numbers: E.164 with a plus, the groupings of national numbers, and any number that is
//! said to be one.
//!
//! WHY NOT a library of numbering plans: it would bring a parser, an XML-made table and a regular
//! expression engine of its own for what is, here, lengths by country. A table of the lengths of
//! national numbers is a screen long, is part of the automaton, and changes once in years.

use postern_types::BuiltinClass::Phone;

use crate::detect::checksum::{Digits, one_separator, uniform, weighted};
use crate::detect::{Detector, Edges, Needs};

/// What may stand between two digits.
macro_rules! between {
    () => {
        r"[-./() \t]{0,2}"
    };
}

/// An extension.
macro_rules! extension {
    () => {
        r"(?: ?(?:x|ext\.?) ?\d{1,6})?"
    };
}

/// Country codes, and how many digits national numbers behind them have.
macro_rules! plans {
    ($($codes:literal $digits:literal)*) => {
        concat!("(?:", $(
            "(?:", $codes, r")(?:[ \t]?\(0\))?(?:", between!(), r"\d){", $digits, "}|",
        )*
        // Norway, to end the list.
        r"47(?:", between!(), r"\d){8})", extension!())
    };
}

/// ITU-T E.164 codes by the lengths of national numbers.
macro_rules! international {
    () => {
        plans! {
            "1|7|30|52|58|90|91|98|225" "10"
            "27|31|33|34|40|41|48|56|61|93|94|211|212|221|224|233|237|240|24[2349]|25[01456]" "9"
            "26[012]|351|375|380|420|421|590|594|595|596|966|970|992|99[4568]" "9"
            "45|65|216|222|223|22[678]|232|235|236|253|257|266|268|350|356|357|370|371|373" "8"
            "374|382|386|387|389|50[2-6]|509|591|598|852|853|965|968|973|974|975|976|993" "8"
            "220|238|239|246|248|269|291|297|501|592|67[349]|680|691|692|960" "7"
            "298|299|508|672|681|687" "6"
            "247|500|682" "5"
            "32|36|51|66|213|218|258|263|264|355|377|381|383|385|593|855|886|962|963|971|972" "8,9"
            "44|81|84|92" "9,10"
            "54|55" "10,11"
            "20|57|60|63|64|82|234|229|880|856|850|964|977" "8,10"
            "86" "9,11"
            "46|95|359|353|354|423|231|245|252|265|967" "7,10"
            "230|241|267|372|507|599|670|675|961" "7,8"
            "43|49|39|62|352|358|378|376" "6,12"
            "53|290|597|67[678]|68[35689]|690|688" "5,8"
        }
    };
}

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "phone_international",
        Phone,
        Needs::Byte(b'+'),
        concat!(r"\+ ?\(?", international!()),
    )
    .edges(Edges::Number)
    .check(varied)
    .sure(92)
    .at_most(96)
    .examples(
        &[
            "call ⟦+45 12 34 56 78⟧ now",
            "⟦+1 (415) 555-0132⟧",
            "⟦+44 (0)20 7946 0123⟧",
            "tel:⟦+4930123456⟧;",
            "⟦+1-984-182-0190x769⟧",
            "⟦+55 11 98456 5666⟧",
        ],
        &[
            "3+4512345678",
            "+45 12 34 56",
            "+0100",
            "2026-11-26T10:00:00+01:00",
            "+999 12345678",
            "+45 123456789",
        ],
    ),
    // Over the end of a line, where the length says where it ends.
    Detector::new(
        "phone_over_line",
        Phone,
        Needs::Byte(b'\n'),
        concat!(
            r"\+(?:(?:1|7|52|90|91)(?:[-./() \r\n]{0,3}\d){10}",
            r"|(?:27|31|33|34|40|41|48|61|351|380|420|421|966)(?:[-./() \r\n]{0,3}\d){9}",
            r"|(?:45|47|65|216|350|356|357|370|371|373)(?:[-./() \r\n]{0,3}\d){8})",
        ),
    )
    .edges(Edges::Number)
    .check(varied)
    .sure(85)
    .at_most(44)
    .examples(
        &["call ⟦+45 12 34\n56 78⟧ now", "⟦+1 (415)\r\n555-0132⟧"],
        &[
            "+45 12 34\n56",
            "+45 12 34\n\n56 78",
            "+45 12 34\nand 56 78",
        ],
    ),
    Detector::new(
        "phone_exit_code",
        Phone,
        Needs::Digits(9),
        concat!(r"(?:00|011)[-. ]?", international!()),
    )
    .edges(Edges::Groups)
    .check(grouped)
    .sure(62)
    .at_most(96)
    .examples(
        &["⟦0045 12 34 56 78⟧", "⟦001-518-640-0854⟧"],
        &["004512345678", "0000 1111 2222", "0045 12 34"],
    ),
    // North America: area, exchange, line.
    Detector::new(
        "phone_three_three_four",
        Phone,
        Needs::Digits(10),
        concat!(
            r"(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}",
            extension!()
        ),
    )
    .edges(Edges::Groups)
    .check(north_american)
    .words(WORDS, 60, 88)
    .at_most(32)
    .examples(
        &[
            "⟦(415) 555-0132⟧",
            "⟦780-999-2181⟧",
            "⟦259.735.7502x459⟧",
            "⟦1-800-555-0199⟧",
            "⟦345-899-3560x4587⟧",
            "the mobile number you sent us was ⟦436-829-4971⟧",
        ],
        &[
            "415-5550-132",
            "000-000-0000",
            "1415-555-0132",
            "415-555-0132-1",
            "3.141.5926",
            "415.555 0132",
        ],
    ),
    // The trunk prefix zero, and at least three groups, or two of which the second is long.
    Detector::new(
        "phone_trunk_groups",
        Phone,
        Needs::Digits(9),
        r"\(?0[1-9]\d{0,4}\)?[-./ ]?(?:\d{5,8}|\d{2,5}(?:[-. ]\d{2,5}){1,4})",
    )
    .edges(Edges::Groups)
    .check(trunk)
    .sure(64)
    .at_most(40)
    .examples(
        &[
            "⟦01 42 34 56 78⟧",
            "⟦020 7946 0123⟧",
            "⟦089/1234567⟧",
            "⟦070-123 45 67⟧",
            "⟦0412 345 678⟧",
            "⟦090-1234-5678⟧",
            "⟦(02) 9876 5432⟧",
            "⟦0532 123 45 67⟧",
            "⟦06-12345678⟧",
        ],
        &[
            "01.02.2024",
            "01 02 03 04 05",
            "0123456789",
            "00 12 34 56 78",
            "0.12345678",
            "01-02-2024 10:30",
        ],
    ),
    Detector::new(
        "phone_area_groups",
        Phone,
        Needs::Digits(8),
        concat!(
            r"\(\d{2,5}\) ?\d{2,5}[- ]\d{2,4}(?:[- ]\d{2,4})?",
            r"|1[3-9]\d[- ]\d{4}[- ]\d{4}|(?:0[- ])?5\d{2}[- .]\d{3}[- .]\d{2}",
            r"[- .]\d{2}|8[ -]?\(?\d{3}\)?[ -]\d{3}-\d{2}-\d{2}",
            r"|[6-9]\d{4}[ -]\d{5}"
        ),
    )
    .edges(Edges::Groups)
    .check(area)
    .sure(56)
    .at_most(24)
    .examples(
        &[
            "⟦(11) 98456-5666⟧",
            "⟦(37) 788-063⟧",
            "⟦138 1234 5678⟧",
            "⟦532-123-45-67⟧",
            "⟦8 (495) 123-45-67⟧",
            "⟦98765 43210⟧",
        ],
        &["(12) 34", "f(11) 5", "1381-234-5678", "(1999) 2000-2001"],
    ),
    Detector::new(
        "phone_mobile_plain",
        Phone,
        Needs::Digits(10),
        r"0(?:4\d{8}|[5789]\d{9}|[67]\d{8})",
    )
    .edges(Edges::Groups)
    .check(mobile)
    .words(WORDS, 52, 88)
    .at_most(11)
    .examples(
        &["⟦09171234567⟧", "⟦07700900123⟧", "mobil ⟦0612345679⟧"],
        &["0679783261", "00000000000", "091712345678", "1700000000"],
    ),
    Detector::new(
        "phone_in_context",
        Phone,
        Needs::Digits(6),
        concat!(
            r"\+?\d{7,15}",
            extension!(),
            r"|\+?\(?\d(?:",
            between!(),
            r"\d){5,13}",
            extension!()
        ),
    )
    .edges(Edges::Number)
    .check(said)
    .left(concat!(
        r"(?:",
        named!(),
        r"|",
        called!(),
        r"|",
        labelled!(),
        r")"
    ))
    .sure(78)
    .at_most(96)
    .examples(
        &[
            "tlf. ⟦12 34 56 78⟧",
            "Mobile: ⟦723 813 266⟧",
            "\"phoneNumber\": \"⟦9498777106⟧\"",
            "my cell is ⟦4155552671⟧",
            "please call me at ⟦78 651 450⟧",
            "Telefon ⟦12345678⟧ 4100 Ringsted",
            "電話 ⟦03-1234-5678⟧",
            "answering at ⟦71-33-52-22⟧",
            "Desk: ⟦99 577450⟧",
        ],
        &[
            "12 34 56 78",
            "hotel 12345678",
            "tel 2024-01-02",
            "call 192.168.1.20",
            "phone 1234",
            "phone v1.2345678",
        ],
    ),
];

const WORDS: &[&str] = &[
    "phone",
    "mobile",
    "mobil",
    "tel",
    "cell",
    "call",
    "telefon",
    "telephone",
    "tlf",
    "fax",
    "sms",
    "whatsapp",
    "handy",
    "gsm",
    "cep",
    "contact",
    "dial",
    "ring",
    "portable",
    "móvil",
    "celular",
    "cellulare",
    "puhelin",
    "phone_number",
    "teléfono",
    "telefono",
];

/// Digits that differ, and more than a couple.
fn varied(text: &str) -> bool {
    !uniform(&Digits::of(text)[2..])
}

/// Whether a bracket that opens in it closes in it too: else it is the sentence's.
fn closed(text: &str) -> bool {
    text.contains('(') == text.contains(')')
}

fn grouped(text: &str) -> bool {
    text.len() > Digits::of(text).len() && varied(text)
}

/// The separators are the same, area in brackets aside; area and exchange are not all zero.
fn north_american(text: &str) -> bool {
    let number = text.split(['x', 'e']).next().unwrap_or(text).trim_end();
    let digits = Digits::of(number);
    let digits = &digits[digits.len() - 10..];
    let even = number.contains('(') || one_separator(number);
    even && !uniform(digits) && digits[..3] != [0, 0, 0] && digits[3..6] != [0, 0, 0]
}

/// Nine to eleven digits; all separators but the first are the same; no pairs that count up.
fn trunk(text: &str) -> bool {
    let digits = Digits::of(text);
    if !closed(text) {
        return false;
    }
    let rest = text.trim_start_matches('(');
    let behind = rest.find(|sign: char| !sign.is_ascii_digit());
    let Some(behind) = behind else {
        return false;
    };
    let rest = rest[behind..].trim_start_matches([')', '-', '.', '/', ' ']);
    let step = |pair: &[u8]| i32::from(pair[1]) - i32::from(pair[0]);
    let seconds: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair[0] * 10 + pair[pair.len() - 1])
        .collect();
    let counted = digits.len().is_multiple_of(2)
        && seconds
            .windows(3)
            .all(|of| step(&of[..2]) == step(&of[1..]));
    (9..=11).contains(&digits.len()) && one_separator(rest) && !counted && !uniform(&digits[1..])
}

/// Eight to eleven digits that are not two years.
fn area(text: &str) -> bool {
    let digits = Digits::of(text);
    let years = text.starts_with("(19") || text.starts_with("(20");
    (8..=11).contains(&digits.len()) && !years && !uniform(&digits)
}

/// Not the number of a book of the same length, whose check digit is a sum by eleven.
fn mobile(text: &str) -> bool {
    let digits = Digits::of(text);
    let book = digits.len() == 10
        && weighted(&digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11);
    !book && !uniform(&digits[2..])
}

/// What is said to be a number of a telephone: not a day, an address of a machine or a fraction.
fn said(text: &str) -> bool {
    let digits = Digits::of(text);
    if !closed(text) {
        return false;
    }
    let parts: Vec<&str> = text.split(['.', '-', '/']).collect();
    let whole = parts
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let day = whole
        && parts.len() == 3
        && digits.len() <= 8
        && (parts[0].len() == 4 || parts[2].len() == 4);
    let fraction = whole && parts.len() == 2 && text.contains('.') && !text.starts_with('0');
    let machine = whole
        && parts.len() == 4
        && text.matches('.').count() == 3
        && parts.iter().all(|part| part.parse::<u8>().is_ok())
        && digits.len() != 8
        && digits.len() != 10;
    (6..=15).contains(&digits.len()) && !day && !fraction && !machine && !uniform(&digits)
}

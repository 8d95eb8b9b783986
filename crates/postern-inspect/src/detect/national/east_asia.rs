//! China, Taiwan, Hong Kong, Korea and Japan.

use postern_types::BuiltinClass::{CnId, CompanyId, HkId, JpMyNumber, KrRrn, TwId};

use crate::detect::checksum::{
    Digits, Signs, base36, number, one_separator, uniform, weighted, yymmdd, yyyymmdd,
};
use crate::detect::{Detector, Edges, Needs, alone};

const CHINESE: &[&str] = &[
    "身份证",
    "身份证号",
    "身份证号码",
    "居民身份证",
    "resident id",
    "chinese id",
    "id card",
];
const KOREAN: &[&str] = &[
    "rrn",
    "frn",
    "주민등록번호",
    "주민번호",
    "외국인등록번호",
    "resident registration",
    "주민",
];
const JAPANESE: &[&str] = &["マイナンバー", "個人番号", "my number", "mynumber", "個人"];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new("cn_id", CnId, Needs::Digits(17), r"[1-9]\d{16}[0-9Xx]")
        .edges(Edges::Number)
        .check(chinese)
        .words(CHINESE, 92, 98)
        .at_most(18)
        .examples(
            &["身份证 ⟦11010519760316099X⟧", "⟦110105197704163292⟧"],
            &[
                "11010519760316099A",
                "110105197713163292",
                "1110105197704163292",
            ],
        ),
    Detector::new(
        "cn_uscc",
        CompanyId,
        Needs::Digits(7),
        r"[159Y][1-39]\d{6}[0-9A-HJ-NPQRTUWXY]{10}",
    )
    .edges(Edges::Key)
    .check(social_credit)
    .words(
        &["统一社会信用代码", "信用代码", "uscc", "social credit code"],
        82,
        96,
    )
    .at_most(18)
    .examples(
        &[
            "统一社会信用代码 ⟦9111000062211122ED⟧",
            "⟦9111000072640821CW⟧",
        ],
        &["9111000062211122EE", "19111000062211122ED"],
    ),
    Detector::new("tw_id", TwId, Needs::Digits(8), r"(?i)[a-z][1289a-d]\d{8}")
        .edges(Edges::Key)
        .check(taiwanese)
        .words(
            &[
                "身分證",
                "身份證",
                "身分證字號",
                "taiwan",
                "統一證號",
                "居留證",
            ],
            68,
            96,
        )
        .at_most(10)
        .examples(
            &["身分證 ⟦A123456789⟧", "⟦F131104093⟧"],
            &["A123456788", "A323456789", "AA123456789"],
        ),
    Detector::new(
        "hk_id",
        HkId,
        Needs::Digits(6),
        r"(?i)[a-z]{1,2}\d{6}(?:\([0-9a]\)|[0-9a])",
    )
    .check(hong_kong)
    .edges(Edges::Key)
    .words(
        &[
            "hkid",
            "hong kong",
            "身份證",
            "身分證",
            "香港身份證",
            "hk id",
        ],
        48,
        95,
    )
    .at_most(11)
    .alone(alone::ONE_IN_11)
    .examples(
        &["HKID ⟦A123456(3)⟧", "hk id: ⟦Z683365A⟧"],
        &["part A1234563", "HKID A123456(4)", "HKID AAA123456(3)"],
    ),
    Detector::new("kr_rrn", KrRrn, Needs::Digits(13), r"\d{6}-[1-8]\d{6}")
        .edges(Edges::Number)
        .check(korean)
        .words(KOREAN, 82, 97)
        .at_most(14)
        .examples(
            &[
                "주민등록번호 ⟦780416-1034196⟧",
                "⟦790417-1529745⟧",
                "FRN ⟦911124-5678901⟧",
            ],
            &[
                "780416-9034196",
                "781316-1034196",
                "1780416-1034196",
                "780416-10341961",
            ],
        ),
    Detector::new("kr_rrn_plain", KrRrn, Needs::Digits(13), r"\d{6}[0-9]\d{6}")
        .edges(Edges::Number)
        .check(korean_plain)
        .words(KOREAN, 52, 94)
        .at_most(13)
        .alone(alone::ONE_IN_23)
        .examples(
            &["RRN ⟦7804161034196⟧", "⟦7904171529745⟧"],
            &["7804161034197", "7813161034196", "17804161034196"],
        ),
    Detector::new(
        "kr_company",
        CompanyId,
        Needs::Digits(10),
        r"\d{3}-\d{2}-\d{5}",
    )
    .edges(Edges::Number)
    .check(korean_company)
    .words(
        &["사업자등록번호", "사업자", "brn", "business registration"],
        78,
        96,
    )
    .at_most(12)
    .examples(
        &["사업자등록번호 ⟦116-88-46390⟧", "⟦116-89-05775⟧"],
        &["116-88-46391", "1116-88-46390", "116-88-463901"],
    ),
    Detector::new(
        "jp_my_number",
        JpMyNumber,
        Needs::Digits(12),
        r"\d{4}[- ]?\d{4}[- ]?\d{4}",
    )
    .edges(Edges::Number)
    .check(my_number)
    .words(JAPANESE, 45, 96)
    .at_most(14)
    .alone(alone::ONE_IN_11)
    .examples(
        &["マイナンバー ⟦8363 4703 6715⟧", "My Number: ⟦811393821980⟧"],
        &[
            "part 836347036715",
            "my number 836347036716",
            "my number 8363470367151",
        ],
    ),
    Detector::new(
        "jp_corporate_number",
        CompanyId,
        Needs::Digits(13),
        r"[1-9]\d{12}",
    )
    .edges(Edges::Number)
    .check(corporate)
    .words(&["法人番号", "corporate number"], 35, 94)
    .at_most(13)
    .alone(alone::UNNAMED)
    .examples(
        &[
            "法人番号 ⟦1653543271018⟧",
            "corporate number ⟦9297742539682⟧",
        ],
        &[
            "part 1653543271018",
            "法人番号 2653543271018",
            "法人番号 16535432710181",
        ],
    ),
];

/// A region, a day, a serial; ISO 7064 mod 11-2, where ten is written X.
fn chinese(text: &str) -> bool {
    let signs = Signs::of(text);
    let rest = signs[..17]
        .iter()
        .fold(0, |rest, &sign| (rest + base36(sign)) * 2 % 11);
    let check = b"10X98765432"[usize::try_from(rest).unwrap_or(0)];
    let region = number(&Digits::of(&text[..2]));
    yyyymmdd(&Digits::of(&text[6..14])) && matches!(region, 11..=82) && check == signs[17]
}

/// GB 32100: signs without I, O, S, V and Z, by powers of three, by 31.
fn social_credit(text: &str) -> bool {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [
        1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
    ];
    let place = |sign: u8| SIGNS.iter().position(|&known| known == sign).unwrap_or(0);
    let signs = Signs::of(text);
    let sum: usize = signs[..17]
        .iter()
        .zip(WEIGHTS)
        .map(|(&sign, weight)| place(sign) * weight)
        .sum();
    (31 - sum % 31) % 31 == place(signs[17])
}

/// The letter is a place in a list, read as two digits; then weights down to one.
fn taiwanese(text: &str) -> bool {
    // In this order the letters count from ten.
    const LETTERS: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let place = |sign: u8| LETTERS.iter().position(|&known| known == sign).unwrap_or(0) as u32 + 10;
    let signs = Signs::of(text);
    let first = place(signs[0]);
    let second = match signs[1] {
        digit @ b'0'..=b'9' => u32::from(digit - b'0'),
        letter => place(letter) % 10,
    };
    let rest: u32 = signs[2..]
        .iter()
        .zip([7, 6, 5, 4, 3, 2, 1, 1])
        .map(|(&sign, weight)| base36(sign) * weight)
        .sum();
    (first / 10 + first % 10 * 9 + second * 8 + rest).is_multiple_of(10)
}

/// One or two letters (a missing one counts 36), six digits, by 9 to 2, by eleven; ten is A.
fn hong_kong(text: &str) -> bool {
    let signs = Signs::of(text);
    let body = &signs[..signs.len() - 1];
    let missing = if body.len() == 7 { 36 * 9 } else { 0 };
    let from = 8 - body.len();
    let sum: u32 = body
        .iter()
        .zip((2..=9).rev().skip(from))
        .map(|(&sign, weight)| base36(sign) * weight)
        .sum();
    (missing + sum + base36(signs[signs.len() - 1])).is_multiple_of(11)
}

/// WHY NOT the check digit: numbers given out since October 2020 have none.
fn korean(text: &str) -> bool {
    yymmdd(&Digits::of(text))
}

/// Without a hyphen, the check digit of the older numbers, or of those of foreigners.
fn korean_plain(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..12], &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    let check = (11 - sum % 11) % 10;
    let foreign = (13 - sum % 11) % 10;
    let last = u32::from(digits[12]);
    yymmdd(&digits) && (check == last || (matches!(digits[6], 5..=8) && foreign == last))
}

fn korean_company(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..9], &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + u32::from(digits[8]) * 5 / 10;
    (10 - sum % 10) % 10 == u32::from(digits[9]) && !uniform(&digits)
}

/// Eleven digits by 6 to 2 and 7 to 2, by eleven.
fn my_number(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..11], &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    let check = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    one_separator(text) && check == u32::from(digits[11]) && !uniform(&digits)
}

/// The check digit comes first: nine less the rest by nine of the digits by 1 and 2 in turn.
fn corporate(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum: u32 = digits[1..]
        .iter()
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .sum();
    9 - sum % 9 == u32::from(digits[0]) && !uniform(&digits[1..])
}

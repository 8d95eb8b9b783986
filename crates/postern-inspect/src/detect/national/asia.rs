//! China, Taiwan, Hong Kong, Korea, Japan and South-East Asia.

use postern_types::BuiltinClass::{
    CnId, CompanyId, HkId, JpMyNumber, KrRrn, MyNric, OtherNationalId, PhTin, SgNric, SgUen, ThId,
    TwId,
};

use crate::detect::checksum::{
    Digits, Signs, base36, day_exists, number, one_separator, uniform, weighted, yymmdd, yyyymmdd,
};
use crate::detect::{Detector, Edges, Needs};

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
const THAI: &[&str] = &[
    "เลขประจำตัวประชาชน",
    "บัตรประชาชน",
    "thai id",
    "เลขบัตรประชาชน",
    "tnin",
    "ประชาชน",
];
const NRIC: &[&str] = &["nric", "fin", "singapore", "s pass", "work permit"];
const UEN: &[&str] = &["uen", "acra", "entity number"];
const MYKAD: &[&str] = &[
    "mykad",
    "nric",
    "kad pengenalan",
    "no. kp",
    "no kp",
    "ic",
    "ic no",
    "i/c",
];

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
        Needs::Digits(8),
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
    .examples(
        &["HKID ⟦A123456(3)⟧", "hk id: ⟦Z683365A⟧"],
        &["A1234563", "HKID A123456(4)", "HKID AAA123456(3)"],
    ),
    Detector::new("kr_rrn", KrRrn, Needs::Digits(13), r"\d{6}-[0-9]\d{6}")
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
            &["781316-1034196", "1780416-1034196", "780416-10341961"],
        ),
    Detector::new("kr_rrn_plain", KrRrn, Needs::Digits(13), r"\d{6}[0-9]\d{6}")
        .edges(Edges::Number)
        .check(korean_plain)
        .words(KOREAN, 52, 94)
        .at_most(13)
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
    .examples(
        &["マイナンバー ⟦8363 4703 6715⟧", "My Number: ⟦811393821980⟧"],
        &[
            "836347036715",
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
    .examples(
        &[
            "法人番号 ⟦1653543271018⟧",
            "corporate number ⟦9297742539682⟧",
        ],
        &[
            "1653543271018",
            "法人番号 2653543271018",
            "法人番号 16535432710181",
        ],
    ),
    Detector::new(
        "th_id",
        ThId,
        Needs::Digits(13),
        r"[1-8]-\d{4}-\d{5}-\d{2}-\d|[1-8]\d{12}|[1-8] \d{4} \d{5} \d{2} \d",
    )
    .edges(Edges::Number)
    .check(thai)
    .words(THAI, 54, 96)
    .at_most(17)
    .examples(
        &["บัตรประชาชน ⟦1284468967494⟧", "⟦1-9182-35303-24-8⟧"],
        &["1284468967495", "9284468967494", "11284468967494"],
    ),
    Detector::new(
        "sg_nric",
        SgNric,
        Needs::Digits(7),
        r"(?i)[stfgm]\d{7}[a-z]",
    )
    .edges(Edges::Key)
    .check(singaporean)
    .words(NRIC, 85, 97)
    .at_most(9)
    .examples(
        &[
            "NRIC ⟦S1234567D⟧",
            "⟦T1234567J⟧",
            "FIN ⟦F1234567N⟧",
            "⟦M1234567K⟧",
        ],
        &["S1234567E", "A1234567D", "SS1234567D", "S1234567DD"],
    ),
    Detector::new(
        "sg_nric_in_context",
        SgNric,
        Needs::Digits(7),
        r"(?i)[stfgm]\d{7}[a-z]",
    )
    .edges(Edges::Key)
    .words(NRIC, 48, 80)
    .at_most(9)
    .examples(
        &["NRIC ⟦S1234567E⟧", "FIN ⟦G1122144L⟧"],
        &["S1234567E", "NRIC A1234567D", "NRIC S12345678D"],
    ),
    Detector::new(
        "sg_uen",
        SgUen,
        Needs::Digits(5),
        r"(?i)\d{8,9}[a-z]|[rst]\d{2}[a-z]{2}\d{4}[a-z]",
    )
    .edges(Edges::Key)
    .check(uen)
    .words(UEN, 62, 96)
    .at_most(10)
    .examples(
        &["UEN ⟦55336734W⟧", "⟦T08LL1712E⟧", "uen: ⟦200312345H⟧"],
        &["55336734X", "T08LL1712F", "155336734WW"],
    ),
    Detector::new("my_nric", MyNric, Needs::Digits(12), r"\d{6}-\d{2}-\d{4}")
        .edges(Edges::Number)
        .check(malaysian)
        .words(MYKAD, 78, 96)
        .at_most(14)
        .examples(
            &["MyKad ⟦770305-14-4004⟧", "⟦880229-01-5678⟧"],
            &["771305-14-4004", "770305-00-4004", "1770305-14-4004"],
        ),
    Detector::new("my_nric_plain", MyNric, Needs::Digits(12), r"\d{12}")
        .edges(Edges::Number)
        .check(malaysian)
        .words(MYKAD, 30, 90)
        .at_most(12)
        .examples(
            &["MyKad ⟦770305144004⟧", "No. KP: ⟦880229015678⟧"],
            &["770305144004", "MyKad 771305144004", "MyKad 7703051440041"],
        ),
    Detector::new("id_nik", OtherNationalId, Needs::Digits(16), r"[1-9]\d{15}")
        .edges(Edges::Number)
        .check(indonesian)
        .words(
            &["nik", "ktp", "e-ktp", "no. ktp", "nomor induk kependudukan"],
            45,
            94,
        )
        .at_most(16)
        .examples(
            &["NIK ⟦3173055910990001⟧", "KTP: ⟦3201014508920003⟧"],
            &[
                "3173055910990001",
                "NIK 3173055913990001",
                "NIK 31730559109900011",
            ],
        ),
    Detector::new(
        "ph_tin",
        PhTin,
        Needs::Digits(9),
        r"\d{3}-?\d{3}-?\d{3}(?:-?\d{3,5})?",
    )
    .edges(Edges::Number)
    .left(concat!(
        r"(?:^|[^a-z])(?:tin|bir|taxpayer identification)",
        tail!()
    ))
    .sure(80)
    .at_most(18)
    .examples(
        &[
            "TIN ⟦238-415-762-000⟧",
            "BIR TIN: ⟦238415762000⟧",
            "tin no. ⟦238-415-762⟧",
        ],
        &["238-415-762-000", "not a TIN 1", "tin 23-8415"],
    ),
    Detector::new(
        "ph_ids",
        OtherNationalId,
        Needs::Digits(10),
        r"\d{2}-?\d{9}-?\d|\d{2}-?\d{7}-?\d|\d{4}-?\d{4}-?\d{4}(?:-?\d{4})?",
    )
    .edges(Edges::Number)
    .check(grouped)
    .words(
        &[
            "sss",
            "sss no",
            "gsis",
            "philhealth",
            "pag-ibig",
            "pagibig",
            "hdmf",
            "philsys",
            "psn",
            "umid",
        ],
        10,
        85,
    )
    .at_most(19)
    .examples(
        &[
            "SSS ⟦34-1234567-8⟧",
            "PhilHealth ⟦12-345678901-2⟧",
            "Pag-IBIG: ⟦1234-5678-9012⟧",
        ],
        &["34-1234567-8", "SSS 34-123456-8"],
    ),
    Detector::new("vn_id", OtherNationalId, Needs::Digits(12), r"0\d{11}")
        .edges(Edges::Number)
        .check(vietnamese)
        .words(
            &[
                "cccd",
                "cmnd",
                "căn cước",
                "căn cước công dân",
                "số định danh",
            ],
            25,
            92,
        )
        .at_most(12)
        .examples(
            &["CCCD ⟦001085012345⟧", "căn cước ⟦079302001234⟧"],
            &["001085012345", "CCCD 001", "CCCD 0010850123451"],
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

fn thai(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..12], &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    (11 - sum % 11) % 10 == u32::from(digits[12]) && !uniform(&digits[1..12])
}

/// Weights 2, 7, 6, 5, 4, 3, 2, and an offset by series; each series has letters of its own.
fn singaporean(text: &str) -> bool {
    let signs = Signs::of(text);
    let digits = Digits::of(text);
    let sum = weighted(&digits, &[2, 7, 6, 5, 4, 3, 2]);
    let (offset, letters) = match signs[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        _ => (3, b"XWUTRQPNJLK"),
    };
    let rest = usize::try_from((sum + offset) % 11).unwrap_or(0);
    letters[rest] == signs[8]
}

/// Three kinds: a business of eight digits, a local company of nine with its year, the others.
fn uen(text: &str) -> bool {
    let signs = Signs::of(text);
    let digits = Digits::of(text);
    let last = signs[signs.len() - 1];
    match digits.len() {
        8 => {
            let sum = weighted(&digits, &[10, 4, 9, 3, 8, 2, 7, 1]);
            b"XMKECAWLJDB"[usize::try_from(sum % 11).unwrap_or(0)] == last
        }
        9 => {
            let sum = weighted(&digits, &[10, 8, 6, 4, 9, 7, 5, 3, 1]);
            let year = number(&digits[..4]);
            (1900..2100).contains(&year)
                && b"ZKCMDNERGWH"[usize::try_from(sum % 11).unwrap_or(0)] == last
        }
        _ => other_uen(&signs),
    }
}

fn other_uen(signs: &[u8]) -> bool {
    const SIGNS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
    const WEIGHTS: [usize; 9] = [4, 3, 5, 3, 10, 2, 2, 5, 7];
    let place = |sign: u8| SIGNS.iter().position(|&known| known == sign).unwrap_or(0);
    let Some((last, body)) = signs.split_last() else {
        return false;
    };
    let sum: usize = body
        .iter()
        .zip(WEIGHTS)
        .map(|(&sign, weight)| place(sign) * weight)
        .sum();
    // The offset of minus five, as six more by eleven.
    SIGNS[(sum + 6) % 11] == *last
}

/// A day, a place of birth, a serial.
fn malaysian(text: &str) -> bool {
    let digits = Digits::of(text);
    let place = number(&digits[6..8]);
    yymmdd(&digits) && !matches!(place, 0 | 17..=20 | 69 | 70 | 73 | 80 | 81 | 94..=97)
}

/// A province, a district, a day (plus 40 for women), a serial.
fn indonesian(text: &str) -> bool {
    let digits = Digits::of(text);
    let (day, month, year) = (
        number(&digits[6..8]),
        number(&digits[8..10]),
        number(&digits[10..12]),
    );
    let day = if day > 40 { day - 40 } else { day };
    matches!(number(&digits[..2]), 11..=21 | 31..=36 | 51..=53 | 61..=65 | 71..=76 | 81 | 82 | 91..=97)
        && day_exists(year, month, day)
        && number(&digits[12..]) > 0
}

fn grouped(text: &str) -> bool {
    one_separator(text) && !uniform(&Digits::of(text))
}

/// A province, century and sex, the year of birth, a serial.
fn vietnamese(text: &str) -> bool {
    let digits = Digits::of(text);
    (1..=96).contains(&number(&digits[..3])) && digits[3] <= 3
}

//! Thailand, Singapore, Malaysia, Indonesia, the Philippines and Vietnam.

use postern_types::BuiltinClass::{MyNric, OtherNationalId, PhTin, SgNric, SgUen, ThId};

use crate::detect::checksum::{
    Digits, Signs, day_exists, number, one_separator, uniform, weighted, yymmdd,
};
use crate::detect::{Detector, Edges, Needs, alone};

const THAI: &[&str] = &[
    "เลขประจำตัวประชาชน",
    "บัตรประชาชน",
    "thai id",
    "thai",
    "thailand",
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
    Detector::new(
        "th_id",
        ThId,
        Needs::Digits(13),
        r"[1-8]-\d{4}-\d{5}-\d{2}-\d|[1-8] \d{4} \d{5} \d{2} \d",
    )
    .edges(Edges::Number)
    .check(thai)
    .words(THAI, 80, 97)
    .at_most(17)
    .examples(
        &["บัตรประชาชน ⟦1-2844-68967-49-4⟧", "⟦1-9182-35303-24-8⟧"],
        &[
            "1-2844-68967-49-5",
            "9-2844-68967-49-4",
            "1-2844-68967-49-41",
        ],
    ),
    Detector::new("th_id_plain", ThId, Needs::Digits(13), r"[1-8]\d{12}")
        .edges(Edges::Number)
        .check(thai)
        .words(THAI, 45, 96)
        .at_most(13)
        .alone(alone::ONE_IN_11)
        .examples(
            &["บัตรประชาชน ⟦1284468967494⟧", "Thai ID: ⟦1918235303248⟧"],
            &[
                "part 1284468967494",
                "Thai ID 1284468967495",
                "Thai ID 11284468967494",
            ],
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
    .alone(alone::NARROW_SHAPE)
    .examples(
        &["NRIC ⟦S1234567E⟧", "FIN ⟦G1122144L⟧"],
        &["part S1234567E", "NRIC A1234567D", "NRIC S12345678D"],
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
        .alone(alone::ONE_IN_23)
        .examples(
            &["MyKad ⟦770305144004⟧", "No. KP: ⟦880229015678⟧"],
            &[
                "part 770305144004",
                "MyKad 771305144004",
                "MyKad 7703051440041",
            ],
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
        .alone(alone::ONE_IN_23)
        .examples(
            &["NIK ⟦3173055910990001⟧", "KTP: ⟦3201014508920003⟧"],
            &[
                "part 3173055910990001",
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
        "ph_tin_grouped",
        PhTin,
        Needs::Digits(9),
        r"\d{3}-\d{3}-\d{3}(?:-\d{3,5})?",
    )
    .edges(Edges::Number)
    .words(
        &["tin", "tin number", "bir", "taxpayer identification"],
        10,
        82,
    )
    .at_most(17)
    .examples(
        &[
            "You asked for my TIN. It is ⟦238-415-762⟧.",
            "tin,city\n⟦238-415-762-000⟧,Cebu",
        ],
        &["238-415-762-000", "TIN 238-4157-62"],
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
        .alone(alone::UNNAMED)
        .examples(
            &["CCCD ⟦001085012345⟧", "căn cước ⟦079302001234⟧"],
            &["part 001085012345", "CCCD 001", "CCCD 0010850123451"],
        ),
];

fn thai(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..12], &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    // Behind the kind of person stands the province.
    let province = number(&digits[1..3]);
    (11 - sum % 11) % 10 == u32::from(digits[12])
        && (10..=96).contains(&province)
        && !uniform(&digits[1..12])
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
    let province = number(&digits[..2]);
    matches!(province, 11..=21 | 31..=36 | 51..=53 | 61..=65 | 71..=76 | 81 | 82 | 91..=97)
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

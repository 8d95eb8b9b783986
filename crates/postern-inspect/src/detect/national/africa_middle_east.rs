//! Turkey, Israel, the Gulf, Egypt, South Africa, Nigeria and others of the region.

use postern_types::BuiltinClass::{IlTeudatZehut, NgNin, OtherNationalId, TrKimlik, ZaId};

use crate::detect::checksum::{Digits, luhn, number, uniform, yymmdd};
use crate::detect::{Detector, Edges, Needs, alone};

const TURKISH: &[&str] = &[
    "tc kimlik",
    "t.c. kimlik",
    "tckn",
    "kimlik",
    "tc no",
    "kimlik no",
    "t.c",
    "tc",
];
const VKN: &[&str] = &["vkn", "vergi kimlik", "vergi no", "vergi numarası", "vergi"];
const ISRAELI: &[&str] = &[
    "teudat zehut",
    "תעודת זהות",
    "ת.ז",
    "ת״ז",
    "t.z",
    "israeli id",
    "mispar zehut",
    "מספר זהות",
];
const SOUTH_AFRICAN: &[&str] = &[
    "rsa id",
    "south african id",
    "id number",
    "identity number",
    "sa id",
    "said",
    "id no",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new("tr_kimlik", TrKimlik, Needs::Digits(11), r"[1-9]\d{10}")
        .edges(Edges::Number)
        .check(kimlik)
        .words(TURKISH, 75, 97)
        .at_most(11)
        .examples(
            &["TC Kimlik No: ⟦69784429582⟧", "⟦63128667098⟧"],
            &["69784429583", "09784429582", "169784429582"],
        ),
    Detector::new(
        "tr_tax_number",
        OtherNationalId,
        Needs::Digits(10),
        r"\d{10}",
    )
    .edges(Edges::Number)
    .check(vkn)
    .words(VKN, 35, 93)
    .at_most(10)
    .alone(alone::UNNAMED)
    .examples(
        &["VKN ⟦1172341916⟧", "Vergi No: ⟦6730221872⟧"],
        &["part 1172341916", "VKN 1172341917", "VKN 11723419161"],
    ),
    Detector::new(
        "il_teudat_zehut",
        IlTeudatZehut,
        Needs::Digits(9),
        r"\d{9}|\d{8}-\d",
    )
    .edges(Edges::Number)
    .check(zehut)
    .words(ISRAELI, 35, 94)
    .at_most(10)
    .alone(alone::ONE_IN_10)
    .examples(
        &["teudat zehut ⟦362610974⟧", "ת.ז. ⟦45568944-8⟧"],
        &[
            "362610974",
            "teudat zehut 362610975",
            "teudat zehut 3626109741",
        ],
    ),
    Detector::new("za_id", ZaId, Needs::Digits(13), r"\d{6} ?\d{4} ?\d{3}")
        .edges(Edges::Number)
        .check(south_african)
        .words(SOUTH_AFRICAN, 85, 97)
        .at_most(15)
        .examples(
            &["RSA ID: ⟦7505185092088⟧", "⟦780319 5003 082⟧"],
            &[
                "7505185092089",
                "7513185092088",
                "17505185092088",
                "7505185092388",
            ],
        ),
    Detector::new("ng_nin", NgNin, Needs::Digits(11), r"\d{11}")
        .edges(Edges::Number)
        .check(plain)
        .words(
            &[
                "nin",
                "national identification number",
                "nimc",
                "national identity number",
            ],
            10,
            85,
        )
        .at_most(11)
        .examples(
            &["NIN ⟦25481736904⟧", "NIMC: ⟦73910482651⟧"],
            &["25481736904", "NIN 2548173690", "NIN 11111111111"],
        ),
    Detector::new("ng_bvn", OtherNationalId, Needs::Digits(11), r"22\d{9}")
        .edges(Edges::Number)
        .words(
            &["bvn", "bank verification number", "bank verification"],
            10,
            92,
        )
        .at_most(11)
        .examples(
            &["BVN ⟦22481736904⟧", "bvn: ⟦22310482651⟧"],
            &["22481736904", "BVN 32481736904", "BVN 224817369041"],
        ),
    Detector::new(
        "ae_emirates_id",
        OtherNationalId,
        Needs::Digits(15),
        r"784[- ]?(?:19|20)\d{2}[- ]?\d{7}[- ]?\d",
    )
    .edges(Edges::Number)
    .check(emirates)
    .words(
        &["emirates id", "eid", "الهوية", "identity card", "uae id"],
        90,
        97,
    )
    .at_most(18)
    .examples(
        &["Emirates ID ⟦784-1985-1234567-3⟧", "⟦784198512345335⟧"],
        &[
            "784-1985-1234567-4",
            "784-1885-1234567-3",
            "1784198512345335",
        ],
    ),
    Detector::new(
        "sa_national_id",
        OtherNationalId,
        Needs::Digits(10),
        r"[12]\d{9}",
    )
    .edges(Edges::Number)
    .check(saudi)
    .words(
        &[
            "iqama",
            "saudi id",
            "الهوية الوطنية",
            "national id",
            "رقم الهوية",
            "absher",
        ],
        30,
        90,
    )
    .at_most(10)
    .alone(alone::UNNAMED)
    .examples(
        &["Iqama ⟦2098765437⟧", "Saudi ID: ⟦1123456780⟧"],
        &["2098765437", "iqama 2098765438", "iqama 20987654371"],
    ),
    Detector::new(
        "eg_national_id",
        OtherNationalId,
        Needs::Digits(14),
        r"[23]\d{13}",
    )
    .edges(Edges::Number)
    .check(egyptian)
    .words(
        &[
            "الرقم القومي",
            "national id",
            "egyptian id",
            "رقم قومي",
            "national number",
        ],
        62,
        94,
    )
    .at_most(14)
    .examples(
        &["national id ⟦29506150112345⟧", "⟦30102018812346⟧"],
        &[
            "29513150112345",
            "49506150112345",
            "129506150112345",
            "29506159912345",
        ],
    ),
    Detector::new(
        "ke_tax_pin",
        OtherNationalId,
        Needs::Digits(9),
        r"[AP]\d{9}[A-Z]",
    )
    .edges(Edges::Key)
    .words(&["kra", "kra pin", "pin", "itax"], 45, 92)
    .at_most(11)
    .examples(
        &["KRA PIN ⟦A297294655V⟧", "kra ⟦P813626176Z⟧"],
        &["A297294655V", "KRA PIN B297294655V", "KRA PIN A2972946551V"],
    ),
    Detector::new(
        "gh_card",
        OtherNationalId,
        Needs::Digits(10),
        r"GHA-\d{9}-\d",
    )
    .edges(Edges::Key)
    .words(&["ghana card", "ghana", "nia"], 88, 96)
    .at_most(15)
    .examples(
        &["Ghana Card ⟦GHA-123456789-0⟧", "⟦GHA-724681350-3⟧"],
        &["GHA-12345678-0", "XGHA-123456789-0", "GHA-123456789-01"],
    ),
];

/// The tenth digit comes from the odd and even places, the last is the sum of the ten before it.
fn kimlik(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = |from: usize, step: usize, to: usize| -> u32 {
        digits[from..to]
            .iter()
            .step_by(step)
            .map(|&digit| u32::from(digit))
            .sum()
    };
    let tenth = (sum(0, 2, 9) * 7 + 90 - sum(1, 2, 8)) % 10;
    tenth == u32::from(digits[9]) && sum(0, 1, 10) % 10 == u32::from(digits[10])
}

/// Each digit plus its distance from the end, times a power of two, by nine.
fn vkn(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum: u32 = digits[..9]
        .iter()
        .zip((1..=9_u32).rev())
        .map(|(&digit, place)| {
            let moved = (u32::from(digit) + place) % 10;
            match moved * 2_u32.pow(place) % 9 {
                0 if moved != 0 => 9,
                rest => rest,
            }
        })
        .sum();
    (10 - sum % 10) % 10 == u32::from(digits[9]) && !uniform(&digits)
}

fn zehut(text: &str) -> bool {
    let digits = Digits::of(text);
    luhn(&digits) && !uniform(&digits)
}

/// A day, a serial, citizen, permanent resident or refugee, a digit that is 8 or 9, Luhn's digit.
fn south_african(text: &str) -> bool {
    let digits = Digits::of(text);
    yymmdd(&digits) && digits[10] <= 2 && digits[11] >= 7 && luhn(&digits)
}

fn plain(text: &str) -> bool {
    !uniform(&Digits::of(text))
}

fn emirates(text: &str) -> bool {
    luhn(&Digits::of(text))
}

fn saudi(text: &str) -> bool {
    luhn(&Digits::of(text))
}

/// Century, a day, a governorate, a serial. The check digit's rule is not published.
fn egyptian(text: &str) -> bool {
    let digits = Digits::of(text);
    let governorate = number(&digits[7..9]);
    yymmdd(&digits[1..7]) && matches!(governorate, 1..=4 | 11..=19 | 21..=29 | 31..=35 | 88)
}

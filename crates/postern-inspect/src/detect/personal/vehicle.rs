//! Vehicles: identification numbers, and number plates in context.

use postern_types::BuiltinClass::VehicleId;

use crate::detect::checksum::{Signs, uniform};
use crate::detect::{Detector, Edges, Needs, alone};

const VIN: &[&str] = &[
    "vin",
    "chassis",
    "fahrgestellnummer",
    "stelnummer",
    "vehicle identification",
    "fin",
    "châssis",
    "bastidor",
    "telaio",
];
const PLATE: &[&str] = &[
    "plate",
    "plates",
    "number plate",
    "license plate",
    "licence plate",
    "registration",
    "vehicle",
    "vehicles",
    "car",
    "kennzeichen",
    "nummernschild",
    "kfz",
    "kfz-kennzeichen",
    "nummerplade",
    "registreringsnummer",
    "reg",
    "reg.nr",
    "immatriculation",
    "matrícula",
    "matricula",
    "targa",
    "kenteken",
    "plaka",
    "plaque",
    "tablica",
    "rejestracyjny",
    "rekisteritunnus",
    "regnr",
    "vrm",
    "rc",
    "number plates",
    "registered",
    "plaka no",
    "plakası",
    "bil",
    "auto",
    "voiture",
    "coche",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "vin",
        VehicleId,
        Needs::Digits(4),
        r"[A-HJ-NPR-Z0-9]{8}[0-9X][A-HJ-NPR-Z0-9]{4}\d{4}",
    )
    .edges(Edges::Key)
    .check(vin)
    .words(VIN, 88, 97)
    .at_most(17)
    .examples(
        &["VIN ⟦1M8GDM9AXKP042788⟧", "⟦5GZCZ43D13S812715⟧"],
        &[
            "1M8GDM9A0KP042788",
            "11M8GDM9AXKP042788",
            "11111111111111111",
            "1M8GDM9AXKPO42788",
        ],
    ),
    // Outside of North America the ninth place is free.
    Detector::new(
        "vin_in_context",
        VehicleId,
        Needs::Digits(4),
        r"(?i)[a-hj-npr-z0-9]{13}\d{4}",
    )
    .edges(Edges::Key)
    .check(mixed)
    .words(VIN, 30, 90)
    .at_most(17)
    .examples(
        &[
            "chassis ⟦WVWZZZ1JZ3W386752⟧",
            "stelnummer: ⟦wbaaa1305h8251545⟧",
        ],
        &[
            "WVWZZZ1JZ3W386752",
            "vin WVWZZZ1JZ3W38675",
            "vin 12345678901234567",
        ],
    ),
    // The second sign of the age of a car, since 2001: 02 to 29 and 51 to 79.
    Detector::new(
        "uk_plate",
        VehicleId,
        Needs::Digits(2),
        r"(?i)[a-hj-pr-vwyz][a-hj-pr-y](?:0[2-9]|[12]\d|5[1-9]|[67]\d) ?[a-hj-prs-z]{3}",
    )
    .edges(Edges::Key)
    .words(PLATE, 45, 88)
    .at_most(8)
    .alone(alone::SHAPE)
    .examples(
        &["plate ⟦BD62XYZ⟧", "vehicles ⟦AB51 ABC⟧ and ⟦AA02 AAA⟧"],
        &["part BD62XYZ", "AB49ABC", "plate IB51ABC", "plate BD62XYZA"],
    ),
    // Plates of 1963 to 2001: a letter for the year before or behind.
    Detector::new(
        "uk_plate_of_old",
        VehicleId,
        Needs::Digits(1),
        r"(?i)[a-hj-npr-tv-y]\d{1,3} ?[a-hj-pr-y]{3}|[a-hj-pr-y]{3} ?\d{1,3}[a-hj-npr-tv-y]",
    )
    .edges(Edges::Key)
    .words(PLATE, 15, 80)
    .at_most(8)
    .alone(alone::SHAPE)
    .examples(
        &["⟦A123 BCD⟧", "plate ⟦ABC 1D⟧", "⟦M456DEF⟧"],
        &["see A123 BCD", "A1234 BCD", "I123 BCD"],
    ),
    Detector::new(
        "de_plate",
        VehicleId,
        Needs::Digits(1),
        concat!(
            r"(?:[A-Z]|\xC3[\x84\x96\x9C]){1,3}[- ][A-Z]{1,2}[- ]?[1-9]\d{0,3}",
            r"[EH]?"
        ),
    )
    .edges(Edges::Key)
    .words(PLATE, 35, 88)
    .at_most(15)
    .alone(alone::SHAPE)
    .examples(
        &[
            "Kennzeichen ⟦B-AB 1234⟧",
            "Kfz ⟦M XY 999⟧",
            "Kennzeichen: ⟦KA-EF 12H⟧",
        ],
        &["part B-AB 1234", "Kennzeichen B-AB", "Kfz B-AB 0123"],
    ),
    Detector::new(
        "tr_plate",
        VehicleId,
        Needs::Digits(4),
        concat!(
            r"(?i)(?:0[1-9]|[1-7]\d|8[01]) ?(?:[a-z] ?\d{4,5}|[a-z]{2} ?\d{3,4}",
            r"|[a-z]{3} ?\d{2,4}|[a-z] ?\d{3})"
        ),
    )
    .edges(Edges::Key)
    .words(PLATE, 40, 90)
    .at_most(11)
    .alone(alone::SHAPE)
    .examples(
        &["Plaka ⟦34 ABC 123⟧", "plaka: ⟦06JK567⟧"],
        &["part 34 ABC 123", "Plaka 99 ABC 123", "Plaka 34 ABCD 123"],
    ),
    Detector::new(
        "in_plate",
        VehicleId,
        Needs::Digits(4),
        concat!(
            r"(?i)(?:a[npr]|as|br|c[gh]|d[dln]|g[aj]|h[pr]|j[hk]|k[al]|l[ad]",
            r"|m[hlnpz]|n[l]|od|p[by]|rj|sk|t[gnrs]|u[kp]",
            r"|wb)[ -]?\d{1,2}[ -]?[a-z]{1,3}[ -]?\d{4}"
        ),
    )
    .edges(Edges::Key)
    .words(PLATE, 62, 92)
    .at_most(14)
    .examples(
        &["⟦KA99ME3456⟧", "registration ⟦MH-12-AB-1234⟧"],
        &["XX99ME3456", "KA99ME345", "KKA99ME3456"],
    ),
    Detector::new(
        "ng_plate",
        VehicleId,
        Needs::Digits(3),
        r"[A-Z]{3}-\d{3}[A-Z]{2}",
    )
    .edges(Edges::Key)
    .words(PLATE, 52, 88)
    .at_most(9)
    .alone(alone::SHAPE)
    .examples(
        &["plates: ⟦APP-456CV⟧ and ⟦KJA-999PZ⟧", "vehicle ⟦LSD-123AA⟧"],
        &["APP456CV", "plate APP-456C", "plate APP-4567CV"],
    ),
    Detector::new(
        "ng_plate_in_one",
        VehicleId,
        Needs::Digits(3),
        r"[A-Z]{3}\d{3}[A-Z]{2}",
    )
    .edges(Edges::Key)
    .words(PLATE, 15, 85)
    .at_most(8)
    .alone(alone::SHAPE)
    .examples(
        &["⟦APP456CV⟧", "plate ⟦KJA999PZ⟧"],
        &["part APP456CV", "APP456C"],
    ),
    Detector::new(
        "plate_in_context",
        VehicleId,
        Needs::Digits(1),
        concat!(
            r"[A-Z]{2}[- ]?\d{3}[- ]?[A-Z]{2}|[A-Z]{2}[- ]?\d{2}[- ]?\d{3}",
            r"|[A-Z]{3}[- ]?\d{3}[A-Z]{2}|[A-Z]{2,3}[- ]?\d{2,5}[A-Z]?",
            r"|\d{4}[- ]?[A-Z]{3}|\d{1,3}[- ]?[A-Z]{2,3}[- ]?\d{1,3}",
            r"|[A-Z0-9]{2,3}-[A-Z0-9]{2,4}(?:-[A-Z0-9]{1,3})?"
        ),
    )
    .edges(Edges::Key)
    .check(mixed)
    .left(concat!(
        r"(?:^|[^a-z])(?:number ?plates?|licen[cs]e ?plates?|plates?",
        r"|registration|nummerplade|kennzeichen|plaka|kenteken|targa",
        r"|matr(?:\xC3\xAD|i)cula|immatriculation|registreringsnummer",
        r"|reg\.?nr|rekisteritunnus)",
        tail!()
    ))
    .sure(75)
    .at_most(14)
    .examples(
        &[
            "nummerplade ⟦AB 12 345⟧",
            "license plate: ⟦7ABC123⟧",
            "immatriculation ⟦AB-123-CD⟧",
        ],
        &["AB 12 345", "templates AB12345", "plate 12345"],
    ),
];

/// The ninth place is the rest by eleven; letters count by a table of ISO 3779.
fn vin(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |sign: u8| match sign {
        b'0'..=b'9' => u32::from(sign - b'0'),
        b'A'..=b'H' => u32::from(sign - b'A') + 1,
        b'J'..=b'R' => u32::from(sign - b'J') + 1,
        _ => u32::from(sign - b'S') + 2,
    };
    let signs = Signs::of(text);
    let sum: u32 = signs
        .iter()
        .zip(WEIGHTS)
        .map(|(&sign, weight)| value(sign) * weight)
        .sum();
    b"0123456789X"[usize::try_from(sum % 11).unwrap_or(0)] == signs[8]
        && mixed(text)
        && !uniform(&signs)
}

/// Letters and digits.
fn mixed(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

//! Where somebody is: coordinates and postal codes.

use postern_types::BuiltinClass::{Coordinates, PostalCode};

use crate::detect::{Detector, Edges, Needs, alone};

const COORDINATES: &[&str] = &[
    "coordinates",
    "coordinate",
    "coords",
    "gps",
    "lat",
    "latitude",
    "lon",
    "lng",
    "longitude",
    "location",
    "position",
    "koordinater",
    "koordinaten",
    "coordonnées",
    "coordenadas",
    "coordinate",
    "geo",
    "latlng",
    "point",
];

const POSTAL: &[&str] = &[
    "postcode",
    "post code",
    "postal code",
    "address",
    "postal",
    "zip",
    "street",
    "road",
    "london",
];

/// Two numbers with four decimals or more, and what stands between them.
macro_rules! pair {
    ($between:literal) => {
        concat!(
            r"[-+]?\d{1,2}\.\d{4,15}°?",
            $between,
            r"[-+]?\d{1,3}\.\d{4,15}°?"
        )
    };
}

/// Area and district of a British postcode, as they can be.
macro_rules! district {
    () => {
        concat!(
            r"(?:[A-PR-UWYZ](?:\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d{1,2}",
            r"|[A-HK-Y]\d[ABEHMNPRVWXY])",
            r"|GIR)"
        )
    };
}

pub(super) const DETECTORS: &[Detector] = &[
    // Four decimals are eleven metres; fewer are a region, and more often a pair of measures.
    Detector::new(
        "coordinates",
        Coordinates,
        Needs::Digits(10),
        pair!("[,;/] ?"),
    )
    .edges(Edges::Number)
    .check(fine_pair)
    .words(COORDINATES, 70, 92)
    .at_most(48)
    .examples(
        &[
            "at ⟦55.676098, 12.568337⟧",
            "⟦-33.8568,151.2153⟧",
            "gps ⟦40.68925,-74.04450⟧",
        ],
        &[
            "95.676098, 12.568337",
            "55.67, 12.56",
            "55.676098, 192.568337",
            "55.676098",
        ],
    ),
    // The middle of a town, as tables of towns and forecasts of the weather have it.
    Detector::new(
        "coordinates_of_region",
        Coordinates,
        Needs::Digits(10),
        pair!("[,;/] ?"),
    )
    .edges(Edges::Number)
    .check(coarse_pair)
    .words(COORDINATES, 30, 90)
    .at_most(48)
    .examples(
        &["position ⟦55.6800, 12.5700⟧"],
        &["Copenhagen (55.6800, 12.5700)", "gps 95.6800, 12.5700"],
    ),
    // Drawings are made of pairs without a mark between them.
    Detector::new(
        "coordinates_apart",
        Coordinates,
        Needs::Digits(10),
        pair!(" "),
    )
    .edges(Edges::Number)
    .check(pair)
    .words(COORDINATES, 30, 90)
    .at_most(48)
    .examples(
        &["gps ⟦55.676098 12.568337⟧", "location: ⟦-33.8568 151.2153⟧"],
        &["d=\"M42.8622 27.0064C42.8622 25.7839 42.7525\""],
    ),
    Detector::new(
        "coordinates_in_context",
        Coordinates,
        Needs::Digits(3),
        r"[-+]?\d{1,3}\.\d{2,15}",
    )
    .edges(Edges::Number)
    .left(concat!(
        r#"(?:^|[^a-z])(?:lat|latitude|lon|lng|long|longitude|breite"#,
        r#"|l(?:\xC3\xA6|ae)ngdegrad|breddegrad)[^0-9a-z\n]{1,5}"#
    ))
    .sure(75)
    .at_most(20)
    .examples(
        &["lat: ⟦55.6761⟧", "\"longitude\": ⟦-12.56⟧"],
        &["55.6761", "plate: 55.6761", "lat 5"],
    ),
    Detector::new(
        "coordinates_in_degrees",
        Coordinates,
        Needs::Byte(0xb0),
        concat!(
            "(?i)\\d{1,3}\u{b0} ?\\d{1,2}(?:\\.\\d{1,8})?(?:'|\u{2032}|\u{2019}) ",
            "?(?:\\d{1,2}(?:\\.\\d{1,8})?(?:\"|''|\u{2033}|\u{201d}))? ?[nsewo]"
        ),
    )
    .sure(85)
    .at_most(64)
    .examples(
        &["⟦55°40'34\"N⟧", "⟦12°34′06″E⟧", "⟦40°26.767'N⟧"],
        &["55°40'", "55°C", "a 55° angle"],
    ),
    // The parts are those of the Royal Mail: area, district, sector, unit (no C, I, K, M, O, V).
    Detector::new(
        "uk_postcode",
        PostalCode,
        Needs::Digits(1),
        concat!(district!(), r" \d[ABD-HJLNP-UW-Z]{2}"),
    )
    .edges(Edges::Key)
    .check(capitals)
    .words(POSTAL, 54, 88)
    .at_most(8)
    .examples(
        &[
            "⟦SW1A 1AA⟧",
            "postcode ⟦M1 1AE⟧",
            "⟦EC1A 1BB⟧ London",
            "⟦GIR 0AA⟧",
        ],
        &["SW1A", "QA1 1AA", "M1 1CA", "1A1 1AA", "sw1a 1aa"],
    ),
    Detector::new(
        "uk_postcode_in_context",
        PostalCode,
        Needs::Digits(1),
        concat!("(?i)", district!(), r" ?\d[abd-hjlnp-uw-z]{2}"),
    )
    .edges(Edges::Key)
    .words(POSTAL, 30, 80)
    .at_most(8)
    .alone(alone::SHAPE)
    .examples(
        &["postcode ⟦dn551pt⟧", "address: 1 High Street, ⟦EC1A1BB⟧"],
        &["part EC1A1BB", "postcode EC1A1B", "postcode EC1A1BBC"],
    ),
    Detector::new(
        "us_zip_plus_four",
        PostalCode,
        Needs::Digits(9),
        r"\d{5}-\d{4}",
    )
    .edges(Edges::Number)
    .words(POSTAL, 15, 80)
    .at_most(10)
    .alone(alone::SHAPE)
    .examples(
        &["⟦20500-0003⟧", "zip code ⟦94103-1234⟧"],
        &["part 20500-0003", "20500-00031", "120500-0003"],
    ),
    Detector::new(
        "ca_postcode",
        PostalCode,
        Needs::Digits(3),
        r"(?i)[abceghj-nprstvxy]\d[abceghj-nprstv-z] \d[abceghj-nprstv-z]\d",
    )
    .edges(Edges::Key)
    .check(capitals)
    .words(
        &[
            "postal code",
            "postal",
            "postcode",
            "address",
            "code postal",
        ],
        54,
        88,
    )
    .at_most(7)
    .examples(
        &["⟦K1A 0B1⟧", "postal code ⟦V6B 4Y8⟧"],
        &["D1A 0B1", "K1A 0B", "K1A 0BB"],
    ),
    Detector::new(
        "postcode_in_context",
        PostalCode,
        Needs::Digits(4),
        concat!(
            r"(?:[A-Z]{1,2}-)?\d{5}-\d{3,4}|(?:[A-Z]{1,2}-)?\d{3}[- ]\d{2,4}",
            r"|(?:[A-Z]{1,2}-)?\d{4,7}(?: [A-Z]{2})?"
        ),
    )
    .edges(Edges::Number)
    .left(concat!(
        r"(?:^|[^a-z_])(?:plz|postleitzahl|zip|zip[ _-]?code|post[ _-]?code",
        r"|postal[ _-]?code|postnr\.?|postnummer|code postal|c\.?p\.?",
        r"|c(?:\xC3\xB3|o)digo postal|cap|cep|postinumero|kod pocztowy",
        r"|ps\xC4\x8D|pin ?code)(?: is| ist| lautet| er| est| on file)?",
        r"(?:[^0-9a-z\n]{1,4}\n?|\n)(?:here it is[^0-9a-z\n]{1,4})?"
    ))
    .sure(70)
    .at_most(13)
    .examples(
        &[
            "PLZ ⟦10115⟧",
            "ZIP: ⟦94103-1234⟧",
            "Postnr. ⟦8000⟧",
            "postcode: ⟦1012 AB⟧",
            "CEP ⟦01310-100⟧",
        ],
        &["10115", "gzip: 10115", "zip 12"],
    ),
];

/// A latitude, and a longitude behind it.
fn pair(text: &str) -> bool {
    let text = text.replace('°', "");
    let mut numbers = text
        .split([',', ';', '/', ' '])
        .filter(|part| !part.is_empty())
        .filter_map(|part| part.parse::<f64>().ok());
    let within =
        |number: Option<f64>, limit: f64| number.is_some_and(|number| number.abs() <= limit);
    within(numbers.next(), 90.0) && within(numbers.next(), 180.0) && numbers.next().is_none()
}

/// A position of which both numbers say more than a region does.
fn fine_pair(text: &str) -> bool {
    pair(text) && !is_coarse(text)
}

/// A position that is written to four decimals and holds but two.
fn coarse_pair(text: &str) -> bool {
    pair(text) && is_coarse(text)
}

/// Whether one of the numbers has two decimals at most before its last zeros: 0.01° is a
/// kilometre. A pair is as precise as the coarser of its numbers.
fn is_coarse(text: &str) -> bool {
    /// The decimals from which on a place is less than a region.
    const FINE: usize = 3;
    let numbers = text.split([',', ';', '/', ' ']);
    let mut decimals = numbers.filter_map(|number| number.trim_end_matches('°').split_once('.'));
    decimals.any(|(_, decimals)| decimals.trim_end_matches('0').len() < FINE)
}

/// In capitals, since words and digits in lower case make codes of other kinds.
fn capitals(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_lowercase())
}

//! Value added tax numbers of the European Union and its neighbours: the country's letters, and the
//! length and signs that it gives them. The check digits of most differ by country; those with the
//! country's own class are checked there.

use postern_types::BuiltinClass::EuVat;

use crate::detect::checksum::{Digits, luhn, mod11_10, mod97, uniform, weighted};
use crate::detect::{Detector, Edges, Needs};

const WORDS: &[&str] = &[
    "vat",
    "vat no",
    "vat id",
    "vat number",
    "ust-idnr",
    "ust-id",
    "ustid",
    "uid",
    "tva",
    "btw",
    "moms",
    "momsnr",
    "iva",
    "nif",
    "cif",
    "dič",
    "dic",
    "ic dph",
    "oib",
    "pvm",
    "pvn",
    "kmkr",
    "alv",
    "áfa",
    "adószám",
    "ddv",
    "cvr",
    "tax id",
    "tax number",
    "vies",
    "nip",
    "vat_number",
    "vat_id",
    "φπα",
    "ддс",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "eu_vat",
        EuVat,
        Needs::Digits(6),
        concat!(
            r"ATU\d{8}|BE ?[01]\d{3}[. ]?\d{3}[. ]?\d{3}|BG\d{9,10}",
            r"|CY\d{8}[A-Z]|CZ\d{8,10}|DE[ .]?\d{3}[ .]?\d{3}[ .]?\d{3}",
            r"|DK ?\d{8}|DK \d{2} \d{2} \d{2} \d{2}|EE\d{9}|EL\d{9}",
            r"|ES[A-Z0-9]\d{7}[A-Z0-9]|FI\d{8}",
            r"|FR ?[0-9A-HJ-NP-Z]{2} ?\d{3} ?\d{3} ?\d{3}",
            r"|GB ?\d{3} ?\d{4} ?\d{2}(?: ?\d{3})?|HR\d{11}",
            r"|HU\d{8}|IE\d[0-9A-Z+*]\d{5}[A-W][A-I]?|LT(?:\d{12}|\d{9})",
            r"|LU\d{8}|LV\d{11}|MT\d{8}",
            r"|NL\d{9}B\d{2}|NO ?\d{9} ?MVA|PL\d{10}|PT\d{9}|RO\d{6,10}",
            r"|SE\d{12}|SI\d{8}|SK\d{10}|XI\d{9}"
        ),
    )
    .edges(Edges::Key)
    .check(vat)
    .words(WORDS, 75, 96)
    .at_most(18)
    .examples(
        &[
            "VAT ⟦DE170285805⟧",
            "⟦ATU90697844⟧",
            "⟦NL297707735B01⟧",
            "⟦FR 96 598 940 690⟧",
            "⟦BE0798524190⟧",
            "⟦PL3864083515⟧",
            "⟦SE040308641601⟧",
            "⟦GB819504466⟧",
        ],
        &[
            "DE170285806",
            "ATU90697845",
            "XDE170285805",
            "BE0798524191",
            "PL3864083516",
        ],
    ),
    Detector::new(
        "eu_vat_in_context",
        EuVat,
        Needs::Digits(7),
        concat!(
            r"(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT",
            r"|NL|NO|PL|PT|RO|SE|SI|SK",
            r"|XI|CHE)[- ]?[0-9A-Z]{0,2}\d{7,12}(?:B\d{2}|MVA|[A-Z]{1,2})?"
        ),
    )
    .edges(Edges::Key)
    .words(WORDS, 25, 80)
    .at_most(24)
    .examples(
        &["VAT no: ⟦DE123456789⟧", "TVA ⟦FR12345678901⟧"],
        &["DE123456789", "VAT 123456789", "VAT no DE123"],
    ),
];

/// By the letters of the country; where no rule is written here, the shape has to do.
fn vat(text: &str) -> bool {
    let digits = Digits::of(text);
    let last = digits.last().map_or(0, |&digit| u32::from(digit));
    let by_eleven = |weights: &[u32], full: u32| {
        let sum = weighted(&digits[..weights.len()], weights);
        (full + 11 - sum % 11) % 11 % 10 == last
    };
    let right = match &text[..2] {
        "AT" => austrian(&digits),
        "BE" => 97 - digits.number() / 100 % 97 == digits.number() % 100,
        "DE" | "HR" => mod11_10(&digits),
        "DK" => weighted(&digits, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11),
        "EE" => weighted(&digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10),
        "EL" => weighted(&digits[..8], &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == last,
        "FI" => weighted(&digits, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11),
        "FR" if digits.len() == 11 => french(&digits),
        "GB" | "XI" => british(&digits),
        "HU" => weighted(&digits, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10),
        "LU" => digits.number() / 100 % 89 == digits.number() % 100,
        "NL" => dutch(text, &digits),
        "NO" => weighted(&digits, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11),
        "PL" => weighted(&digits[..9], &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == last,
        "PT" => by_eleven(&[9, 8, 7, 6, 5, 4, 3, 2], 0),
        "SE" => luhn(&digits[..10]) && digits[10..] != [0, 0],
        "SI" => by_eleven(&[8, 7, 6, 5, 4, 3, 2], 0),
        "SK" => digits.number().is_multiple_of(11),
        _ => true,
    };
    right && !uniform(&digits)
}

fn austrian(digits: &[u8]) -> bool {
    let sum: u32 = digits[..7]
        .iter()
        .zip([1, 2].into_iter().cycle())
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    (106 - sum) % 10 == u32::from(digits[7])
}

/// The key is made from the company's number by 97, and that number has Luhn's digit. Numbers of
/// Monaco do not have it, and are rare.
fn french(digits: &[u8]) -> bool {
    let siren = crate::detect::checksum::number(&digits[2..]);
    let key = crate::detect::checksum::number(&digits[..2]);
    (12 + 3 * (siren % 97)) % 97 == key
}

/// Seven digits by 8 to 2, and two that fill the sum up to a multiple of 97, or to 55 less.
fn british(digits: &[u8]) -> bool {
    let sum = weighted(&digits[..7], &[8, 7, 6, 5, 4, 3, 2])
        + u32::from(digits[7]) * 10
        + u32::from(digits[8]);
    sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97)
}

/// The number of a company follows the eleven test; that of a person mod 97 over all its signs.
fn dutch(text: &str, digits: &[u8]) -> bool {
    let sum = weighted(&digits[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum % 11 == u32::from(digits[8]) || mod97(text.bytes()) == 1
}

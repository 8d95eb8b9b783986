//! Spain, Portugal, Italy, Greece, Malta and Cyprus.

use postern_types::BuiltinClass::{
    EsNif, GrAmka, IdentityCard, ItFiscalCode, ItVat, OtherNationalId, PtNif,
};

use crate::detect::checksum::{Digits, Signs, ddmmyy, luhn, luhn_sum, number, uniform, weighted};
use crate::detect::{Detector, Edges, Needs, alone};

const SPANISH: &[&str] = &[
    "dni",
    "nif",
    "nie",
    "cif",
    "d.n.i",
    "n.i.f",
    "identidad",
    "extranjero",
    "documento",
];
const PORTUGUESE: &[&str] = &[
    "nif",
    "contribuinte",
    "nipc",
    "número fiscal",
    "identificação fiscal",
    "fiscal",
    "n.i.f",
    "nº contribuinte",
    "tax number",
    "tax id",
];
const ITALIAN_VAT: &[&str] = &[
    "p.iva",
    "partita iva",
    "p. iva",
    "iva",
    "piva",
    "vat",
    "partita",
];
const GREEK: &[&str] = &["αμκα", "amka", "α.μ.κ.α", "κοινωνικής ασφάλισης"];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "es_dni",
        EsNif,
        Needs::Digits(7),
        r"(?i)\d{1,2}\.?\d{3}\.?\d{3}[- ]?[a-hj-np-tv-z]",
    )
    .edges(Edges::Key)
    .check(spanish)
    .words(SPANISH, 78, 97)
    .at_most(13)
    .examples(
        &["DNI ⟦23849973P⟧", "⟦98.079.207-P⟧", "⟦51306834-k⟧"],
        &["23849973Q", "123849973P", "23849973PA", "00000000T"],
    ),
    Detector::new(
        "es_nie",
        EsNif,
        Needs::Digits(7),
        r"(?i)[xyz][- ]?\d{7,8}[- ]?[a-hj-np-tv-z]",
    )
    .edges(Edges::Key)
    .check(spanish)
    .words(SPANISH, 88, 97)
    .at_most(12)
    .examples(
        &["NIE ⟦X1362269W⟧", "⟦X-1673396-P⟧", "⟦Y2345678-Z⟧"],
        &["X1362269A", "XX1362269W", "X1362269WW"],
    ),
    // Companies, and people with a number of the tax office (K, L, M).
    Detector::new(
        "es_cif",
        EsNif,
        Needs::Digits(7),
        r"(?i)[abcdefghjklmnpqrsuvw][- ]?\d{7}[- ]?[0-9a-j]",
    )
    .edges(Edges::Key)
    .check(company)
    .words(SPANISH, 58, 94)
    .at_most(11)
    .examples(
        &["CIF ⟦B74637448⟧", "⟦B-71572523⟧"],
        &["B74637449", "I74637448", "AB74637448", "B746374481"],
    ),
    Detector::new(
        "es_social_security",
        OtherNationalId,
        Needs::Digits(12),
        r"\d{2}[ /-]?\d{8}[ /-]?\d{2}",
    )
    .edges(Edges::Number)
    .check(affiliation)
    .words(
        &[
            "seguridad social",
            "afiliación",
            "nuss",
            "naf",
            "seg. social",
        ],
        45,
        94,
    )
    .at_most(14)
    .alone(alone::ONE_IN_100)
    .examples(
        &["Seguridad Social ⟦28/12345678/40⟧", "NUSS: ⟦281234567840⟧"],
        &[
            "part 281234567840",
            "NUSS 281234567841",
            "NUSS 2812345678401",
        ],
    ),
    Detector::new(
        "pt_nif",
        PtNif,
        Needs::Digits(9),
        r"[1235-9]\d{2} ?\d{3} ?\d{3}",
    )
    .edges(Edges::Number)
    .check(portuguese)
    .words(PORTUGUESE, 40, 94)
    .at_most(11)
    .alone(alone::ONE_IN_11)
    .examples(
        &["NIF ⟦282555870⟧", "contribuinte nº ⟦288 271 840⟧"],
        &["282555870", "NIF 282555871", "NIF 2825558701"],
    ),
    Detector::new(
        "pt_citizen_card",
        IdentityCard,
        Needs::Digits(10),
        r"(?i)\d{8} ?\d ?[0-9a-z]{2}\d",
    )
    .edges(Edges::Key)
    .check(citizen_card)
    .words(
        &[
            "cartão de cidadão",
            "cartao de cidadao",
            "cc",
            "cidadão",
            "bilhete de identidade",
        ],
        40,
        94,
    )
    .at_most(14)
    .alone(alone::ONE_IN_10)
    .examples(
        &[
            "Cartão de Cidadão ⟦685413429ZZ4⟧",
            "cidadão ⟦26073162 9ZZ6⟧",
        ],
        &["685413429ZZ5", "6685413429ZZ4", "685413429ZZ44"],
    ),
    // The letters of the name, the day, the place (a letter and three digits, digits replaced by
    // letters where two people would share a code), the check letter.
    Detector::new(
        "it_fiscal_code",
        ItFiscalCode,
        Needs::Run(16),
        concat!(
            r"(?i)[a-z]{6}[0-9lmnp-v]{2}[abcdehlmprst][0-7lmnp-t][0-9lmnp-v]",
            r"[a-z][0-9lmnp-v]{3}[a-z]"
        ),
    )
    .edges(Edges::Key)
    .check(fiscal_code)
    .words(
        &["codice fiscale", "cf", "c.f", "fiscale", "fiscal code"],
        93,
        98,
    )
    .at_most(16)
    .examples(
        &["CF ⟦MRTMTT25D09F205Z⟧", "⟦rssmra85t10a562s⟧"],
        &["MRTMTT25D09F205A", "MRTMTT25D39F205Z", "XMRTMTT25D09F205Z"],
    ),
    Detector::new("it_vat", ItVat, Needs::Digits(11), r"(?:IT)?\d{11}")
        .edges(Edges::Number)
        .check(italian_vat)
        .words(ITALIAN_VAT, 58, 95)
        .at_most(13)
        .examples(
            &["P.IVA ⟦20512760602⟧", "partita iva: ⟦IT11470530996⟧"],
            &["20512760603", "00000000000", "120512760602"],
        ),
    Detector::new(
        "it_identity_card",
        IdentityCard,
        Needs::Digits(5),
        r"(?i)[a-z]{2} ?\d{7}|\d{7}[a-z]{2}|c[a-z]\d{5}[a-z]{2}",
    )
    .edges(Edges::Key)
    .words(
        &[
            "carta d'identità",
            "carta d’identità",
            "carta di identità",
            "carta d'identita",
            "carta identità",
            "cie",
            "documento",
            "identity card",
            "id card",
            "carta identita",
        ],
        20,
        88,
    )
    .at_most(10)
    .examples(
        &[
            "carta d'identità ⟦CA12345XY⟧",
            "CIE ⟦AB1234567⟧",
            "carta d'identità n. ⟦1234567AB⟧",
        ],
        &["CA12345XY", "CIE CA1234XY", "CIE CA12345XYZ"],
    ),
    Detector::new("gr_amka", GrAmka, Needs::Digits(11), r"\d{11}")
        .edges(Edges::Number)
        .check(amka)
        .words(GREEK, 55, 96)
        .at_most(11)
        .examples(
            &["ΑΜΚΑ ⟦19027379965⟧", "AMKA: ⟦18077114934⟧"],
            &["19027379966", "39027379965", "119027379965"],
        ),
    Detector::new("gr_tax_number", OtherNationalId, Needs::Digits(9), r"\d{9}")
        .edges(Edges::Number)
        .check(greek_tax)
        .words(
            &["αφμ", "afm", "α.φ.μ", "φορολογικού μητρώου", "εφορία"],
            35,
            93,
        )
        .at_most(9)
        .alone(alone::UNNAMED)
        .examples(
            &["ΑΦΜ ⟦395880172⟧", "AFM: ⟦318089548⟧"],
            &["395880172", "AFM 395880173", "AFM 3958801721"],
        ),
    Detector::new(
        "gr_identity_card",
        IdentityCard,
        Needs::Digits(6),
        r"[A-Z]{2}[- ]?\d{6}|(?:\xCE[\x91-\xA9]){2}[- ]?\d{6}",
    )
    .edges(Edges::Key)
    .words(
        &[
            "αδτ",
            "ταυτότητα",
            "ταυτότητας",
            "αστυνομικής ταυτότητας",
            "δελτίο ταυτότητας",
            "α.δ.τ",
        ],
        20,
        90,
    )
    .at_most(11)
    .examples(
        &["ΑΔΤ ⟦ΑΒ123456⟧", "ταυτότητα ⟦AK123456⟧"],
        &["AK123456", "ΑΔΤ AK12345", "ΑΔΤ AK1234567"],
    ),
    Detector::new(
        "mt_identity_card",
        IdentityCard,
        Needs::Digits(3),
        r"(?i)\d{3,7}[mgaphlbz]",
    )
    .edges(Edges::Key)
    .words(
        &[
            "karta tal-identità",
            "id card",
            "identity card",
            "malta",
            "identità",
        ],
        20,
        75,
    )
    .at_most(8)
    .examples(
        &["ID card ⟦0123456M⟧", "karta tal-identità ⟦38573G⟧"],
        &["0123456M", "id card 12M", "id card 0123456X"],
    ),
];

/// The letters in which a DNI or NIE ends, by the rest of the number by 23.
const REST: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// X, Y and Z of foreigners count as 0, 1 and 2 before the digits.
fn spanish(text: &str) -> bool {
    let signs = Signs::of(text);
    let digits = Digits::of(text);
    let lead = match signs[0] {
        letter @ b'X'..=b'Z' => u64::from(letter - b'X') * 10_u64.pow(7),
        _ => 0,
    };
    let rest = usize::try_from((lead + digits.number()) % 23).unwrap_or(0);
    signs.last() == Some(&REST[rest]) && digits.number() > 9
}

/// Luhn's digit over seven, written as a digit or as a letter from J (0) to I (9).
fn company(text: &str) -> bool {
    let signs = Signs::of(text);
    let digits = Digits::of(text);
    let mut body = digits[..7].to_vec();
    body.push(0);
    let check = (10 - luhn_sum(&body) % 10) % 10;
    let letter = b"JABCDEFGHI"[usize::try_from(check).unwrap_or(0)];
    let last = signs[8];
    let as_digit = u32::from(last.wrapping_sub(b'0')) == check;
    let (must_be_letter, must_be_digit) = (b"KLMNPQRSW", b"ABEH");
    let kind = &signs[0];
    !uniform(&digits[..7])
        && ((as_digit && !must_be_letter.contains(kind))
            || (last == letter && !must_be_digit.contains(kind)))
}

/// The last two digits are the rest by 97; serials under ten million stand beside the province.
fn affiliation(text: &str) -> bool {
    let digits = Digits::of(text);
    let (province, serial, key) = (
        number(&digits[..2]),
        number(&digits[2..10]),
        number(&digits[10..]),
    );
    let value = if serial < 10_000_000 {
        province * 10_000_000 + serial
    } else {
        province * 100_000_000 + serial
    };
    (1..=66).contains(&province) && serial > 0 && value % 97 == key
}

fn portuguese(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    (11 - sum % 11) % 11 % 10 == u32::from(digits[8]) && !uniform(&digits)
}

/// Luhn's sum in which letters count as 10 to 35.
fn citizen_card(text: &str) -> bool {
    let signs = Signs::of(text);
    let sum: u32 = signs
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &sign)| {
            let value = crate::detect::checksum::base36(sign);
            match place % 2 {
                0 => value,
                _ if value * 2 > 9 => value * 2 - 9,
                _ => value * 2,
            }
        })
        .sum();
    signs.len() == 12 && sum.is_multiple_of(10) && !uniform(&signs[..8])
}

/// The value of a sign at an odd place of a fiscal code, by the decree of 23 December 1976.
const ODD: [u32; 26] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

fn fiscal_code(text: &str) -> bool {
    let signs = Signs::of(text);
    let place = |sign: u8| match sign {
        b'0'..=b'9' => usize::from(sign - b'0'),
        letter => usize::from(letter - b'A'),
    };
    let sum: u32 = signs[..15]
        .iter()
        .enumerate()
        .map(|(at, &sign)| match at % 2 {
            0 => ODD[place(sign)],
            _ => place(sign) as u32,
        })
        .sum();
    // Digits may be written as letters: L for 0, M for 1, and so on.
    let digit = |sign: u8| match sign {
        b'0'..=b'9' => u32::from(sign - b'0'),
        letter => b"LMNPQRSTUV"
            .iter()
            .position(|&known| known == letter)
            .unwrap_or(0) as u32,
    };
    let day = digit(signs[9]) * 10 + digit(signs[10]);
    matches!(day, 1..=31 | 41..=71) && u32::from(signs[15] - b'A') == sum % 26
}

fn italian_vat(text: &str) -> bool {
    let digits = Digits::of(text);
    // The office that gave the number out: a province, or a few special ones.
    let office = number(&digits[7..10]);
    luhn(&digits) && number(&digits[..7]) > 0 && matches!(office, 1..=121 | 888 | 999)
}

fn amka(text: &str) -> bool {
    let digits = Digits::of(text);
    ddmmyy(&digits) && luhn(&digits)
}

/// Powers of two from 256 down to 2, by 11.
fn greek_tax(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..8], &[256, 128, 64, 32, 16, 8, 4, 2]);
    sum % 11 % 10 == u32::from(digits[8]) && !uniform(&digits)
}

//! Brazil, Argentina, Chile, Mexico and their neighbours.

use postern_types::BuiltinClass::{ArCuit, BrCnpj, BrCpf, ClRut, MxCurp, MxRfc, OtherNationalId};

use crate::detect::checksum::{
    Digits, Signs, luhn, number, one_separator, uniform, weighted, yymmdd,
};
use crate::detect::{Detector, Edges, Needs, alone};

const CPF: &[&str] = &["cpf", "c.p.f", "cadastro de pessoa", "contribuinte"];
const CNPJ: &[&str] = &["cnpj", "c.n.p.j", "empresa"];
const CUIT: &[&str] = &["cuit", "cuil", "c.u.i.t", "afip"];
const RUT: &[&str] = &["rut", "run", "r.u.t", "rol único"];
const CURP: &[&str] = &["curp", "clave única"];
const RFC: &[&str] = &["rfc", "r.f.c", "contribuyente", "sat"];
const RIF: &[&str] = &["rif", "seniat", "r.i.f"];
const NIT: &[&str] = &["nit", "rut", "cédula de ciudadanía", "dian"];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "br_cpf",
        BrCpf,
        Needs::Digits(11),
        r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{9}-\d{2}",
    )
    .edges(Edges::Number)
    .check(cpf)
    .words(CPF, 92, 98)
    .at_most(14)
    .examples(
        &["CPF: ⟦948.415.895-11⟧", "⟦193113200-30⟧"],
        &["948.415.895-12", "111.111.111-11", "1948.415.895-11"],
    ),
    Detector::new("br_cpf_plain", BrCpf, Needs::Digits(11), r"\d{11}")
        .edges(Edges::Number)
        .check(cpf)
        .words(CPF, 62, 96)
        .at_most(11)
        .examples(
            &["CPF ⟦94841589511⟧", "⟦67913597224⟧"],
            &["94841589512", "00000000000", "194841589511"],
        ),
    // From 2026 the first twelve places may be letters, each worth its ASCII code less 48.
    Detector::new(
        "br_cnpj",
        BrCnpj,
        Needs::Digits(2),
        r"[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?\d{2}",
    )
    .edges(Edges::Number)
    .check(cnpj)
    .words(CNPJ, 88, 98)
    .at_most(18)
    .examples(
        &[
            "CNPJ ⟦96.694.210/0001-04⟧",
            "⟦14069866000163⟧",
            "⟦12.ABC.345/01DE-35⟧",
        ],
        &["96.694.210/0001-05", "00000000000000", "196694210000104"],
    ),
    Detector::new(
        "ar_cuit",
        ArCuit,
        Needs::Digits(11),
        r"(?:2[0347]|3[034])-?\d{8}-?\d",
    )
    .edges(Edges::Number)
    .check(cuit)
    .words(CUIT, 68, 96)
    .at_most(13)
    .examples(
        &["CUIT ⟦20-65166248-7⟧", "⟦20609377020⟧"],
        &["20-65166248-8", "29-65166248-7", "120-65166248-7"],
    ),
    Detector::new(
        "cl_rut",
        ClRut,
        Needs::Digits(7),
        r"\d{1,2}\.?\d{3}\.?\d{3}-[0-9kK]",
    )
    .edges(Edges::Number)
    .check(rut)
    .words(RUT, 80, 97)
    .at_most(12)
    .examples(
        &["RUT ⟦18.443.087-8⟧", "⟦15335183-K⟧", "rut: ⟦11735755-4⟧"],
        &["18.443.087-9", "118443087-8", "18443087-81"],
    ),
    // Letters of the name, a day, sex, a state, consonants, what tells equals apart, a check digit.
    Detector::new(
        "mx_curp",
        MxCurp,
        Needs::Run(18),
        concat!(
            r"(?i)[a-z][aeioux][a-z]{2}\d{6}[hmx][a-z]{2}[b-df-hj-np-tv-z]{3}",
            r"[0-9a-z]\d"
        ),
    )
    .edges(Edges::Key)
    .check(curp)
    .words(CURP, 93, 98)
    .at_most(18)
    .examples(
        &["CURP ⟦BOXW310820HNERXN09⟧", "⟦boxw310820hnerxn09⟧"],
        &[
            "BOXW310820HNERXN08",
            "BOXW311320HNERXN09",
            "XBOXW310820HNERXN09",
        ],
    ),
    Detector::new(
        "mx_rfc",
        MxRfc,
        Needs::Digits(6),
        r"(?i)[a-z&]{3,4}[ -]?\d{6}[ -]?[0-9a-z]{2}[0-9a]",
    )
    .edges(Edges::Key)
    .check(rfc)
    .words(RFC, 70, 96)
    .at_most(15)
    .examples(
        &["RFC ⟦VACE460526YP2⟧", "⟦VKCE-460522-HQ5⟧"],
        &[
            "VACE461326YP2",
            "VACE4605261",
            "1VACE460526YP2",
            "SSN 730720480",
        ],
    ),
    Detector::new(
        "co_nit",
        OtherNationalId,
        Needs::Digits(9),
        r"\d{3}\.?\d{3}\.?\d{3}-?\d",
    )
    .edges(Edges::Number)
    .check(nit)
    .words(NIT, 40, 93)
    .at_most(13)
    .alone(alone::UNNAMED)
    .examples(
        &["NIT ⟦560.870.124-9⟧", "nit ⟦8372623470⟧"],
        &["part 560.870.124-9", "NIT 560.870.124-8", "NIT 56087012491"],
    ),
    Detector::new(
        "pe_ruc",
        OtherNationalId,
        Needs::Digits(11),
        r"(?:10|15|17|20)\d{9}",
    )
    .edges(Edges::Number)
    .check(ruc)
    .words(&["ruc", "sunat", "contribuyente"], 45, 95)
    .at_most(11)
    .alone(alone::UNNAMED)
    .examples(
        &["RUC ⟦20188810030⟧", "ruc: ⟦20854924703⟧"],
        &["part 20188810030", "RUC 20188810031", "RUC 201888100301"],
    ),
    Detector::new(
        "ec_cedula",
        OtherNationalId,
        Needs::Digits(10),
        concat!(
            r"(?:0[1-9]|1\d|2[0-4]|30)[0-6]\d{7}(?:001)?|(?:0[1-9]|1\d|2[0-4]",
            r"|30)[0-6]\d{6}-\d"
        ),
    )
    .edges(Edges::Number)
    .check(ecuadorian)
    .words(&["cédula", "cedula", "c.i", "ci", "ruc", "ecuador"], 38, 90)
    .at_most(13)
    .alone(alone::UNNAMED)
    .examples(
        &["cédula ⟦1736072859⟧", "C.I. ⟦172543479-7⟧"],
        &["1736072859", "cédula 1736072850", "cédula 17360728591"],
    ),
    Detector::new(
        "do_cedula",
        OtherNationalId,
        Needs::Digits(11),
        r"\d{3}-?\d{7}-?\d",
    )
    .edges(Edges::Number)
    .check(dominican)
    .words(&["cédula", "cedula", "dominicana"], 45, 92)
    .at_most(13)
    .alone(alone::UNNAMED)
    .examples(
        &["cédula ⟦649-1086685-0⟧", "cedula: ⟦38347828576⟧"],
        &[
            "part 64910866850",
            "cédula 649-1086685-1",
            "cédula 6491086685012",
        ],
    ),
    Detector::new(
        "uy_cedula",
        OtherNationalId,
        Needs::Digits(7),
        r"\d\.?\d{3}\.?\d{3}[-/]?\d",
    )
    .edges(Edges::Number)
    .check(uruguayan)
    .words(&["cédula", "cedula", "c.i", "ci", "uruguay"], 35, 90)
    .at_most(11)
    .examples(
        &["C.I. ⟦1.234.567-2⟧", "cédula ⟦12345672⟧"],
        &["1.234.567-2", "cédula 1.234.567-3", "cédula 12345672123"],
    ),
    Detector::new(
        "ve_rif",
        OtherNationalId,
        Needs::Digits(9),
        r"[VEJPG]-\d{8}-?\d",
    )
    .edges(Edges::Key)
    .check(rif)
    .words(RIF, 55, 95)
    .at_most(12)
    .examples(
        &["RIF ⟦V-70100720-0⟧", "⟦V-39922721-2⟧"],
        &["V-70100720-1", "X-70100720-0", "V-70100720-00"],
    ),
    Detector::new(
        "ve_rif_plain",
        OtherNationalId,
        Needs::Digits(9),
        r"[VEJPG]\d{9}",
    )
    .edges(Edges::Key)
    .check(rif)
    .words(RIF, 40, 93)
    .at_most(10)
    .alone(alone::UNNAMED)
    .examples(
        &["RIF ⟦V701007200⟧", "rif: ⟦V399227212⟧"],
        &["part V701007200", "RIF V701007201"],
    ),
    Detector::new(
        "ar_dni",
        OtherNationalId,
        Needs::Digits(7),
        r"\d{1,2}\.?\d{3}\.?\d{3}",
    )
    .edges(Edges::Number)
    .left(concat!(
        r"(?:^|[^a-z])(?:dni|d\.n\.i\.|documento)(?: n..?| nro\.?| no\.?",
        r"| número)?[^0-9a-z\n]{1,4}"
    ))
    .sure(72)
    .at_most(10)
    .examples(
        &["DNI ⟦20.123.456⟧", "dni nro. ⟦20123456⟧"],
        &["20.123.456", "DNI 201234567", "edni 20123456"],
    ),
];

/// Two check digits by eleven.
fn cpf(text: &str) -> bool {
    let digits = Digits::of(text);
    let check = |length: usize| {
        let sum: u32 = digits[..length]
            .iter()
            .zip((2..).take(length).collect::<Vec<u32>>().iter().rev())
            .map(|(&digit, weight)| u32::from(digit) * weight)
            .sum();
        sum * 10 % 11 % 10 == u32::from(digits[length])
    };
    !uniform(&digits) && check(9) && check(10)
}

/// Two check digits by eleven over signs that count as their ASCII codes less 48.
fn cnpj(text: &str) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    let signs = Signs::of(text);
    let check = |length: usize| {
        let sum: u32 = signs[..length]
            .iter()
            .zip(&WEIGHTS[13 - length..])
            .map(|(&sign, weight)| u32::from(sign - b'0') * weight)
            .sum();
        let digit = match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        };
        digit == u32::from(signs[length] - b'0')
    };
    // Without marks, letters and digits would be any identifier.
    let marked = text.contains('/') || signs.iter().all(u8::is_ascii_digit);
    marked && signs.len() == 14 && !uniform(&signs[..12]) && check(12) && check(13)
}

fn cuit(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    sum.is_multiple_of(11) && !uniform(&digits[2..10])
}

/// Weights 2 to 7 from the right, again and again; ten is written K.
fn rut(text: &str) -> bool {
    let signs = Signs::of(text);
    let (check, body) = (signs[signs.len() - 1], &signs[..signs.len() - 1]);
    let sum: u32 = body
        .iter()
        .rev()
        .zip((2..=7).cycle())
        .map(|(&sign, weight)| u32::from(sign - b'0') * weight)
        .sum();
    let expected = b"0123456789K0"[usize::try_from(11 - sum % 11).unwrap_or(0)];
    // 11 less a rest of 0 is 11, which is written 0; the place 11 of the table says so.
    expected == check && !uniform(body)
}

/// A letter's place in the Spanish alphabet, by weights 18 down to 2.
fn curp(text: &str) -> bool {
    const STATES: &str = "ASBCBSCCCLCMCSCHDFDGGTGRHGJCMCMNMSNTNLOCPLQTQRSPSLSRTCTSTLVZYNZSNE";
    let signs = Signs::of(text);
    let value = |sign: u8| match sign {
        b'0'..=b'9' => u32::from(sign - b'0'),
        b'A'..=b'N' => u32::from(sign - b'A') + 10,
        // The letter behind N, with a tilde, counts 24 and never appears.
        letter => u32::from(letter - b'A') + 11,
    };
    let sum: u32 = signs[..17]
        .iter()
        .zip((2..=18).rev())
        .map(|(&sign, weight)| value(sign) * weight)
        .sum();
    let state = STATES
        .as_bytes()
        .chunks(2)
        .any(|known| known == &signs[11..13]);
    state
        && yymmdd(&Digits::of(&text[4..10]))
        && (10 - sum % 10) % 10 == u32::from(signs[17] - b'0')
}

/// Letters of a name and a day. The check sign is not asked for: old numbers do not keep it.
fn rfc(text: &str) -> bool {
    let signs = Signs::of(text);
    let start = signs.iter().position(u8::is_ascii_digit).unwrap_or(0);
    // Such a word is the name of the number behind it.
    const NAMES: [&[u8]; 14] = [
        b"SSN", b"SIN", b"NHS", b"TFN", b"ABN", b"ACN", b"NPI", b"TIN", b"ITIN", b"EIN", b"BSN",
        b"CPR", b"IRD", b"DNI",
    ];
    signs.len() >= start + 9
        && !NAMES.contains(&&signs[..start])
        && yymmdd(&Digits::of(text))
        && one_separator(text)
}

fn nit(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..9], &[41, 37, 29, 23, 19, 17, 13, 7, 3]);
    let check = match sum % 11 {
        rest @ (0 | 1) => rest,
        rest => 11 - rest,
    };
    check == u32::from(digits[9]) && !uniform(&digits)
}

fn ruc(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..10], &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    (11 - sum % 11) % 10 == u32::from(digits[10])
}

fn ecuadorian(text: &str) -> bool {
    let digits = Digits::of(text);
    luhn(&digits[..10]) && !uniform(&digits[..10])
}

fn dominican(text: &str) -> bool {
    let digits = Digits::of(text);
    luhn(&digits) && !uniform(&digits)
}

fn uruguayan(text: &str) -> bool {
    let digits = Digits::of(text);
    digits.len() == 8 && weighted(&digits, &[2, 9, 8, 7, 6, 3, 4, 1]).is_multiple_of(10)
}

/// The letter counts 1 to 5, times four; then 3, 2, 7, 6, 5, 4, 3, 2 by eleven.
fn rif(text: &str) -> bool {
    let kind = match text.as_bytes()[0] {
        b'V' => 1,
        b'E' => 2,
        b'J' => 3,
        b'P' => 4,
        _ => 5,
    };
    let digits = Digits::of(text);
    let sum = kind * 4 + weighted(&digits[..8], &[3, 2, 7, 6, 5, 4, 3, 2]);
    let check = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    check == u32::from(digits[8]) && number(&digits) > 0
}

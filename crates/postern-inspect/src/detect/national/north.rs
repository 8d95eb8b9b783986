//! Denmark, Sweden, Norway, Finland, Iceland and the Baltic states.

use postern_types::BuiltinClass::{
    CompanyId, DkCpr, EeIsikukood, FiHetu, IsKennitala, LvPersonasKods, NoFnr, SePersonnummer,
};

use crate::detect::checksum::{
    Digits, day_exists, ddmmyy, luhn, number, one_separator, uniform, weighted, yymmdd,
};
use crate::detect::{Detector, Edges, Needs, alone};

const CPR: &[&str] = &[
    "cpr",
    "cpr-nummer",
    "cpr-nr",
    "cpr.nr",
    "cprnr",
    "cprnummer",
    "personnummer",
    "cpr nummer",
    "sygesikring",
    "fødselsnummer",
    "cpr_number",
    "personnr",
];
const CVR: &[&str] = &[
    "cvr",
    "cvr-nr",
    "cvr-nummer",
    "cvr.nr",
    "se-nr",
    "cvrnr",
    "virksomhed",
    "momsnr",
    "cvr nr",
];
const SWEDISH: &[&str] = &[
    "personnummer",
    "pnr",
    "personnr",
    "samordningsnummer",
    "organisationsnummer",
    "orgnr",
    "org.nr",
    "org nr",
    "personal identity number",
    "organisationsnr",
    "pers.nr",
    "org.nummer",
];
const NORWEGIAN: &[&str] = &[
    "fødselsnummer",
    "fnr",
    "personnummer",
    "fødselsnr",
    "d-nummer",
    "f.nr",
    "dnr",
    "birth number",
    "national identity number",
];
const ORGNR: &[&str] = &[
    "org.nr",
    "orgnr",
    "organisasjonsnummer",
    "org nr",
    "foretaksnummer",
    "org.nummer",
];
const HETU: &[&str] = &[
    "hetu",
    "henkilötunnus",
    "henkilötunnukseni",
    "personbeteckning",
    "sotu",
    "henkilötunnuksen",
    "personal identity code",
];
const KENNITALA: &[&str] = &["kennitala", "kt", "kennitalan", "kennitölu"];
const BALTIC: &[&str] = &[
    "isikukood",
    "asmens kodas",
    "a.k",
    "ik",
    "asmens kodo",
    "isikukoodi",
];
const LATVIAN: &[&str] = &[
    "personas kods",
    "p.k",
    "pk",
    "personas kodu",
    "personas koda",
];

pub(super) const DETECTORS: &[Detector] = &[
    // WHY NOT the sum by 11: numbers given out since October 2007 do not keep it. The hyphen after
    // a day that exists, and a century that fits, say enough.
    Detector::new("dk_cpr", DkCpr, Needs::Digits(10), r"\d{6}[- ]\d{4}")
        .edges(Edges::Number)
        .check(cpr)
        .words(CPR, 72, 97)
        .at_most(11)
        .examples(
            &["CPR: ⟦120275-2976⟧", "⟦180675-5956⟧", "cpr ⟦310815 5123⟧"],
            &[
                "320275-2976",
                "121375-2976",
                "120275-29761",
                "1120275-2976",
                "120275-2976-1",
                "000000-0000",
            ],
        ),
    Detector::new("dk_cpr_plain", DkCpr, Needs::Digits(10), r"\d{10}")
        .edges(Edges::Number)
        .check(cpr)
        .words(CPR, 30, 92)
        .at_most(10)
        .alone(alone::ONE_IN_23)
        .examples(
            &["cpr-nummer ⟦1202752976⟧", "CPR ⟦1801770123⟧"],
            &["1202752976", "cpr 3202752976", "cpr 12027529761"],
        ),
    Detector::new(
        "dk_cvr",
        CompanyId,
        Needs::Digits(8),
        r"\d{8}|\d{2} \d{2} \d{2} \d{2}",
    )
    .edges(Edges::Number)
    .check(cvr)
    .words(CVR, 30, 93)
    .at_most(11)
    .examples(
        &["CVR-nr. ⟦95783171⟧", "CVR: ⟦47 86 41 27⟧"],
        &["95783171", "CVR 95783172", "CVR 957831711"],
    ),
    Detector::new(
        "se_personnummer",
        SePersonnummer,
        Needs::Digits(10),
        r"(?:1[89]|20)?\d{6}[-+]\d{4}|(?:18|19|20)\d{10}",
    )
    .edges(Edges::Number)
    .check(swedish)
    .words(SWEDISH, 78, 97)
    .at_most(13)
    .examples(
        &[
            "⟦800611-5888⟧",
            "pnr ⟦198906108413⟧",
            "⟦19800514-4160⟧",
            "⟦890716+8192⟧",
            "⟦555241-7619⟧",
            "samordningsnummer ⟦800671-5885⟧",
        ],
        &[
            "800611-5889",
            "801311-5888",
            "1800611-5888",
            "2024010112345",
            "800611-5888-1",
        ],
    ),
    Detector::new(
        "se_personnummer_plain",
        SePersonnummer,
        Needs::Digits(10),
        r"\d{10}",
    )
    .edges(Edges::Number)
    .check(swedish)
    .words(SWEDISH, 40, 93)
    .at_most(10)
    .alone(alone::ONE_IN_100)
    .examples(
        &["personnummer ⟦8006115888⟧", "orgnr ⟦5552417619⟧"],
        &["part 8006115888", "pnr 8006115889", "pnr 80061158881"],
    ),
    Detector::new(
        "se_personnummer_glued",
        SePersonnummer,
        Needs::Digits(10),
        r"(?:18|19|20)\d{6}-?\d{4}|\d{6}-\d{4}",
    )
    .edges(Edges::Glued)
    .check(swedish)
    .sure(70)
    .at_most(13)
    .examples(
        &["my code is⟦198906108413⟧."],
        &["is198906108414", "x1is198906108413", "is1989061084131"],
    ),
    Detector::new("no_fnr", NoFnr, Needs::Digits(11), r"\d{6}[ -]?\d{5}")
        .edges(Edges::Number)
        .check(fnr)
        .words(NORWEGIAN, 85, 97)
        .at_most(12)
        .examples(
            &["⟦18037565403⟧", "fnr ⟦170170 54805⟧"],
            &["18037565404", "38137565403", "118037565403"],
        ),
    Detector::new(
        "no_orgnr",
        CompanyId,
        Needs::Digits(9),
        r"[89]\d{2} ?\d{3} ?\d{3}",
    )
    .edges(Edges::Number)
    .check(orgnr)
    .words(ORGNR, 35, 93)
    .at_most(11)
    .alone(alone::UNNAMED)
    .examples(
        &["Org.nr. ⟦966 580 623⟧", "orgnr ⟦928633330⟧"],
        &["part 966580623", "orgnr 966580624", "orgnr 9665806231"],
    ),
    Detector::new(
        "fi_hetu",
        FiHetu,
        Needs::Digits(9),
        r"(?i)\d{6}[-+a-fu-y]\d{3}[0-9a-fhj-npr-y]",
    )
    .edges(Edges::Number)
    .check(hetu)
    .words(HETU, 90, 97)
    .at_most(11)
    .examples(
        &["⟦100309-534D⟧", "hetu ⟦140347-248k⟧", "⟦010594Y9032⟧"],
        &["100309-534E", "320309-534D", "1100309-534D", "100309-534DD"],
    ),
    // The space before it was forgotten: the day and the check sign say enough.
    Detector::new(
        "fi_hetu_glued",
        FiHetu,
        Needs::Digits(9),
        r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]",
    )
    .edges(Edges::Glued)
    .check(hetu)
    .sure(80)
    .at_most(11)
    .examples(
        &["my code is⟦100309-534D⟧."],
        &["is100309-534E", "a1b100309-534D", "x_is100309-534D"],
    ),
    Detector::new("fi_company", CompanyId, Needs::Digits(8), r"\d{7}-\d")
        .edges(Edges::Number)
        .check(y_tunnus)
        .words(
            &[
                "y-tunnus",
                "fo-nummer",
                "business id",
                "ly-tunnus",
                "y-tunnuksen",
            ],
            55,
            95,
        )
        .at_most(9)
        .examples(
            &["Y-tunnus ⟦1884367-1⟧", "⟦1097249-5⟧"],
            &["1884367-2", "11884367-1", "1884367-11"],
        ),
    Detector::new(
        "is_kennitala",
        IsKennitala,
        Needs::Digits(10),
        r"[0-7]\d{5}[- ]\d{3}[089]",
    )
    .edges(Edges::Number)
    .check(kennitala)
    .words(KENNITALA, 74, 96)
    .at_most(11)
    .examples(
        &[
            "kt. ⟦110375-7789⟧",
            "⟦120576-5189⟧",
            "kennitala ⟦120576 5189⟧",
        ],
        &["110375-7799", "321375-7789", "1110375-7789"],
    ),
    Detector::new(
        "is_kennitala_plain",
        IsKennitala,
        Needs::Digits(10),
        r"[0-7]\d{8}[089]",
    )
    .edges(Edges::Number)
    .check(kennitala)
    .words(KENNITALA, 40, 94)
    .at_most(10)
    .alone(alone::ONE_IN_100)
    .examples(
        &["kennitala ⟦1205765189⟧", "kt. ⟦1103757789⟧"],
        &["part 1205765189", "kt. 1205765199", "kt. 12057651891"],
    ),
    Detector::new(
        "ee_isikukood",
        EeIsikukood,
        Needs::Digits(11),
        r"[1-8]\d{10}",
    )
    .edges(Edges::Number)
    .check(baltic)
    .words(BALTIC, 68, 96)
    .at_most(11)
    .examples(
        &["isikukood ⟦37207133588⟧", "asmens kodas: ⟦37903135910⟧"],
        &["37207133589", "37213133588", "137207133588"],
    ),
    Detector::new(
        "lv_personas_kods",
        LvPersonasKods,
        Needs::Digits(11),
        r"\d{6}-\d{5}",
    )
    .edges(Edges::Number)
    .check(latvian)
    .words(LATVIAN, 80, 96)
    .at_most(12)
    .examples(
        &["personas kods ⟦110573-90606⟧", "⟦130876-54683⟧"],
        &["110573-90607", "321373-90606", "1110573-90606"],
    ),
    Detector::new(
        "lv_personas_kods_plain",
        LvPersonasKods,
        Needs::Digits(11),
        r"\d{11}|32\d{4}-\d{5}",
    )
    .edges(Edges::Number)
    .check(latvian_plain)
    .words(LATVIAN, 35, 90)
    .at_most(12)
    .alone(alone::ONE_IN_100)
    .examples(
        &[
            "personas kods ⟦11057390606⟧",
            "personas kods: ⟦321234-56789⟧",
        ],
        &[
            "part 11057390606",
            "personas kods 11057390607",
            "personas kods 110573906061",
        ],
    ),
];

/// A day, and the century that the seventh digit gives to its year.
fn cpr(text: &str) -> bool {
    let digits = Digits::of(text);
    let (year, century) = (number(&digits[4..6]), digits[6]);
    let full = match (century, year) {
        (4 | 9, 0..=36) | (5..=8, 0..=57) => 2000 + year,
        (5..=8, _) => 1800 + year,
        _ => 1900 + year,
    };
    day_exists(full, number(&digits[2..4]), number(&digits[..2]))
}

fn cvr(text: &str) -> bool {
    let digits = Digits::of(text);
    weighted(&digits, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11) && digits[0] > 0
}

/// A day (the day moved by 60 in coordination numbers), or a company (the third digit at least 2
/// and its first a known kind); Luhn over the last ten digits.
fn swedish(text: &str) -> bool {
    let digits = Digits::of(text);
    let short = &digits[digits.len() - 10..];
    let mut day = [0; 6];
    day.copy_from_slice(&short[..6]);
    let coordination = day[4] >= 6;
    if coordination {
        day[4] -= 6;
    }
    let person = yymmdd(&day) && (digits.len() == 10 || year_fits(&digits));
    let company = digits.len() == 10 && short[2] >= 2 && matches!(short[0], 1 | 2 | 3 | 5..=9);
    luhn(short) && (person || company) && !uniform(short)
}

/// The full year of twelve digits is one in which somebody living may be born.
fn year_fits(digits: &[u8]) -> bool {
    (1850..2100).contains(&number(&digits[..4]))
}

/// A day (the day or month moved in other kinds of numbers), and two sums by eleven.
fn fnr(text: &str) -> bool {
    let digits = Digits::of(text);
    let (day, month) = (number(&digits[..2]) % 40, number(&digits[2..4]) % 40);
    let first = weighted(&digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]);
    let second = weighted(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    day_exists(number(&digits[4..6]), month, day)
        && first.is_multiple_of(11)
        && second.is_multiple_of(11)
}

fn orgnr(text: &str) -> bool {
    let digits = Digits::of(text);
    one_separator(text) && weighted(&digits, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// The rest by 31 of day and serial picks the last sign.
fn hetu(text: &str) -> bool {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let digits = Digits::of(text);
    let rest = usize::try_from(number(&digits[..9]) % 31).unwrap_or(0);
    let last = text.bytes().last().unwrap_or(0).to_ascii_uppercase();
    ddmmyy(&digits) && number(&digits[6..9]) >= 2 && last == SIGNS[rest]
}

fn y_tunnus(text: &str) -> bool {
    let digits = Digits::of(text);
    weighted(&digits, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11) && number(&digits[..7]) > 0
}

/// A day (moved by 40 for companies), a sum by eleven over the first nine, and the century.
fn kennitala(text: &str) -> bool {
    let digits = Digits::of(text);
    let day = number(&digits[..2]) % 40;
    day_exists(number(&digits[4..6]), number(&digits[2..4]), day)
        && weighted(&digits, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Century and sex, a day, a serial; a sum by eleven, with other weights where it comes to ten.
fn baltic(text: &str) -> bool {
    let digits = Digits::of(text);
    let first = weighted(&digits[..10], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = weighted(&digits[..10], &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
    let check = if first < 10 { first } else { second % 10 };
    yymmdd(&digits[1..7]) && check == u32::from(digits[10])
}

fn latvian(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..10], &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9]);
    ddmmyy(&digits) && (1 + sum) % 11 % 10 == u32::from(digits[10])
}

/// The numbers given out since 2017 begin with 32 and hold neither a day nor a check digit.
fn latvian_plain(text: &str) -> bool {
    text.starts_with("32") || latvian(text)
}

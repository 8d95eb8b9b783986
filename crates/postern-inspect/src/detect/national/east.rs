//! Poland, Czechia and Slovakia, Hungary, Romania, Bulgaria, Croatia, the other states of former
//! Yugoslavia, Ukraine, Russia and Kazakhstan.

use postern_types::BuiltinClass::{
    BgEgn, CompanyId, CzRodneCislo, HrOib, IdentityCard, OtherNationalId, PlNip, PlPesel, RoCnp,
};

use crate::detect::checksum::{
    Digits, Signs, base36, day_exists, mod11_10, number, one_separator, uniform, weighted, yymmdd,
};
use crate::detect::{Detector, Edges, Needs, alone};

const PESEL: &[&str] = &["pesel", "nr pesel", "numer pesel"];
const NIP: &[&str] = &[
    "nip",
    "podatnika",
    "identyfikacji podatkowej",
    "vat",
    "tax number",
];
const REGON: &[&str] = &["regon", "nr regon"];
const BIRTH_NUMBER: &[&str] = &[
    "rodné číslo",
    "rodne cislo",
    "r.č",
    "rč",
    "rodného čísla",
    "r. č",
    "rodné čislo",
];
const CNP: &[&str] = &["cnp", "cod numeric personal", "c.n.p", "codul numeric"];
const EGN: &[&str] = &["егн", "egn", "единен граждански номер"];
const OIB: &[&str] = &["oib", "osobni identifikacijski broj"];
const JMBG: &[&str] = &[
    "jmbg",
    "јмбг",
    "emšo",
    "emso",
    "матични број",
    "matični broj",
    "ембг",
];
const INN: &[&str] = &["инн", "inn", "идентификационный номер налогоплательщика"];
const SNILS: &[&str] = &["снилс", "snils", "страховой номер"];
const RNOKPP: &[&str] = &[
    "рнокпп",
    "іпн",
    "ідентифікаційний код",
    "rnokpp",
    "ипн",
    "інн",
];
const IIN: &[&str] = &["иин", "жсн", "iin", "бин", "bin"];
const TAJ: &[&str] = &[
    "taj",
    "taj szám",
    "társadalombiztosítási",
    "taj-szám",
    "tajszám",
];
const ADO: &[&str] = &["adóazonosító", "adószám", "adóazonosító jel", "adojel"];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new("pl_pesel", PlPesel, Needs::Digits(11), r"\d{11}")
        .edges(Edges::Number)
        .check(pesel)
        .words(PESEL, 72, 97)
        .at_most(11)
        .examples(
            &[
                "PESEL ⟦85051246980⟧",
                "⟦85051496637⟧",
                "ur. 2002, ⟦02070803628⟧",
            ],
            &["85051246981", "85131246980", "185051246980"],
        ),
    Detector::new(
        "pl_nip",
        PlNip,
        Needs::Digits(10),
        r"\d{3}-\d{3}-\d{2}-\d{2}|\d{3}-\d{2}-\d{2}-\d{3}",
    )
    .edges(Edges::Number)
    .check(nip)
    .words(NIP, 80, 96)
    .at_most(13)
    .examples(
        &["NIP ⟦920-283-22-05⟧", "⟦521-94-08-059⟧"],
        &["920-283-22-06", "1920-283-22-05", "920-283-22-05-1"],
    ),
    Detector::new("pl_nip_plain", PlNip, Needs::Digits(10), r"\d{10}")
        .edges(Edges::Number)
        .check(nip)
        .words(NIP, 38, 93)
        .at_most(10)
        .alone(alone::ONE_IN_11)
        .examples(
            &["NIP: ⟦9202832205⟧", "nip ⟦5219408059⟧"],
            &["part 9202832205", "NIP 9202832206", "NIP 92028322051"],
        ),
    Detector::new("pl_regon", CompanyId, Needs::Digits(9), r"\d{9}")
        .edges(Edges::Number)
        .check(regon)
        .words(REGON, 30, 94)
        .at_most(9)
        .alone(alone::UNNAMED)
        .examples(
            &["REGON ⟦646772722⟧", "nr regon: ⟦113179626⟧"],
            &["part 646772722", "REGON 646772723", "REGON 6467727221"],
        ),
    Detector::new(
        "pl_identity_card",
        IdentityCard,
        Needs::Digits(6),
        r"(?i)[a-z]{3} ?\d{6}",
    )
    .edges(Edges::Key)
    .check(polish_card)
    .words(
        &[
            "dowód osobisty",
            "dowodu osobistego",
            "dowodu",
            "nr dowodu",
            "dowod",
            "dowód",
        ],
        45,
        94,
    )
    .at_most(10)
    .alone(alone::ONE_IN_10)
    .examples(
        &["nr dowodu ⟦ABA300000⟧", "dowód ⟦ABS 123456⟧"],
        &[
            "part ABA300000",
            "nr dowodu ABA300001",
            "nr dowodu ABA3000001",
        ],
    ),
    Detector::new(
        "cz_rodne_cislo",
        CzRodneCislo,
        Needs::Digits(9),
        r"\d{6}/\d{3,4}",
    )
    .edges(Edges::Number)
    .check(birth_number)
    .words(BIRTH_NUMBER, 82, 97)
    .at_most(11)
    .examples(
        &[
            "rodné číslo ⟦740715/9310⟧",
            "⟦750411/8908⟧",
            "r.č. ⟦530228/123⟧",
        ],
        &["740715/9311", "741315/9310", "1740715/9310", "123456/2024"],
    ),
    Detector::new(
        "cz_rodne_cislo_plain",
        CzRodneCislo,
        Needs::Digits(10),
        r"\d{10}",
    )
    .edges(Edges::Number)
    .check(birth_number)
    .words(BIRTH_NUMBER, 40, 94)
    .at_most(10)
    .alone(alone::ONE_IN_100)
    .examples(
        &["rodné číslo ⟦7407159310⟧", "rč ⟦7504118908⟧"],
        &["part 7407159310", "rč 7407159311", "rč 74071593101"],
    ),
    Detector::new("ro_cnp", RoCnp, Needs::Digits(13), r"[1-8]\d{12}")
        .edges(Edges::Number)
        .check(cnp)
        .words(CNP, 85, 97)
        .at_most(13)
        .examples(
            &["CNP ⟦1710210382804⟧", "⟦1780517700998⟧"],
            &[
                "1710210382805",
                "1711310382804",
                "11710210382804",
                "1700000000000",
            ],
        ),
    Detector::new("bg_egn", BgEgn, Needs::Digits(10), r"\d{10}")
        .edges(Edges::Number)
        .check(egn)
        .words(EGN, 42, 96)
        .at_most(10)
        .alone(alone::ONE_IN_100)
        .examples(
            &["ЕГН ⟦7909143292⟧", "EGN: ⟦7502103246⟧"],
            &["7909143293", "7913143292", "17909143292"],
        ),
    Detector::new("hr_oib", HrOib, Needs::Digits(11), r"\d{11}")
        .edges(Edges::Number)
        .check(oib)
        .words(OIB, 42, 95)
        .at_most(11)
        .alone(alone::ONE_IN_10)
        .examples(
            &["OIB ⟦69323877469⟧", "oib: ⟦74369010421⟧"],
            &["part 69323877469", "OIB 69323877460", "OIB 693238774691"],
        ),
    Detector::new("jmbg", OtherNationalId, Needs::Digits(13), r"\d{13}")
        .edges(Edges::Number)
        .check(jmbg)
        .words(JMBG, 82, 97)
        .at_most(13)
        .examples(
            &["JMBG ⟦0101006500901⟧", "EMŠO: ⟦0101006500383⟧"],
            &["0101006500902", "3201006500901", "10101006500901"],
        ),
    Detector::new(
        "hu_taj",
        OtherNationalId,
        Needs::Digits(9),
        r"\d{3}[- ]?\d{3}[- ]?\d{3}",
    )
    .edges(Edges::Groups)
    .check(taj)
    .words(TAJ, 35, 94)
    .at_most(11)
    .alone(alone::UNNAMED)
    .examples(
        &["TAJ ⟦123 456 788⟧", "TAJ szám: ⟦123456788⟧"],
        &["part 123456788", "TAJ 123456789", "TAJ 1234567881"],
    ),
    Detector::new("hu_tax_id", OtherNationalId, Needs::Digits(10), r"8\d{9}")
        .edges(Edges::Number)
        .check(hungarian_tax)
        .words(ADO, 35, 93)
        .at_most(10)
        .alone(alone::UNNAMED)
        .examples(
            &[
                "adóazonosító jel: ⟦8071592153⟧",
                "adóazonosító ⟦8123456786⟧",
            ],
            &[
                "8071592153",
                "adóazonosító 8071592154",
                "adóazonosító 80715921531",
            ],
        ),
    Detector::new(
        "ru_inn",
        OtherNationalId,
        Needs::Digits(10),
        r"\d{12}|\d{10}",
    )
    .edges(Edges::Number)
    .check(inn)
    .words(INN, 40, 95)
    .at_most(12)
    .alone(alone::UNNAMED)
    .examples(
        &["ИНН ⟦5967813989⟧", "ИНН: ⟦852234133934⟧"],
        &["5967813989", "ИНН 5967813980", "ИНН 59678139891"],
    ),
    Detector::new(
        "ru_snils",
        OtherNationalId,
        Needs::Digits(11),
        r"\d{3}-\d{3}-\d{3}[- ]\d{2}",
    )
    .edges(Edges::Number)
    .check(snils)
    .words(SNILS, 88, 97)
    .at_most(14)
    .examples(
        &["СНИЛС ⟦112-233-445 95⟧", "⟦087-654-303-00⟧"],
        &["112-233-445 96", "1112-233-445 95", "112-233-445 951"],
    ),
    Detector::new("ua_rnokpp", OtherNationalId, Needs::Digits(10), r"\d{10}")
        .edges(Edges::Number)
        .check(rnokpp)
        .words(RNOKPP, 38, 94)
        .at_most(10)
        .alone(alone::UNNAMED)
        .examples(
            &["РНОКПП ⟦1178810471⟧", "ІПН: ⟦3782702385⟧"],
            &["1178810471", "РНОКПП 1178810472", "РНОКПП 11788104711"],
        ),
    Detector::new("kz_iin", OtherNationalId, Needs::Digits(12), r"\d{12}")
        .edges(Edges::Number)
        .check(iin)
        .words(IIN, 55, 95)
        .at_most(12)
        .examples(
            &["ИИН ⟦800101300125⟧", "iin ⟦950615450231⟧"],
            &["ИИН 800101300127", "801301300125", "1800101300125"],
        ),
];

/// The month carries the century in steps of 20; weights 1, 3, 7, 9.
fn pesel(text: &str) -> bool {
    let digits = Digits::of(text);
    let month = number(&digits[2..4]) % 20;
    weighted(&digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
        && day_exists(number(&digits[..2]), month, number(&digits[4..6]))
        && !uniform(&digits[6..])
}

fn nip(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..9], &[6, 5, 7, 2, 3, 4, 5, 6, 7]);
    sum % 11 == u32::from(digits[9]) && !uniform(&digits[..9])
}

fn regon(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..8], &[8, 9, 2, 3, 4, 5, 6, 7]);
    sum % 11 % 10 == u32::from(digits[8]) && !uniform(&digits)
}

/// Three letters by 7, 3, 1, then the check digit by 9, then five digits by 7, 3, 1, 7, 3.
fn polish_card(text: &str) -> bool {
    let signs = Signs::of(text);
    let sum: u32 = signs
        .iter()
        .zip([7, 3, 1, 9, 7, 3, 1, 7, 3])
        .map(|(&sign, weight)| base36(sign) * weight)
        .sum();
    sum.is_multiple_of(10)
}

/// Fifty is added to a woman's month, and 20 where a day ran out of numbers. Ten digits are a
/// multiple of eleven; nine digits, given out before 1954, have no check.
fn birth_number(text: &str) -> bool {
    let digits = Digits::of(text);
    let (year, month) = (number(&digits[..2]), number(&digits[2..4]) % 50);
    let month = if month > 20 { month - 20 } else { month };
    let (body, check) = digits.split_at(9);
    let sound = match check.first() {
        Some(&check) => number(body) % 11 % 10 == u64::from(check),
        None => year < 54 && number(&body[6..]) > 0,
    };
    sound && day_exists(year, month, number(&digits[4..6]))
}

/// Sex and century, a day, a county, a serial; a sum by eleven.
fn cnp(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..12], &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]);
    let county = number(&digits[7..9]);
    sum % 11 % 10 == u32::from(digits[12])
        && yymmdd(&digits[1..7])
        && matches!(county, 1..=52 | 70 | 80..=83)
}

/// The month carries the century: plus 20 before 1900, plus 40 since 2000.
fn egn(text: &str) -> bool {
    let digits = Digits::of(text);
    let month = number(&digits[2..4]) % 20;
    let sum = weighted(&digits[..9], &[2, 4, 8, 5, 10, 9, 7, 3, 6]);
    sum % 11 % 10 == u32::from(digits[9])
        && number(&digits[2..4]) < 53
        && day_exists(number(&digits[..2]), month, number(&digits[4..6]))
}

fn oib(text: &str) -> bool {
    let digits = Digits::of(text);
    mod11_10(&digits) && !uniform(&digits)
}

/// A day, three digits of the year, a region, a serial; a sum by eleven.
fn jmbg(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    let year = match number(&digits[4..7]) {
        year @ 850.. => 1000 + year,
        year => 2000 + year,
    };
    (1850..2100).contains(&year)
        && day_exists(year, number(&digits[2..4]), number(&digits[..2]))
        && sum.is_multiple_of(11)
}

fn taj(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..8], &[3, 7, 3, 7, 3, 7, 3, 7]);
    one_separator(text) && sum % 10 == u32::from(digits[8]) && !uniform(&digits)
}

fn hungarian_tax(text: &str) -> bool {
    let digits = Digits::of(text);
    weighted(&digits[..9], &[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11 == u32::from(digits[9])
}

/// Ten digits (companies) have one check digit, twelve (people) have two.
fn inn(text: &str) -> bool {
    const WEIGHTS: [u32; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
    let digits = Digits::of(text);
    let check = |length: usize| {
        let sum = weighted(&digits[..length], &WEIGHTS[11 - length..]);
        sum % 11 % 10 == u32::from(digits[length])
    };
    !uniform(&digits)
        && match digits.len() {
            10 => check(9),
            _ => check(10) && check(11),
        }
}

/// Nine digits by 9 to 1, by 101; a rest of 100 counts as zero.
fn snils(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits[..9], &[9, 8, 7, 6, 5, 4, 3, 2, 1]);
    u64::from(sum % 101 % 100) == number(&digits[9..]) && sum > 0
}

fn rnokpp(text: &str) -> bool {
    let digits = Digits::of(text);
    // The first weight is minus one: ten more is the same by eleven.
    let sum = weighted(&digits[..9], &[10, 5, 7, 9, 4, 6, 10, 5, 7]);
    sum % 11 % 10 == u32::from(digits[9]) && !uniform(&digits)
}

/// A day, century and sex, a serial; a sum by eleven, with other weights where it comes to ten.
fn iin(text: &str) -> bool {
    let digits = Digits::of(text);
    let first = weighted(&digits[..11], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
    let second = weighted(&digits[..11], &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11;
    let check = if first < 10 { first } else { second };
    yymmdd(&digits) && (1..=6).contains(&digits[6]) && check == u32::from(digits[11])
}

//! National bank accounts, and the numbers by which banks are reached.

use postern_types::BuiltinClass::{BankAccount, RoutingNumber};

use crate::detect::checksum::{Digits, Signs, mod97, number, one_separator, uniform, weighted};
use crate::detect::{Detector, Edges, Needs, alone};

const ABA: &[&str] = &[
    "aba",
    "routing",
    "rtn",
    "transit",
    "routing_number",
    "routingnumber",
    "ach",
];
const ACCOUNT: &[&str] = &[
    "account",
    "acct",
    "konto",
    "kontonr",
    "kontonummer",
    "compte",
    "cuenta",
    "conto",
    "conta",
    "rekening",
    "rachunek",
    "tili",
    "účet",
    "iban",
    "clabe",
    "cbu",
    "ccc",
    "rib",
    "bank",
    "banka",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "us_routing_dashed",
        RoutingNumber,
        Needs::Digits(9),
        r"\d{4}-\d{4}-\d",
    )
    .edges(Edges::Number)
    .check(aba)
    .words(ABA, 75, 95)
    .at_most(11)
    .examples(
        &["⟦0632-1223-3⟧", "routing ⟦0316-7267-2⟧"],
        &["0632-1223-4", "0632-1223-35", "9911-0000-0"],
    ),
    Detector::new("us_routing", RoutingNumber, Needs::Digits(9), r"\d{9}")
        .edges(Edges::Number)
        .check(aba)
        .words(ABA, 40, 92)
        .at_most(9)
        .alone(alone::ONE_IN_23)
        .examples(
            &["routing number ⟦063212233⟧", "ABA: ⟦034788783⟧"],
            &[
                "part 063212233",
                "routing number 063212234",
                "aba 0632122331",
            ],
        ),
    Detector::new(
        "uk_sort_code",
        RoutingNumber,
        Needs::Digits(6),
        r"\d{2}[- ]\d{2}[- ]\d{2}",
    )
    .edges(Edges::Number)
    .check(one_separator)
    .words(
        &["sort code", "sort-code", "sortcode", "sort_code", "sort"],
        15,
        88,
    )
    .at_most(8)
    .examples(
        &["sort code ⟦20-45-53⟧", "Sort-Code: ⟦07 01 16⟧"],
        &["20-45-53", "sort code 20-45 53", "sort code 20-45-53-1"],
    ),
    Detector::new(
        "bic",
        RoutingNumber,
        Needs::Run(8),
        r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?",
    )
    .edges(Edges::Key)
    .check(bic)
    // Only letters, like words in capitals: the label must stand directly before it. It ends in
    // few letters, so that the words of prose need not be searched.
    .left(r"(?:^|[^a-z])(?:(?:bic|swift)[:=#( ]{1,4}|code(?:[=#(]{1,2}|:[=#(]?) ?)")
    .sure(90)
    .at_most(11)
    .examples(
        &["BIC ⟦WESTGB22⟧", "SWIFT: ⟦WESTDEFF500⟧"],
        &[
            "WESTGB22",
            "BIC WESTXX22",
            "swift PASSWORD",
            "BIC WESTGB221",
            "StatusCode::CONFLICT",
        ],
    ),
    Detector::new(
        "in_ifsc",
        RoutingNumber,
        Needs::Digits(1),
        r"[A-Z]{4}0[A-Z0-9]{6}",
    )
    .edges(Edges::Key)
    .words(&["ifsc", "ifsc code", "neft", "rtgs", "imps"], 40, 92)
    .at_most(11)
    .examples(
        &["IFSC: ⟦WEST0123456⟧", "ifsc code ⟦WEST0ABC123⟧"],
        &["WEST0123456", "IFSC WEST1123456", "IFSC WEST01234567"],
    ),
    Detector::new(
        "au_bsb",
        RoutingNumber,
        Needs::Digits(6),
        r"\d{3}[- ]?\d{3}",
    )
    .edges(Edges::Number)
    .words(&["bsb"], 5, 90)
    .at_most(7)
    .examples(
        &["BSB ⟦062-000⟧", "bsb: ⟦062000⟧"],
        &["062-000", "BSB 062-0001", "bsb 06-2000"],
    ),
    Detector::new(
        "bank_account_in_context",
        BankAccount,
        Needs::Digits(6),
        r"(?:[A-Z]{1,4}[- ]?|[a-z]{1,4})?\d(?:[- ]?\d){5,21}[A-Za-z]?",
    )
    .edges(Edges::Number)
    .check(account)
    .left(concat!(
        r"(?:^|[^a-z])(?:(?:bank|checking|savings|bank[ _-]?konto",
        r"|giro)?[ _-]?",
        r"(?:account|accounts|acct|acc|a/c|konto|kontonr|kontonummer|compte",
        r"|cuenta|conto|conta|rekening|tilinumero|rachunek)",
        r"|bankgiro|plusgiro|iban)",
        tail!()
    ))
    .sure(72)
    .at_most(50)
    .examples(
        &[
            "account number ⟦12345678⟧",
            "Konto: ⟦1234567890⟧",
            "acct #⟦000123-456789⟧",
            "bank account is ⟦31926819⟧.",
        ],
        &[
            "12345678",
            "accountable 12345678",
            "account 12345",
            "account 2024-01-02",
            "account 1111111",
        ],
    ),
    // Further from its name: under the heading of a column, or later in the sentence.
    Detector::new(
        "bank_account_named",
        BankAccount,
        Needs::Digits(8),
        r"\d{8,17}",
    )
    .edges(Edges::Number)
    .check(account)
    .words(
        &[
            "account number",
            "account no",
            "acct no",
            "bank account",
            "kontonummer",
            "rekeningnummer",
            "numero di conto",
            "número de cuenta",
            "numéro de compte",
            "numer konta",
            "tilinumero",
        ],
        5,
        60,
    )
    .at_most(17)
    .examples(
        &[
            "name;account number;since\nAnn;⟦995015579⟧;2021",
            "the bank account number that I wrote down was ⟦350858239981⟧",
        ],
        &["995015579", "the account number, and order no. 995015579"],
    ),
    Detector::new(
        "dk_account",
        BankAccount,
        Needs::Digits(11),
        r"\d{4}[- ]\d{7,10}",
    )
    .edges(Edges::Number)
    .words(
        &[
            "konto",
            "kontonr",
            "kontonummer",
            "reg",
            "reg.nr",
            "bank",
            "bankkonto",
            "overfør",
            "indbetal",
        ],
        30,
        85,
    )
    .at_most(15)
    .examples(
        &[
            "konto ⟦1060-7890123⟧",
            "Reg.nr. og konto: ⟦9940-9088756123⟧",
        ],
        &[
            "1060-7890123",
            "konto 1060-789012",
            "konto 1060-78901234567",
        ],
    ),
    Detector::new(
        "no_account",
        BankAccount,
        Needs::Digits(11),
        r"\d{4}[. ]\d{2}[. ]\d{5}",
    )
    .edges(Edges::Number)
    .check(norwegian)
    .words(ACCOUNT, 78, 92)
    .at_most(13)
    .examples(
        &["⟦4669.72.56202⟧", "konto ⟦5758 79 34967⟧"],
        &["4669.72.56203", "4669.72 56202", "4669.72.562021"],
    ),
    Detector::new(
        "cz_account",
        BankAccount,
        Needs::Digits(8),
        r"(?:\d{2,6}-)?\d{4,10}/\d{4}",
    )
    .edges(Edges::Number)
    .check(czech)
    .words(ACCOUNT, 60, 92)
    .at_most(22)
    .examples(
        &["účet ⟦34278-0355918152/0100⟧", "⟦34278-0857782996/0100⟧"],
        &["34278-0355918153/0100", "12/2024", "34278-0355918152/01001"],
    ),
    Detector::new(
        "es_ccc",
        BankAccount,
        Needs::Digits(20),
        r"\d{4}[ -]?\d{4}[ -]?\d{2}[ -]?\d{10}",
    )
    .edges(Edges::Number)
    .check(spanish)
    .words(ACCOUNT, 78, 92)
    .at_most(23)
    .examples(
        &["⟦62321804119254334482⟧", "cuenta ⟦6598 7367 84 0051868884⟧"],
        &[
            "62321804119254334483",
            "162321804119254334482",
            "6232 1804 21 9254334482",
        ],
    ),
    Detector::new(
        "ar_cbu",
        BankAccount,
        Needs::Digits(22),
        r"\d{8}[ -]?\d{14}",
    )
    .edges(Edges::Number)
    .check(argentine)
    .words(ACCOUNT, 78, 92)
    .at_most(23)
    .examples(
        &["CBU ⟦2283670424619724928464⟧", "⟦66226679 26435305927190⟧"],
        &[
            "2283670424619724928465",
            "2283670524619724928464",
            "12283670424619724928464",
        ],
    ),
    Detector::new("mx_clabe", BankAccount, Needs::Digits(18), r"\d{18}")
        .edges(Edges::Number)
        .check(clabe)
        .words(ACCOUNT, 45, 92)
        .at_most(18)
        .alone(alone::ONE_IN_10)
        .examples(
            &["CLABE ⟦032180000118359719⟧", "clabe: ⟦002010077777777771⟧"],
            &[
                "part 032180000118359719",
                "CLABE 032180000118359718",
                "CLABE 0321800001183597191",
            ],
        ),
    Detector::new(
        "pl_account",
        BankAccount,
        Needs::Digits(26),
        r"\d{2}(?:[ -]?\d{4}){6}",
    )
    .edges(Edges::Number)
    .check(polish)
    .words(ACCOUNT, 85, 95)
    .at_most(32)
    .examples(
        &[
            "⟦61 1090 1014 0000 0712 1981 2874⟧",
            "konto ⟦61109010140000071219812874⟧",
        ],
        &[
            "62 1090 1014 0000 0712 1981 2874",
            "611090101400000712198128741",
        ],
    ),
    Detector::new(
        "nz_account",
        BankAccount,
        Needs::Digits(15),
        r"(?:0[1-9]|[12]\d|3[018])[- ]\d{4}[- ]\d{7}[- ]\d{2,3}",
    )
    .edges(Edges::Number)
    .check(one_separator)
    .words(ACCOUNT, 78, 92)
    .at_most(19)
    .examples(
        &["⟦01-0902-0068389-00⟧", "account ⟦38 9000 0000000 00⟧"],
        &[
            "99-0902-0068389-00",
            "01-0902-0068389",
            "01-0902 0068389-00",
        ],
    ),
];

/// The sum 3, 7, 1 of an American routing number, and a prefix that the Federal Reserve gives out.
fn aba(text: &str) -> bool {
    let digits = Digits::of(text);
    let known = matches!(number(&digits[..2]), 1..=12 | 21..=32 | 61..=72 | 80);
    known && weighted(&digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// ISO 3166-1 codes, two letters each, of the countries that have banks with a BIC.
const COUNTRIES: &str = concat!(
    "ADAEAFAGAIALAMAOARATAUAWAZBABBBDBEBFBGBHBIBJBMBNBOBQBRBSBTBWBYBZCA",
    "CDCF\
    CGCHCICKCLCMCNCOCRCUCVCWCYCZDEDJDKDMDODZECEEEGERESETFIFJ",
    "FKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGT\
    ",
    "GUGWGYHKHNHRHTHUIDIEILIMINIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLA",
    "LBLCLILKLRLSLTLULVLYMAMCMDME\
    ",
    "MGMHMKMLMMMNMOMQMRMSMTMUMVMWMXMYMZNANCNENGNINLNONPNRNUNZOMPAPEPFPG",
    "PHPKPLPMPRPSPTPWPYQARERORSRU\
    ",
    "RWSASBSCSDSESGSHSISKSLSMSNSOSRSSSTSVSXSYSZTCTDTGTHTJTKTLTMTNTOTRTT",
    "TVTWTZUAUGUSUYUZVAVCVEVGVIVN\
    VUWFWSXKYEYTZAZMZW"
);

fn bic(text: &str) -> bool {
    let country = &text.as_bytes()[4..6];
    COUNTRIES.as_bytes().chunks(2).any(|known| known == country)
}

/// Not a day, and not the same digit over and over.
fn account(text: &str) -> bool {
    let digits = Digits::of(text);
    let day = text.len() == 10
        && one_separator(text)
        && digits.len() == 8
        && (super::super::checksum::yyyymmdd(&digits) || text.as_bytes()[2] == b'-');
    !day && !uniform(&digits)
}

fn norwegian(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum = weighted(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    one_separator(text) && digits.len() == 11 && sum.is_multiple_of(11)
}

/// Both parts of a Czech account are sums by powers of two, from the right, by 11.
fn czech(text: &str) -> bool {
    let part = |text: &str| {
        let digits = Digits::of(text);
        const WEIGHTS: [u32; 10] = [6, 3, 7, 9, 10, 5, 8, 4, 2, 1];
        weighted(&digits, &WEIGHTS[WEIGHTS.len() - digits.len()..]).is_multiple_of(11)
            && number(&digits) > 0
    };
    let number = text.split('/').next().unwrap_or_default();
    // A month and a year look the same but for the length.
    number.len() >= 6 && number.split('-').all(part)
}

/// Two check digits: one over bank and branch, one over the account.
fn spanish(text: &str) -> bool {
    const WEIGHTS: [u32; 10] = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];
    let digits = Digits::of(text);
    let check = |sum: u32| match 11 - sum % 11 {
        11 => 0,
        10 => 1,
        other => other,
    };
    digits.len() == 20
        && !uniform(&digits)
        && check(weighted(&digits[..8], &WEIGHTS[2..])) == u32::from(digits[8])
        && check(weighted(&digits[10..], &WEIGHTS)) == u32::from(digits[9])
}

/// Two blocks, each with its own check digit by the weights 3, 1, 7, 9 from the right.
fn argentine(text: &str) -> bool {
    let block = |digits: &[u8]| {
        let sum: u32 = digits
            .iter()
            .rev()
            .zip(
                [1, 3, 1, 7, 9]
                    .into_iter()
                    .chain([3, 1, 7, 9].into_iter().cycle()),
            )
            .map(|(&digit, weight)| u32::from(digit) * weight)
            .sum();
        sum.is_multiple_of(10)
    };
    let digits = Digits::of(text);
    digits.len() == 22 && !uniform(&digits) && block(&digits[..8]) && block(&digits[8..])
}

fn clabe(text: &str) -> bool {
    let digits = Digits::of(text);
    let sum: u32 = digits[..17]
        .iter()
        .zip([3, 7, 1].into_iter().cycle())
        .map(|(&digit, weight)| u32::from(digit) * weight % 10)
        .sum();
    !uniform(&digits) && (10 - sum % 10) % 10 == u32::from(digits[17])
}

/// A Polish account is its IBAN without the letters.
fn polish(text: &str) -> bool {
    let signs = Signs::of(text);
    let (check, rest) = signs.split_at(2);
    !uniform(&Digits::of(text))
        && mod97(
            rest.iter()
                .copied()
                .chain(*b"PL")
                .chain(check.iter().copied()),
        ) == 1
}

//! Payment cards: ISO/IEC 7812 numbers of the issuers in use, in the groupings printed on cards.

use postern_types::BuiltinClass::Card;

use crate::detect::checksum::{Digits, luhn, number, one_separator, uniform};
use crate::detect::{Detector, Edges, Needs, alone};

const WORDS: &[&str] = &[
    "card",
    "cards",
    "credit",
    "debit",
    "visa",
    "mastercard",
    "maestro",
    "amex",
    "american express",
    "discover",
    "diners",
    "jcb",
    "unionpay",
    "dankort",
    "rupay",
    "uatp",
    "pan",
    "cc",
    "ccn",
    "card_number",
    "cardnumber",
    "kort",
    "kortnummer",
    "kreditkort",
    "karte",
    "kreditkarte",
    "kartennummer",
    "carte",
    "tarjeta",
    "carta",
    "cartão",
    "cartao",
    "kaart",
    "karta",
    "kart",
    "kortti",
    "karty",
    "カード",
    "卡号",
    "카드",
];

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new("card", Card, Needs::Digits(13), r"\d{13,19}")
        .edges(Edges::Number)
        .check(common)
        .words(WORDS, 80, 97)
        .at_most(19)
        .examples(
            &[
                "card ⟦4539578763621486⟧ expires",
                "⟦5425233430109903⟧",
                "⟦2223003122003222⟧",
                "⟦374245455400126⟧",
                "⟦30569309025904⟧",
                "⟦6011000990139424⟧",
                "{\"n\":⟦3566002020360505⟧}",
            ],
            &[
                "4539578763621487",
                "a4539578763621486",
                "94539578763621486",
                "4539578763621486.25",
                "0000000000000000",
                "1700000000000",
                "1234567890123452",
            ],
        ),
    Detector::new(
        "card_grouped",
        Card,
        Needs::Digits(13),
        concat!(
            r"\d{4}(?:",
            gap!(),
            r"|[.-])(?:\d{4}(?:",
            gap!(),
            r"|[.-])\d{4}(?:",
            gap!(),
            r"|[.-])\d{4}(?:(?:",
            gap!(),
            r"|[.-])\d{3})?|\d{6}(?:",
            gap!(),
            r"|[.-])\d{4,5})"
        ),
    )
    .edges(Edges::Number)
    .check(grouped)
    .words(WORDS, 90, 98)
    .at_most(40)
    .examples(
        &[
            "pay with ⟦4539 5787 6362 1486⟧ today",
            "⟦5425-2334-3010-9903⟧",
            "⟦3742 454554 00126⟧",
            "⟦3056 930902 5904⟧",
            "⟦4539\u{a0}5787\u{a0}6362\u{a0}1486⟧",
            "⟦4539 5787  6362 1486⟧",
            "my card is ⟦4539 5787\n6362 1486⟧",
            "⟦4539 5787 6362 1486⟧\n1200",
            "card=⟦4539.5787.6362.1486⟧.",
        ],
        &[
            "4539.5787.6362-1486",
            "4539 5787 6362 1487",
            "4539-5787 6362-1486",
            "1-4539-5787-6362-1486",
            "0000 0000 0000 0000",
        ],
    ),
    Detector::new("card_in_context", Card, Needs::Digits(12), r"\d{12,19}")
        .edges(Edges::Number)
        .check(said)
        .words(WORDS, 40, 85)
        .at_most(19)
        .examples(
            &[
                "Maestro card ⟦676770830997⟧",
                "UATP card ⟦135410014004955⟧",
                "kort nr. ⟦5018000000015⟧",
            ],
            &["676770830997", "card 676770830998", "order 135410014004955"],
        ),
    // Fifteen digits that begin with 1 are those of UATP, in which airlines are paid.
    Detector::new("card_uatp", Card, Needs::Digits(15), r"1\d{14}")
        .edges(Edges::Number)
        .check(uncommon)
        .words(WORDS, 40, 85)
        .at_most(15)
        .alone(alone::ONE_IN_10)
        .examples(
            &["⟦135410014004955⟧", "card ⟦135410014004955⟧"],
            &["135410014004956", "order 135410014004955"],
        ),
    Detector::new("card_halved", Card, Needs::Digits(16), r"\d{8}[ -]\d{8}")
        .edges(Edges::Groups)
        .check(common)
        .words(WORDS, 45, 90)
        .at_most(17)
        .alone(alone::ONE_IN_23)
        .examples(
            &["⟦45395787 63621486⟧", "visa ⟦45395787-63621486⟧"],
            &["calls 45395787 63621486", "45395787 63621487"],
        ),
    // A column of numbers may say it with a fraction, and an export with the month of expiry.
    Detector::new(
        "card_with_more",
        Card,
        Needs::Digits(14),
        concat!(
            r"(\d{13,19})(?:\.00?",
            r"|[/-](?:0?[1-9]|1[0-2])[/-]?(?:20)?\d\d(?:[/-]\d{3,4})?)"
        ),
    )
    .edges(Edges::Number)
    .check(common)
    .words(WORDS, 80, 97)
    .at_most(32)
    .examples(
        &[
            "a,⟦4539578763621486⟧.0,b",
            "{\"n\":⟦374245455400126⟧.00}",
            "⟦4539578763621486⟧/12/27",
            "⟦4539578763621486⟧-12/2027/123",
            "⟦4539578763621486⟧/0127",
        ],
        &[
            "4539578763621487.0",
            "4539578763621486.05",
            "4539578763621486/13/27",
            "4539578763621487/12/27",
        ],
    ),
    Detector::new("card_track", Card, Needs::Byte(b'^'), r"[Bb](\d{12,19})\^")
        .edges(Edges::Any)
        .check(said)
        .sure(90)
        .at_most(21)
        .examples(
            &["%B⟦4539578763621486⟧^DOE/JANE^2712101000000000?"],
            &["%B4539578763621487^DOE/JANE^27", "2^4539578763621486^"],
        ),
    // In names of things, where letters and `_` touch the number.
    Detector::new(
        "card_named",
        Card,
        Needs::Digits(13),
        concat!(
            r"(?:(?i:card|visa|mastercard|maestro|amex|discover|diners|jcb",
            r"|unionpay|dankort|kort|karte|carte|tarjeta|carta|cc|pan)",
            r"(?i:_?(?:no|nr|num|number))?[_:#.-]{0,2})",
            r"(\d{13,19})(?:\D|\z)"
        ),
    )
    .edges(Edges::Any)
    .check(common)
    .sure(85)
    .at_most(48)
    .examples(
        &[
            "card_⟦4539578763621486⟧_x",
            "visa⟦4539578763621486⟧",
            "CardNo#⟦374245455400126⟧.",
        ],
        &["card_4539578763621487_x", "order_4539578763621486_x"],
    ),
    // Whoever writes the name of the thing directly before it means it, wrong digit or not.
    Detector::new(
        "card_labelled",
        Card,
        Needs::Digits(14),
        r"\d{14,16}|\d{4}(?:[ -]\d{4}){3}|\d{4}[ -]\d{6}[ -]\d{4,5}",
    )
    .edges(Edges::Number)
    .check(varied)
    .left(concat!(
        r"(?:^|[^a-z])(?:(?:credit|debit|bank|payment)[ _-]?card",
        r"|card[ _-]?(?:number|no|nr|num)\.?|kortnummer|kreditkort",
        r"|kreditkarte|carte (?:bancaire|de cr\xC3\xA9dit)|tarjeta)",
        tail!()
    ))
    .sure(70)
    .at_most(32)
    .examples(
        &[
            "card number: ⟦1234 5678 9012 3456⟧",
            "\"credit_card\": \"⟦4539578763621487⟧\"",
        ],
        &["1234 5678 9012 3456", "postcard 1234567890123456"],
    ),
];

/// Whether the leading six digits and the length are those of a widely used issuer.
fn issued(digits: &[u8]) -> bool {
    if digits.len() < 12 {
        return false;
    }
    let (length, lead) = (digits.len(), number(&digits[..6]));
    match lead {
        // Visa.
        400_000..=499_999 => matches!(length, 13 | 16 | 19),
        // Mastercard, the range of 2017 included.
        510_000..=559_999 | 222_100..=272_099 => length == 16,
        // JCB in its first years; American Express.
        213_100..=213_199 | 180_000..=180_099 => length == 15,
        340_000..=349_999 | 370_000..=379_999 => length == 15,
        // Diners Club.
        300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999 => {
            matches!(length, 14 | 16 | 19)
        }
        // JCB.
        352_800..=358_999 => (16..=19).contains(&length),
        // Discover, UnionPay, RuPay, Elo, Hipercard, Troy: the ranges of 60, 62, 64, 65 and 8.
        601_100..=601_199 | 622_126..=622_925 | 644_000..=659_999 => {
            matches!(length, 16 | 19)
        }
        620_000..=629_999 | 810_000..=817_199 => (16..=19).contains(&length),
        508_500..=508_999 | 606_985..=608_500 | 979_200..=979_289 => length == 16,
        // Mir, Dankort, Elo, Verve, InterPayment.
        220_000..=220_499 => (16..=19).contains(&length),
        501_900..=501_999 | 506_600..=506_799 | 509_000..=509_999 | 636_297 | 636_368 => {
            length == 16
        }
        506_099..=506_198 | 507_865..=507_964 => matches!(length, 16 | 18 | 19),
        // Maestro, the ranges that are in use; the wider ones need a word beside them.
        501_800..=501_899
        | 502_000..=502_099
        | 503_800..=503_899
        | 589_300..=589_399
        | 630_400..=630_499
        | 675_900..=676_399 => (16..=19).contains(&length),
        636_000..=639_999 => (16..=19).contains(&length),
        _ => false,
    }
}

/// A card of a common issuer.
fn common(text: &str) -> bool {
    let digits = Digits::of(text);
    issued(&digits) && luhn(&digits)
}

/// A card of a common issuer whose groups are set apart in one way.
fn grouped(text: &str) -> bool {
    one_separator(text) && (common(text) || uncommon(text))
}

/// Not one digit over and over.
fn varied(text: &str) -> bool {
    !uniform(&Digits::of(text))
}

/// What is said to be a card, with Luhn's digit.
fn said(text: &str) -> bool {
    let digits = Digits::of(text);
    luhn(&digits) && !uniform(&digits)
}

/// A card of an issuer whose range is so wide that the number alone does not say enough: Maestro
/// (12 to 19 digits) and UATP (15 digits).
fn uncommon(text: &str) -> bool {
    let digits = Digits::of(text);
    let maestro = matches!(digits[0], 5 | 6) && matches!(digits[1], 0 | 6..=9 | 3);
    let uatp = digits[0] == 1 && digits.len() == 15;
    (maestro || uatp) && luhn(&digits) && !uniform(&digits)
}

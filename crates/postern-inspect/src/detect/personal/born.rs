//! Days that are said to be somebody's birth.

use postern_types::BuiltinClass::DateOfBirth;

use crate::detect::checksum::{Digits, day_exists, number};
use crate::detect::{Detector, Edges, Needs};

/// The words for birth, and up to a short phrase behind them (`born in Oslo on`).
macro_rules! birth {
    () => {
        concat!(
            r"(?:birth[ _-]?(?:date|day)s?|date[ _-]?of[ _-]?birth|birth|born",
            r"|dob|d\.o\.b\.?|b[ _-]?day|bdate",
            r"|f(?:\xC3\xB8|o|oe)dt|f(?:\xC3\xB8|o|oe)dsels(?:dag|dato)",
            r"|f(?:\xC3\xB6|o)dd|f(?:\xC3\xB6|o)delse(?:datum|dag)",
            r"|geboren|geb\.|geburts(?:datum|tag)|geboortedatum|n(?:\xC3\xA9",
            r"|\xC3\x89|e)e? le|naissance",
            r"|nacid[oa]|nacimiento|nascid[oa]|nascimento|nasc\.|nato|nata",
            r"|nascita|syntynyt|syntym\S{1,4}aika",
            r"|urodz(?:ony|ona|enia)|ur\.|narozen[ai]?|narozen\S{1,4}",
            r"|n\S{1,3}scut\S{0,3}|do\S{1,2}um tarihi",
            r"|\xD1\x80\xD0\xBE\xD0\xB4\S{2,24}",
            r"|\xD0\xA0\xD0\xBE\xD0\xB4\S{2,24}",
            r"|\xD0\xB4\xD0\xB0\xD1\x82\xD0\xB0 \xD1\x80\S{4,20}",
            r"|\xE7\x94\x9F\xE5\xB9\xB4\xE6\x9C\x88\xE6\x97\xA5",
            r"|\xE5\x87\xBA\xE7\x94\x9F\S{0,12}",
            r"|\xEC\x83\x9D\xEB\x85\x84\xEC\x9B\x94\xEC\x9D\xBC)",
            r"[^0-9\n]{0,28}"
        )
    };
}

/// Names of months in the languages of the words above, by their first letters.
macro_rules! month {
    () => {
        concat!(
            r"(?:jan|feb|f\xC3\xA9v|mar|m\xC3\xA4r|maj|mai|apr|abr|avr|may|mei",
            r"|jun|juin|jul|juil|aug|ago|ao\xC3\xBB|sep|set",
            r"|oct|okt|out|ott|nov|dec|d\xC3\xA9c|dez|dic|des|ene|gen|mag|giu",
            r"|lug|sty|lut|kwi|cze|lip|sie|wrz|pa\xC5\xBA|lis|gru",
            r"|tammi|helmi|maalis|huhti|touko|kes\xC3\xA4|hein\xC3\xA4|elo|syys",
            r"|loka|marras|joulu)"
        )
    };
}

pub(super) const DETECTORS: &[Detector] = &[
    Detector::new(
        "date_of_birth",
        DateOfBirth,
        Needs::Digits(4),
        concat!(
            r"\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}",
            r"|\d{1,2}[-/. ]\d{1,2}[-/. ](?:\d{4}|\d{2})|(?:19|20)\d{6}"
        ),
    )
    .edges(Edges::Number)
    .check(numbers)
    .left(birth!())
    .sure(88)
    .at_most(10)
    .examples(
        &[
            "born ⟦1980-03-12⟧",
            "DOB: ⟦12/31/1979⟧",
            "Geburtsdatum: ⟦1.2.1990⟧",
            "født den ⟦04-11-75⟧",
            "\"birth_date\": \"⟦19800312⟧\"",
        ],
        &[
            "1980-03-12",
            "born 1980-13-12",
            "signed 12/31/1979",
            "born in 1980",
            "born 1.2.3",
        ],
    ),
    Detector::new(
        "date_of_birth_in_words",
        DateOfBirth,
        Needs::Digits(3),
        concat!(
            r"(?i)\d{1,2}(?:st|nd|rd|th|\.)?[ -](?:(?:of|de) )?",
            month!(),
            r"[a-z.\x80-\xff]{0,10},?[ -](?:del? )?(?:19|20)?\d{2}",
            r"|",
            month!(),
            r"[a-z.\x80-\xff]{0,10}[ -]\d{1,2}(?:st|nd|rd|th)?,?[ -](?:19",
            r"|20)\d{2}"
        ),
    )
    .check(words)
    .left(birth!())
    .sure(90)
    .at_most(40)
    .examples(
        &[
            "born on ⟦12 March 1980⟧",
            "Born: ⟦March 12, 1980⟧",
            "født den ⟦20. januar 1967⟧",
            "née le ⟦3 août 1990⟧",
            "nacido el ⟦5 de mayo de 1971⟧",
            "DOB ⟦5-May-1971⟧",
        ],
        &[
            "12 March 1980",
            "on 20. januar 1967",
            "born 45 March 1980",
            "born 12 Foo 1980",
        ],
    ),
];

/// A day in one of the orders in use, and a year in which somebody living may be born.
fn numbers(text: &str) -> bool {
    let digits = Digits::of(text);
    let mut parts = [0; 3];
    if digits.len() == 8 && text.len() == 8 {
        parts = [
            number(&digits[..4]),
            number(&digits[4..6]),
            number(&digits[6..]),
        ];
    } else {
        let marks = ['-', '/', '.', ' '];
        for (at, part) in text.split(marks).enumerate().take(3) {
            parts[at] = part.parse().unwrap_or(0);
        }
    }
    let year = |year: u64| year < 100 || (1880..2100).contains(&year);
    let [a, b, c] = parts;
    let first = a > 99 && year(a) && day_exists(a, b, c);
    let last = year(c) && (day_exists(c, b, a) || day_exists(c, a, b));
    crate::detect::checksum::one_separator(text) && (first || last)
}

/// The day is one of a month.
fn words(text: &str) -> bool {
    let days = text
        .split(|sign: char| !sign.is_ascii_digit())
        .filter_map(|part| part.parse::<u64>().ok());
    days.into_iter().any(|day| (1..=31).contains(&day))
}

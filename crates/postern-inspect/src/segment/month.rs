//! Names of months, as dates with words have them.

/// Months of the languages in which documents of the detectors' countries are written: English,
/// Danish, Norwegian, Swedish, German, Dutch, French, Spanish, Portuguese, Italian, Polish,
/// Finnish. Sorted, in lower case, without a closing period.
const MONTHS: &[&str] = &[
    "abril",
    "agosto",
    "agustus",
    "aoust",
    "août",
    "apr",
    "april",
    "aprile",
    "aug",
    "august",
    "augusti",
    "augustus",
    "avril",
    "czerwca",
    "dec",
    "december",
    "dez",
    "dezember",
    "dezembro",
    "dicembre",
    "diciembre",
    "décembre",
    "elokuuta",
    "enero",
    "feb",
    "febbraio",
    "febr",
    "febrero",
    "februar",
    "februari",
    "february",
    "fevereiro",
    "février",
    "gennaio",
    "giugno",
    "grudnia",
    "heinäkuuta",
    "helmikuuta",
    "huhtikuuta",
    "jan",
    "janeiro",
    "januar",
    "januari",
    "january",
    "janvier",
    "joulukuuta",
    "juillet",
    "juin",
    "jul",
    "julho",
    "juli",
    "julio",
    "july",
    "jun",
    "june",
    "junho",
    "juni",
    "junio",
    "jänner",
    "kesäkuuta",
    "kwietnia",
    "lipca",
    "listopada",
    "lokakuuta",
    "luglio",
    "lutego",
    "maaliskuuta",
    "maart",
    "maggio",
    "mai",
    "maio",
    "maj",
    "maja",
    "mar",
    "marca",
    "march",
    "mars",
    "marts",
    "marzo",
    "março",
    "marraskuuta",
    "may",
    "mayo",
    "mei",
    "mär",
    "märz",
    "nov",
    "novembre",
    "november",
    "novembro",
    "noviembre",
    "oct",
    "october",
    "octobre",
    "octubre",
    "oktober",
    "okt",
    "ottobre",
    "outubro",
    "paź",
    "października",
    "sep",
    "sept",
    "september",
    "septembre",
    "septiembre",
    "setembro",
    "settembre",
    "sierpnia",
    "stycznia",
    "syyskuuta",
    "tammikuuta",
    "toukokuuta",
    "września",
];

/// Months as English dates begin with them; they stand before the day.
const ENGLISH: &[&str] = &[
    "April",
    "Apr",
    "August",
    "Aug",
    "December",
    "Dec",
    "February",
    "Feb",
    "January",
    "Jan",
    "July",
    "Jul",
    "June",
    "Jun",
    "March",
    "Mar",
    "May",
    "November",
    "Nov",
    "October",
    "Oct",
    "September",
    "Sept",
    "Sep",
];

/// What a word is to a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Month {
    /// No month, and no beginning of one.
    No,
    /// The beginning of one, if the word goes on.
    Beginning,
    /// The name of one.
    Whole,
}

/// Whether the text begins like the name of a month, in any letter case.
pub(super) fn month(word: &str) -> Month {
    let lower = word.to_lowercase();
    let lower = lower.strip_suffix('.').unwrap_or(&lower);
    if MONTHS.contains(&lower) {
        Month::Whole
    } else if MONTHS.iter().any(|month| month.starts_with(lower)) {
        Month::Beginning
    } else {
        Month::No
    }
}

/// Whether the word is a month that stands before its day.
pub(super) fn leads(word: &str) -> bool {
    let word = word.strip_suffix('.').unwrap_or(word);
    let named = |month: &&str| month.eq_ignore_ascii_case(word);
    (3..=9).contains(&word.len()) && ENGLISH.iter().any(named)
}

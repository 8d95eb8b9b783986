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
    if word.is_ascii() {
        let word = word.strip_suffix('.').unwrap_or(word);
        return named(word.as_bytes(), |month| {
            let start = month.as_bytes().get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        });
    }
    let lower = word.to_lowercase();
    let lower = lower.strip_suffix('.').unwrap_or(&lower);
    named(lower.as_bytes(), |month| month.starts_with(lower))
}

/// What a word is, with which some months start.
fn named(word: &[u8], starts: impl Fn(&str) -> bool) -> Month {
    let mut known = Month::No;
    let first = word.first().map(u8::to_ascii_lowercase);
    let from = MONTHS.partition_point(|month| month.as_bytes().first() < first.as_ref());
    let same = |month: &&&str| first.is_none() || month.as_bytes().first() == first.as_ref();
    for month in MONTHS[from..].iter().take_while(same) {
        if starts(month) {
            if month.len() == word.len() {
                return Month::Whole;
            }
            known = Month::Beginning;
        }
    }
    known
}

/// Whether a month that stands before its day may begin with the letters.
fn may_lead(first: u8, second: u8) -> bool {
    matches!(
        (first.to_ascii_lowercase(), second.to_ascii_lowercase()),
        (b'a', b'p' | b'u')
            | (b'd' | b'f' | b's', b'e')
            | (b'j', b'a' | b'u')
            | (b'm', b'a')
            | (b'n', b'o')
            | (b'o', b'c')
    )
}

/// Whether the word is a month that stands before its day, in any letter case.
pub(super) fn names(word: &[u8]) -> bool {
    let word = word.strip_suffix(b".").unwrap_or(word);
    let [first, second, ..] = word else {
        return false;
    };
    let named = |month: &&str| month.as_bytes().eq_ignore_ascii_case(word);
    may_lead(*first, *second) && (3..=9).contains(&word.len()) && ENGLISH.iter().any(named)
}

/// Whether the word is such a month and begins with a capital.
pub(super) fn leads(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_uppercase) && names(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_found_by_how_they_begin() {
        let first = |month: &&str| month.as_bytes()[0];
        assert!(MONTHS.is_sorted_by_key(first));
        for name in MONTHS {
            for spelled in [name.to_uppercase(), format!("{name}.")] {
                assert_eq!(month(&spelled), Month::Whole, "{spelled}");
            }
            assert_ne!(month(&name[..1]), Month::No, "{name}");
        }
        assert_eq!(["", "."].map(month), [Month::Beginning; 2]);
        assert_eq!(["x", "2", "maz", "öct"].map(month), [Month::No; 4]);
    }

    #[test]
    fn months_are_known_by_their_first_letters() {
        for month in ENGLISH {
            assert!(leads(month.as_bytes()) && names(month.to_lowercase().as_bytes()));
            assert!(!leads(month.to_lowercase().as_bytes()));
        }
        for word in ["", "M", "Mad", "May,", "Augusta", "septic"] {
            assert!(!names(word.as_bytes()), "{word}");
        }
    }
}

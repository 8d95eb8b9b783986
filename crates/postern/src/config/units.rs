//! The forms in which values are written: durations, sizes, addresses, lists.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeValue;

/// A text.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, String> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| wrong(value, "a text in quotes"))
}

/// `true` or `false`.
pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| wrong(value, "true or false"))
}

/// A whole number in a range.
pub(super) fn number(min: u64, max: u64) -> impl Fn(&DeValue<'_>) -> Result<u64, String> {
    move |value| {
        let wanted = format!("a whole number from {min} to {max}");
        let integer = value.as_integer().ok_or_else(|| wrong(value, &wanted))?;
        u64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| format!("{} is not {wanted}", integer.as_str()))
    }
}

/// A duration with its unit, in a range.
pub(super) fn duration(
    min: Duration,
    max: Duration,
) -> impl Fn(&DeValue<'_>) -> Result<Duration, String> {
    move |value| {
        let text = value
            .as_str()
            .ok_or_else(|| wrong(value, "a duration such as \"30s\""))?;
        let duration = parse_duration(text)?;
        if (min..=max).contains(&duration) {
            Ok(duration)
        } else {
            Err(format!(
                "{text:?} is not between {} and {}",
                spell(min),
                spell(max)
            ))
        }
    }
}

/// Parses `250ms`, `30s`, `5m`, `12h`, `30d`.
///
/// # Errors
/// When there is no whole number followed by one of these units.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let wrong = || format!("{text:?} is not a duration: write 250ms, 30s, 5m, 12h or 30d");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

/// A duration in its largest whole unit.
pub(crate) fn spell(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, size) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ] {
        if millis > 0 && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    format!("{millis}ms")
}

/// A size in bytes with its unit, in a range.
pub(super) fn size(min: u64, max: u64) -> impl Fn(&DeValue<'_>) -> Result<u64, String> {
    move |value| {
        let text = value
            .as_str()
            .ok_or_else(|| wrong(value, "a size such as \"10 MiB\""))?;
        let bytes = parse_size(text)?;
        if (min..=max).contains(&bytes) {
            Ok(bytes)
        } else {
            Err(format!("{text:?} is not between {min} B and {max} B"))
        }
    }
}

fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text);
    let wrong = || format!("{text:?} is not a size: write 512 B, 64 KiB, 10 MiB or 2 GiB");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).ok_or_else(wrong)
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// An address with a port; port 0 takes a free one.
pub(super) fn address(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let wanted = "an address with a port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"";
    let text = value.as_str().ok_or_else(|| wrong(value, wanted))?;
    text.parse()
        .map_err(|_| format!("{text:?} is not {wanted}"))
}

/// A list, each part by its own parser.
pub(super) fn list<T>(
    value: &DeValue<'_>,
    part: impl Fn(&DeValue<'_>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let array = value
        .as_array()
        .ok_or_else(|| wrong(value, "a list in brackets"))?;
    array.iter().map(|value| part(value.get_ref())).collect()
}

/// A path, relative to the folder of the file.
pub(super) fn path(folder: &Path) -> impl Fn(&DeValue<'_>) -> Result<PathBuf, String> {
    move |value| text(value).map(|text| folder.join(text))
}

/// One of a few words.
pub(super) fn word<T: Copy>(
    words: &[(&'static str, T)],
) -> impl Fn(&DeValue<'_>) -> Result<T, String> {
    move |value| {
        let names: Vec<_> = words.iter().map(|(name, _)| format!("{name:?}")).collect();
        let wanted = names.join(" or ");
        let text = value.as_str().ok_or_else(|| wrong(value, &wanted))?;
        let found = words.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| format!("{text:?} is not {wanted}"))
    }
}

fn wrong(value: &DeValue<'_>, wanted: &str) -> String {
    format!("a value of type {} is not {wanted}", value.type_str())
}

//! A stand-in for the cleaning of JSON documents, until it lands.

use crate::clean::{CleanError, Cleaner};

pub(crate) struct TextShape;
pub(crate) static ALL_TEXT: TextShape = TextShape;

pub(crate) fn clean_json(
    body: &[u8],
    _: &'static TextShape,
    cleaner: &mut Cleaner,
) -> Result<Option<Vec<u8>>, CleanError> {
    let text = std::str::from_utf8(body).map_err(|_| CleanError::CannotInspect("not UTF-8"))?;
    serde_json::from_str::<serde_json::Value>(text)
        .map_err(|_| CleanError::CannotInspect("not JSON"))?;
    Ok(cleaner
        .clean_value("body", "", text)?
        .map(String::into_bytes))
}

//! The list of models, cut down to what a token may use.

use bytes::Bytes;

use crate::InspectError;

/// Collects a list of models and gives it back without the entries that may not be seen.
#[derive(Debug, Default)]
pub struct ModelsFilter {
    body: Vec<u8>,
}

impl ModelsFilter {
    /// A filter for an answer with this `Content-Encoding`. What [`ModelsFilter::finish`] gives is
    /// not encoded.
    ///
    /// # Errors
    /// When the encoding is not one that is read.
    pub fn new(content_encoding: Option<&str>) -> Result<Self, InspectError> {
        match content_encoding {
            None => Ok(Self::default()),
            Some(_) => Err(InspectError::upstream("the list of models is encoded")),
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When the list is too long.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), InspectError> {
        if self.body.len() + chunk.len() > crate::bounds::MODELS_BYTES_MAX {
            return Err(InspectError::upstream("the list of models is too long"));
        }
        self.body.extend_from_slice(chunk);
        Ok(())
    }

    /// The list with the entries that `keep` allows; every other byte as it came.
    ///
    /// # Errors
    /// When the answer is no list of models.
    pub fn finish(self, keep: &mut dyn FnMut(&str) -> bool) -> Result<Bytes, InspectError> {
        let _ = keep;
        Err(InspectError::upstream("lists are not read yet"))
    }
}

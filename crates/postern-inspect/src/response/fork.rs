//! Going on from one point of an answer in several ways, to show that they end alike.

use super::ResponseReader;

impl ResponseReader {
    /// A second reader that stands where this one does. `None` where the answer is decoded: what a
    /// decompressor knows cannot be copied.
    pub(crate) fn fork(&self) -> Option<Self> {
        self.decoder.is_none().then(|| Self {
            dialect: self.dialect,
            operation: self.operation,
            stream_asked: self.stream_asked,
            success: self.success,
            track: self.track.clone(),
            editor: self.editor.clone(),
            broken: self.broken.clone(),
            unread: self.unread.clone(),
            encoding: self.encoding,
            decoder: None,
        })
    }

    /// All that what comes next can depend on, as text. Two readers in the same state do the same
    /// with the same bytes.
    pub(crate) fn state(&self) -> String {
        let editor = self.editor.as_ref().map(|editor| editor.state());
        format!("{:?} {editor:?} {:?}", self.track.state(), self.broken)
    }
}

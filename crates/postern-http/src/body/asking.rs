//! An answer that waits for the analyzer: nothing is read on before it has told the names.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use postern_types::{End, Refusal};

use super::Inner;
use crate::analyzer::{Analyzer, Answers};
use crate::controls::ask;

/// The analyzer, and what it is being asked.
pub(super) struct Asking {
    analyzer: Option<Arc<Analyzer>>,
    needs: bool,
    pub(super) asked: Option<Pin<Box<Asked>>>,
}

type Asked = dyn Future<Output = Result<Answers, Refusal>> + Send;

impl Asking {
    /// Who is asked, and whether nothing may pass without an answer.
    pub(super) fn new((analyzer, needs): (Option<Arc<Analyzer>>, bool)) -> Self {
        Self {
            analyzer,
            needs,
            asked: None,
        }
    }
}

impl Inner {
    /// Asks the analyzer what the reader wants to know. Nothing is read on meanwhile.
    pub(super) fn ask(&mut self) {
        let (analyzer, needs) = (self.asking.analyzer.clone(), self.asking.needs);
        let pieces = self.reader.wanted();
        self.asking.asked = Some(Box::pin(async move {
            ask(analyzer.as_deref(), pieces, needs).await
        }));
    }

    /// Goes on once the answers are there.
    pub(super) fn poll_asked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(asked) = &mut self.asking.asked {
            let answered = ready!(asked.as_mut().poll(cx));
            self.asking.asked = None;
            self.answered(answered);
        }
        Poll::Ready(())
    }

    /// The analyzer has answered, or has failed to.
    fn answered(&mut self, answered: Result<Answers, Refusal>) {
        let answers = match answered {
            Ok(answers) => answers,
            Err(refusal) => return self.break_off(&refusal.of_answer(), End::Refused),
        };
        self.read(0, move |reader, out| {
            answers
                .iter()
                .try_for_each(|(piece, spans)| reader.answer(piece, spans))
                .and_then(|()| reader.resume(out))
        });
    }
}

//! Putting an [`Answer`] on the wire, cut and ended as it says.

use std::io::Write;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Shared;
use super::head::SeenRequest;
use crate::{Answer, Cut, Ending, Framing, Gzip};

/// Pieces that follow one another without a pause share a write up to this size: each is a chunk of
/// its own all the same, so the reader meets the same cuts, with far fewer system calls.
const BATCH_BYTES: usize = 16 * 1024;
/// What a peer may send ahead while it is being answered.
const EARLY_BYTES_MAX: usize = 1 << 20;

/// The peer closed, or reset, the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Keep,
    Close,
}

/// The two directions of a connection while it is being answered.
pub(super) struct Wire<'a> {
    pub(super) stream: &'a mut TcpStream,
    /// Bytes that the peer sent before its answer was complete.
    pub(super) early: &'a mut BytesMut,
    pub(super) shared: &'a Shared,
}

impl Wire<'_> {
    /// Sends `answer`; `cut` applies where the answer has none of its own.
    pub(super) async fn send(
        &mut self,
        answer: &Answer,
        request: &SeenRequest,
        cut: &Cut,
    ) -> Result<After, Gone> {
        self.pause(answer.delay).await?;
        if answer.ending == Ending::Silent {
            return self.until_gone().await;
        }
        let (body, coded) = compressed(answer, request);
        let pieces = answer.cut.as_ref().unwrap_or(cut).pieces(&body);
        if answer.framing != Framing::Raw {
            for status in &answer.interim {
                self.write(format!("HTTP/1.1 {status} Interim\r\n\r\n").as_bytes())
                    .await?;
            }
            self.write(head(answer, body.len(), coded, request).as_bytes())
                .await?;
        }
        let bodiless = request.method == "HEAD" || matches!(answer.status, 204 | 304);
        if !bodiless {
            self.pieces(answer, &pieces).await?;
        }
        self.end(answer, request, bodiless).await
    }

    async fn pieces(&mut self, answer: &Answer, pieces: &[Bytes]) -> Result<(), Gone> {
        let chunked = answer.framing == Framing::Chunked;
        let mut room = match answer.ending {
            Ending::ResetAfter(n) | Ending::CloseAfter(n) | Ending::StallAfter(n) => n,
            Ending::Complete | Ending::Repeat { .. } | Ending::Silent => usize::MAX,
        };
        let mut batch = BytesMut::new();
        for (at, piece) in pieces.iter().enumerate() {
            let piece = piece.slice(..piece.len().min(room));
            room -= piece.len();
            if !answer.pace.is_zero() && at > 0 {
                self.pause(answer.pace).await?;
            }
            if chunked && !piece.is_empty() {
                batch.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                batch.extend_from_slice(&piece);
                batch.extend_from_slice(b"\r\n");
            } else {
                batch.extend_from_slice(&piece);
            }
            // Without chunks only the write itself can show where a piece ends.
            if !chunked || !answer.pace.is_zero() || batch.len() >= BATCH_BYTES {
                self.write(&batch).await?;
                batch.clear();
                tokio::task::yield_now().await;
            }
            if room == 0 {
                break;
            }
        }
        self.write(&batch).await
    }

    async fn end(
        &mut self,
        answer: &Answer,
        request: &SeenRequest,
        bodiless: bool,
    ) -> Result<After, Gone> {
        match &answer.ending {
            Ending::ResetAfter(_) => {
                // Give what was written time to leave: a reset throws away what is still queued.
                self.pause(Duration::from_millis(20)).await?;
                let _ = self.stream.set_zero_linger();
                return Err(Gone);
            }
            Ending::CloseAfter(_) => return Ok(After::Close),
            Ending::StallAfter(_) | Ending::Silent => return self.until_gone().await,
            Ending::Repeat { piece, every } => return self.repeat(answer, piece, *every).await,
            Ending::Complete => {}
        }
        match answer.framing {
            Framing::Raw | Framing::UntilClose | Framing::Claimed(_) => return Ok(After::Close),
            Framing::Chunked if !bodiless => {
                let trailers = fields(&answer.trailers);
                self.write(format!("0\r\n{trailers}\r\n").as_bytes())
                    .await?;
            }
            Framing::Chunked | Framing::Length => {}
        }
        let closes = |v: &str| v.eq_ignore_ascii_case("close");
        let told = answer
            .headers
            .iter()
            .any(|(n, v)| n == "connection" && closes(v));
        let asked =
            request.version != "HTTP/1.1" || request.header("connection").is_some_and(closes);
        Ok(if told || asked {
            After::Close
        } else {
            After::Keep
        })
    }

    async fn repeat(
        &mut self,
        answer: &Answer,
        piece: &[u8],
        every: Duration,
    ) -> Result<After, Gone> {
        let framed = match answer.framing {
            Framing::Chunked => {
                [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat()
            }
            Framing::Length | Framing::UntilClose | Framing::Claimed(_) | Framing::Raw => {
                piece.to_vec()
            }
        };
        loop {
            self.pause(every).await?;
            self.write(&framed).await?;
            self.shared.state().repeats += 1;
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.stream.write_all(bytes).await.map_err(|_| Gone)
    }

    /// Waits, and notices when the peer leaves meanwhile.
    async fn pause(&mut self, time: Duration) -> Result<(), Gone> {
        if time.is_zero() {
            return Ok(());
        }
        let sleep = tokio::time::sleep(time);
        tokio::pin!(sleep);
        loop {
            if self.early.len() > EARLY_BYTES_MAX {
                sleep.await;
                return Ok(());
            }
            tokio::select! {
                () = &mut sleep => return Ok(()),
                read = self.stream.read_buf(self.early) => match read {
                    Ok(0) | Err(_) => return Err(Gone),
                    Ok(_) => {}
                },
            }
        }
    }

    async fn until_gone(&mut self) -> Result<After, Gone> {
        loop {
            self.pause(Duration::from_secs(3600)).await?;
        }
    }
}

/// The body as it travels, and whether it is gzip'ed.
fn compressed(answer: &Answer, request: &SeenRequest) -> (Bytes, bool) {
    let accepted = || {
        let named = request
            .headers_named("accept-encoding")
            .flat_map(|list| list.split(','));
        let name = |coding: &str| {
            coding
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        named.into_iter().any(|coding| {
            let refused = coding.replace(' ', "").ends_with(";q=0");
            name(coding).eq_ignore_ascii_case("gzip") && !refused
        })
    };
    let wanted = match answer.gzip {
        Gzip::Never => false,
        Gzip::Always => true,
        Gzip::WhenAccepted => accepted(),
    };
    if !wanted {
        return (answer.body.clone(), false);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let coded = encoder
        .write_all(&answer.body)
        .and_then(|()| encoder.finish());
    (
        Bytes::from(coded.expect("writing to memory does not fail")),
        true,
    )
}

fn head(answer: &Answer, length: usize, coded: bool, request: &SeenRequest) -> String {
    let reason = http::StatusCode::from_u16(answer.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Status");
    let version = if request.version == "HTTP/1.0" {
        "HTTP/1.0"
    } else {
        "HTTP/1.1"
    };
    let framing = match answer.framing {
        Framing::Length if matches!(answer.status, 204 | 304) => String::new(),
        Framing::Length => format!("content-length: {length}\r\n"),
        Framing::Claimed(claimed) => format!("content-length: {claimed}\r\n"),
        Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
        Framing::UntilClose | Framing::Raw => "connection: close\r\n".to_owned(),
    };
    let coding = if coded {
        "content-encoding: gzip\r\n"
    } else {
        ""
    };
    let names: Vec<&str> = answer
        .trailers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let trailer = match &names[..] {
        [] => String::new(),
        names => format!("trailer: {}\r\n", names.join(", ")),
    };
    let own = fields(&answer.headers);
    format!(
        "{version} {} {reason}\r\n{own}{coding}{trailer}{framing}\r\n",
        answer.status
    )
}

fn fields(fields: &[(String, String)]) -> String {
    fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect()
}

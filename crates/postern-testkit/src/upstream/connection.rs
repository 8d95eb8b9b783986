//! One connection of the replaying upstream: read a request, answer it, again.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::head::{self, RequestFraming, SeenRequest};
use super::write::{After, Gone, Wire};
use super::{Reading, Shared};
use crate::{Answer, Gzip};

/// The longest head that is read; far above what a gateway may let through.
const HEAD_BYTES_MAX: usize = 1 << 20;
/// The longest body that is kept.
const BODY_BYTES_MAX: u64 = 256 << 20;

/// Accepts until the runtime ends.
pub(super) async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("the runtime is running");
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let number = {
            let mut state = shared.state();
            state.connections += 1;
            state.open += 1;
            state.connections - 1
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut connection = Connection {
                stream,
                buffer: BytesMut::new(),
                shared: &shared,
                number,
            };
            let served = connection.serve().await;
            drop(connection);
            let mut state = shared.state();
            state.open -= 1;
            if served.is_err() {
                state.hangups += 1;
            }
        });
    }
}

struct Connection<'a> {
    stream: TcpStream,
    buffer: BytesMut,
    shared: &'a Shared,
    number: u64,
}

/// Why a body could not be read.
enum BodyFault {
    Gone,
    Malformed(String),
}

impl Connection<'_> {
    /// Serves until either side closes; an error means that the peer left in the middle.
    async fn serve(&mut self) -> Result<(), Gone> {
        while let Some(head) = self.head().await? {
            let parsed = head::parse(&head, self.number)
                .and_then(|request| head::framing(&request).map(|framing| (request, framing)));
            let (request, framing) = match parsed {
                Ok(parsed) => parsed,
                Err(reason) => return self.refuse(reason).await,
            };
            let reading = self.shared.state().reading;
            let place = self.remember(&request);
            if reading == Reading::HeadOnly {
                // The peer's bytes stay in the socket: its writes must stall, not vanish.
                std::future::pending::<()>().await;
            }
            let after = match self.exchange(request, framing, reading, place).await {
                Ok(after) => after,
                Err(BodyFault::Gone) => return Err(Gone),
                Err(BodyFault::Malformed(reason)) => return self.refuse(reason).await,
            };
            if after == After::Close {
                break;
            }
        }
        let _ = self.stream.shutdown().await;
        Ok(())
    }

    /// Reads the body and answers, in the order that `reading` says.
    async fn exchange(
        &mut self,
        mut request: SeenRequest,
        framing: RequestFraming,
        reading: Reading,
        place: Option<usize>,
    ) -> Result<After, BodyFault> {
        if reading == Reading::AnswerFirst {
            let after = self
                .answer(&request)
                .await
                .map_err(|Gone| BodyFault::Gone)?;
            self.body(&mut request, framing).await?;
            self.completed(&request, place);
            return Ok(after);
        }
        if request
            .header("expect")
            .is_some_and(|v| v.eq_ignore_ascii_case("100-continue"))
        {
            let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
            self.stream
                .write_all(go_on)
                .await
                .map_err(|_| BodyFault::Gone)?;
        }
        let read = self.body(&mut request, framing).await;
        if read.is_err() {
            self.update(&request, place);
        }
        read?;
        self.completed(&request, place);
        self.answer(&request).await.map_err(|Gone| BodyFault::Gone)
    }

    async fn answer(&mut self, request: &SeenRequest) -> Result<After, Gone> {
        let (queued, (cut, gzip)) = {
            let mut state = self.shared.state();
            let manner = (state.cut.clone(), state.gzip);
            (state.queued.pop_front(), manner)
        };
        let mut answer = queued.unwrap_or_else(|| self.shared.responder.answer(request));
        if answer.gzip == Gzip::Never {
            answer.gzip = gzip;
        }
        let mut wire = Wire {
            stream: &mut self.stream,
            early: &mut self.buffer,
            shared: self.shared,
        };
        wire.send(&answer, request, &cut).await
    }

    async fn refuse(&mut self, reason: String) -> Result<(), Gone> {
        let answer = Answer::new(400, "text/plain", reason.clone()).header("connection", "close");
        self.shared.state().malformed.push(reason);
        let request = head::parse(b"GET / HTTP/1.0\r\n\r\n", self.number).map_err(|_| Gone)?;
        let mut wire = Wire {
            stream: &mut self.stream,
            early: &mut self.buffer,
            shared: self.shared,
        };
        let _ = wire.send(&answer, &request, &crate::Cut::Whole).await;
        let _ = self.stream.shutdown().await;
        Ok(())
    }

    fn remember(&self, request: &SeenRequest) -> Option<usize> {
        let mut state = self.shared.state();
        if state.forgetful {
            return None;
        }
        state.requests.push(request.clone());
        Some(state.requests.len() - 1)
    }

    fn update(&self, request: &SeenRequest, place: Option<usize>) {
        let mut state = self.shared.state();
        if state.forgetful {
            return;
        }
        // The list may have been taken meanwhile; then this request is put where it now belongs.
        let kept = place.and_then(|place| state.requests.get_mut(place));
        match kept.filter(|kept| kept.at == request.at) {
            Some(kept) => *kept = request.clone(),
            None => state.requests.push(request.clone()),
        }
    }

    fn completed(&self, request: &SeenRequest, place: Option<usize>) {
        let complete = SeenRequest {
            complete: true,
            ..request.clone()
        };
        self.update(&complete, place);
    }

    /// The bytes of the next head; `None` when the peer closed between two requests.
    async fn head(&mut self) -> Result<Option<BytesMut>, Gone> {
        let mut searched = 0;
        loop {
            if let Some(at) = find(&self.buffer[searched..], b"\r\n\r\n") {
                return Ok(Some(self.buffer.split_to(searched + at + 4)));
            }
            searched = self.buffer.len().saturating_sub(3);
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(Gone);
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) | Err(_) => return Err(Gone),
                Ok(_) => {}
            }
        }
    }

    async fn body(
        &mut self,
        request: &mut SeenRequest,
        framing: RequestFraming,
    ) -> Result<(), BodyFault> {
        match framing {
            RequestFraming::Length(length) => self.exactly(length, &mut request.body).await,
            RequestFraming::Chunked => self.chunks(request).await,
        }
    }

    async fn exactly(&mut self, length: u64, into: &mut Vec<u8>) -> Result<(), BodyFault> {
        if length > BODY_BYTES_MAX {
            return Err(BodyFault::Malformed(format!("a body of {length} bytes")));
        }
        let mut left = usize::try_from(length).map_err(|_| BodyFault::Gone)?;
        while left > 0 {
            if self.buffer.is_empty() {
                self.more().await?;
            }
            let take = left.min(self.buffer.len());
            into.extend_from_slice(&self.buffer[..take]);
            self.buffer.advance(take);
            left -= take;
        }
        Ok(())
    }

    async fn chunks(&mut self, request: &mut SeenRequest) -> Result<(), BodyFault> {
        loop {
            let line = self.line().await?;
            let hex = line.bytes().all(|b| b.is_ascii_hexdigit());
            let size = u64::from_str_radix(&line, 16).ok().filter(|_| hex);
            let size = size.ok_or(BodyFault::Malformed(format!("chunk size {line:?}")))?;
            if size == 0 {
                break;
            }
            self.exactly(size, &mut request.body).await?;
            let end = self.line().await?;
            if !end.is_empty() {
                return Err(BodyFault::Malformed(format!("chunk ends in {end:?}")));
            }
        }
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(());
            }
            request
                .trailers
                .push(head::field(&line).map_err(BodyFault::Malformed)?);
        }
    }

    /// One line of the chunked coding, without its CRLF.
    async fn line(&mut self) -> Result<String, BodyFault> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                let line = self.buffer.split_to(at);
                self.buffer.advance(2);
                return Ok(line.iter().map(|byte| char::from(*byte)).collect());
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(BodyFault::Malformed("a chunk line without end".to_owned()));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), BodyFault> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => Err(BodyFault::Gone),
            Ok(_) => Ok(()),
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

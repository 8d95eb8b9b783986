use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;

/// One good request.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let body = proptest::collection::vec(any::<u8>(), 0..40);
    let chunks = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 0..4);
    prop_oneof![
        body.prop_map(|body| {
            let head = format!(
                "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            [head.into_bytes(), body].concat()
        }),
        chunks.prop_map(|chunks| {
            let mut all =
                b"PUT /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for chunk in chunks {
                all.extend(format!("{:x}\r\n", chunk.len()).bytes());
                all.extend(chunk);
                all.extend(b"\r\n");
            }
            all.extend(b"0\r\n\r\n");
            all
        }),
        Just(b"GET /c HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
    ]
}

/// What comes out of a strict reader for these bytes, written in pieces of `cut`, when the service
/// has answered whatever hyper would have read so far.
fn pass(bytes: &[u8], cut: usize, space: usize) -> (Vec<u8>, Option<Violation>, bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut client, server) = duplex(64 * 1024);
        let mut reader = StrictIo::new(server, Arc::new(Bounds::default()));
        let exchange = reader.exchange();
        let mut out = Vec::new();
        let mut failed = false;
        let writing = async {
            for piece in bytes.chunks(cut) {
                client.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            client.shutdown().await.unwrap();
        };
        let reading = async {
            let mut buffer = vec![0; space];
            loop {
                exchange.finish();
                match reader.read(&mut buffer).await {
                    Ok(0) => break,
                    Ok(count) => out.extend(&buffer[..count]),
                    Err(_) => {
                        failed = true;
                        break;
                    }
                }
                if exchange.violation.lock().is_some() && out.ends_with(STAND_IN) {
                    break;
                }
            }
        };
        tokio::join!(writing, reading);
        (out, exchange.take_violation(), failed)
    })
}

proptest! {
    #[test]
    fn good_requests_pass_to_the_byte(
        requests in proptest::collection::vec(request(), 1..5),
        cut in 1_usize..64,
        space in 1_usize..64,
    ) {
        // Goal: nothing that is right is changed, however it is cut and however it is read.
        let bytes = requests.concat();
        let (out, violation, failed) = pass(&bytes, cut, space);
        prop_assert_eq!(out, bytes);
        prop_assert!(violation.is_none() && !failed);
    }

    #[test]
    fn nothing_passes_behind_a_faulty_head(
        before in proptest::collection::vec(request(), 0..3),
        after in request(),
        cut in 1_usize..64,
    ) {
        // Goal: in place of a head with a fault comes the stand-in, and nothing after it.
        let good = before.concat();
        let faulty = b"GET /hidden HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n";
        let bytes = [good.as_slice(), faulty, &after].concat();
        let (out, violation, failed) = pass(&bytes, cut, 4096);
        prop_assert_eq!(out, [good.as_slice(), STAND_IN].concat());
        prop_assert_eq!(violation.unwrap().target, "/hidden");
        prop_assert!(!failed);
    }
}

#[test]
fn a_faulty_body_ends_in_an_error() {
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let bytes = [head.as_slice(), b"2\r\nab\r\n0x2\r\nGET / HTTP/1.1\r\n\r\n"].concat();
    let (out, violation, failed) = pass(&bytes, 1000, 4096);
    assert!(failed && violation.is_none());
    assert!(!out.windows(3).any(|window| window == b"GET"));
}

#[test]
fn the_next_head_waits_for_the_answer() {
    // Goal: hyper never holds a head that is not its turn, or it would not see a client leave.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut client, server) = duplex(1024);
        let mut reader = StrictIo::new(server, Arc::new(Bounds::default()));
        let exchange = reader.exchange();
        let head = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        client
            .write_all(&[head.as_slice(), head].concat())
            .await
            .unwrap();
        let mut buffer = [0; 1024];
        assert_eq!(reader.read(&mut buffer).await.unwrap(), head.len());
        let early = tokio::time::timeout(std::time::Duration::ZERO, reader.read(&mut buffer));
        assert!(early.await.is_err());
        exchange.finish();
        assert_eq!(reader.read(&mut buffer).await.unwrap(), head.len());
    });
}

#[test]
fn the_preface_of_http2_switches_strictness_off() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        for (start, wanted) in [
            (PREFACE, Version::Http2),
            (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", Version::Http1),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", Version::Http1),
        ] {
            let (mut client, server) = duplex(1024);
            let mut reader = StrictIo::new(server, Arc::new(Bounds::default()));
            client.write_all(&start[..5]).await.unwrap();
            client.write_all(&start[5..]).await.unwrap();
            assert_eq!(reader.sniff().await.unwrap(), wanted);
            if wanted == Version::Http2 {
                client.write_all(b"\0\x01bytes").await.unwrap();
                drop(client);
                let mut rest = Vec::new();
                reader.read_to_end(&mut rest).await.unwrap();
                assert_eq!(rest, [PREFACE, b"\0\x01bytes"].concat());
            }
        }
    });
}

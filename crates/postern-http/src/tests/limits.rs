//! Slowness, size and number: what one client may take of the gateway.

use postern_testkit::raw::End;

use super::*;

#[test]
fn slow_heads_end() {
    // Goal: a connection that sends nothing, half a head, or a head byte by byte does not stay.
    let server = Server::start(hasty());
    let mut silent = server.connect();
    let mut half = server.connect();
    send(&mut half, "GET /echo HTTP/1.1\r\nHost: x\r\nX-");
    let started = Instant::now();
    assert!(closes(&mut silent));
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("bad_request"),
        "{answer}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );

    let mut trickle = server.connect();
    let head = "GET /echo HTTP/1.1\r\nHost: x\r\n";
    let sent = head.bytes().cycle().take_while(|byte| {
        std::thread::sleep(Duration::from_millis(20));
        trickle.write_all(&[*byte]).is_ok()
    });
    assert!(sent.count() < 100, "each byte does not start the time anew");
    assert_eq!(server.seen.requests(), 0);
}

#[test]
fn idle_connections_end_and_busy_ones_do_not() {
    let server = Server::start(hasty());
    let mut stream = server.connect();
    send(&mut stream, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut busy = server.connect();
    send(&mut busy, "GET /silent HTTP/1.1\r\nHost: x\r\n\r\n");
    let started = Instant::now();
    assert!(closes(&mut stream));
    assert!(
        started.elapsed() >= Duration::from_millis(550),
        "{:?}",
        started.elapsed()
    );
    // Others become idle and end, one after the other, and the busy one still waits for its answer.
    for _ in 0..2 {
        let mut other = server.connect();
        send(&mut other, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(closes(&mut other));
    }
    assert!(
        started.elapsed() >= Duration::from_millis(1650),
        "three times the idle time"
    );
    assert_eq!(server.seen.under_way(), 1);
}

#[test]
fn slow_bodies_end() {
    // Goal: a body that stalls, one that trickles and one that never ends are all cut off.
    let mut bounds = hasty();
    bounds.downstream.body_total = Duration::from_secs(3);
    let server = Server::start(bounds);
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    let stalled = talk(server.address, format!("{head}abc").as_bytes(), PATIENCE).unwrap();
    assert_eq!(outcomes(&stalled), ["bad_request"]);

    let slow = |pause: u64, piece: usize| {
        let mut stream = server.connect();
        let head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n";
        send(&mut stream, head);
        let started = Instant::now();
        while stream.write_all(&vec![b'x'; piece]).is_ok() {
            std::thread::sleep(Duration::from_millis(pause));
            assert!(
                started.elapsed() < PATIENCE,
                "{piece} bytes every {pause} ms last for ever"
            );
        }
        started.elapsed()
    };
    // Ten bytes every 50 ms: less than 256 in 300 ms.
    assert!(
        slow(50, 10) < Duration::from_millis(1400),
        "the pace is too slow"
    );
    // 300 bytes every 50 ms: fast enough, until the total time is over.
    assert!(
        slow(50, 300) > Duration::from_millis(1400),
        "the pace is fast enough"
    );
    server.until(|seen| seen.refused.load(Ordering::Relaxed) == 3);
}

#[test]
fn bodies_end_where_they_are_too_large() {
    let mut bounds = Bounds::default();
    bounds.downstream.body_bytes_max = 10;
    let server = Server::start(bounds);
    let chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let fits = format!("{chunked}a\r\n0123456789\r\n0\r\n\r\n");
    let large = format!("{chunked}a\r\n0123456789\r\n1\r\n0\r\n0\r\n\r\n");
    let declared = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n";
    assert_eq!(outcomes(&server.talk(fits)), ["200"]);
    assert_eq!(outcomes(&server.talk(large)), ["body_too_large"]);
    assert_eq!(outcomes(&server.talk(declared)), ["body_too_large"]);
}

#[test]
fn a_client_that_reads_nothing_is_dropped_and_holds_little() {
    // Goal: a stalled reader stops the source (backpressure) and is cut off in time. Method: an
    // endless answer, and a client that does not read: what was produced is what kernel and
    // connection buffers hold, and then nothing more.
    let server = Server::start(hasty());
    let mut stream = server.connect();
    send(&mut stream, "GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
    server.until(|seen| seen.under_way() == 1);
    server.until(|seen| seen.under_way() == 0);
    let produced = server.seen.produced();
    assert!(
        produced < 16 << 20,
        "{produced} bytes were produced for nobody"
    );
    // Another request comes and is answered meanwhile.
    assert_eq!(
        outcomes(&server.talk("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")),
        ["200"]
    );
    assert_eq!(server.seen.produced(), produced);
}

#[test]
fn a_client_that_goes_away_ends_its_request() {
    let server = Server::start(Bounds::default());
    for path in ["/silent", "/never", "/flood"] {
        let mut stream = server.connect();
        send(
            &mut stream,
            format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
        );
        server.until(|seen| seen.under_way() == 1);
        drop(stream);
        server.until(|seen| seen.under_way() == 0);
    }
    // Also with a second request waiting behind the first.
    let mut stream = server.connect();
    send(
        &mut stream,
        "GET /silent HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    server.until(|seen| seen.under_way() == 1);
    drop(stream);
    server.until(|seen| seen.under_way() == 0);
}

#[test]
fn connections_are_counted_by_address_and_in_all() {
    let mut bounds = Bounds::default();
    bounds.downstream.connections_max = 3;
    bounds.downstream.connections_per_address_max = 2;
    let works = |stream: &mut TcpStream| {
        let request = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut space = [0; 12];
        stream.write_all(request.as_bytes()).is_ok()
            && stream.read_exact(&mut space).is_ok()
            && &space == b"HTTP/1.1 200"
    };
    for (proxies, allowed) in [(&[][..], 2), (&["127.0.0.0/8"][..], 3)] {
        let server = Server::start_with(bounds.clone(), None, proxies);
        let mut open: Vec<TcpStream> = (0..allowed).map(|_| server.connect()).collect();
        assert!(open.iter_mut().all(works), "{allowed} connections fit");
        assert!(!works(&mut server.connect()), "one more does not");
        open.pop();
        let deadline = Instant::now() + PATIENCE;
        while !works(&mut server.connect()) {
            assert!(
                Instant::now() < deadline,
                "a closed connection frees its place"
            );
        }
    }
}

#[test]
fn a_refusal_outruns_the_reset() {
    // Goal: a client that sends a large body without looking still reads the answer that came
    // before it was read. Method: half a megabyte to a service that answers at once, then read.
    let server = Server::start(Bounds::default());
    let head = "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n";
    let request = [head.as_bytes(), &vec![b'x'; 500_000]].concat();
    for _ in 0..20 {
        let conversation = server.talk(&request);
        assert_eq!(outcomes(&conversation), ["200"]);
        assert_ne!(conversation.end, End::Reset);
    }
}

#[test]
fn a_shutdown_drains_and_then_drops() {
    // Goal: idle connections end at once, answers under way may finish, what does not end is
    // dropped when the drain is over; all threads are gone then.
    let mut bounds = hasty();
    bounds.drain = Duration::from_secs(2);
    let server = Server::start(bounds);
    let mut idle = server.connect();
    send(&mut idle, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut upload = server.connect();
    send(
        &mut upload,
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na",
    );
    let mut stuck = server.connect();
    send(&mut stuck, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    server.until(|seen| seen.requests() == 3);
    let seen = Arc::clone(&server.seen);
    server.shutdown.cancel();
    assert!(closes(&mut idle));
    send(&mut upload, "b");
    let mut answer = String::new();
    upload.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("POST /echo  2"), "{answer}");
    let started = Instant::now();
    let address = server.address;
    server.stop();
    assert!(started.elapsed() < Duration::from_secs(6));
    assert!(closes(&mut stuck));
    assert_eq!(seen.under_way(), 0, "futures are dropped with their core");
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn trailers_go_to_clients_that_take_them() {
    let server = Server::start(Bounds::default());
    let plain = server.talk("GET /trailers HTTP/1.1\r\nHost: x\r\n\r\n");
    let taken =
        server.talk("GET /trailers HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
    let text =
        |conversation: &Conversation| String::from_utf8_lossy(&conversation.bytes).into_owned();
    assert!(
        text(&taken).contains("0\r\nx-sum: 42\r\n\r\n"),
        "{}",
        text(&taken)
    );
    assert!(!text(&plain).contains("x-sum: 42"), "{}", text(&plain));
}

#[test]
fn forwarded_addresses_are_believed_of_listed_proxies_only() {
    let request =
        "GET /source HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4, 203.0.113.9\r\n\r\n";
    let open = Server::start(Bounds::default());
    assert_eq!(open.talk(request).answers[0].text(), "127.0.0.1");
    let behind = Server::start_with(Bounds::default(), None, &["127.0.0.1/32"]);
    assert_eq!(behind.talk(request).answers[0].text(), "203.0.113.9");
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    // Goal: sockets of one gateway share a port, two gateways do not.
    let mut options = ListenOptions {
        address: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        plain_beyond_loopback: false,
        cores: 2,
    };
    let first = Listener::bind(&options).unwrap();
    options.address = first.address();
    let error = Listener::bind(&options).unwrap_err();
    assert!(matches!(error, crate::ListenError::Bind(..)), "{error}");
    drop(first);
    assert!(Listener::bind(&options).is_ok());
}

#[test]
fn plain_text_stays_on_loopback() {
    let options = |address: &str, allowed| ListenOptions {
        address: address.parse().unwrap(),
        tls: None,
        plain_beyond_loopback: allowed,
        cores: 1,
    };
    let error = Listener::bind(&options("0.0.0.0:0", false)).unwrap_err();
    assert!(error.to_string().contains("loopback only"), "{error}");
    assert!(Listener::bind(&options("0.0.0.0:0", true)).is_ok());
    assert!(Listener::bind(&options("[::1]:0", false)).is_ok());
}

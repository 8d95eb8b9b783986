//! A reader that is away, its answer ended meanwhile, and the moment in the hands of the test.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::task::Waker;

use postern_types::Finding;

use super::*;

/// What a step is told by its test, which lets it begin and lets it go on.
struct Held {
    begun: Receiver<()>,
    go_on: SyncSender<()>,
    found: Receiver<Vec<Finding>>,
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.build().unwrap()
}

/// Sends a reader away with a card number to read; it says when it begins, and then waits.
fn send(aside: &mut Aside, reader: &mut Reader) -> (Receiver<()>, SyncSender<()>) {
    let (begins, begun) = sync_channel(1);
    let (go_on, goes_on) = sync_channel(1);
    aside.send(reader, move |reader, out| {
        begins.send(()).unwrap();
        // Nobody is there any more where the test has failed.
        let _ended = goes_on.recv();
        reader.push(Bytes::from_static(b"card 4539578763621486 ok"), out)
    });
    (begun, go_on)
}

/// What to do with the reader when it is back: tell what it found.
fn tell(found: SyncSender<Vec<Finding>>) -> impl FnOnce(&Reader) + Send + 'static {
    move |reader| found.send(reader.findings()).unwrap()
}

/// A reader whose step has begun and waits for the test.
fn at_work(aside: &mut Aside, reader: &mut Reader) -> Held {
    let (begun, go_on) = send(aside, reader);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(aside.poll(&mut cx).is_pending());
    begun.recv().unwrap();
    let (tells, found) = sync_channel(1);
    aside.when_back(reader, tell(tells));
    Held {
        begun,
        go_on,
        found,
    }
}

#[test]
fn what_a_reader_finds_after_the_end_counts() {
    // Goal: an answer that ends while a worker has its reader does not wait for it, and loses none
    // of its findings. Method: the step waits for the test; the end comes first.
    let runtime = runtime();
    let _entered = runtime.enter();
    let mut reader = Reader::masking_cards();
    let mut aside = Aside::new((Arc::new(Semaphore::new(1)), false));
    let held = at_work(&mut aside, &mut reader);
    assert!(!aside.is_at_work());
    assert!(held.found.try_recv().is_err(), "it is still at work");
    held.go_on.send(()).unwrap();
    let found = held.found.recv().unwrap();
    assert_eq!(found.len(), 1);
    assert!(held.begun.recv().is_err(), "the step is over");
}

#[test]
fn a_reader_that_never_has_its_turn_comes_back_at_once() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let mut reader = Reader::masking_cards();
    let mut aside = Aside::new((Arc::new(Semaphore::new(0)), false));
    let (begun, _go_on) = send(&mut aside, &mut reader);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(aside.poll(&mut cx).is_pending());
    let (tells, found) = sync_channel(1);
    aside.when_back(&reader, tell(tells));
    assert_eq!(found.try_recv(), Ok(Vec::new()));
    assert!(begun.recv().is_err(), "the step never began");
}

#[test]
fn what_a_reader_found_before_the_end_counts_too() {
    // Goal: work that is done, and whose answer has not seen it yet, is not lost by an end that
    // comes between. Method: the worker's one place is free again when it has handed in its work.
    let runtime = runtime();
    let _entered = runtime.enter();
    let mut reader = Reader::masking_cards();
    let places = Arc::new(Semaphore::new(1));
    let mut aside = Aside::new((Arc::clone(&places), false));
    let (begun, go_on) = send(&mut aside, &mut reader);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(aside.poll(&mut cx).is_pending());
    begun.recv().unwrap();
    go_on.send(()).unwrap();
    let _place = runtime.block_on(places.acquire()).unwrap();
    let (tells, found) = sync_channel(1);
    aside.when_back(&reader, tell(tells));
    assert_eq!(found.try_recv().map(|found| found.len()), Ok(1));
}

#[test]
fn a_step_that_panics_ends_the_answer() {
    let runtime = runtime();
    let mut reader = Reader::masking_cards();
    let mut aside = Aside::new((Arc::new(Semaphore::new(1)), false));
    aside.send(&mut reader, |_, _| panic!("a step that fails"));
    let ended = runtime.block_on(std::future::poll_fn(|cx| aside.poll(cx)));
    assert!(ended.is_err_and(|refusal| refusal.code() == RefusalCode::Internal));
    let (tells, found) = sync_channel(1);
    aside.when_back(&reader, tell(tells));
    assert_eq!(found.try_recv(), Ok(Vec::new()));
}

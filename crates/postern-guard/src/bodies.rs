//! Request bodies in memory: a bound in all, and a fair share of it for each token.
//!
//! A body that policy asks about is read whole before any limit of its token is taken, so what
//! bounds it stands here. The bytes are taken as they arrive, never as they are announced: who only
//! announces much holds nothing. They are given back when the bytes themselves are dropped.
//!
//! A token may hold as much as is still free for the others. One token alone gets half of the
//! whole, two a third each: however many hoard, there is room for one more, and no figure has to be
//! set for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use foldhash::HashMap;
use parking_lot::Mutex;
use postern_types::{Refusal, RefusalCode, TokenId};

/// The room for all bodies.
struct Room {
    bytes_max: u64,
    held: AtomicU64,
}

/// What the bodies of one token hold of the room, however often its record was loaded anew.
pub(crate) struct BodyShare {
    room: Arc<Room>,
    held: AtomicU64,
}

/// What one body holds of the room, until it is dropped.
pub struct BodyRoom {
    share: Arc<BodyShare>,
    bytes: u64,
}

impl BodyRoom {
    /// Takes room for more bytes of this body.
    ///
    /// # Errors
    /// `overloaded` when the gateway has no room; `too_many_concurrent` when it has, and the token
    /// uses up its share with other requests. That is the code which names the token's own requests
    /// as the cause, and the one whose advice helps: fewer at once. A token whose one body does not
    /// fit is not to blame, so it is told `overloaded`.
    pub fn grow(&mut self, bytes: u64) -> Result<(), Refusal> {
        let room = &self.share.room;
        let taken = room
            .held
            .try_update(Ordering::AcqRel, Ordering::Acquire, |held| {
                let after = held.checked_add(bytes)?;
                (after <= room.bytes_max).then_some(after)
            });
        let Ok(before) = taken else {
            return Err(overloaded());
        };
        let free = room.bytes_max - (before + bytes);
        let shared = self
            .share
            .held
            .try_update(Ordering::AcqRel, Ordering::Acquire, |held| {
                let after = held.checked_add(bytes)?;
                (after <= free).then_some(after)
            });
        if let Err(held) = shared {
            room.held.fetch_sub(bytes, Ordering::AcqRel);
            return Err(if held > self.bytes {
                let cause = "the bodies of the token's other requests use up its share of memory";
                Refusal::new(RefusalCode::TooManyConcurrent, cause)
            } else {
                overloaded()
            });
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for BodyRoom {
    fn drop(&mut self) {
        self.share.held.fetch_sub(self.bytes, Ordering::AcqRel);
        self.share.room.held.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

fn overloaded() -> Refusal {
    let cause = "the bodies of requests use up the memory that is set for them";
    Refusal::new(RefusalCode::Overloaded, cause)
}

impl BodyShare {
    /// The room of one more body, of which nothing has come yet.
    pub(crate) fn body(self: &Arc<Self>) -> BodyRoom {
        BodyRoom {
            share: Arc::clone(self),
            bytes: 0,
        }
    }
}

/// The bodies of all tokens in use.
pub(crate) struct Bodies {
    room: Arc<Room>,
    by_token: Mutex<HashMap<TokenId, Weak<BodyShare>>>,
}

impl Bodies {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let held = AtomicU64::new(0);
        Self {
            room: Arc::new(Room { bytes_max, held }),
            by_token: Mutex::default(),
        }
    }

    /// The share of a token, the same for everyone who asks while it is in use.
    pub(crate) fn of(&self, token: TokenId) -> Arc<BodyShare> {
        let mut shares = self.by_token.lock();
        if let Some(share) = shares.get(&token).and_then(Weak::upgrade) {
            return share;
        }
        let share = Arc::new(BodyShare {
            room: Arc::clone(&self.room),
            held: AtomicU64::new(0),
        });
        shares.insert(token, Arc::downgrade(&share));
        share
    }

    /// Bytes that bodies hold in all.
    pub(crate) fn held(&self) -> u64 {
        self.room.held.load(Ordering::Acquire)
    }

    /// Forgets shares that nobody holds.
    pub(crate) fn purge(&self) {
        self.by_token
            .lock()
            .retain(|_, share| share.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(number: usize) -> TokenId {
        TokenId::parse(&format!("{number:016}")).unwrap()
    }

    #[test]
    fn a_token_that_hoards_leaves_room_for_others() {
        // Goal: whoever came first, the next token gets room, and the refusal says whose fault it
        // is. Method: tokens that each take byte by byte until they are refused.
        let bodies = Bodies::new(1_000);
        let mut held = Vec::new();
        for number in 0..5 {
            let share = bodies.of(token(number));
            let before = bodies.held();
            let refusal = loop {
                let mut body = share.body();
                match body.grow(1) {
                    Ok(()) => held.push(body),
                    Err(refusal) => break refusal,
                }
            };
            assert_eq!(refusal.code(), RefusalCode::TooManyConcurrent);
            let (took, free) = (bodies.held() - before, 1_000 - before);
            assert_eq!(took, free / 2, "half of what was free");
        }
        drop(held);
        assert_eq!(bodies.held(), 0);
    }

    #[test]
    fn one_body_that_does_not_fit_is_not_its_tokens_fault() {
        let bodies = Bodies::new(100);
        let share = bodies.of(token(1));
        let mut body = share.body();
        assert!(body.grow(50).is_ok());
        let refusal = body.grow(1).err().unwrap();
        assert_eq!(refusal.code(), RefusalCode::Overloaded);
        assert_eq!(bodies.held(), 50, "a refused byte is not held");
        let other = bodies.of(token(2)).body().grow(101).err().unwrap();
        assert_eq!(other.code(), RefusalCode::Overloaded);
    }

    #[test]
    fn a_token_has_one_share_however_often_it_is_loaded() {
        let bodies = Bodies::new(100);
        let mut first = bodies.of(token(1)).body();
        first.grow(40).unwrap();
        assert!(bodies.of(token(1)).body().grow(11).is_err());
        drop(first);
        bodies.purge();
        assert!(bodies.by_token.lock().is_empty());
        assert!(bodies.of(token(1)).body().grow(50).is_ok());
    }

    proptest! {
        // Goal: the bound holds, no byte is lost, and a token that holds nothing gets a byte as
        // long as two are free. Method: random growth and endings of the bodies of a few tokens,
        // beside a plain sum.
        #[test]
        fn the_room_is_never_passed_and_always_comes_back(
            steps in proptest::collection::vec((0_usize..4, 0_u64..400, any::<bool>()), 0..80),
        ) {
            let bodies = Bodies::new(1_000);
            let mut held: Vec<(BodyRoom, u64)> = Vec::new();
            for (who, bytes, ends) in steps {
                if ends && !held.is_empty() {
                    held.swap_remove(bytes as usize % held.len());
                } else {
                    let mut body = bodies.of(token(who)).body();
                    if body.grow(bytes).is_ok() {
                        held.push((body, bytes));
                    }
                }
                let sum: u64 = held.iter().map(|(_, bytes)| bytes).sum();
                prop_assert_eq!(bodies.held(), sum);
                prop_assert!(sum <= 1_000);
                if sum <= 998 {
                    prop_assert!(bodies.of(token(9)).body().grow(1).is_ok());
                }
            }
            drop(held);
            prop_assert_eq!(bodies.held(), 0);
        }
    }
}

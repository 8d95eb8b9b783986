//! The salts of sealed bodies, drawn many at a time: a draw from the library costs the same for one
//! as for dozens.

use std::cell::RefCell;
use std::io;

use crate::leaf::SALT_BYTES;
use crate::writer::random;

/// Salts drawn at once.
const DRAWN: usize = 32;

/// Salts of one thread that were drawn and not used yet.
struct Drawn {
    salts: [[u8; SALT_BYTES]; DRAWN],
    left: usize,
}

/// A salt that nobody else has.
///
/// SECURITY: who knows a salt can test guesses of its body, so it is wiped here when it is handed
/// out; from then on it lies in the sealed body alone.
pub(crate) fn salt() -> io::Result<[u8; SALT_BYTES]> {
    thread_local! {
        static THREAD: RefCell<Drawn> = const {
            RefCell::new(Drawn { salts: [[0; SALT_BYTES]; DRAWN], left: 0 })
        };
    }
    THREAD.with_borrow_mut(|drawn| {
        if drawn.left == 0 {
            let bytes: [u8; SALT_BYTES * DRAWN] = random()?;
            drawn.salts.as_flattened_mut().copy_from_slice(&bytes);
            drawn.left = DRAWN;
        }
        drawn.left -= 1;
        Ok(std::mem::take(&mut drawn.salts[drawn.left]))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_salt_is_handed_out_twice() {
        // Goal: salts differ also over the end of what was drawn at once, and between threads.
        // Method: many more than one draw holds, on two threads; none is the zeros of a wiped one.
        let draw = || -> Vec<_> { (0..500).map(|_| salt().expect("draws")).collect() };
        let there = std::thread::spawn(draw);
        let mut all = draw();
        all.extend(there.join().expect("no panic"));
        let distinct = all.iter().collect::<HashSet<_>>();
        assert_eq!(distinct.len(), all.len());
        assert!(!distinct.contains(&[0; SALT_BYTES]));
    }
}

//! Eight bytes at a time in one word of the machine, and a bit for each byte of a block.

/// As many bytes as a word of the machine has bits.
pub(crate) const BLOCK_BYTES: usize = 64;

/// The lowest bit of each byte.
pub(super) const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of each byte.
const HIGH: u64 = ONES << 7;

/// The same byte in all places.
const fn all(byte: u8) -> u64 {
    byte as u64 * ONES
}

/// The lowest bits of the eight bytes, that of the first the lowest.
pub(super) const fn gather(bytes: u64) -> u64 {
    // Moves the bit of byte `n` to bit `n` of the highest byte.
    bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The bits of white space, controls with it, and of small letters.
pub(crate) fn white_and_small(block: &[u8; BLOCK_BYTES]) -> (u64, u64) {
    let (mut white, mut small) = (0, 0);
    let (eights, _) = block.as_chunks();
    for eight in eights.iter().rev() {
        let bytes = u64::from_le_bytes(*eight);
        // Nothing that is added to seven bits reaches the next byte.
        let low = bytes & !HIGH;
        let from = |byte: u8| low + all(0x80 - byte);
        let own_white = !(from(b' ' + 1) | bytes) & HIGH;
        let own_small = from(b'a') & !from(b'z' + 1) & !bytes & HIGH;
        white = white << 8 | gather(own_white >> 7);
        small = small << 8 | gather(own_small >> 7);
    }
    (white, small)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Goal: each byte has its bit. Method: blocks of any bytes.
        #[test]
        fn bits_are_those_of_the_bytes(
            bytes in proptest::collection::vec(any::<u8>(), BLOCK_BYTES),
        ) {
            let mut block = [0; BLOCK_BYTES];
            block.copy_from_slice(&bytes);
            let (white, small) = white_and_small(&block);
            for (at, byte) in block.into_iter().enumerate() {
                prop_assert_eq!(white >> at & 1 == 1, byte <= b' ');
                prop_assert_eq!(small >> at & 1 == 1, byte.is_ascii_lowercase());
            }
        }
    }
}

//! Whole numbers of a few bits each, side by side.
//!
//! Value *i* of width *w* takes the bits *i·w* to before *(i + 1)·w*, least significant first, so that eight values take
//! *w* bytes. The last byte's free bits are zero.

/// Returns the bytes that `count` values of `width` bits take.
pub(crate) fn packed_bytes(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// Returns the bits that `value` needs.
pub(crate) fn bits_of(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// Appends `values`, of which only the low `width` bits are kept.
pub(crate) fn pack(values: impl IntoIterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let mask = u64::MAX >> (u64::BITS - width);
    let (mut waiting, mut bits) = (0_u128, 0);
    for value in values {
        waiting |= u128::from(value & mask) << bits;
        bits += width;
        if bits >= u64::BITS {
            #[expect(clippy::cast_possible_truncation, reason = "the high half stays waiting")]
            out.extend_from_slice(&(waiting as u64).to_le_bytes());
            waiting >>= u64::BITS;
            bits -= u64::BITS;
        }
    }
    out.extend_from_slice(&waiting.to_le_bytes()[..bits.div_ceil(8) as usize]);
}

/// Fills `out` with the values packed in `bytes`, which must be as many as [`packed_bytes`] says.
pub(crate) fn unpack(bytes: &[u8], width: u32, out: &mut [u64]) {
    assert_eq!(bytes.len(), packed_bytes(out.len(), width), "packed values have their length");
    macro_rules! by_width {
        ($($width:literal)*) => {
            match width {
                0 => {
                    out.fill(0);
                    0
                }
                $($width => unpack_groups::<$width>(bytes, out),)*
                _ => 0,
            }
        };
    }
    let done = by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35
        36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56);
    if width > 0 {
        unpack_slowly(bytes, width as usize, done, out);
    }
}

/// Unpacks groups of eight values while eight bytes can be read from each of them, and returns how many values that was.
fn unpack_groups<const WIDTH: usize>(bytes: &[u8], out: &mut [u64]) -> usize {
    let mask = u64::MAX >> (64 - WIDTH);
    let mut done = 0;
    for group in out.as_chunks_mut::<8>().0 {
        let start = done / 8 * WIDTH;
        // The last value begins before byte WIDTH of the group, and is read with the seven bytes behind it.
        let Some(packed) = bytes.get(start..start + WIDTH + 8) else { return done };
        for (index, value) in group.iter_mut().enumerate() {
            let bit = index * WIDTH;
            let word = packed[bit / 8..bit / 8 + 8].try_into().expect("eight bytes");
            *value = (u64::from_le_bytes(word) >> (bit % 8)) & mask;
        }
        done += 8;
    }
    done
}

fn unpack_slowly(bytes: &[u8], width: usize, done: usize, out: &mut [u64]) {
    let mask = u64::MAX >> (64 - width);
    for (index, value) in out.iter_mut().enumerate().skip(done) {
        let bit = index * width;
        let present = &bytes[bit / 8..bytes.len().min(bit / 8 + 16)];
        let mut word = [0; 16];
        word[..present.len()].copy_from_slice(present);
        #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 64 bits at most")]
        let low = (u128::from_le_bytes(word) >> (bit % 8)) as u64;
        *value = low & mask;
    }
}

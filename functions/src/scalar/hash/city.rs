//! CityHash 1.1 of 32, 64 and 128 bits.
//!
//! The functions are named after the lengths that they are for; all callers keep to them, so that no read passes an end.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;
const C1: u32 = 0xcc9e_2d51;
const C2: u32 = 0x1b87_3593;

/// Two numbers that are carried along.
type Pair = (u64, u64);

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
}

fn half_word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word))
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
fn low(length: usize) -> u32 {
    length as u32
}

fn shift_mix(value: u64) -> u64 {
    value ^ (value >> 47)
}

fn mixed_by(u: u64, v: u64, factor: u64) -> u64 {
    let a = shift_mix((u ^ v).wrapping_mul(factor));
    shift_mix((v ^ a).wrapping_mul(factor)).wrapping_mul(factor)
}

fn mixed(u: u64, v: u64) -> u64 {
    mixed_by(u, v, 0x9ddf_ea08_eb38_2d69)
}

/// Returns CityHash64.
pub(super) fn hash_64(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0..=16 => up_to_16(bytes),
        17..=32 => up_to_32(bytes),
        33..=64 => up_to_64(bytes),
        _ => above_64(bytes),
    }
}

/// Returns CityHash64 with two seeds.
pub(super) fn hash_64_with_seeds(bytes: &[u8], first: u64, second: u64) -> u64 {
    mixed(hash_64(bytes).wrapping_sub(first), second)
}

/// Returns CityHash64 with one seed.
pub(super) fn hash_64_with_seed(bytes: &[u8], seed: u64) -> u64 {
    hash_64_with_seeds(bytes, K2, seed)
}

fn up_to_16(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let factor = K2.wrapping_add(length as u64 * 2);
    match length {
        8.. => {
            let a = word(bytes, 0).wrapping_add(K2);
            let b = word(bytes, length - 8);
            let c = b.rotate_right(37).wrapping_mul(factor).wrapping_add(a);
            let d = a.rotate_right(25).wrapping_add(b).wrapping_mul(factor);
            mixed_by(c, d, factor)
        }
        4..8 => {
            let a = u64::from(half_word(bytes, 0));
            mixed_by((a << 3).wrapping_add(length as u64), u64::from(half_word(bytes, length - 4)), factor)
        }
        1..4 => {
            let (a, b, c) = (bytes[0], bytes[length >> 1], bytes[length - 1]);
            let y = u64::from(a) + (u64::from(b) << 8);
            let z = length as u64 + (u64::from(c) << 2);
            shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K0)).wrapping_mul(K2)
        }
        0 => K2,
    }
}

fn up_to_32(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let factor = K2.wrapping_add(length as u64 * 2);
    let a = word(bytes, 0).wrapping_mul(K1);
    let b = word(bytes, 8);
    let c = word(bytes, length - 8).wrapping_mul(factor);
    let d = word(bytes, length - 16).wrapping_mul(K2);
    let first = a.wrapping_add(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let second = a.wrapping_add(b.wrapping_add(K2).rotate_right(18)).wrapping_add(c);
    mixed_by(first, second, factor)
}

fn up_to_64(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let factor = K2.wrapping_add(length as u64 * 2);
    let a = word(bytes, 0).wrapping_mul(K2);
    let b = word(bytes, 8);
    let c = word(bytes, length - 24);
    let d = word(bytes, length - 32);
    let e = word(bytes, 16).wrapping_mul(K2);
    let f = word(bytes, 24).wrapping_mul(9);
    let g = word(bytes, length - 8);
    let h = word(bytes, length - 16).wrapping_mul(factor);
    let u =
        a.wrapping_add(g).rotate_right(43).wrapping_add(b.rotate_right(30).wrapping_add(c).wrapping_mul(9));
    let v = (a.wrapping_add(g) ^ d).wrapping_add(f).wrapping_add(1);
    let w = u.wrapping_add(v).wrapping_mul(factor).swap_bytes().wrapping_add(h);
    let x = e.wrapping_add(f).rotate_right(42).wrapping_add(c);
    let y = v.wrapping_add(w).wrapping_mul(factor).swap_bytes().wrapping_add(g).wrapping_mul(factor);
    let z = e.wrapping_add(f).wrapping_add(c);
    let a = x.wrapping_add(z).wrapping_mul(factor).wrapping_add(y).swap_bytes().wrapping_add(b);
    let b = z.wrapping_add(a).wrapping_mul(factor).wrapping_add(d).wrapping_add(h);
    shift_mix(b).wrapping_mul(factor).wrapping_add(x)
}

/// Mixes 32 bytes into two numbers.
fn weakly(bytes: &[u8], a: u64, b: u64) -> Pair {
    let (w, x, y, z) = (word(bytes, 0), word(bytes, 8), word(bytes, 16), word(bytes, 24));
    let a = a.wrapping_add(w);
    let b = b.wrapping_add(a).wrapping_add(z).rotate_right(21);
    let sum = a.wrapping_add(x).wrapping_add(y);
    (sum.wrapping_add(z), b.wrapping_add(sum.rotate_right(44)).wrapping_add(a))
}

/// What long texts are taken in by: 64 bytes a step.
struct Long {
    x: u64,
    y: u64,
    z: u64,
    v: Pair,
    w: Pair,
}

impl Long {
    fn step(&mut self, block: &[u8]) {
        let x = self.x.wrapping_add(self.y).wrapping_add(self.v.0).wrapping_add(word(block, 8));
        let y = self.y.wrapping_add(self.v.1).wrapping_add(word(block, 48));
        self.x = x.rotate_right(37).wrapping_mul(K1) ^ self.w.1;
        self.y = y.rotate_right(42).wrapping_mul(K1).wrapping_add(self.v.0).wrapping_add(word(block, 40));
        self.z = self.z.wrapping_add(self.w.0).rotate_right(33).wrapping_mul(K1);
        self.v = weakly(block, self.v.1.wrapping_mul(K1), self.x.wrapping_add(self.w.0));
        self.w = weakly(&block[32..], self.z.wrapping_add(self.w.1), self.y.wrapping_add(word(block, 16)));
        std::mem::swap(&mut self.z, &mut self.x);
    }
}

fn above_64(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let x = word(bytes, length - 40);
    let y = word(bytes, length - 16).wrapping_add(word(bytes, length - 56));
    let z = mixed(word(bytes, length - 48).wrapping_add(length as u64), word(bytes, length - 24));
    let v = weakly(&bytes[length - 64..], length as u64, z);
    let w = weakly(&bytes[length - 32..], y.wrapping_add(K1), x);
    let mut state = Long { x: x.wrapping_mul(K1).wrapping_add(word(bytes, 0)), y, z, v, w };
    for block in bytes[..(length - 1) / 64 * 64].chunks_exact(64) {
        state.step(block);
    }
    let first =
        mixed(state.v.0, state.w.0).wrapping_add(shift_mix(state.y).wrapping_mul(K1)).wrapping_add(state.z);
    mixed(first, mixed(state.v.1, state.w.1).wrapping_add(state.x))
}

/// Returns CityHash128 in two halves, as Pinot's order has them.
pub(super) fn hash_128(bytes: &[u8]) -> Pair {
    match bytes.split_at_checked(16) {
        Some((seeds, rest)) => seeded_128(rest, word(seeds, 0), word(seeds, 8).wrapping_add(K0)),
        None => seeded_128(bytes, K0, K1),
    }
}

fn seeded_128(bytes: &[u8], first: u64, second: u64) -> Pair {
    if bytes.len() < 128 {
        return murmured(bytes, first, second);
    }
    let (x, y, z) = (first, second, K1.wrapping_mul(bytes.len() as u64));
    let v0 = (y ^ K1).rotate_right(49).wrapping_mul(K1).wrapping_add(word(bytes, 0));
    let v = (v0, v0.rotate_right(42).wrapping_mul(K1).wrapping_add(word(bytes, 8)));
    let w = (
        y.wrapping_add(z).rotate_right(35).wrapping_mul(K1).wrapping_add(x),
        x.wrapping_add(word(bytes, 88)).rotate_right(53).wrapping_mul(K1),
    );
    let mut state = Long { x, y, z, v, w };
    let taken = bytes.len() / 128 * 128;
    for block in bytes[..taken].chunks_exact(64) {
        state.step(block);
    }
    let Long { mut x, mut y, mut z, mut v, mut w } = state;
    x = x.wrapping_add(v.0.wrapping_add(z).rotate_right(49).wrapping_mul(K0));
    y = y.wrapping_mul(K0).wrapping_add(w.1.rotate_right(37));
    z = z.wrapping_mul(K0).wrapping_add(w.0.rotate_right(27));
    w.0 = w.0.wrapping_mul(9);
    v.0 = v.0.wrapping_mul(K0);
    // The rest is taken from its end, 32 bytes a step; the last step reaches into what was taken before.
    let mut end = bytes.len();
    while end > taken {
        end -= 32;
        let block = &bytes[end..];
        y = x.wrapping_add(y).rotate_right(42).wrapping_mul(K0).wrapping_add(v.1);
        w.0 = w.0.wrapping_add(word(block, 16));
        x = x.wrapping_mul(K0).wrapping_add(w.0);
        z = z.wrapping_add(w.1).wrapping_add(word(block, 0));
        w.1 = w.1.wrapping_add(v.0);
        v = weakly(block, v.0.wrapping_add(z), v.1);
        v.0 = v.0.wrapping_mul(K0);
    }
    let x = mixed(x, v.0);
    let y = mixed(y.wrapping_add(z), w.0);
    (mixed(x.wrapping_add(v.1), w.1).wrapping_add(y), mixed(x.wrapping_add(w.1), y.wrapping_add(v.1)))
}

fn murmured(bytes: &[u8], first: u64, second: u64) -> Pair {
    let length = bytes.len();
    let (mut a, mut b) = (first, second);
    let (mut c, mut d);
    if length <= 16 {
        a = shift_mix(a.wrapping_mul(K1)).wrapping_mul(K1);
        c = b.wrapping_mul(K1).wrapping_add(up_to_16(bytes));
        d = shift_mix(a.wrapping_add(if length >= 8 { word(bytes, 0) } else { c }));
    } else {
        c = mixed(word(bytes, length - 8).wrapping_add(K1), a);
        d = mixed(b.wrapping_add(length as u64), c.wrapping_add(word(bytes, length - 16)));
        a = a.wrapping_add(d);
        for block in bytes[..(length - 1) / 16 * 16].chunks_exact(16) {
            a = (a ^ shift_mix(word(block, 0).wrapping_mul(K1)).wrapping_mul(K1)).wrapping_mul(K1);
            b ^= a;
            c = (c ^ shift_mix(word(block, 8).wrapping_mul(K1)).wrapping_mul(K1)).wrapping_mul(K1);
            d ^= c;
        }
    }
    let a = mixed(a, c);
    let b = mixed(d, b);
    (a ^ b, mixed(b, a))
}

fn mur(a: u32, hash: u32) -> u32 {
    let a = a.wrapping_mul(C1).rotate_right(17).wrapping_mul(C2);
    (hash ^ a).rotate_right(19).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finish(mut hash: u32) -> u32 {
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// Returns CityHash32.
pub(super) fn hash_32(bytes: &[u8]) -> u32 {
    let length = bytes.len();
    match length {
        0..=4 => {
            let (mut b, mut c) = (0_u32, 9_u32);
            for byte in bytes {
                b = b.wrapping_mul(C1).wrapping_add_signed(i32::from(byte.cast_signed()));
                c ^= b;
            }
            finish(mur(b, mur(low(length), c)))
        }
        5..=12 => {
            let a = low(length).wrapping_add(half_word(bytes, 0));
            let five = low(length).wrapping_mul(5);
            let b = five.wrapping_add(half_word(bytes, length - 4));
            let c = half_word(bytes, (length >> 1) & 4).wrapping_add(9);
            finish(mur(c, mur(b, mur(a, five))))
        }
        13..=24 => {
            let places = [(length >> 1) - 4, 4, length - 8, length >> 1, 0, length - 4];
            finish(places.into_iter().fold(low(length), |hash, at| mur(half_word(bytes, at), hash)))
        }
        _ => long_32(bytes),
    }
}

fn long_32(bytes: &[u8]) -> u32 {
    let length = bytes.len();
    let scrambled = |at: usize| half_word(bytes, at).wrapping_mul(C1).rotate_right(17).wrapping_mul(C2);
    let taken =
        |hash: u32, part: u32| (hash ^ part).rotate_right(19).wrapping_mul(5).wrapping_add(0xe654_6b64);
    let mut h = taken(taken(low(length), scrambled(length - 4)), scrambled(length - 16));
    let start = C1.wrapping_mul(low(length));
    let mut g = taken(taken(start, scrambled(length - 8)), scrambled(length - 12));
    let mut f = start.wrapping_add(scrambled(length - 20));
    f = f.rotate_right(19).wrapping_mul(5).wrapping_add(0xe654_6b64);
    for block in 0..(length - 1) / 20 {
        let at = block * 20;
        let (a0, a1) = (scrambled(at), half_word(bytes, at + 4));
        let (a2, a3, a4) = (scrambled(at + 8), scrambled(at + 12), half_word(bytes, at + 16));
        h = (h ^ a0).rotate_right(18).wrapping_mul(5).wrapping_add(0xe654_6b64);
        f = f.wrapping_add(a1).rotate_right(19).wrapping_mul(C1);
        g = g.wrapping_add(a2).rotate_right(18).wrapping_mul(5).wrapping_add(0xe654_6b64);
        h = (h ^ a3.wrapping_add(a1)).rotate_right(19).wrapping_mul(5).wrapping_add(0xe654_6b64);
        g = (g ^ a4).swap_bytes().wrapping_mul(5);
        h = h.wrapping_add(a4.wrapping_mul(5)).swap_bytes();
        f = f.wrapping_add(a0);
        (f, g, h) = (g, h, f);
    }
    let spread = |value: u32| value.rotate_right(11).wrapping_mul(C1).rotate_right(17).wrapping_mul(C1);
    let (g, f) = (spread(g), spread(f));
    let joined = |h: u32, other: u32| {
        let h = h.wrapping_add(other).rotate_right(19).wrapping_mul(5).wrapping_add(0xe654_6b64);
        h.rotate_right(17).wrapping_mul(C1)
    };
    joined(joined(h, g), f)
}

//! Short hashes: checksums, FNV, and MurmurHash in the forms that Pinot has.

/// Returns the CRC-32 of Ethernet and gzip.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0_u32;
        while index < 256 {
            let mut value = index;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[index as usize] = value;
            index += 1;
        }
        table
    };
    let step = |crc: u32, byte: &u8| TABLE[((crc ^ u32::from(*byte)) & 0xFF) as usize] ^ (crc >> 8);
    !bytes.iter().fold(u32::MAX, step)
}

/// Returns the checksum of zlib.
pub(super) fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % BASE;
        (low, (high + low) % BASE)
    });
    high << 16 | low
}

/// Returns the FNV of 32 bits; `a` takes each byte in before it multiplies.
pub(super) fn fnv_32(bytes: &[u8], a: bool) -> i32 {
    const PRIME: u32 = 0x0100_0193;
    let step = |hash: u32, byte: &u8| match a {
        true => (hash ^ u32::from(*byte)).wrapping_mul(PRIME),
        false => hash.wrapping_mul(PRIME) ^ u32::from(*byte),
    };
    bytes.iter().fold(0x811c_9dc5, step).cast_signed()
}

/// Returns the FNV of 64 bits.
pub(super) fn fnv_64(bytes: &[u8], a: bool) -> i64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let step = |hash: u64, byte: &u8| match a {
        true => (hash ^ u64::from(*byte)).wrapping_mul(PRIME),
        false => hash.wrapping_mul(PRIME) ^ u64::from(*byte),
    };
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step).cast_signed()
}

/// Returns the low bits of a length: hashes take it in so.
#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
fn low(length: usize) -> u32 {
    length as u32
}

/// Returns bytes as a number, the first byte as the lowest.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Returns MurmurHash2.
pub(super) fn murmur2(bytes: &[u8], seed: u32) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = seed ^ low(bytes.len());
    let (blocks, tail) = bytes.as_chunks::<4>();
    for block in blocks {
        let mut k = u32::from_le_bytes(*block).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    if !tail.is_empty() {
        hash = (hash ^ (little_endian(tail) & 0xFFFF_FFFF) as u32).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// Returns MurmurHash2 of 64 bits.
pub(super) fn murmur2_64(bytes: &[u8], seed: u32) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    let mut hash = u64::from(seed) ^ (bytes.len() as u64).wrapping_mul(M);
    let (blocks, tail) = bytes.as_chunks::<8>();
    for block in blocks {
        let mut k = u64::from_le_bytes(*block).wrapping_mul(M);
        k = (k ^ (k >> 47)).wrapping_mul(M);
        hash = (hash ^ k).wrapping_mul(M);
    }
    if !tail.is_empty() {
        hash = (hash ^ little_endian(tail)).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 47)).wrapping_mul(M);
    hash ^ (hash >> 47)
}

/// Returns MurmurHash3 of 32 bits.
pub(super) fn murmur3_32(bytes: &[u8], seed: u32) -> u32 {
    let mix = |k: u32| k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut hash = seed;
    let (blocks, tail) = bytes.as_chunks::<4>();
    for block in blocks {
        hash = (hash ^ mix(u32::from_le_bytes(*block)))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    hash ^= mix(u32::from_le_bytes(last));
    hash ^= low(bytes.len());
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

fn finish(mut k: u64) -> u64 {
    k = (k ^ (k >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    k = (k ^ (k >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ (k >> 33)
}

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// Returns MurmurHash3 of 128 bits, in two halves.
pub(super) fn murmur3_128(bytes: &[u8], seed: i32) -> (u64, u64) {
    let mix1 = |k: u64| k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let mix2 = |k: u64| k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    let seed = i64::from(seed).cast_unsigned();
    let (mut first, mut second) = (seed, seed);
    let (blocks, tail) = bytes.as_chunks::<16>();
    for block in blocks {
        first ^= mix1(little_endian(&block[..8]));
        first = first.rotate_left(27).wrapping_add(second).wrapping_mul(5).wrapping_add(0x52dc_e729);
        second ^= mix2(little_endian(&block[8..]));
        second = second.rotate_left(31).wrapping_add(first).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let (low_tail, high_tail) = tail.split_at(tail.len().min(8));
    second ^= mix2(little_endian(high_tail));
    first ^= mix1(little_endian(low_tail));
    joined(first ^ bytes.len() as u64, second ^ bytes.len() as u64)
}

fn joined(first: u64, second: u64) -> (u64, u64) {
    let first = first.wrapping_add(second);
    let second = finish(second.wrapping_add(first));
    let first = finish(first).wrapping_add(second);
    (first, second.wrapping_add(first))
}

/// Returns the hash that Pinot calls MurmurHash3 X64: an early form of it, with constants that change from block to block,
/// and with the last bytes taken with their sign.
pub(super) fn murmur3_older(bytes: &[u8], seed: i32) -> (u64, u64) {
    let seed = i64::from(seed).cast_unsigned();
    let mut state =
        Older { first: 0x9368_e53c_2f6a_f274 ^ seed, second: 0x586d_cd20_8f7c_d3fd ^ seed, c1: C1, c2: C2 };
    let (blocks, tail) = bytes.as_chunks::<16>();
    for block in blocks {
        state.mix(little_endian(&block[..8]), little_endian(&block[8..]));
    }
    if !tail.is_empty() {
        let signed = |bytes: &[u8]| {
            let shifted = bytes
                .iter()
                .enumerate()
                .map(|(place, byte)| (i64::from(byte.cast_signed()).cast_unsigned()) << (8 * place));
            shifted.fold(0, |number, part| number ^ part)
        };
        let (low_tail, high_tail) = tail.split_at(tail.len().min(8));
        state.mix(signed(low_tail), signed(high_tail));
    }
    joined(state.first, state.second ^ bytes.len() as u64)
}

struct Older {
    first: u64,
    second: u64,
    c1: u64,
    c2: u64,
}

impl Older {
    fn mix(&mut self, k1: u64, k2: u64) {
        self.first ^= k1.wrapping_mul(self.c1).rotate_left(23).wrapping_mul(self.c2);
        self.first = self.first.wrapping_add(self.second);
        self.second = self.second.rotate_left(41);
        self.second ^= k2.wrapping_mul(self.c2).rotate_left(23).wrapping_mul(self.c1);
        self.second = self.second.wrapping_add(self.first);
        self.first = self.first.wrapping_mul(3).wrapping_add(0x52dc_e729);
        self.second = self.second.wrapping_mul(3).wrapping_add(0x3849_5ab5);
        self.c1 = self.c1.wrapping_mul(5).wrapping_add(0x7b7d_159c);
        self.c2 = self.c2.wrapping_mul(5).wrapping_add(0x6bce_6396);
    }
}

/// Returns the upper half of a number.
pub(super) fn upper(number: u64) -> i32 {
    ((number >> 32) as u32).cast_signed()
}

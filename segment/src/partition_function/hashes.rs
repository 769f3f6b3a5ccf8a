//! The hashes that Kafka's and Pinot's partition functions are made of.

/// Murmur 2 of 32 bits, with the seed that Kafka uses.
pub(super) fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const MULTIPLIER: u32 = 0x5bd1_e995;
    let (words, rest) = bytes.as_chunks::<4>();
    let mut hash = SEED ^ wrapped_len(bytes);
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word ^= word >> 24;
        hash = hash.wrapping_mul(MULTIPLIER) ^ word.wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        hash = (hash ^ partial_word(rest)).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

/// Murmur 3 of 32 bits, the x86 form.
pub(super) fn murmur3(bytes: &[u8], seed: u32) -> u32 {
    let scrambled = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (words, rest) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for word in words {
        hash ^= scrambled(u32::from_le_bytes(*word));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    hash ^= scrambled(partial_word(rest));
    hash ^= wrapped_len(bytes);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// Java's `String.hashCode`, which goes through UTF-16.
pub(super) fn java_hash_of_text(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// Java's `Arrays.hashCode` of bytes, which have a sign there.
pub(super) fn java_hash_of_bytes(bytes: &[u8]) -> i32 {
    bytes.iter().fold(1, |hash: i32, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte.cast_signed())))
}

fn partial_word(rest: &[u8]) -> u32 {
    rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

#[expect(clippy::cast_possible_truncation, reason = "the hashes take the length's low bits")]
fn wrapped_len(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

/// Fowler, Noll and Vo's hashes: multiply and add each byte, in this order or (1a) in the other.
macro_rules! fnv {
    ($fnv1:ident, $fnv1a:ident, $width:ty, $basis:literal, $prime:literal) => {
        pub(super) fn $fnv1(bytes: &[u8]) -> $width {
            bytes.iter().fold($basis, |hash: $width, byte| hash.wrapping_mul($prime) ^ <$width>::from(*byte))
        }

        pub(super) fn $fnv1a(bytes: &[u8]) -> $width {
            bytes
                .iter()
                .fold($basis, |hash: $width, byte| (hash ^ <$width>::from(*byte)).wrapping_mul($prime))
        }
    };
}

fnv!(fnv1_32, fnv1a_32, u32, 0x811c_9dc5, 0x0100_0193);
fnv!(fnv1_64, fnv1a_64, u64, 0xcbf2_9ce4_8422_2325, 0x0100_0000_01b3);

/// The upper 32 bits of the Murmur 3 of 64 bits that Infinispan and Debezium compute: its start and constants are not those
/// of the reference, and the bytes behind the last full block keep their signs.
pub(super) fn murmur3_x64(bytes: &[u8], seed: i32) -> i32 {
    let seed = i64::from(seed).cast_unsigned();
    let mut state = Murmur3X64 {
        hash: [0x9368_e53c_2f6a_f274 ^ seed, 0x586d_cd20_8f7c_d3fd ^ seed],
        multipliers: [0x87c3_7b91_1142_53d5, 0x4cf5_ad43_2745_937f],
    };
    let (blocks, rest) = bytes.as_chunks::<16>();
    for block in blocks {
        let word = |at: usize| {
            block[at..at + 8].iter().rev().fold(0, |word: u64, byte| word << 8 | u64::from(*byte))
        };
        state.mix([word(0), word(8)]);
    }
    if !rest.is_empty() {
        let mut words = [0; 2];
        for (at, byte) in rest.iter().enumerate() {
            words[at / 8] ^= i64::from(byte.cast_signed()).cast_unsigned() << (at % 8 * 8);
        }
        state.mix(words);
    }
    state.finish(bytes.len() as u64)
}

struct Murmur3X64 {
    hash: [u64; 2],
    multipliers: [u64; 2],
}

impl Murmur3X64 {
    fn mix(&mut self, words: [u64; 2]) {
        let [first, second] = self.multipliers;
        self.hash[0] ^= words[0].wrapping_mul(first).rotate_left(23).wrapping_mul(second);
        self.hash[0] = self.hash[0].wrapping_add(self.hash[1]);
        self.hash[1] = self.hash[1].rotate_left(41);
        self.hash[1] ^= words[1].wrapping_mul(second).rotate_left(23).wrapping_mul(first);
        self.hash[1] = self.hash[1].wrapping_add(self.hash[0]);
        self.hash[0] = self.hash[0].wrapping_mul(3).wrapping_add(0x52dc_e729);
        self.hash[1] = self.hash[1].wrapping_mul(3).wrapping_add(0x3849_5ab5);
        self.multipliers[0] = first.wrapping_mul(5).wrapping_add(0x7b7d_159c);
        self.multipliers[1] = second.wrapping_mul(5).wrapping_add(0x6bce_6396);
    }

    fn finish(self, len: u64) -> i32 {
        let scrambled = |mut hash: u64| {
            hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
            hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
            hash ^ (hash >> 33)
        };
        let second = self.hash[1] ^ len;
        let first = self.hash[0].wrapping_add(second);
        let second = second.wrapping_add(first);
        let first = scrambled(first).wrapping_add(scrambled(second));
        ((first >> 32) as u32).cast_signed()
    }
}

/// Java's `String.equalsIgnoreCase`: letter by letter, by the capital or the small letter of one letter.
pub(super) fn same_in_any_case(first: &str, second: &str) -> bool {
    let capital = |letter: char| only(letter.to_uppercase()).unwrap_or(letter);
    let small = |letter: char| match letter {
        'İ' => 'i',
        _ => only(letter.to_lowercase()).unwrap_or(letter),
    };
    let folded = |letter: char| small(capital(letter));
    first.chars().map(folded).eq(second.chars().map(folded))
}

fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next()?;
    letters.next().is_none().then_some(first)
}

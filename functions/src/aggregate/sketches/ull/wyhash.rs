//! Wyhash, final version 4, with the secret that hash4j has for it.

const SECRET: [u64; 4] =
    [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3];

/// Returns the hash of bytes.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    seeded(bytes, 0)
}

fn seeded(bytes: &[u8], seed: u64) -> u64 {
    let mut seed = seed ^ mixed(seed ^ SECRET[0], SECRET[1]);
    let length = bytes.len();
    let (first, second) = match length {
        0 => (0, 0),
        1..4 => {
            let of = |place: usize| u64::from(bytes[place]);
            (of(0) << 16 | of(length >> 1) << 8 | of(length - 1), 0)
        }
        4..=16 => {
            let inner = (length >> 3) << 2;
            let pair = |a: usize, b: usize| word4(&bytes[a..]) << 32 | word4(&bytes[b..]);
            (pair(0, inner), pair(length - 4, length - 4 - inner))
        }
        _ => {
            let mut rest = bytes;
            let (mut second, mut third) = (seed, seed);
            while rest.len() > 48 {
                seed = mixed(word8(rest) ^ SECRET[1], word8(&rest[8..]) ^ seed);
                second = mixed(word8(&rest[16..]) ^ SECRET[2], word8(&rest[24..]) ^ second);
                third = mixed(word8(&rest[32..]) ^ SECRET[3], word8(&rest[40..]) ^ third);
                rest = &rest[48..];
            }
            seed ^= second ^ third;
            while rest.len() > 16 {
                seed = mixed(word8(rest) ^ SECRET[1], word8(&rest[8..]) ^ seed);
                rest = &rest[16..];
            }
            (word8(&bytes[length - 16..]), word8(&bytes[length - 8..]))
        }
    };
    let (low, high) = product(first ^ SECRET[1], second ^ seed);
    mixed(low ^ SECRET[0] ^ length as u64, high ^ SECRET[1])
}

#[expect(clippy::cast_possible_truncation, reason = "each half in turn")]
fn product(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b);
    (product as u64, (product >> 64) as u64)
}

fn mixed(a: u64, b: u64) -> u64 {
    let (low, high) = product(a, b);
    low ^ high
}

fn word4(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |word| u64::from(u32::from_le_bytes(*word)))
}

fn word8(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::seeded;

    /// The vectors that come with wyhash, text by text with the seeds 0, 1, 2, ….
    #[test]
    fn gives_the_published_hashes() {
        let vectors: [(&str, u64); 7] = [
            ("", 0x0409_638e_e2bd_e459),
            ("a", 0xa841_2d09_1b5f_e0a9),
            ("abc", 0x32dd_92e4_b291_5153),
            ("message digest", 0x8619_1240_89a3_a16b),
            ("abcdefghijklmnopqrstuvwxyz", 0x7a43_afb6_1d7f_5f40),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 0xff42_329b_90e5_0d58),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                0xc39c_ab13_b115_aad3,
            ),
        ];
        for (seed, (text, hash)) in (0..).zip(vectors) {
            assert_eq!(seeded(text.as_bytes(), seed), hash, "{text}");
        }
    }
}

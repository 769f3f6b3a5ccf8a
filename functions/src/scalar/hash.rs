//! Hashes of bytes.

mod city;
mod fast;

use meunier_segment::value::format_hex;
use sha2::Digest;

use super::function::Function;
use super::rows::{Bytes, Int, Long, Text, row1, row2, row3};
use crate::description::FunctionGroup::Hash;

/// Returns the hashes.
pub(crate) fn functions() -> Vec<Function> {
    let mut functions = digests();
    functions.extend(checksums());
    functions.extend(murmur());
    functions.extend(fowler_noll_vo());
    functions.extend(city());
    functions
}

/// The seed of MurmurHash2 of 64 bits in stream-lib.
const LONG_SEED: u32 = 0xe17a_1465;

/// Returns the hash that stream-lib has of texts and bytes.
pub(crate) fn murmur_of_stream_lib(bytes: &[u8]) -> u64 {
    fast::murmur2_64(bytes, LONG_SEED)
}

fn hex<D: Digest>(bytes: &[u8]) -> String {
    format_hex(&D::digest(bytes))
}

fn digests() -> Vec<Function> {
    vec![
        Function::new(Hash, &["sha"], "sha(bytes)", "SHA-1 in hex.", [row1::<Bytes, _>(hex::<sha1::Sha1>)]),
        Function::new(
            Hash,
            &["sha224"],
            "sha224(bytes)",
            "SHA3-224 in hex.",
            [row1::<Bytes, _>(hex::<sha3::Sha3_224>)],
        ),
        Function::new(
            Hash,
            &["sha256"],
            "sha256(bytes)",
            "SHA-256 in hex.",
            [row1::<Bytes, _>(hex::<sha2::Sha256>)],
        ),
        Function::new(
            Hash,
            &["sha512"],
            "sha512(bytes)",
            "SHA-512 in hex.",
            [row1::<Bytes, _>(hex::<sha2::Sha512>)],
        ),
        Function::new(Hash, &["md2"], "md2(bytes)", "MD2 in hex.", [row1::<Bytes, _>(hex::<md2::Md2>)]),
        Function::new(Hash, &["md5"], "md5(bytes)", "MD5 in hex.", [row1::<Bytes, _>(hex::<md5::Md5>)]),
    ]
}

fn checksums() -> Vec<Function> {
    vec![
        Function::new(
            Hash,
            &["crc32"],
            "crc32(bytes)",
            "CRC-32.",
            [row1::<Bytes, _>(|bytes| fast::crc32(bytes).cast_signed())],
        ),
        Function::new(
            Hash,
            &["crc32c"],
            "crc32c(bytes)",
            "CRC-32C.",
            [row1::<Bytes, _>(|bytes| crc32c::crc32c(bytes).cast_signed())],
        ),
        Function::new(
            Hash,
            &["adler32"],
            "adler32(bytes)",
            "Adler-32.",
            [row1::<Bytes, _>(|bytes| fast::adler32(bytes).cast_signed())],
        ),
    ]
}

fn murmur() -> Vec<Function> {
    /// What Kafka's partitioner begins with.
    const KAFKA_SEED: u32 = 0x9747_b28c;
    vec![
        Function::new(
            Hash,
            &["murmurHash2"],
            "murmurHash2(bytes)",
            "MurmurHash2, as Kafka's partitioner takes it.",
            [row1::<Bytes, _>(|bytes| fast::murmur2(bytes, KAFKA_SEED).cast_signed())],
        ),
        Function::new(
            Hash,
            &["murmurHash2UTF8"],
            "murmurHash2UTF8(text)",
            "MurmurHash2 of a text's bytes in UTF-8.",
            [row1::<Text, _>(|text| fast::murmur2(text.as_bytes(), KAFKA_SEED).cast_signed())],
        ),
        Function::new(
            Hash,
            &["murmurHash2Bit64"],
            "murmurHash2Bit64(bytes[, seed])",
            "MurmurHash2 of 64 bits.",
            [
                row1::<Bytes, _>(|bytes| fast::murmur2_64(bytes, LONG_SEED).cast_signed()),
                row2::<Bytes, Int, _>(|bytes, seed| {
                    fast::murmur2_64(bytes, seed.cast_unsigned()).cast_signed()
                }),
            ],
        ),
        Function::new(
            Hash,
            &["murmurHash3Bit32"],
            "murmurHash3Bit32(bytes, seed)",
            "MurmurHash3 of 32 bits.",
            [row2::<Bytes, Int, _>(|bytes, seed| {
                fast::murmur3_32(bytes, seed.cast_unsigned()).cast_signed()
            })],
        ),
        Function::new(
            Hash,
            &["murmurHash3Bit64"],
            "murmurHash3Bit64(bytes, seed)",
            "The first half of MurmurHash3 of 128 bits.",
            [row2::<Bytes, Int, _>(|bytes, seed| fast::murmur3_128(bytes, seed).0.cast_signed())],
        ),
        Function::new(
            Hash,
            &["murmurHash3Bit128"],
            "murmurHash3Bit128(bytes, seed)",
            "MurmurHash3 of 128 bits, as bytes.",
            [row2::<Bytes, Int, _>(|bytes, seed| {
                let (first, second) = fast::murmur3_128(bytes, seed);
                [first.to_le_bytes(), second.to_le_bytes()].concat()
            })],
        ),
        Function::new(
            Hash,
            &["murmurHash3X64Bit32"],
            "murmurHash3X64Bit32(bytes, seed)",
            "The upper half of the first half of Pinot's older MurmurHash3.",
            [row2::<Bytes, Int, _>(|bytes, seed| fast::upper(fast::murmur3_older(bytes, seed).0))],
        ),
        Function::new(
            Hash,
            &["murmurHash3X64Bit64"],
            "murmurHash3X64Bit64(bytes, seed)",
            "The same as a LONG.",
            [row2::<Bytes, Int, _>(|bytes, seed| i64::from(fast::upper(fast::murmur3_older(bytes, seed).0)))],
        ),
        Function::new(
            Hash,
            &["murmurHash3X64Bit128"],
            "murmurHash3X64Bit128(bytes, seed)",
            "Pinot's older MurmurHash3 of 128 bits, as bytes.",
            [row2::<Bytes, Int, _>(|bytes, seed| {
                let (first, second) = fast::murmur3_older(bytes, seed);
                [first.to_be_bytes(), second.to_be_bytes()].concat()
            })],
        ),
    ]
}

fn fowler_noll_vo() -> Vec<Function> {
    vec![
        Function::new(
            Hash,
            &["fnv1Hash32"],
            "fnv1Hash32(bytes)",
            "FNV-1 of 32 bits.",
            [row1::<Bytes, _>(|bytes| fast::fnv_32(bytes, false))],
        ),
        Function::new(
            Hash,
            &["fnv1aHash32"],
            "fnv1aHash32(bytes)",
            "FNV-1a of 32 bits.",
            [row1::<Bytes, _>(|bytes| fast::fnv_32(bytes, true))],
        ),
        Function::new(
            Hash,
            &["fnv1Hash64"],
            "fnv1Hash64(bytes)",
            "FNV-1 of 64 bits.",
            [row1::<Bytes, _>(|bytes| fast::fnv_64(bytes, false))],
        ),
        Function::new(
            Hash,
            &["fnv1aHash64"],
            "fnv1aHash64(bytes)",
            "FNV-1a of 64 bits.",
            [row1::<Bytes, _>(|bytes| fast::fnv_64(bytes, true))],
        ),
        Function::new(
            Hash,
            &["fnv1Hash32UTF8"],
            "fnv1Hash32UTF8(text)",
            "FNV-1 of 32 bits of a text's bytes.",
            [row1::<Text, _>(|text| fast::fnv_32(text.as_bytes(), false))],
        ),
        Function::new(
            Hash,
            &["fnv1aHash32UTF8"],
            "fnv1aHash32UTF8(text)",
            "FNV-1a of 32 bits of a text's bytes.",
            [row1::<Text, _>(|text| fast::fnv_32(text.as_bytes(), true))],
        ),
        Function::new(
            Hash,
            &["fnv1Hash64UTF8"],
            "fnv1Hash64UTF8(text)",
            "FNV-1 of 64 bits of a text's bytes.",
            [row1::<Text, _>(|text| fast::fnv_64(text.as_bytes(), false))],
        ),
        Function::new(
            Hash,
            &["fnv1aHash64UTF8"],
            "fnv1aHash64UTF8(text)",
            "FNV-1a of 64 bits of a text's bytes.",
            [row1::<Text, _>(|text| fast::fnv_64(text.as_bytes(), true))],
        ),
    ]
}

fn city() -> Vec<Function> {
    vec![
        Function::new(
            Hash,
            &["cityHash32"],
            "cityHash32(bytes)",
            "CityHash of 32 bits, with its sign as a LONG.",
            [row1::<Bytes, _>(|bytes| i64::from(city::hash_32(bytes).cast_signed()))],
        ),
        Function::new(
            Hash,
            &["cityHash64"],
            "cityHash64(bytes[, seed[, seed]])",
            "CityHash of 64 bits.",
            [
                row1::<Bytes, _>(|bytes| city::hash_64(bytes).cast_signed()),
                row2::<Bytes, Long, _>(|bytes, seed| {
                    city::hash_64_with_seed(bytes, seed.cast_unsigned()).cast_signed()
                }),
                row3::<Bytes, Long, Long, _>(|bytes, first, second| {
                    let (first, second) = (first.cast_unsigned(), second.cast_unsigned());
                    city::hash_64_with_seeds(bytes, first, second).cast_signed()
                }),
            ],
        ),
        Function::new(
            Hash,
            &["cityHash128"],
            "cityHash128(bytes)",
            "CityHash of 128 bits, as bytes.",
            [row1::<Bytes, _>(|bytes| {
                let (first, second) = city::hash_128(bytes);
                [first.to_be_bytes(), second.to_be_bytes()].concat()
            })],
        ),
    ]
}

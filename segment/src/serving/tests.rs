//! Damage that checksums do not show: bytes are changed and every checksum is made to fit again.
//!
//! Such a file may give other values, but never a panic, and never a column of another length.

use std::fs;
use std::path::Path;

use super::*;
use crate::golden_rows;
use crate::index::BloomFilterSize;
use crate::seal::seal;
use crate::sealed_segment::SealedSegment;
use crate::serving::layout::Footer;
use crate::table_snapshot::Segment;

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn pick(seed: u64, below: usize) -> usize {
    usize::try_from(mix(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)) % below as u64).unwrap()
}

/// Splits a file into its blocks with all before them, and its footer.
fn parts(file: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let end = file.len() - TRAILER_BYTES;
    let len = u64::from_le_bytes(file[end..end + 8].try_into().unwrap());
    let start = end - usize::try_from(len).unwrap();
    (file[..start].to_vec(), file[start..end].to_vec())
}

fn joined(blocks: &[u8], footer: &[u8]) -> Vec<u8> {
    let mut file = blocks.to_vec();
    file.extend_from_slice(footer);
    file.extend_from_slice(&(footer.len() as u64).to_le_bytes());
    file.extend_from_slice(&crc32c::crc32c(footer).to_le_bytes());
    file.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    file.extend_from_slice(&MAGIC);
    file
}

/// Reads everything that can be read; what is refused must be refused as corrupt.
fn read_all(path: &Path, file: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, file).unwrap();
    let segment = match SealedSegment::open(path) {
        Ok(segment) => segment,
        Err(error) => return assert_eq!(error.kind(), crate::error::ErrorKind::Corrupt, "{error}"),
    };
    // A footer that says otherwise is read for as far as it is the same segment.
    let (columns, chunks) = (segment.column_count(), segment.chunk_count().min(2));
    let rows = segment.rows();
    for column in 0..columns {
        for chunk in 0..chunks {
            let _ = segment.chunk_bounds(chunk, column);
            match segment.column(chunk, column) {
                Ok(found) => {
                    assert_eq!(found.len(), rows.min(crate::chunk::CHUNK_ROWS).min(rows));
                    let _ = found.to_array(true);
                }
                Err(error) => assert_eq!(error.kind(), crate::error::ErrorKind::Corrupt, "{error}"),
            }
        }
        for error in [
            segment.sorted_index(column).err(),
            segment.inverted_index(column).err(),
            segment.range_index(column).err(),
            segment.bloom_filter(column).err(),
        ] {
            assert!(error.is_none_or(|error| error.kind() == crate::error::ErrorKind::Corrupt));
        }
    }
    let _ = Segment::Sealed(segment.into()).chunk_rows();
}

fn golden_file() -> Vec<u8> {
    let mut options = golden_rows::options();
    options.inverted_columns = ["l_few".into(), "b".into(), "ss".into()].into();
    options.range_columns = ["t".into()].into();
    options.bloom_columns = ["i", "s_plain"].map(|name| (name.into(), BloomFilterSize::default())).into();
    let sealed = seal(&golden_rows::segment().freeze().0, &options).unwrap();
    let mut file = Vec::new();
    write(&mut file, &sealed, DurableRef { bytes: 1, crc32c: 2 }).unwrap();
    file
}

#[test]
fn damaged_blocks_with_right_checksums_never_panic() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("serving");
    let (blocks, footer) = parts(&golden_file());
    for seed in 0..1_500 {
        let mut damaged = blocks.clone();
        let mut footer = Footer::from_bytes(&footer).unwrap();
        let index = pick(seed, footer.blocks.len());
        let block = &mut footer.blocks[index];
        let start = usize::try_from(block.start).unwrap();
        let bytes = &mut damaged[start..][..usize::try_from(block.bytes).unwrap()];
        if bytes.is_empty() {
            continue;
        }
        let place = pick(seed ^ 1 << 40, bytes.len() * 8);
        bytes[place / 8] ^= 1 << (place % 8);
        block.crc32c = crc32c::crc32c(bytes);
        read_all(&path, &joined(&damaged, &footer.to_bytes()));
    }
}

#[test]
fn damaged_footers_with_right_checksums_never_panic() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("serving");
    let (blocks, footer) = parts(&golden_file());
    for seed in 0..3_000 {
        let mut damaged = footer.clone();
        let place = pick(seed, footer.len() * 8);
        damaged[place / 8] ^= 1 << (place % 8);
        read_all(&path, &joined(&blocks, &damaged));
    }
    for len in 0..footer.len().min(300) {
        read_all(&path, &joined(&blocks, &footer[..len]));
    }
}

#[test]
fn footers_come_back() {
    let (_, footer) = parts(&golden_file());
    assert!(Footer::from_bytes(&footer).unwrap().to_bytes() == footer);
}

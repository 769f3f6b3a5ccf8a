//! A damaged file is refused or answers right: never a wrong value, never a panic.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow::array::ArrayRef;
use meunier_segment::durable;
use meunier_segment::error::{ErrorKind, SegmentError};
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::stats::ColumnStats;

use crate::check;
use crate::columns::{all_types, sealed_rows};
use crate::model::mix;

/// Everything that can be read of a file: its parts, and of each column what is known and what it holds.
type Answer = (String, Vec<(ColumnStats, ArrayRef, ArrayRef)>);

fn read(path: &Path, columns: usize) -> Result<Answer, SegmentError> {
    let segment = SealedSegment::open(path)?;
    let head = format!(
        "{} {} {} {} {} {:?}",
        segment.name(),
        segment.partition(),
        segment.range(),
        segment.created_ms(),
        segment.rows(),
        segment.durable(),
    );
    let mut read = Vec::with_capacity(columns);
    for index in 0..columns {
        let column = segment.column(0, index)?;
        read.push((segment.stats(index).clone(), column.to_array(false)?, column.to_array(true)?));
    }
    Ok((head, read))
}

fn check_damaged(path: &Path, bytes: &[u8], right: &Answer, what: &str) -> bool {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
    match read(path, right.1.len()) {
        Ok(answer) => {
            // Text tells a NaN from a NaN where `==` does not.
            assert_eq!(format!("{answer:?}"), format!("{right:?}"), "{what}");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
            false
        }
    }
}

#[test]
fn damaged_serving_files_are_refused_or_answer_right() {
    check_damages(20, 60, 1_500);
}

/// Enough rows that most are encoded.
#[test]
fn damaged_encoded_files_are_refused_or_answer_right() {
    check_damages(300, 1_500, 200);
    check_damages(1 << 40, 1_500, 200);
}

fn check_damages(distinct: u64, rows: usize, flips: u64) {
    let plan = all_types(distinct);
    let sealed = sealed_rows(&plan, &plan.rows(rows));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("serving");
    check::write_and_open(&sealed, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let right = read(&path, sealed.columns.len()).unwrap();

    for len in (0..bytes.len()).step_by(97.max(bytes.len() / 300)) {
        assert!(
            !check_damaged(&path, &bytes[..len], &right, "a cut file"),
            "{len} of {} bytes opened",
            bytes.len()
        );
    }
    let mut answered = 0;
    for flip in 0..flips {
        let mut damaged = bytes.clone();
        let place = usize::try_from(mix(flip)).unwrap() % (bytes.len() * 8);
        damaged[place / 8] ^= 1 << (place % 8);
        answered += u64::from(check_damaged(&path, &damaged, &right, &format!("bit {place} flipped")));
    }
    // Only the gaps between blocks may change unseen; most of this small file is gaps, and the footer.
    assert!(answered < flips, "no flip was seen");
}

#[test]
fn every_byte_of_head_and_trailer_counts() {
    let plan = all_types(20);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("serving");
    let sealed = sealed_rows(&plan, &plan.rows(5));
    check::write_and_open(&sealed, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let right = read(&path, sealed.columns.len()).unwrap();
    for place in (0..8).chain(bytes.len() - 24..bytes.len()) {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            assert!(
                !check_damaged(&path, &damaged, &right, "head or trailer"),
                "bit {bit} of byte {place} is free"
            );
        }
    }
}

#[test]
fn a_serving_file_of_another_version_says_so() {
    let plan = all_types(20);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("serving");
    check::write_and_open(&sealed_rows(&plan, &plan.rows(5)), &path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let version = bytes.len() - 12;
    bytes[version..version + 4].copy_from_slice(&9_u32.to_le_bytes());
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    let error = SealedSegment::open(&path).unwrap_err();
    assert!(matches!(error, SegmentError::Version { found: 9, supported: 2, .. }), "{error}");
}

/// The catalog compares a durable file's checksum before it is read, so a damaged one may give wrong rows here.
#[test]
fn damaged_durable_files_do_not_panic() {
    let plan = all_types(20);
    let (schema, options) = (plan.schema(), plan.options());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("durable");
    check::write_durable(&sealed_rows(&plan, &plan.rows(60)), &path);
    let bytes = fs::read(&path).unwrap();
    let mut panics = Vec::new();
    let mut check = |damaged: &[u8], what: String| {
        fs::write(&path, damaged).unwrap();
        let read = catch_unwind(AssertUnwindSafe(|| durable::read(&path, &schema, &options)));
        match read {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error:?}"),
            Err(_) => panics.push(what),
        }
    };
    for len in (0..bytes.len()).step_by(97) {
        check(&bytes[..len], format!("cut at {len}"));
    }
    // The library panics at the first one.
    let places = (0..400).map(|flip| usize::try_from(mix(flip)).unwrap() % (bytes.len() * 8));
    for place in std::iter::once(16_853).chain(places) {
        let mut damaged = bytes.clone();
        damaged[place / 8] ^= 1 << (place % 8);
        check(&damaged, format!("bit {place} flipped"));
    }
    assert!(panics.is_empty(), "{} panics: {panics:?}", panics.len());
}

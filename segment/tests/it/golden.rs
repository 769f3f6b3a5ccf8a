//! Files of the present versions open and answer the same; serving files of older ones are refused, and made again from
//! their durable files, which are read for ever.
//!
//! The files are written by `cargo run -p meunier-segment --example write_golden`, once a format version.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{cast, take};
use meunier_segment::consuming_segment::offset_field;
use meunier_segment::durable;
use meunier_segment::error::{ErrorKind, SegmentError};
use meunier_segment::seal::seal;
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::serving::{self, DurableRef};
use meunier_segment::table_snapshot::Segment;

use crate::golden_rows;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/golden").join(name)
}

fn durable_ref() -> DurableRef {
    let bytes = fs::read(golden("serving-v2.parquet")).unwrap();
    DurableRef { bytes: bytes.len() as u64, crc32c: crc32c(&bytes) }
}

/// CRC-32C bit by bit, as the specification in `segment/README.md` states it.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |state, byte| {
        (0..8).fold(state ^ u32::from(*byte), |state, _| {
            (state >> 1) ^ (0x82f6_3b78 & (state & 1).wrapping_neg())
        })
    })
}

/// Returns the golden rows in sealed order, and their offsets.
fn sealed_order() -> (RecordBatch, ArrayRef) {
    let batch = golden_rows::batch();
    let texts = batch.column_by_name("s").unwrap();
    let key = |row: u32| {
        let texts = texts.as_string::<i32>();
        if texts.is_null(row as usize) { "null" } else { texts.value(row as usize) }
    };
    let mut order: Vec<u32> = (0..golden_rows::ROWS.unsigned_abs()).collect();
    order.sort_by_key(|&row| key(row));
    let order = UInt32Array::from(order);
    let offsets: ArrayRef = Arc::new(Int64Array::from(golden_rows::offsets()));
    (arrow::compute::take_record_batch(&batch, &order).unwrap(), take(&offsets, &order, None).unwrap())
}

/// Elements of lists that were null hold the default since they were decoded.
fn with_defaults_in_lists(array: &ArrayRef) -> String {
    let text = format!("{:?}", (0..array.len()).map(|row| array.slice(row, 1)).collect::<Vec<_>>());
    text.replace("null,", "\"null\",")
}

fn check_rows(segment: &Segment) {
    let (rows, offsets) = sealed_order();
    assert_eq!(segment.rows(), rows.num_rows());
    for (field, expected) in golden_rows::schema().fields().iter().zip(rows.columns()) {
        let array = segment.column(0, field).unwrap().to_array(true).unwrap();
        let actual = cast(&array, expected.data_type()).unwrap();
        if &*field.name == "ss" {
            assert_eq!(with_defaults_in_lists(&actual), with_defaults_in_lists(expected));
        } else {
            assert!(&actual == expected, "`{}`: {actual:?}, not {expected:?}", field.name);
        }
    }
    assert!(segment.column(0, offset_field()).unwrap().to_array(true).unwrap() == offsets);
    assert_eq!(segment.name().as_str(), "golden__2__5__20000229T1234Z");
    assert_eq!((segment.partition().0, segment.range().to_string().as_str()), (2, "[1, 810)"));
}

#[test]
fn serving_file_of_version_1_is_refused() {
    let error = SealedSegment::open(&golden("serving-v1.seg")).unwrap_err();
    assert!(matches!(error, SegmentError::Version { found: 1, supported: 2, .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn serving_file_of_version_2_answers_the_same() {
    let segment = SealedSegment::open(&golden("serving-v2.seg")).unwrap();
    assert_eq!((segment.created_ms(), segment.durable()), (951_827_696_000, durable_ref()));
    check_rows(&Segment::Sealed(segment.into()));
}

#[test]
fn durable_file_of_format_1_answers_the_same() {
    for name in ["serving-v1.parquet", "serving-v2.parquet"] {
        let read = durable::read(&golden(name), &golden_rows::schema(), &golden_rows::options()).unwrap();
        check_rows(&Segment::Consuming(read));
    }
}

/// A change of the layout without a new format version fails here. The durable file may change, with the Parquet library.
#[test]
fn serving_file_is_still_written_byte_for_byte() {
    let sealed = seal(&golden_rows::segment().freeze().0, &golden_rows::options()).unwrap();
    let mut written = Vec::new();
    serving::write(&mut written, &sealed, durable_ref()).unwrap();
    assert!(
        written == fs::read(golden("serving-v2.seg")).unwrap(),
        "the written file differs from the golden one"
    );
}

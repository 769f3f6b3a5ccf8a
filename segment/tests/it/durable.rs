//! The durable file as other engines see it, what is refused, and the file of rejected records.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int64Type, UInt64Type};
use expect_test::expect;
use meunier_segment::durable;
use meunier_segment::error::SegmentError;
use meunier_segment::offset_range::Offset;
use meunier_segment::reject::{RejectReason, RejectedRecord};
use meunier_segment::schema::DataType;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::printer::print_schema;

use crate::check;
use crate::columns::{all_types, sealed_rows};
use crate::model::{Cell, ColumnPlan, Plan, Row};

fn open(path: &std::path::Path) -> ParquetRecordBatchReaderBuilder<File> {
    ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap()
}

/// Of a column with a dictionary too, whose pages are written here and not by the library. A null's default is no bound.
#[test]
fn bounds_in_the_file_are_those_of_values_that_are_there() {
    let column = |data_type, null_percent| ColumnPlan {
        data_type,
        single_value: true,
        null_percent,
        distinct: 9,
        own_default: false,
        no_dictionary: false,
    };
    let columns = vec![
        column(DataType::Int, 40),
        column(DataType::Long, 0),
        column(DataType::Timestamp, 40),
        column(DataType::Bytes, 40),
        column(DataType::Long, 100),
    ];
    let plan = Plan { columns, sorted_column: None, seed: 8 };
    let rows = plan.rows(70_000);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("durable");
    check::write_durable(&sealed_rows(&plan, &rows), &path);
    let reader = open(&path);
    let group = reader.metadata().row_group(0);
    for index in 0..plan.columns.len() {
        let values: Vec<Value> = rows
            .iter()
            .filter_map(|row| match &row.cells[index] {
                Cell::One(value) => Some(value.clone()),
                Cell::Null | Cell::Many(_) => None,
            })
            .collect();
        let by_value = |a: &Value, b: &Value| a.compare(b).unwrap();
        let bytes = |value: &Value| match value {
            Value::Int(value) => value.to_le_bytes().to_vec(),
            Value::Long(value) | Value::Timestamp(value) => value.to_le_bytes().to_vec(),
            Value::Bytes(value) => value.to_vec(),
            other => panic!("{other:?} is not of these types"),
        };
        let min = values.iter().cloned().min_by(by_value).map(|value| bytes(&value));
        let max = values.iter().cloned().max_by(by_value).map(|value| bytes(&value));
        // Long bytes have no bounds, since readers would take them along with the footer.
        let is_short = [&min, &max].into_iter().flatten().all(|bound| bound.len() <= 64);
        let column = group.column(index);
        let statistics = column.statistics().unwrap();
        assert!(column.dictionary_page_offset().is_some(), "column {index} repeats");
        assert_eq!(statistics.null_count_opt(), Some((rows.len() - values.len()) as u64), "column {index}");
        assert_eq!(statistics.min_bytes_opt(), min.as_deref().filter(|_| is_short), "column {index}");
        assert_eq!(statistics.max_bytes_opt(), max.as_deref().filter(|_| is_short), "column {index}");
    }
}

#[test]
fn columns_have_types_that_every_engine_reads() {
    let all = all_types(4);
    let plan =
        Plan { columns: all.columns.into_iter().filter(|column| !column.no_dictionary).collect(), ..all };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("durable");
    check::write_durable(&sealed_rows(&plan, &plan.rows(5)), &path);
    let reader = open(&path);
    let mut text = Vec::new();
    print_schema(&mut text, reader.parquet_schema().root_schema());
    expect![[r#"
        message arrow_schema {
          OPTIONAL INT32 spalte_ß0;
          OPTIONAL INT64 spalte_ß1;
          OPTIONAL FLOAT spalte_ß2;
          OPTIONAL DOUBLE spalte_ß3;
          OPTIONAL BYTE_ARRAY spalte_ß4 (STRING);
          OPTIONAL BOOLEAN spalte_ß5;
          OPTIONAL INT64 spalte_ß6 (TIMESTAMP(MILLIS,false));
          OPTIONAL BYTE_ARRAY spalte_ß7 (STRING);
          OPTIONAL BYTE_ARRAY spalte_ß8 (STRING);
          OPTIONAL BYTE_ARRAY spalte_ß9;
          OPTIONAL group spalte_ß10 (LIST) {
            REPEATED group list {
              OPTIONAL INT32 item;
            }
          }
          OPTIONAL group spalte_ß11 (LIST) {
            REPEATED group list {
              OPTIONAL INT64 item;
            }
          }
          OPTIONAL group spalte_ß12 (LIST) {
            REPEATED group list {
              OPTIONAL FLOAT item;
            }
          }
          OPTIONAL group spalte_ß13 (LIST) {
            REPEATED group list {
              OPTIONAL DOUBLE item;
            }
          }
          OPTIONAL group spalte_ß14 (LIST) {
            REPEATED group list {
              OPTIONAL BYTE_ARRAY item (STRING);
            }
          }
          OPTIONAL group spalte_ß15 (LIST) {
            REPEATED group list {
              OPTIONAL BOOLEAN item;
            }
          }
          OPTIONAL group spalte_ß16 (LIST) {
            REPEATED group list {
              OPTIONAL INT64 item (TIMESTAMP(MILLIS,false));
            }
          }
          OPTIONAL group spalte_ß17 (LIST) {
            REPEATED group list {
              OPTIONAL BYTE_ARRAY item (STRING);
            }
          }
          OPTIONAL group spalte_ß18 (LIST) {
            REPEATED group list {
              OPTIONAL BYTE_ARRAY item;
            }
          }
          REQUIRED INT64 $offset;
        }
    "#]]
    .assert_eq(&String::from_utf8(text).unwrap());
    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let pairs: Vec<String> = pairs
        .iter()
        .filter(|pair| pair.key != durable::keys::SCHEMA)
        .map(|pair| format!("{}={}", pair.key, pair.value.as_deref().unwrap_or_default()))
        .collect();
    expect![[r#"
        meunier.format=1
        meunier.table=model
        meunier.segment=model__3__7__20000229T1234Z
        meunier.partition=3
        meunier.offset.start=1000
        meunier.offset.end=1005
        meunier.created_ms=951827696000"#]]
    .assert_eq(&pairs.join("\n"));
}

#[test]
fn a_file_from_before_a_column_holds_its_default() {
    let new = all_types(9);
    let old = Plan { columns: new.columns[..3].to_vec(), ..new.clone() };
    let rows: Vec<Row> = old.rows(40);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("durable");
    check::write_durable(&sealed_rows(&old, &rows), &path);
    let read = Segment::Consuming(durable::read(&path, &new.schema(), &new.options()).unwrap());
    for (index, field) in new.schema().fields().iter().enumerate() {
        check::column(&read.column(0, field).unwrap(), &rows, index, field, "a column read");
    }
}

fn refusal(pairs: &[(&str, &str)], offsets: &[Option<i64>]) -> String {
    let plan = Plan { columns: all_types(4).columns[..1].to_vec(), ..all_types(4) };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("durable");
    let offsets: ArrayRef = Arc::new(Int64Array::from(offsets.to_vec()));
    let batch = RecordBatch::try_from_iter_with_nullable([("$offset", offsets, true)]).unwrap();
    let pairs =
        pairs.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), (*value).to_owned())).collect();
    let properties = WriterProperties::builder().set_key_value_metadata(Some(pairs)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    match durable::read(&path, &plan.schema(), &plan.options()) {
        Ok(read) => format!("{} rows", read.rows()),
        Err(SegmentError::Corrupt { detail, .. }) => detail,
        Err(other) => other.to_string().replace(&path.display().to_string(), "FILE"),
    }
}

#[test]
fn files_that_are_not_ours_are_refused() {
    let ours = [
        ("meunier.format", "1"),
        ("meunier.segment", "s"),
        ("meunier.partition", "0"),
        ("meunier.offset.start", "10"),
        ("meunier.offset.end", "20"),
        ("meunier.created_ms", "0"),
    ];
    let with = |key: &str, value| ours.map(|pair| if pair.0 == key { (pair.0, value) } else { pair });
    let told = [
        refusal(&ours, &[Some(10), Some(19)]),
        refusal(&ours, &[Some(20)]),
        refusal(&ours, &[None]),
        refusal(&ours[1..], &[Some(10)]),
        refusal(&with("meunier.format", "2"), &[Some(10)]),
        refusal(&with("meunier.offset.start", "21"), &[]),
        refusal(&with("meunier.partition", "4294967296"), &[]),
        refusal(&with("meunier.created_ms", "yesterday"), &[]),
    ];
    expect![[r#"
        2 rows
        a row's offset does not lie in [10, 20)
        a row's offset does not lie in [10, 20)
        its metadata lacks `meunier.format`
        segment file `FILE` has format version 2, this program reads version 1
        its offset range runs backwards
        its partition is too large
        its metadata `meunier.created_ms` is not a number"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn rejected_records_are_a_file_of_their_own() {
    let full = RejectedRecord {
        offset: Offset(42),
        timestamp_ms: Some(-1),
        reason: RejectReason::TypeMismatch,
        column: Some("größe".to_owned()),
        detail: "`abc` is no INT".to_owned(),
        key: Some(vec![0, 255]),
        headers: vec![("trace".to_owned(), b"a\"b".to_vec()), ("raw".to_owned(), vec![0xff])],
        payload: Some(b"{\"x\":1}".to_vec()),
        payload_bytes: 7,
    };
    let bare = RejectedRecord {
        offset: Offset(43),
        timestamp_ms: None,
        reason: RejectReason::NoPayload,
        column: None,
        detail: String::new(),
        key: None,
        headers: vec![],
        payload: None,
        payload_bytes: 0,
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rejects");
    durable::write_rejects(File::create(&path).unwrap(), &SegmentName::from("s"), &[full, bare]).unwrap();
    let batch = open(&path).build().unwrap().next().unwrap().unwrap();
    let column = |name| batch.column_by_name(name).unwrap();
    assert_eq!(column("offset").as_primitive::<Int64Type>().values(), &[42, 43]);
    assert_eq!(column("payload_bytes").as_primitive::<UInt64Type>().values(), &[7, 0]);
    let texts = ["reason", "column", "detail", "headers"].map(|name| {
        column(name).as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
    });
    expect![[r#"
        [
            [
                Some(
                    "type_mismatch",
                ),
                Some(
                    "no_payload",
                ),
            ],
            [
                Some(
                    "größe",
                ),
                None,
            ],
            [
                Some(
                    "`abc` is no INT",
                ),
                Some(
                    "",
                ),
            ],
            [
                Some(
                    "[[\"trace\",\"a\\\"b\"],[\"raw\",\"�\"]]",
                ),
                Some(
                    "[]",
                ),
            ],
        ]
    "#]]
    .assert_debug_eq(&texts);
    assert_eq!(column("key").as_binary::<i32>().iter().collect::<Vec<_>>(), [Some(&[0, 255][..]), None]);
    assert_eq!(
        column("payload").as_binary::<i32>().iter().collect::<Vec<_>>(),
        [Some(&b"{\"x\":1}"[..]), None]
    );
    assert_eq!(
        column("timestamp_ms").as_primitive::<Int64Type>().iter().collect::<Vec<_>>(),
        [Some(-1), None]
    );
    durable::write_rejects(File::create(&path).unwrap(), &SegmentName::from("s"), &[]).unwrap();
    assert_eq!(open(&path).metadata().file_metadata().num_rows(), 0);
}

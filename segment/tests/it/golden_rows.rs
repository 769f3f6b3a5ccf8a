//! The rows of the golden files. They must never change: each value is made of its row number by whole-number arithmetic.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal256Array, Float32Array, Float64Array, Int32Array, Int64Array,
    Int64Builder, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMillisecondArray,
};
use arrow::datatypes::i256;
use meunier_segment::consuming_segment::{ConsumingSegment, SegmentIdentity};
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::options::SegmentOptions;
use meunier_segment::schema::Schema;
use meunier_segment::segment_name::SegmentName;

/// So many rows.
pub(crate) const ROWS: i32 = 400;

/// Returns the schema: each type, with and without a dictionary, and lists.
pub(crate) fn schema() -> Arc<Schema> {
    let json = r#"{
        "schemaName": "golden",
        "dimensionFieldSpecs": [
            {"name": "i", "dataType": "INT"},
            {"name": "l", "dataType": "LONG"},
            {"name": "l_few", "dataType": "LONG"},
            {"name": "f", "dataType": "FLOAT"},
            {"name": "d", "dataType": "DOUBLE"},
            {"name": "n", "dataType": "BIG_DECIMAL"},
            {"name": "n_plain", "dataType": "BIG_DECIMAL"},
            {"name": "b", "dataType": "BOOLEAN"},
            {"name": "t", "dataType": "TIMESTAMP"},
            {"name": "s", "dataType": "STRING"},
            {"name": "s_plain", "dataType": "STRING", "defaultNullValue": "none"},
            {"name": "j", "dataType": "JSON"},
            {"name": "y", "dataType": "BYTES"},
            {"name": "y_plain", "dataType": "BYTES"},
            {"name": "ls", "dataType": "LONG", "singleValueField": false},
            {"name": "ls_plain", "dataType": "LONG", "singleValueField": false},
            {"name": "ss", "dataType": "STRING", "singleValueField": false}
        ]
    }"#;
    Arc::new(Schema::parse(json).expect("the golden schema is valid").schema)
}

/// Returns the storage choices: rows are sorted by `s`.
pub(crate) fn options() -> SegmentOptions {
    let plain = ["l", "n_plain", "s_plain", "y_plain", "ls_plain"];
    SegmentOptions {
        sorted_column: Some("s".into()),
        no_dictionary_columns: plain.into_iter().map(Into::into).collect(),
        ..SegmentOptions::default()
    }
}

/// Returns the offsets: odd numbers, so that there are gaps.
pub(crate) fn offsets() -> Vec<i64> {
    (0..ROWS).map(|row| i64::from(row) * 2 + 1).collect()
}

/// Returns the rows as decoded, nulls and all. Every eleventh value of most columns is null.
pub(crate) fn batch() -> RecordBatch {
    let rows = || 0..ROWS;
    let long = |row: i32| i64::from(row) * 1_000_000_007 - 200_000_000_000;
    let present = |row: i32| row % 11 != 3;
    let text = |row: i32| format!("{}-{}", ["", "straße", "日本", "a\0b"][row as usize % 4], row * 7 % 23);
    let decimal =
        |row: i32| i256::from_i128(i128::from(row - 200)).wrapping_mul(i256::from_i128(10_i128.pow(37)));
    let decimals = |plain: bool| -> ArrayRef {
        let values =
            rows().map(|row| (plain || present(row)).then(|| decimal(if plain { row } else { row % 9 })));
        let array: Decimal256Array = values.collect();
        Arc::new(array.with_precision_and_scale(76, 38).expect("precision and scale fit"))
    };
    let mut few = ListBuilder::new(Int64Builder::new());
    let mut many = ListBuilder::new(Int64Builder::new());
    let mut texts = ListBuilder::new(StringBuilder::new());
    for row in rows() {
        for element in 0..row % 4 {
            few.values().append_value(i64::from(row * element % 5));
            many.values().append_value(long(row + element));
            texts.values().append_option((element != 2).then(|| text(row + element)));
        }
        few.append(present(row));
        many.append(true);
        texts.append(present(row + 1));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(
            rows().map(|row| present(row).then_some(row * 5_000_000 - i32::MAX / 2)).collect::<Int32Array>(),
        ),
        Arc::new(rows().map(|row| present(row).then(|| long(row))).collect::<Int64Array>()),
        Arc::new(rows().map(|row| present(row).then(|| long(row % 5))).collect::<Int64Array>()),
        Arc::new(
            rows()
                .map(|row| (row != 5).then(|| f32::from_bits(0x3f80_0000 + row as u32 * 8_191)))
                .collect::<Float32Array>(),
        ),
        Arc::new(
            rows()
                .map(|row| Some(if row == 7 { f64::NAN } else { f64::from(row - 200) / 8.0 }))
                .collect::<Float64Array>(),
        ),
        decimals(false),
        decimals(true),
        Arc::new(rows().map(|row| present(row).then_some(row % 3 == 0)).collect::<BooleanArray>()),
        Arc::new(
            rows()
                .map(|row| present(row).then_some(1_700_000_000_000 + i64::from(row)))
                .collect::<TimestampMillisecondArray>(),
        ),
        Arc::new(rows().map(|row| present(row).then(|| text(row))).collect::<StringArray>()),
        Arc::new(rows().map(|row| present(row + 2).then(|| text(row))).collect::<StringArray>()),
        Arc::new(
            rows().map(|row| present(row).then(|| format!("{{\"row\":{row}}}"))).collect::<StringArray>(),
        ),
        Arc::new(
            rows()
                .map(|row| present(row).then(|| vec![(row % 6) as u8; row as usize % 3]))
                .collect::<BinaryArray>(),
        ),
        Arc::new(rows().map(|row| present(row).then(|| row.to_be_bytes().to_vec())).collect::<BinaryArray>()),
        Arc::new(few.finish()),
        Arc::new(many.finish()),
        Arc::new(texts.finish()),
    ];
    RecordBatch::try_new(schema().arrow_schema(), columns).expect("the arrays fit the schema")
}

/// Returns a consuming segment that holds the rows.
pub(crate) fn segment() -> ConsumingSegment {
    let partition = PartitionId(2);
    let created_ms = 951_827_696_000;
    let identity =
        SegmentIdentity { name: SegmentName::new("golden", partition, 5, created_ms), partition, created_ms };
    let mut segment = ConsumingSegment::new(identity, schema(), &options(), Offset(1));
    segment.append(&batch(), &offsets());
    segment.advance_to(Offset(i64::from(ROWS) * 2 + 10));
    segment
}

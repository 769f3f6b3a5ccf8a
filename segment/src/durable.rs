//! The durable file: the rows of one sealed segment as a Parquet file that any engine reads.
//!
//! It is the truth; the serving file is made from it. Nulls are Parquet nulls, the order of rows is the sealed order, and
//! the column `$offset` has each row's Kafka offset. The key-value metadata says which segment it is ([`keys`]).
//! BIG_DECIMAL is written as text in plain notation: no open engine reads decimals of more than 38 digits.

mod dictionary_column;
mod plain_encoding;

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, Decimal256Array, Int64Array, RecordBatch, StringArray,
    StringBuilder, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType as ArrowType, Decimal256Type, Field as ArrowField, Int64Type, Schema as ArrowSchema,
};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowWriterOptions, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::chunk::CHUNK_ROWS;
use crate::consuming_segment::{ConsumingSegment, ConsumingSnapshot, OFFSET_COLUMN, SegmentIdentity};
use crate::error::SegmentError;
use crate::offset_range::{Offset, OffsetRange, PartitionId};
use crate::options::SegmentOptions;
use crate::reject::RejectedRecord;
use crate::schema::{DataType, Schema};
use crate::seal::{SealedColumn, SealedRows};
use crate::segment_name::SegmentName;
use crate::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE, format_big_decimal, parse_big_decimal};
use plain_encoding::PlainEncoding;

/// Names in a durable file's key-value metadata.
pub mod keys {
    /// Format of this metadata: `1`.
    pub const FORMAT: &str = "meunier.format";
    /// The table's name.
    pub const TABLE: &str = "meunier.table";
    /// The segment's name.
    pub const SEGMENT: &str = "meunier.segment";
    /// The Kafka partition.
    pub const PARTITION: &str = "meunier.partition";
    /// First Kafka offset of the segment.
    pub const START_OFFSET: &str = "meunier.offset.start";
    /// First Kafka offset after the segment.
    pub const END_OFFSET: &str = "meunier.offset.end";
    /// When the segment was begun, milliseconds since the epoch.
    pub const CREATED_MS: &str = "meunier.created_ms";
    /// The schema the rows were decoded with, as Pinot's JSON.
    pub const SCHEMA: &str = "meunier.schema";
}

/// The one format of the metadata.
const FORMAT: u32 = 1;
/// Rows of a row group: readers may share a file out among threads by row groups.
const ROW_GROUP_ROWS: usize = 16 * CHUNK_ROWS;
/// Level 1 writes at several hundred megabytes a second and loses a few per cent of size against level 3.
const ZSTD_LEVEL: i32 = 1;

/// Writes sealed rows as a Parquet file.
///
/// # Errors
/// When `out` does not take the bytes, or Arrow refuses an array.
pub fn write(out: impl Write + Send, rows: &SealedRows) -> Result<(), SegmentError> {
    let failed = |source| SegmentError::Parquet { segment: rows.identity.name.to_string(), source };
    let fields: Vec<ArrowField> = rows.columns.iter().map(durable_field).collect();
    let schema = Arc::new(ArrowSchema::new(fields));
    let options = ArrowWriterOptions::new().with_properties(properties(rows)?).with_skip_arrow_metadata(true);
    let writer = ArrowWriter::try_new_with_options(out, Arc::clone(&schema), options).map_err(failed)?;
    let (mut file, library) = writer.into_serialized_writer().map_err(failed)?;
    // Lists too are one leaf of Parquet's schema.
    let leaves = file.schema_descr().columns().to_vec();
    for (index, start) in (0..rows.rows).step_by(ROW_GROUP_ROWS).enumerate() {
        let part = start..rows.rows.min(start + ROW_GROUP_ROWS);
        let mut group = file.next_row_group().map_err(failed)?;
        let writers = library.create_column_writers(index).map_err(failed)?;
        for ((column, leaf), writer) in rows.columns.iter().zip(&leaves).zip(writers) {
            let ids = column.column.slice(part.start, part.len());
            let appended = match dictionary_column::encode(&ids, leaf).map_err(failed)? {
                Some(encoded) => group.append_column(&encoded.pages, encoded.close),
                None => plain_column(writer, column, part.clone())
                    .and_then(|chunk| chunk.append_to_row_group(&mut group)),
            };
            appended.map_err(failed)?;
        }
        group.close().map_err(failed)?;
    }
    file.close().map_err(failed)?;
    Ok(())
}

/// Has the library write some rows of a column.
fn plain_column(
    mut writer: ArrowColumnWriter,
    column: &SealedColumn,
    rows: Range<usize>,
) -> Result<ArrowColumnChunk, ParquetError> {
    let field = durable_field(column);
    for start in rows.clone().step_by(CHUNK_ROWS) {
        let array = durable_array(column, start, CHUNK_ROWS.min(rows.end - start))?;
        for leaf in compute_leaves(&field, &array)? {
            writer.write(&leaf)?;
        }
    }
    writer.close()
}

/// Reads a durable file back as rows that can be sealed again. A column that the schema has and the file has not holds
/// its default null value.
///
/// # Errors
/// [`SegmentError::Io`] when the file cannot be read; [`SegmentError::Corrupt`], [`SegmentError::Version`] or
/// [`SegmentError::Parquet`] when it is not what this version writes.
pub fn read(
    path: &Path,
    schema: &Arc<Schema>,
    options: &SegmentOptions,
) -> Result<Arc<ConsumingSnapshot>, SegmentError> {
    let file = File::open(path).map_err(|source| SegmentError::Io { path: path.to_owned(), source })?;
    let failed = |source| SegmentError::Parquet { segment: path.display().to_string(), source };
    let builder = guarded(path, || ParquetRecordBatchReaderBuilder::try_new(file))?.map_err(failed)?;
    let builder = builder.with_batch_size(CHUNK_ROWS);
    let pairs = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let (identity, range) = identity(path, &pairs)?;
    let mut segment = ConsumingSegment::new(identity, Arc::clone(schema), options, range.start);
    let refused = |error: ArrowError| corrupt(path, &error.to_string());
    let mut reader = guarded(path, || builder.build())?.map_err(failed)?;
    while let Some(batch) = guarded(path, || reader.next())? {
        let batch = batch.map_err(refused)?;
        let offsets =
            batch.column_by_name(OFFSET_COLUMN).ok_or_else(|| corrupt(path, "it has no column `$offset`"))?;
        let offsets = cast(offsets, &ArrowType::Int64).map_err(refused)?;
        check_offsets(path, &offsets, range)?;
        segment.append_rows(&rows_of(&batch, schema).map_err(refused)?, &offsets);
    }
    segment.advance_to(range.end);
    Ok(segment.freeze().0)
}

/// Writes rejected records as a Parquet file, in order of offset.
///
/// # Errors
/// When `out` does not take the bytes.
pub fn write_rejects(
    out: impl Write + Send,
    segment: &SegmentName,
    rejects: &[RejectedRecord],
) -> Result<(), SegmentError> {
    let failed = |source| SegmentError::Parquet { segment: segment.to_string(), source };
    let mut headers = StringBuilder::new();
    let mut keys = BinaryBuilder::new();
    let mut payloads = BinaryBuilder::new();
    for reject in rejects {
        let pairs: Vec<_> =
            reject.headers.iter().map(|(name, value)| (name, String::from_utf8_lossy(value))).collect();
        headers.append_value(serde_json::json!(pairs).to_string());
        keys.append_option(reject.key.as_deref());
        payloads.append_option(reject.payload.as_deref());
    }
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        (
            "offset",
            Arc::new(rejects.iter().map(|reject| Some(reject.offset.0)).collect::<Int64Array>()),
            false,
        ),
        (
            "timestamp_ms",
            Arc::new(rejects.iter().map(|reject| reject.timestamp_ms).collect::<Int64Array>()),
            true,
        ),
        (
            "reason",
            Arc::new(rejects.iter().map(|reject| Some(reject.reason.name())).collect::<StringArray>()),
            false,
        ),
        (
            "column",
            Arc::new(rejects.iter().map(|reject| reject.column.as_deref()).collect::<StringArray>()),
            true,
        ),
        (
            "detail",
            Arc::new(rejects.iter().map(|reject| Some(reject.detail.as_str())).collect::<StringArray>()),
            false,
        ),
        ("key", Arc::new(keys.finish()), true),
        ("headers", Arc::new(headers.finish()), false),
        ("payload", Arc::new(payloads.finish()), true),
        (
            "payload_bytes",
            Arc::new(rejects.iter().map(|reject| Some(reject.payload_bytes)).collect::<UInt64Array>()),
            false,
        ),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns)?;
    let properties = WriterProperties::builder().set_compression(zstd()).build();
    let mut writer = ArrowWriter::try_new(out, batch.schema(), Some(properties)).map_err(failed)?;
    writer.write(&batch).map_err(failed)?;
    writer.close().map_err(failed)?;
    Ok(())
}

fn properties(rows: &SealedRows) -> Result<WriterProperties, ArrowError> {
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let mut properties =
        WriterProperties::builder().set_compression(zstd()).set_statistics_enabled(EnabledStatistics::Chunk);
    for column in rows.columns.iter().filter(|column| column.field.single_value) {
        let path = ColumnPath::from(vec![column.field.name.to_string()]);
        let is_offset = &*column.field.name == OFFSET_COLUMN;
        properties = match plain_encoding::choose(&column.column)? {
            _ if is_offset => delta_packed(properties, path),
            PlainEncoding::Deltas => delta_packed(properties, path),
            PlainEncoding::Values => properties.set_column_dictionary_enabled(path, false),
            PlainEncoding::Dictionary => properties,
        };
    }
    Ok(properties
        .set_key_value_metadata(Some(vec![
            pair(keys::FORMAT, FORMAT.to_string()),
            pair(keys::TABLE, rows.schema.name().to_owned()),
            pair(keys::SEGMENT, rows.identity.name.to_string()),
            pair(keys::PARTITION, rows.identity.partition.to_string()),
            pair(keys::START_OFFSET, rows.range.start.to_string()),
            pair(keys::END_OFFSET, rows.range.end.to_string()),
            pair(keys::CREATED_MS, rows.identity.created_ms.to_string()),
            pair(keys::SCHEMA, rows.schema.to_json().to_string()),
        ]))
        .build())
}

fn delta_packed(properties: WriterPropertiesBuilder, path: ColumnPath) -> WriterPropertiesBuilder {
    properties
        .set_column_dictionary_enabled(path.clone(), false)
        .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
}

fn zstd() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).expect("the level is a constant that exists"))
}

fn durable_field(column: &SealedColumn) -> ArrowField {
    let item = match column.field.data_type {
        DataType::BigDecimal => ArrowType::Utf8,
        DataType::Int
        | DataType::Long
        | DataType::Float
        | DataType::Double
        | DataType::Boolean
        | DataType::Timestamp
        | DataType::String
        | DataType::Json
        | DataType::Bytes => column.field.data_type.arrow(),
    };
    let data_type = if column.field.single_value { item } else { ArrowType::new_list(item, true) };
    ArrowField::new(&*column.field.name, data_type, &*column.field.name != OFFSET_COLUMN)
}

fn durable_array(column: &SealedColumn, start: usize, len: usize) -> Result<ArrayRef, ArrowError> {
    let array = column.column.slice(start, len).to_stored_array()?;
    match durable_field(column).data_type() {
        ArrowType::List(item) if column.field.data_type == DataType::BigDecimal => {
            let list = array.as_list::<i32>();
            let texts = decimal_texts(list.values());
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Ok(Arc::new(arrow::array::ListArray::try_new(Arc::clone(item), offsets, texts, nulls)?))
        }
        ArrowType::Utf8 if column.field.data_type == DataType::BigDecimal => Ok(decimal_texts(&array)),
        data_type => cast(&array, data_type),
    }
}

fn decimal_texts(array: &ArrayRef) -> ArrayRef {
    let values = array.as_primitive::<Decimal256Type>().iter();
    Arc::new(values.map(|value| value.map(format_big_decimal)).collect::<StringArray>())
}

fn decimals(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let texts = cast(array, &ArrowType::Utf8)?;
    let values = texts.as_string::<i32>().iter().map(|text| match text {
        None => Ok(None),
        Some(text) => parse_big_decimal(text)
            .map(Some)
            .ok_or_else(|| ArrowError::ParseError(format!("`{text}` is not a BIG_DECIMAL"))),
    });
    let array: Decimal256Array = values.collect::<Result<_, _>>()?;
    Ok(Arc::new(array.with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)?))
}

/// Returns the schema's columns of a batch that was read.
fn rows_of(batch: &RecordBatch, schema: &Schema) -> Result<RecordBatch, ArrowError> {
    let arrow_schema = schema.arrow_schema();
    let arrays = schema.fields().iter().zip(arrow_schema.fields()).map(|(field, arrow)| {
        let Some(array) = batch.column_by_name(&field.name) else {
            return Ok(arrow::array::new_null_array(arrow.data_type(), batch.num_rows()));
        };
        match (field.data_type, array.data_type()) {
            (DataType::BigDecimal, ArrowType::List(_)) => {
                let list = array.as_list::<i32>();
                let item = Arc::new(ArrowField::new_list_field(DataType::BigDecimal.arrow(), true));
                let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
                let list = arrow::array::ListArray::try_new(item, offsets, decimals(list.values())?, nulls)?;
                Ok(Arc::new(list) as ArrayRef)
            }
            (DataType::BigDecimal, _) => decimals(array),
            _ => cast(array, arrow.data_type()),
        }
    });
    RecordBatch::try_new(Arc::clone(&arrow_schema), arrays.collect::<Result<_, _>>()?)
}

/// Calls into the Parquet library, which panics on some damaged files where it should refuse them. Only its own calls
/// are guarded, and a reader that panicked is never asked again.
fn guarded<T>(path: &Path, call: impl FnOnce() -> T) -> Result<T, SegmentError> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| corrupt(path, "the Parquet library cannot read it"))
}

fn check_offsets(path: &Path, offsets: &ArrayRef, range: OffsetRange) -> Result<(), SegmentError> {
    let in_range = |&offset: &i64| (range.start.0..range.end.0).contains(&offset);
    if offsets.null_count() > 0 || !offsets.as_primitive::<Int64Type>().values().iter().all(in_range) {
        return Err(corrupt(path, &format!("a row's offset does not lie in {range}")));
    }
    Ok(())
}

fn identity(path: &Path, pairs: &[KeyValue]) -> Result<(SegmentIdentity, OffsetRange), SegmentError> {
    let text = |key: &str| {
        let pair = pairs.iter().find(|pair| pair.key == key);
        pair.and_then(|pair| pair.value.clone())
            .ok_or_else(|| corrupt(path, &format!("its metadata lacks `{key}`")))
    };
    let number = |key: &str| {
        text(key)?.parse::<i64>().map_err(|_| corrupt(path, &format!("its metadata `{key}` is not a number")))
    };
    let format = number(keys::FORMAT)?;
    if format != i64::from(FORMAT) {
        let found = u32::try_from(format).map_err(|_| corrupt(path, "its format is not a number"))?;
        return Err(SegmentError::Version { path: path.to_owned(), found, supported: FORMAT });
    }
    let partition =
        i32::try_from(number(keys::PARTITION)?).map_err(|_| corrupt(path, "its partition is too large"))?;
    let (start, end) = (number(keys::START_OFFSET)?, number(keys::END_OFFSET)?);
    if start > end {
        return Err(corrupt(path, "its offset range runs backwards"));
    }
    let identity = SegmentIdentity {
        name: SegmentName::from(text(keys::SEGMENT)?.as_str()),
        partition: PartitionId(partition),
        created_ms: number(keys::CREATED_MS)?,
    };
    Ok((identity, OffsetRange::new(Offset(start), Offset(end))))
}

fn corrupt(path: &Path, detail: &str) -> SegmentError {
    SegmentError::Corrupt { path: path.to_owned(), detail: detail.to_owned() }
}

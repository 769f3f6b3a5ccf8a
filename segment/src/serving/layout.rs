//! The footer of a serving file: which columns there are, in which blocks their values lie, and how they are encoded.

use super::wire::{Refused, WireReader, WireWriter};
use crate::offset_range::{Offset, OffsetRange, PartitionId};
use crate::schema::DataType;
use crate::stats::ColumnStats;
use crate::value::Value;

/// Number of a block in [`Footer::blocks`].
pub(crate) type BlockId = usize;

#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) segment: String,
    pub(crate) partition: PartitionId,
    pub(crate) range: OffsetRange,
    pub(crate) created_ms: i64,
    pub(crate) rows: usize,
    /// The durable file the rows came from.
    pub(crate) durable: DurableRef,
    /// Of the options that the file was made with.
    pub(crate) options_fingerprint: u64,
    pub(crate) columns: Vec<ColumnEntry>,
    /// Indexes over several columns.
    pub(crate) indexes: Vec<IndexEntry>,
    pub(crate) blocks: Vec<BlockEntry>,
}

/// Length and checksum of the durable file that holds the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurableRef {
    /// Its length.
    pub bytes: u64,
    /// Checksum of all of it.
    pub crc32c: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockEntry {
    pub(crate) start: u64,
    pub(crate) bytes: u64,
    pub(crate) crc32c: u32,
}

#[derive(Debug)]
pub(crate) struct ColumnEntry {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) single_value: bool,
    /// Sorted distinct values.
    pub(crate) dictionary: Option<ValuesEntry>,
    /// One entry for each 65,536 rows.
    pub(crate) chunks: Vec<ChunkEntry>,
    pub(crate) indexes: Vec<IndexEntry>,
    pub(crate) stats: ColumnStats,
}

/// An index; what its header and blocks mean is the business of its kind.
#[derive(Debug)]
pub(crate) struct IndexEntry {
    pub(crate) kind: String,
    /// JSON.
    pub(crate) header: String,
    pub(crate) blocks: Vec<BlockId>,
}

#[derive(Debug)]
pub(crate) struct ChunkEntry {
    pub(crate) values: ChunkValuesEntry,
    pub(crate) nulls: NullsEntry,
    /// The one value that stands in every null row. `values` then holds the other rows only.
    pub(crate) fill: Option<ChunkValuesEntry>,
    /// Smallest and largest value, as the bits of the column's type.
    pub(crate) bounds: Option<(u64, u64)>,
}

#[derive(Debug)]
pub(crate) enum NullsEntry {
    /// No row is null.
    None,
    /// Validity bits: 0 is null.
    Bits(BlockId),
    /// The rows that are null, or those that are not, ascending.
    Rows { null: bool, count: usize, rows: IntegersEntry },
}

#[derive(Debug)]
pub(crate) enum ChunkValuesEntry {
    Ids { count: usize, ids: IntegersEntry },
    Plain(ValuesEntry),
    IdLists { lengths: IntegersEntry, count: usize, ids: IntegersEntry },
    PlainLists { lengths: IntegersEntry, values: ValuesEntry },
}

/// Bytes in a block, stored as they are or compressed.
#[derive(Debug)]
pub(crate) struct DataEntry {
    pub(crate) block: BlockId,
    /// Length before compression with Zstandard.
    pub(crate) zstd: Option<u64>,
}

/// Whole numbers, as many as their place says.
#[derive(Debug)]
pub(crate) enum IntegersEntry {
    /// All the same.
    Constant(i64),
    /// Side by side in 1, 2, 4 or 8 bytes; those of 1 and 2 without a sign.
    Fixed { width: u8, data: DataEntry },
    /// Frames of values.
    Frames(BlockId),
    /// Frames of differences.
    DeltaFrames(BlockId),
}

#[derive(Debug)]
pub(crate) struct ValuesEntry {
    pub(crate) count: usize,
    pub(crate) form: ValuesForm,
}

#[derive(Debug)]
pub(crate) enum ValuesForm {
    /// All the same: one value's bytes.
    Constant(Vec<u8>),
    /// INT, LONG, TIMESTAMP.
    Integers(IntegersEntry),
    /// FLOAT, DOUBLE: the integer divided by this power of ten.
    Decimals { exponent: u8, integers: IntegersEntry },
    /// Values of one width, side by side.
    Fixed(DataEntry),
    /// One bit a value, least significant first.
    Bits(BlockId),
    /// Text or bytes: `count` + 1 offsets of 32 bits into the data.
    Bytes { offsets: BlockId, data: BlockId },
    /// Text or bytes: lengths, and all bytes side by side.
    Lengths { lengths: IntegersEntry, data: DataEntry },
    /// Sorted text or bytes: how many bytes are those of the value before, how many follow, and what follows.
    Fronts { shared: IntegersEntry, lengths: IntegersEntry, data: DataEntry },
    /// Text that is the same in all values but for hexadecimal digits, [`DIGIT`] in the pattern: sixteen digits a word.
    Digits { pattern: Vec<u8>, words: Vec<IntegersEntry> },
}

/// Stands for a hexadecimal digit in the pattern of [`ValuesForm::Digits`]; it is in no text of a pattern.
pub(crate) const DIGIT: u8 = 0xff;

impl Footer {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = WireWriter::default();
        out.bytes(self.segment.as_bytes());
        out.signed(i64::from(self.partition.0));
        out.signed(self.range.start.0);
        out.signed(self.range.end.0);
        out.signed(self.created_ms);
        out.count(self.rows);
        out.number(self.durable.bytes);
        out.fixed_u32(self.durable.crc32c);
        out.fixed_u64(self.options_fingerprint);
        out.list(&self.columns, write_column);
        out.list(&self.indexes, write_index);
        out.list(&self.blocks, |out, block| {
            out.number(block.start);
            out.number(block.bytes);
            out.fixed_u32(block.crc32c);
        });
        out.bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Footer, Refused> {
        let mut from = WireReader::new(bytes);
        let segment = from.text()?.to_owned();
        let partition = i32::try_from(from.signed()?).map_err(|_| "its partition is too large")?;
        let (start, end) = (Offset(from.signed()?), Offset(from.signed()?));
        if start > end {
            return Err("its offset range runs backwards");
        }
        let footer = Footer {
            segment,
            partition: PartitionId(partition),
            range: OffsetRange::new(start, end),
            created_ms: from.signed()?,
            rows: from.count()?,
            durable: DurableRef { bytes: from.number()?, crc32c: from.fixed_u32()? },
            options_fingerprint: from.fixed_u64()?,
            columns: from.list(read_column)?,
            indexes: from.list(read_index)?,
            blocks: from.list(|from| {
                Ok(BlockEntry { start: from.number()?, bytes: from.number()?, crc32c: from.fixed_u32()? })
            })?,
        };
        from.end()?;
        Ok(footer)
    }
}

fn write_column(out: &mut WireWriter, column: &ColumnEntry) {
    out.bytes(column.name.as_bytes());
    out.u8(type_code(column.data_type));
    out.bool(column.single_value);
    out.option(column.dictionary.as_ref(), write_values);
    out.list(&column.chunks, |out, chunk| {
        write_chunk_values(out, &chunk.values);
        write_nulls(out, &chunk.nulls);
        out.option(chunk.fill.as_ref(), write_chunk_values);
        out.option(chunk.bounds.as_ref(), |out, (min, max)| {
            out.fixed_u64(*min);
            out.fixed_u64(*max);
        });
    });
    out.list(&column.indexes, write_index);
    write_stats(out, &column.stats);
}

fn read_column(from: &mut WireReader<'_>) -> Result<ColumnEntry, Refused> {
    let name = from.text()?.to_owned();
    let data_type = data_type(from.u8()?)?;
    Ok(ColumnEntry {
        name,
        data_type,
        single_value: from.bool()?,
        dictionary: from.option(read_values)?,
        chunks: from.list(|from| {
            Ok(ChunkEntry {
                values: read_chunk_values(from)?,
                nulls: read_nulls(from)?,
                fill: from.option(read_chunk_values)?,
                bounds: from.option(|from| Ok((from.fixed_u64()?, from.fixed_u64()?)))?,
            })
        })?,
        indexes: from.list(read_index)?,
        stats: read_stats(from, data_type)?,
    })
}

fn type_code(data_type: DataType) -> u8 {
    match data_type {
        DataType::Int => 0,
        DataType::Long => 1,
        DataType::Float => 2,
        DataType::Double => 3,
        DataType::BigDecimal => 4,
        DataType::Boolean => 5,
        DataType::Timestamp => 6,
        DataType::String => 7,
        DataType::Json => 8,
        DataType::Bytes => 9,
    }
}

fn data_type(code: u8) -> Result<DataType, Refused> {
    let found = DataType::ALL.into_iter().find(|data_type| type_code(*data_type) == code);
    found.ok_or("a column has an unknown type")
}

fn write_index(out: &mut WireWriter, index: &IndexEntry) {
    out.bytes(index.kind.as_bytes());
    out.bytes(index.header.as_bytes());
    out.list(&index.blocks, |out, block| out.count(*block));
}

fn read_index(from: &mut WireReader<'_>) -> Result<IndexEntry, Refused> {
    Ok(IndexEntry {
        kind: from.text()?.to_owned(),
        header: from.text()?.to_owned(),
        blocks: from.list(WireReader::count)?,
    })
}

fn write_nulls(out: &mut WireWriter, nulls: &NullsEntry) {
    match nulls {
        NullsEntry::None => out.u8(0),
        NullsEntry::Bits(block) => {
            out.u8(1);
            out.count(*block);
        }
        NullsEntry::Rows { null, count, rows } => {
            out.u8(if *null { 2 } else { 3 });
            out.count(*count);
            write_integers(out, rows);
        }
    }
}

fn read_nulls(from: &mut WireReader<'_>) -> Result<NullsEntry, Refused> {
    Ok(match from.u8()? {
        0 => NullsEntry::None,
        1 => NullsEntry::Bits(from.count()?),
        form @ (2 | 3) => {
            NullsEntry::Rows { null: form == 2, count: from.count()?, rows: read_integers(from)? }
        }
        _ => return Err("nulls have an unknown form"),
    })
}

fn write_chunk_values(out: &mut WireWriter, values: &ChunkValuesEntry) {
    match values {
        ChunkValuesEntry::Ids { count, ids } => {
            out.u8(0);
            out.count(*count);
            write_integers(out, ids);
        }
        ChunkValuesEntry::Plain(values) => {
            out.u8(1);
            write_values(out, values);
        }
        ChunkValuesEntry::IdLists { lengths, count, ids } => {
            out.u8(2);
            write_integers(out, lengths);
            out.count(*count);
            write_integers(out, ids);
        }
        ChunkValuesEntry::PlainLists { lengths, values } => {
            out.u8(3);
            write_integers(out, lengths);
            write_values(out, values);
        }
    }
}

fn read_chunk_values(from: &mut WireReader<'_>) -> Result<ChunkValuesEntry, Refused> {
    Ok(match from.u8()? {
        0 => ChunkValuesEntry::Ids { count: from.count()?, ids: read_integers(from)? },
        1 => ChunkValuesEntry::Plain(read_values(from)?),
        2 => ChunkValuesEntry::IdLists {
            lengths: read_integers(from)?,
            count: from.count()?,
            ids: read_integers(from)?,
        },
        3 => ChunkValuesEntry::PlainLists { lengths: read_integers(from)?, values: read_values(from)? },
        _ => return Err("a chunk has an unknown form"),
    })
}

fn write_data(out: &mut WireWriter, data: &DataEntry) {
    out.count(data.block);
    out.option(data.zstd.as_ref(), |out, bytes| out.number(*bytes));
}

fn read_data(from: &mut WireReader<'_>) -> Result<DataEntry, Refused> {
    Ok(DataEntry { block: from.count()?, zstd: from.option(WireReader::number)? })
}

fn write_integers(out: &mut WireWriter, integers: &IntegersEntry) {
    match integers {
        IntegersEntry::Constant(value) => {
            out.u8(0);
            out.signed(*value);
        }
        IntegersEntry::Fixed { width, data } => {
            out.u8(1);
            out.u8(*width);
            write_data(out, data);
        }
        IntegersEntry::Frames(block) => {
            out.u8(2);
            out.count(*block);
        }
        IntegersEntry::DeltaFrames(block) => {
            out.u8(3);
            out.count(*block);
        }
    }
}

fn read_integers(from: &mut WireReader<'_>) -> Result<IntegersEntry, Refused> {
    Ok(match from.u8()? {
        0 => IntegersEntry::Constant(from.signed()?),
        1 => IntegersEntry::Fixed { width: from.u8()?, data: read_data(from)? },
        2 => IntegersEntry::Frames(from.count()?),
        3 => IntegersEntry::DeltaFrames(from.count()?),
        _ => return Err("integers have an unknown form"),
    })
}

fn write_values(out: &mut WireWriter, values: &ValuesEntry) {
    out.count(values.count);
    match &values.form {
        ValuesForm::Constant(bytes) => {
            out.u8(0);
            out.bytes(bytes);
        }
        ValuesForm::Integers(integers) => {
            out.u8(1);
            write_integers(out, integers);
        }
        ValuesForm::Decimals { exponent, integers } => {
            out.u8(2);
            out.u8(*exponent);
            write_integers(out, integers);
        }
        ValuesForm::Fixed(data) => {
            out.u8(3);
            write_data(out, data);
        }
        ValuesForm::Bits(block) => {
            out.u8(4);
            out.count(*block);
        }
        ValuesForm::Bytes { offsets, data } => {
            out.u8(5);
            out.count(*offsets);
            out.count(*data);
        }
        ValuesForm::Lengths { lengths, data } => {
            out.u8(6);
            write_integers(out, lengths);
            write_data(out, data);
        }
        ValuesForm::Fronts { shared, lengths, data } => {
            out.u8(7);
            write_integers(out, shared);
            write_integers(out, lengths);
            write_data(out, data);
        }
        ValuesForm::Digits { pattern, words } => {
            out.u8(8);
            out.bytes(pattern);
            out.list(words, write_integers);
        }
    }
}

fn read_values(from: &mut WireReader<'_>) -> Result<ValuesEntry, Refused> {
    let count = from.count()?;
    let form = match from.u8()? {
        0 => ValuesForm::Constant(from.bytes()?.to_owned()),
        1 => ValuesForm::Integers(read_integers(from)?),
        2 => ValuesForm::Decimals { exponent: from.u8()?, integers: read_integers(from)? },
        3 => ValuesForm::Fixed(read_data(from)?),
        4 => ValuesForm::Bits(from.count()?),
        5 => ValuesForm::Bytes { offsets: from.count()?, data: from.count()? },
        6 => ValuesForm::Lengths { lengths: read_integers(from)?, data: read_data(from)? },
        7 => ValuesForm::Fronts {
            shared: read_integers(from)?,
            lengths: read_integers(from)?,
            data: read_data(from)?,
        },
        8 => ValuesForm::Digits { pattern: from.bytes()?.to_owned(), words: from.list(read_integers)? },
        _ => return Err("values have an unknown form"),
    };
    Ok(ValuesEntry { count, form })
}

fn write_stats(out: &mut WireWriter, stats: &ColumnStats) {
    out.bool(stats.bounds_known);
    out.option(stats.min.as_ref().zip(stats.max.as_ref()).as_ref(), |out, (min, max)| {
        out.bytes(&value_bytes(min));
        out.bytes(&value_bytes(max));
    });
    out.number(stats.null_count);
    out.option(stats.distinct_count.as_ref(), |out, count| out.number(*count));
}

fn read_stats(from: &mut WireReader<'_>, data_type: DataType) -> Result<ColumnStats, Refused> {
    let bounds_known = from.bool()?;
    let bounds =
        from.option(|from| Ok((value(from.bytes()?, data_type)?, value(from.bytes()?, data_type)?)))?;
    let (min, max) = bounds.unzip();
    Ok(ColumnStats {
        min,
        max,
        bounds_known,
        null_count: from.number()?,
        distinct_count: from.option(WireReader::number)?,
    })
}

/// Returns a value's bytes: numbers little-endian, floats as their bits, truth as 0 or 1, text and bytes as they are.
fn value_bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Int(value) => value.to_le_bytes().to_vec(),
        Value::Long(value) | Value::Timestamp(value) => value.to_le_bytes().to_vec(),
        Value::Float(value) => value.to_le_bytes().to_vec(),
        Value::Double(value) => value.to_le_bytes().to_vec(),
        Value::BigDecimal(value) => value.to_le_bytes().to_vec(),
        Value::Boolean(value) => vec![u8::from(*value)],
        Value::String(value) => value.as_bytes().to_vec(),
        Value::Bytes(value) => value.to_vec(),
    }
}

/// Returns the value of a type that these bytes are.
pub(crate) fn value(bytes: &[u8], data_type: DataType) -> Result<Value, Refused> {
    const WIDTH: Refused = "a value has another width than its type";
    Ok(match data_type {
        DataType::Int => Value::Int(i32::from_le_bytes(bytes.try_into().map_err(|_| WIDTH)?)),
        DataType::Long => Value::Long(i64::from_le_bytes(bytes.try_into().map_err(|_| WIDTH)?)),
        DataType::Timestamp => Value::Timestamp(i64::from_le_bytes(bytes.try_into().map_err(|_| WIDTH)?)),
        DataType::Float => Value::Float(f32::from_le_bytes(bytes.try_into().map_err(|_| WIDTH)?)),
        DataType::Double => Value::Double(f64::from_le_bytes(bytes.try_into().map_err(|_| WIDTH)?)),
        DataType::BigDecimal => {
            Value::BigDecimal(arrow::datatypes::i256::from_le_bytes(bytes.try_into().map_err(|_| WIDTH)?))
        }
        DataType::Boolean => match bytes {
            [0] => Value::Boolean(false),
            [1] => Value::Boolean(true),
            _ => return Err(WIDTH),
        },
        DataType::String | DataType::Json => {
            Value::String(std::str::from_utf8(bytes).map_err(|_| "a text is not UTF-8")?.into())
        }
        DataType::Bytes => Value::Bytes(bytes.into()),
    })
}

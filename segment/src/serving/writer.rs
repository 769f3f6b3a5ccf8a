//! Writes sealed rows as a serving file, front to back in one pass.
//!
//! Each chunk of each column is stored as it lies in memory or encoded, whichever takes less: an encoding must save a
//! tenth at least, since it has to be decoded when first read.

use std::io::{self, Write};

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType as ArrowType, Float32Type, Float64Type, Int32Type};
use zstd::bulk::Compressor;

use super::decimals::{Decimals, Float, to_decimals};
use super::frames::{self, FrameForm};
use super::layout::{
    BlockEntry, BlockId, ChunkEntry, ChunkValuesEntry, ColumnEntry, DataEntry, DurableRef, Footer,
    IndexEntry, IntegersEntry, NullsEntry, ValuesEntry, ValuesForm,
};
use super::texts::{Texts, to_digits, to_fronts};
use super::{BLOCK_ALIGNMENT, FORMAT_VERSION, MAGIC};
use crate::chunk::CHUNK_ROWS;
use crate::column::{Column, ColumnValues};
use crate::ids::Ids;
use crate::schema::DataType;
use crate::seal::{BuiltIndex, SealedColumn, SealedRows};
use crate::stats::{ColumnStats, bits_of_bounds};

/// Level 1 compresses at several hundred megabytes a second.
const ZSTD_LEVEL: i32 = 1;
/// Texts and bytes shorter than this together are stored as they are.
const TEXTS_ENCODED_MIN: usize = 4096;
/// Null rows are left out of their chunk when they are at least one in so many.
const SPARSE_PLAIN: usize = 64;
/// Likewise of ids, which take little themselves.
const SPARSE_IDS: usize = 2;

/// Writes `rows`, whose durable form is the file `durable`, to `out`.
///
/// # Errors
/// When `out` does not take the bytes.
pub fn write(out: &mut dyn Write, rows: &SealedRows, durable: DurableRef) -> io::Result<()> {
    let mut writer = Writer { out, position: 0, blocks: Vec::new(), zstd: Compressor::new(ZSTD_LEVEL)? };
    writer.bytes(&MAGIC)?;
    let columns =
        rows.columns.iter().map(|column| writer.column(column, rows.rows)).collect::<io::Result<_>>()?;
    let indexes = writer.indexes(&rows.indexes)?;
    let footer = Footer {
        segment: rows.identity.name.to_string(),
        partition: rows.identity.partition,
        range: rows.range,
        created_ms: rows.identity.created_ms,
        rows: rows.rows,
        durable,
        options_fingerprint: rows.options_fingerprint,
        columns,
        indexes,
        blocks: std::mem::take(&mut writer.blocks),
    };
    let footer = footer.to_bytes();
    writer.bytes(&footer)?;
    writer.bytes(&(footer.len() as u64).to_le_bytes())?;
    writer.bytes(&crc32c::crc32c(&footer).to_le_bytes())?;
    writer.bytes(&FORMAT_VERSION.to_le_bytes())?;
    writer.bytes(&MAGIC)
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    position: usize,
    blocks: Vec<BlockEntry>,
    zstd: Compressor<'static>,
}

impl Writer<'_> {
    fn column(&mut self, column: &SealedColumn, rows: usize) -> io::Result<ColumnEntry> {
        let dictionary = match &column.column.values {
            ColumnValues::Ids { dictionary, .. } | ColumnValues::IdLists { dictionary, .. } => {
                let values = dictionary.stored_values().map_err(io::Error::other)?;
                Some(self.values(&values, true)?)
            }
            ColumnValues::Plain(_) | ColumnValues::PlainLists { .. } => None,
        };
        let starts = (0..rows).step_by(CHUNK_ROWS);
        let chunks = starts
            .map(|start| {
                let chunk = column.column.slice(start, CHUNK_ROWS.min(rows - start));
                self.chunk(&chunk, column.field.data_type)
            })
            .collect::<io::Result<_>>()?;
        Ok(ColumnEntry {
            name: column.field.name.to_string(),
            data_type: column.field.data_type,
            single_value: column.field.single_value,
            dictionary,
            chunks,
            indexes: self.indexes(&column.indexes)?,
            stats: column.stats.clone(),
        })
    }

    fn indexes(&mut self, indexes: &[BuiltIndex]) -> io::Result<Vec<IndexEntry>> {
        let mut entries = Vec::with_capacity(indexes.len());
        for index in indexes {
            let buffers = index.parts.buffers.iter();
            entries.push(IndexEntry {
                kind: index.kind.name().to_owned(),
                header: index.parts.header.to_string(),
                blocks: buffers.map(|buffer| self.block(buffer)).collect::<io::Result<_>>()?,
            });
        }
        Ok(entries)
    }

    fn chunk(&mut self, chunk: &Column, data_type: DataType) -> io::Result<ChunkEntry> {
        let bounds = chunk_bounds(chunk, data_type);
        let nulls = match &chunk.nulls {
            Some(nulls) => self.nulls(nulls)?,
            None => NullsEntry::None,
        };
        let (values, fill) = match without_nulls(chunk) {
            Some((present, fill)) => (self.chunk_values(&present)?, Some(self.chunk_values(&fill)?)),
            None => (self.chunk_values(chunk)?, None),
        };
        Ok(ChunkEntry { values, nulls, fill, bounds })
    }

    fn chunk_values(&mut self, chunk: &Column) -> io::Result<ChunkValuesEntry> {
        Ok(match &chunk.values {
            ColumnValues::Ids { ids, .. } => ChunkValuesEntry::Ids { count: ids.len(), ids: self.ids(ids)? },
            ColumnValues::Plain(array) => ChunkValuesEntry::Plain(self.values(array, false)?),
            ColumnValues::IdLists { offsets, ids, .. } => ChunkValuesEntry::IdLists {
                lengths: self.lengths(offsets)?,
                count: ids.len(),
                ids: self.ids(ids)?,
            },
            ColumnValues::PlainLists { offsets, values } => ChunkValuesEntry::PlainLists {
                lengths: self.lengths(offsets)?,
                values: self.values(values, false)?,
            },
        })
    }

    fn nulls(&mut self, nulls: &NullBuffer) -> io::Result<NullsEntry> {
        let null = nulls.null_count() * 2 <= nulls.len();
        let rows: Vec<i64> = match null {
            true => (!nulls.inner()).set_indices().map(signed).collect(),
            false => nulls.inner().set_indices().map(signed).collect(),
        };
        // Places of rows that are far between take about a byte each.
        if rows.len() * 16 > nulls.len() {
            return Ok(NullsEntry::Bits(self.bits(nulls.inner())?));
        }
        Ok(NullsEntry::Rows { null, count: rows.len(), rows: self.plain_integers(&rows)? })
    }

    fn lengths(&mut self, offsets: &OffsetBuffer<i32>) -> io::Result<IntegersEntry> {
        let lengths: Vec<i64> = offsets.lengths().map(signed).collect();
        self.plain_integers(&lengths)
    }

    fn ids(&mut self, ids: &Ids) -> io::Result<IntegersEntry> {
        let mut wide = Vec::with_capacity(ids.len());
        let (width, bytes) = match ids {
            Ids::U8(ids) => {
                wide.extend(ids.iter().map(|&id| i64::from(id)));
                (1, ids.inner().as_slice())
            }
            Ids::U16(ids) => {
                wide.extend(ids.iter().map(|&id| i64::from(id)));
                (2, ids.inner().as_slice())
            }
            Ids::U32(ids) => {
                wide.extend(ids.iter().map(|&id| i64::from(id)));
                (4, ids.inner().as_slice())
            }
        };
        if let Some(constant) = constant(&wide) {
            return Ok(IntegersEntry::Constant(constant));
        }
        // Ids ascend in the column that the rows are sorted by.
        let form = if wide.is_sorted() { FrameForm::Deltas } else { FrameForm::Values };
        let packed = frames::estimated_bytes(&wide, form);
        if width == 1 && entropy_bytes(bytes) < saving(packed) {
            let compressed = self.zstd.compress(bytes)?;
            if compressed.len() < saving(packed) {
                let data = DataEntry { block: self.block(&compressed)?, zstd: Some(bytes.len() as u64) };
                return Ok(IntegersEntry::Fixed { width, data });
            }
        }
        if packed < saving(bytes.len()) {
            return self.frames(&wide, form);
        }
        Ok(IntegersEntry::Fixed { width, data: DataEntry { block: self.block(bytes)?, zstd: None } })
    }

    /// Writes integers that are decoded in any case.
    fn plain_integers(&mut self, values: &[i64]) -> io::Result<IntegersEntry> {
        match constant(values) {
            Some(constant) => Ok(IntegersEntry::Constant(constant)),
            None => self.frames(values, smaller_form(values).0),
        }
    }

    /// Writes integers in frames where that takes less than `bytes_max` bytes.
    fn framed_integers(&mut self, values: &[i64], bytes_max: usize) -> io::Result<Option<IntegersEntry>> {
        if let Some(constant) = constant(values) {
            return Ok(Some(IntegersEntry::Constant(constant)));
        }
        let (form, bytes) = smaller_form(values);
        Ok(if bytes < bytes_max { Some(self.frames(values, form)?) } else { None })
    }

    fn frames(&mut self, values: &[i64], form: FrameForm) -> io::Result<IntegersEntry> {
        let block = self.block(&frames::encode(values, form))?;
        Ok(match form {
            FrameForm::Values => IntegersEntry::Frames(block),
            FrameForm::Deltas => IntegersEntry::DeltaFrames(block),
        })
    }

    /// Writes integers in frames, or in `width` bytes each as in `bytes`.
    fn integers(&mut self, values: &[i64], width: u8, bytes: &[u8]) -> io::Result<IntegersEntry> {
        match self.framed_integers(values, saving(bytes.len()))? {
            Some(entry) => Ok(entry),
            None => {
                Ok(IntegersEntry::Fixed { width, data: DataEntry { block: self.block(bytes)?, zstd: None } })
            }
        }
    }

    /// Writes the values of an array without nulls; those of a dictionary are `sorted`.
    fn values(&mut self, array: &ArrayRef, sorted: bool) -> io::Result<ValuesEntry> {
        let data = array.to_data();
        let count = array.len();
        let fixed = |width: usize| {
            let start = data.offset() * width;
            &data.buffers()[0].as_slice()[start..start + count * width]
        };
        let form = match array.data_type() {
            ArrowType::Boolean => {
                let bits = BooleanBuffer::new(data.buffers()[0].clone(), data.offset(), count);
                match bits.count_set_bits() {
                    set if set == count && count > 0 => ValuesForm::Constant(vec![1]),
                    0 if count > 0 => ValuesForm::Constant(vec![0]),
                    _ => ValuesForm::Bits(self.bits(&bits)?),
                }
            }
            ArrowType::Utf8 | ArrowType::Binary => {
                let texts =
                    Texts { offsets: &data.buffer::<i32>(0)[..=count], data: data.buffers()[1].as_slice() };
                self.texts(texts, sorted)?
            }
            ArrowType::Int32 => {
                let wide: Vec<i64> =
                    array.as_primitive::<Int32Type>().values().iter().map(|&v| i64::from(v)).collect();
                ValuesForm::Integers(self.integers(&wide, 4, fixed(4))?)
            }
            ArrowType::Int64 | ArrowType::Timestamp(..) => {
                let values = &data.buffer::<i64>(0)[..count];
                ValuesForm::Integers(self.integers(values, 8, fixed(8))?)
            }
            ArrowType::Float32 => {
                let values = array.as_primitive::<Float32Type>().values();
                match constant_bytes(fixed(4), 4) {
                    Some(constant) => ValuesForm::Constant(constant.to_vec()),
                    None => self.floats(to_decimals(values), fixed(4))?,
                }
            }
            ArrowType::Float64 => {
                let values = array.as_primitive::<Float64Type>().values();
                match constant_bytes(fixed(8), 8) {
                    Some(constant) => ValuesForm::Constant(constant.to_vec()),
                    None => self.floats(to_decimals(values), fixed(8))?,
                }
            }
            other => {
                let width = other.primitive_width().expect("all other stored types have one width");
                let bytes = fixed(width);
                match constant_bytes(bytes, width) {
                    Some(constant) => ValuesForm::Constant(constant.to_vec()),
                    None => ValuesForm::Fixed(self.data(bytes)?),
                }
            }
        };
        Ok(ValuesEntry { count, form })
    }

    fn floats(&mut self, decimals: Option<Decimals>, bytes: &[u8]) -> io::Result<ValuesForm> {
        if let Some(decimals) = decimals
            && let Some(integers) = self.framed_integers(&decimals.integers, saving(bytes.len()))?
        {
            return Ok(ValuesForm::Decimals { exponent: decimals.exponent, integers });
        }
        Ok(ValuesForm::Fixed(DataEntry { block: self.block(bytes)?, zstd: None }))
    }

    fn texts(&mut self, texts: Texts<'_>, sorted: bool) -> io::Result<ValuesForm> {
        let is_constant = texts.len() > 0 && texts.iter().all(|text| text == texts.get(0));
        if is_constant {
            return Ok(ValuesForm::Constant(texts.get(0).to_vec()));
        }
        if let Some(digits) = to_digits(texts) {
            let words = digits.words.iter().map(|word| self.plain_integers(word));
            let words = words.collect::<io::Result<_>>()?;
            return Ok(ValuesForm::Digits { pattern: digits.pattern, words });
        }
        if texts.bytes().len() < TEXTS_ENCODED_MIN {
            return self.raw_texts(texts);
        }
        if sorted {
            let fronts = to_fronts(texts);
            return Ok(ValuesForm::Fronts {
                shared: self.plain_integers(&fronts.shared)?,
                lengths: self.plain_integers(&fronts.lengths)?,
                data: self.data(&fronts.data)?,
            });
        }
        let compressed = self.zstd.compress(texts.bytes())?;
        if compressed.len() >= saving(texts.bytes().len()) {
            return self.raw_texts(texts);
        }
        let lengths: Vec<i64> = texts.iter().map(|text| signed(text.len())).collect();
        Ok(ValuesForm::Lengths {
            lengths: self.plain_integers(&lengths)?,
            data: DataEntry { block: self.block(&compressed)?, zstd: Some(texts.bytes().len() as u64) },
        })
    }

    fn raw_texts(&mut self, texts: Texts<'_>) -> io::Result<ValuesForm> {
        let shifted: Vec<u8> =
            texts.offsets.iter().flat_map(|offset| (offset - texts.offsets[0]).to_le_bytes()).collect();
        Ok(ValuesForm::Bytes { offsets: self.block(&shifted)?, data: self.block(texts.bytes())? })
    }

    /// Writes bytes, compressed where that saves.
    fn data(&mut self, bytes: &[u8]) -> io::Result<DataEntry> {
        let compressed = self.zstd.compress(bytes)?;
        Ok(match compressed.len() < saving(bytes.len()) {
            true => DataEntry { block: self.block(&compressed)?, zstd: Some(bytes.len() as u64) },
            false => DataEntry { block: self.block(bytes)?, zstd: None },
        })
    }

    fn bits(&mut self, bits: &BooleanBuffer) -> io::Result<BlockId> {
        self.block(bits.sliced().as_slice())
    }

    fn block(&mut self, bytes: &[u8]) -> io::Result<BlockId> {
        const PADDING: [u8; BLOCK_ALIGNMENT] = [0; BLOCK_ALIGNMENT];
        let padding = self.position.next_multiple_of(BLOCK_ALIGNMENT) - self.position;
        self.bytes(&PADDING[..padding])?;
        self.blocks.push(BlockEntry {
            start: self.position as u64,
            bytes: bytes.len() as u64,
            crc32c: crc32c::crc32c(bytes),
        });
        self.bytes(bytes)?;
        Ok(self.blocks.len() - 1)
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.position += bytes.len();
        Ok(())
    }
}

/// Returns about how many bytes these integers take.
pub(crate) fn plain_integer_bytes(values: &[i64]) -> usize {
    smaller_form(values).1
}

fn smaller_form(values: &[i64]) -> (FrameForm, usize) {
    let as_values = frames::estimated_bytes(values, FrameForm::Values);
    let as_deltas = frames::estimated_bytes(values, FrameForm::Deltas);
    if as_deltas < as_values { (FrameForm::Deltas, as_deltas) } else { (FrameForm::Values, as_values) }
}

/// Returns about how many bytes these floats take, judged by some of them.
pub(crate) fn plain_float_bytes<F: Float>(values: &[F]) -> usize {
    const LOOKED_AT: usize = 4096;
    let step = values.len().div_ceil(LOOKED_AT).max(1);
    let some: Vec<F> = values.iter().copied().step_by(step).collect();
    let all = size_of_val(values);
    to_decimals(&some).map_or(all, |decimals| (smaller_form(&decimals.integers).1 * step).min(all))
}

/// Returns what an encoding of `bytes` bytes must stay below to be worth it.
fn saving(bytes: usize) -> usize {
    bytes - bytes / 10
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).expect("an array holds less than 2 GiB")
}

fn constant(values: &[i64]) -> Option<i64> {
    let (first, rest) = values.split_first()?;
    rest.iter().all(|value| value == first).then_some(*first)
}

/// Returns the bytes of one value where all values have the same.
fn constant_bytes(bytes: &[u8], width: usize) -> Option<&[u8]> {
    let first = bytes.get(..width)?;
    (bytes[width..] == bytes[..bytes.len() - width]).then_some(first)
}

/// Returns how many bytes these would take if each took as many bits as its frequency deserves.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
fn entropy_bytes(bytes: &[u8]) -> usize {
    let mut counts = [0_u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let all = bytes.len() as f64;
    let bits =
        |&count: &u32| if count == 0 { 0.0 } else { f64::from(count) * (all / f64::from(count)).log2() };
    (counts.iter().map(bits).sum::<f64>() / 8.0) as usize
}

/// Returns the rows that are not null, and one of those that are, where leaving out null rows saves.
fn without_nulls(chunk: &Column) -> Option<(Column, Column)> {
    let nulls = chunk.nulls.as_ref()?;
    let share = match &chunk.values {
        ColumnValues::Ids { .. } => SPARSE_IDS,
        ColumnValues::Plain(_) => SPARSE_PLAIN,
        ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. } => return None,
    };
    if nulls.null_count() * share < nulls.len() {
        return None;
    }
    let rows = |bits: &BooleanBuffer| -> UInt32Array {
        bits.set_indices().map(|row| u32::try_from(row).expect("a chunk's rows are few")).collect()
    };
    let take = |rows: &UInt32Array| {
        let mut column = chunk.take(rows).expect("these rows exist");
        column.nulls = None;
        column
    };
    let fills = take(&rows(&!nulls.inner()));
    is_constant(&fills.values).then(|| (take(&rows(nulls.inner())), fills.slice(0, 1)))
}

fn is_constant(values: &ColumnValues) -> bool {
    match values {
        ColumnValues::Ids { ids, .. } => ids.min() == ids.max(),
        ColumnValues::Plain(array) => match array.data_type() {
            ArrowType::Boolean => {
                let set = array.as_boolean().values().count_set_bits();
                set == 0 || set == array.len()
            }
            ArrowType::Utf8 => {
                let texts = array.as_string::<i32>();
                (1..texts.len()).all(|row| texts.value(row) == texts.value(0))
            }
            ArrowType::Binary => {
                let values = array.as_binary::<i32>();
                (1..values.len()).all(|row| values.value(row) == values.value(0))
            }
            fixed => {
                let width = fixed.primitive_width().expect("all other stored types have one width");
                let data = array.to_data();
                let start = data.offset() * width;
                let bytes = &data.buffers()[0].as_slice()[start..start + array.len() * width];
                constant_bytes(bytes, width).is_some()
            }
        },
        ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. } => false,
    }
}

/// Returns the bounds of a chunk of numbers or times.
fn chunk_bounds(chunk: &Column, data_type: DataType) -> Option<(u64, u64)> {
    let is_number = match data_type {
        DataType::Int | DataType::Long | DataType::Float | DataType::Double | DataType::Timestamp => true,
        DataType::BigDecimal | DataType::Boolean | DataType::String | DataType::Json | DataType::Bytes => {
            false
        }
    };
    if !is_number {
        return None;
    }
    let values = match &chunk.values {
        ColumnValues::Plain(array) => array.clone(),
        ColumnValues::Ids { ids, dictionary } => {
            let ends = UInt32Array::from(vec![ids.min()?, ids.max()?]);
            crate::dictionary::take_rows(&dictionary.stored_values().ok()?, &ends).ok()?
        }
        ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. } => return None,
    };
    bits_of_bounds(&ColumnStats::of_array(&values))
}

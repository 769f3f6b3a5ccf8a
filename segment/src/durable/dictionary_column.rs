//! A column with a dictionary as a Parquet column chunk, written from its ids.
//!
//! The library's writer hashes each value to find its place in the dictionary page. A sealed column has the ids already,
//! so that this writes the pages itself: one dictionary page in plain encoding, and data pages (version 1) of definition
//! levels and bit-packed ids. The library puts them into the file.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType as ArrowType;
use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::ZSTD_LEVEL;
use crate::chunk::CHUNK_ROWS;
use crate::column::{Column, ColumnValues};
use crate::ids::Ids;
use crate::serving::pack;

/// A larger dictionary page costs every reader of a few rows more than it saves.
const DICTIONARY_BYTES_MAX: usize = 4 << 20;
/// A dictionary saves where each value stands in this many rows.
const ROWS_A_VALUE_MIN: usize = 4;
/// Longer texts are not kept as bounds: a reader would have to take them along with the footer.
const BOUND_BYTES_MAX: usize = 64;

/// Pages of one column in one row group.
pub(super) struct DictionaryColumn {
    pub(super) pages: Bytes,
    pub(super) close: ColumnCloseResult,
}

/// Returns the column's rows as pages, where it has a dictionary that is worth it.
pub(super) fn encode(column: &Column, descriptor: &ColumnDescPtr) -> Result<Option<DictionaryColumn>> {
    let ColumnValues::Ids { ids, dictionary } = &column.values else { return Ok(None) };
    let values = dictionary.stored_values()?;
    let Some(plain) = plain_bytes(&values) else { return Ok(None) };
    if plain.len() > DICTIONARY_BYTES_MAX || values.len() * ROWS_A_VALUE_MIN > ids.len() {
        return Ok(None);
    }
    let mut pages = Pages::new()?;
    pages.dictionary(plain, values.len())?;
    let nulls = column.nulls.as_ref();
    let optional = descriptor.max_def_level() > 0;
    for start in (0..ids.len()).step_by(CHUNK_ROWS) {
        let len = CHUNK_ROWS.min(ids.len() - start);
        let nulls = nulls.map(|nulls| nulls.slice(start, len)).filter(|nulls| nulls.null_count() > 0);
        pages.data(&ids.slice(start, len), nulls.as_ref(), values.len(), optional)?;
    }
    let statistics = statistics(ids, nulls, &values);
    pages.close(descriptor, ids.len(), statistics).map(Some)
}

struct Pages {
    out: TrackedWrite<Vec<u8>>,
    zstd: Compressor<'static>,
    uncompressed: usize,
    data_offset: u64,
    offsets: OffsetIndexBuilder,
}

impl Pages {
    fn new() -> Result<Pages> {
        Ok(Pages {
            out: TrackedWrite::new(Vec::new()),
            zstd: Compressor::new(ZSTD_LEVEL)?,
            uncompressed: 0,
            data_offset: 0,
            offsets: OffsetIndexBuilder::new(),
        })
    }

    fn dictionary(&mut self, plain: Vec<u8>, count: usize) -> Result<()> {
        let page = Page::DictionaryPage {
            buf: self.zstd.compress(&plain)?.into(),
            num_values: number(count)?,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let spec =
            SerializedPageWriter::new(&mut self.out).write_page(CompressedPage::new(page, plain.len()))?;
        self.uncompressed += spec.uncompressed_size;
        self.data_offset = spec.bytes_written;
        Ok(())
    }

    fn data(&mut self, ids: &Ids, nulls: Option<&NullBuffer>, distinct: usize, optional: bool) -> Result<()> {
        let mut body = Vec::with_capacity(ids.len() * 2);
        if optional {
            write_levels(nulls, ids.len(), &mut body)?;
        }
        write_ids(ids, nulls, distinct, &mut body)?;
        let page = Page::DataPage {
            buf: self.zstd.compress(&body)?.into(),
            num_values: number(ids.len())?,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let spec =
            SerializedPageWriter::new(&mut self.out).write_page(CompressedPage::new(page, body.len()))?;
        self.uncompressed += spec.uncompressed_size;
        self.offsets.append_row_count(i64::from(number(ids.len())?));
        let compressed = i32::try_from(spec.compressed_size).map_err(too_large)?;
        self.offsets.append_offset_and_size(i64::try_from(spec.offset).map_err(too_large)?, compressed);
        self.offsets.append_unencoded_byte_array_data_bytes(None);
        Ok(())
    }

    fn close(
        self,
        descriptor: &ColumnDescPtr,
        rows: usize,
        statistics: Statistics,
    ) -> Result<DictionaryColumn> {
        let pages = self.out.into_inner()?;
        let long = |count: usize| i64::try_from(count).map_err(too_large);
        let metadata = ColumnChunkMetaData::builder(Arc::clone(descriptor))
            .set_compression(super::zstd())
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_total_compressed_size(long(pages.len())?)
            .set_total_uncompressed_size(long(self.uncompressed)?)
            .set_num_values(long(rows)?)
            .set_dictionary_page_offset(Some(0))
            .set_data_page_offset(i64::try_from(self.data_offset).map_err(too_large)?)
            .set_statistics(statistics)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: pages.len() as u64,
            rows_written: rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(self.offsets.build()),
        };
        Ok(DictionaryColumn { pages: pages.into(), close })
    }
}

/// Definition levels, 1 where there is a value: a length and runs. A run of one level is its length and the level; a run
/// of packed bits is the number of groups of eight, and the bits as validity bitmaps have them.
fn write_levels(nulls: Option<&NullBuffer>, rows: usize, out: &mut Vec<u8>) -> Result<()> {
    let mut runs = Vec::new();
    match nulls {
        None => {
            varint(rows << 1, &mut runs);
            runs.push(1);
        }
        Some(nulls) => {
            let bytes = rows.div_ceil(8);
            varint(bytes << 1 | 1, &mut runs);
            runs.extend_from_slice(&nulls.inner().sliced().as_slice()[..bytes]);
        }
    }
    out.extend_from_slice(&number(runs.len())?.to_le_bytes());
    out.extend_from_slice(&runs);
    Ok(())
}

/// Ids of the rows that are not null: the bits of an id, and runs.
fn write_ids(ids: &Ids, nulls: Option<&NullBuffer>, distinct: usize, out: &mut Vec<u8>) -> Result<()> {
    let width = if distinct < 2 { 0 } else { (distinct - 1).ilog2() + 1 };
    out.push(u8::try_from(width).map_err(too_large)?);
    let mut wide = Vec::with_capacity(ids.len().next_multiple_of(8));
    match ids {
        Ids::U8(ids) => widen(ids, nulls, &mut wide),
        Ids::U16(ids) => widen(ids, nulls, &mut wide),
        Ids::U32(ids) => widen(ids, nulls, &mut wide),
    }
    let Some(&first) = wide.first() else { return Ok(()) };
    if wide.iter().all(|&id| id == first) {
        varint(wide.len() << 1, out);
        out.extend_from_slice(&first.to_le_bytes()[..width.div_ceil(8) as usize]);
        return Ok(());
    }
    // Packed runs hold groups of eight; readers know from the page how many ids there are.
    wide.resize(wide.len().next_multiple_of(8), 0);
    varint((wide.len() / 8) << 1 | 1, out);
    pack(wide, width, out);
    Ok(())
}

fn widen<T: Copy + Into<u64>>(ids: &[T], nulls: Option<&NullBuffer>, out: &mut Vec<u64>) {
    match nulls {
        None => out.extend(ids.iter().map(|&id| id.into())),
        Some(nulls) => out.extend(nulls.valid_indices().map(|row| ids[row].into())),
    }
}

/// Returns values in plain encoding: little-endian, and bytes with their length of 32 bits in front.
fn plain_bytes(values: &ArrayRef) -> Option<Vec<u8>> {
    fn texts<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for value in values {
            out.extend_from_slice(&u32::try_from(value.len()).ok()?.to_le_bytes());
            out.extend_from_slice(value);
        }
        Some(out)
    }
    match values.data_type() {
        ArrowType::Utf8 => texts(values.as_string::<i32>().iter().flatten().map(str::as_bytes)),
        ArrowType::Binary => texts(values.as_binary::<i32>().iter().flatten()),
        ArrowType::Int32
        | ArrowType::Int64
        | ArrowType::Timestamp(..)
        | ArrowType::Float32
        | ArrowType::Float64 => {
            let (data, width) = (values.to_data(), values.data_type().primitive_width()?);
            let start = data.offset() * width;
            Some(data.buffers()[0].as_slice()[start..start + values.len() * width].to_vec())
        }
        _ => None,
    }
}

/// Returns bounds of the values that stand in rows that are not null, for types whose order all readers agree on.
fn statistics(ids: &Ids, nulls: Option<&NullBuffer>, values: &ArrayRef) -> Statistics {
    let null_count = nulls.map_or(0, NullBuffer::null_count) as u64;
    let ends = match ids {
        Ids::U8(ids) => ends(ids, nulls),
        Ids::U16(ids) => ends(ids, nulls),
        Ids::U32(ids) => ends(ids, nulls),
    };
    let bounds = |value: &dyn Fn(usize) -> Vec<u8>| {
        let (min, max) = ends.map(|(min, max)| (value(min as usize), value(max as usize)))?;
        (min.len().max(max.len()) <= BOUND_BYTES_MAX).then_some((ByteArray::from(min), ByteArray::from(max)))
    };
    macro_rules! numbers {
        ($type:ty) => {{
            let values = values.as_primitive::<$type>();
            let (min, max) =
                ends.map(|(min, max)| (values.value(min as usize), values.value(max as usize))).unzip();
            Statistics::new(min, max, None, Some(null_count), false)
        }};
    }
    use arrow::datatypes::{Int32Type, Int64Type, TimestampMillisecondType};
    match values.data_type() {
        ArrowType::Int32 => numbers!(Int32Type),
        ArrowType::Int64 => numbers!(Int64Type),
        ArrowType::Timestamp(..) => numbers!(TimestampMillisecondType),
        ArrowType::Utf8 => {
            let texts = values.as_string::<i32>();
            let (min, max) = bounds(&|id| texts.value(id).as_bytes().to_vec()).unzip();
            Statistics::new(min, max, None, Some(null_count), false)
        }
        ArrowType::Binary => {
            let values = values.as_binary::<i32>();
            let (min, max) = bounds(&|id| values.value(id).to_vec()).unzip();
            Statistics::new(min, max, None, Some(null_count), false)
        }
        // Zeros of both signs and NaN have no place in bounds; a reader does without.
        ArrowType::Float32 => Statistics::new::<f32>(None, None, None, Some(null_count), false),
        _ => Statistics::new::<f64>(None, None, None, Some(null_count), false),
    }
}

fn ends<T: Copy + Ord + Into<u32>>(ids: &[T], nulls: Option<&NullBuffer>) -> Option<(u32, u32)> {
    let (min, max) = match nulls {
        None => (ids.iter().min(), ids.iter().max()),
        Some(nulls) => (
            nulls.valid_indices().map(|row| &ids[row]).min(),
            nulls.valid_indices().map(|row| &ids[row]).max(),
        ),
    };
    Some(((*min?).into(), (*max?).into()))
}

fn varint(value: usize, out: &mut Vec<u8>) {
    crate::serving::write_varint(out, value as u64);
}

fn number(count: usize) -> Result<u32> {
    u32::try_from(count).map_err(too_large)
}

fn too_large(error: std::num::TryFromIntError) -> ParquetError {
    ParquetError::External(Box::new(error))
}

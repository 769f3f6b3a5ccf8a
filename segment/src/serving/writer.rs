//! Writes sealed rows as a serving file, front to back in one pass.

use std::io::{self, Write};

use arrow::array::{Array, ArrayRef};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::datatypes::DataType as ArrowType;

use super::layout::{
    BlockEntry, BlockId, ChunkEntry, ChunkValuesEntry, ColumnEntry, DurableRef, Footer, IdsEntry, StatsEntry,
    ValuesEntry, ValuesForm,
};
use super::{BLOCK_ALIGNMENT, FORMAT_VERSION, MAGIC};
use crate::chunk::CHUNK_ROWS;
use crate::column::{Column, ColumnValues};
use crate::ids::Ids;
use crate::seal::{SealedColumn, SealedRows};

/// Writes `rows`, whose durable form is the file `durable`, to `out`.
///
/// # Errors
/// When `out` does not take the bytes.
pub fn write(out: &mut dyn Write, rows: &SealedRows, durable: DurableRef) -> io::Result<()> {
    let mut writer = Writer { out, position: 0, blocks: Vec::new() };
    writer.bytes(&MAGIC)?;
    let columns =
        rows.columns.iter().map(|column| writer.column(column, rows.rows)).collect::<io::Result<_>>()?;
    let footer = Footer {
        segment: rows.identity.name.to_string(),
        partition: rows.identity.partition,
        range: rows.range,
        created_ms: rows.identity.created_ms,
        rows: rows.rows,
        durable,
        columns,
        blocks: std::mem::take(&mut writer.blocks),
    };
    let footer = serde_json::to_vec(&footer)?;
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
}

impl Writer<'_> {
    fn column(&mut self, column: &SealedColumn, rows: usize) -> io::Result<ColumnEntry> {
        let dictionary = match &column.column.values {
            ColumnValues::Ids { dictionary, .. } | ColumnValues::IdLists { dictionary, .. } => {
                let blocks = dictionary.blocks().iter();
                Some(blocks.map(|block| self.values(block.values())).collect::<io::Result<_>>()?)
            }
            ColumnValues::Plain(_) | ColumnValues::PlainLists { .. } => None,
        };
        let starts = (0..rows).step_by(CHUNK_ROWS);
        let chunks = starts
            .map(|start| self.chunk(&column.column.slice(start, CHUNK_ROWS.min(rows - start))))
            .collect::<io::Result<_>>()?;
        Ok(ColumnEntry {
            name: column.field.name.to_string(),
            data_type: column.field.data_type.name().to_owned(),
            single_value: column.field.single_value,
            dictionary,
            chunks,
            stats: StatsEntry::from(&column.stats),
        })
    }

    fn chunk(&mut self, chunk: &Column) -> io::Result<ChunkEntry> {
        let values = match &chunk.values {
            ColumnValues::Ids { ids, .. } => ChunkValuesEntry::Ids(self.ids(ids)?),
            ColumnValues::Plain(array) => ChunkValuesEntry::Plain(self.values(array)?),
            ColumnValues::IdLists { offsets, ids, .. } => {
                ChunkValuesEntry::IdLists { offsets: self.offsets(offsets)?, ids: self.ids(ids)? }
            }
            ColumnValues::PlainLists { offsets, values } => {
                ChunkValuesEntry::PlainLists { offsets: self.offsets(offsets)?, values: self.values(values)? }
            }
        };
        let nulls = match &chunk.nulls {
            Some(nulls) => Some(self.bits(nulls.inner())?),
            None => None,
        };
        Ok(ChunkEntry { values, nulls })
    }

    fn ids(&mut self, ids: &Ids) -> io::Result<IdsEntry> {
        let (width, block) = match ids {
            Ids::U8(ids) => (1, self.block(ids.inner().as_slice())?),
            Ids::U16(ids) => (2, self.block(ids.inner().as_slice())?),
            Ids::U32(ids) => (4, self.block(ids.inner().as_slice())?),
        };
        Ok(IdsEntry { width, count: ids.len(), block })
    }

    /// Writes the values of an array without nulls.
    fn values(&mut self, array: &ArrayRef) -> io::Result<ValuesEntry> {
        let data = array.to_data();
        let count = array.len();
        let form = match array.data_type() {
            ArrowType::Boolean => ValuesForm::Bits {
                block: self.bits(&BooleanBuffer::new(data.buffers()[0].clone(), data.offset(), count))?,
            },
            ArrowType::Utf8 | ArrowType::Binary => {
                let offsets = &data.buffer::<i32>(0)[..=count];
                let first = usize::try_from(offsets[0]).expect("offsets are not negative");
                let last = usize::try_from(offsets[count]).expect("offsets are not negative");
                let shifted: Vec<i32> = offsets.iter().map(|offset| offset - offsets[0]).collect();
                let bytes = &data.buffers()[1].as_slice()[first..last];
                ValuesForm::Bytes {
                    offsets: self.offsets(&OffsetBuffer::new(shifted.into()))?,
                    data: self.block(bytes)?,
                }
            }
            fixed => {
                let width = fixed.primitive_width().expect("all other stored types have one width");
                let start = data.offset() * width;
                let bytes = &data.buffers()[0].as_slice()[start..start + count * width];
                ValuesForm::Fixed { block: self.block(bytes)? }
            }
        };
        Ok(ValuesEntry { count, form })
    }

    fn offsets(&mut self, offsets: &OffsetBuffer<i32>) -> io::Result<BlockId> {
        self.block(offsets.inner().inner().as_slice())
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

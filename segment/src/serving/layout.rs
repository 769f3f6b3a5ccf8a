//! The footer of a serving file: which columns there are, and in which blocks their values lie.

use serde::{Deserialize, Serialize};

use crate::offset_range::{OffsetRange, PartitionId};
use crate::stats::ColumnStats;
use crate::value::Value;

/// Number of a block in [`Footer::blocks`].
pub(crate) type BlockId = usize;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Footer {
    pub(crate) segment: String,
    pub(crate) partition: PartitionId,
    pub(crate) range: OffsetRange,
    pub(crate) created_ms: i64,
    pub(crate) rows: usize,
    /// The durable file the rows came from.
    pub(crate) durable: DurableRef,
    pub(crate) columns: Vec<ColumnEntry>,
    pub(crate) blocks: Vec<BlockEntry>,
}

/// Length and checksum of the durable file that holds the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DurableRef {
    /// Its length.
    pub bytes: u64,
    /// Checksum of all of it.
    pub crc32c: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct BlockEntry {
    pub(crate) start: u64,
    pub(crate) bytes: u64,
    pub(crate) crc32c: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ColumnEntry {
    pub(crate) name: String,
    /// Pinot's name of the type.
    pub(crate) data_type: String,
    pub(crate) single_value: bool,
    /// Sorted distinct values, one entry a dictionary block.
    pub(crate) dictionary: Option<Vec<ValuesEntry>>,
    /// One entry for each 65,536 rows.
    pub(crate) chunks: Vec<ChunkEntry>,
    pub(crate) stats: StatsEntry,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ChunkEntry {
    pub(crate) values: ChunkValuesEntry,
    /// Validity bits, where a row is null.
    pub(crate) nulls: Option<BlockId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChunkValuesEntry {
    Ids(IdsEntry),
    Plain(ValuesEntry),
    IdLists { offsets: BlockId, ids: IdsEntry },
    PlainLists { offsets: BlockId, values: ValuesEntry },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IdsEntry {
    /// Bytes of one id: 1, 2 or 4.
    pub(crate) width: u8,
    pub(crate) count: usize,
    pub(crate) block: BlockId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ValuesEntry {
    pub(crate) count: usize,
    pub(crate) form: ValuesForm,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValuesForm {
    /// Values of one width, side by side.
    Fixed { block: BlockId },
    /// One bit a value, least significant first.
    Bits { block: BlockId },
    /// Text or bytes: `count` + 1 offsets of 32 bits into the data.
    Bytes { offsets: BlockId, data: BlockId },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StatsEntry {
    bounds: Option<(Bound, Bound)>,
    bounds_known: bool,
    null_count: u64,
    distinct_count: Option<u64>,
}

/// A [`Value`] in JSON. Floats are written as their bits, since JSON has no infinity.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bound {
    Int(i32),
    Long(i64),
    Float(u32),
    Double(u64),
    BigDecimal([u128; 2]),
    Boolean(bool),
    Timestamp(i64),
    String(String),
    Bytes(Vec<u8>),
}

impl From<&ColumnStats> for StatsEntry {
    fn from(stats: &ColumnStats) -> StatsEntry {
        StatsEntry {
            bounds: stats
                .min
                .as_ref()
                .zip(stats.max.as_ref())
                .map(|(min, max)| (Bound::from(min), Bound::from(max))),
            bounds_known: stats.bounds_known,
            null_count: stats.null_count,
            distinct_count: stats.distinct_count,
        }
    }
}

impl From<&StatsEntry> for ColumnStats {
    fn from(entry: &StatsEntry) -> ColumnStats {
        let (min, max) = entry.bounds.as_ref().map(|(min, max)| (Value::from(min), Value::from(max))).unzip();
        ColumnStats {
            min,
            max,
            null_count: entry.null_count,
            distinct_count: entry.distinct_count,
            bounds_known: entry.bounds_known,
        }
    }
}

impl From<&Value> for Bound {
    fn from(value: &Value) -> Bound {
        match value {
            Value::Int(value) => Bound::Int(*value),
            Value::Long(value) => Bound::Long(*value),
            Value::Float(value) => Bound::Float(value.to_bits()),
            Value::Double(value) => Bound::Double(value.to_bits()),
            Value::BigDecimal(value) => {
                let (low, high) = value.to_parts();
                Bound::BigDecimal([low, high.cast_unsigned()])
            }
            Value::Boolean(value) => Bound::Boolean(*value),
            Value::Timestamp(value) => Bound::Timestamp(*value),
            Value::String(value) => Bound::String(value.to_string()),
            Value::Bytes(value) => Bound::Bytes(value.to_vec()),
        }
    }
}

impl From<&Bound> for Value {
    fn from(bound: &Bound) -> Value {
        match bound {
            Bound::Int(value) => Value::Int(*value),
            Bound::Long(value) => Value::Long(*value),
            Bound::Float(bits) => Value::Float(f32::from_bits(*bits)),
            Bound::Double(bits) => Value::Double(f64::from_bits(*bits)),
            Bound::BigDecimal([low, high]) => {
                Value::BigDecimal(arrow::datatypes::i256::from_parts(*low, high.cast_signed()))
            }
            Bound::Boolean(value) => Value::Boolean(*value),
            Bound::Timestamp(value) => Value::Timestamp(*value),
            Bound::String(value) => Value::String(value.as_str().into()),
            Bound::Bytes(value) => Value::Bytes(value.as_slice().into()),
        }
    }
}

//! Turns Kafka records into columns, by the table's schema.
//!
//! Input is one [`RecordRef`] after the other, output one [`DecodedBatch`]: columns of the records that became rows and the
//! records that did not, with the reason. Nothing here fails or waits: whatever the bytes are, a record ends up as
//! exactly one row or one reject, and its neighbours do not notice.
//!
//! The path of a JSON record: `json` checks it and drives the rest → `depth` measures nesting before any parser sees the
//! bytes → `tape_reader` parses, most records by `plain_json` → `record_fields` finds the columns' values → `column_builder` appends, with
//! `coerce` where the JSON type is not the column's own and `json_text` where a nested value is kept as text. What each
//! conversion does is written down in `docs/reference/json-decoding.md`, and `decode/tests/` checks that table.

mod fault;
mod depth;
mod huge_numbers;
mod document;
mod json_text;
mod key_order;
mod record_fields;
mod special_bytes;
mod plain_json;
mod tape_reader;
mod timestamp_text;
mod coerce;
mod length_limit;
mod column_builder;
mod time_check;
mod json;
mod record_tree;
mod source_type;

use meunier_segment::offset_range::Offset;
use meunier_segment::reject::RejectedRecord;
use meunier_segment::row_buffer::RowBuffer;

pub(crate) use fault::Fault;
pub use json::{JsonDecoder, RowRules};
pub(crate) use json_text::write_string as write_json_string;
pub(crate) use record_tree::RecordTreeReader;
pub(crate) use source_type::in_type;
pub(crate) use time_check::is_plausible_time;

/// Greatest depth that limits can allow: writing nested values back as text recurses this far.
const DEPTH_CEILING: usize = 512;

/// One Kafka record, borrowed from the fetch.
#[derive(Debug, Clone, Copy)]
pub struct RecordRef<'a> {
    /// Where it stands in its partition.
    pub offset: Offset,
    /// Kafka's timestamp, milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub payload: Option<&'a [u8]>,
    /// Its headers, name and value. Read only when the record is rejected.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// What a record may be before it is rejected unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Longest payload. While one is being decoded it takes up to 35 times its size, when it is all single digits.
    pub payload_bytes_max: usize, // default 10 MiB: ten times what brokers accept by default
    /// Deepest nesting of arrays and objects, the record's own object included; at most 512 is taken.
    pub depth_max: usize, // default 64: beyond anything seen in practice, far below any stack limit
}

impl Default for DecodeLimits {
    fn default() -> DecodeLimits {
        DecodeLimits { payload_bytes_max: 10 * 1024 * 1024, depth_max: 64 }
    }
}

/// What became of the records since the last batch.
#[derive(Debug)]
pub struct DecodedBatch<'a> {
    /// One row a decoded record, in offset order; null where the record had no value.
    pub rows: &'a RowBuffer,
    /// Lowest Kafka timestamp of all records, rejected ones included.
    pub timestamp_ms_min: Option<i64>,
    /// Highest Kafka timestamp of all records, rejected ones included.
    pub timestamp_ms_max: Option<i64>,
    /// The records that are not among the rows, in offset order.
    pub rejects: Vec<RejectedRecord>,
    /// The offset after the last record; `None` when there was none.
    pub next_offset: Option<Offset>,
    /// Length of all payloads.
    pub payload_bytes: u64,
    /// Records that the table's filter left out.
    pub filtered: u64,
    /// Rows beyond the first of the records that became several.
    pub extra_rows: u64,
    /// Rows that lack a value which could not be stored.
    pub incomplete: u64,
}

#[cfg(test)]
mod tests;

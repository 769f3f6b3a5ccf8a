//! Records that could not become rows: kept with their reason, committed with the segment they fell out of.

use serde::{Deserialize, Serialize};

use crate::offset_range::Offset;

/// Longest raw payload kept of a rejected record; the rest is cut and [`RejectedRecord::payload_bytes`] tells the size.
pub const PAYLOAD_KEPT_MAX: usize = 64 * 1024;

/// Why a record was rejected. The names are stable: they are stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// The record has no payload (a Kafka tombstone).
    NoPayload,
    /// The payload is longer than the table allows.
    TooLarge,
    /// Arrays and objects nest deeper than the decoder allows.
    TooDeep,
    /// The payload is not one JSON value.
    MalformedJson,
    /// The payload is JSON, but not an object.
    NotAnObject,
    /// A value cannot be converted to its column's type.
    TypeMismatch,
    /// A value does not fit its column's type.
    OutOfRange,
    /// A value is longer than the column allows, and the schema asks for an error.
    TooLong,
    /// An expression of the table config cannot be computed for the record.
    NotComputed,
}

impl RejectReason {
    /// All reasons, in the order of the checks.
    pub const ALL: [RejectReason; 9] = [
        RejectReason::NoPayload,
        RejectReason::TooLarge,
        RejectReason::TooDeep,
        RejectReason::MalformedJson,
        RejectReason::NotAnObject,
        RejectReason::TypeMismatch,
        RejectReason::OutOfRange,
        RejectReason::TooLong,
        RejectReason::NotComputed,
    ];

    /// Returns the stable name, in snake case.
    pub fn name(self) -> &'static str {
        match self {
            RejectReason::NoPayload => "no_payload",
            RejectReason::TooLarge => "too_large",
            RejectReason::TooDeep => "too_deep",
            RejectReason::MalformedJson => "malformed_json",
            RejectReason::NotAnObject => "not_an_object",
            RejectReason::TypeMismatch => "type_mismatch",
            RejectReason::OutOfRange => "out_of_range",
            RejectReason::TooLong => "too_long",
            RejectReason::NotComputed => "not_computed",
        }
    }
}

/// One Kafka record that is not among the rows, and all that is needed to find out why and to try it again.
#[derive(Debug, Clone, PartialEq)]
pub struct RejectedRecord {
    /// Where it stands in its partition.
    pub offset: Offset,
    /// Kafka's timestamp of the record, milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// The kind of fault.
    pub reason: RejectReason,
    /// The column whose value was at fault, where it was one.
    pub column: Option<String>,
    /// The fault in words, with the value.
    pub detail: String,
    /// The record's key, cut to [`PAYLOAD_KEPT_MAX`].
    pub key: Option<Vec<u8>>,
    /// The record's headers in order: name and value.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The raw payload, cut to [`PAYLOAD_KEPT_MAX`].
    pub payload: Option<Vec<u8>>,
    /// Length of the whole payload.
    pub payload_bytes: u64,
}

impl RejectedRecord {
    /// Returns roughly how much memory the record takes.
    pub fn memory_bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
        size_of::<RejectedRecord>()
            + self.column.as_ref().map_or(0, String::len)
            + self.detail.len()
            + self.key.as_ref().map_or(0, Vec::len)
            + self.payload.as_ref().map_or(0, Vec::len)
            + headers
    }
}

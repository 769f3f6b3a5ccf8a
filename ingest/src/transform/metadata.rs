//! What Kafka tells of a record beside its value, as fields: `__key`, `__header$…` and `__metadata$…`.

use super::fields::{FieldValue, Fields};
use crate::decode::RecordRef;
use meunier_segment::offset_range::PartitionId;

/// Begins the names of all such fields.
const KEY: &str = "__key";
const HEADER_PREFIX: &str = "__header$";
const METADATA_PREFIX: &str = "__metadata$";

/// Returns whether a field is one of these.
pub(super) fn is_metadata(name: &str) -> bool {
    name == KEY || is_header(name) || name.starts_with(METADATA_PREFIX)
}

/// Returns whether a field is a header's.
pub(super) fn is_header(name: &str) -> bool {
    name.starts_with(HEADER_PREFIX)
}

/// Adds the fields. As in Pinot the key is text, headers are bytes, and what else there is is text too; of a header that
/// occurs twice the last one stands.
pub(super) fn add(
    fields: &mut Fields,
    partition: PartitionId,
    record: &RecordRef<'_>,
    headers: &[(String, Vec<u8>)],
) {
    if let Some(key) = record.key {
        fields.set(KEY, FieldValue::Text(String::from_utf8_lossy(key).into_owned()));
    }
    for (name, value) in headers {
        fields.set(format!("{HEADER_PREFIX}{name}"), FieldValue::Bytes(value.clone()));
    }
    let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len).to_string();
    let facts = [
        ("offset", record.offset.to_string()),
        ("partition", partition.to_string()),
        ("recordTimestamp", record.timestamp_ms.unwrap_or(-1).to_string()),
        ("recordSerializedKeySize", length(record.key)),
        ("recordSerializedValueSize", length(record.payload)),
    ];
    for (name, value) in facts {
        fields.set(format!("{METADATA_PREFIX}{name}"), FieldValue::Text(value));
    }
}

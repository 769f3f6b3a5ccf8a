//! UUIDs: 16 bytes, and a text of hex in five groups.

use uuid::Uuid;

use crate::description::FunctionGroup::Conversion;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::kind::shortened;
use crate::scalar::rows::{Bytes, OnlyBytes, Text, fault, row0, row1};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Conversion,
            &["toUUIDBytes"],
            "toUUIDBytes(text)",
            "The 16 bytes of a UUID; null for what is none.",
            [row1::<Text, _>(|text| Uuid::try_parse(text).ok().map(|uuid| uuid.as_bytes().to_vec()))],
        ),
        Function::new(
            Conversion,
            &["fromUUIDBytes", "bytesToUUID"],
            "fromUUIDBytes(bytes)",
            "The UUID of 16 bytes.",
            [row1::<Bytes, _>(|bytes| of_bytes(bytes).map(|uuid| uuid.to_string()))],
        ),
        Function::new(
            Conversion,
            &["toUUID", "uuidToString"],
            "toUUID(value)",
            "The UUID of a text or of 16 bytes, in small letters.",
            [
                row1::<OnlyBytes, _>(|bytes| of_bytes(bytes).map(|uuid| uuid.to_string())),
                row1::<Text, _>(|text| of_text(text).map(|uuid| uuid.to_string())),
            ],
        ),
        Function::new(
            Conversion,
            &["uuidToBytes"],
            "uuidToBytes(uuid)",
            "The 16 bytes of a UUID.",
            [
                row1::<OnlyBytes, _>(|bytes| of_bytes(bytes).map(|uuid| uuid.as_bytes().to_vec())),
                row1::<Text, _>(|text| of_text(text).map(|uuid| uuid.as_bytes().to_vec())),
            ],
        ),
        Function::new(
            Conversion,
            &["isUUID"],
            "isUUID(value)",
            "Whether a text, or bytes, are a UUID.",
            [row1::<OnlyBytes, _>(|bytes| bytes.len() == 16), row1::<Text, _>(|text| of_text(text).is_ok())],
        ),
        Function::new(
            Conversion,
            &["uuidVersion"],
            "uuidVersion(uuid)",
            "The version of a UUID.",
            [
                row1::<OnlyBytes, _>(|bytes| of_bytes(bytes).map(version)),
                row1::<Text, _>(|text| of_text(text).map(version)),
            ],
        ),
        Function::new(
            Conversion,
            &["uuidTimestamp"],
            "uuidTimestamp(uuid)",
            "The milliseconds in a UUID of version 1, 6 or 7.",
            [
                row1::<OnlyBytes, _>(|bytes| millis(of_bytes(bytes)?)),
                row1::<Text, _>(|text| millis(of_text(text)?)),
            ],
        ),
        Function::new(
            Conversion,
            &["uuidV4"],
            "uuidV4()",
            "A random UUID.",
            [row0(|| Uuid::new_v4().to_string())],
        )
        .volatile(),
        Function::new(
            Conversion,
            &["uuidV7"],
            "uuidV7()",
            "A UUID of the time and of random bits.",
            [row0(|| Uuid::now_v7().to_string())],
        )
        .volatile(),
    ]
}

fn of_bytes(bytes: &[u8]) -> Result<Uuid, Fault> {
    Uuid::from_slice(bytes).map_err(|_| Fault::Arguments(format!("a UUID has 16 bytes, not {}", bytes.len())))
}

/// Reads the five groups, or 32 digits of hex.
fn of_text(text: &str) -> Result<Uuid, Fault> {
    match Uuid::try_parse(text) {
        Ok(uuid) if matches!(text.len(), 32 | 36) => Ok(uuid),
        _ => fault(format!("'{}' is no UUID", shortened(text))),
    }
}

fn version(uuid: Uuid) -> i32 {
    i32::try_from(uuid.get_version_num()).unwrap_or_default()
}

fn millis(uuid: Uuid) -> Result<i64, Fault> {
    // From the begin of the Gregorian calendar to the epoch, in steps of 100 nanoseconds.
    const GREGORIAN: i64 = 0x01b2_1dd2_1381_4000;
    let bits = uuid.as_u64_pair().0;
    let steps = match version(uuid) {
        7 => return Ok((bits >> 16).cast_signed()),
        6 => (bits >> 32) << 28 | ((bits >> 16) & 0xFFFF) << 12 | (bits & 0x0FFF),
        1 => (bits >> 32) | ((bits >> 16) & 0xFFFF) << 32 | (bits & 0x0FFF) << 48,
        other => return fault(format!("a UUID of version {other} has no time; versions 1, 6 and 7 have")),
    };
    Ok((steps.cast_signed() - GREGORIAN) / 10_000)
}

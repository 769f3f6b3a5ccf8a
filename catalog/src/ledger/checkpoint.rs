//! One checkpoint file: the whole state after a log, so that older logs need not be replayed.
//!
//! ```text
//! magic "MNRCKPNT" | version u32 | number of the last log in it u64 | payload length u64 | crc32c of the payload u32
//! | crc32c of these u32 | payload: JSON of a `LedgerState`
//! ```
//! All numbers are little-endian. A checkpoint is created whole (temporary file, fsync, rename).

use super::log::{Damage, u32_at, u64_at};
use super::state::LedgerState;

const MAGIC: &[u8; 8] = b"MNRCKPNT";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 36;

/// Returns the bytes of the checkpoint of `state` after log `number`, proven to read back as the same state.
///
/// # Errors
/// In words, when they would not.
pub(super) fn to_bytes(number: u64, state: &LedgerState) -> Result<Vec<u8>, String> {
    let payload = serde_json::to_vec(state).map_err(|e| e.to_string())?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes.extend_from_slice(&payload);
    match parse(number, &bytes) {
        Ok(read_back) if read_back == *state => Ok(bytes),
        Ok(_) => Err("the state would not read back as it was written".to_string()),
        Err(Damage::Corrupt { detail, .. } | Damage::Newer { detail, .. }) => Err(detail),
    }
}

/// Reads the bytes of the checkpoint after log `number`.
pub(super) fn parse(number: u64, bytes: &[u8]) -> Result<LedgerState, Damage> {
    let corrupt = |at: usize, detail: &str| Damage::Corrupt { at: at as u64, detail: detail.to_string() };
    let header = bytes.get(..HEADER_BYTES).ok_or_else(|| corrupt(0, "its header is cut short"))?;
    if &header[..8] != MAGIC {
        return Err(corrupt(0, "it does not begin as a ledger checkpoint"));
    }
    if crc32c::crc32c(&header[..32]) != u32_at(header, 32) {
        return Err(corrupt(0, "its header has a wrong checksum"));
    }
    let version = u32_at(header, 8);
    if version != VERSION {
        return Err(Damage::Newer { at: 8, detail: format!("checkpoint version {version}") });
    }
    if u64_at(header, 12) != number {
        return Err(corrupt(12, "its number is not that of its name"));
    }
    let payload = &bytes[HEADER_BYTES..];
    if payload.len() as u64 != u64_at(header, 20) {
        return Err(corrupt(20, "its length is not the one in its header"));
    }
    if crc32c::crc32c(payload) != u32_at(header, 28) {
        return Err(corrupt(HEADER_BYTES, "its content has a wrong checksum"));
    }
    let state: LedgerState = serde_json::from_slice(payload)
        .map_err(|e| Damage::Newer { at: HEADER_BYTES as u64, detail: e.to_string() })?;
    state.restored().map_err(|detail| corrupt(HEADER_BYTES, &detail))
}

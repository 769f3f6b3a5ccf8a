//! One log file: a header, then records, each durable before it counts.
//!
//! ```text
//! header  magic "MNRLEDGR" | version u32 | log number u64 | number of its first record u64 | crc32c of these u32
//! record  payload length u32 | crc32c of the payload u32 | payload: JSON of a `LedgerRecord`
//! ```
//! All numbers are little-endian. A log is created whole (temporary file, fsync, rename), so a damaged header is never
//! the work of a crash; the last record can be. JSON text holds no byte below 0x20, so no position inside a payload
//! reads as a record length, and the search for records after a bad one finds real ones only.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::record::LedgerRecord;
use crate::durable_write;
use crate::error::CatalogError;

const MAGIC: &[u8; 8] = b"MNRLEDGR";
const VERSION: u32 = 1;

/// Length of a log's header.
pub(super) const HEADER_BYTES: usize = 32;

/// Length of what stands before each payload.
const FRAME_BYTES: usize = 8;

/// Longest payload. Far above any table config, far below what bytes of JSON text read as a length (0x2020_2020).
const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// Disk space set aside ahead of the end of the log, so that commits go on when other files fill the disk: 1 MiB is
/// some thousand segments.
const RESERVE_BYTES: u64 = 1 << 20;

/// What a log's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogHeader {
    pub(super) number: u64,
    /// Records in all logs before this one.
    pub(super) first_record: u64,
}

/// What a log file holds.
#[derive(Debug)]
pub(super) struct LogContent {
    pub(super) header: LogHeader,
    /// Each record with its byte position.
    pub(super) records: Vec<(u64, LedgerRecord)>,
    /// Where the next record goes.
    pub(super) end: u64,
    /// Why the bytes from `end` on are not a record, when there are any.
    pub(super) torn: Option<&'static str>,
}

/// Why a ledger file cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// No crash explains it.
    Corrupt { at: u64, detail: String },
    /// A newer version wrote it.
    Newer { at: u64, detail: String },
}

/// The log that takes the next records.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    path: PathBuf,
    end: u64,
    records: u64,
    reserved: u64,
}

impl LogHeader {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.first_record.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<LogHeader, Damage> {
        let corrupt = |detail: &str| Damage::Corrupt { at: 0, detail: detail.to_string() };
        let header = bytes.get(..HEADER_BYTES).ok_or_else(|| corrupt("its header is cut short"))?;
        if &header[..8] != MAGIC {
            return Err(corrupt("it does not begin as a ledger log"));
        }
        if crc32c::crc32c(&header[..28]) != u32_at(header, 28) {
            return Err(corrupt("its header has a wrong checksum"));
        }
        let version = u32_at(header, 8);
        if version != VERSION {
            return Err(Damage::Newer { at: 8, detail: format!("log version {version}") });
        }
        Ok(LogHeader { number: u64_at(header, 12), first_record: u64_at(header, 20) })
    }
}

/// Reads the bytes of a log file.
pub(super) fn parse(bytes: &[u8]) -> Result<LogContent, Damage> {
    let header = LogHeader::from_bytes(bytes)?;
    let mut content = LogContent { header, records: Vec::new(), end: HEADER_BYTES as u64, torn: None };
    let mut at = HEADER_BYTES;
    while at < bytes.len() {
        let payload = match payload_at(bytes, at) {
            Ok(payload) => payload,
            Err(why) => {
                refuse_records_after(bytes, at, why)?;
                content.torn = Some(why);
                break;
            }
        };
        let record = LedgerRecord::from_json(payload)
            .map_err(|e| Damage::Newer { at: at as u64, detail: e.to_string() })?;
        content.records.push((at as u64, record));
        at += FRAME_BYTES + payload.len();
        content.end = at as u64;
    }
    Ok(content)
}

/// Returns the bytes of a record as they stand in a log.
pub(super) fn frame(record: &LedgerRecord) -> Result<Vec<u8>, CatalogError> {
    let unstorable = |detail| CatalogError::Unstorable { what: record.what(), detail };
    let payload = record.to_json().map_err(unstorable)?;
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= PAYLOAD_BYTES_MAX);
    let Some(length) = length else {
        let detail = format!("it takes {} bytes, {PAYLOAD_BYTES_MAX} are allowed", payload.len());
        return Err(unstorable(detail));
    };
    let mut bytes = Vec::with_capacity(FRAME_BYTES + payload.len());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

/// Returns the payload of the record at `at`, or why there is none.
fn payload_at(bytes: &[u8], at: usize) -> Result<&[u8], &'static str> {
    let rest = &bytes[at..];
    if rest.len() < FRAME_BYTES {
        return Err("a record is cut short in its length");
    }
    let length = u32_at(rest, 0) as usize;
    if length == 0 || length > PAYLOAD_BYTES_MAX {
        return Err("a record has an impossible length");
    }
    let payload = rest.get(FRAME_BYTES..FRAME_BYTES + length).ok_or("a record is longer than the file")?;
    let is_object = payload[0] == b'{'; // spares the search for later records nearly all checksums
    if !is_object || crc32c::crc32c(payload) != u32_at(rest, 4) {
        return Err("a record has a wrong checksum");
    }
    Ok(payload)
}

/// A bad record is a torn write only when it is the last: any good one after it was committed later.
fn refuse_records_after(bytes: &[u8], bad: usize, why: &str) -> Result<(), Damage> {
    match (bad + 1..bytes.len()).find(|&at| payload_at(bytes, at).is_ok()) {
        None => Ok(()),
        Some(next) => {
            let detail = format!("{why}, and a good record follows at byte {next}");
            Err(Damage::Corrupt { at: bad as u64, detail })
        }
    }
}

impl LogFile {
    /// Creates an empty log at `path`, still under its temporary name.
    pub(super) fn write_temp(path: &Path, header: LogHeader) -> Result<PathBuf, CatalogError> {
        let temp = path.with_extension("log.tmp");
        durable_write::write_temp(&temp, &header.to_bytes())?;
        Ok(temp)
    }

    /// Opens the log at `path` for records after `content`. Cuts off a torn record, durably, before anything follows.
    pub(super) fn open(path: &Path, content: &LogContent) -> Result<LogFile, CatalogError> {
        let file = OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(|e| CatalogError::io("open for writing", path, e))?;
        let length = file.metadata().map_err(|e| CatalogError::io("read the length of", path, e))?.len();
        if length > content.end {
            file.set_len(content.end).map_err(|e| CatalogError::io("truncate", path, e))?;
            let path = path.to_path_buf();
            file.sync_all().map_err(|source| CatalogError::SyncFailed { path, source })?;
        }
        let records = content.records.len() as u64;
        let mut log = LogFile { file, path: path.to_path_buf(), end: content.end, records, reserved: 0 };
        let _ = log.reserve(0); // a full disk must not keep queries from starting; the first append says so
        Ok(log)
    }

    /// Returns where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where the next record goes.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Returns how many records the log holds.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Sets disk space aside for `bytes` more. Fails without a trace in the file.
    pub(super) fn reserve(&mut self, bytes: u64) -> Result<(), CatalogError> {
        let needed = self.end + bytes;
        if bytes > 0 && needed <= self.reserved {
            return Ok(());
        }
        let upto = needed + RESERVE_BYTES;
        allocate(&self.file, self.end, upto - self.end)
            .map_err(|e| CatalogError::io("reserve space for", &self.path, e))?;
        self.reserved = upto;
        Ok(())
    }

    /// Writes one record and makes it durable. After a failure nothing is known about the file's end: use it no more.
    pub(super) fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        self.file.write_all_at(frame, self.end)?;
        self.file.sync_data()?;
        self.end += frame.len() as u64;
        self.records += 1;
        Ok(())
    }

    /// Replaces the open file, so that a test can make writes or syncs fail.
    #[cfg(test)]
    pub(super) fn replace_file(&mut self, file: File) {
        self.file = file;
        self.reserved = u64::MAX;
    }
}

/// Allocates blocks without changing the file's length. File systems that cannot are left to find out when writing.
#[cfg(target_os = "linux")]
fn allocate(file: &File, from: u64, bytes: u64) -> io::Result<()> {
    use rustix::fs::FallocateFlags;
    use rustix::io::Errno;
    match rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, from, bytes) {
        Ok(()) => Ok(()),
        Err(e @ (Errno::NOSPC | Errno::DQUOT | Errno::IO)) => Err(e.into()),
        Err(_) => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(_file: &File, _from: u64, _bytes: u64) -> io::Result<()> {
    Ok(())
}

/// Reads a little-endian number; the caller has checked the length.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// Reads a little-endian number; the caller has checked the length.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

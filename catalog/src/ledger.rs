//! The ledger: the only commit point.
//!
//! A change is decided against the state, written as one record, made durable, and only then applied to the state
//! that everyone reads. So what a reader sees is on disk, and what is on disk was accepted by the same rules at
//! replay. Readers never wait for the disk.
//!
//! After a failed write or sync no one knows what the file holds: the ledger then refuses every further record, and
//! the process has to restart and read what is there (see postgres wiki: Fsync_Errors).

use std::path::{Path, PathBuf};

use parking_lot::{Mutex, RwLock};
use tracing::{info, warn};

use crate::durable_write;
use crate::error::CatalogError;

mod record;
mod partition;
mod state;
mod log;
mod checkpoint;
mod recovery;

pub use partition::PartitionState;
pub(crate) use record::LedgerRecord;
pub use record::{
    FileRef, GAPS_LISTED_MAX, PartitionStart, PauseReason, RecordFingerprint, SegmentCommit, SegmentId,
};
pub use state::LedgerViolation;
pub(crate) use state::{LedgerState, SchemaState, TableState};

use log::{LogFile, LogHeader};
use recovery::LedgerFiles;

/// When a log is full. A full log is closed by a checkpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogLimits {
    records_max: u64,
    bytes_max: u64,
}

impl Default for LogLimits {
    /// 4 096 records of about 700 bytes replay in some 50 ms; 4 MiB bounds what tables with huge configs add. A
    /// checkpoint of 10 000 segments takes some 7 MB, so it is written about as often as the log has its size again.
    fn default() -> LogLimits {
        LogLimits { records_max: 4_096, bytes_max: 4 << 20 }
    }
}

/// What is committed.
#[derive(Debug)]
pub(crate) struct Ledger {
    writer: Mutex<Writer>,
    state: RwLock<LedgerState>,
}

/// The end of the ledger where records are added. Held locked from the decision to its effect.
#[derive(Debug)]
struct Writer {
    dir: PathBuf,
    limits: LogLimits,
    log: LogFile,
    /// Number of `log`.
    number: u64,
    /// The newest checkpoint known to be good; the files it needs are kept.
    base: u64,
    /// How far `log` may grow before it is closed; put off when closing fails.
    close_at: LogLimits,
    /// The first failed write, after which nothing is written any more.
    failed: Option<String>,
}

impl Ledger {
    /// Reads the ledger in `dir`; starts one when there is none and `is_new` says that there never was.
    pub(crate) fn open(dir: &Path, is_new: bool, limits: LogLimits) -> Result<Ledger, CatalogError> {
        let recovered = recovery::recover(dir, is_new)?;
        info!(
            records = recovered.state.records,
            tables = recovered.state.tables().count(),
            log = recovered.number,
            checkpoint = recovered.base,
            "opened ledger"
        );
        let writer = Writer {
            dir: dir.to_path_buf(),
            limits,
            log: recovered.log,
            number: recovered.number,
            base: recovered.base,
            close_at: limits,
            failed: None,
        };
        Ok(Ledger { writer: Mutex::new(writer), state: RwLock::new(recovered.state) })
    }

    /// Lets `read` look at what is committed.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&LedgerState) -> T) -> T {
        read(&self.state.read())
    }

    /// Commits the record that `decide` makes of the state. No other record comes between the two.
    pub(crate) fn append(
        &self,
        decide: impl FnOnce(&LedgerState) -> Result<LedgerRecord, CatalogError>,
    ) -> Result<(), CatalogError> {
        let mut writer = self.writer.lock();
        writer.check_usable()?;
        let (record, frame) = {
            let state = self.state.read();
            let record = decide(&state)?;
            state.check(&record)?;
            let frame = log::frame(&record)?;
            (record, frame)
        };
        writer.append(&frame)?;
        self.state.write().apply(record).expect("record was checked against this very state");
        writer.close_full_log(&self.state);
        Ok(())
    }
}

impl Writer {
    fn check_usable(&self) -> Result<(), CatalogError> {
        match &self.failed {
            None => Ok(()),
            Some(reason) => Err(CatalogError::LedgerFailed {
                path: self.log.path().to_path_buf(),
                reason: reason.clone(),
            }),
        }
    }

    fn append(&mut self, frame: &[u8]) -> Result<(), CatalogError> {
        self.log.reserve(frame.len() as u64)?;
        if let Err(error) = self.log.append(frame) {
            self.failed = Some(error.to_string());
        }
        self.check_usable()
    }

    /// Starts the next log and writes a checkpoint when the log is full. The record that filled it is committed
    /// whatever happens here, so failures only put the next try off.
    fn close_full_log(&mut self, state: &RwLock<LedgerState>) {
        let is_full =
            self.log.records() >= self.close_at.records_max || self.log.end() >= self.close_at.bytes_max;
        if !is_full {
            return;
        }
        let state = state.read();
        let closed = self.start_next_log(state.records).and_then(|()| self.write_checkpoint(&state));
        if let Err(error) = closed {
            self.close_at.records_max = self.log.records() + self.limits.records_max;
            self.close_at.bytes_max = self.log.end() + self.limits.bytes_max;
            warn!(%error, "could not write a ledger checkpoint; the log goes on");
        }
    }

    /// Moves on to an empty log. From the rename on it would be the one that recovery extends, so a failure after it
    /// ends this ledger.
    fn start_next_log(&mut self, first_record: u64) -> Result<(), CatalogError> {
        let header = LogHeader { number: self.number + 1, first_record };
        let path = recovery::log_path(&self.dir, header.number);
        let temp = LogFile::write_temp(&path, header)?;
        let content =
            log::LogContent { header, records: Vec::new(), end: log::HEADER_BYTES as u64, torn: None };
        match durable_write::rename(&temp, &path).and_then(|()| LogFile::open(&path, &content)) {
            Ok(log) => {
                self.log = log;
                self.number = header.number;
                self.close_at = self.limits;
                Ok(())
            }
            Err(error) => {
                self.failed = Some(error.to_string());
                Err(error)
            }
        }
    }

    /// Writes the state as the checkpoint before the current log, then removes what is needed no more.
    fn write_checkpoint(&mut self, state: &LedgerState) -> Result<(), CatalogError> {
        let number = self.number - 1;
        let unstorable = |detail| CatalogError::Unstorable { what: "checkpoint", detail };
        let bytes = checkpoint::to_bytes(number, state).map_err(unstorable)?;
        let path = recovery::checkpoint_path(&self.dir, number);
        let temp = path.with_extension("checkpoint.tmp");
        durable_write::write_temp(&temp, &bytes)?;
        durable_write::rename(&temp, &path)?;
        LedgerFiles::list(&self.dir)?.remove_before(self.base, number);
        info!(checkpoint = number, bytes = bytes.len(), records = state.records, "wrote ledger checkpoint");
        self.base = number;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

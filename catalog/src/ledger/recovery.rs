//! Finds out what is committed from the files of the ledger directory.
//!
//! ```text
//! 00000000000000000001.log          records; the highest number takes new ones
//! 00000000000000000001.checkpoint   the state after log 1; log 2 was there before it
//! ```
//! The newest good checkpoint and all logs after it give the state. A checkpoint is only written once the next log
//! exists, and the generation before it is kept, so one damaged checkpoint loses nothing. Only the last record of the
//! last log may be torn; everything else that does not read refuses the start.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::checkpoint;
use super::log::{self, Damage, LogContent, LogFile, LogHeader};
use super::state::LedgerState;
use crate::durable_write;
use crate::error::CatalogError;

/// The ledger's files by number.
#[derive(Debug)]
pub(super) struct LedgerFiles {
    dir: PathBuf,
    pub(super) logs: BTreeSet<u64>,
    pub(super) checkpoints: BTreeSet<u64>,
}

/// A ledger as its files say, ready for the next record.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) state: LedgerState,
    pub(super) log: LogFile,
    /// Number of `log`.
    pub(super) number: u64,
    /// The checkpoint the state was built on; 0 is the empty state before log 1.
    pub(super) base: u64,
}

/// Reads the ledger in `dir`; starts one when there is none and `is_new` says that there never was.
pub(super) fn recover(dir: &Path, is_new: bool) -> Result<Recovered, CatalogError> {
    let mut files = LedgerFiles::list(dir)?;
    let is_empty = files.logs.is_empty() && files.checkpoints.is_empty();
    if is_empty && is_new {
        create_log(dir, LogHeader { number: 1, first_record: 0 })?;
        files.logs.insert(1);
    } else if is_empty {
        return Err(CatalogError::LedgerMissing { path: log_path(dir, 1) });
    }
    let (base, state) = newest_checkpoint(&files)?;
    replay(&files, base, state)
}

/// Creates an empty log under its final name.
pub(super) fn create_log(dir: &Path, header: LogHeader) -> Result<(), CatalogError> {
    let path = log_path(dir, header.number);
    let temp = LogFile::write_temp(&path, header)?;
    durable_write::rename(&temp, &path)
}

/// Returns the path of a log.
pub(super) fn log_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}.log"))
}

/// Returns the path of a checkpoint.
pub(super) fn checkpoint_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}.checkpoint"))
}

impl LedgerFiles {
    /// Lists the directory, removing what a crash left half-written.
    pub(super) fn list(dir: &Path) -> Result<LedgerFiles, CatalogError> {
        let list_error = |e| CatalogError::io("list directory", dir, e);
        let mut files =
            LedgerFiles { dir: dir.to_path_buf(), logs: BTreeSet::new(), checkpoints: BTreeSet::new() };
        for entry in fs::read_dir(dir).map_err(list_error)? {
            let path = entry.map_err(list_error)?.path();
            let number = || path.file_stem()?.to_str()?.parse().ok().filter(|&number| number > 0);
            match (path.extension().and_then(|e| e.to_str()), number()) {
                (Some("log"), Some(number)) if path == log_path(dir, number) => {
                    files.logs.insert(number);
                }
                (Some("checkpoint"), Some(number)) if path == checkpoint_path(dir, number) => {
                    files.checkpoints.insert(number);
                }
                (Some("tmp"), _) => {
                    warn!(path = %path.display(), "removing a half-written ledger file");
                    fs::remove_file(&path).map_err(|e| CatalogError::io("remove", &path, e))?;
                }
                _ => warn!(path = %path.display(), "ignoring a file that is not the ledger's"),
            }
        }
        Ok(files)
    }

    /// Removes all files that checkpoint `base` and the logs after it make needless, except checkpoint `newest`.
    /// What cannot be removed is tried again at the next checkpoint.
    pub(super) fn remove_before(&self, base: u64, newest: u64) {
        let logs = self.logs.iter().filter(|&&n| n <= base).map(|&n| log_path(&self.dir, n));
        let is_needless = |n: u64| n != base && n < newest;
        let checkpoints =
            self.checkpoints.iter().filter(|&&n| is_needless(n)).map(|&n| checkpoint_path(&self.dir, n));
        for path in logs.chain(checkpoints) {
            if let Err(error) = fs::remove_file(&path) {
                warn!(path = %path.display(), %error, "could not remove an old ledger file");
            }
        }
    }
}

/// Returns the newest good checkpoint with its number, or the empty state as number 0.
fn newest_checkpoint(files: &LedgerFiles) -> Result<(u64, LedgerState), CatalogError> {
    let mut newest_fault = None;
    for &number in files.checkpoints.iter().rev() {
        let path = checkpoint_path(&files.dir, number);
        match checkpoint::parse(number, &read(&path)?) {
            Ok(state) => return Ok((number, state)),
            Err(damage @ Damage::Newer { .. }) => return Err(refusal(&path, damage)),
            Err(damage @ Damage::Corrupt { .. }) => {
                let error = refusal(&path, damage);
                warn!(%error, "a ledger checkpoint is damaged; trying the one before it");
                newest_fault.get_or_insert(error);
            }
        }
    }
    match newest_fault {
        // Without the first log, the damaged checkpoint was all there is: blame it, not the log it replaced.
        Some(fault) if !files.logs.contains(&1) => Err(fault),
        _ => Ok((0, LedgerState::new())),
    }
}

/// Applies all logs after checkpoint `base` to its state.
fn replay(files: &LedgerFiles, base: u64, mut state: LedgerState) -> Result<Recovered, CatalogError> {
    let newest_checkpoint = files.checkpoints.last().copied().unwrap_or(0);
    let newest_log = files.logs.last().copied().unwrap_or(0);
    let last = newest_log.max(newest_checkpoint + 1);
    let mut content = None;
    for number in base + 1..=last {
        let path = log_path(&files.dir, number);
        if !files.logs.contains(&number) {
            return Err(CatalogError::LedgerMissing { path });
        }
        let mut read = parse_log(&path, number, &state)?;
        if let (Some(why), true) = (read.torn, number < last) {
            let detail = format!("{why}, and log {} follows", number + 1);
            return Err(refusal(&path, Damage::Corrupt { at: read.end, detail }));
        }
        for (at, record) in &mut read.records {
            let violation = |e| {
                refusal(
                    &path,
                    Damage::Corrupt {
                        at: *at,
                        detail: format!("its record contradicts the ones before: {e}"),
                    },
                )
            };
            state.apply(record.clone()).map_err(violation)?;
        }
        content = Some(read);
    }
    let content = content.expect("the range holds at least one log");
    let path = log_path(&files.dir, last);
    if let Some(why) = content.torn {
        warn!(path = %path.display(), at = content.end, why, "cutting off a torn record that was never committed");
    }
    let log = LogFile::open(&path, &content)?;
    Ok(Recovered { state, log, number: last, base })
}

fn parse_log(path: &Path, number: u64, state: &LedgerState) -> Result<LogContent, CatalogError> {
    let content = log::parse(&read(path)?).map_err(|damage| refusal(path, damage))?;
    let LogHeader { number: found, first_record } = content.header;
    if found != number {
        let detail = format!("it is log {found} under the name of log {number}");
        return Err(refusal(path, Damage::Corrupt { at: 12, detail }));
    }
    if first_record != state.records {
        let detail =
            format!("it continues after record {first_record}, the logs before it hold {}", state.records);
        return Err(refusal(path, Damage::Corrupt { at: 20, detail }));
    }
    Ok(content)
}

fn read(path: &Path) -> Result<Vec<u8>, CatalogError> {
    fs::read(path).map_err(|e: io::Error| CatalogError::io("read", path, e))
}

fn refusal(path: &Path, damage: Damage) -> CatalogError {
    let path = path.to_path_buf();
    match damage {
        Damage::Corrupt { at, detail } => CatalogError::LedgerCorrupt { path, at, detail },
        Damage::Newer { at, detail } => CatalogError::LedgerNewer { path, at, detail },
    }
}

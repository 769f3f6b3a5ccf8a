//! What can go wrong in the catalog, and what the caller must do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::ledger::LedgerViolation;
use crate::names::BadName;

/// A failed catalog operation, with the facts needed to find the fault and the next step.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Another process holds the data directory.
    #[error(
        "data directory `{path}` is in use by {}: stop that process or choose another directory",
        holder(*.pid)
    )]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// The holder, where its LOCK file could be read.
        pid: Option<u32>,
    },
    /// The path given as data directory, or a part of its layout, is something else.
    #[error("`{path}` is not a directory: choose another data directory or move that file away")]
    NotADirectory {
        /// What was found.
        path: PathBuf,
    },
    /// A directory holds files where ours would go, but nothing says that it is ours.
    #[error(
        "`{path}` holds files but its directory has no FORMAT file, so it is not known to be a meunier data \
         directory: choose an empty directory, or restore FORMAT if it was deleted"
    )]
    NotADataDirectory {
        /// The directory whose files would be at risk.
        path: PathBuf,
    },
    /// The FORMAT file is not one that any version writes.
    #[error("`{path}` is damaged: it must hold the line `{expected}`")]
    DamagedFormat {
        /// The FORMAT file.
        path: PathBuf,
        /// What this version writes.
        expected: String,
    },
    /// A newer version wrote the data directory.
    #[error(
        "data directory `{path}` has format {found}, this version knows up to {known}: start the newer meunier \
         that wrote it"
    )]
    NewerFormat {
        /// The data directory.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// This user may not write.
    #[error(
        "no permission to {action} `{path}`: give this user write access or choose another data directory"
    )]
    NotWritable {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The disk or the quota is full. Nothing was changed, and the same call works once there is space.
    #[error("disk is full: cannot {action} `{path}`: free space and try again, nothing was changed")]
    DiskFull {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Any other failed system call.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The disk refused to make written bytes durable; a second try could falsely succeed.
    #[error(
        "cannot make `{path}` durable: the disk may have lost the bytes, restart the process to see what it holds"
    )]
    SyncFailed {
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// An earlier append failed, so what the ledger file holds is not known.
    #[error(
        "ledger `{path}` stopped after a failed write ({reason}): check the disk, then restart the process"
    )]
    LedgerFailed {
        /// The log file.
        path: PathBuf,
        /// The first failure.
        reason: String,
    },
    /// A ledger file is damaged in a way no crash explains.
    #[error(
        "ledger file `{path}` is damaged at byte {at}: {detail}; going on would lose or double rows: restore the \
         file from a copy, or move the data directory away and ingest again"
    )]
    LedgerCorrupt {
        /// The file.
        path: PathBuf,
        /// Byte position of the fault in the file.
        at: u64,
        /// What is wrong there.
        detail: String,
    },
    /// A ledger file holds something this version does not know.
    #[error(
        "ledger file `{path}` holds at byte {at} what this version cannot read ({detail}): start the newer meunier \
         that wrote it"
    )]
    LedgerNewer {
        /// The file.
        path: PathBuf,
        /// Byte position in the file.
        at: u64,
        /// What is not known.
        detail: String,
    },
    /// The data directory was used before, but its ledger, or a part of it, is gone.
    #[error(
        "`{path}` is missing, but the data directory was in use: without it nobody knows which rows are \
         committed: restore it from a copy, or move the data directory away and ingest again"
    )]
    LedgerMissing {
        /// The file or directory that should be there.
        path: PathBuf,
    },
    /// The deep store holds a table that the ledger has yet to create: the ledger is older than the files.
    #[error(
        "`{path}` belongs to a table the ledger never created, so the ledger is older than the files: restore the \
         newest ledger, or move that directory away"
    )]
    LedgerBehindFiles {
        /// The table's directory.
        path: PathBuf,
    },
    /// A record contradicts what is committed.
    #[error(transparent)]
    Refused(#[from] LedgerViolation),
    /// A record cannot be stored.
    #[error("{what} cannot be stored: {detail}")]
    Unstorable {
        /// The kind of record.
        what: &'static str,
        /// Why.
        detail: String,
    },
    /// A name that would not make a safe file name.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// A durable file of this name is already committed.
    #[error("durable file `{path}` exists and is committed: a committed file is never replaced")]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// A committed durable file is gone, or is not what was committed.
    #[error("durable file `{path}` is damaged: {detail}; restore it from a copy")]
    FileDamaged {
        /// The file.
        path: PathBuf,
        /// What differs.
        detail: String,
    },
}

/// What the caller must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Fix the input.
    Invalid,
    /// Name something that exists.
    NotFound,
    /// Undo what the request collides with, or choose another name.
    Conflict,
    /// Retry later; nothing was changed.
    Unavailable,
    /// End the process: only a restart shows what the disk holds.
    Restart,
    /// Quarantine what is damaged, or refuse to start.
    Corrupt,
    /// Report a bug.
    Bug,
}

impl CatalogError {
    /// Returns what the caller must do.
    pub fn kind(&self) -> ErrorKind {
        match self {
            CatalogError::NotADirectory { .. }
            | CatalogError::NotADataDirectory { .. }
            | CatalogError::NotWritable { .. }
            | CatalogError::Unstorable { .. }
            | CatalogError::BadName(_) => ErrorKind::Invalid,
            CatalogError::Locked { .. } | CatalogError::DiskFull { .. } | CatalogError::Io { .. } => {
                ErrorKind::Unavailable
            }
            CatalogError::SyncFailed { .. } | CatalogError::LedgerFailed { .. } => ErrorKind::Restart,
            CatalogError::DamagedFormat { .. }
            | CatalogError::NewerFormat { .. }
            | CatalogError::LedgerCorrupt { .. }
            | CatalogError::LedgerNewer { .. }
            | CatalogError::LedgerMissing { .. }
            | CatalogError::LedgerBehindFiles { .. }
            | CatalogError::FileDamaged { .. } => ErrorKind::Corrupt,
            CatalogError::Refused(violation) => violation.kind(),
            CatalogError::FileExists { .. } => ErrorKind::Bug,
        }
    }

    /// Returns the error for a failed system call on `path`, told apart by what the user can do about it.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> CatalogError {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                CatalogError::NotWritable { action, path, source }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                CatalogError::DiskFull { action, path, source }
            }
            io::ErrorKind::NotADirectory => CatalogError::NotADirectory { path },
            _ => CatalogError::Io { action, path, source },
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_string(),
    }
}

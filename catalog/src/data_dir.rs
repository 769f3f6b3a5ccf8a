//! The data directory: its layout, its version, and the lock that keeps a second process out.
//!
//! ```text
//! <dir>/LOCK                                   flock'ed while a process runs; holds that process's id
//! <dir>/FORMAT                                 version of this layout; there once the ledger is
//! <dir>/ledger/                                which segments are committed (see `ledger`)
//! <dir>/deep_store/<id>-<table>/<file>         durable files, the truth of what a segment holds
//! <dir>/serving/<id>-<table>/<segment>.seg     derived from the durable files, may be deleted
//! <dir>/tmp/                                   files being written; emptied at every start
//! ```
//!
//! Invariant: a directory that has FORMAT has a ledger, so a ledger that is gone is noticed. A directory without it
//! is only taken when our sub-directories are missing or empty, so no one else's `tmp/` is ever emptied.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use tracing::warn;

use crate::durable_write;
use crate::error::CatalogError;
use crate::names::{TableDirName, check_file_name};

/// Version of the layout, the ledger records included. Raised when an older program must not touch the directory.
const FORMAT_VERSION: u32 = 1;

/// What the line in FORMAT starts with; the version follows.
const FORMAT_PREFIX: &str = "meunier data directory, format ";

/// No FORMAT or LOCK of ours is longer; what is longer is not read on.
const SMALL_FILE_BYTES_MAX: u64 = 256;

/// A locked data directory. Dropping it lets the next process in.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
    is_new: bool,
}

impl DataDir {
    /// Locks `path`, creating the directory and its layout where missing.
    ///
    /// # Errors
    /// `Unavailable` when another process holds the lock, `Invalid` when the path cannot be used, `Corrupt` when a
    /// newer version wrote the directory.
    pub fn open(path: &Path) -> Result<DataDir, CatalogError> {
        durable_write::create_dir(path)?;
        let path = fs::canonicalize(path).map_err(|e| CatalogError::io("open directory", path, e))?;
        let lock = take_lock(&path)?;
        let mut data_dir = DataDir { path, lock, is_new: false };
        data_dir.is_new = !data_dir.has_format()?;
        if data_dir.is_new {
            data_dir.refuse_files_of_others()?;
        }
        for dir in [data_dir.ledger(), data_dir.deep_store(), data_dir.serving(), data_dir.tmp()] {
            durable_write::create_dir(&dir)?;
        }
        Ok(data_dir)
    }

    /// Returns the directory itself, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where the ledger's files are.
    pub fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// Returns where the tables' durable files are.
    pub fn deep_store(&self) -> PathBuf {
        self.path.join("deep_store")
    }

    /// Returns where the tables' serving files are.
    pub fn serving(&self) -> PathBuf {
        self.path.join("serving")
    }

    /// Returns where durable files of dropped segments wait to be removed. Created when the first one comes.
    pub fn dropped(&self) -> PathBuf {
        self.path.join("dropped")
    }

    /// Returns where files are written before they get their place; emptied at every start.
    pub fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// Returns where one table's serving files are. The directory is created by whoever writes the first.
    pub fn serving_of(&self, table: &TableDirName) -> PathBuf {
        self.serving().join(table.as_str())
    }

    /// Returns the path of one segment's serving file.
    ///
    /// # Errors
    /// `Invalid` when the segment's name is not a safe file name.
    pub fn serving_file(&self, table: &TableDirName, segment: &str) -> Result<PathBuf, CatalogError> {
        check_file_name("segment", segment)?;
        Ok(self.serving_of(table).join(format!("{segment}.seg")))
    }

    /// Returns whether no ledger was ever started here.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Writes FORMAT: from now on a missing ledger is a loss. Called once the ledger's first file is durable.
    pub(crate) fn mark_in_use(&mut self) -> Result<(), CatalogError> {
        if !self.is_new {
            return Ok(());
        }
        let temp = self.path.join("FORMAT.tmp");
        durable_write::write_temp(&temp, format_line(FORMAT_VERSION).as_bytes())?;
        durable_write::rename(&temp, &self.format_path())?;
        self.is_new = false;
        Ok(())
    }

    fn format_path(&self) -> PathBuf {
        self.path.join("FORMAT")
    }

    fn has_format(&self) -> Result<bool, CatalogError> {
        let path = self.format_path();
        let text = match File::open(&path).and_then(read_small) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(CatalogError::io("read", &path, e)),
        };
        let damaged = || CatalogError::DamagedFormat {
            path: path.clone(),
            expected: format_line(FORMAT_VERSION).trim_end().to_string(),
        };
        let version =
            text.strip_prefix(FORMAT_PREFIX).and_then(|rest| rest.strip_suffix('\n')).ok_or_else(damaged)?;
        let found: u32 = version.parse().map_err(|_| damaged())?;
        match found {
            0 => Err(damaged()),
            1..=FORMAT_VERSION => Ok(true),
            _ => Err(CatalogError::NewerFormat { path: self.path.clone(), found, known: FORMAT_VERSION }),
        }
    }

    fn refuse_files_of_others(&self) -> Result<(), CatalogError> {
        for dir in [self.deep_store(), self.serving(), self.tmp()] {
            let mut entries = match fs::read_dir(&dir) {
                Ok(entries) => entries,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(CatalogError::io("list directory", &dir, e)),
            };
            if entries.next().is_some() {
                return Err(CatalogError::NotADataDirectory { path: dir });
            }
        }
        Ok(())
    }
}

impl Drop for DataDir {
    /// Empties LOCK, so that no one is sent after a process that is gone; closing the file then frees the lock.
    fn drop(&mut self) {
        let _ = self.lock.set_len(0);
    }
}

fn take_lock(dir: &Path) -> Result<File, CatalogError> {
    let path = dir.join("LOCK");
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false) // the holder's id is in it
        .open(&path)
        .map_err(|e| CatalogError::io("create", &path, e))?;
    match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let pid = read_small(lock).ok().and_then(|text| text.trim().parse().ok());
            return Err(CatalogError::Locked { path: dir.to_path_buf(), pid });
        }
        Err(e) => return Err(CatalogError::io("lock", &path, e.into())),
    }
    let written = lock
        .set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| lock.write_all(format!("{}\n", std::process::id()).as_bytes()));
    if let Err(error) = written {
        // Only a courtesy to the next one who tries: a full disk must not keep queries from starting.
        warn!(path = %path.display(), %error, "could not write this process's id");
    }
    Ok(lock)
}

fn read_small(file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(SMALL_FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn format_line(version: u32) -> String {
    format!("{FORMAT_PREFIX}{version}\n")
}

#[cfg(test)]
mod tests;

//! Durable files of dropped segments, kept aside for a time: `dropped/<id>-<table>/<removed after, in ms>-<file>`.
//!
//! They are second names of the files, so nothing is copied, and no record of the ledger knows them. Whoever dropped too much
//! finds the rows here; nothing reads them otherwise.

use std::fs;
use std::io;
use std::time::Duration;

use tracing::warn;

use crate::data_dir::DataDir;
use crate::deep_store::{list_files, remove_file};
use crate::error::CatalogError;
use crate::ledger::FileRef;
use crate::names::TableDirName;

/// Gives files a second name, under which they stay for `kept`.
pub(crate) fn keep<'a>(
    data_dir: &DataDir,
    table: &TableDirName,
    files: impl Iterator<Item = &'a FileRef>,
    kept: Duration,
    now_ms: i64,
) -> Result<(), CatalogError> {
    if kept.is_zero() {
        return Ok(());
    }
    let dir = data_dir.dropped().join(table.as_str());
    fs::create_dir_all(&dir).map_err(|error| CatalogError::io("create directory", &dir, error))?;
    let until = now_ms.saturating_add(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
    for file in files {
        let from = data_dir.deep_store().join(table.as_str()).join(&file.file_name);
        match fs::hard_link(&from, dir.join(format!("{until}-{}", file.file_name))) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // A file that is missing, or a file system without second names, must not keep a segment for ever.
            Err(error) => {
                warn!(path = %from.display(), %error, "a file of a dropped segment is not kept aside");
            }
        }
    }
    Ok(())
}

/// Removes the files whose time is over, and directories that are empty then. Returns how many files.
pub(crate) fn remove_expired(data_dir: &DataDir, now_ms: i64) -> Result<usize, CatalogError> {
    let root = data_dir.dropped();
    let entries = match fs::read_dir(&root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(CatalogError::io("list directory", &root, error)),
    };
    let mut removed = 0;
    for entry in entries {
        let dir = entry.map_err(|error| CatalogError::io("list directory", &root, error))?.path();
        if !dir.is_dir() {
            continue;
        }
        let files = list_files(&dir)?;
        let mut left = files.len();
        for file in files {
            let until = file.file_name.split('-').next().and_then(|text| text.parse::<i64>().ok());
            if until.is_some_and(|until| until <= now_ms) {
                remove_file(&file.path)?;
                removed += 1;
                left -= 1;
            }
        }
        if left == 0 {
            // Another file may have come meanwhile; then the directory stays.
            let _ = fs::remove_dir(&dir);
        }
    }
    Ok(removed)
}

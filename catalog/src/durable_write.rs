//! File-system steps that survive a power cut: a file is there whole or not at all, and its name is on disk.
//!
//! A failed fsync is never tried again on the same file: the kernel may have dropped the bytes and would then report
//! success (see postgres wiki: Fsync_Errors).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::error::CatalogError;

/// Makes the names in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), CatalogError> {
    let file = File::open(dir).map_err(|e| CatalogError::io("open directory", dir, e))?;
    file.sync_all().map_err(|source| CatalogError::SyncFailed { path: dir.to_path_buf(), source })
}

/// Makes the bytes of a new file durable. A disk that fills up only now has lost nothing but this file.
pub(crate) fn sync_new_file(file: &File, path: &Path) -> Result<(), CatalogError> {
    file.sync_all().map_err(|source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => CatalogError::io("write", path, source),
        _ => CatalogError::SyncFailed { path: path.to_path_buf(), source },
    })
}

/// Creates `dir` and its missing parents, each one's name durable in its parent.
pub(crate) fn create_dir(dir: &Path) -> Result<(), CatalogError> {
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(CatalogError::NotADirectory { path: dir.to_path_buf() }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(CatalogError::io("open directory", dir, e)),
    }
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_dir(parent)?;
    match fs::create_dir(dir) {
        Ok(()) => sync_dir(parent),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(CatalogError::io("create directory", dir, e)),
    }
}

/// Writes `bytes` to the new file `temp`, durable in content but not yet in name. Removes it again when that fails.
pub(crate) fn write_temp(temp: &Path, bytes: &[u8]) -> Result<(), CatalogError> {
    let written = File::create(temp)
        .and_then(|mut file| file.write_all(bytes).map(|()| file))
        .map_err(|e| CatalogError::io("write", temp, e))
        .and_then(|file| sync_new_file(&file, temp));
    if written.is_err() {
        let _ = fs::remove_file(temp);
    }
    written
}

/// Renames `temp` to `path` in the same directory, over what is there, and makes the name durable.
pub(crate) fn rename(temp: &Path, path: &Path) -> Result<(), CatalogError> {
    fs::rename(temp, path).map_err(|e| CatalogError::io("rename to", path, e))?;
    sync_dir(path.parent().expect("a file in a directory has a parent"))
}

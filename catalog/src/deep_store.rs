//! The deep store: the durable files, each written once and never changed.
//!
//! For now a local directory. The operations are those of an object store (put whole, read, remove, list), so that one
//! can take its place.
//!
//! Invariant: a file under its final name is whole and on disk, name included. Whether it counts is the ledger's to
//! say: a file that no commit names is an orphan.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::durable_write;
use crate::error::CatalogError;
use crate::ledger::FileRef;
use crate::names::{TableDirName, check_file_name};

/// Bytes gathered before a write; also the piece the checksum is computed on.
const WRITE_BYTES: usize = 256 << 10;

/// The durable files of all tables.
#[derive(Debug)]
pub struct DeepStore {
    root: PathBuf,
    tmp: PathBuf,
    /// Makes the names of files being written unique.
    puts: AtomicU64,
}

/// A file found in the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StoredFile {
    pub(crate) file_name: String,
    pub(crate) path: PathBuf,
}

impl DeepStore {
    /// Returns the store below `root`; files are written in `tmp`, on the same file system, first.
    pub(crate) fn new(root: PathBuf, tmp: PathBuf) -> DeepStore {
        DeepStore { root, tmp, puts: AtomicU64::new(0) }
    }

    /// Stores what `write` writes as `file_name`, and returns once it is durable.
    ///
    /// The writer handed to `write` is buffered and needs no flush. `is_committed` tells whether a commit names the
    /// file: if so it is refused, and if not, a file found under the name is left over from a failed try and replaced.
    ///
    /// # Errors
    /// `Unavailable` when the disk is full or fails, `Restart` when it failed to make the file durable, `Bug` when the
    /// name is committed.
    pub fn put(
        &self,
        table: &TableDirName,
        file_name: &str,
        is_committed: impl Fn() -> bool,
        write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
    ) -> Result<FileRef, CatalogError> {
        let path = self.path(table, file_name)?;
        if is_committed() {
            return Err(CatalogError::FileExists { path });
        }
        let temp =
            TempFile { path: self.tmp.join(format!("put-{}", self.puts.fetch_add(1, Ordering::Relaxed))) };
        let (bytes, crc32c) = write_checksummed(&temp.path, write)?;
        durable_write::create_dir(&self.root.join(table.as_str()))?;
        place(&temp.path, &path, is_committed)?;
        Ok(FileRef { file_name: file_name.to_string(), bytes, crc32c })
    }

    /// Opens a file, having checked that it has its committed length.
    ///
    /// # Errors
    /// `Corrupt` when it is missing or of another length.
    pub fn open(&self, table: &TableDirName, file: &FileRef) -> Result<File, CatalogError> {
        let path = self.path(table, &file.file_name)?;
        let opened = match File::open(&path) {
            Ok(opened) => opened,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(CatalogError::FileDamaged { path, detail: "it is missing".to_string() });
            }
            Err(e) => return Err(CatalogError::io("open", &path, e)),
        };
        let metadata = opened.metadata().map_err(|e| CatalogError::io("read the length of", &path, e))?;
        if !metadata.is_file() || metadata.len() != file.bytes {
            let detail = format!("it has {} bytes, {} were committed", metadata.len(), file.bytes);
            return Err(CatalogError::FileDamaged { path, detail });
        }
        Ok(opened)
    }

    /// Reads a whole file, having checked that every byte is the committed one.
    ///
    /// # Errors
    /// `Corrupt` when the file is missing or any byte differs.
    pub fn read(&self, table: &TableDirName, file: &FileRef) -> Result<Vec<u8>, CatalogError> {
        let path = self.path(table, &file.file_name)?;
        let opened = self.open(table, file)?;
        let mut bytes = Vec::with_capacity(usize::try_from(file.bytes).unwrap_or(0));
        opened
            .take(file.bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|e| CatalogError::io("read", &path, e))?;
        let found = crc32c::crc32c(&bytes);
        if bytes.len() as u64 != file.bytes || found != file.crc32c {
            let detail = format!("its checksum is {found:08x}, {:08x} was committed", file.crc32c);
            return Err(CatalogError::FileDamaged { path, detail });
        }
        Ok(bytes)
    }

    /// Returns where a file is, or would be.
    ///
    /// # Errors
    /// `Invalid` when the name is not a safe file name.
    pub fn path(&self, table: &TableDirName, file_name: &str) -> Result<PathBuf, CatalogError> {
        check_file_name("durable file", file_name)?;
        Ok(self.root.join(table.as_str()).join(file_name))
    }

    /// Removes a file that no commit names; it is no fault when it is gone already.
    pub fn remove(&self, table: &TableDirName, file_name: &str) -> Result<(), CatalogError> {
        remove_file(&self.path(table, file_name)?)
    }
}

/// Lists the plain files of one directory by name; other things in it are no concern of ours.
pub(crate) fn list_files(dir: &Path) -> Result<Vec<StoredFile>, CatalogError> {
    let list_error = |e| CatalogError::io("list directory", dir, e);
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(list_error)? {
        let entry = entry.map_err(list_error)?;
        let is_file = entry.file_type().map_err(list_error)?.is_file();
        if let (true, Ok(file_name)) = (is_file, entry.file_name().into_string()) {
            files.push(StoredFile { file_name, path: entry.path() });
        }
    }
    files.sort();
    Ok(files)
}

/// Removes a file; it is no fault when it is gone already.
pub(crate) fn remove_file(path: &Path) -> Result<(), CatalogError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(CatalogError::io("remove", path, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a new file, durable in content, and returns its length and checksum.
fn write_checksummed(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<(u64, u32), CatalogError> {
    let file = File::create(path).map_err(|e| CatalogError::io("create", path, e))?;
    let checksummed = Checksummed { file, bytes: 0, crc32c: 0, failed: None };
    let mut writer = BufWriter::with_capacity(WRITE_BYTES, checksummed);
    let written = write(&mut writer).and_then(|()| writer.flush());
    let (checksummed, _) = writer.into_parts();
    // An encoder wraps the disk's error in its own; the disk's says what to do.
    let disk_error = checksummed.failed.map(io::Error::from_raw_os_error);
    match (written, disk_error) {
        (Ok(()), None) => {}
        (_, Some(error)) | (Err(error), None) => return Err(CatalogError::io("write", path, error)),
    }
    durable_write::sync_new_file(&checksummed.file, path)?;
    Ok((checksummed.bytes, checksummed.crc32c))
}

/// Gives the finished file its name, durably. A link never replaces anything, so only what is known to be an orphan
/// gives way.
fn place(temp: &Path, path: &Path, is_committed: impl Fn() -> bool) -> Result<(), CatalogError> {
    match fs::hard_link(temp, path) {
        Ok(()) => durable_write::sync_dir(path.parent().expect("a file in a directory has a parent")),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && is_committed() => {
            Err(CatalogError::FileExists { path: path.to_path_buf() })
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => durable_write::rename(temp, path),
        Err(e) => Err(CatalogError::io("link to", path, e)),
    }
}

/// A file being written, gone when dropped unless it was renamed.
struct TempFile {
    path: PathBuf,
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Counts and checksums what the file really took.
struct Checksummed {
    file: File,
    bytes: u64,
    crc32c: u32,
    /// The system's first error.
    failed: Option<i32>,
}

impl Write for Checksummed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self.file.write(bytes) {
            Ok(written) => written,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Err(e),
            Err(e) => {
                self.failed = self.failed.or(e.raw_os_error());
                return Err(e);
            }
        };
        self.crc32c = crc32c::crc32c_append(self.crc32c, &bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // the file is synced as a whole
    }
}

#[cfg(test)]
mod tests;

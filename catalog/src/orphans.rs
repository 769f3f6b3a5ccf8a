//! Finds, at the start, the files that no commit names, and the commits whose files are gone.
//!
//! A crash between writing a file and committing it leaves the file behind; so does one between dropping a table and
//! removing its files. Such files are removed. Only plain files in directories named as ours are touched.
//!
//! A directory of a table that the ledger has yet to create cannot come from a crash, as the ledger comes first: the
//! ledger was put back to an older one, and removing files would make that worse. That refuses the start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use tracing::{error, warn};

use crate::data_dir::DataDir;
use crate::deep_store::{self, DeepStore};
use crate::error::CatalogError;
use crate::ledger::{LedgerState, TableState};
use crate::names::{TableDirName, TableId};

/// A committed file that is missing or of another length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedFile {
    /// The table.
    pub table: TableId,
    /// Name of the segment the file belongs to.
    pub segment: String,
    /// Name of the file.
    pub file_name: String,
    /// What is wrong with it.
    pub detail: String,
}

/// Removes everything that is no part of `state`.
pub(crate) fn remove_orphans(data_dir: &DataDir, state: &LedgerState) -> Result<(), CatalogError> {
    for file in deep_store::list_files(&data_dir.tmp())? {
        warn!(path = %file.path.display(), "removing a file that was never finished");
        deep_store::remove_file(&file.path)?;
    }
    let live = live_tables(state);
    let deep_store_dirs = table_dirs(&data_dir.deep_store(), state)?;
    let serving_dirs = table_dirs(&data_dir.serving(), state)?;
    for dir in deep_store_dirs {
        remove_orphans_of(&data_dir.deep_store(), &dir, live.get(dir.as_str()), TableState::has_file)?;
    }
    for dir in serving_dirs {
        let is_live = |table: &TableState, file_name: &str| {
            file_name.strip_suffix(".seg").is_some_and(|segment| table.has_segment(segment))
        };
        remove_orphans_of(&data_dir.serving(), &dir, live.get(dir.as_str()), is_live)?;
    }
    Ok(())
}

/// Returns the committed files that are not there as they were committed. Their bytes are not read.
pub(crate) fn damaged_files(deep_store: &DeepStore, state: &LedgerState) -> Vec<DamagedFile> {
    let mut damaged = Vec::new();
    for (table, dir, entry) in tables_with_dirs(state) {
        for segment in entry.segments() {
            for file in segment.files() {
                if let Err(fault) = deep_store.open(&dir, file) {
                    error!(table = &*entry.name, segment = segment.name, %fault, "a committed file is damaged");
                    let (segment, file_name) = (segment.name.clone(), file.file_name.clone());
                    damaged.push(DamagedFile { table, segment, file_name, detail: fault.to_string() });
                }
            }
        }
    }
    damaged
}

fn tables_with_dirs(state: &LedgerState) -> impl Iterator<Item = (TableId, TableDirName, &TableState)> {
    state.tables().map(|(id, table)| {
        let dir = TableDirName::new(id, &table.name).expect("name was checked when the table was created");
        (id, dir, table)
    })
}

fn live_tables(state: &LedgerState) -> BTreeMap<String, &TableState> {
    tables_with_dirs(state).map(|(_, dir, table)| (dir.to_string(), table)).collect()
}

/// Lists the sub-directories named as ours whose table is live or was dropped.
fn table_dirs(root: &Path, state: &LedgerState) -> Result<Vec<String>, CatalogError> {
    let list_error = |e| CatalogError::io("list directory", root, e);
    let mut dirs = Vec::new();
    for entry in fs::read_dir(root).map_err(list_error)? {
        let entry = entry.map_err(list_error)?;
        let is_dir = entry.file_type().map_err(list_error)?.is_dir();
        let Some((id, name)) = table_dir_name(entry.file_name()).filter(|_| is_dir) else {
            warn!(path = %entry.path().display(), "ignoring what is not a table's directory");
            continue;
        };
        if id >= state.next_table() {
            return Err(CatalogError::LedgerBehindFiles { path: entry.path() });
        }
        dirs.push(name);
    }
    dirs.sort();
    Ok(dirs)
}

fn table_dir_name(name: OsString) -> Option<(TableId, String)> {
    let name = name.into_string().ok()?;
    let id = TableDirName::table_id_in(&name)?;
    Some((id, name))
}

/// Removes the files of one directory that are not live; and the directory, when its table is gone.
fn remove_orphans_of(
    root: &Path,
    dir: &str,
    table: Option<&&TableState>,
    is_live: impl Fn(&TableState, &str) -> bool,
) -> Result<(), CatalogError> {
    let path = root.join(dir);
    for file in deep_store::list_files(&path)? {
        let keep = table.is_some_and(|table| is_live(table, &file.file_name));
        if !keep {
            warn!(path = %file.path.display(), "removing a file that no commit names");
            deep_store::remove_file(&file.path)?;
        }
    }
    if table.is_none()
        && let Err(error) = fs::remove_dir(&path)
    {
        warn!(path = %path.display(), %error, "could not remove the directory of a dropped table");
    }
    Ok(())
}

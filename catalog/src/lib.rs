//! Which tables and segments exist: table configs, the ledger, the deep store.
//!
//! [`Catalog`] is the door: it opens a data directory, says what is committed, and commits more. Modules stand from the
//! outside in: what may be named, where it lies, what is committed, the files behind it, and all of them together.

mod error;
mod names;
pub mod table_config;
mod durable_write;
mod data_dir;
mod ledger;
mod deep_store;
mod orphans;
mod dropped_files;
mod catalog;

pub use catalog::{Catalog, SchemaEntry, TableEntry};
pub use data_dir::DataDir;
pub use deep_store::DeepStore;
pub use error::{CatalogError, ErrorKind};
pub use ledger::{
    FileRef, GAPS_LISTED_MAX, LedgerViolation, PartitionStart, PartitionState, PauseReason,
    RecordFingerprint, SegmentCommit, SegmentId,
};
pub use names::{BadName, TableDirName, TableId};
pub use orphans::DamagedFile;

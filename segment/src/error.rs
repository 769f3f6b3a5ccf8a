//! What can go wrong with a segment, and what the caller must do about it.

use std::io;
use std::path::PathBuf;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// A fault in reading, writing or building a segment.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// A file could not be read or written.
    #[error("access segment file `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A file's bytes are not what was written.
    #[error("segment file `{path}` is corrupt: {detail}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        detail: String,
    },
    /// A file was written by another version of this program.
    #[error("segment file `{path}` has format version {found}, this program reads version {supported}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it says.
        found: u32,
        /// The version that is read.
        supported: u32,
    },
    /// A Parquet file could not be read or written.
    #[error("parquet file of segment `{segment}`")]
    Parquet {
        /// The segment.
        segment: String,
        /// The library's answer.
        source: ParquetError,
    },
    /// An array operation failed: a bug, or a value too large for Arrow.
    #[error("column arithmetic")]
    Arrow(#[from] ArrowError),
}

/// What the caller must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Fix its input.
    Invalid,
    /// Retry later.
    Unavailable,
    /// Quarantine the segment and rebuild it.
    Corrupt,
    /// Report a bug.
    Bug,
}

impl SegmentError {
    /// Returns what the caller must do.
    pub fn kind(&self) -> ErrorKind {
        match self {
            SegmentError::Io { .. } => ErrorKind::Unavailable,
            SegmentError::Corrupt { .. } | SegmentError::Version { .. } | SegmentError::Parquet { .. } => {
                ErrorKind::Corrupt
            }
            SegmentError::Arrow(_) => ErrorKind::Bug,
        }
    }
}

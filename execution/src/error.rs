//! What can go wrong while segments are read.

use arrow::error::ArrowError;
use meunier_segment::error::SegmentError;
use meunier_segment::segment_name::SegmentName;

/// A fault in running one query.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// A segment's file cannot be read.
    #[error("segment `{segment}` cannot be read: {source}")]
    Unreadable {
        /// The segment.
        segment: SegmentName,
        /// What is wrong with it.
        source: SegmentError,
    },
    /// A computation that the caller handed in failed.
    #[error(transparent)]
    Compute(Box<dyn std::error::Error + Send + Sync>),
    /// An array operation failed: a bug, or values too large for Arrow.
    #[error("column arithmetic: {0}")]
    Arrow(#[from] ArrowError),
}

/// The result of something that reads segments.
pub type Result<T> = std::result::Result<T, ExecutionError>;

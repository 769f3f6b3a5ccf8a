//! What an index is made of when it travels: a description and the bytes it describes.

use arrow::buffer::Buffer;

/// An index taken apart for a file: the header says what the buffers hold.
#[derive(Debug, Clone)]
pub struct IndexParts {
    /// What the buffers are, in the index's own words.
    pub header: serde_json::Value,
    /// The bytes, in the order the index expects them.
    pub buffers: Vec<Buffer>,
}

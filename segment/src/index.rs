//! Indexes of sealed segments.
//!
//! An index covers one column of one segment, is built at seal from the rows in their final order, and never changes. It
//! lies in the serving file as a JSON header and some buffers, [`IndexParts`], and is used where it lies: opening one
//! copies nothing that grows with the rows.
//!
//! Buffers may come from a file that is not to be trusted. Opening checks all lengths, and everything that is cheap to
//! check; what would cost a pass over all rows is checked where it is used, and then is an [`IndexError`]. No bytes lead
//! to a panic, or to a row that the segment does not have. Buffers need no alignment.
//!
//! All integers are little-endian.

mod packed;
mod starts;
mod rows;
mod value_bytes;
mod sorted;
mod inverted;
mod range;
mod bloom_filter;
mod partitions;
mod json;
mod text;

use arrow::buffer::Buffer;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use bloom_filter::{BloomFilter, BloomFilterSize};
pub use inverted::InvertedIndex;
pub use json::JsonIndex;
pub use partitions::PartitionSet;
pub use range::RangeIndex;
pub use sorted::SortedIndex;
pub use text::{MatchingTexts, TextIndex};

/// An index as a serving file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexParts {
    /// What the buffers are, in the index's own words.
    pub header: serde_json::Value,
    /// The buffers, in the order that the header implies.
    pub buffers: Vec<Buffer>,
}

/// An index cannot answer. The column itself can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Its bytes are not those of an index over this column.
    #[error("damaged index: {0}")]
    Damaged(&'static str),
    /// It was asked for a value of another type than its column's.
    #[error("the index holds values of another type")]
    OtherType,
    /// A test of one of its values failed.
    #[error("{0}")]
    Test(String),
}

impl IndexParts {
    fn new(header: &impl Serialize, buffers: Vec<Buffer>) -> IndexParts {
        let header = serde_json::to_value(header).expect("headers are plain structs of numbers and names");
        IndexParts { header, buffers }
    }

    /// Reads the header, and hands out the buffers one by one.
    fn open<H: DeserializeOwned>(&self) -> Result<(H, BufferList<'_>), String> {
        let header = H::deserialize(&self.header).map_err(|error| format!("header: {error}"))?;
        Ok((header, BufferList(self.buffers.iter())))
    }
}

/// The buffers of an index that are not read yet.
struct BufferList<'a>(std::slice::Iter<'a, Buffer>);

impl BufferList<'_> {
    fn next(&mut self) -> Result<Buffer, String> {
        self.0.next().cloned().ok_or_else(|| "a buffer is missing".to_string())
    }

    /// Returns all that are left.
    fn rest(self) -> Vec<Buffer> {
        self.0.cloned().collect()
    }

    fn end(mut self) -> Result<(), String> {
        match self.0.next() {
            None => Ok(()),
            Some(_) => Err("there are more buffers than the header tells".to_string()),
        }
    }
}

#[cfg(test)]
mod tests;

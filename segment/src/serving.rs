//! The serving file: one sealed segment laid out for reading through a memory map.
//!
//! ```text
//! magic "MEUNSEG\0" | blocks, each at a multiple of 64 bytes | footer | trailer
//! trailer = footer length u64 | footer crc32c u32 | format version u32 | magic          (all little-endian)
//! ```
//!
//! A block is an Arrow buffer as it lies in memory, which readers use in place, or the same values encoded, which are
//! decoded when first read and kept in memory under a budget. Each block has its crc32c in the footer, checked when the
//! block is first touched. Opening reads the footer only. The file is derived from the durable Parquet file and
//! disposable; `segment/README.md` is its byte-level specification.

mod wire;
mod packing;
mod frames;
mod decimals;
mod texts;
mod layout;
mod writer;
mod decoded;
mod file;
mod reader;

pub(crate) use decoded::{Decoded, Slot};
pub use decoded::{decoded_bytes, set_decoded_budget};
pub(crate) use file::ServingFile;
pub use layout::DurableRef;
pub(crate) use layout::{ColumnEntry, IndexEntry};
pub(crate) use packing::pack;

pub(crate) use wire::write_varint;
pub use writer::write;
pub(crate) use writer::{plain_float_bytes, plain_integer_bytes};

/// First and last bytes of a serving file.
pub(crate) const MAGIC: [u8; 8] = *b"MEUNSEG\0";
/// The one layout that is written and read. A file of another version is rebuilt from its durable file.
pub const FORMAT_VERSION: u32 = 2;
/// Blocks begin at multiples of this: a cache line, and the alignment of every Arrow buffer.
pub(crate) const BLOCK_ALIGNMENT: usize = 64;
/// Bytes of the trailer.
pub(crate) const TRAILER_BYTES: usize = 8 + 4 + 4 + 8;

#[cfg(test)]
mod tests;

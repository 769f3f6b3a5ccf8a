//! An open serving file: its footer, and its blocks, each checked when it is first touched.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::buffer::{Buffer, MutableBuffer};
use bytes::Bytes;

use super::layout::{BlockId, DataEntry, Footer};
use super::{BLOCK_ALIGNMENT, FORMAT_VERSION, MAGIC, TRAILER_BYTES};
use crate::error::SegmentError;

/// Most elements of one array: offsets have 31 bits.
pub(super) const ELEMENTS_MAX: usize = i32::MAX as usize;

/// An open serving file. Blocks are checked when they are first touched.
#[derive(Debug)]
pub(crate) struct ServingFile {
    path: PathBuf,
    map: Bytes,
    pub(crate) footer: Footer,
    /// Set once a block's checksum was found right.
    checked: Vec<AtomicBool>,
}

impl ServingFile {
    pub(crate) fn open(path: &Path) -> Result<ServingFile, SegmentError> {
        let map = map_file(path).map_err(|source| SegmentError::Io { path: path.to_owned(), source })?;
        let footer = read_footer(path, &map)?;
        let checked = footer.blocks.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(ServingFile { path: path.to_owned(), map, footer, checked })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// Returns at least `bytes_min` bytes, as they were before compression.
    pub(super) fn data(&self, entry: &DataEntry, bytes_min: usize) -> Result<Buffer, SegmentError> {
        let Some(len) = entry.zstd else { return self.block(entry.block, bytes_min) };
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > ELEMENTS_MAX || len < bytes_min {
            return Err(self.corrupt("a compressed block has an impossible length"));
        }
        let compressed = self.block(entry.block, 0)?;
        // Arrow's own buffer, since ids must lie at a multiple of their width.
        let mut bytes = MutableBuffer::from_len_zeroed(len);
        let decompressed = zstd::bulk::Decompressor::new()
            .and_then(|mut zstd| zstd.decompress_to_buffer(&compressed, bytes.as_slice_mut()));
        match decompressed {
            Ok(found) if found == len => Ok(bytes.into()),
            Ok(_) => Err(self.corrupt("a compressed block has another length than it says")),
            Err(error) => Err(self.corrupt(&format!("a block cannot be decompressed: {error}"))),
        }
    }

    /// Returns a block of at least `bytes_min` bytes, checked against its checksum.
    pub(super) fn block(&self, id: BlockId, bytes_min: usize) -> Result<Buffer, SegmentError> {
        let entry =
            self.footer.blocks.get(id).ok_or_else(|| self.corrupt(&format!("block {id} does not exist")))?;
        let start = usize::try_from(entry.start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(entry.bytes).unwrap_or(usize::MAX));
        if end > self.map.len() || end - start < bytes_min {
            return Err(self.corrupt(&format!("block {id} is too short")));
        }
        if !start.is_multiple_of(BLOCK_ALIGNMENT) {
            return Err(self.corrupt(&format!("block {id} is not aligned")));
        }
        let bytes = self.map.slice(start..end);
        if !self.checked[id].load(Ordering::Relaxed) {
            if crc32c::crc32c(&bytes) != entry.crc32c {
                return Err(self.corrupt(&format!("checksum of block {id} at byte {start} does not match")));
            }
            // Two readers may check at once; both find the same.
            self.checked[id].store(true, Ordering::Relaxed);
        }
        Ok(Buffer::from(bytes))
    }

    /// Returns the memory that a buffer takes beside the map.
    pub(super) fn copied(&self, buffer: &Buffer) -> usize {
        match self.map.as_ptr_range().contains(&buffer.as_ptr()) {
            true => 0,
            false => buffer.capacity().max(buffer.len()),
        }
    }

    pub(crate) fn corrupt(&self, detail: &str) -> SegmentError {
        corrupt(&self.path, detail)
    }
}

fn corrupt(path: &Path, detail: &str) -> SegmentError {
    SegmentError::Corrupt { path: path.to_owned(), detail: detail.to_owned() }
}

#[expect(unsafe_code, reason = "a memory map is the point of a serving file")]
fn map_file(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    // SAFETY: the map is sound while nobody changes the file's bytes under it. Serving files are written under a
    // temporary name, renamed once complete, and afterwards only ever unlinked; the data directory is locked against
    // other processes of ours.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Bytes::from_owner(map))
}

fn read_footer(path: &Path, map: &Bytes) -> Result<Footer, SegmentError> {
    if map.len() < MAGIC.len() + TRAILER_BYTES || map[..MAGIC.len()] != MAGIC {
        return Err(corrupt(path, "it does not begin as a serving file"));
    }
    let trailer = &map[map.len() - TRAILER_BYTES..];
    if trailer[16..] != MAGIC {
        return Err(corrupt(path, "it does not end as a serving file; it was cut"));
    }
    let word =
        |range: std::ops::Range<usize>| u32::from_le_bytes(trailer[range].try_into().expect("four bytes"));
    let found = word(12..16);
    if found != FORMAT_VERSION {
        return Err(SegmentError::Version { path: path.to_owned(), found, supported: FORMAT_VERSION });
    }
    let footer_bytes = u64::from_le_bytes(trailer[..8].try_into().expect("eight bytes"));
    let footer_end = map.len() - TRAILER_BYTES;
    let footer_start = usize::try_from(footer_bytes).ok().and_then(|bytes| footer_end.checked_sub(bytes));
    let Some(footer_start) = footer_start else {
        return Err(corrupt(path, "its footer is longer than the file"));
    };
    let footer = &map[footer_start..footer_end];
    if crc32c::crc32c(footer) != word(8..12) {
        return Err(corrupt(path, "checksum of the footer does not match"));
    }
    Footer::from_bytes(footer)
        .map_err(|detail| corrupt(path, &format!("its footer cannot be read: {detail}")))
}

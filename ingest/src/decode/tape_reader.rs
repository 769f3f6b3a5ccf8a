//! Parses one JSON text after the other into the same buffers.
//!
//! Plain records are read as they lie, by `plain_json`; all else by simd-json. That unescapes strings in place, so the text is
//! first copied over the one before it, into a buffer with the padding that the parser wants. Size is the caller's to check,
//! depth is checked here, before the parser runs.

use std::mem;

use simd_json::{Buffers, INPUT_PADDING, Tape};

use super::depth::is_deeper_than;
use super::document::Document;
use super::huge_numbers;
use super::plain_json::{Confidence, PlainReader};
use super::record_fields::RecordFields;

/// Length of a text after which the buffers are given back: they can be 35 times as large.
const KEPT_TEXT_MAX: usize = 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a text has no document.
#[derive(Debug)]
pub(super) enum Unreadable {
    TooDeep,
    Malformed(simd_json::Error),
}

/// A parser with its buffers.
pub(super) struct TapeReader {
    depth_max: usize,
    plain: PlainReader,
    plain_confidence: Confidence,
    copy: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
    starts: Vec<u32>,
}

impl TapeReader {
    pub(super) fn new(depth_max: usize) -> TapeReader {
        let buffers = Buffers::with_max_depth(0, depth_max);
        TapeReader {
            depth_max,
            plain: PlainReader::default(),
            plain_confidence: Confidence::default(),
            copy: Vec::new(),
            buffers,
            tape: Tape(Vec::new()),
            starts: Vec::new(),
        }
    }

    /// Parses an object that is plain. Its tape is a node that stands for it, and then the values of its keys, among which
    /// `fields` finds its own. Returns what `visit` makes of it, `None` when the text is anything else or nests too deep.
    #[inline]
    pub(super) fn read_plain_record<R>(
        &mut self,
        text: &[u8],
        fields: &mut RecordFields,
        visit: impl FnOnce(&mut Document<'_>, &RecordFields) -> R,
    ) -> Option<R> {
        if !self.plain_confidence.attempts() {
            return None;
        }
        let text = simdutf8::basic::from_utf8(text).ok()?;
        let mut tape = mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let is_plain = self.plain.read(text, self.depth_max, fields, &mut tape.0, &mut self.starts);
        self.plain_confidence.learn(is_plain);
        let visited = is_plain.then(|| {
            visit(&mut Document::new(&tape.0, text.as_bytes(), &[], &mut self.starts, false), fields)
        });
        self.tape = tape.reset();
        self.forget_large(text.len());
        visited
    }

    /// Parses `text` and returns what `visit` makes of it. A byte order mark before it is skipped, as Jackson does.
    pub(super) fn read<R>(
        &mut self,
        text: &[u8],
        mut visit: impl FnMut(&mut Document<'_>) -> R,
    ) -> Result<R, Unreadable> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        if is_deeper_than(text, self.depth_max) {
            return Err(Unreadable::TooDeep);
        }
        self.load(text);
        let visited = match self.parse(text, false, &mut visit) {
            Ok(visited) => Ok(visited),
            Err(error) => self.read_with_huge_numbers(text, error, &mut visit),
        };
        self.forget_large(text.len());
        visited
    }

    /// Gives back the buffers after a long text.
    fn forget_large(&mut self, text_len: usize) {
        if text_len > KEPT_TEXT_MAX {
            *self = TapeReader::new(self.depth_max);
        }
    }

    #[cold]
    fn read_with_huge_numbers<R>(
        &mut self,
        text: &[u8],
        error: simd_json::Error,
        visit: &mut impl FnMut(&mut Document<'_>) -> R,
    ) -> Result<R, Unreadable> {
        self.load(text);
        if huge_numbers::mask(text, &mut self.copy) {
            self.parse(text, true, visit).map_err(Unreadable::Malformed)
        } else {
            Err(Unreadable::Malformed(error))
        }
    }

    fn load(&mut self, text: &[u8]) {
        let padded = text.len() + INPUT_PADDING;
        if self.copy.len() < padded {
            self.copy.resize(padded.next_power_of_two(), 0);
        }
        self.copy[..text.len()].copy_from_slice(text);
    }

    /// Parses what was loaded; `text` is what it was loaded from.
    #[inline]
    fn parse<R>(
        &mut self,
        text: &[u8],
        has_huge_numbers: bool,
        visit: &mut impl FnMut(&mut Document<'_>) -> R,
    ) -> Result<R, simd_json::Error> {
        let mut tape = mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape_padded(&mut self.copy, text.len(), &mut self.buffers, &mut tape);
        let visited = parsed.map(|()| {
            let structurals = self.buffers.structural_indexes();
            self.starts.clear();
            visit(&mut Document::new(&tape.0, text, structurals, &mut self.starts, has_huge_numbers))
        });
        self.tape = tape.reset();
        visited
    }
}

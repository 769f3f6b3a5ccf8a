//! The work of one query on its segments, cut into pieces that any number of readers take.
//!
//! A piece is one chunk of one segment. Readers take the next piece from one queue, so that cores stay busy whatever the
//! sizes of segments. A predicate is bound to a segment by the first reader that takes a piece of it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use meunier_segment::segment_ref::SegmentRef;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::text_numbers::TableNumbers;

use crate::counters::ScanCounters;
use crate::error::Result;
use crate::filter::{Pruned, SegmentFilter, prune};
use crate::input::{ChunkView, InputColumn};
use crate::predicate::Predicate;
use crate::predicate_cache::{KnownRows, PredicateCache};

/// What one query reads.
#[derive(Debug, Clone)]
pub struct SegmentInput {
    /// The segments.
    pub segments: Arc<[Segment]>,
    /// Those that were left out.
    pub pruned: Arc<[Pruned]>,
    /// The columns that the predicate counts in.
    pub columns: Arc<[InputColumn]>,
    /// Rows that do not pass are not read on.
    pub predicate: Arc<Predicate>,
    /// Whether dictionaries and indexes may answer the predicate.
    pub uses_indexes: bool,
    /// Numbers of the table's texts.
    pub numbers: Arc<TableNumbers>,
    /// Rows that predicates selected for earlier queries, where those may answer.
    pub known: Option<Arc<PredicateCache>>,
    /// What is read is counted here.
    pub counters: Arc<ScanCounters>,
}

impl SegmentInput {
    /// Returns the same reading of a snapshot's segments: those that can hold a row that passes, or with `prunes` not set
    /// all that hold a row.
    #[must_use]
    pub fn of_segments<'a>(
        &self,
        segments: impl Iterator<Item = SegmentRef<'a>>,
        prunes: bool,
        counters: &Arc<ScanCounters>,
    ) -> SegmentInput {
        let segments: Vec<SegmentRef<'_>> = segments.collect();
        let predicate = if prunes { &*self.predicate } else { &Predicate::True };
        let mut left_out = Vec::new();
        let mut kept = Vec::new();
        for (segment, pruned) in segments.iter().zip(prune(predicate, &self.columns, &segments)) {
            match pruned {
                None => kept.push(segment.to_segment()),
                Some(by) => left_out.push(Pruned { by, rows: segment.rows() as u64 }),
            }
        }
        ScanCounters::add(&counters.segments_pruned, left_out.len() as u64);
        SegmentInput {
            segments: kept.into(),
            pruned: left_out.into(),
            columns: Arc::clone(&self.columns),
            predicate: Arc::clone(&self.predicate),
            uses_indexes: self.uses_indexes,
            numbers: Arc::clone(&self.numbers),
            known: self.known.clone(),
            counters: Arc::clone(counters),
        }
    }
}

/// Pieces not yet taken.
#[derive(Debug)]
pub struct SegmentWork {
    input: SegmentInput,
    pieces: Vec<Piece>,
    next: AtomicUsize,
    segments: Vec<SegmentProgress>,
    known: Option<KnownRows>,
}

/// One chunk of one segment.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// The segment's number.
    pub segment: usize,
    chunk: usize,
    first_row: usize,
    rows: usize,
}

#[derive(Debug, Default)]
struct SegmentProgress {
    filter: OnceLock<Arc<SegmentFilter>>,
    processed: AtomicBool,
    matched: AtomicBool,
}

impl SegmentWork {
    /// Cuts the work.
    pub fn new(input: SegmentInput) -> SegmentWork {
        let mut pieces = Vec::new();
        for (segment, found) in input.segments.iter().enumerate() {
            let mut first_row = 0;
            for (chunk, rows) in found.chunk_rows().into_iter().enumerate() {
                pieces.push(Piece { segment, chunk, first_row, rows });
                first_row += rows;
            }
        }
        ScanCounters::add(&input.counters.scans_run, 1);
        let segments = input.segments.iter().map(|_| SegmentProgress::default()).collect();
        let known = input.known.as_ref().filter(|_| input.uses_indexes);
        let known = known.map(|cache| KnownRows::new(cache, &input.predicate, &input.columns));
        SegmentWork { input, pieces, next: AtomicUsize::new(0), segments, known }
    }

    /// Returns what is read.
    pub fn input(&self) -> &SegmentInput {
        &self.input
    }

    /// Takes the next piece that can hold a row that passes.
    ///
    /// # Errors
    /// When a segment's file cannot be read.
    pub fn take(&self) -> Result<Option<(Piece, Arc<SegmentFilter>)>> {
        while let Some(&piece) = self.pieces.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let filter = self.filter(piece.segment)?;
            if filter.may_hold(piece.chunk, piece.first_row, piece.rows) {
                return Ok(Some((piece, filter)));
            }
        }
        Ok(None)
    }

    /// Returns the predicate bound to a segment.
    ///
    /// # Errors
    /// When the segment's file cannot be read.
    pub fn filter(&self, segment: usize) -> Result<Arc<SegmentFilter>> {
        let progress = &self.segments[segment];
        if let Some(filter) = progress.filter.get() {
            return Ok(Arc::clone(filter));
        }
        let SegmentInput { segments, columns, predicate, uses_indexes, counters, .. } = &self.input;
        let known = self.known.as_ref();
        // Two readers may bind at once; both find the same.
        let bound =
            Arc::new(SegmentFilter::bind(predicate, columns, &segments[segment], *uses_indexes, known)?);
        if !progress.processed.swap(true, Ordering::Relaxed) {
            ScanCounters::add(&counters.segments_processed, 1);
            ScanCounters::add(&counters.consuming_processed, u64::from(self.is_consuming(segment)));
        }
        Ok(Arc::clone(progress.filter.get_or_init(|| bound)))
    }

    /// Returns all chunks of a segment.
    pub fn chunks(&self, segment: usize) -> impl Iterator<Item = ChunkView<'_>> {
        // Pieces stand in order of their segments.
        let first = self.pieces.partition_point(|piece| piece.segment < segment);
        let mine = self.pieces[first..].iter().take_while(move |piece| piece.segment == segment);
        mine.map(|&piece| self.view(piece))
    }

    /// Returns a piece as it is read.
    pub fn view(&self, piece: Piece) -> ChunkView<'_> {
        let Piece { segment, chunk, first_row, rows } = piece;
        ChunkView { segment: &self.input.segments[segment], chunk, first_row, rows }
    }

    /// Notes that rows of a segment passed.
    pub fn matched(&self, segment: usize) {
        if !self.segments[segment].matched.swap(true, Ordering::Relaxed) {
            let counters = &self.input.counters;
            ScanCounters::add(&counters.segments_matched, 1);
            ScanCounters::add(&counters.consuming_matched, u64::from(self.is_consuming(segment)));
        }
    }

    fn is_consuming(&self, segment: usize) -> bool {
        matches!(self.input.segments[segment], Segment::Consuming(_))
    }
}

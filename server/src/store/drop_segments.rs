//! Dropping segments on request.
//!
//! Segments go as they do when they are too old: one record of the ledger, then a snapshot without them, then their files.
//! One that is being consumed is committed first, so that its offsets stay accounted for and are not read again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use meunier_catalog::{CatalogError, ErrorKind, SegmentCommit, TableEntry};
use meunier_ingest::IngestError;
use meunier_segment::nearest::did_you_mean;
use meunier_segment::offset_range::PartitionId;
use meunier_segment::segment_name::SegmentName;
use tracing::info;

use super::change::{COMMIT_POLL, COMMIT_WAIT};
use super::{OpenTable, Store};
use crate::error::ApiError;

impl Store {
    /// Drops segments of a table by name, all that it has at this moment where none is named. Their files are kept for
    /// `files_kept`, or as long as the table's config says. Waits until no query that begins sees their rows.
    ///
    /// # Errors
    /// 404 when the table or one of the segments does not exist: then all stay. 503 when what is being consumed could
    /// not be committed in time.
    pub fn drop_segments(
        &self,
        name: &str,
        wanted: &[String],
        files_kept: Option<Duration>,
    ) -> Result<TableEntry, ApiError> {
        let _changing = self.changing.lock();
        let (entry, table) = self.open_table(name)?;
        let wanted = self.existing_segments(&entry, &table, wanted)?;
        let deadline = Instant::now() + COMMIT_WAIT;
        self.commit_open_ones(&entry, &table, &wanted, deadline)?;
        let files_kept = files_kept.unwrap_or(table.config.deleted_segments_retention);
        let dropped = self.drop_committed(&entry, &wanted, files_kept)?;
        let is_seen = || table.live.snapshot().segments().any(|it| dropped.contains(it.name().as_str()));
        while is_seen() && Instant::now() < deadline {
            sleep(COMMIT_POLL);
        }
        info!(table = %entry.name, segments = dropped.len(), "dropped segments on request");
        Ok(entry)
    }

    fn existing_segments(
        &self,
        entry: &TableEntry,
        table: &OpenTable,
        wanted: &[String],
    ) -> Result<BTreeSet<String>, ApiError> {
        let committed = self.catalog.segments(entry.id).into_iter().map(|commit| commit.name.clone());
        let mut known: BTreeSet<String> = committed.collect();
        known.extend(table.live.snapshot().segments().map(|segment| segment.name().to_string()));
        if wanted.is_empty() {
            return Ok(known);
        }
        if let Some(missing) = wanted.iter().find(|name| !known.contains(*name)) {
            let shown: String = missing.chars().take(200).collect();
            let hint = did_you_mean(&shown, known.iter().map(String::as_str));
            return Err(ApiError::not_found(format!(
                "table `{}` has no segment `{shown}`{hint}: GET /segments/{} lists them",
                entry.name, entry.name
            )));
        }
        Ok(wanted.iter().cloned().collect())
    }

    /// Commits those segments that hold records and are not committed, and waits until they are published.
    fn commit_open_ones(
        &self,
        entry: &TableEntry,
        table: &OpenTable,
        wanted: &BTreeSet<String>,
        deadline: Instant,
    ) -> Result<(), ApiError> {
        let status = self.ingester.status(entry.id);
        let partitions: Vec<PartitionId> = status
            .iter()
            .flat_map(|status| &status.partitions)
            .filter(|status| {
                status.consuming_segment.as_ref().is_some_and(|name| wanted.contains(name.as_str()))
            })
            .map(|status| status.partition)
            .collect();
        if !partitions.is_empty() {
            self.ingester.force_commit(entry.id, Some(&partitions));
        }
        while self.has_open_ones(entry, table, wanted) {
            if Instant::now() >= deadline {
                return Err(busy(entry));
            }
            sleep(COMMIT_POLL);
        }
        Ok(())
    }

    fn has_open_ones(&self, entry: &TableEntry, table: &OpenTable, wanted: &BTreeSet<String>) -> bool {
        let droppable = self.ingester.droppable_segments(entry.id);
        let droppable: BTreeSet<&str> = droppable.iter().map(|commit| commit.name.as_str()).collect();
        let is_open = |name: &SegmentName, rows: usize| {
            rows > 0 && wanted.contains(name.as_str()) && !droppable.contains(name.as_str())
        };
        table.live.snapshot().segments().any(|segment| is_open(segment.name(), segment.rows()))
    }

    /// Retention may drop some of them meanwhile: then those that are left are tried again.
    fn drop_committed(
        &self,
        entry: &TableEntry,
        wanted: &BTreeSet<String>,
        files_kept: Duration,
    ) -> Result<BTreeSet<String>, ApiError> {
        loop {
            let mut segments: Vec<Arc<SegmentCommit>> = self.ingester.droppable_segments(entry.id);
            segments.retain(|segment| wanted.contains(&segment.name));
            if segments.is_empty() {
                return Ok(BTreeSet::new());
            }
            match self.ingester.drop_segments(entry.id, &segments, files_kept) {
                Ok(()) => return Ok(segments.iter().map(|segment| segment.name.clone()).collect()),
                Err(IngestError::Catalog(error)) if is_gone(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn is_gone(error: &CatalogError) -> bool {
    error.kind() == ErrorKind::NotFound
}

fn busy(entry: &TableEntry) -> ApiError {
    let message = format!(
        "a segment of table `{}` is still being committed: try again shortly, /tables/{}/consumingSegmentsInfo shows how it goes",
        entry.name, entry.name
    );
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message)
}

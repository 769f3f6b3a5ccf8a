//! Makes a consuming segment durable: seal, store, commit, serve. Each step can be repeated after a crash.
//!
//! Order: durable file written, fsynced and renamed → ledger record fsynced (the commit) → serving file written. A crash
//! before the record leaves an orphan file, and the rows are consumed again; after it the segment is there, and a missing
//! serving file is made again from the durable one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use meunier_catalog::table_config::TableConfig;
use meunier_catalog::{Catalog, FileRef, RecordFingerprint, SegmentCommit, TableEntry};
use meunier_segment::consuming_segment::ConsumingSnapshot;
use meunier_segment::durable;
use meunier_segment::error::SegmentError;
use meunier_segment::options::SegmentOptions;
use meunier_segment::reject::RejectedRecord;
use meunier_segment::schema::{FieldRole, Schema};
use meunier_segment::seal::{SealedRows, seal};
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::serving::{self, DurableRef};
use meunier_segment::value::Value;

use crate::error::IngestError;
use crate::progress::{Progress, RecordCounts};
use crate::transform::ExpressionCompiler;

/// The farthest that a zone is from UTC.
const ZONE_MARGIN_MS: i64 = 14 * 3_600_000;

/// What of a table the sealing of its segments needs.
#[derive(Debug)]
pub(crate) struct TableStorage {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) entry: TableEntry,
    pub(crate) schema: Arc<Schema>,
    pub(crate) options: SegmentOptions,
    pub(crate) time_column: Option<Arc<str>>,
    pub(crate) config: Arc<TableConfig>,
    pub(crate) expressions: Arc<dyn ExpressionCompiler>,
}

/// A segment that has taken its last row.
#[derive(Debug)]
pub(crate) struct FrozenSegment {
    pub(crate) rows: Arc<ConsumingSnapshot>,
    pub(crate) rejects: Vec<RejectedRecord>,
    pub(crate) progress: Progress,
    pub(crate) counts: RecordCounts,
    pub(crate) sequence: u32,
    pub(crate) epoch: u64,
    pub(crate) last_record: Option<RecordFingerprint>,
}

/// Stores and commits a segment. Returns it as it is served; `None` when it has no rows, only rejects and gaps.
pub(crate) fn commit(
    table: &TableStorage,
    segment: &FrozenSegment,
    now_ms: i64,
) -> Result<Option<Arc<SealedSegment>>, IngestError> {
    let name = &segment.rows.identity().name;
    let id = table.entry.id;
    let sealed = seal(&segment.rows, &table.options)?;
    tell_of_missing_indexes(&sealed);
    let durable = match sealed.rows {
        0 => None,
        _ => Some(table.catalog.put_file(id, &format!("{name}.parquet"), |out| {
            durable::write(out, &sealed).map_err(io::Error::other)
        })?),
    };
    let rejects = match segment.rejects.as_slice() {
        [] => None,
        rejects => Some(table.catalog.put_file(id, &format!("{name}.rejects.parquet"), |out| {
            durable::write_rejects(out, name, rejects).map_err(io::Error::other)
        })?),
    };
    let (min_time_ms, max_time_ms) = time_bounds(table, &sealed).unzip();
    table.catalog.commit_segment(SegmentCommit {
        table: id,
        partition: segment.rows.identity().partition,
        epoch: segment.epoch,
        sequence: segment.sequence,
        name: name.to_string(),
        range: segment.progress.range(),
        rows: sealed.rows as u64,
        rejected: segment.rejects.len() as u64,
        filtered: segment.counts.filtered,
        extra_rows: segment.counts.extra_rows,
        merged_rows: segment.counts.merged_rows,
        gap_offsets: segment.progress.gap_offsets(),
        gaps: segment.progress.gaps().to_vec(),
        durable: durable.clone(),
        rejects,
        created_ms: now_ms,
        min_time_ms,
        max_time_ms,
        last_record: segment.last_record,
    })?;
    match durable {
        None => Ok(None),
        Some(durable) => serve(table, &sealed, &durable).map(Some),
    }
}

/// Opens a committed segment for queries. Its serving file is made again from the durable one when it is missing,
/// corrupt, of another version, or not of that durable file.
pub(crate) fn open(
    table: &TableStorage,
    commit: &SegmentCommit,
) -> Result<Option<Arc<SealedSegment>>, IngestError> {
    let Some(durable) = &commit.durable else { return Ok(None) };
    let path = table.catalog.data_dir().serving_file(&table.entry.dir, &commit.name)?;
    match SealedSegment::open(&path) {
        Ok(segment) if segment.durable() == durable_ref(durable) => return Ok(Some(Arc::new(segment))),
        Ok(_) => {
            tracing::warn!(segment = commit.name, "serving file is of another durable file; making it again")
        }
        Err(SegmentError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            tracing::info!(segment = commit.name, "serving file is missing; making it again");
        }
        Err(error) => {
            tracing::warn!(segment = commit.name, %error, "serving file cannot be used; making it again")
        }
    }
    serve(table, &seal_again(table, durable)?, durable).map(Some)
}

/// Makes a committed segment's serving file anew by the table's present options, in place of the old one. `None` when
/// the segment has no rows, or is not wanted any more by the time its file would be written.
pub(crate) fn rebuild(
    table: &TableStorage,
    commit: &SegmentCommit,
    is_wanted: impl Fn() -> bool,
) -> Result<Option<Arc<SealedSegment>>, IngestError> {
    let Some(durable) = commit.durable.as_ref().filter(|_| is_wanted()) else { return Ok(None) };
    let sealed = seal_again(table, durable)?;
    if !is_wanted() {
        return Ok(None);
    }
    serve(table, &sealed, durable).map(Some)
}

fn seal_again(table: &TableStorage, durable: &FileRef) -> Result<SealedRows, IngestError> {
    // Reading checks the whole file against the ledger's checksum, which Parquet itself would not.
    table.catalog.deep_store().read(&table.entry.dir, durable)?;
    let durable_path = table.catalog.deep_store().path(&table.entry.dir, &durable.file_name)?;
    let rows = durable::read(&durable_path, &table.schema, &table.options)?;
    let sealed = seal(&rows, &table.options)?;
    tell_of_missing_indexes(&sealed);
    Ok(sealed)
}

fn serve(
    table: &TableStorage,
    sealed: &SealedRows,
    durable: &FileRef,
) -> Result<Arc<SealedSegment>, IngestError> {
    let data_dir = table.catalog.data_dir();
    let name = sealed.identity.name.as_str();
    let path = data_dir.serving_file(&table.entry.dir, name)?;
    let temporary = data_dir.tmp().join(format!("{}-{name}.seg", table.entry.id.0));
    write_serving(&temporary, &path, sealed, durable_ref(durable))
        .map_err(|source| SegmentError::Io { path: path.clone(), source })?;
    Ok(Arc::new(SealedSegment::open(&path)?))
}

/// Not fsynced: a serving file that a power failure left incomplete is found by its checksums and made again.
fn write_serving(temporary: &Path, path: &Path, sealed: &SealedRows, durable: DurableRef) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut out = BufWriter::with_capacity(1 << 20, File::create(temporary)?);
    serving::write(&mut out, sealed, durable)?;
    out.flush()?;
    fs::rename(temporary, path)
}

fn durable_ref(file: &FileRef) -> DurableRef {
    DurableRef { bytes: file.bytes, crc32c: file.crc32c }
}

/// Returns the least and greatest time of the rows in milliseconds, where the time column has one that reads as such.
fn time_bounds(table: &TableStorage, sealed: &SealedRows) -> Option<(i64, i64)> {
    let name = table.time_column.as_ref()?;
    let column = sealed.columns.iter().find(|column| &column.field.name == name)?;
    let FieldRole::DateTime { format, .. } = &column.field.role else { return None };
    let millis = |value: &Option<Value>| match value {
        Some(Value::Timestamp(millis)) => Some(*millis),
        Some(Value::Long(value)) => format.text_millis(&value.to_string()),
        Some(Value::Int(value)) => format.text_millis(&value.to_string()),
        Some(Value::String(text)) => format.text_millis(text),
        _ => None,
    };
    let margin = if format.has_zone() { ZONE_MARGIN_MS } else { 0 };
    let (min, max) = millis(&column.stats.min).zip(millis(&column.stats.max))?;
    Some((min.saturating_sub(margin), max.saturating_add(margin)))
}

/// An index that could not be built is no fault of the rows: they are served without it.
fn tell_of_missing_indexes(sealed: &SealedRows) {
    for reason in &sealed.not_built {
        tracing::warn!(segment = %sealed.identity.name, reason, "segment has one index less than its table asks for");
    }
}

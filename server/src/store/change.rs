//! Changing tables and schemas that exist, pausing, resuming, sealing on request.
//!
//! A table takes a new definition by being closed and opened again: what it had consumed and not committed is read from
//! Kafka again. So that nothing has to be, all consuming segments are committed first, as far as that goes in a short time.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use meunier_catalog::{PauseReason, TableEntry};
use meunier_ingest::ConsumeFrom;
use meunier_segment::json_reader::JsonProblem;
use meunier_segment::offset_range::PartitionId;
use meunier_segment::schema::{Field, Schema};
use serde_json::Value;
use tracing::info;

use super::definition::{self, SentPair, SentSchema};
use super::{ForceCommitJob, OpenTable, Opened, Store, now_ms};
use crate::error::ApiError;

/// Longest wait for segments to be committed before a table is opened anew. What is not done by then is read again.
pub(super) const COMMIT_WAIT: Duration = Duration::from_secs(20);
/// Pause between two looks at such a commit.
pub(super) const COMMIT_POLL: Duration = Duration::from_millis(20);

impl Store {
    /// Replaces a table's config and schema.
    ///
    /// # Errors
    /// 404 when there is no such table, 400 when what it holds does not fit the new definition.
    pub fn update(&self, name: &str, sent: &SentPair) -> Result<(), ApiError> {
        let entry = self.table(name)?;
        if *entry.name != *sent.table.config.table_name {
            return Err(ApiError::bad_request(format!(
                "the table is `{}` and the config is of `{}`: a table cannot be renamed",
                entry.name, sent.table.config.table_name
            )));
        }
        check_compatible(&entry.schema, &sent.schema.schema)?;
        self.check_same_topic(&entry, sent)?;
        self.check_source(&sent.table.stream, super::CreateOptions::default())?;
        let _changing = self.changing.lock();
        let entry = self.table(name)?;
        self.reopen(&entry, |store| {
            let schema = Arc::clone(&sent.schema.json);
            store.catalog.update_table(entry.id, schema, Arc::clone(&sent.table.json)).map_err(ApiError::from)
        })
    }

    /// Sets a schema, and opens the table of its name anew where there is one. Returns whether it replaced one.
    ///
    /// # Errors
    /// 409 when it exists and may not be replaced, 400 when the table's rows do not fit it.
    pub fn put_schema(&self, sent: &SentSchema, may_replace: bool) -> Result<bool, ApiError> {
        let name = sent.schema.name();
        let _changing = self.changing.lock();
        let before = self.catalog.schema(name);
        if before.is_some() && !may_replace {
            return Err(ApiError::conflict(format!(
                "schema `{name}` already exists: replace it with `?override=true` or PUT /schemas/{name}"
            )));
        }
        if let Some(before) = &before {
            check_compatible(&before.schema, &sent.schema)?;
        }
        let put =
            |store: &Store| store.catalog.put_schema(name, Arc::clone(&sent.json)).map_err(ApiError::from);
        match self.catalog.table(name) {
            None => put(self)?,
            Some(entry) => {
                definition::read_table(&entry.config, &sent.schema)?;
                self.reopen(&entry, |store| {
                    put(store)?;
                    store.table(name)
                })?;
            }
        }
        info!(schema = name, "set schema");
        Ok(before.is_some())
    }

    /// Drops a schema that no table uses.
    ///
    /// # Errors
    /// 404 when there is none, 409 while a table uses it.
    pub fn delete_schema(&self, name: &str) -> Result<(), ApiError> {
        let _changing = self.changing.lock();
        Ok(self.catalog.drop_schema(name)?)
    }

    /// Stops the consumption of a table, for good until it is resumed.
    ///
    /// # Errors
    /// 404 when there is no such table.
    pub fn pause(&self, name: &str, comment: &str) -> Result<TableEntry, ApiError> {
        let _changing = self.changing.lock();
        let entry = self.table(name)?;
        let reason = PauseReason { comment: comment.to_owned(), by: "user".to_owned(), at_ms: now_ms() };
        self.catalog.set_paused(entry.id, Some(reason))?;
        self.ingester.pause(entry.id);
        self.table(name)
    }

    /// Resumes the consumption of a table.
    ///
    /// # Errors
    /// 404 when there is no such table.
    pub fn resume(&self, name: &str, from: Option<ConsumeFrom>) -> Result<TableEntry, ApiError> {
        let _changing = self.changing.lock();
        let entry = self.table(name)?;
        self.catalog.set_paused(entry.id, None)?;
        if !entry.disabled {
            self.ingester.resume(entry.id, from);
        }
        self.table(name)
    }

    /// Takes a table out of use, until it is put in use again: it is not consumed, and queries are told so. What it had
    /// consumed is sealed, and its segments stay.
    ///
    /// # Errors
    /// 404 when there is no such table.
    pub fn set_disabled(&self, name: &str, disabled: bool) -> Result<TableEntry, ApiError> {
        let _changing = self.changing.lock();
        let before = self.table(name)?;
        if before.disabled == disabled {
            return Ok(before);
        }
        self.catalog.set_disabled(before.id, disabled)?;
        let entry = self.table(name)?;
        if let Some(Opened::Open(OpenTable { live, config })) = self.tables.read().get(&entry.id) {
            self.show(&entry, super::query_table(live, config));
        }
        if disabled {
            self.ingester.pause(entry.id);
        } else if entry.paused.is_none() {
            self.ingester.resume(entry.id, None);
        }
        info!(table = %entry.name, disabled, "changed the state of a table");
        Ok(entry)
    }

    /// Starts to seal and commit what partitions hold, all of them when none is named.
    ///
    /// # Errors
    /// 404 when there is no such table, 503 when it is not open.
    pub fn force_commit(
        &self,
        name: &str,
        partitions: Option<&[PartitionId]>,
    ) -> Result<ForceCommitJob, ApiError> {
        let (entry, _) = self.open_table(name)?;
        let started = self.ingester.force_commit(entry.id, partitions);
        let job = ForceCommitJob {
            id: started.id,
            table: entry.name.to_string(),
            submitted_ms: now_ms(),
            segments: started.segments,
        };
        self.force_commits.lock().add(job.clone());
        Ok(job)
    }

    /// Returns a commit on request and its segments that are not committed yet.
    pub fn force_commit_status(&self, id: u64) -> Option<(ForceCommitJob, Vec<String>)> {
        let job = self.force_commits.lock().get(id)?;
        let pending = self.ingester.force_commit_pending(id).unwrap_or_default();
        Some((job, pending.iter().map(ToString::to_string).collect()))
    }

    /// Commits what the table holds, closes it, changes it, and opens it. Should the change fail, the old one is opened.
    fn reopen(
        &self,
        entry: &TableEntry,
        change: impl FnOnce(&Store) -> Result<TableEntry, ApiError>,
    ) -> Result<(), ApiError> {
        self.commit_all(entry);
        self.ingester.remove_table(entry.id);
        let (to_open, changed) = match change(self) {
            Ok(changed) => (changed, Ok(())),
            Err(error) => (entry.clone(), Err(error)),
        };
        if let Err(error) = self.open(&to_open) {
            self.queries.remove(&entry.name);
            self.tables.write().insert(entry.id, Opened::Failed(error.to_string()));
            return Err(error);
        }
        changed
    }

    fn commit_all(&self, entry: &TableEntry) {
        if entry.paused.is_some() || entry.disabled {
            return;
        }
        let deadline = Instant::now() + COMMIT_WAIT;
        let commit = self.ingester.force_commit(entry.id, None);
        let is_pending =
            |id| self.ingester.force_commit_pending(id).is_some_and(|pending| !pending.is_empty());
        while is_pending(commit.id) && Instant::now() < deadline {
            sleep(COMMIT_POLL);
        }
    }

    /// Committed positions are those of one topic; in another they would mean other records.
    fn check_same_topic(&self, entry: &TableEntry, sent: &SentPair) -> Result<(), ApiError> {
        let opened = self.tables.read().get(&entry.id).cloned();
        let Some(Opened::Open(OpenTable { config, .. })) = opened else { return Ok(()) };
        let (before, after) = (config.stream.as_ref().map(|stream| &stream.topic), &sent.table.stream.topic);
        let Some(before) = before.filter(|before| *before != after) else { return Ok(()) };
        Err(ApiError::bad_request(format!(
            "the table reads topic `{before}` and cannot go on in `{after}`, as its offsets are of the former: create another table"
        )))
    }
}

/// Checks that rows of the old schema fit the new one: every column stays, with its type.
///
/// # Errors
/// 400 with every column that does not.
pub(super) fn check_compatible(before: &Value, after: &Schema) -> Result<(), ApiError> {
    // A schema that cannot be read any more, as an older version wrote it, holds nothing back.
    let Ok(before) = definition::read_schema(before) else { return Ok(()) };
    let problems: Vec<JsonProblem> =
        before.schema.fields().iter().filter_map(|field| incompatibility(field, after)).collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid_document("change of the schema", problems))
    }
}

fn incompatibility(before: &Field, after: &Schema) -> Option<JsonProblem> {
    let kind = |field: &Field| {
        format!("{}{}", field.data_type, if field.single_value { "" } else { " multi-value" })
    };
    let message = match after.field(&before.name) {
        None => format!("the column `{}` is missing: a column cannot be removed", before.name),
        Some((_, now)) if kind(now) != kind(before) => {
            format!("the column `{}` is {} and cannot become {}", before.name, kind(before), kind(now))
        }
        Some(_) => return None,
    };
    Some(JsonProblem { path: String::new(), message })
}

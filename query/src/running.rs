//! The queries that wait or run, so that they can be listed and ended.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::engine::QueryRequest;

/// One query that waits or runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningQuery {
    /// Its number.
    pub request_id: u64,
    /// Its statement.
    pub sql: String,
    /// The options of its request, not those in the statement.
    pub options: String,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct RunningQueries {
    by_id: Mutex<BTreeMap<u64, Entry>>,
}

#[derive(Debug)]
struct Entry {
    sql: String,
    options: String,
    cancel: oneshot::Sender<()>,
}

/// A query's place in the list, left again however it ends.
pub(crate) struct Place<'a> {
    queries: &'a RunningQueries,
    request_id: u64,
}

impl RunningQueries {
    /// Lists a query. What comes back second completes when someone ends it.
    pub(crate) fn enter(
        &self,
        request_id: u64,
        request: &QueryRequest,
    ) -> (Place<'_>, oneshot::Receiver<()>) {
        let (cancel, cancelled) = oneshot::channel();
        let entry = Entry { sql: request.sql.clone(), options: request.options.clone(), cancel };
        self.by_id.lock().insert(request_id, entry);
        (Place { queries: self, request_id }, cancelled)
    }

    pub(crate) fn list(&self) -> Vec<RunningQuery> {
        let by_id = self.by_id.lock();
        let shown = |(request_id, entry): (&u64, &Entry)| RunningQuery {
            request_id: *request_id,
            sql: entry.sql.clone(),
            options: entry.options.clone(),
        };
        by_id.iter().map(shown).collect()
    }

    pub(crate) fn cancel(&self, request_id: u64) -> bool {
        let Some(entry) = self.by_id.lock().remove(&request_id) else { return false };
        // One that has just ended does not listen any more.
        entry.cancel.send(()).is_ok()
    }
}

impl Place<'_> {
    /// Returns the statement; nothing when the query was cancelled.
    pub(crate) fn sql(&self) -> Option<String> {
        self.queries.by_id.lock().get(&self.request_id).map(|entry| entry.sql.clone())
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queries.by_id.lock().remove(&self.request_id);
    }
}

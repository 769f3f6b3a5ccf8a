//! The queries that wait or run, so that they can be listed and ended.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::engine::QueryRequest;
use crate::options::QueryOptions;
use crate::statement::{Statement, tokens_of};

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
    /// Taken by whoever ends it.
    cancel: Option<oneshot::Sender<()>>,
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
        let entry =
            Entry { sql: request.sql.clone(), options: request.options.clone(), cancel: Some(cancel) };
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
        let cancel = self.by_id.lock().get_mut(&request_id).and_then(|entry| entry.cancel.take());
        // One that has just ended does not listen any more.
        cancel.is_some_and(|cancel| cancel.send(()).is_ok())
    }

    /// Ends all queries whose client gave them this name.
    pub(crate) fn cancel_client(&self, client_query_id: &str) -> bool {
        let named: Vec<u64> = self
            .list()
            .into_iter()
            .filter(|query| query.client_query_id().as_deref() == Some(client_query_id))
            .map(|query| query.request_id)
            .collect();
        named.into_iter().filter(|request_id| self.cancel(*request_id)).count() > 0
    }
}

impl RunningQuery {
    /// Returns the name that the client gave it, in the request's options or in the statement's, which win.
    pub fn client_query_id(&self) -> Option<String> {
        let mut options = QueryOptions::default();
        // What cannot be read has failed or is about to; what was read before it counts.
        let _ = options.set_all(&self.options);
        if let Ok(statement) = tokens_of(&self.sql).and_then(Statement::read) {
            for (name, value) in &statement.options {
                let _ = options.set(name, value);
            }
        }
        options.client_query_id
    }
}

impl Place<'_> {
    /// Returns what it stands for.
    pub(crate) fn query(&self) -> RunningQuery {
        let by_id = self.queries.by_id.lock();
        let entry = by_id.get(&self.request_id).expect("an entry stays as long as its place");
        RunningQuery { request_id: self.request_id, sql: entry.sql.clone(), options: entry.options.clone() }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queries.by_id.lock().remove(&self.request_id);
    }
}

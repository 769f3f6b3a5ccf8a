//! The queries that clients send, as HTTP bodies made once.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;

/// Clients begin this far apart in the statements of an id, so that they do not ask the same at the same time.
const CLIENT_STEP: usize = 17;

/// Queries by id, each with the bodies of its statements.
pub(super) struct Mix(Vec<Entry>);

struct Entry {
    name: String,
    requests: Vec<String>,
}

/// One query to send.
pub(super) struct Query<'a> {
    pub(super) id: usize,
    /// Body of the request.
    pub(super) request: &'a str,
}

#[derive(Deserialize)]
struct RawEntry {
    id: String,
    sql: Vec<String>,
}

impl Mix {
    pub(super) fn parse(text: &str) -> Result<Mix> {
        let raw: Vec<RawEntry> =
            serde_json::from_str(text).context("the mix is a list of `{\"id\", \"sql\": […]}`")?;
        let mut entries = Vec::new();
        for RawEntry { id, sql } in raw {
            ensure!(!sql.is_empty(), "query `{id}` has no statement");
            let requests = sql.iter().map(|sql| json!({ "sql": sql }).to_string()).collect();
            entries.push(Entry { name: id, requests });
        }
        ensure!(!entries.is_empty(), "the mix has no query");
        Ok(Mix(entries))
    }

    /// Returns what a client sends in its `turn`th turn: ids one after the other, and of each its next statement.
    pub(super) fn query(&self, client: usize, turn: usize) -> Query<'_> {
        let place = client + turn;
        let id = place % self.0.len();
        let requests = &self.0[id].requests;
        Query { id, request: &requests[(place / self.0.len() + client * CLIENT_STEP) % requests.len()] }
    }

    pub(super) fn name(&self, id: usize) -> &str {
        &self.0[id].name
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Mix;

    #[test]
    fn ids_and_statements_take_turns() {
        let mix = Mix::parse(r#"[{"id": "a", "sql": ["1", "2"]}, {"id": "b", "sql": ["3"]}]"#).unwrap();
        let sent: Vec<&str> = (0..4).map(|turn| mix.query(0, turn).request).collect();
        assert_eq!(sent, [r#"{"sql":"1"}"#, r#"{"sql":"3"}"#, r#"{"sql":"2"}"#, r#"{"sql":"3"}"#]);
        assert_eq!(mix.name(mix.query(1, 0).id), "b");
    }
}

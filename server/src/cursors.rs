//! Answers that are kept so that clients can read them page by page: Pinot's response store.
//!
//! They are in memory, bounded in bytes and in time; a restart forgets them. When they take all they may, the next one
//! is refused: an answer that a client was promised is never dropped before its time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use meunier_query::QueryAnswer;
use parking_lot::Mutex;

/// Rows of a page when a request does not say, as in Pinot.
pub const PAGE_ROWS_DEFAULT: usize = 10_000;

/// What kept answers may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorConfig {
    /// Memory of all of them. Higher: more and larger answers can be paged through at once.
    pub memory_bytes_max: u64,
    /// How long each is kept.
    pub expiration: Duration,
}

/// The kept answers.
#[derive(Debug)]
pub struct Cursors {
    config: CursorConfig,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_id: BTreeMap<u64, Arc<KeptAnswer>>,
    bytes: u64,
}

/// One answer.
#[derive(Debug)]
pub struct KeptAnswer {
    request_id: u64,
    body: Vec<u8>,
    /// Where the rows stand in the body.
    rows: Range<usize>,
    /// Where each row ends in the body.
    row_ends: Vec<usize>,
    submitted_ms: i64,
    expires_ms: i64,
}

/// Why an answer was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the answer takes {bytes} bytes and {left} of the {max} for cursors are left: delete others with \
     DELETE /responseStore/ID, ask for less, or raise `cursors.memory_max`"
)]
pub struct NoRoom {
    bytes: u64,
    left: u64,
    max: u64,
}

/// Which rows of an answer are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The first row.
    pub offset: usize,
    /// How many at most.
    pub rows_max: usize,
}

/// The server as a client reaches it: pages are to be asked of the one that keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Cursors {
    /// Returns an empty store.
    pub fn new(config: CursorConfig) -> Cursors {
        Cursors { config, kept: Mutex::default() }
    }

    /// Keeps an answer that has rows, or returns it when it has none.
    ///
    /// # Errors
    /// When it does not fit beside those that have not expired.
    pub fn keep(&self, answer: QueryAnswer, now_ms: i64) -> Result<Arc<KeptAnswer>, NoRoom> {
        let rows = answer.rows.unwrap_or_default();
        let mut kept_answer = KeptAnswer {
            request_id: answer.request_id,
            row_ends: row_ends(&answer.body, rows.clone()),
            body: answer.body,
            rows,
            submitted_ms: now_ms,
            expires_ms: now_ms
                .saturating_add(i64::try_from(self.config.expiration.as_millis()).unwrap_or(i64::MAX)),
        };
        kept_answer.body.shrink_to_fit();
        kept_answer.row_ends.shrink_to_fit();
        let bytes = kept_answer.memory_bytes();
        let mut kept = self.kept.lock();
        kept.drop_expired(now_ms);
        let left = self.config.memory_bytes_max.saturating_sub(kept.bytes);
        if bytes > left {
            return Err(NoRoom { bytes, left, max: self.config.memory_bytes_max });
        }
        let kept_answer = Arc::new(kept_answer);
        kept.bytes += bytes;
        kept.by_id.insert(kept_answer.request_id, Arc::clone(&kept_answer));
        Ok(kept_answer)
    }

    /// Returns a kept answer that has not expired.
    pub fn get(&self, request_id: u64, now_ms: i64) -> Option<Arc<KeptAnswer>> {
        let mut kept = self.kept.lock();
        kept.drop_expired(now_ms);
        kept.by_id.get(&request_id).cloned()
    }

    /// Returns all that have not expired, oldest first.
    pub fn list(&self, now_ms: i64) -> Vec<Arc<KeptAnswer>> {
        let mut kept = self.kept.lock();
        kept.drop_expired(now_ms);
        kept.by_id.values().cloned().collect()
    }

    /// Forgets an answer; false when there is none of this number.
    pub fn delete(&self, request_id: u64) -> bool {
        let mut kept = self.kept.lock();
        kept.remove(request_id)
    }

    /// Forgets all that expire at `cutoff_ms` or before, and returns how many they were.
    pub fn delete_expired(&self, cutoff_ms: i64) -> usize {
        self.kept.lock().drop_expired(cutoff_ms)
    }

    /// Returns how many are kept, and the memory they take.
    pub fn usage(&self) -> (usize, u64) {
        let kept = self.kept.lock();
        (kept.by_id.len(), kept.bytes)
    }
}

impl Kept {
    fn remove(&mut self, request_id: u64) -> bool {
        let Some(answer) = self.by_id.remove(&request_id) else { return false };
        self.bytes -= answer.memory_bytes();
        true
    }

    fn drop_expired(&mut self, now_ms: i64) -> usize {
        let expired: Vec<u64> = self
            .by_id
            .values()
            .filter(|kept| kept.expires_ms <= now_ms)
            .map(|kept| kept.request_id)
            .collect();
        expired.iter().filter(|id| self.remove(**id)).count()
    }
}

impl KeptAnswer {
    /// Returns how many rows it has.
    pub fn row_count(&self) -> usize {
        self.row_ends.len()
    }

    fn memory_bytes(&self) -> u64 {
        (size_of::<KeptAnswer>() + self.body.capacity() + self.row_ends.capacity() * size_of::<usize>())
            as u64
    }

    /// Returns the answer with only a page of its rows, and the fields of a cursor.
    pub fn page(&self, page: Page, times: CursorTimes, reached: &Reached) -> Vec<u8> {
        let start = page.offset.min(self.row_count());
        let end = start.saturating_add(page.rows_max).min(self.row_count());
        let text = match (start, end) {
            (start, end) if start == end => &[],
            (0, end) => &self.body[self.rows.start..self.row_ends[end - 1]],
            // Past the comma after the row before.
            (start, end) => &self.body[self.row_ends[start - 1] + 1..self.row_ends[end - 1]],
        };
        let mut out = Vec::with_capacity(text.len() + self.body.len() - self.rows.len() + 256);
        out.extend_from_slice(&self.body[..self.rows.start]);
        out.extend_from_slice(text);
        out.extend_from_slice(&self.body[self.rows.end..]);
        self.add_fields(&mut out, (start, end - start), times, reached);
        out
    }

    /// Returns the answer without its rows and their columns, and the fields of a cursor.
    pub fn metadata(&self, reached: &Reached) -> Vec<u8> {
        // The table is the first field, and `]},` stands behind its rows.
        let mut out = vec![b'{'];
        out.extend_from_slice(&self.body[self.rows.end + "]},".len()..]);
        self.add_fields(&mut out, (0, self.row_count()), CursorTimes::default(), reached);
        out
    }

    fn add_fields(&self, out: &mut Vec<u8>, rows: (usize, usize), times: CursorTimes, reached: &Reached) {
        out.pop();
        let fields = serde_json::json!({
            "offset": rows.0,
            "numRows": rows.1,
            "cursorResultWriteTimeMs": times.write_ms,
            "cursorFetchTimeMs": times.fetch_ms,
            "submissionTimeMs": self.submitted_ms,
            "expirationTimeMs": self.expires_ms,
            "brokerHost": reached.host,
            "brokerPort": reached.port,
            "bytesWritten": self.rows.len(),
        });
        out.push(b',');
        out.extend_from_slice(&fields.to_string().as_bytes()[1..]);
    }
}

/// How long keeping and reading took.
#[derive(Debug, Clone, Copy, Default)]
pub struct CursorTimes {
    /// Keeping it; 0 where it was not kept just now.
    pub write_ms: u64,
    /// Reading it.
    pub fetch_ms: u64,
}

/// Finds where the JSON arrays end that stand side by side in a part of a text.
fn row_ends(text: &[u8], part: Range<usize>) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
    for at in part {
        match text[at] {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    ends.push(at + 1);
                }
            }
            _ => {}
        }
    }
    ends
}

#[cfg(test)]
mod tests;

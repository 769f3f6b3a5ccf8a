//! What was produced, counted exactly and without any code of the store: the producer's own events, read with serde.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::checks::Checks;
use crate::http_client::HttpClient;
use crate::table::TABLE;

/// Sums of doubles depend on their order in the last digits.
const RELATIVE_ERROR_MAX: f64 = 1e-9;

/// Exact figures of all events produced.
#[derive(Default)]
pub(crate) struct Truth {
    rows: u64,
    rows_of_partition: BTreeMap<i32, u64>,
    status_sum: u64,
    latency_sum: f64,
    revenue_sum: f64,
    revenues: u64,
    users: HashSet<u64>,
    sessions: HashSet<u64>,
    urls: HashSet<String>,
    countries: BTreeMap<String, u64>,
    unknown_cities: u64,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow)]
    country: Cow<'a, str>,
    #[serde(borrow)]
    city: Option<Cow<'a, str>>,
    user_id: u64,
    status: u64,
    latency_ms: f64,
    #[serde(default)]
    revenue: Option<f64>,
}

impl Truth {
    /// Counts one event.
    pub(crate) fn count(&mut self, partition: i32, payload: &[u8]) -> Result<()> {
        let event: Event<'_> = serde_json::from_slice(payload).context("a sample event is JSON")?;
        self.rows += 1;
        *self.rows_of_partition.entry(partition).or_default() += 1;
        self.status_sum += event.status;
        self.latency_sum += event.latency_ms;
        self.revenue_sum += event.revenue.unwrap_or(0.0);
        self.revenues += u64::from(event.revenue.is_some());
        self.users.insert(event.user_id);
        self.sessions
            .insert(u64::from_str_radix(&event.session_id, 16).context("a session id is 16 hex digits")?);
        if !self.urls.contains(&*event.url) {
            self.urls.insert(event.url.into_owned());
        }
        match self.countries.get_mut(&*event.country) {
            Some(rows) => *rows += 1,
            None => drop(self.countries.insert(event.country.into_owned(), 1)),
        }
        self.unknown_cities += u64::from(event.city.is_none());
        Ok(())
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns what another engine must find in the durable files: rows, the dense sequence and the offsets of each partition.
    pub(crate) fn durable_rows(&self) -> Value {
        let partition = |(partition, rows): (&i32, &u64)| {
            let found =
                json!({"rows": rows, "offsets": [0, rows], "sequence_min": 0, "sequence_max": rows - 1});
            (partition.to_string(), found)
        };
        let sum: u64 = self.rows_of_partition.values().map(|rows| rows * (rows - 1) / 2).sum();
        json!({
            "rows": self.rows,
            "sequence_sum": sum,
            "partitions": self.rows_of_partition.iter().map(partition).collect::<serde_json::Map<_, _>>(),
        })
    }

    /// Checks a server's answers about the whole table against the figures.
    #[expect(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
    pub(crate) fn check(&self, http: &HttpClient, moment: &str, checks: &mut Checks) -> Result<()> {
        let exact = [
            ("COUNT(*)", self.rows),
            ("SUM(status)", self.status_sum),
            ("DISTINCTCOUNT(user_id)", self.users.len() as u64),
            ("DISTINCTCOUNT(session_id)", self.sessions.len() as u64),
            ("DISTINCTCOUNT(url)", self.urls.len() as u64),
            ("DISTINCTCOUNT(country)", self.countries.len() as u64),
        ];
        for (expression, expected) in exact {
            let found = http.query_number(&format!("SELECT {expression} FROM {TABLE}"))?;
            checks.equal(&format!("{moment}: {expression}"), &found, &(expected as f64));
        }
        let cities = http.query_number(&format!("SELECT COUNT(*) FROM {TABLE} WHERE city = 'unknown'"))?;
        checks.equal(&format!("{moment}: rows without a city"), &cities, &(self.unknown_cities as f64));
        let paid = http.query_number(&format!("SELECT COUNT(*) FROM {TABLE} WHERE revenue > 0"))?;
        checks.equal(&format!("{moment}: rows with revenue"), &paid, &(self.revenues as f64));
        for (column, expected) in [("latency_ms", self.latency_sum), ("revenue", self.revenue_sum)] {
            let found = http.query_number(&format!("SELECT SUM({column}) FROM {TABLE}"))?;
            let is_close = (found - expected).abs() <= expected.abs() * RELATIVE_ERROR_MAX;
            checks.that(is_close, || format!("{moment}: SUM({column}): found {found}, expected {expected}"));
        }
        self.check_countries(http, moment, checks)?;
        self.check_partitions(http, moment, checks)
    }

    fn check_countries(&self, http: &HttpClient, moment: &str, checks: &mut Checks) -> Result<()> {
        let sql = format!("SELECT country, COUNT(*) FROM {TABLE} GROUP BY country LIMIT 10000");
        let rows = http.query(&sql)?;
        let count = |row: &Vec<Value>| Some((row.first()?.as_str()?.to_owned(), row.get(1)?.as_u64()?));
        let found: BTreeMap<String, u64> = rows.iter().filter_map(count).collect();
        checks.equal(&format!("{moment}: rows by country"), &found, &self.countries);
        Ok(())
    }

    /// Every sequence number of every partition is there once: as many distinct ones as rows, and the dense sum.
    fn check_partitions(&self, http: &HttpClient, moment: &str, checks: &mut Checks) -> Result<()> {
        for (&partition, &expected) in &self.rows_of_partition {
            let sql = format!("SELECT DISTINCTCOUNT(seq) FROM {TABLE} WHERE $partitionId = {partition}");
            let found = http.query_number(&sql)?;
            #[expect(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
            checks.equal(
                &format!("{moment}: distinct seq of partition {partition}"),
                &found,
                &(expected as f64),
            );
        }
        Ok(())
    }
}

//! Settings with types and without doubt: made from the raw ones in one step that reports every fault.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use meunier_ingest::IngestConfig;
use meunier_query::EngineConfig;

use super::quantity::{parse_duration, parse_size};
use super::raw::{ConfigProblem, KEYS, RawConfig};
use crate::cursors::CursorConfig;
use crate::shutdown::end_after_ledger_failure;

/// Where `serve` keeps its data when nothing else is said.
pub const DATA_DIR_DEFAULT: &str = "./data";

/// The settings of a process.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// The data directory, where one was named.
    pub data_dir: Option<PathBuf>,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Limits of HTTP.
    pub http: HttpConfig,
    /// Limits of ingestion.
    pub ingest: IngestConfig,
    /// Limits of queries.
    pub query: EngineConfig,
    /// What answers kept for cursors may take.
    pub cursors: CursorConfig,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Tracing directives.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Limits of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// Connections open at once.
    pub connections_max: usize,
    /// Time for a request's head, and of an idle connection.
    pub header_timeout: Duration,
    /// Time for a request's body.
    pub body_timeout: Duration,
    /// Largest request body.
    pub body_bytes_max: usize,
    /// Time for running requests when the process stops.
    pub drain_timeout: Duration,
}

impl TryFrom<&RawConfig> for Config {
    type Error = Vec<ConfigProblem>;

    fn try_from(raw: &RawConfig) -> Result<Config, Vec<ConfigProblem>> {
        let mut reader = Reader { raw, problems: Vec::new() };
        let config = Config {
            listen: reader.listen(),
            data_dir: reader.raw.get("data_dir").map(|(text, _)| PathBuf::from(text)),
            log: reader.log(),
            http: reader.http(),
            ingest: reader.ingest(),
            query: reader.query(),
            cursors: reader.cursors(),
        };
        if reader.problems.is_empty() { Ok(config) } else { Err(reader.problems) }
    }
}

/// Reads keys one by one and gathers what is wrong.
struct Reader<'a> {
    raw: &'a RawConfig,
    problems: Vec<ConfigProblem>,
}

impl Reader<'_> {
    fn listen(&mut self) -> SocketAddr {
        let address =
            self.read("listen", "an address and port such as 127.0.0.1:8099", |text| text.parse().ok());
        address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    fn log(&mut self) -> LogConfig {
        let filter = self.read(
            "log.filter",
            "a level such as info, or directives such as info,meunier_ingest=debug",
            |text| text.parse::<tracing_subscriber::filter::Targets>().ok().map(|_| text.to_string()),
        );
        let format = self.read("log.format", "text or json", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        });
        LogConfig { filter: filter.unwrap_or_default(), format: format.unwrap_or(LogFormat::Text) }
    }

    fn http(&mut self) -> HttpConfig {
        HttpConfig {
            connections_max: self.count("http.connections_max").unwrap_or(1),
            header_timeout: self.duration("http.header_timeout").unwrap_or_default(),
            body_timeout: self.duration("http.body_timeout").unwrap_or_default(),
            body_bytes_max: self
                .size("http.body_bytes_max")
                .and_then(|size| size.try_into().ok())
                .unwrap_or(1),
            drain_timeout: self.duration("http.drain_timeout").unwrap_or_default(),
        }
    }

    fn ingest(&mut self) -> IngestConfig {
        let default = IngestConfig::default();
        IngestConfig {
            worker_threads: self.count_or("ingest.worker_threads", default.worker_threads),
            seal_threads: self.count_or("ingest.seal_threads", default.seal_threads),
            memory_bytes_max: self.size("ingest.memory_max").unwrap_or(default.memory_bytes_max),
            on_ledger_failure: end_after_ledger_failure,
            ..default
        }
    }

    fn query(&mut self) -> EngineConfig {
        let default = EngineConfig::default();
        let memory =
            |size: Option<u64>, default| size.and_then(|size| size.try_into().ok()).unwrap_or(default);
        EngineConfig {
            threads: self.count_or("query.threads", default.threads),
            concurrency_max: self.count_or("query.concurrent_max", default.concurrency_max),
            queue_length_max: self.count_or("query.queue_max", default.queue_length_max),
            timeout: self.duration("query.timeout").unwrap_or(default.timeout),
            memory_bytes_max: memory(self.size("query.memory_max"), default.memory_bytes_max),
            query_memory_bytes_max: memory(
                self.size("query.memory_per_query_max"),
                default.query_memory_bytes_max,
            ),
            rows_max: self.count("query.rows_max").map_or(default.rows_max, |rows| rows as u64),
            response_bytes_max: self.size("query.response_bytes_max").unwrap_or(default.response_bytes_max),
            ..default
        }
    }

    fn cursors(&mut self) -> CursorConfig {
        CursorConfig {
            memory_bytes_max: self.size("cursors.memory_max").unwrap_or(1),
            expiration: self.duration("cursors.expiration").unwrap_or_default(),
        }
    }

    /// Reads a count whose default depends on the machine.
    fn count_or(&mut self, path: &str, default: usize) -> usize {
        if self.raw.get(path).is_some() { self.count(path).unwrap_or(default) } else { default }
    }

    fn count(&mut self, path: &str) -> Option<usize> {
        self.read(path, "a whole number from 1", |text| text.parse().ok().filter(|count| *count > 0))
    }

    fn size(&mut self, path: &str) -> Option<u64> {
        self.read(path, "a size such as 64MiB", |text| parse_size(text).filter(|size| *size > 0))
    }

    fn duration(&mut self, path: &str) -> Option<Duration> {
        self.read(path, "a duration such as 10s or 5m", |text| {
            parse_duration(text).filter(|time| !time.is_zero())
        })
    }

    /// Reads the text of a key, or its default where it has one.
    fn read<T>(&mut self, path: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let Some((text, origin)) = self.raw.get(path) else {
            let key = KEYS.iter().find(|key| key.path == path).expect("only keys of the table are read");
            return parse(key.default);
        };
        let value = parse(text.trim());
        if value.is_none() {
            self.problems.push(ConfigProblem(format!("`{path}` {origin} is `{text}`: write {expected}")));
        }
        value
    }
}

#[cfg(test)]
mod tests;

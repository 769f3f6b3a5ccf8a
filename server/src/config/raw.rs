//! Settings as they are written, before they mean anything: one text a key, and where it came from.

use std::collections::BTreeMap;
use std::fmt;

use meunier_segment::nearest::did_you_mean;

/// A key: its path in the file, its default, and what it does. The environment variable follows from the path.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Table and name, joined by a dot.
    pub path: &'static str,
    /// What holds when nothing is written; empty where the default depends on the command or the machine.
    pub default: &'static str,
    /// What it does, for the reference page.
    pub meaning: &'static str,
}

const fn key(path: &'static str, default: &'static str, meaning: &'static str) -> Key {
    Key { path, default, meaning }
}

/// All keys there are.
pub const KEYS: &[Key] = &[
    key("listen", "127.0.0.1:8099", "Address and port that HTTP listens on."),
    key(
        "data_dir",
        "",
        "Directory of all data. `serve` takes ./data; `quickstart` a temporary one, removed at its end.",
    ),
    key(
        "log.filter",
        "info",
        "What is logged: a level, or tracing directives such as `info,meunier_ingest=debug`.",
    ),
    key("log.format", "text", "`text` or `json`, one line an event, on stderr."),
    key("http.connections_max", "1024", "Connections open at once; further ones wait in the system's queue."),
    key(
        "http.header_timeout",
        "10s",
        "Time a client has to send a request's head; also ends idle connections.",
    ),
    key("http.body_timeout", "30s", "Time a client has to send a request's body."),
    key("http.body_bytes_max", "1MiB", "Largest request body."),
    key("http.drain_timeout", "10s", "Time that running requests have when the process stops."),
    key("ingest.worker_threads", "", "Threads that fetch and decode; by default one a core."),
    key("ingest.seal_threads", "", "Threads that seal segments; by default one for two cores."),
    key(
        "ingest.memory_max",
        "4GiB",
        "Memory of all rows that are not sealed. Reaching it seals early, then slows fetching.",
    ),
    key(
        "query.threads",
        "",
        "Threads that run queries, and the most that one query uses; by default one a core.",
    ),
    key("query.concurrent_max", "", "Queries that run at once; by default four a core."),
    key("query.queue_max", "256", "Queries that wait for their turn; more are refused."),
    key("query.timeout", "10s", "Time of a query that neither sets `timeoutMs` nor reads a table that does."),
    key("query.memory_max", "1GiB", "Memory of all queries together."),
    key("query.memory_per_query_max", "512MiB", "Memory of one query."),
    key("query.rows_max", "1000000", "Rows of an answer; a longer one is cut and says so."),
    key("query.response_bytes_max", "256MiB", "Bytes of an answer; a larger one is cut and says so."),
    key(
        "cursors.memory_max",
        "256MiB",
        "Memory of answers kept for cursors; when it is full, the next is refused.",
    ),
    key("cursors.expiration", "1h", "Time for which an answer is kept for its cursor."),
];

/// Where a text was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the file, at this path.
    File(String),
    /// In this environment variable.
    Environment(String),
    /// In this flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(file) => write!(f, "in {file}"),
            Origin::Environment(variable) => write!(f, "from the environment variable {variable}"),
            Origin::Flag(flag) => write!(f, "from the flag {flag}"),
        }
    }
}

/// What the command line sets.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--listen`.
    pub listen: Option<String>,
    /// `--data-dir`.
    pub data_dir: Option<String>,
}

/// One fault, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem(pub String);

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One text a key, the strongest source of each.
#[derive(Debug, Clone, Default)]
pub struct RawConfig {
    texts: BTreeMap<&'static str, (String, Origin)>,
}

impl RawConfig {
    /// Gathers the settings: file, then environment, then flags. Returns them with what is odd but harmless.
    ///
    /// # Errors
    /// Every key of the file that does not exist or holds no text, number or boolean.
    pub fn gather(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &Flags,
    ) -> Result<(RawConfig, Vec<String>), Vec<ConfigProblem>> {
        let mut raw = RawConfig::default();
        if let Some((name, text)) = file {
            raw.add_file(name, text)?;
        }
        let warnings = raw.add_environment(environment);
        raw.add_flags(flags);
        Ok((raw, warnings))
    }

    /// Returns the text of a key and where it was written.
    pub fn get(&self, path: &str) -> Option<(&str, &Origin)> {
        self.texts.get(path).map(|(text, origin)| (text.as_str(), origin))
    }

    fn add_file(&mut self, name: &str, text: &str) -> Result<(), Vec<ConfigProblem>> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            vec![ConfigProblem(format!("{name} is no TOML: {}", error.to_string().trim_end()))]
        })?;
        let mut problems = Vec::new();
        self.add_table(name, "", &table, &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn add_table(&mut self, name: &str, above: &str, table: &toml::Table, problems: &mut Vec<ConfigProblem>) {
        for (part, value) in table {
            let path = if above.is_empty() { part.clone() } else { format!("{above}.{part}") };
            let is_section = KEYS.iter().any(|key| key.path.starts_with(&format!("{path}.")));
            if let (toml::Value::Table(inner), true) = (value, is_section) {
                self.add_table(name, &path, inner, problems);
                continue;
            }
            let Some(key) = KEYS.iter().find(|key| key.path == path) else {
                let hint = did_you_mean(&path, KEYS.iter().map(|key| key.path));
                problems.push(ConfigProblem(format!("{name} holds the unknown key `{path}`{hint}")));
                continue;
            };
            match scalar_text(value) {
                Some(text) => self.set(key.path, text, Origin::File(name.to_string())),
                None => problems.push(ConfigProblem(format!(
                    "`{path}` in {name} is {}: write a text, a number or a boolean",
                    value.type_str()
                ))),
            }
        }
    }

    /// A variable that only looks like ours is not refused: orchestrators set such names of their own accord, as
    /// Kubernetes does (`MEUNIER_PORT`) for a service of this name.
    fn add_environment(&mut self, environment: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
        let mut warnings = Vec::new();
        for (variable, text) in environment {
            if let Some(key) = KEYS.iter().find(|key| variable_of(key.path) == variable) {
                self.set(key.path, text, Origin::Environment(variable));
                continue;
            }
            let variables: Vec<String> = KEYS.iter().map(|key| variable_of(key.path)).collect();
            let hint = did_you_mean(&variable, variables.iter().map(String::as_str));
            let known_elsewhere = ["MEUNIER_CONFIG", "MEUNIER_SERVER"].contains(&variable.as_str());
            if variable.starts_with("MEUNIER_") && !known_elsewhere && !hint.is_empty() {
                warnings.push(format!("the environment variable {variable} means nothing here{hint}"));
            }
        }
        warnings
    }

    fn add_flags(&mut self, flags: &Flags) {
        for (path, flag, text) in
            [("listen", "--listen", &flags.listen), ("data_dir", "--data-dir", &flags.data_dir)]
        {
            if let Some(text) = text {
                self.set(path, text.clone(), Origin::Flag(flag));
            }
        }
    }

    fn set(&mut self, path: &'static str, text: String, origin: Origin) {
        self.texts.insert(path, (text, origin));
    }
}

/// Returns the environment variable of a key.
pub fn variable_of(path: &str) -> String {
    format!("MEUNIER_{}", path.replace('.', "_").to_ascii_uppercase())
}

fn scalar_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => None,
    }
}

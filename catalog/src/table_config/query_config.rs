//! `query` and `quota`: limits of queries and of the table.

use meunier_segment::json_reader::{Findings, JsonObject};

use super::quantity::parse_size;

/// Limits and switches of the queries on one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryConfig {
    /// A query's time limit, where the query does not set its own.
    pub timeout_ms: Option<u64>,
    /// Whether Groovy functions are refused.
    pub disable_groovy: Option<bool>,
    /// Whether exact functions are replaced by approximate ones.
    pub use_approximate_function: Option<bool>,
    /// Largest answer to a client, in bytes.
    pub response_bytes_max: Option<u64>,
    /// Largest answer of one server, in bytes.
    pub server_response_bytes_max: Option<u64>,
}

pub(super) fn read(config: &JsonObject<'_>, findings: &mut Findings) -> QueryConfig {
    let timeout_ms = config.integer("timeoutMs", 1, i64::MAX, findings).and_then(|ms| u64::try_from(ms).ok());
    QueryConfig {
        timeout_ms,
        disable_groovy: config.boolean("disableGroovy", findings),
        use_approximate_function: config.boolean("useApproximateFunction", findings),
        response_bytes_max: read_size(config, "maxQueryResponseSizeBytes", findings),
        server_response_bytes_max: read_size(config, "maxServerResponseSizeBytes", findings),
    }
}

/// Checks the quota, which nothing acts on yet.
pub(super) fn check_quota(quota: &JsonObject<'_>, findings: &mut Findings) {
    let _ = read_size(quota, "storage", findings);
    if let Some(rate) = quota.text_or_empty("maxQueriesPerSecond", findings)
        && !rate.parse::<f64>().is_ok_and(|rate| rate.is_finite() && rate > 0.0)
    {
        let message = format!("`{rate}` is no rate: write a number of queries a second, such as \"100\"");
        findings.problem(quota.place("maxQueriesPerSecond"), message);
    }
}

fn read_size(config: &JsonObject<'_>, key: &str, findings: &mut Findings) -> Option<u64> {
    let text = config.text_or_empty(key, findings)?;
    let size = parse_size(&text).filter(|size| *size > 0);
    if size.is_none() {
        findings.problem(config.place(key), format!("`{text}` is no size: write for example 100G or 512M"));
    }
    size
}

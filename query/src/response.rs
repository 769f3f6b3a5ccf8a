//! Pinot's answer (`BrokerResponseNative`) as JSON text.
//!
//! Rows are written straight from Arrow columns by [`rows`]; this file puts the fields around them, in Pinot's order. Fields
//! that Pinot has not: `limitApplied` says when the implicit LIMIT left rows out, `line` and `column` of an exception where
//! the text is at fault.

pub(crate) mod rows;

use std::ops::Range;

use serde_json::json;

use crate::error::QueryError;
use crate::position::Position;

/// The rows of an answer and what they are.
#[derive(Debug, Default)]
pub(crate) struct ResultTable {
    /// Name and type of each column.
    pub(crate) columns: Vec<OutputColumn>,
    /// The rows as JSON arrays with commas between.
    pub(crate) rows: Vec<u8>,
    /// How many rows there are.
    pub(crate) row_count: u64,
    /// Set when the statement had no LIMIT and got the default one.
    pub(crate) implicit_limit: Option<ImplicitLimit>,
}

/// One column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputColumn {
    /// Its name.
    pub(crate) name: String,
    /// Pinot's name of its type.
    pub(crate) type_name: &'static str,
}

/// The default LIMIT, and whether it mattered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImplicitLimit {
    /// How many rows are shown.
    pub(crate) limit: u64,
    /// Whether there were more.
    pub(crate) more_rows: bool,
}

/// The figures beside the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AnswerStatistics {
    pub(crate) time_used_ms: u64,
    pub(crate) request_id: u64,
    pub(crate) client_query_id: Option<String>,
    pub(crate) broker_id: String,
    pub(crate) docs_scanned: u64,
    pub(crate) docs_total: u64,
    pub(crate) entries_scanned_in_filter: u64,
    pub(crate) entries_scanned_post_filter: u64,
    pub(crate) segments_queried: u64,
    pub(crate) segments_processed: u64,
    pub(crate) segments_matched: u64,
    pub(crate) consuming_queried: u64,
    pub(crate) consuming_processed: u64,
    pub(crate) consuming_matched: u64,
    pub(crate) consuming_freshness_ms: i64,
    pub(crate) segments_pruned: u64,
    pub(crate) reduce_time_ms: u64,
    pub(crate) tables: Vec<String>,
    pub(crate) multistage: bool,
}

/// An answer as text.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) body: Vec<u8>,
    /// Where in it the rows stand, without the brackets around them.
    pub(crate) rows: Option<Range<usize>>,
}

/// Writes the whole answer. An error without a table means that nothing was answered; with one, that it was cut.
pub(crate) fn write(
    table: Option<&ResultTable>,
    error: Option<&QueryError>,
    position: Option<Position>,
    statistics: &AnswerStatistics,
) -> Written {
    let mut out = Vec::with_capacity(2048 + table.map_or(0, |table| table.rows.len()));
    out.push(b'{');
    let rows = table.map(|table| write_table(&mut out, table));
    field(&mut out, "numRowsResultSet", &table.map_or(0, |table| table.row_count));
    field(&mut out, "partialResult", &(table.is_some() && error.is_some()));
    field(&mut out, "exceptions", &exceptions(error, position));
    write_flags(&mut out, statistics.multistage);
    write_figures(&mut out, statistics, table.is_some());
    if let Some(limit) = table.and_then(|table| table.implicit_limit) {
        let applied = json!({"limit": limit.limit, "implicit": true, "moreRows": limit.more_rows});
        field(&mut out, "limitApplied", &applied);
    }
    out.pop();
    out.push(b'}');
    Written { body: out, rows }
}

/// Writes the table and returns where its rows stand.
fn write_table(out: &mut Vec<u8>, table: &ResultTable) -> Range<usize> {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let types: Vec<&str> = table.columns.iter().map(|column| column.type_name).collect();
    out.extend_from_slice(b"\"resultTable\":{");
    field(out, "dataSchema", &json!({"columnNames": names, "columnDataTypes": types}));
    out.extend_from_slice(b"\"rows\":[");
    let start = out.len();
    out.extend_from_slice(&table.rows);
    let rows = start..out.len();
    out.extend_from_slice(b"]},");
    rows
}

/// Pinot's two fields, and where the statement's text is at fault.
fn exceptions(error: Option<&QueryError>, position: Option<Position>) -> serde_json::Value {
    let Some(error) = error else { return json!([]) };
    let mut exception = json!({"errorCode": error.code().number(), "message": error.message()});
    if let Some(Position { line, column }) = position {
        exception["line"] = line.into();
        exception["column"] = column.into();
    }
    json!([exception])
}

/// Limits that Pinot may reach. None is ever reached silently here: a query over its limit fails or is cut and says so.
fn write_flags(out: &mut Vec<u8>, multistage: bool) {
    for name in [
        "numGroupsLimitReached",
        "numGroupsWarningLimitReached",
        "maxRowsInDistinctReached",
        "maxRowsWithoutChangeInDistinctReached",
        "maxExecutionTimeInDistinctReached",
    ] {
        field(out, name, &false);
    }
    if multistage {
        field(out, "earlyTerminationReasons", &json!([]));
        field(out, "maxRowsInJoinReached", &false);
        field(out, "maxRowsInWindowReached", &false);
    }
}

fn write_figures(out: &mut Vec<u8>, statistics: &AnswerStatistics, answered: bool) {
    field(out, "timeUsedMs", &statistics.time_used_ms);
    field(out, "requestId", &statistics.request_id.to_string());
    field(out, "clientRequestId", &statistics.client_query_id);
    field(out, "brokerId", &statistics.broker_id);
    // Clients take fewer responses than queried servers for a partial answer, so both are always there.
    let servers = u64::from(answered);
    for (name, value) in [
        ("numDocsScanned", statistics.docs_scanned),
        ("totalDocs", statistics.docs_total),
        ("numEntriesScannedInFilter", statistics.entries_scanned_in_filter),
        ("numEntriesScannedPostFilter", statistics.entries_scanned_post_filter),
        ("numServersQueried", servers),
        ("numServersResponded", servers),
        ("numSegmentsQueried", statistics.segments_queried),
        ("numSegmentsProcessed", statistics.segments_processed),
        ("numSegmentsMatched", statistics.segments_matched),
        ("numConsumingSegmentsQueried", statistics.consuming_queried),
        ("numConsumingSegmentsProcessed", statistics.consuming_processed),
        ("numConsumingSegmentsMatched", statistics.consuming_matched),
    ] {
        field(out, name, &value);
    }
    field(out, "minConsumingFreshnessTimeMs", &statistics.consuming_freshness_ms);
    for (name, value) in [
        ("numSegmentsPrunedByBroker", 0),
        ("numSegmentsPrunedByServer", statistics.segments_pruned),
        ("numSegmentsPrunedInvalid", 0),
        ("numSegmentsPrunedByLimit", 0),
        ("numSegmentsPrunedByValue", statistics.segments_pruned),
        ("brokerReduceTimeMs", statistics.reduce_time_ms),
        ("offlineThreadCpuTimeNs", 0),
        ("realtimeThreadCpuTimeNs", 0),
        ("offlineSystemActivitiesCpuTimeNs", 0),
        ("realtimeSystemActivitiesCpuTimeNs", 0),
        ("offlineResponseSerializationCpuTimeNs", 0),
        ("realtimeResponseSerializationCpuTimeNs", 0),
        ("offlineTotalCpuTimeNs", 0),
        ("realtimeTotalCpuTimeNs", 0),
        ("explainPlanNumEmptyFilterSegments", 0),
        ("explainPlanNumMatchAllFilterSegments", 0),
    ] {
        field(out, name, &value);
    }
    field(out, "traceInfo", &json!({}));
    field(out, "tablesQueried", &statistics.tables);
    for name in [
        "offlineThreadMemAllocatedBytes",
        "realtimeThreadMemAllocatedBytes",
        "offlineResponseSerMemAllocatedBytes",
        "realtimeResponseSerMemAllocatedBytes",
        "offlineTotalMemAllocatedBytes",
        "realtimeTotalMemAllocatedBytes",
    ] {
        field(out, name, &0);
    }
    field(out, "pools", &json!([]));
    field(out, "rlsFiltersApplied", &false);
    field(out, "groupsTrimmed", &false);
    if statistics.multistage {
        field(out, "stageStats", &json!({}));
    }
}

/// Writes `"name":value,`.
fn field(out: &mut Vec<u8>, name: &str, value: &impl serde::Serialize) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    serde_json::to_writer(&mut *out, value).expect("numbers, texts and lists of them are always JSON");
    out.push(b',');
}

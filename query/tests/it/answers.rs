//! Whole answers, pinned.

use expect_test::{Expect, expect};
use meunier_query::QueryRequest;
use meunier_segment::index::BloomFilterSize;
use meunier_segment::options::{FunctionPair, PairFunction, SegmentOptions, StarTreeOptions};
use meunier_segment::partition_function::{PartitionFunction, PartitionHash};
use serde_json::json;

use crate::table::{Bed, Layout, TableSpec};

const SCHEMA: &str = r#"{"schemaName":"hits","dimensionFieldSpecs":[{"name":"page","dataType":"STRING"}],
    "metricFieldSpecs":[{"name":"ms","dataType":"INT"}]}"#;

fn bed(layout: Layout) -> Bed {
    let rows = (0..20).map(|row| json!({"page": format!("p{}", row % 3), "ms": row})).collect();
    Bed::new(&[TableSpec::new(SCHEMA, rows)], layout)
}

/// Compares an answer's text, the time it took and the request's number aside.
fn check(bed: &Bed, request: QueryRequest, expect: Expect) {
    let answer = bed.ask(request);
    let text = String::from_utf8(answer.body).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    for volatile in ["timeUsedMs", "requestId"] {
        value[volatile] = json!("…");
    }
    // Zero figures say nothing; those that are set stand in Pinot's order.
    let fields =
        value.as_object().unwrap().iter().filter(|(_, value)| **value != 0 && **value != json!(false));
    let shown: Vec<String> = fields.map(|(name, value)| format!("{name}: {value}")).collect();
    expect.assert_eq(&format!(
        "code={:?} http={} rows={}\n{}\n",
        answer.error_code,
        answer.http_status,
        answer.row_count,
        shown.join("\n")
    ));
}

fn sql(text: &str) -> QueryRequest {
    QueryRequest { sql: text.into(), ..QueryRequest::default() }
}

#[test]
fn a_selection_counts_what_it_read() {
    check(
        &bed(Layout::Split),
        sql("SELECT page, ms FROM hits WHERE ms > 17 LIMIT 5"),
        expect![[r#"
        code=None http=200 rows=2
        resultTable: {"dataSchema":{"columnNames":["page","ms"],"columnDataTypes":["STRING","INT"]},"rows":[["p0",18],["p1",19]]}
        numRowsResultSet: 2
        exceptions: []
        timeUsedMs: "…"
        requestId: "…"
        clientRequestId: null
        brokerId: "meunier"
        numDocsScanned: 2
        totalDocs: 20
        numEntriesScannedInFilter: 10
        numEntriesScannedPostFilter: 4
        numServersQueried: 1
        numServersResponded: 1
        numSegmentsQueried: 6
        numSegmentsProcessed: 2
        numSegmentsMatched: 2
        numConsumingSegmentsQueried: 2
        numConsumingSegmentsProcessed: 2
        numConsumingSegmentsMatched: 2
        minConsumingFreshnessTimeMs: 1700000000000
        numSegmentsPrunedByServer: 4
        numSegmentsPrunedByValue: 4
        traceInfo: {}
        tablesQueried: ["hits"]
        pools: []
    "#]],
    );
}

#[test]
fn an_implicit_limit_says_that_it_cut() {
    check(
        &bed(Layout::Sealed),
        sql("SELECT ms FROM hits"),
        expect![[r#"
        code=None http=200 rows=10
        resultTable: {"dataSchema":{"columnNames":["ms"],"columnDataTypes":["INT"]},"rows":[[0],[2],[4],[6],[8],[10],[12],[14],[16],[18]]}
        numRowsResultSet: 10
        exceptions: []
        timeUsedMs: "…"
        requestId: "…"
        clientRequestId: null
        brokerId: "meunier"
        numDocsScanned: 11
        totalDocs: 20
        numEntriesScannedPostFilter: 11
        numServersQueried: 1
        numServersResponded: 1
        numSegmentsQueried: 4
        numSegmentsProcessed: 3
        numSegmentsMatched: 3
        traceInfo: {}
        tablesQueried: ["hits"]
        pools: []
        limitApplied: {"limit":10,"implicit":true,"moreRows":true}
    "#]],
    );
}

#[test]
fn a_count_comes_from_metadata() {
    check(
        &bed(Layout::Split),
        sql("SELECT COUNT(*), MAX(ms) FROM hits"),
        expect![[r#"
        code=None http=200 rows=1
        resultTable: {"dataSchema":{"columnNames":["count(*)","max(ms)"],"columnDataTypes":["LONG","DOUBLE"]},"rows":[[20,19.0]]}
        numRowsResultSet: 1
        exceptions: []
        timeUsedMs: "…"
        requestId: "…"
        clientRequestId: null
        brokerId: "meunier"
        numDocsScanned: 20
        totalDocs: 20
        numServersQueried: 1
        numServersResponded: 1
        numSegmentsQueried: 6
        numSegmentsProcessed: 6
        numSegmentsMatched: 6
        numConsumingSegmentsQueried: 2
        numConsumingSegmentsProcessed: 2
        numConsumingSegmentsMatched: 2
        minConsumingFreshnessTimeMs: 1700000000000
        traceInfo: {}
        tablesQueried: ["hits"]
        pools: []
        limitApplied: {"limit":10,"implicit":true,"moreRows":false}
    "#]],
    );
}

#[test]
fn an_error_has_no_table_and_no_servers() {
    check(
        &bed(Layout::Consuming),
        sql("SELECT nothing FROM hits"),
        expect![[r#"
        code=Some(710) http=400 rows=0
        exceptions: [{"errorCode":710,"message":"UnknownColumnError: column `nothing` does not exist in table `hits`","line":1,"column":8}]
        timeUsedMs: "…"
        requestId: "…"
        clientRequestId: null
        brokerId: "meunier"
        traceInfo: {}
        tablesQueried: []
        pools: []
    "#]],
    );
}

#[test]
fn request_options_are_the_weakest() {
    let request = QueryRequest {
        sql: "SET clientQueryId = 'mine'; SELECT COUNT(*) FROM hits OPTION(clientQueryId=theirs)".into(),
        options: "clientQueryId=other;timeoutMs=1000".into(),
        ..QueryRequest::default()
    };
    check(
        &bed(Layout::Consuming),
        request,
        expect![[r#"
        code=None http=200 rows=1
        resultTable: {"dataSchema":{"columnNames":["count(*)"],"columnDataTypes":["LONG"]},"rows":[[20]]}
        numRowsResultSet: 1
        exceptions: []
        timeUsedMs: "…"
        requestId: "…"
        clientRequestId: "mine"
        brokerId: "meunier"
        numDocsScanned: 20
        totalDocs: 20
        numServersQueried: 1
        numServersResponded: 1
        numSegmentsQueried: 2
        numSegmentsProcessed: 2
        numSegmentsMatched: 2
        numConsumingSegmentsQueried: 2
        numConsumingSegmentsProcessed: 2
        numConsumingSegmentsMatched: 2
        minConsumingFreshnessTimeMs: 1700000000000
        traceInfo: {}
        tablesQueried: ["hits"]
        pools: []
        limitApplied: {"limit":10,"implicit":true,"moreRows":false}
    "#]],
    );
}

#[test]
fn explain_shows_the_plan() {
    let answer =
        bed(Layout::Sealed).json("EXPLAIN SELECT page, COUNT(*) FROM hits WHERE ms > 16 GROUP BY page");
    let plan = answer["resultTable"]["rows"][0][1].as_str().unwrap();
    expect![[r#"
        Projection: hits.page AS $0, count(Int64(1)) AS count(*) AS $1
          Limit: skip=0, fetch=11
            Projection: $groups.$0 AS page, $groups.$1 AS count(Int64(1))
              TableScan: $groups

        GlobalLimitExec: skip=0, fetch=11
          CooperativeExec
            DataSourceExec: SegmentAggregate: table=hits, segments=2, pruned=2, readers=1, keys=1, aggregates=1, filter=ms > Int32(16)

        Segments of hits: 4 segments, 20 rows
          dropped by bounds: 2 segments, 10 rows
          condition on ms, 2 segments, 10 rows: each row tested"#]].assert_eq(plan);
}

/// Returns a table whose columns have an index of each kind.
fn visits() -> Bed {
    let schema = r#"{"schemaName":"visits","dimensionFieldSpecs":[{"name":"site","dataType":"STRING"},
        {"name":"user","dataType":"STRING"},{"name":"path","dataType":"STRING"},{"name":"code","dataType":"INT"}],
        "metricFieldSpecs":[{"name":"ms","dataType":"LONG"},{"name":"bytes","dataType":"LONG"}]}"#;
    let row = |row: u64| {
        json!({"site": format!("s{}", row % 5), "user": format!("u{}", row * 7 % 400), "path": format!("/{row}"),
            "code": 200 + row % 7 * 2, "ms": row, "bytes": row * 31 % 1000})
    };
    let mut spec = TableSpec::new(schema, (0..2_000).map(row).collect());
    let names = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
    let partition = PartitionFunction::new(PartitionHash::Modulo, 1_000).unwrap();
    spec.options = SegmentOptions {
        prefix_columns: Default::default(),
        json_columns: Default::default(),
        text_columns: Default::default(),
        sorted_column: Some("site".into()),
        no_dictionary_columns: names(&["path", "ms", "bytes"]),
        inverted_columns: names(&["user"]),
        range_columns: names(&["bytes"]),
        bloom_columns: [("path".into(), BloomFilterSize::default())].into(),
        partitioned_columns: [("code".into(), partition)].into(),
        star_trees: vec![StarTreeOptions {
            dimensions: vec!["site".into(), "code".into()],
            function_pairs: vec![FunctionPair { function: PairFunction::Count, column: None }],
            leaf_records_max: 10,
            ..StarTreeOptions::default()
        }],
    };
    Bed::new(&[spec], Layout::Sealed)
}

/// Returns the table of an EXPLAIN PLAN FOR, a line a row.
fn operators(bed: &Bed, sql: &str) -> String {
    let answer = bed.json(&format!("EXPLAIN PLAN FOR {sql}"));
    let table = &answer["resultTable"];
    assert_eq!(
        table["dataSchema"]["columnNames"],
        json!(["Operator", "Operator_Id", "Parent_Id"]),
        "{answer}"
    );
    assert_eq!(table["dataSchema"]["columnDataTypes"], json!(["STRING", "INT", "INT"]));
    let rows = table["rows"].as_array().unwrap().iter();
    rows.map(|row| format!("{} {} {}\n", row[0].as_str().unwrap(), row[1], row[2])).collect()
}

#[test]
fn explain_plan_for_shows_pinots_operators() {
    let bed = visits();
    let statements = [
        "SELECT * FROM visits",
        "SELECT path, LENGTH(path) FROM visits WHERE site = 's1' AND (user = 'u21' OR bytes > 990 OR LENGTH(path) > 3) ORDER BY ms DESC LIMIT 5",
        "SELECT site, MAX(ms), SUM(ms + bytes) FROM visits WHERE ms NOT BETWEEN 1 AND 2 GROUP BY site HAVING MAX(ms) > 2 ORDER BY MAX(ms)",
        "SELECT DISTINCT site, user FROM visits WHERE NOT code IN (200, 202)",
        "SELECT COUNT(*) FROM visits",
        "SELECT COUNT(*) FROM visits WHERE code = 203",
    ];
    let shown: Vec<String> =
        statements.iter().map(|sql| format!("{sql}\n{}", operators(&bed, sql))).collect();
    expect![[r#"
        SELECT * FROM visits
        BROKER_REDUCE(limit:10) 1 0
        COMBINE_SELECT 2 1
        PLAN_START(numSegmentsForThisPlan:4) -1 -1
        SELECT(selectList:bytes, code, ms, path, site, user) 3 2
        PROJECT(bytes, code, ms, path, site, user) 4 3
        DOC_ID_SET 5 4
        FILTER_MATCH_ENTIRE_SEGMENT(docs:2000) 6 5

        SELECT path, LENGTH(path) FROM visits WHERE site = 's1' AND (user = 'u21' OR bytes > 990 OR LENGTH(path) > 3) ORDER BY ms DESC LIMIT 5
        BROKER_REDUCE(sort:[ms DESC],limit:5) 1 0
        COMBINE_SELECT_ORDERBY 2 1
        PLAN_START(numSegmentsForThisPlan:4) -1 -1
        SELECT_ORDERBY(selectList:ms, path, length(path)) 3 2
        TRANSFORM(ms, path, length(path)) 4 3
        PROJECT(ms, path) 5 4
        DOC_ID_SET 6 5
        FILTER_AND 7 6
        FILTER_SORTED_INDEX(indexLookUp:sorted_index,operator:EQ,predicate:site = 's1') 8 7
        FILTER_OR 9 7
        FILTER_FULL_SCAN(operator:EQ,predicate:user = 'u21') 10 9
        FILTER_FULL_SCAN(operator:RANGE,predicate:bytes > '990') 11 9
        FILTER_EXPRESSION(operator:RANGE,predicate:length(path) > '3') 12 9

        SELECT site, MAX(ms), SUM(ms + bytes) FROM visits WHERE ms NOT BETWEEN 1 AND 2 GROUP BY site HAVING MAX(ms) > 2 ORDER BY MAX(ms)
        BROKER_REDUCE(havingFilter:max(ms) > '2',sort:[max(ms) ASC],limit:10) 1 0
        COMBINE_GROUP_BY 2 1
        PLAN_START(numSegmentsForThisPlan:4) -1 -1
        GROUP_BY(groupKeys:site, aggregations:max(ms), sum(add(ms,bytes))) 3 2
        TRANSFORM(site, ms, add(ms,bytes)) 4 3
        PROJECT(site, ms, bytes) 5 4
        DOC_ID_SET 6 5
        FILTER_NOT 7 6
        FILTER_FULL_SCAN(operator:RANGE,predicate:ms BETWEEN '1' AND '2') 8 7

        SELECT DISTINCT site, user FROM visits WHERE NOT code IN (200, 202)
        BROKER_REDUCE(limit:10) 1 0
        COMBINE_DISTINCT 2 1
        PLAN_START(numSegmentsForThisPlan:4) -1 -1
        DISTINCT(keyColumns:site, user) 3 2
        PROJECT(site, user) 4 3
        DOC_ID_SET 5 4
        FILTER_NOT 6 5
        FILTER_FULL_SCAN(operator:IN,predicate:code IN ('200','202')) 7 6

        SELECT COUNT(*) FROM visits
        BROKER_REDUCE(limit:10) 1 0
        COMBINE_AGGREGATE 2 1
        PLAN_START(numSegmentsForThisPlan:4) -1 -1
        AGGREGATE(aggregations:count(*)) 3 2
        PROJECT() 4 3
        DOC_ID_SET 5 4
        FILTER_MATCH_ENTIRE_SEGMENT(docs:2000) 6 5

        SELECT COUNT(*) FROM visits WHERE code = 203
        BROKER_REDUCE(limit:10) 1 0
        PLAN_START(numSegmentsForThisPlan:4) -1 -1
        ALL_SEGMENTS_PRUNED_ON_SERVER 2 1
    "#]].assert_eq(&shown.join("\n"));
}

#[test]
fn explain_plan_for_a_multi_stage_query_shows_its_plan() {
    let bed = visits();
    let sql = "SELECT COUNT(*) FROM visits a JOIN visits b ON a.path = b.path";
    for (prefix, begin) in [("PLAN", "Execution Plan\n"), ("IMPLEMENTATION PLAN", "")] {
        let answer = bed.json(&format!("EXPLAIN {prefix} FOR {sql}"));
        let table = &answer["resultTable"];
        assert_eq!(table["dataSchema"]["columnNames"], json!(["SQL", "PLAN"]));
        let plan = table["rows"][0][1].as_str().unwrap();
        assert!(plan.starts_with(begin) && plan.contains("Join"), "{plan}");
    }
}

/// Returns what EXPLAIN tells of how segments are read.
fn explained(bed: &Bed, sql: &str) -> String {
    let answer = bed.json(&format!("EXPLAIN {sql}"));
    let plan = answer["resultTable"]["rows"][0][1].as_str().unwrap();
    plan[plan.find("Segments of").unwrap()..].to_owned()
}

#[test]
fn explain_tells_what_drops_segments_and_rows() {
    let bed = visits();
    let conditions = [
        "ms >= 1500 AND bytes < 5",
        "site IN ('s1', 's3')",
        "user = 'u21'",
        "path = '/nothing'",
        "code IN (203, 205)",
        "code BETWEEN 300 AND 400",
        "LENGTH(user) > 9",
        "user LIKE '%3' OR ms * 2 = 7",
    ];
    let mut shown = String::new();
    for condition in conditions {
        let sql = format!("SELECT path FROM visits WHERE {condition} LIMIT 3");
        shown += &format!("{condition}\n{}\n", explained(&bed, &sql));
    }
    let tree = "SELECT site, COUNT(*) FROM visits WHERE code = 204 GROUP BY site";
    shown += &format!("{tree}\n{}", explained(&bed, tree));
    expect![[r#"
        ms >= 1500 AND bytes < 5
        Segments of visits: 4 segments, 2000 rows
          dropped by bounds: 2 segments, 1000 rows
          condition on ms, 2 segments, 1000 rows: each row tested
          condition on bytes, 2 segments, 1000 rows: each row tested
        site IN ('s1', 's3')
        Segments of visits: 4 segments, 2000 rows
          condition on site, 4 segments, 2000 rows: 1200 rows dropped by sorted index
        user = 'u21'
        Segments of visits: 4 segments, 2000 rows
          condition on user, 2 segments, 1000 rows: 1000 rows dropped by dictionary
          condition on user, 2 segments, 1000 rows: 995 rows dropped by inverted index
        path = '/nothing'
        Segments of visits: 4 segments, 2000 rows
          condition on path, 4 segments, 2000 rows: 2000 rows dropped by bloom filter
        code IN (203, 205)
        Segments of visits: 4 segments, 2000 rows
          dropped by partitions: 4 segments, 2000 rows
        code BETWEEN 300 AND 400
        Segments of visits: 4 segments, 2000 rows
          dropped by bounds: 4 segments, 2000 rows
        LENGTH(user) > 9
        Segments of visits: 4 segments, 2000 rows
          condition on user, 4 segments, 2000 rows: 2000 rows dropped by dictionary
        user LIKE '%3' OR ms * 2 = 7
        Segments of visits: 4 segments, 2000 rows
          condition on ms, user, 4 segments, 2000 rows: each row tested
        SELECT site, COUNT(*) FROM visits WHERE code = 204 GROUP BY site
        Segments of visits: 4 segments, 2000 rows
          answered by star-tree: 4 segments, 20 records"#]]
    .assert_eq(&shown);
}

#[test]
fn every_field_of_pinots_answer_is_there() {
    let answer = bed(Layout::Sealed).json("SELECT 1");
    let names: Vec<&String> = answer.as_object().unwrap().keys().collect();
    expect!["resultTable numRowsResultSet partialResult exceptions numGroupsLimitReached numGroupsWarningLimitReached maxRowsInDistinctReached maxRowsWithoutChangeInDistinctReached maxExecutionTimeInDistinctReached timeUsedMs requestId clientRequestId brokerId numDocsScanned totalDocs numEntriesScannedInFilter numEntriesScannedPostFilter numServersQueried numServersResponded numSegmentsQueried numSegmentsProcessed numSegmentsMatched numConsumingSegmentsQueried numConsumingSegmentsProcessed numConsumingSegmentsMatched minConsumingFreshnessTimeMs numSegmentsPrunedByBroker numSegmentsPrunedByServer numSegmentsPrunedInvalid numSegmentsPrunedByLimit numSegmentsPrunedByValue brokerReduceTimeMs offlineThreadCpuTimeNs realtimeThreadCpuTimeNs offlineSystemActivitiesCpuTimeNs realtimeSystemActivitiesCpuTimeNs offlineResponseSerializationCpuTimeNs realtimeResponseSerializationCpuTimeNs offlineTotalCpuTimeNs realtimeTotalCpuTimeNs explainPlanNumEmptyFilterSegments explainPlanNumMatchAllFilterSegments traceInfo tablesQueried offlineThreadMemAllocatedBytes realtimeThreadMemAllocatedBytes offlineResponseSerMemAllocatedBytes realtimeResponseSerMemAllocatedBytes offlineTotalMemAllocatedBytes realtimeTotalMemAllocatedBytes pools rlsFiltersApplied groupsTrimmed limitApplied"].assert_eq(&names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" "));
}

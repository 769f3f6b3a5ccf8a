//! Typical mistakes and what is said of them: the code, the place, the thing meant, and what to do.

use std::fmt::Write;

use expect_test::expect;
use serde_json::{Value, json};

use crate::fixture::{Fixture, produce_visits, visits};

fn table(brokers: &str) -> Value {
    let mut pair = visits(brokers);
    let dimensions = pair["schema"]["dimensionFieldSpecs"].as_array_mut().unwrap();
    dimensions.push(json!({"name": "doc", "dataType": "JSON"}));
    pair
}

#[tokio::test]
async fn mistakes_in_statements() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    let client = &fixture.client;
    assert_eq!(client.post("/tableConfigs", &table(&broker.bootstrap())).await.status, 200);
    produce_visits(&broker.bootstrap(), 1, 0..3);
    client.await_rows("SELECT COUNT(*) FROM visits", &json!([[3]])).await;
    let mut shown = String::new();
    for sql in [
        "SELECT cty FROM visits",
        "SELECT city FROM vists",
        "SELECT city FROM sales.visits",
        "SELECT summ(n) FROM visits",
        "SELECT city, COUNT(*) FROM visits",
        "SELECT city FROM visits GROUP BY cty",
        "SELECT city FROM visits HAVING COUNT(*) > 1",
        "SELECT city FROM visits ORDER BY cnt",
        "SELECT DISTINCT city FROM visits ORDER BY n",
        "SELECT city FROM visits GROUP BY 3",
        "SELECT SUM(COUNT(*)) FROM visits",
        "SELECT 'abc FROM visits",
        "SELECT \"city FROM visits",
        "SELECT city FROM visits WHERE city = \"Oslo\"",
        "SELEC city FROM visits",
        "SELECT city FORM visits",
        "SELECT city FROM visits WHER n = 1",
        "SELECT city FROM visits GRUOP BY city",
        "SELECT city FROM visits\nLIMT 5",
        "SELECT city, FROM visits",
        "SELECT city FROM visits WHERE",
        "SELECT (n + 1 FROM visits",
        "SELECT CASE WHEN n > 1 THEN 'a' FROM visits",
        "SELECT n FROM visits WHERE n BETWEEN 1",
        "SELECT city FROM visits WHERE city IN ()",
        "SELECT group FROM visits",
        "SELECT n FROM visits WHERE order = 1",
        "SELECT n AS FROM visits",
        "SELECT n FROM visits WHERE n = 'abc'",
        "SELECT n FROM visits WHERE ts > 'yesterday'",
        "SELECT SUM(city) FROM visits",
        "SELECT CAST(city AS INT) FROM visits",
        "SELECT CAST(city AS STRNG) FROM visits",
        "SELECT * FROM visits WHERE city LIKE 5",
        "SELECT dateTrunc('hur', ts) FROM visits",
        "SELECT dateTimeConvert(n, '1:MILISECONDS:EPOCH', '1:DAYS:EPOCH', '1:DAYS') FROM visits",
        "SELECT jsonExtractScalar(doc, '$.k') FROM visits",
        "SELECT jsonExtractScalar(doc, '$.k', 'INTT') FROM visits",
        "SELECT city FROM visits WHERE regexp_like(city, '(')",
        "SELECT percentile(n, 200) FROM visits",
        "SELECT city FROM visits LIMIT -1",
        "SET timeoutMs = 'soon'; SELECT city FROM visits",
        "SET timeuotMs = 10; SELECT city FROM visits",
        "SELECT city FROM visits OPTION(useMultistageEngin=true)",
        "SELECT v.city FROM visits v JOIN vists w ON v.n = w.n",
        "SET useMultistageEngine = true; SELECT city FROM visits v JOIN visits w ON v.n = w.n",
        "DROP TABLE visits",
        "SELECT 1; SELECT 2",
        "",
    ] {
        let answer = client.post("/query/sql", &json!({"sql": sql})).await;
        let exception = answer.json()["exceptions"][0].clone();
        let code = answer.headers["X-Pinot-Error-Code"].to_str().unwrap().to_owned();
        assert_eq!(exception["errorCode"].to_string(), code, "{sql}: {}", answer.text);
        let place = match exception["line"].as_i64() {
            Some(line) => format!("{line}:{}", exception["column"]),
            None => "-".to_owned(),
        };
        let message = exception["message"].as_str().unwrap();
        writeln!(shown, "{sql:?}\n  {code} {place} {message}").unwrap();
    }
    expect![[r#"
        "SELECT cty FROM visits"
          710 1:8 UnknownColumnError: column `cty` does not exist in table `visits`; did you mean `city`?
        "SELECT city FROM vists"
          190 1:18 TableDoesNotExistError: table `vists` does not exist; did you mean `visits`?
        "SELECT city FROM sales.visits"
          190 1:24 TableDoesNotExistError: table `sales.visits` does not exist
        "SELECT summ(n) FROM visits"
          700 1:8 QueryValidationError: function `summ` does not exist; did you mean `sum`?
        "SELECT city, COUNT(*) FROM visits"
          150 1:8 SQLParsingError: line 1, column 8: `city` stands beside an aggregate without being in GROUP BY
        "SELECT city FROM visits GROUP BY cty"
          710 1:34 UnknownColumnError: column `cty` does not exist in table `visits`; did you mean `city`?
        "SELECT city FROM visits HAVING COUNT(*) > 1"
          700 1:8 QueryValidationError: column `city` stands neither in GROUP BY nor in an aggregate
        "SELECT city FROM visits ORDER BY cnt"
          710 1:34 UnknownColumnError: column `cnt` does not exist in table `visits`
        "SELECT DISTINCT city FROM visits ORDER BY n"
          700 1:43 QueryValidationError: `n` of ORDER BY stands not in the list of SELECT DISTINCT: add it there
        "SELECT city FROM visits GROUP BY 3"
          700 1:25 QueryValidationError: GROUP BY 3 names no item of the SELECT list, which has 1
        "SELECT SUM(COUNT(*)) FROM visits"
          700 - QueryValidationError: Aggregate expressions cannot be nested
        "SELECT 'abc FROM visits"
          150 1:8 SQLParsingError: line 1, column 8: the text that begins here has no end: close it with `'`
        "SELECT \"city FROM visits"
          150 1:8 SQLParsingError: line 1, column 8: the quoted name that begins here has no end: close it with `"`
        "SELECT city FROM visits WHERE city = \"Oslo\""
          710 1:38 UnknownColumnError: column `Oslo` does not exist in table `visits`; a text stands in single quotes: 'Oslo'
        "SELEC city FROM visits"
          150 1:1 SQLParsingError: line 1, column 1: only queries are served here, `SELEC` begins none; did you mean `SELECT`?
        "SELECT city FORM visits"
          150 1:18 SQLParsingError: line 1, column 18: expected the end of the statement, found `visits`; did you mean `FROM` for `FORM`?
        "SELECT city FROM visits WHER n = 1"
          150 1:30 SQLParsingError: line 1, column 30: expected the end of the statement, found `n`; did you mean `WHERE` for `WHER`?
        "SELECT city FROM visits GRUOP BY city"
          150 1:31 SQLParsingError: line 1, column 31: expected the end of the statement, found `BY`; did you mean `GROUP` for `GRUOP`?
        "SELECT city FROM visits\nLIMT 5"
          150 2:6 SQLParsingError: line 2, column 6: expected the end of the statement, found `5`; did you mean `LIMIT` for `LIMT`?
        "SELECT city, FROM visits"
          150 1:14 SQLParsingError: line 1, column 14: expected an expression, found FROM; remove the comma before `FROM`
        "SELECT city FROM visits WHERE"
          150 1:30 SQLParsingError: line 1, column 30: expected an expression, found the end of the statement
        "SELECT (n + 1 FROM visits"
          150 1:15 SQLParsingError: line 1, column 15: expected ), found FROM
        "SELECT CASE WHEN n > 1 THEN 'a' FROM visits"
          150 1:18 SQLParsingError: line 1, column 18: expected the end of the statement, found `n`; the `CASE` at line 1, column 8 has no `END`
        "SELECT n FROM visits WHERE n BETWEEN 1"
          150 1:39 SQLParsingError: line 1, column 39: expected AND, found the end of the statement
        "SELECT city FROM visits WHERE city IN ()"
          150 1:40 SQLParsingError: line 1, column 40: expected an expression, found )
        "SELECT group FROM visits"
          710 1:8 UnknownColumnError: column `group` does not exist in table `visits`
        "SELECT n FROM visits WHERE order = 1"
          710 1:28 UnknownColumnError: column `order` does not exist in table `visits`
        "SELECT n AS FROM visits"
          150 1:18 SQLParsingError: line 1, column 18: expected the end of the statement, found `visits`
        "SELECT n FROM visits WHERE n = 'abc'"
          700 1:32 QueryValidationError: `abc` is no value of type LONG
        "SELECT n FROM visits WHERE ts > 'yesterday'"
          700 1:33 QueryValidationError: `yesterday` is no value of type TIMESTAMP
        "SELECT SUM(city) FROM visits"
          200 - QueryExecutionError: the text 'city 0' cannot be read as DOUBLE: leave such rows out in WHERE, or use another column
        "SELECT CAST(city AS INT) FROM visits"
          200 - QueryExecutionError: the text 'city 0' cannot be read as INT: leave such rows out in WHERE, or use another column
        "SELECT CAST(city AS STRNG) FROM visits"
          700 1:21 QueryValidationError: `STRNG` is no type: write one of INT, LONG, FLOAT, DOUBLE, BIG_DECIMAL, BOOLEAN, TIMESTAMP, STRING, JSON, BYTES; did you mean `STRING`?
        "SELECT * FROM visits WHERE city LIKE 5"
          700 1:33 QueryValidationError: LIKE cannot compare STRING with LONG
        "SELECT dateTrunc('hur', ts) FROM visits"
          200 1:18 QueryExecutionError: `dateTrunc(unit, time[, inputUnit[, timeZone[, outputUnit]]])`: 'hur' is no unit; allowed are millisecond, second, minute, hour, day, week, month, quarter, year; did you mean `hour`?
        "SELECT dateTimeConvert(n, '1:MILISECONDS:EPOCH', '1:DAYS:EPOCH', '1:DAYS') FROM visits"
          200 1:8 QueryExecutionError: `dateTimeConvert(time, inputFormat, outputFormat, granularity[, timeZone])`: 'MILISECONDS' is no time unit; allowed are NANOSECONDS, MICROSECONDS, MILLISECONDS, SECONDS, MINUTES, HOURS, DAYS, WEEKS, MONTHS, YEARS; did you mean `MILLISECONDS`?
        "SELECT jsonExtractScalar(doc, '$.k') FROM visits"
          700 1:8 QueryValidationError: `jsonExtractScalar(json, path, type[, default])` cannot take 2 arguments
        "SELECT jsonExtractScalar(doc, '$.k', 'INTT') FROM visits"
          700 1:38 QueryValidationError: `jsonExtractScalar(json, path, type[, default])`: 'INTT' is no result type; allowed are INT, LONG, FLOAT, DOUBLE, BIG_DECIMAL, BOOLEAN, TIMESTAMP, STRING, JSON, BYTES, INT_ARRAY, LONG_ARRAY, FLOAT_ARRAY, DOUBLE_ARRAY, STRING_ARRAY; did you mean `INT`?
        "SELECT city FROM visits WHERE regexp_like(city, '(')"
          200 1:49 QueryExecutionError: `regexpLike(text, pattern[, match])`: '(' is no regular expression: unclosed group
        "SELECT percentile(n, 200) FROM visits"
          200 - QueryExecutionError: a percentile lies between 0 and 100, not at 200; call it as percentile(column, percentile)
        "SELECT city FROM visits LIMIT -1"
          700 1:25 QueryValidationError: LIMIT takes a whole number from 0 to 4294967295
        "SET timeoutMs = 'soon'; SELECT city FROM visits"
          700 1:17 QueryValidationError: query option `timeoutMs` is a whole number above 0, not `soon`
        "SET timeuotMs = 10; SELECT city FROM visits"
          700 1:5 QueryValidationError: query option `timeuotMs` does not exist; did you mean `timeoutMs`?
        "SELECT city FROM visits OPTION(useMultistageEngin=true)"
          700 1:32 QueryValidationError: query option `useMultistageEngin` does not exist; did you mean `useMultistageEngine`?
        "SELECT v.city FROM visits v JOIN vists w ON v.n = w.n"
          190 1:34 TableDoesNotExistError: table `vists` does not exist; did you mean `visits`?
        "SET useMultistageEngine = true; SELECT city FROM visits v JOIN visits w ON v.n = w.n"
          720 1:40 QueryPlanningError: column `city` is ambiguous: write its table or alias before it, as in `t.city`
        "DROP TABLE visits"
          150 1:1 SQLParsingError: line 1, column 1: only queries are served here, `DROP` begins none
        "SELECT 1; SELECT 2"
          150 1:11 SQLParsingError: line 1, column 11: one query at a time: a second statement begins here
        ""
          150 - SQLParsingError: the text holds no query
    "#]].assert_eq(&shown);
}

/// A change of a table's definition.
type Mistake = (&'static str, Value);

#[tokio::test]
async fn mistakes_in_definitions() {
    let (fixture, broker) = Fixture::with_topic("visits", 1);
    const STREAM: &str = "/realtime/ingestionConfig/streamIngestionConfig/streamConfigMaps/0";
    let stream = |key: &str| format!("{STREAM}/{key}");
    let mistakes: Vec<Mistake> = vec![
        ("/realtime/tableIndexConfig/invertedIndexColums", json!(["city"])),
        ("/realtime/tableIndexConfig/invertedIndexColumns", json!(["cty"])),
        ("/realtime/tableIndexConfig/invertedIndexColumns", json!("city")),
        ("/realtime/tableIndexConfig/nullHandlingEnabled", json!("yes")),
        ("/realtime/tableType", json!("REALTIMES")),
        ("/realtime/tableType", json!("OFFLINE")),
        ("/realtime/segmentsConfig/timeColumnName", json!("tss")),
        ("/realtime/segmentsConfig/retentionTimeUnit", json!("DAYS")),
        (
            "/realtime/ingestionConfig/transformConfigs",
            json!([{"columnName": "n", "transformFunction": "lenght(city)"}]),
        ),
        (
            "/realtime/ingestionConfig/transformConfigs",
            json!([{"columnName": "m", "transformFunction": "length(city)"}]),
        ),
        ("/realtime/ingestionConfig/filterConfig", json!({"filterFunction": "n >"})),
        ("/realtime/ingestionConfig/sourceFieldConfigs", json!([{"name": "n", "dataType": "LNG"}])),
        (
            "/realtime/ingestionConfig/enrichmentConfigs",
            json!([{"enricherType": "clpEnricher", "properties": {}}]),
        ),
        ("/realtime/fieldConfigList", json!([{"name": "city", "encodingType": "DICT"}])),
        ("/realtime/fieldConfigList", json!([{"name": "city", "indexTypes": ["INVERTD"]}])),
        ("/realtime/upsertConfig", json!({"mode": "FUL"})),
        ("/schema/dimensionFieldSpecs/0/dataType", json!("STRNG")),
        ("/schema/dateTimeFieldSpecs/0/format", json!("1:MILISECONDS:EPOCH")),
        ("/schema/dateTimeFieldSpecs/0/granularity", json!("1:MILLIS")),
        ("/schema/metricFieldSpecs/0/defaultNullValue", json!("none")),
        ("/schema/metricFieldSpecs/0/datatype", json!("LONG")),
        ("/schema/schemaName", json!("vists")),
    ];
    let of_stream = [
        ("streamType", json!("kafak")),
        ("stream.kafka.topic.name", json!("vists")),
        ("stream.kafka.topic.name", Value::Null),
        ("stream.kafka.topics.name", json!("visits")),
        ("stream.kafka.broker.list", json!("127.0.0.1:port")),
        ("stream.kafka.broker.list", json!("no..host:9092")),
        ("stream.kafka.decoder.class.name", Value::Null),
        ("stream.kafka.consumer.prop.auto.offset.reset", json!("earlist")),
        ("stream.kafka.consumer.prop.security.protocol", json!("SSLL")),
        ("realtime.segment.flush.threshold.rows", json!("many")),
        ("realtime.segment.flush.threshold.time", json!("6 hours")),
    ];
    let all = mistakes.into_iter().map(|(path, value)| (path.to_owned(), value));
    let all = all.chain(of_stream.map(|(key, value)| (stream(key), value)));
    let mut shown = String::new();
    for (path, value) in all {
        let mut pair = visits(&broker.bootstrap());
        let (parent, key) = path.rsplit_once('/').unwrap();
        pair.pointer_mut(parent).unwrap()[key] = value.clone();
        let answer = fixture.client.post("/tableConfigs", &pair).await;
        let short = |text: &str| text.replace(STREAM, "STREAM").replace(&broker.bootstrap(), "BROKERS");
        writeln!(shown, "{} = {value}", short(&path)).unwrap();
        let answer_json = answer.json();
        let found = match answer.status.as_u16() {
            200 => ["warnings", "changesAnswers"]
                .iter()
                .flat_map(|list| answer_json[*list].as_array().unwrap())
                .collect(),
            _ => answer_json["problems"].as_array().map(Vec::from_iter).unwrap_or_default(),
        };
        assert!(answer.status != 200 || !found.is_empty(), "{path} = {value} passed in silence");
        if found.is_empty() {
            writeln!(shown, "  {} {}", answer.status.as_u16(), short(answer_json["error"].as_str().unwrap()))
                .unwrap();
        }
        for problem in found {
            let (at, message) = (problem["path"].as_str().unwrap(), problem["message"].as_str().unwrap());
            writeln!(shown, "  {} {}: {}", answer.status.as_u16(), short(at), short(message)).unwrap();
        }
        if answer.status == 200 {
            fixture.client.request("DELETE", "/tableConfigs/visits", "").await;
        }
    }
    expect![[r#"
        /realtime/tableIndexConfig/invertedIndexColums = ["city"]
          200 /realtime/tableIndexConfig/invertedIndexColums: unknown key `invertedIndexColums`, ignored; did you mean `invertedIndexColumns`?
        /realtime/tableIndexConfig/invertedIndexColumns = ["cty"]
          400 /realtime/tableIndexConfig/invertedIndexColumns/0: the schema has no column `cty`; did you mean `city`?
        /realtime/tableIndexConfig/invertedIndexColumns = "city"
          400 /realtime/tableIndexConfig/invertedIndexColumns: expected a list […], found `"city"`
        /realtime/tableIndexConfig/nullHandlingEnabled = "yes"
          400 /realtime/tableIndexConfig/nullHandlingEnabled: expected true or false, found `"yes"`: write `"nullHandlingEnabled": true` or `false`
        /realtime/tableType = "REALTIMES"
          400 /realtime/tableType: `REALTIMES` is no table type: write "REALTIME"
        /realtime/tableType = "OFFLINE"
          400 only tables that are filled from a stream are supported: write `"tableType": "REALTIME"` and a stream config
        /realtime/segmentsConfig/timeColumnName = "tss"
          400 /realtime/segmentsConfig/timeColumnName: the schema has no column `tss`; did you mean `ts`?
        /realtime/segmentsConfig/retentionTimeUnit = "DAYS"
          400 /realtime/segmentsConfig/retentionTimeValue: is missing beside `retentionTimeUnit`: write "30"
        /realtime/ingestionConfig/transformConfigs = [{"columnName":"n","transformFunction":"lenght(city)"}]
          400 /realtime/ingestionConfig/transformConfigs/0/transformFunction: `lenght(city)` cannot be read: function `lenght` does not exist; did you mean `length`?
        /realtime/ingestionConfig/transformConfigs = [{"columnName":"m","transformFunction":"length(city)"}]
          400 /realtime/ingestionConfig/transformConfigs/0/columnName: the schema has no column `m`
        /realtime/ingestionConfig/filterConfig = {"filterFunction":"n >"}
          400 /realtime/ingestionConfig/filterConfig/filterFunction: `n >` cannot be read: line 1, column 4: expected an expression, found the end of the statement
        /realtime/ingestionConfig/sourceFieldConfigs = [{"name":"n","dataType":"LNG"}]
          400 /realtime/ingestionConfig/sourceFieldConfigs/0/dataType: `LNG` is no type: write for example LONG, STRING or LONG_ARRAY; did you mean `LONG`?
        /realtime/ingestionConfig/enrichmentConfigs = [{"enricherType":"clpEnricher","properties":{}}]
          400 /realtime/ingestionConfig/enrichmentConfigs/0/properties: `fields` is missing: write the fields that hold log messages, such as ["message"]
        /realtime/fieldConfigList = [{"name":"city","encodingType":"DICT"}]
          400 /realtime/fieldConfigList/0/encodingType: `DICT` is no encoding: write RAW or DICTIONARY
        /realtime/fieldConfigList = [{"name":"city","indexTypes":["INVERTD"]}]
          400 /realtime/fieldConfigList/0/indexTypes/0: `INVERTD` is no index: write one of INVERTED, SORTED, TEXT, FST, IFST, JSON, TIMESTAMP, VECTOR, RANGE, H3, BLOOM, BLOOM_FILTER, OPEN_STRUCT; did you mean `INVERTED`?
        /realtime/upsertConfig = {"mode":"FUL"}
          400 /realtime/upsertConfig/mode: `FUL` is no upsert mode: write FULL, PARTIAL or NONE; did you mean `FULL`?
          400 /realtime/upsertConfig: needs a primary key: write `primaryKeyColumns` into the schema
        /schema/dimensionFieldSpecs/0/dataType = "STRNG"
          400 /schema/dimensionFieldSpecs/0/dataType: `STRNG` is no data type: write one of INT, LONG, FLOAT, DOUBLE, BIG_DECIMAL, BOOLEAN, TIMESTAMP, STRING, JSON, BYTES; did you mean `STRING`?
        /schema/dateTimeFieldSpecs/0/format = "1:MILISECONDS:EPOCH"
          400 /schema/dateTimeFieldSpecs/0/format: `MILISECONDS` is no unit of time: write one of DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS, MICROSECONDS, NANOSECONDS; did you mean `MILLISECONDS`?
        /schema/dateTimeFieldSpecs/0/granularity = "1:MILLIS"
          400 /schema/dateTimeFieldSpecs/0/granularity: the granularity `1:MILLIS` is not of the form `1:HOURS`: `MILLIS` is no unit of time: write one of DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS, MICROSECONDS, NANOSECONDS
        /schema/metricFieldSpecs/0/defaultNullValue = "none"
          400 /schema/metricFieldSpecs/0/defaultNullValue: `"none"` is no LONG: write for example 0
        /schema/metricFieldSpecs/0/datatype = "LONG"
          200 /schema/metricFieldSpecs/0/datatype: unknown key `datatype`, ignored; did you mean `dataType`?
        /schema/schemaName = "vists"
          400 /realtime/tableName: the schema is `vists`: table and schema must have one name
        STREAM/streamType = "kafak"
          400 STREAM/streamType: streams of type `kafak` cannot be read: only "kafka"
        STREAM/stream.kafka.topic.name = "vists"
          400 kafka at `BROKERS` has no topic `vists`; create it, or correct `stream.kafka.topic.name`; or create the table all the same, with `?force=true` or `--force`
        STREAM/stream.kafka.topic.name = null
          400 STREAM/stream.kafka.topic.name: `stream.kafka.topic.name` is missing: write the topic's name
        STREAM/stream.kafka.topics.name = "visits"
          200 STREAM/stream.kafka.topics.name: unknown key `stream.kafka.topics.name`, ignored; did you mean `stream.kafka.topic.name`?
        STREAM/stream.kafka.broker.list = "127.0.0.1:port"
          400 STREAM/stream.kafka.broker.list: `127.0.0.1:port` is no address: write HOST:PORT, with commas between several, such as "localhost:9092"
        STREAM/stream.kafka.broker.list = "no..host:9092"
          400 no kafka broker answers at `no..host:9092`: the name `no..host` cannot be resolved; check `stream.kafka.broker.list`, that the broker runs, and that this machine can reach the address it advertises; or create the table all the same, with `?force=true` or `--force`
        STREAM/stream.kafka.decoder.class.name = null
          400 STREAM/stream.kafka.decoder.class.name: `stream.kafka.decoder.class.name` is missing: write "org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder"
        STREAM/stream.kafka.consumer.prop.auto.offset.reset = "earlist"
          400 STREAM/stream.kafka.consumer.prop.auto.offset.reset: `earlist` says no place to begin: write smallest, largest, a period such as 2d, or a time such as 2026-01-31T00:00:00.000Z
        STREAM/stream.kafka.consumer.prop.security.protocol = "SSLL"
          400 STREAM/stream.kafka.consumer.prop.security.protocol: `SSLL` is no protocol: write one of plaintext, ssl, sasl_plaintext, sasl_ssl; did you mean `ssl`?
        STREAM/realtime.segment.flush.threshold.rows = "many"
          400 STREAM/realtime.segment.flush.threshold.rows: `many` is no number of rows: write a whole number
        STREAM/realtime.segment.flush.threshold.time = "6 hours"
          400 STREAM/realtime.segment.flush.threshold.time: `6 hours` is no period: write for example 6h, 1h30m or 3600000
    "#]].assert_eq(&shown);
}

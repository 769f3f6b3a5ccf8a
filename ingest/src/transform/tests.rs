use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::array_value_to_string;
use expect_test::{Expect, expect};
use meunier_segment::offset_range::Offset;
use serde_json::{Value, json};

use super::*;

/// Knows `upper(x)`, `half(x)` of even whole numbers, `is_over(x)` a hundred, and `text(x)` of JSON.
#[derive(Debug)]
struct FewFunctions;

#[derive(Debug)]
struct Call {
    function: String,
    inputs: Vec<ExpressionInput>,
}

impl ExpressionCompiler for FewFunctions {
    fn compile(&self, text: &str) -> Result<Box<dyn Expression>, String> {
        let (function, field) =
            text.strip_suffix(')').and_then(|text| text.split_once('(')).ok_or("it is no call")?;
        let input = ExpressionInput { name: field.to_owned(), as_json: function == "text" };
        Ok(Box::new(Call { function: function.to_owned(), inputs: vec![input] }))
    }
}

impl Expression for Call {
    fn inputs(&self) -> &[ExpressionInput] {
        &self.inputs
    }

    fn evaluate(&mut self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef, String> {
        let column = &columns[0];
        assert_eq!(column.len(), rows);
        let texts = || cast(column, &DataType::Utf8).map_err(|error| error.to_string());
        Ok(match self.function.as_str() {
            "upper" => {
                let texts = texts()?;
                let upper = texts.as_string::<i32>().iter().map(|text| text.map(str::to_uppercase));
                Arc::new(upper.collect::<StringArray>())
            }
            "half" => {
                let numbers = column.as_primitive_opt::<Int64Type>().ok_or("`half` needs whole numbers")?;
                let half = |number: Option<i64>| match number {
                    Some(number) if number % 2 != 0 => Err(format!("{number} is odd")),
                    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
                    other => Ok(other.map(|number| number as f64 / 2.0)),
                };
                let halves: Result<Vec<_>, String> = numbers.iter().map(half).collect();
                Arc::new(Float64Array::from(halves?))
            }
            "is_over" => {
                let numbers = cast(column, &DataType::Int64).map_err(|error| error.to_string())?;
                let over = numbers.as_primitive::<Int64Type>().iter().map(|number| Some(number? > 100));
                Arc::new(over.collect::<BooleanArray>())
            }
            "text" => Arc::clone(column),
            other => return Err(format!("there is no `{other}`")),
        })
    }
}

fn table(ingestion: &Value) -> (Arc<Schema>, TableConfig) {
    let text = |name: &str| json!({"name": name, "dataType": "STRING"});
    let list = |name: &str| json!({"name": name, "dataType": "STRING", "singleValueField": false});
    let schema = json!({
        "schemaName": "t",
        "dimensionFieldSpecs": [
            text("a"), text("b"), text("c"), text("o.x"), text("o.l"), text("items.id"), text("items.tags.k"),
            list("m__KEYS"), list("m__VALUES"), text("__key"), {"name": "__metadata$offset", "dataType": "LONG"},
            {"name": "__header$h", "dataType": "BYTES"}, {"name": "__metadata$recordTimestamp", "dataType": "TIMESTAMP"},
        ],
        "metricFieldSpecs": [{"name": "n", "dataType": "LONG"}, {"name": "half", "dataType": "DOUBLE"}],
        "dateTimeFieldSpecs": [{"name": "ts", "dataType": "LONG", "format": "1:MILLISECONDS:EPOCH", "granularity": "1:MILLISECONDS"}],
    });
    let mut ingestion = ingestion.clone();
    ingestion["streamIngestionConfig"] = json!({"streamConfigMaps": [{
        "streamType": "kafka", "stream.kafka.topic.name": "t", "stream.kafka.broker.list": "localhost:1",
        "stream.kafka.decoder.class.name": "org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder",
        "stream.kafka.metadata.populate": ingestion["populate"].as_bool().unwrap_or(false).to_string(),
    }]});
    let config = json!({
        "tableName": "t", "tableType": "REALTIME", "segmentsConfig": {"timeColumnName": "ts"}, "tenants": {},
        "tableIndexConfig": {}, "ingestionConfig": ingestion,
    });
    let schema = Arc::new(Schema::parse(&schema.to_string()).unwrap().schema);
    let config = TableConfig::parse(&config.to_string(), Some(&schema)).unwrap().config;
    (schema, config)
}

/// Shows the rows and rejects that records become, each by its offset, and how the books stand.
fn check(ingestion: &Value, records: &[&str], expect: Expect) {
    let (schema, config) = table(ingestion);
    let limits = DecodeLimits::default();
    let mut pipeline =
        RecordPipeline::new(&config, &schema, PartitionId(3), limits, &FewFunctions).unwrap().unwrap();
    let rules = crate::decode::RowRules {
        continue_on_error: config.ingestion.continue_on_error,
        time_column: config.time_column.clone().filter(|_| config.ingestion.row_time_value_check),
    };
    let mut decoder = JsonDecoder::with_rules(Arc::clone(&schema), limits, &rules);
    let pending: Vec<_> = (0..)
        .zip(records)
        .map(|(offset, text)| PendingRecord {
            record: RecordRef {
                offset: Offset(offset),
                timestamp_ms: Some(1_000 + offset),
                key: Some(b"key"),
                payload: Some(text.as_bytes()),
                headers: &[],
            },
            headers: vec![("h".to_owned(), vec![1, 0xab])],
        })
        .collect();
    pipeline.run(&pending, &mut decoder, |_| ());
    let batch = decoder.take();
    let rows = batch.rows.to_batch();
    let mut shown = String::new();
    let fields = rows.schema();
    for row in 0..rows.num_rows() {
        let values = fields.fields().iter().zip(rows.columns()).filter(|(_, column)| column.is_valid(row));
        let values: Vec<String> = values
            .map(|(field, column)| {
                format!("{}={}", field.name(), array_value_to_string(column, row).unwrap())
            })
            .collect();
        shown += &format!("{}: {}\n", batch.rows.offsets[row], values.join(" "));
    }
    for reject in &batch.rejects {
        shown += &format!("{}: {} {}\n", reject.offset, reject.reason.name(), reject.detail);
        assert_eq!(
            reject.payload.as_deref(),
            Some(records[usize::try_from(reject.offset.0).unwrap()].as_bytes())
        );
    }
    let (rows, rejected) = (rows.num_rows() as u64, batch.rejects.len() as u64);
    assert_eq!(
        records.len() as u64,
        rows - batch.extra_rows + rejected + batch.filtered,
        "the books balance"
    );
    shown +=
        &format!("filtered={} extra={} incomplete={}", batch.filtered, batch.extra_rows, batch.incomplete);
    // What CLP writes in the place of variables cannot be seen.
    expect.assert_eq(&shown.replace('\u{11}', "<number>").replace('\u{12}', "<text>"));
}

#[test]
fn columns_are_computed_where_the_record_has_none_each_after_what_it_needs() {
    check(
        &json!({"transformConfigs": [
            {"columnName": "c", "transformFunction": "upper(b)"},
            {"columnName": "b", "transformFunction": "text(source)"},
            {"columnName": "half", "transformFunction": "half(n)"},
            {"columnName": "ts", "transformFunction": "half(m)"},
        ]}),
        &[
            r#"{"source":"x","n":4}"#,
            r#"{"source":{"k":[1,2.50]},"b":null,"n":6}"#,
            r#"{"source":"x","b":"own","half":1.5}"#,
            r#"{}"#,
            r#"{"m":-6}"#,
            r#"{"ts":1.5}"#,
        ],
        expect![[r#"
            0: b=x c=X n=4 half=2.0
            1: b={"k":[1,2.50]} c={"K":[1,2.50]} n=6 half=3.0
            2: b=own c=OWN half=1.5
            3: 
            4: ts=-3
            5: type_mismatch `1.5` cannot be stored as LONG
            filtered=0 extra=0 incomplete=0"#]],
    );
}

#[test]
fn what_cannot_be_computed_rejects_its_record_alone_or_leaves_the_column_null() {
    let mut config = json!({"transformConfigs": [{"columnName": "half", "transformFunction": "half(n)"}]});
    let records = [r#"{"n":4}"#, r#"{"n":5}"#, r#"{"n":"8"}"#, r#"{"n":10}"#, "[]", "{", r#"{"n":"no"}"#];
    check(
        &config,
        &records,
        expect![[r#"
        0: n=4 half=2.0
        3: n=10 half=5.0
        1: not_computed `half` cannot be computed: 5 is odd
        2: not_computed `half` cannot be computed: `half` needs whole numbers
        4: not_an_object the payload is an array of 0, not an object
        5: malformed_json the payload is not one JSON value: it ends too early
        6: not_computed `half` cannot be computed: `half` needs whole numbers
        filtered=0 extra=0 incomplete=0"#]],
    );
    config["continueOnError"] = true.into();
    check(
        &config,
        &records,
        expect![[r#"
        0: n=4 half=2.0
        1: n=5
        2: n=8
        3: n=10 half=5.0
        6: 
        4: not_an_object the payload is an array of 0, not an object
        5: malformed_json the payload is not one JSON value: it ends too early
        filtered=0 extra=0 incomplete=3"#]],
    );
}

#[test]
fn records_that_the_filter_is_true_for_are_left_out_and_counted() {
    check(
        &json!({"filterConfig": {"filterFunction": "is_over(n)"}, "complexTypeConfig": {"fieldsToUnnest": ["items"]},
            "transformConfigs": [{"columnName": "n", "transformFunction": "text(items.n)"}]}),
        &[
            r#"{"n":101}"#,
            r#"{"n":100}"#,
            r#"{"a":"no number"}"#,
            r#"{"items":[{"n":5},{"n":500},{"n":6}]}"#,
            r#"{"items":[{"n":501},{"n":500}]}"#,
        ],
        expect![[r#"
            1: n=100
            2: a=no number
            3: n=5
            3: n=6
            filtered=2 extra=1 incomplete=0"#]],
    );
}

#[test]
fn objects_are_flattened_and_lists_unnested_as_asked() {
    check(
        &json!({"complexTypeConfig": {"fieldsToUnnest": ["items.tags", "items"]}}),
        &[
            r#"{"a":"1","o":{"x":"in","l":[{"y":1}]},"items":[{"id":"i","tags":[{"k":"p"},{"k":"q"}]},{"id":"j"}]}"#,
            r#"{"a":"2","items":[],"o":{"l":[1]}}"#,
            r#"{"a":"3","items":"no list"}"#,
        ],
        expect![[r#"
            0: a=1 o.x=in o.l=[{"y":1}] items.id=i items.tags.k=p
            0: a=1 o.x=in o.l=[{"y":1}] items.id=i items.tags.k=q
            0: a=1 o.x=in o.l=[{"y":1}] items.id=j
            1: a=2 o.l=1
            2: a=3
            filtered=0 extra=2 incomplete=0"#]],
    );
    check(
        &json!({"complexTypeConfig": {"delimiter": "_", "collectionNotUnnestedToJson": "ALL",
            "prefixesToRename": {"deep_": "", "list": "b"}}}),
        &[r#"{"deep":{"a":"up"},"list":[1,2]}"#, r#"{"deep":{"a":"up"},"a":"taken"}"#],
        expect![[r#"
            0: a=up b=[1,2]
            1: not_computed `deep_a` cannot become `a`: there is such a field
            filtered=0 extra=0 incomplete=0"#]],
    );
}

#[test]
fn fields_of_metadata_and_of_objects_fill_columns_of_their_names() {
    check(
        &json!({"populate": true, "enrichmentConfigs": [{"enricherType": "generateColumn", "properties":
            {"fieldToFunctionMap": {"a": "upper(a)", "b": "upper(__key)"}}}]}),
        &[r#"{"a":"x","m":{"z":1,"k":"v"}}"#, r#"{"m":{}}"#],
        expect![[r#"
            0: a=X b=KEY m__KEYS=[k, z] m__VALUES=[v, 1] __key=key __metadata$offset=0 __header$h=01ab __metadata$recordTimestamp=1970-01-01T00:00:01
            1: b=KEY __key=key __metadata$offset=1 __header$h=01ab __metadata$recordTimestamp=1970-01-01T00:00:01.001
            filtered=0 extra=0 incomplete=0"#]],
    );
    check(
        &json!({"transformConfigs": [{"columnName": "b", "transformFunction": "upper(__key)"}]}),
        &[r#"{"a":"x"}"#],
        expect![[r#"
            0: a=x
            filtered=0 extra=0 incomplete=0"#]],
    );
}

#[test]
fn implausible_times_and_wrong_values_are_faults_that_continue_on_error_makes_nulls() {
    let mut config = json!({"rowTimeValueCheck": true, "enrichmentConfigs": [{"enricherType": "generateColumn",
        "properties": {"fieldToFunctionMap": {"b": "upper(a)"}}}]});
    let records = [
        r#"{"ts":31535999999}"#,
        r#"{"ts":31536000000}"#,
        r#"{"ts":3187295999999}"#,
        r#"{"ts":3187296000000}"#,
        r#"{"n":"wrong","ts":1700000000000}"#,
        r#"{"a":"x"}"#,
    ];
    check(
        &config,
        &records,
        expect![[r#"
        1: ts=31536000000
        2: ts=3187295999999
        5: a=x b=X
        0: out_of_range 1970-12-31 23:59:59.999 is no time from 1971 to 2070
        3: out_of_range 2071-01-01 00:00:00.0 is no time from 1971 to 2070
        4: type_mismatch `wrong` cannot be stored as LONG
        filtered=0 extra=0 incomplete=0"#]],
    );
    config["continueOnError"] = true.into();
    check(
        &config,
        &records,
        expect![[r#"
        0: 
        1: ts=31536000000
        2: ts=3187295999999
        3: 
        4: ts=1700000000000
        5: a=x b=X
        filtered=0 extra=0 incomplete=3"#]],
    );
}

#[test]
fn a_list_that_would_make_too_many_rows_is_a_reject() {
    let long = "x".repeat(1 << 16);
    let record = json!({"a": long, "items": vec![1; 2_000]}).to_string();
    let (schema, config) = table(&json!({"complexTypeConfig": {"fieldsToUnnest": ["items"]}}));
    let limits = DecodeLimits::default();
    let mut pipeline =
        RecordPipeline::new(&config, &schema, PartitionId(0), limits, &FewFunctions).unwrap().unwrap();
    let mut decoder = JsonDecoder::new(schema, limits);
    let record = RecordRef {
        offset: Offset(0),
        timestamp_ms: None,
        key: None,
        payload: Some(record.as_bytes()),
        headers: &[],
    };
    pipeline.run(&[PendingRecord { record, headers: Vec::new() }], &mut decoder, |_| ());
    let batch = decoder.take();
    assert_eq!((batch.rows.len(), batch.rejects.len()), (0, 1));
    assert_eq!(batch.rejects[0].reason, RejectReason::NotComputed);
}

#[test]
fn configs_that_cannot_work_are_refused_with_their_places() {
    let refused = |ingestion: Value| {
        let (schema, config) = table(&ingestion);
        let problems = check_expressions(&config, &schema, &FewFunctions);
        let lines = problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message));
        lines.collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        /ingestionConfig/filterConfig/filterFunction: Groovy scripts are not run here: write the expression with functions, CASE and operators of SQL (docs/reference/ingestion.md lists what replaces common scripts)
        /ingestionConfig/transformConfigs/2/transformFunction: `c` is computed from itself: read the field under another name
        /ingestionConfig/transformConfigs/3/transformFunction: `no call` cannot be read: it is no call
        /ingestionConfig/transformConfigs: these columns are computed from each other: a, b"#]].assert_eq(&refused(json!({
        "filterConfig": {"filterFunction": "Groovy({n > 1}, n)"},
        "transformConfigs": [
            {"columnName": "a", "transformFunction": "upper(b)"},
            {"columnName": "b", "transformFunction": "upper(a)"},
            {"columnName": "c", "transformFunction": "upper(c)"},
            {"columnName": "n", "transformFunction": "no call"},
        ],
    })));
    let (schema, config) = table(&json!({"continueOnError": true}));
    let none = RecordPipeline::new(&config, &schema, PartitionId(0), DecodeLimits::default(), &NoExpressions);
    let maps = none.unwrap().unwrap();
    assert_eq!(
        maps.plan.map_columns.len(),
        2,
        "only the columns of an object's keys and values ask for a pipeline"
    );
}

/// Counts how often the rows of a batch are passed on.
#[test]
fn records_that_become_much_are_taken_in_smaller_batches() {
    let config = json!({"complexTypeConfig": {"fieldsToUnnest": ["items"]}});
    let (schema, config) = table(&config);
    let limits = DecodeLimits::default();
    let mut pipeline =
        RecordPipeline::new(&config, &schema, PartitionId(3), limits, &FewFunctions).unwrap().unwrap();
    let mut passes = |text: &str| {
        let mut decoder = JsonDecoder::new(Arc::clone(&schema), limits);
        let pending: Vec<_> = (0..20)
            .map(|offset| PendingRecord {
                record: RecordRef {
                    offset: Offset(offset),
                    timestamp_ms: None,
                    key: None,
                    payload: Some(text.as_bytes()),
                    headers: &[],
                },
                headers: Vec::new(),
            })
            .collect();
        let mut passes = 0;
        pipeline.run(&pending, &mut decoder, |_| passes += 1);
        (passes, decoder.take().rows.len())
    };
    let a = "x".repeat(1_000_000);
    assert_eq!(passes(r#"{"a": "x", "items": [{"id": 1}, {"id": 2}]}"#), (1, 40));
    // Each becomes 2 MB, so that the fifth record passes 8 MiB.
    let large = format!(r#"{{"a": "{a}", "items": [{{"id": 1}}, {{"id": 2}}]}}"#);
    assert_eq!(passes(&large), (4, 40));
}

#[test]
fn fields_get_their_types_before_what_reads_them() {
    check(
        &json!({
            "sourceFieldConfigs": [
                {"name": "m", "dataType": "LONG", "preComplexTypeTransform": true},
                {"name": "a", "dataType": "STRING"},
                {"name": "o.x", "dataType": "INT"},
            ],
            "enrichmentConfigs": [{"enricherType": "generateColumn", "preComplexTypeTransform": true,
                "properties": {"fieldToFunctionMap": {"half": "half(m)"}}}],
            "complexTypeConfig": {},
            "transformConfigs": [{"columnName": "c", "transformFunction": "upper(a)"}],
        }),
        &[
            r#"{"m":" 8 ","a":1.50,"o":{"x":"07"}}"#,
            r#"{"m":"eight","a":"x"}"#,
            r#"{"m":[6],"a":{"k":1}}"#,
            r#"{"m":[6,8]}"#,
            r#"{"m":2,"a":[],"o":{"x":null}}"#,
        ],
        expect![[r#"
            0: a=1.5 c=1.5 o.x=7 half=4.0
            2: half=3.0
            4: half=1.0
            1: not_computed `m` cannot become LONG: type_mismatch
            3: not_computed `m` cannot become LONG: type_mismatch
            filtered=0 extra=0 incomplete=0"#]],
    );
    check(
        &json!({"sourceFieldConfigs": [{"name": "n", "dataType": "INT"}], "continueOnError": true}),
        &[r#"{"n":"x","a":"y"}"#, r#"{"n":"5"}"#],
        expect![[r#"
            0: a=y
            1: n=5
            filtered=0 extra=0 incomplete=1"#]],
    );
}

#[test]
fn log_messages_are_taken_apart() {
    check(
        &json!({
            "enrichmentConfigs": [
                {"enricherType": "clpEnricher", "properties": {"fields": ["a", "b"]}},
                {"enricherType": "generateColumn", "properties": {"fieldToFunctionMap": {"c": "upper(a_logtype)"}}},
            ],
        }),
        &[r#"{"a":"job_7 took 15 s"}"#, r#"{"a":5}"#, "{}"],
        expect![[r#"
            0: a=job_7 took 15 s c=<text> TOOK <number> S
            1: a=5
            2: 
            filtered=0 extra=0 incomplete=0"#]],
    );
}

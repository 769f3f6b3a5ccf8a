use expect_test::{Expect, expect};
use meunier_segment::schema::Schema;
use meunier_segment::table_snapshot::LiveTable;

use super::*;
use crate::statement::Statement;

const TRIPS: &str = r#"{"schemaName":"trips","dimensionFieldSpecs":[{"name":"City","dataType":"STRING"},
    {"name":"tags","dataType":"STRING","singleValueField":false}],"metricFieldSpecs":[{"name":"fare","dataType":"FLOAT"},
    {"name":"km","dataType":"INT"}],"dateTimeFieldSpecs":[{"name":"at","dataType":"TIMESTAMP",
    "format":"1:MILLISECONDS:TIMESTAMP","granularity":"1:MILLISECONDS"}]}"#;

/// Shows the rewritten statement, or why there is none.
fn check(sql: &str, expect: Expect) {
    let tables = Tables::new();
    let schema = Schema::parse(TRIPS).expect("the schema is valid").schema;
    tables.insert(QueryTable {
        live: Arc::new(LiveTable::new("trips", Arc::new(schema))),
        null_handling_enabled: true,
        timeout_ms: None,
        time_column: None,
    });
    let statement = Statement::read(sql).expect("the text is a query");
    let mut options = QueryOptions::default();
    for (name, value) in &statement.options {
        options.set(name, value).expect("the options are valid");
    }
    let functions = Functions::new();
    let dialect =
        Dialect { tables: &tables, functions: &functions, options: &options, now_ms: 1_700_000_000_000 };
    let shown = match rewrite(statement.parse().expect("the query parses"), &dialect) {
        Ok(rewritten) => {
            let names =
                rewritten.column_names.map(|names| names.join(" | ")).unwrap_or_else(|| "as planned".into());
            format!("{}\n{names}", rewritten.query)
        }
        Err(error) => error.message(),
    };
    expect.assert_eq(&shown);
}

#[test]
fn aliases_and_ordinals_become_what_they_stand_for() {
    check(
        "SELECT upper(city) AS u, sum(km) AS s FROM trips GROUP BY u HAVING s > 1 ORDER BY 2 DESC, u",
        expect![""],
    );
}

#[test]
fn constants_are_read_in_the_type_of_the_column() {
    check(
        "SELECT km FROM trips WHERE at > '2024-01-01' AND fare = 0.1 AND km = '5' AND city = 5 LIMIT 1",
        expect![""],
    );
}

#[test]
fn rows_are_taken_apart_for_multi_value_groups() {
    check("SELECT tags, count(*) FROM trips WHERE tags <> 'x' AND km > 1 GROUP BY tags LIMIT 5", expect![""]);
}

#[test]
fn time_functions_are_constants() {
    check("SELECT now() - ago('PT1H30M') FROM trips WHERE at > ago('P1D')", expect![""]);
    check("SELECT ago('1 day')", expect![""]);
    check("SELECT ago('P')", expect![""]);
}

#[test]
fn nulls_are_flags_unless_they_are_asked_for() {
    check("SELECT count(*) FROM trips WHERE km IS NULL", expect![""]);
    check("SET enableNullHandling=true; SELECT sum(km) FROM trips WHERE km IS NULL", expect![""]);
}

#[test]
fn joins_and_windows_are_read_as_multi_stage() {
    check(
        "SELECT a.CITY, count(*) c, km + 1 FROM Trips a JOIN trips B ON a.km = b.KM GROUP BY 1, 3",
        expect![""],
    );
    check("SELECT row_number() OVER (ORDER BY km) FROM trips", expect![""]);
}

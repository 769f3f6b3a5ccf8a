use expect_test::{Expect, expect};
use meunier_segment::schema::Schema;
use meunier_segment::table_snapshot::LiveTable;

use super::*;
use crate::statement::{Statement, tokens_of};

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
        search: Arc::default(),
        is_dimension: false,
        time_column: None,
    });
    let statement =
        Statement::read(tokens_of(sql).expect("the text has tokens")).expect("the text is a query");
    let mut options = QueryOptions::default();
    for (name, value) in &statement.options {
        options.set(name, value).expect("the options are valid");
    }
    let functions = Functions::load();
    let dialect = Dialect {
        tables: &tables,
        functions: &functions,
        options: &options,
        now_ms: 1_700_000_000_000,
        shape: None,
        explains: false,
        dimensions: &Dimensions::default(),
    };
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
        expect![[r#"
            SELECT "upper"("City") AS "$0", "coalesce"("sum"(CAST("km" AS DOUBLE)), CAST('0.0' AS DOUBLE)) AS "$1" FROM "trips" GROUP BY ("upper"("City")) HAVING ("coalesce"("sum"(CAST("km" AS DOUBLE)), CAST('0.0' AS DOUBLE))) > 1 ORDER BY "$1" DESC, "$0" LIMIT 11
            u | s"#]],
    );
}

#[test]
fn constants_are_read_in_the_type_of_the_column() {
    check(
        "SELECT km FROM trips WHERE at > '2024-01-01' AND fare = 0.1 AND km = '5' AND city = 5 LIMIT 1",
        expect![[r#"
            SELECT "km" AS "$0" FROM "trips" WHERE "at" > CAST(1704067200000 AS TIMESTAMP) AND "fare" = CAST('0.1' AS FLOAT) AND "km" = 5 AND "City" = '5' LIMIT 1
            km"#]],
    );
}

#[test]
fn rows_are_taken_apart_for_multi_value_groups() {
    check(
        "SELECT tags, count(*) FROM trips WHERE tags <> 'x' AND km > 1 GROUP BY tags LIMIT 5",
        expect![[r#"
            SELECT "$element0" AS "$0", "count"(*) AS "$1" FROM (SELECT "unnest"("tags") AS "$element0" FROM "trips" WHERE NOT ("$mveq"("tags", 'x')) AND "km" > 1) GROUP BY "$element0" LIMIT 5
            tags | count(*)"#]],
    );
}

#[test]
fn time_functions_are_constants() {
    check(
        "SELECT now() - ago('PT1H30M') FROM trips WHERE at > ago('P1D')",
        expect![[r#"
        SELECT (CAST(1700000000000 AS DOUBLE) - CAST(1699994600000 AS DOUBLE)) AS "$0" FROM "trips" WHERE "at" > CAST(1699913600000 AS TIMESTAMP) LIMIT 11
        sub(now(),ago('PT1H30M'))"#]],
    );
    check(
        "SELECT ago('1 day')",
        expect!["QueryValidationError: `1 day` is no ISO-8601 duration such as 'PT1H' or 'P1D'"],
    );
    check(
        "SELECT ago('P')",
        expect!["QueryValidationError: `P` is no ISO-8601 duration such as 'PT1H' or 'P1D'"],
    );
}

#[test]
fn nulls_are_flags_unless_they_are_asked_for() {
    check(
        "SELECT count(*) FROM trips WHERE km IS NULL",
        expect![[r#"
            SELECT "count"(*) AS "$0" FROM "trips" WHERE "$null$km" LIMIT 11
            count(*)"#]],
    );
    check(
        "SET enableNullHandling=true; SELECT sum(km) FROM trips WHERE km IS NULL",
        expect![[r#"
        SELECT "sum"(CAST("km" AS DOUBLE)) AS "$0" FROM "trips" WHERE "km" IS NULL LIMIT 11
        sum(km)"#]],
    );
}

#[test]
fn joins_and_windows_are_read_as_multi_stage() {
    check(
        "SELECT a.CITY, count(*) c, km + 1 FROM Trips a JOIN trips B ON a.km = b.KM GROUP BY 1, 3",
        expect![[r#"
            SELECT "a"."City", "count"(*) AS c, "km" + 1 AS "EXPR$2" FROM "trips" "a" JOIN "trips" "B" ON "a"."km" = "B"."km" GROUP BY 1, 3
            as planned"#]],
    );
    check(
        "SELECT row_number() OVER (ORDER BY km) FROM trips",
        expect![[r#"
        SELECT row_number() OVER (ORDER BY "km") AS "EXPR$0" FROM "trips"
        as planned"#]],
    );
}

//! JSON. Facts are of Pinot's documentation and tests and of Jayway's description of its paths.

use super::{ask, check_all, refused};

/// Jayway's example, abridged.
const STORE: &str = r#"{"store": {"book": [
    {"category": "reference", "author": "Nigel Rees", "price": 8.95},
    {"category": "fiction", "author": "Evelyn Waugh", "price": 12.99},
    {"category": "fiction", "author": "Herman Melville", "isbn": "0-553-21311-3", "price": 8.99}],
    "bicycle": {"color": "red", "price": 19.95}}, "expensive": 10}"#;

fn paths(facts: &[(&str, &str)]) {
    for (path, expected) in facts {
        let path = path.replace('\'', "''");
        assert_eq!(
            ask(&format!("SELECT jsonPath('{STORE}', '{path}')")),
            Ok(vec![(*expected).to_owned()]),
            "{path}"
        );
    }
}

#[test]
fn follows_paths() {
    paths(&[
        ("$.expensive", "10"),
        ("expensive", "10"),
        ("$['store']['bicycle']['color']", r#""red""#),
        ("$.store.bicycle", r#"{"color":"red","price":19.95}"#),
        ("$.store.book[0].author", r#""Nigel Rees""#),
        ("$.store.book[-1].isbn", r#""0-553-21311-3""#),
        ("$.store.book[3]", "null"),
        ("$.store.book[*].price", "[8.95,12.99,8.99]"),
        ("$..author", r#"["Nigel Rees","Evelyn Waugh","Herman Melville"]"#),
        ("$.store..price", "[8.95,12.99,8.99,19.95]"),
        ("$.store.book[0,2].price", "[8.95,8.99]"),
        ("$.store.book[1:].price", "[12.99,8.99]"),
        ("$.store.book[:2].price", "[8.95,12.99]"),
        ("$.store.book[-2:].price", "[12.99,8.99]"),
        ("$.store.book[?(@.isbn)].author", r#"["Herman Melville"]"#),
        ("$.store.book[?(@.price < $.expensive)].price", "[8.95,8.99]"),
        ("$.store.book[?(@.category == 'fiction' && @.price > 10)].author", r#"["Evelyn Waugh"]"#),
        ("$.store.book[?(!(@.category == 'fiction') || @.price == 8.99)].price", "[8.95,8.99]"),
        ("$.store.book[?(@.author =~ /.*REES/i)].price", "[8.95]"),
        ("$.store.book[?(@.price in [8.95, 12.99])].price", "[8.95,12.99]"),
        ("$.store.book.length()", "3"),
        ("$.store.bicycle['color','price']", r#"{"color":"red","price":19.95}"#),
        ("$.missing", "null"),
        ("$.missing[*].x", "[]"),
        ("$.store.book[*].isbn", r#"["0-553-21311-3"]"#),
    ]);
}

#[test]
fn extracts_scalars() {
    check_all(&[
        (r#"jsonExtractScalar('{"a":{"b":[1,2,3]}}', '$.a.b[1]', 'INT')"#, "2"),
        (r#"jsonExtractScalar('{"a":"12"}', '$.a', 'LONG')"#, "12"),
        (r#"jsonExtractScalar('{"a":true}', '$.a', 'DOUBLE')"#, "1.0"),
        (r#"jsonExtractScalar('{"a":1.9}', '$.a', 'INT')"#, "1"),
        (r#"jsonExtractScalar('{"a":0}', '$.a', 'BOOLEAN')"#, "false"),
        (r#"jsonExtractScalar('{"a":"true"}', '$.a', 'boolean')"#, "true"),
        (
            r#"jsonExtractScalar('{"a":1.23456789012345678901}', '$.a', 'BIG_DECIMAL')"#,
            "1.23456789012345678901",
        ),
        (r#"jsonExtractScalar('{"a":"2020-05-23 22:23:13"}', '$.a', 'TIMESTAMP')"#, "2020-05-23T22:23:13"),
        (r#"jsonExtractScalar('{"a":"x\"y"}', '$.a', 'STRING')"#, "x\"y"),
        (r#"jsonExtractScalar('{"a": {"b": [1, 2.50, "é"]}}', '$.a', 'STRING')"#, r#"{"b":[1,2.50,"é"]}"#),
        (r#"jsonExtractScalar('{"a":[1, 2]}', '$.a', 'JSON')"#, "[1,2]"),
        (r#"jsonExtractScalar('{"a":"AAGl/w=="}', '$.a', 'BYTES')"#, "0001a5ff"),
        (r#"jsonExtractScalar('{"a":1}', '$.b', 'BYTES', 'cafe')"#, "cafe"),
        (r#"jsonExtractScalar('{"a":1}', '$.b', 'INT', 7)"#, "7"),
        (r#"jsonExtractScalar('{"a":null}', '$.a', 'STRING', 'none')"#, "none"),
        (r#"jsonExtractScalar('no json', '$.a', 'STRING', 'none')"#, "none"),
        (r#"jsonExtractScalar('{"a":1}', '$.b', 'INT', NULL)"#, "null"),
        (r#"jsonExtractScalar('{"a":[1,2,3]}', '$.a[*]', 'LONG_ARRAY')"#, "[1, 2, 3]"),
        (r#"jsonExtractScalar('{"a":[1,2,3]}', '$.a', 'STRING_ARRAY')"#, "[1, 2, 3]"),
        (r#"jsonExtractScalar('{"a":[1,null]}', '$.a', 'INT_ARRAY', 0)"#, "[1, 0]"),
        (r#"jsonExtractScalar('{"a":1}', '$.b[*]', 'DOUBLE_ARRAY')"#, "[]"),
        (r#"jsonExtractScalar('{"a":1,"a":2}', '$.a', 'INT')"#, "2"),
        (r#"jsonExtractScalarFirstMatch('{"a":1,"a":2}', '$.a', 'INT')"#, "1"),
        ("jsonExtractScalar(NULL, '$.a', 'INT', 7)", "null"),
    ]);
    refused(r#"jsonExtractScalar('{"a":1}', '$.b', 'INT')"#, "the path leads nowhere");
    refused(r#"jsonExtractScalar('{"a":"x"}', '$.a', 'INT')"#, "'x' is no value");
    refused(r#"jsonExtractScalar('{"a":1}', '$.a', 'LNG')"#, "did you mean `LONG`");
    refused(r#"jsonExtractScalar('{"a":1}', '$.a[', 'INT')"#, "is no JSON path");
}

#[test]
fn reads_by_function() {
    check_all(&[
        (r#"jsonPathString('{"name": "Pete", "age": 24}', '$.name')"#, "Pete"),
        (r#"jsonPathString('{"name": "Pete", "age": 24}', '$.missing', 'default')"#, "default"),
        ("jsonPathString('not json', '$.x', 'default')", "default"),
        ("jsonPathString(NULL, '$.x', 'foo')", "foo"),
        ("jsonPathString('Infinity', '$', 'def')", "def"),
        (r#"jsonPathString('{"k3": {"sub1": 10, "sub2": 1.0}}', '$.k3')"#, r#"{"sub1":10,"sub2":1.0}"#),
        (r#"jsonPathLong('{"a": 10.7}', '$.a')"#, "10"),
        (r#"jsonPathLong('{"a": "x"}', '$.a', -1)"#, "-1"),
        (r#"jsonPathLong('{"a": 1}', '$.b')"#, "-9223372036854775808"),
        (r#"jsonPathLongFirstMatch('{"a":1,"a":2}', '$.a', -1)"#, "1"),
        (r#"jsonPathDouble('{"a": "1.5"}', '$.a')"#, "1.5"),
        (r#"jsonPathDouble('{"a": 1}', '$.b')"#, "NaN"),
        (r#"jsonPathArray('[{"one": 1}, {"one": 11}]', '$.[*].one')"#, "[1, 11]"),
        (r#"jsonPathArray('{"a": 1}', '$.b')"#, "null"),
        (r#"jsonPathArrayDefaultEmpty('{"a": 1}', '$.b')"#, "[]"),
        (r#"jsonPathExists('{"a": 1}', '$.a')"#, "true"),
        ("jsonPathExists(NULL, '$.a')", "false"),
    ]);
    refused("jsonPathString('{', '$.a')", "no JSON");
}

#[test]
fn makes_documents_and_keys() {
    check_all(&[
        ("isJson('{\"key\": \"value\"}')", "true"),
        ("isJson('{\"key\": \"va')", "false"),
        (r#"jsonFormat('{"a": [1, 2]}')"#, r#"{"a":[1,2]}"#),
        ("jsonFormat('plain')", "\"plain\""),
        ("jsonFormat(split('a,b', ','))", r#"["a","b"]"#),
        (r#"jsonStringToArray('[{"k1":"v1"}]')"#, r#"[{"k1":"v1"}]"#),
        ("jsonStringToMap('[1]')", "null"),
        ("jsonExtractObject(NULL)", "null"),
        (
            r#"jsonKeyValueArrayToMap('[{"key": "k1", "value": "v1"}, {"key": "k2", "value": 2}]')"#,
            r#"{"k1":"v1","k2":"2"}"#,
        ),
        (r#"jsonExtractKey('{"a":{"b":1},"c":[1]}', '$.*')"#, "[$['a'], $['c']]"),
        (r#"jsonExtractKey('{"a":{"b":1},"c":[1]}', '')"#, "[$['a'], $['c'], $['a']['b'], $['c'][0]]"),
        (r#"jsonExtractKey('{"a":{"b":1},"c":[1]}', '$..**', 'maxDepth=1')"#, "[$['a'], $['c']]"),
        (r#"jsonExtractKey('{"a":{"b":1}}', '$..**', 'dotNotation=true')"#, "[a, a.b]"),
    ]);
}

/// The documents of Pinot's own test of JSON_MATCH, by its ids.
const DOCUMENTS: [(i32, &str); 27] = [
    (0, "null"),
    (1, "1"),
    (2, r#""foo""#),
    (3, "true"),
    (4, "[1, 2, 3]"),
    (5, r#"[1, "foo", true]"#),
    (6, r#"[1, ["foo", true]]"#),
    (7, r#"[{"key": 1}, {"key": "foo"}]"#),
    (8, r#"{"key": null}"#),
    (9, r#"{"key": 1}"#),
    (10, r#"{"key": "foo"}"#),
    (11, r#"{"key": true}"#),
    (12, r#"{"key": [1, ["foo", true]]}"#),
    (13, r#"{"key": [1, ["foo", [true]]], "key2": [2, ["bar", false]]}"#),
    (15, r#"{"cities":[ "New York" ] }"#),
    (16, r#"{"cities":[ "Washington", "New York"] }"#),
    (17, r#"{"cities":[ "New York", "Washington"] }"#),
    (18, r#"{"cities":[ "Washington"] }"#),
    (19, r#"{"cities":[ "San Francisco"] }"#),
    (20, r#"{"cities":[ "San Francisco", "Miami", "Washington"] }"#),
    (21, r#"{"cities":[] }"#),
    (22, r#"{"cities":[""] }"#),
    (24, r#"{"country": "USA"}"#),
    (25, r#"{"country": "Canada"}"#),
    (26, r#"{"country": "Mexico"}"#),
    (27, r#"{"country":""}"#),
    (28, r#"{"country":null}"#),
];

fn matching(condition: &str, expected: &[i32]) {
    let condition = condition.replace('\'', "''");
    let rows: Vec<String> =
        DOCUMENTS.iter().map(|(id, document)| format!("SELECT {id} AS id, '{document}' AS json")).collect();
    let sql = format!(
        "SELECT id FROM ({}) WHERE jsonMatch(json, '{condition}') ORDER BY id",
        rows.join(" UNION ALL ")
    );
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(ask(&sql), Ok(expected), "{condition}");
}

#[test]
fn matches_documents_as_pinots_index_does() {
    matching(r#""$"=1"#, &[1]);
    matching(r#""$"='foo'"#, &[2]);
    matching(r#""$"=true"#, &[3]);
    matching(r#""$" IN (1, 'foo')"#, &[1, 2]);
    matching(r#""$" IS NOT NULL"#, &[1, 2, 3]);
    matching(r#""$[0]"=1"#, &[4, 5, 6]);
    matching(r#""$[*]"=2"#, &[4]);
    matching(r#""$[*]"='foo'"#, &[5]);
    matching(r#""$[2]"=true"#, &[5]);
    matching(r#""$[*][*]"=true"#, &[6]);
    matching(r#""$[*][0]"='foo'"#, &[6]);
    matching(r#""$[1][*]"=true"#, &[6]);
    matching(r#""$[1][0]"='foo'"#, &[6]);
    matching(r#""$[*][*]"=1"#, &[]);
    matching(r#""$[*].key"=1"#, &[7]);
    matching(r#""$[1].key"='foo'"#, &[7]);
    matching(r#""$[*].foo"=1"#, &[]);
    matching(r#""$.key"=1"#, &[9]);
    matching(r#""$.key" IN (1, 'foo')"#, &[9, 10]);
    matching(r#""$.key" IS NOT NULL"#, &[9, 10, 11]);
    matching(r#""$.key[0]"=1"#, &[12, 13]);
    matching(r#""$.key[*][0]"='foo'"#, &[12, 13]);
    matching(r#""$.key[1][*]"=true"#, &[12]);
    matching(r#""$.key[1][1][0]"=true"#, &[13]);
    matching("key=true", &[11]);
    matching("key", &[11]);
    matching(r#""key[*][0]"='foo'"#, &[12, 13]);
    matching(r#""$.key[*][*][*]"=true AND "$.key2[1][0]"='bar'"#, &[13]);
    matching(r#""$.key[0]"=1 AND "$.key2[0]"=2"#, &[13]);
    matching(
        r#""$.country" IS NULL"#,
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 28],
    );
}

#[test]
fn matches_values_that_are_not_those_asked_for() {
    matching(r#""$.cities[0]" != 'Seattle'"#, &[15, 16, 17, 18, 19, 20, 22]);
    matching(r#""$.cities[0]" != 'Washington'"#, &[15, 17, 19, 20, 22]);
    matching(r#""$.cities[1]" != 'Washington'"#, &[16, 20]);
    matching(r#""$.cities[*]" != 'Washington'"#, &[15, 16, 17, 19, 20, 22]);
    matching(r#""$.cities[0]" NOT IN ('Washington', 'New York')"#, &[19, 20, 22]);
    matching(r#""$.cities[1]" NOT IN ('Washington', 'New York')"#, &[20]);
    matching(r#""$.cities[*]" NOT IN ('Washington', 'New York')"#, &[19, 20, 22]);
    matching(r#""$.country" != 'USA'"#, &[25, 26, 27]);
    matching(r#""$.country" NOT IN ('USA', 'Canada')"#, &[26, 27]);
    matching(r#"REGEXP_LIKE("$.country", 'USA|Canada')"#, &[24, 25]);
    matching(r#"REGEXP_LIKE("$.country", '[MC][ea].*')"#, &[25, 26]);
    matching(r#"REGEXP_LIKE("$.country", 'US')"#, &[]);
    matching(r#"REGEXP_LIKE("$.country", 'us.*', 'i')"#, &[24]);
    matching(r#""$.country" LIKE 'c%'"#, &[25]);
    matching(r#""$.country" < 'Romania'"#, &[25, 26, 27]);
    matching(r#""$[*]" >= 2"#, &[4]);
    matching(r#""$[*]" BETWEEN 2 AND 2.5"#, &[4]);
    matching(r#""$" > -1"#, &[1]);
}

#[test]
fn refuses_conditions_that_json_cannot_answer() {
    for (condition, why) in [
        (r#""$.a" ="#, "is not valid"),
        (r#""$.a" = 1 "$.b""#, "at line 1, column 11"),
        (r#""$.a" = 1 AND "$.b" IS NULL"#, "cannot be part of another condition"),
        (r#"NOT "$.a" = 1"#, "NOT goes before JSON_MATCH"),
        ("1 = 1", "a path is wanted"),
        (r#""$.a" = "$.b""#, "a constant is wanted"),
        (r#""$.a[0" = 1"#, "is not closed"),
        (r#"REGEXP_LIKE("$.a", '(')"#, "is no regular expression"),
        (r#"REGEXP_LIKE("$.a", 'a)(b')"#, "is no regular expression"),
        (r#"startsWith("$.a", 'b')"#, "only REGEXP_LIKE"),
        ("", "is not valid"),
    ] {
        refused(&format!("jsonMatch('{{}}', '{}')", condition.replace('\'', "''")), why);
    }
    let deep = "(".repeat(10_000);
    refused(&format!("jsonMatch('{{}}', '{deep}')"), "at most");
    let nested = format!("{}a{}", "(".repeat(1_000), ")".repeat(1_000));
    refused(&format!("jsonMatch('{{}}', '{nested}')"), "recursion");
}

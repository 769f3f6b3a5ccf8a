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

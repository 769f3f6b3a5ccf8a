use expect_test::{Expect, expect};

use super::*;

fn check(text: &str, expect: Expect) {
    let shown = match tokens_of(text).and_then(Statement::read) {
        Ok(statement) => {
            let (explain, options) = (statement.explain, statement.options.clone());
            match statement.parse() {
                Ok(query) => format!("{query} | explain={explain:?} options={options:?}"),
                Err(error) => error.message(),
            }
        }
        Err(error) => error.message(),
    };
    expect.assert_eq(&shown);
}

#[test]
fn takes_options_from_both_ends() {
    check(
        "SET timeoutMs = 5; SET x='it''s'; SELECT a FROM t OPTION(b=1, c='two') option(d=-3, p=0|1); SET e = false;",
        expect![[
            r#"SELECT a FROM t | explain=None options=[("b", "1"), ("c", "two"), ("d", "-3"), ("p", "0|1"), ("timeoutMs", "5"), ("x", "it's"), ("e", "false")]"#
        ]],
    );
}

#[test]
fn comments_and_case_do_not_matter() {
    check("sElEcT/*x*/a -- y\nFROM t -- option(a=b)", expect!["SELECT a FROM t | explain=None options=[]"]);
}

#[test]
fn explain_takes_the_query_behind_it() {
    check("EXPLAIN PLAN FOR SELECT 1", expect!["SELECT 1 | explain=Some(Plan) options=[]"]);
    check(
        "explain implementation plan for (SELECT 1)",
        expect!["(SELECT 1) | explain=Some(Implementation) options=[]"],
    );
    check(
        "EXPLAIN ANALYZE SELECT 1",
        expect!["SQLParsingError: line 1, column 9: only queries are served here, `ANALYZE` begins none"],
    );
}

#[test]
fn errors_say_where_and_what_was_expected() {
    check(
        "SELECT a FROM t WHERE",
        expect!["SQLParsingError: line 1, column 22: expected an expression, found the end of the statement"],
    );
    check(
        "SELECT a,, b FROM t",
        expect!["SQLParsingError: line 1, column 10: expected an expression, found ,"],
    );
    check(
        "SELECT a\nFROM t LIMIT 5 LIMIT 6",
        expect!["SQLParsingError: line 2, column 16: expected the end of the statement, found `LIMIT`"],
    );
    check(
        "SELECT 'a",
        expect!["SQLParsingError: line 1, column 8: the text that begins here has no end: close it with `'`"],
    );
    check("", expect!["SQLParsingError: the text holds no query"]);
    check(
        "SELECT 1; SELECT 2",
        expect!["SQLParsingError: line 1, column 11: one query at a time: a second statement begins here"],
    );
    check(
        "DROP TABLE t",
        expect!["SQLParsingError: line 1, column 1: only queries are served here, `DROP` begins none"],
    );
    check("SET (a=1); SELECT 1", expect!["SQLParsingError: line 1, column 1: expected `SET name = value`"]);
}

#[test]
fn deep_and_long_statements_are_refused_before_parsing() {
    check(
        &format!("SELECT {}1{}", "(".repeat(51), ")".repeat(51)),
        expect!["QueryValidationError: the statement has 51 levels of nesting, at most 50 are allowed"],
    );
    check(
        &format!("SELECT 1{}", "+1".repeat(501)),
        expect![
            "QueryValidationError: the statement has 501 operators in one chain, at most 500 are allowed"
        ],
    );
    check(
        &format!("SELECT 1{}", ",1+1".repeat(1001)),
        expect!["QueryValidationError: the statement has 1001 operators, at most 1000 are allowed"],
    );
    check(
        &format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(501)),
        expect![
            "QueryValidationError: the statement has 101 joined or combined queries, at most 100 are allowed"
        ],
    );
    check(
        &"SELECT 1,".repeat(100_000),
        expect!["QueryValidationError: the statement has 900000 bytes, at most 262144 are allowed"],
    );
}

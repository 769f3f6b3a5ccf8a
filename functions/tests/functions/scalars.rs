//! Functions of one row's values: what an expression gives, compared with facts of Pinot's documentation and source.
//!
//! Each fact is asked twice: as it stands, where the planner computes it, and with its arguments as columns of a table.

mod arithmetic;
mod array;
mod date_time;
mod encodings;
mod geo;
mod json;
mod regexp;
mod text;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal256Type};
use arrow::util::display::array_value_to_string;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use meunier_functions::Functions;
use meunier_segment::value::format_big_decimal;
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime without threads can be made")
});

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(Functions::load);

static CONTEXT: LazyLock<SessionContext> = LazyLock::new(|| {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    let functions: &'static Functions = &FUNCTIONS;
    let mut names: HashMap<String, (Arc<ScalarUDF>, Vec<&'static str>)> = HashMap::new();
    for name in functions.names() {
        if let Some(function) = functions.scalar(name) {
            names.entry(function.name().to_owned()).or_insert((function, Vec::new())).1.push(name);
        }
    }
    let mut state = context.state();
    for (function, aliases) in names.into_values() {
        let function = function.as_ref().clone().with_aliases(aliases);
        state.register_udf(Arc::new(function)).expect("a function can be registered");
    }
    SessionContext::new_with_state(state)
});

/// Returns what a query's only column gives, row by row.
fn ask(sql: &str) -> Result<Vec<String>, String> {
    let answer = RUNTIME.block_on(async { CONTEXT.sql(sql).await?.collect().await });
    let batches = answer.map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            rows.push(text(batch.column(0), row));
        }
    }
    Ok(rows)
}

fn text(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "null".to_owned();
    }
    match array.data_type() {
        DataType::Decimal256(..) => format_big_decimal(array.as_primitive::<Decimal256Type>().value(row)),
        DataType::List(_) => {
            let elements = array.as_list::<i32>().value(row);
            let texts: Vec<_> = (0..elements.len()).map(|element| text(&elements, element)).collect();
            format!("[{}]", texts.join(", "))
        }
        DataType::Dictionary(..) => text(&arrow::compute::cast(array, &DataType::Utf8).expect("texts"), row),
        _ => array_value_to_string(array, row).expect("values of all our types can be shown"),
    }
}

/// Returns the query that asks the same with the first argument, or all of them, as columns.
fn over_columns(expression: &str, all: bool) -> Option<String> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(expression).ok()?;
    let Expr::Function(mut function) = parser.parse_expr().ok()? else { return None };
    let FunctionArguments::List(list) = &mut function.args else { return None };
    let mut values = Vec::new();
    for argument in &mut list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) = argument
            && (all || values.is_empty())
        {
            let column = Parser::new(&GenericDialect {})
                .try_with_sql(&format!("c{}", values.len()))
                .and_then(|mut parser| parser.parse_expr());
            values.push(std::mem::replace(value, column.ok()?).to_string());
        }
    }
    let columns: Vec<_> = (0..values.len()).map(|position| format!("c{position}")).collect();
    let selected: Vec<_> =
        values.iter().zip(&columns).map(|(value, column)| format!("{value} AS {column}")).collect();
    let rows = format!("SELECT {0} UNION ALL SELECT {0}", selected.join(", "));
    (!columns.is_empty()).then(|| format!("SELECT {function} FROM ({rows}) AS t"))
}

/// Returns what is wrong with an expression that should give a value, as a constant and over columns.
fn wrong(expression: &str, expected: &str) -> Option<String> {
    let answer = ask(&format!("SELECT {expression}"));
    if answer.as_deref() != Ok(&[expected.to_owned()]) {
        return Some(format!("{expression} gave {answer:?}, not {expected}"));
    }
    for sql in [true, false].into_iter().filter_map(|all| over_columns(expression, all)) {
        let answer = ask(&sql);
        let needs_constants = answer.as_ref().is_err_and(|error| error.contains("constant"));
        if !needs_constants && answer != Ok(vec![expected.to_owned(); 2]) {
            return Some(format!("{sql} gave {answer:?}, not {expected}"));
        }
    }
    None
}

fn check_all(facts: &[(&str, &str)]) {
    let wrong: Vec<_> =
        facts.iter().filter_map(|(expression, expected)| wrong(expression, expected)).collect();
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), facts.len(), wrong.join("\n"));
}

/// Checks that an expression is refused with a message that says so.
fn refused(expression: &str, message: &str) {
    match ask(&format!("SELECT {expression}")) {
        Err(error) => assert!(error.contains(message), "{expression}: {error}"),
        Ok(rows) => panic!("{expression} gave {rows:?}"),
    }
}

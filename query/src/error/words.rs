//! What DataFusion and Arrow say of a fault, in words of Pinot's SQL.

use datafusion::error::DataFusionError;
use meunier_segment::nearest::did_you_mean;

use super::{NO_COMMON_TYPE, NO_SIGNATURE};

/// Returns DataFusion's message without the words that only say where in it the fault was found.
pub(super) fn detail_of(error: &DataFusionError) -> String {
    let message = match error.find_root() {
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::Internal(message) => message.clone(),
        DataFusionError::SchemaError(error, _) => error.to_string(),
        DataFusionError::NotImplemented(message) => format!("not supported: {message}"),
        other => other.strip_backtrace(),
    };
    let message = message.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default();
    if let Some(mismatch) = mismatched_arguments(message) {
        return mismatch;
    }
    match (ungrouped_column(message), in_pinots_words(message)) {
        (Some(column), _) => format!("column `{column}` stands neither in GROUP BY nor in an aggregate"),
        (None, Some(pinots)) => pinots,
        (None, None) => message.trim_end().to_owned(),
    }
}

/// Returns what Pinot says of faults that clients know by its words, or what ours are in plain ones.
fn in_pinots_words(message: &str) -> Option<String> {
    if let Some(plain) = in_plain_words(message) {
        return Some(plain);
    }
    if message.starts_with("Aggregate function calls cannot be nested") {
        return Some("Aggregate expressions cannot be nested".into());
    }
    if let Some(compared) =
        message.strip_prefix("Cannot infer common argument type for comparison operation ")
    {
        let mut words = compared.split_whitespace();
        let (left, operator, right) = (words.next()?, words.next()?, words.next()?);
        return Some(format!(
            "Cannot apply '{operator}' to arguments of type '<{left}> {operator} <{right}>'"
        ));
    }
    if let Some(types) = message.strip_prefix(NO_COMMON_TYPE) {
        let (left, rest) = types.split_once(" and ")?;
        let (right, _) = rest.split_once(" in ")?;
        return Some(format!("Cannot apply 'BETWEEN' to arguments of type '<{left}>' and '<{right}>'"));
    }
    let (_, having) = message.split_once("HAVING clause references: ")?;
    let (expr, _) = having.split_once(" must appear in the GROUP BY clause")?;
    let column = expr.split_whitespace().next()?;
    let column = column.rsplit('.').next().unwrap_or(column).trim_matches(['"', '(']);
    Some(format!("Expression '{column}' is not being grouped"))
}

/// Returns in words of Pinot's SQL what DataFusion and Arrow say in those of their types.
fn in_plain_words(message: &str) -> Option<String> {
    let between = |before: &str, after: &str| {
        let (_, rest) = message.split_once(before)?;
        Some(rest.split_once(after)?.0)
    };
    if let Some(text) = between("Cannot cast string '", "' to value of ") {
        let (_, arrow) = message.rsplit_once("' to value of ")?;
        let wanted = pinots_type(arrow.trim_end_matches(" type"));
        return Some(format!(
            "the text '{text}' cannot be read as {wanted}: leave such rows out in WHERE, or use another column"
        ));
    }
    if let Some(name) = message.strip_prefix("not supported: Unsupported SQL type ") {
        let hint = did_you_mean(name, CAST_TYPES);
        return Some(format!("`{name}` is no type: write one of {}{hint}", CAST_TYPES.join(", ")));
    }
    if let Some(own) = between("coercion failed with: Error during planning: ", ". No function matches") {
        return Some(own.to_owned());
    }
    if let Some(name) = message.strip_prefix("Ambiguous reference to unqualified field ") {
        return Some(format!(
            "column `{name}` is ambiguous: write its table or alias before it, as in `t.{name}`"
        ));
    }
    if let Some(listed) = between("For SELECT DISTINCT, ORDER BY expressions ", " must appear in select list")
    {
        let column = listed.rsplit('.').next().unwrap_or(listed);
        return Some(format!(
            "`{column}` of ORDER BY stands not in the list of SELECT DISTINCT: add it there"
        ));
    }
    let types = between("There isn't a common type to coerce ", " in ")?;
    let (left, right) = types.split_once(" and ")?;
    let operator = message.rsplit_once(" in ")?.1.split_whitespace().next()?;
    Some(format!("{operator} cannot compare {} with {}", pinots_type(left), pinots_type(right)))
}

/// The types that CAST knows, by their names in statements.
const CAST_TYPES: [&str; 10] =
    ["INT", "LONG", "FLOAT", "DOUBLE", "BIG_DECIMAL", "BOOLEAN", "TIMESTAMP", "STRING", "JSON", "BYTES"];

/// Returns Pinot's name of a type that a message names as Arrow does.
fn pinots_type(arrow: &str) -> &str {
    match arrow {
        "Int32" => "INT",
        "Int64" => "LONG",
        "Float32" => "FLOAT",
        "Float64" => "DOUBLE",
        "Boolean" => "BOOLEAN",
        "Utf8" | "Utf8View" | "LargeUtf8" => "STRING",
        "Binary" | "BinaryView" => "BYTES",
        decimal if decimal.starts_with("Decimal") => "BIG_DECIMAL",
        time if time.starts_with("Timestamp") => "TIMESTAMP",
        other => other,
    }
}

/// Returns what is wrong with the arguments of a function of DataFusion, which calls that an internal error, and tries
/// several signatures: `… Function 'sum' failed to match any signature, errors: Error during planning: …,Error during …`.
fn mismatched_arguments(message: &str) -> Option<String> {
    let (_, tried) = message.split_once(NO_SIGNATURE)?;
    let mut faults = tried.split("Error during planning: ").map(|fault| fault.trim_end_matches(','));
    let first = faults.find(|fault| !fault.is_empty())?;
    Some(first.lines().next().unwrap_or_default().trim_end_matches(['.', ' ']).to_owned())
}

/// Returns the column of `… column "t.a" must appear in the GROUP BY clause …`.
fn ungrouped_column(message: &str) -> Option<&str> {
    let (before, _) = message.split_once("\" must appear in the GROUP BY clause")?;
    let (_, column) = before.rsplit_once("column \"")?;
    Some(column.rsplit('.').next().unwrap_or(column).trim_matches('"'))
}

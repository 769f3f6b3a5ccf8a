//! Calls that SQL writes with words between their arguments, as calls of Pinot's functions.

use datafusion::sql::sqlparser::ast::{DateTimeField, Expr, TrimWhereField};

use super::syntax::{call, number};

/// Returns the call that an expression stands for, or nothing when it is none of these forms.
pub(super) fn as_call(expr: &Expr) -> Option<Expr> {
    match expr {
        // The same letters mean two functions: `substr` counts from 0, and its third argument is an end.
        Expr::Substring { expr, substring_from, substring_for, shorthand, .. } => {
            let name = if *shorthand { "substr" } else { "substring" };
            let mut arguments = vec![(**expr).clone()];
            match substring_from {
                Some(from) => arguments.push((**from).clone()),
                None => arguments.push(number(u8::from(!shorthand))),
            }
            arguments.extend(substring_for.iter().map(|bound| (**bound).clone()));
            Some(call(name, arguments))
        }
        Expr::Extract { field, expr, .. } => Some(call(part_of(field)?, vec![(**expr).clone()])),
        Expr::Trim { expr, trim_where, trim_what: None, trim_characters: None } => {
            let name = match trim_where {
                Some(TrimWhereField::Leading) => "ltrim",
                Some(TrimWhereField::Trailing) => "rtrim",
                Some(TrimWhereField::Both) | None => "trim",
            };
            Some(call(name, vec![(**expr).clone()]))
        }
        Expr::Array(array) => Some(call("arrayvalueconstructor", array.elem.clone())),
        _ => None,
    }
}

/// Returns the function that gives a part of a time.
fn part_of(field: &DateTimeField) -> Option<&'static str> {
    Some(match field {
        DateTimeField::Year | DateTimeField::Years => "year",
        DateTimeField::Quarter => "quarter",
        DateTimeField::Month | DateTimeField::Months => "monthofyear",
        DateTimeField::Week(None) | DateTimeField::Weeks => "weekofyear",
        DateTimeField::Day | DateTimeField::Days => "dayofmonth",
        DateTimeField::DayOfYear | DateTimeField::Doy => "dayofyear",
        DateTimeField::DayOfWeek | DateTimeField::Dow | DateTimeField::Isodow => "dayofweek",
        DateTimeField::Isoyear => "yearofweek",
        DateTimeField::Hour | DateTimeField::Hours => "hour",
        DateTimeField::Minute | DateTimeField::Minutes => "minute",
        DateTimeField::Second | DateTimeField::Seconds => "second",
        DateTimeField::Millisecond => "millisecond",
        _ => return None,
    })
}

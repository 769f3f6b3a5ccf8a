//! Calls that SQL writes with words between their arguments, as calls of Pinot's functions.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, CaseWhen, CeilFloorKind, DateTimeField, Expr, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, Subscript, TrimWhereField,
};

use super::syntax::{arguments, call, function_name, number, text, unwrapped};

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
        Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
            let mut arguments = vec![(**expr).clone(), (**overlay_what).clone(), (**overlay_from).clone()];
            arguments.extend(overlay_for.iter().map(|length| (**length).clone()));
            Some(call("overlay", arguments))
        }
        Expr::Floor { expr, field: CeilFloorKind::DateTimeField(unit) }
            if !matches!(unit, DateTimeField::NoDateTime) =>
        {
            Some(call("datetrunc", vec![text(unit.to_string()), (**expr).clone()]))
        }
        Expr::CompoundFieldAccess { .. } => {
            let (of, key) = subscript(expr)?;
            Some(call("item", vec![of, key]))
        }
        Expr::Array(array) => Some(call("arrayvalueconstructor", array.elem.clone())),
        _ => None,
    }
}

/// Returns what `of[key]` is of, and the key. Neither maps nor arrays hold others, so that one key is all there can be.
pub(super) fn subscript(expr: &Expr) -> Option<(Expr, Expr)> {
    let Expr::CompoundFieldAccess { root, access_chain } = unwrapped(expr) else { return None };
    match &access_chain[..] {
        [AccessExpr::Subscript(Subscript::Index { index })] => Some(((**root).clone(), index.clone())),
        _ => None,
    }
}

/// Functions whose first argument is a unit of time.
const BY_UNIT: [&str; 5] = ["datetrunc", "dateadd", "datediff", "timestampadd", "timestampdiff"];

/// Writes the unit of time that a call begins with as the text that it is: SQL lets its word stand bare.
pub(super) fn quote_unit(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    if !BY_UNIT.contains(&function_name(function).as_str()) {
        return;
    }
    let FunctionArguments::List(list) = &mut function.args else { return };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(unit))) = list.args.first_mut() else { return };
    if let Expr::Identifier(word) = unit
        && word.quote_style.is_none()
        && UNITS.iter().any(|known| known.eq_ignore_ascii_case(&word.value))
    {
        *unit = text(word.value.to_uppercase());
    }
}

/// Endings of the names of a group's columns.
const CLP_COLUMNS: [&str; 3] = ["_logtype", "_dictionaryVars", "_encodedVars"];

/// Writes `clpDecode("x")` as the call over the three columns that CLP made of `x`.
pub(super) fn name_clp_columns(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    if function_name(function) != "clpdecode" {
        return;
    }
    let all = arguments(function).unwrap_or_default();
    let [of, rest @ ..] = &all[..] else { return };
    if rest.len() > 1 {
        return;
    }
    let ending = |ending: &str| match of {
        Expr::Identifier(name) => {
            let value = format!("{}{ending}", name.value);
            Some(Expr::Identifier(Ident { value, ..name.clone() }))
        }
        Expr::CompoundIdentifier(parts) => {
            let mut parts = parts.clone();
            let name = parts.last_mut()?;
            name.value.push_str(ending);
            Some(Expr::CompoundIdentifier(parts))
        }
        _ => None,
    };
    let Some(columns) = CLP_COLUMNS.iter().map(|name| ending(name)).collect::<Option<Vec<Expr>>>() else {
        return;
    };
    *expr = call("clpdecode", columns.into_iter().chain(rest.iter().cloned()).collect());
}

/// Words of SQL for units of time.
const UNITS: [&str; 10] =
    ["MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];

/// Returns `CASE WHEN` for `caseWhen(condition, value, …[, otherwise])`.
pub(super) fn case_when(expr: &Expr) -> Option<Expr> {
    let Expr::Function(function) = expr else { return None };
    if function_name(function) != "casewhen" {
        return None;
    }
    let mut rest = arguments(function)?;
    let otherwise = (rest.len() % 2 == 1).then(|| rest.pop()).flatten();
    let mut conditions = Vec::with_capacity(rest.len() / 2);
    let mut rest = rest.into_iter();
    while let (Some(condition), Some(result)) = (rest.next(), rest.next()) {
        conditions.push(CaseWhen { condition, result });
    }
    (!conditions.is_empty()).then(|| Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions,
        else_result: otherwise.map(Box::new),
    })
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

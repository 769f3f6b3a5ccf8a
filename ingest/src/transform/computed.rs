//! Computes an expression for many records at once.

use std::collections::HashMap;

use super::Row;
use super::columns::{Kind, values_of};
use super::expression::Expression;
use super::fields::FieldValue;

/// Most characters of a message that a reject keeps.
const MESSAGE_MAX: usize = 300;

/// Returns the expression's value for each of some rows, or why it has none.
///
/// Rows whose fields are of the same kinds are computed together. When that fails they are computed one by one, so that a
/// record that cannot be computed does not take its neighbours along.
pub(super) fn compute(
    expression: &mut dyn Expression,
    rows: &[Row],
    wanted: &[usize],
) -> Vec<Result<FieldValue, String>> {
    let mut computed = vec![Ok(FieldValue::Null); wanted.len()];
    for (kinds, group) in same_kinds(expression, rows, wanted) {
        match compute_group(expression, rows, wanted, &kinds, &group) {
            Ok(values) => group.iter().zip(values).for_each(|(&at, value)| computed[at] = Ok(value)),
            Err(message) if group.len() == 1 => computed[group[0]] = Err(shorten(message)),
            Err(_) => {
                for &at in &group {
                    let alone = compute_group(expression, rows, wanted, &kinds, &[at]);
                    computed[at] = alone
                        .map_err(shorten)
                        .map(|values| values.into_iter().next().unwrap_or(FieldValue::Null));
                }
            }
        }
    }
    computed
}

/// Groups rows, given by their place in `wanted`, by the kinds of the fields that the expression reads. A null goes with
/// the kind that the field has most lately been seen in.
fn same_kinds(expression: &dyn Expression, rows: &[Row], wanted: &[usize]) -> Vec<(Vec<Kind>, Vec<usize>)> {
    let inputs = expression.inputs();
    let kind_of =
        |row: usize, input: usize| Kind::of(rows[row].fields.get(&inputs[input].name), inputs[input].as_json);
    let mut last: Vec<Kind> = (0..inputs.len())
        .map(|input| wanted.iter().find_map(|&row| kind_of(row, input)).unwrap_or(Kind::Text))
        .collect();
    let mut places: HashMap<Vec<Kind>, usize> = HashMap::new();
    let mut groups: Vec<(Vec<Kind>, Vec<usize>)> = Vec::new();
    for (at, &row) in wanted.iter().enumerate() {
        for (input, last) in last.iter_mut().enumerate() {
            *last = kind_of(row, input).unwrap_or(*last);
        }
        let place = *places.entry(last.clone()).or_insert_with(|| {
            groups.push((last.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(at);
    }
    groups
}

fn compute_group(
    expression: &mut dyn Expression,
    rows: &[Row],
    wanted: &[usize],
    kinds: &[Kind],
    group: &[usize],
) -> Result<Vec<FieldValue>, String> {
    let columns: Vec<_> = expression
        .inputs()
        .iter()
        .zip(kinds)
        .map(|(input, kind)| {
            let values: Vec<_> = group.iter().map(|&at| rows[wanted[at]].fields.get(&input.name)).collect();
            kind.column(&values)
        })
        .collect();
    values_of(&expression.evaluate(&columns, group.len())?)
}

fn shorten(message: String) -> String {
    match message.char_indices().nth(MESSAGE_MAX) {
        None => message,
        Some((end, _)) => format!("{}…", &message[..end]),
    }
}

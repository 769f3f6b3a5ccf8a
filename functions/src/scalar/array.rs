//! Functions of arrays and multi-value columns.

mod construct;
mod filtered;
mod select;
mod typed;

use super::function::Function;

/// Returns the functions of arrays.
pub(crate) fn functions() -> Vec<Function> {
    let themes = [select::functions(), typed::functions(), construct::functions(), filtered::functions()];
    themes.into_iter().flatten().collect()
}

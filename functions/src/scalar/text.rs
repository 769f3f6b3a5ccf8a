//! Functions of texts.
//!
//! Positions and lengths count Unicode characters. Java counts UTF-16 units, which differ for letters outside the basic
//! plane only, and would let a letter be cut in half.

mod change;
mod clp;
mod compare;
mod encode;
mod find;
pub(crate) mod matching;
mod slice;
mod split;

use super::function::Function;

/// Returns the functions of texts.
pub(crate) fn functions() -> Vec<Function> {
    let themes = [
        slice::functions(),
        find::functions(),
        matching::functions(),
        change::functions(),
        split::functions(),
        compare::functions(),
        encode::functions(),
        clp::functions(),
    ];
    themes.into_iter().flatten().collect()
}

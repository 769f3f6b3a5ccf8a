//! Functions of JSON documents.
//!
//! A document is a text, and so is every part of it ([`node`]): what a path does not ask for is skipped, not kept.

mod extract;
mod filter;
mod index;
mod keys;
mod matching;
mod node;
mod object;
mod path;
mod read;
mod walk;

use super::function::Function;
pub(crate) use matching::parse as condition;

/// Returns the functions of JSON documents.
pub(crate) fn functions() -> Vec<Function> {
    let themes = [
        extract::functions(),
        read::functions(),
        keys::functions(),
        object::functions(),
        matching::functions(),
        index::functions(),
    ];
    themes.into_iter().flatten().collect()
}

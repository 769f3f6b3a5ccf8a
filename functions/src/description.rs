//! What the functions are, in words: for `GET /functions` and the generated reference.
//!
//! Every function is described where it is registered, so that a name cannot be callable without a word on it.

use std::fmt;

/// What one function takes, gives and is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDescription {
    /// Its name as Pinot writes it; queries may write it in any case and with underscores.
    pub name: &'static str,
    /// Other names for the same function.
    pub aliases: &'static [&'static str],
    /// How it is called, as `substr(text, begin[, end])`.
    pub signature: &'static str,
    /// What it belongs to.
    pub group: FunctionGroup,
    /// What it returns, in one line.
    pub text: &'static str,
}

/// A theme of functions: a chapter of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionGroup {
    /// Functions of many rows' values.
    Aggregate,
    /// Dates, times and time zones.
    DateTime,
    /// Texts.
    Text,
    /// Regular expressions.
    Regexp,
    /// JSON documents and paths.
    Json,
    /// Numbers.
    Arithmetic,
    /// Angles.
    Trigonometry,
    /// Bits of integers.
    Bit,
    /// Comparisons, logic and nulls.
    Logic,
    /// Arrays and multi-value columns.
    Array,
    /// Hashes.
    Hash,
    /// Conversions between types and encodings.
    Conversion,
    /// URLs.
    Url,
    /// IP addresses.
    Ip,
    /// Places and shapes on earth.
    Geo,
    /// Vectors.
    Vector,
    /// Sketches.
    Sketch,
    /// Maps and what fits nowhere else.
    Other,
}

impl fmt::Display for FunctionGroup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            FunctionGroup::Aggregate => "aggregate",
            FunctionGroup::DateTime => "date-time",
            FunctionGroup::Text => "text",
            FunctionGroup::Regexp => "regexp",
            FunctionGroup::Json => "json",
            FunctionGroup::Arithmetic => "arithmetic",
            FunctionGroup::Trigonometry => "trigonometry",
            FunctionGroup::Bit => "bit",
            FunctionGroup::Logic => "logic",
            FunctionGroup::Array => "array",
            FunctionGroup::Hash => "hash",
            FunctionGroup::Conversion => "conversion",
            FunctionGroup::Url => "url",
            FunctionGroup::Ip => "ip",
            FunctionGroup::Geo => "geo",
            FunctionGroup::Vector => "vector",
            FunctionGroup::Sketch => "sketch",
            FunctionGroup::Other => "other",
        })
    }
}

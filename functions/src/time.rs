//! Times as Pinot reckons them: in milliseconds since the epoch, by Java's units and Joda's calendar.
//!
//! In the order of what builds on what.

pub(crate) mod calendar;
pub(crate) mod period;
pub(crate) mod unit;
pub(crate) mod zone;
pub(crate) mod field;
pub(crate) mod truncate;
pub(crate) mod chain;
pub(crate) mod pattern;
pub(crate) mod spec;

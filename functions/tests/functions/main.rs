//! Functions called by SQL, compared with facts.

mod aggregates;
mod monotonic;
mod reference;
mod scalars;

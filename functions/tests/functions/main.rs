//! Functions called by SQL, compared with facts.

mod monotonic;
mod scalars;

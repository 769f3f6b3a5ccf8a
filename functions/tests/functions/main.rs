//! Functions called by SQL, compared with facts.

mod scalars;

//! Functions of one row's values.

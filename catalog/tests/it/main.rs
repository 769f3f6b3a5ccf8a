//! The catalog's integration tests, in one binary.

mod schemas;

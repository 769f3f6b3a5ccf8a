//! Queries from text to answer, over tables built in memory.
//!
//! `sql` runs the files of `tests/sql` over every layout of the same rows; `answers` pins whole answers; `hostile` sends
//! what must never harm the process; `joins` compares ways to run joins; `lookup` changes what LOOKUP finds; `limits` reaches every limit; `differential` compares generated queries over many rows;
//! `functions` calls every function with whatever comes; `statements` asks whatever a grammar makes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may end in a panic")]

mod answers;
mod differential;
mod functions;
mod hostile;
mod joins;
mod limits;
mod lookup;
mod search;
mod star_tree;
mod text_search;
mod sql;
mod statements;
mod table;

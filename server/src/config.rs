//! The settings of a process, from a TOML file, the environment and flags, each overriding the ones before.
//!
//! [`raw`] gathers texts and remembers where each came from; [`checked`] turns them into typed settings or names every
//! fault at once. All keys, their defaults and their meaning are one table, [`raw::KEYS`].

pub mod raw;
pub mod checked;
mod quantity;

pub use checked::{Config, HttpConfig, LogConfig, LogFormat};
pub use raw::{ConfigProblem, Flags, RawConfig};

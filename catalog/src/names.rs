//! Names that become parts of paths.
//!
//! Every name that reaches the file system passes an allow-list here, so no name can leave its directory, hide as a
//! dot file, or be too long for a file system.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name of a table or schema. `<id>-<name>` and `<name>__<partition>__<sequence>__<time>` stay below 255 bytes.
const TABLE_NAME_BYTES_MAX: usize = 128;

/// Longest name of a file or segment; file systems allow 255 bytes, the rest is for `.seg` and temporary suffixes.
const FILE_NAME_BYTES_MAX: usize = 230;

/// Identity of a table. Grows, and is never used again after a drop, so a new table never meets an older one's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableId(pub u64);

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A name that would not make a safe file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} name `{name}` is not allowed: {rule}")]
pub struct BadName {
    /// What is named.
    pub what: &'static str,
    /// The name, shortened.
    pub name: String,
    /// The rule, in words.
    pub rule: &'static str,
}

/// Name of a table's directory, `<id>-<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableDirName(String);

impl TableDirName {
    /// Returns the directory name of a table.
    ///
    /// # Errors
    /// `Invalid` when the table's name is not allowed.
    pub fn new(id: TableId, table: &str) -> Result<TableDirName, BadName> {
        check_table_name("table", table)?;
        Ok(TableDirName(format!("{id}-{table}")))
    }

    /// Returns the table id when `directory` is a name that [`TableDirName::new`] makes.
    pub(crate) fn table_id_in(directory: &str) -> Option<TableId> {
        let (id, name) = directory.split_once('-')?;
        let id = TableId(id.parse().ok()?);
        let made = TableDirName::new(id, name).ok()?;
        (made.0 == directory).then_some(id)
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableDirName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Checks the name of a table or schema; `what` says which, for the message.
pub(crate) fn check_table_name(what: &'static str, name: &str) -> Result<(), BadName> {
    let first_allowed = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if first_allowed && name.len() <= TABLE_NAME_BYTES_MAX && is_path_safe(name) {
        return Ok(());
    }
    let rule = "it must start with a letter or `_`, hold only letters, digits, `_`, `-` and `.` (no `..`), and have at most 128 characters";
    Err(bad_name(what, name, rule))
}

/// Checks the name of a file or segment; `what` says which, for the message.
pub(crate) fn check_file_name(what: &'static str, name: &str) -> Result<(), BadName> {
    let first_allowed = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if first_allowed && name.len() <= FILE_NAME_BYTES_MAX && is_path_safe(name) {
        return Ok(());
    }
    let rule = "it must start with a letter, a digit or `_`, hold only letters, digits, `_`, `-` and `.` (no `..`), and have at most 230 characters";
    Err(bad_name(what, name, rule))
}

fn is_path_safe(name: &str) -> bool {
    let all_allowed = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    all_allowed && !name.contains("..")
}

fn bad_name(what: &'static str, name: &str, rule: &'static str) -> BadName {
    BadName { what, name: name.chars().take(TABLE_NAME_BYTES_MAX).collect(), rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_that_are_not_plain_file_names() {
        for name in ["", ".", "..", "a..b", "../a", "a/b", "a\\b", ".a", "-a", "1a", "é", "a b", "a\0", "a\n"]
        {
            assert!(check_table_name("table", name).is_err(), "{name:?}");
        }
        assert!(check_table_name("table", &"a".repeat(129)).is_err());
        assert!(check_file_name("file", &"a".repeat(231)).is_err());
        for name in ["a", "_a", "A.b-c_9", "clickstream"] {
            check_table_name("table", name).unwrap();
        }
        check_table_name("table", &"a".repeat(128)).unwrap();
        check_file_name("file", "7__0__3.parquet").unwrap();
    }

    #[test]
    fn reads_the_id_only_from_directories_it_would_name_itself() {
        assert_eq!(TableDirName::table_id_in("7-a-b"), Some(TableId(7)));
        for other in ["07-a", "+7-a", "7-", "7", "a-7", "7-a b", "-7-a"] {
            assert_eq!(TableDirName::table_id_in(other), None, "{other}");
        }
    }
}

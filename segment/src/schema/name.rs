//! Which names tables and columns may have.
//!
//! A table's name becomes part of segment names and of paths on disk, so it is held to letters, digits, `_` and `-`, with
//! one `.` between a database and a table as Pinot allows. A column's name never becomes a path.

/// Longest table name, in bytes: leaves room in a 255-byte file name for a segment's partition, sequence and time.
const TABLE_NAME_LENGTH_MAX: usize = 128;

/// Longest column name, in bytes.
const COLUMN_NAME_LENGTH_MAX: usize = 1024;

/// Names of the columns that every Pinot table has by itself.
const VIRTUAL_COLUMNS: [&str; 10] = [
    "$offset",
    "$docId",
    "$hostName",
    "$segmentName",
    "$partitionId",
    "$creationTime",
    "$startTime",
    "$endTime",
    "$totalDocs",
    "$crc",
];

/// Says what is wrong with a table's or schema's name, and what to write instead; `None` when it can be used.
pub fn check_table_name(name: &str) -> Option<String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
    if name.len() > TABLE_NAME_LENGTH_MAX {
        return Some(format!("the name has {} bytes: use at most {TABLE_NAME_LENGTH_MAX}", name.len()));
    }
    if let Some(c) = name.chars().find(|c| !letter(*c)) {
        return Some(format!("the name `{name}` holds {c:?}: use letters (a to z), digits, `_` and `-`"));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Some(format!("the name `{name}` must begin with a letter or `_`"));
    }
    if name.contains("__") {
        return Some(format!(
            "the name `{name}` holds `__`, which separates the parts of segment names: use one `_`"
        ));
    }
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() > 2 || parts.contains(&"") {
        return Some(format!("the name `{name}` is not of the form `table` or `database.table`"));
    }
    None
}

/// Says what is wrong with a column's name, and what to write instead; `None` when it can be used.
pub(super) fn check_column_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a column needs a name: write `\"name\": \"…\"`".to_string());
    }
    if name.len() > COLUMN_NAME_LENGTH_MAX {
        return Some(format!("the name has {} bytes: use at most {COLUMN_NAME_LENGTH_MAX}", name.len()));
    }
    if let Some(c) = name.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Some(format!("the name {name:?} holds {c:?}: use `_` in its place"));
    }
    if VIRTUAL_COLUMNS.contains(&name) {
        return Some(format!("`{name}` is a column that every table has by itself: choose another name"));
    }
    None
}

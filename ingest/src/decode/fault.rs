//! Why a record is refused, in words that name the value.

use meunier_segment::reject::RejectReason;

/// Most characters of a value that a message repeats.
const SHOWN_MAX: usize = 120;

/// One reason to reject a record.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: RejectReason,
    pub(crate) column: Option<String>,
    pub(crate) detail: String,
}

impl Fault {
    #[cold]
    pub(crate) fn new(reason: RejectReason, detail: impl Into<String>) -> Fault {
        Fault { reason, column: None, detail: detail.into() }
    }

    #[cold]
    pub(crate) fn of_column(self, column: &str) -> Fault {
        Fault { column: Some(column.to_string()), ..self }
    }
}

/// Cuts a value to what a message repeats.
pub(crate) fn shorten(value: &str) -> String {
    match value.char_indices().nth(SHOWN_MAX) {
        None => value.to_string(),
        Some((end, _)) => format!("{}…", &value[..end]),
    }
}

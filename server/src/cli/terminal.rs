//! The one place that writes to the terminal: answers to stdout, failures to stderr.

use std::io::{self, ErrorKind, Write};

use super::failure::Failure;

/// Writes a text and a line end to stdout.
///
/// # Errors
/// When stdout cannot be written. A reader that has seen enough, such as `head`, is no failure: the process ends.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::new("cannot write to stdout").detail(error.to_string())),
    }
}

/// Writes a failure to stderr.
pub(crate) fn say_failure(failure: &Failure) {
    // There is nowhere left to tell that stderr is closed.
    let _ = writeln!(io::stderr(), "{failure}");
}

/// Writes a line that is no answer to stderr.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Returns text from a server with its control characters made visible, so that data cannot steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

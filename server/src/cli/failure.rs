//! Why a command failed, for the person who typed it: what happened, the details, and what to do next.

use std::fmt;

/// A failed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    summary: String,
    details: Vec<String>,
    next: Option<String>,
}

impl Failure {
    /// Returns a failure in one line.
    pub fn new(summary: impl Into<String>) -> Failure {
        Failure { summary: summary.into(), details: Vec::new(), next: None }
    }

    /// Adds a line of detail.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Failure {
        self.details.push(line.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Failure {
        self.next = Some(step.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.summary)?;
        for line in &self.details {
            write!(f, "\n  {line}")?;
        }
        match &self.next {
            Some(step) => write!(f, "\n  next: {step}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

//! Counts what was checked, and keeps what was wrong.

use crate::report;

/// Failures shown in full; more are counted only.
const SHOWN_MAX: u64 = 20;

/// The outcome of all checks so far.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    passed: u64,
    failed: u64,
}

impl Checks {
    /// Notes one check; `detail` says what was found when it fails.
    pub(crate) fn that(&mut self, is_right: bool, detail: impl FnOnce() -> String) {
        if is_right {
            self.passed += 1;
            return;
        }
        self.failed += 1;
        if self.failed <= SHOWN_MAX {
            report::line(&format!("FAILED: {}", detail()));
        }
    }

    /// Notes that two things must be the same.
    pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: &T, expected: &T) {
        self.that(found == expected, || format!("{what}: found {found:?}, expected {expected:?}"));
    }

    /// Notes the checks of a part.
    pub(crate) fn add(&mut self, part: &Checks) {
        self.passed += part.passed;
        self.failed += part.failed;
    }

    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }
}

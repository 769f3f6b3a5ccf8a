//! Java's time units, and how numbers go from one to another: truncated towards zero, and held at the ends.

use meunier_segment::nearest::did_you_mean;

/// A unit of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl TimeUnit {
    /// All units by name.
    pub(crate) const ALL: [(&'static str, TimeUnit); 7] = [
        ("NANOSECONDS", TimeUnit::Nanoseconds),
        ("MICROSECONDS", TimeUnit::Microseconds),
        ("MILLISECONDS", TimeUnit::Milliseconds),
        ("SECONDS", TimeUnit::Seconds),
        ("MINUTES", TimeUnit::Minutes),
        ("HOURS", TimeUnit::Hours),
        ("DAYS", TimeUnit::Days),
    ];

    /// Reads a unit in any case.
    pub(crate) fn parse(text: &str) -> Result<TimeUnit, String> {
        let known = TimeUnit::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        known
            .map(|(_, unit)| *unit)
            .ok_or_else(|| unknown("time unit", text, TimeUnit::ALL.map(|unit| unit.0)))
    }

    fn nanoseconds(self) -> i64 {
        match self {
            TimeUnit::Nanoseconds => 1,
            TimeUnit::Microseconds => 1_000,
            TimeUnit::Milliseconds => 1_000_000,
            TimeUnit::Seconds => 1_000_000_000,
            TimeUnit::Minutes => 60_000_000_000,
            TimeUnit::Hours => 3_600_000_000_000,
            TimeUnit::Days => 86_400_000_000_000,
        }
    }

    /// Returns how many of `finer` are one of this; below one when it is the coarser of both.
    pub(crate) fn ratio_to(self, finer: TimeUnit) -> Ratio {
        let (own, other) = (self.nanoseconds(), finer.nanoseconds());
        if own >= other { Ratio::Times(own / other) } else { Ratio::Over(other / own) }
    }
}

/// What takes a number from one unit to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ratio {
    /// Multiply by.
    Times(i64),
    /// Divide by.
    Over(i64),
}

/// Returns the message for a name that is none of the allowed.
pub(crate) fn unknown<'a>(
    what: &str,
    text: &str,
    allowed: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    let names: Vec<_> = allowed.clone().into_iter().collect();
    let hint = did_you_mean(text, allowed);
    let text = crate::scalar::kind::shortened(text);
    format!("'{text}' is no {what}; allowed are {}{hint}", names.join(", "))
}

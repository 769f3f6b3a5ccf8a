//! Reads the timestamps that most producers write, `2025-10-09T08:53:20.123Z` with variations, without the calendar: the texts of
//! one stream mostly name the same day as the one before, so only its time of day is read. All else goes to
//! [`parse_timestamp`], which decides what is valid.

use meunier_segment::value::parse_timestamp;

/// Start of the day that the last text named.
#[derive(Default)]
pub(super) struct LastDay {
    date: [u8; 10],
    start_ms: i64,
}

impl LastDay {
    /// Returns the milliseconds since the epoch; `None` when the text is no timestamp.
    pub(super) fn parse(&mut self, text: &str) -> Option<i64> {
        match (text.as_bytes().first_chunk(), text.as_bytes().get(10..).and_then(time_of_day)) {
            (Some(date), Some(time_ms)) if *date == self.date => Some(self.start_ms + time_ms),
            (Some(date), Some(time_ms)) => {
                let start_ms = parse_timestamp(text.get(..10)?)?;
                *self = LastDay { date: *date, start_ms };
                Some(start_ms + time_ms)
            }
            _ => parse_timestamp(text),
        }
    }
}

/// Milliseconds of `THH:mm:ss`, or with a blank for the `T`, with an optional fraction and an optional `Z`.
fn time_of_day(text: &[u8]) -> Option<i64> {
    let (clock, rest) = text.split_first_chunk::<9>()?;
    let [b'T' | b' ', h1, h2, b':', m1, m2, b':', s1, s2] = clock else {
        return None;
    };
    let (hour, minute, second) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?, two_digits(*s1, *s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.strip_suffix(b"Z").unwrap_or(rest);
    Some(((hour * 60 + minute) * 60 + second) * 1_000 + millis(fraction)?)
}

/// Milliseconds of nothing, or of a point and one to nine digits.
fn millis(fraction: &[u8]) -> Option<i64> {
    let digits = match fraction {
        [] => return Some(0),
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => digits,
        _ => return None,
    };
    let mut millis = 0;
    for (digit, unit) in digits.iter().zip([100, 10, 1, 0, 0, 0, 0, 0, 0]) {
        millis += unit * two_digits(b'0', *digit)?;
    }
    Some(millis)
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

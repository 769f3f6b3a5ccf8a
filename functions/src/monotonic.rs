//! Functions of time that never turn around, read backwards: from an interval of results to the interval of inputs.
//!
//! `dateTrunc('day', ts) >= 1612224000000` holds for rows of certain `ts` only, and a segment without any can be left out.
//! The interval of inputs contains every input whose result lies in the interval of results; where clocks change, or a
//! month ends, it may contain some more.

use datafusion::scalar::ScalarValue;

use crate::canonical;
use crate::scalar::date_time::convert::Conversion;
use crate::scalar::date_time::epoch::{Bucket, from_epoch, into_buckets, time_convert_chain, to_epoch};
use crate::scalar::date_time::truncate::date_trunc_chain;
use crate::time::chain::Chain;
use crate::time::spec::EpochUnit;
use crate::time::truncate::CalendarUnit;
use crate::time::unit::TimeUnit;
use crate::time::zone::Zone;

pub use crate::time::chain::Interval;

/// A call whose results never fall while its input rises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monotonic {
    argument: usize,
    chain: Chain,
}

impl Monotonic {
    /// Returns what a call is, or nothing when it is no such function or its other arguments are no constants.
    ///
    /// `arguments` has the constants; the input is the one that is none. The input is a LONG, or a TIMESTAMP in
    /// milliseconds.
    pub fn of_call(function: &str, arguments: &[Option<&ScalarValue>]) -> Option<Monotonic> {
        let name = canonical(function);
        let argument = usize::from(name == "datetrunc");
        let mut others = arguments.iter().enumerate().filter(|(position, _)| *position != argument);
        let input_differs = arguments.get(argument)?.is_none();
        if !input_differs || others.any(|(_, constant)| constant.is_none()) {
            return None;
        }
        let chain = chain(&name, &Constants(arguments))?;
        Some(Monotonic { argument, chain })
    }

    /// Returns the position of the input among the arguments.
    pub fn argument(&self) -> usize {
        self.argument
    }

    /// Returns the result of an input.
    pub fn apply(&self, input: i64) -> i64 {
        self.chain.apply_one(input)
    }

    /// Returns the inputs whose results lie in an interval, or nothing when no input has such a result.
    pub fn inverse(&self, results: Interval) -> Option<Interval> {
        self.chain.inverse(results)
    }
}

struct Constants<'a>(&'a [Option<&'a ScalarValue>]);

impl Constants<'_> {
    fn text(&self, position: usize) -> Option<&str> {
        self.0.get(position).copied().flatten()?.try_as_str().flatten()
    }

    fn text_or<'a>(&'a self, position: usize, default: &'a str) -> Option<&'a str> {
        if position < self.0.len() { self.text(position) } else { Some(default) }
    }

    /// Returns a number above zero.
    fn size(&self, position: usize) -> Option<i64> {
        let size = match self.0.get(position).copied().flatten()? {
            ScalarValue::Int64(size) => *size,
            ScalarValue::Int32(size) => size.map(i64::from),
            _ => None,
        };
        size.filter(|size| *size > 0)
    }
}

fn chain(name: &str, constants: &Constants<'_>) -> Option<Chain> {
    let name = name.strip_suffix("mv").unwrap_or(name);
    match name {
        "datetrunc" => {
            let unit = CalendarUnit::parse(constants.text(0)?).ok()?;
            let input = TimeUnit::parse(constants.text_or(2, "MILLISECONDS")?).ok()?;
            let zone = Zone::parse(constants.text_or(3, "UTC")?).ok()?;
            let output = match constants.0.len() {
                5 => TimeUnit::parse(constants.text(4)?).ok()?,
                _ => input,
            };
            Some(date_trunc_chain(unit, input, zone, output))
        }
        "timeconvert" => {
            let from = TimeUnit::parse(constants.text(1)?).ok()?;
            let to = EpochUnit::parse(&constants.text(2)?.to_ascii_uppercase()).ok()?;
            Some(time_convert_chain(from, to))
        }
        "datetimeconvert" => {
            let zone = if constants.0.len() == 5 { Some(constants.text(4)?) } else { None };
            let parsed = Conversion::parse(constants.text(1)?, constants.text(2)?, constants.text(3)?, zone);
            parsed.ok()?.chain()
        }
        "totimestamp" | "fromtimestamp" => Some(Chain::default()),
        "round" => Some(into_buckets(Chain::default(), Bucket::Rounded, constants.size(1)?)),
        _ => epoch_chain(name, constants),
    }
}

/// `toEpochDays`, `toEpochDaysRounded`, `toEpochDaysBucket`, `fromEpochDays` and those of the other units.
fn epoch_chain(name: &str, constants: &Constants<'_>) -> Option<Chain> {
    let (to, rest) = match (name.strip_prefix("toepoch"), name.strip_prefix("fromepoch")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return None,
    };
    let units = [TimeUnit::Seconds, TimeUnit::Minutes, TimeUnit::Hours, TimeUnit::Days];
    let named = ["seconds", "minutes", "hours", "days"].into_iter().zip(units);
    let (unit, rest) = named.into_iter().find_map(|(name, unit)| Some((unit, rest.strip_prefix(name)?)))?;
    match (to, rest) {
        (true, "") => Some(to_epoch(unit)),
        (true, "rounded") => Some(into_buckets(to_epoch(unit), Bucket::Rounded, constants.size(1)?)),
        (true, "bucket") => Some(into_buckets(to_epoch(unit), Bucket::Counted, constants.size(1)?)),
        (false, "") => Some(from_epoch(unit)),
        (false, "bucket") => {
            let units = Chain::default().then(crate::time::chain::Step::Multiply(constants.size(1)?));
            Some(units.then_unit(unit, TimeUnit::Milliseconds))
        }
        _ => None,
    }
}

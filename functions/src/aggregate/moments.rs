//! `skewness` and `kurtosis`, from central moments that are kept as rows come.

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;

use super::columns::{check_number, doubles};
use super::computation::{Computation, Groups, array};
use super::serial::{Reader, Write};
use super::udaf::Definition;

/// Below this a variance counts as none, as in the library that Pinot uses.
const VARIANCE_MIN: f64 = 1e-19;

/// All of them.
pub(crate) static DEFINITIONS: [Definition; 2] = [
    moment("skewness", "skewness(column)", "How far the values lean to one side"),
    moment(
        "kurtosis",
        "kurtosis(column)",
        "How far the values' ends reach, more than a normal distribution's",
    ),
];

const fn moment(name: &'static str, signature: &'static str, text: &'static str) -> Definition {
    Definition {
        description: Definition::describe(name, &[], signature, text),
        arguments: 1..=1,
        elements: true,
        result: |types| check_number("the aggregate", &types[0]).map(|()| DataType::Float64),
        start: |call| {
            let answer = if call.name == "skewness" { Moments::skewness } else { Moments::kurtosis };
            Ok(Groups::boxed(Shape { answer }))
        },
    }
}

/// A measure of the shape of a distribution.
struct Shape {
    answer: fn(&Moments) -> f64,
}

/// Count, mean, and the sums of the second to fourth powers of the distances from the mean.
#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    /// Takes in the moments of other values.
    fn merge(&mut self, other: &Moments) {
        let (here, there) = (self.count, other.count);
        let count = here + there;
        if there == 0.0 {
            return;
        }
        let delta = other.mean - self.mean;
        let share = delta / count;
        let product = here * there;
        let second = self.second + other.second + delta * share * product;
        let third = self.third
            + other.third
            + delta * share * share * product * (here - there)
            + 3.0 * share * (here * other.second - there * self.second);
        let fourth = self.fourth
            + other.fourth
            + delta * share.powi(3) * product * (here * here - product + there * there)
            + 6.0 * share * share * (here * here * other.second + there * there * self.second)
            + 4.0 * share * (here * other.third - there * self.third);
        *self = Moments { count, mean: self.mean + share * there, second, third, fourth };
    }

    fn skewness(&self) -> f64 {
        let count = self.count;
        if count < 3.0 {
            return f64::NAN;
        }
        let variance = self.second / (count - 1.0);
        match variance < VARIANCE_MIN {
            true => 0.0,
            false => count * self.third / ((count - 1.0) * (count - 2.0) * variance.sqrt() * variance),
        }
    }

    fn kurtosis(&self) -> f64 {
        let count = self.count;
        if count < 2.0 {
            return f64::NAN;
        }
        let variance = self.second / (count - 1.0);
        if count <= 3.0 || variance < VARIANCE_MIN {
            return 0.0;
        }
        let below = (count - 1.0) * (count - 2.0) * (count - 3.0) * variance * variance;
        (count * (count + 1.0) * self.fourth - 3.0 * self.second * self.second * (count - 1.0)) / below
    }
}

impl Computation for Shape {
    type State = Moments;
    type Columns = Float64Array;

    fn start(&self) -> Moments {
        Moments::default()
    }

    fn columns(&self, arguments: &[ArrayRef]) -> Result<Float64Array> {
        doubles(&arguments[0])
    }

    fn add(&mut self, state: &mut Moments, columns: &Float64Array, row: usize) -> Result<()> {
        state.merge(&Moments { count: 1.0, mean: columns.values()[row], ..Moments::default() });
        Ok(())
    }

    fn write(&mut self, state: &mut Moments, out: &mut Vec<u8>) {
        if state.count > 0.0 {
            let numbers = [state.count, state.mean, state.second, state.third, state.fourth];
            numbers.into_iter().for_each(|number| out.put_f64(number));
        }
    }

    fn merge(&mut self, state: &mut Moments, written: &[u8]) -> Result<()> {
        let mut reader = Reader(written);
        let mut next = || reader.f64();
        let other =
            Moments { count: next()?, mean: next()?, second: next()?, third: next()?, fourth: next()? };
        state.merge(&other);
        Ok(())
    }

    fn finish(&mut self, states: &mut [Moments]) -> Result<ArrayRef> {
        let answers = states.iter().map(|state| (state.count > 0.0).then(|| (self.answer)(state)));
        Ok(array::<Float64Array, _>(answers))
    }

    fn heap_bytes(&self, _: &Moments) -> usize {
        0
    }
}

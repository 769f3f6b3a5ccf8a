//! Aggregated values, one a record, and how two of them become one.
//!
//! Whole numbers stay whole: counts, and minima and maxima of INT and LONG. So do sums, while the magnitudes of all rows
//! together fit 64 bits, since then no partial sum leaves them either. Everything else is DOUBLE.
//!
//! Sums of DOUBLE begin at +0.0, as a scan's do, so a sum is never −0.0, and a NaN makes the sum NaN; their last bits
//! depend on the order of addition, which differs from a scan's. Minima and maxima compare by IEEE total order, as those
//! of column statistics and of DataFusion without GROUP BY do: −0.0 is below +0.0 and a NaN above infinity. (With GROUP BY
//! DataFusion's answer over NaN depends on the order of rows; no tree can repeat that.)

use arrow::buffer::ScalarBuffer;
use roaring::{MultiOps, RoaringBitmap};

use super::options::{FunctionPair, PairFunction};
use super::record_ids::RecordIds;
use crate::ids::Ids;

/// Numbers, one a record (or a row, as input).
#[derive(Debug, Clone)]
pub enum MetricColumn {
    /// Exact.
    I64(ScalarBuffer<i64>),
    /// IEEE 754.
    F64(ScalarBuffer<f64>),
    /// Distinct values, as ids of the column's dictionary. Only of records.
    Ids(RecordIds),
}

/// What is aggregated, one a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum MetricRows<'a> {
    Numbers(&'a MetricColumn),
    Ids(&'a Ids),
}

impl MetricColumn {
    /// Returns how many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            MetricColumn::I64(values) => values.len(),
            MetricColumn::F64(values) => values.len(),
            MetricColumn::Ids(values) => values.len(),
        }
    }

    /// Returns whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How two aggregated values become one.
#[derive(Debug, Clone, Copy)]
enum Fold {
    Add,
    Min,
    Max,
    Unite,
}

impl Fold {
    fn whole(self) -> fn(i64, i64) -> i64 {
        match self {
            // Wraps never: `sums_fit` let only such columns be whole.
            Fold::Add | Fold::Unite => i64::wrapping_add,
            Fold::Min => i64::min,
            Fold::Max => i64::max,
        }
    }

    fn double(self) -> fn(f64, f64) -> f64 {
        match self {
            Fold::Add | Fold::Unite => |a, b| a + b,
            Fold::Min => |a, b| if b.total_cmp(&a).is_lt() { b } else { a },
            Fold::Max => |a, b| if b.total_cmp(&a).is_gt() { b } else { a },
        }
    }
}

/// A metric column that grows with the tree's records.
#[derive(Debug)]
pub(super) struct MetricBuilder {
    fold: Fold,
    values: Values,
}

#[derive(Debug)]
enum Values {
    I64(Vec<i64>),
    F64(Vec<f64>),
    Ids(Vec<RoaringBitmap>),
}

impl MetricBuilder {
    /// Aggregates rows to records: row `i` goes to record `record_of[i]`, and every record gets one.
    pub(super) fn of_rows(
        pair: &FunctionPair,
        rows: Option<MetricRows<'_>>,
        record_of: &[u32],
        records: usize,
    ) -> Result<MetricBuilder, String> {
        let fold = match pair.function {
            PairFunction::Count | PairFunction::Sum => Fold::Add,
            PairFunction::Min => Fold::Min,
            PairFunction::Max => Fold::Max,
            PairFunction::DistinctCount => Fold::Unite,
            PairFunction::Avg | PairFunction::MinMaxRange => return Err(format!("`{pair}` is not stored")),
        };
        if pair.function == PairFunction::Count {
            let mut counts = vec![0; records];
            for &record in record_of {
                counts[record as usize] += 1;
            }
            return Ok(MetricBuilder { fold, values: Values::I64(counts) });
        }
        let column = match (rows.ok_or_else(|| format!("`{pair}` has no column"))?, fold) {
            (MetricRows::Ids(ids), Fold::Unite) if ids.len() == record_of.len() => {
                return Ok(MetricBuilder { fold, values: Values::Ids(united(ids, record_of, records)) });
            }
            (MetricRows::Numbers(column), Fold::Add | Fold::Min | Fold::Max) => column,
            _ => return Err(format!("`{pair}` cannot aggregate its column")),
        };
        let values = match column {
            column if column.len() != record_of.len() => {
                return Err(format!("`{pair}` has another number of rows than the dimensions"));
            }
            MetricColumn::I64(rows) if matches!(fold, Fold::Add) && !sums_fit(rows) => {
                #[expect(clippy::cast_precision_loss, reason = "a sum beyond 64 bits is no longer exact")]
                let rows = rows.iter().map(|&value| value as f64);
                Values::F64(gather(fold, rows, record_of, records))
            }
            MetricColumn::I64(rows) => {
                let start = match fold {
                    Fold::Add | Fold::Unite => 0,
                    Fold::Min => i64::MAX,
                    Fold::Max => i64::MIN,
                };
                Values::I64(fold_rows(fold.whole(), start, rows.iter().copied(), record_of, records))
            }
            MetricColumn::F64(rows) => Values::F64(gather(fold, rows.iter().copied(), record_of, records)),
            MetricColumn::Ids(_) => return Err(format!("`{pair}` is to aggregate sets")),
        };
        Ok(MetricBuilder { fold, values })
    }

    /// Makes room for records up to `records`.
    pub(super) fn resize(&mut self, records: usize) {
        match &mut self.values {
            Values::I64(values) => values.resize(records, 0),
            Values::F64(values) => values.resize(records, 0.0),
            Values::Ids(values) => values.resize_with(records, RoaringBitmap::new),
        }
    }

    /// Aggregates the records `members`, of which there is at least one, to the record `target`.
    pub(super) fn combine(&mut self, target: usize, members: &[u32]) {
        match &mut self.values {
            Values::I64(values) => values[target] = folded(self.fold.whole(), values, members),
            Values::F64(values) => values[target] = folded(self.fold.double(), values, members),
            Values::Ids(values) => {
                values[target] = members.iter().map(|&member| &values[member as usize]).union();
            }
        }
    }

    /// Returns the records in this order.
    pub(super) fn finish(self, order: &[u32]) -> MetricColumn {
        match self.values {
            Values::I64(values) => {
                MetricColumn::I64(order.iter().map(|&record| values[record as usize]).collect())
            }
            Values::F64(values) => {
                MetricColumn::F64(order.iter().map(|&record| values[record as usize]).collect())
            }
            Values::Ids(values) => {
                MetricColumn::Ids(RecordIds::of(order.iter().map(|&record| &values[record as usize])))
            }
        }
    }
}

fn gather(fold: Fold, rows: impl Iterator<Item = f64>, record_of: &[u32], records: usize) -> Vec<f64> {
    // The ends of IEEE total order are NaNs; nothing compares beyond them.
    let start = match fold {
        Fold::Add | Fold::Unite => 0.0,
        Fold::Min => f64::from_bits(i64::MAX.cast_unsigned()),
        Fold::Max => f64::from_bits(u64::MAX),
    };
    fold_rows(fold.double(), start, rows, record_of, records)
}

fn united(ids: &Ids, record_of: &[u32], records: usize) -> Vec<RoaringBitmap> {
    let mut sets = vec![RoaringBitmap::new(); records];
    for (row, &record) in record_of.iter().enumerate() {
        sets[record as usize].insert(ids.get(row));
    }
    sets
}

fn fold_rows<T: Copy>(
    fold: impl Fn(T, T) -> T,
    start: T,
    rows: impl Iterator<Item = T>,
    record_of: &[u32],
    records: usize,
) -> Vec<T> {
    let mut values = vec![start; records];
    for (value, &record) in rows.zip(record_of) {
        let present = &mut values[record as usize];
        *present = fold(*present, value);
    }
    values
}

fn folded<T: Copy>(fold: impl Fn(T, T) -> T, values: &[T], members: &[u32]) -> T {
    let (&first, others) = members.split_first().expect("no record is made of none");
    others.iter().fold(values[first as usize], |sum, &member| fold(sum, values[member as usize]))
}

/// Returns whether no sum of some of these values can leave 64 bits.
fn sums_fit(values: &[i64]) -> bool {
    let magnitude: u128 = values.iter().map(|value| u128::from(value.unsigned_abs())).sum();
    magnitude <= i64::MAX as u128
}

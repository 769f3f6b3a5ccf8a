//! Predicates as keys: equal ones select the same rows of a segment, whichever query they come from.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::compute::Compute;
use crate::input::InputColumn;
use crate::predicate::{Predicate, Test};

/// A predicate with the columns that it counts in.
#[derive(Debug, Clone)]
pub(crate) struct PredicateKey {
    hash: u64,
    predicate: Predicate,
    columns: Arc<[InputColumn]>,
}

impl PredicateKey {
    /// Returns the key of a predicate; `None` where it computes something that cannot be told from others.
    pub(crate) fn of(predicate: &Predicate, columns: &Arc<[InputColumn]>) -> Option<PredicateKey> {
        let mut hasher = DefaultHasher::new();
        hash_into(predicate, columns, &mut hasher)?;
        let (predicate, columns) = (predicate.clone(), Arc::clone(columns));
        Some(PredicateKey { hash: hasher.finish(), predicate, columns })
    }
}

impl PartialEq for PredicateKey {
    fn eq(&self, other: &PredicateKey) -> bool {
        self.hash == other.hash && are_same(&self.predicate, &self.columns, &other.predicate, &other.columns)
    }
}

impl Eq for PredicateKey {}

impl Hash for PredicateKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

fn hash_into(predicate: &Predicate, columns: &[InputColumn], hasher: &mut DefaultHasher) -> Option<()> {
    let name = |column: usize, hasher: &mut DefaultHasher| match &columns[column] {
        InputColumn::Stored { field, .. } | InputColumn::NullFlag(field) => field.name.hash(hasher),
        InputColumn::DocId
        | InputColumn::SegmentName
        | InputColumn::PartitionId
        | InputColumn::HostName(_) => {}
    };
    std::mem::discriminant(predicate).hash(hasher);
    match predicate {
        Predicate::True | Predicate::False => {}
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.len().hash(hasher);
            for part in parts {
                hash_into(part, columns, hasher)?;
            }
        }
        Predicate::Value { column, test } | Predicate::AnyElement { column, test, .. } => {
            name(*column, hasher);
            match test {
                Test::Intervals(intervals) => {
                    intervals.len().hash(hasher);
                    // A few tell most lists of values apart, and equality looks at all.
                    format!("{:?}", &intervals[..intervals.len().min(4)]).hash(hasher);
                }
                Test::Truth(truth) => truth.hash_code()?.hash(hasher),
            }
        }
        Predicate::Null { column, negated } => {
            name(*column, hasher);
            negated.hash(hasher);
        }
        Predicate::Rows { columns: read, truth } => {
            read.iter().for_each(|column| name(*column, hasher));
            truth.hash_code()?.hash(hasher);
        }
    }
    Some(())
}

fn are_same(a: &Predicate, a_columns: &[InputColumn], b: &Predicate, b_columns: &[InputColumn]) -> bool {
    let same_column = |a: usize, b: usize| a_columns[a] == b_columns[b];
    let all_same = |a: &[Predicate], b: &[Predicate]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| are_same(a, a_columns, b, b_columns))
    };
    match (a, b) {
        (Predicate::True, Predicate::True) | (Predicate::False, Predicate::False) => true,
        (Predicate::And(a), Predicate::And(b)) | (Predicate::Or(a), Predicate::Or(b)) => all_same(a, b),
        (Predicate::Value { column, test }, Predicate::Value { column: other, test: other_test }) => {
            same_column(*column, *other) && same_test(test, other_test)
        }
        (
            Predicate::AnyElement { column, test, negated },
            Predicate::AnyElement { column: other, test: other_test, negated: other_negated },
        ) => same_column(*column, *other) && same_test(test, other_test) && negated == other_negated,
        (Predicate::Null { column, negated }, Predicate::Null { column: other, negated: other_negated }) => {
            same_column(*column, *other) && negated == other_negated
        }
        (Predicate::Rows { columns, truth }, Predicate::Rows { columns: others, truth: other_truth }) => {
            columns.len() == others.len()
                && columns.iter().zip(others).all(|(column, other)| same_column(*column, *other))
                && same_computation(truth, other_truth)
        }
        _ => false,
    }
}

fn same_test(a: &Test, b: &Test) -> bool {
    match (a, b) {
        (Test::Intervals(a), Test::Intervals(b)) => a == b,
        (Test::Truth(a), Test::Truth(b)) => same_computation(a, b),
        (Test::Intervals(_), Test::Truth(_)) | (Test::Truth(_), Test::Intervals(_)) => false,
    }
}

fn same_computation(a: &Arc<dyn Compute>, b: &Arc<dyn Compute>) -> bool {
    Arc::ptr_eq(a, b) || a.is_same(b.as_ref())
}

//! The tree against a plain group-by over the rows, on random rows, options, filters and groups.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::*;
use crate::ids::Ids;

/// Rows of a small segment and a query over it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) cardinalities: Vec<u32>,
    /// Ids of each row, and its number.
    pub(super) rows: Vec<(Vec<u32>, i64)>,
    pub(super) skipped: Vec<bool>,
    pub(super) leaf_records_max: usize,
    filters: Vec<(usize, Vec<(u32, u32)>)>,
    grouped: Vec<bool>,
}

/// Count, sum, smallest and largest of a group.
type Answer = BTreeMap<Vec<u32>, (i64, i64, i64, i64, f64)>;

impl Case {
    pub(super) fn any() -> impl Strategy<Value = Case> {
        // Now and then a dictionary just too long for a byte or a digit.
        let cardinality =
            prop_oneof![6 => 1..6_u32, 4 => 6..40_u32, 1 => 250..260_u32, 1 => 8_180..20_000_u32];
        let leaf_records_max = prop_oneof![1 => Just(1_usize), 3 => 2..40_usize, 2 => Just(10_000)];
        (
            prop::collection::vec(cardinality, 1..6),
            leaf_records_max,
            0..400_usize,
            any::<u64>(),
            any::<bool>(),
        )
            .prop_flat_map(|(cardinalities, leaf_records_max, rows, seed, skewed)| {
                let dimensions = cardinalities.len();
                let filter = (0..dimensions, prop::collection::vec((0..100_u32, 0..60_u32), 0..4));
                let flags = || prop::collection::vec(any::<bool>(), dimensions);
                let skipped = prop_oneof![2 => Just(vec![false; dimensions]), 1 => flags()];
                (prop::collection::vec(filter, 0..3), flags(), skipped).prop_map(
                    move |(filters, grouped, skipped)| Case {
                        rows: random_rows(&cardinalities, rows, seed, skewed),
                        cardinalities: cardinalities.clone(),
                        skipped,
                        leaf_records_max,
                        filters,
                        grouped,
                    },
                )
            })
    }

    /// Three dimensions of five values.
    pub(super) fn fixed() -> Case {
        let cardinalities = vec![5; 3];
        Case {
            rows: random_rows(&cardinalities, 200, 1, false),
            cardinalities,
            skipped: vec![false; 3],
            leaf_records_max: 1,
            filters: Vec::new(),
            grouped: vec![false; 3],
        }
    }

    pub(super) fn tree(&self) -> StarTree {
        let names: Vec<ColumnName> =
            (0..self.cardinalities.len()).map(|index| format!("d{index}").into()).collect();
        let skipped = names.iter().zip(&self.skipped).filter(|&(_, &skipped)| skipped);
        let options = StarTreeOptions {
            skip_star_dimensions: skipped.map(|(name, _)| name.clone()).collect(),
            dimensions: names,
            function_pairs: ["AVG__m", "MINMAXRANGE__m", "SUM__f", "DISTINCTCOUNTHLL__d0"]
                .map(|pair| FunctionPair::parse(pair).unwrap())
                .into(),
            leaf_records_max: self.leaf_records_max,
        };
        let dimensions = self.cardinalities.iter().enumerate().map(|(dimension, &cardinality)| {
            let ids = self.rows.iter().map(|(ids, _)| ids[dimension]).collect();
            let cardinality = cardinality as usize;
            DimensionInput { ids: Cow::Owned(Ids::narrow(ids, cardinality)), cardinality }
        });
        let whole = self.rows.iter().map(|&(_, number)| number).collect();
        let doubles = self.rows.iter().map(|&(_, number)| double(number)).collect();
        let ids = self.rows.iter().map(|(ids, _)| ids[0]).collect();
        let first_dimension = Cow::Owned(Ids::narrow(ids, self.cardinalities[0] as usize));
        let input = StarTreeInput {
            rows: self.rows.len(),
            dimensions: dimensions.collect(),
            metrics: vec![
                MetricInput { column: "m".into(), values: MetricColumn::I64(whole) },
                MetricInput { column: "f".into(), values: MetricColumn::F64(doubles) },
            ],
            distinct: vec![DistinctInput { column: "d0".into(), ids: first_dimension }],
        };
        StarTree::build(&options, &input).unwrap()
    }

    /// Returns the filters; their ranges are told in hundredths of the dictionary.
    pub(super) fn filters(&self) -> Vec<DimensionFilter> {
        let filters = self.filters.iter().map(|(dimension, ranges)| {
            let cardinality = self.cardinalities[*dimension];
            let ranges = ranges.iter().map(|&(start, len)| {
                let start = start * cardinality / 100;
                start..start + (len * cardinality).div_ceil(100)
            });
            DimensionFilter { dimension: *dimension, ids: IdSet::from_ranges(ranges.collect()) }
        });
        filters.collect()
    }

    pub(super) fn group_by(&self) -> Vec<usize> {
        (0..self.grouped.len()).filter(|&dimension| self.grouped[dimension]).collect()
    }

    fn expected(&self) -> Answer {
        let filters = self.filters();
        let mut answer = Answer::new();
        for (ids, number) in &self.rows {
            if filters.iter().all(|filter| filter.ids.contains(ids[filter.dimension])) {
                let key = self.group_by().into_iter().map(|dimension| ids[dimension]).collect();
                add(&mut answer, key, (1, *number, *number, *number, double(*number)));
            }
        }
        answer
    }
}

/// A double whose sums are exact in any order.
fn double(number: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
    let double = number as f64;
    double / 4.0
}

fn random_rows(cardinalities: &[u32], rows: usize, seed: u64, skewed: bool) -> Vec<(Vec<u32>, i64)> {
    let mut state = seed;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut id = |cardinality: u32| {
        let below = |random: u64, cardinality: u32| u32::try_from(random % u64::from(cardinality)).unwrap();
        let id = below(random(), cardinality);
        if skewed { below(random(), id + 1) } else { id }
    };
    let row = |_| {
        let ids = cardinalities.iter().map(|&cardinality| id(cardinality)).collect();
        (ids, i64::from(id(2_000)) - 1_000)
    };
    (0..rows).map(row).collect()
}

fn add(answer: &mut Answer, key: Vec<u32>, of: (i64, i64, i64, i64, f64)) {
    let group = answer.entry(key).or_insert((0, 0, i64::MAX, i64::MIN, 0.0));
    *group = (group.0 + of.0, group.1 + of.1, group.2.min(of.2), group.3.max(of.3), group.4 + of.4);
}

pub(super) fn id_of(tree: &StarTree, dimension: usize, record: u32) -> u32 {
    match tree.dimension_ids(dimension) {
        Ids::U8(ids) => ids[record as usize].into(),
        Ids::U16(ids) => ids[record as usize].into(),
        Ids::U32(ids) => ids[record as usize],
    }
}

fn answer(tree: &StarTree, records: impl IntoIterator<Item = u32>, group_by: &[usize]) -> Answer {
    let whole = |pair| match tree.metric(&FunctionPair::parse(pair).unwrap()).unwrap() {
        MetricColumn::I64(values) => values.clone(),
        MetricColumn::F64(_) | MetricColumn::Ids(_) => panic!("{pair} is not whole"),
    };
    let (counts, sums, least, most) = (whole("COUNT__*"), whole("SUM__m"), whole("MIN__m"), whole("MAX__m"));
    let Some(MetricColumn::F64(doubles)) = tree.metric(&FunctionPair::parse("SUM__f").unwrap()) else {
        panic!("sums of doubles are doubles")
    };
    let mut answer = Answer::new();
    for record in records {
        let key = group_by.iter().map(|&dimension| id_of(tree, dimension, record)).collect();
        let at = record as usize;
        add(&mut answer, key, (counts[at], sums[at], least[at], most[at], doubles[at]));
    }
    answer
}

/// Ids of the first dimension in each group.
type Distinct = BTreeMap<Vec<u32>, BTreeSet<u32>>;

fn distinct(tree: &StarTree, records: Vec<u32>, group_by: &[usize]) -> Distinct {
    let pair = FunctionPair::parse("DISTINCT_COUNT_BITMAP__d0").unwrap();
    let Some(MetricColumn::Ids(ids)) = tree.metric(&pair) else { panic!("distinct values are ids") };
    let mut found = Distinct::new();
    for record in records {
        let key = group_by.iter().map(|&dimension| id_of(tree, dimension, record)).collect();
        found.entry(key).or_default().extend(ids.of_record(record));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_equal_those_of_a_scan(case in Case::any()) {
        let built = case.tree();
        let lens = case.cardinalities.clone();
        let len_of = |name: &str| Some(lens[name[1..].parse::<usize>().unwrap()] as usize);
        let opened = StarTree::from_parts(&built.to_parts(), case.rows.len(), len_of).unwrap();
        prop_assert_eq!(opened.options(), built.options());
        let (filters, group_by, expected) = (case.filters(), case.group_by(), case.expected());
        for tree in [&built, &opened] {
            let records = tree.records(&filters, &group_by);
            prop_assert!(records.len() <= case.rows.len());
            prop_assert_eq!(&answer(tree, records, &group_by), &expected);
            let mut expected_distinct = Distinct::new();
            for (ids, _) in &case.rows {
                if filters.iter().all(|filter| filter.ids.contains(ids[filter.dimension])) {
                    let key = group_by.iter().map(|&dimension| ids[dimension]).collect();
                    expected_distinct.entry(key).or_default().insert(ids[0]);
                }
            }
            prop_assert_eq!(distinct(tree, tree.records(&filters, &group_by), &group_by), expected_distinct);
            let mut selected = Vec::new();
            for range in tree.select(&filters, &group_by) {
                let left = filters.iter().filter(|filter| filter.dimension >= range.first_unchecked);
                let left: Vec<_> = left.collect();
                selected.extend(range.records.filter(|&record| {
                    left.iter().all(|filter| filter.ids.contains(id_of(tree, filter.dimension, record)))
                }));
            }
            prop_assert_eq!(&answer(tree, selected, &group_by), &expected);
        }
    }
}

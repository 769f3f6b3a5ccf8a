//! Options, names and special values.

use std::borrow::Cow;

use super::super::*;
use crate::ids::Ids;

fn tree(pairs: &[&str], ids: Vec<u32>, values: MetricColumn) -> StarTree {
    let options = StarTreeOptions {
        dimensions: vec!["d".into()],
        skip_star_dimensions: Vec::new(),
        function_pairs: pairs.iter().map(|pair| FunctionPair::parse(pair).unwrap()).collect(),
        leaf_records_max: 1,
    };
    let rows = ids.len();
    let ids = Cow::Owned(Ids::narrow(ids, 3));
    let input = StarTreeInput {
        rows,
        dimensions: vec![DimensionInput { ids, cardinality: 3 }],
        metrics: vec![MetricInput { column: "m".into(), values }],
        distinct: Vec::new(),
    };
    StarTree::build(&options, &input).unwrap()
}

/// Returns a pair's value over all rows, as text.
fn total(tree: &StarTree, pair: &str) -> String {
    let records = tree.records(&[], &[]);
    assert_eq!(records.len(), 1);
    match tree.metric(&FunctionPair::parse(pair).unwrap()).unwrap() {
        MetricColumn::I64(values) => format!("{}", values[records[0] as usize]),
        MetricColumn::F64(values) => format!("{:?}f64", values[records[0] as usize]),
        MetricColumn::Ids(values) => format!("{:?}", values.of_record(records[0])),
    }
}

#[test]
fn pairs_are_read_as_pinot_writes_them() {
    for (text, expected) in [
        ("COUNT__*", "COUNT__*"),
        ("count__bytes", "COUNT__*"),
        ("SUM__bytes", "SUM__bytes"),
        ("sum__a__b", "SUM__a__b"),
        ("min_max_range__x", "MINMAXRANGE__x"),
        ("minMaxRange__x", "MINMAXRANGE__x"),
        ("Avg__x", "AVG__x"),
        ("SUM__*", "`SUM__*` names no column"),
        ("SUM__", "`SUM__` names no column"),
        ("SUM", "`SUM` is no function and column, as `SUM__bytes` is"),
        ("DISTINCTCOUNTHLL__u", "DISTINCTCOUNT__u"),
        ("distinctCountRawThetaSketch__u", "DISTINCTCOUNT__u"),
        (
            "PERCENTILEEST__u",
            "star-tree function `PERCENTILEEST` is not built here; those that are: COUNT, SUM, MIN, MAX, AVG, MINMAXRANGE, DISTINCTCOUNT",
        ),
        (
            "FOO__u",
            "`FOO` is no star-tree function; there are COUNT, SUM, MIN, MAX, AVG, MINMAXRANGE, DISTINCTCOUNT",
        ),
    ] {
        let read = FunctionPair::parse(text).map_or_else(|error| error, |pair| pair.to_string());
        assert_eq!(read, expected, "{text}");
    }
}

#[test]
fn options_that_cannot_be_built_are_refused() {
    let options = |dimensions: &[&str], skipped: &[&str], pairs: &[&str], leaf_records_max| StarTreeOptions {
        dimensions: dimensions.iter().map(|&name| name.into()).collect(),
        skip_star_dimensions: skipped.iter().map(|&name| name.into()).collect(),
        function_pairs: pairs.iter().map(|pair| FunctionPair::parse(pair).unwrap()).collect(),
        leaf_records_max,
    };
    let fault = |options: StarTreeOptions| options.check().unwrap_err();
    assert_eq!(fault(options(&[], &[], &["COUNT__*"], 1)), "a star-tree needs a dimension");
    assert_eq!(
        fault(options(&["a", "a"], &[], &["COUNT__*"], 1)),
        "dimension `a` is named twice in the split order"
    );
    assert_eq!(
        fault(options(&["a"], &["b"], &["COUNT__*"], 1)),
        "`b` is to have no star, but is not in the split order"
    );
    assert_eq!(fault(options(&["a"], &[], &[], 1)), "a star-tree needs a function and column to aggregate");
    assert_eq!(
        fault(options(&["a"], &[], &["COUNT__*"], 0)),
        "the records under a leaf of a star-tree must be at least 1"
    );
    let names: Vec<String> = (0..65).map(|index| format!("d{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(fault(options(&names, &[], &["COUNT__*"], 1)), "a star-tree has at most 64 dimensions");
    assert_eq!(options(&names[..64], &[], &["COUNT__*"], 1).check(), Ok(()));
}

#[test]
fn averages_and_ranges_are_covered_by_what_they_are_made_of() {
    let values = MetricColumn::I64(vec![1, 2].into());
    let covers = |pairs: &[&str], asked: &str| {
        tree(pairs, vec![0, 1], values.clone()).covers(&["d"], &["d"], &[FunctionPair::parse(asked).unwrap()])
    };
    assert!(covers(&["AVG__m"], "SUM__m"));
    assert!(covers(&["AVG__m"], "COUNT__*"));
    assert!(covers(&["SUM__m", "COUNT__*"], "AVG__m"));
    assert!(!covers(&["SUM__m"], "AVG__m"));
    assert!(covers(&["MINMAXRANGE__m"], "MAX__m"));
    assert!(!covers(&["MAX__m"], "MINMAXRANGE__m"));
    let tree = tree(&["COUNT__*"], vec![0, 1], values.clone());
    assert!(!tree.covers(&["m"], &[], &[]));
    assert!(!tree.covers(&[], &["d", "m"], &[]));
    assert!(tree.covers(&[], &[], &[]));
}

#[test]
fn sums_of_whole_numbers_are_exact_while_they_fit() {
    let odd = (1 << 53) + 1;
    let column = |values: &[i64]| MetricColumn::I64(values.to_vec().into());
    let sums = |values: &[i64]| {
        let ids = (0_u32..).take(values.len()).map(|row| row % 3).collect();
        total(&tree(&["SUM__m"], ids, column(values)), "SUM__m")
    };
    assert_eq!(sums(&[odd, 2, -1]), "9007199254740994");
    assert_eq!(sums(&[i64::MAX - 1, 1]), "9223372036854775807");
    assert_eq!(sums(&[i64::MAX, 1]), "9.223372036854776e18f64");
    // The total would fit, but not each part of it.
    assert_eq!(sums(&[i64::MAX, 1, -1]), "9.223372036854776e18f64");
    assert_eq!(sums(&[i64::MIN]), "-9.223372036854776e18f64");
    let extremes = tree(&["MINMAXRANGE__m"], vec![0, 1], column(&[i64::MIN, i64::MAX]));
    assert_eq!(total(&extremes, "MIN__m"), i64::MIN.to_string());
    assert_eq!(total(&extremes, "MAX__m"), i64::MAX.to_string());
}

#[test]
fn special_doubles_aggregate_as_in_a_scan() {
    let all = |values: &[f64]| {
        let ids = (0_u32..).take(values.len()).map(|row| row % 3).collect();
        let tree = tree(&["SUM__m", "MINMAXRANGE__m"], ids, MetricColumn::F64(values.to_vec().into()));
        ["SUM__m", "MIN__m", "MAX__m"].map(|pair| total(&tree, pair)).join(" ")
    };
    assert_eq!(all(&[-0.0]), "0.0f64 -0.0f64 -0.0f64");
    assert_eq!(all(&[0.0, -0.0]), "0.0f64 -0.0f64 0.0f64");
    assert_eq!(all(&[1.5, f64::NAN, f64::INFINITY]), "NaNf64 1.5f64 NaNf64");
    assert_eq!(all(&[1.5, -f64::NAN]), "NaNf64 NaNf64 1.5f64");
    assert_eq!(all(&[f64::INFINITY, f64::NEG_INFINITY]), "NaNf64 -inff64 inff64");
    assert_eq!(all(&[f64::NAN]), "NaNf64 NaNf64 NaNf64");
}

#[test]
fn a_segment_without_rows_has_no_records() {
    let tree = tree(&["COUNT__*"], Vec::new(), MetricColumn::I64(Vec::new().into()));
    assert_eq!(tree.records(&[], &[]), Vec::<u32>::new());
    assert_eq!(tree.select(&[], &[0]), Vec::new());
    let again = StarTree::from_parts(&tree.to_parts(), 0, |_| Some(3)).unwrap();
    assert_eq!((again.record_count(), again.node_count(), again.rows()), (0, 1, 0));
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let options = StarTreeOptions {
        dimensions: vec!["d".into()],
        skip_star_dimensions: Vec::new(),
        function_pairs: vec![FunctionPair::new(PairFunction::Sum, "m")],
        leaf_records_max: 1,
    };
    let fault = |ids: Vec<u32>, cardinality, rows, metric: &str, values: Vec<f64>| {
        let ids = Cow::Owned(Ids::U32(ids.into()));
        let input = StarTreeInput {
            rows,
            dimensions: vec![DimensionInput { ids, cardinality }],
            metrics: vec![MetricInput { column: metric.into(), values: MetricColumn::F64(values.into()) }],
            distinct: Vec::new(),
        };
        StarTree::build(&options, &input).unwrap_err()
    };
    assert_eq!(fault(vec![3], 3, 1, "m", vec![0.0]), "ids of dimension `d` lie outside its dictionary");
    assert_eq!(
        fault(vec![0], 3, 2, "m", vec![0.0; 2]),
        "dimension `d` has another number of rows than its segment"
    );
    assert_eq!(fault(vec![0], 3, 1, "x", vec![0.0]), "`SUM__m` has no column");
    assert_eq!(
        fault(vec![0], 3, 1, "m", vec![0.0; 2]),
        "`SUM__m` has another number of rows than the dimensions"
    );
}

#[test]
fn id_sets_are_ranges_that_do_not_touch() {
    let set = IdSet::from_ranges(vec![7..9, 1..3, 3..4, 8..8, 2..3, 20..30]);
    assert_eq!(set.ranges(), [1..4, 7..9, 20..30]);
    let ids: Vec<u32> = (0..40).filter(|&id| set.contains(id)).collect();
    assert_eq!(IdSet::from_ids(ids.iter().rev().copied()), set);
    assert_eq!(
        set.intersect(&IdSet::from_ranges(vec![0..2, 3..8, 25..26])).ranges(),
        [1..2, 3..4, 7..8, 25..26]
    );
    assert!(set.intersect(&IdSet::default()).is_empty());
    assert!(!IdSet::default().contains(0));
    assert!(!IdSet::default().is_all(0));
    assert!(IdSet::from_range(0..5).is_all(5));
}

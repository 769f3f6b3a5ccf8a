//! Funnels against events whose way through the steps can be followed by hand.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;

use super::table::{Random, Table};

fn events(events: &[(i64, &str)]) -> Table {
    Table::new([
        ("ts", Arc::new(Int64Array::from_iter_values(events.iter().map(|event| event.0))) as ArrayRef),
        ("url", Arc::new(StringArray::from_iter_values(events.iter().map(|event| event.1)))),
    ])
}

const STEPS: &str = "url = 'a', url = 'b', url = 'c'";

#[track_caller]
fn check(rows: &[(i64, &str)], window: i64, extra: &str, expected: &str) {
    let arguments = format!("ts, {window}, 3, {STEPS}{extra}");
    let answer = events(rows).query(&format!(
        "SELECT funnelmaxstep({arguments}), funnelmatchstep({arguments}), funnelcompletecount({arguments}) FROM t"
    ));
    assert_eq!(answer.lines(), [expected]);
}

#[test]
fn steps_count_within_the_window() {
    let rows = [(10, "a"), (20, "b"), (30, "c")];
    check(&rows, 100, "", "3|[1, 1, 1]|1");
    check(&rows, 15, "", "2|[1, 1, 0]|0");
    check(&[(20, "b"), (30, "c")], 100, "", "0|[0, 0, 0]|0");
    check(&[(30, "c"), (10, "a"), (20, "b"), (40, "a"), (50, "b"), (60, "c")], 100, "", "3|[1, 1, 1]|2");
}

#[test]
fn modes_say_what_ends_a_run() {
    let rows = [(10, "a"), (15, "a"), (20, "b"), (30, "c")];
    check(&rows, 100, ", 'STRICT_DEDUPLICATION'", "1|[1, 0, 0]|1");
    let rows = [(10, "a"), (20, "c"), (30, "b"), (40, "c")];
    check(&rows, 100, ", 'STRICT_ORDER'", "1|[1, 0, 0]|0");
    let rows = [(10, "a"), (10, "b"), (30, "c")];
    check(&rows, 100, ", 'STRICT_INCREASE'", "1|[1, 0, 0]|0");
    let rows = [(10, "a"), (20, "x"), (30, "b"), (40, "c")];
    check(&rows, 100, ", 'STRICT_ORDER', 'KEEP_ALL'", "1|[1, 0, 0]|0");
    check(&[(10, "a"), (20, "b"), (60, "c")], 100, ", 'MAXSTEPDURATION=30'", "2|[1, 1, 0]|0");
    let error = events(&rows).error(&format!("SELECT funnelmaxstep(ts, 9, 3, {STEPS}, 'FAST') FROM t"));
    assert!(error.contains("FAST"), "{error}");
}

#[test]
fn a_funnel_counts_values_that_met_all_steps_so_far() {
    let mut random = Random(21);
    let users: Vec<String> = (0..1_500).map(|_| format!("u{}", random.below(300))).collect();
    let steps: Vec<[bool; 3]> = (0..1_500).map(|_| [0, 1, 2].map(|_| random.below(4) == 0)).collect();
    let column = |step: usize| -> ArrayRef {
        Arc::new(BooleanArray::from_iter(steps.iter().map(|steps| Some(steps[step]))))
    };
    let table = Table::new([
        ("user", Arc::new(StringArray::from(users.clone())) as ArrayRef),
        ("s0", column(0)),
        ("s1", column(1)),
        ("s2", column(2)),
    ]);
    let met = |step: usize| -> BTreeSet<&String> {
        users.iter().zip(&steps).filter(|(_, steps)| steps[step]).map(|(user, _)| user).collect()
    };
    let two: BTreeSet<&String> = met(0).intersection(&met(1)).copied().collect();
    let three = two.intersection(&met(2)).count();
    let answer = table.query("SELECT funnelcount(1, \"user\", s0, s1, s2), distinctcountmv(\"user\"), segmentpartitioneddistinctcount(\"user\") FROM t");
    let counts = answer.column(0).as_list::<i32>().value(0);
    assert_eq!(
        counts.as_primitive::<Int64Type>().values()[..],
        [met(0).len(), two.len(), three].map(|n| n as i64)
    );
    let distinct = users.iter().collect::<BTreeSet<_>>().len();
    assert_eq!((answer.int(1) as usize, answer.long(2) as usize), (distinct, distinct));
}

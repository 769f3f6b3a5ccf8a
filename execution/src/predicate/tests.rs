use proptest::prelude::*;

use super::*;

/// The values that predicates are tried on, and a little beyond the bounds that are generated.
const VALUES: std::ops::Range<i32> = -3..13;

fn bound() -> impl Strategy<Value = Bound<i32>> {
    prop_oneof![
        1 => Just(Bound::Unbounded),
        4 => (0..10).prop_map(Bound::Included),
        4 => (0..10).prop_map(Bound::Excluded),
    ]
}

fn interval() -> impl Strategy<Value = Interval> {
    (bound(), bound())
        .prop_map(|(low, high)| Interval { low: low.map(Value::Int), high: high.map(Value::Int) })
}

/// Disjoint, ascending intervals: what is left of all numbers when some are taken out.
fn intervals() -> impl Strategy<Value = Vec<Interval>> {
    prop::collection::btree_set(0..10, 0..4).prop_map(|without| {
        let points: Vec<Interval> =
            without.into_iter().map(|value| Interval::of(Value::Int(value))).collect();
        complement(&points)
    })
}

fn holds(intervals: &[Interval], value: i32) -> bool {
    intervals.iter().any(|interval| interval.contains(&Value::Int(value)))
}

fn passes(predicate: &Predicate, value: i32) -> bool {
    match predicate {
        Predicate::True => true,
        Predicate::False => false,
        Predicate::And(parts) => parts.iter().all(|part| passes(part, value)),
        Predicate::Or(parts) => parts.iter().any(|part| passes(part, value)),
        Predicate::Value { test: Test::Intervals(intervals), .. } => holds(intervals, value),
        other => unreachable!("{other:?} is not generated"),
    }
}

proptest! {
    #[test]
    fn a_complement_holds_what_is_left_out(intervals in intervals()) {
        let outside = complement(&intervals);
        for value in VALUES {
            prop_assert_ne!(holds(&intervals, value), holds(&outside, value), "{}", value);
        }
        prop_assert_eq!(complement(&outside), intervals);
    }

    #[test]
    fn an_interval_misses_bounds_only_where_it_holds_none_of_their_values(at in interval(), a in 0..10_i32, b in 0..10_i32) {
        let (min, max) = (a.min(b), a.max(b));
        if at.misses(&Value::Int(min), &Value::Int(max)) {
            prop_assert!((min..=max).all(|value| !at.contains(&Value::Int(value))));
        }
    }

    #[test]
    fn a_conjunction_passes_what_all_of_its_parts_pass(parts in prop::collection::vec((0..2_usize, intervals()), 0..5)) {
        let predicates: Vec<Predicate> = parts
            .iter()
            .map(|(column, intervals)| Predicate::Value {
                column: *column,
                test: Test::Intervals(intervals.clone().into()),
            })
            .collect();
        let conjunction = all_of(predicates.clone());
        // Both columns hold the same value here, so that one number tells whether a row passes.
        for value in VALUES {
            let expected = predicates.iter().all(|predicate| passes(predicate, value));
            prop_assert_eq!(passes(&conjunction, value), expected, "{}", value);
        }
        let columns = |predicate: &Predicate| match predicate {
            Predicate::And(parts) => parts.len(),
            _ => 1,
        };
        prop_assert!(columns(&conjunction) <= 2, "one test a column");
    }
}

//! What passes, and what is read to find it.

use std::ops::Bound;
use std::sync::Arc;

use meunier_execution::filter::{FilterStep, Means, explain};
use meunier_execution::predicate::{Interval, Predicate, Test};
use meunier_execution::segment_work::SegmentInput;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;
use tempfile::TempDir;

use crate::events::{Event, SCORE, TS, USER, columns, consuming, events, passing, plain, sealed, within};

const ROWS: usize = 150_000;

fn between(low: i64, high: i64) -> Interval {
    Interval { low: Bound::Included(Value::Long(low)), high: Bound::Excluded(Value::Long(high)) }
}

fn above(low: f64) -> Interval {
    Interval { low: Bound::Excluded(Value::Double(low)), high: Bound::Unbounded }
}

fn rows_where(events: &[Event], holds: impl Fn(&Event) -> bool) -> Vec<usize> {
    (0..events.len()).filter(|&row| holds(&events[row])).collect()
}

#[test]
fn chunks_that_bounds_decide_are_not_read() {
    let directory = TempDir::new().unwrap();
    let events = events(ROWS, 3);
    let segment = sealed(&events, &plain(), &directory, 0);
    let check = |low: i64, high: i64, chunks_read: u64| {
        let rows = rows_where(&events, |event| (low..high).contains(&event.ts));
        let (found, read) = passing(&within(TS, between(low, high)), &columns(false), &segment);
        assert_eq!(found, rows, "{low}..{high}");
        assert_eq!(read.div_ceil(65_536), chunks_read, "{low}..{high} read {read}");
    };
    check(100, 200, 1);
    check(655_350, 655_370, 2);
    check(0, 655_360, 0);
    check(655_360, 2_000_000, 0);
    check(300, 1_400_000, 2);
    check(300, 2_000_000, 1);
    check(1_310_720, 1_310_730, 1);
    check(5_000_000, 6_000_000, 0);
}

#[test]
fn bounds_decide_parts_of_conditions() {
    let directory = TempDir::new().unwrap();
    let events = events(ROWS, 4);
    let segment = sealed(&events, &plain(), &directory, 0);
    for shows_nulls in [false, true] {
        let late = within(TS, between(700_000, 2_000_000));
        let good = within(SCORE, above(9_000.0));
        let holds = |event: &Event| event.score.is_some_and(|score| score > 9_000.0);
        let both = Predicate::And(vec![good.clone(), late.clone()]);
        let (found, read) = passing(&both, &columns(shows_nulls), &segment);
        assert_eq!(found, rows_where(&events, |event| event.ts >= 700_000 && holds(event)));
        // Chunk 0 is not read, and of chunk 2 the score alone.
        assert_eq!(read, 2 * 65_536 + (150_000 - 2 * 65_536));
        let either = Predicate::Or(vec![good, late]);
        let (found, _) = passing(&either, &columns(shows_nulls), &segment);
        assert_eq!(found, rows_where(&events, |event| event.ts >= 700_000 || holds(event)));
    }
}

#[test]
fn what_drops_rows_is_told() {
    let directory = TempDir::new().unwrap();
    let events = events(ROWS, 6);
    let mut options = plain();
    options.range_columns = ["score".into()].into();
    let segments: Arc<[Segment]> = [sealed(&events, &options, &directory, 0)].into();
    let few = above(11_900.0);
    let predicate = Predicate::And(vec![within(TS, between(700_000, 2_000_000)), within(SCORE, few)]);
    let input = SegmentInput {
        segments,
        pruned: Arc::new([]),
        columns: columns(false),
        predicate: Arc::new(predicate),
        uses_indexes: true,
        numbers: Arc::default(),
        known: None,
        counters: Arc::default(),
    };
    let step = |column: &str, means, tests_rows, rows_dropped| FilterStep {
        columns: vec![column.into()],
        means: vec![means],
        tests_rows,
        segments: 1,
        rows: ROWS as u64,
        rows_dropped,
    };
    let passing = rows_where(&events, |event| event.score.is_some_and(|score| score > 11_900.0)).len();
    assert_eq!(
        explain(&input).unwrap(),
        [
            step("ts", Means::ZoneMap, true, 65_536),
            step("score", Means::Range, false, (ROWS - passing) as u64)
        ]
    );
}

#[test]
fn a_null_lies_in_no_interval_whatever_bounds_say() {
    let directory = TempDir::new().unwrap();
    let events = events(ROWS, 5);
    let segment = sealed(&events, &plain(), &directory, 0);
    // The default of a missing score is minus infinity, which lies in the bounds.
    let all = Interval { low: Bound::Unbounded, high: Bound::Included(Value::Double(1e9)) };
    let (found, _) = passing(&within(SCORE, all.clone()), &columns(true), &segment);
    assert_eq!(found, rows_where(&events, |event| event.score.is_some()));
    let (found, read) = passing(&within(SCORE, all), &columns(false), &segment);
    assert_eq!((found.len(), read), (ROWS, 0));
}

#[test]
fn texts_are_found_in_chunks_that_do_without_a_dictionary() {
    // Nearly every text is new, so chunks behind the first have plain values.
    let mut events = events(ROWS, 5);
    events
        .iter_mut()
        .enumerate()
        .for_each(|(row, event)| event.user = format!("session {}", row - row % 8 / 7));
    let (snapshot, _) = consuming(&events, &plain(), 0).freeze();
    let segment = Segment::Consuming(snapshot);
    for row in [0, 3, 65_535, 65_536, 100_000, ROWS - 1] {
        let user = &events[row].user;
        let only = Bound::Included(Value::String(user.as_str().into()));
        let (found, _) =
            passing(&within(USER, Interval { low: only.clone(), high: only }), &columns(false), &segment);
        assert_eq!(found, rows_where(&events, |event| event.user == *user), "{user}");
    }
}

#[test]
fn chunks_of_a_consuming_segment_are_asked_by_value() {
    let mut events = events(ROWS, 6);
    events.iter_mut().enumerate().for_each(|(row, event)| event.ts = (row as i64 * 7919) % 40_000);
    for row in (0..ROWS).step_by(5) {
        events[row].user = format!("user of row {row}");
    }
    let mut options = plain();
    options.inverted_columns = ["ts", "score", "user"].map(Into::into).into();
    let (snapshot, _) = consuming(&events, &options, 0).freeze();
    let segment = Segment::Consuming(snapshot);
    let any_of = |column: usize, values: &[Value]| {
        let only = |value: &Value| Interval {
            low: Bound::Included(value.clone()),
            high: Bound::Included(value.clone()),
        };
        Predicate::Value { column, test: Test::Intervals(values.iter().map(only).collect()) }
    };
    let text = |text: &str| Value::String(text.into());
    let users = any_of(USER, &[text("user 17"), text("user of row 65540"), text("nobody")]);
    let is_user = |event: &Event| ["user 17", "user of row 65540"].contains(&event.user.as_str());
    let times = any_of(TS, &[Value::Long(5), Value::Long(39_999), Value::Long(-1)]);
    let is_time = |event: &Event| [5, 39_999].contains(&event.ts);
    // The default of a score is -Infinity, which stands where there is none.
    let scores = any_of(SCORE, &[Value::Double(f64::NEG_INFINITY), Value::Double(12.5), Value::Double(0.0)]);
    for shows_nulls in [false, true] {
        let is_score = |event: &Event| match event.score {
            Some(score) => score == 12.5 || score == 0.0,
            None => !shows_nulls,
        };
        let check = |predicate: Predicate, holds: &dyn Fn(&Event) -> bool| {
            let (found, _) = passing(&predicate, &columns(shows_nulls), &segment);
            assert_eq!(found, rows_where(&events, holds), "{predicate:?}");
        };
        check(users.clone(), &is_user);
        check(times.clone(), &is_time);
        check(scores.clone(), &is_score);
        check(Predicate::And(vec![users.clone(), times.clone()]), &|event| is_user(event) && is_time(event));
        check(Predicate::Or(vec![users.clone(), times.clone()]), &|event| is_user(event) || is_time(event));
        let early = within(TS, between(0, 20_000));
        check(Predicate::And(vec![early.clone(), users.clone()]), &|event| {
            is_user(event) && event.ts < 20_000
        });
        check(Predicate::Or(vec![early, scores.clone()]), &|event| is_score(event) || event.ts < 20_000);
    }
}

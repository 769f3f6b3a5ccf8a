//! Which segments are left out, and how long that takes.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use meunier_execution::filter::{PrunedBy, prune};
use meunier_execution::predicate::{Interval, Predicate};
use meunier_segment::options::SegmentOptions;
use meunier_segment::partition_function::{PartitionFunction, PartitionHash};
use meunier_segment::segment_ref::SegmentRef;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;
use tempfile::TempDir;

use crate::events::{Event, SCORE, TS, USER, columns, consuming, events, passing, plain, sealed, within};

fn between(low: i64, high: i64) -> Predicate {
    let interval =
        Interval { low: Bound::Included(Value::Long(low)), high: Bound::Excluded(Value::Long(high)) };
    within(TS, interval)
}

fn missing() -> Predicate {
    Predicate::Null { column: SCORE, negated: false }
}

/// Four segments whose times follow on each other, the last one still consuming; then one without rows.
fn segments(directory: &TempDir) -> Vec<Segment> {
    let events = events(1_000, 8);
    let mut segments: Vec<Segment> = (0..3)
        .zip(events.chunks(250))
        .map(|(sequence, rows)| sealed(rows, &plain(), directory, sequence))
        .collect();
    for rows in [&events[750..], &[]] {
        segments.push(Segment::Consuming(consuming(rows, &plain(), 9).snapshot()));
    }
    segments
}

fn verdicts(predicate: &Predicate, segments: &[Segment]) -> String {
    let refs: Vec<SegmentRef<'_>> = segments.iter().map(SegmentRef::from).collect();
    let shown = prune(predicate, &columns(true), &refs).into_iter().map(|verdict| match verdict {
        None => '.',
        Some(PrunedBy::Empty) => 'e',
        Some(PrunedBy::Constant) => 'c',
        Some(PrunedBy::Bounds) => 'b',
        Some(PrunedBy::Nulls) => 'n',
        Some(PrunedBy::Partitions) => 'p',
    });
    shown.collect()
}

#[test]
fn segments_are_left_out_by_what_rules_them_out() {
    let directory = TempDir::new().unwrap();
    let segments = segments(&directory);
    let check = |predicate: &Predicate, expected: &str| {
        assert_eq!(verdicts(predicate, &segments), expected, "{predicate:?}");
        for (segment, verdict) in segments.iter().zip(expected.chars()) {
            let (found, _) = passing(predicate, &columns(true), segment);
            assert!(verdict == '.' || found.is_empty(), "{predicate:?} leaves rows out");
        }
    };
    check(&Predicate::True, "....e");
    check(&Predicate::False, "cccce");
    check(&between(2_500, 2_510), "b.bbe");
    check(&between(9_000, 20_000), "bbb.e");
    check(&Predicate::Or(vec![between(0, 10), between(5_000, 5_001)]), ".b.be");
    check(&Predicate::Or(Vec::new()), "....e");
    check(&Predicate::And(vec![between(0, 10), missing()]), ".bbbe");
    check(&Predicate::Or(vec![Predicate::False, between(0, 10)]), ".bbbe");
}

#[test]
fn segments_are_left_out_by_partition() {
    let directory = TempDir::new().unwrap();
    let function = PartitionFunction::new(PartitionHash::Murmur, 4).unwrap();
    let options = SegmentOptions {
        partitioned_columns: [("user".into(), function.clone())].into(),
        ..SegmentOptions::default()
    };
    let events = events(4_000, 11);
    let user = |user: &str| Value::String(user.into());
    // As a producer spreads them: a segment for each partition, and one with all of them.
    let mut segments: Vec<Segment> = (0..4)
        .map(|partition| {
            let mine = |event: &&Event| function.partition_of(&user(&event.user)) == Some(partition);
            let rows: Vec<Event> = events.iter().filter(mine).cloned().collect();
            sealed(&rows, &options, &directory, partition)
        })
        .collect();
    segments.push(sealed(&events, &options, &directory, 4));
    for event in events.iter().step_by(97) {
        let asked = within(USER, Interval::of(user(&event.user)));
        let mut expected = ['p'; 5];
        let partition = function.partition_of(&user(&event.user)).unwrap();
        expected[partition as usize] = '.';
        expected[4] = '.';
        // Texts in the bounds of every segment are told apart by their partition alone.
        let shown = verdicts(&asked, &segments).replace('b', "p");
        assert_eq!(shown, expected.iter().collect::<String>(), "{}", event.user);
        for (segment, verdict) in segments.iter().zip(shown.chars()) {
            let (found, _) = passing(&asked, &columns(false), segment);
            assert_eq!(found.is_empty(), verdict == 'p');
        }
    }
    let range = Interval { low: Bound::Included(user("user 1")), high: Bound::Included(user("user 2")) };
    assert_eq!(verdicts(&within(USER, range), &segments), ".....");
}

#[test]
#[ignore = "prints figures, checks nothing"]
fn ten_thousand_segments() {
    let directory = TempDir::new().unwrap();
    let events = events(160, 8);
    for (sequence, rows) in (0..).zip(events.chunks(10)) {
        sealed(rows, &plain(), &directory, sequence);
    }
    let open = |at: usize| {
        let path = directory.path().join(format!("segment {}", at % 16));
        Segment::Sealed(Arc::new(meunier_segment::sealed_segment::SealedSegment::open(&path).unwrap()))
    };
    let segments: Vec<Segment> = (0..10_000).map(open).collect();
    let conditions = [
        ("one range", between(100, 105)),
        ("and", Predicate::And(vec![between(100, 305), between(200, 300), between(0, 250)])),
        ("or", Predicate::Or(vec![between(100, 105), between(300, 302)])),
    ];
    for (name, predicate) in conditions {
        let mut times: Vec<u128> = (0..51)
            .map(|_| {
                let began = Instant::now();
                let refs: Vec<SegmentRef<'_>> = segments.iter().map(SegmentRef::from).collect();
                let kept = prune(&predicate, &columns(true), &refs);
                assert!(kept.contains(&None));
                began.elapsed().as_micros()
            })
            .collect();
        times.sort_unstable();
        println!("{name}: {} µs median, {} µs least", times[25], times[0]);
    }
}

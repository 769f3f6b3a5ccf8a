//! What is found once is not looked for again, and is the same.

use std::any::Any;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use meunier_execution::compute::Compute;
use meunier_execution::counters::ScanCounters;
use meunier_execution::error::Result;
use meunier_execution::predicate::{Interval, Predicate, Test};
use meunier_execution::predicate_cache::PredicateCache;
use meunier_execution::segment_work::{SegmentInput, SegmentWork};
use meunier_segment::options::SegmentOptions;
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;
use tempfile::TempDir;

use crate::events::{Event, SCORE, TS, USER, columns, events, plain, sealed, within};

/// Whether a text ends in these letters; counts how many values it looks at.
#[derive(Debug)]
struct EndsIn {
    letters: &'static str,
    looked_at: Arc<AtomicUsize>,
}

impl Compute for EndsIn {
    fn compute(&self, inputs: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.looked_at.fetch_add(rows, Ordering::Relaxed);
        let texts = inputs[0].as_string_view().iter();
        let holds = texts.map(|text| text.map(|text| text.ends_with(self.letters)));
        Ok(Arc::new(holds.collect::<BooleanArray>()))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(7)
    }

    fn is_same(&self, other: &dyn Compute) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<EndsIn>().is_some_and(|other| other.letters == self.letters)
    }
}

struct Bench {
    segments: Vec<Segment>,
    cache: Arc<PredicateCache>,
    is_used: bool,
    looked_at: Arc<AtomicUsize>,
    _directory: TempDir,
}

impl Bench {
    fn new(events: &[Event], options: &SegmentOptions, cache_bytes: u64) -> Bench {
        let directory = TempDir::new().unwrap();
        Bench {
            segments: vec![sealed(events, options, &directory, 0)],
            cache: Arc::new(PredicateCache::new(cache_bytes)),
            is_used: true,
            looked_at: Arc::default(),
            _directory: directory,
        }
    }

    fn ends_in(&self, letters: &'static str) -> Predicate {
        let truth = EndsIn { letters, looked_at: Arc::clone(&self.looked_at) };
        Predicate::Value { column: USER, test: Test::Truth(Arc::new(truth)) }
    }

    /// Returns the rows, and how many values filters read.
    fn ask(&self, predicate: &Predicate) -> (Vec<usize>, u64) {
        let counters = Arc::new(ScanCounters::default());
        let work = SegmentWork::new(SegmentInput {
            segments: self.segments.clone().into(),
            pruned: Arc::new([]),
            columns: columns(true),
            predicate: Arc::new(predicate.clone()),
            uses_indexes: true,
            numbers: Arc::default(),
            known: self.is_used.then(|| Arc::clone(&self.cache)),
            counters: Arc::clone(&counters),
        });
        let mut found = Vec::new();
        while let Some((piece, filter)) = work.take().unwrap() {
            let view = work.view(piece);
            let known = filter.known_count(&view);
            let rows = filter.select(&view, &counters).unwrap();
            assert!(known.is_none_or(|known| known == rows.len() as u64));
            rows.for_each(|row| found.push(view.first_row + row));
        }
        (found, ScanCounters::get(&counters.entries_in_filter))
    }
}

fn above(low: f64) -> Predicate {
    let low = Bound::Excluded(Value::Double(low));
    within(SCORE, Interval { low, high: Bound::Unbounded })
}

fn from(low: i64) -> Predicate {
    within(TS, Interval { low: Bound::Included(Value::Long(low)), high: Bound::Unbounded })
}

fn raw_texts() -> SegmentOptions {
    let mut options = plain();
    options.no_dictionary_columns.insert("user".into());
    options
}

#[test]
fn rows_are_found_once() {
    let events = events(150_000, 21);
    for options in [plain(), raw_texts()] {
        let bench = Bench::new(&events, &options, 1 << 24);
        let conditions = [
            above(9_000.0),
            bench.ends_in("77"),
            Predicate::And(vec![above(5_000.0), bench.ends_in("7")]),
            Predicate::And(vec![from(400_000), bench.ends_in("3")]),
            Predicate::Or(vec![above(11_000.0), bench.ends_in("12")]),
        ];
        for predicate in conditions {
            let (first, read) = bench.ask(&predicate);
            assert!(read > 0 && !first.is_empty(), "{predicate:?}");
            bench.looked_at.store(0, Ordering::Relaxed);
            let (second, read) = bench.ask(&predicate);
            assert_eq!(second, first, "{predicate:?}");
            assert_eq!((read, bench.looked_at.load(Ordering::Relaxed)), (0, 0), "{predicate:?}");
        }
        assert_eq!(bench.ask(&bench.ends_in("78")).0, ending(&events, "78"));
        assert_eq!(bench.ask(&bench.ends_in("77")).0, ending(&events, "77"));
    }
}

fn ending(events: &[Event], letters: &str) -> Vec<usize> {
    (0..events.len()).filter(|&row| events[row].user.ends_with(letters)).collect()
}

#[test]
fn a_part_that_saw_every_row_serves_other_conditions() {
    let events = events(150_000, 22);
    let bench = Bench::new(&events, &raw_texts(), 1 << 24);
    // Bounds decide the times of all chunks but one, and that one has all its rows here.
    bench.ask(&bench.ends_in("5"));
    bench.looked_at.store(0, Ordering::Relaxed);
    let (found, _) = bench.ask(&Predicate::And(vec![from(900_000), bench.ends_in("5")]));
    let expected = ending(&events, "5").into_iter().filter(|&row| events[row].ts >= 900_000);
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert_eq!(bench.looked_at.load(Ordering::Relaxed), 0);
}

#[test]
fn what_is_kept_stays_below_its_bytes() {
    let events = events(70_000, 23);
    let bench = Bench::new(&events, &plain(), 40_000);
    for step in 0..60 {
        bench.ask(&above(f64::from(step) * 100.0));
        assert!(bench.cache.memory_bytes() <= 40_000, "{}", bench.cache.memory_bytes());
    }
    let (found, _) = bench.ask(&above(300.0));
    let holds = |event: &Event| event.score.is_some_and(|score| score > 300.0);
    assert_eq!(found, (0..events.len()).filter(|&row| holds(&events[row])).collect::<Vec<_>>());
}

#[test]
fn nothing_is_kept_of_another_segment() {
    let bench = Bench::new(&events(1_000, 24), &plain(), 1 << 20);
    bench.ask(&above(5_000.0));
    assert_eq!(bench.cache.len(), 1);
    let rows = events(1_000, 25);
    let other = Bench { cache: Arc::clone(&bench.cache), ..Bench::new(&rows, &plain(), 0) };
    let holds = |event: &Event| event.score.is_some_and(|score| score > 5_000.0);
    let expected: Vec<usize> = (0..rows.len()).filter(|&row| holds(&rows[row])).collect();
    assert_eq!(other.ask(&above(5_000.0)).0, expected);
}

#[test]
#[ignore = "prints figures, checks nothing"]
fn figures() {
    let events = events(1_000_000, 26);
    for is_used in [false, true] {
        let bench = Bench { is_used, ..Bench::new(&events, &raw_texts(), 1 << 26) };
        for (name, predicate) in [("raw range", above(9_000.0)), ("text", bench.ends_in("77"))] {
            let mut times = Vec::new();
            for _ in 0..11 {
                let began = std::time::Instant::now();
                assert!(!bench.ask(&predicate).0.is_empty());
                times.push(began.elapsed().as_micros());
            }
            let first = times.remove(0);
            times.sort_unstable();
            println!("cache used {is_used}, {name}: first {first} µs, then {} µs median", times[5]);
        }
        println!("{} bytes kept", bench.cache.memory_bytes());
    }
}

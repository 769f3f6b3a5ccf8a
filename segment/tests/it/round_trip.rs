//! Rows go in by batches, and must come out of every form of a segment: snapshots taken on the way, sealed rows, serving
//! files, durable files, and what is sealed again from those.

use std::sync::Arc;

use meunier_segment::chunk::CHUNK_ROWS;
use meunier_segment::column::ColumnValues;
use meunier_segment::consuming_segment::{ConsumingSegment, ConsumingSnapshot};
use meunier_segment::offset_range::Offset;
use meunier_segment::schema::{DataType, Schema};
use meunier_segment::seal::{SealedRows, seal};
use meunier_segment::table_snapshot::Segment;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::check;
use crate::model::{ColumnPlan, Plan, Row, batch, mix};

/// Appends `rows` in batches of these sizes, the last one as large as what is left, and returns the snapshots that were
/// taken before every batch that `snapshot_at` names, with the rows they must hold.
fn consume(
    plan: &Plan,
    schema: &Schema,
    rows: &[Row],
    batch_rows: &[usize],
    snapshot_at: impl Fn(usize) -> bool,
) -> (ConsumingSegment, Vec<(usize, Arc<ConsumingSnapshot>)>) {
    let mut segment = plan.segment();
    let mut snapshots = Vec::new();
    let (all, all_offsets) = batch(rows, schema);
    let mut start = 0;
    for (index, &len) in batch_rows.iter().chain(std::iter::once(&usize::MAX)).enumerate() {
        let len = len.min(rows.len() - start);
        if snapshot_at(index) {
            snapshots.push((start, segment.snapshot()));
        }
        let before = segment.memory_bytes();
        let offsets = &all_offsets[start..start + len];
        // Decoders hand over whole arrays, replays hand over slices.
        if index % 2 == 0 {
            segment.append(&all.slice(start, len), offsets);
        } else {
            segment.append(&batch(&rows[start..start + len], schema).0, offsets);
        }
        start += len;
        assert!(len == 0 || segment.memory_bytes() > 0, "{before} bytes, then none");
        assert_eq!(segment.rows(), start);
    }
    (segment, snapshots)
}

/// Follows the rows of a plan through every form.
fn check_round_trip(plan: &Plan, row_count: usize, batch_rows: &[usize], snapshot_seed: u64) -> SealedRows {
    let (schema, rows) = (plan.schema(), plan.rows(row_count));
    let directory = tempfile::tempdir().unwrap();
    let (mut segment, snapshots) = consume(plan, &schema, &rows, batch_rows, |index| {
        mix(snapshot_seed ^ index as u64).is_multiple_of(5)
    });
    segment.advance_to(Offset(segment.range().end.0 + 3));
    let (frozen, rejects) = segment.freeze();
    assert!(rejects.is_empty());
    for (count, snapshot) in snapshots {
        check::segment(&Segment::Consuming(snapshot), &schema, &rows[..count]);
    }
    check::segment(&Segment::Consuming(Arc::clone(&frozen)), &schema, &rows);

    let expected = plan.sealed(&rows);
    let sealed = seal(&frozen, &plan.options()).expect("it seals");
    assert_eq!(sealed.range, frozen.range());
    check::sealed(&sealed, &expected, directory.path());

    let path = directory.path().join("durable");
    check::write_durable(&sealed, &path);
    let read =
        meunier_segment::durable::read(&path, &schema, &plan.options()).expect("the durable file is read");
    assert_eq!((read.range(), read.identity().created_ms), (frozen.range(), frozen.identity().created_ms));
    assert_eq!(
        (&read.identity().name, read.identity().partition),
        (&frozen.identity().name, frozen.identity().partition)
    );
    check::segment(&Segment::Consuming(Arc::clone(&read)), &schema, &expected);
    check::sealed(&seal(&read, &plan.options()).expect("it seals again"), &expected, directory.path());
    sealed
}

fn any_column() -> impl Strategy<Value = ColumnPlan> {
    let data_type = prop::sample::select(DataType::ALL.to_vec());
    let null_percent = prop::sample::select(vec![0, 0, 20, 100]);
    let distinct = prop::sample::select(vec![1, 4, 12, 300, 1 << 40]);
    (data_type, any::<bool>(), null_percent, distinct, any::<bool>(), any::<bool>()).prop_map(
        |(data_type, single_value, null_percent, distinct, own_default, no_dictionary)| ColumnPlan {
            data_type,
            single_value: single_value || data_type == DataType::Json,
            null_percent,
            distinct,
            own_default,
            no_dictionary,
        },
    )
}

fn any_plan() -> impl Strategy<Value = Plan> {
    (vec(any_column(), 1..7), any::<Option<prop::sample::Index>>(), any::<u64>()).prop_map(
        |(columns, sorted, seed)| Plan {
            sorted_column: sorted.map(|sorted| sorted.index(columns.len())),
            columns,
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_survive_every_form(
        plan in any_plan(),
        rows in 0..700_usize,
        batch_rows in vec(1..120_usize, 0..12),
        snapshots in any::<u64>(),
    ) {
        check_round_trip(&plan, rows, &batch_rows, snapshots);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hundreds_of_tiny_batches_merge(
        plan in any_plan(),
        batch_rows in vec(prop::sample::select(vec![1, 1, 1, 2, 3, 70]), 300..500),
        snapshots in any::<u64>(),
    ) {
        check_round_trip(&plan, batch_rows.iter().sum(), &batch_rows, snapshots);
    }
}

fn column(data_type: DataType, null_percent: u64, distinct: u64) -> ColumnPlan {
    ColumnPlan {
        data_type,
        single_value: true,
        null_percent,
        distinct,
        own_default: false,
        no_dictionary: false,
    }
}

#[test]
fn one_batch_crosses_three_chunk_borders() {
    let columns = vec![
        column(DataType::String, 10, 50),
        column(DataType::Long, 1, 1 << 40),
        ColumnPlan { single_value: false, ..column(DataType::Boolean, 10, 2) },
    ];
    let plan = Plan { columns, sorted_column: Some(0), seed: 1 };
    check_round_trip(&plan, 200_000, &[], 1);
}

#[test]
fn dictionaries_that_do_not_pay_are_given_up_at_the_chunk_border() {
    let columns = vec![
        column(DataType::String, 5, 1 << 40),
        ColumnPlan { own_default: true, ..column(DataType::BigDecimal, 5, 1 << 40) },
        column(DataType::Bytes, 0, 1 << 40),
        column(DataType::Int, 0, 1 << 40),
    ];
    let plan = Plan { columns, sorted_column: Some(1), seed: 2 };
    let batch_rows = [1, 40_000, 20_000, 5_535, 10, 14_000, 3];
    let sealed = check_round_trip(&plan, 80_000, &batch_rows, 2);
    for (index, column) in sealed.columns.iter().enumerate() {
        // The sorted column's ids are what its index counts in.
        let is_plain = matches!(column.column.values, ColumnValues::Plain(_));
        assert_eq!(is_plain, index != 1, "`{}` is stored plain", column.field.name);
    }
}

#[test]
fn the_tail_stays_short_however_small_the_batches() {
    let plan = Plan { columns: vec![column(DataType::Int, 0, 9)], sorted_column: None, seed: 3 };
    let (schema, rows) = (plan.schema(), plan.rows(9_000));
    let mut chunks_max = 0;
    let (mut segment, snapshots) = consume(&plan, &schema, &rows, &[1; 9_000], |index| index % 7 == 0);
    for (_, snapshot) in &snapshots {
        chunks_max = chunks_max.max(snapshot.chunk_rows().count());
    }
    assert!(chunks_max <= 7 * 6, "{chunks_max} chunks");
    assert!(segment.snapshot().chunk_rows().all(|rows| rows <= CHUNK_ROWS));
}

#[test]
fn memory_grows_with_rows_and_is_near_what_the_values_take() {
    let columns = vec![column(DataType::Long, 0, 1 << 40), column(DataType::String, 0, 1_000)];
    let plan = Plan { columns, sorted_column: None, seed: 4 };
    let (schema, rows) = (plan.schema(), plan.rows(100_000));
    for batch_rows in [vec![], vec![1_000; 99]] {
        let (segment, snapshots) = consume(&plan, &schema, &rows, &batch_rows, |_| true);
        // The rows that do not fill a chunk are there twice, for the writer and for readers, so memory shrinks with each
        // chunk that becomes full, and only then.
        let is_of_chunk = |snapshot: &ConsumingSnapshot, chunks| snapshot.rows() / CHUNK_ROWS == chunks;
        for chunks in 0..2 {
            let of_chunk = snapshots.iter().filter(|(_, snapshot)| is_of_chunk(snapshot, chunks));
            let sizes: Vec<usize> = of_chunk.map(|(_, snapshot)| snapshot.memory_bytes()).collect();
            assert!(sizes.is_sorted(), "memory shrank: {sizes:?}");
        }
        // A long, an offset and an id; the dictionary is small beside them.
        let least = 100_000 * (8 + 8 + 2);
        let memory = segment.memory_bytes();
        assert!((least..2 * least).contains(&memory), "{memory} bytes for at least {least}");
    }
}

#[test]
fn memory_of_a_dictionary_that_did_not_pay_is_given_back() {
    let plan = Plan { columns: vec![column(DataType::String, 0, 1 << 40)], sorted_column: None, seed: 4 };
    let (schema, rows) = (plan.schema(), plan.rows(CHUNK_ROWS));
    let (before, _) = consume(&plan, &schema, &rows[1..], &[], |_| false);
    let (after, _) = consume(&plan, &schema, &rows, &[], |_| false);
    let hash_table = CHUNK_ROWS * 16;
    assert!(
        after.memory_bytes() + hash_table < before.memory_bytes(),
        "hashes of values that are never sought again"
    );
}

#[test]
fn an_empty_segment_goes_every_way() {
    let all = DataType::ALL.map(|data_type| column(data_type, 0, 4));
    let lists = DataType::ALL.into_iter().filter(|data_type| *data_type != DataType::Json);
    let lists = lists.map(|data_type| ColumnPlan { single_value: false, ..column(data_type, 0, 4) });
    let plan = Plan { columns: all.into_iter().chain(lists).collect(), sorted_column: Some(0), seed: 5 };
    let sealed = check_round_trip(&plan, 0, &[], 0);
    for column in &sealed.columns {
        assert_eq!((&column.stats.min, &column.stats.max), (&None, &None), "bounds of no value");
    }
}

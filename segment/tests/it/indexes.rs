//! What a sealed segment has beside its rows: dictionaries, indexes, bounds of chunks, and a memory of its options.

use std::sync::Arc;

use meunier_segment::chunk::{CHUNK_ROWS, Wanted};
use meunier_segment::consuming_segment::ConsumingSegment;
use meunier_segment::index::BloomFilterSize;
use meunier_segment::offset_range::Offset;
use meunier_segment::options::{FunctionPair, PairFunction, SegmentOptions, StarTreeOptions};
use meunier_segment::schema::DataType;
use meunier_segment::seal::{IndexKind, seal};
use meunier_segment::table_snapshot::Segment;
use meunier_segment::value::Value;

use crate::check;
use crate::model::{ColumnPlan, Plan, Row, batch, identity};

fn column(data_type: DataType, distinct: u64) -> ColumnPlan {
    ColumnPlan {
        data_type,
        single_value: true,
        null_percent: 5,
        distinct,
        own_default: true,
        no_dictionary: false,
    }
}

/// Sorted by a text; a near unique number and a near unique text have an inverted index, so does a float.
fn plan() -> Plan {
    let columns = vec![
        column(DataType::String, 40),
        column(DataType::Long, 1 << 40),
        column(DataType::String, 1 << 40),
        column(DataType::Double, 90),
        column(DataType::Int, 1 << 40),
        ColumnPlan { no_dictionary: true, ..column(DataType::Long, 5) },
        column(DataType::Timestamp, 1 << 40),
    ];
    Plan { columns, sorted_column: Some(0), seed: 21 }
}

fn options(plan: &Plan) -> SegmentOptions {
    let name = |index: usize| Arc::clone(&plan.schema().fields()[index].name);
    SegmentOptions {
        inverted_columns: [name(0), name(1), name(2), name(3), name(5)].into(),
        range_columns: [name(0), name(6)].into(),
        bloom_columns: [name(2), name(4)].map(|name| (name, BloomFilterSize::default())).into(),
        ..plan.options()
    }
}

fn opened(plan: &Plan, rows: &[Row], options: &SegmentOptions) -> (tempfile::TempDir, Segment) {
    let mut segment = plan.segment();
    let (batch, offsets) = batch(rows, &plan.schema());
    segment.append(&batch, &offsets);
    let sealed = seal(&segment.freeze().0, options).expect("it seals");
    let directory = tempfile::tempdir().unwrap();
    let opened = check::write_and_open(&sealed, &directory.path().join("serving")).expect("it opens");
    (directory, Segment::Sealed(opened.into()))
}

#[test]
fn columns_have_the_indexes_that_were_asked_for() {
    let plan = plan();
    let (_directory, segment) = opened(&plan, &plan.rows(3_000), &options(&plan));
    let found: Vec<String> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let mut found = Vec::new();
            let mut note = |name: &str, is_there: bool| found.extend(is_there.then(|| name.to_owned()));
            note("dictionary", segment.dictionary(field).unwrap().is_some());
            note("sorted", segment.sorted_index(field).unwrap().is_some());
            note("inverted", segment.inverted_index(field).unwrap().is_some());
            note("range", segment.range_index(field).unwrap().is_some());
            note("bloom", segment.bloom_filter(field).unwrap().is_some());
            note("bounds", segment.chunk_bounds(field).iter().any(Option::is_some));
            found.join(" ")
        })
        .collect();
    let expected = [
        "dictionary sorted",
        "dictionary inverted bounds",
        "dictionary inverted bloom",
        // A NaN has no place between bounds.
        "dictionary inverted",
        "bloom bounds",
        "bounds",
        "range bounds",
    ];
    assert_eq!(found, expected);
}

#[test]
fn dimensions_of_star_trees_have_a_dictionary() {
    let plan = plan();
    let field = plan.schema().fields()[4].clone();
    let tree = StarTreeOptions { dimensions: vec![Arc::clone(&field.name)], ..StarTreeOptions::default() };
    for (trees, has_dictionary) in [(vec![], false), (vec![tree], true)] {
        let options = SegmentOptions { star_trees: trees, ..plan.options() };
        let (_directory, segment) = opened(&plan, &plan.rows(3_000), &options);
        assert_eq!(segment.dictionary(&field).unwrap().is_some(), has_dictionary);
    }
}

#[test]
fn indexes_name_the_rows_of_their_values() {
    let plan = plan();
    let rows = plan.rows(70_000);
    let (_directory, segment) = opened(&plan, &rows, &options(&plan));
    let schema = plan.schema();
    for index in [0, 1, 2, 3] {
        let field = &schema.fields()[index];
        let dictionary = segment.dictionary(field).unwrap().unwrap();
        let mut ids = Vec::new();
        for chunk in 0..segment.chunk_rows().len() {
            let column = segment.column(chunk, field).unwrap();
            let meunier_segment::column::ColumnValues::Ids { ids: part, dictionary: same } = column.values
            else {
                panic!("`{}` has ids", field.name);
            };
            assert!(Arc::ptr_eq(&same, &dictionary), "all chunks share a dictionary");
            part.extend_into(&mut ids);
        }
        let distinct = u32::try_from(dictionary.len()).unwrap();
        for id in [0, 1, distinct / 2, distinct - 1] {
            let rows: Vec<u32> =
                (0..).zip(&ids).filter(|&(_, &of_row)| of_row == id).map(|(row, _)| row).collect();
            if let Some(sorted) = segment.sorted_index(field).unwrap() {
                assert_eq!(sorted.rows(id..id + 1).collect::<Vec<_>>(), rows, "`{}`", field.name);
            } else {
                let inverted = segment.inverted_index(field).unwrap().unwrap();
                let found = inverted.rows(std::slice::from_ref(&(id..id + 1))).unwrap();
                assert_eq!(found.iter().collect::<Vec<_>>(), rows, "`{}`", field.name);
            }
        }
    }
}

#[test]
fn bounds_of_chunks_differ_where_their_rows_do() {
    let columns = vec![column(DataType::Long, 1 << 40)];
    let plan = Plan { columns, sorted_column: Some(0), seed: 5 };
    let (_directory, segment) = opened(&plan, &plan.rows(140_000), &plan.options());
    let schema = plan.schema();
    let field = &schema.fields()[0];
    let bounds: Vec<(Value, Value)> =
        segment.chunk_bounds(field).into_iter().map(|bounds| bounds.expect("known")).collect();
    for neighbours in bounds.windows(2) {
        let order = neighbours[0].1.compare(&neighbours[1].0);
        assert!(order.is_some_and(std::cmp::Ordering::is_le), "rows ascend: {bounds:?}");
    }
}

#[test]
fn a_segment_remembers_its_options() {
    let plan = plan();
    let rows = plan.rows(10);
    let mut all = vec![plan.options(), options(&plan), SegmentOptions::default()];
    let tree = StarTreeOptions {
        dimensions: vec!["a".into(), "b".into()],
        function_pairs: vec![FunctionPair { function: PairFunction::Count, column: None }],
        leaf_records_max: 10,
        ..StarTreeOptions::default()
    };
    let with_tree = |tree: StarTreeOptions| SegmentOptions { star_trees: vec![tree], ..plan.options() };
    all.push(with_tree(StarTreeOptions { leaf_records_max: 11, ..tree.clone() }));
    all.push(with_tree(StarTreeOptions { dimensions: vec!["ab".into()], ..tree.clone() }));
    all.push(with_tree(StarTreeOptions { skip_star_dimensions: vec!["b".into()], ..tree.clone() }));
    all.push(with_tree(StarTreeOptions {
        function_pairs: vec![FunctionPair { function: PairFunction::Sum, column: Some("a".into()) }],
        ..tree.clone()
    }));
    all.push(with_tree(tree));
    let mut seen = Vec::new();
    for options in &all {
        let (_directory, segment) = opened(&plan, &rows, options);
        let Segment::Sealed(segment) = segment else { unreachable!("it was sealed") };
        assert_eq!(segment.options_fingerprint(), options.fingerprint());
        assert!(!seen.contains(&options.fingerprint()), "two options have one fingerprint");
        assert!(segment.segment_indexes(IndexKind::StarTree).unwrap().is_empty());
        seen.push(options.fingerprint());
    }
    // The same in every release: files would be made again for nothing.
    assert_eq!(SegmentOptions::default().fingerprint(), 0xa09d_945a_1cd8_d6e5);
}

#[test]
fn consuming_segments_have_nothing_beside_their_rows() {
    let plan = plan();
    let mut segment = plan.segment();
    let (batch, offsets) = batch(&plan.rows(50), &plan.schema());
    segment.append(&batch, &offsets);
    let segment = Segment::Consuming(segment.snapshot());
    for field in plan.schema().fields() {
        assert!(segment.sorted_index(field).unwrap().is_none());
        assert!(segment.inverted_index(field).unwrap().is_none());
        assert!(segment.range_index(field).unwrap().is_none());
        assert!(segment.bloom_filter(field).unwrap().is_none());
        assert!(segment.chunk_bounds(field).is_empty());
    }
}

#[test]
fn a_consuming_segment_counts_the_indexes_that_queries_made() {
    let plan = Plan { columns: vec![column(DataType::Long, 1 << 40)], sorted_column: None, seed: 3 };
    let name = Arc::clone(&plan.schema().fields()[0].name);
    let options = SegmentOptions {
        inverted_columns: [Arc::clone(&name)].into(),
        no_dictionary_columns: [name].into(),
        ..plan.options()
    };
    let mut segment = ConsumingSegment::new(identity(), plan.schema(), &options, Offset(0));
    let (batch, offsets) = batch(&plan.rows(CHUNK_ROWS + 10), &plan.schema());
    segment.append(&batch, &offsets);
    let snapshot = segment.snapshot();
    let before = segment.memory_bytes();
    let readers = Segment::Consuming(snapshot);
    let wanted = [Value::Long(7)];
    let schema = plan.schema();
    let field = &schema.fields()[0];
    assert!(readers.rows_in_chunk(0, field, Wanted::Values(&wanted)).is_some());
    // Two positions of 16 bits and a bit for each row; the index of the second chunk is not made.
    let index = CHUNK_ROWS * 4 + CHUNK_ROWS / 8;
    assert_eq!(segment.memory_bytes(), before + index);
    assert!(readers.rows_in_chunk(0, field, Wanted::Values(&wanted)).is_some());
    assert_eq!(segment.memory_bytes(), before + index);
    assert_eq!(segment.snapshot().memory_bytes(), before + index);
}

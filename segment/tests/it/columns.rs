//! Slices, selections and defaults of columns, and lists that are all empty.

use arrow::array::UInt32Array;
use meunier_segment::column::Column;
use meunier_segment::offset_range::Offset;
use meunier_segment::offset_range::PartitionId;
use meunier_segment::schema::DataType;
use meunier_segment::seal::seal;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::table_snapshot::Segment;
use proptest::prelude::*;

use crate::check;
use crate::model::{Cell, ColumnPlan, Plan, Row, batch, mix};

/// One column of each type and shape; strings and bytes both with and without a dictionary.
pub(crate) fn all_types(distinct: u64) -> Plan {
    let column = |data_type, single_value, no_dictionary| ColumnPlan {
        data_type,
        single_value,
        null_percent: 15,
        distinct,
        own_default: no_dictionary,
        no_dictionary,
    };
    let single = DataType::ALL
        .into_iter()
        .flat_map(|data_type| [column(data_type, true, false), column(data_type, true, true)]);
    let lists = DataType::ALL.into_iter().filter(|data_type| *data_type != DataType::Json);
    let lists = lists.flat_map(|data_type| [column(data_type, false, false), column(data_type, false, true)]);
    Plan { columns: single.chain(lists).collect(), sorted_column: None, seed: 11 }
}

/// Returns the rows of a plan, sealed.
pub(crate) fn sealed_rows(plan: &Plan, rows: &[Row]) -> meunier_segment::seal::SealedRows {
    let mut segment = plan.segment();
    let (batch, offsets) = batch(rows, &plan.schema());
    segment.append(&batch, &offsets);
    seal(&segment.freeze().0, &plan.options()).expect("it seals")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slices_and_selections_are_those_of_the_rows(
        start in 0..250_usize,
        len in 0..50_usize,
        picked in proptest::collection::vec(0..50_u32, 0..80),
        distinct in prop::sample::select(vec![3_u64, 90, 1 << 40]),
    ) {
        let plan = all_types(distinct);
        let rows = plan.rows(300);
        let sealed = sealed_rows(&plan, &rows);
        let sliced = &rows[start..start + len];
        let picked: Vec<u32> = picked.into_iter().filter(|&row| (row as usize) < len).collect();
        let taken: Vec<Row> = picked.iter().map(|&row| sliced[row as usize].clone()).collect();
        for (index, column) in sealed.columns.iter().take(plan.columns.len()).enumerate() {
            let slice = column.column.slice(start, len);
            check::column(&slice, sliced, index, &column.field, "a slice");
            let take = slice.take(&UInt32Array::from(picked.clone())).expect("all rows exist");
            check::column(&take, &taken, index, &column.field, "a selection");
        }
    }
}

/// Other tests of this process decode more often meanwhile, and answer the same.
#[test]
fn columns_are_decoded_again_where_there_is_no_memory_to_keep_them() {
    let plan = all_types(300);
    let rows = plan.rows(1_500);
    let directory = tempfile::tempdir().unwrap();
    let opened =
        check::write_and_open(&sealed_rows(&plan, &rows), &directory.path().join("serving")).unwrap();
    let segment = Segment::Sealed(opened.into());
    let budget = 20_000;
    meunier_segment::serving::set_decoded_budget(budget);
    for _ in 0..2 {
        check::segment(&segment, &plan.schema(), &rows);
    }
    meunier_segment::serving::set_decoded_budget(usize::MAX);
    check::segment(&segment, &plan.schema(), &rows);
    assert!(meunier_segment::serving::decoded_bytes() > budget, "all columns stay");
}

#[test]
fn selecting_a_row_that_does_not_exist_is_an_error() {
    let plan = all_types(4);
    for column in sealed_rows(&plan, &plan.rows(10)).columns {
        assert!(column.column.take(&UInt32Array::from(vec![0, 10])).is_err(), "`{}`", column.field.name);
    }
}

#[test]
fn a_column_the_segment_does_not_have_holds_defaults() {
    let plan = all_types(4);
    let rows: Vec<Row> = plan.rows(20).into_iter().map(|row| Row { cells: vec![], ..row }).collect();
    for field in plan.schema().fields() {
        check::column(&Column::defaults(field, 20), &rows, 0, field, "defaults");
        check::column(&Column::defaults(field, 0), &[], 0, field, "no defaults");
    }
}

#[test]
fn segments_of_an_older_schema_answer_for_new_columns() {
    let old = Plan { columns: all_types(9).columns[..3].to_vec(), ..all_types(9) };
    let new = all_types(9);
    let rows = old.rows(50);
    let directory = tempfile::tempdir().unwrap();
    let sealed = sealed_rows(&old, &rows);
    let opened = check::write_and_open(&sealed, &directory.path().join("serving")).unwrap();
    let mut consuming = old.segment();
    let (batch, offsets) = batch(&rows, &old.schema());
    consuming.append(&batch, &offsets);
    for segment in [Segment::Sealed(opened.into()), Segment::Consuming(consuming.snapshot())] {
        for (index, field) in new.schema().fields().iter().enumerate() {
            check::column(&segment.column(0, field).unwrap(), &rows, index, field, "an evolved column");
            assert_eq!(segment.stats(field).is_some(), index < 3);
        }
    }
}

#[test]
fn lists_without_any_element_go_every_way() {
    let lists: Vec<ColumnPlan> =
        all_types(4).columns.into_iter().filter(|column| !column.single_value).collect();
    let plan = Plan { columns: lists, ..all_types(4) };
    let (schema, directory) = (plan.schema(), tempfile::tempdir().unwrap());
    let rows: Vec<Row> = plan
        .rows(9)
        .into_iter()
        .map(|row| Row { cells: vec![Cell::Many(vec![]); plan.columns.len()], ..row })
        .collect();
    let mut segment = plan.segment();
    let (batch, offsets) = batch(&rows, &schema);
    segment.append(&batch, &offsets);
    check::segment(&Segment::Consuming(segment.snapshot()), &schema, &rows);
    let sealed = seal(&segment.freeze().0, &plan.options()).expect("it seals");
    check::sealed(&sealed, &rows, directory.path());
    let path = directory.path().join("durable");
    check::write_durable(&sealed, &path);
    let read = meunier_segment::durable::read(&path, &schema, &plan.options()).expect("it is read");
    check::segment(&Segment::Consuming(read), &schema, &rows);
}

fn one_column() -> Plan {
    Plan { columns: all_types(4).columns[..1].to_vec(), ..all_types(4) }
}

#[test]
#[should_panic(expected = "lies before the segment's end")]
fn rows_from_before_the_end_are_a_bug() {
    let plan = one_column();
    let (batch, offsets) = batch(&plan.rows(3), &plan.schema());
    let mut segment = plan.segment();
    segment.append(&batch, &offsets);
    segment.append(&batch, &offsets);
}

#[test]
#[should_panic(expected = "every row has an offset")]
fn rows_without_offsets_are_a_bug() {
    let plan = one_column();
    let (batch, offsets) = batch(&plan.rows(3), &plan.schema());
    plan.segment().append(&batch, &offsets[1..]);
}

#[test]
#[should_panic(expected = "a batch has the schema's columns")]
fn rows_of_another_schema_are_a_bug() {
    let (batch, offsets) = batch(&all_types(4).rows(3), &all_types(4).schema());
    one_column().segment().append(&batch, &offsets);
}

#[test]
#[should_panic(expected = "lies before the segment's end")]
fn going_back_is_a_bug() {
    let mut segment = one_column().segment();
    segment.advance_to(Offset(0));
}

#[test]
fn segment_names_are_the_date_in_utc() {
    // Against a calendar of another kind: days counted one by one.
    let (mut year, mut month, mut day) = (1970, 1, 1);
    for days in 0..60_000_i64 {
        let minute = i64::try_from(mix(days.unsigned_abs()) % 1440).unwrap();
        let name = SegmentName::new("t", PartitionId(0), 1, (days * 1440 + minute) * 60_000 + 59_999);
        let (hour, minute) = (minute / 60, minute % 60);
        assert_eq!(name.as_str(), format!("t__0__1__{year:04}{month:02}{day:02}T{hour:02}{minute:02}Z"));
        day += 1;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if leap { 29 } else { 28 };
        if day > [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
}

//! The order of a sealed segment's rows.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    DataType as ArrowType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMillisecondType,
};

use crate::column::ColumnValues;
use crate::ids::Ids;

/// Returns the stable order of the rows by these values; `None` when they are in order already.
pub(super) fn order_of(values: &ColumnValues) -> Option<Vec<u32>> {
    match values {
        ColumnValues::Ids { ids, .. } if ids.is_sorted() => None,
        ColumnValues::Ids { ids, dictionary } => Some(match ids {
            Ids::U8(ids) => counted(ids, dictionary.len()),
            Ids::U16(ids) => counted(ids, dictionary.len()),
            Ids::U32(ids) => counted(ids, dictionary.len()),
        }),
        ColumnValues::Plain(array) => {
            let order = order_of_array(array);
            (!order.is_sorted()).then_some(order)
        }
        ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. } => None,
    }
}

/// Sorts by counting: a row's place is behind all rows of smaller ids and all earlier rows of its own.
fn counted<T: Copy + Into<u32>>(ids: &[T], distinct: usize) -> Vec<u32> {
    let mut places = vec![0_u32; distinct];
    for &id in ids {
        places[id.into() as usize] += 1;
    }
    let mut before = 0;
    for place in &mut places {
        before += std::mem::replace(place, before);
    }
    let mut order = vec![0_u32; ids.len()];
    for (row, &id) in (0_u32..).zip(ids) {
        let place = &mut places[id.into() as usize];
        order[*place as usize] = row;
        *place += 1;
    }
    order
}

fn order_of_array(array: &ArrayRef) -> Vec<u32> {
    let rows = u32::try_from(array.len()).expect("a segment has fewer than 2^32 rows");
    let mut order: Vec<u32> = (0..rows).collect();
    match array.data_type() {
        ArrowType::Int32 => sort_by_numbers(&mut order, array.as_primitive::<Int32Type>().values()),
        ArrowType::Int64 => sort_by_numbers(&mut order, array.as_primitive::<Int64Type>().values()),
        ArrowType::Timestamp(..) => {
            sort_by_numbers(&mut order, array.as_primitive::<TimestampMillisecondType>().values());
        }
        ArrowType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values();
            order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        }
        ArrowType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        }
        ArrowType::Utf8 => {
            let values = array.as_string::<i32>();
            order.sort_by_key(|&row| values.value(row as usize));
        }
        ArrowType::Binary => {
            let values = array.as_binary::<i32>();
            order.sort_by_key(|&row| values.value(row as usize));
        }
        ArrowType::Boolean => {
            let values = array.as_boolean();
            order.sort_by_key(|&row| values.value(row as usize));
        }
        ArrowType::Decimal256(..) => {
            sort_by_numbers(&mut order, array.as_primitive::<Decimal256Type>().values());
        }
        other => unreachable!("no column is stored as {other}"),
    }
    order
}

fn sort_by_numbers<T: Ord + Copy>(order: &mut [u32], values: &[T]) {
    order.sort_by_key(|&row| values[row as usize]);
}

//! Sorted dictionaries: which columns get one, and how it is made.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{SortOptions, sort_to_indices};
use arrow::datatypes::{
    DataType as ArrowType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use hashbrown::HashMap;

use crate::dictionary::{Dictionary, take_rows};
use crate::error::SegmentError;
use crate::ids::Ids;
use crate::schema::FieldRole;
use crate::serving::{plain_float_bytes, plain_integer_bytes};

/// Numbers get a dictionary of their own accord only up to so many distinct values, so that ids take at most 16 bits.
const NUMBER_DICTIONARY_MAX: usize = 1 << 16;
/// Numbers that lie closer together than this are counted in a table instead of being hashed.
const TABLE_MAX: u64 = 1 << 22;

/// Fewer keys are sorted by comparing them.
const RADIX_MIN: usize = 1 << 10;

/// Whether a column has a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Never.
    Plain,
    /// Where it pays.
    WherePays,
    /// In any case: an index counts in its ids.
    Always,
}

/// Returns the rank of each value of a growing dictionary, and the dictionary in order.
pub(super) fn sorted(dictionary: &Dictionary) -> Result<(Vec<u32>, Arc<Dictionary>), SegmentError> {
    let values = dictionary.stored_values()?;
    let order = sorted_rows(&values)?;
    let mut rank_of = vec![0_u32; values.len()];
    for (rank, &(_, id)) in (0_u32..).zip(&order) {
        rank_of[id as usize] = rank;
    }
    let order: Vec<u32> = order.into_iter().map(|(_, id)| id).collect();
    Ok((rank_of, Arc::new(Dictionary::of_values(take_rows(&values, &order.into())?, true))))
}

/// Returns ids and dictionary of plain values, where the choice is to have one.
pub(super) fn of_plain(
    array: &ArrayRef,
    choice: Choice,
    role: &FieldRole,
) -> Result<Option<(Ids, Arc<Dictionary>)>, SegmentError> {
    let is_number = matches!(
        array.data_type(),
        ArrowType::Int32
            | ArrowType::Int64
            | ArrowType::Timestamp(..)
            | ArrowType::Float32
            | ArrowType::Float64
    );
    let found = match choice {
        Choice::Plain => None,
        Choice::WherePays if !is_number || array.is_empty() => None,
        Choice::WherePays => {
            let distinct_max = NUMBER_DICTIONARY_MAX.min(array.len() / 2);
            match of_keys(&keys(array)?, distinct_max) {
                Some((ids, firsts)) if pays(array, &firsts, role)? => Some((ids, firsts)),
                Some(_) | None => None,
            }
        }
        Choice::Always => match is_number || array.data_type() == &ArrowType::Boolean {
            true => of_keys(&keys(array)?, usize::MAX),
            false => Some(of_sorting(array)?),
        },
    };
    let Some((ids, firsts)) = found else { return Ok(None) };
    let values = take_rows(array, &firsts.into())?;
    let ids = Ids::narrow(ids, values.len());
    Ok(Some((ids, Arc::new(Dictionary::of_values(values, true)))))
}

/// Returns whether ids and a dictionary take less than the values. Metrics are summed rather than grouped, which plain
/// values do faster, so that a dictionary must save some; dimensions are grouped and filtered, which ids do faster.
fn pays(array: &ArrayRef, firsts: &[u32], role: &FieldRole) -> Result<bool, SegmentError> {
    let plain = plain_bytes(array);
    let values = take_rows(array, &firsts.to_vec().into())?;
    let id_bits = (values.len().max(2) - 1).ilog2() as usize + 1;
    let with_ids = array.len() * id_bits / 8 + plain_bytes(&values);
    Ok(match role {
        FieldRole::Metric => with_ids < plain - plain / 10,
        FieldRole::Dimension | FieldRole::DateTime { .. } | FieldRole::Complex(_) => {
            with_ids < plain + plain / 10
        }
    })
}

/// Returns about how many bytes numbers take without a dictionary.
fn plain_bytes(array: &ArrayRef) -> usize {
    match array.data_type() {
        ArrowType::Int32 => {
            let values: Vec<i64> =
                array.as_primitive::<Int32Type>().values().iter().map(|&value| i64::from(value)).collect();
            plain_integer_bytes(&values).min(array.len() * 4)
        }
        ArrowType::Float32 => plain_float_bytes(array.as_primitive::<Float32Type>().values()),
        ArrowType::Float64 => plain_float_bytes(array.as_primitive::<Float64Type>().values()),
        _ => plain_integer_bytes(&array.to_data().buffer::<i64>(0)[..array.len()]).min(array.len() * 8),
    }
}

/// Returns for each value a number that compares as it does.
fn keys(array: &ArrayRef) -> Result<Vec<u64>, SegmentError> {
    const SIGN: u64 = 1 << 63;
    let signed = |value: i64| value.cast_unsigned() ^ SIGN;
    // Bits of negative floats count backwards.
    let float = |bits: u64| if bits & SIGN == 0 { bits | SIGN } else { !bits };
    Ok(match array.data_type() {
        ArrowType::Int32 => {
            array.as_primitive::<Int32Type>().values().iter().map(|&value| signed(i64::from(value))).collect()
        }
        ArrowType::Int64 => {
            array.as_primitive::<Int64Type>().values().iter().map(|&value| signed(value)).collect()
        }
        ArrowType::Timestamp(..) => {
            array.as_primitive::<TimestampMillisecondType>().values().iter().map(|&v| signed(v)).collect()
        }
        ArrowType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values();
            values.iter().map(|value| float(u64::from(value.to_bits()) << 32)).collect()
        }
        ArrowType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            values.iter().map(|value| float(value.to_bits())).collect()
        }
        ArrowType::Boolean => array.as_boolean().values().iter().map(u64::from).collect(),
        other => unreachable!("{other} values are not numbers"),
    })
}

/// Ids of the rows, counted in the order of the values, and for each id a row that has it.
type Ranked = (Vec<u32>, Vec<u32>);

/// Returns ids by these keys; `None` when there are more than `distinct_max`.
fn of_keys(keys: &[u64], distinct_max: usize) -> Option<Ranked> {
    let (min, max) = (keys.iter().min().copied().unwrap_or(0), keys.iter().max().copied().unwrap_or(0));
    if max - min < TABLE_MAX {
        return of_near_keys(keys, min, max, distinct_max);
    }
    if distinct_max > NUMBER_DICTIONARY_MAX {
        Some(of_many_keys(keys))
    } else {
        of_few_keys(keys, distinct_max)
    }
}

fn of_near_keys(keys: &[u64], min: u64, max: u64, distinct_max: usize) -> Option<Ranked> {
    const NONE: u32 = u32::MAX;
    let place = |key: u64| usize::try_from(key - min).expect("the table is small");
    let mut table = vec![NONE; place(max) + 1];
    for (row, &key) in (0_u32..).zip(keys) {
        table[place(key)] = row;
    }
    let mut firsts = Vec::new();
    for slot in table.iter_mut().filter(|slot| **slot != NONE) {
        let rank = u32::try_from(firsts.len()).expect("there are fewer ids than rows");
        firsts.push(std::mem::replace(slot, rank));
    }
    if firsts.len() > distinct_max {
        return None;
    }
    Some((keys.iter().map(|&key| table[place(key)]).collect(), firsts))
}

fn of_few_keys(keys: &[u64], distinct_max: usize) -> Option<Ranked> {
    let mut id_of: HashMap<u64, u32, foldhash::fast::FixedState> = HashMap::default();
    let mut firsts = Vec::new();
    let mut ids = Vec::with_capacity(keys.len());
    for (row, &key) in (0_u32..).zip(keys) {
        let next = u32::try_from(firsts.len()).expect("there are fewer ids than rows");
        let id = *id_of.entry(key).or_insert(next);
        if id == next {
            if firsts.len() == distinct_max {
                return None;
            }
            firsts.push(row);
        }
        ids.push(id);
    }
    let mut by_rank: Vec<u32> = (0..u32::try_from(firsts.len()).expect("as above")).collect();
    by_rank.sort_unstable_by_key(|&id| keys[firsts[id as usize] as usize]);
    let mut rank_of = vec![0; by_rank.len()];
    for (rank, &id) in (0_u32..).zip(&by_rank) {
        rank_of[id as usize] = rank;
    }
    for id in &mut ids {
        *id = rank_of[*id as usize];
    }
    Some((ids, by_rank.iter().map(|&id| firsts[id as usize]).collect()))
}

fn of_many_keys(keys: &[u64]) -> Ranked {
    let keyed = sorted_by_key(keys.iter().copied().zip(0..).collect());
    ranked(&keyed, |_, _| true)
}

/// Returns ids of texts, bytes and decimals.
fn of_sorting(array: &ArrayRef) -> Result<Ranked, SegmentError> {
    let is_same = equality(array);
    Ok(ranked(&sorted_rows(array)?, |a, b| is_same(a as usize, b as usize)))
}

/// Counts ids through sorted rows: a row has the id of the row before if their keys are equal and so are their values.
fn ranked(keyed: &[Keyed], is_same: impl Fn(u32, u32) -> bool) -> Ranked {
    let mut ids = vec![0; keyed.len()];
    let mut firsts: Vec<u32> = Vec::new();
    let mut first_key = None;
    for &(key, row) in keyed {
        let is_known = first_key == Some(key) && firsts.last().is_some_and(|&first| is_same(first, row));
        if !is_known {
            firsts.push(row);
            first_key = Some(key);
        }
        ids[row as usize] = u32::try_from(firsts.len() - 1).expect("there are fewer ids than rows");
    }
    (ids, firsts)
}

/// A row under a number that compares as its value does, or is equal where the number does not tell.
type Keyed = (u64, u32);

/// Returns the rows of texts, bytes or decimals in the order of their values.
fn sorted_rows(array: &ArrayRef) -> Result<Vec<Keyed>, SegmentError> {
    match array.data_type() {
        ArrowType::Utf8 => {
            let texts = array.as_string::<i32>();
            Ok(sorted_texts(array.len(), |row| texts.value(row as usize).as_bytes()))
        }
        ArrowType::Binary => {
            let values = array.as_binary::<i32>();
            Ok(sorted_texts(array.len(), |row| values.value(row as usize)))
        }
        _ => {
            let order = sort_to_indices(array, Some(SortOptions::default()), None)?;
            Ok(order.values().iter().map(|&row| (0, row)).collect())
        }
    }
}

/// Sorts by eight bytes behind those that all texts begin with; only where these are equal are texts compared.
fn sorted_texts<'a>(count: usize, text: impl Fn(u32) -> &'a [u8]) -> Vec<Keyed> {
    let rows = 0..u32::try_from(count).expect("a segment has fewer than 2^32 rows");
    let Some(first) = rows.clone().next().map(&text) else { return Vec::new() };
    let shared = rows.clone().fold(first.len(), |shared, row| {
        first[..shared].iter().zip(text(row)).take_while(|(a, b)| a == b).count()
    });
    let key = |row: u32| {
        let rest = &text(row)[shared..];
        let mut bytes = [0; 8];
        let len = rest.len().min(8);
        bytes[..len].copy_from_slice(&rest[..len]);
        u64::from_be_bytes(bytes)
    };
    let mut keyed = sorted_by_key(rows.map(|row| (key(row), row)).collect());
    for equal in keyed.chunk_by_mut(|a, b| a.0 == b.0).filter(|equal| equal.len() > 1) {
        equal.sort_unstable_by_key(|&(_, row)| text(row));
    }
    keyed
}

/// Sorts by key, stable: byte by byte from the least significant one, leaving out bytes that all keys share.
fn sorted_by_key(mut keyed: Vec<Keyed>) -> Vec<Keyed> {
    if keyed.len() < RADIX_MIN {
        keyed.sort_by_key(|&(key, _)| key);
        return keyed;
    }
    let varying = keyed.iter().fold(0, |varying, &(key, _)| varying | (key ^ keyed[0].0));
    let mut target = vec![(0, 0); keyed.len()];
    for shift in (0..u64::BITS).step_by(8).filter(|shift| varying >> shift & 0xff != 0) {
        let digit = |key: u64| usize::from((key >> shift).to_le_bytes()[0]);
        let mut places = [0; 256];
        for &(key, _) in &keyed {
            places[digit(key)] += 1;
        }
        let mut before = 0;
        for place in &mut places {
            before += std::mem::replace(place, before);
        }
        for &(key, row) in &keyed {
            let place = &mut places[digit(key)];
            target[*place] = (key, row);
            *place += 1;
        }
        std::mem::swap(&mut keyed, &mut target);
    }
    keyed
}

fn equality(array: &ArrayRef) -> Box<dyn Fn(usize, usize) -> bool + '_> {
    match array.data_type() {
        ArrowType::Utf8 => {
            let texts = array.as_string::<i32>();
            Box::new(move |a, b| texts.value(a) == texts.value(b))
        }
        ArrowType::Binary => {
            let values = array.as_binary::<i32>();
            Box::new(move |a, b| values.value(a) == values.value(b))
        }
        _ => {
            let values = array.as_primitive::<arrow::datatypes::Decimal256Type>();
            Box::new(move |a, b| values.value(a) == values.value(b))
        }
    }
}

/// Returns a plain array of the values of these ids.
pub(super) fn plain(ids: &Ids, dictionary: &Dictionary) -> Result<ArrayRef, SegmentError> {
    let ids: UInt32Array = ids.to_u32();
    Ok(take_rows(&dictionary.stored_values()?, &ids)?)
}

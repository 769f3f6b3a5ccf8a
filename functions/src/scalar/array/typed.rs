//! Functions of arrays that have the elements' type in their name.

use std::collections::HashSet;
use std::hash::Hash;

use crate::description::FunctionGroup::Array;
use crate::scalar::call::Fault;
use crate::scalar::function::{Function, Overload};
use crate::scalar::number::count_to_int;
use crate::scalar::rows::{
    Double, Doubles, Float, Floats, Int, Ints, Long, Longs, Text, Texts, fault, row1, row2, row3,
};
use crate::scalar::sink::check_value;

pub(super) fn functions() -> Vec<Function> {
    let mut functions = of_ints_and_texts();
    functions.extend(of_all_types());
    functions.push(Function::new(
        Array,
        &["intersectIndices"],
        "intersectIndices(first, second)",
        "The numbers that are in both arrays, which are in order.",
        [row2::<Ints, Ints, _>(|first, second| in_both(&first, &second))],
    ));
    functions.push(Function::new(
        Array,
        &["arraySumInt"],
        "arraySumInt(array)",
        "The sum as an INT.",
        [row1::<Ints, _>(|array| array.into_iter().fold(0, i32::wrapping_add))],
    ));
    functions.push(Function::new(
        Array,
        &["arraySumLong"],
        "arraySumLong(array)",
        "The sum as a LONG.",
        [row1::<Longs, _>(|array| array.into_iter().fold(0, i64::wrapping_add))],
    ));
    functions
}

/// One function for each of the types, told apart by the end of the name.
macro_rules! family {
    ($functions:ident, $name:literal, $parameters:literal, $text:literal, [$($suffix:literal => $overload:expr),+ $(,)?]) => {
        $functions.extend([$(Function::new(
            Array,
            &[concat!($name, $suffix)],
            concat!($name, $suffix, $parameters),
            $text,
            [$overload],
        )),+]);
    };
}

fn of_ints_and_texts() -> Vec<Function> {
    let mut functions: Vec<Function> = Vec::new();
    family!(functions, "arrayReverse", "(array)", "The elements from the last to the first.", [
        "Int" => row1::<Ints, _>(reversed::<i32>), "String" => row1::<Texts, _>(reversed::<String>),
    ]);
    family!(functions, "arraySort", "(array)", "The elements in order.", [
        "Int" => row1::<Ints, _>(sorted::<i32>), "String" => row1::<Texts, _>(sorted::<String>),
    ]);
    family!(functions, "arrayIndexOf", "(array, element)", "The place of an element, from 0; -1 where it is not there.", [
        "Int" => row2::<Ints, Int, _>(|array, element| place(&array, &element)),
        "String" => row2::<Texts, Text, _>(|array, element| place(&array, &element.to_owned())),
    ]);
    family!(functions, "arrayContains", "(array, element)", "Whether an element is there.", [
        "Int" => row2::<Ints, Int, _>(|array, element| array.contains(&element)),
        "String" => row2::<Texts, Text, _>(|array, element| array.iter().any(|known| known == element)),
    ]);
    family!(functions, "arrayDistinct", "(array)", "The elements, each once.", [
        "Int" => row1::<Ints, _>(distinct::<i32>), "String" => row1::<Texts, _>(distinct::<String>),
    ]);
    family!(functions, "arrayRemove", "(array, element)", "The array without the first of an element.", [
        "Int" => row2::<Ints, Int, _>(|array, element| without(array, &element)),
        "String" => row2::<Texts, Text, _>(|array, element| without(array, &element.to_owned())),
    ]);
    family!(functions, "arrayUnion", "(first, second)", "The elements of both arrays, each once.", [
        "Int" => row2::<Ints, Ints, _>(|first, second| distinct(joined(first, second))),
        "String" => row2::<Texts, Texts, _>(|first, second| distinct(joined(first, second))),
    ]);
    family!(functions, "arraySlice", "(array, begin, end)", "The elements from a place, from 0, up to before another.", [
        "Int" => row3::<Ints, Int, Int, _>(|array, begin, end| slice(&array, begin, end, &0)),
        "Long" => row3::<Longs, Int, Int, _>(|array, begin, end| slice(&array, begin, end, &0)),
        "String" => row3::<Texts, Int, Int, _>(|array, begin, end| slice(&array, begin, end, &String::new())),
    ]);
    functions
}

fn of_all_types() -> Vec<Function> {
    let mut functions: Vec<Function> = Vec::new();
    family!(functions, "arrayIndexesOf", "(array, element)", "All places of an element, from 0.", [
        "Int" => row2::<Ints, Int, _>(|array, element| places(&array, &element)),
        "Long" => row2::<Longs, Long, _>(|array, element| places(&array, &element)),
        "Float" => row2::<Floats, Float, _>(|array, element| places(&array, &element)),
        "Double" => row2::<Doubles, Double, _>(|array, element| places(&array, &element)),
        "String" => row2::<Texts, Text, _>(|array, element| places(&array, &element.to_owned())),
    ]);
    family!(functions, "arrayConcat", "(first, second)", "The elements of one array and of another.", [
        "Int" => row2::<Ints, Ints, _>(joined::<i32>),
        "Long" => row2::<Longs, Longs, _>(joined::<i64>),
        "Float" => row2::<Floats, Floats, _>(joined::<f32>),
        "Double" => row2::<Doubles, Doubles, _>(joined::<f64>),
        "String" => row2::<Texts, Texts, _>(joined::<String>),
    ]);
    family!(functions, "arrayPushBack", "(array, element)", "The array with one more element at its end.", [
        "Int" => row2::<Ints, Int, _>(|array, element| joined(array, vec![element])),
        "Long" => row2::<Longs, Long, _>(|array, element| joined(array, vec![element])),
        "Float" => row2::<Floats, Float, _>(|array, element| joined(array, vec![element])),
        "Double" => row2::<Doubles, Double, _>(|array, element| joined(array, vec![element])),
        "String" => row2::<Texts, Text, _>(|array, element| joined(array, vec![element.to_owned()])),
    ]);
    family!(functions, "arrayPushFront", "(array, element)", "The array with one more element at its begin.", [
        "Int" => row2::<Ints, Int, _>(|array, element| joined(vec![element], array)),
        "Long" => row2::<Longs, Long, _>(|array, element| joined(vec![element], array)),
        "Float" => row2::<Floats, Float, _>(|array, element| joined(vec![element], array)),
        "Double" => row2::<Doubles, Double, _>(|array, element| joined(vec![element], array)),
        "String" => row2::<Texts, Text, _>(|array, element| joined(vec![element.to_owned()], array)),
    ]);
    family!(functions, "arrayElementAt", "(array, place)", "The element at a place, from 1; 0 or '' where there is none.", [
        "Int" => row2::<Ints, Int, _>(element),
        "Long" => row2::<Longs, Int, _>(element),
        "Float" => row2::<Floats, Int, _>(element),
        "Double" => row2::<Doubles, Int, _>(element),
        "String" => row2::<Texts, Int, _>(element),
    ]);
    functions.extend(generators());
    functions
}

fn generators() -> Vec<Function> {
    vec![
        Function::new(
            Array,
            &["generateIntArray"],
            "generateIntArray(first, last, step)",
            "The INTs from one up to another by a step.",
            [generated_ints()],
        ),
        Function::new(
            Array,
            &["generateLongArray"],
            "generateLongArray(first, last, step)",
            "The LONGs from one up to another by a step.",
            [row3::<Long, Long, Long, _>(|first, last, step| {
                let count = count_of(i128::from(last) - i128::from(first), i128::from(step), 8)?;
                let values = std::iter::successors(Some(first), |value| Some(value.wrapping_add(step)));
                Ok::<Vec<i64>, Fault>(values.take(count).collect())
            })],
        ),
        Function::new(
            Array,
            &["generateFloatArray"],
            "generateFloatArray(first, last, step)",
            "The FLOATs from one up to another by a step.",
            [row3::<Float, Float, Float, _>(|first, last, step| {
                let count = count_of_steps(f64::from((last - first) / step), 4)?;
                Ok::<Vec<f32>, Fault>(
                    std::iter::successors(Some(first), |value| Some(value + step)).take(count).collect(),
                )
            })],
        ),
        Function::new(
            Array,
            &["generateDoubleArray"],
            "generateDoubleArray(first, last, step)",
            "The DOUBLEs from one up to another by a step.",
            [row3::<Double, Double, Double, _>(|first, last, step| {
                let count = count_of_steps((last - first) / step, 8)?;
                Ok::<Vec<f64>, Fault>(
                    std::iter::successors(Some(first), |value| Some(value + step)).take(count).collect(),
                )
            })],
        ),
    ]
}

fn generated_ints() -> Overload {
    row3::<Int, Int, Int, _>(|first, last, step| {
        let count = count_of(i128::from(last) - i128::from(first), i128::from(step), 4)?;
        let values = std::iter::successors(Some(first), |value| Some(value.wrapping_add(step)));
        Ok::<Vec<i32>, Fault>(values.take(count).collect())
    })
}

/// Returns how many values lie on the way, which must not be too many.
fn count_of(distance: i128, step: i128, bytes: usize) -> Result<usize, Fault> {
    let Some(steps) = distance.checked_div(step) else { return fault("the step is 0") };
    let Ok(count) = usize::try_from(steps + 1) else {
        return fault("the step leads away from the last number");
    };
    check_value(count.saturating_mul(bytes))?;
    Ok(count)
}

fn count_of_steps(steps: f64, bytes: usize) -> Result<usize, Fault> {
    if !steps.is_finite() {
        return fault("the step is 0, or a number is not finite");
    }
    count_of(i128::from(crate::scalar::number::double_to_long(steps)), 1, bytes)
}

fn reversed<T>(mut array: Vec<T>) -> Vec<T> {
    array.reverse();
    array
}

fn sorted<T: Ord>(mut array: Vec<T>) -> Vec<T> {
    array.sort();
    array
}

fn place<T: PartialEq>(array: &[T], element: &T) -> i32 {
    array.iter().position(|known| known == element).map_or(-1, count_to_int)
}

fn places<T: PartialEq>(array: &[T], element: &T) -> Vec<i32> {
    let found = array.iter().enumerate().filter(|(_, known)| *known == element);
    found.map(|(place, _)| count_to_int(place)).collect()
}

fn distinct<T: Clone + Eq + Hash>(array: Vec<T>) -> Vec<T> {
    let mut known = HashSet::with_capacity(array.len());
    array.into_iter().filter(|element| known.insert(element.clone())).collect()
}

fn without<T: PartialEq>(mut array: Vec<T>, element: &T) -> Vec<T> {
    if let Some(place) = array.iter().position(|known| known == element) {
        array.remove(place);
    }
    array
}

fn joined<T>(mut first: Vec<T>, second: Vec<T>) -> Vec<T> {
    first.extend(second);
    first
}

fn element<T: Default>(array: Vec<T>, place: i32) -> T {
    let place = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
    place.and_then(|place| array.into_iter().nth(place)).unwrap_or_default()
}

/// Java's copy of a range: it goes on with `filler` after the end of the array.
fn slice<T: Clone>(array: &[T], begin: i32, end: i32, filler: &T) -> Result<Vec<T>, Fault> {
    let (Ok(begin), Ok(end)) = (usize::try_from(begin), usize::try_from(end)) else {
        return fault("places of an array are not negative");
    };
    if begin > array.len() || begin > end {
        return fault(format!("the array has {} elements, none from {begin} to {end}", array.len()));
    }
    check_value((end - begin).saturating_mul(size_of::<T>()))?;
    Ok((begin..end).map(|place| array.get(place).unwrap_or(filler).clone()).collect())
}

fn in_both(first: &[i32], second: &[i32]) -> Vec<i32> {
    let mut found = Vec::new();
    let mut wanted = second.iter().peekable();
    for element in first {
        if wanted.next_if_eq(&element).is_some() {
            found.push(*element);
        }
    }
    found
}

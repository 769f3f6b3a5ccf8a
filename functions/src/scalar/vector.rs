//! Functions of vectors: arrays of FLOAT.

use super::call::Fault;
use super::function::Function;
use super::number::count_to_int;
use super::rows::{Double, Floats, fault, row1, row2, row3};
use crate::description::FunctionGroup::Vector;

/// Returns the functions of vectors.
pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Vector,
            &["cosineDistance"],
            "cosineDistance(first, second[, default])",
            "1 less the cosine between two vectors; the default, or NaN, where one has no direction.",
            [
                row2::<Floats, Floats, _>(|first, second| cosine_distance(&first, &second, f64::NAN)),
                row3::<Floats, Floats, Double, _>(|first, second, default| {
                    cosine_distance(&first, &second, default)
                }),
            ],
        ),
        Function::new(
            Vector,
            &["innerProduct", "dotProduct"],
            "innerProduct(first, second)",
            "The inner product.",
            [row2::<Floats, Floats, _>(|first, second| summed(&first, &second, |a, b| f64::from(a * b)))],
        ),
        Function::new(
            Vector,
            &["l1Distance"],
            "l1Distance(first, second)",
            "The sum of the distances in each dimension.",
            [row2::<Floats, Floats, _>(|first, second| {
                summed(&first, &second, |a, b| f64::from((a - b).abs()))
            })],
        ),
        Function::new(
            Vector,
            &["l2Distance"],
            "l2Distance(first, second)",
            "The distance.",
            [row2::<Floats, Floats, _>(|first, second| squares(&first, &second).map(f64::sqrt))],
        ),
        Function::new(
            Vector,
            &["euclideanDistance"],
            "euclideanDistance(first, second)",
            "The square of the distance.",
            [row2::<Floats, Floats, _>(|first, second| squares(&first, &second))],
        ),
        Function::new(
            Vector,
            &["vectorDims"],
            "vectorDims(vector)",
            "How many dimensions the vector has.",
            [row1::<Floats, _>(|vector| not_empty(&vector).map(|()| count_to_int(vector.len())))],
        ),
        Function::new(
            Vector,
            &["vectorNorm"],
            "vectorNorm(vector)",
            "The vector's length.",
            [row1::<Floats, _>(|vector| not_empty(&vector).map(|()| norm(&vector).sqrt()))],
        ),
    ]
}

/// Products and differences are of FLOAT, sums of DOUBLE, as Pinot's are.
fn summed(first: &[f32], second: &[f32], each: fn(f32, f32) -> f64) -> Result<f64, Fault> {
    if first.len() != second.len() {
        return fault(format!("the vectors have {} and {} dimensions", first.len(), second.len()));
    }
    Ok(first.iter().zip(second).map(|(a, b)| each(*a, *b)).sum())
}

fn squares(first: &[f32], second: &[f32]) -> Result<f64, Fault> {
    summed(first, second, |a, b| f64::from(a - b).powi(2))
}

fn norm(vector: &[f32]) -> f64 {
    vector.iter().map(|part| f64::from(*part).powi(2)).sum()
}

fn cosine_distance(first: &[f32], second: &[f32], default: f64) -> Result<f64, Fault> {
    let product = summed(first, second, |a, b| f64::from(a * b))?;
    let norms = (norm(first), norm(second));
    if norms.0 == 0.0 || norms.1 == 0.0 {
        return Ok(default);
    }
    Ok(1.0 - product / (norms.0.sqrt() * norms.1.sqrt()))
}

fn not_empty(vector: &[f32]) -> Result<(), Fault> {
    if vector.is_empty() { fault("the vector has no dimension") } else { Ok(()) }
}

//! Functions of angles, in radians.

use super::doubles;
use crate::description::FunctionGroup::Trigonometry;
use crate::scalar::function::Function;
use crate::scalar::rows::{Double, row2};

pub(super) fn functions() -> Vec<Function> {
    let angle = |names, signature, text, compute| {
        Function::new(Trigonometry, names, signature, text, [doubles(compute)])
    };
    vec![
        angle(&["sin"], "sin(angle)", "The sine.", f64::sin),
        angle(&["cos"], "cos(angle)", "The cosine.", f64::cos),
        angle(&["tan"], "tan(angle)", "The tangent.", f64::tan),
        angle(&["cot"], "cot(angle)", "The cotangent.", |angle| 1.0 / angle.tan()),
        angle(&["asin"], "asin(number)", "The angle of a sine.", f64::asin),
        angle(&["acos"], "acos(number)", "The angle of a cosine.", f64::acos),
        angle(&["atan"], "atan(number)", "The angle of a tangent.", f64::atan),
        angle(&["sinh"], "sinh(number)", "The hyperbolic sine.", f64::sinh),
        angle(&["cosh"], "cosh(number)", "The hyperbolic cosine.", f64::cosh),
        angle(&["tanh"], "tanh(number)", "The hyperbolic tangent.", f64::tanh),
        angle(&["asinh"], "asinh(number)", "The number of a hyperbolic sine.", f64::asinh),
        angle(&["acosh"], "acosh(number)", "The number of a hyperbolic cosine.", f64::acosh),
        angle(&["atanh"], "atanh(number)", "The number of a hyperbolic tangent.", f64::atanh),
        angle(&["degrees"], "degrees(angle)", "The angle in degrees.", f64::to_degrees),
        angle(&["radians"], "radians(degrees)", "The angle in radians.", f64::to_radians),
        Function::new(
            Trigonometry,
            &["atan2"],
            "atan2(y, x)",
            "The angle of a point.",
            [row2::<Double, Double, _>(f64::atan2)],
        ),
    ]
}

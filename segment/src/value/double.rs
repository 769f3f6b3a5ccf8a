//! DOUBLE as text.

/// Writes a finite number as Java's `Double.toString` does: plain from a thousandth to ten millions, else with an exponent;
/// always with a fraction.
pub fn format_double(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

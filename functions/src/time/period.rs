//! Periods of time as ISO-8601 writes them.

/// Reads `[-]P[nD][T[nH][nM][n[.n]S]]` as milliseconds.
pub fn period_ms(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let text = text.strip_prefix(['P', 'p'])?;
    let (days, time) = match text.split_once(['T', 't']) {
        Some((days, time)) if !time.is_empty() => (days, time),
        Some(_) => return None,
        None => (text, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut total = 0_i64;
    for (part, units) in
        [(days, &[('D', 86_400_000.0)][..]), (time, &[('H', 3_600_000.0), ('M', 60_000.0), ('S', 1_000.0)])]
    {
        let mut rest = part;
        let mut units = units.iter();
        while !rest.is_empty() {
            let end = rest.find(|letter: char| letter.is_ascii_alphabetic())?;
            let letter = rest[end..].chars().next()?.to_ascii_uppercase();
            let (_, scale) = units.find(|(unit, _)| *unit == letter)?;
            let amount: f64 = rest[..end].parse().ok()?;
            let millis = amount * scale;
            if !millis.is_finite() || millis.abs() > 9.0e15 {
                return None;
            }
            #[expect(clippy::cast_possible_truncation, reason = "below 9e15, which an i64 holds exactly")]
            let millis = millis.round() as i64;
            total = total.checked_add(millis)?;
            rest = &rest[end + 1..];
        }
    }
    Some(sign * total)
}

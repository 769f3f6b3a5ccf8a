use super::*;

#[test]
fn sizes_are_read_in_steps_of_1024() {
    for (text, bytes) in [
        ("200M", Some(209_715_200)),
        ("1.5g", Some(1_610_612_736)),
        ("100 KB", Some(102_400)),
        ("7", Some(7)),
        ("7B", Some(7)),
        ("0.1K", Some(102)),
        ("M", None),
        ("-1M", None),
        ("1.M", None),
        ("5X", None),
        ("99999999999P", None),
        ("", None),
    ] {
        assert_eq!(parse_size(text), bytes, "{text}");
    }
}

#[test]
fn periods_are_read_longest_unit_first() {
    for (text, millis) in [
        ("6h", Some(21_600_000)),
        ("1d", Some(86_400_000)),
        ("1h30m", Some(5_400_000)),
        ("1D2H3M4S5MS", Some(93_784_005)),
        ("0s", Some(0)),
        ("30m1h", None),
        ("1h1h", None),
        ("6", None),
        ("h", None),
        ("6 h", None),
        ("6w", None),
        ("99999999999999999999d", None),
        ("", None),
    ] {
        assert_eq!(parse_period(text).map(|period| period.as_millis()), millis, "{text}");
    }
    assert_eq!(parse_period_or_millis("3600000"), Some(Duration::from_secs(3600)));
    assert_eq!(parse_period_or_millis("-1"), None);
}

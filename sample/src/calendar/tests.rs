use super::TimeText;

fn check(time_ms: i64, expected: &str) {
    let text = TimeText::of_ms(time_ms);
    assert_eq!(text.iso(), expected);
    assert_eq!(format!("{}T{}Z", text.date(), text.time_of_day()), expected);
}

#[test]
fn writes_moments_around_leap_days_and_the_epoch() {
    check(0, "1970-01-01T00:00:00.000Z");
    check(-1, "1969-12-31T23:59:59.999Z");
    check(951_782_400_000, "2000-02-29T00:00:00.000Z");
    check(951_868_800_000, "2000-03-01T00:00:00.000Z");
    check(1_709_164_800_123, "2024-02-29T00:00:00.123Z");
    check(1_735_689_599_999, "2024-12-31T23:59:59.999Z");
    check(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
}

#[test]
fn days_follow_one_another() {
    let mut last = String::new();
    for day in 0..40_000_i64 {
        let text = TimeText::of_ms(day * 86_400_000).date().to_owned();
        assert!(text > last, "{last} then {text}");
        last = text;
    }
    assert_eq!(last, "2079-07-07");
}

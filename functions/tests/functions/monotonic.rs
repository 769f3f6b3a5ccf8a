//! The inverse of a call contains every input with a result in the interval, and for most calls no other.

use datafusion::scalar::ScalarValue;

use meunier_functions::monotonic::{Interval, Monotonic};

fn call(function: &str, arguments: &[Option<ScalarValue>]) -> Option<Monotonic> {
    let arguments: Vec<_> = arguments.iter().map(Option::as_ref).collect();
    Monotonic::of_call(function, &arguments)
}

fn text(text: &str) -> Option<ScalarValue> {
    Some(ScalarValue::from(text))
}

fn number(number: i64) -> Option<ScalarValue> {
    Some(ScalarValue::from(number))
}

fn calls() -> Vec<(Monotonic, bool)> {
    let hours_of_new_york = ["EPOCH|SECONDS", "EPOCH|HOURS", "2:HOURS", "America/New_York"];
    let months = ["EPOCH", "1:MONTHS:EPOCH", "1:MILLISECONDS"];
    let convert = |texts: &[&str]| {
        let arguments: Vec<_> = std::iter::once(None).chain(texts.iter().map(|part| text(part))).collect();
        call("dateTimeConvert", &arguments)
    };
    let known = [
        (call("dateTrunc", &[text("day"), None]), true),
        (call("date_trunc", &[text("month"), None, text("SECONDS")]), false),
        (call("dateTrunc", &[text("week"), None, text("HOURS"), text("UTC"), text("DAYS")]), false),
        (call("dateTrunc", &[text("day"), None, text("MILLISECONDS"), text("Europe/Rome")]), false),
        (call("toEpochHours", &[None]), true),
        (call("toEpochMinutesRounded", &[None, number(7)]), true),
        (call("toEpochSecondsBucket", &[None, number(11)]), true),
        (call("fromEpochMinutes", &[None]), true),
        (call("fromEpochHoursBucket", &[None, number(3)]), true),
        (call("timeConvert", &[None, text("MINUTES"), text("DAYS")]), true),
        (call("timeConvert", &[None, text("DAYS"), text("MONTHS")]), false),
        (call("round", &[None, number(900)]), true),
        (convert(&["EPOCH|SECONDS", "EPOCH|MINUTES|5", "15:MINUTES"]), true),
        (convert(&hours_of_new_york), false),
        (convert(&months), true),
    ];
    known.into_iter().map(|(call, exact)| (call.expect("each is known"), exact)).collect()
}

#[test]
fn results_never_fall() {
    for (call, _) in calls() {
        let inputs = (-200_000_i64..200_000).map(|step| step * 977);
        let results: Vec<_> = inputs.map(|input| call.apply(input)).collect();
        assert!(results.is_sorted(), "{call:?}");
    }
}

#[test]
fn an_inverse_has_all_inputs_of_its_results() {
    for (call, exact) in calls() {
        for distance in [1_i64, 1_000, 3_600_000, 700_000_000] {
            for input in (-40..40).map(|step| step * distance + step) {
                let result = call.apply(input);
                let found = call.inverse(Interval { from: result, to: result });
                let inverse = found.expect("the result has an input");
                assert!((inverse.from..=inverse.to).contains(&input), "{call:?} {input}: {inverse:?}");
                if exact {
                    assert_eq!(call.apply(inverse.from), result, "{call:?} {input}: {inverse:?}");
                    assert_eq!(call.apply(inverse.to), result, "{call:?} {input}: {inverse:?}");
                    assert!(call.apply(inverse.from - 1) < result, "{call:?} {input}: {inverse:?}");
                    assert!(call.apply(inverse.to + 1) > result, "{call:?} {input}: {inverse:?}");
                }
            }
        }
    }
}

#[test]
fn open_ends_stay_open() {
    let day = call("dateTrunc", &[text("day"), None]).expect("it is known");
    let later = day.inverse(Interval { from: 1_612_224_000_000, to: i64::MAX });
    assert_eq!(later, Some(Interval { from: 1_612_224_000_000, to: i64::MAX }));
    let seconds = call("fromEpochSeconds", &[None]).expect("it is known");
    assert_eq!(
        seconds.inverse(Interval { from: i64::MIN, to: 1_999 }),
        Some(Interval { from: i64::MIN, to: 1 })
    );
    assert_eq!(seconds.inverse(Interval { from: 1, to: 999 }), None);
}

#[test]
fn other_calls_have_no_inverse() {
    assert_eq!(call("year", &[None]), None);
    assert_eq!(call("dateTrunc", &[None, None]), None);
    assert_eq!(call("dateTrunc", &[text("fortnight"), None]), None);
    assert_eq!(call("toEpochSecondsBucket", &[None, number(0)]), None);
    let to_text = [None, text("EPOCH"), text("SIMPLE_DATE_FORMAT|yyyy"), text("1:DAYS")];
    assert_eq!(call("dateTimeConvert", &to_text), None);
}

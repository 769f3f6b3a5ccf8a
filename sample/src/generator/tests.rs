use std::collections::{BTreeMap, BTreeSet, HashMap};

use meunier_segment::schema::Schema;
use serde_json::Value;

use super::{Generator, LATENESS_MS_MAX};
use crate::Stream;

const NOW_MS: i64 = 1_800_000_000_000;

/// Writes `count` events of each of two partitions.
fn events(stream: Stream, count: u64) -> Vec<Value> {
    let generator = Generator::new(stream, 42);
    let mut text = Vec::new();
    let places = (0..2).flat_map(|partition| (0..count).map(move |seq| (partition, seq)));
    let event = |(partition, seq)| {
        generator.write_event(partition, seq, NOW_MS, &mut text);
        let parsed = serde_json::from_slice(&text);
        parsed
            .unwrap_or_else(|error| panic!("{}: {error}: {}", stream.name(), String::from_utf8_lossy(&text)))
    };
    places.map(event).collect()
}

/// Returns each column's declared type and whether it is single-value, from the schema file itself.
fn columns(stream: Stream) -> BTreeMap<String, (String, bool)> {
    let schema: Value = serde_json::from_str(stream.schema_json()).unwrap();
    let lists = ["dimensionFieldSpecs", "metricFieldSpecs", "dateTimeFieldSpecs"];
    let fields = lists.iter().flat_map(|list| schema[list].as_array().unwrap());
    let column = |field: &Value| {
        let text = |key: &str| field[key].as_str().unwrap().to_owned();
        (text("name"), (text("dataType"), field["singleValueField"].as_bool().unwrap_or(true)))
    };
    fields.map(column).collect()
}

fn fits(data_type: &str, value: &Value) -> bool {
    match data_type {
        "INT" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "LONG" => value.as_i64().is_some(),
        "FLOAT" | "DOUBLE" => value.as_f64().is_some_and(f64::is_finite),
        "BIG_DECIMAL" => value.as_str().is_some_and(|text| text.parse::<f64>().is_ok()),
        "BOOLEAN" => value.is_boolean(),
        "TIMESTAMP" => {
            value.is_i64() || value.as_str().is_some_and(|text| text.starts_with("20") && text.len() >= 23)
        }
        "STRING" => value.is_string() || value.is_object(),
        "JSON" => {
            value.is_object()
                || value.as_str().is_some_and(|text| serde_json::from_str::<Value>(text).is_ok())
        }
        "BYTES" => value
            .as_str()
            .is_some_and(|text| text.len() % 2 == 0 && text.bytes().all(|b| b.is_ascii_hexdigit())),
        other => panic!("no such type: {other}"),
    }
}

fn share(events: &[Value], holds: impl Fn(&Value) -> bool) -> f64 {
    events.iter().filter(|event| holds(event)).count() as f64 / events.len() as f64
}

#[test]
fn names_lead_to_streams_and_files() {
    for stream in Stream::ALL {
        assert_eq!(Stream::from_name(stream.name()), Some(stream));
        assert_eq!(Generator::new(stream, 0).stream(), stream);
        let schema: Value = serde_json::from_str(stream.schema_json()).unwrap();
        let table: Value = serde_json::from_str(stream.table_json()).unwrap();
        assert_eq!(schema["schemaName"], stream.name());
        assert_eq!(table["tableName"], stream.name());
        assert!(stream.sample_queries().iter().all(|query| query.contains(stream.name())));
    }
    assert_eq!(Stream::from_name("Clickstream"), None);
}

#[test]
fn the_directory_holds_the_files_of_these_streams_and_no_others() {
    let directory = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas")).unwrap();
    let files = directory.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<_> = files.filter(|name| name.ends_with(".json")).collect();
    let of =
        |stream: Stream| [format!("{}.schema.json", stream.name()), format!("{}.table.json", stream.name())];
    assert_eq!(files, Stream::ALL.into_iter().flat_map(of).collect());
}

#[test]
fn schemas_parse_without_remarks() {
    for stream in Stream::ALL {
        let parsed = Schema::parse(stream.schema_json())
            .unwrap_or_else(|problems| panic!("{}: {problems:?}", stream.name()));
        assert!(parsed.unrecognized.is_empty(), "{}: {:?}", stream.name(), parsed.unrecognized);
        assert!(parsed.warnings.is_empty(), "{}: {:?}", stream.name(), parsed.warnings);
        let names: BTreeSet<_> = parsed.schema.fields().iter().map(|field| field.name.to_string()).collect();
        assert_eq!(names, columns(stream).into_keys().collect());
    }
}

#[test]
fn streams_together_have_every_data_type_also_with_several_values() {
    let types = |single| -> BTreeSet<String> {
        let columns = Stream::ALL.into_iter().flat_map(|stream| columns(stream).into_values());
        columns.filter(|(_, is_single)| *is_single == single).map(|(data_type, _)| data_type).collect()
    };
    assert_eq!(types(true).len(), 10, "{:?}", types(true));
    assert_eq!(types(false).len(), 6, "{:?}", types(false));
}

#[test]
fn an_event_depends_on_its_place_alone() {
    for stream in Stream::ALL {
        let write = |generator: &Generator, partition, seq| {
            let mut out = b"left over".to_vec();
            generator.write_event(partition, seq, NOW_MS, &mut out);
            out
        };
        let first = Generator::new(stream, 7);
        let forwards: Vec<_> = (0..200).map(|seq| write(&first, 3, seq)).collect();
        let second = Generator::new(stream, 7);
        let backwards: Vec<_> = (0..200).rev().map(|seq| write(&second, 3, seq)).collect();
        assert!(forwards.iter().eq(backwards.iter().rev()), "{}", stream.name());

        assert_ne!(write(&first, 3, 5), write(&first, 4, 5));
        assert_ne!(write(&first, 3, 5), write(&Generator::new(stream, 8), 3, 5));
        assert!(!write(&first, i32::MAX, u64::from(u32::MAX)).is_empty());
    }
}

#[test]
fn keys_are_the_columns_and_values_fit_their_types() {
    for stream in Stream::ALL {
        let columns = columns(stream);
        let mut seen = BTreeSet::new();
        for event in events(stream, 1_500) {
            for (key, value) in event.as_object().unwrap() {
                let (data_type, is_single) =
                    columns.get(key).unwrap_or_else(|| panic!("{}: {key}", stream.name()));
                let values = match value {
                    Value::Array(values) if !is_single => values.as_slice(),
                    Value::Null => &[],
                    _ => std::slice::from_ref(value),
                };
                let all_fit = values.iter().all(|value| fits(data_type, value));
                assert!(all_fit, "{}: {key} {data_type} {value}", stream.name());
                if !values.is_empty() {
                    seen.insert(key.clone());
                }
            }
        }
        assert_eq!(seen, columns.into_keys().collect(), "{}", stream.name());
    }
}

#[test]
fn keys_are_written_once() {
    for stream in Stream::ALL {
        let generator = Generator::new(stream, 1);
        let keys: Vec<_> = columns(stream).into_keys().map(|name| format!("\"{name}\":")).collect();
        let mut event = Vec::new();
        for seq in 0..500 {
            generator.write_event(0, seq, NOW_MS, &mut event);
            let text = str::from_utf8(&event).unwrap();
            assert!(keys.iter().all(|key| text.matches(key).count() <= 1), "{text}");
        }
    }
}

#[test]
fn sequence_numbers_are_dense() {
    for stream in Stream::ALL {
        let numbers = events(stream, 300).into_iter().map(|event| event["seq"].as_u64().unwrap());
        assert!(numbers.eq((0..300).chain(0..300)), "{}", stream.name());
    }
}

#[test]
fn events_have_their_stated_sizes() {
    let check = |stream: Stream, expected: std::ops::Range<usize>| {
        let generator = Generator::new(stream, 1);
        let (mut text, mut bytes) = (Vec::new(), 0);
        for seq in 0..2_000 {
            generator.write_event(0, seq, NOW_MS, &mut text);
            bytes += text.len();
        }
        let mean = bytes / 2_000;
        assert!(expected.contains(&mean), "{}: {mean} bytes", stream.name());
    };
    check(Stream::Clickstream, 285..315);
    check(Stream::Orders, 390..450);
    check(Stream::Trips, 400..460);
    check(Stream::ServerMetrics, 290..340);
    check(Stream::IotSensors, 350..420);
    check(Stream::AppLogs, 530..620);
}

#[test]
fn unicode_and_nulls_are_in_every_stream_and_missing_keys_too() {
    for stream in Stream::ALL {
        let events = events(stream, 2_000);
        let columns = columns(stream).len();
        assert!(share(&events, |event| !event.to_string().is_ascii()) > 0.02, "{}: unicode", stream.name());
        assert!(
            share(&events, |event| event.as_object().unwrap().values().any(Value::is_null)) > 0.02,
            "{}: nulls",
            stream.name()
        );
        assert!(
            share(&events, |event| event.as_object().unwrap().len() < columns) > 0.02,
            "{}: missing",
            stream.name()
        );
    }
}

#[test]
fn some_clickstream_events_are_late_by_seconds_and_none_too_late() {
    let lateness: Vec<_> = events(Stream::Clickstream, 5_000)
        .iter()
        .map(|event| NOW_MS - event["ts"].as_i64().unwrap())
        .collect();
    let late = lateness.iter().filter(|ms| **ms > 1_000).count();
    assert!((50..500).contains(&late), "{late} of 10000");
    assert!(lateness.iter().all(|ms| (0..=LATENESS_MS_MAX).contains(ms)));
}

#[test]
fn clickstream_is_skewed_and_consistent() {
    let events = events(Stream::Clickstream, 10_000);
    let united_states = share(&events, |event| event["country"] == "United States");
    assert!((0.15..0.30).contains(&united_states), "{united_states}");

    let mut countries: HashMap<&str, &Value> = HashMap::new();
    let mut homes: HashMap<&Value, &Value> = HashMap::new();
    for event in &events {
        assert_eq!(*homes.entry(&event["user_id"]).or_insert(&event["country"]), &event["country"]);
        if let Some(city) = event["city"].as_str() {
            assert_eq!(*countries.entry(city).or_insert(&event["country"]), &event["country"]);
        }
    }
    assert!(homes.len() > 8_000, "{} users", homes.len());
    let urls: BTreeSet<_> = events.iter().map(|event| event["url"].as_str().unwrap()).collect();
    assert!(urls.len() > 2_000, "{} urls", urls.len());
    assert!(share(&events, |event| event["url"] == "https://shop.example/journal/") > 0.02);
}

#[test]
fn purchases_that_succeed_and_only_they_carry_revenue() {
    for event in events(Stream::Clickstream, 5_000) {
        let purchased = event["event_type"] == "purchase" && event["status"] == 200;
        assert_eq!(event["revenue"].is_number(), purchased, "{event}");
    }
}

#[test]
fn the_status_decides_the_latency() {
    let events = events(Stream::Clickstream, 20_000);
    let mean = |status: i64| {
        let latencies = events.iter().filter(|event| event["status"] == status);
        let latencies: Vec<_> = latencies.map(|event| event["latency_ms"].as_f64().unwrap()).collect();
        latencies.iter().sum::<f64>() / latencies.len() as f64
    };
    assert!(mean(304) < mean(200) && mean(200) < mean(500) && mean(500) < mean(504));
    assert!((35.0..55.0).contains(&mean(200)), "{}", mean(200));
}

#[test]
fn message_keys_are_the_identity_in_the_event() {
    let check = |stream: Stream, column: Option<&str>| {
        let generator = Generator::new(stream, 42);
        for (seq, event) in events(stream, 600).iter().enumerate().take(600) {
            let identity = column.map(|column| event[column].as_str().unwrap().to_owned());
            assert_eq!(generator.key(0, seq as u64), identity);
        }
    };
    check(Stream::Clickstream, None);
    check(Stream::Orders, Some("order_id"));
    check(Stream::Trips, None);
    check(Stream::ServerMetrics, Some("host"));
    check(Stream::IotSensors, Some("device_id"));
    check(Stream::AppLogs, None);
}

#[test]
fn ether_amounts_hold_more_digits_than_a_double() {
    let events = events(Stream::Orders, 2_000);
    let ether: Vec<_> = events.iter().filter(|event| event["currency"] == "ETH").collect();
    assert!(!ether.is_empty());
    assert!(
        ether.iter().all(|event| event["amount"].as_str().unwrap().split_once('.').unwrap().1.len() == 18)
    );
}

#[test]
fn hosts_in_trouble_are_slow_and_say_so() {
    let events = events(Stream::ServerMetrics, 5_000);
    let unhealthy: Vec<_> = events.iter().filter(|event| event["healthy"] == false).collect();
    assert!(!unhealthy.is_empty() && unhealthy.len() < events.len() / 5, "{}", unhealthy.len());
    assert!(unhealthy.iter().all(|event| event["cpu_percent"].as_f64().unwrap() >= 93.0));
}

#[test]
fn values_of_one_report_are_as_many_as_its_channels() {
    for event in events(Stream::IotSensors, 2_000) {
        let channels = event["channels"].as_array().unwrap().len();
        for column in ["readings", "voltages", "sampled_at", "switches"] {
            assert!(event[column].as_array().is_none_or(|values| values.len() == channels), "{event}");
        }
        let too_hot =
            event["readings"].as_array().unwrap().iter().any(|value| value.as_f64().unwrap() > 48.0);
        let alarmed = event["alarm_codes"].as_array().is_some_and(|codes| codes.contains(&Value::from(17)));
        assert_eq!(too_hot, alarmed, "{event}");
    }
}

#[test]
fn only_errors_have_a_failure() {
    for event in events(Stream::AppLogs, 3_000) {
        assert_eq!(event["level"] == "ERROR", event["failure"].is_object(), "{event}");
    }
}

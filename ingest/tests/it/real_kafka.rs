//! The scenarios on a real Apache Kafka, and what only it does right: transactions, new partitions, time offsets,
//! deleted records, logins.

use std::time::Duration;

use meunier_ingest::PartitionState;
use rdkafka::ClientConfig;
use rdkafka::admin::AdminOptions;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};
use tempfile::tempdir;

use crate::harness::{Broker, DEADLINE, Process, produce, wait_for};
use crate::scenarios;

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_is_not_the_embedded_broker() {
    let broker = Broker::real();
    let cluster =
        broker.admin().inner().fetch_cluster_id(Duration::from_secs(10)).expect("the broker answers");
    assert!(!cluster.starts_with("mockCluster"), "{} is an embedded broker", broker.address());
    println!("real Kafka at {}, cluster {cluster}", broker.address());
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_each_record_is_there_once() {
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        scenarios::each_record_is_there_once(&Broker::real(), codec, 20_000);
    }
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_unsealed_rows_come_back_after_a_restart() {
    scenarios::unsealed_rows_come_back_after_a_restart(&Broker::real());
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_bad_messages_are_rejected_and_counted() {
    scenarios::bad_messages_are_rejected_and_counted(&Broker::real());
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_serving_files_come_back() {
    scenarios::serving_files_come_back(&Broker::real());
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_pause_and_resume_lose_nothing() {
    scenarios::pause_and_resume_lose_nothing(&Broker::real());
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_a_failing_seal_is_shown_and_tried_again() {
    scenarios::a_failing_seal_is_shown_and_tried_again(&Broker::real());
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_a_missing_topic_says_what_to_do() {
    scenarios::a_missing_topic_says_what_to_do(&Broker::real());
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_new_partitions_are_read_from_their_beginning() {
    let broker = Broker::real();
    let dir = tempdir().unwrap();
    let topic = broker.topic(1);
    let process = Process::start(dir.path(), &broker);
    let table = process.create_table(&broker, &topic, |_, keys| {
        keys.insert("stream.kafka.consumer.prop.auto.offset.reset".to_owned(), "largest".into());
    });
    wait_for("the first partition", || {
        let partitions = table.status().partitions.len();
        (partitions == 1).then_some(()).ok_or_else(|| format!("{:?}", table.status()))
    });
    produce(&broker, &topic, 1, 0..50, "none");
    table.wait_for_rows(1, 50);
    broker.set_partitions(&topic, 3);
    produce(&broker, &topic, 3, 50..60, "none");
    wait_for("rows of the new partitions", || {
        let rows: Vec<u64> = table.tallies().iter().map(|tally| tally.rows).collect();
        (rows == [60, 10, 10]).then_some(()).ok_or_else(|| format!("{rows:?}"))
    });
    process.stop();
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_aborted_transactions_stay_invisible_and_are_accounted_for() {
    let broker = Broker::real();
    let dir = tempdir().unwrap();
    let topic = broker.topic(1);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.address())
        .set("transactional.id", &topic)
        .create()
        .unwrap();
    producer.init_transactions(DEADLINE).unwrap();
    let mut seq = 0;
    for transaction in 0..10 {
        let aborts = transaction % 3 == 2;
        producer.begin_transaction().unwrap();
        for _ in 0..20 {
            // An aborted record's seq would break the dense prefix.
            let payload = format!(r#"{{"seq":{}}}"#, if aborts { 1_000_000 } else { seq });
            producer.send(BaseRecord::<(), str>::to(&topic).partition(0).payload(&payload)).unwrap();
            seq += i64::from(!aborts);
        }
        producer.flush(DEADLINE).unwrap();
        match aborts {
            true => producer.abort_transaction(DEADLINE).unwrap(),
            false => producer.commit_transaction(DEADLINE).unwrap(),
        }
    }
    let process = Process::start(dir.path(), &broker);
    let table = process.create_table(&broker, &topic, |_, keys| {
        keys.insert("stream.kafka.isolation.level".to_owned(), "read_committed".into());
    });
    table.wait_for_rows(1, 140);
    // 10 markers and 60 aborted records; the tail is a marker, which no record follows.
    wait_for("the position behind the last marker", || {
        let position = table.status().partitions[0].position.0;
        (position == 210).then_some(()).ok_or_else(|| format!("{position}"))
    });
    table.seal();
    let partition = &process.catalog.partitions(table.entry.id)[0];
    assert_eq!((partition.rows, partition.gap_offsets, partition.committed.0), (140, 70, 210));
    // A segment of nothing but gaps is committed too.
    producer.begin_transaction().unwrap();
    for _ in 0..5 {
        producer.send(BaseRecord::<(), str>::to(&topic).partition(0).payload("{}")).unwrap();
    }
    producer.flush(DEADLINE).unwrap();
    producer.abort_transaction(DEADLINE).unwrap();
    wait_for("the position behind the aborted transaction", || {
        let position = table.status().partitions[0].position.0;
        (position == 216).then_some(()).ok_or_else(|| format!("{position}"))
    });
    table.seal();
    let partition = &process.catalog.partitions(table.entry.id)[0];
    assert_eq!((partition.rows, partition.gap_offsets, partition.committed.0), (140, 76, 216));
    wait_for("lag zero", || {
        let lag = table.status().partitions[0].lag;
        (lag == Some(0)).then_some(()).ok_or_else(|| format!("{lag:?}"))
    });
    process.stop();
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_deleted_records_show_as_expired() {
    let broker = Broker::real();
    let dir = tempdir().unwrap();
    let topic = broker.topic(1);
    produce(&broker, &topic, 1, 0..100, "none");
    let process = Process::start(dir.path(), &broker);
    let table = process.create_table(&broker, &topic, |_, _| {});
    table.wait_for_rows(1, 100);
    process.ingester.pause(table.entry.id);
    table.wait_for_state(|state| *state == PartitionState::Paused);
    produce(&broker, &topic, 1, 100..300, "none");
    let mut before = TopicPartitionList::new();
    before.add_partition_offset(&topic, 0, KafkaOffset::Offset(250)).unwrap();
    broker.block_on(broker.admin().delete_records(&before, &AdminOptions::new())).unwrap();
    process.ingester.resume(table.entry.id, None);
    table.wait_for_state(|state| matches!(state, PartitionState::Expired(_)));
    process.ingester.resume(table.entry.id, Some(meunier_ingest::ConsumeFrom::Smallest));
    wait_for("what is left", || {
        let tally = table.tallies()[0];
        (tally.rows == 150).then_some(()).ok_or_else(|| format!("{tally:?} {:?}", table.status()))
    });
    table.seal();
    let partition = &process.catalog.partitions(table.entry.id)[0];
    assert_eq!((partition.rows, partition.gap_offsets), (150, 150));
    process.stop();
}

#[test]
#[ignore = "needs a real Kafka: set MEUNIER_TEST_KAFKA"]
fn real_kafka_offset_criteria_choose_where_a_table_begins() {
    let broker = Broker::real();
    let topic = broker.topic(1);
    let producer = meunier_ingest::Producer::connect(&broker.address(), &[]).unwrap();
    for seq in 0..10_i64 {
        let payload = format!(r#"{{"seq":{seq}}}"#);
        producer.send(&topic, 0, None, payload.as_bytes(), 1_700_000_000_000 + seq * 1000).unwrap();
    }
    assert_eq!(producer.flush(DEADLINE).unwrap(), 0);
    // 2023-11-14T22:13:27Z is 7 s after the first record.
    for (criteria, rows) in [("smallest", 10), ("2023-11-14T22:13:27.000Z", 3), ("largest", 0)] {
        let dir = tempdir().unwrap();
        let process = Process::start(dir.path(), &broker);
        let table = process.create_table(&broker, &topic, |_, keys| {
            keys.insert("stream.kafka.consumer.prop.auto.offset.reset".to_owned(), criteria.into());
        });
        wait_for(criteria, || {
            let status = table.status();
            let caught_up = status.partitions.first().is_some_and(|partition| partition.position.0 == 10);
            caught_up.then_some(()).ok_or_else(|| format!("{status:?}"))
        });
        assert_eq!(table.tallies()[0].rows, rows, "{criteria}");
        process.stop();
    }
}

#[test]
#[ignore = "needs a real Kafka with a login: set MEUNIER_TEST_KAFKA_SASL"]
fn real_kafka_wrong_credentials_say_what_to_do() {
    let address = std::env::var("MEUNIER_TEST_KAFKA_SASL")
        .expect("set MEUNIER_TEST_KAFKA_SASL to the address that `scripts/kafka.sh status --sasl` prints");
    let broker = Broker::Real(address);
    let dir = tempdir().unwrap();
    let process = Process::start(dir.path(), &broker);
    let table = process.create_table(&broker, "any", |_, keys| {
        for (key, value) in [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", "meunier"),
            ("sasl.password", "not-the-password"),
        ] {
            keys.insert(format!("stream.kafka.consumer.prop.{key}"), value.into());
        }
    });
    wait_for("the reason", || {
        let error = table.status().source_error.unwrap_or_default();
        let told = error.contains("refuses the login") && !error.contains("not-the-password");
        told.then_some(()).ok_or(error)
    });
    process.stop();
}

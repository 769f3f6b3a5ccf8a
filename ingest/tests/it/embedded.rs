//! The scenarios on the embedded broker, and what only it does.

use meunier_ingest::PartitionState;
use tempfile::tempdir;

use crate::harness::{Broker, Process, produce, wait_for};
use crate::scenarios;

#[test]
fn each_record_is_there_once() {
    // 4,000 events of 300 bytes a partition are well below the 5 MiB that the broker keeps.
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        scenarios::each_record_is_there_once(&Broker::embedded(), codec, 4000);
    }
}

#[test]
fn unsealed_rows_come_back_after_a_restart() {
    scenarios::unsealed_rows_come_back_after_a_restart(&Broker::embedded());
}

#[test]
fn bad_messages_are_rejected_and_counted() {
    scenarios::bad_messages_are_rejected_and_counted(&Broker::embedded());
}

#[test]
fn serving_files_come_back() {
    scenarios::serving_files_come_back(&Broker::embedded());
}

#[test]
fn changed_indexes_are_rebuilt_in_the_background() {
    scenarios::changed_indexes_are_rebuilt_in_the_background(&Broker::embedded());
}

#[test]
fn pause_and_resume_lose_nothing() {
    scenarios::pause_and_resume_lose_nothing(&Broker::embedded());
}

#[test]
fn a_failing_seal_is_shown_and_tried_again() {
    scenarios::a_failing_seal_is_shown_and_tried_again(&Broker::embedded());
}

#[test]
fn a_missing_topic_says_what_to_do() {
    scenarios::a_missing_topic_says_what_to_do(&Broker::embedded());
}

#[test]
fn records_the_broker_dropped_are_never_passed_over_unseen() {
    let broker = Broker::embedded();
    let dir = tempdir().unwrap();
    let topic = broker.topic(1);
    let process = Process::start(dir.path(), &broker);
    let table = process.create_table(&broker, &topic, |_, _| {});
    produce(&broker, &topic, 1, 0..10, "none");
    table.wait_for_rows(1, 10);
    process.ingester.pause(table.entry.id);
    table.wait_for_state(|state| *state == PartitionState::Paused);
    // 300 bytes an event: far more than the 5 MiB that are kept.
    produce(&broker, &topic, 1, 10..60_000, "none");
    process.ingester.resume(table.entry.id, None);
    let state = table.wait_for_state(|state| matches!(state, PartitionState::Expired(_)));
    assert!(state.reason().unwrap().contains("offset 10 is not at the broker"), "{state:?}");
    assert_eq!(table.tallies()[0].rows, 10);

    process.ingester.resume(table.entry.id, Some(meunier_ingest::ConsumeFrom::Smallest));
    wait_for("the rest", || {
        let tally = table.tallies()[0];
        (tally.seq_max == 59_999).then_some(()).ok_or_else(|| format!("{tally:?} {:?}", table.status()))
    });
    table.seal();
    let partition = &process.catalog.partitions(table.entry.id)[0];
    assert!(partition.gap_offsets > 0, "the loss is in the ledger");
    assert_eq!(partition.rows + partition.gap_offsets, 60_000);
    process.stop();
}

#[test]
fn a_broker_that_does_not_answer_says_what_to_do() {
    let dir = tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let broker = Broker::Real(nobody);
    let process = Process::start(dir.path(), &broker);
    let table = process.create_table(&broker, "any", |_, _| {});
    wait_for("the reason", || {
        let error = table.status().source_error.unwrap_or_default();
        error.contains("no kafka broker answers").then_some(()).ok_or(error)
    });
    process.stop();
}

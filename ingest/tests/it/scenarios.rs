//! What must hold on every broker.

use std::time::Duration;

use meunier_ingest::{PartitionState, Producer};
use meunier_segment::offset_range::Offset;
use serde_json::json;
use tempfile::tempdir;

use crate::harness::{Broker, Process, has_index, produce, sealed_segments, tallies, wait_for};

/// Rows are visible once each while consuming, after sealing, after a restart, and when more come.
pub(crate) fn each_record_is_there_once(broker: &Broker, codec: &str, rows: u64) {
    let dir = tempdir().unwrap();
    let topic = broker.topic(4);
    produce(broker, &topic, 4, 0..rows / 2, codec);
    let process = Process::start(dir.path(), broker);
    let table = process.create_table(broker, &topic, |_, keys| {
        keys.remove("realtime.segment.flush.threshold.rows");
        keys.insert(
            "realtime.segment.flush.threshold.segment.rows".to_owned(),
            (rows / 5).to_string().into(),
        );
    });
    table.wait_for_rows(4, rows / 2);
    produce(broker, &topic, 4, rows / 2..rows, codec);
    table.wait_for_rows(4, rows);
    table.seal();
    table.wait_for_rows(4, rows);
    assert!(sealed_segments(&table.live.snapshot()) >= 4 * 4, "segments are sealed by rows on the way");
    let committed: Vec<_> = process.catalog.partitions(table.entry.id);
    assert!(committed.iter().all(|partition| partition.committed == Offset(i64::try_from(rows).unwrap())));
    assert!(committed.iter().all(|partition| partition.rows == rows));
    drop(table);
    process.stop();

    let process = Process::start(dir.path(), broker);
    let table = process.open_table();
    table.wait_for_rows(4, rows);
    produce(broker, &topic, 4, rows..rows + 10, codec);
    table.wait_for_rows(4, rows + 10);
    process.stop();
}

/// Rows that were visible but not sealed when the process ended are consumed again, once.
pub(crate) fn unsealed_rows_come_back_after_a_restart(broker: &Broker) {
    let dir = tempdir().unwrap();
    let topic = broker.topic(2);
    produce(broker, &topic, 2, 0..500, "none");
    let process = Process::start(dir.path(), broker);
    let table = process.create_table(broker, &topic, |_, _| {});
    table.wait_for_rows(2, 500);
    table.seal();
    produce(broker, &topic, 2, 500..900, "none");
    table.wait_for_rows(2, 900);
    drop(table);
    process.stop();

    let process = Process::start(dir.path(), broker);
    let table = process.open_table();
    table.wait_for_rows(2, 900);
    assert_eq!(process.catalog.partitions(table.entry.id)[0].committed, Offset(500));
    process.stop();
}

/// Bad messages are rejected with their reason and their neighbours do not notice.
pub(crate) fn bad_messages_are_rejected_and_counted(broker: &Broker) {
    let dir = tempdir().unwrap();
    let topic = broker.topic(1);
    let producer = Producer::connect(&broker.address(), &[]).unwrap();
    let good = |seq: i64| format!(r#"{{"seq":{seq},"country":"FR","ts":1767225600000}}"#);
    let nested = "[".repeat(100_000);
    let bad: [&[u8]; 6] =
        [b"", b"not json", b"[1]", br#"{"status":"many"}"#, nested.as_bytes(), &[0xff, 0xfe]];
    for (seq, message) in (0..).zip(bad) {
        producer.send(&topic, 0, None, good(seq).as_bytes(), 0).unwrap();
        producer.send(&topic, 0, None, message, 0).unwrap();
    }
    assert_eq!(producer.flush(Duration::from_secs(30)).unwrap(), 0);
    let process = Process::start(dir.path(), broker);
    let table = process.create_table(broker, &topic, |_, _| {});
    table.wait_for_rows(1, 6);
    wait_for("all rejects", || {
        let rejected = table.status().partitions[0].rejected_total;
        (rejected == 6).then_some(()).ok_or_else(|| format!("{rejected} rejected"))
    });
    table.seal();
    table.wait_for_rows(1, 6);
    let commits = process.catalog.segments(table.entry.id);
    let [commit] = commits.as_slice() else { panic!("one segment: {commits:?}") };
    assert_eq!((commit.rows, commit.rejected, commit.range.end), (6, 6, Offset(12)));
    assert!(commit.rejects.is_some(), "the rejects are stored beside the rows");
    process.stop();
}

/// Serving files that are deleted or damaged while the process is down come back from the durable ones.
pub(crate) fn serving_files_come_back(broker: &Broker) {
    let dir = tempdir().unwrap();
    let topic = broker.topic(3);
    produce(broker, &topic, 3, 0..300, "none");
    let process = Process::start(dir.path(), broker);
    let table = process.create_table(broker, &topic, |_, _| {});
    table.wait_for_rows(3, 300);
    table.seal();
    let folder = process.catalog.data_dir().serving_of(&table.entry.dir);
    drop(table);
    process.stop();

    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 3);
    std::fs::remove_file(&files[0]).unwrap();
    std::fs::write(&files[1], b"not a segment").unwrap();

    let process = Process::start(dir.path(), broker);
    let table = process.open_table();
    table.wait_for_rows(3, 300);
    assert_eq!(sealed_segments(&table.live.snapshot()), 3);
    process.stop();
}

/// A pause seals and stops; nothing that came meanwhile is lost.
pub(crate) fn pause_and_resume_lose_nothing(broker: &Broker) {
    let dir = tempdir().unwrap();
    let topic = broker.topic(2);
    produce(broker, &topic, 2, 0..100, "none");
    let process = Process::start(dir.path(), broker);
    let table = process.create_table(broker, &topic, |_, _| {});
    table.wait_for_rows(2, 100);
    process.ingester.pause(table.entry.id);
    wait_for("the pause to seal", || {
        let sealed = sealed_segments(&table.live.snapshot());
        (sealed == 2).then_some(()).ok_or_else(|| format!("{sealed} sealed"))
    });
    produce(broker, &topic, 2, 100..200, "none");
    std::thread::sleep(Duration::from_millis(200));
    table.wait_for_rows(2, 100);
    assert!(table.status().partitions.iter().all(|partition| partition.state == PartitionState::Paused));
    process.ingester.resume(table.entry.id, None);
    table.wait_for_rows(2, 200);
    process.stop();
}

/// While the deep store cannot be written, rows stay visible and the state says why; then the seal goes through.
pub(crate) fn a_failing_seal_is_shown_and_tried_again(broker: &Broker) {
    let dir = tempdir().unwrap();
    let topic = broker.topic(1);
    produce(broker, &topic, 1, 0..100, "none");
    let process = Process::start(dir.path(), broker);
    let table = process.create_table(broker, &topic, |_, _| {});
    table.wait_for_rows(1, 100);
    let tmp = process.catalog.data_dir().tmp();
    let aside = dir.path().join("aside");
    std::fs::rename(&tmp, &aside).unwrap();
    process.ingester.force_commit(table.entry.id, None);
    let state = table.wait_for_state(|state| matches!(state, PartitionState::Stuck(_)));
    assert!(state.reason().unwrap().contains("cannot seal"), "{state:?}");
    produce(broker, &topic, 1, 100..150, "none");
    table.wait_for_rows(1, 150);
    std::fs::rename(&aside, &tmp).unwrap();
    wait_for("the seal", || {
        let sealed = sealed_segments(&table.live.snapshot());
        (sealed == 1).then_some(()).ok_or_else(|| format!("{:?}", table.status()))
    });
    table.wait_for_rows(1, 150);
    process.stop();
}

/// A topic that does not exist, and a broker that does not answer, are states with a reason, and errors of the check.
pub(crate) fn a_missing_topic_says_what_to_do(broker: &Broker) {
    let dir = tempdir().unwrap();
    let process = Process::start(dir.path(), broker);
    let table = process.create_table(broker, "no-such-topic", |_, _| {});
    wait_for("the reason", || {
        let error = table.status().source_error.unwrap_or_default();
        (error.contains("no topic `no-such-topic`") && error.contains("create it")).then_some(()).ok_or(error)
    });
    process.stop();
}

/// A table that is opened with other indexes answers the same throughout, and has them a little later.
pub(crate) fn changed_indexes_are_rebuilt_in_the_background(broker: &Broker) {
    let dir = tempdir().unwrap();
    let topic = broker.topic(3);
    produce(broker, &topic, 3, 0..400, "none");
    let process = Process::start(dir.path(), broker);
    let table = process.create_table(broker, &topic, |_, keys| {
        keys.remove("realtime.segment.flush.threshold.rows");
        keys.insert("realtime.segment.flush.threshold.segment.rows".to_owned(), "100".into());
    });
    table.wait_for_rows(3, 400);
    table.seal();
    let before = table.live.snapshot();
    assert!(!has_index(&before, "user_id"));

    let table = process.change_table(table, |config| {
        config["tableIndexConfig"]["invertedIndexColumns"] = json!(["user_id", "country"]);
        config["tableIndexConfig"]["sortedColumn"] = json!(["city"]);
    });
    table.wait_for_index("user_id", 3, 400);
    assert_eq!(
        tallies(&before),
        tallies(&table.live.snapshot()),
        "the old files are readable while a query holds them"
    );
    assert!(!has_index(&before, "user_id"));
    produce(broker, &topic, 3, 400..500, "none");
    table.wait_for_rows(3, 500);
    table.seal();
    assert!(has_index(&table.live.snapshot(), "user_id"), "new segments have the index at once");

    // Stopped at any point of a rebuild, the next start goes on with whichever files are there.
    let table = process.change_table(table, |config| {
        config["tableIndexConfig"]["invertedIndexColumns"] = json!(["session_id"]);
    });
    let tmp = process.catalog.data_dir().tmp().join("1-half-written.seg");
    drop(table);
    process.stop();
    std::fs::write(tmp, b"half a serving file").unwrap();
    let process = Process::start(dir.path(), broker);
    let table = process.open_table();
    table.wait_for_index("session_id", 3, 500);
    assert!(!has_index(&table.live.snapshot(), "user_id"));

    // Without a broker no partition has a worker that could publish.
    let table = process.change_table(table, |config| {
        config["tableIndexConfig"]["invertedIndexColumns"] = json!(["url"]);
        let stream = &mut config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"][0];
        stream["stream.kafka.broker.list"] = json!("127.0.0.1:1");
    });
    table.wait_for_index("url", 3, 500);
    process.stop();
}

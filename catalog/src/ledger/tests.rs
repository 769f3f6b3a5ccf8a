use std::fs;
use std::sync::Arc;

use expect_test::{Expect, expect};
use meunier_segment::offset_range::{Offset, OffsetRange, PartitionId};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::error::ErrorKind;
use crate::names::TableId;

mod damage;
mod simulation;

/// Few records a log, so that checkpoints come often.
const SMALL: LogLimits = LogLimits { records_max: 3, bytes_max: 1 << 20 };

/// Returns a new directory, in memory where that is possible: these tests sync thousands of times.
fn scratch_dir() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

fn state_of(ledger: &Ledger) -> LedgerState {
    ledger.read(LedgerState::clone)
}

fn append(ledger: &Ledger, record: LedgerRecord) -> Result<(), CatalogError> {
    ledger.append(|_| Ok(record))
}

fn put_schema(name: &str) -> LedgerRecord {
    LedgerRecord::PutSchema { name: name.to_string(), schema: Arc::new(json!({ "schemaName": name })) }
}

fn create_table(table: u64, name: &str) -> LedgerRecord {
    LedgerRecord::CreateTable {
        table: TableId(table),
        name: name.to_string(),
        schema: Arc::new(json!({ "schemaName": name, "z": 1, "a": [0.1, null, "é\n"] })),
        config: Arc::new(json!({ "tableName": name })),
        created_ms: 1_000,
    }
}

fn add_partitions(table: u64, starts: &[(i32, i64)]) -> LedgerRecord {
    let start = |&(partition, start)| PartitionStart {
        partition: PartitionId(partition),
        start: Offset(start),
        epoch: 1,
    };
    LedgerRecord::AddPartitions { table: TableId(table), partitions: starts.iter().map(start).collect() }
}

/// Returns a commit of `[start, end)` whose offsets are all rows.
fn segment(table: u64, partition: i32, sequence: u32, start: i64, end: i64) -> SegmentCommit {
    let name = format!("t{table}__{partition}__{sequence}");
    let range = OffsetRange { start: Offset(start), end: Offset(end) };
    let rows = if start < end { range.width() } else { 1 };
    let durable = Some(FileRef { file_name: format!("{name}.parquet"), bytes: 10, crc32c: 7 });
    SegmentCommit {
        table: TableId(table),
        partition: PartitionId(partition),
        epoch: 1,
        sequence,
        name,
        range,
        rows,
        rejected: 0,
        filtered: 0,
        extra_rows: 0,
        merged_rows: 0,
        gap_offsets: 0,
        gaps: Vec::new(),
        durable,
        rejects: None,
        created_ms: 2_000,
        min_time_ms: Some(-5),
        max_time_ms: Some(5),
        last_record: Some(RecordFingerprint { offset: Offset(end - 1), hash: u64::MAX }),
    }
}

fn commit(segment: SegmentCommit) -> LedgerRecord {
    LedgerRecord::CommitSegment(Arc::new(segment))
}

/// One record of every kind, and a few more.
fn story() -> Vec<LedgerRecord> {
    let mut mixed = segment(1, 0, 1, 110, 120);
    mixed.rows = 4;
    mixed.rejected = 1;
    mixed.filtered = 2;
    mixed.gap_offsets = 3;
    mixed.gaps = vec![OffsetRange::new(Offset(110), Offset(111)), OffsetRange::new(Offset(115), Offset(117))];
    mixed.rejects = Some(FileRef { file_name: "t1__0__1.rejects.parquet".to_string(), bytes: 5, crc32c: 9 });
    let pause = PauseReason { comment: "maintenance".to_string(), by: "operator".to_string(), at_ms: 3_000 };
    vec![
        put_schema("loose"),
        create_table(1, "trips"),
        add_partitions(1, &[(0, 100), (1, 0)]),
        commit(segment(1, 0, 0, 100, 110)),
        create_table(2, "orders"),
        LedgerRecord::DropSchema { name: "loose".to_string() },
        LedgerRecord::DropTable { table: TableId(2) },
        LedgerRecord::SetPaused { table: TableId(1), paused: Some(pause) },
        LedgerRecord::UpdateTable {
            table: TableId(1),
            schema: Arc::new(json!({"v": 2})),
            config: Arc::new(json!({"c": 2})),
        },
        commit(mixed),
        commit(segment(1, 1, 0, 0, 7)),
    ]
}

fn drop_segments(table: u64, segments: &[(i32, u32)]) -> LedgerRecord {
    let id = |&(partition, sequence)| SegmentId { partition: PartitionId(partition), sequence };
    LedgerRecord::DropSegments { table: TableId(table), segments: segments.iter().map(id).collect() }
}

#[test]
fn dropped_segments_are_gone_and_positions_stay() {
    let dir = scratch_dir();
    let ledger = write_ledger(dir.path(), SMALL, &story());
    let shown = |ledger: &Ledger| {
        ledger.read(|state| {
            let table = state.table(TableId(1)).unwrap();
            let names: Vec<_> = table.segments().map(|segment| segment.name.clone()).collect();
            let positions: Vec<_> =
                table.positions().map(|at| (at.committed.0, at.next_sequence, at.rows)).collect();
            format!("{} {positions:?}", names.join(" "))
        })
    };
    let before = "[(120, 2, 14), (7, 1, 7)]";
    assert_eq!(shown(&ledger), format!("t1__0__0 t1__0__1 t1__1__0 {before}"));
    append(&ledger, drop_segments(1, &[(0, 1)])).unwrap();
    assert_eq!(shown(&ledger), format!("t1__0__0 t1__1__0 {before}"), "from the middle");
    for gone in [&[(0, 1)][..], &[(0, 0), (0, 0)], &[(0, 7)], &[(9, 0)]] {
        let error = append(&ledger, drop_segments(1, gone)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{gone:?}");
    }
    append(&ledger, drop_segments(1, &[(0, 0)])).unwrap();
    assert_eq!(shown(&ledger), format!("t1__1__0 {before}"));
    append(&ledger, commit(segment(1, 0, 2, 120, 130))).unwrap();
    let after = shown(&ledger);
    assert_eq!(after, "t1__0__2 t1__1__0 [(130, 3, 24), (7, 1, 7)]");
    // Enough records for a checkpoint, which holds what was folded.
    for version in 0..20 {
        append(&ledger, LedgerRecord::PutSchema { name: "s".to_string(), schema: Arc::new(json!(version)) })
            .unwrap();
    }
    assert!(number_and_base(&ledger).1 > 0);
    let state = state_of(&ledger);
    drop(ledger);
    let reopened = Ledger::open(dir.path(), false, SMALL).unwrap();
    assert_eq!(shown(&reopened), after);
    assert_eq!(state_of(&reopened), state);
    let record = String::from_utf8(drop_segments(1, &[(0, 1)]).to_json().unwrap()).unwrap();
    assert_eq!(record, r#"{"type":"drop_segments","table":1,"segments":[{"partition":0,"sequence":1}]}"#);
}

#[test]
fn a_disabled_table_stays_so_through_log_and_checkpoint() {
    let dir = scratch_dir();
    let ledger = Ledger::open(dir.path(), true, SMALL).unwrap();
    let is_disabled = |ledger: &Ledger| ledger.read(|state| state.table(TableId(1)).unwrap().disabled);
    append(&ledger, create_table(1, "trips")).unwrap();
    assert!(!is_disabled(&ledger));
    let record = LedgerRecord::SetDisabled { table: TableId(1), disabled: true };
    let json = String::from_utf8(record.to_json().unwrap()).unwrap();
    assert_eq!(json, r#"{"type":"set_disabled","table":1,"disabled":true}"#);
    append(&ledger, record).unwrap();
    drop(ledger);
    let ledger = Ledger::open(dir.path(), false, SMALL).unwrap();
    assert!(is_disabled(&ledger), "from the log");
    for _ in 0..5 {
        append(&ledger, put_schema("s")).unwrap();
    }
    assert!(number_and_base(&ledger).1 > 0);
    drop(ledger);
    let ledger = Ledger::open(dir.path(), false, SMALL).unwrap();
    assert!(is_disabled(&ledger), "from the checkpoint");
    append(&ledger, LedgerRecord::SetDisabled { table: TableId(1), disabled: false }).unwrap();
    assert!(!is_disabled(&ledger));
}

/// Returns the state after each prefix of the records, the empty one first.
fn states_along(records: &[LedgerRecord]) -> Vec<LedgerState> {
    let mut states = vec![LedgerState::new()];
    for record in records {
        let mut state = states.last().unwrap().clone();
        state.apply(record.clone()).unwrap();
        states.push(state);
    }
    states
}

/// Writes the records to a new ledger in `dir`.
fn write_ledger(dir: &Path, limits: LogLimits, records: &[LedgerRecord]) -> Ledger {
    let ledger = Ledger::open(dir, true, limits).unwrap();
    for record in records {
        append(&ledger, record.clone()).unwrap();
    }
    ledger
}

fn file_names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.iter().map(|name| name.trim_start_matches('0').to_string()).collect()
}

#[test]
fn records_have_a_stable_form() {
    let lines: Vec<_> = story().iter().map(|r| String::from_utf8(r.to_json().unwrap()).unwrap()).collect();
    expect![[r#"
        {"type":"put_schema","name":"loose","schema":{"schemaName":"loose"}}
        {"type":"create_table","table":1,"name":"trips","schema":{"schemaName":"trips","z":1,"a":[0.1,null,"é\n"]},"config":{"tableName":"trips"},"created_ms":1000}
        {"type":"add_partitions","table":1,"partitions":[{"partition":0,"start":100,"epoch":1},{"partition":1,"start":0,"epoch":1}]}
        {"type":"commit_segment","table":1,"partition":0,"epoch":1,"sequence":0,"name":"t1__0__0","range":{"start":100,"end":110},"rows":10,"rejected":0,"filtered":0,"gap_offsets":0,"gaps":[],"durable":{"file_name":"t1__0__0.parquet","bytes":10,"crc32c":7},"rejects":null,"created_ms":2000,"min_time_ms":-5,"max_time_ms":5,"last_record":{"offset":109,"hash":18446744073709551615}}
        {"type":"create_table","table":2,"name":"orders","schema":{"schemaName":"orders","z":1,"a":[0.1,null,"é\n"]},"config":{"tableName":"orders"},"created_ms":1000}
        {"type":"drop_schema","name":"loose"}
        {"type":"drop_table","table":2}
        {"type":"set_paused","table":1,"paused":{"comment":"maintenance","by":"operator","at_ms":3000}}
        {"type":"update_table","table":1,"schema":{"v":2},"config":{"c":2}}
        {"type":"commit_segment","table":1,"partition":0,"epoch":1,"sequence":1,"name":"t1__0__1","range":{"start":110,"end":120},"rows":4,"rejected":1,"filtered":2,"gap_offsets":3,"gaps":[{"start":110,"end":111},{"start":115,"end":117}],"durable":{"file_name":"t1__0__1.parquet","bytes":10,"crc32c":7},"rejects":{"file_name":"t1__0__1.rejects.parquet","bytes":5,"crc32c":9},"created_ms":2000,"min_time_ms":-5,"max_time_ms":5,"last_record":{"offset":119,"hash":18446744073709551615}}
        {"type":"commit_segment","table":1,"partition":1,"epoch":1,"sequence":0,"name":"t1__1__0","range":{"start":0,"end":7},"rows":7,"rejected":0,"filtered":0,"gap_offsets":0,"gaps":[],"durable":{"file_name":"t1__1__0.parquet","bytes":10,"crc32c":7},"rejects":null,"created_ms":2000,"min_time_ms":-5,"max_time_ms":5,"last_record":{"offset":6,"hash":18446744073709551615}}
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn reopening_gives_the_same_state_with_and_without_checkpoints() {
    for limits in [
        LogLimits::default(),
        SMALL,
        LogLimits { records_max: 1, ..SMALL },
        LogLimits { bytes_max: 1, ..SMALL },
    ] {
        let dir = scratch_dir();
        let state = state_of(&write_ledger(dir.path(), limits, &story()));
        assert_eq!(state, *states_along(&story()).last().unwrap(), "{limits:?}");
        let reopened = Ledger::open(dir.path(), false, limits).unwrap();
        assert_eq!(state_of(&reopened), state, "{limits:?}");
    }
}

#[test]
fn a_full_log_is_closed_and_one_generation_is_kept() {
    let dir = scratch_dir();
    let ledger = Ledger::open(dir.path(), true, SMALL).unwrap();
    let mut seen = Vec::new();
    for number in 0..10 {
        append(&ledger, put_schema(&format!("s{number}"))).unwrap();
        seen.push(file_names(dir.path()).join(" "));
    }
    expect![[r#"
        1.log
        1.log
        1.checkpoint 1.log 2.log
        1.checkpoint 1.log 2.log
        1.checkpoint 1.log 2.log
        1.checkpoint 2.checkpoint 2.log 3.log
        1.checkpoint 2.checkpoint 2.log 3.log
        1.checkpoint 2.checkpoint 2.log 3.log
        2.checkpoint 3.checkpoint 3.log 4.log
        2.checkpoint 3.checkpoint 3.log 4.log"#]]
    .assert_eq(&seen.join("\n"));
}

#[test]
fn refuses_what_contradicts_the_state() {
    let story = story();
    let state = states_along(&story).pop().unwrap();
    let edit = |change: fn(&mut SegmentCommit)| {
        let mut segment = segment(1, 1, 1, 7, 17);
        change(&mut segment);
        commit(segment)
    };
    let cases = [
        create_table(3, "trips"),
        create_table(2, "new"),
        create_table(3, "../new"),
        put_schema("a/b"),
        LedgerRecord::DropSchema { name: "none".to_string() },
        LedgerRecord::DropSchema { name: "trips".to_string() },
        LedgerRecord::DropTable { table: TableId(2) },
        LedgerRecord::SetPaused { table: TableId(9), paused: None },
        LedgerRecord::SetDisabled { table: TableId(9), disabled: true },
        add_partitions(1, &[(2, 0), (0, 100)]),
        add_partitions(1, &[(2, 0), (2, 0)]),
        add_partitions(1, &[(-1, 0)]),
        add_partitions(1, &[(2, -1)]),
        add_partitions(2, &[(0, 0)]),
        commit(segment(1, 1, 0, 0, 7)),
        edit(|s| s.epoch = 2),
        edit(|s| s.partition = PartitionId(5)),
        edit(|s| s.range.start = Offset(8)),
        edit(|s| s.range.end = s.range.start),
        edit(|s| s.range.end = Offset(i64::MIN)),
        edit(|s| s.sequence = 2),
        edit(|s| s.rows = 9),
        edit(|s| (s.rows, s.rejected) = (u64::MAX, 11)),
        edit(|s| s.name = "t1__0__0".to_string()),
        edit(|s| s.name = "a/b".to_string()),
        edit(|s| s.durable.as_mut().unwrap().file_name = "t1__0__0.parquet".to_string()),
        edit(|s| s.durable.as_mut().unwrap().file_name = "..".to_string()),
        edit(|s| s.durable = None),
        edit(|s| s.rejects = s.durable.clone()),
        edit(|s| (s.rows, s.rejected, s.rejects) = (9, 1, s.durable.clone())),
        edit(|s| s.min_time_ms = Some(6)),
        edit(|s| s.last_record = Some(RecordFingerprint { offset: Offset(17), hash: 0 })),
        edit(|s| (s.rows, s.gap_offsets) = (9, 1)),
        edit(|s| s.gaps = vec![OffsetRange::new(Offset(7), Offset(8))]),
        edit(|s| (s.rows, s.gap_offsets, s.gaps) = (9, 1, vec![OffsetRange::new(Offset(17), Offset(18))])),
        edit(|s| {
            let gap = OffsetRange::new(Offset(8), Offset(9));
            (s.rows, s.gap_offsets, s.gaps) = (8, 2, vec![gap, gap]);
        }),
    ];
    let mut answers = String::new();
    for record in cases {
        let mut after = state.clone();
        let violation = after.apply(record.clone()).expect_err(&format!("{record:?}"));
        assert_eq!(after, state, "a refused record changes nothing");
        answers += &format!("{:?}: {violation}\n", violation.kind());
    }
    expect![[r#"
        Conflict: table `trips` exists already: drop or update it, or choose another name
        Bug: table id 2 is not the next one, 3
        Invalid: table name `../new` is not allowed: it must start with a letter or `_`, hold only letters, digits, `_`, `-` and `.` (no `..`), and have at most 128 characters
        Invalid: schema name `a/b` is not allowed: it must start with a letter or `_`, hold only letters, digits, `_`, `-` and `.` (no `..`), and have at most 128 characters
        NotFound: schema `none` does not exist
        Conflict: schema `trips` is used by the table of the same name: drop the table first
        NotFound: table 2 does not exist or was dropped
        NotFound: table 9 does not exist or was dropped
        NotFound: table 9 does not exist or was dropped
        Bug: partition 0 of table 1 exists already
        Bug: partition 2 of table 1 exists already
        Invalid: partition -1 cannot start at offset 0
        Invalid: partition 2 cannot start at offset -1
        NotFound: table 2 does not exist or was dropped
        Bug: segment `t1__1__0` starts at offset 0, the partition is committed up to 7
        Bug: segment `t1__1__1` was made in epoch 2, the partition is in epoch 1
        Bug: partition 5 of table 1 was never added
        Bug: segment `t1__1__1` starts at offset 8, the partition is committed up to 7
        Bug: segment `t1__1__1` is inconsistent: its offsets [7, 7) are empty or backwards
        Bug: segment `t1__1__1` is inconsistent: its offsets [7, -9223372036854775808) are empty or backwards
        Bug: segment `t1__1__1` has sequence 2, the next one is 1
        Bug: segment `t1__1__1` is inconsistent: its 10 offsets are not 9 rows + 0 merged - 0 extra + 0 rejected + 0 filtered + 0 gaps
        Bug: segment `t1__1__1` is inconsistent: its 10 offsets are not 18446744073709551615 rows + 0 merged - 0 extra + 11 rejected + 0 filtered + 0 gaps
        Bug: segment `t1__0__0` exists already in its table
        Invalid: segment name `a/b` is not allowed: it must start with a letter, a digit or `_`, hold only letters, digits, `_`, `-` and `.` (no `..`), and have at most 230 characters
        Bug: segment `t1__1__1` names the durable file `t1__0__0.parquet`, which is taken
        Invalid: durable file name `..` is not allowed: it must start with a letter, a digit or `_`, hold only letters, digits, `_`, `-` and `.` (no `..`), and have at most 230 characters
        Bug: segment `t1__1__1` is inconsistent: a durable file goes with rows, and it has 10 rows
        Bug: segment `t1__1__1` is inconsistent: it names a file of rejects but rejected nothing
        Bug: segment `t1__1__1` names the durable file `t1__1__1.parquet`, which is taken
        Bug: segment `t1__1__1` is inconsistent: its times 6..5 run backwards
        Bug: segment `t1__1__1` is inconsistent: its last record 17 is outside [7, 17)
        Bug: segment `t1__1__1` is inconsistent: its gaps sum to 0 offsets, it says 1
        Bug: segment `t1__1__1` is inconsistent: its gaps sum to 1 offsets, it says 0
        Bug: segment `t1__1__1` is inconsistent: its gap [17, 18) is empty, out of order or outside [7, 17)
        Bug: segment `t1__1__1` is inconsistent: its gap [8, 9) is empty, out of order or outside [7, 17)
    "#]]
    .assert_eq(&answers);
}

#[test]
fn a_schema_belongs_to_the_table_of_its_name() {
    let mut state = LedgerState::new();
    let mut apply = |record| {
        state.apply(record).unwrap();
        let schema = state.schemas().get("trips").map(|s| format!("v{} {}", s.version, s.json));
        schema.unwrap_or_else(|| "none".to_string())
    };
    let steps = [
        put_schema("trips"),
        put_schema("trips"),
        create_table(1, "trips"),
        put_schema("trips"),
        LedgerRecord::DropTable { table: TableId(1) },
        LedgerRecord::DropSchema { name: "trips".to_string() },
        create_table(2, "trips"),
    ];
    let seen: Vec<_> = steps.into_iter().map(&mut apply).collect();
    expect![[r#"
        v1 {"schemaName":"trips"}
        v1 {"schemaName":"trips"}
        v2 {"schemaName":"trips","z":1,"a":[0.1,null,"é\n"]}
        v3 {"schemaName":"trips"}
        v3 {"schemaName":"trips"}
        none
        v1 {"schemaName":"trips","z":1,"a":[0.1,null,"é\n"]}
    "#]]
    .assert_eq(&(seen.join("\n") + "\n"));
}

#[test]
fn refuses_json_that_would_not_read_back() {
    let dir = scratch_dir();
    let ledger = Ledger::open(dir.path(), true, SMALL).unwrap();
    let nested = |depth| (0..depth).fold(Value::Null, |inner, _| json!([inner]));
    let put = |depth| LedgerRecord::PutSchema { name: "s".to_string(), schema: Arc::new(nested(depth)) };
    let error = append(&ledger, put(101)).unwrap_err();
    expect!["schema cannot be stored: it nests 101 levels deep, 100 are allowed"]
        .assert_eq(&error.to_string());
    assert_eq!(error.kind(), ErrorKind::Invalid);
    for _ in 0..4 {
        append(&ledger, put(100)).unwrap(); // through a checkpoint
    }
    let huge = Arc::new(Value::String("x".repeat(17 << 20)));
    let error = append(&ledger, LedgerRecord::PutSchema { name: "s".to_string(), schema: huge }).unwrap_err();
    expect!["schema cannot be stored: it takes 17825836 bytes, 16777216 are allowed"]
        .assert_eq(&error.to_string());
    let state = state_of(&ledger);
    assert_eq!(state_of(&Ledger::open(dir.path(), false, SMALL).unwrap()), state);
}

#[test]
fn numbers_survive_checkpoints_unchanged() {
    let dir = scratch_dir();
    let numbers =
        json!([0.1, 1e-7, 5e-324, 1.7976931348623157e308, 0.30000000000000004, u64::MAX, i64::MIN, -0.0]);
    let text = numbers.to_string();
    let record = LedgerRecord::PutSchema { name: "s".to_string(), schema: Arc::new(numbers) };
    drop(write_ledger(dir.path(), LogLimits { records_max: 1, ..SMALL }, &[record]));
    for round in 0..5 {
        let ledger = Ledger::open(dir.path(), false, LogLimits { records_max: 1, ..SMALL }).unwrap();
        append(&ledger, put_schema(&format!("other{round}"))).unwrap();
        assert_eq!(ledger.read(|state| state.schemas()["s"].json.to_string()), text);
    }
}

#[test]
fn nothing_is_committed_after_a_failed_write_or_sync() {
    // /dev/full fails every write; /dev/null takes writes but cannot be synced.
    for device in ["/dev/full", "/dev/null"] {
        let dir = scratch_dir();
        let ledger = write_ledger(dir.path(), SMALL, &story()[..1]);
        let before = state_of(&ledger);
        let file = fs::OpenOptions::new().write(true).open(device).unwrap();
        ledger.writer.lock().log.replace_file(file);
        for _ in 0..2 {
            let error = append(&ledger, put_schema("lost")).unwrap_err();
            assert!(matches!(error, CatalogError::LedgerFailed { .. }), "{device}: {error}");
            assert_eq!(error.kind(), ErrorKind::Restart);
        }
        let good = fs::OpenOptions::new().write(true).open(ledger.writer.lock().log.path()).unwrap();
        ledger.writer.lock().log.replace_file(good);
        append(&ledger, put_schema("lost")).expect_err("a healed disk does not heal the ledger");
        assert_eq!(state_of(&ledger), before);
        drop(ledger);
        assert_eq!(state_of(&Ledger::open(dir.path(), false, SMALL).unwrap()), before);
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_put_off() {
    let dir = scratch_dir();
    let records = story();
    let ledger = Ledger::open(dir.path(), true, SMALL).unwrap();
    // A directory where the temporary files go makes their creation fail.
    let in_the_way =
        [dir.path().join(format!("{:020}.log.tmp", 2)), dir.path().join(format!("{:020}.checkpoint.tmp", 1))];
    in_the_way.iter().for_each(|path| fs::create_dir(path).unwrap());
    for record in &records[..5] {
        append(&ledger, record.clone()).unwrap();
    }
    assert_eq!(number_and_base(&ledger), (1, 0), "the log goes on");
    fs::remove_dir(&in_the_way[0]).unwrap();
    for record in &records[5..7] {
        append(&ledger, record.clone()).unwrap();
    }
    assert_eq!(number_and_base(&ledger), (2, 0), "the next log without a checkpoint");
    fs::remove_dir(&in_the_way[1]).unwrap();
    for record in &records[7..] {
        append(&ledger, record.clone()).unwrap();
    }
    assert_eq!(number_and_base(&ledger), (3, 2));
    drop(ledger);
    let reopened = Ledger::open(dir.path(), false, SMALL).unwrap();
    assert_eq!(state_of(&reopened), *states_along(&records).last().unwrap());
}

fn number_and_base(ledger: &Ledger) -> (u64, u64) {
    let writer = ledger.writer.lock();
    (writer.number, writer.base)
}

#[test]
fn readers_do_not_wait_for_a_commit() {
    let dir = scratch_dir();
    let ledger = write_ledger(dir.path(), SMALL, &story());
    let _committing = ledger.writer.lock();
    assert_eq!(ledger.read(|state| state.tables().count()), 1);
}

/// Prints the refusal with the directory left out.
fn check_refused(dir: &Path, is_new: bool, expect: Expect) {
    let error = Ledger::open(dir, is_new, SMALL).expect_err("must be refused");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    expect.assert_eq(&error.to_string().replace(dir.to_str().unwrap(), "DIR"));
}

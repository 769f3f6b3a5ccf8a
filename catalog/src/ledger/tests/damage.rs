//! Every file of the ledger cut at every byte, flipped at every byte, missing, and left between any two steps.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;

/// The files of a ledger, to be put back, changed, into a fresh directory.
type Files = BTreeMap<String, Vec<u8>>;

fn files_of(dir: &Path) -> Files {
    let entry =
        |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_string(), fs::read(&path).unwrap());
    fs::read_dir(dir).unwrap().map(|e| entry(e.unwrap().path())).collect()
}

fn put_back(files: &Files) -> TempDir {
    let dir = scratch_dir();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

/// Opens a ledger of these files, and again to see that recovery is stable and that it takes a further record.
fn recover(files: &Files) -> Result<LedgerState, CatalogError> {
    let dir = put_back(files);
    let state = state_of(&Ledger::open(dir.path(), false, LogLimits::default())?);
    let again = Ledger::open(dir.path(), false, LogLimits::default()).expect("what opened once opens again");
    assert_eq!(state_of(&again), state);
    append(&again, put_schema("after")).unwrap();
    let mut after = state.clone();
    after.apply(put_schema("after")).unwrap();
    drop(again);
    assert_eq!(state_of(&Ledger::open(dir.path(), false, LogLimits::default()).unwrap()), after);
    Ok(state)
}

/// Where each record of a log begins, and its end.
fn record_bounds(log: &[u8]) -> Vec<usize> {
    let content = super::super::log::parse(log).unwrap();
    let mut bounds: Vec<_> = content.records.iter().map(|&(at, _)| usize::try_from(at).unwrap()).collect();
    bounds.push(log.len());
    bounds
}

fn one_log() -> (String, Vec<u8>) {
    let dir = scratch_dir();
    drop(write_ledger(dir.path(), LogLimits::default(), &story()));
    let files = files_of(dir.path());
    assert_eq!(files.len(), 1);
    files.into_iter().next().unwrap()
}

/// Two checkpoints and the logs around them, as they are in the middle of a long run.
fn many_files() -> (Vec<LedgerRecord>, Files) {
    let records = story();
    let dir = scratch_dir();
    drop(write_ledger(dir.path(), SMALL, &records));
    let files = files_of(dir.path());
    assert_eq!(files.len(), 4, "{:?}", files.keys());
    (records, files)
}

#[test]
fn a_log_cut_anywhere_keeps_exactly_the_whole_records() {
    let (name, log) = one_log();
    let states = states_along(&story());
    let bounds = record_bounds(&log);
    for length in 0..=log.len() {
        let recovered = recover(&Files::from([(name.clone(), log[..length].to_vec())]));
        if length < super::super::log::HEADER_BYTES {
            let error = recovered.expect_err("a log without a whole header is no crash's work");
            assert!(matches!(error, CatalogError::LedgerCorrupt { .. }), "{length}: {error}");
            continue;
        }
        let whole = bounds.iter().filter(|&&bound| bound <= length).count() - 1;
        assert_eq!(recovered.unwrap(), states[whole], "cut at {length}");
    }
}

#[test]
fn a_log_flipped_anywhere_is_refused_or_loses_only_its_torn_end() {
    let (name, log) = one_log();
    let states = states_along(&story());
    let bounds = record_bounds(&log);
    let last = bounds[bounds.len() - 2];
    for at in 0..log.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = log.clone();
            bytes[at] ^= flip;
            match recover(&Files::from([(name.clone(), bytes)])) {
                Ok(state) => {
                    assert!(at >= last, "byte {at} ^ {flip} was accepted");
                    assert_eq!(state, states[states.len() - 2], "byte {at} ^ {flip}");
                }
                Err(CatalogError::LedgerCorrupt { at: found, .. }) => {
                    assert!(at < last, "byte {at} ^ {flip} of the last record was refused");
                    let record = bounds.iter().rfind(|&&bound| bound <= at).copied().unwrap_or(0);
                    assert_eq!(found, record as u64, "byte {at} ^ {flip}");
                }
                Err(other) => panic!("byte {at} ^ {flip}: {other}"),
            }
        }
    }
}

#[test]
fn any_file_flipped_anywhere_is_refused_or_loses_only_the_torn_end() {
    let (records, files) = many_files();
    let states = states_along(&records);
    let mut accepted = BTreeMap::<&str, usize>::new();
    for (name, bytes) in &files {
        for at in 0..bytes.len() {
            let mut files = files.clone();
            files.get_mut(name).unwrap()[at] ^= 0x10;
            let Ok(state) = recover(&files) else { continue };
            let is_last_log = name == files.keys().next_back().unwrap();
            let lost = records.len() - states.iter().position(|s| *s == state).expect("a state that was");
            assert!(lost == 0 || (lost == 1 && is_last_log), "{name} flipped at {at} lost {lost} records");
            *accepted.entry(name).or_default() += 1;
        }
    }
    // Files of the older generation are not read, and stand in for a damaged newer checkpoint.
    for name in files.keys().take(3) {
        assert_eq!(accepted.get(name.as_str()), Some(&files[name].len()), "{name}");
    }
}

#[test]
fn any_file_cut_anywhere_is_refused_or_loses_only_the_end() {
    let (records, files) = many_files();
    let states = states_along(&records);
    let last_log = files.keys().next_back().unwrap();
    let checkpointed = records.len() - record_bounds(&files[last_log]).len() + 1;
    for (name, bytes) in &files {
        for length in 0..bytes.len() {
            let mut files = files.clone();
            files.get_mut(name).unwrap().truncate(length);
            let Ok(state) = recover(&files) else { continue };
            let kept = states.iter().position(|s| *s == state).expect("a state that was");
            let is_least = kept >= if name == last_log { checkpointed } else { records.len() };
            assert!(is_least, "{name} cut at {length} kept {kept} records");
        }
    }
}

#[test]
fn any_missing_file_is_refused_or_needless() {
    let (records, files) = many_files();
    let full = states_along(&records).pop().unwrap();
    let mut answers = String::new();
    for name in files.keys() {
        let mut files = files.clone();
        files.remove(name);
        let answer = match recover(&files) {
            Ok(state) => {
                assert_eq!(state, full);
                "nothing lost".to_string()
            }
            Err(CatalogError::LedgerMissing { path }) => {
                format!("missing {}", path.file_name().unwrap().display())
            }
            Err(other) => panic!("{other}"),
        };
        answers += &format!("without {}: {answer}\n", name.trim_start_matches('0'));
    }
    expect![[r#"
        without 2.checkpoint: nothing lost
        without 3.checkpoint: nothing lost
        without 3.log: nothing lost
        without 4.log: missing 00000000000000000004.log
    "#]]
    .assert_eq(&answers);
}

#[test]
fn a_crash_between_any_two_steps_of_a_checkpoint_loses_nothing() {
    let records = story();
    let before = {
        let dir = scratch_dir();
        let limits = LogLimits { records_max: 100, ..SMALL };
        drop(write_ledger(dir.path(), SMALL, &records[..6]));
        let ledger = Ledger::open(dir.path(), false, limits).unwrap();
        records[6..9].iter().for_each(|record| append(&ledger, record.clone()).unwrap());
        files_of(dir.path())
    };
    let after = {
        let dir = put_back(&before);
        let ledger = Ledger::open(dir.path(), false, LogLimits { records_max: 4, ..SMALL }).unwrap();
        append(&ledger, records[9].clone()).unwrap();
        files_of(dir.path())
    };
    let state = states_along(&records[..10]).pop().unwrap();
    let mut disk = before.clone();
    disk.insert(format!("{:020}.log", 3), one_more(&before[&format!("{:020}.log", 3)], &records[9]));
    let check = |step: &str, disk: &Files| assert_eq!(recover(disk).expect(step), state, "{step}");
    check("record appended", &disk);

    let new = |name: &str| {
        after.keys().find(|key| key.ends_with(name) && !disk.contains_key(*key)).unwrap().clone()
    };
    let (log, checkpoint) = (new(".log"), new(".checkpoint"));
    let removed: Vec<_> = disk.keys().filter(|key| !after.contains_key(*key)).cloned().collect();
    assert_eq!(removed.len(), 2);
    for (name, bytes) in [(&log, &after[&log]), (&checkpoint, &after[&checkpoint])] {
        for length in [0, 1, bytes.len() / 2, bytes.len() - 1, bytes.len()] {
            disk.insert(format!("{name}.tmp"), bytes[..length].to_vec());
            check(&format!("{length} bytes of the temporary {name}"), &disk);
        }
        disk.remove(&format!("{name}.tmp"));
        disk.insert(name.clone(), bytes.clone());
        check(&format!("{name} renamed"), &disk);
    }
    for first in [0, 1] {
        let mut disk = disk.clone();
        disk.remove(&removed[first]);
        check("one old file removed", &disk);
        disk.remove(&removed[1 - first]);
        check("both old files removed", &disk);
        assert_eq!(disk, after);
    }
}

fn one_more(log: &[u8], record: &LedgerRecord) -> Vec<u8> {
    [log, &super::super::log::frame(record).unwrap()].concat()
}

#[test]
fn a_torn_end_of_any_content_is_cut_off() {
    let (name, log) = one_log();
    let full = states_along(&story()).pop().unwrap();
    let frame = super::super::log::frame(&put_schema("torn")).unwrap();
    let mut ends =
        vec![vec![0; 1], vec![0; 7], vec![0; 8], vec![0; 4096], vec![0xff; 4096], b"{".repeat(600)];
    for kept in 0..frame.len() {
        ends.push(frame[..kept].to_vec());
        ends.push([&frame[..kept], &vec![0; frame.len() - kept]].concat()); // the file grew, its bytes did not arrive
        ends.push([&vec![0; kept], &frame[kept..]].concat());
    }
    ends.retain(|end| *end != frame);
    for end in ends {
        let torn = [log.as_slice(), &end].concat();
        assert_eq!(recover(&Files::from([(name.clone(), torn)])).unwrap(), full, "{end:?}");
    }
}

#[test]
fn a_torn_record_before_another_log_is_refused() {
    let (_, files) = many_files();
    let mut files = files;
    let checkpoints: Vec<_> = files.keys().filter(|name| name.ends_with("checkpoint")).cloned().collect();
    files.remove(&checkpoints[1]); // the log after the older checkpoint is read again
    let log = files.keys().find(|name| name.ends_with("log")).unwrap().clone();
    files.get_mut(&log).unwrap().extend([1, 2, 3]);
    let dir = put_back(&files);
    check_refused(
        dir.path(),
        false,
        expect![
            "ledger file `DIR/00000000000000000003.log` is damaged at byte 249: a record is cut short in its length, and log 4 follows; going on would lose or double rows: restore the file from a copy, or move the data directory away and ingest again"
        ],
    );
}

#[test]
fn records_missing_before_another_log_are_noticed() {
    let (_, files) = many_files();
    let mut files = files;
    let checkpoints: Vec<_> = files.keys().filter(|name| name.ends_with("checkpoint")).cloned().collect();
    files.remove(&checkpoints[1]);
    let log = files.keys().find(|name| name.ends_with("log")).unwrap().clone();
    let bounds = record_bounds(&files[&log]);
    files.get_mut(&log).unwrap().truncate(bounds[bounds.len() - 2]); // at a record's border: the log itself is good
    let dir = put_back(&files);
    check_refused(
        dir.path(),
        false,
        expect![
            "ledger file `DIR/00000000000000000004.log` is damaged at byte 20: it continues after record 9, the logs before it hold 8; going on would lose or double rows: restore the file from a copy, or move the data directory away and ingest again"
        ],
    );
}

#[test]
fn a_missing_ledger_is_refused_unless_there_never_was_one() {
    let dir = scratch_dir();
    check_refused(
        dir.path(),
        false,
        expect![
            "`DIR/00000000000000000001.log` is missing, but the data directory was in use: without it nobody knows which rows are committed: restore it from a copy, or move the data directory away and ingest again"
        ],
    );
    Ledger::open(dir.path(), true, SMALL).unwrap();
    fs::write(dir.path().join(format!("{:020}.log", 1)), "").unwrap();
    check_refused(
        dir.path(),
        true,
        expect![
            "ledger file `DIR/00000000000000000001.log` is damaged at byte 0: its header is cut short; going on would lose or double rows: restore the file from a copy, or move the data directory away and ingest again"
        ],
    );
}

#[test]
fn a_damaged_record_is_named_with_file_and_byte() {
    let (name, mut log) = one_log();
    log[200] ^= 1;
    let dir = put_back(&Files::from([(name, log)]));
    check_refused(
        dir.path(),
        false,
        expect![
            "ledger file `DIR/00000000000000000001.log` is damaged at byte 108: a record has a wrong checksum, and a good record follows at byte 273; going on would lose or double rows: restore the file from a copy, or move the data directory away and ingest again"
        ],
    );
}

/// Returns the log with its last record replaced by this payload, correctly framed.
fn with_last_payload(log: &[u8], payload: &str) -> Vec<u8> {
    let bounds = record_bounds(log);
    let mut bytes = log[..bounds[bounds.len() - 2]].to_vec();
    bytes.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    bytes.extend(crc32c::crc32c(payload.as_bytes()).to_le_bytes());
    bytes.extend(payload.as_bytes());
    bytes
}

#[test]
fn what_a_newer_version_wrote_is_refused_and_left_alone() {
    let (name, log) = one_log();
    let mut newer_log = log.clone();
    newer_log[8] = 2;
    let crc = crc32c::crc32c(&newer_log[..28]).to_le_bytes();
    newer_log[28..32].copy_from_slice(&crc);
    let logs = [
        newer_log,
        with_last_payload(&log, r#"{"type":"merge_segments"}"#),
        with_last_payload(&log, r#"{"type":"drop_schema","name":"trips","cascade":true}"#),
    ];
    let mut answers = String::new();
    for log in logs {
        let files = Files::from([(name.clone(), log)]);
        let dir = put_back(&files);
        let error = Ledger::open(dir.path(), false, SMALL).unwrap_err();
        assert!(matches!(error, CatalogError::LedgerNewer { .. }), "{error}");
        answers += &format!("{}\n", error.to_string().replace(dir.path().to_str().unwrap(), "DIR"));
        assert_eq!(files_of(dir.path()), files);
    }
    expect![[r#"
        ledger file `DIR/00000000000000000001.log` holds at byte 8 what this version cannot read (log version 2): start the newer meunier that wrote it
        ledger file `DIR/00000000000000000001.log` holds at byte 1698 what this version cannot read (unknown variant `merge_segments`, expected one of `put_schema`, `drop_schema`, `create_table`, `update_table`, `drop_table`, `add_partitions`, `commit_segment`, `drop_segments`, `set_paused`, `set_disabled` at line 1 column 24): start the newer meunier that wrote it
        ledger file `DIR/00000000000000000001.log` holds at byte 1698 what this version cannot read (unknown field `cascade`, expected `name`): start the newer meunier that wrote it
    "#]]
    .assert_eq(&answers);
}

#[test]
fn a_record_that_contradicts_the_ones_before_is_refused() {
    let (name, log) = one_log();
    let twice = String::from_utf8(story()[3].to_json().unwrap()).unwrap();
    let dir = put_back(&Files::from([(name, with_last_payload(&log, &twice))]));
    check_refused(
        dir.path(),
        false,
        expect![
            "ledger file `DIR/00000000000000000001.log` is damaged at byte 1698: its record contradicts the ones before: segment `t1__0__0` starts at offset 100, the partition is committed up to 120; going on would lose or double rows: restore the file from a copy, or move the data directory away and ingest again"
        ],
    );
}

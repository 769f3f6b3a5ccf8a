use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread;

use expect_test::{Expect, expect};
use meunier_segment::offset_range::{Offset, OffsetRange, PartitionId};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::error::ErrorKind;

fn create(catalog: &Catalog, name: &str) -> TableEntry {
    let schema = Arc::new(json!({ "schemaName": name }));
    let table = catalog.create_table(name, schema, Arc::new(json!({ "tableName": name })), 1_000).unwrap();
    let start = |partition| PartitionStart { partition: PartitionId(partition), start: Offset(10), epoch: 1 };
    catalog.add_partitions(table.id, (0..4).map(start).collect()).unwrap();
    table
}

/// Writes the durable file of the partition's next segment of ten rows, and returns the commit.
fn seal(catalog: &Catalog, table: TableId, partition: i32) -> SegmentCommit {
    let at = catalog.partitions(table).into_iter().find(|p| p.partition.0 == partition).unwrap();
    let name = format!("s__{partition}__{}", at.next_sequence);
    let file_name = format!("{name}.parquet");
    let durable = catalog.put_file(table, &file_name, |writer| writer.write_all(b"rows")).unwrap();
    SegmentCommit {
        table,
        partition: at.partition,
        epoch: at.epoch,
        sequence: at.next_sequence,
        name,
        range: OffsetRange::new(at.committed, Offset(at.committed.0 + 10)),
        rows: 10,
        rejected: 0,
        filtered: 0,
        extra_rows: 0,
        merged_rows: 0,
        gap_offsets: 0,
        gaps: Vec::new(),
        durable: Some(durable),
        rejects: None,
        created_ms: 2_000,
        min_time_ms: None,
        max_time_ms: None,
        last_record: None,
    }
}

fn commit(catalog: &Catalog, table: TableId, partition: i32) {
    catalog.commit_segment(seal(catalog, table, partition)).unwrap();
}

/// Lists the files below the data directory, the ledger's and the fixed ones left out.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = ["deep_store", "serving", "tmp"].map(|name| dir.join(name)).to_vec();
    while let Some(path) = dirs.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            found.push(path.strip_prefix(dir).unwrap().to_str().unwrap().to_string());
            if path.is_dir() {
                dirs.push(path);
            }
        }
    }
    found.sort();
    found
}

fn check_files(dir: &Path, expect: Expect) {
    expect.assert_eq(&files(dir).join("\n"));
}

/// Prints the refusal with the directory left out.
fn check_refused(dir: &Path, expect: Expect) {
    let message = Catalog::open(dir).expect_err("must be refused").to_string();
    expect.assert_eq(&message.replace(dir.to_str().unwrap(), "DIR"));
}

#[test]
fn everything_is_there_again_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    commit(&catalog, table.id, 0);
    commit(&catalog, table.id, 2);
    commit(&catalog, table.id, 0);
    let pause = PauseReason { comment: "why".to_string(), by: "operator".to_string(), at_ms: 5 };
    catalog.set_paused(table.id, Some(pause)).unwrap();
    catalog.put_schema("loose", Arc::new(json!({}))).unwrap();
    let seen = |c: &Catalog| {
        (c.tables(), c.schemas(), c.partitions(table.id), c.segments(table.id), files(dir.path()))
    };
    let before = seen(&catalog);
    drop(catalog);
    let catalog = Catalog::open(dir.path()).unwrap();
    assert_eq!(seen(&catalog), before);
    assert_eq!(catalog.damaged_files(), []);
    let names: Vec<_> = catalog.segments(table.id).iter().map(|s| s.name.clone()).collect();
    assert_eq!(names, ["s__0__0", "s__0__1", "s__2__0"]);
    assert_eq!(catalog.table("trips").unwrap(), before.0[0]);
    let positions: Vec<_> = catalog.partitions(table.id).iter().map(|p| (p.committed.0, p.rows)).collect();
    assert_eq!(positions, [(30, 20), (10, 0), (20, 10), (10, 0)]);
}

#[test]
fn a_second_catalog_on_the_directory_is_refused() {
    let dir = TempDir::new().unwrap();
    let _catalog = Catalog::open(dir.path()).unwrap();
    let error = Catalog::open(dir.path()).unwrap_err();
    assert!(
        matches!(error, CatalogError::Locked { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn files_that_no_commit_names_are_removed_at_the_start() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    commit(&catalog, table.id, 0);
    seal(&catalog, table.id, 0); // a crash before the commit
    fs::write(catalog.data_dir().tmp().join("put-7"), "half").unwrap();
    fs::create_dir(catalog.data_dir().serving_of(&table.dir)).unwrap();
    for segment in ["s__0__0", "s__0__1"] {
        fs::write(catalog.data_dir().serving_file(&table.dir, segment).unwrap(), "").unwrap();
    }
    for foreign in ["deep_store/README", "deep_store/1-trips/.hidden-dir/x", "serving/notes-dir/x"] {
        let path = dir.path().join(foreign);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "not ours").unwrap();
    }
    drop(catalog);
    let catalog = Catalog::open(dir.path()).unwrap();
    check_files(
        dir.path(),
        expect![[r#"
        deep_store/1-trips
        deep_store/1-trips/.hidden-dir
        deep_store/1-trips/.hidden-dir/x
        deep_store/1-trips/s__0__0.parquet
        deep_store/README
        serving/1-trips
        serving/1-trips/s__0__0.seg
        serving/notes-dir
        serving/notes-dir/x"#]],
    );
    commit(&catalog, table.id, 0);
}

#[test]
fn a_file_left_by_a_failed_commit_is_replaced() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    seal(&catalog, table.id, 0);
    commit(&catalog, table.id, 0);
    let error = catalog.put_file(table.id, "s__0__0.parquet", |_| Ok(())).unwrap_err();
    assert!(matches!(error, CatalogError::FileExists { .. }), "{error}");
}

#[test]
fn a_commit_whose_file_is_not_there_is_refused() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    let sealed = seal(&catalog, table.id, 0);
    let file = sealed.durable.clone().unwrap();
    catalog.deep_store().remove(&table.dir, &file.file_name).unwrap();
    let error = catalog.commit_segment(sealed).unwrap_err();
    assert!(matches!(error, CatalogError::FileDamaged { .. }), "{error}");
    assert_eq!(catalog.partitions(table.id)[0].committed, Offset(10));
}

#[test]
fn a_commit_is_accepted_once() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    let sealed = seal(&catalog, table.id, 0);
    catalog.commit_segment(sealed.clone()).unwrap();
    let error = catalog.commit_segment(sealed).unwrap_err();
    expect!["segment `s__0__0` starts at offset 10, the partition is committed up to 20"]
        .assert_eq(&error.to_string());
    assert_eq!(error.kind(), ErrorKind::Bug);
}

#[test]
fn a_table_made_anew_never_meets_the_old_ones_files() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let old = create(&catalog, "trips");
    commit(&catalog, old.id, 0);
    catalog.drop_table(old.id).unwrap();
    assert_eq!(files(dir.path()), [""; 0]);
    let new = create(&catalog, "trips");
    commit(&catalog, new.id, 0);
    check_files(
        dir.path(),
        expect![[r#"
        deep_store/2-trips
        deep_store/2-trips/s__0__0.parquet"#]],
    );
    let late =
        SegmentCommit { durable: None, rows: 0, rejected: 10, ..(*catalog.segments(new.id)[0]).clone() };
    let error = catalog.commit_segment(SegmentCommit { table: old.id, ..late }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_crash_while_dropping_a_table_is_finished_at_the_next_start() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    commit(&catalog, table.id, 0);
    catalog.ledger.append(|_| Ok(LedgerRecord::DropTable { table: table.id })).unwrap();
    drop(catalog);
    let catalog = Catalog::open(dir.path()).unwrap();
    assert_eq!(files(dir.path()), [""; 0]);
    assert_eq!(create(&catalog, "trips").id, TableId(2));
}

#[test]
fn a_schema_is_shared_with_the_table_of_its_name() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    catalog.put_schema("trips", Arc::new(json!({ "v": 2 }))).unwrap();
    let entry = catalog.table("trips").unwrap();
    assert_eq!((entry.schema.to_string(), entry.schema_version), (r#"{"v":2}"#.to_string(), 2));
    assert_eq!(catalog.drop_schema("trips").unwrap_err().kind(), ErrorKind::Conflict);
    let updated =
        catalog.update_table(table.id, Arc::new(json!({ "v": 3 })), Arc::new(json!({ "c": 1 }))).unwrap();
    assert_eq!(catalog.schema("trips").unwrap().schema, updated.schema);
    catalog.drop_table(table.id).unwrap();
    assert_eq!(catalog.schema("trips").unwrap().version, 3);
    catalog.drop_schema("trips").unwrap();
    assert_eq!(catalog.drop_schema("trips").unwrap_err().kind(), ErrorKind::NotFound);
    let again = catalog.create_table("trips", Arc::new(json!({})), Arc::new(json!({})), 0).unwrap();
    let taken = catalog.create_table("trips", Arc::new(json!({})), Arc::new(json!({})), 0).unwrap_err();
    assert_eq!((again.id, taken.kind()), (TableId(2), ErrorKind::Conflict));
}

#[test]
fn damaged_files_are_reported_and_the_rest_is_served() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    for partition in 0..3 {
        commit(&catalog, table.id, partition);
    }
    let path = |n: i32| catalog.deep_store().path(&table.dir, &format!("s__{n}__0.parquet")).unwrap();
    fs::remove_file(path(0)).unwrap();
    fs::write(path(1), "ro").unwrap();
    drop(catalog);
    let catalog = Catalog::open(dir.path()).unwrap();
    let damaged: Vec<_> = catalog.damaged_files().iter().map(|d| d.segment.as_str()).collect();
    assert_eq!(damaged, ["s__0__0", "s__1__0"]);
    assert_eq!(catalog.segments(table.id).len(), 3);
}

#[test]
fn a_ledger_missing_beside_files_is_refused_and_nothing_is_removed() {
    let dir = TempDir::new().unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    commit(&catalog, table.id, 0);
    drop(catalog);
    fs::remove_dir_all(dir.path().join("ledger")).unwrap();
    check_refused(
        dir.path(),
        expect![
            "`DIR/ledger/00000000000000000001.log` is missing, but the data directory was in use: without it nobody knows which rows are committed: restore it from a copy, or move the data directory away and ingest again"
        ],
    );
    fs::remove_file(dir.path().join("FORMAT")).unwrap();
    check_refused(
        dir.path(),
        expect![
            "`DIR/deep_store` holds files but its directory has no FORMAT file, so it is not known to be a meunier data directory: choose an empty directory, or restore FORMAT if it was deleted"
        ],
    );
    assert_eq!(files(dir.path()).len(), 2);
}

#[test]
fn a_ledger_older_than_the_files_is_refused_and_nothing_is_removed() {
    let dir = TempDir::new().unwrap();
    drop(Catalog::open(dir.path()).unwrap());
    let log = fs::read_dir(dir.path().join("ledger")).unwrap().next().unwrap().unwrap().path();
    let old = fs::read(&log).unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips");
    commit(&catalog, table.id, 0);
    drop(catalog);
    fs::write(&log, old).unwrap();
    check_refused(
        dir.path(),
        expect![
            "`DIR/deep_store/1-trips` belongs to a table the ledger never created, so the ledger is older than the files: restore the newest ledger, or move that directory away"
        ],
    );
    assert_eq!(files(dir.path()).len(), 2);
}

#[test]
fn partitions_commit_at_the_same_time() {
    let dir = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
    let catalog = Catalog::open(dir.path()).unwrap();
    let table = create(&catalog, "trips").id;
    thread::scope(|scope| {
        for partition in 0..4 {
            let catalog = &catalog;
            scope.spawn(move || (0..50).for_each(|_| commit(catalog, table, partition)));
        }
        for _ in 0..200 {
            let seen: BTreeSet<_> =
                catalog.segments(table).iter().map(|s| (s.partition, s.sequence)).collect();
            let positions = catalog.partitions(table);
            assert!(seen.len() as u64 * 10 <= positions.iter().map(|p| p.rows).sum());
        }
    });
    assert!(catalog.partitions(table).iter().all(|p| (p.committed.0, p.next_sequence) == (510, 50)));
    drop(catalog);
    assert_eq!(Catalog::open(dir.path()).unwrap().segments(table).len(), 200);
}

#[test]
fn a_crash_before_format_was_written_is_a_new_directory() {
    let dir = TempDir::new().unwrap();
    drop(Catalog::open(dir.path()).unwrap());
    fs::remove_file(dir.path().join("FORMAT")).unwrap();
    fs::write(dir.path().join("FORMAT.tmp"), "meun").unwrap();
    drop(Catalog::open(dir.path()).unwrap());
    assert!(dir.path().join("FORMAT").exists());
}

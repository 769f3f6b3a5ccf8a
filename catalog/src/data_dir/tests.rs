use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::*;
use crate::error::ErrorKind;

/// Prints the refusal with the directory replaced by `DIR` and this process's id by `PID`.
fn check(dir: &Path, path: &Path, expect: Expect) {
    let message = DataDir::open(path).expect_err("must be refused").to_string();
    let real = fs::canonicalize(dir).unwrap();
    let message = message.replace(real.to_str().unwrap(), "DIR").replace(dir.to_str().unwrap(), "DIR");
    expect.assert_eq(&message.replace(&std::process::id().to_string(), "PID"));
}

fn used_dir() -> TempDir {
    let dir = TempDir::new().unwrap();
    DataDir::open(dir.path()).unwrap().mark_in_use().unwrap();
    dir
}

#[test]
fn creates_the_layout_with_missing_parents() {
    let dir = TempDir::new().unwrap();
    let data_dir = DataDir::open(&dir.path().join("a/b")).unwrap();
    let mut names: Vec<_> = fs::read_dir(data_dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["LOCK", "deep_store", "ledger", "serving", "tmp"]);
}

#[test]
fn a_second_opener_is_told_who_holds_the_lock() {
    let dir = used_dir();
    let holder = DataDir::open(dir.path()).unwrap();
    check(
        dir.path(),
        dir.path(),
        expect![
            "data directory `DIR` is in use by process PID: stop that process or choose another directory"
        ],
    );
    drop(holder);
    DataDir::open(dir.path()).unwrap();
}

#[test]
fn a_lock_left_by_a_killed_process_is_free() {
    let dir = used_dir();
    fs::write(dir.path().join("LOCK"), "1\n").unwrap();
    let _held = DataDir::open(dir.path()).unwrap();
    let text = fs::read_to_string(dir.path().join("LOCK")).unwrap();
    assert_eq!(text.trim(), std::process::id().to_string());
}

#[test]
fn refuses_a_path_that_is_a_file_or_below_one() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let message = "`DIR/file` is not a directory: choose another data directory or move that file away";
    for path in [file.clone(), file.join("sub")] {
        let error = DataDir::open(&path).unwrap_err().to_string();
        assert!(error.contains("is not a directory"), "{error} should resemble {message}");
    }
    fs::write(dir.path().join("tmp"), "").unwrap();
    assert!(DataDir::open(dir.path()).unwrap_err().to_string().contains("is not a directory"));
}

#[test]
fn refuses_a_newer_format_and_a_damaged_one() {
    let dir = used_dir();
    fs::write(dir.path().join("FORMAT"), format_line(2)).unwrap();
    check(
        dir.path(),
        dir.path(),
        expect![
            "data directory `DIR` has format 2, this version knows up to 1: start the newer meunier that wrote it"
        ],
    );
    for damaged in ["", "meunier", "meunier data directory, format 1", "meunier data directory, format 0\n"] {
        fs::write(dir.path().join("FORMAT"), damaged).unwrap();
        let error = DataDir::open(dir.path()).unwrap_err();
        assert!(matches!(error, CatalogError::DamagedFormat { .. }), "{damaged:?}: {error}");
    }
}

#[test]
fn never_takes_a_directory_whose_tmp_holds_someones_files() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("tmp")).unwrap();
    fs::write(dir.path().join("tmp/thesis.txt"), "precious").unwrap();
    let error = DataDir::open(dir.path()).unwrap_err();
    assert!(matches!(error, CatalogError::NotADataDirectory { .. }), "{error}");
    assert!(dir.path().join("tmp/thesis.txt").exists());
}

#[test]
fn a_full_or_read_only_disk_is_told_apart() {
    let kind_of =
        |kind: io::ErrorKind| CatalogError::io("write", Path::new("/x"), io::Error::from(kind)).kind();
    assert_eq!(kind_of(io::ErrorKind::StorageFull), ErrorKind::Unavailable);
    assert_eq!(kind_of(io::ErrorKind::ReadOnlyFilesystem), ErrorKind::Invalid);
    let message = CatalogError::io("write", Path::new("/x"), io::ErrorKind::StorageFull.into()).to_string();
    expect!["disk is full: cannot write `/x`: free space and try again, nothing was changed"]
        .assert_eq(&message);
}

#[test]
fn a_serving_file_stays_below_its_table() {
    let dir = TempDir::new().unwrap();
    let data_dir = DataDir::open(dir.path()).unwrap();
    let table = TableDirName::new(crate::names::TableId(3), "trips").unwrap();
    let path = data_dir.serving_file(&table, "trips__0__1").unwrap();
    assert_eq!(path, data_dir.path().join("serving/3-trips/trips__0__1.seg"));
    assert!(data_dir.serving_file(&table, "../../LOCK").is_err());
}

use std::cell::Cell;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::*;
use crate::error::ErrorKind;
use crate::names::TableId;

struct Scratch {
    dir: TempDir,
    store: DeepStore,
    table: TableDirName,
}

fn scratch() -> Scratch {
    let dir = TempDir::new().unwrap();
    for name in ["deep_store", "tmp"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    let store = DeepStore::new(dir.path().join("deep_store"), dir.path().join("tmp"));
    Scratch { dir, store, table: TableDirName::new(TableId(1), "trips").unwrap() }
}

impl Scratch {
    fn put(&self, file_name: &str, bytes: &[u8]) -> Result<FileRef, CatalogError> {
        self.store.put(&self.table, file_name, || false, |writer| writer.write_all(bytes))
    }

    /// Prints the error with the directory left out, and asserts that nothing half-written stays.
    fn check<T: std::fmt::Debug>(&self, result: Result<T, CatalogError>, kind: ErrorKind, expect: Expect) {
        let error = result.expect_err("must fail");
        assert_eq!(error.kind(), kind);
        expect.assert_eq(&error.to_string().replace(self.dir.path().to_str().unwrap(), "DIR"));
        assert_eq!(list_files(&self.dir.path().join("tmp")).unwrap(), []);
    }
}

#[test]
fn a_file_reads_back_as_it_was_put() {
    let scratch = scratch();
    let large: Vec<u8> = (0..=250).cycle().take(3 * WRITE_BYTES + 17).collect();
    for (name, bytes) in [("empty", &[][..]), ("small.parquet", b"abc"), ("large.parquet", &large)] {
        let file = scratch.put(name, bytes).unwrap();
        assert_eq!(file.crc32c, crc32c::crc32c(bytes));
        assert_eq!(scratch.store.read(&scratch.table, &file).unwrap(), bytes);
        assert_eq!(fs::read(scratch.store.path(&scratch.table, name).unwrap()).unwrap(), bytes);
    }
    assert_eq!(list_files(&scratch.dir.path().join("tmp")).unwrap(), []);
}

#[test]
fn a_committed_file_is_never_replaced_and_an_orphan_is() {
    let scratch = scratch();
    scratch.put("a.parquet", b"first").unwrap();
    let replaced = scratch.put("a.parquet", b"second").unwrap();
    assert_eq!(scratch.store.read(&scratch.table, &replaced).unwrap(), b"second");
    let refused = scratch.store.put(&scratch.table, "a.parquet", || true, |_| panic!("must not be written"));
    scratch.check(
        refused,
        ErrorKind::Bug,
        expect!["durable file `DIR/deep_store/1-trips/a.parquet` exists and is committed: a committed file is never replaced"],
    );
    // Committed by someone else while this one was written.
    let asked = Cell::new(0);
    let is_committed = || asked.replace(asked.get() + 1) > 0;
    let refused =
        scratch.store.put(&scratch.table, "a.parquet", is_committed, |writer| writer.write_all(b"third"));
    assert!(matches!(refused, Err(CatalogError::FileExists { .. })));
    assert_eq!(scratch.store.read(&scratch.table, &replaced).unwrap(), b"second");
}

#[test]
fn a_failed_writer_leaves_nothing_behind() {
    let scratch = scratch();
    let failed = scratch.store.put(
        &scratch.table,
        "a.parquet",
        || false,
        |writer| {
            writer.write_all(&vec![1; 2 * WRITE_BYTES])?;
            Err(io::Error::other("encoder gave up"))
        },
    );
    scratch.check(failed, ErrorKind::Unavailable, expect!["cannot write `DIR/tmp/put-0`"]);
    assert!(!scratch.store.path(&scratch.table, "a.parquet").unwrap().exists());
}

#[test]
fn a_full_disk_is_recognised_behind_an_encoders_own_error() {
    let mut full = Checksummed {
        file: fs::OpenOptions::new().write(true).open("/dev/full").unwrap(),
        bytes: 0,
        crc32c: 0,
        failed: None,
    };
    full.write(b"x").unwrap_err();
    let error = CatalogError::io("write", Path::new("x"), io::Error::from_raw_os_error(full.failed.unwrap()));
    assert!(matches!(error, CatalogError::DiskFull { .. }), "{error}");
    assert_eq!((full.bytes, full.crc32c), (0, 0));
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let scratch = scratch();
    let bytes = b"durable rows";
    let file = scratch.put("a.parquet", bytes).unwrap();
    let path = scratch.store.path(&scratch.table, "a.parquet").unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, flipped).unwrap();
        let error = scratch.store.read(&scratch.table, &file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "bit {bit}");
    }
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(scratch.store.open(&scratch.table, &file).is_err(), "{length}");
        assert!(scratch.store.read(&scratch.table, &file).is_err(), "{length}");
    }
    fs::remove_file(&path).unwrap();
    scratch.check(
        scratch.store.open(&scratch.table, &file),
        ErrorKind::Corrupt,
        expect!["durable file `DIR/deep_store/1-trips/a.parquet` is damaged: it is missing; restore it from a copy"],
    );
}

#[test]
fn refuses_names_that_leave_the_directory() {
    let scratch = scratch();
    for name in ["../a", "a/b", "", ".a"] {
        assert_eq!(scratch.put(name, b"").unwrap_err().kind(), ErrorKind::Invalid, "{name}");
        assert_eq!(
            scratch.store.remove(&scratch.table, name).unwrap_err().kind(),
            ErrorKind::Invalid,
            "{name}"
        );
    }
}

#[test]
fn removing_twice_is_no_fault() {
    let scratch = scratch();
    scratch.put("a.parquet", b"x").unwrap();
    for _ in 0..2 {
        scratch.store.remove(&scratch.table, "a.parquet").unwrap();
    }
}

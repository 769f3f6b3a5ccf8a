//! Writes the golden files of the present format version to `testdata/golden/`.
//!
//! Run it once when the version changes, and commit the new files beside the old ones.

use std::fs;
use std::path::Path;

use meunier_segment::durable;
use meunier_segment::seal::seal;
use meunier_segment::serving::{self, DurableRef, FORMAT_VERSION};

#[path = "../tests/it/golden_rows.rs"]
mod golden_rows;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sealed = seal(&golden_rows::segment().freeze().0, &golden_rows::options())?;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/golden");
    fs::create_dir_all(&directory)?;
    let mut durable_bytes = Vec::new();
    durable::write(&mut durable_bytes, &sealed)?;
    fs::write(directory.join(format!("serving-v{FORMAT_VERSION}.parquet")), &durable_bytes)?;
    let durable = DurableRef { bytes: durable_bytes.len() as u64, crc32c: crc32c::crc32c(&durable_bytes) };
    let mut serving_bytes = Vec::new();
    serving::write(&mut serving_bytes, &sealed, durable)?;
    fs::write(directory.join(format!("serving-v{FORMAT_VERSION}.seg")), &serving_bytes)?;
    Ok(())
}

//! Memory of a server that has nothing to do.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::measurement::{cpu_time_of, memory_of};
use crate::report;
use crate::server_process::Installation;

/// What starts up has settled by then.
const SETTLE: Duration = Duration::from_secs(3);
const WATCHED: Duration = Duration::from_secs(10);

/// Measures memory and CPU time of `serve` without a table.
#[derive(Args)]
pub(crate) struct IdleMemory {
    /// The `meunier` binary.
    #[arg(long)]
    meunier: PathBuf,
}

impl IdleMemory {
    pub(crate) fn run(&self) -> Result<bool> {
        let directory = tempfile::tempdir()?;
        let server = Installation::new(&self.meunier, directory.path())?.start()?;
        thread::sleep(SETTLE);
        report::machine();
        let megabytes =
            |name| memory_of(server.pid(), name).map(|bytes| format!("{:.1}", bytes as f64 / 1e6));
        let row = |moment: &str| -> Result<Vec<String>> {
            Ok(vec![moment.to_owned(), megabytes("VmRSS")?, megabytes("RssAnon")?, megabytes("RssFile")?])
        };
        let idle = row("no table, no query yet")?;
        server.http().query("SELECT 1 + 1")?;
        let asked = row("after one query")?;
        report::table(&["idle memory, MB", "resident", "own", "of files"], &[idle, asked]);
        let before = cpu_time_of(server.pid())?;
        thread::sleep(WATCHED);
        let cpu = cpu_time_of(server.pid())? - before;
        report::line(&format!(
            "CPU while idle: {:.2} % of a core",
            cpu.as_secs_f64() / WATCHED.as_secs_f64() * 100.0
        ));
        server.stop()?;
        Ok(true)
    }
}

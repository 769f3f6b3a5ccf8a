//! `meunier serve` as a child process: started on a data directory, asked over HTTP, ended in order or killed.

use std::fs::{File, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::http_client::HttpClient;
use crate::table::{self, TABLE, TableSource};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// Where servers of a run live: one data directory, one port, one log for all of them.
pub(crate) struct Installation {
    binary: PathBuf,
    data_dir: PathBuf,
    address: String,
    log: PathBuf,
}

/// A running server. Dropping it kills it.
pub(crate) struct ServerProcess {
    process: Child,
    started: Instant,
    http: HttpClient,
}

impl Installation {
    pub(crate) fn new(binary: &Path, directory: &Path) -> Result<Installation> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        std::fs::create_dir_all(directory)?;
        Ok(Installation {
            binary: binary.canonicalize().with_context(|| format!("find {}", binary.display()))?,
            data_dir: directory.join("data"),
            address: format!("127.0.0.1:{port}"),
            log: directory.join("server.log"),
        })
    }

    /// Starts a server and returns at once.
    pub(crate) fn spawn(&self) -> Result<ServerProcess> {
        let log: File = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let started = Instant::now();
        let process = Command::new(&self.binary)
            .arg("serve")
            .arg("--data-dir")
            .arg(&self.data_dir)
            .args(["--listen", &self.address])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", self.binary.display()))?;
        Ok(ServerProcess { process, started, http: HttpClient::new(&self.address) })
    }

    /// Starts a server and waits until it answers.
    pub(crate) fn start(&self) -> Result<ServerProcess> {
        let mut server = self.spawn()?;
        self.wait_for(&mut server, "it is alive", |http| http.is_alive())?;
        Ok(server)
    }

    /// Waits for something that a started server does not do at once. Returns the time since it was started.
    pub(crate) fn wait_for(
        &self,
        server: &mut ServerProcess,
        what: &str,
        mut done: impl FnMut(&HttpClient) -> bool,
    ) -> Result<Duration> {
        while !done(&server.http) {
            if let Some(status) = server.process.try_wait()? {
                bail!("the server ended with {status}; its log is {}", self.log.display());
            }
            ensure!(server.started.elapsed() < START_TIMEOUT, "waited {START_TIMEOUT:?} until {what}");
            thread::sleep(LOOK_INTERVAL);
        }
        Ok(server.started.elapsed())
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }
}

impl ServerProcess {
    pub(crate) fn http(&self) -> &HttpClient {
        &self.http
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Creates the clickstream table.
    pub(crate) fn create_table(&self, source: &TableSource<'_>) -> Result<()> {
        let body = json!({
            "tableName": TABLE,
            "schema": table::schema_json()?,
            "realtime": table::config_json(source)?,
        });
        self.http.post("/tableConfigs", &body)?;
        Ok(())
    }

    /// Asks for a seal of all that is being consumed. Returns the number of the request.
    pub(crate) fn force_commit(&self) -> Result<String> {
        let answer = self.http.post(&format!("/tables/{TABLE}/forceCommit"), &Value::Null)?;
        Ok(answer["forceCommitJobId"].as_str().context("a force commit has a job id")?.to_owned())
    }

    /// Returns whether all segments of a force commit are committed.
    pub(crate) fn is_committed(&self, job: &str) -> Result<bool> {
        let answer = self.http.get(&format!("/tables/forceCommitStatus/{job}"))?;
        Ok(answer["numberOfSegmentsYetToBeCommitted"]
            .as_u64()
            .context("a force commit tells what is left")?
            == 0)
    }

    /// Ends the server as a crash would.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Ends the server in order.
    #[expect(unsafe_code, reason = "the standard library sends no signal but SIGKILL")]
    pub(crate) fn stop(mut self) -> Result<ExitStatus> {
        let pid = i32::try_from(self.process.id())?;
        // SAFETY: the child was not waited for yet, so the number is still its own.
        let sent = unsafe { libc::kill(pid, libc::SIGTERM) };
        ensure!(sent == 0, "SIGTERM could not be sent to process {pid}");
        let asked = Instant::now();
        while asked.elapsed() < STOP_TIMEOUT {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("the server did not end within {STOP_TIMEOUT:?} of SIGTERM")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Both fail only for a process that has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

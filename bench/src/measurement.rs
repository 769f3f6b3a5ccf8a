//! CPU time, wall time and memory: of this process with all its threads, of one thread, and of another process.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The kernel counts in `/proc` by hundredths of a second, on every machine we know.
const TICKS_PER_SECOND: u64 = 100;

/// What one piece of work took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// Time on a processor, of all threads together.
    pub(crate) cpu: Duration,
    /// Time that passed.
    pub(crate) wall: Duration,
}

/// A measurement under way, of this process.
pub(crate) struct Stopwatch {
    cpu: Duration,
    began: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        Stopwatch { cpu: process_cpu_time(), began: Instant::now() }
    }

    pub(crate) fn stop(&self) -> Cost {
        Cost { cpu: process_cpu_time() - self.cpu, wall: self.began.elapsed() }
    }
}

impl Cost {
    /// Returns how many of `count` things were done in a second on one processor.
    #[expect(clippy::cast_precision_loss, reason = "a rate to be read by people")]
    pub(crate) fn per_cpu_second(&self, count: u64) -> f64 {
        count as f64 / self.cpu.as_secs_f64()
    }
}

/// Returns the CPU time of all threads of this process, ended ones included.
pub(crate) fn process_cpu_time() -> Duration {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Returns the CPU time of this thread.
pub(crate) fn thread_cpu_time() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

#[expect(unsafe_code, reason = "the standard library has no clock of CPU time")]
fn clock(id: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on Linux, and `time` is written only.
    let answer = unsafe { libc::clock_gettime(id, &raw mut time) };
    assert_eq!(answer, 0, "the kernel has clocks of CPU time");
    let seconds = u64::try_from(time.tv_sec).expect("CPU time is not negative");
    Duration::new(seconds, u32::try_from(time.tv_nsec).expect("less than a second"))
}

/// Returns the CPU time of all threads of another process.
pub(crate) fn cpu_time_of(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    // The name in brackets may hold spaces; after it, user and system time are the 12th and 13th field.
    let after_name = stat.rsplit_once(") ").context("a process has a name")?.1;
    let ticks = after_name.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// Returns a process's memory in bytes by the name that `/proc/PID/status` gives it, such as `VmRSS` or `VmHWM`.
pub(crate) fn memory_of(pid: u32, name: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .context("the kernel tells a process's memory")?;
    Ok(kilobytes.trim().parse::<u64>()? * 1024)
}

/// Returns the value below which a share of the values lies; values need not be sorted.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index"
)]
pub(crate) fn quantile(values: &mut [Duration], share: f64) -> Duration {
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

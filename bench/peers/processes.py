"""What a process takes: CPU time to the nanosecond, memory, and the fixed loop that says how fast the machine was meanwhile.

Everything takes a process id, so that an engine in this process and a server beside it are measured alike.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CALIBRATION_VALUES = 8 << 20
"""Doubles that the fixed loop adds: 64 MiB, more than the caches hold."""


def cpu_ns(pid: int) -> int:
    """Returns the CPU time of a process, user and system, of all its threads, ended ones included."""
    # The clock that clock_getcpuclockid(3) names; /proc/PID/stat has the same time by hundredths of a second.
    return time.clock_gettime_ns((~pid << 3) | 2)


def memory_bytes(pid: int, name: str) -> int:
    """Returns one line of /proc/PID/status, such as VmRSS, RssAnon or VmHWM (the peak since the last reset)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"the kernel tells no {name} of process {pid}")


def reset_peak(pid: int) -> None:
    """Makes VmHWM begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def disk_bytes(path: Path) -> int:
    """Returns the bytes of a file, or of all files below a directory."""
    if path.is_file():
        return path.stat().st_size
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


SETTLE_SECONDS = 0.003


class Calibration:
    """A fixed loop: the sum of 8 Mi doubles on one thread. Its time is that of the machine at the moment."""

    def __init__(self) -> None:
        self.values = np.ones(CALIBRATION_VALUES)

    def milliseconds(self) -> float:
        """Returns the median CPU time of five sums."""
        times = []
        for _ in range(5):
            began = time.thread_time_ns()
            self.values.sum()
            times.append(time.thread_time_ns() - began)
        return statistics.median(times) / 1e6


@dataclass(frozen=True)
class Cost:
    """What one piece of work took."""

    cpu_ms: float
    wall_ms: float


class Stopwatch:
    """Measures one piece of work of a process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.cpu = cpu_ns(pid)
        self.wall = time.perf_counter_ns()

    def stop(self) -> Cost:
        """Returns what was taken since the start."""
        wall = time.perf_counter_ns() - self.wall
        if self.pid != os.getpid():
            # What a server does after its answer, such as freeing memory, is part of the price.
            time.sleep(SETTLE_SECONDS)
        return Cost((cpu_ns(self.pid) - self.cpu) / 1e6, wall / 1e6)

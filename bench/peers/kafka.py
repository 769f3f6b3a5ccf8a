"""The run's own Kafka: started by scripts/kafka.sh where none runs, and topics filled once and kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .datasets import Dataset

SCRIPT = Path(__file__).parents[2] / "scripts" / "kafka.sh"
HEAP = "1g"


def script(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs scripts/kafka.sh on this broker."""
    environment = {**os.environ, "KAFKA_HOME": str(home)}
    environment.setdefault("KAFKA_HEAP", HEAP)
    return subprocess.run([str(SCRIPT), *words], env=environment, text=True, stdout=subprocess.PIPE)


@contextmanager
def running(home: Path) -> Iterator[str]:
    """Yields the address of the broker; ends it afterwards if it did not run before."""
    ran = script(home, "status").returncode == 0
    started = script(home, "start")
    if started.returncode:
        raise SystemExit("Kafka did not start: see above")
    try:
        yield started.stdout.strip()
    finally:
        if not ran:
            script(home, "stop")


def feed(dataset: Dataset, home: Path, address: str, meunier_bench: Path) -> None:
    """Fills the topics of a data set, those that are not yet."""
    marks = home / "fed"
    marks.mkdir(parents=True, exist_ok=True)
    for table in dataset.tables:
        topic = dataset.topic(table)
        if (marks / topic).exists():
            continue
        if topic in script(home, "topic", "list").stdout.split():
            print(f"topic {topic} is half filled and made anew", file=sys.stderr)
            script(home, "topic", "delete", topic)
        command = [str(meunier_bench), "feed", "--kafka", address, "--topic", topic, "--partitions", str(table.partitions)]
        subprocess.run([*command, *map(str, dataset.ndjson(table))], check=True)
        (marks / topic).touch()

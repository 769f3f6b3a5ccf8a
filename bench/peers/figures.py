"""Results read from the work directory, and what follows from them: who is best, who disagrees, means."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from typing import Any

from .answers import difference
from .datasets import Dataset
from .engines import LABELS, OURS


@dataclass
class Figures:
    """All results of a data set for one number of threads, by engine in the order of LABELS."""

    dataset: Dataset
    threads: int
    engines: dict[str, dict[str, Any]] = field(default_factory=dict)

    def time(self, engine: str, query: str, what: str = "cpu_ms") -> float | None:
        """Returns an engine's median for a query, or nothing where it has none."""
        return self.engines[engine]["queries"].get(query, {}).get(what)

    def error(self, engine: str, query: str) -> str | None:
        """Returns why an engine did not answer a query."""
        return self.engines[engine]["queries"].get(query, {}).get("error")

    def best_peer(self, query: str, what: str = "cpu_ms") -> tuple[str, float] | None:
        """Returns the fastest of the others, and its time."""
        times = [(value, engine) for engine in self.engines if engine not in OURS and (value := self.time(engine, query, what)) is not None]
        if not times:
            return None
        value, engine = min(times)
        return engine, value

    def geometric_mean(self, engine: str, queries: list[str], what: str = "cpu_ms") -> float | None:
        """Returns the mean over these queries, if the engine answered them all."""
        times = [self.time(engine, query, what) for query in queries]
        return None if not times or None in times else statistics.geometric_mean(times)

    def geometric_mean_of_best(self, queries: list[str]) -> float | None:
        """Returns the mean of what would be had by choosing the best peer for each query."""
        best = [self.best_peer(query) for query in queries]
        return None if not best or None in best else statistics.geometric_mean([time for _, time in best])

    def disagreements(self, query: str) -> list[str]:
        """Returns for each engine that answers otherwise than the first peer how it differs; ours are never what is compared with."""
        engines = sorted(self.engines, key=lambda engine: engine in OURS)
        answers = {engine: found for engine in engines if (found := self.engines[engine]["queries"].get(query, {}).get("answers")) is not None}
        reference = next(iter(answers), None)
        found = []
        for engine in answers:
            pairs = zip(answers[reference], answers[engine])
            differences = (f"parameters {number}: {text}" for number, pair in enumerate(pairs) if (text := difference(*pair)))
            if first := next(differences, None):
                found.append(f"{LABELS[reference]} and {LABELS[engine]}, {first}")
        return found

    def inexactness(self, query: str, engine: str) -> float | None:
        """Returns the largest relative error of an approximate answer, where the exact one is known."""
        exact = next((found for result in self.engines.values() if (found := result["queries"].get(query, {}).get("exact"))), None)
        answers = self.engines[engine]["queries"].get(query, {}).get("answers")
        if exact is None or answers is None or len(answers[0]["rows"]) != len(exact["rows"]):
            return None
        values = zip((row[-1] for row in answers[0]["rows"]), (row[-1] for row in exact["rows"]))
        return max(abs(value - truth) / abs(truth) for value, truth in values)

    def calibration(self, query: str) -> tuple[float, float]:
        """Returns the least and the most that the fixed loop took before a query."""
        times = [result["queries"][query]["calibration_ms"] for result in self.engines.values() if query in result["queries"]]
        return min(times), max(times)

    def calibration_of(self, engine: str) -> float:
        """Returns the median of the fixed loop over an engine's queries."""
        return statistics.median(query["calibration_ms"] for query in self.engines[engine]["queries"].values())


def read(dataset: Dataset) -> list[Figures]:
    """Returns what was measured, by number of threads."""
    found: dict[int, Figures] = {}
    for engine in LABELS:
        for path in sorted(dataset.results.glob(f"{engine}.measure.t*.json")):
            result = json.loads(path.read_text())
            found.setdefault(result["threads"], Figures(dataset, result["threads"])).engines[engine] = result
    return [found[threads] for threads in sorted(found)]


def read_all(dataset: Dataset, what: str) -> dict[str, dict[str, Any]]:
    """Returns the results of loading or of load from many clients, by engine."""
    paths = {engine: dataset.results / f"{engine}.{what}.json" for engine in LABELS}
    return {engine: json.loads(path.read_text()) for engine, path in paths.items() if path.exists()}

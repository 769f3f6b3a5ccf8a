"""Writes what was measured into docs/benchmarks.md, between two marks, and its picture beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import figures, picture
from .datasets import Dataset
from .engines import LABELS, OURS
from .figures import Figures
from .processes import disk_bytes

BEGIN, END = "<!-- peers: begin; written by bench/run report -->", "<!-- peers: end -->"
PICTURE = "peers.svg"
MIB = 1024 * 1024
TITLES = {"events": "Events", "ssb": "Star Schema Benchmark, flat"}


def write(datasets: list[Dataset], docs: Path) -> None:
    """Writes the section and the picture."""
    parts = [machine(datasets)]
    charts: list[Figures] = []
    for dataset in datasets:
        measured = figures.read(dataset)
        parts += section(dataset, measured)
        charts += measured[:1]
    if charts:
        (docs / PICTURE).write_text(picture.draw(charts))
        parts.insert(1, f"![CPU time of each query on one thread, every engine]({PICTURE})")
    page = docs / "benchmarks.md"
    text = page.read_text()
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n## Beside the peers\n\n{BEGIN}\n{END}\n"
    before, rest = text.split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{rest.split(END)[1]}")


def machine(datasets: list[Dataset]) -> str:
    """Returns where and when the figures were taken."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown CPU")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions: dict[str, str] = {}
    dates = []
    for dataset in datasets:
        for part in figures.read(dataset):
            for engine, result in part.engines.items():
                versions[engine.split("-")[0]] = result["version"]
                dates.append(result["at"][:10])
    names = ", ".join(f"{name} {version}" for name, version in versions.items())
    when = min(dates) if dates and min(dates) == max(dates) else f"{min(dates)} to {max(dates)}" if dates else "not yet measured"
    return f"{when}; {os.cpu_count()} cores of {model}, {memory:.0f} GiB. {names}."


def section(dataset: Dataset, measured: list[Figures]) -> list[str]:
    """Returns all tables of a data set."""
    size = f"{dataset.rows:,} rows, {dataset.json_bytes() / dataset.rows:.0f} bytes of JSON each"
    parts = [f"### {TITLES[dataset.kind]}: {size}"]
    if loads := figures.read_all(dataset, "load"):
        parts.append(load_table(dataset, loads))
    for part in measured:
        what = "one thread" if part.threads == 1 else f"{part.threads} threads"
        runs = [len(query["cpu_ms_runs"]) for result in part.engines.values() for query in result["queries"].values() if "cpu_ms_runs" in query]
        count = f"{min(runs)} to {max(runs)}" if min(runs) < max(runs) else f"{max(runs)}"
        parts.append(f"Milliseconds of CPU time of the whole process, {what}, sealed and hot, median of {count} runs:")
        parts.append(query_table(part))
        if part.threads > 1:
            parts += [f"Milliseconds that passed, {what}:", query_table(part, "wall_ms")]
        if problems := problem_list(part):
            parts.append(problems)
        parts.append(memory_table(part))
    if loads := figures.read_all(dataset, "throughput"):
        mix = ", ".join(dataset.spec()["throughput_mix"])
        parts += [f"Many clients at once, each sending {mix} in turn as soon as it has its last answer:", throughput_table(loads)]
    if loads := figures.read_all(dataset, "rate"):
        rate = next(iter(loads.values()))["loads"][0]["rate"]
        parts += [f"The same mix at {rate:,.0f} queries a second in all, times from when a query was due:", throughput_table(loads)]
    return parts


def table(head: list[str], rows: list[list[str]], left: int) -> str:
    """Returns a table whose first columns are flush left."""
    marks = ["---"] * left + ["--:"] * (len(head) - left)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, marks, *rows])


def ms(value: float | None) -> str:
    """Returns a time with about two digits."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def times(value: float | None) -> str:
    """Returns a ratio with about two digits."""
    return "–" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


# --- queries --------------------------------------------------------------------------------------------------------


def query_table(part: Figures, what: str = "cpu_ms") -> str:
    """Returns every query on every engine, with the best peer and whether answers agree."""
    engines = list(part.engines)
    ours = next((engine for engine in OURS if engine in engines), None)
    head = ["", "query", *(LABELS[engine] for engine in engines), "x best peer", "answers", "calibration"]
    rows = [query_row(part, query, ours, what) for query in part.dataset.queries()]
    for name, queries in means(part):
        best = part.geometric_mean_of_best(queries) if what == "cpu_ms" else None
        mine = part.geometric_mean(ours, queries, what) if ours else None
        ratio = best / mine if best and mine else None
        rows.append(["", f"*{name}*", *(ms(part.geometric_mean(engine, queries, what)) for engine in engines), times(ratio), "", ""])
    calibrations = [f"{part.calibration_of(engine):.2f}" for engine in engines]
    rows.append(["", "*calibration, median*", *calibrations, "", "", ""])
    return table(head, rows, 2)


def query_row(part: Figures, query: Any, ours: str | None, what: str) -> list[str]:
    """Returns one line of the table."""
    best = part.best_peer(query.id, what)
    cells = []
    for engine in part.engines:
        value = part.time(engine, query.id, what)
        cell = "error" if part.error(engine, query.id) else ms(value)
        cells.append(f"**{cell}**" if best and engine == best[0] else cell)
    mine = part.time(ours, query.id, what) if ours else None
    ratio = best[1] / mine if best and mine else None
    agree = approximation(part, query.id, ours) if query.approximate else "DIFFER" if part.disagreements(query.id) else "agree"
    least, most = part.calibration(query.id)
    return [query.id, query.title, *cells, times(ratio), agree, f"{least:.1f}–{most:.1f}"]


def approximation(part: Figures, query: str, ours: str | None) -> str:
    """Returns how far off our answer is at most, and the others'."""
    errors = {engine: error for engine in part.engines if (error := part.inexactness(query, engine)) is not None}
    others = [error for engine, error in errors.items() if engine not in OURS]
    words = [f"ours {errors[ours]:.1%}"] if ours in errors else []
    words += [f"peers {min(others):.1%} to {max(others):.1%}"] if others else []
    return f"off by {', '.join(words)}" if words else "approximate"


def means(part: Figures) -> list[tuple[str, list[str]]]:
    """Returns over which queries means are taken: all, and where meunier leaves some out, those it answers."""
    queries = [query.id for query in part.dataset.queries()]
    ours = [engine for engine in OURS if engine in part.engines]
    answered = [query for query in queries if all(part.time(engine, query) is not None for engine in ours)]
    found = [(f"geometric mean of all {len(queries)}", queries)]
    if answered and len(answered) < len(queries):
        found.append((f"geometric mean of the {len(answered)} that meunier answers", answered))
    return found


def problem_list(part: Figures) -> str:
    """Returns every error and every disagreement, in the engines' own words."""
    lines = []
    for query in part.dataset.queries():
        for engine in part.engines:
            if error := part.error(engine, query.id):
                lines.append(f"- {query.id}, {LABELS[engine]}: {' '.join(error.split())[:200]}")
        if not query.approximate:
            lines += [f"- {query.id} differs: {found}" for found in part.disagreements(query.id)]
    return "Errors and differences:\n\n" + "\n".join(lines) if lines else ""


# --- loading, memory, load ------------------------------------------------------------------------------------------


def load_table(dataset: Dataset, loads: dict[str, dict[str, Any]]) -> str:
    """Returns how fast rows were taken in, and what they take."""
    head = ["", "M rows a CPU-second", "CPU seconds by phase", "wall s", "peak MiB", "bytes a row", "by part", "calibration"]
    rows = []
    for engine, result in loads.items():
        phases = result["phases"]
        cpu, wall = (sum(phase[key] for phase in phases) for key in ("cpu_s", "wall_s"))
        by_phase = ", ".join(f"{phase['name']} {phase['cpu_s']:.1f}" for phase in phases)
        disk = result["disk_bytes"]
        parts = ", ".join(f"{name} {size / dataset.rows:.1f}" for name, size in disk.items() if size)
        rows.append([
            LABELS[engine], f"{result['rows'] / cpu / 1e6:.2f}", by_phase, f"{wall:.0f}", f"{result['peak_mib']:,.0f}",
            f"{sum(disk.values()) / dataset.rows:.1f}", parts, f"{result['calibration_ms']:.2f}",
        ])
    parquet = sum(map(disk_bytes, dataset.data.glob(f"{dataset.fact.name}*.parquet")))
    note = f"JSON to storage, one thread for the peers; meunier reads it from Kafka, the others from files. The same rows as zstd Parquet take {parquet / dataset.rows:.1f} bytes each."
    return f"{note}\n\n{table(head, rows, 1)}"


def memory_table(part: Figures) -> str:
    """Returns what opening takes, and memory during the queries; what was resident before is Python, for the libraries."""
    head = ["", "open, CPU ms", "open, ms", "resident before, MiB", "after opening", "after all queries", "of it anonymous", "peak"]
    rows = [
        [
            LABELS[engine], ms(result["open"]["cpu_ms"]), ms(result["open"]["wall_ms"]), f"{result.get('resident_before_mib', 0):,.0f}",
            f"{result['resident_open_mib']:,.0f}",
            f"{result['resident_end_mib']:,.0f}", f"{result['own_end_mib']:,.0f}", f"{result['peak_mib']:,.0f}",
        ]
        for engine, result in part.engines.items()
    ]
    return table(head, rows, 1)


def throughput_table(loads: dict[str, dict[str, Any]]) -> str:
    """Returns queries a second and times under load."""
    head = ["", "clients", "queries/s", "queries/s of its CPU", "p50 ms", "p99 ms", "most ms", "errors"]
    rows = []
    for engine, result in loads.items():
        for load in result["loads"]:
            took = load["all"]
            rows.append([
                LABELS[engine], str(load["clients"]), f"{load['queries_per_second']:,.0f}", f"{load['queries_per_server_cpu_second']:,.0f}",
                ms(took["p50_ms"]), ms(took["p99_ms"]), ms(took["max_ms"]), str(load["errors"]),
            ])
    note = "meunier and Pinot are asked over HTTP by a process on the same cores; the libraries are called by threads of their own process, without HTTP."
    return f"{table(head, rows, 1)}\n\n{note}"

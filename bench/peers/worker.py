"""One engine in a process of its own: loads, or measures, and writes what came out as JSON.

A statement is run once with each of its first parameters, for the answers and to warm it; then measured with the parameters in turn, so
that no answer is one that was just given. The fixed loop runs before every statement.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from .datasets import Dataset, Query
from .engines import Engine, Options, open_engine
from .processes import Calibration, Cost, Stopwatch, cpu_ns, memory_bytes, reset_peak

PARAMETERS_MEASURED = 7
STATEMENT_SECONDS_MAX = 60.0
"""A statement that takes longer in all is measured with fewer repetitions, and says how many."""
WARM_UP_SECONDS_MAX = 5.0
MIB = 1024 * 1024


def load(engine: Engine) -> dict[str, Any]:
    """Loads, and returns the phases, the memory and the size."""
    calibration = Calibration().milliseconds()
    phases = engine.load()
    return {
        "version": engine.version,
        "calibration_ms": calibration,
        "phases": [{"name": phase.name, "cpu_s": phase.cost.cpu_ms / 1e3, "wall_s": phase.cost.wall_ms / 1e3, "rows": phase.rows} for phase in phases],
        "peak_mib": memory_bytes(engine.pid, "VmHWM") / MIB,
        "disk_bytes": engine.disk(),
    }


def measure(engine: Engine, queries: list[Query], repetitions: int, opened: Cost) -> dict[str, Any]:
    """Measures each statement, and the process as a whole."""
    calibration = Calibration()
    own_bytes = 0 if engine.pid != os.getpid() else calibration.values.nbytes
    result: dict[str, Any] = {
        "version": engine.version,
        "open": {"cpu_ms": opened.cpu_ms, "wall_ms": opened.wall_ms},
        "resident_open_mib": (memory_bytes(engine.pid, "VmRSS") - own_bytes) / MIB,
        "queries": {},
    }
    peak = 0
    for query in queries:
        figures = {"calibration_ms": calibration.milliseconds()}
        try:
            figures |= measure_query(engine, query, repetitions)
        except Exception as error:  # An engine's errors are of its own types; what it says is part of the result.
            figures["error"] = f"{error}"[:400] or type(error).__name__
        peak = max(peak, memory_bytes(engine.pid, "VmHWM") - own_bytes)
        result["queries"][query.id] = figures
        shown = figures.get("error") or f"{figures['cpu_ms']:.3f} ms CPU, {figures['wall_ms']:.3f} ms, calibration {figures['calibration_ms']:.2f} ms"
        print(f"  {query.id} {shown}", file=sys.stderr, flush=True)
    result["peak_mib"] = peak / MIB
    result["resident_end_mib"] = (memory_bytes(engine.pid, "VmRSS") - own_bytes) / MIB
    result["own_end_mib"] = (memory_bytes(engine.pid, "RssAnon") - own_bytes) / MIB
    result["disk_bytes"] = engine.disk()
    return result


def measure_query(engine: Engine, query: Query, repetitions: int) -> dict[str, Any]:
    """Returns the figures and answers of one statement."""
    began = time.monotonic()
    statements = query.statements(engine.dialects)[:PARAMETERS_MEASURED]
    reset_peak(engine.pid)
    before = memory_bytes(engine.pid, "VmRSS")
    answers = [engine.answer(engine.run(statement)).to_json() for statement in statements]
    for number in range(len(statements), engine.warm_ups):
        if time.monotonic() - began > WARM_UP_SECONDS_MAX:
            break
        engine.run(statements[number % len(statements)])
    costs: list[Cost] = []
    for number in range(repetitions):
        gc.collect()
        stopwatch = Stopwatch(engine.pid)
        raw = engine.run(statements[number % len(statements)])
        costs.append(stopwatch.stop())
        del raw
        if time.monotonic() - began > STATEMENT_SECONDS_MAX and len(costs) >= 3:
            break
    exact = {"exact": engine.answer(engine.run(query.exact)).to_json()} if query.exact and "duckdb" in engine.dialects else {}
    return {
        **exact,
        "cpu_ms": statistics.median(cost.cpu_ms for cost in costs),
        "wall_ms": statistics.median(cost.wall_ms for cost in costs),
        "cpu_ms_runs": [cost.cpu_ms for cost in costs],
        "wall_ms_runs": [cost.wall_ms for cost in costs],
        "peak_over_resident_mib": max(memory_bytes(engine.pid, "VmHWM") - before, 0) / MIB,
        "answers": answers,
    }


def throughput(engine: Engine, queries: list[Query], clients: int, seconds: float) -> dict[str, Any]:
    """Asks from several threads of this process, each when it has its last answer; spares the engine all of HTTP."""
    statements = [(query.id, query.statements(engine.dialects)) for query in queries]
    for _, texts in statements:
        engine.run(texts[0])
    times: list[list[tuple[str, float]]] = [[] for _ in range(clients)]
    errors: list[str] = []
    stop_at = time.monotonic() + seconds

    def ask(client: int) -> None:
        run, turn = engine.client(), 0
        while time.monotonic() < stop_at:
            place = client + turn
            name, texts = statements[place % len(statements)]
            sql = texts[(place // len(statements) + client * 17) % len(texts)]
            began = time.perf_counter()
            try:
                run(sql)
                times[client].append((name, (time.perf_counter() - began) * 1e3))
            except Exception as error:  # As above.
                errors.append(f"{name}: {error}"[:300])
            turn += 1

    stopwatch = Stopwatch(engine.pid)
    threads = [threading.Thread(target=ask, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cost = stopwatch.stop()
    taken = sorted(ms for client in times for _, ms in client)
    quantile = lambda share: taken[round((len(taken) - 1) * share)] if taken else None
    by_query = {name: sum(1 for client in times for other, _ in client if other == name) for name, _ in statements}
    return {
        "clients": clients,
        "seconds": cost.wall_ms / 1e3,
        "queries_per_second": len(taken) / (cost.wall_ms / 1e3),
        "queries_per_server_cpu_second": len(taken) / (cost.cpu_ms / 1e3),
        "server_cpu_s": cost.cpu_ms / 1e3,
        "errors": len(errors),
        "first_error": errors[0] if errors else None,
        "all": {"p50_ms": quantile(0.5), "p99_ms": quantile(0.99), "max_ms": quantile(1.0), "queries": len(taken)},
        "answered": by_query,
    }


def throughput_over_http(engine: Any, queries: list[Query], given: argparse.Namespace) -> list[dict[str, Any]]:
    """Has `meunier-bench throughput` ask a server from several connections."""
    mix = given.out.with_suffix(".mix")
    mix.write_text(json.dumps([{"id": query.id, "sql": query.statements(engine.dialects)} for query in queries]))
    figures = given.out.with_suffix(".loads")
    command = [str(given.meunier_bench), "throughput", "--url", f"http://{engine.address}", "--queries", str(mix), "--pid", str(engine.pid)]
    command += ["--clients", given.clients, "--seconds", str(round(given.seconds)), "--json", str(figures)]
    if given.rate:
        command += ["--rate", str(given.rate)]
    figures.unlink(missing_ok=True)
    # It ends with 1 when some query had an error, which its figures say.
    subprocess.run(command, check=False, stdout=sys.stderr)
    return json.loads(figures.read_text())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["load", "measure", "throughput"])
    parser.add_argument("--engine", required=True)
    parser.add_argument("--kind", required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--clients", default="1")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--meunier", type=Path, default=Path("target/release/meunier"))
    parser.add_argument("--rate", type=float)
    parser.add_argument("--meunier-bench", type=Path)
    parser.add_argument("--kafka")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    dataset = Dataset(given.kind, given.size, given.work)
    dataset.stores.mkdir(parents=True, exist_ok=True)
    options = Options(given.engine, dataset, given.threads, dataset.stores / given.engine, given.meunier, given.kafka)
    before = memory_bytes(os.getpid(), "VmRSS") / MIB
    cpu_before, began = time.process_time_ns(), time.perf_counter_ns()
    engine = open_engine(options)
    wall_ms = (time.perf_counter_ns() - began) / 1e6
    # A server that was started for this has taken nothing before.
    opened = Cost((cpu_ns(engine.pid) - (cpu_before if engine.pid == os.getpid() else 0)) / 1e6, wall_ms)
    wanted = [query for query in dataset.queries() if not given.only or query.id in given.only.split(",")]
    try:
        if given.action == "load":
            result = load(engine)
        elif given.action == "measure":
            result = measure(engine, wanted, given.repetitions, opened)
            result["resident_before_mib"] = before if engine.pid == os.getpid() else 0.0
        else:
            mix = [query for query in wanted if query.id in dataset.spec()["throughput_mix"]]
            given.out.parent.mkdir(parents=True, exist_ok=True)
            if hasattr(engine, "address"):
                loads = throughput_over_http(engine, mix, given)
            else:
                loads = [throughput(engine, mix, int(clients), given.seconds) for clients in given.clients.split(",")]
            result = {"version": engine.version, "loads": loads}
    finally:
        engine.close()
    about = {"engine": given.engine, "threads": given.threads, "rows": dataset.rows, "at": time.strftime("%Y-%m-%d %H:%M:%S")}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**about, **result}))


if __name__ == "__main__":
    main()

"""Measures meunier and its peers on the same data, on the same machine, in the same run. `docs/benchmarks.md` says how to run it."""

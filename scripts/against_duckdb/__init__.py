"""Generated queries, answered by meunier and by DuckDB, must have equal answers."""

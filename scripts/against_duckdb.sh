#!/usr/bin/env bash
# Generated queries against DuckDB: the same random rows and queries in both, in several layouts of meunier. Exit 1 on any difference.
#
#   against_duckdb.sh --kafka HOST:PORT [--meunier PATH | --server HOST:PORT] [--queries N] [--seed S] [--rows R] [--layouts N] [--only N]
#   against_duckdb.sh --help
#
# meunier is taken from ${CARGO_TARGET_DIR:-target}/release unless said otherwise. DuckDB and a Kafka client come from PyPI into a virtual
# environment that stays in ${XDG_CACHE_HOME:-~/.cache}/meunier/against_duckdb. `scripts/kafka.sh start` starts a broker.
set -euo pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
requirements=$folder/against_duckdb/requirements.txt
environment=${XDG_CACHE_HOME:-$HOME/.cache}/meunier/against_duckdb/$(cksum <"$requirements" | cut -d' ' -f1)

# A virtual environment cannot be renamed into place, so a half-made one is known by the lack of its stamp.
if [[ ! -f $environment/complete ]]; then
  echo "against_duckdb.sh: making the environment of DuckDB and the Kafka client" >&2
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  touch "$environment/complete"
fi

server=(--meunier "${CARGO_TARGET_DIR:-$folder/../target}/release/meunier")
for word in "$@"; do
  case $word in --meunier | --meunier=* | --server | --server=*) server=() ;; esac
done
PYTHONPATH=$folder${PYTHONPATH:+:$PYTHONPATH} exec "$environment/bin/python" -m against_duckdb "${server[@]}" "$@"

#!/usr/bin/env bash
# The processes of docker-compose.yml, without Docker: Apache Kafka, meunier, a table and a sample stream, until one query has rows.
#
#   demo.sh [--meunier PATH] [--keep]
#
#   --meunier PATH   a built meunier; without it, `cargo build --release` makes one
#   --keep           go on after the answer, until ^C
#
# Everything runs on free ports and in a temporary folder, and ends with this script, however that ends.
# The answer goes to stdout, everything else to stderr.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kafka=$repository/scripts/kafka.sh
meunier=
keep=false
while (($# > 0)); do
  case $1 in
    --meunier)
      meunier=$(realpath "${2:?--meunier takes a path}")
      shift 2
      ;;
    --keep)
      keep=true
      shift
      ;;
    *)
      sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
done

readonly WAIT_SECONDS=60
readonly STOP_SECONDS=20
readonly QUERY="SELECT country, COUNT(*) AS events FROM clickstream GROUP BY country ORDER BY COUNT(*) DESC LIMIT 5"

work=$(mktemp -d "${TMPDIR:-/tmp}/meunier-demo.XXXXXX")
export KAFKA_HOME=$work/kafka
processes=()

say() { echo "demo.sh: $*" >&2; }

die() {
  local file
  say "$*"
  for file in "$work"/*.log; do
    [[ -s $file ]] || continue
    say "the last lines of ${file##*/}:"
    tail -n 20 "$file" >&2
  done
  exit 1
}

# Asks a process to end and waits; one that does not is killed, and fails the demo.
end() {
  local process=$1 deadline=$((SECONDS + STOP_SECONDS))
  kill "$process" 2>/dev/null || return 0
  while kill -0 "$process" 2>/dev/null; do
    if ((SECONDS >= deadline)); then
      kill -KILL "$process"
      say "process $process did not end within $STOP_SECONDS s of SIGTERM and was killed"
      return 1
    fi
    sleep 0.1
  done
}

# The producer is the later one and goes first, so that the server ends on a topic at rest.
finish() {
  local status=$? index
  trap - EXIT INT TERM
  for ((index = ${#processes[@]} - 1; index >= 0; index--)); do
    end "${processes[index]}" || status=1
  done
  "$kafka" stop || status=1
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Dies as soon as one of the processes has ended: waiting on would only hide its message.
require_alive() {
  local process
  for process in "${processes[@]}"; do
    kill -0 "$process" 2>/dev/null || die "process $process ended"
  done
}

free_port() {
  local port
  for _ in {1..200}; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
      echo "$port"
      return
    }
  done
  die "found no free port"
}

await_health() {
  local deadline=$((SECONDS + WAIT_SECONDS))
  until "$meunier" health --server "$server" >"$work/health.log" 2>&1; do
    require_alive
    ((SECONDS < deadline)) || die "$server was not healthy within $WAIT_SECONDS s"
    sleep 0.1
  done
}

# A header alone is an answer without rows.
await_rows() {
  local deadline=$((SECONDS + WAIT_SECONDS)) answer
  until answer=$("$meunier" query --server "$server" --format csv "$QUERY" 2>"$work/query.log") && (($(wc -l <<<"$answer") > 1)); do
    require_alive
    ((SECONDS < deadline)) || die "no row within $WAIT_SECONDS s; the last answer: $answer"
    sleep 0.1
  done
}

if [[ -z $meunier ]]; then
  (cd "$repository" && cargo build --release)
  meunier=${CARGO_TARGET_DIR:-$repository/target}/release/meunier
fi
[[ -x $meunier ]] || die "there is no program $meunier"

brokers=$("$kafka" start)
"$kafka" topic create clickstream 8

listen=127.0.0.1:$(free_port)
server=http://$listen
"$meunier" serve --listen "$listen" --data-dir "$work/data" >"$work/serve.log" 2>&1 &
processes+=($!)
await_health
say "meunier answers on $server"

"$meunier" table create --server "$server" --schema "$repository/schemas/clickstream.schema.json" \
  --table "$repository/schemas/clickstream.table.json" --brokers "$brokers" --if-not-exists >&2 || die "the table was not created"

"$meunier" produce --stream clickstream --brokers "$brokers" --topic clickstream --rate 200 >"$work/produce.log" 2>&1 &
processes+=($!)

await_rows
say "$QUERY"
"$meunier" query --server "$server" "$QUERY"

if $keep; then
  say "goes on until ^C: $server, Kafka on $brokers"
  wait -n "${processes[@]}" || true
  require_alive
fi

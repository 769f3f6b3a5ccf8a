#!/usr/bin/env bash
# Pinot's own clients against meunier: pinotdb with SQLAlchemy (Python), the Java client and the JDBC driver.
#
#   clients.sh [--meunier PATH] [python] [java]
#
#   --meunier PATH   a built meunier; without it, `cargo build --release` makes one
#   python, java     only these clients; without them, all
#
# `meunier quickstart` is the server, so nothing else has to run. Its table is sealed in part and then paused, as clients are compared with
# the server's own JSON. Clients come from PyPI and Maven Central and stay in ${XDG_CACHE_HOME:-~/.cache}/meunier/clients.
# A client that cannot be had, or a server that does not start, fails the script. Each client ends with a line `test result: …`.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sources=$repository/scripts/clients
cache=${XDG_CACHE_HOME:-$HOME/.cache}/meunier/clients
readonly COPY_GOAL=org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies
readonly WAIT_SECONDS=60

meunier=
clients=()
while (($# > 0)); do
  case $1 in
    --meunier)
      meunier=$(realpath "${2:?--meunier takes a path}")
      shift 2
      ;;
    python | java)
      clients+=("$1")
      shift
      ;;
    *)
      sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
done
if ((${#clients[@]} == 0)); then clients=(python java); fi

work=$(mktemp -d "${TMPDIR:-/tmp}/meunier-clients.XXXXXX")
process=

say() { echo "clients.sh: $*" >&2; }

die() {
  say "$*"
  if [[ -s $work/server.log ]]; then
    say "the last lines of the server's log:"
    tail -n 20 "$work/server.log" >&2
  fi
  exit 1
}

finish() {
  local status=$?
  trap - EXIT INT TERM
  if [[ -n $process ]] && kill "$process" 2>/dev/null && ! wait "$process"; then
    say "the server did not end well:"
    tail -n 20 "$work/server.log" >&2
    status=1
  fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- clients --------------------------------------------------------------------------------------------------------

# A virtual environment cannot be renamed into place, so a half-made one is known by the lack of its stamp.
python_of_clients() {
  local folder
  folder=$cache/python-$(cksum <"$sources/requirements.txt" | cut -d' ' -f1)
  if [[ ! -f $folder/complete ]]; then
    say "fetching pinotdb"
    rm -rf "$folder"
    python3 -m venv "$folder" >&2
    "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$sources/requirements.txt" >&2
    touch "$folder/complete"
  fi
  echo "$folder/bin/python"
}

# Jars are brought to a folder of their own and renamed, so that half of them are never taken for all.
jars_of_clients() {
  local folder partial
  folder=$cache/jars-$(cksum <"$sources/pom.xml" | cut -d' ' -f1)
  if [[ ! -d $folder ]]; then
    say "fetching Pinot's Java client and JDBC driver"
    mkdir -p "$cache"
    partial=$(mktemp -d "$cache/fetch.XXXXXX")
    mvn --batch-mode --quiet --no-transfer-progress -Dstyle.color=never --file "$sources/pom.xml" "$COPY_GOAL" \
      -DincludeScope=runtime -DoutputDirectory="$partial/jars" </dev/null >&2
    mv -T "$partial/jars" "$folder" 2>/dev/null || [[ -d $folder ]] || die "cannot move the jars to $folder"
    rm -rf "$partial"
  fi
  echo "$folder"
}

run_python() {
  local python
  python=$(python_of_clients) || die "pinotdb could not be had from PyPI"
  "$python" "$sources/pinotdb_tests.py" "$address" 2>&1
}

# Java runs one source file as it is. The clients log what they cannot parse themselves, which is no fault of the server.
run_java() {
  local jars
  jars=$(jars_of_clients) || die "the Java clients could not be had from Maven Central"
  java -Xmx512m -Duser.timezone=UTC -Dlog4j2.level=OFF -cp "$jars/*" "$sources/PinotClients.java" "$address" 2>&1
}

# --- the server -----------------------------------------------------------------------------------------------------

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

request() { curl --silent --show-error --fail --max-time 60 "$@"; }

# Waits until a command succeeds, or dies as soon as the server has ended: waiting on would only hide its message.
await() {
  local what=$1 deadline=$((SECONDS + WAIT_SECONDS))
  shift
  until "$@" >/dev/null 2>&1; do
    kill -0 "$process" 2>/dev/null || die "the server ended"
    ((SECONDS < deadline)) || die "$what within $WAIT_SECONDS s"
    sleep 0.2
  done
}

holds_rows() {
  local answer
  answer=$(request "$server/query/sql" --data '{"sql": "SELECT COUNT(*) FROM clickstream"}')
  [[ $answer =~ \"rows\":\[\[([0-9]+)\]\] ]] && ((BASH_REMATCH[1] >= 1000))
}

count() { request "$server/query/sql" --data '{"sql": "SELECT COUNT(*) FROM clickstream"}' | grep -o '"rows":[^}]*'; }

# What was taken before the pause is visible a moment later.
is_at_rest() {
  local before
  before=$(count)
  sleep 0.5
  [[ -n $before && $(count) == "$before" ]]
}

is_committed() { request "$server/tables/forceCommitStatus/1" | grep -q '"numberOfSegmentsYetToBeCommitted":0'; }

# Part of the rows sealed, part consuming, and none coming in.
start_server() {
  "$meunier" quickstart --listen "$address" --data-dir "$work/data" --rate 500 >"$work/server.log" 2>&1 &
  process=$!
  await "no 1000 rows" holds_rows
  request --request POST "$server/tables/clickstream/forceCommit" >"$work/job" || die "cannot seal"
  await "not sealed" is_committed
  sleep 1
  request --request POST "$server/tables/clickstream/pauseConsumption?comment=clients" >"$work/pause" || die "cannot pause"
  await "rows still come in" is_at_rest
}

if [[ -z $meunier ]]; then
  (cd "$repository" && cargo build --release)
  meunier=${CARGO_TARGET_DIR:-$repository/target}/release/meunier
fi
[[ -x $meunier ]] || die "there is no program $meunier"
command -v curl >/dev/null || die "curl is not on the path"

address=127.0.0.1:$(free_port)
server=http://$address
start_server
failed=()
for client in "${clients[@]}"; do
  say "$client"
  "run_$client" || failed+=("$client")
done
# Goes on, as a quickstart that ends counts every record that it sent.
request --request POST "$server/tables/clickstream/resumeConsumption" >"$work/resume" || die "cannot resume"
((${#failed[@]} == 0)) || die "failed: ${failed[*]}"

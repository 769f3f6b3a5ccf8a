#!/usr/bin/env bash
# One Apache Kafka broker for tests and demos: KRaft, a single node, from Maven jars, on Java 17 or newer.
#
#   kafka.sh start                           fetch and format where needed, start, wait, print the bootstrap address
#   kafka.sh stop                            ask it to end, wait until it has
#   kafka.sh restart                         stop and start, same ports and data
#   kafka.sh kill                            SIGKILL, as a power cut would; a later start recovers
#   kafka.sh status [--sasl]                 print the address and exit 0 while it answers, else exit 1
#   kafka.sh wipe                            end it and delete its data, ports and logs; the jars stay
#   kafka.sh topic create NAME PARTITIONS [key=value ...]
#   kafka.sh topic delete NAME
#   kafka.sh topic list
#   kafka.sh fetch                           bring the jars, print their folder
#   kafka.sh java CLASS [argument ...]       run a class of these jars, such as kafka.server.KafkaConfig
#
# Environment:
#   KAFKA_HOME            data, ports and logs                      <repository>/.kafka
#   KAFKA_PORT            port of the plain listener                a free one, kept in KAFKA_HOME
#   KAFKA_VERSION         version of the broker                     4.2.0, as docker-compose.yml
#   KAFKA_HEAP            heap of the broker                        512m
#   KAFKA_START_SECONDS   longest wait for a start                  60
#   KAFKA_SASL            1: with a second listener, SASL_PLAINTEXT and mechanism PLAIN; 0: without       as at the last start
#   KAFKA_SASL_PORT       its port                                  a free one, kept in KAFKA_HOME
#   KAFKA_SASL_USER       the one user it lets in                   meunier
#   KAFKA_SASL_PASSWORD   that user's password                      moulin
#
# Addresses and listings go to stdout, everything else to stderr. A failure ends with the last lines of the broker's log.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

KAFKA_VERSION=${KAFKA_VERSION:-4.2.0}
KAFKA_HOME=$(realpath --canonicalize-missing "${KAFKA_HOME:-$repository/.kafka}")
KAFKA_HEAP=${KAFKA_HEAP:-512m}
KAFKA_START_SECONDS=${KAFKA_START_SECONDS:-60}
KAFKA_PORT=${KAFKA_PORT:-}
KAFKA_SASL=${KAFKA_SASL:-}
KAFKA_SASL_PORT=${KAFKA_SASL_PORT:-}
KAFKA_SASL_USER=${KAFKA_SASL_USER:-meunier}
KAFKA_SASL_PASSWORD=${KAFKA_SASL_PASSWORD:-moulin}

readonly HOST=127.0.0.1
readonly SCALA_VERSION=2.13
readonly LOG4J_VERSION=2.25.3
readonly COPY_GOAL=org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies
readonly STOP_SECONDS=30

jar_cache=${XDG_CACHE_HOME:-$HOME/.cache}/meunier/kafka
data=$KAFKA_HOME/data
properties=$KAFKA_HOME/server.properties
log_properties=$KAFKA_HOME/log4j2.properties
log=$KAFKA_HOME/broker.log
pid_file=$KAFKA_HOME/broker.pid
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

say() { echo "kafka.sh: $*" >&2; }

die() {
  say "$*"
  exit 1
}

die_with_log() {
  if [[ -s $log ]]; then
    say "the last lines of $log:"
    tail -n 40 "$log" >&2
  fi
  die "$*"
}

usage() {
  sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
}

# --- jars -----------------------------------------------------------------------------------------------------------

# Kafka's own pom brings no slf4j binding, without which the broker would log nothing. kafka-tools has TopicCommand; what it needs
# is in the broker's jars, and all else it asks for is for Kafka Connect.
pom() {
  cat <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>meunier</groupId>
  <artifactId>kafka-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_$SCALA_VERSION</artifactId>
      <version>$KAFKA_VERSION</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId>
      <version>$KAFKA_VERSION</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>$LOG4J_VERSION</version>
    </dependency>
  </dependencies>
</project>
POM
}

# A folder for each pom: a changed version or list of jars never meets the jars of another.
jar_folder() { echo "$jar_cache/$KAFKA_VERSION-$(pom | cksum | cut -d' ' -f1)"; }

# Brings the jars to a folder of its own and renames it, so that a half-done fetch is never taken for a whole one.
fetch() {
  local folder partial
  folder=$(jar_folder)
  [[ -d $folder ]] && return
  command -v mvn >/dev/null || die "mvn is not on the path: install Maven to bring the Kafka jars"
  say "fetching the jars of Apache Kafka $KAFKA_VERSION"
  mkdir -p "$jar_cache"
  partial=$(mktemp -d "$jar_cache/fetch.XXXXXX")
  pom >"$partial/pom.xml"
  if ! mvn --batch-mode --quiet --no-transfer-progress -Dstyle.color=never --file "$partial/pom.xml" "$COPY_GOAL" \
    -DincludeScope=runtime -DoutputDirectory="$partial/jars" </dev/null >&2; then
    rm -rf "$partial"
    die "Maven could not bring the jars of Apache Kafka $KAFKA_VERSION"
  fi
  [[ -f $partial/jars/kafka_$SCALA_VERSION-$KAFKA_VERSION.jar ]] || die "Maven ended well but left no broker jar in $partial/jars"
  # Another process may have been faster; its folder holds the same jars.
  mv -T "$partial/jars" "$folder" 2>/dev/null || [[ -d $folder ]] || die "cannot move the jars to $folder"
  rm -rf "$partial"
}

require_java() {
  local major
  command -v "$java" >/dev/null || die "java is not on the path: Kafka 4 needs Java 17 or newer"
  major=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
  ((${major:-0} >= 17)) || die "Kafka 4 needs Java 17 or newer, this is Java ${major:-unknown}"
}

# Short-lived tools: a small heap and the quick compiler alone halve their time.
tool() {
  "$java" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true \
    -Dlog4j2.configurationFile="$(tool_log_properties)" -cp "$(jar_folder)/*" "$@"
}

# Tools print their own errors; what their libraries log below an error would only hide them.
tool_log_properties() {
  mkdir -p "$KAFKA_HOME"
  printf '%s\n' 'status = error' 'appender.err.type = Console' 'appender.err.name = err' 'appender.err.target = SYSTEM_ERR' \
    'rootLogger.level = error' 'rootLogger.appenderRef.err.ref = err' >"$KAFKA_HOME/tool-log4j2.properties"
  echo "$KAFKA_HOME/tool-log4j2.properties"
}

# --- ports ----------------------------------------------------------------------------------------------------------

port_answers() { (exec 3<>"/dev/tcp/$HOST/$1") 2>/dev/null; }

# Below the kernel's own range for outgoing connections, so that no client takes the port while the broker is down.
free_port() {
  local port
  for _ in {1..200}; do
    port=$((20000 + RANDOM % 12000))
    if ! port_answers "$port" && ! grep -qsxF "$port" "$KAFKA_HOME"/*.port; then
      echo "$port"
      return
    fi
  done
  die "found no free port between 20000 and 31999"
}

# Prints the port of one listener, and keeps it: the wanted one, else the one of the last start, else a free one.
port_of() {
  local listener=$1 port=$2 kept=$KAFKA_HOME/$1.port
  mkdir -p "$KAFKA_HOME"
  if [[ -z $port && -s $kept ]]; then port=$(<"$kept"); fi
  if [[ -z $port ]]; then port=$(free_port); fi
  [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || die "the port of listener $listener is no number: \`$port\`"
  port_answers "$port" && die "port $port is taken by another process: set another one, or \`kafka.sh wipe\` to choose anew"
  echo "$port" | tee "$kept"
}

# --- configuration --------------------------------------------------------------------------------------------------

write_properties() {
  local plain=$1 controller=$2 sasl=$3
  cat >"$properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$HOST:$controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
listeners=PLAIN://$HOST:$plain,CONTROLLER://$HOST:$controller${sasl:+,SASL://$HOST:$sasl}
advertised.listeners=PLAIN://$HOST:$plain${sasl:+,SASL://$HOST:$sasl}
listener.security.protocol.map=PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT
log.dirs=$data
num.partitions=4
auto.create.topics.enable=true
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
background.threads=2
# The default, 128 MiB, is taken from the heap at the start.
log.cleaner.dedupe.buffer.size=4194304
# Events carry the time of the event: with a limit on age, replayed ones would be deleted as soon as they were written. A topic that
# tests retention sets its own.
log.retention.ms=-1
log.retention.check.interval.ms=5000
log.initial.task.delay.ms=1000
log.segment.bytes=134217728
PROPERTIES
  [[ -z $sasl ]] || cat >>"$properties" <<PROPERTIES
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_$KAFKA_SASL_USER="$KAFKA_SASL_PASSWORD";
PROPERTIES
  # Properties and not YAML: they need no further jar.
  cat >"$log_properties" <<'PROPERTIES'
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
PROPERTIES
}

# Both are written into a properties file and into quotes, where a few signs would mean something else.
require_plain_credentials() {
  [[ $KAFKA_SASL_USER =~ ^[A-Za-z0-9_.-]+$ ]] || die "KAFKA_SASL_USER takes letters, digits, \`_\`, \`.\` and \`-\`"
  [[ $KAFKA_SASL_PASSWORD =~ ^[A-Za-z0-9_.,:+/=@%-]+$ ]] || die "KAFKA_SASL_PASSWORD takes letters, digits and \`_.,:+/=@%-\`"
}

format_once() {
  local cluster
  [[ -f $data/meta.properties ]] && return
  mkdir -p "$data"
  cluster=$(tool kafka.tools.StorageTool random-uuid) || die "kafka.tools.StorageTool gave no cluster id"
  tool kafka.tools.StorageTool format --cluster-id "$cluster" --config "$properties" >"$log" 2>&1 \
    || die_with_log "could not format $data"
}

# --- the broker's life ----------------------------------------------------------------------------------------------

# Prints the broker's process id while it lives. An id alone may be another process by now, or one that ended and was not yet waited
# for, which has no command line: it must name our file.
broker_pid() {
  local pid
  [[ -s $pid_file ]] || return 1
  pid=$(<"$pid_file")
  [[ -r /proc/$pid/cmdline ]] && tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF "$properties" && echo "$pid"
}

# Prints the address of one listener, as the last start wrote it.
address_of() { sed -n "s,^advertised.listeners=.*\b$1://\([^\,]*\).*,\1,p" "$properties"; }

had_sasl() { [[ -f $properties && -n $(address_of SASL) ]]; }

start() {
  local plain controller sasl=''
  require_java
  if broker_pid >/dev/null; then
    require_same_listeners
    address_of PLAIN
    return
  fi
  fetch
  plain=$(port_of plain "$KAFKA_PORT")
  controller=$(port_of controller '')
  if [[ $KAFKA_SASL == 1 ]] || { [[ -z $KAFKA_SASL ]] && had_sasl; }; then
    require_plain_credentials
    sasl=$(port_of sasl "$KAFKA_SASL_PORT")
  fi
  write_properties "$plain" "$controller" "$sasl"
  format_once
  launch
  await_start "$plain"
  say "Apache Kafka $KAFKA_VERSION, process $(<"$pid_file"), data and log in $KAFKA_HOME"
  address_of PLAIN
}

require_same_listeners() {
  local running
  running=$(address_of PLAIN)
  [[ -z $KAFKA_PORT || $running == "$HOST:$KAFKA_PORT" ]] || die "it runs already, on $running: stop it before KAFKA_PORT=$KAFKA_PORT"
  [[ $KAFKA_SASL != 1 ]] || had_sasl || die "it runs already, without SASL: stop it before KAFKA_SASL=1"
}

# A session of its own: the ^C that ends a demo reaches the demo, which then stops the broker in order.
launch() {
  [[ ! -s $log ]] || mv "$log" "$log.previous"
  : >"$log"
  setsid "$java" "-Xms$KAFKA_HEAP" "-Xmx$KAFKA_HEAP" -XX:+UseG1GC -Djava.awt.headless=true \
    -Dlog4j2.configurationFile="$log_properties" -cp "$(jar_folder)/*" kafka.Kafka "$properties" \
    >"$log" 2>&1 </dev/null &
  echo $! >"$pid_file"
}

# A forked child carries the script's command line until it has become java: the first second it is judged by its id alone.
await_start() {
  local plain=$1 deadline=$((SECONDS + KAFKA_START_SECONDS)) pid
  pid=$(<"$pid_file")
  until grep -q 'Kafka Server started' "$log" && port_answers "$plain"; do
    if ! kill -0 "$pid" 2>/dev/null; then
      rm -f "$pid_file"
      die_with_log "the broker ended while it started"
    fi
    if ((SECONDS >= deadline)); then
      kill -KILL "$pid"
      rm -f "$pid_file"
      die_with_log "the broker did not start within $KAFKA_START_SECONDS s"
    fi
    sleep 0.1
  done
}

# Sends one signal and waits until the process is gone; false when it outlives the wait.
end_with() {
  local signal=$1 pid=$2 deadline=$((SECONDS + STOP_SECONDS))
  kill "-$signal" "$pid" 2>/dev/null || true
  while broker_pid >/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
  rm -f "$pid_file"
}

stop() {
  local pid
  pid=$(broker_pid) || {
    rm -f "$pid_file"
    return 0
  }
  end_with TERM "$pid" && return
  end_with KILL "$pid" || true
  die_with_log "the broker did not end within $STOP_SECONDS s of SIGTERM and was killed"
}

kill_broker() {
  local pid
  pid=$(broker_pid) || die "no broker of $KAFKA_HOME runs"
  end_with KILL "$pid" || die "process $pid outlives SIGKILL"
}

status() {
  local listener=PLAIN address
  [[ ${1:-} != --sasl ]] || listener=SASL
  broker_pid >/dev/null || die "no broker of $KAFKA_HOME runs"
  address=$(address_of "$listener")
  [[ -n $address ]] || die "the broker runs without listener $listener: stop it and start with KAFKA_SASL=1"
  port_answers "${address##*:}" || die_with_log "the broker's process lives, but $address does not answer"
  echo "$address"
}

wipe() {
  local pid
  if pid=$(broker_pid); then end_with KILL "$pid" || die "process $pid outlives SIGKILL"; fi
  rm -rf "$data"
  rm -f "$properties" "$log_properties" "$KAFKA_HOME/tool-log4j2.properties" "$pid_file" "$log" "$log.previous" "$KAFKA_HOME"/*.port
}

# --- topics ---------------------------------------------------------------------------------------------------------

topics() {
  local address
  address=$(status)
  tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$address" "$@"
}

topic() {
  local action=${1:-} name partitions pair
  local -a configs=()
  shift || usage
  case $action in
    create)
      (($# >= 2)) || usage
      name=$1 partitions=$2
      for pair in "${@:3}"; do configs+=(--config "$pair"); done
      topics --create --topic "$name" --partitions "$partitions" --replication-factor 1 "${configs[@]}" >&2
      ;;
    delete)
      (($# == 1)) || usage
      topics --delete --topic "$1" >&2
      ;;
    list) topics --list ;;
    *) usage ;;
  esac
}

action=${1:-}
shift || usage
case $action in
  start) start ;;
  stop) stop ;;
  restart)
    stop
    start
    ;;
  kill) kill_broker ;;
  status) status "$@" ;;
  wipe) wipe ;;
  topic) topic "$@" ;;
  fetch)
    fetch
    jar_folder
    ;;
  java)
    require_java
    fetch
    tool "$@"
    ;;
  *) usage ;;
esac

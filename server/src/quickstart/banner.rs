//! What a quickstart says once it runs: where everything is, three queries with their answers, and how to go on.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::{Demo, PARTITIONS, feed};
use crate::cli::{AnswerFormat, shown_answer};

/// What there is to say.
pub(super) struct Facts<'a> {
    pub(super) address: SocketAddr,
    pub(super) bootstrap: &'a str,
    pub(super) demo: Demo,
    pub(super) data_dir: &'a Path,
    pub(super) is_temporary: bool,
    pub(super) answers: &'a [(&'static str, Value)],
    pub(super) took: Duration,
}

pub(super) fn shown(facts: &Facts<'_>) -> String {
    let name = facts.demo.stream.name();
    let mut text = String::new();
    for (sql, answer) in facts.answers {
        let table = shown_answer(answer, AnswerFormat::Table).unwrap_or_else(|failure| failure.to_string());
        text.push_str(&format!("{sql}\n{table}\n\n"));
    }
    let kept = if facts.is_temporary { "removed when this ends" } else { "kept" };
    // The default server needs no flag.
    let server = match facts.address.to_string().as_str() {
        "127.0.0.1:8099" => String::new(),
        address => format!(" --server http://{address}"),
    };
    text.push_str(&format!(
        "\
meunier {version} is running, {took:.1} s after its start

  SQL       http://{address}/query/sql
  page      http://{address}/
  Kafka     {bootstrap}  (embedded Kafka: librdkafka mock, in memory, for demonstration)
  stream    {name}: {PARTITIONS} partitions, {history} events of history, then {rate} a second
  data      {data_dir} ({kept})

Ask, from another terminal:
  meunier query{server} \"SELECT COUNT(*) FROM {name}\"
  meunier table show{server} {name}
  curl -s http://{address}/query/sql -H 'content-type: application/json' -d '{{\"sql\":\"SELECT COUNT(*) FROM {name}\"}}'
  kcat -b {bootstrap} -t {name} -C -o -3 -e        (any Kafka client can read and produce)

Ctrl-C stops everything.",
        version = env!("CARGO_PKG_VERSION"),
        took = facts.took.as_secs_f64(),
        address = facts.address,
        bootstrap = facts.bootstrap,
        history = feed::HISTORY_EVENTS,
        rate = facts.demo.rate,
        data_dir = facts.data_dir.display(),
    ));
    text
}

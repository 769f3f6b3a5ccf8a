//! `/`: one plain page that says what runs here and how to ask it.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::app::AppState;

/// What can be asked for, for the page.
const PATHS: &[(&str, &str)] = &[
    (
        "POST, GET /query/sql",
        "one SQL query: {\"sql\": \"…\"}; also /sql; /query for the multi-stage dialect",
    ),
    ("GET /tables, /tables/{t}", "tables and their configs; POST, PUT, DELETE to change them"),
    ("GET /tables/{t}/schema, /size, /metadata", "what a table holds"),
    ("GET /tables/{t}/consumingSegmentsInfo, /pauseStatus", "how its consumption goes"),
    ("POST /tables/{t}/pauseConsumption, /resumeConsumption, /forceCommit", "steers its consumption"),
    ("POST /tableConfigs", "creates a table with its schema: {\"tableName\", \"schema\", \"realtime\"}"),
    ("GET, POST /schemas", "schemas"),
    ("GET /segments/{t}, /segments/{t}/metadata", "names of segments, and what is in them"),
    ("GET /queries; DELETE /query/{id}", "what runs, and to end it"),
    ("POST /query/sql?getCursor=true; GET /responseStore/{id}/results", "answers in pages"),
    ("GET /ready", "every table and partition with its state and reason"),
    ("GET /health, /version, /metrics", "for probes and Prometheus"),
];

pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new().route("/", get(home))
}

async fn home(State(state): State<Arc<AppState>>) -> Response {
    // Nothing on the page is code, whatever a table may be called.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page(&state))).into_response()
}

fn page(state: &AppState) -> String {
    let mut tables = String::new();
    for (entry, opened) in state.store.tables() {
        let status = state.store.status(entry.id);
        let rows: u64 = status.iter().flat_map(|status| &status.partitions).map(|p| p.rows_total).sum();
        let word = opened.state_name(&entry);
        let note = match status {
            Some(status) if status.embedded => ", from the embedded demo broker",
            Some(_) | None => "",
        };
        let _ = writeln!(tables, "<li><b>{}</b>: {word}, {rows} rows{note}</li>", escaped(&entry.name));
    }
    if tables.is_empty() {
        tables = "<li>none yet: <code>meunier table create --schema FILE --table FILE</code></li>".to_owned();
    }
    let first =
        state.store.catalog().tables().first().map_or("TABLE".to_owned(), |table| table.name.to_string());
    let mut paths = String::new();
    for (path, meaning) in PATHS {
        let _ =
            writeln!(paths, "<tr><td><code>{}</code></td><td>{}</td></tr>", escaped(path), escaped(meaning));
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>meunier</title>\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
         pre,code{{background:#f4f1ea}}pre{{padding:.7rem;overflow:auto}}td{{padding:.1rem 1rem .1rem 0;vertical-align:top}}</style></head>\n\
         <body><h1>meunier {}</h1>\n<p>Kafka topics as SQL tables. This process answers SQL over HTTP.</p>\n\
         <h2>Tables</h2>\n<ul>\n{tables}</ul>\n<h2>Ask</h2>\n\
         <pre>meunier query \"SELECT COUNT(*) FROM {name}\"\ncurl -s http://{address}/query/sql -d '{{\"sql\":\"SELECT COUNT(*) FROM {name}\"}}'</pre>\n\
         <h2>Paths</h2>\n<table>\n{paths}</table>\n</body></html>\n",
        env!("CARGO_PKG_VERSION"),
        name = escaped(&first),
        address = state.address,
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

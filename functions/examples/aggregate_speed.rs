//! Measures what aggregates take a row: `cargo run --release --example aggregate_speed [name]`.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use meunier_functions::Functions;

const BATCHES: usize = 1_200;
const BATCH_ROWS: usize = 8_192;
const RUNS: usize = 3;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "figures are what it is for")]
async fn main() -> datafusion::error::Result<()> {
    let wanted = std::env::args().nth(1);
    for groups in [1, 8, 10_000] {
        let context = table(groups)?;
        for call in CALLS {
            if wanted.as_ref().is_some_and(|wanted| !call.contains(wanted)) {
                continue;
            }
            let sql = match groups {
                1 => format!("SELECT {call} FROM t"),
                _ => format!("SELECT k, {call} FROM t GROUP BY k"),
            };
            let mut best = f64::INFINITY;
            for _ in 0..RUNS {
                let begin = Instant::now();
                context.sql(&sql).await?.collect().await?;
                best = best.min(begin.elapsed().as_secs_f64());
            }
            println!(
                "{groups:>6} groups {call:<36} {:>7.1} ns/row",
                best * 1e9 / (BATCHES * BATCH_ROWS) as f64
            );
        }
    }
    Ok(())
}

const CALLS: [&str; 6] = [
    "sum(v)",
    "percentiletdigest(v, 95)",
    "percentile(v, 95)",
    "percentileest(v, 95)",
    "percentilekll(v, 95)",
    "percentilerawest(v, 95)",
];

fn table(groups: u64) -> datafusion::error::Result<SessionContext> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    let functions = Functions::load();
    for name in functions.names() {
        if let Some(function) = functions.aggregate(name) {
            context.register_udaf(function.as_ref().clone());
        }
    }
    let mut seed = 1_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut batches = Vec::new();
    for _ in 0..BATCHES {
        let keys: Int32Array = (0..BATCH_ROWS).map(|_| i32::try_from(next() % groups).ok()).collect();
        let values: Float64Array =
            (0..BATCH_ROWS).map(|_| Some(f64::exp((next() % 1_000_000) as f64 * 1e-5))).collect();
        let columns = [("k", Arc::new(keys) as ArrayRef), ("v", Arc::new(values))];
        batches.push(RecordBatch::try_from_iter(columns)?);
    }
    context.register_table("t", Arc::new(MemTable::try_new(batches[0].schema(), vec![batches])?))?;
    Ok(context)
}

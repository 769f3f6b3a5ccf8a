//! What the tree costs and gains on a million events. No check but a measurement, run by hand:
//! `EVENTS_PARQUET=FILE cargo test --release -p meunier-segment --lib star_tree::tests::events -- --ignored --nocapture`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::time::Instant;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType as ArrowType, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::super::*;
use crate::ids::Ids;

/// A dimension: one id a row, and the sorted values they stand for.
struct Encoded {
    ids: Ids,
    values: Vec<String>,
}

impl Encoded {
    fn new(column: &ArrayRef) -> Encoded {
        let text = cast(column, &ArrowType::Utf8).unwrap();
        let text = text.as_string::<i32>();
        let mut id_of: BTreeMap<&str, u32> = text.iter().flatten().map(|value| (value, 0)).collect();
        for (id, known) in (0..).zip(id_of.values_mut()) {
            *known = id;
        }
        let ids = text.iter().flatten().map(|value| id_of[value]).collect();
        Encoded { ids: Ids::narrow(ids, id_of.len()), values: id_of.into_keys().map(str::to_owned).collect() }
    }

    fn input(&self) -> DimensionInput<'_> {
        DimensionInput { ids: Cow::Borrowed(&self.ids), cardinality: self.values.len() }
    }
}

struct Events {
    batch: RecordBatch,
    dimensions: Vec<&'static str>,
    columns: Vec<Encoded>,
}

impl Events {
    fn read(dimensions: &[&'static str]) -> Events {
        let file = File::open(std::env::var("EVENTS_PARQUET").unwrap()).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let schema = reader.schema().clone();
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let batch = concat_batches(&schema, &batches).unwrap();
        let encoded = dimensions.iter().map(|name| Encoded::new(batch.column_by_name(name).unwrap()));
        Events { dimensions: dimensions.to_vec(), columns: encoded.collect(), batch }
    }

    fn build(&self, leaf_records_max: usize) -> StarTree {
        let pairs = ["COUNT__*", "SUM__bytes"].map(|pair| FunctionPair::parse(pair).unwrap());
        let options = StarTreeOptions {
            dimensions: self.dimensions.iter().map(|&name| name.into()).collect(),
            skip_star_dimensions: Vec::new(),
            function_pairs: pairs.into(),
            leaf_records_max,
        };
        let bytes = self.batch.column_by_name("bytes").unwrap().as_primitive::<Int64Type>().values();
        let input = StarTreeInput {
            rows: self.batch.num_rows(),
            dimensions: self.columns.iter().map(Encoded::input).collect(),
            metrics: vec![MetricInput { column: "bytes".into(), values: MetricColumn::I64(bytes.clone()) }],
            distinct: Vec::new(),
        };
        StarTree::build(&options, &input).unwrap()
    }

    fn equal(&self, name: &str, value: &str) -> DimensionFilter {
        let dimension = self.position(name);
        let id = self.columns[dimension].values.iter().position(|known| known == value).unwrap();
        DimensionFilter { dimension, ids: IdSet::from_ids([u32::try_from(id).unwrap()]) }
    }

    fn position(&self, name: &str) -> usize {
        self.dimensions.iter().position(|&known| known == name).unwrap()
    }

    fn measure(&self, leaf_records_max: usize, queries: &[(&str, &[&str], Vec<DimensionFilter>)]) {
        let rows = self.batch.num_rows();
        let build_us = best_us(5, || drop(black_box(self.build(leaf_records_max))));
        let tree = self.build(leaf_records_max);
        let parts = tree.to_parts();
        let bytes: usize = parts.buffers.iter().map(|buffer| buffer.len()).sum();
        let len_of = |name: &str| Some(self.columns[self.position(name)].values.len());
        let open_us = best_us(20, || drop(black_box(StarTree::from_parts(&parts, rows, len_of).unwrap())));
        println!(
            "leaf_records_max {leaf_records_max}: {} nodes, {} records",
            tree.node_count(),
            tree.record_count()
        );
        println!("  {rows} rows, {bytes} bytes, build {build_us:.0} us, open {open_us:.0} us");
        let Some(MetricColumn::I64(counts)) = tree.metric(&FunctionPair::new(PairFunction::Count, "*"))
        else {
            panic!("counts are whole")
        };
        for (name, group_by, filters) in queries {
            let group_by: Vec<usize> = group_by.iter().map(|name| self.position(name)).collect();
            let records = tree.records(filters, &group_by);
            let read: usize =
                tree.select(filters, &group_by).iter().map(|selected| selected.records.len()).sum();
            let counted: i64 = records.iter().map(|&record| counts[record as usize]).sum();
            let us = best_us(50, || drop(black_box(tree.records(filters, &group_by))));
            println!("  {name}: reads {read}, gives {} records of {counted} rows, {us:.1} us", records.len());
        }
    }
}

fn best_us(times: usize, mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..times {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64() * 1e6);
    }
    best
}

#[test]
#[ignore = "measures; EVENTS_PARQUET names a file of bench/gen_events.py"]
fn of_a_dashboard() {
    let events = Events::read(&["country", "device", "event_type", "browser", "status"]);
    let queries: Vec<(&str, &[&str], _)> = vec![
        ("by country, device, event_type", &["country", "device", "event_type"], vec![]),
        ("by country", &["country"], vec![]),
        (
            "by device in DE, 200",
            &["device"],
            vec![events.equal("country", "DE"), events.equal("status", "200")],
        ),
        (
            "by device in US, 200",
            &["device"],
            vec![events.equal("country", "US"), events.equal("status", "200")],
        ),
        ("by country, 500", &["country"], vec![events.equal("status", "500")]),
        ("by event_type, browser, status", &["event_type", "browser", "status"], vec![]),
        ("by country, event_type, status", &["country", "event_type", "status"], vec![]),
        ("all", &[], vec![]),
    ];
    for leaf_records_max in [LEAF_RECORDS_MAX_DEFAULT, 1_000, 100, 10] {
        events.measure(leaf_records_max, &queries);
    }
}

#[test]
#[ignore = "measures; EVENTS_PARQUET names a file of bench/gen_events.py"]
fn where_rows_hardly_aggregate() {
    let events = Events::read(&["tenant_id", "city", "country", "device", "event_type", "browser", "status"]);
    let queries: Vec<(&str, &[&str], _)> = vec![
        ("by country, device, event_type", &["country", "device", "event_type"], vec![]),
        (
            "by device in DE, 200",
            &["device"],
            vec![events.equal("country", "DE"), events.equal("status", "200")],
        ),
        ("by device of tenant 14", &["device"], vec![events.equal("tenant_id", "14")]),
        ("by tenant_id", &["tenant_id"], vec![]),
    ];
    events.measure(LEAF_RECORDS_MAX_DEFAULT, &queries);
}

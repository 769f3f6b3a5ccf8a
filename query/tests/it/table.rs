//! Tables for tests: rows as JSON, laid out in segments in several ways.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal256Array, Float32Array, Float64Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field as ArrowField;
use meunier_query::{
    EngineConfig, QueryAnswer, QueryEngine, QueryRequest, QueryTable, SearchOptions, Tables,
};
use meunier_segment::consuming_segment::{ConsumingSegment, SegmentIdentity};
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::options::SegmentOptions;
use meunier_segment::schema::{DataType, Field, Schema};
use meunier_segment::seal::seal;
use meunier_segment::sealed_segment::SealedSegment;
use meunier_segment::segment_name::SegmentName;
use meunier_segment::serving::{self, DurableRef};
use meunier_segment::table_snapshot::{LiveTable, PartitionCell, PartitionSnapshot};
use meunier_segment::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE, Value};
use tempfile::TempDir;

/// How the rows of a table lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// All in consuming segments, appended a few at a time.
    Consuming,
    /// All in sealed segments.
    Sealed,
    /// The older half of each partition sealed, the rest consuming.
    Split,
}

impl Layout {
    pub(crate) const ALL: [Layout; 3] = [Layout::Consuming, Layout::Sealed, Layout::Split];
}

/// Rows and how they are stored.
#[derive(Debug, Clone)]
pub(crate) struct TableSpec {
    pub(crate) schema: Arc<Schema>,
    pub(crate) rows: Vec<serde_json::Value>,
    pub(crate) partitions: usize,
    pub(crate) null_handling: bool,
    pub(crate) options: SegmentOptions,
    /// What queries know of how documents and texts are taken apart, whether or not there are indexes.
    pub(crate) search: SearchOptions,
    /// Whether `LOOKUP` finds it.
    pub(crate) is_dimension: bool,
}

impl TableSpec {
    pub(crate) fn new(schema: &str, rows: Vec<serde_json::Value>) -> TableSpec {
        let parsed = Schema::parse(schema).unwrap_or_else(|problems| panic!("schema: {problems:?}"));
        TableSpec {
            schema: Arc::new(parsed.schema),
            rows,
            partitions: 2,
            null_handling: true,
            options: SegmentOptions::default(),
            search: SearchOptions::default(),
            is_dimension: false,
        }
    }
}

/// Tables, an engine, and the files behind sealed segments.
pub(crate) struct Bed {
    pub(crate) tables: Tables,
    pub(crate) engine: QueryEngine,
    runtime: tokio::runtime::Runtime,
    _files: TempDir,
}

impl Bed {
    pub(crate) fn new(specs: &[TableSpec], layout: Layout) -> Bed {
        Bed::with_config(specs, layout, EngineConfig { threads: 2, ..EngineConfig::default() })
    }

    pub(crate) fn with_config(specs: &[TableSpec], layout: Layout, config: EngineConfig) -> Bed {
        let files = TempDir::new().unwrap();
        let tables = Tables::new();
        for spec in specs {
            tables.insert(QueryTable {
                live: Arc::new(build_table(spec, layout, &files)),
                null_handling_enabled: spec.null_handling,
                timeout_ms: None,
                search: Arc::new(spec.search.clone()),
                is_dimension: spec.is_dimension,
                time_column: None,
            });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Bed { tables, engine: QueryEngine::new(config).unwrap(), runtime, _files: files }
    }

    pub(crate) fn query(&self, sql: &str) -> QueryAnswer {
        self.ask(QueryRequest { sql: sql.into(), ..QueryRequest::default() })
    }

    pub(crate) fn ask(&self, request: QueryRequest) -> QueryAnswer {
        self.runtime.block_on(self.engine.query(&self.tables, request))
    }

    pub(crate) fn json(&self, sql: &str) -> serde_json::Value {
        self.json_with(sql, "")
    }

    pub(crate) fn json_with(&self, sql: &str, options: &str) -> serde_json::Value {
        let request = QueryRequest { sql: sql.into(), options: options.into(), ..QueryRequest::default() };
        let body = self.ask(request).body;
        serde_json::from_slice(&body).unwrap_or_else(|error| {
            panic!("{error} in the answer to {sql}: {}", String::from_utf8_lossy(&body))
        })
    }
}

fn build_table(spec: &TableSpec, layout: Layout, files: &TempDir) -> LiveTable {
    let name = spec.schema.name();
    let table = LiveTable::new(name, Arc::clone(&spec.schema));
    for partition in 0..spec.partitions {
        let id = PartitionId(i32::try_from(partition).unwrap());
        let rows: Vec<&serde_json::Value> =
            spec.rows.iter().skip(partition).step_by(spec.partitions).collect();
        let half = rows.len() / 2;
        let mut snapshot = PartitionSnapshot::empty(id);
        let sealed_rows = match layout {
            Layout::Consuming => 0,
            Layout::Sealed => rows.len(),
            Layout::Split => half,
        };
        // Two sealed segments, so that segments differ in what their metadata says.
        let bounds = [0, sealed_rows / 2, sealed_rows];
        let mut sealed = Vec::new();
        for (sequence, range) in bounds.windows(2).enumerate().filter(|(_, range)| range[0] < range[1]) {
            let segment = consume(spec, id, sequence, &rows[range[0]..range[1]], range[0]);
            sealed.push(Arc::new(sealed_segment(segment, spec, files)));
        }
        let sequence = sealed.len();
        snapshot.sealed = sealed.into();
        if sealed_rows < rows.len() {
            let mut segment = consume(spec, id, sequence, &rows[sealed_rows..], sealed_rows);
            segment.saw_record_at(1_700_000_000_000 + i64::from(id.0));
            snapshot.consuming = Some(segment.snapshot());
        }
        table.add_partition(Arc::new(PartitionCell::new(snapshot)));
    }
    table
}

fn consume(
    spec: &TableSpec,
    partition: PartitionId,
    sequence: usize,
    rows: &[&serde_json::Value],
    first_offset: usize,
) -> ConsumingSegment {
    let sequence = u32::try_from(sequence).unwrap();
    let name = SegmentName::new(spec.schema.name(), partition, sequence, 0);
    let start = i64::try_from(first_offset).unwrap();
    let identity = SegmentIdentity { name, partition, created_ms: 0 };
    let mut segment = ConsumingSegment::new(identity, Arc::clone(&spec.schema), &spec.options, Offset(start));
    let mut offset = start;
    // Uneven batches: one row, then two, three, …, and large ones when there are many rows.
    let mut rest = rows;
    let mut batch_rows = 1;
    while !rest.is_empty() {
        let (batch, left) = rest.split_at(batch_rows.min(rest.len()));
        let count = i64::try_from(batch.len()).unwrap();
        segment.append(&decode(&spec.schema, batch), &(offset..offset + count).collect::<Vec<_>>());
        offset += count;
        batch_rows = if batch_rows < 16 { batch_rows + 1 } else { batch_rows * 2 };
        rest = left;
    }
    segment
}

fn sealed_segment(segment: ConsumingSegment, spec: &TableSpec, files: &TempDir) -> SealedSegment {
    let (snapshot, _) = segment.freeze();
    let rows = seal(&snapshot, &spec.options).unwrap();
    let path = files.path().join(snapshot.identity().name.as_str());
    let mut file = File::create(&path).unwrap();
    serving::write(&mut file, &rows, DurableRef { bytes: 0, crc32c: 0 }).unwrap();
    file.flush().unwrap();
    SealedSegment::open(&path).unwrap()
}

fn decode(schema: &Schema, rows: &[&serde_json::Value]) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| decode_column(field, rows)).collect();
    RecordBatch::try_new(schema.arrow_schema(), columns).unwrap()
}

fn decode_column(field: &Field, rows: &[&serde_json::Value]) -> ArrayRef {
    let cells = rows.iter().map(|row| row.get(&*field.name).filter(|cell| !cell.is_null()));
    if field.single_value {
        return decode_values(field.data_type, cells.map(|cell| cell.cloned()).collect());
    }
    let mut lengths = Vec::new();
    let mut elements = Vec::new();
    let mut valid = Vec::new();
    for cell in cells {
        let items = cell.and_then(|cell| cell.as_array()).cloned().unwrap_or_default();
        lengths.push(items.len());
        valid.push(!items.is_empty());
        elements.extend(items.into_iter().map(Some));
    }
    let values = decode_values(field.data_type, elements);
    let item = Arc::new(ArrowField::new_list_field(values.data_type().clone(), true));
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), values, Some(NullBuffer::from(valid))))
}

fn decode_values(data_type: DataType, cells: Vec<Option<serde_json::Value>>) -> ArrayRef {
    let text = |cell: &serde_json::Value| match cell {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let parse = |cell: &Option<serde_json::Value>| {
        cell.as_ref().map(|cell| match data_type {
            // A zero keeps its sign, which the segment has to take off.
            DataType::Float => Value::Float(text(cell).parse().unwrap()),
            DataType::Double => Value::Double(text(cell).parse().unwrap()),
            _ => Value::parse(&text(cell), data_type).unwrap_or_else(|| panic!("{cell} as {data_type}")),
        })
    };
    macro_rules! array {
        ($array:ty, $variant:ident) => {
            Arc::new(
                cells
                    .iter()
                    .map(|cell| match parse(cell) {
                        Some(Value::$variant(value)) => Some(value),
                        None => None,
                        Some(other) => panic!("{other:?}"),
                    })
                    .collect::<$array>(),
            )
        };
    }
    match data_type {
        DataType::Int => array!(Int32Array, Int),
        DataType::Long => array!(Int64Array, Long),
        DataType::Float => array!(Float32Array, Float),
        DataType::Double => array!(Float64Array, Double),
        DataType::Boolean => array!(BooleanArray, Boolean),
        DataType::Timestamp => array!(TimestampMillisecondArray, Timestamp),
        DataType::BigDecimal => {
            let values: Decimal256Array = cells
                .iter()
                .map(|cell| match parse(cell) {
                    Some(Value::BigDecimal(value)) => Some(value),
                    _ => None,
                })
                .collect();
            Arc::new(values.with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE).unwrap())
        }
        DataType::String | DataType::Json => {
            Arc::new(cells.iter().map(|cell| cell.as_ref().map(text)).collect::<StringArray>())
        }
        DataType::Bytes => {
            let values: Vec<Option<Vec<u8>>> = cells
                .iter()
                .map(|cell| match parse(cell) {
                    Some(Value::Bytes(value)) => Some(value.to_vec()),
                    _ => None,
                })
                .collect();
            Arc::new(values.iter().map(|value| value.as_deref()).collect::<BinaryArray>())
        }
    }
}

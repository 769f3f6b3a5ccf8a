//! A table in several partitions, and SQL over it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use meunier_functions::Functions;

/// Rows in a batch; there are several batches a partition.
const BATCH_ROWS: usize = 100;
const PARTITIONS: usize = 3;

/// Columns of a table `t`.
pub(crate) struct Table {
    batch: RecordBatch,
}

impl Table {
    pub(crate) fn new<const N: usize>(columns: [(&str, ArrayRef); N]) -> Table {
        let columns = columns.into_iter().map(|(name, column)| (name.to_owned(), column, true));
        Table { batch: RecordBatch::try_from_iter_with_nullable(columns).expect("tests make valid tables") }
    }

    /// Returns the rows that a query answers.
    pub(crate) fn query(&self, sql: &str) -> Answer {
        match self.try_query(sql) {
            Ok(answer) => answer,
            Err(error) => panic!("{sql}: {error}"),
        }
    }

    /// Returns the error that a query ends in.
    pub(crate) fn error(&self, sql: &str) -> String {
        match self.try_query(sql) {
            Ok(answer) => panic!("{sql} was answered: {:?}", answer.lines()),
            Err(error) => error,
        }
    }

    fn try_query(&self, sql: &str) -> Result<Answer, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("tests make valid tables");
        runtime.block_on(async {
            let context = self.context();
            let frame = context.sql(sql).await.map_err(|error| error.to_string())?;
            let schema = Arc::clone(frame.schema().inner());
            let batches = frame.collect().await.map_err(|error| error.to_string())?;
            let schema = batches.first().map_or(schema, RecordBatch::schema);
            Ok(Answer { batch: concat_batches(&schema, &batches).expect("tests make valid tables") })
        })
    }

    fn context(&self) -> SessionContext {
        let config = SessionConfig::new().with_target_partitions(PARTITIONS);
        let context = SessionContext::new_with_config(config);
        let functions = Functions::load();
        for name in functions.names() {
            if let Some(function) = functions.aggregate(name) {
                // The dialect writes a function's own name for any of its others.
                let name: &'static str = name.to_owned().leak();
                context.register_udaf(function.as_ref().clone().with_aliases([name]));
            }
        }
        let schema: Arc<Schema> = self.batch.schema();
        let mut partitions = vec![Vec::new(); PARTITIONS];
        for (number, begin) in (0..self.batch.num_rows()).step_by(BATCH_ROWS).enumerate() {
            let rows = BATCH_ROWS.min(self.batch.num_rows() - begin);
            partitions[number % PARTITIONS].push(self.batch.slice(begin, rows));
        }
        let table = MemTable::try_new(schema, partitions).expect("tests make valid tables");
        context.register_table("t", Arc::new(table)).expect("tests make valid tables");
        context
    }
}

/// The rows of an answer.
pub(crate) struct Answer {
    pub(crate) batch: RecordBatch,
}

impl Answer {
    pub(crate) fn column(&self, position: usize) -> &ArrayRef {
        self.batch.column(position)
    }

    pub(crate) fn double(&self, position: usize) -> f64 {
        assert_eq!(*self.column(position).data_type(), DataType::Float64);
        self.column(position).as_primitive::<Float64Type>().value(0)
    }

    pub(crate) fn long(&self, position: usize) -> i64 {
        assert_eq!(*self.column(position).data_type(), DataType::Int64);
        self.column(position).as_primitive::<Int64Type>().value(0)
    }

    pub(crate) fn int(&self, position: usize) -> i32 {
        assert_eq!(*self.column(position).data_type(), DataType::Int32);
        self.column(position).as_primitive::<Int32Type>().value(0)
    }

    pub(crate) fn text(&self, position: usize) -> String {
        assert_eq!(*self.column(position).data_type(), DataType::Utf8);
        self.column(position).as_string::<i32>().value(0).to_owned()
    }

    pub(crate) fn is_null(&self, position: usize) -> bool {
        self.column(position).is_null(0)
    }

    /// Returns each row as text, its values separated by `|`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let options = FormatOptions::default().with_null("null");
        let columns: Vec<_> = self
            .batch
            .columns()
            .iter()
            .map(|column| {
                ArrayFormatter::try_new(column.as_ref(), &options).expect("tests make valid tables")
            })
            .collect();
        (0..self.batch.num_rows())
            .map(|row| {
                let values: Vec<_> = columns.iter().map(|column| column.value(row).to_string()).collect();
                values.join("|")
            })
            .collect()
    }
}

/// Pseudo-random numbers, the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Returns a number from 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

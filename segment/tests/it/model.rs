//! The plain model: a segment is a list of rows, a row is a list of values. Everything a segment must answer is computed
//! from these rows one by one, by code that shares nothing with the crate but [`Value`].

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal256Array, Float32Array, Float64Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{Field as ArrowField, i256};
use meunier_segment::consuming_segment::{ConsumingSegment, SegmentIdentity};
use meunier_segment::offset_range::{Offset, PartitionId};
use meunier_segment::options::SegmentOptions;
use meunier_segment::schema::{DataType, Field, Schema};
use meunier_segment::segment_name::SegmentName;
use meunier_segment::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE, Value};

/// First offset of every model segment.
pub(crate) const START: i64 = 1_000;

/// What one record says of one column.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Null,
    One(Value),
    /// A list, whose elements may be null too.
    Many(Vec<Option<Value>>),
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) offset: i64,
    pub(crate) cells: Vec<Cell>,
}

/// How the values of one column come about.
#[derive(Debug, Clone)]
pub(crate) struct ColumnPlan {
    pub(crate) data_type: DataType,
    pub(crate) single_value: bool,
    pub(crate) null_percent: u64,
    /// So many values to choose from; the odd ones come first.
    pub(crate) distinct: u64,
    /// The schema names a default null value of its own.
    pub(crate) own_default: bool,
    pub(crate) no_dictionary: bool,
}

/// A table to be filled: the same plan gives the same rows.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) columns: Vec<ColumnPlan>,
    pub(crate) sorted_column: Option<usize>,
    pub(crate) seed: u64,
}

impl Plan {
    pub(crate) fn schema(&self) -> Arc<Schema> {
        let specs: Vec<_> =
            self.columns.iter().enumerate().map(|(index, column)| column.spec(index)).collect();
        let json = serde_json::json!({"schemaName": "model", "dimensionFieldSpecs": specs});
        Arc::new(Schema::parse(&json.to_string()).expect("the plan's schema is valid").schema)
    }

    pub(crate) fn options(&self) -> SegmentOptions {
        let plain = self.columns.iter().enumerate().filter(|(_, column)| column.no_dictionary);
        SegmentOptions {
            sorted_column: self.sorted_column.map(|index| column_name(index).into()),
            no_dictionary_columns: plain.map(|(index, _)| column_name(index).into()).collect(),
            ..SegmentOptions::default()
        }
    }

    /// Returns the first `count` rows. Offsets have gaps.
    pub(crate) fn rows(&self, count: usize) -> Vec<Row> {
        let mut offset = START;
        let mut rows = Vec::with_capacity(count);
        for row in 0..count as u64 {
            let cells = self
                .columns
                .iter()
                .zip(0..)
                .map(|(column, index)| column.cell(self.seed, row, index))
                .collect();
            rows.push(Row { offset, cells });
            offset += if mix(self.seed ^ row).is_multiple_of(10) { 5 } else { 1 };
        }
        rows
    }

    pub(crate) fn segment(&self) -> ConsumingSegment {
        ConsumingSegment::new(identity(), self.schema(), &self.options(), Offset(START))
    }

    /// Returns `rows` in sealed order: by the sorted column, ties as they arrived.
    pub(crate) fn sealed(&self, rows: &[Row]) -> Vec<Row> {
        let schema = self.schema();
        let mut sealed = rows.to_vec();
        let Some(sorted) = self.sorted_column.filter(|&index| self.columns[index].single_value) else {
            return sealed;
        };
        let default = &schema.fields()[sorted].default_null_value;
        let key = |row: &Row| match &row.cells[sorted] {
            Cell::One(value) => value.clone(),
            Cell::Null => default.clone(),
            Cell::Many(_) => unreachable!("the sorted column has one value a row"),
        };
        sealed.sort_by(|a, b| key(a).compare(&key(b)).unwrap_or(Ordering::Equal));
        sealed
    }
}

pub(crate) fn identity() -> SegmentIdentity {
    let partition = PartitionId(3);
    SegmentIdentity {
        name: SegmentName::new("model", partition, 7, 951_827_696_000),
        partition,
        created_ms: 951_827_696_000,
    }
}

fn column_name(index: usize) -> String {
    format!("spalte_ß{index}")
}

impl ColumnPlan {
    fn spec(&self, index: usize) -> serde_json::Value {
        let mut spec = serde_json::json!({"name": column_name(index), "dataType": self.data_type.name()});
        if !self.single_value {
            spec["singleValueField"] = false.into();
        }
        if self.own_default {
            spec["defaultNullValue"] = match self.data_type {
                DataType::Int | DataType::Long | DataType::Timestamp => 7.into(),
                DataType::Float | DataType::Double => 7.5.into(),
                DataType::BigDecimal => "7.5".into(),
                DataType::Boolean => true.into(),
                DataType::String => "нет".into(),
                DataType::Json => "{}".into(),
                DataType::Bytes => "00ff".into(),
            };
        }
        spec
    }

    fn cell(&self, seed: u64, row: u64, column: u64) -> Cell {
        let word = mix(seed ^ mix(row) ^ mix(column << 40));
        if word % 100 < self.null_percent {
            return Cell::Null;
        }
        let value = |salt: u64| value(self.data_type, mix(word ^ salt) % self.distinct);
        if self.single_value {
            return Cell::One(value(1));
        }
        let elements = (0..mix(word ^ 2) % 5).map(|element| {
            let is_null = mix(word ^ (100 + element)) % 100 < self.null_percent / 2;
            (!is_null).then(|| value(200 + element))
        });
        Cell::Many(elements.collect())
    }
}

/// Spreads the bits of a number: the finaliser of splitmix64.
pub(crate) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Returns the `choice`-th value of a type. The first ones are those that code forgets.
pub(crate) fn value(data_type: DataType, choice: u64) -> Value {
    let at = usize::try_from(choice).unwrap();
    let word = mix(choice);
    let (int, long) = (i32::try_from(word >> 33).unwrap(), word.cast_signed());
    match data_type {
        DataType::Int => Value::Int([0, -1, i32::MIN, i32::MAX].get(at).copied().unwrap_or(int)),
        DataType::Long => Value::Long([i64::MIN, 0, -1, i64::MAX].get(at).copied().unwrap_or(long)),
        DataType::Timestamp => Value::Timestamp([0, i64::MIN, i64::MAX, -1].get(at).copied().unwrap_or(long)),
        DataType::Float => {
            let least = f32::from_bits(1);
            let odd = [0.0, -least, f32::NEG_INFINITY, f32::INFINITY, least, f32::NAN, -f32::NAN];
            Value::Float(odd.get(at).copied().unwrap_or(int as f32 / 8.0))
        }
        DataType::Double => {
            let odd = [
                -f64::from_bits(1),
                0.0,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::from_bits(1),
                f64::MAX,
                f64::NAN,
                -f64::NAN,
            ];
            Value::Double(odd.get(at).copied().unwrap_or(long as f64 / 8.0))
        }
        DataType::BigDecimal => {
            let largest = i256::from_string(&"9".repeat(usize::from(BIG_DECIMAL_PRECISION))).unwrap();
            let odd = [i256::ZERO, i256::MINUS_ONE, largest, largest.wrapping_neg(), i256::ONE];
            Value::BigDecimal(
                odd.get(at).copied().unwrap_or_else(|| i256::from_parts(u128::from(word), i128::from(int))),
            )
        }
        DataType::Boolean => Value::Boolean(choice % 2 == 1),
        DataType::String => {
            let long = "long ".repeat(120);
            let odd = ["", "null", "\0", "日本語のテキスト", "𝄞", "a", "aa", &long, "ä\u{301}"];
            Value::String(odd.get(at).map_or_else(|| format!("value {word:x}").into(), |text| (*text).into()))
        }
        DataType::Json => Value::String(format!("{{\"a\":[{int},\"{}\"]}}", "ö".repeat(at % 7)).into()),
        DataType::Bytes => {
            let odd: [&[u8]; 5] = [b"", b"\0", b"\xff\xfe", &[0xaa; 600], b"twelve bytes"];
            Value::Bytes(
                odd.get(at).map_or_else(|| word.to_be_bytes()[..=at % 8].into(), |bytes| (*bytes).into()),
            )
        }
    }
}

/// Returns rows as decoders hand them to [`ConsumingSegment::append`], but every zero with a sign, which no segment keeps.
/// Null lists have elements beneath, which nobody may see.
pub(crate) fn batch(rows: &[Row], schema: &Schema) -> (RecordBatch, Vec<i64>) {
    let fields = schema.fields().iter().enumerate();
    let arrays = fields.map(|(index, field)| {
        let cells = rows.iter().map(|row| &row.cells[index]);
        if field.single_value {
            let values: Vec<Option<Value>> = cells.map(|cell| one(cell).map(with_signed_zero)).collect();
            return values_array(field.data_type, &values);
        }
        let hidden = [Some(value(field.data_type, 1))];
        let signed = |elements: &[Option<Value>]| -> Vec<Option<Value>> {
            elements.iter().map(|element| element.clone().map(with_signed_zero)).collect()
        };
        let rows: Vec<(bool, Vec<Option<Value>>)> = cells
            .map(|cell| match cell {
                Cell::Many(elements) => (true, signed(elements)),
                Cell::Null | Cell::One(_) => (false, hidden.to_vec()),
            })
            .collect();
        lists(field, rows.iter().map(|(valid, elements)| (*valid, elements.as_slice())))
    });
    let batch = RecordBatch::try_new(schema.arrow_schema(), arrays.collect()).expect("arrays fit the schema");
    (batch, rows.iter().map(|row| row.offset).collect())
}

fn with_signed_zero(value: Value) -> Value {
    match value {
        Value::Float(0.0) => Value::Float(-0.0),
        Value::Double(0.0) => Value::Double(-0.0),
        other => other,
    }
}

/// Returns what [`meunier_segment::column::Column::to_array`] must give for these rows, strings and bytes as stored.
pub(crate) fn expected(rows: &[Row], index: usize, field: &Field, null_handling: bool) -> ArrayRef {
    let default = &field.default_null_value;
    let cells = rows.iter().map(|row| row.cells.get(index).unwrap_or(&Cell::Null));
    if field.single_value {
        let fill = (!null_handling).then_some(default);
        let values: Vec<Option<Value>> = cells.map(|cell| one(cell).or(fill.cloned())).collect();
        return values_array(field.data_type, &values);
    }
    let filled: Vec<(bool, Vec<Option<Value>>)> = cells
        .map(|cell| match cell {
            Cell::Many(elements) => (
                true,
                elements.iter().map(|element| Some(element.as_ref().unwrap_or(default).clone())).collect(),
            ),
            Cell::Null | Cell::One(_) => (!null_handling, vec![Some(default.clone())]),
        })
        .collect();
    lists(field, filled.iter().map(|(valid, elements)| (*valid, elements.as_slice())))
}

fn one(cell: &Cell) -> Option<Value> {
    match cell {
        Cell::One(value) => Some(value.clone()),
        Cell::Null | Cell::Many(_) => None,
    }
}

/// Returns every value that stands in a column, defaults where there was none.
pub(crate) fn standing_values(rows: &[Row], index: usize, field: &Field) -> Vec<Value> {
    let default = &field.default_null_value;
    let values = rows.iter().flat_map(|row| match &row.cells[index] {
        Cell::Null => vec![default.clone()],
        Cell::One(value) => vec![value.clone()],
        Cell::Many(elements) => {
            elements.iter().map(|element| element.as_ref().unwrap_or(default).clone()).collect()
        }
    });
    values.collect()
}

fn lists<'a>(field: &Field, rows: impl Iterator<Item = (bool, &'a [Option<Value>])>) -> ArrayRef {
    let (mut valid, mut lengths, mut elements) = (Vec::new(), Vec::new(), Vec::new());
    for (is_valid, list) in rows {
        valid.push(is_valid);
        lengths.push(list.len());
        elements.extend_from_slice(list);
    }
    let item = Arc::new(ArrowField::new_list_field(field.data_type.arrow(), true));
    let values = values_array(field.data_type, &elements);
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), values, Some(NullBuffer::from(valid))))
}

pub(crate) fn values_array(data_type: DataType, values: &[Option<Value>]) -> ArrayRef {
    macro_rules! collect {
        ($array:ty, $variant:ident, $convert:expr) => {
            Arc::new(
                values
                    .iter()
                    .map(|value| {
                        value.as_ref().map(|value| match value {
                            Value::$variant(value) => $convert(value),
                            other => panic!("{other:?} in a column of {data_type}"),
                        })
                    })
                    .collect::<$array>(),
            )
        };
    }
    match data_type {
        DataType::Int => collect!(Int32Array, Int, |value: &i32| *value),
        DataType::Long => collect!(Int64Array, Long, |value: &i64| *value),
        DataType::Float => collect!(Float32Array, Float, |value: &f32| *value),
        DataType::Double => collect!(Float64Array, Double, |value: &f64| *value),
        DataType::Timestamp => collect!(TimestampMillisecondArray, Timestamp, |value: &i64| *value),
        DataType::Boolean => collect!(BooleanArray, Boolean, |value: &bool| *value),
        DataType::String | DataType::Json => {
            collect!(StringArray, String, |value: &Arc<str>| value.to_string())
        }
        DataType::Bytes => collect!(BinaryArray, Bytes, |value: &Arc<[u8]>| value.to_vec()),
        DataType::BigDecimal => {
            let array: Arc<Decimal256Array> = collect!(Decimal256Array, BigDecimal, |value: &i256| *value);
            Arc::new(
                Decimal256Array::clone(&array)
                    .with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)
                    .unwrap(),
            )
        }
    }
}

//! One value of any of Pinot's types, kept by an aggregate: equal and ordered as values of the type are.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal256Array, Float32Array, Float64Array,
    Int32Array, Int64Array, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{
    DataType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMillisecondType, i256,
};
use datafusion::common::plan_err;
use datafusion::error::Result;

use super::columns::cast_to;
use super::computation::array;
use super::percentile::order::{key_of, value_of};
use super::serial::{Reader, Write};

const SIGN: u64 = 1 << 63;
const NUMBER: u8 = 0;
const BYTES: u8 = 1;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Cell {
    /// A number, moment or truth, as an integer of the same order.
    Number(u64),
    /// A text, bytes, or a decimal as bytes of the same order.
    Bytes(Box<[u8]>),
}

impl Cell {
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Cell::Number(_) => 0,
            Cell::Bytes(bytes) => bytes.len(),
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Cell::Number(bits) => {
                out.put_u8(NUMBER);
                out.put_u64(*bits);
            }
            Cell::Bytes(bytes) => {
                out.put_u8(BYTES);
                out.put_bytes(bytes);
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Cell> {
        Ok(match reader.u8()? {
            NUMBER => Cell::Number(reader.u64()?),
            _ => Cell::Bytes(reader.bytes()?.into()),
        })
    }

    /// Returns the number of a cell that is one.
    pub(crate) fn bits(&self) -> u64 {
        match self {
            Cell::Number(bits) => *bits,
            Cell::Bytes(_) => 0,
        }
    }

    fn long(&self) -> i64 {
        (self.bits() ^ SIGN).cast_signed()
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Cell::Number(_) => &[],
            Cell::Bytes(bytes) => bytes,
        }
    }

    fn decimal(&self) -> i256 {
        let mut bytes = [0; 32];
        if let Cell::Bytes(stored) = self
            && stored.len() == bytes.len()
        {
            bytes.copy_from_slice(stored);
        }
        bytes[0] ^= 0x80;
        i256::from_be_bytes(bytes)
    }
}

fn of_long(value: i64) -> Cell {
    Cell::Number(value.cast_unsigned() ^ SIGN)
}

/// A column whose values are read as cells.
#[derive(Debug)]
pub(crate) struct CellColumn(ArrayRef);

impl CellColumn {
    /// Returns a column of a type for which [`check_cell`] holds.
    pub(crate) fn new(argument: &ArrayRef, wanted: &DataType) -> Result<CellColumn> {
        Ok(CellColumn(cast_to(argument, wanted)?))
    }

    pub(crate) fn at(&self, row: usize) -> Cell {
        let column = &self.0;
        match column.data_type() {
            DataType::Boolean => of_long(i64::from(column.as_boolean().value(row))),
            DataType::Int32 => of_long(i64::from(column.as_primitive::<Int32Type>().value(row))),
            DataType::Int64 => of_long(column.as_primitive::<Int64Type>().value(row)),
            DataType::Timestamp(..) => of_long(column.as_primitive::<TimestampMillisecondType>().value(row)),
            DataType::Float32 => {
                Cell::Number(key_of(f64::from(column.as_primitive::<Float32Type>().value(row))))
            }
            DataType::Float64 => Cell::Number(key_of(column.as_primitive::<Float64Type>().value(row))),
            DataType::Decimal256(..) => {
                let mut bytes = column.as_primitive::<Decimal256Type>().value(row).to_be_bytes();
                bytes[0] ^= 0x80;
                Cell::Bytes(bytes.into())
            }
            DataType::Utf8 => Cell::Bytes(column.as_string::<i32>().value(row).as_bytes().into()),
            _ => Cell::Bytes(column.as_binary::<i32>().value(row).into()),
        }
    }
}

/// Refuses a type that has no cells; returns it as cells are read and given back.
pub(crate) fn check_cell(data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Boolean
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal256(..)
        | DataType::Utf8
        | DataType::Binary => Ok(data_type.clone()),
        DataType::Timestamp(..) => Ok(DataType::Timestamp(TimeUnit::Millisecond, None)),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => Ok(DataType::Int32),
        DataType::UInt32 => Ok(DataType::Int64),
        DataType::Decimal128(_, scale) => Ok(DataType::Decimal256(76, *scale)),
        DataType::Null => Ok(DataType::Utf8),
        other => plan_err!("values of {other} cannot be aggregated so"),
    }
}

/// Returns an array of a type of which cells were read.
#[expect(clippy::cast_possible_truncation, reason = "the values were of the narrower type")]
pub(crate) fn cells_to_array<'a>(
    cells: impl Iterator<Item = Option<&'a Cell>>,
    data_type: &DataType,
) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::Boolean => array::<BooleanArray, _>(cells.map(|cell| cell.map(|cell| cell.long() != 0))),
        DataType::Int32 => array::<Int32Array, _>(cells.map(|cell| cell.map(|cell| cell.long() as i32))),
        DataType::Int64 => array::<Int64Array, _>(cells.map(|cell| cell.map(Cell::long))),
        DataType::Timestamp(..) => {
            array::<TimestampMillisecondArray, _>(cells.map(|cell| cell.map(Cell::long)))
        }
        DataType::Float32 => {
            array::<Float32Array, _>(cells.map(|cell| cell.map(|cell| value_of(cell.bits()) as f32)))
        }
        DataType::Float64 => {
            array::<Float64Array, _>(cells.map(|cell| cell.map(|cell| value_of(cell.bits()))))
        }
        DataType::Decimal256(precision, scale) => {
            let decimals: Decimal256Array = cells.map(|cell| cell.map(Cell::decimal)).collect();
            std::sync::Arc::new(decimals.with_precision_and_scale(*precision, *scale)?)
        }
        DataType::Utf8 => {
            let texts = cells.map(|cell| cell.map(|cell| String::from_utf8_lossy(cell.bytes()).into_owned()));
            array::<StringArray, _>(texts)
        }
        _ => array::<BinaryArray, _>(cells.map(|cell| cell.map(Cell::bytes))),
    })
}

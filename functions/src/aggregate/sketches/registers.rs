//! HyperLogLogs of values for all groups side by side: registers in one array, and a loop a type.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, LargeBinaryArray, LargeBinaryBuilder, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMillisecondType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::common::resources_err;
use datafusion::error::Result;

use super::hll::{estimate, hash, offer_hash, raise_all, to_bytes};
use super::sketch::{Answer, Item};
use crate::aggregate::cell::check_cell;
use crate::aggregate::columns::cast_to;
use crate::aggregate::computation::{Rows, States, array, counted};

/// Registers of all groups together, a byte each.
const REGISTERS_MAX: usize = 1 << 30;

/// The HyperLogLogs of all groups. One without a value has only zeros: a value raises its register to one at least.
pub(super) struct Registers {
    log2_registers: u8,
    answer: Answer,
    /// The type that values are read in.
    of: DataType,
    groups: usize,
    registers: Vec<u8>,
}

impl Registers {
    pub(super) fn new(log2_registers: u8, answer: Answer, column: &DataType) -> Result<Registers> {
        Ok(Registers { log2_registers, answer, of: check_cell(column)?, groups: 0, registers: Vec::new() })
    }

    fn width(&self) -> usize {
        1 << self.log2_registers
    }

    fn of_group(&self, group: usize) -> &[u8] {
        &self.registers[group * self.width()..][..self.width()]
    }

    /// Makes room for groups, unless their registers would take more than any query may: what is asked for at once is asked for
    /// before the query's memory is looked at.
    fn grow_checked(&mut self, groups: usize) -> Result<()> {
        if groups.saturating_mul(self.width()) > REGISTERS_MAX {
            return resources_err!(
                "HyperLogLogs of 2^{} registers for {groups} groups take more than {} MiB: ask for fewer groups or fewer registers",
                self.log2_registers,
                REGISTERS_MAX >> 20
            );
        }
        self.grow(groups);
        Ok(())
    }

    /// Offers the values that count.
    fn offer<'v>(
        &mut self,
        rows: &Rows<'_>,
        counted: Option<&NullBuffer>,
        values: impl Fn(usize) -> Item<'v>,
    ) {
        let (width, log2) = (self.width(), self.log2_registers);
        let mut offer = |row: usize, group: usize| {
            offer_hash(&mut self.registers[group * width..][..width], log2, hash(values(row)));
        };
        match counted {
            None => rows.groups.iter().enumerate().for_each(|(row, group)| offer(row, *group)),
            Some(counted) => counted.valid_indices().for_each(|row| offer(row, rows.groups[row])),
        }
    }

    fn offer_numbers<T: ArrowPrimitiveType>(
        &mut self,
        rows: &Rows<'_>,
        counted: Option<&NullBuffer>,
        values: &ArrayRef,
        item: impl Fn(T::Native) -> Item<'static>,
    ) {
        let values = values.as_primitive::<T>().values();
        self.offer(rows, counted, |row| item(values[row]));
    }
}

impl States for Registers {
    fn update(&mut self, rows: &Rows<'_>, groups: usize) -> Result<()> {
        self.grow_checked(groups)?;
        let values = cast_to(&rows.arguments[0], &self.of)?;
        let counted = counted(values.logical_nulls(), rows.filter);
        let counted = counted.as_ref();
        match values.data_type() {
            DataType::Null => {}
            DataType::Boolean => {
                let values = values.as_boolean();
                self.offer(rows, counted, |row| Item::Int(i32::from(values.value(row))));
            }
            DataType::Int32 => {
                self.offer_numbers::<Int32Type>(rows, counted, &values, Item::Int);
            }
            DataType::Int64 => self.offer_numbers::<Int64Type>(rows, counted, &values, Item::Long),
            DataType::Timestamp(..) => {
                self.offer_numbers::<TimestampMillisecondType>(rows, counted, &values, Item::Long);
            }
            DataType::Float32 => self.offer_numbers::<Float32Type>(rows, counted, &values, Item::Float),
            DataType::Float64 => self.offer_numbers::<Float64Type>(rows, counted, &values, Item::Double),
            DataType::Decimal256(..) => {
                // The bytes have to live as long as their item.
                let values = values.as_primitive::<Decimal256Type>();
                let bytes: Vec<[u8; 32]> = values.values().iter().map(|value| value.to_be_bytes()).collect();
                self.offer(rows, counted, |row| Item::Bytes(&bytes[row]));
            }
            DataType::Binary => {
                let values = values.as_binary::<i32>();
                self.offer(rows, counted, |row| Item::Bytes(values.value(row)));
            }
            _ => {
                let values = values.as_string::<i32>();
                self.offer(rows, counted, |row| Item::Text(values.value(row)));
            }
        }
        Ok(())
    }

    fn merge(&mut self, written: &ArrayRef, of_groups: &[usize], groups: usize) -> Result<()> {
        self.grow_checked(groups)?;
        let (written, width) = (written.as_binary::<i64>(), self.width());
        for (row, group) in of_groups.iter().enumerate() {
            if written.is_valid(row) {
                raise_all(&mut self.registers[group * width..][..width], written.value(row));
            }
        }
        Ok(())
    }

    fn grow(&mut self, groups: usize) {
        if groups > self.groups {
            self.groups = groups;
            self.registers.resize(groups * self.width(), 0);
        }
    }

    fn write(&mut self, groups: usize) -> LargeBinaryArray {
        let mut written = LargeBinaryBuilder::with_capacity(groups, groups * self.width());
        (0..groups).for_each(|group| written.append_value(self.of_group(group)));
        written.finish()
    }

    fn finish(&mut self, groups: usize) -> Result<ArrayRef> {
        let sketches = (0..groups).map(|group| self.of_group(group));
        // A sketch of nothing is null, whether nulls are shown or not; its estimate is 0.
        let bytes = |sketch: &[u8]| sketch.iter().any(|register| *register > 0).then(|| to_bytes(sketch));
        Ok(match self.answer {
            Answer::Estimate => array::<Int64Array, _>(sketches.map(|sketch| Some(estimate(sketch)))),
            Answer::Hex => array::<StringArray, _>(sketches.map(|sketch| bytes(sketch).map(hex::encode))),
            Answer::Base64 => array::<StringArray, _>(
                sketches.map(|sketch| bytes(sketch).map(|bytes| STANDARD.encode(bytes))),
            ),
        })
    }

    fn forget(&mut self, groups: usize) {
        let width = self.width();
        self.registers.drain(..groups * width);
        self.groups -= groups;
    }

    fn len(&self) -> usize {
        self.groups
    }

    fn bytes(&self) -> usize {
        self.registers.capacity()
    }
}

//! HyperLogLogs of values for all groups side by side: registers in one array, and a loop a type.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, LargeBinaryArray, LargeBinaryBuilder, StringArray, UInt32Array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    TimestampMillisecondType, UInt32Type,
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
/// Rows hashed at once; their hashes stay in the first-level cache.
const BLOCK: usize = 512;

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

    /// Offers the hashes that count.
    fn offer(&mut self, rows: &Rows<'_>, counted: Option<&NullBuffer>, hashes: &impl Hashes) {
        let mut buffer = [0; BLOCK];
        for first in (0..rows.groups.len()).step_by(BLOCK) {
            let groups = &rows.groups[first..rows.groups.len().min(first + BLOCK)];
            let Registers { registers, log2_registers, .. } = self;
            let counted = counted.map(|counted| counted.slice(first, groups.len()));
            offer_block(registers, *log2_registers, hashes, first, groups, counted.as_ref(), &mut buffer);
        }
    }
}

/// Hashes of some values, each of which stands in a row.
trait Hashes {
    /// Puts the hashes of the rows from `first` on into `out`.
    fn fill(&self, first: usize, out: &mut [u32]);
}

/// Hashes of numbers that lie side by side.
struct OfNumbers<'a, T, F> {
    values: &'a [T],
    hash: F,
}

impl<T: Copy, F: Fn(T) -> u32> Hashes for OfNumbers<'_, T, F> {
    #[inline(always)]
    fn fill(&self, first: usize, out: &mut [u32]) {
        let values = &self.values[first..first + out.len()];
        out.iter_mut().zip(values).for_each(|(hash, value)| *hash = (self.hash)(*value));
    }
}

/// Hashes that are asked for row by row.
struct OfRows<F>(F);

impl<F: Fn(usize) -> u32> Hashes for OfRows<F> {
    #[inline(always)]
    fn fill(&self, first: usize, out: &mut [u32]) {
        (first..).zip(out).for_each(|(row, hash)| *hash = (self.0)(row));
    }
}

/// Hashes the rows of a block and raises their registers.
///
/// Processors of the last ten years hash eight numbers at once, and know the leading zeros of a number: with both the loop
/// takes half the time. The crates that choose such a loop when a program runs bring a macro for each function, and build
/// most of the others' dependencies anew; for one function it is chosen here.
fn offer_block<H: Hashes>(
    registers: &mut [u8],
    log2_registers: u8,
    hashes: &H,
    first: usize,
    groups: &[usize],
    counted: Option<&NullBuffer>,
    buffer: &mut [u32; BLOCK],
) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
        fn with_vectors<H: Hashes>(
            registers: &mut [u8],
            log2_registers: u8,
            hashes: &H,
            first: usize,
            groups: &[usize],
            counted: Option<&NullBuffer>,
            buffer: &mut [u32; BLOCK],
        ) {
            offer_in_order(registers, log2_registers, hashes, first, groups, counted, buffer);
        }
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
        {
            #[expect(unsafe_code, reason = "the compiler cannot know what the processor has")]
            // SAFETY: the processor was just asked for each feature that the function is compiled for.
            return unsafe {
                with_vectors(registers, log2_registers, hashes, first, groups, counted, buffer)
            };
        }
    }
    offer_in_order(registers, log2_registers, hashes, first, groups, counted, buffer);
}

/// Hashes all rows first, which leaves a loop without branches, and then raises their registers one by one.
#[inline(always)]
fn offer_in_order<H: Hashes>(
    registers: &mut [u8],
    log2_registers: u8,
    hashes: &H,
    first: usize,
    groups: &[usize],
    counted: Option<&NullBuffer>,
    buffer: &mut [u32; BLOCK],
) {
    let buffer = &mut buffer[..groups.len()];
    hashes.fill(first, buffer);
    let offered = groups.iter().zip(&*buffer);
    match counted {
        None => offered.for_each(|(group, hash)| offer_hash(registers, *group, log2_registers, *hash)),
        Some(counted) => offered
            .zip(counted)
            .filter(|(_, counts)| *counts)
            .for_each(|((group, hash), _)| offer_hash(registers, *group, log2_registers, *hash)),
    }
}

/// What is done with the hashes of some values.
trait HashUser {
    fn take(&mut self, hashes: &impl Hashes);
}

/// Values that are offered to registers.
struct Offered<'a> {
    registers: &'a mut Registers,
    rows: &'a Rows<'a>,
    counted: Option<&'a NullBuffer>,
}

impl HashUser for Offered<'_> {
    fn take(&mut self, hashes: &impl Hashes) {
        self.registers.offer(self.rows, self.counted, hashes);
    }
}

/// Values whose hashes are written down.
struct Listed(Vec<u32>);

impl HashUser for Listed {
    fn take(&mut self, hashes: &impl Hashes) {
        hashes.fill(0, &mut self.0);
    }
}

/// Hands on the hashes of values in a loop for their type, which is one that [`check_cell`] gives.
fn with_hashes(values: &ArrayRef, user: &mut impl HashUser) {
    fn numbers<T: ArrowPrimitiveType>(
        values: &ArrayRef,
        user: &mut impl HashUser,
        item: impl Fn(T::Native) -> Item<'static>,
    ) {
        let values = values.as_primitive::<T>().values();
        user.take(&OfNumbers { values, hash: |value| hash(item(value)) });
    }
    match values.data_type() {
        DataType::Null => {}
        DataType::Boolean => {
            let values = values.as_boolean();
            user.take(&OfRows(|row| hash(Item::Int(i32::from(values.value(row))))));
        }
        DataType::Int32 => numbers::<Int32Type>(values, user, Item::Int),
        DataType::Int64 => numbers::<Int64Type>(values, user, Item::Long),
        DataType::Timestamp(..) => numbers::<TimestampMillisecondType>(values, user, Item::Long),
        DataType::Float32 => numbers::<Float32Type>(values, user, Item::Float),
        DataType::Float64 => numbers::<Float64Type>(values, user, Item::Double),
        DataType::Decimal256(..) => {
            let values = values.as_primitive::<Decimal256Type>();
            user.take(&OfRows(|row| hash(Item::Bytes(&values.value(row).to_be_bytes()))));
        }
        DataType::Binary => {
            let values = values.as_binary::<i32>();
            user.take(&OfRows(|row| hash(Item::Bytes(values.value(row)))));
        }
        _ => {
            let values = values.as_string::<i32>();
            user.take(&OfRows(|row| hash(Item::Text(values.value(row)))));
        }
    }
}

/// Returns the hashes of values as numbers of a type that no column has: [`Registers`] take them in the values' place, so
/// that a value that stands in many rows is hashed once. Nothing for bytes, which are sketches to be merged.
pub(super) fn hashes(values: &ArrayRef) -> Result<Option<ArrayRef>> {
    let of = match values.data_type() {
        DataType::Utf8View => DataType::Utf8,
        DataType::Binary | DataType::BinaryView | DataType::Null => return Ok(None),
        other => check_cell(other)?,
    };
    let values = cast_to(values, &of)?;
    let mut listed = Listed(vec![0; values.len()]);
    with_hashes(&values, &mut listed);
    Ok(Some(Arc::new(UInt32Array::new(listed.0.into(), values.nulls().cloned()))))
}

impl States for Registers {
    fn update(&mut self, rows: &Rows<'_>, groups: usize) -> Result<()> {
        self.grow_checked(groups)?;
        if let Some(hashes) = rows.arguments[0].as_primitive_opt::<UInt32Type>() {
            let counted = counted(hashes.nulls().cloned(), rows.filter);
            let hashes = OfNumbers { values: hashes.values(), hash: |hash| hash };
            self.offer(rows, counted.as_ref(), &hashes);
            return Ok(());
        }
        let values = cast_to(&rows.arguments[0], &self.of)?;
        let counted = counted(values.logical_nulls(), rows.filter);
        with_hashes(&values, &mut Offered { registers: self, rows, counted: counted.as_ref() });
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

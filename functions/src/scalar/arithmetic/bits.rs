//! Bits of whole numbers: INT when all arguments are, else LONG.

use crate::description::FunctionGroup::Bit;
use crate::scalar::function::Function;
use crate::scalar::number::long_to_int;
use crate::scalar::rows::{Int, Long, OnlyInt, row1, row2};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Bit,
            &["bitAnd"],
            "bitAnd(first, second)",
            "The bits that are set in both.",
            [row2::<OnlyInt, OnlyInt, _>(|a, b| a & b), row2::<Long, Long, _>(|a, b| a & b)],
        ),
        Function::new(
            Bit,
            &["bitOr"],
            "bitOr(first, second)",
            "The bits that are set in one or both.",
            [row2::<OnlyInt, OnlyInt, _>(|a, b| a | b), row2::<Long, Long, _>(|a, b| a | b)],
        ),
        Function::new(
            Bit,
            &["bitXor"],
            "bitXor(first, second)",
            "The bits that are set in one of them.",
            [row2::<OnlyInt, OnlyInt, _>(|a, b| a ^ b), row2::<Long, Long, _>(|a, b| a ^ b)],
        ),
        Function::new(
            Bit,
            &["bitNot"],
            "bitNot(number)",
            "The bits that are not set.",
            [row1::<OnlyInt, _>(|number| !number), row1::<Long, _>(|number| !number)],
        ),
        Function::new(
            Bit,
            &["bitMask"],
            "bitMask(bit)",
            "The number with one bit set, counted from 0.",
            [row1::<Long, _>(|bit| if (0..64).contains(&bit) { 1_i64 << bit } else { 0 })],
        ),
        Function::new(
            Bit,
            &["bitShiftLeft"],
            "bitShiftLeft(number, count)",
            "The bits moved up.",
            [
                row2::<OnlyInt, Long, _>(|number, count| number.wrapping_shl(shift(count))),
                row2::<Long, Long, _>(|number, count| number.wrapping_shl(shift(count))),
            ],
        ),
        Function::new(
            Bit,
            &["bitShiftRight"],
            "bitShiftRight(number, count)",
            "The bits moved down; the sign stays.",
            [
                row2::<OnlyInt, Long, _>(|number, count| number.wrapping_shr(shift(count))),
                row2::<Long, Long, _>(|number, count| number.wrapping_shr(shift(count))),
            ],
        ),
        Function::new(
            Bit,
            &["bitShiftRightUnsigned"],
            "bitShiftRightUnsigned(number, count)",
            "The bits moved down, also that of the sign.",
            [
                row2::<OnlyInt, Long, _>(|number, count| {
                    number.cast_unsigned().wrapping_shr(shift(count)).cast_signed()
                }),
                row2::<Long, Long, _>(|number, count| {
                    number.cast_unsigned().wrapping_shr(shift(count)).cast_signed()
                }),
            ],
        ),
        Function::new(
            Bit,
            &["bitExtract", "extractBit"],
            "bitExtract(number, bit)",
            "0 or 1, as a bit is set, counted from 0.",
            [
                row2::<OnlyInt, Long, _>(
                    |number, bit| if (0..32).contains(&bit) { (number >> bit) & 1 } else { 0 },
                ),
                row2::<Long, Long, _>(|number, bit| match bit {
                    0..64 => long_to_int((number >> bit) & 1),
                    _ => 0,
                }),
            ],
        ),
        Function::new(
            Bit,
            &["bitCount"],
            "bitCount(number)",
            "How many bits are set.",
            [row1::<Long, _>(|number| number.count_ones().cast_signed())],
        ),
        Function::new(
            Bit,
            &["byteswapInt"],
            "byteswapInt(number)",
            "The four bytes of an INT in the other order.",
            [row1::<Int, _>(i32::swap_bytes)],
        ),
        Function::new(
            Bit,
            &["byteswapLong"],
            "byteswapLong(number)",
            "The eight bytes of a LONG in the other order.",
            [row1::<Long, _>(i64::swap_bytes)],
        ),
    ]
}

/// Java moves by the low bits of the count, and so do the wrapping shifts.
fn shift(count: i64) -> u32 {
    long_to_int(count).cast_unsigned()
}

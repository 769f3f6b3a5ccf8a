//! Sequences of whole numbers in frames of 1,024, each packed in as few bits as its own numbers need.
//!
//! ```text
//! frame  = reference (zigzag varint) | width u8 | exception width u8 | exceptions (varint) | numbers | places | tops
//! number = value − reference, its low `width` bits packed; an exception's bits above those are packed in `tops`, and its
//!          place in the frame in `places`, ten bits each
//! ```
//! With [`FrameForm::Deltas`] a frame begins with its first value (zigzag varint), and the numbers are the differences of
//! each other value to the one before it. All arithmetic wraps at 64 bits.

use super::packing::{bits_of, pack, packed_bytes, unpack};
use super::wire::{Refused, WireReader, write_varint, zigzag};

/// Numbers of one frame.
pub(crate) const FRAME_VALUES: usize = 1024;
/// Bits of a place in a frame.
const PLACE_BITS: u32 = FRAME_VALUES.ilog2();

/// What the frames hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameForm {
    /// The values.
    Values,
    /// Differences of neighbours.
    Deltas,
}

/// How one frame is packed.
struct Plan {
    reference: i64,
    width: u32,
    exception_width: u32,
    exceptions: usize,
    bits: usize,
}

/// Returns the values as frames.
pub(crate) fn encode(values: &[i64], form: FrameForm) -> Vec<u8> {
    let mut out = Vec::with_capacity(values.len());
    let mut numbers = Vec::with_capacity(FRAME_VALUES);
    for frame in values.chunks(FRAME_VALUES) {
        write_frame(frame, form, &mut numbers, &mut out);
    }
    out
}

/// Returns about how many bytes [`encode`] would take, from a few of the frames.
pub(crate) fn estimated_bytes(values: &[i64], form: FrameForm) -> usize {
    const FRAMES_LOOKED_AT: usize = 8;
    let frames = values.len().div_ceil(FRAME_VALUES);
    let step = frames.div_ceil(FRAMES_LOOKED_AT).max(1);
    let (mut seen, mut bits) = (0, 0);
    let mut numbers = Vec::with_capacity(FRAME_VALUES);
    for frame in values.chunks(FRAME_VALUES).step_by(step) {
        numbers_of(frame, form, &mut numbers);
        bits += plan(&numbers).bits + 32;
        seen += frame.len();
    }
    if seen == 0 { 0 } else { (bits as u128 * values.len() as u128 / seen as u128 / 8) as usize }
}

/// Reads `count` values, each as `convert` makes it, which refuses those that may not stand there.
pub(crate) fn decode<T>(
    bytes: &[u8],
    count: usize,
    form: FrameForm,
    mut convert: impl FnMut(i64) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    // A frame takes four bytes at least.
    if count.div_ceil(FRAME_VALUES).saturating_mul(4) > bytes.len() {
        return Err("frames are too short");
    }
    let mut reader = WireReader::new(bytes);
    let mut out = Vec::with_capacity(count);
    let mut numbers = [0; FRAME_VALUES];
    while out.len() < count {
        let len = FRAME_VALUES.min(count - out.len());
        match form {
            FrameForm::Values => {
                let reference = read_numbers(&mut reader, &mut numbers[..len])?;
                for &number in &numbers[..len] {
                    out.push(convert(reference.wrapping_add(number.cast_signed()))?);
                }
            }
            FrameForm::Deltas => {
                let mut value = reader.signed()?;
                let reference = read_numbers(&mut reader, &mut numbers[..len - 1])?;
                out.push(convert(value)?);
                for &number in &numbers[..len - 1] {
                    value = value.wrapping_add(reference).wrapping_add(number.cast_signed());
                    out.push(convert(value)?);
                }
            }
        }
    }
    reader.end()?;
    Ok(out)
}

fn write_frame(frame: &[i64], form: FrameForm, numbers: &mut Vec<i64>, out: &mut Vec<u8>) {
    numbers_of(frame, form, numbers);
    if form == FrameForm::Deltas {
        write_varint(out, zigzag(frame[0]));
    }
    let plan = plan(numbers);
    write_varint(out, zigzag(plan.reference));
    out.push(u8::try_from(plan.width).expect("a width is 64 at most"));
    out.push(u8::try_from(plan.exception_width).expect("a width is 64 at most"));
    write_varint(out, plan.exceptions as u64);
    let offsets = || numbers.iter().map(|&number| number.wrapping_sub(plan.reference).cast_unsigned());
    pack(offsets(), plan.width, out);
    if plan.exceptions > 0 {
        // An exception is wider than the frame, so the shift is below 64.
        let is_exception = |offset: u64| offset >> plan.width > 0;
        let places = (0_u64..).zip(offsets()).filter(|&(_, offset)| is_exception(offset));
        pack(places.clone().map(|(place, _)| place), PLACE_BITS, out);
        pack(places.map(|(_, offset)| offset >> plan.width), plan.exception_width, out);
    }
}

fn numbers_of(frame: &[i64], form: FrameForm, numbers: &mut Vec<i64>) {
    numbers.clear();
    match form {
        FrameForm::Values => numbers.extend_from_slice(frame),
        FrameForm::Deltas => {
            numbers.extend(frame.iter().zip(&frame[1..]).map(|(before, value)| value.wrapping_sub(*before)));
        }
    }
}

/// Finds the width that makes the frame smallest, numbers that need more being exceptions.
fn plan(numbers: &[i64]) -> Plan {
    let reference = numbers.iter().copied().min().unwrap_or(0);
    let mut of_width = [0_usize; 65];
    for number in numbers {
        of_width[bits_of(number.wrapping_sub(reference).cast_unsigned()) as usize] += 1;
    }
    let widest = (0..=64).rev().find(|&width| of_width[width as usize] > 0).unwrap_or(0);
    let all = numbers.len();
    let mut best =
        Plan { reference, width: widest, exception_width: 0, exceptions: 0, bits: all * widest as usize };
    let mut exceptions = 0;
    for width in (0..widest).rev() {
        exceptions += of_width[width as usize + 1];
        let exception_width = widest - width;
        let bits = all * width as usize + exceptions * (PLACE_BITS + exception_width) as usize;
        if bits < best.bits {
            best = Plan { reference, width, exception_width, exceptions, bits };
        }
    }
    best
}

/// Reads one frame's numbers and returns their reference.
fn read_numbers(reader: &mut WireReader<'_>, numbers: &mut [u64]) -> Result<i64, Refused> {
    let reference = reader.signed()?;
    let (width, exception_width) = (u32::from(reader.u8()?), u32::from(reader.u8()?));
    let exceptions = reader.count()?;
    if width + exception_width > u64::BITS || exceptions > numbers.len() {
        return Err("a frame has impossible widths");
    }
    unpack(reader.take(packed_bytes(numbers.len(), width))?, width, numbers);
    if exceptions > 0 {
        if width == u64::BITS {
            return Err("a frame has impossible exceptions");
        }
        let mut places = [0; FRAME_VALUES];
        let places = &mut places[..exceptions];
        unpack(reader.take(packed_bytes(exceptions, PLACE_BITS))?, PLACE_BITS, places);
        let mut tops = [0; FRAME_VALUES];
        let tops = &mut tops[..exceptions];
        unpack(reader.take(packed_bytes(exceptions, exception_width))?, exception_width, tops);
        for (place, top) in places.iter().zip(tops) {
            let place = usize::try_from(*place).map_err(|_| "an exception lies outside its frame")?;
            *numbers.get_mut(place).ok_or("an exception lies outside its frame")? |= *top << width;
        }
    }
    Ok(reference)
}

#[cfg(test)]
mod tests;

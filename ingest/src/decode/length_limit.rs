//! Holds STRING, JSON and BYTES values to the length that their column allows.

use meunier_segment::reject::RejectReason;
use meunier_segment::schema::{Field, LengthExceeded};
use meunier_segment::value::Value;

use super::fault::{Fault, shorten};

/// What a column allows a value to be long, and what becomes of a longer one.
pub(super) struct LengthLimit {
    max: usize,
    exceeded: LengthExceeded,
    default: Value,
}

impl LengthLimit {
    pub(super) fn of(field: &Field) -> LengthLimit {
        let max = match field.length_exceeded {
            LengthExceeded::Keep => usize::MAX,
            LengthExceeded::Trim | LengthExceeded::Reject | LengthExceeded::SubstituteDefault => {
                field.length_max as usize
            }
        };
        LengthLimit { max, exceeded: field.length_exceeded, default: field.default_null_value.clone() }
    }

    /// Returns the length up to which nothing is to be done; of text it counts characters.
    #[inline]
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Cuts the text from `start` on at its first NUL character, which Pinot's files cannot hold, unless the column wants
    /// something else done with a value that is too long.
    pub(super) fn cut_at_nul(&self, text: &mut String, start: usize) -> Result<(), Fault> {
        let Some(nul) = text.as_bytes()[start..].iter().position(|byte| *byte == 0) else { return Ok(()) };
        match (self.exceeded, &self.default) {
            (LengthExceeded::Keep | LengthExceeded::Trim, _) => text.truncate(start + nul),
            (LengthExceeded::SubstituteDefault, Value::String(default)) => {
                text.truncate(start);
                text.push_str(default);
            }
            (LengthExceeded::Reject | LengthExceeded::SubstituteDefault, _) => {
                let detail = format!("`{}` holds a NUL character", shorten(&text[start..]));
                return Err(Fault::new(RejectReason::TooLong, detail));
            }
        }
        Ok(())
    }

    /// Holds the text from `start` on to the limit.
    #[inline]
    pub(super) fn apply_to_text(&self, text: &mut String, start: usize) -> Result<(), Fault> {
        // A text has no more characters than bytes.
        if text.len() - start <= self.max {
            return Ok(());
        }
        let Some((end, _)) = text[start..].char_indices().nth(self.max) else {
            return Ok(());
        };
        match (self.exceeded, &self.default) {
            (LengthExceeded::Keep, _) => {}
            (LengthExceeded::Trim, _) => text.truncate(start + end),
            (LengthExceeded::SubstituteDefault, Value::String(default)) => {
                text.truncate(start);
                text.push_str(default);
            }
            (LengthExceeded::Reject | LengthExceeded::SubstituteDefault, _) => {
                return Err(self.too_long(&text[start..], "characters"));
            }
        }
        Ok(())
    }

    /// Holds the bytes from `start` on to the limit.
    pub(super) fn apply_to_bytes(&self, bytes: &mut Vec<u8>, start: usize) -> Result<(), Fault> {
        if bytes.len() - start <= self.max {
            return Ok(());
        }
        match (self.exceeded, &self.default) {
            (LengthExceeded::Keep, _) => {}
            (LengthExceeded::Trim, _) => bytes.truncate(start + self.max),
            (LengthExceeded::SubstituteDefault, Value::Bytes(default)) => {
                bytes.truncate(start);
                bytes.extend_from_slice(default);
            }
            (LengthExceeded::Reject | LengthExceeded::SubstituteDefault, _) => {
                return Err(self.too_long("the value", "bytes"));
            }
        }
        Ok(())
    }

    #[cold]
    fn too_long(&self, value: &str, unit: &str) -> Fault {
        let detail = format!("`{}` is longer than {} {unit}", shorten(value), self.max);
        Fault::new(RejectReason::TooLong, detail)
    }
}

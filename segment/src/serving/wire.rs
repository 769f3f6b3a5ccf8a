//! Bytes of the footer: whole numbers in as few bytes as they need, texts with their length in front.
//!
//! The reader takes bytes that may be anything: it never reads past the end, and never makes room for more elements than
//! bytes are left.

/// Why bytes cannot be read.
pub(crate) type Refused = &'static str;

/// Appends to a footer.
#[derive(Debug, Default)]
pub(crate) struct WireWriter {
    pub(crate) bytes: Vec<u8>,
}

impl WireWriter {
    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// Seven bits a byte, least significant first; the high bit says that another byte follows.
    pub(crate) fn number(&mut self, value: u64) {
        write_varint(&mut self.bytes, value);
    }

    pub(crate) fn count(&mut self, value: usize) {
        self.number(value as u64);
    }

    pub(crate) fn signed(&mut self, value: i64) {
        self.number(zigzag(value));
    }

    pub(crate) fn fixed_u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn fixed_u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut WireWriter, &T)) {
        self.count(items.len());
        for item in items {
            write(self, item);
        }
    }

    pub(crate) fn option<T>(&mut self, item: Option<&T>, write: impl FnOnce(&mut WireWriter, &T)) {
        self.bool(item.is_some());
        if let Some(item) = item {
            write(self, item);
        }
    }
}

/// Reads a footer.
#[derive(Debug)]
pub(crate) struct WireReader<'a> {
    bytes: &'a [u8],
}

impl<'a> WireReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> WireReader<'a> {
        WireReader { bytes }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Refused> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or("it ends early")?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Refused> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Refused> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err("a truth value is neither 0 nor 1"),
        }
    }

    pub(crate) fn number(&mut self) -> Result<u64, Refused> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err("a number takes more than 64 bits");
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number takes more than ten bytes")
    }

    pub(crate) fn count(&mut self) -> Result<usize, Refused> {
        usize::try_from(self.number()?).map_err(|_| "a count does not fit this machine")
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Refused> {
        Ok(unzigzag(self.number()?))
    }

    pub(crate) fn fixed_u32(&mut self) -> Result<u32, Refused> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes were taken")))
    }

    pub(crate) fn fixed_u64(&mut self) -> Result<u64, Refused> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes were taken")))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Refused> {
        let count = self.count()?;
        self.take(count)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Refused> {
        std::str::from_utf8(self.bytes()?).map_err(|_| "a text is not UTF-8")
    }

    /// Reads a list, each of whose elements takes a byte at least.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut WireReader<'a>) -> Result<T, Refused>,
    ) -> Result<Vec<T>, Refused> {
        let count = self.count()?;
        if count > self.bytes.len() {
            return Err("a list is longer than what is left");
        }
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut WireReader<'a>) -> Result<T, Refused>,
    ) -> Result<Option<T>, Refused> {
        Ok(if self.bool()? { Some(read(self)?) } else { None })
    }

    pub(crate) fn end(&self) -> Result<(), Refused> {
        if self.bytes.is_empty() { Ok(()) } else { Err("bytes are left over") }
    }
}

pub(crate) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).expect("seven bits"));
}

/// Maps numbers near zero, of either sign, to small ones: 0, −1, 1, −2 to 0, 1, 2, 3.
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

//! Where results go: a value of a Rust type becomes a row of an Arrow array.
//!
//! What a call may make is bounded here: a text, or an array, by [`VALUE_BYTES_MAX`], and a batch by [`RESULT_BYTES_MAX`].

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Decimal256Builder, Float32Builder, Float64Builder, Int32Builder,
    Int64Builder, ListBuilder, StringBuilder, TimestampMillisecondBuilder,
};
use arrow::datatypes::{DataType, i256};

use super::call::Fault;
use super::function::Gives;
use super::kind::{DECIMAL, TIMESTAMP, array_of, element_field};
use crate::bounded::{RESULT_BYTES_MAX, VALUE_BYTES_MAX};

/// A TIMESTAMP in milliseconds, where an `i64` alone is a LONG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Millis(pub(crate) i64);

/// A text that is JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json(pub(crate) String);

/// A value that can be the result of a row.
pub(crate) trait Output: Sized {
    /// What collects rows.
    type Sink: Sink;
    /// What a call gives.
    fn gives() -> Gives;
    /// Adds a row.
    fn put(self, sink: &mut Self::Sink) -> Result<(), Fault>;
}

/// Collects rows of one type.
pub(crate) trait Sink {
    /// Returns an empty one for so many rows.
    fn with_rows(rows: usize) -> Self;
    /// Adds a null.
    fn push_null(&mut self);
    /// Returns the rows.
    fn finish(self) -> ArrayRef;
}

macro_rules! fixed_size {
    ($rust:ty, $builder:ty, $data_type:expr, $new:expr, |$value:ident| $inner:expr) => {
        impl Sink for $builder {
            fn with_rows(rows: usize) -> $builder {
                ($new)(rows)
            }

            fn push_null(&mut self) {
                self.append_null();
            }

            fn finish(mut self) -> ArrayRef {
                Arc::new(<$builder>::finish(&mut self))
            }
        }

        impl Output for $rust {
            type Sink = $builder;

            fn gives() -> Gives {
                Gives::Type($data_type)
            }

            fn put(self, sink: &mut $builder) -> Result<(), Fault> {
                let $value = self;
                sink.append_value($inner);
                Ok(())
            }
        }
    };
}

fixed_size!(i32, Int32Builder, DataType::Int32, Int32Builder::with_capacity, |value| value);
fixed_size!(i64, Int64Builder, DataType::Int64, Int64Builder::with_capacity, |value| value);
// One NaN, without a sign, as Java has it: Arrow's order puts those with a sign first and others last.
fixed_size!(f32, Float32Builder, DataType::Float32, Float32Builder::with_capacity, |value| {
    if value.is_nan() { f32::NAN } else { value }
});
fixed_size!(f64, Float64Builder, DataType::Float64, Float64Builder::with_capacity, |value| {
    if value.is_nan() { f64::NAN } else { value }
});
fixed_size!(bool, BooleanBuilder, DataType::Boolean, BooleanBuilder::with_capacity, |value| value);
fixed_size!(
    Millis,
    TimestampMillisecondBuilder,
    TIMESTAMP,
    TimestampMillisecondBuilder::with_capacity,
    |value| value.0
);
fixed_size!(
    i256,
    Decimal256Builder,
    DECIMAL,
    |rows| Decimal256Builder::with_capacity(rows).with_data_type(DECIMAL),
    |value| value
);

/// Collects texts, or bytes, up to the bounds.
pub(crate) struct Bounded<B> {
    builder: B,
    bytes: usize,
}

/// Returns an error when one value is too large.
pub(crate) fn check_value(bytes: usize) -> Result<(), Fault> {
    if bytes <= VALUE_BYTES_MAX {
        return Ok(());
    }
    Err(Fault::TooLarge(format!("a value of {bytes} bytes, at most {VALUE_BYTES_MAX} are allowed")))
}

impl<B> Bounded<B> {
    fn count(&mut self, bytes: usize) -> Result<(), Fault> {
        check_value(bytes)?;
        self.bytes += bytes;
        if self.bytes <= RESULT_BYTES_MAX {
            return Ok(());
        }
        Err(Fault::TooLarge(format!("more than {RESULT_BYTES_MAX} bytes of results for one batch of rows")))
    }
}

/// Collects texts.
pub(crate) type TextSink = Bounded<StringBuilder>;

impl TextSink {
    /// Adds a text.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), Fault> {
        self.count(text.len())?;
        self.builder.append_value(text);
        Ok(())
    }
}

impl Sink for TextSink {
    fn with_rows(rows: usize) -> TextSink {
        Bounded { builder: StringBuilder::with_capacity(rows, rows * 8), bytes: 0 }
    }

    fn push_null(&mut self) {
        self.builder.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

impl Output for String {
    type Sink = TextSink;

    fn gives() -> Gives {
        Gives::Type(DataType::Utf8)
    }

    fn put(self, sink: &mut TextSink) -> Result<(), Fault> {
        sink.push(&self)
    }
}

impl Output for Json {
    type Sink = TextSink;

    fn gives() -> Gives {
        Gives::Json
    }

    fn put(self, sink: &mut TextSink) -> Result<(), Fault> {
        sink.push(&self.0)
    }
}

impl Sink for Bounded<BinaryBuilder> {
    fn with_rows(rows: usize) -> Bounded<BinaryBuilder> {
        Bounded { builder: BinaryBuilder::with_capacity(rows, rows * 8), bytes: 0 }
    }

    fn push_null(&mut self) {
        self.builder.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

impl Output for Vec<u8> {
    type Sink = Bounded<BinaryBuilder>;

    fn gives() -> Gives {
        Gives::Type(DataType::Binary)
    }

    fn put(self, sink: &mut Bounded<BinaryBuilder>) -> Result<(), Fault> {
        sink.count(self.len())?;
        sink.builder.append_value(self);
        Ok(())
    }
}

macro_rules! array {
    ($rust:ty, $builder:ty, $data_type:expr, |$value:ident| $bytes:expr) => {
        array!($rust, $builder, $data_type, |$value| $bytes, <$builder>::new(), |value| value);
    };
    ($rust:ty, $builder:ty, $data_type:expr, |$value:ident| $bytes:expr, $new:expr, |$each:ident| $inner:expr) => {
        impl Sink for Bounded<ListBuilder<$builder>> {
            fn with_rows(rows: usize) -> Bounded<ListBuilder<$builder>> {
                let lists = ListBuilder::with_capacity($new, rows);
                Bounded { builder: lists.with_field(element_field($data_type)), bytes: 0 }
            }

            fn push_null(&mut self) {
                self.builder.append_null();
            }

            fn finish(mut self) -> ArrayRef {
                Arc::new(self.builder.finish())
            }
        }

        impl Output for Vec<$rust> {
            type Sink = Bounded<ListBuilder<$builder>>;

            fn gives() -> Gives {
                Gives::Type(array_of($data_type))
            }

            fn put(self, sink: &mut Bounded<ListBuilder<$builder>>) -> Result<(), Fault> {
                sink.count(self.iter().map(|$value| $bytes).sum())?;
                for $each in self {
                    sink.builder.values().append_value($inner);
                }
                sink.builder.append(true);
                Ok(())
            }
        }
    };
}

array!(i32, Int32Builder, DataType::Int32, |_value| 4);
array!(i64, Int64Builder, DataType::Int64, |_value| 8);
array!(f32, Float32Builder, DataType::Float32, |_value| 4);
array!(f64, Float64Builder, DataType::Float64, |_value| 8);
array!(bool, BooleanBuilder, DataType::Boolean, |_value| 1);
array!(
    Millis,
    TimestampMillisecondBuilder,
    TIMESTAMP,
    |_value| 8,
    TimestampMillisecondBuilder::new(),
    |value| value.0
);
array!(
    i256,
    Decimal256Builder,
    DECIMAL,
    |_value| 32,
    Decimal256Builder::new().with_data_type(DECIMAL),
    |value| value
);
array!(String, StringBuilder, DataType::Utf8, |value| value.len() + 4);

impl<T: Output> Output for Option<T> {
    type Sink = T::Sink;

    fn gives() -> Gives {
        T::gives()
    }

    fn put(self, sink: &mut T::Sink) -> Result<(), Fault> {
        match self {
            Some(value) => value.put(sink),
            None => {
                sink.push_null();
                Ok(())
            }
        }
    }
}

impl<T: Output> Output for Result<T, Fault> {
    type Sink = T::Sink;

    fn gives() -> Gives {
        T::gives()
    }

    fn put(self, sink: &mut T::Sink) -> Result<(), Fault> {
        self?.put(sink)
    }
}

/// Collects the results of rows that are computed one by one; nothing is a null.
pub(crate) fn collect<T: Output>(
    rows: usize,
    mut each: impl FnMut(usize) -> Result<Option<T>, Fault>,
) -> Result<ArrayRef, Fault> {
    let mut sink = T::Sink::with_rows(rows);
    for row in 0..rows {
        match each(row)? {
            Some(value) => value.put(&mut sink)?,
            None => sink.push_null(),
        }
    }
    Ok(sink.finish())
}

/// Collects texts that are parts of others, without copying them twice.
pub(crate) fn collect_parts<'a>(
    rows: usize,
    mut each: impl FnMut(usize) -> Result<Option<&'a str>, Fault>,
) -> Result<ArrayRef, Fault> {
    let mut sink = TextSink::with_rows(rows);
    for row in 0..rows {
        match each(row)? {
            Some(text) => sink.push(text)?,
            None => Sink::push_null(&mut sink),
        }
    }
    Ok(Sink::finish(sink))
}

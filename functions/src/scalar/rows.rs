//! Overloads made of a plain Rust function of one row.
//!
//! `row2::<Text, Long, _>(|text, count| …)` takes a STRING and a LONG; what it gives is what the function returns. A null in
//! any argument makes the result null without a call, unless the argument is [`Nullable`].

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, GenericListArray, PrimitiveArray, StringArray,
};
use arrow::datatypes::{
    Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType, i256,
};

use super::call::Fault;
use super::function::Overload;
use super::kind::{Kind, Scalar};
use super::sink::{Output, Sink, TextSink, collect_parts};

/// How a kernel sees an argument.
pub(crate) trait Argument {
    /// What it is wanted as.
    const KIND: Kind;
    /// Whether the function is called for a null too.
    const NULLABLE: bool = false;
    /// The array of values.
    type Array<'a>: Copy;
    /// The value of one row.
    type Item<'a>;
    /// Returns the typed array.
    fn open(array: &ArrayRef) -> Self::Array<'_>;
    /// Returns the value at a position that is not null.
    fn get<'a>(array: Self::Array<'a>, position: usize) -> Self::Item<'a>;
    /// Returns whether the value at a position is null.
    fn is_null(array: Self::Array<'_>, position: usize) -> bool;
}

macro_rules! argument {
    ($(#[$doc:meta])* $name:ident, $kind:expr, $array:ty, $item:ty, $open:expr, |$values:ident, $at:ident| $get:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Argument for $name {
            const KIND: Kind = $kind;
            type Array<'a> = &'a $array;
            type Item<'a> = $item;

            fn open(array: &ArrayRef) -> &$array {
                ($open)(array)
            }

            #[inline]
            fn get<'a>($values: Self::Array<'a>, $at: usize) -> Self::Item<'a> {
                $get
            }

            #[inline]
            fn is_null(array: Self::Array<'_>, position: usize) -> bool {
                array.is_null(position)
            }
        }
    };
}

/// A STRING.
pub(crate) struct Text;

impl Argument for Text {
    const KIND: Kind = Kind::One(Scalar::Text);
    type Array<'a> = &'a StringArray;
    type Item<'a> = &'a str;

    fn open(array: &ArrayRef) -> &StringArray {
        array.as_string()
    }

    #[inline]
    fn get<'a>(array: Self::Array<'a>, position: usize) -> Self::Item<'a> {
        array.value(position)
    }

    #[inline]
    fn is_null(array: Self::Array<'_>, position: usize) -> bool {
        array.is_null(position)
    }
}

/// BYTES.
pub(crate) struct Bytes;

impl Argument for Bytes {
    const KIND: Kind = Kind::One(Scalar::Bytes);
    type Array<'a> = &'a BinaryArray;
    type Item<'a> = &'a [u8];

    fn open(array: &ArrayRef) -> &BinaryArray {
        array.as_binary()
    }

    #[inline]
    fn get<'a>(array: Self::Array<'a>, position: usize) -> Self::Item<'a> {
        array.value(position)
    }

    #[inline]
    fn is_null(array: Self::Array<'_>, position: usize) -> bool {
        array.is_null(position)
    }
}

argument!(
    /// An INT.
    Int, Kind::One(Scalar::Int), PrimitiveArray<Int32Type>, i32, AsArray::as_primitive, |values, at| values.value(at));
argument!(
    /// A LONG.
    Long, Kind::One(Scalar::Long), PrimitiveArray<Int64Type>, i64, AsArray::as_primitive, |values, at| values.value(at));
argument!(
    /// A DOUBLE.
    Double, Kind::One(Scalar::Double), PrimitiveArray<Float64Type>, f64, AsArray::as_primitive, |values, at| values.value(at));
argument!(
    /// A BIG_DECIMAL, unscaled.
    Decimal, Kind::One(Scalar::Decimal), PrimitiveArray<Decimal256Type>, i256, AsArray::as_primitive, |values, at| values.value(at));
argument!(
    /// A point in time, in milliseconds.
    Time, Kind::One(Scalar::Timestamp), PrimitiveArray<TimestampMillisecondType>, i64, AsArray::as_primitive, |values, at| values.value(at));
argument!(
    /// A BOOLEAN.
    Bool, Kind::One(Scalar::Boolean), BooleanArray, bool, AsArray::as_boolean, |values, at| values.value(at));

argument!(
    /// What is an INT already.
    OnlyInt, Kind::Only(Scalar::Int), PrimitiveArray<Int32Type>, i32, AsArray::as_primitive, |values, at| values.value(at));
argument!(
    /// What is a LONG already.
    OnlyLong, Kind::Only(Scalar::Long), PrimitiveArray<Int64Type>, i64, AsArray::as_primitive, |values, at| values.value(at));
argument!(
    /// What is a FLOAT already.
    OnlyFloat, Kind::Only(Scalar::Float), PrimitiveArray<Float32Type>, f32, AsArray::as_primitive, |values, at| values.value(at));
argument!(
    /// What is a BIG_DECIMAL already.
    OnlyDecimal, Kind::Only(Scalar::Decimal), PrimitiveArray<Decimal256Type>, i256, AsArray::as_primitive, |values, at| values.value(at));

/// What is BYTES already.
pub(crate) struct OnlyBytes;

impl Argument for OnlyBytes {
    const KIND: Kind = Kind::Only(Scalar::Bytes);
    type Array<'a> = &'a BinaryArray;
    type Item<'a> = &'a [u8];

    fn open(array: &ArrayRef) -> &BinaryArray {
        array.as_binary()
    }

    #[inline]
    fn get<'a>(array: Self::Array<'a>, position: usize) -> Self::Item<'a> {
        array.value(position)
    }

    #[inline]
    fn is_null(array: Self::Array<'_>, position: usize) -> bool {
        array.is_null(position)
    }
}

macro_rules! array_argument {
    ($(#[$doc:meta])* $name:ident, $scalar:expr, $item:ty, |$elements:ident| $collect:expr) => {
        argument!(
            $(#[$doc])*
            $name, Kind::Many($scalar), GenericListArray<i32>, Vec<$item>, AsArray::as_list, |values, at| {
                let $elements = values.value(at);
                $collect
            }
        );
    };
}

array_argument!(
    /// An array of INT; nulls in it are left out.
    Ints, Scalar::Int, i32, |elements| elements.as_primitive::<Int32Type>().iter().flatten().collect());
array_argument!(
    /// An array of LONG.
    Longs, Scalar::Long, i64, |elements| elements.as_primitive::<Int64Type>().iter().flatten().collect());
array_argument!(
    /// An array of FLOAT.
    Floats, Scalar::Float, f32, |elements| elements.as_primitive::<Float32Type>().iter().flatten().collect());
array_argument!(
    /// An array of DOUBLE.
    Doubles, Scalar::Double, f64, |elements| elements.as_primitive::<Float64Type>().iter().flatten().collect());
array_argument!(
    /// An array of STRING.
    Texts, Scalar::Text, String, |elements| elements.as_string::<i32>().iter().flatten().map(str::to_owned).collect());
argument!(
    /// A FLOAT.
    Float, Kind::One(Scalar::Float), PrimitiveArray<Float32Type>, f32, AsArray::as_primitive, |values, at| values.value(at));

/// An argument for which the function is called also when it is null.
pub(crate) struct Nullable<A>(std::marker::PhantomData<A>);

impl<A: Argument> Argument for Nullable<A> {
    const KIND: Kind = A::KIND;
    const NULLABLE: bool = true;
    type Array<'a> = A::Array<'a>;
    type Item<'a> = Option<A::Item<'a>>;

    fn open(array: &ArrayRef) -> A::Array<'_> {
        A::open(array)
    }

    #[inline]
    fn get<'a>(array: Self::Array<'a>, position: usize) -> Self::Item<'a> {
        (!A::is_null(array, position)).then(|| A::get(array, position))
    }

    #[inline]
    fn is_null(array: Self::Array<'_>, position: usize) -> bool {
        A::is_null(array, position)
    }
}

macro_rules! row {
    ($(#[$doc:meta])* $name:ident, $($argument:ident $array:ident $position:literal),+) => {
        $(#[$doc])*
        #[expect(non_snake_case, reason = "one name for a type and its value")]
        pub(crate) fn $name<$($argument: Argument + 'static,)+ R: Output + 'static>(
            compute: for<'a> fn($($argument::Item<'a>),+) -> R,
        ) -> Overload {
            Overload::new(&[$($argument::KIND),+], R::gives(), move |call| {
                $(let $argument = call.column($position)?;)+
                $(let $array = $argument::open(&$argument.array);)+
                let mut sink = R::Sink::with_rows(call.rows);
                for row in 0..call.rows {
                    let null = $((!$argument::NULLABLE && $argument::is_null($array, $argument.at(row))))||+;
                    if null {
                        sink.push_null();
                    } else {
                        compute($($argument::get($array, $argument.at(row))),+).put(&mut sink)?;
                    }
                }
                Ok(sink.finish())
            })
        }
    };
}

row!(
    /// A function of one argument.
    row1, A a 0);
row!(
    /// A function of two arguments.
    row2, A a 0, B b 1);
row!(
    /// A function of three arguments.
    row3, A a 0, B b 1, C c 2);
row!(
    /// A function of four arguments.
    row4, A a 0, B b 1, C c 2, D d 3);

/// A function of a text that returns a part of it.
pub(crate) fn part1(compute: for<'a> fn(&'a str) -> Option<&'a str>) -> Overload {
    Overload::new(&[Text::KIND], String::gives(), move |call| {
        collect_parts(call.rows, |row| Ok(call.text(0, row).and_then(compute)))
    })
}

macro_rules! part {
    ($(#[$doc:meta])* $name:ident, $($argument:ident $array:ident $position:literal),+) => {
        $(#[$doc])*
        #[expect(non_snake_case, reason = "one name for a type and its value")]
        pub(crate) fn $name<$($argument: Argument + 'static),+>(
            compute: for<'a> fn(&'a str, $($argument::Item<'a>),+) -> Option<&'a str>,
        ) -> Overload {
            Overload::new(&[Text::KIND, $($argument::KIND),+], String::gives(), move |call| {
                $(let $argument = call.column($position)?;)+
                $(let $array = $argument::open(&$argument.array);)+
                let mut sink = TextSink::with_rows(call.rows);
                for row in 0..call.rows {
                    let null = $((!$argument::NULLABLE && $argument::is_null($array, $argument.at(row))))||+;
                    let text = if null { None } else { call.text(0, row) };
                    match text.and_then(|text| compute(text, $($argument::get($array, $argument.at(row))),+)) {
                        Some(part) => sink.push(part)?,
                        None => sink.push_null(),
                    }
                }
                Ok(sink.finish())
            })
        }
    };
}

part!(
    /// A function of a text and another argument that returns a part of a text.
    part2, B b 1);
part!(
    /// A function of a text and two more arguments that returns a part of a text.
    part3, B b 1, C c 2);
/// A function without arguments, computed once a row.
pub(crate) fn row0<R: Output + 'static>(compute: fn() -> R) -> Overload {
    Overload::new(&[], R::gives(), move |call| {
        let mut sink = R::Sink::with_rows(call.rows);
        for _ in 0..call.rows {
            compute().put(&mut sink)?;
        }
        Ok(sink.finish())
    })
}

/// Returns an error for arguments that a function cannot take.
pub(crate) fn fault<T>(detail: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Arguments(detail.into()))
}

//! Makes columns, dictionaries and indexes of the blocks of a serving file. What is stored raw is not copied: arrays point
//! into the map.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, Decimal256Array, PrimitiveArray,
    StringArray, UInt32Array,
};
use arrow::buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::{
    ArrowNativeType, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use arrow::error::ArrowError;

use super::Decoded;
use super::decimals::from_decimals;
use super::file::{ELEMENTS_MAX, ServingFile};
use super::frames::{self, FrameForm};
use super::layout::{
    BlockId, ChunkEntry, ChunkValuesEntry, DataEntry, IndexEntry, IntegersEntry, NullsEntry, ValuesEntry,
    ValuesForm, value,
};
use super::texts::{from_digits, from_fronts, offsets_of};
use super::wire::Refused;
use crate::column::{Column, ColumnValues, ids_of};
use crate::dictionary::Dictionary;
use crate::error::SegmentError;
use crate::ids::Ids;
use crate::index::IndexParts;
use crate::schema::DataType;
use crate::value::{BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE};

impl ServingFile {
    /// Reads a dictionary, and tells what it takes in memory once its values were scanned.
    pub(crate) fn dictionary(
        &self,
        entry: &ValuesEntry,
        data_type: DataType,
    ) -> Result<Decoded<Dictionary>, SegmentError> {
        let values = self.values(entry, data_type)?;
        let views = match data_type {
            DataType::String | DataType::Json | DataType::Bytes => values.len() * size_of::<u128>(),
            DataType::Int
            | DataType::Long
            | DataType::Float
            | DataType::Double
            | DataType::BigDecimal
            | DataType::Boolean
            | DataType::Timestamp => 0,
        };
        let bytes = self.copied_bytes(&values) + views;
        Ok(Decoded { value: Dictionary::of_values(values, true), bytes })
    }

    /// Reads one column of one chunk of `rows` rows.
    pub(crate) fn column(
        &self,
        chunk: &ChunkEntry,
        rows: usize,
        data_type: DataType,
        dictionary: Option<&Arc<Dictionary>>,
    ) -> Result<Decoded<Column>, SegmentError> {
        let nulls = self.nulls(&chunk.nulls, rows)?;
        let values = match &chunk.fill {
            None => self.chunk_values(&chunk.values, rows, data_type, dictionary)?,
            Some(fill) => {
                let nulls = nulls.as_ref().ok_or_else(|| self.corrupt("a chunk fills nulls it has not"))?;
                let present = rows - nulls.null_count();
                let values = self.chunk_values(&chunk.values, present, data_type, dictionary)?;
                self.filled(values, self.chunk_values(fill, 1, data_type, dictionary)?, nulls)?
            }
        };
        let column = Column { values, nulls };
        let is_list = matches!(column.values, ColumnValues::IdLists { .. } | ColumnValues::PlainLists { .. });
        if column.len() != rows || is_list && chunk.fill.is_some() {
            return Err(self.corrupt("a column has another number of rows than its chunk"));
        }
        let bytes = self.copied_bytes_of_column(&column);
        Ok(Decoded { value: column, bytes })
    }

    pub(crate) fn index_parts(&self, entry: &IndexEntry) -> Result<IndexParts, SegmentError> {
        let header = serde_json::from_str(&entry.header)
            .map_err(|error| self.corrupt(&format!("header of an index of kind {}: {error}", entry.kind)))?;
        let buffers = entry.blocks.iter().map(|block| self.block(*block, 0)).collect::<Result<_, _>>()?;
        Ok(IndexParts { header, buffers })
    }

    fn chunk_values(
        &self,
        entry: &ChunkValuesEntry,
        rows: usize,
        data_type: DataType,
        dictionary: Option<&Arc<Dictionary>>,
    ) -> Result<ColumnValues, SegmentError> {
        let dictionary =
            || dictionary.cloned().ok_or_else(|| self.corrupt("a column of ids has no dictionary"));
        let check_rows = |count: usize| match count == rows {
            true => Ok(()),
            false => Err(self.corrupt("a column has another number of rows than its chunk")),
        };
        Ok(match entry {
            ChunkValuesEntry::Ids { count, ids } => {
                check_rows(*count)?;
                let dictionary = dictionary()?;
                ColumnValues::Ids { ids: self.ids(ids, *count, dictionary.len())?, dictionary }
            }
            ChunkValuesEntry::Plain(values) => {
                check_rows(values.count)?;
                ColumnValues::Plain(self.values(values, data_type)?)
            }
            ChunkValuesEntry::IdLists { lengths, count, ids } => {
                let dictionary = dictionary()?;
                ColumnValues::IdLists {
                    offsets: self.list_offsets(lengths, rows, *count)?,
                    ids: self.ids(ids, *count, dictionary.len())?,
                    dictionary,
                }
            }
            ChunkValuesEntry::PlainLists { lengths, values } => ColumnValues::PlainLists {
                offsets: self.list_offsets(lengths, rows, values.count)?,
                values: self.values(values, data_type)?,
            },
        })
    }

    /// Puts the fill where a row is null, and the values where it is not.
    fn filled(
        &self,
        values: ColumnValues,
        fill: ColumnValues,
        nulls: &NullBuffer,
    ) -> Result<ColumnValues, SegmentError> {
        let fill_place = u32::try_from(nulls.len() - nulls.null_count()).expect("a chunk's rows are few");
        let mut next = 0..;
        let places = nulls.iter().map(|valid| match valid {
            true => next.next().expect("32 bits hold a chunk's rows"),
            false => fill_place,
        });
        let places: UInt32Array = places.collect::<Vec<u32>>().into();
        let spread = |values: &ArrayRef, fill: &ArrayRef| -> Result<ArrayRef, SegmentError> {
            Ok(take(&concat(&[values.as_ref(), fill.as_ref()])?, &places, None)?)
        };
        match (values, fill) {
            (ColumnValues::Ids { ids, dictionary }, ColumnValues::Ids { ids: fill, .. }) => {
                let ids = ids_of(&spread(&ids.to_array(), &fill.to_array())?);
                Ok(ColumnValues::Ids { ids, dictionary })
            }
            (ColumnValues::Plain(values), ColumnValues::Plain(fill)) => {
                Ok(ColumnValues::Plain(spread(&values, &fill)?))
            }
            _ => Err(self.corrupt("a chunk fills nulls in another form than its values")),
        }
    }

    fn nulls(&self, entry: &NullsEntry, rows: usize) -> Result<Option<NullBuffer>, SegmentError> {
        match entry {
            NullsEntry::None => Ok(None),
            NullsEntry::Bits(block) => {
                Ok(Some(NullBuffer::new(BooleanBuffer::new(self.block(*block, rows.div_ceil(8))?, 0, rows))))
            }
            NullsEntry::Rows { null, count, rows: entry } => {
                if *count > rows {
                    return Err(self.corrupt("a chunk has more nulls than rows"));
                }
                let mut bits = MutableBuffer::from_len_zeroed(rows.div_ceil(8));
                let mut least = 0;
                for row in self.integers::<i64>(entry, *count, Ok)? {
                    let row = usize::try_from(row).unwrap_or(usize::MAX);
                    if row < least || row >= rows {
                        return Err(self.corrupt("nulls do not ascend through the chunk"));
                    }
                    bits[row / 8] |= 1 << (row % 8);
                    least = row + 1;
                }
                let bits = BooleanBuffer::new(bits.into(), 0, rows);
                Ok(Some(NullBuffer::new(if *null { !&bits } else { bits })))
            }
        }
    }

    /// Reads ids. Those who group or gather by them index without a check, so none may lie outside the dictionary.
    fn ids(&self, entry: &IntegersEntry, count: usize, distinct: usize) -> Result<Ids, SegmentError> {
        const OUTSIDE: Refused = "an id lies outside its dictionary";
        fn id<T: TryFrom<i64>>(distinct: usize) -> impl Fn(i64) -> Result<T, Refused> {
            move |id| match usize::try_from(id).is_ok_and(|id| id < distinct) {
                true => T::try_from(id).map_err(|_| OUTSIDE),
                false => Err(OUTSIDE),
            }
        }
        let width = if distinct <= 1 << 8 {
            1
        } else if distinct <= 1 << 16 {
            2
        } else {
            4
        };
        if let IntegersEntry::Fixed { width: stored, data } = entry {
            if *stored != width {
                return Err(self.corrupt(&format!("ids are {stored} bytes wide")));
            }
            let bytes = self.data(data, count.saturating_mul(usize::from(width)))?;
            let ids = match width {
                1 => Ids::U8(ScalarBuffer::new(bytes, 0, count)),
                2 => Ids::U16(ScalarBuffer::new(bytes, 0, count)),
                _ => Ids::U32(ScalarBuffer::new(bytes, 0, count)),
            };
            if ids.max().is_some_and(|id| id as usize >= distinct) {
                return Err(self.corrupt(OUTSIDE));
            }
            return Ok(ids);
        }
        Ok(match width {
            1 => Ids::U8(self.integers(entry, count, id::<u8>(distinct))?.into()),
            2 => Ids::U16(self.integers(entry, count, id::<u16>(distinct))?.into()),
            _ => Ids::U32(self.integers(entry, count, id::<u32>(distinct))?.into()),
        })
    }

    /// Reads `count` integers, each as `convert` makes it. Those of fixed width are read where they are wanted as they lie.
    fn integers<T: Clone>(
        &self,
        entry: &IntegersEntry,
        count: usize,
        convert: impl Fn(i64) -> Result<T, Refused>,
    ) -> Result<Vec<T>, SegmentError> {
        let decoded = match entry {
            _ if count > ELEMENTS_MAX => Err("an array has too many elements"),
            IntegersEntry::Constant(value) => convert(*value).map(|value| vec![value; count]),
            IntegersEntry::Frames(block) => {
                frames::decode(&self.block(*block, 0)?, count, FrameForm::Values, convert)
            }
            IntegersEntry::DeltaFrames(block) => {
                frames::decode(&self.block(*block, 0)?, count, FrameForm::Deltas, convert)
            }
            IntegersEntry::Fixed { .. } => Err("integers of a fixed width stand where none may"),
        };
        decoded.map_err(|detail| self.corrupt(detail))
    }

    /// Reads INT, LONG and TIMESTAMP values.
    fn integer_array<T: ArrowPrimitiveType<Native: TryFrom<i64>>>(
        &self,
        entry: &IntegersEntry,
        count: usize,
    ) -> Result<ArrayRef, SegmentError> {
        let values: ScalarBuffer<T::Native> = match entry {
            IntegersEntry::Fixed { width, data } => {
                if usize::from(*width) != size_of::<T::Native>() {
                    return Err(self.corrupt(&format!("values are {width} bytes wide")));
                }
                self.fixed(data, count)?
            }
            IntegersEntry::Constant(_) | IntegersEntry::Frames(_) | IntegersEntry::DeltaFrames(_) => {
                let convert =
                    |value| T::Native::try_from(value).map_err(|_| "a value is outside its type's range");
                self.integers(entry, count, convert)?.into()
            }
        };
        Ok(Arc::new(PrimitiveArray::<T>::new(values, None)))
    }

    fn fixed<N: ArrowNativeType>(
        &self,
        data: &DataEntry,
        count: usize,
    ) -> Result<ScalarBuffer<N>, SegmentError> {
        Ok(ScalarBuffer::new(self.data(data, count.saturating_mul(size_of::<N>()))?, 0, count))
    }

    fn values(&self, entry: &ValuesEntry, data_type: DataType) -> Result<ArrayRef, SegmentError> {
        let count = entry.count;
        if count > ELEMENTS_MAX {
            return Err(self.corrupt("an array has too many elements"));
        }
        let refused = |detail: Refused| self.corrupt(detail);
        let array: ArrayRef = match (&entry.form, data_type) {
            (ValuesForm::Constant(bytes), _) => {
                let one = value(bytes, data_type).map_err(refused)?.to_array();
                take(&one, &UInt32Array::from(vec![0; count]), None)?
            }
            (ValuesForm::Integers(integers), DataType::Int) => {
                self.integer_array::<Int32Type>(integers, count)?
            }
            (ValuesForm::Integers(integers), DataType::Long) => {
                self.integer_array::<Int64Type>(integers, count)?
            }
            (ValuesForm::Integers(integers), DataType::Timestamp) => {
                self.integer_array::<TimestampMillisecondType>(integers, count)?
            }
            (ValuesForm::Decimals { exponent, integers }, DataType::Float) => {
                let float = from_decimals::<f32>(*exponent).map_err(refused)?;
                let values = self.integers(integers, count, |integer| Ok(float(integer)))?;
                Arc::new(PrimitiveArray::<Float32Type>::new(values.into(), None))
            }
            (ValuesForm::Decimals { exponent, integers }, DataType::Double) => {
                let float = from_decimals::<f64>(*exponent).map_err(refused)?;
                let values = self.integers(integers, count, |integer| Ok(float(integer)))?;
                Arc::new(PrimitiveArray::<Float64Type>::new(values.into(), None))
            }
            (ValuesForm::Fixed(data), DataType::Float) => {
                Arc::new(PrimitiveArray::<Float32Type>::new(self.fixed(data, count)?, None))
            }
            (ValuesForm::Fixed(data), DataType::Double) => {
                Arc::new(PrimitiveArray::<Float64Type>::new(self.fixed(data, count)?, None))
            }
            (ValuesForm::Fixed(data), DataType::BigDecimal) => {
                let array: Decimal256Array =
                    PrimitiveArray::<Decimal256Type>::new(self.fixed(data, count)?, None);
                Arc::new(array.with_precision_and_scale(BIG_DECIMAL_PRECISION, BIG_DECIMAL_SCALE)?)
            }
            (ValuesForm::Bits(block), DataType::Boolean) => Arc::new(BooleanArray::new(
                BooleanBuffer::new(self.block(*block, count.div_ceil(8))?, 0, count),
                None,
            )),
            (form, DataType::String | DataType::Json | DataType::Bytes) => {
                let (offsets, data) = self.texts(form, count)?;
                self.text_array(offsets, data, data_type)?
            }
            (form, data_type) => {
                return Err(self.corrupt(&format!("{data_type} values are stored as {form:?}")));
            }
        };
        Ok(array)
    }

    fn text_array(
        &self,
        offsets: OffsetBuffer<i32>,
        data: Buffer,
        data_type: DataType,
    ) -> Result<ArrayRef, SegmentError> {
        let refused = |error: ArrowError| self.corrupt(&error.to_string());
        Ok(match data_type {
            DataType::Bytes => Arc::new(BinaryArray::try_new(offsets, data, None).map_err(refused)?),
            DataType::String
            | DataType::Json
            | DataType::Int
            | DataType::Long
            | DataType::Float
            | DataType::Double
            | DataType::BigDecimal
            | DataType::Boolean
            | DataType::Timestamp => Arc::new(StringArray::try_new(offsets, data, None).map_err(refused)?),
        })
    }

    /// Reads offsets and bytes of texts.
    fn texts(&self, form: &ValuesForm, count: usize) -> Result<(OffsetBuffer<i32>, Buffer), SegmentError> {
        let refused = |detail: Refused| self.corrupt(detail);
        let decoded = |offsets: Vec<i32>, data| (OffsetBuffer::new(offsets.into()), data);
        Ok(match form {
            ValuesForm::Bytes { offsets, data } => (self.offsets(*offsets, count)?, self.block(*data, 0)?),
            ValuesForm::Lengths { lengths, data } => {
                let data = self.data(data, 0)?;
                let lengths = self.integers(lengths, count, Ok)?;
                decoded(offsets_of(&lengths, data.len()).map_err(refused)?, data)
            }
            ValuesForm::Fronts { shared, lengths, data } => {
                let shared = self.integers(shared, count, Ok)?;
                let lengths = self.integers(lengths, count, Ok)?;
                let data = self.data(data, 0)?;
                let (offsets, data) = from_fronts(&shared, &lengths, &data).map_err(refused)?;
                decoded(offsets, Buffer::from_vec(data))
            }
            ValuesForm::Digits { pattern, words } => {
                if count.saturating_mul(pattern.len()) > ELEMENTS_MAX {
                    return Err(self.corrupt("texts take more than 2 GiB"));
                }
                let words: Vec<Vec<i64>> =
                    words.iter().map(|word| self.integers(word, count, Ok)).collect::<Result<_, _>>()?;
                let data = from_digits(pattern, &words, count).map_err(refused)?;
                let step = i32::try_from(pattern.len()).expect("the pattern was checked");
                let ends = i32::try_from(count).expect("the count was checked");
                decoded((0..=ends).map(|end| end * step).collect(), Buffer::from_vec(data))
            }
            ValuesForm::Constant(_)
            | ValuesForm::Integers(_)
            | ValuesForm::Decimals { .. }
            | ValuesForm::Fixed(_)
            | ValuesForm::Bits(_) => {
                return Err(self.corrupt(&format!("texts are stored as {form:?}")));
            }
        })
    }

    /// Reads the borders of `rows` lists of together `elements` elements.
    fn list_offsets(
        &self,
        lengths: &IntegersEntry,
        rows: usize,
        elements: usize,
    ) -> Result<OffsetBuffer<i32>, SegmentError> {
        let lengths = self.integers(lengths, rows, Ok)?;
        let offsets = offsets_of(&lengths, elements).map_err(|detail| self.corrupt(detail))?;
        Ok(OffsetBuffer::new(offsets.into()))
    }

    /// Reads `count` + 1 offsets, which must not fall.
    fn offsets(&self, block: BlockId, count: usize) -> Result<OffsetBuffer<i32>, SegmentError> {
        let bytes = self.block(block, count.saturating_add(1).saturating_mul(4))?;
        let offsets: ScalarBuffer<i32> = ScalarBuffer::new(bytes, 0, count + 1);
        if offsets[0] != 0 || !offsets.is_sorted() {
            return Err(self.corrupt("offsets do not ascend from zero"));
        }
        Ok(OffsetBuffer::new(offsets))
    }

    /// Returns the memory that a column takes beside the map. Its dictionary counts by itself.
    fn copied_bytes_of_column(&self, column: &Column) -> usize {
        let nulls = column.nulls.as_ref().map_or(0, |nulls| self.copied(nulls.buffer()));
        let values = match &column.values {
            ColumnValues::Ids { ids, .. } => self.copied_bytes(&ids.to_array()),
            ColumnValues::Plain(array) => self.copied_bytes(array),
            ColumnValues::IdLists { offsets, ids, .. } => {
                self.copied(offsets.inner().inner()) + self.copied_bytes(&ids.to_array())
            }
            ColumnValues::PlainLists { offsets, values } => {
                self.copied(offsets.inner().inner()) + self.copied_bytes(values)
            }
        };
        nulls + values
    }

    fn copied_bytes(&self, array: &ArrayRef) -> usize {
        array.to_data().buffers().iter().map(|buffer| self.copied(buffer)).sum()
    }
}

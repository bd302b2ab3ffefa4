//! Keys and values of fixed width as whole numbers in the order of what they stand for, and the best of each group in them.

use std::fmt::Debug;
use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::common::internal_err;
use datafusion::error::Result;

use super::{End, Groups};

/// How wide the number of a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 64 bits.
    Narrow,
    /// 128 bits.
    Wide,
}

/// The width of a type's values; `None` when they are no whole numbers of up to 128 bits.
pub fn width(data_type: &DataType) -> Option<Width> {
    match data_type {
        DataType::Decimal128(_, _) => Some(Width::Wide),
        DataType::Boolean
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(_, _)
        | DataType::Duration(_)
        | DataType::Decimal32(_, _)
        | DataType::Decimal64(_, _)
        | DataType::Float32
        | DataType::Float64 => Some(Width::Narrow),
        other if other.is_integer() => Some(Width::Narrow),
        _ => None,
    }
}

/// A value that is a word: the larger the value, the larger the word.
trait Native: Copy {
    fn word(self) -> i64;
    fn from_word(word: i64) -> Self;
}

macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl Native for $integer {
            fn word(self) -> i64 {
                i64::from(self)
            }

            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the word was one of these")]
            fn from_word(word: i64) -> Self {
                word as Self
            }
        }
    )+};
}

integers!(i8, i16, i32, i64, u8, u16, u32);

impl Native for u64 {
    fn word(self) -> i64 {
        (self ^ (1 << 63)).cast_signed()
    }

    fn from_word(word: i64) -> Self {
        word.cast_unsigned() ^ (1 << 63)
    }
}

impl Native for f64 {
    fn word(self) -> i64 {
        // One NaN, above every number, and one zero.
        let value = if self.is_nan() { Self::NAN } else { self + 0.0 };
        total_order(value.to_bits().cast_signed())
    }

    fn from_word(word: i64) -> Self {
        Self::from_bits(total_order(word).cast_unsigned())
    }
}

impl Native for f32 {
    fn word(self) -> i64 {
        f64::from(self).word()
    }

    #[expect(clippy::cast_possible_truncation, reason = "the word was one of these")]
    fn from_word(word: i64) -> Self {
        f64::from_word(word) as Self
    }
}

/// Bits of a float to a number in its order, and back (as `f64::total_cmp` does it).
fn total_order(bits: i64) -> i64 {
    bits ^ ((bits >> 63) & i64::MAX)
}

/// Calls a function with the primitive type of a data type of 64 bits or less.
macro_rules! with_primitive {
    ($data_type:expr, $function:ident, $($argument:expr),+) => {
        match $data_type {
            DataType::Int8 => $function::<Int8Type>($($argument),+),
            DataType::Int16 => $function::<Int16Type>($($argument),+),
            DataType::Int32 => $function::<Int32Type>($($argument),+),
            DataType::Int64 => $function::<Int64Type>($($argument),+),
            DataType::UInt8 => $function::<UInt8Type>($($argument),+),
            DataType::UInt16 => $function::<UInt16Type>($($argument),+),
            DataType::UInt32 => $function::<UInt32Type>($($argument),+),
            DataType::UInt64 => $function::<UInt64Type>($($argument),+),
            DataType::Float32 => $function::<Float32Type>($($argument),+),
            DataType::Float64 => $function::<Float64Type>($($argument),+),
            DataType::Decimal32(_, _) => $function::<Decimal32Type>($($argument),+),
            DataType::Decimal64(_, _) => $function::<Decimal64Type>($($argument),+),
            DataType::Date32 => $function::<Date32Type>($($argument),+),
            DataType::Date64 => $function::<Date64Type>($($argument),+),
            DataType::Time32(TimeUnit::Second) => $function::<Time32SecondType>($($argument),+),
            DataType::Time32(TimeUnit::Millisecond) => $function::<Time32MillisecondType>($($argument),+),
            DataType::Time64(TimeUnit::Microsecond) => $function::<Time64MicrosecondType>($($argument),+),
            DataType::Time64(TimeUnit::Nanosecond) => $function::<Time64NanosecondType>($($argument),+),
            DataType::Timestamp(TimeUnit::Second, _) => $function::<TimestampSecondType>($($argument),+),
            DataType::Timestamp(TimeUnit::Millisecond, _) => $function::<TimestampMillisecondType>($($argument),+),
            DataType::Timestamp(TimeUnit::Microsecond, _) => $function::<TimestampMicrosecondType>($($argument),+),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => $function::<TimestampNanosecondType>($($argument),+),
            DataType::Duration(TimeUnit::Second) => $function::<DurationSecondType>($($argument),+),
            DataType::Duration(TimeUnit::Millisecond) => $function::<DurationMillisecondType>($($argument),+),
            DataType::Duration(TimeUnit::Microsecond) => $function::<DurationMicrosecondType>($($argument),+),
            DataType::Duration(TimeUnit::Nanosecond) => $function::<DurationNanosecondType>($($argument),+),
            other => internal_err!("{other} is not a word"),
        }
    };
}

/// A number that stands for a key or a value.
pub trait Word: Copy + Ord + Debug + Send + Sync + 'static {
    /// No word is less.
    const LEAST: Self;

    /// The words of an array; the larger, the nearer to the wanted end.
    fn encode(array: &dyn Array, end: End) -> Result<Vec<Self>>;

    /// The array of words, null where `known` says so.
    fn decode(words: Vec<Self>, known: NullBuffer, data_type: &DataType, end: End) -> Result<ArrayRef>;
}

impl Word for i64 {
    const LEAST: Self = Self::MIN;

    fn encode(array: &dyn Array, end: End) -> Result<Vec<Self>> {
        #[expect(clippy::unnecessary_wraps, reason = "the choice of the type can fail")]
        fn with<T: ArrowPrimitiveType<Native: Native>>(array: &dyn Array, mask: i64) -> Result<Vec<i64>> {
            Ok(array.as_primitive::<T>().values().iter().map(|value| value.word() ^ mask).collect())
        }
        let mask = mask(end);
        match array.data_type() {
            DataType::Boolean => Ok(array.as_boolean().values().iter().map(|bit| Self::from(bit) ^ mask).collect()),
            data_type => with_primitive!(data_type, with, array, mask),
        }
    }

    fn decode(words: Vec<Self>, known: NullBuffer, data_type: &DataType, end: End) -> Result<ArrayRef> {
        fn with<T: ArrowPrimitiveType<Native: Native>>(
            words: &[i64],
            known: NullBuffer,
            data_type: &DataType,
            mask: i64,
        ) -> Result<ArrayRef> {
            let values = words.iter().map(|word| T::Native::from_word(word ^ mask)).collect();
            Ok(Arc::new(PrimitiveArray::<T>::try_new(values, Some(known))?.with_data_type(data_type.clone())))
        }
        let mask = mask(end);
        match data_type {
            DataType::Boolean => {
                let bits = words.iter().map(|word| word ^ mask == 1).collect();
                Ok(Arc::new(BooleanArray::new(bits, Some(known))))
            }
            data_type => with_primitive!(data_type, with, &words, known, data_type, mask),
        }
    }
}

impl Word for i128 {
    const LEAST: Self = Self::MIN;

    fn encode(array: &dyn Array, end: End) -> Result<Vec<Self>> {
        let mask = Self::from(mask(end));
        Ok(array.as_primitive::<Decimal128Type>().values().iter().map(|value| value ^ mask).collect())
    }

    fn decode(words: Vec<Self>, known: NullBuffer, data_type: &DataType, end: End) -> Result<ArrayRef> {
        let mask = Self::from(mask(end));
        let values = words.iter().map(|word| word ^ mask).collect();
        let array = PrimitiveArray::<Decimal128Type>::try_new(values, Some(known))?;
        Ok(Arc::new(array.with_data_type(data_type.clone())))
    }
}

/// What turns the order round, bit by bit.
fn mask(end: End) -> i64 {
    match end {
        End::Largest => 0,
        End::Smallest => -1,
    }
}

/// The best row of each group, key and value side by side: a look at a group is one line of the processor's cache.
#[derive(Debug)]
pub struct Words<V, K> {
    end: End,
    types: (DataType, DataType),
    best: Vec<(K, V)>,
    /// Whether a group has a row; the pair of one without is the least of all.
    known: Vec<bool>,
}

impl<V, K> Words<V, K> {
    pub fn new(end: End, types: (DataType, DataType)) -> Self {
        Self { end, types, best: vec![], known: vec![] }
    }
}

impl<V: Word, K: Word> Groups for Words<V, K> {
    fn update(&mut self, value: &ArrayRef, key: &ArrayRef, groups: &[usize], rows: Option<&NullBuffer>) -> Result<()> {
        let keys = K::encode(key, self.end)?;
        let values = V::encode(value, self.end)?;
        let mut hold = |group: usize, key: K, value: V| {
            let best = &mut self.best[group];
            // Equal pairs too: the least pair may come from a row.
            if key > best.0 || (key == best.0 && value >= best.1) {
                *best = (key, value);
                self.known[group] = true;
            }
        };
        match rows {
            None => groups.iter().zip(keys).zip(values).for_each(|((group, key), value)| hold(*group, key, value)),
            Some(rows) => rows.valid_indices().for_each(|row| hold(groups[row], keys[row], values[row])),
        }
        Ok(())
    }

    fn grow(&mut self, groups: usize) {
        if groups > self.best.len() {
            self.best.resize(groups, (K::LEAST, V::LEAST));
            self.known.resize(groups, false);
        }
    }

    fn len(&self) -> usize {
        self.best.len()
    }

    fn rows(&self, count: usize) -> Result<[ArrayRef; 2]> {
        let known = NullBuffer::from(&self.known[..count]);
        let (keys, values) = self.best[..count].iter().copied().unzip();
        let (value_type, key_type) = &self.types;
        Ok([V::decode(values, known.clone(), value_type, self.end)?, K::decode(keys, known, key_type, self.end)?])
    }

    fn forget(&mut self, count: usize) {
        self.best.drain(..count);
        self.known.drain(..count);
    }

    fn size(&self) -> usize {
        self.best.capacity() * size_of::<(K, V)>() + self.known.capacity()
    }
}

//! The best row of each group where the value is bytes in its order, and the key bytes or a number.

use std::fmt::Debug;
use std::mem::size_of;

use datafusion::arrow::array::{Array, ArrayRef, UInt64Array, new_null_array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;

use super::super::super::floats::canonical;
use super::words::Word;
use super::{End, Groups};

/// A column as bytes: the larger, the nearer to the wanted end.
#[derive(Debug)]
struct Encoding {
    converter: RowConverter,
    data_type: DataType,
}

impl Encoding {
    fn new(end: End, data_type: &DataType) -> Result<Self> {
        let field = SortField::new_with_options(data_type.clone(), end.options());
        Ok(Self { converter: RowConverter::new(vec![field])?, data_type: data_type.clone() })
    }

    fn encode(&self, array: &ArrayRef) -> Result<Rows> {
        Ok(self.converter.convert_columns(&[canonical(array)])?)
    }

    /// The array of some rows, null where there are no bytes.
    fn decode(&self, rows: &[Vec<u8>]) -> Result<ArrayRef> {
        let null = self.converter.convert_columns(&[new_null_array(&self.data_type, 1)])?;
        let parser = self.converter.parser();
        let parsed = rows.iter().map(|row| if row.is_empty() { null.row(0) } else { parser.parse(row) });
        let mut columns = self.converter.convert_rows(parsed)?;
        let column = columns.pop().ok_or_else(|| exec_datafusion_err!("a row without a column"))?;
        // Bytes know nothing of dictionaries.
        if column.data_type() == &self.data_type { Ok(column) } else { Ok(cast(&column, &self.data_type)?) }
    }
}

/// Bytes for each group; none before it has a row.
#[derive(Debug, Default)]
pub struct Slots {
    bytes: Vec<Vec<u8>>,
    /// Bytes allocated by the slots together.
    allocated: usize,
}

impl Slots {
    /// The bytes of a group.
    pub fn of(&self, group: usize) -> &[u8] {
        &self.bytes[group]
    }

    /// The bytes of the first groups.
    pub fn first(&self, count: usize) -> &[Vec<u8>] {
        &self.bytes[..count]
    }

    pub fn clear(&mut self, group: usize) {
        self.bytes[group].clear();
    }

    pub fn put(&mut self, group: usize, bytes: &[u8]) {
        let slot = &mut self.bytes[group];
        let before = slot.capacity();
        slot.clear();
        slot.extend_from_slice(bytes);
        self.allocated = self.allocated + slot.capacity() - before;
    }

    pub fn grow(&mut self, groups: usize) {
        if groups > self.bytes.len() {
            self.bytes.resize_with(groups, Vec::new);
        }
    }

    pub fn forget(&mut self, count: usize) {
        for slot in self.bytes.drain(..count) {
            self.allocated -= slot.capacity();
        }
    }

    pub fn size(&self) -> usize {
        self.allocated + self.bytes.capacity() * size_of::<Vec<u8>>()
    }
}

/// The best key of each group.
pub trait Keys: Debug + Send + Sync {
    /// The keys of a batch.
    type Batch;

    fn encode(&self, key: &ArrayRef) -> Result<Self::Batch>;

    /// Takes the key of a row when it is better than what its group has, and says whether.
    fn raise(&mut self, batch: &Self::Batch, row: usize, group: usize) -> bool;

    /// Whether the key of a row is as good as what its group has.
    fn is_best(&self, batch: &Self::Batch, row: usize, group: usize) -> bool;

    fn grow(&mut self, groups: usize);

    fn decode(&self, known: NullBuffer) -> Result<ArrayRef>;

    fn forget(&mut self, count: usize);

    fn size(&self) -> usize;
}

/// Keys that are numbers.
#[derive(Debug)]
pub struct WordKeys<K> {
    end: End,
    data_type: DataType,
    best: Vec<K>,
}

impl<K> WordKeys<K> {
    pub fn new(end: End, data_type: &DataType) -> Self {
        Self { end, data_type: data_type.clone(), best: vec![] }
    }
}

impl<K: Word> Keys for WordKeys<K> {
    type Batch = Vec<K>;

    fn encode(&self, key: &ArrayRef) -> Result<Vec<K>> {
        K::encode(key, self.end)
    }

    fn raise(&mut self, batch: &Vec<K>, row: usize, group: usize) -> bool {
        let is_better = batch[row] > self.best[group];
        if is_better {
            self.best[group] = batch[row];
        }
        is_better
    }

    fn is_best(&self, batch: &Vec<K>, row: usize, group: usize) -> bool {
        batch[row] == self.best[group]
    }

    fn grow(&mut self, groups: usize) {
        if groups > self.best.len() {
            self.best.resize(groups, K::LEAST);
        }
    }

    fn decode(&self, known: NullBuffer) -> Result<ArrayRef> {
        K::decode(self.best[..known.len()].to_vec(), known, &self.data_type, self.end)
    }

    fn forget(&mut self, count: usize) {
        self.best.drain(..count);
    }

    fn size(&self) -> usize {
        self.best.capacity() * size_of::<K>()
    }
}

/// Keys that are bytes.
#[derive(Debug)]
pub struct ByteKeys {
    encoding: Encoding,
    best: Slots,
}

impl ByteKeys {
    pub fn new(end: End, data_type: &DataType) -> Result<Self> {
        Ok(Self { encoding: Encoding::new(end, data_type)?, best: Slots::default() })
    }
}

impl Keys for ByteKeys {
    type Batch = Rows;

    fn encode(&self, key: &ArrayRef) -> Result<Rows> {
        self.encoding.encode(key)
    }

    fn raise(&mut self, batch: &Rows, row: usize, group: usize) -> bool {
        let bytes = batch.row(row);
        let is_better = bytes.as_ref() > self.best.bytes[group].as_slice();
        if is_better {
            self.best.put(group, bytes.as_ref());
        }
        is_better
    }

    fn is_best(&self, batch: &Rows, row: usize, group: usize) -> bool {
        batch.row(row).as_ref() == self.best.bytes[group].as_slice()
    }

    fn grow(&mut self, groups: usize) {
        self.best.grow(groups);
    }

    fn decode(&self, known: NullBuffer) -> Result<ArrayRef> {
        self.encoding.decode(&self.best.bytes[..known.len()])
    }

    fn forget(&mut self, count: usize) {
        self.best.forget(count);
    }

    fn size(&self) -> usize {
        self.best.size() + self.encoding.converter.size()
    }
}

/// The best row of each group: its key, and its value as bytes.
#[derive(Debug)]
pub struct Encoded<K> {
    keys: K,
    encoding: Encoding,
    values: Slots,
}

impl<K> Encoded<K> {
    pub fn new(end: End, value: &DataType, keys: K) -> Result<Self> {
        Ok(Self { keys, encoding: Encoding::new(end, value)?, values: Slots::default() })
    }
}

impl<K: Keys> Groups for Encoded<K> {
    fn update(&mut self, value: &ArrayRef, key: &ArrayRef, groups: &[usize], rows: Option<&NullBuffer>) -> Result<()> {
        let keys = self.keys.encode(key)?;
        let known = || (0..groups.len()).filter(|row| rows.is_none_or(|rows| rows.is_valid(*row)));
        for row in known() {
            if self.keys.raise(&keys, row, groups[row]) {
                self.values.bytes[groups[row]].clear();
            }
        }
        // Keys are final for this batch, so that no value of a row that loses is encoded.
        let winners: Vec<usize> = known().filter(|row| self.keys.is_best(&keys, *row, groups[*row])).collect();
        if winners.is_empty() {
            return Ok(());
        }
        let places: UInt64Array = winners.iter().map(|row| *row as u64).collect();
        let encoded = self.encoding.encode(&take(value, &places, None)?)?;
        for (row, bytes) in winners.into_iter().zip(&encoded) {
            if bytes.as_ref() > self.values.bytes[groups[row]].as_slice() {
                self.values.put(groups[row], bytes.as_ref());
            }
        }
        Ok(())
    }

    fn grow(&mut self, groups: usize) {
        self.keys.grow(groups);
        self.values.grow(groups);
    }

    fn len(&self) -> usize {
        self.values.bytes.len()
    }

    fn rows(&self, count: usize) -> Result<[ArrayRef; 2]> {
        let values = &self.values.bytes[..count];
        let known: NullBuffer = values.iter().map(|bytes| !bytes.is_empty()).collect::<Vec<bool>>().into();
        Ok([self.encoding.decode(values)?, self.keys.decode(known)?])
    }

    fn forget(&mut self, count: usize) {
        self.keys.forget(count);
        self.values.forget(count);
    }

    fn size(&self) -> usize {
        self.keys.size() + self.values.size() + self.encoding.converter.size()
    }
}

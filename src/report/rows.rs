//! The rows of a section: in memory while they are few, on this machine's disk when they are many.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use crate::error::{Error, Result};
use crate::output::present::Presentation;
use crate::output::{Format, Style, drain};

/// Bytes of rows that stay in memory for each section.
const BYTES_MAX: usize = 16 << 20;

/// Rows that were computed once and are read as often as there are forms.
#[derive(Debug)]
pub struct Rows {
    pub schema: SchemaRef,
    /// The first rows; all of them where nothing was put aside.
    head: Vec<RecordBatch>,
    /// The rest, without a name on the disk.
    rest: Option<File>,
    pub count: u64,
}

/// Rows that are being gathered.
pub struct Gathering {
    schema: SchemaRef,
    head: Vec<RecordBatch>,
    head_bytes: usize,
    rest: Option<StreamWriter<BufWriter<File>>>,
    count: u64,
}

impl Gathering {
    pub fn new(schema: SchemaRef) -> Self {
        Self { schema, head: Vec::new(), head_bytes: 0, rest: None, count: 0 }
    }

    /// Takes rows in.
    ///
    /// # Errors
    /// `Storage` when they must be put aside and the disk refuses.
    pub fn add(&mut self, batch: RecordBatch) -> Result<()> {
        self.count += batch.num_rows() as u64;
        let bytes = batch.get_array_memory_size();
        if self.rest.is_none() && self.head_bytes + bytes <= BYTES_MAX {
            self.head_bytes += bytes;
            self.head.push(batch);
            return Ok(());
        }
        let rest = match &mut self.rest {
            Some(rest) => rest,
            none => {
                let file = tempfile::tempfile().map_err(|error| cannot(ArrowError::from(error)))?;
                none.insert(StreamWriter::try_new_buffered(file, &self.schema).map_err(cannot)?)
            }
        };
        rest.write(&batch).map_err(cannot)
    }

    /// All rows.
    ///
    /// # Errors
    /// `Storage` when the disk refuses.
    pub fn finish(self) -> Result<Rows> {
        let rest = self.rest.map(|mut rest| {
            rest.finish()?;
            rest.into_inner()?.into_inner().map_err(|error| ArrowError::from(error.into_error()))
        });
        Ok(Rows { schema: self.schema, head: self.head, rest: rest.transpose().map_err(cannot)?, count: self.count })
    }
}

impl Rows {
    /// All rows, from the first.
    ///
    /// # Errors
    /// `Storage` when those put aside cannot be read.
    pub fn batches(&self) -> Result<impl Iterator<Item = Result<RecordBatch>> + '_> {
        let rest = self.rest.as_ref().map(|file| {
            let mut file = file.try_clone()?;
            file.rewind()?;
            StreamReader::try_new(BufReader::new(file), None)
        });
        let rest = rest.transpose().map_err(cannot)?;
        let rest = rest.into_iter().flatten().map(|batch| batch.map_err(cannot));
        Ok(self.head.iter().cloned().map(Ok).chain(rest))
    }

    /// Writes all rows as a program reads them, under the columns' own names.
    ///
    /// # Errors
    /// As [`Self::batches`]; `Storage` when writing fails.
    pub async fn write(&self, out: impl Write + Send, format: Format, csv_safe: bool) -> Result<()> {
        let present = Presentation::default();
        let style = Style { format, width: None, rows_max: None, turns: false, csv_safe, present };
        drain(&self.schema, futures::stream::iter(self.batches()?), out, &style).await?;
        Ok(())
    }

    /// The first rows, so many or all.
    ///
    /// # Errors
    /// As [`Self::batches`].
    pub fn first(&self, count: usize) -> Result<RecordBatch> {
        let mut taken = Vec::new();
        let mut left = count;
        for batch in self.batches()? {
            if left == 0 {
                break;
            }
            let batch = batch?;
            let batch = batch.slice(0, batch.num_rows().min(left));
            left -= batch.num_rows();
            taken.push(batch);
        }
        arrow::compute::concat_batches(&self.schema, &taken).map_err(cannot)
    }
}

fn cannot(error: ArrowError) -> Error {
    Error::storage(format!("cannot put rows of a report aside: {error}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn many_rows_come_back_as_they_went_in_as_often_as_asked() {
        let batch = |from: i64| {
            let numbers = Arc::new(Int64Array::from_iter_values(from..from + 1000)) as _;
            let texts = Arc::new(StringArray::from_iter_values((0..1000).map(|_| "x".repeat(1000)))) as _;
            RecordBatch::try_from_iter([("number", numbers), ("text", texts)]).expect("columns of one length")
        };
        let mut gathering = Gathering::new(batch(0).schema());
        for from in 0..40 {
            gathering.add(batch(from * 1000)).expect("room on the disk");
        }
        let rows = gathering.finish().expect("room on the disk");
        assert!(rows.rest.is_some(), "some 40 MB do not stay in memory");
        assert_eq!(rows.count, 40_000);
        for _ in 0..2 {
            let mut wanted = 0..40_000_i64;
            for batch in rows.batches().expect("readable") {
                for number in batch.expect("readable").column(0).as_primitive::<Int64Type>().values() {
                    assert_eq!(Some(*number), wanted.next());
                }
            }
            assert_eq!(wanted.next(), None);
        }
        assert_eq!(rows.first(1_500).expect("readable").num_rows(), 1_500);
        assert_eq!(rows.first(50_000).expect("readable").num_rows(), 40_000);
    }
}

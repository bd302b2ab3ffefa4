//! CSV files whose errors say which value or row of which file is wrong: the engine's reader knows neither the name of the file nor
//! those of its columns.
//!
//! The reader takes a quote that is never closed for a value that ends with the file, and passes over blank lines, each of which is a
//! row where there is one column. So it reads texts that were looked through on their way: [`Texts`].

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};
use datafusion_datasource::TableSchema;
use datafusion_datasource::file_stream::{FileOpenFuture, FileOpener};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};

use super::csv::BYTE_ORDER_MARK;
use crate::error::{Error, Result};
use crate::lake::column::type_name;
use crate::storage::Location;

/// What is to be done with a text of another encoding.
pub const LATIN: &str = "write it again as UTF-8; what Excel wrote, with `iconv -f windows-1252 -t utf-8`";

/// Bytes of a file on the disk that are read at once.
const CHUNK: usize = 256 << 10;

/// A scan of the CSV files at a location, with errors that name them.
pub fn named(scan: Arc<dyn ExecutionPlan>, location: &Location, separator: u8) -> Arc<dyn ExecutionPlan> {
    let config =
        scan.downcast_ref::<DataSourceExec>().and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>());
    let Some(config) = config else { return scan };
    let source = Source { engine: Arc::clone(config.file_source()), location: location.clone(), separator };
    let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
    DataSourceExec::from_data_source(config)
}

/// The engine's source of CSV files, and where they lie.
struct Source {
    engine: Arc<dyn FileSource>,
    location: Location,
    separator: u8,
}

impl Source {
    fn over(&self, engine: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        Arc::new(Self { engine, location: self.location.clone(), separator: self.separator })
    }
}

impl FileSource for Source {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> EngineResult<Arc<dyn FileOpener>> {
        let schema = Arc::clone(self.engine.table_schema().file_schema());
        let texts = Texts {
            inner: store,
            location: self.location.clone(),
            compression: config.file_compression_type,
            separator: self.separator,
            columns: schema.fields().len(),
        };
        let mut unpacked = config.clone();
        unpacked.file_compression_type = FileCompressionType::UNCOMPRESSED;
        Ok(Arc::new(Opener {
            engine: self.engine.create_file_opener(Arc::new(texts), &unpacked, partition)?,
            schema,
            location: self.location.clone(),
        }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.engine.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        self.over(self.engine.with_batch_size(batch_size))
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.engine.projection()
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> EngineResult<Option<Arc<dyn FileSource>>> {
        Ok(self.engine.try_pushdown_projection(projection)?.map(|engine| self.over(engine)))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.engine.metrics()
    }

    fn file_type(&self) -> &str {
        self.engine.file_type()
    }

    fn fmt_extra(&self, form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.fmt_extra(form, f)
    }

    fn supports_repartitioning(&self) -> bool {
        self.engine.supports_repartitioning()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        self.engine.apply_expressions(f)
    }
}

struct Opener {
    engine: Arc<dyn FileOpener>,
    schema: SchemaRef,
    location: Location,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> EngineResult<FileOpenFuture> {
        let shown = self.location.shown(&file.object_meta.location);
        let schema = Arc::clone(&self.schema);
        let opened = self.engine.open(file)?;
        Ok(Box::pin(async move {
            let batches = opened.await.map_err(|error| explained(error, &schema, &shown))?;
            Ok(batches.map(move |batch| batch.map_err(|error| explained(error, &schema, &shown))).boxed())
        }))
    }
}

/// The files of a store as the engine's reader is to have them: unpacked, held to their quotes, and with a value in each row.
#[derive(Debug)]
struct Texts {
    inner: Arc<dyn ObjectStore>,
    location: Location,
    compression: FileCompressionType,
    separator: u8,
    columns: usize,
}

impl Texts {
    fn unpacked(&self, payload: GetResultPayload, shown: &str) -> StoreResult<BoxStream<'static, StoreResult<Bytes>>> {
        match payload {
            GetResultPayload::File(file, _) => self.chunks(file, shown),
            GetResultPayload::Stream(bytes) if !self.compression.is_compressed() => Ok(bytes),
            GetResultPayload::Stream(bytes) => {
                let bytes = bytes.map_err(DataFusionError::from).boxed();
                Ok(self.compression.convert_stream(bytes).map_err(carried)?.map_err(carried).boxed())
            }
        }
    }

    fn chunks(&self, file: File, shown: &str) -> StoreResult<BoxStream<'static, StoreResult<Bytes>>> {
        let mut text = self.compression.convert_read(file).map_err(carried)?;
        let doing = format!("cannot read `{shown}`");
        let is_packed = self.compression.is_compressed();
        let chunks = std::iter::from_fn(move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            match text.by_ref().take(CHUNK as u64).read_to_end(&mut chunk) {
                Ok(0) => None,
                Ok(_) => Some(Ok(Bytes::from(chunk))),
                Err(error) if is_packed => Some(Err(carried(Error::invalid(format!("{doing}: {error}"))))),
                Err(error) => Some(Err(carried(Error::storage(format!("{doing}: {error}"))))),
            }
        });
        Ok(stream::iter(chunks).boxed())
    }
}

/// An error as a store carries it; one of ours comes out of the engine as it went in.
fn carried(error: impl StdError + Send + Sync + 'static) -> StoreError {
    StoreError::Generic { store: "csv", source: Box::new(error) }
}

impl fmt::Display for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Texts {
    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> StoreResult<GetResult> {
        let GetResult { payload, meta, range, attributes } = self.inner.get_opts(location, options).await?;
        let shown = self.location.shown(location);
        let text = self.unpacked(payload, &shown)?;
        let check = Check::new(Quotes::new(self.separator, &shown), self.columns);
        let checked = stream::try_unfold((text, check), |(mut text, mut check)| async move {
            match text.try_next().await? {
                Some(bytes) => {
                    let bytes = check.pass(bytes).map_err(carried)?;
                    Ok(Some((bytes, (text, check))))
                }
                None => check.quotes.end().map(|()| None).map_err(carried),
            }
        });
        Ok(GetResult { payload: GetResultPayload::Stream(checked.boxed()), meta, range, attributes })
    }

    async fn put_opts(
        &self,
        location: &ObjectPath,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &ObjectPath,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<ObjectPath>>,
    ) -> BoxStream<'static, StoreResult<ObjectPath>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &ObjectPath, to: &ObjectPath, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// What is seen of a text on its way to the reader.
struct Check {
    quotes: Quotes,
    columns: usize,
    /// The last byte that passed.
    last: Option<u8>,
    /// Whether anything but line breaks has passed.
    has_header: bool,
}

impl Check {
    fn new(quotes: Quotes, columns: usize) -> Self {
        Self { quotes, columns, last: None, has_header: false }
    }

    /// The next part of the text as the reader is to have it.
    ///
    /// # Errors
    /// As [`Quotes::see`].
    fn pass(&mut self, text: Bytes) -> Result<Bytes> {
        let has_mark = self.last.is_none() && text.starts_with(BYTE_ORDER_MARK);
        let text = if has_mark { text.slice(BYTE_ORDER_MARK.len()..) } else { text };
        if self.columns == 1 && self.may_have_blank_lines(&text) {
            return self.filled(&text).map(Bytes::from);
        }
        self.see(&text)?;
        Ok(text)
    }

    fn may_have_blank_lines(&self, text: &[u8]) -> bool {
        let ends = self.last.zip(text.first().copied());
        ends.is_some_and(|(last, next)| is_blank(last, next)) || text.windows(2).any(|pair| is_blank(pair[0], pair[1]))
    }

    /// The text with an empty value in blank lines, as which others write the null of a single column.
    fn filled(&mut self, text: &[u8]) -> Result<Vec<u8>> {
        let mut filled = Vec::with_capacity(text.len() + text.len() / 8);
        for &byte in text {
            let is_row = self.has_header && self.quotes.state == State::Start;
            if is_row && self.last.is_some_and(|last| is_blank(last, byte)) {
                filled.extend_from_slice(b"\"\"");
            }
            self.see(&[byte])?;
            filled.push(byte);
        }
        Ok(filled)
    }

    fn see(&mut self, text: &[u8]) -> Result<()> {
        self.quotes.see(text)?;
        self.has_header |= text.iter().any(|byte| !b"\r\n".contains(byte));
        self.last = text.last().copied().or(self.last);
        Ok(())
    }
}

/// Whether a line that begins between these two bytes is blank.
fn is_blank(last: u8, next: u8) -> bool {
    last == b'\n' && matches!(next, b'\n' | b'\r')
}

/// Holds a text that comes in parts to its quotes: behind one that is not closed, or is closed within a value, the reader would take
/// rows for one value.
pub struct Quotes {
    separator: u8,
    shown: String,
    state: State,
    line: usize,
    /// The line in which the last quote was opened.
    opened: usize,
}

/// Where a text goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the begin of a value.
    Start,
    Unquoted,
    Quoted,
    /// Behind a quote that closes a value, or is the first of a doubled one.
    Closed,
}

impl Quotes {
    pub fn new(separator: u8, shown: &str) -> Self {
        Self { separator, shown: shown.to_owned(), state: State::Start, line: 1, opened: 1 }
    }

    /// Looks through the next part of the text, which begins behind its byte order mark.
    ///
    /// # Errors
    /// `InvalidData` when a value goes on behind its closing quote.
    pub fn see(&mut self, text: &[u8]) -> Result<()> {
        let mut rest = text;
        while let Some(&next) = rest.first() {
            let read = match self.state {
                State::Start | State::Unquoted => self.outside(rest),
                State::Quoted => self.within(rest),
                State::Closed => {
                    self.behind(next)?;
                    1
                }
            };
            self.line += rest[..read].iter().filter(|&&byte| byte == b'\n').count();
            rest = &rest[read..];
        }
        Ok(())
    }

    /// Says that the text ends here.
    ///
    /// # Errors
    /// `InvalidData` when a quote is open.
    pub fn end(&self) -> Result<()> {
        match self.state {
            State::Quoted => {
                Err(Error::invalid("a quote is opened and never closed").at(&self.shown, Some(self.opened)))
            }
            _ => Ok(()),
        }
    }

    /// Goes on behind the next quote that opens a value; one within an unquoted value is a letter.
    fn outside(&mut self, text: &[u8]) -> usize {
        let mut begin = 0;
        while let Some(found) = text[begin..].iter().position(|&byte| byte == b'"') {
            let at = begin + found;
            let is_opening = match at.checked_sub(1) {
                Some(before) => self.ends_value(text[before]),
                None => self.state == State::Start,
            };
            if is_opening {
                self.state = State::Quoted;
                self.opened = self.line + text[..at].iter().filter(|&&byte| byte == b'\n').count();
                return at + 1;
            }
            begin = at + 1;
        }
        let is_end = text.last().is_some_and(|&last| self.ends_value(last));
        self.state = if is_end { State::Start } else { State::Unquoted };
        text.len()
    }

    /// Goes on behind the next quote.
    fn within(&mut self, text: &[u8]) -> usize {
        let Some(at) = text.iter().position(|&byte| byte == b'"') else { return text.len() };
        self.state = State::Closed;
        at + 1
    }

    fn behind(&mut self, next: u8) -> Result<()> {
        self.state = match next {
            b'"' => State::Quoted,
            next if self.ends_value(next) => State::Start,
            _ => {
                let hint = format!("the quote was opened in line {}; a quote within a value is doubled", self.opened);
                return Err(Error::invalid("a value goes on behind its closing quote")
                    .at(&self.shown, Some(self.line))
                    .hint(hint));
            }
        };
        Ok(())
    }

    fn ends_value(&self, byte: u8) -> bool {
        [self.separator, b'\n', b'\r'].contains(&byte)
    }
}

/// An error of the reader with what it is about; others as they are.
fn explained(error: DataFusionError, schema: &Schema, shown: &str) -> DataFusionError {
    let told = match &error {
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::ParseError(message) => misfit(message, schema, shown),
            inner @ ArrowError::CsvError(_) => Some(unreadable(inner, shown)),
            _ => None,
        },
        _ => None,
    };
    match told {
        Some(told) => told.into(),
        None => error,
    }
}

/// What is wrong with rows that cannot be told apart, out of what the reader says.
pub fn unreadable(error: &ArrowError, shown: &str) -> Error {
    let told = match error {
        ArrowError::CsvError(message) => ragged(message).or_else(|| not_utf8(message)),
        _ => None,
    };
    match told {
        Some(told) => told.at(shown, None),
        None => Error::invalid(format!("cannot read `{shown}` as CSV: {error}")),
    }
}

/// A row with more or fewer values than the header has.
fn ragged(message: &str) -> Option<Error> {
    let (row, counts) = message.strip_prefix("incorrect number of fields for line ")?.split_once(", expected ")?;
    let (wanted, found) = counts.split_once(" got ")?;
    let (row, values) = (below_header(row)?, if found == "1" { "value" } else { "values" });
    let message = format!("row {row} below the header has {found} {values}, the header {wanted}");
    Some(
        Error::invalid(message).hint("put values that hold the separator in quotes, and delete lines above the header"),
    )
}

fn not_utf8(message: &str) -> Option<Error> {
    let row = message.strip_prefix("Encountered invalid UTF-8 data for line ")?.split_once(' ')?.0;
    Some(Error::invalid(format!("row {} below the header is not UTF-8", below_header(row)?)).hint(LATIN))
}

/// The reader counts the header as the first.
fn below_header(row: &str) -> Option<usize> {
    row.parse::<usize>().ok()?.checked_sub(1)
}

/// A value that is not of its column's type, out of what the reader says of it.
fn misfit(message: &str, schema: &Schema, shown: &str) -> Option<Error> {
    let (value, column, row) = place(message)?;
    let field = schema.fields().get(column)?;
    let kind = type_name(field.data_type());
    // A zone or a unit says nothing here.
    let kind = kind.split('(').next().unwrap_or(&kind);
    let name = field.name();
    Some(
        Error::invalid(format!("`{value}` is no {kind}: column `{name}`, row {row} below the header"))
            .at(shown, None)
            .hint("types are taken from the first 4 MB of a file; mend the value, or name the types in `create external table`"),
    )
}

/// The value, the column by its place and the row that the reader names, counted from 0 and from 1.
fn place(message: &str) -> Option<(&str, usize, &str)> {
    if let Some(rest) = message.strip_prefix("Error while parsing value '") {
        let (value, rest) = rest.split_once("' as type '")?;
        let (column, rest) = rest.split_once("' for column ")?.1.split_once(" at line ")?;
        return Some((value, column.parse().ok()?, rest.split_once('.')?.0));
    }
    let (column, rest) = message.strip_prefix("Error parsing column ")?.split_once(" at line ")?;
    let (row, reason) = rest.split_once(": ")?;
    let (value, _) = reason.split_once(" from '")?.1.rsplit_once("': ")?;
    Some((value, column.parse().ok()?, row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_says_which_value_does_not_fit_and_where_it_is() {
        for (message, wanted) in [
            (
                "Error while parsing value 'x, y' as type 'Int64' for column 1 at line 70. Row data: '[007,x, y]'",
                ("x, y", 1, "70"),
            ),
            (
                "Error parsing column 3 at line 20: Parser error: Error parsing timestamp from 'soon': error parsing date",
                ("soon", 3, "20"),
            ),
        ] {
            assert_eq!(place(message), Some(wanted));
        }
        assert_eq!(place("another error"), None);
    }

    #[test]
    fn a_text_passes_with_its_blank_lines_filled_however_it_is_cut() {
        let passed = |text: &[u8], columns: usize, size: usize| -> Result<String> {
            let mut check = Check::new(Quotes::new(b',', "x.csv"), columns);
            let mut passed = Vec::new();
            for part in text.chunks(size) {
                passed.extend_from_slice(&check.pass(Bytes::copy_from_slice(part))?);
            }
            check.quotes.end()?;
            Ok(String::from_utf8(passed).expect("it is UTF-8"))
        };
        for size in [1, 2, 3, 4, 5, 100] {
            for (text, columns, wanted) in [
                ("\n\na\nx\n\ny\n\n", 1, "\n\na\nx\n\"\"\ny\n\"\"\n"),
                ("a\r\nx\r\n\r\ny\r\n", 1, "a\r\nx\r\n\"\"\r\ny\r\n"),
                ("a\n\"x\n\n\"\"\n\ny\"\n\nb\"\n", 1, "a\n\"x\n\n\"\"\n\ny\"\n\"\"\nb\"\n"),
                ("a,b\n1,\n\n2,\"\"\n", 2, "a,b\n1,\n\n2,\"\"\n"),
            ] {
                assert_eq!(passed(text.as_bytes(), columns, size).expect("it passes"), wanted, "{size}: {text}");
            }
            for (text, message, line) in [
                ("a\n5\" pipe\n\"x\n\n", "a quote is opened and never closed", 3),
                ("a,b\n1,\"x\"\"\n2\n3,\"y\"\n", "a value goes on behind its closing quote", 4),
            ] {
                let error = passed(text.as_bytes(), 2, size).expect_err("it is damaged");
                let place = error.place().and_then(|place| place.line);
                assert_eq!((error.message(), place), (message, Some(line)), "{size}: {text}");
            }
        }
    }

    #[test]
    fn a_row_that_is_no_row_of_the_table_is_told_in_words_that_mend_it() {
        let told = |message: &str| unreadable(&ArrowError::CsvError(message.to_owned()), "x.csv");
        let ragged = told("incorrect number of fields for line 3, expected 3 got 2");
        let wanted = "row 2 below the header has 2 values, the header 3";
        assert_eq!((ragged.message(), ragged.hint_text().is_some()), (wanted, true));
        let latin = told("Encountered invalid UTF-8 data for line 22 and field 2");
        assert_eq!((latin.message(), latin.hint_text()), ("row 21 below the header is not UTF-8", Some(LATIN)));
        assert_eq!(told("another error").message(), "cannot read `x.csv` as CSV: Csv error: another error");
    }
}

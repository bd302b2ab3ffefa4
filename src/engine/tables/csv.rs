//! What a CSV file means: its separator and the types of its columns.
//!
//! A type is given only when every value of the sample has it. Digits behind a zero or a plus are text, since `00401` and `+4930401`
//! are names and no numbers; those are looked for in all of a file.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::csv::reader::{Decoder, Format};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::cast::as_string_array;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::DataFusionError;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::csv_errors::{self, Quotes};
use crate::error::{Error, Result};
use crate::storage::{Location, explain, of_store};

/// Bytes from which separator and types are taken.
const SAMPLE: usize = 4 << 20;

/// Files that are asked for at once while they are looked into, and the bytes that these have together at most.
const AT_ONCE: usize = 16;
const AT_ONCE_BYTES: u64 = 32 << 20;

/// What may stand before the text of a file.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Separators looked for in the header, the likeliest first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Looks into the files for their separator and their columns: all must have the header of the first, and all have a say in the
/// types.
///
/// # Errors
/// `InvalidData` when a header differs or a file is no text.
pub async fn sniff(
    store: &Arc<dyn ObjectStore>,
    location: &Location,
    files: &[ObjectMeta],
    compression: FileCompressionType,
) -> Result<(u8, SchemaRef)> {
    let shown = location.shown(&files[0].location);
    let sample = head(store, location, &files[0], compression).await?;
    let header = first_row(&sample);
    if header.strip_prefix(b"sep=").is_some_and(|separator| separator.len() <= 1) {
        return Err(Error::invalid("the first line names the separator, not the columns")
            .at(&shown, Some(1))
            .hint("delete the line, as with `tail -n +2`; the separator is found without it"));
    }
    let separator = separator(header);
    let first = headings(&sample, separator, &shown)?;
    let mut guesses = Guesses::of(&sample, separator, &shown)?;
    let mut longer: Vec<&ObjectMeta> = files[..1].iter().filter(|_| sample.len() >= SAMPLE).collect();
    let others = &files[1..];
    let heads: Vec<_> = others.iter().map(|file| head(store, location, file, compression).boxed()).collect();
    let mut heads = stream::iter(others).zip(stream::iter(heads).buffered(at_once(others)));
    while let Some((file, other)) = heads.next().await {
        let (other, name) = (other?, location.shown(&file.location));
        if headings(&other, separator, &name)? != first {
            return Err(Error::invalid(format!("the header of `{name}` is not that of `{shown}`"))
                .hint("CSV columns are told apart by their place; read files with different headers one by one"));
        }
        guesses.see(&other, separator, &name)?;
        longer.extend((other.len() >= SAMPLE).then_some(file));
    }
    for file in longer {
        if !guesses.guesses.iter().any(|guess| guess.is_whole()) {
            break;
        }
        guesses.see_zeros(unpacked(store, location, file, compression).await?, separator).await?;
    }
    Ok((separator, Arc::new(guesses.schema())))
}

/// How many of these files may be asked for at once: of large ones fewer, since what comes is kept until its turn.
pub fn at_once(files: &[ObjectMeta]) -> usize {
    let largest = files.iter().map(|file| file.size).max().unwrap_or_default().max(1);
    usize::try_from(AT_ONCE_BYTES / largest).map_or(AT_ONCE, |count| count.clamp(1, AT_ONCE))
}

/// How files with this separator are read.
pub fn format(separator: u8, compression: FileCompressionType) -> CsvFormat {
    CsvFormat::default()
        .with_has_header(true)
        .with_delimiter(separator)
        // A quoted value may hold a line break; splitting the file for speed would then cut a row in two.
        .with_newlines_in_values(true)
        .with_file_compression_type(compression)
}

/// These names, of which those that were there before get a number: `a`, `a_2`.
pub fn distinct_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen = HashSet::new();
    let distinct = |written: &str| {
        let mut name = written.to_owned();
        let mut number = 1;
        while !seen.insert(name.clone()) {
            number += 1;
            name = format!("{written}_{number}");
        }
        name
    };
    names.into_iter().map(distinct).collect()
}

/// The first bytes of a file, unpacked.
///
/// # Errors
/// As [`unpacked`]; `InvalidData` when they are not UTF-8.
async fn head(
    store: &Arc<dyn ObjectStore>,
    location: &Location,
    file: &ObjectMeta,
    compression: FileCompressionType,
) -> Result<Vec<u8>> {
    let mut stream = unpacked(store, location, file, compression).await?;
    let mut head = Vec::new();
    while let Some(bytes) = stream.try_next().await? {
        head.extend_from_slice(&bytes);
        if head.len() >= SAMPLE {
            break;
        }
    }
    match not_utf8(&head, 1, &location.shown(&file.location)) {
        Some(error) => Err(error),
        None => Ok(head),
    }
}

/// Says of a text that it is not UTF-8, should that be so; it may be cut off within a letter.
///
/// `line` is that in which it begins.
pub fn not_utf8(text: &[u8], line: usize, shown: &str) -> Option<Error> {
    let error = std::str::from_utf8(text).err().filter(|error| error.error_len().is_some())?;
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        let error = Error::invalid("the text is UTF-16, not UTF-8").at(shown, None);
        return Some(error.hint("write it again, as with `iconv -f utf-16 -t utf-8`"));
    }
    let line = line + text[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
    Some(Error::invalid("the text is not UTF-8").at(shown, Some(line)).hint(csv_errors::LATIN))
}

/// The bytes of a file, unpacked.
///
/// # Errors
/// `Storage` when it cannot be read, `InvalidData` when it is not packed as its name says.
pub async fn unpacked(
    store: &Arc<dyn ObjectStore>,
    location: &Location,
    file: &ObjectMeta,
    compression: FileCompressionType,
) -> Result<BoxStream<'static, Result<Bytes>>> {
    let doing = format!("cannot read `{}`", location.shown(&file.location));
    let bytes = store.get(&file.location).await.map_err(|error| explain(&error, &doing))?;
    let damaged = move |error: DataFusionError| match of_store(&error) {
        Some(error) => explain(error, &doing),
        None => Error::invalid(format!("{doing}: {}", error.strip_backtrace())),
    };
    let stream = bytes.into_stream().map_err(DataFusionError::from).boxed();
    let stream = compression.convert_stream(stream).map_err(&damaged)?;
    Ok(stream.map_err(damaged).boxed())
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// The first row as it is written; a heading in quotes may have line breaks.
fn first_row(text: &[u8]) -> &[u8] {
    let text = without_mark(text);
    let begin = text.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(text.len());
    let text = &text[begin..];
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\r' | b'\n' => return &text[..at],
            b'"' if at == 0 || SEPARATORS.contains(&text[at - 1]) => {
                at = closing_quote(text, at).map_or(text.len(), |closed| closed + 1);
            }
            _ => at += 1,
        }
    }
    text
}

/// Where the quote at `open` is closed; a doubled one stands for itself.
fn closing_quote(text: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += text[at..].iter().position(|&byte| byte == b'"')?;
        if text.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// The headings as files are held against each other: a blank behind one makes no other column.
fn headings(sample: &[u8], separator: u8, shown: &str) -> Result<Vec<String>> {
    let header = header(sample, separator, shown)?;
    Ok(header.fields().iter().map(|field| field.name().trim_end().to_owned()).collect())
}

/// The columns that the header names.
fn header(sample: &[u8], separator: u8, shown: &str) -> Result<Schema> {
    let format = Format::default().with_header(true).with_delimiter(separator);
    let (header, _) = format.infer_schema(sample, Some(0)).map_err(|error| csv_errors::unreadable(&error, shown))?;
    Ok(header)
}

/// The separator that the header has most of, outside quotes.
fn separator(header: &[u8]) -> u8 {
    let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
    let mut quoted = false;
    for &byte in header {
        match byte {
            b'"' => quoted = !quoted,
            byte if !quoted && SEPARATORS.contains(&byte) => *counts.entry(byte).or_default() += 1,
            _ => {}
        }
    }
    // `max_by_key` keeps the last of equals, hence the reversal.
    SEPARATORS.into_iter().rev().max_by_key(|separator| counts.get(separator).copied()).unwrap_or(b',')
}

/// What the columns of one table can still be.
struct Guesses {
    names: Vec<String>,
    guesses: Vec<Guess>,
}

impl Guesses {
    /// From the sample of the first file.
    fn of(sample: &[u8], separator: u8, shown: &str) -> Result<Self> {
        let header = header(sample, separator, shown)?;
        let names = distinct_names(header.fields().iter().map(|field| field.name().as_str()));
        let mut guesses = Self { guesses: vec![Guess::default(); names.len()], names };
        guesses.see(sample, separator, shown)?;
        Ok(guesses)
    }

    /// Lets the values of a sample have their say.
    fn see(&mut self, sample: &[u8], separator: u8, shown: &str) -> Result<()> {
        let complete = match sample.len() {
            SAMPLE.. => sample.iter().rposition(|&byte| byte == b'\n').map_or(sample, |end| &sample[..=end]),
            _ => sample,
        };
        let mut quotes = Quotes::new(separator, shown);
        quotes.see(without_mark(complete))?;
        if sample.len() < SAMPLE {
            quotes.end()?;
        }
        let reader = self.texts(separator).build(complete).map_err(|error| csv_errors::unreadable(&error, shown))?;
        for batch in reader {
            match batch {
                Ok(batch) => look(&batch, &mut self.guesses).map_err(|error| Error::internal(error.to_string()))?,
                // The sample may end inside a quoted value; what came before it counts.
                Err(_) if sample.len() >= SAMPLE => break,
                Err(error) => return Err(csv_errors::unreadable(&error, shown)),
            }
        }
        Ok(())
    }

    /// Lets the leading zeros and signs of a whole file have their say: a whole number would lose them without a word. Any other value that
    /// is of another type than those of the sample is an error when it is read.
    async fn see_zeros(&mut self, mut text: BoxStream<'static, Result<Bytes>>, separator: u8) -> Result<()> {
        let whole: Vec<usize> = (0..self.names.len()).filter(|&place| self.guesses[place].is_whole()).collect();
        let mut decoder = self.texts(separator).with_projection(whole.clone()).build_decoder();
        while let Some(bytes) = text.try_next().await? {
            let mut rest: &[u8] = &bytes;
            while !rest.is_empty() {
                // What is damaged is told when it is read.
                let Ok(read) = decoder.decode(rest) else { return Ok(()) };
                rest = &rest[read..];
                if decoder.capacity() == 0 && look_for_zeros(&mut decoder, &whole, &mut self.guesses).is_none() {
                    return Ok(());
                }
            }
        }
        // An end without a line break ends the last row.
        if decoder.decode(&[]).is_ok() {
            look_for_zeros(&mut decoder, &whole, &mut self.guesses);
        }
        Ok(())
    }

    /// Readers of the columns as texts.
    fn texts(&self, separator: u8) -> ReaderBuilder {
        let texts: Vec<Field> = self.names.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        ReaderBuilder::new(Arc::new(Schema::new(texts))).with_header(true).with_delimiter(separator)
    }

    /// The columns with the types that all their values have.
    fn schema(&self) -> Schema {
        let fields =
            self.names.iter().zip(&self.guesses).map(|(name, guess)| Field::new(name, guess.data_type(), true));
        Schema::new(fields.collect::<Vec<_>>())
    }
}

fn look(batch: &RecordBatch, guesses: &mut [Guess]) -> datafusion::error::Result<()> {
    for (values, guess) in batch.columns().iter().zip(guesses) {
        let values = as_string_array(values)?;
        values.iter().flatten().filter(|value| !value.is_empty()).for_each(|value| guess.see(value));
    }
    Ok(())
}

/// Looks for digits that are a name in the rows decoded so far, of which these are the columns; `None` when no more need be looked at.
fn look_for_zeros(decoder: &mut Decoder, columns: &[usize], guesses: &mut [Guess]) -> Option<()> {
    let batch = decoder.flush().ok()??;
    for (values, &place) in batch.columns().iter().zip(columns) {
        let values = as_string_array(values).ok()?;
        values.iter().flatten().filter(|value| is_name(value)).for_each(|value| guesses[place].see(value));
    }
    columns.iter().any(|&place| guesses[place].is_whole()).then_some(())
}

/// What a column can still be after the values seen.
#[derive(Clone, Copy, Debug)]
struct Guess {
    seen: bool,
    int: bool,
    float: bool,
    bool: bool,
    date: bool,
    timestamp: bool,
    instant: bool,
}

impl Default for Guess {
    fn default() -> Self {
        Self { seen: false, int: true, float: true, bool: true, date: true, timestamp: true, instant: true }
    }
}

impl Guess {
    fn see(&mut self, value: &str) {
        self.seen = true;
        let is_name = is_name(value);
        self.int = self.int && !is_name && value.parse::<i64>().is_ok();
        // Digits too many for a whole number are a name, of which a float would lose the end.
        let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
        let is_long = digits.bytes().all(|byte| byte.is_ascii_digit()) && value.parse::<i64>().is_err();
        self.float = self.float && !is_name && !is_long && is_decimal(value);
        self.bool = self.bool && matches!(value, "true" | "false" | "True" | "False" | "TRUE" | "FALSE");
        self.date = self.date && value.len() == 10 && value.parse::<NaiveDate>().is_ok();
        self.timestamp = self.timestamp && is_timestamp(value);
        self.instant = self.instant && DateTime::parse_from_rfc3339(value).is_ok();
    }

    fn is_whole(self) -> bool {
        self.data_type() == DataType::Int64
    }

    fn data_type(self) -> DataType {
        match self {
            Self { seen: false, .. } => DataType::Utf8,
            Self { int: true, .. } => DataType::Int64,
            Self { float: true, .. } => DataType::Float64,
            Self { bool: true, .. } => DataType::Boolean,
            Self { date: true, .. } => DataType::Date32,
            Self { timestamp: true, .. } => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self { instant: true, .. } => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            _ => DataType::Utf8,
        }
    }
}

/// Whether a value has digits as a name has them: behind a zero, or behind a plus and with nothing else, as telephones do.
fn is_name(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value).as_bytes();
    let has_leading_zero = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
    has_leading_zero || (value.starts_with('+') && digits.iter().all(u8::is_ascii_digit))
}

/// Digits with a point or an exponent; not `inf`, not `NaN`, which are words in a survey.
fn is_decimal(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) && value.parse::<f64>().is_ok()
}

fn is_timestamp(value: &str) -> bool {
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    forms.iter().any(|form| NaiveDateTime::parse_from_str(value, form).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<DataType> {
        let separator = separator(first_row(text.as_bytes()));
        let schema = Guesses::of(text.as_bytes(), separator, "x.csv").expect("readable CSV").schema();
        schema.fields().iter().map(|field| field.data_type().clone()).collect()
    }

    #[test]
    fn leading_zeros_make_a_column_text() {
        assert_eq!(kinds("id,n\n00401,1\n12,2\n"), [DataType::Utf8, DataType::Int64]);
        assert_eq!(kinds("x\n0\n10\n"), [DataType::Int64]);
        assert_eq!(kinds("x\n12345678901234567890123\n1\n"), [DataType::Utf8]);
        assert_eq!(kinds("x\n-12345678901234567890\n1\n"), [DataType::Utf8]);
        assert_eq!(kinds("x\n0.5\n-0.25\n+1.5\n"), [DataType::Float64]);
        assert_eq!(kinds("x\n+491701234567\n+441234567890\n"), [DataType::Utf8]);
        assert_eq!(kinds("x\n1\n+07\n"), [DataType::Utf8]);
    }

    #[test]
    fn types_are_taken_only_when_every_value_has_them() {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let text = "a;b;c;d;e\n1;true;2026-01-01;2026-01-01T00:00:00Z;\n;false;2026-02-01;2026-01-01T01:00:00+01:00;\n";
        assert_eq!(kinds(text), [DataType::Int64, DataType::Boolean, DataType::Date32, utc, DataType::Utf8]);
        assert_eq!(kinds("a,b\n1,2026-01-01\nx,2026-13-01\n"), [DataType::Utf8, DataType::Utf8]);
        assert_eq!(kinds("a\nNaN\n1\n"), [DataType::Utf8]);
    }

    #[test]
    fn the_separator_is_the_one_that_the_header_has_most_of() {
        assert_eq!(separator(b"a;b;c"), b';');
        assert_eq!(separator(b"\"a;b;c\",d"), b',');
        assert_eq!(separator(b"a\tb"), b'\t');
        assert_eq!(separator(b"single"), b',');
        for text in ["\"Q1\nlong\";x;y\n1;2;3\n", "\r\n\na;b;c\r\n1,2,3,4,5\r\n", "\u{feff}\"a\"\"\r\n,\";17\";c\n"] {
            assert_eq!(separator(first_row(text.as_bytes())), b';', "{text}");
        }
    }

    #[test]
    fn headings_that_are_there_twice_get_a_number() {
        let guesses = Guesses::of(b"a,a,a_2,,\n1,2,3,4,5\n", b',', "x.csv").expect("readable CSV");
        assert_eq!(guesses.names, ["a", "a_2", "a_2_2", "", "_2"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_name() {
        let schema =
            Guesses::of("\u{feff}Agency,City\nx,y\n".as_bytes(), b',', "x.csv").expect("readable CSV").schema();
        assert_eq!(schema.field(0).name(), "Agency");
    }
}

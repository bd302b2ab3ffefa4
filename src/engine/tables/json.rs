//! What a JSON file means: how its records are laid out, and the types of its columns.
//!
//! All records of all files have a say. Types that were taken from the first of them would cut the values of later ones, and
//! leave columns out that only those have.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};
use indexmap::IndexMap;
use object_store::{ObjectMeta, ObjectStore};
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;

use super::csv;
use crate::error::{Error, Result};
use crate::storage::Location;

/// Bytes that are gathered before records are looked for in them.
const PART: usize = 1 << 20;

/// How the records of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// Each within a line.
    Lines,
    /// One behind the other, some over several lines.
    Values,
    /// In one array.
    Array,
}

/// Looks through the files for their layout and their columns, in the order in which records name them first.
///
/// # Errors
/// `Storage` when a file cannot be read; `InvalidData` when it is no JSON, when values of a column are of several types, or when
/// some files are arrays and others are not.
pub async fn sniff(
    store: &Arc<dyn ObjectStore>,
    location: &Location,
    files: &[ObjectMeta],
    compression: FileCompressionType,
) -> Result<(Layout, SchemaRef)> {
    let mut columns = Columns::default();
    let mut known: Option<(Layout, String)> = None;
    let texts: Vec<_> = files.iter().map(|file| csv::unpacked(store, location, file, compression).boxed()).collect();
    let mut texts = stream::iter(files).zip(stream::iter(texts).buffered(csv::at_once(files)));
    while let Some((file, text)) = texts.next().await {
        let shown = location.shown(&file.location);
        let Some(found) = see_file(text?, &shown, &mut columns).await? else { continue };
        known = Some(match known {
            Some((layout, first)) if (layout == Layout::Array) == (found == Layout::Array) => {
                (layout.max(found), first)
            }
            Some((_, first)) => {
                return Err(Error::invalid(format!("one of `{first}` and `{shown}` is an array, the other is not"))
                    .hint("narrow the path with a glob, and read them one by one"));
            }
            None => (found, shown),
        });
    }
    let layout = known.map_or(Layout::Lines, |(layout, _)| layout);
    Ok((layout, Arc::new(Schema::new(columns.fields()))))
}

/// Lets all records of a file have their say; how they are laid out, `None` for a file of nothing.
async fn see_file(
    mut text: BoxStream<'static, Result<Bytes>>,
    shown: &str,
    columns: &mut Columns,
) -> Result<Option<Layout>> {
    let mut reader = Reader::new(shown, columns);
    let mut rest = Vec::new();
    let mut wanted = PART;
    while let Some(bytes) = text.try_next().await? {
        rest.extend_from_slice(&bytes);
        if rest.len() >= wanted {
            let read = reader.read(&rest)?;
            rest.drain(..read);
            // So that a long record is not begun anew with every few bytes more of it.
            wanted = PART.max(2 * rest.len());
        }
    }
    let read = reader.read(&rest)?;
    reader.end(&rest[read..])
}

/// What of an array was read last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Bracket,
    Record,
    Comma,
}

impl Last {
    /// Whether an array can go on with what begins with this byte.
    fn goes_before(self, byte: u8) -> bool {
        match byte {
            b',' => self == Self::Record,
            b']' => self != Self::Comma,
            _ => self != Self::Record,
        }
    }
}

/// Reads a file part by part.
struct Reader<'a> {
    shown: &'a str,
    columns: &'a mut Columns,
    layout: Option<Layout>,
    last: Last,
    /// Whether the array has ended.
    is_closed: bool,
    /// Line breaks in the parts that were read.
    breaks: usize,
}

impl<'a> Reader<'a> {
    fn new(shown: &'a str, columns: &'a mut Columns) -> Self {
        Self { shown, columns, layout: None, last: Last::Bracket, is_closed: false, breaks: 0 }
    }

    /// Reads the records that end in this part; how many bytes of it they take. The next part begins behind those.
    fn read(&mut self, part: &[u8]) -> Result<usize> {
        let mut at = 0;
        while self.finds_record(part, &mut at)? {
            let mut json = Deserializer::from_slice(&part[at..]);
            let mut misfit = None;
            if let Err(error) = (Record { columns: self.columns, misfit: &mut misfit }).deserialize(&mut json) {
                if error.is_eof() {
                    break;
                }
                return Err(match misfit {
                    Some(misfit) => misfit.told().at(self.shown, Some(self.line(part, at))),
                    None if error.is_data() => Error::invalid("a record is no object")
                        .at(self.shown, Some(self.line(part, at)))
                        .hint("each record is an object, whose names are those of the columns"),
                    None => self.broken(part, at, &error),
                });
            }
            let end = at + json.into_iter::<IgnoredAny>().byte_offset();
            if self.layout == Some(Layout::Lines) && part[at..end].contains(&b'\n') {
                self.layout = Some(Layout::Values);
            }
            self.last = Last::Record;
            at = end;
        }
        self.breaks += breaks(&part[..at]);
        Ok(at)
    }

    /// Moves on to where a record begins, if any does.
    fn finds_record(&mut self, part: &[u8], at: &mut usize) -> Result<bool> {
        while let Some(more) = part[*at..].iter().position(|byte| !byte.is_ascii_whitespace()) {
            *at += more;
            match (self.layout, part[*at]) {
                _ if self.is_closed => {
                    return Err(Error::invalid("the file goes on behind its array")
                        .at(self.shown, Some(self.line(part, *at)))
                        .hint("a file is one array, or has objects without an array"));
                }
                (Some(Layout::Array), byte) if !self.last.goes_before(byte) => {
                    return Err(Error::invalid("this is no JSON: two records of an array have one comma between them")
                        .at(self.shown, Some(self.line(part, *at)))
                        .hint("a comma is missing here, or there is one too many"));
                }
                (Some(Layout::Array), b']') => self.is_closed = true,
                (Some(Layout::Array), b',') => self.last = Last::Comma,
                (None, b'[') => self.layout = Some(Layout::Array),
                (layout, _) => {
                    self.layout = layout.or(Some(Layout::Lines));
                    return Ok(true);
                }
            }
            *at += 1;
        }
        *at = part.len();
        Ok(false)
    }

    /// The layout of the file, of which this was not read.
    fn end(self, rest: &[u8]) -> Result<Option<Layout>> {
        if rest.is_empty() && (self.layout != Some(Layout::Array) || self.is_closed) {
            return Ok(self.layout);
        }
        Err(Error::invalid("the file is cut off")
            .at(self.shown, Some(self.line(rest, 0)))
            .hint("its last record, or the array of all, does not end; write it again"))
    }

    /// What is wrong with the record that begins here.
    fn broken(&self, part: &[u8], at: usize, error: &serde_json::Error) -> Error {
        let line = self.line(part, at);
        if let Some(error) = csv::not_utf8(&part[at..], line, self.shown) {
            return error;
        }
        let said = error.to_string();
        let reason = said.split(" at line ").next().unwrap_or(&said);
        let hint = match part[at..].starts_with("\u{feff}".as_bytes()) {
            true => "write it without its byte order mark, as with `tail -c +4`",
            false => "records are objects, one behind the other or in one array; `NaN` is written as `null`",
        };
        Error::invalid(format!("this is no JSON: {reason}"))
            .at(self.shown, Some(line + error.line().saturating_sub(1)))
            .hint(hint)
    }

    /// The line of the file in which a part has this byte.
    fn line(&self, part: &[u8], at: usize) -> usize {
        self.breaks + breaks(&part[..at]) + 1
    }
}

fn breaks(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte == b'\n').count()
}

/// What objects have under their names, in the order in which they name them first.
#[derive(Default)]
struct Columns(IndexMap<String, Shape>);

impl Columns {
    /// The place of a name, which is likely to be this one.
    fn place(&mut self, name: &str, likely: usize) -> usize {
        if self.0.get_index(likely).is_some_and(|(known, _)| known == name) {
            return likely;
        }
        self.0.get_index_of(name).unwrap_or_else(|| self.0.insert_full(name.to_owned(), Shape::Null).0)
    }

    fn fields(self) -> Fields {
        self.0.into_iter().map(|(name, shape)| Field::new(name, shape.data_type(), true)).collect()
    }
}

/// What the values of a column were so far.
enum Shape {
    Null,
    Bool,
    Int,
    /// Whole numbers of which some need all 64 bits.
    Large,
    Float,
    Text,
    List(Box<Shape>),
    Object(Columns),
}

impl Shape {
    /// Lets a value have its say that has no others within.
    fn see(&mut self, found: Self) -> Result<(), Misfit> {
        match (&*self, &found) {
            (_, Self::Null)
            | (Self::Bool, Self::Bool)
            | (Self::Text, Self::Text)
            | (Self::Int, Self::Int)
            | (Self::Large, Self::Int | Self::Large)
            | (Self::Float, Self::Int | Self::Large | Self::Float) => {}
            (Self::Null, _) | (Self::Int, Self::Large) | (Self::Int | Self::Large, Self::Float) => *self = found,
            _ => return Err(self.differs(found.word())),
        }
        Ok(())
    }

    /// The items of a list, which the value now is.
    fn items(&mut self) -> Result<&mut Self, Misfit> {
        if matches!(self, Self::Null) {
            *self = Self::List(Box::new(Self::Null));
        }
        match self {
            Self::List(items) => Ok(items),
            _ => Err(self.differs("a list")),
        }
    }

    /// The columns of an object, which the value now is.
    fn columns(&mut self) -> Result<&mut Columns, Misfit> {
        if matches!(self, Self::Null) {
            *self = Self::Object(Columns::default());
        }
        match self {
            Self::Object(columns) => Ok(columns),
            _ => Err(self.differs("an object")),
        }
    }

    fn differs(&self, found: &'static str) -> Misfit {
        Misfit { column: String::new(), found, known: self.word() }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Int | Self::Large | Self::Float => "a number",
            Self::Text => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Large => DataType::Decimal128(20, 0),
            Self::Float => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::List(items) => DataType::new_list(items.data_type(), true),
            Self::Object(columns) => DataType::Struct(columns.fields()),
        }
    }
}

/// Lets an object have its say while it is read, so that none is kept.
struct Record<'a> {
    columns: &'a mut Columns,
    /// Why it was left, when that was for the type of a value.
    misfit: &'a mut Option<Misfit>,
}

impl<'de> DeserializeSeed<'de> for Record<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, object: D) -> Result<(), D::Error> {
        object.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_> {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let Self { columns, misfit } = self;
        let mut likely = 0;
        while let Some(place) = values.next_key_seed(Name { columns, likely })? {
            let seen = values.next_value_seed(Item { shape: &mut columns.0[place], misfit });
            if let (Some(misfit), Some((name, _))) = (&mut *misfit, columns.0.get_index(place)) {
                misfit.within(name);
            }
            seen?;
            likely = place + 1;
        }
        Ok(())
    }
}

/// Lets a value have its say while it is read.
struct Item<'a> {
    shape: &'a mut Shape,
    misfit: &'a mut Option<Misfit>,
}

impl Item<'_> {
    fn see<E: de::Error>(self, found: Shape) -> Result<(), E> {
        self.shape.see(found).map_err(|misfit| left(self.misfit, misfit))
    }
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.see(Shape::Null)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.see(Shape::Bool)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.see(Shape::Int)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.see(if i64::try_from(number).is_ok() { Shape::Int } else { Shape::Large })
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.see(Shape::Float)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.see(Shape::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let Self { shape, misfit } = self;
        let shape = shape.items().map_err(|found| left(misfit, found))?;
        while values.next_element_seed(Item { shape, misfit })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, values: A) -> Result<(), A::Error> {
        let Self { shape, misfit } = self;
        let columns = shape.columns().map_err(|found| left(misfit, found))?;
        Record { columns, misfit }.visit_map(values)
    }
}

/// Ends the reading of a record for a value's type.
fn left<E: de::Error>(place: &mut Option<Misfit>, misfit: Misfit) -> E {
    *place = Some(misfit);
    E::custom("of another type")
}

/// Finds the place of a name.
struct Name<'a> {
    columns: &'a mut Columns,
    likely: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = usize;

    fn deserialize<D: serde::Deserializer<'de>>(self, name: D) -> Result<usize, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = usize;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<usize, E> {
        Ok(self.columns.place(name, self.likely))
    }
}

/// A value that is of another type than those before it.
struct Misfit {
    /// Its column, and the names within that lead to it.
    column: String,
    found: &'static str,
    known: &'static str,
}

impl Misfit {
    fn told(self) -> Error {
        Error::invalid(format!("column `{}` is {} here, and {} before", self.column, self.found, self.known))
            .hint("give a column values of one type: all in quotes or none, and `null` where there is no value")
    }

    fn within(&mut self, name: &str) {
        self.column = if self.column.is_empty() { name.to_owned() } else { format!("{name}.{}", self.column) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout and the columns of a file that comes in two parts, cut here.
    fn cut(text: &str, at: usize) -> Result<(Option<Layout>, Schema)> {
        let text = text.as_bytes();
        let mut columns = Columns::default();
        let mut reader = Reader::new("x.json", &mut columns);
        let read = reader.read(&text[..at])?;
        let rest = &text[read..];
        let read = reader.read(rest)?;
        let layout = reader.end(&rest[read..])?;
        Ok((layout, Schema::new(columns.fields())))
    }

    fn types(text: &str) -> Vec<DataType> {
        let (_, schema) = cut(text, 0).expect("readable JSON");
        schema.fields().iter().map(|field| field.data_type().clone()).collect()
    }

    fn said(text: &str) -> (String, Option<usize>) {
        let error = cut(text, 0).expect_err("it is refused");
        (error.message().to_owned(), error.place().and_then(|place| place.line))
    }

    #[test]
    fn every_record_has_a_say_in_the_columns_and_their_types() {
        let text = "{\"a\":1,\"b\":null,\"c\":[],\"d\":{\"x\":1}}\n{\"a\":0.5,\"b\":\"x\",\"c\":[1,2.5],\"d\":{\"y\":true}}\n\
                    {\"e\":null,\"d\":null}\n";
        let fields =
            [("x", DataType::Int64), ("y", DataType::Boolean)].map(|(name, kind)| Field::new(name, kind, true));
        let wanted = [
            DataType::Float64,
            DataType::Utf8,
            DataType::new_list(DataType::Float64, true),
            DataType::Struct(fields.into_iter().collect()),
            DataType::Null,
        ];
        assert_eq!(types(text), wanted);
        assert_eq!(types("{\"a\":1.5}{\"a\":2}"), [DataType::Float64]);
        assert_eq!(types("{\"a\":-1}{\"a\":null}"), [DataType::Int64]);
    }

    #[test]
    fn a_file_is_read_the_same_wherever_its_parts_are_cut() {
        for (text, layout) in [
            ("{\"a\":1,\"ü\":\"x, ]\"}\r\n\r\n{\"a\":2.5}", Some(Layout::Lines)),
            ("{\n  \"a\": 1\n}\n{\n  \"a\": null, \"b\": [true]\n}\n", Some(Layout::Values)),
            ("\n[\n  {\n    \"a\":1,\n    \"b\":\"]\\\"\"\n  },\n  {\"c\": {}}\n]\n", Some(Layout::Array)),
            ("[]", Some(Layout::Array)),
            (" \n", None),
        ] {
            let whole = cut(text, 0).expect("readable JSON");
            assert_eq!(whole.0, layout, "{text}");
            for at in 0..=text.len() {
                assert_eq!(cut(text, at).expect("readable JSON"), whole, "{text} cut at {at}");
            }
        }
    }

    #[test]
    fn what_no_column_can_hold_is_told_with_its_line() {
        for (text, message, line) in [
            ("{\"nps\":9}\n{\"nps\":\"N/A\"}", "column `nps` is text here, and a number before", 2),
            (
                "[{\"o\":{\"x\":[1]}},\n\n{\"o\":{\"x\":[{}]}}]",
                "column `o.x` is an object here, and a number before",
                3,
            ),
            ("{\"a\":[1]}\n{\"a\":3}", "column `a` is a number here, and a list before", 2),
            ("[{\"a\":1},\n2]", "a record is no object", 2),
            ("{\"a\":1}\nnull", "a record is no object", 2),
            ("{\"a\":1}\n{\"a\":NaN}", "this is no JSON: expected value", 2),
            ("{\n\"a\":1\n\"b\":2}", "this is no JSON: expected `,` or `}`", 3),
            ("\u{feff}{\"a\":1}", "this is no JSON: expected value", 1),
            ("{\"a\":1}\n{\"a\":2", "the file is cut off", 2),
            ("[{\"a\":1},\n", "the file is cut off", 2),
            ("[{\"a\":1}\n{\"a\":2}]", "this is no JSON: two records of an array have one comma between them", 2),
            ("[{\"a\":1},\n]", "this is no JSON: two records of an array have one comma between them", 2),
            ("[,{\"a\":1}]", "this is no JSON: two records of an array have one comma between them", 1),
            ("[{\"a\":1}]\n[{\"a\":1}]", "the file goes on behind its array", 2),
        ] {
            assert_eq!(said(text), (message.to_owned(), Some(line)), "{text}");
        }
    }
}

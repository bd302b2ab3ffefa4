//! Columns and their types as manifests and saved queries write them.
//!
//! One word per kind of value: `text`, `int`, `float`, `decimal(p,s)`, `bool`, `date`, `timestamp`. How wide a file
//! stores it is the file's business, as long as nothing is lost in reading.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use crate::error::{Error, Result};
use crate::suggest;

/// A declared column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnType,
    /// A file may lack the column or hold nulls in it.
    pub nullable: bool,
    pub description: Option<String>,
}

/// Holds a name to the columns that a table declares; one that declares none leaves that to its files. `what` names it.
///
/// # Errors
/// `InvalidData` with the nearest column.
pub fn check_declared(columns: &[Column], name: &str, what: &str) -> Result<()> {
    if columns.is_empty() || columns.iter().any(|known| known.name == name) {
        return Ok(());
    }
    let error = Error::invalid(format!("{what} names `{name}`, which it does not declare"));
    let names = || columns.iter().map(|column| column.name.as_str());
    Err(match suggest::nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("its columns: {}", suggest::list(names()))),
    })
}

/// What values a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    /// 64-bit signed.
    Int,
    /// 64-bit binary floating point.
    Float,
    /// Exact decimal: digits in all, digits after the point.
    Decimal(u8, i8),
    Bool,
    /// A day in the calendar, without a zone.
    Date,
    /// Microseconds since 1970 in UTC.
    Timestamp,
}

const NAMES: [&str; 7] = ["text", "int", "float", "decimal(18,2)", "bool", "date", "timestamp"];

impl ColumnType {
    /// The type that a manifest's word names.
    ///
    /// # Errors
    /// `InvalidData` with the nearest known word.
    pub fn parse(word: &str) -> Result<Self> {
        let word = word.trim();
        match word {
            "text" => Ok(Self::Text),
            "int" => Ok(Self::Int),
            "float" => Ok(Self::Float),
            "bool" => Ok(Self::Bool),
            "date" => Ok(Self::Date),
            "timestamp" => Ok(Self::Timestamp),
            _ => decimal(word).ok_or_else(|| unknown(word)),
        }
    }

    /// The type in which the engine holds the column.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// Whether a file that stores the column as `stored` holds it without loss.
    pub fn accepts(self, stored: &DataType) -> bool {
        use DataType as D;
        match (self, stored) {
            // A column without a single value, as pandas writes it, is of any type.
            (_, D::Null) => true,
            (_, D::Dictionary(_, values)) => self.accepts(values),
            (Self::Decimal(p, s), D::Decimal32(q, t) | D::Decimal64(q, t) | D::Decimal128(q, t)) => p >= *q && s == *t,
            (Self::Timestamp, D::Timestamp(unit, zone)) => *unit != TimeUnit::Nanosecond && zone.is_some(),
            (Self::Int, D::UInt64) => false,
            (Self::Int, stored) => stored.is_integer(),
            (Self::Float, stored) => stored.is_floating(),
            (Self::Text, stored) => stored.is_string(),
            (Self::Bool, stored) => *stored == D::Boolean,
            (Self::Date, stored) => *stored == D::Date32,
            _ => false,
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            Self::Bool => f.write_str("bool"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
        }
    }
}

/// How an engine type is called in errors and listings: the manifest's word where one fits, else the engine's own.
pub fn type_name(stored: &DataType) -> String {
    use DataType as D;
    match stored {
        D::Dictionary(_, values) => type_name(values),
        D::Utf8 | D::LargeUtf8 | D::Utf8View => "text".to_owned(),
        D::Int64 => "int".to_owned(),
        D::Float64 => "float".to_owned(),
        D::Boolean => "bool".to_owned(),
        D::Date32 => "date".to_owned(),
        D::Decimal32(p, s) | D::Decimal64(p, s) | D::Decimal128(p, s) | D::Decimal256(p, s) => {
            format!("decimal({p},{s})")
        }
        D::Timestamp(TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == "UTC" => "timestamp".to_owned(),
        D::Timestamp(unit, zone) => {
            let zone = zone.as_deref().unwrap_or("without zone");
            format!("timestamp({}, {zone})", unit_name(*unit))
        }
        D::List(item) | D::LargeList(item) | D::ListView(item) | D::LargeListView(item) | D::FixedSizeList(item, _) => {
            format!("list<{}>", type_name(item.data_type()))
        }
        D::Struct(fields) => {
            let field = |field: &Arc<Field>| format!("{} {}", field.name(), type_name(field.data_type()));
            format!("struct<{}>", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        D::Time32(_) | D::Time64(_) => "time".to_owned(),
        D::Interval(_) => "interval".to_owned(),
        D::Duration(_) => "duration".to_owned(),
        D::LargeBinary | D::BinaryView => "binary".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// `decimal(p,s)` with 1 <= p <= 38 and 0 <= s <= p.
fn decimal(word: &str) -> Option<ColumnType> {
    let (precision, scale) = word.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let precision: u8 = precision.trim().parse().ok()?;
    let scale: i8 = scale.trim().parse().ok()?;
    let fits = (1..=38).contains(&precision) && scale >= 0 && scale.unsigned_abs() <= precision;
    fits.then_some(ColumnType::Decimal(precision, scale))
}

fn unknown(word: &str) -> Error {
    let error = Error::invalid(format!("unknown type `{word}`"));
    match suggest::nearest(word, NAMES) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("known types: {}", suggest::list(NAMES))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_parsed_from_its_own_name() {
        for name in NAMES {
            assert_eq!(ColumnType::parse(name).map(|kind| kind.to_string()).ok().as_deref(), Some(name));
        }
        assert!(ColumnType::parse("decimal(39,2)").is_err());
        assert!(ColumnType::parse("decimal(4,5)").is_err());
    }

    #[test]
    fn a_file_may_store_a_value_narrower_but_not_with_loss() {
        assert!(ColumnType::Int.accepts(&DataType::Int16));
        assert!(!ColumnType::Int.accepts(&DataType::UInt64));
        assert!(!ColumnType::Int.accepts(&DataType::Float64));
        assert!(ColumnType::Decimal(18, 2).accepts(&DataType::Decimal128(10, 2)));
        assert!(!ColumnType::Decimal(18, 2).accepts(&DataType::Decimal128(18, 4)));
        assert!(!ColumnType::Text.accepts(&DataType::Int64));
    }
}

//! Parameters of saved queries: their types, and text into typed values.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::DataType;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use datafusion::scalar::ScalarValue;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::lake::calendar::{Calendar, Unit};
use crate::lake::document::texts as plain_texts;
use crate::lake::parameter::ParameterSection;
use crate::suggest;

/// What one value of a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    Float,
    Decimal(u8, i8),
    Bool,
    Date,
    /// First day of a month.
    Month,
    /// First day of a fiscal quarter.
    Quarter,
    /// A moment; a day stands for its midnight in the lake's time zone.
    Timestamp,
}

const KINDS: [&str; 9] = ["text", "int", "float", "decimal(18,2)", "bool", "date", "month", "quarter", "timestamp"];

/// The word that stands for every allowed value of a list.
pub const ALL: &str = "all";

/// A declared parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub kind: Kind,
    pub is_list: bool,
    pub description: Option<String>,
    /// Texts of the default; one unless it is a list.
    pub default: Option<Vec<String>>,
    pub example: Option<Vec<String>>,
    min: Option<String>,
    max: Option<String>,
    values: Option<Vec<String>>,
    pub values_sql: Option<String>,
    /// Line of the file on which it is declared.
    pub line: usize,
}

/// A value that a parameter may have, and what people call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    pub value: String,
    pub label: Option<String>,
}

/// A parameter with its value.
#[derive(Clone, Debug)]
pub struct Bound {
    pub name: String,
    pub value: ScalarValue,
    /// The value as a report prints it.
    pub shown: String,
}

/// What relative dates are counted from.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub calendar: &'a Calendar,
    pub now: DateTime<Utc>,
}

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            word => match crate::lake::column::ColumnType::parse(word).ok()? {
                crate::lake::column::ColumnType::Text => Self::Text,
                crate::lake::column::ColumnType::Int => Self::Int,
                crate::lake::column::ColumnType::Float => Self::Float,
                crate::lake::column::ColumnType::Decimal(precision, scale) => Self::Decimal(precision, scale),
                crate::lake::column::ColumnType::Bool => Self::Bool,
                crate::lake::column::ColumnType::Date => Self::Date,
                crate::lake::column::ColumnType::Timestamp => Self::Timestamp,
            },
        })
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Self::Bool => DataType::Boolean,
            Self::Date | Self::Month | Self::Quarter => DataType::Date32,
            Self::Timestamp => crate::lake::column::ColumnType::Timestamp.data_type(),
        }
    }

    /// A typed value from its text, and the text in its usual form.
    ///
    /// # Errors
    /// `Usage` that says what the type takes.
    fn value(self, text: &str, moment: Moment<'_>) -> Result<(ScalarValue, String)> {
        let wrong = |form: &str| Error::usage(format!("`{text}` is no {self}")).hint(format!("write {form}"));
        let calendar = moment.calendar;
        match self {
            Self::Text => Ok((ScalarValue::Utf8(Some(text.to_owned())), text.to_owned())),
            Self::Int => {
                let value: i64 = text.parse().map_err(|_| wrong("a whole number"))?;
                Ok((ScalarValue::Int64(Some(value)), value.to_string()))
            }
            Self::Float => {
                let value = text.parse().ok().filter(|value: &f64| value.is_finite());
                let value = value.ok_or_else(|| wrong("a number such as `0.5`"))?;
                Ok((ScalarValue::Float64(Some(value)), value.to_string()))
            }
            Self::Decimal(precision, scale) => {
                let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                let has_few = decimals <= usize::from(scale.unsigned_abs());
                let value = ScalarValue::try_from_string(text.to_owned(), &self.data_type()).ok();
                match value.filter(|value| !value.is_null() && has_few) {
                    Some(value) => Ok((value, text.to_owned())),
                    None if has_few && text.parse().is_ok_and(f64::is_finite) => {
                        let before = i16::from(precision) - i16::from(scale);
                        Err(Error::usage(format!("`{text}` has too many digits for {self}"))
                            .hint(format!("it holds {before} before the point and {scale} behind it")))
                    }
                    None => Err(wrong(&format!("a number with at most {scale} decimals"))),
                }
            }
            Self::Bool => {
                let value = text.parse().map_err(|_| wrong("`true` or `false`"))?;
                Ok((ScalarValue::Boolean(Some(value)), text.to_owned()))
            }
            Self::Date => {
                let day = calendar.resolve(text, moment.now)?;
                Ok((day_value(day), day.to_string()))
            }
            Self::Month => {
                let day = match NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d") {
                    Ok(day) => day,
                    Err(_) => calendar
                        .resolve(text, moment.now)
                        .map_err(|_| wrong("a month (`2026-09`) or a relative date (`last_complete(month)`)"))?,
                };
                let first = calendar.start_of(Unit::Month, day);
                Ok((day_value(first), first.format("%Y-%m").to_string()))
            }
            Self::Quarter => {
                let first = match fiscal_quarter(text, calendar) {
                    Some(first) => first,
                    None => calendar
                        .resolve(text, moment.now)
                        .map(|day| calendar.start_of(Unit::Quarter, day))
                        .map_err(|_| {
                            wrong("a quarter (`2027-Q2`), a day in it or a relative date (`last_complete(quarter)`)")
                        })?,
                };
                Ok((day_value(first), quarter_name(first, calendar)))
            }
            Self::Timestamp => {
                let instant = match DateTime::parse_from_rfc3339(text) {
                    Ok(instant) => instant.with_timezone(&Utc),
                    Err(_) => calendar.midnight(calendar.resolve(text, moment.now)?),
                };
                let value = ScalarValue::TimestampMicrosecond(Some(instant.timestamp_micros()), Some("UTC".into()));
                Ok((value, instant.with_timezone(&calendar.zone).format("%Y-%m-%d %H:%M %Z").to_string()))
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            other => f.write_str(&format!("{other:?}").to_lowercase()),
        }
    }
}

impl Parameter {
    /// The parameter that a header section declares.
    ///
    /// # Errors
    /// `InvalidData` for an unknown type and for a value that cannot be one of a parameter.
    pub fn declared(name: &str, section: &ParameterSection, line: usize) -> Result<Self> {
        let word = section.kind.trim();
        let inner = word.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>'));
        let kind = Kind::parse(inner.unwrap_or(word).trim()).ok_or_else(|| {
            let error = Error::invalid(format!("parameter `{name}` has the unknown type `{word}`"));
            match suggest::nearest(inner.unwrap_or(word), KINDS) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("known types: {}, and `list<…>` of one", suggest::list(KINDS))),
            }
        })?;
        let texts = |key: &str, value: &toml::Value| {
            plain_texts(value).ok_or_else(|| Error::invalid(format!("`{key}` of parameter `{name}` is no plain value")))
        };
        let one = |key: &str, value: &Option<toml::Value>| match value {
            Some(value) => texts(key, value).map(|mut texts| texts.pop()),
            None => Ok(None),
        };
        let many = |key: &str, value: &Option<toml::Value>| value.as_ref().map(|value| texts(key, value)).transpose();
        let parameter = Self {
            kind,
            is_list: inner.is_some(),
            default: many("default", &section.default)?,
            example: many("example", &section.example)?,
            min: one("min", &section.min)?,
            max: one("max", &section.max)?,
            values: many("values", &section.values.clone().map(toml::Value::Array))?,
            values_sql: section.values_sql.clone(),
            description: section.description.clone(),
            line,
            name: name.to_owned(),
        };
        parameter.coherent()
    }

    fn coherent(self) -> Result<Self> {
        let name = &self.name;
        if self.values.is_some() && self.values_sql.is_some() {
            return Err(Error::invalid(format!("parameter `{name}` has both `values` and `values_sql`")));
        }
        let is_all = self.default.as_ref().is_some_and(|texts| self.is_list && texts.as_slice() == [ALL]);
        if is_all && self.values.is_none() && self.values_sql.is_none() {
            return Err(Error::invalid(format!("parameter `{name}` defaults to all of nothing"))
                .hint("give `values` or `values_sql`, from which `all` is made"));
        }
        let several = |texts: &Option<Vec<String>>| texts.as_ref().is_some_and(|texts| texts.len() != 1);
        if !self.is_list && (several(&self.default) || several(&self.example)) {
            return Err(Error::invalid(format!("parameter `{name}` takes one value, but several are written"))
                .hint(format!("declare it as `list<{}>` to take several", self.kind)));
        }
        Ok(self)
    }

    /// The type as a header writes it.
    pub fn type_name(&self) -> String {
        if self.is_list { format!("list<{}>", self.kind) } else { self.kind.to_string() }
    }

    /// The allowed values that the header lists; those of `values_sql` come from the lake.
    pub fn listed(&self) -> Option<Vec<Allowed>> {
        let values = self.values.as_ref()?;
        Some(values.iter().map(|value| Allowed { value: value.clone(), label: None }).collect())
    }

    /// Values that a manifest has, as they are typed: a comma in one of a list is written `\,`.
    pub fn typed(&self, values: &[String]) -> Vec<String> {
        match self.is_list {
            true => values.iter().map(|value| in_typed_list(value)).collect(),
            false => values.to_vec(),
        }
    }

    /// The parameter with a value from these texts.
    ///
    /// # Errors
    /// `Usage` when a text is not of the type, out of range, or not allowed.
    pub fn bind(&self, texts: &[String], allowed: Option<&[Allowed]>, moment: Moment<'_>) -> Result<Bound> {
        self.bound(texts, allowed, moment).map_err(|error| {
            let message = format!("parameter `{}`: {}", self.name, error.message());
            let hint = error.hint_text().map(str::to_owned);
            let error = Error::new(error.kind(), message);
            hint.into_iter().fold(error, Error::hint)
        })
    }

    fn bound(&self, texts: &[String], allowed: Option<&[Allowed]>, moment: Moment<'_>) -> Result<Bound> {
        let bind = |text: &String| {
            let text = allowed.map_or(Ok(text.as_str()), |allowed| one_of(text, allowed))?;
            let (value, shown) = self.kind.value(text, moment)?;
            self.within(&value, &shown, moment)?;
            Ok((value, shown))
        };
        let name = self.name.clone();
        if !self.is_list {
            let [text] = texts else {
                return Err(Error::usage(format!("takes one value, but {} are given", texts.len())));
            };
            let (value, shown) = bind(text)?;
            return Ok(Bound { name, value, shown });
        }
        if texts.is_empty() {
            return Err(Error::usage("is a list without a value").hint("leave it out to take its default"));
        }
        let is_all = texts == [ALL];
        let every: Vec<String>;
        let texts = match allowed {
            Some(allowed) if is_all => {
                every = allowed.iter().map(|allowed| allowed.value.clone()).collect();
                every.as_slice()
            }
            None if is_all => return Err(Error::usage("`all` needs a list of allowed values")),
            _ => texts,
        };
        let (values, shown): (Vec<ScalarValue>, Vec<String>) =
            texts.iter().map(bind).collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let shown = if is_all { format!("all ({})", shown.len()) } else { shown.join(", ") };
        let list = ScalarValue::new_list(&values, &self.kind.data_type(), true);
        Ok(Bound { name, value: ScalarValue::List(Arc::clone(&list)), shown })
    }

    fn within(&self, value: &ScalarValue, shown: &str, moment: Moment<'_>) -> Result<()> {
        for (bound, key, is_out) in
            [(&self.min, "least", std::cmp::Ordering::Less), (&self.max, "most", std::cmp::Ordering::Greater)]
        {
            let Some(text) = bound else { continue };
            let (limit, limit_shown) = self.kind.value(text, moment)?;
            if value.partial_cmp(&limit) == Some(is_out) {
                return Err(Error::usage(format!("`{shown}` is out of range")).hint(format!("at {key} {limit_shown}")));
            }
        }
        Ok(())
    }
}

/// The allowed value that a text means, by itself or by its label.
fn one_of<'a>(text: &str, allowed: &'a [Allowed]) -> Result<&'a str> {
    let same = |known: &str| known.eq_ignore_ascii_case(text);
    let exact = allowed.iter().find(|allowed| allowed.value == text);
    let found = exact
        .or_else(|| allowed.iter().find(|allowed| same(&allowed.value) || allowed.label.as_deref().is_some_and(same)));
    found.map(|allowed| allowed.value.as_str()).ok_or_else(|| {
        let names = allowed.iter().flat_map(|allowed| [Some(allowed.value.as_str()), allowed.label.as_deref()]);
        let error = Error::usage(format!("`{text}` is not allowed"));
        if let Some(near) = suggest::nearest(text, names.flatten()) {
            return error.hint(format!("did you mean `{near}`?"));
        }
        let values: Vec<&str> = allowed.iter().map(|allowed| allowed.value.as_str()).collect();
        error.hint(format!("allowed: {}", suggest::some(&values)))
    })
}

/// The texts of a list that was typed: parted by commas, of which `\,` is none.
pub fn typed_list(text: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&',') => texts.last_mut().into_iter().for_each(|text| text.push(',')),
            '\\' => texts.last_mut().into_iter().for_each(|text| text.push('\\')),
            ',' => texts.push(String::new()),
            letter => texts.last_mut().into_iter().for_each(|text| text.push(letter)),
        }
        if letter == '\\' && letters.peek() == Some(&',') {
            letters.next();
        }
    }
    texts.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// A value as it stands in a list that is typed: a comma of its own is written `\,`.
pub fn in_typed_list(value: &str) -> String {
    value.replace(',', "\\,")
}

/// The value behind what [`in_typed_list`] writes.
pub fn out_of_typed_list(text: &str) -> String {
    text.replace("\\,", ",")
}

fn day_value(day: NaiveDate) -> ScalarValue {
    ScalarValue::Date32(Some(arrow::datatypes::Date32Type::from_naive_date(day)))
}

/// The first day of `2027-Q1`.
fn fiscal_quarter(text: &str, calendar: &Calendar) -> Option<NaiveDate> {
    let (year, quarter) =
        text.to_uppercase().split_once("-Q").map(|(year, quarter)| (year.to_owned(), quarter.to_owned()))?;
    calendar.quarter(year.trim_start_matches("FY").parse().ok()?, quarter.parse().ok()?)
}

fn quarter_name(first: NaiveDate, calendar: &Calendar) -> String {
    let year_start = calendar.start_of(Unit::Year, first);
    let months =
        (first.year() - year_start.year()) * 12 + first.month0().cast_signed() - year_start.month0().cast_signed();
    let year = if calendar.fiscal_year_start == 1 { year_start.year() } else { year_start.year() + 1 };
    format!("{year}-Q{}", months / 3 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_list_is_parted_at_commas() {
        assert_eq!(typed_list("a, b,,c"), ["a", "b", "c"]);
        assert_eq!(typed_list(r"New York\, NY,x"), ["New York, NY", "x"]);
        assert_eq!(typed_list(r"a\b"), [r"a\b"]);
        assert_eq!(typed_list(""), Vec::<String>::new());
    }

    #[test]
    fn a_value_of_a_manifest_is_the_same_behind_the_notation_of_typed_lists() {
        let declared = |kind: &str| {
            let section = toml::from_str(&format!("type = \"{kind}\"")).expect("a section");
            Parameter::declared("p", &section, 1).expect("a parameter")
        };
        let values = ["Washington, DC", r"a\b", r"a\,b", r"a\\", "x,,"].map(str::to_owned);
        let typed = declared("list<text>").typed(&values);
        assert_eq!(typed.iter().flat_map(|text| typed_list(text)).collect::<Vec<_>>(), values);
        assert_eq!(declared("text").typed(&values), values, "what is no list has no notation");
    }

    #[test]
    fn a_wrong_value_is_told_what_its_kind_takes() {
        let calendar = Calendar::default();
        let moment = Moment { calendar: &calendar, now: DateTime::UNIX_EPOCH };
        for (kind, wrong, message, hint) in [
            (
                Kind::Quarter,
                "2026-Q5",
                "`2026-Q5` is no quarter",
                "write a quarter (`2027-Q2`), a day in it or a relative date (`last_complete(quarter)`)",
            ),
            (
                Kind::Decimal(10, 2),
                "123456789.00",
                "`123456789.00` has too many digits for decimal(10,2)",
                "it holds 8 before the point and 2 behind it",
            ),
            (Kind::Decimal(10, 2), "1.234", "`1.234` is no decimal(10,2)", "write a number with at most 2 decimals"),
            (Kind::Decimal(10, 2), "many", "`many` is no decimal(10,2)", "write a number with at most 2 decimals"),
        ] {
            let error = kind.value(wrong, moment).expect_err(wrong);
            assert_eq!((error.message(), error.hint_text()), (message, Some(hint)));
        }
    }

    #[test]
    fn values_are_typed_by_their_kind() {
        let calendar = Calendar { fiscal_year_start: 2, ..Calendar::default() };
        let now = "2026-10-06T12:00:00Z".parse().expect("a moment");
        let moment = Moment { calendar: &calendar, now };
        let shown = |kind: Kind, text: &str| kind.value(text, moment).map(|(_, shown)| shown).ok();
        assert_eq!(shown(Kind::Month, "2026-09").as_deref(), Some("2026-09"));
        assert_eq!(shown(Kind::Month, "last_complete(month)").as_deref(), Some("2026-09"));
        assert_eq!(shown(Kind::Quarter, "2027-Q3").as_deref(), Some("2027-Q3"));
        assert_eq!(shown(Kind::Quarter, "last_complete(quarter)").as_deref(), Some("2027-Q2"));
        assert_eq!(shown(Kind::Decimal(6, 2), "12.50").as_deref(), Some("12.50"));
        for (kind, wrong) in [
            (Kind::Int, "1.5"),
            (Kind::Float, "NaN"),
            (Kind::Decimal(6, 2), "1.234"),
            (Kind::Bool, "yes"),
            (Kind::Date, "2026-13-01"),
            (Kind::Month, "2026-13"),
            (Kind::Quarter, "2026-Q5"),
        ] {
            assert_eq!(shown(kind, wrong), None, "{kind} {wrong}");
        }
    }
}

//! The table of a section, cell by cell, as every form for people shows it.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, SchemaRef};

use super::document::Section;
use super::gather::reasons;
use super::tone::Tone;
use crate::error::{Error, Result};
use crate::output::cell;
use crate::output::present::ColumnStyle;

/// A value of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// What is no number; empty where there is none.
    Text(String),
    Number {
        text: String,
        tone: Option<Tone>,
    },
    /// What is missing, and why, where the query accounts for it.
    Gap(String),
    /// A number that is not there, as where there is nothing to compare with.
    None,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub title: &'a str,
    pub is_number: bool,
    pub style: Option<&'a ColumnStyle>,
}

/// The columns that a section shows.
pub fn heads(section: &Section) -> Vec<Head<'_>> {
    let answer = &section.result;
    let head = |&place: &usize| {
        let field = answer.rows.schema.field(place);
        let name = field.name().as_str();
        let is_number = cell::is_number(field.data_type());
        Head { title: answer.present.title(name), is_number, style: answer.present.style(name) }
    };
    section.columns.iter().map(head).collect()
}

/// The cells of some rows of a section.
pub struct Cells<'a> {
    columns: Vec<Column<'a>>,
}

struct Column<'a> {
    values: &'a ArrayRef,
    texts: cell::Column<'a>,
    /// The same as numbers, where they are some.
    numbers: Option<ArrayRef>,
    style: Option<&'a ColumnStyle>,
    reasons: Option<Box<dyn Fn(usize) -> String + 'a>>,
}

impl<'a> Cells<'a> {
    /// The cells of these rows of the section's result, whose schema is given beside them.
    ///
    /// # Errors
    /// `InvalidData` when the reason for missing values is in a column that is not there.
    pub fn of(section: &'a Section, schema: &'a SchemaRef, rows: &'a RecordBatch) -> Result<Self> {
        let present = &section.result.present;
        let column = |&place: &usize| {
            let (field, values) = (schema.field(place), rows.column(place));
            let style = present.style(field.name());
            let reason = style.and_then(|style| style.missing.as_deref()).filter(|_| values.null_count() > 0);
            let reasons = reason.map(|reason| reasons(rows, reason)).transpose()?;
            let is_number = cell::is_number(field.data_type());
            let texts =
                cell::Column::new(field, values, present).map_err(|error| Error::internal(error.to_string()))?;
            Ok(Column {
                texts: texts.keeping_lines(),
                numbers: is_number.then(|| cast(values, &DataType::Float64).ok()).flatten(),
                reasons: reasons.map(|reasons| Box::new(reasons) as Box<dyn Fn(usize) -> String>),
                values,
                style,
            })
        };
        Ok(Self { columns: section.columns.iter().map(column).collect::<Result<_>>()? })
    }

    /// The cells of a row, from the left.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Cell> + '_ {
        self.columns.iter().map(move |column| column.cell(row))
    }
}

impl Column<'_> {
    fn cell(&self, row: usize) -> Cell {
        match (&self.numbers, self.values.is_null(row)) {
            (numbers, true) => match &self.reasons {
                Some(reasons) => Cell::Gap(reasons(row)),
                None if numbers.is_some() => Cell::None,
                None => Cell::Text(String::new()),
            },
            (Some(numbers), false) => {
                let number = numbers.as_primitive::<Float64Type>().value(row);
                let tone = self.style.and_then(|style| Tone::of(number, style));
                Cell::Number { text: self.texts.text(row), tone }
            }
            (None, false) => Cell::Text(self.texts.text(row)),
        }
    }
}

/// What stands below a table: the total of each column where it has one, in the column's format; `None` when none has.
pub fn totals(section: &Section) -> Option<Vec<Option<String>>> {
    let answer = &section.result;
    let total = |&place: &usize| {
        let field = answer.rows.schema.field(place);
        Some(answer.total(field.name())?.text(answer.present.number(field.name()), field.data_type()))
    };
    answer.has_totals(&section.columns).then(|| section.columns.iter().map(total).collect())
}

/// What the line of totals is called.
pub fn totals_name(section: &Section) -> String {
    format!("Total of {} rows", section.result.rows.count)
}

/// What a reader must know of a table to read it rightly.
pub fn notes(section: &Section) -> Vec<String> {
    let answer = &section.result;
    let mut notes = Vec::new();
    if section.rows_left_out() > 0 {
        notes.push(format!(
            "The first {} of {} rows are shown, in the query's order. Totals are of all rows, and files for programs have all.",
            section.rows_max, answer.rows.count
        ));
    }
    notes.extend(section.gaps_in_words());
    notes
}

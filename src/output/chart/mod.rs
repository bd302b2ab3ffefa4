//! Results drawn in a terminal: bars, lines, points and heat maps out of characters.
//!
//! [`Chart`] says what is drawn of which columns; [`draw`] gives the text. A missing value is never drawn as zero: bars
//! say that there is none, lines have a gap, cells of a heat map are hatched.

mod bars;
mod heat;
mod plot;
mod scale;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::cell;
use super::present::Presentation;
use crate::error::{Error, Result};
use crate::suggest;
pub use scale::plain;

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bar for each row.
    Bar,
    /// A line for each series.
    Line,
    /// A dot for each row.
    Scatter,
    /// A cell for each pair of labels.
    Heat,
}

impl Kind {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Bar, "bar"), (Self::Line, "line"), (Self::Scatter, "scatter"), (Self::Heat, "heat")];

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// The names, for help texts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, name)| *name)
    }
}

/// A chart of a result. Columns that are not named are chosen: the first that fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chart {
    pub kind: Option<Kind>,
    /// Labels of bars, the axis along the bottom, or the columns of a heat map.
    pub x: Option<String>,
    /// Numbers; of a heat map its rows.
    pub y: Option<String>,
    /// A series for each value; of a heat map the numbers.
    pub by: Option<String>,
}

/// Characters that a chart may take.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}

/// One column of what is drawn.
struct Column<'a> {
    title: String,
    /// A text for each row.
    labels: Vec<String>,
    /// A number for each row; none where the value is missing or no number.
    numbers: Vec<Option<f64>>,
    /// The number as the column shows it.
    format: Box<dyn Fn(f64) -> String + 'a>,
}

/// Draws rows.
///
/// # Errors
/// `Usage` when there are no rows, a column is not there or holds no numbers where numbers are needed.
pub fn draw(rows: &RecordBatch, present: &Presentation, chart: &Chart, size: Size) -> Result<String> {
    if rows.num_rows() == 0 {
        return Err(Error::usage("there are no rows to draw"));
    }
    let chosen = Chosen::of(rows, chart)?;
    let column = |place: usize| column(rows, place, present);
    let by = chosen.by.map(column).transpose()?;
    let (x, y) = (column(chosen.x)?, column(chosen.y)?);
    Ok(match chosen.kind {
        Kind::Bar => bars::draw(&x, &y, size),
        Kind::Line => plot::draw(&x, &y, by.as_ref(), plot::Mark::Line, size),
        Kind::Scatter => plot::draw(&x, &y, by.as_ref(), plot::Mark::Point, size),
        Kind::Heat => {
            let Some(values) = by else { return Err(Error::internal("a heat map without numbers")) };
            heat::draw(&x, &y, &values, size)?
        }
    })
}

/// Places of the columns that are drawn.
struct Chosen {
    kind: Kind,
    x: usize,
    y: usize,
    by: Option<usize>,
}

impl Chosen {
    fn of(rows: &RecordBatch, chart: &Chart) -> Result<Self> {
        let schema = rows.schema();
        let named = |name: &Option<String>| name.as_deref().map(|name| place(rows, name)).transpose();
        let (x, y, by) = (named(&chart.x)?, named(&chart.y)?, named(&chart.by)?);
        let is_number = |place: usize| cell::is_number(schema.field(place).data_type());
        let is_time = |place: usize| schema.field(place).data_type().is_temporal();
        let taken = |place: &usize| ![x, y, by].contains(&Some(*place));
        let numbers = || (0..schema.fields().len()).filter(|&place| is_number(place)).filter(&taken);
        let labels = || (0..schema.fields().len()).filter(|&place| !is_number(place)).filter(&taken);
        let no_numbers = || {
            Error::usage("there is no column of numbers to draw")
                .hint("name the columns: `\\chart bar LABELS NUMBERS`, or cast one to a number in the statement")
        };
        let kind = chart.kind.unwrap_or_else(|| match x.or_else(|| labels().next()) {
            Some(place) if is_time(place) => Kind::Line,
            None if numbers().count() > 1 => Kind::Scatter,
            _ => Kind::Bar,
        });
        if kind == Kind::Heat {
            let by = by.or_else(|| numbers().next()).ok_or_else(no_numbers)?;
            let mut labels = labels().filter(|&place| place != by);
            let y = y.or_else(|| labels.next());
            let x = x.or_else(|| labels.next());
            let (Some(x), Some(y)) = (x, y) else {
                return Err(Error::usage("a heat map needs two columns of labels and one of numbers")
                    .hint("name them: `\\chart heat COLUMNS ROWS NUMBERS`"));
            };
            return Self { kind, x, y, by: Some(by) }.checked(rows, by);
        }
        // A scatter has numbers on both sides; the others label what they draw.
        let x = match kind {
            Kind::Scatter => x.or_else(|| numbers().next()).ok_or_else(no_numbers)?,
            _ => x.or_else(|| labels().next()).or_else(|| numbers().next()).ok_or_else(no_numbers)?,
        };
        let y = y.or_else(|| numbers().find(|&place| place != x)).or_else(|| is_number(x).then_some(x));
        let y = y.ok_or_else(no_numbers)?;
        // Bars lie on their side: which of the two holds the numbers is plain.
        let (x, y) = if kind == Kind::Bar && is_number(x) && !is_number(y) { (y, x) } else { (x, y) };
        Self { kind, x, y, by }.checked(rows, y)
    }

    /// Itself, when the column of its numbers holds numbers.
    fn checked(self, rows: &RecordBatch, numbers: usize) -> Result<Self> {
        let field = rows.schema_ref().field(numbers);
        if cell::is_number(field.data_type()) {
            return Ok(self);
        }
        Err(Error::usage(format!("column `{}` holds no numbers", field.name()))
            .hint("a chart needs numbers here; cast the column in the statement"))
    }
}

/// The place of a column, found by its name.
pub fn place(rows: &RecordBatch, name: &str) -> Result<usize> {
    let schema = rows.schema();
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let same = |known: &str| known == name || known.eq_ignore_ascii_case(name);
    if let Some(place) = names().position(same) {
        return Ok(place);
    }
    let error = Error::usage(format!("the result has no column `{name}`"));
    Err(match suggest::nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("its columns: {}", suggest::list(names()))),
    })
}

fn column<'a>(rows: &RecordBatch, place: usize, present: &'a Presentation) -> Result<Column<'a>> {
    let schema = rows.schema();
    let field = schema.field(place);
    let cannot = |error| Error::internal(format!("column `{}` cannot be drawn: {error}", field.name()));
    let values = rows.column(place);
    let texts = cell::Column::new(field, values, present).map_err(cannot)?;
    let labels = (0..rows.num_rows()).map(|row| texts.text(row)).collect();
    // Days and moments count as numbers along an axis.
    let temporal = field.data_type().is_temporal();
    let integers = temporal.then(|| cast(values, &DataType::Int64).or_else(|_| cast(values, &DataType::Int32)));
    let values = integers.and_then(std::result::Result::ok).unwrap_or_else(|| values.clone());
    let numbers = match cast(&values, &DataType::Float64) {
        Ok(numbers) if cell::is_number(field.data_type()) || temporal => {
            let numbers = numbers.as_primitive::<Float64Type>().clone();
            (0..numbers.len()).map(|row| numbers.is_valid(row).then(|| numbers.value(row))).collect::<Vec<_>>()
        }
        _ => vec![None; rows.num_rows()],
    };
    let numbers = numbers.into_iter().map(|number| number.filter(|number: &f64| number.is_finite())).collect();
    let number = present.number(field.name());
    let is_whole = field.data_type().is_integer();
    let format = move |value: f64| match number {
        Some(number) => number.float(value),
        None if is_whole && value.fract() == 0.0 => format!("{value:.0}"),
        None => plain(value),
    };
    Ok(Column { title: cell::safe(present.title(field.name())), labels, numbers, format: Box::new(format) })
}

//! Which columns a chart draws, and as what.

use std::cmp::Ordering;
use std::collections::HashSet;

use arrow::array::RecordBatch;

use super::column::{Column, NO_VALUE, Values, on_one_line};
use super::scene::Paint;
use super::{Kind, Spec, place};
use crate::error::{Error, Result};
use crate::output::cell;
use crate::output::present::{Good, Presentation, by_bands};

/// Groups that get a colour each; of more, each label names its own.
pub const COLOURED: usize = 6;

/// A kind with the columns that it draws.
#[derive(Debug)]
pub struct Figure {
    pub kind: Kind,
    pub heading: String,
    /// Labels of rows, what lies along the bottom, or the columns of a heat map.
    pub across: Column,
    /// Numbers, or the rows of a heat map.
    pub up: Column,
    /// Groups, or the numbers of a heat map.
    pub by: Option<Column>,
    pub low: Option<Column>,
    pub high: Option<Column>,
    pub target: Option<Column>,
    pub label: Option<Column>,
    /// The label that stands for all the others together.
    pub total: Option<String>,
    pub rows: usize,
}

impl Figure {
    /// # Errors
    /// `Usage` when a column is not there or holds no numbers where numbers are needed.
    pub fn of(rows: &RecordBatch, present: &Presentation, spec: &Spec) -> Result<Self> {
        let chosen = Chosen::of(rows, spec)?;
        let column = |place: usize| Column::of(rows, place, present);
        let named = |name: &Option<String>| name.as_deref().map(|name| column(place(rows, name)?)).transpose();
        let numeric = |name: &Option<String>| {
            let column = named(name)?;
            match column {
                Some(column) if column.values != Values::Numbers => Err(no_numbers_in(rows, column.place)),
                column => Ok(column),
            }
        };
        let (across, up) = (column(chosen.x)?, column(chosen.y)?);
        let by = chosen.by.map(column).transpose()?;
        let heading = match (&spec.title, &by) {
            (Some(title), _) => cell::safe(title),
            (None, Some(by)) if chosen.kind == Kind::Heatmap => {
                format!("{} by {} and {}", by.title, up.title, across.title)
            }
            (None, Some(by)) if chosen.kind == Kind::Line => {
                format!("{} by {} and {}", up.title, across.title, by.title)
            }
            // Groups are named beside the marks or in the key.
            (None, _) => format!("{} by {}", up.title, across.title),
        };
        let figure = Self {
            kind: chosen.kind,
            heading,
            across,
            up,
            by,
            low: numeric(&spec.low)?,
            high: numeric(&spec.high)?,
            target: numeric(&spec.target)?,
            label: named(&spec.label)?,
            total: spec.total.as_deref().map(on_one_line),
            rows: rows.num_rows(),
        };
        match figure.kind {
            Kind::Heatmap => figure.refuse_two_in_a_cell()?,
            Kind::StackedBar => figure.refuse_groups_that_look_alike()?,
            Kind::Waterfall => figure.refuse_a_missing_step()?,
            Kind::Line | Kind::Sparkline => figure.refuse_two_at_a_place()?,
            _ => {}
        }
        Ok(figure)
    }

    /// Places of the columns that are drawn, and of those that say why values are missing, each once.
    pub fn places(&self) -> Vec<usize> {
        let optional = [&self.label, &self.by, &self.low, &self.high, &self.target];
        let columns = [&self.across, &self.up].into_iter().chain(optional.into_iter().flatten());
        let mut places: Vec<usize> = Vec::new();
        for place in columns.flat_map(|column| [Some(column.place), column.reasons()]).flatten() {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// Whether the row's label is that of all the others together.
    pub fn is_total(&self, row: usize) -> bool {
        self.total.as_deref().is_some_and(|total| self.across.label(row) == total)
    }

    /// The ends of the row's interval, where both are known.
    pub fn interval(&self, row: usize) -> Option<(f64, f64)> {
        let (low, high) = (self.low.as_ref()?.number(row)?, self.high.as_ref()?.number(row)?);
        Some((low.min(high), low.max(high)))
    }

    /// The rows but for the total: names and numbers of those that have one, reasons of the others. Where rows share labels, names
    /// say their groups too.
    pub fn without_total(&self) -> (Vec<(String, f64)>, Vec<&str>) {
        let shares = self.across.distinct().0.len() < self.rows;
        let group = |row: usize| self.by.as_ref().filter(|_| shares).map(|by| format!(" ({})", by.label(row)));
        let name = |row: usize| format!("{}{}", self.across.label(row), group(row).unwrap_or_default());
        let rows = || (0..self.rows).filter(|&row| !self.is_total(row));
        let numbers = rows().filter_map(|row| Some((name(row), self.up.number(row)?))).collect();
        (numbers, rows().filter(|&row| self.up.number(row).is_none()).map(|row| self.up.reason(row)).collect())
    }

    /// Whether numbers lie on both sides of zero and one of them is the good one.
    fn has_sides(&self) -> bool {
        let any = |is: fn(f64) -> bool| self.up.present().any(is);
        self.up.good.is_some() && any(|number| number < 0.0) && any(|number| number > 0.0)
    }

    /// The colour of a number that stands for itself: by its band, else by its side of zero, else that of the first series.
    pub fn judged(&self, number: f64) -> Paint {
        let good = |is_good: bool| if is_good { Paint::Good } else { Paint::Bad };
        match (self.up.good, by_bands(number, &self.up.bands)) {
            (Some(direction), None) if self.has_sides() && number != 0.0 => {
                good((direction == Good::Up) == (number > 0.0))
            }
            (Some(_), Some(Ordering::Equal)) => Paint::Muted,
            (Some(direction), Some(side)) => good((direction == Good::Up) == side.is_gt()),
            (None, _) | (_, None) => Paint::Series(0),
        }
    }

    /// What is told of a row when somebody points at it.
    pub fn tip(&self, row: usize) -> String {
        let mut parts = Vec::new();
        parts.extend(self.label.as_ref().map(|label| label.label(row).to_owned()));
        let sides = match self.kind {
            Kind::Scatter => {
                format!("{} {}, {} {}", self.across.title, told(&self.across, row), self.up.title, told(&self.up, row))
            }
            Kind::Heatmap => self.tip_of_cell(row),
            _ => format!("{}: {} {}", self.across.label(row), self.up.title, told(&self.up, row)),
        };
        parts.push(sides);
        parts.extend(self.by.as_ref().map(|by| format!("{} {}", by.title, told(by, row))));
        if let (Some(low), Some(high)) = (&self.low, &self.high)
            && low.number(row).is_some()
            && high.number(row).is_some()
        {
            parts.push(format!("{} {}, {} {}", low.title, low.label(row), high.title, high.label(row)));
        }
        if let Some(target) = &self.target {
            parts.push(format!("{} {}", target.title, told(target, row)));
        }
        parts.join("; ")
    }

    /// The two labels of a heat map's cell.
    pub fn tip_of_cell(&self, row: usize) -> String {
        format!("{}, {}", self.up.label(row), self.across.label(row))
    }

    /// What the others add up to, and which of them are totals, nobody knows without it.
    fn refuse_a_missing_step(&self) -> Result<()> {
        let mut steps = (0..self.rows).filter(|&row| !self.is_total(row));
        let Some(row) = steps.find(|&row| self.up.number(row).is_none()) else { return Ok(()) };
        let reason = Some(self.up.reason(row)).filter(|reason| *reason != NO_VALUE);
        let why = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        Err(Error::usage(format!("the step `{}` of a waterfall has no value{why}", self.across.label(row)))
            .hint("steps add up only when all of them are there: leave it out in the statement, or draw bars"))
    }

    /// Colours are all that tells the pieces of a bar apart.
    fn refuse_groups_that_look_alike(&self) -> Result<()> {
        let Some(by) = &self.by else { return Ok(()) };
        let groups = by.distinct().0.len();
        if groups <= Paint::SERIES {
            return Ok(());
        }
        let title = &by.title;
        Err(Error::usage(format!("stacked bars have {} colours, and `{title}` has {groups} groups", Paint::SERIES))
            .hint("put the small groups together in the statement, or draw a heat map"))
    }

    /// A line from one number to another at the same place would show a change that there was not.
    fn refuse_two_at_a_place(&self) -> Result<()> {
        let series = |row: usize| self.by.as_ref().map(|by| by.label(row));
        // Numbers that are written alike may still lie apart.
        let place = |row: usize| match self.across.values {
            Values::Labels => Some((self.across.label(row), 0)),
            Values::Numbers | Values::Times => Some(("", self.across.number(row)?.to_bits())),
        };
        let mut seen = HashSet::new();
        let mut drawn = (0..self.rows).filter(|&row| self.up.number(row).is_some());
        let twice = drawn.find(|&row| place(row).is_some_and(|place| !seen.insert((series(row), place))));
        let Some(row) = twice else { return Ok(()) };
        let of = series(row).map(|name| format!(" of `{name}`")).unwrap_or_default();
        let at = self.across.label(row);
        Err(Error::usage(format!("a line would join several values{of} at `{at}`, and no column tells them apart"))
            .hint("name one that does: `\\chart line X NUMBERS GROUPS`, or `color` in the query's header"))
    }

    fn refuse_two_in_a_cell(&self) -> Result<()> {
        let mut seen = HashSet::new();
        match (0..self.rows).map(|row| (self.up.label(row), self.across.label(row))).find(|pair| !seen.insert(*pair)) {
            Some((row, column)) => Err(Error::usage(format!("two rows have `{row}` and `{column}`"))
                .hint("a heat map has one cell for each pair: group by both in the statement")),
            None => Ok(()),
        }
    }
}

/// The value of a row as tables show it, or why there is none.
fn told(column: &Column, row: usize) -> &str {
    match (column.values, column.number(row)) {
        (Values::Numbers, None) => column.reason(row),
        _ => column.label(row),
    }
}

/// Places of the columns that are drawn.
struct Chosen {
    kind: Kind,
    x: usize,
    y: usize,
    by: Option<usize>,
}

impl Chosen {
    fn of(rows: &RecordBatch, spec: &Spec) -> Result<Self> {
        let schema = rows.schema();
        let named = |name: &Option<String>| name.as_deref().map(|name| place(rows, name)).transpose();
        let (x, y, by) = (named(&spec.x)?, named(&spec.y)?, named(&spec.color)?);
        let is_number = |place: usize| schema.field(place).data_type().is_numeric();
        let is_time = |place: usize| schema.field(place).data_type().is_temporal();
        let taken = |place: &usize| ![x, y, by].contains(&Some(*place));
        let numbers = || (0..schema.fields().len()).filter(|&place| is_number(place)).filter(&taken);
        let labels = || (0..schema.fields().len()).filter(|&place| !is_number(place)).filter(&taken);
        let no_numbers = || {
            Error::usage("there is no column of numbers to draw")
                .hint("name the columns: `\\chart bar LABELS NUMBERS`, or cast one to a number in the statement")
        };
        let kind = spec.kind.unwrap_or_else(|| match x.or_else(|| labels().next()) {
            Some(place) if is_time(place) => Kind::Line,
            None if numbers().count() > 1 => Kind::Scatter,
            _ => Kind::Bar,
        });
        if kind == Kind::Heatmap {
            let by = by.or_else(|| numbers().next()).ok_or_else(no_numbers)?;
            let mut labels = labels().filter(|&place| place != by);
            let y = y.or_else(|| labels.next());
            let x = x.or_else(|| labels.next());
            let (Some(x), Some(y)) = (x, y) else {
                return Err(Error::usage("a heat map needs two columns of labels and one of numbers")
                    .hint("name them: `\\chart heatmap COLUMNS ROWS NUMBERS`"));
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
        // Rows lie on their side: which of the two holds the numbers is plain.
        let (x, y) = if kind != Kind::Scatter && is_number(x) && !is_number(y) { (y, x) } else { (x, y) };
        Self { kind, x, y, by }.checked(rows, y)
    }

    /// Itself, when the column of its numbers holds numbers.
    fn checked(self, rows: &RecordBatch, numbers: usize) -> Result<Self> {
        if rows.schema_ref().field(numbers).data_type().is_numeric() {
            Ok(self)
        } else {
            Err(no_numbers_in(rows, numbers))
        }
    }
}

fn no_numbers_in(rows: &RecordBatch, place: usize) -> Error {
    Error::usage(format!("column `{}` holds no numbers", rows.schema_ref().field(place).name()))
        .hint("a chart needs numbers here; cast the column in the statement")
}

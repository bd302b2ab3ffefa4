//! `crosstab`: a table of counts, cell by cell, with what stands out of it.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, Field};

use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::Types;
use super::{Call, Given, TableFunction, read};
use crate::error::{Error, Result};
use crate::statistics::contingency::{self, Contingency};

pub static HELP: Help = Help {
    name: "crosstab",
    kind: Kind::Table,
    summary: "Counts of each combination of two columns, and which are more or less frequent than chance would have them.",
    arguments: &[
        Argument {
            name: "relation",
            takes: Takes::Relation,
            types: Types::Table,
            default: None,
            what: "a table, a view, a CTE or a query in parentheses, one row per answer",
        },
        Argument {
            name: "row",
            takes: Takes::Column,
            types: Types::Any,
            default: None,
            what: "whose values make the rows",
        },
        Argument {
            name: "column",
            takes: Takes::Column,
            types: Types::Any,
            default: None,
            what: "whose values make the columns",
        },
        Argument {
            name: "weight",
            takes: Takes::Column,
            types: Types::Number,
            default: Some("null"),
            what: "how much each row counts, such as a survey weight; rows without one are left out",
        },
    ],
    returns: "One row per cell of the full grid, empty cells too, in the order of the values. The first two columns have \
        the names of the given ones and their values as text. `n`: rows in the cell. `weighted`: sum of their weights; \
        null without weights. `row_share`: the cell as a part of its row, 0 to 1 (weighted when there are weights). \
        `column_share`: as a part of its column. `expected`: n (or weighted) if the two had nothing to do with each other. \
        `residual`: how far the cell is from that, adjusted and standardised: beyond +-1.96 chance makes one of 20. `p`: \
        two-sided probability of such a residual by chance. `p_adjusted`: the same after Holm's correction for the number \
        of cells. `verdict`: `higher` or `lower` where p < 0.05, else null. Of 100 cells about five get a verdict by chance \
        alone: with many cells go by p_adjusted. `chi_squared`, `degrees` and `chi_p`: the test of the whole table, the \
        same in each row. `cramers_v`: strength of the relation from 0 to 1. `left_out_rows`: rows without one of the \
        values. `note`: where fewer than 5 are expected, so that the normal and chi-squared approximations are rough.",
    nulls: "A row with a null in either column is left out of every count and share, and counted in left_out_rows. Without \
        any row left the result is empty. Residual, p, verdict and the chi-squared columns are null for a single row or \
        column.",
    errors: "More than 100,000 cells; a negative weight; two columns of one name.",
    source: "Haberman, Biometrics 29 (1973) 205-220 for the residual; Cramer 1946; Holm 1979. With weights the statistics \
        are those of the effective number of answers (Kish): (sum of weights)^2 / sum of squared weights.",
    examples: &[
        "select * from crosstab(surveys, touchpoint, nps >= 9)",
        "select theme, sentiment, n, row_share, verdict from crosstab(field_feedback, theme, sentiment) where verdict is not null",
    ],
};

/// Columns of the result after the first two.
const FIELDS: [(&str, DataType); 15] = [
    ("n", DataType::Int64),
    ("weighted", DataType::Float64),
    ("row_share", DataType::Float64),
    ("column_share", DataType::Float64),
    ("expected", DataType::Float64),
    ("residual", DataType::Float64),
    ("p", DataType::Float64),
    ("p_adjusted", DataType::Float64),
    ("verdict", DataType::Utf8),
    ("chi_squared", DataType::Float64),
    ("degrees", DataType::Int64),
    ("chi_p", DataType::Float64),
    ("cramers_v", DataType::Float64),
    ("left_out_rows", DataType::Int64),
    ("note", DataType::Utf8),
];

/// More is a mistake, such as a key in place of a category.
const CELLS_MAX: usize = 100_000;

/// A cell with a lower probability has a verdict.
const SIGNIFICANT: f64 = 0.05;

/// Below so many expected answers a cell has a note.
const EXPECTED_MIN: f64 = 5.0;

/// The function.
#[derive(Debug)]
pub struct Crosstab;

impl TableFunction for Crosstab {
    fn help(&self) -> &'static Help {
        &HELP
    }

    fn fields(&self, given: &[Given]) -> Result<Vec<Field>> {
        let mut names = Vec::new();
        for given in given {
            let (name, data_type) = (given.field.name().as_str(), given.field.data_type());
            if given.argument == "weight" {
                continue;
            }
            if can_cast_types(data_type, &DataType::Utf8) && !data_type.is_nested() {
                names.push(name);
            } else {
                return Err(Error::query(format!("`{name}` cannot be shown as text, being of type {data_type}")));
            }
        }
        read::check_names(&names, &FIELDS.map(|(name, _)| name))?;
        let names = names.into_iter().map(|name| Field::new(name, DataType::Utf8, true));
        Ok(names.chain(FIELDS.map(|(name, data_type)| Field::new(name, data_type, true))).collect())
    }

    fn run(&self, call: &Call) -> Result<Vec<ArrayRef>> {
        let (Some(row), Some(column)) = (call.column("row"), call.column("column")) else {
            return Err(Error::internal("two columns"));
        };
        let weights = read::weights(call)?;
        let counted = Counted::count(row, column, weights.as_deref(), call)?;
        Ok(counted.columns(weights.is_some()))
    }
}

/// The table of counts.
struct Counted {
    rows: Vec<String>,
    columns: Vec<String>,
    /// Rows in each cell.
    numbers: Vec<usize>,
    /// Sums of weights in each cell; without weights the numbers.
    counts: Vec<f64>,
    left_out: usize,
    test: Contingency,
}

impl Counted {
    fn count(row: &ArrayRef, column: &ArrayRef, weights: Option<&[Option<f64>]>, call: &Call) -> Result<Self> {
        let (mut rows, mut columns) = (read::values(row)?, read::values(column)?);
        // A weight of 0 takes a row out as a null does: nobody is expected there.
        let weight = |row: usize| weights.map_or(Some(1.0), |weights| weights[row].filter(|weight| *weight > 0.0));
        let places =
            (0..row.len()).filter_map(|place| Some((rows.of_rows[place]?, columns.of_rows[place]?, weight(place)?)));
        let mut places: Vec<(usize, usize, f64)> = places.collect();
        let left_out = row.len() - places.len();
        // Weights in order, so that their sums are the same to the bit.
        places.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        keep(&mut rows.texts, places.iter_mut().map(|(row, ..)| row));
        keep(&mut columns.texts, places.iter_mut().map(|(_, column, _)| column));

        let size = rows.texts.len().saturating_mul(columns.texts.len());
        if size > CELLS_MAX {
            let names: Vec<&str> = call.columns.iter().map(|(given, _)| given.field.name().as_str()).collect();
            return Err(Error::invalid(format!(
                "`{}` has {} values and `{}` {}: a table of {size} cells",
                names[0],
                rows.texts.len(),
                names[1],
                columns.texts.len()
            ))
            .hint(format!("at most {CELLS_MAX} cells: group the values first")));
        }
        let mut numbers = vec![0; size];
        let mut counts = vec![0.0; size];
        for (row, column, weight) in &places {
            let place = row * columns.texts.len() + column;
            numbers[place] += 1;
            counts[place] += weight;
        }
        let total: f64 = counts.iter().sum();
        let answers = match weights {
            None => total,
            Some(_) => total * total / places.iter().map(|(_, _, weight)| weight * weight).sum::<f64>(),
        };
        let test = contingency::contingency(&counts, columns.texts.len(), answers);
        Ok(Self { rows: rows.texts, columns: columns.texts, numbers, counts, left_out, test })
    }

    fn columns(&self, is_weighted: bool) -> Vec<ArrayRef> {
        let (size, width) = (self.counts.len(), self.columns.len());
        let row_sums: Vec<f64> = self.counts.chunks(width.max(1)).map(|row| row.iter().sum()).collect();
        let column_sums: Vec<f64> =
            (0..width).map(|column| self.counts.iter().skip(column).step_by(width).sum()).collect();
        let cells = || self.test.cells.iter();
        let floats = |values: Vec<Option<f64>>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
        let same = |value: Option<f64>| floats(vec![value; size]);
        let integer = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let same_integer = |number: usize| -> ArrayRef { Arc::new(Int64Array::from(vec![integer(number); size])) };
        let verdicts = cells().map(|cell| match (cell.p, cell.residual) {
            (Some(p), Some(residual)) if p < SIGNIFICANT => Some(if residual > 0.0 { "higher" } else { "lower" }),
            _ => None,
        });
        let thin = cells().filter(|cell| cell.expected_answers < EXPECTED_MIN).count();
        // The rule of thumb of the chi-squared test (Cochran 1954): at most a fifth of the cells below 5.
        let whole =
            (5 * thin > size).then(|| format!("chi-squared is rough: {thin} of {size} cells expect fewer than 5"));
        let notes = cells().map(|cell| {
            let own = (cell.expected_answers < EXPECTED_MIN).then(|| "expected below 5".to_owned());
            let parts: Vec<String> = own.into_iter().chain(whole.clone()).collect();
            (!parts.is_empty()).then(|| parts.join("; "))
        });
        vec![
            Arc::new(StringArray::from_iter_values((0..size).map(|cell| &self.rows[cell / width]))),
            Arc::new(StringArray::from_iter_values((0..size).map(|cell| &self.columns[cell % width]))),
            Arc::new(Int64Array::from_iter_values(self.numbers.iter().map(|&number| integer(number)))),
            floats(self.counts.iter().map(|count| is_weighted.then_some(*count)).collect()),
            floats((0..size).map(|cell| Some(self.counts[cell] / row_sums[cell / width])).collect()),
            floats((0..size).map(|cell| Some(self.counts[cell] / column_sums[cell % width])).collect()),
            floats(cells().map(|cell| Some(cell.expected)).collect()),
            floats(cells().map(|cell| cell.residual).collect()),
            floats(cells().map(|cell| cell.p).collect()),
            floats(cells().map(|cell| cell.p_adjusted).collect()),
            Arc::new(verdicts.collect::<StringArray>()),
            same(self.test.chi_squared),
            same_integer(self.test.degrees),
            same(self.test.p),
            same(self.test.cramers_v),
            same_integer(self.left_out),
            Arc::new(notes.collect::<StringArray>()),
        ]
    }
}

/// Keeps the values that some counted row has, and numbers them anew.
fn keep<'a>(texts: &mut Vec<String>, places: impl Iterator<Item = &'a mut usize>) {
    let places: Vec<&mut usize> = places.collect();
    let mut is_used = vec![false; texts.len()];
    for place in &places {
        is_used[**place] = true;
    }
    let mut next = 0;
    let anew: Vec<usize> = is_used
        .iter()
        .map(|is_used| {
            next += usize::from(*is_used);
            next.saturating_sub(1)
        })
        .collect();
    for place in places {
        *place = anew[*place];
    }
    let mut used = is_used.into_iter();
    texts.retain(|_| used.next().unwrap_or(false));
}

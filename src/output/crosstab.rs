//! A result turned: a row for each value of one column, a column for each value of another, a third in the cells.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

use super::cell;
use super::chart::place;
use super::present::Presentation;
use crate::error::{Error, Result};

/// More columns than these are no table that anybody reads.
const COLUMNS_MAX: usize = 200;

/// The names of the columns that a crosstab is made of; the first three of the result where none are given.
#[derive(Clone, Debug, Default)]
pub struct Crosstab {
    pub rows: Option<String>,
    pub columns: Option<String>,
    pub values: Option<String>,
}

impl Crosstab {
    /// Turns a result. Pairs that it does not have are null; rows and columns come in the order of the result. Values that differ stay
    /// apart, also where they are shown alike: the later columns get a number, as in `12%_2`.
    ///
    /// # Errors
    /// `Usage` when a column is not there, a pair comes twice, or there are too many columns.
    pub fn of(&self, rows: &RecordBatch, present: &Presentation) -> Result<(RecordBatch, Presentation)> {
        if rows.num_columns() < 3 {
            return Err(Error::usage("a crosstab needs three columns: for its rows, its columns and its cells")
                .hint("`\\crosstab ROWS COLUMNS VALUES` names them"));
        }
        let chosen = |name: &Option<String>, or: usize| name.as_deref().map_or(Ok(or), |name| place(rows, name));
        let (down, across, values) = (chosen(&self.rows, 0)?, chosen(&self.columns, 1)?, chosen(&self.values, 2)?);
        let (heads, head_of) = distinct(rows, down, present)?;
        let (titles, title_of) = distinct(rows, across, present)?;
        if titles.len() > COLUMNS_MAX {
            let name = rows.schema_ref().field(across).name().clone();
            return Err(Error::usage(format!("`{name}` has {} values, too many for columns", titles.len()))
                .hint("let it stand for the rows: `\\crosstab ROWS COLUMNS VALUES`"));
        }
        let mut cells: Vec<Vec<Option<u64>>> = vec![vec![None; heads.len()]; titles.len()];
        for row in 0..rows.num_rows() {
            let cell = &mut cells[title_of[row]][head_of[row]];
            if cell.replace(row as u64).is_some() {
                let (head, title) = (&heads[head_of[row]].0, &titles[title_of[row]].0);
                return Err(Error::usage(format!("two rows have `{head}` and `{title}`"))
                    .hint("a crosstab has one cell for each pair: group by both in the statement"));
            }
        }
        let schema = rows.schema();
        let first: UInt64Array = heads.iter().map(|(_, row)| Some(*row as u64)).collect();
        let taken = |column: usize, places: &UInt64Array| {
            take(rows.column(column), places, None)
                .map_err(|error| Error::internal(format!("a crosstab cannot be made: {error}")))
        };
        let mut fields = vec![Field::clone(schema.field(down)).with_nullable(true)];
        let mut columns = vec![taken(down, &first)?];
        let names = names(schema.field(down).name(), &titles);
        for (name, places) in names.iter().zip(cells) {
            fields.push(Field::new(name, schema.field(values).data_type().clone(), true));
            columns.push(taken(values, &UInt64Array::from(places))?);
        }
        let present = present.spread(schema.field(values).name(), names.iter().map(String::as_str));
        let turned = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| Error::internal(format!("a crosstab cannot be made: {error}")))?;
        Ok((turned, present))
    }
}

/// The different values of a column as texts, each with the row in which it comes first.
type Values = Vec<(String, usize)>;

/// The names of the columns beside that of the rows, each its own: programs find columns by name.
fn names(rows: &str, titles: &[(String, usize)]) -> Vec<String> {
    let mut names = vec![rows.to_owned()];
    for (title, _) in titles {
        let (mut name, mut number) = (title.clone(), 1);
        while names.contains(&name) {
            number += 1;
            name = format!("{title}_{number}");
        }
        names.push(name);
    }
    names.split_off(1)
}

/// The values of a column, and for each row the place of its value.
fn distinct(rows: &RecordBatch, column: usize, present: &Presentation) -> Result<(Values, Vec<usize>)> {
    let cannot = |error: ArrowError| Error::internal(format!("a column cannot be read: {error}"));
    let (schema, array) = (rows.schema(), rows.column(column));
    let texts = cell::Column::new(schema.field(column), array, present).map_err(cannot)?;
    let keys: Vec<Vec<u8>> = match RowConverter::new(vec![SortField::new(array.data_type().clone())]) {
        Ok(converter) => {
            let keys = converter.convert_columns(std::slice::from_ref(array)).map_err(cannot)?;
            keys.iter().map(|key| key.as_ref().to_vec()).collect()
        }
        // Values without an order, such as maps.
        Err(_) => (0..array.len()).map(|row| texts.text(row).into_bytes()).collect(),
    };
    let mut places = HashMap::new();
    let mut values = Values::new();
    let of_row = keys.iter().enumerate().map(|(row, key)| {
        *places.entry(key).or_insert_with(|| {
            values.push((texts.text(row), row));
            values.len() - 1
        })
    });
    let of_row = of_row.collect();
    Ok((values, of_row))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};

    use super::*;
    use crate::output::present::{ColumnStyle, NumberFormat};

    #[test]
    fn no_column_has_the_name_of_another_or_of_the_rows() {
        let titles = ["n", "a", "a", "a_2"].map(|title| (title.to_owned(), 0));
        assert_eq!(names("n", &titles), ["n_2", "a", "a_2", "a_2_2"]);
    }

    #[test]
    fn values_that_look_alike_have_rows_and_columns_of_their_own() {
        let columns: [(&str, ArrayRef); 3] = [
            ("answer", Arc::new(StringArray::from(vec![None, Some("NULL"), None]))),
            ("share", Arc::new(Float64Array::from(vec![0.121, 0.121, 0.124]))),
            ("n", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ];
        let rows = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let style = ColumnStyle { number: NumberFormat::parse("0%").ok(), ..ColumnStyle::default() };
        let present = Presentation::report(BTreeMap::from([("share".to_owned(), style)]));
        let (turned, _) = Crosstab::default().of(&rows, &present).expect("a crosstab");
        let schema = turned.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["answer", "12%", "12%_2"]);
        assert_eq!(turned.column(0).as_ref(), &StringArray::from(vec![None, Some("NULL")]));
        assert_eq!(turned.column(1).as_ref(), &Int64Array::from(vec![1, 2]));
        assert_eq!(turned.column(2).as_ref(), &Int64Array::from(vec![Some(3), None]));
    }
}

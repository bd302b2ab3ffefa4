//! What footers say of the columns of a table: nulls, smallest and largest value. No row is read.

use std::cmp::Ordering;

use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::scalar::ScalarValue;

/// What is known of a column; `None` where some file does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub nulls: Option<u64>,
    pub min: Option<String>,
    pub max: Option<String>,
}

/// The facts of all columns, from the statistics of each file.
pub fn of_all(files: &[Statistics], columns: usize) -> Vec<Facts> {
    (0..columns).map(|column| of_column(files, column)).collect()
}

fn of_column(files: &[Statistics], column: usize) -> Facts {
    let each = || files.iter().filter_map(|file| Some((file, file.column_statistics.get(column)?)));
    let nulls = each()
        .map(|(_, known)| known.null_count.get_value().filter(|_| known.null_count.is_exact() == Some(true)).copied());
    let nulls = nulls.sum::<Option<usize>>().and_then(|nulls| u64::try_from(nulls).ok());
    // A file of nulls alone has no bounds, and needs none.
    let filled = || each().filter(|(file, known)| file.num_rows.get_value() != known.null_count.get_value());
    let bound = |of: fn(&ColumnStatistics) -> &Precision<ScalarValue>, wanted: Ordering| {
        let mut furthest: Option<ScalarValue> = None;
        for (_, known) in filled() {
            let Precision::Exact(value) = of(known) else { return None };
            let is_further = match &furthest {
                // Files may store a column in other widths.
                Some(furthest) => value.cast_to(&furthest.data_type()).ok()?.partial_cmp(furthest) == Some(wanted),
                None => true,
            };
            if is_further {
                furthest = Some(value.clone());
            }
        }
        furthest.filter(|value| !value.is_null()).and_then(|value| text(&value))
    };
    Facts {
        nulls,
        min: bound(|known| &known.min_value, Ordering::Less),
        max: bound(|known| &known.max_value, Ordering::Greater),
    }
}

/// A value as a person reads it.
fn text(value: &ScalarValue) -> Option<String> {
    let is_time = value.data_type().is_temporal();
    let text = array_value_to_string(&value.to_array().ok()?, 0).ok()?;
    Some(if is_time { text.trim_end_matches('Z').replace('T', " ") } else { text })
}

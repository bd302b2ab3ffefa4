//! The charts of a section, and what they say.

use arrow::array::RecordBatch;

use super::document::Answer;
use crate::error::{Error, Kind, Result};
use crate::output::chart::Drawing;

/// Rows of which a chart is still legible.
const ROWS_MAX: usize = 2_000;

/// The charts of a result.
#[derive(Debug, Default)]
pub struct Charts {
    pub drawings: Vec<Drawing>,
    /// The place of each among the charts of its query.
    pub places: Vec<usize>,
    /// What could not be drawn, and why.
    pub left_out: Vec<String>,
}

impl Charts {
    /// Draws what the query's header asks for.
    ///
    /// # Errors
    /// `Storage` when rows that were put aside cannot be read.
    pub fn of(answer: &Answer) -> Result<Self> {
        let mut charts = Self::default();
        if answer.rows.count == 0 || answer.query.charts.is_empty() {
            return Ok(charts);
        }
        if answer.rows.count > ROWS_MAX as u64 {
            charts.left_out.push(format!("No chart is drawn of {} rows.", answer.rows.count));
            return Ok(charts);
        }
        let rows: RecordBatch = answer.rows.first(ROWS_MAX)?;
        for (place, chart) in answer.query.charts.iter().enumerate() {
            match Drawing::of(&rows, &answer.present, &chart.value.spec()) {
                Ok(drawing) => {
                    charts.drawings.push(drawing);
                    charts.places.push(place);
                }
                // Rows that do not make this chart are no reason to withhold the report, and are said in it.
                Err(error) if error.kind() == Kind::Usage => charts.left_out.push(left_out(&error)),
                Err(error) => return Err(error),
            }
        }
        Ok(charts)
    }

    /// What the charts say.
    pub fn sentences(&self) -> impl Iterator<Item = String> + '_ {
        self.drawings.iter().map(Drawing::sentence).filter(|sentence| !sentence.is_empty())
    }
}

fn left_out(error: &Error) -> String {
    format!("A chart is not drawn: {error}.")
}

//! Results in other shapes: charts, crosstabs.

use std::io::Write;

use super::kept::Kept;
use super::result::Longer;
use super::{Asked, Shell};
use crate::engine::Running;
use crate::error::{Error, Kind, Result};
use crate::output::chart::{self, Chart, Kind as Drawn, Size};
use crate::output::crosstab::Crosstab;
use crate::query::header::{ChartKind, ChartSection};
use crate::suggest;

/// A chart where there is no terminal to ask for its size.
const PAGE: Size = Size { width: 80, height: 24 };

impl Shell {
    /// Draws a result: `[KIND] [X [Y [BY]]]`; a saved query that names no columns is drawn as its header says.
    ///
    /// # Errors
    /// `Usage` when there is no result, or none that can be drawn so.
    pub(super) async fn chart(&mut self, words: &[String], kept: &Kept) -> Result<()> {
        let mut chart = typed(words)?;
        if words.is_empty()
            && let Some(Asked::Saved { name, .. }) = &self.asked
        {
            let query = self.library.query(name).await?;
            chart = query.charts.first().map(|section| declared(&section.value)).unwrap_or_default();
        }
        let size = self.view.screen.map_or(PAGE, |screen| Size { width: screen.width, height: screen.height });
        let text = chart::draw(&kept.rows()?, &kept.present, &chart, size)?;
        let mut target = self.open(Longer::IsPaged).await?;
        let written = target.write_all(text.as_bytes()).and_then(|()| target.flush());
        if target.is_closed() {
            return Err(Error::new(Kind::ClosedPipe, "the reader of the output has gone"));
        }
        written.map_err(|error| Error::storage(format!("cannot write: {error}")).caused_by(error))?;
        target.commit().await
    }

    /// Shows a result as a crosstab: `[ROWS COLUMNS VALUES]`.
    ///
    /// # Errors
    /// `Usage` when it cannot be turned so.
    pub(super) async fn crosstab(&mut self, words: &[String], kept: &Kept) -> Result<()> {
        let crosstab = match words {
            [] => Crosstab::default(),
            [rows, columns, values] => {
                let [rows, columns, values] = [rows, columns, values].map(|name| Some(name.clone()));
                Crosstab { rows, columns, values }
            }
            _ => return Err(Error::usage("a crosstab takes three columns: `\\crosstab ROWS COLUMNS VALUES`")),
        };
        let (turned, present) = crosstab.of(&kept.rows()?, &kept.present)?;
        self.write(Running::done(turned), present).await?;
        Ok(())
    }
}

fn typed(words: &[String]) -> Result<Chart> {
    let (kind, columns) = match words.split_first() {
        Some((word, rest)) if Drawn::parse(word).is_some() => (Drawn::parse(word), rest),
        _ => (None, words),
    };
    if columns.len() > 3 {
        return Err(Error::usage("a chart takes a kind and up to three columns")
            .hint(format!("`\\chart [KIND] [X [Y [BY]]]`, of the kinds {}", suggest::list(Drawn::names()))));
    }
    let column = |place: usize| columns.get(place).cloned();
    Ok(Chart { kind, x: column(0), y: column(1), by: column(2) })
}

/// The chart of a header, in what a terminal can draw of it.
fn declared(section: &ChartSection) -> Chart {
    let kind = match section.kind {
        ChartKind::Bar | ChartKind::StackedBar | ChartKind::Bullet | ChartKind::Dot | ChartKind::Waterfall => {
            Drawn::Bar
        }
        ChartKind::Line | ChartKind::Sparkline => Drawn::Line,
        ChartKind::Scatter => Drawn::Scatter,
        ChartKind::Heatmap => Drawn::Heat,
    };
    let (x, y, by) = (Some(section.x.clone()), Some(section.y.clone()), section.color.clone());
    Chart { kind: Some(kind), x, y, by }
}

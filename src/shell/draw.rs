//! Results in other shapes: charts, crosstabs.

use std::io::Write;

use super::kept::Kept;
use super::result::Longer;
use super::{Asked, Shell};
use crate::engine::Running;
use crate::error::{Error, Kind, Result};
use crate::output::chart::{self, Drawing, Kind as Drawn, Picture, Size, Spec};
use crate::output::crosstab::Crosstab;
use crate::suggest;

/// A chart where there is no terminal to ask for its size.
const SCREEN: Size = Size { width: 80, height: 24 };

/// Pixels across of a picture: two for each of the page that it is laid out for.
const PICTURE_PX: u32 = 1440;

impl Shell {
    /// Draws a result: `[N|KIND] [X [Y [BY]]]`; without words, a saved query's in all charts of its header, and with a number in that
    /// one. Where the next result goes to a file that ends in `.svg` or `.png`, it becomes a picture.
    ///
    /// # Errors
    /// `Usage` when there is no result, none that can be drawn so, or several charts for one picture.
    pub(super) async fn chart(&mut self, words: &[String], kept: &Kept) -> Result<()> {
        let charts = self.charts(words).await?;
        let (rows, picture) = (kept.rows()?, self.target().and_then(Picture::of_file));
        let drawings: Result<Vec<Drawing>> =
            charts.iter().map(|chart| Drawing::of(&rows, &kept.present, chart)).collect();
        let bytes = match (picture, drawings?.as_slice()) {
            (Some(Picture::Svg), [drawing]) => drawing.standalone_svg(chart::PAGE).into_bytes(),
            (Some(Picture::Png), [drawing]) => drawing.png(chart::PAGE, PICTURE_PX)?,
            (Some(_), drawings) => {
                return Err(Error::usage(format!("the query has {} charts, and a picture holds one", drawings.len()))
                    .hint("say which one: `\\chart 1`"));
            }
            (None, drawings) => {
                let screen = self.view.screen.filter(|_| self.target().is_none());
                let size = screen.map_or(SCREEN, |screen| Size { width: screen.width, height: screen.height });
                let texts: Vec<String> = drawings.iter().map(|drawing| drawing.text(size)).collect();
                texts.join("\n").into_bytes()
            }
        };
        let mut target = self.open(Longer::IsPaged).await?;
        let written = target.write_all(&bytes).and_then(|()| target.flush());
        if target.is_closed() {
            return Err(Error::new(Kind::ClosedPipe, "the reader of the output has gone"));
        }
        written.map_err(|error| Error::storage(format!("cannot write: {error}")).caused_by(error))?;
        target.commit().await?;
        self.close_next_output("chart");
        Ok(())
    }

    /// The charts that words ask for.
    async fn charts(&self, words: &[String]) -> Result<Vec<Spec>> {
        let number = match words {
            [] => None,
            [word] if word.bytes().all(|byte| byte.is_ascii_digit()) => Some(word),
            words => return Ok(vec![typed(words)?]),
        };
        let declared: Vec<Spec> = match &self.asked {
            Some(Asked::Saved { name, .. }) => {
                self.library.query(name).await?.charts.iter().map(|section| section.value.spec()).collect()
            }
            _ => Vec::new(),
        };
        let Some(number) = number else {
            return Ok(if declared.is_empty() { vec![Spec::default()] } else { declared });
        };
        let count = declared.len();
        let chosen = number.parse::<usize>().ok().and_then(|number| declared.into_iter().nth(number.checked_sub(1)?));
        chosen.map(|chart| vec![chart]).ok_or_else(|| {
            let error = Error::usage(format!("there is no chart {number}"));
            match count {
                0 => error.hint("only saved queries have charts of their own: name a kind or columns"),
                count => error.hint(format!("the query has {count}, counted from 1")),
            }
        })
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

fn typed(words: &[String]) -> Result<Spec> {
    let (kind, columns) = match words.split_first() {
        Some((word, rest)) if Drawn::parse(word).is_some() => (Drawn::parse(word), rest),
        _ => (None, words),
    };
    if columns.len() > 3 {
        return Err(Error::usage("a chart takes a kind and up to three columns")
            .hint(format!("`\\chart [N|KIND] [X [Y [BY]]]`, of the kinds {}", suggest::list(Drawn::names()))));
    }
    let column = |place: usize| columns.get(place).cloned();
    Ok(Spec { kind, x: column(0), y: column(1), color: column(2), ..Spec::default() })
}

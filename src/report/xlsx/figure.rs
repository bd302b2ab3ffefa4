//! What a chart of a section draws: labels, numbers, groups and ends of intervals, taken out of the rows.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::DataType;

use super::style::{DAY, MOMENT};
use super::values::{Kind, Value, Values, numbers};
use crate::error::{Error, Result};
use crate::output::cell::safe;
use crate::output::chart::{Drawing, Kind as ChartKind, on_one_line};
use crate::output::present::ColumnStyle;
use crate::report::document::Section;
use crate::report::gather::reasons;

/// Labels that a chart with a bar or a dot for each draws: more cannot be read.
const LABELS_MAX: usize = 60;

/// Points that other charts draw; no report has a chart of more rows.
const POINTS_MAX: usize = 2_000;

/// A chart and its columns.
pub struct Figure<'a> {
    pub kind: ChartKind,
    pub title: String,
    /// What it shows, and how much of all rows.
    pub words: String,
    /// Labels, what lies along the bottom, or the columns of a heat map.
    pub across: Column<'a>,
    /// Numbers, or the rows of a heat map.
    pub up: Column<'a>,
    /// Groups, or the numbers of a heat map.
    pub by: Option<Column<'a>>,
    pub low: Option<Column<'a>>,
    pub high: Option<Column<'a>>,
    /// What numbers should be.
    pub target: Option<Column<'a>>,
    /// The label that stands for all the others together.
    pub total: Option<String>,
    /// Whether bars lie on their side.
    pub lies: bool,
    /// Rows that are drawn.
    pub rows: usize,
}

/// A column that is drawn.
pub struct Column<'a> {
    /// Place in the result.
    pub place: usize,
    pub title: String,
    pub kind: Kind,
    pub numbers: Vec<Option<f64>>,
    pub labels: Vec<String>,
    /// Why a number is missing, row by row; empty where none is.
    pub reasons: Vec<String>,
    pub style: Option<&'a ColumnStyle>,
    pub pattern: Option<String>,
}

impl<'a> Figure<'a> {
    /// The charts of a section.
    ///
    /// # Errors
    /// `Storage` when rows that were put aside cannot be read.
    pub fn all(section: &'a Section) -> Result<Vec<Self>> {
        let drawn = section.charts.places.iter().zip(&section.charts.drawings);
        let figures = drawn.map(|(place, drawing)| Self::of(section, *place, drawing));
        figures.filter_map(Result::transpose).collect()
    }

    /// The chart of this place among those of its query; `None` where its columns are not there.
    fn of(section: &'a Section, place: usize, drawing: &Drawing) -> Result<Option<Self>> {
        let answer = &section.result;
        let Some(spec) = answer.query.charts.get(place).map(|chart| &chart.value) else { return Ok(None) };
        // What adds up is drawn of all its rows: without some of them it would be another sum.
        let has_pieces = spec.kind == ChartKind::StackedBar && spec.color.is_some();
        let most = match spec.kind {
            ChartKind::Bar | ChartKind::Dot | ChartKind::Bullet => LABELS_MAX,
            ChartKind::StackedBar if !has_pieces => LABELS_MAX,
            ChartKind::StackedBar
            | ChartKind::Waterfall
            | ChartKind::Line
            | ChartKind::Heatmap
            | ChartKind::Scatter
            | ChartKind::Sparkline => POINTS_MAX,
        };
        let rows = answer.rows.first(most)?;
        let Ok(x) = answer.rows.schema.index_of(&spec.x) else { return Ok(None) };
        let Ok(y) = answer.rows.schema.index_of(&spec.y) else { return Ok(None) };
        let kind = |place: usize| Kind::of(answer.rows.schema.field(place).data_type());
        let has_two_sides = matches!(spec.kind, ChartKind::Heatmap | ChartKind::Scatter);
        let is_turned = !has_two_sides && kind(x) == Kind::Number && kind(y) != Kind::Number;
        let (across, up) = if is_turned { (y, x) } else { (x, y) };
        let (rows, part) = if has_pieces {
            whole_bars(&Column::of(section, &rows, across)?, rows)?
        } else {
            let (shown, all) = (rows.num_rows() as u64, answer.rows.count);
            (rows, (shown != all).then(|| format!(" Drawn are the first {shown} of {all} rows.")))
        };
        let optional = |name: &Option<String>| {
            let place = name.as_deref().and_then(|name| answer.rows.schema.index_of(name).ok());
            place.map(|place| Column::of(section, &rows, place)).transpose()
        };
        Ok(Some(Self {
            kind: spec.kind,
            title: drawing.title().to_owned(),
            words: format!("{}{}", drawing.sentence(), part.unwrap_or_default()),
            by: optional(&spec.color)?,
            low: optional(&spec.low)?,
            high: optional(&spec.high)?,
            target: optional(&spec.target)?,
            total: spec.total.as_deref().map(on_one_line),
            lies: is_turned && matches!(spec.kind, ChartKind::Bar | ChartKind::StackedBar),
            rows: rows.num_rows(),
            across: Column::of(section, &rows, across)?,
            up: Column::of(section, &rows, up)?,
        }))
    }
}

/// The rows of the first labels, each with all its pieces; and what is said where there are more labels.
fn whole_bars(across: &Column<'_>, rows: RecordBatch) -> Result<(RecordBatch, Option<String>)> {
    let (labels, label_of_row) = across.distinct();
    if labels.len() <= LABELS_MAX {
        return Ok((rows, None));
    }
    let kept: BooleanArray = label_of_row.into_iter().map(|label| Some(label < LABELS_MAX)).collect();
    let rows = filter_record_batch(&rows, &kept).map_err(|error| Error::internal(error.to_string()))?;
    Ok((rows, Some(format!(" Drawn are the first {LABELS_MAX} of {} bars.", labels.len()))))
}

impl<'a> Column<'a> {
    fn of(section: &'a Section, rows: &RecordBatch, place: usize) -> Result<Self> {
        let answer = &section.result;
        let field = answer.rows.schema.field(place);
        let values = rows.column(place);
        let kind = Kind::of(field.data_type());
        let style = answer.present.style(field.name());
        let typed = Values::of(field, values, &answer.present)?;
        let serial = |row: usize| match typed.value(row) {
            Value::Serial(serial) => Some(serial),
            _ => None,
        };
        let why = style.and_then(|style| style.missing.as_deref()).filter(|_| values.null_count() > 0);
        let reasons = match why {
            Some(column) => {
                let reason = reasons(rows, column)?;
                (0..rows.num_rows()).map(reason).collect()
            }
            None => Vec::new(),
        };
        let scale = if let DataType::Decimal128(_, scale) = field.data_type() { Some(*scale) } else { None };
        Ok(Self {
            numbers: match kind {
                Kind::Number => numbers(values),
                Kind::Day | Kind::Moment(_) => (0..rows.num_rows()).map(serial).collect(),
                Kind::Flag | Kind::Text => vec![None; rows.num_rows()],
            },
            pattern: match kind {
                Kind::Number => super::style::pattern(style, scale),
                Kind::Day => Some(DAY.to_owned()),
                Kind::Moment(_) => Some(MOMENT.to_owned()),
                Kind::Flag | Kind::Text => None,
            },
            labels: (0..rows.num_rows()).map(|row| on_one_line(&typed.text(row))).collect(),
            title: safe(answer.present.title(field.name())),
            place,
            kind,
            reasons,
            style,
        })
    }

    /// The labels, each once, in the order in which they come, and which of them each row has.
    pub fn distinct(&self) -> (Vec<&str>, Vec<usize>) {
        let mut labels: Vec<&str> = Vec::new();
        let mut known = std::collections::HashMap::new();
        let rows = self.labels.iter().map(|label| {
            *known.entry(label.as_str()).or_insert_with(|| {
                labels.push(label);
                labels.len() - 1
            })
        });
        let rows = rows.collect();
        (labels, rows)
    }

    /// Whether a place along an axis says something beside its order.
    pub fn is_measured(&self) -> bool {
        matches!(self.kind, Kind::Number | Kind::Day | Kind::Moment(_))
    }
}

//! Runs the queries of a report, each once for all sections that want it, side by side.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use tokio::task::JoinSet;

use super::Order;
use super::charts::Charts;
use super::document::{Answer, Document, Gap, Section, Stamp};
use super::plan::{self, Asked, Plan};
use super::rows::Gathering;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::lake::report::Report;
use crate::output::Format;
use crate::output::cell;
use crate::output::present::Presentation;
use crate::output::total::Sums;
use crate::query::results;
use crate::query::run::SavedRun;
use crate::query::saved::{Library, SavedQuery};

/// What is said of a value that is missing where its query gives no reason.
pub const NO_REASON: &str = "no value";

/// Reasons that are told apart; more are counted as one.
const REASONS_MAX: usize = 12;

/// Runs a report.
///
/// # Errors
/// `Usage` for a parameter that no section has; those of the queries, with the section's line.
pub async fn gather(engine: &Engine, library: &Library, report: &Report, order: &Order) -> Result<Document> {
    let Plan { asked, wants, sources, .. } = plan::of(library, report, &order.given).await?;
    let answers = answers(engine, library, asked, order.now).await?;
    let sections = report.sections.iter().zip(wants).map(|(part, place)| {
        let answer = answers.get(place).map(Arc::clone);
        let answer = answer.ok_or_else(|| Error::internal("a section without its result"))?;
        Ok(Section {
            title: part.title.clone().unwrap_or_else(|| answer.query.title.clone()),
            text: part.text.clone(),
            columns: plan::columns(part, &answer.rows.schema)?,
            rows_max: part.rows,
            charts: if part.has_charts { Charts::of(&answer)? } else { Charts::default() },
            has_table: part.has_table,
            result: answer,
        })
    });
    let mut sections = sections.collect::<Result<Vec<Section>>>()?;
    let mut inputs: Vec<_> = answers.iter().flat_map(|answer| answer.inputs.clone()).collect();
    inputs.sort();
    inputs.dedup();
    let bound = sections.iter().map(|section| section.result.bound.as_slice());
    let values = plan::values(report, &order.given, report.sections.iter().zip(bound));
    for (section, part) in sections.iter_mut().zip(&report.sections) {
        // What ran in the section itself comes before what ran in others.
        let mut values = values.clone();
        values.extend(plan::values(report, &order.given, std::iter::once((part, section.result.bound.as_slice()))));
        section.title = plan::written_out(&section.title, &values);
        section.text = section.text.as_ref().map(|text| plan::written_out(text, &values));
    }
    Ok(Document {
        name: report.name.clone(),
        title: plan::written_out(&report.title, &values),
        text: report.text.as_ref().map(|text| plan::written_out(text, &values)),
        audience: report.audience.clone(),
        lake: engine.lake().name.clone(),
        today: engine.lake().calendar.today(order.now),
        banner: order.banner.clone(),
        sections,
        checks: Vec::new(),
        sources,
        inputs,
        stamp: Stamp { run: order.run_id, at: order.started_at, now: order.now },
    })
}

/// The results of the queries, in their order.
async fn answers(
    engine: &Engine,
    library: &Library,
    asked: Vec<Asked>,
    now: DateTime<Utc>,
) -> Result<Vec<Arc<Answer>>> {
    // Tasks that nobody waits for any more are ended with the set.
    let mut running = JoinSet::new();
    let count = asked.len();
    for (place, asked) in asked.into_iter().enumerate() {
        let (engine, library) = (engine.clone(), library.clone());
        running.spawn(async move {
            let answer = answer(&engine, &library, &asked, now).await;
            (place, answer.map_err(|error| plan::at(error, asked.place.as_ref())))
        });
    }
    let mut answers: Vec<Option<Arc<Answer>>> = vec![None; count];
    // Of several that fail the first of the report is told.
    let mut failed: Option<(usize, Error)> = None;
    while let Some(done) = running.join_next().await {
        let (place, answer) = done.map_err(|error| Error::internal(format!("a query ended in a panic: {error}")))?;
        match answer {
            Ok(answer) => answers[place] = Some(Arc::new(answer)),
            Err(error) if failed.as_ref().is_none_or(|(first, _)| place < *first) => failed = Some((place, error)),
            Err(_) => {}
        }
    }
    match failed {
        Some((_, error)) => Err(error),
        None => Ok(answers.into_iter().flatten().collect()),
    }
}

async fn answer(engine: &Engine, library: &Library, asked: &Asked, now: DateTime<Utc>) -> Result<Answer> {
    let SavedRun { query, bound, present, mut running } =
        results::saved(engine, library, &asked.name, &asked.given, now).await?;
    let named = || query.columns.iter().filter_map(|(name, _)| present.style(name)?.total.as_ref());
    let mut sums = Sums::of(named().flat_map(|total| total.columns()));
    let mut gathering = Gathering::new(Arc::clone(&running.schema));
    let (mut gaps, mut totals) = (Vec::new(), 0);
    while let Some(batch) = running.batches.try_next().await? {
        sums.add(&batch).map_err(|error| error.at(&query.file, None))?;
        let are_totals = are_totals(&batch, &query);
        totals += are_totals.iter().filter(|is_total| **is_total).count() as u64;
        count_gaps(&batch, &present, &are_totals, &mut gaps)?;
        gathering.add(batch)?;
    }
    let rows = gathering.finish()?;
    let mut hash = Hash::default();
    rows.write(&mut hash, Format::Csv, false).await?;
    let inputs = running.scans.inputs();
    let computed_at = running.scans.computed_at();
    Ok(Answer { digest: hash.digits(), query, bound, present, rows, sums, totals, gaps, inputs, computed_at })
}

/// Which rows stand for all the others together, as the charts of the query say.
fn are_totals(batch: &RecordBatch, query: &SavedQuery) -> Vec<bool> {
    let mut are_totals = vec![false; batch.num_rows()];
    for chart in query.charts.iter().map(|chart| &chart.value) {
        let Some(total) = chart.total.as_deref() else { continue };
        for name in [Some(&chart.x), Some(&chart.y), chart.color.as_ref()].into_iter().flatten() {
            let labels = batch.column_by_name(name).filter(|values| values.data_type().is_string());
            let Some(Ok(labels)) = labels.map(|values| cast(values, &DataType::Utf8)) else { continue };
            for (is_total, label) in are_totals.iter_mut().zip(labels.as_string::<i32>()) {
                *is_total |= label == Some(total);
            }
        }
    }
    are_totals
}

/// Counts the values that are missing in columns of which the query says why.
fn count_gaps(batch: &RecordBatch, present: &Presentation, are_totals: &[bool], gaps: &mut Vec<Gap>) -> Result<()> {
    let schema = batch.schema();
    for (place, field) in schema.fields().iter().enumerate() {
        let Some(reason) = present.style(field.name()).and_then(|style| style.missing.as_deref()) else { continue };
        let values = batch.column(place);
        if values.null_count() == 0 {
            continue;
        }
        let reasons = reasons(batch, reason)?;
        for row in (0..batch.num_rows()).filter(|&row| values.is_null(row)) {
            let mut reason = reasons(row);
            let of_totals = u64::from(are_totals.get(row) == Some(&true));
            let of_column = gaps.iter().filter(|gap| gap.column == *field.name()).count();
            let same = |gap: &&mut Gap, reason: &str| gap.column == *field.name() && gap.reason == reason;
            if of_column >= REASONS_MAX && !gaps.iter_mut().any(|gap| same(&gap, &reason)) {
                "for other reasons".clone_into(&mut reason);
            }
            match gaps.iter_mut().find(|gap| same(gap, &reason)) {
                Some(gap) => {
                    gap.count += 1;
                    gap.of_totals += of_totals;
                }
                None => gaps.push(Gap { column: field.name().clone(), reason, count: 1, of_totals }),
            }
        }
    }
    Ok(())
}

/// What a column says, row by row, of why something is missing.
///
/// # Errors
/// `InvalidData` when the result has no such column.
pub fn reasons(batch: &RecordBatch, column: &str) -> Result<impl Fn(usize) -> String> {
    let unknown = || Error::invalid(format!("`missing` names `{column}`, which is no column of the result"));
    let place = batch.schema().index_of(column).map_err(|_| unknown())?;
    let (field, values) = (Arc::clone(&batch.schema().fields()[place]), Arc::clone(batch.column(place)));
    let texts: Vec<String> = {
        let present = Presentation::default();
        let texts = cell::Column::new(&field, &values, &present).map_err(|error| Error::internal(error.to_string()))?;
        (0..values.len()).map(|row| if values.is_null(row) { NO_REASON.to_owned() } else { texts.text(row) }).collect()
    };
    Ok(move |row: usize| texts.get(row).cloned().unwrap_or_else(|| NO_REASON.to_owned()))
}

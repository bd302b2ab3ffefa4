//! Runs the queries of a report, each once for all sections that want it, side by side.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use tokio::task::JoinSet;

use super::Order;
use super::document::{Answer, Document, Gap, Section, Source, Stamp};
use super::hash::Hash;
use super::rows::Gathering;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::lake::report::{Params, Report, Section as Part};
use crate::output::cell;
use crate::output::present::Presentation;
use crate::output::total::Sums;
use crate::output::{Format, Style, drain};
use crate::query::run::{self, Given, SavedRun};
use crate::query::saved::{Library, SavedQuery};
use crate::suggest;

/// What is said of a value that is missing where its query gives no reason.
pub const NO_REASON: &str = "no value";

/// Reasons that are told apart; more are counted as one.
const REASONS_MAX: usize = 12;

/// The report of a name: one of the manifest, or a saved query by itself.
///
/// # Errors
/// `Usage` with the nearest name; those of reading the query.
pub async fn find(engine: &Engine, library: &Library, name: &str) -> Result<Report> {
    if let Some(report) = engine.lake().reports.get(name) {
        return Ok(report.clone());
    }
    let queries = library.names().await?;
    if queries.iter().any(|query| query == name) {
        let query = library.query(name).await?;
        return Ok(Report::of_query(name, &query.title));
    }
    let names = || engine.lake().reports.keys().chain(&queries).map(String::as_str);
    let error = Error::usage(format!("no report and no saved query `{name}`"));
    Err(match suggest::nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`cxlake report` lists the reports, `cxlake queries` the saved queries"),
    })
}

/// One query to run.
struct Asked {
    name: String,
    given: Given,
    /// File and line of the first section that asks for it.
    place: Option<(String, usize)>,
}

/// Runs a report.
///
/// # Errors
/// `Usage` for a parameter that no section has; those of the queries, with the section's line.
pub async fn gather(engine: &Engine, library: &Library, report: &Report, order: &Order) -> Result<Document> {
    let mut asked: Vec<Asked> = Vec::new();
    let mut wants = Vec::new();
    let mut known = BTreeSet::new();
    let mut sources: Vec<Source> = Vec::new();
    for part in &report.sections {
        let at = |error: Error| match &part.place {
            Some((file, line)) => error.at(file, Some(*line)),
            None => error,
        };
        let queries = library.with_used(&part.query).await.map_err(at)?;
        let names: BTreeSet<String> =
            run::declared(&queries).into_iter().map(|(parameter, _)| parameter.name.clone()).collect();
        let given = given(part, report, &order.given, &names).map_err(at)?;
        known.extend(names);
        known.extend(references(part).map(str::to_owned));
        for query in
            queries.into_iter().filter(|query| sources.iter().all(|known| known.name != query.name)).collect::<Vec<_>>()
        {
            sources.push(source(query));
        }
        let found = asked.iter().position(|one| one.name == part.query && one.given == given);
        wants.push(found.unwrap_or(asked.len()));
        if found.is_none() {
            asked.push(Asked { name: part.query.clone(), given, place: part.place.clone() });
        }
    }
    refuse_unknown(report, &order.given, &known)?;
    let answers = answers(engine, library, asked, order.now).await?;
    let sections = report.sections.iter().zip(wants).map(|(part, place)| {
        let answer =
            answers.get(place).map(Arc::clone).ok_or_else(|| Error::internal("a section without its result"))?;
        section(part, answer)
    });
    let sections = sections.collect::<Result<Vec<Section>>>()?;
    let mut inputs: Vec<_> = answers.iter().flat_map(|answer| answer.inputs.clone()).collect();
    inputs.sort();
    inputs.dedup();
    Ok(Document {
        name: report.name.clone(),
        title: written_out(&report.title, report, &order.given),
        text: report.text.as_ref().map(|text| written_out(text, report, &order.given)),
        audience: report.audience.clone(),
        lake: engine.lake().name.clone(),
        today: engine.lake().calendar.today(order.now),
        banner: order.banner.clone(),
        sections,
        sources,
        inputs,
        stamp: Stamp { run: order.run_id, at: order.started_at, now: order.now },
    })
}

/// The values of a section's parameters: the call's first, then its own, then the report's. `$name` among its own stands for
/// what the call or the report has for that name.
///
/// # Errors
/// `Usage` when nobody has it.
fn given(part: &Part, report: &Report, called: &Given, names: &BTreeSet<String>) -> Result<Given> {
    let known = |params: &Params| -> Given {
        params
            .iter()
            .filter(|(name, _)| names.contains(*name))
            .map(|(name, texts)| (name.clone(), texts.clone()))
            .collect()
    };
    // What was typed has lists with commas in one text; those of the manifest are lists already.
    let typed = |params: Given| -> Given {
        let typed =
            |texts: Vec<String>| texts.into_iter().map(|text| text.replace('\\', "\\\\").replace(',', "\\,")).collect();
        params.into_iter().map(|(name, texts)| (name, typed(texts))).collect()
    };
    let mut given = typed(known(&report.params));
    for (name, texts) in &part.params {
        // A parameter that the section's query does not have is refused when it runs.
        let value = match reference(texts) {
            None => typed(Given::from([(name.clone(), texts.clone())])).remove(name),
            Some(of) => match (called.get(of), report.params.get(of)) {
                (Some(called), _) => Some(called.clone()),
                (None, Some(texts)) => typed(Given::from([(name.clone(), texts.clone())])).remove(name),
                (None, None) => {
                    return Err(Error::usage(format!("report `{}` needs a value for `{of}`", report.name))
                        .hint(format!("add `--param {of}=…`, or a default in `[report.{}.params]`", report.name)));
                }
            },
        };
        given.extend(value.map(|value| (name.clone(), value)));
    }
    given.extend(known(called));
    Ok(given)
}

/// The name that a value stands for, where it is one: `$name`.
fn reference(texts: &[String]) -> Option<&str> {
    match texts {
        [text] => text.strip_prefix('$'),
        _ => None,
    }
}

/// The names that a section's values stand for.
fn references(part: &Part) -> impl Iterator<Item = &str> {
    part.params.values().filter_map(|texts| reference(texts))
}

/// A text of a report with `$name` written out where the report or the call has a value of that name.
fn written_out(text: &str, report: &Report, called: &Given) -> String {
    let mut names: Vec<&String> = report.sections.iter().flat_map(|part| part.params.values()).flatten().collect();
    names.retain(|text| text.starts_with('$'));
    // The longest first: `$office` begins `$offices`.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.into_iter().fold(text.to_owned(), |text, name| {
        let value = called.get(&name[1..]).or_else(|| report.params.get(&name[1..]));
        value.map_or_else(|| text.clone(), |value| text.replace(name.as_str(), &value.join(", ")))
    })
}

/// Refuses a parameter that no section has.
fn refuse_unknown(report: &Report, called: &Given, known: &BTreeSet<String>) -> Result<()> {
    let Some(unknown) = called.keys().chain(report.params.keys()).find(|name| !known.contains(*name)) else {
        return Ok(());
    };
    let error = Error::usage(format!("no section of report `{}` has a parameter `{unknown}`", report.name));
    Err(match suggest::nearest(unknown, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => error.hint("none of them has any"),
        None => error.hint(format!("their parameters: {}", suggest::list(known.iter().map(String::as_str)))),
    })
}

fn source(query: SavedQuery) -> Source {
    let digest = Hash::of(query.sql.as_bytes());
    Source { name: query.name, sql: query.sql, digest }
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
            (
                place,
                answer.map_err(|error| match asked.place {
                    Some((file, line)) => error.at(file, Some(line)),
                    None => error,
                }),
            )
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
        run::saved(engine, library, &asked.name, &asked.given, now).await?;
    let named = || query.columns.iter().filter_map(|(name, _)| present.style(name)?.total.as_ref());
    let mut sums = Sums::of(named().flat_map(|total| total.columns()));
    let mut gathering = Gathering::new(Arc::clone(&running.schema));
    let mut gaps = Vec::new();
    while let Some(batch) = running.batches.try_next().await? {
        sums.add(&batch).map_err(|error| error.at(&query.file, None))?;
        count_gaps(&batch, &present, &mut gaps)?;
        gathering.add(batch)?;
    }
    let rows = gathering.finish()?;
    let mut hash = Hash::default();
    let style = Style {
        format: Format::Csv,
        width: None,
        rows_max: None,
        turns: false,
        csv_safe: false,
        present: Presentation::default(),
    };
    drain(&rows.schema, futures::stream::iter(rows.batches()?), &mut hash, &style).await?;
    let inputs = running.scans.inputs(engine);
    Ok(Answer { digest: hash.digits(), query, bound, present, rows, sums, gaps, inputs })
}

/// Counts the values that are missing in columns of which the query says why.
fn count_gaps(batch: &RecordBatch, present: &Presentation, gaps: &mut Vec<Gap>) -> Result<()> {
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
            let of_column = gaps.iter().filter(|gap| gap.column == *field.name()).count();
            let same = |gap: &&mut Gap, reason: &str| gap.column == *field.name() && gap.reason == reason;
            if of_column >= REASONS_MAX && !gaps.iter_mut().any(|gap| same(&gap, &reason)) {
                "for other reasons".clone_into(&mut reason);
            }
            match gaps.iter_mut().find(|gap| same(gap, &reason)) {
                Some(gap) => gap.count += 1,
                None => gaps.push(Gap { column: field.name().clone(), reason, count: 1 }),
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

/// A section with its result.
fn section(part: &Part, result: Arc<Answer>) -> Result<Section> {
    let schema = &result.rows.schema;
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let place = |wanted: &String| {
        names().position(|name| name == wanted).ok_or_else(|| {
            let error =
                Error::invalid(format!("a section shows the column `{wanted}`, which `{}` does not have", part.query));
            let error = match &part.place {
                Some((file, line)) => error.at(file, Some(*line)),
                None => error,
            };
            match suggest::nearest(wanted, names()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("its columns: {}", suggest::list(names()))),
            }
        })
    };
    let columns = match part.columns.as_slice() {
        [] => (0..schema.fields().len()).collect(),
        columns => columns.iter().map(place).collect::<Result<_>>()?,
    };
    Ok(Section {
        title: part.title.clone().unwrap_or_else(|| result.query.title.clone()),
        text: part.text.clone(),
        columns,
        rows_max: part.rows,
        has_charts: part.has_charts,
        has_table: part.has_table,
        result,
    })
}

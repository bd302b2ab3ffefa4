//! What a report asks for: which saved queries with which values, each once, and which columns of them are shown.

use std::collections::BTreeSet;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};

use super::document::Source;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::lake::report::{Params, Report, Section as Part};
use crate::query::run::{self, Absent, Given};
use crate::query::saved::{Library, SavedQuery};
use crate::suggest;

/// What a report asks for.
pub struct Plan {
    pub asked: Vec<Asked>,
    /// For each section its place in `asked`.
    pub wants: Vec<usize>,
    /// The queries that run, each with those that it builds on.
    pub sources: Vec<Source>,
}

/// One query to run.
pub struct Asked {
    pub name: String,
    pub given: Given,
    /// File and line of the first section that asks for it.
    pub place: Option<(String, usize)>,
}

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

/// What a report asks for when it is called with these values.
///
/// # Errors
/// `Usage` for a parameter that no section has; those of reading the queries, with the section's line.
pub async fn of(library: &Library, report: &Report, called: &Given) -> Result<Plan> {
    let mut plan = Plan { asked: Vec::new(), wants: Vec::new(), sources: Vec::new() };
    let mut known = BTreeSet::new();
    for part in &report.sections {
        let place = part.place.as_ref();
        let queries = library.with_used(&part.query).await.map_err(|error| at(error, place))?;
        let given = given(part, report, called, &queries).map_err(|error| at(error, place))?;
        known.extend(run::declared(&queries).into_iter().map(|(parameter, _)| parameter.name.clone()));
        known.extend(references(part).map(str::to_owned));
        for query in queries {
            if plan.sources.iter().all(|known| known.name != query.name) {
                plan.sources.push(source(query));
            }
        }
        let found = plan.asked.iter().position(|one| one.name == part.query && one.given == given);
        plan.wants.push(found.unwrap_or(plan.asked.len()));
        if found.is_none() {
            plan.asked.push(Asked { name: part.query.clone(), given, place: part.place.clone() });
        }
    }
    refuse_unknown(report, called, &known)?;
    Ok(plan)
}

/// The error, at the line of the section that met it.
pub fn at(error: Error, place: Option<&(String, usize)>) -> Error {
    match place {
        Some((file, line)) => error.at(file, Some(*line)),
        None => error,
    }
}

/// What is wrong with a report, found without running it; nothing when nothing is.
pub async fn check(engine: &Engine, library: &Library, report: &Report, now: DateTime<Utc>) -> Vec<Error> {
    let plan = match of(library, report, &Given::new()).await {
        Ok(plan) => plan,
        Err(error) => return vec![error],
    };
    let mut wrong = Vec::new();
    for (place, asked) in plan.asked.iter().enumerate() {
        let schema = async {
            let planned = run::plan(engine, library, &asked.name, &asked.given, now, Absent::TakesExample).await?;
            planned.engine.output_schema(planned.plan, &run::text(&planned.query)).await
        };
        match schema.await {
            Ok(schema) => {
                let parts = report.sections.iter().zip(&plan.wants).filter(|(_, wanted)| **wanted == place);
                wrong.extend(parts.filter_map(|(part, _)| columns(part, &schema).err()));
            }
            Err(error) => wrong.push(at(error, asked.place.as_ref())),
        }
    }
    wrong
}

/// The values of a section's parameters: the call's first, then its own, then the report's. `$name` among its own stands for
/// what the call or the report has for that name.
///
/// # Errors
/// `Usage` when nobody has it.
fn given(part: &Part, report: &Report, called: &Given, queries: &[SavedQuery]) -> Result<Given> {
    let declared = run::declared(queries);
    let known = |params: &Params| -> Params {
        let names = declared.iter().map(|(parameter, _)| &parameter.name);
        names.filter_map(|name| Some((name.clone(), params.get(name)?.clone()))).collect()
    };
    // Those of the manifest are values; those of the call are as they were typed.
    let (mut values, mut typed) = (known(&report.params), Given::new());
    for (name, texts) in &part.params {
        // A parameter that the section's query does not have is refused when it runs.
        let (of_kind, texts) = match reference(texts) {
            None => (&mut values, texts),
            Some(of) => match (called.get(of), report.params.get(of)) {
                (Some(called), _) => (&mut typed, called),
                (None, Some(texts)) => (&mut values, texts),
                (None, None) => {
                    return Err(Error::usage(format!("report `{}` needs a value for `{of}`", report.name))
                        .hint(format!("add `--param {of}=…`, or a default in `[report.{}.params]`", report.name)));
                }
            },
        };
        of_kind.insert(name.clone(), texts.clone());
    }
    typed.extend(known(called));
    let mut given = run::typed(queries, &values);
    given.extend(typed);
    Ok(given)
}

/// Values that a manifest has for a call of a report, as they are typed: where one is for a list, its commas are written `\,`.
///
/// # Errors
/// `Usage` when there is no such report; those of reading its queries.
pub async fn typed(engine: &Engine, library: &Library, name: &str, params: &Params) -> Result<Given> {
    let report = find(engine, library, name).await?;
    let mut given = params.clone();
    for part in &report.sections {
        let queries = library.with_used(&part.query).await.map_err(|error| at(error, part.place.as_ref()))?;
        for (parameter, _) in run::declared(&queries).into_iter().filter(|(parameter, _)| parameter.is_list) {
            let stands_for = part.params.get(&parameter.name).and_then(|texts| reference(texts));
            for name in stands_for.into_iter().chain([parameter.name.as_str()]) {
                given.extend(params.get(name).map(|values| (name.to_owned(), parameter.typed(values))));
            }
        }
    }
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
pub fn written_out(text: &str, report: &Report, called: &Given) -> String {
    let mut names: Vec<&String> = report.sections.iter().flat_map(|part| part.params.values()).flatten().collect();
    names.retain(|text| text.starts_with('$'));
    // The longest first: `$office` begins `$offices`.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.into_iter().fold(text.to_owned(), |text, name| {
        let typed = called.get(&name[1..]).map(|texts| texts.join(", ").replace("\\,", ","));
        let value = typed.or_else(|| report.params.get(&name[1..]).map(|values| values.join(", ")));
        value.map_or_else(|| text.clone(), |value| text.replace(name.as_str(), &value))
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

/// Places of the columns that a section shows.
///
/// # Errors
/// `InvalidData` with the nearest name for one that is not there.
pub fn columns(part: &Part, schema: &SchemaRef) -> Result<Vec<usize>> {
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let place = |wanted: &String| {
        names().position(|name| name == wanted).ok_or_else(|| {
            let message = format!("a section shows the column `{wanted}`, which `{}` does not have", part.query);
            let error = at(Error::invalid(message), part.place.as_ref());
            match suggest::nearest(wanted, names()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("its columns: {}", suggest::list(names()))),
            }
        })
    };
    match part.columns.as_slice() {
        [] => Ok((0..schema.fields().len()).collect()),
        columns => columns.iter().map(place).collect(),
    }
}

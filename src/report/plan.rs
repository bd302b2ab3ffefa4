//! What a report asks for: which saved queries with which values, each once, and which columns of them are shown.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::{DataType, SchemaRef};
use chrono::{DateTime, Utc};

use super::document::Source;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hash::Hash;
use crate::lake::report::{Params, Report, Section as Part};
use crate::query::lexis::is_part_of_word;
use crate::query::parameter::{Bound, in_typed_list, out_of_typed_list};
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
    /// Names of the sections' parameters, and those that their values stand for.
    known: BTreeSet<String>,
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
/// `Usage` for a parameter that no section has, or that would change some of the sections that go by another; those of reading the
/// queries, with the section's line.
pub async fn of(library: &Library, report: &Report, called: &Given) -> Result<Plan> {
    let of_sections = queries(library, report).await?;
    let lists = lists(report, &of_sections);
    let mut plan = Plan { asked: Vec::new(), wants: Vec::new(), sources: Vec::new(), known: BTreeSet::new() };
    for (part, queries) in report.sections.iter().zip(of_sections) {
        let given = given(part, report, called, &queries, &lists).map_err(|error| at(error, part.place.as_ref()))?;
        plan.known.extend(run::declared(&queries).into_iter().map(|(parameter, _)| parameter.name.clone()));
        plan.known.extend(references(part).map(str::to_owned));
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
    refuse_unknown(report, called, &plan.known)?;
    refuse_of_some(report, called)?;
    Ok(plan)
}

/// The queries of each section, each with those that it builds on.
async fn queries(library: &Library, report: &Report) -> Result<Vec<Vec<SavedQuery>>> {
    let mut queries = Vec::with_capacity(report.sections.len());
    for part in &report.sections {
        let of_section = library.with_used(&part.query).await;
        queries.push(of_section.map_err(|error| at(error, part.place.as_ref()))?);
    }
    Ok(queries)
}

/// The names that stand for a list in some section. Their values are typed in the notation of lists, whatever other sections take
/// them for.
fn lists(report: &Report, queries: &[Vec<SavedQuery>]) -> BTreeSet<String> {
    let mut lists = BTreeSet::new();
    for (part, queries) in report.sections.iter().zip(queries) {
        for (parameter, _) in run::declared(queries).into_iter().filter(|(parameter, _)| parameter.is_list) {
            let stands_for = part.params.get(&parameter.name).and_then(|texts| reference(texts));
            lists.extend(stands_for.into_iter().chain([parameter.name.as_str()]).map(str::to_owned));
        }
    }
    lists
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
    let mut wrong: Vec<Error> = unknown_in_texts(report, &plan.known).collect();
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
/// what the call or the report has for that name. A name of `lists` is typed as one.
///
/// # Errors
/// `Usage` when nobody has it.
fn given(
    part: &Part,
    report: &Report,
    called: &Given,
    queries: &[SavedQuery],
    lists: &BTreeSet<String>,
) -> Result<Given> {
    let declared = run::declared(queries);
    let known = |params: &Params| -> Params {
        let names = declared.iter().map(|(parameter, _)| &parameter.name);
        names.filter_map(|name| Some((name.clone(), params.get(name)?.clone()))).collect()
    };
    // What is no list here has no notation.
    let is_list = |name: &String| declared.iter().any(|(parameter, _)| parameter.name == *name && parameter.is_list);
    let as_here = |name: &String, of: &str, texts: &[String]| -> Vec<String> {
        match lists.contains(of) && !is_list(name) {
            true => texts.iter().map(|text| out_of_typed_list(text)).collect(),
            false => texts.to_vec(),
        }
    };
    // Those of the manifest are values; those of the call are as they were typed.
    let (mut values, mut typed) = (known(&report.params), Given::new());
    for (name, texts) in &part.params {
        // A parameter that the section's query does not have is refused when it runs.
        let (of_kind, texts) = match reference(texts) {
            None => (&mut values, texts.clone()),
            Some(of) => match (called.get(of), report.params.get(of)) {
                (Some(called), _) => (&mut typed, as_here(name, of, called)),
                (None, Some(texts)) => (&mut values, texts.clone()),
                (None, None) => {
                    return Err(Error::usage(format!("report `{}` needs a value for `{of}`", report.name))
                        .hint(format!("add `--param {of}=…`, or a default in `[report.{}.params]`", report.name)));
                }
            },
        };
        of_kind.insert(name.clone(), texts);
    }
    typed.extend(known(called).into_iter().map(|(name, texts)| {
        let texts = as_here(&name, &name, &texts);
        (name, texts)
    }));
    let mut given = run::typed(queries, &values);
    given.extend(typed);
    Ok(given)
}

/// Values that a manifest has for a call of a report, as they are typed: where a name is for a list, its commas are written `\,`.
///
/// # Errors
/// `Usage` when there is no such report; those of reading its queries.
pub async fn typed(engine: &Engine, library: &Library, name: &str, params: &Params) -> Result<Given> {
    let report = find(engine, library, name).await?;
    let lists = lists(&report, &queries(library, &report).await?);
    let mut given = params.clone();
    for (_, texts) in given.iter_mut().filter(|(name, _)| lists.contains(*name)) {
        texts.iter_mut().for_each(|text| *text = in_typed_list(text));
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

/// What `$name` is in the texts of a report: the value that ran, as people read it, by the names that sections refer to and by
/// those of their parameters. What sections say each for itself counts where neither call nor report say it for all.
pub fn values<'a>(
    report: &'a Report,
    called: &'a Given,
    sections: impl Iterator<Item = (&'a Part, &'a [Bound])>,
) -> BTreeMap<String, String> {
    let (mut of_all, mut own) = (BTreeMap::new(), BTreeMap::new());
    let add = |values: &mut BTreeMap<&'a str, Vec<&'a str>>, name: &'a str, read: &'a str| {
        let shown = values.entry(name).or_default();
        if !shown.contains(&read) {
            shown.push(read);
        }
    };
    for (part, bound) in sections {
        for bound in bound {
            let texts = part.params.get(&bound.name);
            let (of, name) = (texts.and_then(|texts| reference(texts)), bound.name.as_str());
            let asked = called.get(name).or_else(|| match (of, texts) {
                (Some(of), _) => called.get(of).or_else(|| report.params.get(of)),
                (None, Some(texts)) => Some(texts),
                (None, None) => report.params.get(name),
            });
            let read = asked.and_then(|texts| label(texts, bound)).unwrap_or(&bound.shown);
            for name in of.into_iter().chain([name]) {
                add(&mut own, name, read);
            }
            // What the call has for a parameter comes before what its section has.
            let is_own = texts.is_some() && !called.contains_key(name);
            let stands_for = if is_own { of } else { Some(name) };
            if let Some(name) = stands_for {
                add(&mut of_all, name, read);
            }
        }
    }
    own.extend(of_all);
    own.into_iter().map(|(name, shown)| (name.to_owned(), shown.join(", "))).collect()
}

/// What a text was asked for by, such as the name of an office where an id ran; `None` for several values, and for what is no text.
fn label<'a>(texts: &'a [String], bound: &Bound) -> Option<&'a str> {
    let is_text = match bound.value.data_type() {
        DataType::List(values) => values.data_type().is_string(),
        data_type => data_type.is_string(),
    };
    let [text] = texts else { return None };
    let text = text.trim();
    // Behind these signs stands another value, or more than one; `all` is counted.
    let is_one = !text.is_empty() && !text.contains(['$', ',', '\\']) && !text.eq_ignore_ascii_case("all");
    (is_text && is_one).then_some(text)
}

/// A text of a report with every `$name` written out that has a value.
pub fn written_out(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut pieces = text.split('$');
    let mut written = pieces.next().unwrap_or_default().to_owned();
    for behind in pieces {
        let name = name_before(behind, |name| values.contains_key(name));
        match values.get(name) {
            Some(value) => written.extend([value.as_str(), &behind[name.len()..]]),
            None => written.extend(["$", behind]),
        }
    }
    written
}

/// The name with which a text behind a `$` begins, empty where there is none. A `_` at its end may be Markdown's.
fn name_before(behind: &str, is_known: impl Fn(&str) -> bool) -> &str {
    let end = behind.find(|letter: char| !is_part_of_word(letter)).unwrap_or(behind.len());
    let name = &behind[..end];
    if is_known(name) { name } else { name.trim_end_matches('_') }
}

/// An error for each `$name` in the titles and texts of a report and its sections that is a value of nothing. An amount such as `$5`
/// is none.
fn unknown_in_texts(report: &Report, known: &BTreeSet<String>) -> impl Iterator<Item = Error> {
    let of_sections =
        report.sections.iter().flat_map(|part| [("title", part.title.as_ref()), ("text", part.text.as_ref())]);
    let texts = [("title", Some(&report.title)), ("text", report.text.as_ref())].into_iter().chain(of_sections);
    let named = texts.filter_map(|(key, text)| Some((key, text?))).flat_map(move |(key, text)| {
        text.split('$').skip(1).map(move |behind| (key, name_before(behind, |name| known.contains(name))))
    });
    let is_name = |name: &str| name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    named.filter(move |(_, name)| is_name(name) && !known.contains(*name)).map(move |(key, name)| {
        let message =
            format!("`{key}` of report `{}` has `${name}`, and no section has a parameter `{name}`", report.name);
        near(Error::invalid(message), name, known)
    })
}

/// Refuses a parameter that no section has.
fn refuse_unknown(report: &Report, called: &Given, known: &BTreeSet<String>) -> Result<()> {
    let Some(unknown) = called.keys().chain(report.params.keys()).find(|name| !known.contains(*name)) else {
        return Ok(());
    };
    let error = Error::usage(format!("no section of report `{}` has a parameter `{unknown}`", report.name));
    Err(near(error, unknown, known))
}

/// Refuses a parameter that the report sets from another one, from which it also sets parameters of other names: these would keep
/// their value, and the document would be of two.
fn refuse_of_some(report: &Report, called: &Given) -> Result<()> {
    let set_from = || {
        let sections = report.sections.iter().flat_map(|part| &part.params);
        sections.filter_map(|(name, texts)| Some((name.as_str(), reference(texts)?)))
    };
    let is_own = |name: &str| report.params.contains_key(name) || set_from().any(|(_, from)| from == name);
    let sets_others = |name: &str, from: &str| set_from().any(|(other, same)| same == from && other != name);
    let found = set_from().find(|&(name, from)| {
        called.contains_key(name) && !called.contains_key(from) && !is_own(name) && sets_others(name, from)
    });
    let Some((name, from)) = found else { return Ok(()) };
    let message = format!("`{name}` is for some sections of report `{}`, which sets it from `{from}`", report.name);
    Err(Error::usage(message).hint(format!("`--param {from}=…` is for all of them")))
}

/// The error with the nearest name of those that there are.
fn near(error: Error, unknown: &str, known: &BTreeSet<String>) -> Error {
    match suggest::nearest(unknown, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => error.hint("none of them has any"),
        None => error.hint(format!("their parameters: {}", suggest::list(known.iter().map(String::as_str)))),
    }
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

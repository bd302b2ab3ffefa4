//! Statements and saved queries into running ones.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::Array;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;
use futures::{StreamExt, TryStreamExt};

use super::copy;
use super::grain::Grain;
use super::parameter::{Allowed, Bound, Moment, Parameter, typed_list};
use super::saved::{Library, SavedQuery};
use crate::engine::{Engine, Running, SqlText, asked};
use crate::error::{Error, Result};
use crate::lake::report::Params;
use crate::output::present::Presentation;
use crate::suggest;

/// Texts given for parameters, by name; a name that is given twice adds to its list.
pub type Given = BTreeMap<String, Vec<String>>;

/// A saved query that is running.
pub struct SavedRun {
    pub query: SavedQuery,
    /// Parameters as they were bound, `all` resolved.
    pub bound: Vec<Bound>,
    pub present: Presentation,
    pub running: Running,
}

/// A saved query that is read, with the texts of its parameters.
pub struct Prepared {
    /// Those that it builds on, each before those that build on it, and itself last.
    pub queries: Vec<SavedQuery>,
    pub parameters: Vec<Asked>,
}

/// A parameter that gets a value.
pub struct Asked {
    pub parameter: Parameter,
    /// The file that declares it.
    file: String,
    /// From which its value is made.
    pub texts: Vec<String>,
}

/// Values that a query found for a parameter, and how that query was planned.
pub struct Choice {
    pub parameter: String,
    pub allowed: Vec<Allowed>,
    pub plan: LogicalPlan,
}

/// A saved query, planned and bound.
pub struct Planned {
    pub query: SavedQuery,
    pub bound: Vec<Bound>,
    pub plan: LogicalPlan,
    /// What was asked of the lake for the parameters.
    pub choices: Vec<Choice>,
    /// The session in which the queries that it builds on are views.
    pub engine: Engine,
}

/// Reads `name=value`.
///
/// # Errors
/// `Usage` when there is no `=`.
pub fn assignment(text: &str) -> Result<(String, String)> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Error::usage(format!("`{text}` gives no value")).hint("write `name=value`"))?;
    Ok((name.trim().trim_start_matches('$').to_owned(), value.trim().to_owned()))
}

/// Plans and starts a statement.
///
/// # Errors
/// Those of planning; those of running come from the stream.
pub async fn statement(engine: &Engine, sql: &SqlText<'_>, given: &Given) -> Result<(LogicalPlan, Running)> {
    let parameters: Vec<(String, ScalarValue)> =
        given.iter().filter_map(|(name, texts)| Some((name.clone(), untyped(texts.last()?)))).collect();
    let plan = engine.plan(sql, &parameters).await?;
    if let Some((asked, _)) = asked(sql.text) {
        let running = engine.answer(asked, plan.clone(), sql).await?;
        return Ok((plan, running));
    }
    let (plan, staged) = copy::stage(plan, engine).await?;
    let running = engine.start(plan.clone(), sql).await?;
    let Some(staged) = staged else { return Ok((plan, running)) };
    let Running { schema, batches, scans } = running;
    // What was written is moved into place behind the last batch; an error before it ends the stream and drops it.
    let batches =
        futures::stream::try_unfold((batches, staged), async |(mut batches, staged)| match batches.try_next().await {
            Ok(Some(batch)) => Ok(Some((batch, (batches, staged)))),
            Ok(None) => staged.commit().await.map(|()| None),
            Err(error) => Err(staged.refusal().unwrap_or(error)),
        });
    Ok((plan, Running { schema, batches: Box::pin(batches), scans }))
}

/// A value for a statement that declares no types: a number where the text is one, else text.
pub fn untyped(text: &str) -> ScalarValue {
    // A leading zero or plus, more digits than a number holds, or an exponent without a point or sign make a name.
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_zeroed = text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
    let is_code = text.starts_with('+') || (text.contains(['e', 'E']) && !text.contains(['.', '-', '+']));
    let is_name = is_zeroed || is_code || (is_digits && text.parse::<i64>().is_err());
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(number), _) if !is_name => ScalarValue::Int64(Some(number)),
        (_, Ok(number)) if !is_name && number.is_finite() => ScalarValue::Float64(Some(number)),
        _ => ScalarValue::Utf8(Some(text.to_owned())),
    }
}

/// Starts a saved query.
///
/// # Errors
/// `Usage` for a parameter that is missing, unknown or wrong; those of planning.
pub async fn saved(
    engine: &Engine,
    library: &Library,
    name: &str,
    given: &Given,
    now: DateTime<Utc>,
) -> Result<SavedRun> {
    start(plan(engine, library, name, given, now, Absent::IsError).await?).await
}

/// Starts a saved query that is planned, or one with more columns than its own; its grain is held.
///
/// # Errors
/// Those of making the plan physical; `InvalidData` for a grain that names no column.
pub async fn start(planned: Planned) -> Result<SavedRun> {
    let Planned { query, bound, plan, engine: scoped, .. } = planned;
    let sql = text(&query);
    let Running { schema, batches, scans } = scoped.start(plan, &sql).await?;
    let names = query.grain.iter().map(|name| (name.value.as_str(), name.line));
    let mut grain = Grain::watch(names, &schema, &query.file)?;
    let batches = batches.map(move |batch| {
        let batch = batch?;
        grain.as_mut().map_or(Ok(()), |grain| grain.check(&batch))?;
        Ok(batch)
    });
    let present = query.presentation(scoped.lake().currency.as_deref());
    Ok(SavedRun { query, bound, present, running: Running { schema, batches: Box::pin(batches), scans } })
}

/// What to do about a parameter that has neither value nor default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    IsError,
    /// Take the header's example, for a check.
    TakesExample,
}

/// Plans a saved query with its parameters bound and the queries that it builds on as views.
///
/// # Errors
/// As [`saved`].
pub async fn plan(
    engine: &Engine,
    library: &Library,
    name: &str,
    given: &Given,
    now: DateTime<Utc>,
    absent: Absent,
) -> Result<Planned> {
    planned(engine, prepare(library, name, given, absent).await?, now, absent).await
}

/// Reads a saved query with those that it builds on, and finds the texts of its parameters.
///
/// # Errors
/// Those of reading; `Usage` for a parameter that is missing or unknown.
pub async fn prepare(library: &Library, name: &str, given: &Given, absent: Absent) -> Result<Prepared> {
    let queries = library.with_used(name).await?;
    let declared = declared(&queries);
    refuse_unknown(name, &declared, given)?;
    let asked = |(parameter, file): &(&Parameter, &str)| {
        let texts = texts(name, parameter, given, absent).map_err(|error| match absent {
            Absent::IsError => error,
            Absent::TakesExample => error.at(*file, Some(parameter.line)),
        })?;
        Ok(Asked { parameter: (*parameter).clone(), file: (*file).to_owned(), texts })
    };
    let parameters = declared.iter().map(asked).collect::<Result<Vec<_>>>()?;
    Ok(Prepared { queries, parameters })
}

/// Plans a saved query that is read.
///
/// # Errors
/// As [`saved`].
pub async fn planned(engine: &Engine, prepared: Prepared, now: DateTime<Utc>, absent: Absent) -> Result<Planned> {
    let Prepared { mut queries, parameters } = prepared;
    let moment = Moment { calendar: &engine.lake().calendar, now };
    let (mut bound, mut choices) = (Vec::new(), Vec::new());
    for Asked { parameter, file, texts } in &parameters {
        let choice = choice(engine, parameter, file).await?;
        let allowed = choice.as_ref().map(|choice| choice.allowed.clone()).or_else(|| parameter.listed());
        let value = parameter.bind(texts, allowed.as_deref(), moment);
        bound.push(value.map_err(|error| match absent {
            Absent::IsError => error,
            Absent::TakesExample => error.at(file, Some(parameter.line)),
        })?);
        choices.extend(choice);
    }
    let values: Vec<(String, ScalarValue)> =
        bound.iter().map(|bound| (bound.name.clone(), bound.value.clone())).collect();

    let Some(query) = queries.pop() else { return Err(Error::internal("a query without itself")) };
    let mut scoped = engine.clone();
    for used in queries {
        if let Some(table) = engine.lake().tables.values().find(|table| table.name.eq_ignore_ascii_case(&used.name)) {
            let message =
                format!("`{}` has the name of a table, which a query that uses it could not read", table.name);
            return Err(Error::invalid(message).hint("give one of the two another name").at(&used.file, None));
        }
        scoped = scoped.with_view(&used.name, &text(&used), &values).await?;
    }
    let plan = scoped.plan(&text(&query), &values).await?;
    Ok(Planned { query, bound, plan, choices, engine: scoped })
}

/// The values of these parameters by their defaults; `file` is where they are declared.
///
/// # Errors
/// `InvalidData` at the line of a parameter whose default is wrong or not there.
pub async fn defaults(
    engine: &Engine,
    parameters: &[Parameter],
    file: &str,
    now: DateTime<Utc>,
) -> Result<Vec<(String, ScalarValue)>> {
    let moment = Moment { calendar: &engine.lake().calendar, now };
    let mut values = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let placed = |error: Error| error.at(file, Some(parameter.line));
        let texts = texts(&parameter.name, parameter, &Given::new(), Absent::TakesExample).map_err(placed)?;
        let choice = choice(engine, parameter, file).await?;
        let allowed = choice.map(|choice| choice.allowed).or_else(|| parameter.listed());
        let bound = parameter.bind(&texts, allowed.as_deref(), moment).map_err(placed)?;
        values.push((bound.name, bound.value));
    }
    Ok(values)
}

/// The SQL of a saved query and where it stands.
pub fn text(query: &SavedQuery) -> SqlText<'_> {
    SqlText { text: &query.sql, file: Some(&query.file), line: query.sql_line, column: Some(1) }
}

/// The parameters of the last query and of those that it builds on, with the file of each; its own hide theirs.
pub fn declared(queries: &[SavedQuery]) -> Vec<(&Parameter, &str)> {
    let mut declared: Vec<(&Parameter, &str)> = Vec::new();
    for query in queries.iter().rev() {
        for parameter in &query.parameters {
            if declared.iter().all(|(known, _)| known.name != parameter.name) {
                declared.push((parameter, &query.file));
            }
        }
    }
    declared
}

/// Values that a manifest has for parameters of these queries, as they are typed.
pub fn typed(queries: &[SavedQuery], params: &Params) -> Given {
    let declared = declared(queries);
    let typed = |(name, values): (&String, &Vec<String>)| {
        let known = declared.iter().find(|(parameter, _)| parameter.name == *name);
        (name.clone(), known.map_or_else(|| values.clone(), |(parameter, _)| parameter.typed(values)))
    };
    params.iter().map(typed).collect()
}

/// The parameters of a query that have neither a default nor a value yet.
///
/// # Errors
/// Those of reading the query and those that it builds on.
pub async fn missing(library: &Library, name: &str, given: &Given) -> Result<Vec<Parameter>> {
    let queries = library.with_used(name).await?;
    let declared = declared(&queries).into_iter().map(|(parameter, _)| parameter);
    let open = declared.filter(|parameter| parameter.default.is_none() && !given.contains_key(&parameter.name));
    Ok(open.cloned().collect())
}

fn refuse_unknown(query: &str, declared: &[(&Parameter, &str)], given: &Given) -> Result<()> {
    let names = || declared.iter().map(|(parameter, _)| parameter.name.as_str());
    let Some(unknown) = given.keys().find(|name| names().all(|known| known != name.as_str())) else { return Ok(()) };
    let error = Error::usage(format!("`{query}` has no parameter `{unknown}`"));
    Err(match suggest::nearest(unknown, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if declared.is_empty() => error.hint("it has none at all"),
        None => error.hint(format!("its parameters: {}", suggest::list(names()))),
    })
}

/// The texts from which a parameter gets its value: given, else default, else the example for a check.
fn texts(query: &str, parameter: &Parameter, given: &Given, absent: Absent) -> Result<Vec<String>> {
    if let Some(texts) = given.get(&parameter.name) {
        return Ok(match parameter.is_list {
            true => texts.iter().flat_map(|text| typed_list(text)).collect(),
            false => texts.clone(),
        });
    }
    if let Some(texts) = &parameter.default {
        return Ok(texts.clone());
    }
    match (absent, &parameter.example) {
        (Absent::TakesExample, Some(example)) => Ok(example.clone()),
        (Absent::TakesExample, None) => {
            Err(Error::invalid(format!("parameter `{}` has neither `default` nor `example`", parameter.name))
                .hint("give one, so that the query can be checked"))
        }
        (Absent::IsError, example) => {
            let example = example.as_ref().map_or_else(|| "…".to_owned(), |texts| texts.join(","));
            Err(Error::usage(format!("`{query}` needs a value for parameter `{}`", parameter.name))
                .hint(format!("add `--param {}={example}`", parameter.name)))
        }
    }
}

/// The allowed values of a parameter that its query finds in the lake; `None` where it has no such query.
///
/// # Errors
/// Those of the parameter's query, at its line in the header.
async fn choice(engine: &Engine, parameter: &Parameter, file: &str) -> Result<Option<Choice>> {
    let Some(sql) = &parameter.values_sql else { return Ok(None) };
    let sql = SqlText { text: sql, file: Some(file), line: parameter.line, column: None };
    let plan = engine.plan(&sql, &[]).await?;
    let running = engine.start(plan.clone(), &sql).await?;
    let batches: Vec<_> = running.batches.try_collect().await?;
    let mut allowed = Vec::new();
    for batch in &batches {
        for row in (0..batch.num_rows()).filter(|&row| batch.column(0).is_valid(row)) {
            let text = |column: usize| {
                let values = batch.columns().get(column).filter(|values| values.is_valid(row))?;
                array_value_to_string(values, row).ok()
            };
            allowed.extend(text(0).map(|value| Allowed { value, label: text(1) }));
        }
    }
    Ok(Some(Choice { parameter: parameter.name.clone(), allowed, plan }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_as_no_number_is_a_name() {
        for name in ["+491701234", "12E3", "1e5", "007", "99999999999999999999", "NaN", "inf", "a", ""] {
            assert_eq!(untyped(name), ScalarValue::Utf8(Some(name.to_owned())), "{name}");
        }
        for (text, number) in [("12", 12), ("-7", -7), ("0", 0)] {
            assert_eq!(untyped(text), ScalarValue::Int64(Some(number)), "{text}");
        }
        for (text, number) in [("0.5", 0.5), ("-2.5", -2.5), ("1.5e3", 1500.0)] {
            assert_eq!(untyped(text), ScalarValue::Float64(Some(number)), "{text}");
        }
    }
}

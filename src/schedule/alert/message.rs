//! What is sent of a look: how many are new, still there and over, and a table of them.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::super::carry::{Making, Product, Table};
use crate::error::{Error, Result};
use crate::lake::alert::{Alert, AlertRecord, Cell, Entry, State, Subject};
use crate::lake::report::Form;
use crate::output::present::Presentation;
use crate::output::{Format, Style, drain};
use crate::report::{Draft, MadeFile};

/// Rows of the table in a mail; the file beside it has all, and so has the body of a webhook.
const ROWS_MAX: usize = 100;

/// Which of a row's values are written.
#[derive(Clone, Copy)]
enum Cells {
    /// As people read them.
    Shown,
    /// As they are stored.
    Stored,
}

/// What there is to send of a look; nothing where nobody needs to hear of it.
///
/// # Errors
/// `Storage` when the disk refuses the file.
pub async fn of(alert: &Alert, record: &AlertRecord) -> Result<Making> {
    let mut told: Vec<&Entry> = record.entries.iter().filter(|entry| entry.sends).collect();
    if told.is_empty() {
        let quiet = record.entries.iter().filter(|entry| entry.state == State::Quiet).count();
        return Ok(Making::Nothing(match quiet {
            0 => "there is no alert".to_owned(),
            1 => "nothing new; 1 is still there and was told already".to_owned(),
            quiet => format!("nothing new; {quiet} are still there and were told already"),
        }));
    }
    // New ones first; of one kind those that have been there longest.
    told.sort_by_key(|entry| (rank(entry.state), entry.since));
    let table = table(alert, &told).await?;
    let file = file(alert, &batch(&told, Cells::Stored)?).await?;
    Ok(Making::Made(Box::new(Product {
        pictures: Vec::new(),
        title: format!("{}: {}", alert.title, counts(&told)),
        summary: summary(alert, &told),
        rows: told.len() as u64,
        files: vec![file],
        inputs_sha256: None,
        parameters: Vec::new(),
        table: Some(table),
    })))
}

fn rank(state: State) -> u8 {
    match state {
        State::New => 0,
        State::Still => 1,
        State::Recovered => 2,
        State::Quiet | State::Unknown => 3,
    }
}

/// `3 new, 1 recovered`.
fn counts(told: &[&Entry]) -> String {
    let of = |state: State| told.iter().filter(|entry| entry.state == state).count();
    let counts = [State::New, State::Still, State::Recovered].map(|state| (of(state), state.word()));
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// Sentences before the table.
fn summary(alert: &Alert, told: &[&Entry]) -> Vec<String> {
    let mut lines: Vec<String> = alert.text.iter().cloned().collect();
    let tells = |subject: &Subject, state: fn(State) -> bool| {
        told.iter().any(|entry| entry.subject == *subject && state(entry.state))
    };
    if tells(&Subject::NoData, |state| state != State::Recovered) {
        lines.push(format!(
            "`{}` returns no rows at all: what is wrong with the data is to be found out, and nothing is known of the alerts that were there.",
            alert.query
        ));
    }
    if tells(&Subject::NoKey, |state| state != State::Recovered) {
        lines.push(format!(
            "There are rows without {}, which cannot be told apart; one of them is shown.",
            alert.key.join(", ")
        ));
    }
    lines
}

/// A row for each that is told: how it is with it, since when, what it is about, and its row.
fn batch(told: &[&Entry], cells: Cells) -> Result<RecordBatch> {
    let known = told.iter().map(|entry| &entry.row).find(|row| !row.is_empty());
    let shown: Vec<&String> = known.into_iter().flatten().map(|cell| &cell.name).collect();
    let texts = |of: &dyn Fn(&Entry) -> Option<String>| -> ArrayRef {
        Arc::new(told.iter().map(|entry| of(entry)).collect::<StringArray>())
    };
    let mut columns = vec![
        ("state", texts(&|entry| Some(entry.state.word().to_owned()))),
        ("since", texts(&|entry| Some(entry.since.format("%Y-%m-%d %H:%M UTC").to_string()))),
        ("key", texts(&|entry| Some(entry.subject.shown()))),
    ];
    for name in shown {
        let values = match cells {
            Cells::Shown => {
                texts(&|entry| cell(entry, name).and_then(|cell| cell.shown.as_ref().or(cell.value.as_ref())).cloned())
            }
            Cells::Stored => {
                let number: Option<DataType> =
                    told.iter().find_map(|entry| cell(entry, name)?.number.as_ref()?.parse().ok());
                numbers(texts(&|entry| cell(entry, name)?.value.clone()), number.as_ref())
            }
        };
        columns.push((name.as_str(), values));
    }
    let fields: Vec<Field> =
        columns.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true)).collect();
    let columns = columns.into_iter().map(|(_, values)| values).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| Error::internal(error.to_string()))
}

/// The cell of a column in an alert's row.
fn cell<'a>(entry: &'a Entry, name: &str) -> Option<&'a Cell> {
    entry.row.iter().find(|cell| cell.name == name)
}

/// Texts as the numbers that they were, of which a spreadsheet takes none for a formula; as they are where one is no number.
fn numbers(texts: ArrayRef, number: Option<&DataType>) -> ArrayRef {
    let numbers = number.and_then(|number| cast(&texts, number).ok());
    numbers.filter(|numbers| numbers.null_count() == texts.null_count()).unwrap_or(texts)
}

/// The first rows as a mail shows them, and all for programs.
async fn table(alert: &Alert, told: &[&Entry]) -> Result<Table> {
    let rows = batch(told.get(..ROWS_MAX).unwrap_or(told), Cells::Shown)?;
    let (mut text, mut html) = (Vec::new(), Vec::new());
    write(&rows, Format::Markdown, &mut text).await?;
    write(&rows, Format::Html, &mut html).await?;
    let about = |entry: &&Entry| {
        let key = match &entry.subject {
            Subject::Key(values) => alert.key.iter().cloned().zip(values.iter().cloned().map(Value::from)).collect(),
            Subject::NoKey | Subject::NoData => Value::Null,
        };
        let row: Map<String, Value> = entry
            .row
            .iter()
            .map(|cell| (cell.name.clone(), cell.value.clone().map_or(Value::Null, Value::from)))
            .collect();
        json!({
            "state": entry.state.word(),
            "since": entry.since.to_rfc3339_opts(SecondsFormat::Secs, true),
            "key": key,
            "about": entry.subject.shown(),
            "row": row,
        })
    };
    let (mut text, mut html) =
        (String::from_utf8_lossy(&text).into_owned(), String::from_utf8_lossy(&html).into_owned());
    if told.len() > ROWS_MAX {
        let cut = format!("The first {ROWS_MAX} of {} are shown; the file has all.", told.len());
        (text, html) = (format!("{cut}\n\n{text}"), format!("<p>{cut}</p>{html}"));
    }
    Ok(Table { text, html, rows: told.iter().map(about).collect() })
}

/// All rows as a CSV file, in which no cell is taken for a formula.
async fn file(alert: &Alert, all: &RecordBatch) -> Result<MadeFile> {
    let mut draft = Draft::new(format!("{}.csv", alert.name), Form::Csv.media_type())?;
    write(all, Format::Csv, &mut draft.file).await?;
    draft.finish()
}

async fn write(rows: &RecordBatch, format: Format, out: &mut (impl Write + Send)) -> Result<()> {
    let present = Presentation::report(BTreeMap::new());
    let style = Style { format, width: None, rows_max: None, turns: false, csv_safe: true, present };
    drain(&rows.schema(), futures::stream::iter([Ok(rows.clone())]), out, &style).await.map(|_| ())
}

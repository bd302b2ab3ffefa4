//! A report whose queries have run: what every form is made from.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::charts::Charts;
use super::rows::Rows;
use crate::engine::Input;
use crate::output::present::Presentation;
use crate::output::total::{Sums, Value};
use crate::quality::{Outcome, Verdict};
use crate::query::parameter::Bound;
use crate::query::saved::SavedQuery;

/// A report whose queries have run.
#[derive(Debug)]
pub struct Document {
    pub name: String,
    pub title: String,
    /// Markdown above the sections.
    pub text: Option<String>,
    pub audience: Option<String>,
    /// Name of the lake.
    pub lake: String,
    /// The day that counted as today.
    pub today: NaiveDate,
    /// What a reader must know before all else.
    pub banner: Option<String>,
    pub sections: Vec<Section>,
    /// What the checks of the tables that were read found.
    pub checks: Vec<Outcome>,
    /// The queries that ran, each with those that it builds on.
    pub sources: Vec<Source>,
    /// The files that were read, by path.
    pub inputs: Vec<Input>,
    /// What tells this run from another with the same inputs.
    pub stamp: Stamp,
}

/// Which run of a report it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub run: Uuid,
    pub at: DateTime<Utc>,
    /// What relative dates were counted from.
    pub now: DateTime<Utc>,
}

/// A section: the result of a saved query and how it is shown.
#[derive(Debug)]
pub struct Section {
    pub title: String,
    /// Markdown above the charts.
    pub text: Option<String>,
    /// What its query gave; sections with the same query and parameters have one.
    pub result: Arc<Answer>,
    /// Places of the columns that the table shows.
    pub columns: Vec<usize>,
    /// Rows that documents for people show.
    pub rows_max: usize,
    pub charts: Charts,
    pub has_table: bool,
}

/// What a saved query gave with one set of parameters.
#[derive(Debug)]
pub struct Answer {
    pub query: SavedQuery,
    pub bound: Vec<Bound>,
    pub present: Presentation,
    pub rows: Rows,
    pub sums: Sums,
    /// Rows that stand for all the others together, as the charts of the query say.
    pub totals: u64,
    /// Values that are missing, by column and by what is said to be the reason, in the order in which they were met.
    pub gaps: Vec<Gap>,
    pub inputs: Vec<Input>,
    /// When the rows were computed, where they were kept since.
    pub computed_at: Option<DateTime<Utc>>,
    /// Hash of all rows, as CSV.
    pub digest: String,
}

/// Values of a column that are missing for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub column: String,
    pub reason: String,
    pub count: u64,
    /// How many of them are in rows that stand for all the others.
    pub of_totals: u64,
}

/// A query that a report rests on.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: String,
    pub sql: String,
    pub digest: String,
}

impl Answer {
    /// The total of a column, where its query says what it is.
    pub fn total(&self, column: &str) -> Option<Value> {
        self.present.style(column)?.total.as_ref()?.value(&self.sums)
    }

    /// Whether any of these columns has a total.
    pub fn has_totals(&self, columns: &[usize]) -> bool {
        columns.iter().any(|&place| self.total(self.rows.schema.field(place).name()).is_some())
    }

    /// How many values of these columns are missing and why, in words; `None` where none is. Columns that lack the same are told
    /// together.
    pub fn gaps_in_words(&self, is_told: impl Fn(&str) -> bool) -> Option<String> {
        let mut told: Vec<(Vec<&str>, String)> = Vec::new();
        for (place, gap) in self.gaps.iter().enumerate().filter(|(_, gap)| is_told(&gap.column)) {
            if self.gaps.iter().take(place).any(|earlier| earlier.column == gap.column) {
                continue;
            }
            let of_column = || self.gaps.iter().filter(|other| other.column == gap.column);
            let all: u64 = of_column().map(|gap| gap.count).sum();
            // A reason may have commas and numbers of its own; one that holds for all needs no count.
            let reason = |gap: &Gap| match gap.count == all {
                true => gap.reason.clone(),
                false => format!("{} ({})", gap.reason, gap.count),
            };
            let reasons: Vec<String> = of_column().map(reason).collect();
            // A total is none of the rows that it adds up, unless it is missing as they are.
            let known_totals = self.totals.saturating_sub(of_column().map(|gap| gap.of_totals).sum());
            let of = self.rows.count.saturating_sub(known_totals);
            let words = format!("{all} of {of} missing ({})", reasons.join("; "));
            let title = self.present.title(&gap.column);
            match told.iter_mut().find(|(_, known)| *known == words) {
                Some((titles, _)) => titles.push(title),
                None => told.push((vec![title], words)),
            }
        }
        let words: Vec<String> =
            told.into_iter().map(|(titles, words)| format!("{}: {words}", titles.join(", "))).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

impl Section {
    /// Names of the columns that the table shows.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|&place| self.result.rows.schema.field(place).name().as_str())
    }

    /// How many values of the columns that the table shows are missing and why, in words; `None` where none is.
    pub fn gaps_in_words(&self) -> Option<String> {
        self.result.gaps_in_words(|column| self.column_names().any(|shown| shown == column))
    }

    /// Rows that a document for people leaves out.
    pub fn rows_left_out(&self) -> u64 {
        self.result.rows.count.saturating_sub(self.rows_max as u64)
    }
}

impl Document {
    /// The results, each once, in the order in which sections show them.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.sections.iter().enumerate().filter_map(|(place, section)| {
            let mut earlier = self.sections.iter().take(place);
            let is_new = earlier.all(|earlier| !Arc::ptr_eq(&earlier.result, &section.result));
            is_new.then_some(section.result.as_ref())
        })
    }

    /// Rows of all results.
    pub fn rows(&self) -> u64 {
        self.answers().map(|answer| answer.rows.count).sum()
    }

    /// The checks of the tables that were read which did not pass.
    pub fn checks_not_passed(&self) -> impl Iterator<Item = &Outcome> {
        self.checks.iter().filter(|outcome| outcome.verdict != Verdict::Passed)
    }
}

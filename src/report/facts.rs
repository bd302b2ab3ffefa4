//! What the head of a report says: the parameters that ran, and how much of what was wanted is there.

use std::collections::BTreeMap;

use super::document::Document;
use crate::quality::Outcome;

/// What ran, for people.
pub fn parameters(document: &Document) -> Vec<(String, String)> {
    bound(document).into_iter().map(|(name, value)| (in_words(&name), value)).collect()
}

/// What ran: every parameter with its value, and with the queries that a value holds for where they differ.
pub fn bound(document: &Document) -> Vec<(String, String)> {
    let mut names: Vec<&str> = Vec::new();
    let mut values: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for answer in document.answers() {
        for bound in &answer.bound {
            if !names.contains(&bound.name.as_str()) {
                names.push(&bound.name);
            }
            let of_value = values.entry(&bound.name).or_default().entry(&bound.shown).or_default();
            of_value.push(&answer.query.title);
        }
    }
    let shown = names.into_iter().map(|name| {
        let values = values.remove(name).unwrap_or_default();
        let differ = values.len() > 1;
        let one = |(value, titles): (&str, Vec<&str>)| match differ {
            true => format!("{value} ({})", titles.join(", ")),
            false => value.to_owned(),
        };
        let values: Vec<String> = values.into_iter().map(one).collect();
        (name.to_owned(), values.join("; "))
    });
    shown.collect()
}

/// The days, months and quarters that were reported on: those of the parameters that are dates.
pub fn period(document: &Document) -> Vec<(String, String)> {
    let is_date = |name: &str| {
        let mut all = document.answers().flat_map(|answer| &answer.bound);
        all.any(|bound| bound.name == name && bound.value.data_type().is_temporal())
    };
    let dates = bound(document).into_iter().filter(|(name, _)| is_date(name));
    dates.map(|(name, value)| (in_words(&name), value)).collect()
}

/// How many checks of the tables that were read passed; `None` where the tables have none.
pub fn checks_passed(document: &Document) -> Option<String> {
    let all = document.checks.len();
    let passed = all - document.checks_not_passed().count();
    (all > 0).then(|| format!("{passed} of {all} checks of the tables that were read passed"))
}

/// A check that did not pass, in words.
pub fn failed_in_words(outcome: &Outcome) -> String {
    let weight = if outcome.is_error() { "Error" } else { "Warning" };
    format!("{weight}: {}, {}: {}", outcome.table, outcome.check, outcome.found)
}

/// What is missing, by query.
pub fn coverage(document: &Document) -> Vec<(String, String)> {
    let gaps = document.answers().filter_map(|answer| Some((answer, answer.gaps_in_words()?)));
    let mut coverage: Vec<(String, String)> =
        gaps.map(|(answer, gaps)| ("Missing".to_owned(), format!("{} · {gaps}", answer.query.title))).collect();
    if coverage.is_empty() {
        coverage.push(("Missing".to_owned(), "nothing that the queries account for".to_owned()));
    }
    coverage
}

/// A name as a heading: `last_months` is `Last months`.
fn in_words(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

//! What the head of a report says: the parameters that ran, and how much of what was wanted is there.

use std::collections::BTreeMap;

use super::document::{Document, Section};
use crate::quality::Outcome;
use crate::query::parameter::Bound;

/// Sections that are named one by one; of more, those that are left out are named where they are fewer.
const NAMED_MAX: usize = 3;

/// What ran, for people: every parameter with its value, and with the sections that a value holds for where others have another one
/// or none.
pub fn parameters(document: &Document) -> Vec<(String, String)> {
    of_sections(document).into_iter().map(|(name, value)| (in_words(name), value)).collect()
}

/// What ran, for programs: every parameter by its own name with its value, and with the queries that a value holds for where they
/// differ.
pub fn bound(document: &Document) -> Vec<(String, String)> {
    let answers = document.answers().map(|answer| (answer.query.title.as_str(), answer.bound.as_slice()));
    let shown = by_value(answers).into_iter().map(|(name, values)| {
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

/// What ran in a section: its parameters in the words of the head, each with its value.
pub fn of_section(section: &Section) -> impl Iterator<Item = (String, &str)> {
    section.result.bound.iter().map(|bound| (in_words(&bound.name), bound.shown.as_str()))
}

/// What ran: every parameter by its own name, as [`parameters`] tells it.
fn of_sections(document: &Document) -> Vec<(&str, String)> {
    let sections = document.sections.iter().map(|section| section.result.bound.as_slice());
    let shown = by_value(sections.enumerate()).into_iter().map(|(name, values)| {
        let one = |(value, places): (&str, Vec<usize>)| match titles(document, &places) {
            Some(titles) => format!("{value} ({titles})"),
            None => value.to_owned(),
        };
        let values: Vec<String> = values.into_iter().map(one).collect();
        (name, values.join("; "))
    });
    shown.collect()
}

/// The headings of the sections at these places; `None` where they are all.
fn titles(document: &Document, places: &[usize]) -> Option<String> {
    let others = document.sections.len() - places.len();
    let is_all_but = places.len() > NAMED_MAX && others < places.len();
    let named = document.sections.iter().enumerate().filter(|(place, _)| places.contains(place) != is_all_but);
    let titles: Vec<&str> = named.map(|(_, section)| section.title.as_str()).collect();
    let all_but = if is_all_but { "all but " } else { "" };
    (others > 0).then(|| format!("{all_but}{}", titles.join(" · ")))
}

/// The values of a parameter, and where each of them holds.
type Values<'a, T> = BTreeMap<&'a str, Vec<T>>;

/// Every parameter in the order in which they come first, by what ran where.
fn by_value<'a, T>(ran: impl Iterator<Item = (T, &'a [Bound])>) -> Vec<(&'a str, Values<'a, T>)>
where
    T: Copy,
{
    let mut names: Vec<&str> = Vec::new();
    let mut values: BTreeMap<&str, Values<'a, T>> = BTreeMap::new();
    for (place, parameters) in ran {
        for bound in parameters {
            if !names.contains(&bound.name.as_str()) {
                names.push(&bound.name);
            }
            values.entry(&bound.name).or_default().entry(&bound.shown).or_default().push(place);
        }
    }
    names.into_iter().map(|name| (name, values.remove(name).unwrap_or_default())).collect()
}

/// The days, months and quarters that were reported on: those of the parameters that are dates.
pub fn period(document: &Document) -> Vec<(String, String)> {
    let is_date = |name: &str| {
        let mut all = document.answers().flat_map(|answer| &answer.bound);
        all.any(|bound| bound.name == name && bound.value.data_type().is_temporal())
    };
    let dates = of_sections(document).into_iter().filter(|(name, _)| is_date(name));
    dates.map(|(name, value)| (in_words(name), value)).collect()
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
    let gaps = document.answers().filter_map(|answer| Some((answer, answer.gaps_in_words(|_| true)?)));
    let mut coverage: Vec<(String, String)> =
        gaps.map(|(answer, gaps)| ("Missing".to_owned(), format!("{} · {gaps}", answer.query.title))).collect();
    if coverage.is_empty() {
        coverage.push(("Missing".to_owned(), "nothing that the queries account for".to_owned()));
    }
    coverage
}

/// A name as a heading: `last_months` is `Last months`.
pub fn in_words(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

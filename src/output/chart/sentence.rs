//! Words for what charts show. Every number in them is one of the table's or reckoned from it alone.

use std::cmp::Ordering;

use super::column::{Column, NO_VALUE};
use super::figure::Figure;
use crate::output::present::by_bands;

/// `a`, `a and b`, `a, b and c`.
pub fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Which is highest and which is lowest, of these names and numbers: `highest for A (3), lowest for B and 2 others (1)`.
pub fn extremes(values: &[(String, f64)], column: &Column) -> Option<String> {
    let (low, high) = super::scale::ends(values.iter().map(|(_, number)| *number));
    let [_, _, ..] = values else {
        return values.first().map(|(name, number)| format!("{name}: {}", column.form.exact(*number)));
    };
    if low >= high || column.form.exact(low) == column.form.exact(high) {
        return Some(format!("all {} are {}", values.len(), column.form.exact(low)));
    }
    let named = |number: f64| {
        let written = column.form.exact(number);
        let mut same = values.iter().filter(|(_, other)| column.form.exact(*other) == written);
        let first = same.next().map_or("", |(name, _)| name.as_str());
        match same.count() {
            0 => format!("{first} ({written})"),
            1 => format!("{first} and one other ({written})"),
            others => format!("{first} and {others} others ({written})"),
        }
    };
    Some(format!("highest for {}, lowest for {}", named(high), named(low)))
}

/// The first sentence on rows with a number each: which is highest, which lowest, and what the total has.
pub fn ranked(figure: &Figure) -> Option<String> {
    let (numbers, _) = figure.without_total();
    let ends = extremes(&numbers, &figure.up)?;
    let total = (0..figure.rows).filter(|&row| figure.is_total(row)).find_map(|row| {
        let number = figure.up.number(row)?;
        Some(format!(" {} has {}.", figure.across.label(row), figure.up.form.exact(number)))
    });
    Some(format!("{}: {ends}.{}", figure.heading, total.unwrap_or_default()))
}

/// The different reasons in the order in which they come first, each with how often it is given.
pub fn counted<'a>(reasons: impl Iterator<Item = &'a str>) -> Vec<(&'a str, usize)> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for reason in reasons {
        match counts.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => counts.push((reason, 1)),
        }
    }
    counts
}

/// How many values are missing and why: `3 of 31 have no value: not reported (2); partial (1).`
pub fn missing(reasons: &[&str], of: usize) -> Option<String> {
    missing_for(&counted(reasons.iter().copied()), of)
}

/// The same for reasons that are counted.
pub fn missing_for(counts: &[(&str, usize)], of: usize) -> Option<String> {
    let named: Vec<String> = match counts {
        [] => return None,
        [(NO_VALUE, _)] => Vec::new(),
        counts => counts.iter().map(|(reason, count)| format!("{reason} ({count})")).collect(),
    };
    let why = if named.is_empty() { String::new() } else { format!(": {}", named.join("; ")) };
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    let have = if all == 1 { "has" } else { "have" };
    Some(format!("{all} of {of} {have} no value{why}."))
}

/// How many lie above and below the bands of a column.
pub fn outside_bands(numbers: impl Iterator<Item = f64>, column: &Column) -> Option<String> {
    let (first, last) = (*column.bands.first()?, *column.bands.last()?);
    let sides: Vec<Ordering> = numbers.filter_map(|number| by_bands(number, &column.bands)).collect();
    let count = |side: Ordering| sides.iter().filter(|&&other| other == side).count();
    let (all, above, below) = (sides.len(), count(Ordering::Greater), count(Ordering::Less));
    let name = |number: f64| column.form.edge(number);
    (all > 0).then(|| format!("Above {}: {above} of {all}; below {}: {below}.", name(last), name(first)))
}

/// The parts that are there, in one text that begins with a capital letter.
pub fn joined(parts: impl IntoIterator<Item = Option<String>>) -> String {
    parts.into_iter().flatten().collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_are_counted_with_their_reasons() {
        assert_eq!(missing(&[], 5), None);
        assert_eq!(missing(&[NO_VALUE], 5).as_deref(), Some("1 of 5 has no value."));
        let said = missing(&["late", "never", "late"], 31);
        assert_eq!(said.as_deref(), Some("3 of 31 have no value: late (2); never (1)."));
    }

    #[test]
    fn lists_have_commas_and_one_and() {
        let list = |parts: &[&str]| listed(&parts.iter().map(|&part| part.to_owned()).collect::<Vec<String>>());
        assert_eq!(
            [list(&[]), list(&["a"]), list(&["a", "b"]), list(&["a", "b", "c"])],
            ["", "a", "a and b", "a, b and c"]
        );
    }
}

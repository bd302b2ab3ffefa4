//! Words for what charts show. Every number in them is one of the table's or reckoned from it alone.

use super::column::{Column, NO_VALUE};
use super::figure::Figure;

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
    if low >= high {
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

/// How many values are missing and why: `3 of 31 have no value (not reported 2, partial 1).`
pub fn missing(reasons: &[&str], of: usize) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for reason in reasons {
        match counts.iter_mut().find(|(known, _)| known == reason) {
            Some((_, count)) => *count += 1,
            None => counts.push((reason, 1)),
        }
    }
    let named: Vec<String> = match counts.as_slice() {
        [] => return None,
        [(NO_VALUE, _)] => Vec::new(),
        counts => counts.iter().map(|(reason, count)| format!("{reason} {count}")).collect(),
    };
    let why = if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) };
    let have = if reasons.len() == 1 { "has" } else { "have" };
    Some(format!("{} of {of} {have} no value{why}.", reasons.len()))
}

/// How many lie above and below the bands of a column.
pub fn outside_bands(numbers: impl Iterator<Item = f64>, column: &Column) -> Option<String> {
    let (first, last) = (*column.bands.first()?, *column.bands.last()?);
    let (mut below, mut above, mut all) = (0, 0, 0);
    for number in numbers {
        all += 1;
        below += usize::from(number < first);
        above += usize::from(number >= last);
    }
    let name = |number: f64| column.form.exact(number);
    (all > 0).then(|| format!("At {} or above: {above} of {all}; below {}: {below}.", name(last), name(first)))
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
        assert_eq!(said.as_deref(), Some("3 of 31 have no value (late 2, never 1)."));
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

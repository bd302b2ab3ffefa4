//! EXPLAIN for people: the plan as a tree, with what each operator took beside it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Float64Type, Int64Type};

use super::Listing;
use crate::engine::human_bytes;
use crate::error::{Error, Result};
use crate::output::present::grouped;

/// Letters of an operator's detail at most, where no terminal cuts it.
const DETAIL_MAX: usize = 160;

/// Stands beside the operator that took longest.
const SLOWEST: &str = "◀";

/// A share of the time above which an operator is worth pointing at.
const WORTH_POINTING: f64 = 0.1;

/// What a plan says of itself beside its operators; left out for people, who have it in columns of their own.
const LEFT_OUT: [&str; 5] =
    ["file_groups=", "file_type=", "pruning_predicate=", "required_guarantees=", "dynamic_rg_pruning="];

/// The rows of a plan as a tree. Columns that say nothing of any operator are left out.
///
/// # Errors
/// `Internal` when the rows are not those of a plan.
pub fn tree(plan: &RecordBatch) -> Result<Listing> {
    let column = |name: &str| plan.column_by_name(name);
    let (Some(operators), Some(depths), Some(details)) = (column("operator"), column("depth"), column("detail")) else {
        return Err(Error::internal("a plan without operators"));
    };
    let depths: Vec<usize> = numbers(depths).map(|depth| usize::try_from(depth.unwrap_or(0)).unwrap_or(0)).collect();
    let branches = branches(&depths);
    let operators = operators.as_string::<i32>().iter().flatten();
    let mut shown: Vec<(&str, Vec<String>)> =
        vec![("operator", branches.iter().zip(operators).map(|(branch, name)| format!("{branch}{name}")).collect())];
    if let (Some(times), Some(shares)) = (column("time_ms"), column("time_share")) {
        let times = times.as_primitive::<Float64Type>().iter().map(|time| time.map_or(String::new(), milliseconds));
        shown.push(("time", times.collect()));
        shown.push(("share", slowest_marked(&shares.as_primitive::<Float64Type>().iter().collect::<Vec<_>>())));
    }
    let is_measured = column("rows").is_some();
    let rows = if is_measured { ("rows", column("rows")) } else { ("rows, estimated", column("rows_estimated")) };
    let counted = |values: &ArrayRef| numbers(values).map(|count| count.map_or(String::new(), number)).collect();
    shown.extend(rows.1.map(|values| (rows.0, counted(values))));
    let sized = |values: &ArrayRef| {
        let size = |bytes: Option<i64>| {
            bytes.filter(|&bytes| bytes > 0).map_or(String::new(), |bytes| human_bytes(bytes.unsigned_abs()))
        };
        numbers(values).map(size).collect()
    };
    for (title, name) in [("memory", "memory_bytes"), ("spilled", "spill_bytes"), ("read", "read_bytes")] {
        shown.extend(column(name).map(|values| (title, sized(values))));
    }
    for (title, kept, left_out) in
        [("files", "files", "files_pruned"), ("row groups", "row_groups", "row_groups_pruned")]
    {
        if let (Some(kept), Some(left_out)) = (column(kept), column(left_out)) {
            shown.push((
                title,
                numbers(kept).zip(numbers(left_out)).map(|(kept, left_out)| of_all(kept, left_out)).collect(),
            ));
        }
    }
    shown.push((
        "detail",
        details.as_string::<i32>().iter().map(|detail| shortened(detail.unwrap_or_default())).collect(),
    ));
    let columns = shown.into_iter().filter(|(_, values)| values.iter().any(|value| !value.is_empty()));
    let columns = columns.map(|(title, values)| {
        let values = if ["operator", "detail"].contains(&title) { values } else { right_aligned(title, values) };
        (title, Arc::new(StringArray::from(values)) as ArrayRef, true)
    });
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Listing { batch, notes: Vec::new() })
}

/// Rows that the statement of a plan returned.
pub fn rows(plan: &RecordBatch) -> u64 {
    let rows = plan.column_by_name("rows").and_then(|rows| numbers(rows).flatten().next());
    rows.map_or(0, i64::unsigned_abs)
}

fn numbers(values: &ArrayRef) -> impl Iterator<Item = Option<i64>> {
    values.as_primitive::<Int64Type>().iter()
}

fn number(count: i64) -> String {
    grouped(&count.to_string())
}

/// What stands before each operator: the branch of the tree that leads to it.
fn branches(depths: &[usize]) -> Vec<String> {
    // Whether another operator follows at this depth before the tree goes back above it.
    let goes_on = |place: usize, depth: usize| {
        let mut below = depths[place + 1..].iter().take_while(|&&other| other >= depth);
        below.any(|&other| other == depth)
    };
    let branch = |(place, &depth): (usize, &usize)| {
        let line = |level: usize| if goes_on(place, level) { "│  " } else { "   " };
        let before: String = (1..depth).map(line).collect();
        match depth {
            0 => String::new(),
            depth => before + if goes_on(place, depth) { "├─ " } else { "└─ " },
        }
    };
    depths.iter().enumerate().map(branch).collect()
}

fn milliseconds(time: f64) -> String {
    if time >= 10_000.0 {
        format!("{:.1} s", time / 1000.0)
    } else if time >= 100.0 {
        format!("{time:.0} ms")
    } else {
        format!("{time:.2} ms")
    }
}

/// Shares in per cent, with a mark beside the largest.
fn slowest_marked(shares: &[Option<f64>]) -> Vec<String> {
    let most = shares.iter().flatten().copied().fold(WORTH_POINTING, f64::max);
    let mut is_marked = false;
    let show = |share: &Option<f64>| {
        let Some(share) = *share else { return String::new() };
        let is_slowest = share >= most && !is_marked;
        is_marked |= is_slowest;
        format!("{:.0}% {}", share * 100.0, if is_slowest { SLOWEST } else { " " })
    };
    shares.iter().map(show).collect()
}

/// `9 of 24`: what was read of all there is.
fn of_all(kept: Option<i64>, left_out: Option<i64>) -> String {
    match (kept, left_out) {
        (Some(kept), Some(0)) => number(kept),
        (Some(kept), Some(left_out)) => format!("{} of {}", number(kept), number(kept + left_out)),
        _ => String::new(),
    }
}

/// Values with blanks before them, so that they end below each other.
fn right_aligned(title: &str, values: Vec<String>) -> Vec<String> {
    let length = |text: &str| text.chars().count();
    let width = values.iter().map(|value| length(value)).chain([length(title)]).max().unwrap_or(0);
    values.into_iter().map(|value| format!("{}{value}", " ".repeat(width - length(&value)))).collect()
}

/// A detail without what has a column of its own, without the engine's numbers of columns, and not too long.
fn shortened(detail: &str) -> String {
    let kept: Vec<&str> =
        parts(detail).into_iter().filter(|part| !LEFT_OUT.iter().any(|left_out| part.starts_with(left_out))).collect();
    let text = without_places(&kept.join(", ").replace("count(1)", "count(*)"));
    if text.chars().count() <= DETAIL_MAX {
        return text;
    }
    text.chars().take(DETAIL_MAX - 1).chain(['…']).collect()
}

/// The parts between commas that stand in no parentheses.
fn parts(detail: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, letter) in detail.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(detail[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(detail[start..].trim());
    parts
}

/// `office_id@3` is `office_id`, and `a as a` is `a`.
fn without_places(detail: &str) -> String {
    let mut text = String::with_capacity(detail.len());
    let mut letters = detail.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_place = letter == '@' && letters.peek().is_some_and(char::is_ascii_digit);
        if !is_place {
            text.push(letter);
            continue;
        }
        while letters.peek().is_some_and(char::is_ascii_digit) {
            letters.next();
        }
    }
    let once = |part: &str| match part.split_once(" as ") {
        Some((name, alias))
            if name.trim_start_matches("expr=[").trim_start_matches("gby=[") == alias.trim_end_matches(']') =>
        {
            let closing = if alias.ends_with(']') { "]" } else { "" };
            format!("{name}{closing}")
        }
        _ => part.to_owned(),
    };
    text.split(", ").map(once).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_lead_from_each_operator_to_those_below_it() {
        assert_eq!(branches(&[0, 1, 2, 2, 3, 1]), ["", "├─ ", "│  ├─ ", "│  └─ ", "│     └─ ", "└─ "]);
    }

    #[test]
    fn details_say_a_column_once_and_leave_out_what_has_a_column_of_its_own() {
        assert_eq!(
            shortened("mode=Partial, gby=[a@0 as a, b@1 as c], aggr=[sum(x)]"),
            "mode=Partial, gby=[a, b as c], aggr=[sum(x)]"
        );
        assert_eq!(
            shortened(
                "file_groups={1 group: [[a, b]]}, projection=[x], file_type=parquet, predicate=x@0 > 5, pruning_predicate=y"
            ),
            "projection=[x], predicate=x > 5"
        );
    }

    #[test]
    fn the_slowest_operator_is_marked_once() {
        assert_eq!(slowest_marked(&[Some(0.2), None, Some(0.6), Some(0.2)]), ["20%  ", "", "60% ◀", "20%  "]);
        assert_eq!(slowest_marked(&[Some(0.05)]), ["5%  "]);
    }
}

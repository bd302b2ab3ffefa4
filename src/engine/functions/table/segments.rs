//! `segments`: groups of like accounts, contacts or offices, with names that say what they have in common.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::util::display::array_value_to_string;

use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use super::{Call, Given, TableFunction, read};
use crate::error::{Error, Result};
use crate::statistics::clusters;
use crate::suggest;

pub static HELP: Help = Help {
    name: "segments",
    kind: Kind::Table,
    summary: "Puts each key, such as an account, into a segment of its like, by rules or by k-means.",
    arguments: &[
        Argument {
            name: "relation",
            takes: Takes::Relation,
            types: Types::Table,
            default: None,
            what: "a table, a view, a CTE or a query in parentheses, one row per key",
        },
        Argument {
            name: "key",
            takes: Takes::Column,
            types: Types::Any,
            default: None,
            what: "what is put into segments, such as account_id; unique and never null",
        },
        Argument {
            name: "feature",
            takes: Takes::Columns,
            types: Types::NumberBoolOrText,
            default: None,
            what: "what makes keys alike; text with rules only; `*` takes all columns that no other argument names",
        },
        Argument {
            name: "method",
            takes: Takes::Value,
            types: Types::Text,
            default: Some("'rules'"),
            what: "'rules': each feature is cut where it splits the keys most evenly, and a segment is a combination that \
                occurs; 'kmeans': k groups around centres",
        },
        Argument {
            name: "levels",
            takes: Takes::Value,
            types: Types::Whole,
            default: Some("2"),
            what: "of rules: 2 for low and high, 3 for low, mid and high",
        },
        Argument {
            name: "k",
            takes: Takes::Value,
            types: Types::Whole,
            default: Some("4"),
            what: "of kmeans: how many segments, 2 to 100",
        },
        Argument {
            name: "min_size",
            takes: Takes::Value,
            types: Types::Whole,
            default: Some("30"),
            what: "a segment with fewer keys is flagged in is_small; it is not merged into another",
        },
        Argument {
            name: "seed",
            takes: Takes::Value,
            types: Types::Whole,
            default: Some("1"),
            what: "of kmeans: where the search starts; a segment that another seed doesn't find is none to build on",
        },
    ],
    returns: "One row per key, in the order of the keys. The first column is the key, with its own name and type. \
        `segment`: its number; 1 is the largest, so numbers stay when the call is repeated on the same keys. `label`: the \
        segment in words, such as `annual_revenue high, nps low`; with kmeans it names the features whose centre is beyond \
        half a standard deviation from the mean, or says `average`. `size`: keys in it. `is_small`: whether they are fewer \
        than min_size. `distance`: to the segment's centre, in standard deviations; null with rules. `description`: with \
        rules the conditions, such as `nps >= 8`; with kmeans the means, in the units of the features. `note`: why a key \
        has no segment.",
    nulls: "A key with a null in a feature is in no segment: its row has nulls and a note, and it takes no part in cuts, \
        means and sizes. A feature that does not vary makes no difference, and rules do not name it.",
    errors: "A key that is null or there twice; text features with kmeans; dates; more segments than there are different \
        keys; constants out of range.",
    source: "Standardised features and k-means++ (Arthur and Vassilvitskii, SODA 2007), the best of ten starts. Keys are \
        sorted first, so the order of the rows changes nothing. A rule's cut is the value at which the keys are split \
        nearest to halves (thirds), with equal values together.",
    examples: &[
        "select label, size, is_small, count(*) as accounts from segments(accounts, account_id, annual_revenue, tier) group by label, size, is_small order by size desc",
        "select * from segments((select account_id, avg(nps) as nps, avg(csat) as csat from surveys group by account_id), account_id, nps, csat, method => 'kmeans', k => 3)",
    ],
};

/// Columns of the result after the key.
const FIELDS: [(&str, DataType); 7] = [
    ("segment", DataType::Int64),
    ("label", DataType::Utf8),
    ("size", DataType::Int64),
    ("is_small", DataType::Boolean),
    ("distance", DataType::Float64),
    ("description", DataType::Utf8),
    ("note", DataType::Utf8),
];

/// A centre counts as high or low when it is so many standard deviations from the mean.
const FAR: f64 = 0.5;

/// The function.
#[derive(Debug)]
pub struct Segments;

impl TableFunction for Segments {
    fn help(&self) -> &'static Help {
        &HELP
    }

    fn fields(&self, given: &[Given]) -> Result<Vec<Field>> {
        let Some(key) = given.first() else { return Err(Error::internal("a key")) };
        read::check_names(&[key.field.name()], &FIELDS.map(|(name, _)| name))?;
        let fields = FIELDS.into_iter().map(|(name, data_type)| Field::new(name, data_type, true));
        Ok(std::iter::once(key.field.as_ref().clone()).chain(fields).collect())
    }

    fn run(&self, call: &Call) -> Result<Vec<ArrayRef>> {
        let Some((key_name, key)) = call.columns("key").next() else { return Err(Error::internal("a key")) };
        let method = call.constant("method")?.word(&["rules", "kmeans"])?;
        let levels = whole(call, "levels", 2..=3)?;
        let k = whole(call, "k", 2..=100)?;
        let min_size = whole(call, "min_size", 1..=u32::MAX)?;
        let seed = whole(call, "seed", 0..=u32::MAX)?;

        let order = order_of_keys(key_name, key)?;
        let features = features(call, &order, method)?;
        let blanks: Vec<Vec<&str>> = (0..key.len())
            .map(|row| features.iter().filter(|feature| feature.is_blank(row)).map(|feature| feature.name).collect())
            .collect();
        let rows: Vec<usize> = (0..key.len()).filter(|&row| blanks[row].is_empty()).collect();
        let found = match method {
            "rules" => by_rules(&features, &rows, index(levels)),
            _ => by_k_means(&features, &rows, index(k), seed)?,
        };

        let mut of_rows: Vec<Option<usize>> = vec![None; key.len()];
        let mut sizes = vec![0_usize; found.segments.len()];
        for (row, segment) in rows.iter().zip(&found.of_rows) {
            of_rows[*row] = Some(*segment);
            sizes[*segment] += 1;
        }
        let mut distances = vec![None; key.len()];
        rows.iter().zip(&found.distances).for_each(|(row, distance)| distances[*row] = Some(*distance));
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let integers = |value: &dyn Fn(usize) -> i64| -> ArrayRef {
            Arc::new(of_rows.iter().map(|segment| segment.map(value)).collect::<Int64Array>())
        };
        let texts = |value: &dyn Fn(usize) -> String| -> ArrayRef {
            Arc::new(of_rows.iter().map(|segment| segment.map(value)).collect::<StringArray>())
        };
        let is_small = of_rows.iter().map(|segment| segment.map(|segment| sizes[segment] < index(min_size)));
        let notes = blanks.into_iter().map(|blank| match blank.as_slice() {
            [] => None,
            [name] => Some(format!("no segment: {} is blank", suggest::list([*name]))),
            names => Some(format!("no segment: {} are blank", suggest::list(names.iter().copied()))),
        });
        let places = UInt64Array::from_iter_values(order.iter().map(|&row| row as u64));
        Ok(vec![
            take(key, &places, None).map_err(read::internal)?,
            integers(&|segment| number(segment + 1)),
            texts(&|segment| found.segments[segment].label.clone()),
            integers(&|segment| number(sizes[segment])),
            Arc::new(is_small.collect::<BooleanArray>()),
            Arc::new(Float64Array::from(distances)),
            texts(&|segment| found.segments[segment].description.clone()),
            Arc::new(notes.collect::<StringArray>()),
        ])
    }
}

/// A constant that is a whole number.
fn whole(call: &Call, argument: &str, range: RangeInclusive<u32>) -> Result<u32> {
    let range = i64::from(*range.start())..=i64::from(*range.end());
    let given = call.constant(argument)?.whole(range)?;
    let given = given.and_then(|given| u32::try_from(given).ok());
    given.ok_or_else(|| Error::internal(format!("`{argument}` has no default")))
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The rows in the order of their keys.
fn order_of_keys(name: &str, key: &ArrayRef) -> Result<Vec<usize>> {
    let nulls = key.logical_null_count();
    if nulls > 0 {
        return Err(Error::invalid(format!("the key `{name}` is null in {nulls} of {} rows", key.len()))
            .hint(format!("leave them out: `where {name} is not null`")));
    }
    let keys = read::comparable(std::slice::from_ref(key))?;
    let mut order: Vec<usize> = (0..key.len()).collect();
    order.sort_unstable_by(|&a, &b| keys.row(a).cmp(&keys.row(b)));
    match order.windows(2).find(|pair| keys.row(pair[0]) == keys.row(pair[1])) {
        None => Ok(order),
        Some(pair) => {
            let value = array_value_to_string(key, pair[0]).map_err(read::internal)?;
            Err(Error::invalid(format!("the key `{name}` has the value `{value}` more than once"))
                .hint(format!("give one row per key: `(select {name}, avg(…) … group by {name})`")))
        }
    }
}

/// A feature, in the order of the keys.
struct Feature<'a> {
    name: &'a str,
    values: Values,
}

enum Values {
    Numbers(Vec<Option<f64>>),
    /// The different values, and which of them each key has.
    Words(read::Values),
}

impl Feature<'_> {
    fn is_blank(&self, row: usize) -> bool {
        match &self.values {
            Values::Numbers(numbers) => numbers[row].is_none(),
            Values::Words(words) => words.of_rows[row].is_none(),
        }
    }
}

fn features<'a>(call: &'a Call, order: &[usize], method: &str) -> Result<Vec<Feature<'a>>> {
    let places = UInt64Array::from_iter_values(order.iter().map(|&row| row as u64));
    let mut features = Vec::new();
    for (name, array) in call.columns("feature") {
        let array = take(array, &places, None).map_err(read::internal)?;
        let is_text = types::is_text(array.data_type());
        if is_text && method == "kmeans" {
            return Err(Error::query(format!("`{name}` is text, and k-means takes numbers"))
                .hint(format!("leave `{name}` out, or take `method => 'rules'`")));
        }
        // With rules, true and false are values like words.
        let values = match is_text || (array.data_type() == &DataType::Boolean && method == "rules") {
            true => Values::Words(read::values(&array)?),
            false => Values::Numbers(read::numbers(name, &array)?),
        };
        features.push(Feature { name, values });
    }
    Ok(features)
}

/// Segments, the largest first.
struct Found {
    segments: Vec<Segment>,
    /// The segment of each row that takes part.
    of_rows: Vec<usize>,
    /// The distance of each to its centre; empty with rules.
    distances: Vec<f64>,
}

struct Segment {
    label: String,
    description: String,
}

/// Parts of a sentence, or what stands for it when there are none.
fn joined(parts: &[String], with: &str, none: &str) -> String {
    if parts.is_empty() { none.to_owned() } else { parts.join(with) }
}

fn by_rules(features: &[Feature<'_>], rows: &[usize], levels: usize) -> Found {
    let cuts: Vec<Vec<f64>> = features
        .iter()
        .map(|feature| match &feature.values {
            Values::Numbers(numbers) => {
                let values: Vec<f64> = rows.iter().filter_map(|&row| numbers[row]).collect();
                clusters::cut_points(&values, levels)
            }
            Values::Words(_) => vec![],
        })
        .collect();
    let level = |row: usize, (feature, cuts): (&Feature<'_>, &Vec<f64>)| match &feature.values {
        Values::Numbers(numbers) => numbers[row].map_or(0, |value| clusters::level(value, cuts)),
        Values::Words(words) => words.of_rows[row].unwrap_or_default(),
    };
    let combinations: Vec<Vec<usize>> =
        rows.iter().map(|&row| features.iter().zip(&cuts).map(|feature| level(row, feature)).collect()).collect();
    let varies = |place: usize| combinations.windows(2).any(|pair| pair[0][place] != pair[1][place]);
    let named: Vec<usize> = (0..features.len()).filter(|place| varies(*place)).collect();
    let mut sizes: BTreeMap<&Vec<usize>, usize> = BTreeMap::new();
    for combination in &combinations {
        *sizes.entry(combination).or_default() += 1;
    }
    let mut sorted: Vec<(&Vec<usize>, usize)> = sizes.into_iter().collect();
    // Stable: those of one size stay in the order of their levels.
    sorted.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let numbers: BTreeMap<&Vec<usize>, usize> =
        sorted.iter().enumerate().map(|(number, (combination, _))| (*combination, number)).collect();
    let segments = sorted.iter().map(|(combination, _)| {
        let part = |place: &usize| (&features[*place], cuts[*place].as_slice(), combination[*place]);
        let labels = named.iter().map(part).map(|(feature, cuts, level)| in_words(feature, cuts, level));
        let rules = named.iter().map(part).map(|(feature, cuts, level)| rule(feature, cuts, level));
        Segment {
            label: joined(&labels.collect::<Vec<_>>(), ", ", "all alike"),
            description: joined(&rules.collect::<Vec<_>>(), " and ", "all"),
        }
    });
    Found {
        segments: segments.collect(),
        of_rows: combinations.iter().map(|combination| numbers[combination]).collect(),
        distances: vec![],
    }
}

/// The level of a feature that varies, for readers.
fn in_words(feature: &Feature<'_>, cuts: &[f64], level: usize) -> String {
    let word = match (&feature.values, level) {
        (Values::Words(words), _) => words.texts[level].as_str(),
        (Values::Numbers(_), 0) => "low",
        (Values::Numbers(_), level) if level == cuts.len() => "high",
        (Values::Numbers(_), _) => "mid",
    };
    format!("{} {word}", feature.name)
}

/// The level of a feature that varies, as a condition.
fn rule(feature: &Feature<'_>, cuts: &[f64], level: usize) -> String {
    let name = feature.name;
    match &feature.values {
        Values::Words(words) => format!("{name} = '{}'", words.texts[level].replace('\'', "''")),
        Values::Numbers(_) => {
            let from = level.checked_sub(1).and_then(|below| cuts.get(below)).map(|from| format!("{name} >= {from}"));
            let to = cuts.get(level).map(|to| format!("{name} < {to}"));
            from.into_iter().chain(to).collect::<Vec<_>>().join(" and ")
        }
    }
}

fn by_k_means(features: &[Feature<'_>], rows: &[usize], k: usize, seed: u32) -> Result<Found> {
    let columns: Vec<Vec<f64>> = features
        .iter()
        .filter_map(|feature| match &feature.values {
            Values::Numbers(numbers) => Some(rows.iter().filter_map(|&row| numbers[row]).collect()),
            Values::Words(_) => None,
        })
        .collect();
    let scores: Vec<Vec<f64>> = columns.iter().map(|values| clusters::standardised(values)).collect();
    let points: Vec<Vec<f64>> = (0..rows.len()).map(|row| scores.iter().map(|column| column[row]).collect()).collect();
    let found = clusters::k_means(&points, k, u64::from(seed)).map_err(|different| {
        Error::invalid(format!("{k} segments of keys with {different} different combinations of values")).hint(
            match different {
                0 | 1 => "there is nothing to split: give more keys, or features that vary".to_owned(),
                _ => format!("give a `k` of at most {different}, or more keys and features"),
            },
        )
    })?;
    let segments = found.centres.iter().enumerate().map(|(segment, centre)| {
        let labels = features.iter().zip(centre).filter_map(|(feature, centre)| match centre {
            centre if *centre > FAR => Some(format!("{} high", feature.name)),
            centre if *centre < -FAR => Some(format!("{} low", feature.name)),
            _ => None,
        });
        let means = features.iter().zip(&columns).map(|(feature, values)| {
            let own: Vec<f64> = values
                .iter()
                .zip(&found.group)
                .filter(|(_, group)| **group == segment)
                .map(|(value, _)| *value)
                .collect();
            format!("{} {}", feature.name, short(own.iter().sum::<f64>() / own.len() as f64))
        });
        Segment {
            label: joined(&labels.collect::<Vec<_>>(), ", ", "average"),
            description: format!("means: {}", means.collect::<Vec<_>>().join(", ")),
        }
    });
    let segments = segments.collect();
    Ok(Found { segments, of_rows: found.group, distances: found.distance })
}

/// A mean with about three digits.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

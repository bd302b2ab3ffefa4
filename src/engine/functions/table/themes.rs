//! `themes(relation, text, by…)`: what people of each group say, held against what all others say.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray, UInt64Array};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Field};

use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::Types;
use super::{Call, Given, TableFunction, read};
use crate::error::{Error, Result};
use crate::statistics::text::themes::{Comment, Options, Theme, themes};

pub static HELP: Help = Help {
    name: "themes",
    kind: Kind::Table,
    summary: "The words and two-word phrases that people of each group say in their comments, held against what all others \
              say. It is made for English: filter by language in the query; comments in other languages do no harm, but \
              their function words come out as themes.",
    arguments: &[
        Argument {
            name: "relation",
            takes: Takes::Relation,
            types: Types::Table,
            default: None,
            what: "a table, or a query in parentheses",
        },
        Argument { name: "text", takes: Takes::Column, types: Types::Text, default: None, what: "a comment" },
        Argument {
            name: "by",
            takes: Takes::Columns,
            types: Types::Any,
            default: Some("null"),
            what: "what makes a group, such as a region or a quarter; none: all comments are one group",
        },
        Argument {
            name: "person",
            takes: Takes::Column,
            types: Types::Any,
            default: Some("null"),
            what: "who said it, so that each counts once; null: each comment is somebody's",
        },
        Argument {
            name: "top",
            takes: Takes::Value,
            types: Types::Whole,
            default: Some("10"),
            what: "themes of a group",
        },
        Argument {
            name: "min_people",
            takes: Takes::Value,
            types: Types::Whole,
            default: Some("5"),
            what: "a theme of fewer people in the group is not listed",
        },
    ],
    returns: "A row for each group and theme, groups in their order and the best theme first: the columns of `by`; rank; theme \
              (as most write it); people who said it; share of the people of the group who commented; people_elsewhere \
              and share_elsewhere, the same for all other groups; tf_idf, occurrences times ln(comments / comments with \
              it) within the group; log_odds and z against the other groups; example, the shortest comment with it. \
              Ranked by z, or by tf_idf when there is one group. A person who comments more often says more, so that shares are \
              larger in groups over a longer time; log_odds and z are held against all that the people of a group said.",
    nulls: "Null and blank comments and those that say nothing (`n/a`) are left out, of the base too. A null in `by` is a \
            group of its own. With one group people_elsewhere, share_elsewhere, log_odds and z are null.",
    errors: "What is no text; `top` or `min_people` below 1; a column of `by` that is named as one of the result's.",
    source: "Log-odds ratio with an informative Dirichlet prior: Monroe, Colaresi and Quinn, Fightin' Words, Political Analysis \
             16(4), 2008, over people rather than words, with a prior of 500 mentions distributed as all people's. Words by \
             Unicode's rules (UAX 29), forms merged by the Snowball stemmer for English; function words and numbers left \
             out. A phrase with 80 per cent of its word's people replaces the word; of two themes that the same people say (80 \
             per cent of both, or of the worse one when they share a word) a phrase stays rather than a word, else the better one.",
    examples: &[
        "select * from themes((select * from surveys join offices using (office_id) where language = 'en'), comment, region, \
         person => account_id, top => 5)",
        "select theme, people, share, z, example from themes((select text, sentiment, account_id from field_feedback), text, \
         sentiment, person => account_id) where sentiment = 'negative'",
        "select theme, people, tf_idf from themes((select comment from surveys where language = 'en' and nps <= 6), comment)",
    ],
};

/// The columns after those of `by`.
const COLUMNS: [(&str, DataType); 10] = [
    ("rank", DataType::Int64),
    ("theme", DataType::Utf8),
    ("people", DataType::Int64),
    ("share", DataType::Float64),
    ("people_elsewhere", DataType::Int64),
    ("share_elsewhere", DataType::Float64),
    ("tf_idf", DataType::Float64),
    ("log_odds", DataType::Float64),
    ("z", DataType::Float64),
    ("example", DataType::Utf8),
];

#[derive(Debug)]
pub struct Themes;

impl TableFunction for Themes {
    fn help(&self) -> &'static Help {
        &HELP
    }

    fn fields(&self, given: &[Given]) -> Result<Vec<Field>> {
        let mut fields: Vec<Field> = Vec::new();
        for given in given {
            let (name, data_type) = (given.field.name(), given.field.data_type());
            if given.argument != "by" {
                continue;
            }
            if COLUMNS.iter().any(|(known, _)| known == name) || fields.iter().any(|known| known.name() == name) {
                return Err(Error::query(format!("`themes` would have two columns `{name}`"))
                    .hint(format!("give the one of `by` another name in the relation: `{name} as …`")));
            }
            fields.push(Field::new(name, data_type.clone(), true));
        }
        fields.extend(COLUMNS.map(|(name, data_type)| Field::new(name, data_type, true)));
        Ok(fields)
    }

    fn run(&self, call: &Call) -> Result<Vec<ArrayRef>> {
        let options = Options {
            top: whole(call, "top")?,
            people_min: u32::try_from(whole(call, "min_people")?).unwrap_or(u32::MAX),
        };
        let Some(texts) = call.column("text") else { return Err(Error::internal("`themes` has no text")) };
        let texts = cast(texts, &DataType::Utf8View).map_err(read::internal)?;
        let texts = texts.as_string_view();
        let by: Vec<ArrayRef> = call.columns("by").map(|(_, column)| Arc::clone(column)).collect();
        let (groups, firsts) = groups(&by, texts.len())?;
        let people = people(call.column("person"))?;
        let comments: Vec<Comment<'_>> = texts
            .iter()
            .zip(groups)
            .enumerate()
            .filter_map(|(row, (text, group))| {
                let person = people.as_ref().and_then(|people| people[row]);
                Some(Comment { text: text?, person, group })
            })
            .collect();
        let listed = themes(&comments, options);
        let rows: UInt64Array = listed.iter().map(|theme| Some(firsts[theme.group as usize])).collect();
        let by = by.iter().map(|column| take(column, &rows, None).map_err(read::internal));
        let mut columns = by.collect::<Result<Vec<ArrayRef>>>()?;
        columns.extend(results(&listed));
        Ok(columns)
    }
}

/// The columns after those of `by`, in their order.
fn results(listed: &[Theme<'_>]) -> [ArrayRef; 10] {
    let int = |value: fn(&Theme<'_>) -> Option<u32>| -> ArrayRef {
        Arc::new(listed.iter().map(|theme| value(theme).map(i64::from)).collect::<Int64Array>())
    };
    let float = |value: fn(&Theme<'_>) -> Option<f64>| -> ArrayRef {
        Arc::new(listed.iter().map(value).collect::<Float64Array>())
    };
    let texts = |values: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(values)) };
    [
        int(|theme| Some(theme.rank)),
        texts(listed.iter().map(|theme| theme.theme.as_str()).collect()),
        int(|theme| Some(theme.people)),
        float(|theme| Some(theme.share)),
        int(|theme| theme.against.map(|against| against.people)),
        float(|theme| theme.against.map(|against| against.share)),
        float(|theme| Some(theme.tf_idf)),
        float(|theme| theme.against.map(|against| against.log_odds)),
        float(|theme| theme.against.map(|against| against.z)),
        texts(listed.iter().map(|theme| theme.example).collect()),
    ]
}

/// The group of each row, numbered in the order of their values, and a row of each group.
fn groups(by: &[ArrayRef], rows: usize) -> Result<(Vec<u32>, Vec<u64>)> {
    if by.is_empty() {
        return Ok((vec![0; rows], vec![0]));
    }
    let values = read::comparable(by)?;
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|&one, &next| values.row(one).cmp(&values.row(next)));
    let mut groups = vec![0; rows];
    let mut firsts: Vec<u64> = Vec::new();
    for group in order.chunk_by(|&one, &next| values.row(one) == values.row(next)) {
        let number = number(firsts.len())?;
        firsts.push(group[0] as u64);
        for &row in group {
            groups[row] = number;
        }
    }
    Ok((groups, firsts))
}

/// A number for each person; `None` where nobody knows who it was.
fn people(column: Option<&ArrayRef>) -> Result<Option<Vec<Option<u32>>>> {
    let Some(column) = column.filter(|column| *column.data_type() != DataType::Null) else { return Ok(None) };
    let values = read::comparable(std::slice::from_ref(column))?;
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    let mut people = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        if column.is_null(row) {
            people.push(None);
            continue;
        }
        let next = number(known.len())?;
        people.push(Some(*known.entry(values.row(row).data()).or_insert(next)));
    }
    Ok(Some(people))
}

fn number(place: usize) -> Result<u32> {
    u32::try_from(place).map_err(|_| Error::invalid("`themes` takes no more than 4,294,967,295 groups or people"))
}

/// A constant that is a whole number from 1.
fn whole(call: &Call, argument: &str) -> Result<usize> {
    let given = call.constant(argument)?.whole(1..=i64::from(u32::MAX))?;
    let given = given.and_then(|given| usize::try_from(given).ok());
    given.ok_or_else(|| Error::internal(format!("`{argument}` has no default")))
}

//! Completion: what can be typed at a place of a text.
//!
//! [`complete`] is a function of the text, the place and what is in memory ([`Knowledge`]); of the disk it reads one folder
//! where a file is being named, and of a network nothing, ever. Broken statements are what it is for.

mod commands;
mod files;
mod joins;
pub mod knowledge;
mod learn;
mod offer;
mod query;
mod rank;
mod scope;
mod sentence;
mod statement;
mod strings;
pub mod words;

pub use knowledge::Knowledge;
pub use learn::{Memory, fill_at_leisure};
pub use offer::tables;
pub use sentence::Sentence;

use crate::query::script::{self, Around};

/// What can stand in place of the text from `start` to the cursor.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    pub start: usize,
    /// The best first.
    pub candidates: Vec<Candidate>,
    /// Names that were held against what is typed.
    pub looked_at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub text: String,
    /// The text as a list shows it.
    pub shown: String,
    pub kind: Kind,
    /// A few words beside it.
    pub remark: String,
}

/// What a candidate is; those that come first here are offered first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A condition on a key that two relations share.
    Key,
    Value,
    Parameter,
    /// A name of the query's own select list.
    Alias,
    Column,
    /// A relation of the statement, with a point behind it.
    Relation,
    /// A column of a query around this one.
    Outer,
    Table,
    Query,
    Setting,
    Command,
    File,
    Metric,
    Function,
    /// A column of a table that the statement does not name yet.
    Elsewhere,
    Keyword,
}

/// Where the word ends that a place of a text is in, or the name in quotes with the quote that closes it.
pub fn end_of_word(text: &str, place: usize) -> usize {
    let (Around::Command { start, end } | Around::Statement { start, end }) = script::around(text, place);
    let place = place.clamp(start, end) - start;
    start + Sentence::new(&text[start..end], Some(place)).end_of_word(place)
}

/// What can be typed at a place, which is a byte between two letters of the text.
pub fn complete(text: &str, place: usize, knowledge: &Knowledge) -> Completion {
    let (start, mut completion) = match script::around(text, place) {
        Around::Command { start, end } => (start, commands::complete(&text[start..end], place - start, knowledge)),
        Around::Statement { start, end } => {
            let place = place.clamp(start, end);
            (start, statement::complete(&text[start..end], place - start, knowledge))
        }
    };
    completion.start += start;
    completion
}

//! What can stand in a string: files, parts of dates, values of columns.

use super::knowledge::Column;
use super::offer::Offer;
use super::query::Clause;
use super::{Candidate, Kind, files, words};

impl Offer<'_> {
    /// What can stand in a string: files, parts of dates, or values of the column that it is compared with.
    pub fn in_string(mut self) -> (Vec<Candidate>, usize) {
        let Some(before) = self.before else { return self.list.finish() };
        let sentence = self.sentence;
        let is_copy = sentence.is(0, "copy") && sentence.is(before, "to");
        let is_listed = sentence.is_sign(before, ",")
            && self.scope.brackets.last().copied() == self.scope.query
            && matches!(self.scope.clause, Some((Clause::From, _)));
        let is_relation = sentence.is_any(before, &["from", "join", "location"]) && !sentence.is_comparison(before);
        let is_looked_at = before == 0 && sentence.is_any(before, &["describe", "desc", "summarize"]);
        let is_argument = sentence.is_sign(before, "(") && self.takes_table(before);
        if is_copy || is_listed || is_relation || is_looked_at || is_argument {
            self.files();
        } else if let Some(units) = self.units(before) {
            for unit in units {
                let text = self.closed(unit);
                self.list.offer(unit, Kind::Value, || (text, String::new()));
            }
        } else if let Some(column) = self.compared(before) {
            for value in self.knowledge.values(column.origin.as_ref(), &column.name) {
                let text = self.closed(value);
                self.list.offer(value, Kind::Value, || (text, String::new()));
            }
        }
        self.list.finish()
    }

    /// What a function of dates may be given first, where this token is the bracket before it.
    fn units(&self, before: usize) -> Option<&'static [&'static str]> {
        let function = before.checked_sub(1).filter(|_| self.sentence.is_sign(before, "("))?;
        match () {
            () if self.sentence.is_any(function, &["date_trunc", "datetrunc"]) => Some(&words::PERIODS),
            () if self.sentence.is_any(function, &["date_part", "datepart"]) => Some(&words::UNITS),
            () => None,
        }
    }

    /// A string's inside with the quote behind it, unless that is there.
    fn closed(&self, value: &str) -> String {
        let quote = if self.is_closed { "" } else { "'" };
        format!("{}{quote}", value.replace('\'', "''"))
    }

    fn files(&mut self) {
        let Some(folder) = &self.knowledge.folder else { return };
        for path in files::beginning(self.list.typed(), folder) {
            // A folder goes on.
            let text = if path.ends_with('/') { path.clone() } else { self.closed(&path) };
            self.list.offer(&path, Kind::File, || (text, String::new()));
        }
    }

    /// The column that a string behind this token is compared with.
    fn compared(&self, before: usize) -> Option<Column> {
        let sentence = self.sentence;
        let mut last = match () {
            () if ["=", "<>", "!=", "==", "<", "<=", ">", ">="].iter().any(|sign| sentence.is_sign(before, sign)) => {
                before.checked_sub(1)?
            }
            () if sentence.is_any(before, &["like", "ilike", "between"]) => before.checked_sub(1)?,
            () if sentence.is_comparison(before) => before - 2,
            () => {
                // The list of an IN: its opening bracket is the innermost one.
                let opening = *self.scope.brackets.last()?;
                let is_list = before == opening || sentence.is_sign(before, ",");
                if !is_list || opening == 0 || !sentence.is(opening - 1, "in") {
                    return None;
                }
                opening.checked_sub(2)?
            }
        };
        while sentence.is_any(last, &["is", "not"]) {
            last = last.checked_sub(1)?;
        }
        let first = if sentence.is_behind_point(last) { last.checked_sub(2)? } else { last };
        let levels = self.scope.levels.iter();
        let found = levels.filter_map(|level| self.resolver.column(first..last + 1, level));
        let mut found = found.collect::<Vec<_>>().into_iter();
        let first = found.next();
        first
            .filter(|column| column.origin.is_some())
            .or_else(|| found.find(|column| column.origin.is_some()))
            .or_else(|| Some(Column { name: sentence.name(last)?, kind: String::new(), origin: None }))
    }
}

//! Colours for what is typed: a text into its parts, once for each text.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::theme::{Paint, Theme};
use crate::query::lexis::{Token, TokenKind, tokens};
use crate::query::script::{self, Around};
use crate::shell::complete::{Knowledge, Sentence, tables, words};

/// A text with what its parts are; only the partner of a bracket depends on the cursor, too.
#[derive(Clone, Debug, Default)]
pub struct Coloured {
    text: String,
    /// In order, without overlaps.
    parts: Vec<(Range<usize>, Paint)>,
    /// Brackets that belong together.
    brackets: Vec<(usize, usize)>,
}

impl Coloured {
    pub fn new(text: &str, knowledge: &Knowledge) -> Self {
        let mut coloured = Self { text: text.to_owned(), ..Self::default() };
        for span in script::spans(text) {
            match span {
                Around::Statement { start, end } => coloured.statement(start, &text[start..end], knowledge),
                Around::Command { start, end } => coloured.command(start, &text[start..end], knowledge),
            }
        }
        coloured
    }

    pub fn is_of(&self, text: &str) -> bool {
        self.text == text
    }

    fn command(&mut self, start: usize, text: &str, knowledge: &Knowledge) {
        let end = text.find(|letter: char| letter.is_whitespace() || letter == ';').unwrap_or(text.len());
        let is_known = |name: &str| knowledge.commands.iter().any(|command| command.name == name);
        let is_begun = |name: &str| knowledge.commands.iter().any(|command| command.name.starts_with(name));
        let name = &text[1..end];
        // While its name is typed it is not wrong yet.
        let is_fine = is_known(name) || end == text.len() && is_begun(name);
        self.parts.push((start..start + end, if is_fine { Paint::Keyword } else { Paint::Wrong }));
    }

    fn statement(&mut self, start: usize, text: &str, knowledge: &Knowledge) {
        let named = named_tables(text, knowledge);
        let all = tokens(text);
        let mut open: Vec<(usize, usize)> = Vec::new();
        for (index, token) in all.iter().enumerate() {
            let range = start + token.start..start + token.end;
            let said = token.text(text);
            match said {
                "(" | "[" => open.push((self.parts.len(), range.start)),
                ")" | "]" => {
                    match open.pop() {
                        Some((_, opening)) => self.brackets.push((opening, range.start)),
                        None => self.parts.push((range, Paint::Wrong)),
                    }
                    continue;
                }
                _ => {}
            }
            match of_token(text, &all, index, &named, knowledge) {
                Some(paint) if !token.is_closed && matches!(token.kind, TokenKind::Text | TokenKind::Name) => {
                    let quote = range.start + said.find(['\'', '"', '`', '$']).unwrap_or(0);
                    self.parts.push((range.start..quote + 1, Paint::Wrong));
                    self.parts.push((quote + 1..range.end, paint));
                }
                Some(paint) => self.parts.push((range, paint)),
                None => {}
            }
        }
        // Brackets that are still open go in where they stand among the others.
        for (place, opening) in open.into_iter().rev() {
            self.parts.insert(place, (opening..opening + 1, Paint::Open));
        }
    }

    /// The bracket at the cursor or before it, and its partner.
    fn pair(&self, cursor: usize) -> Option<(usize, usize)> {
        let at = |place: usize| self.brackets.iter().find(|(opening, closing)| *opening == place || *closing == place);
        let before = cursor.checked_sub(1).and_then(at);
        before.or_else(|| at(cursor)).copied()
    }

    /// Whether the colours depend on the cursor being here.
    pub fn has_pair(&self, cursor: usize) -> bool {
        self.pair(cursor).is_some()
    }

    /// The text in its colours, with the pair of brackets at the cursor, if it is wanted.
    pub fn painted(&self, theme: Theme, cursor: Option<usize>) -> String {
        let mut marks: Vec<(Range<usize>, Paint)> = self.parts.clone();
        if let Some((opening, closing)) = cursor.and_then(|cursor| self.pair(cursor)) {
            marks.extend([opening, closing].map(|place| (place..place + 1, Paint::Partner)));
            marks.sort_by_key(|(range, _)| range.start);
        }
        let mut painted = String::with_capacity(self.text.len() + marks.len() * 12);
        let mut at = 0;
        for (range, paint) in marks {
            painted.push_str(&self.text[at..range.start]);
            painted.push_str(&theme.paint(paint, &self.text[range.clone()]));
            at = range.end;
        }
        painted.push_str(&self.text[at..]);
        painted
    }
}

/// What a token is; `None` for names, operators and the like, which keep the terminal's own colour.
fn of_token(text: &str, all: &[Token], index: usize, named: &NamedTables, knowledge: &Knowledge) -> Option<Paint> {
    let token = &all[index];
    let word = token.text(text);
    if let Some(is_known) = named.get(token.start) {
        return Some(if is_known { Paint::Table } else { Paint::UnknownTable });
    }
    match token.kind {
        TokenKind::Text => Some(Paint::Text),
        TokenKind::Number => Some(Paint::Number),
        TokenKind::Variable => Some(Paint::Variable),
        TokenKind::Comment => Some(Paint::Comment),
        TokenKind::Name => (!token.is_closed).then_some(Paint::Text),
        TokenKind::Sign => None,
        TokenKind::Word => {
            let is_call = all.get(index + 1).is_some_and(|next| next.text(text) == "(");
            let is_behind_point = index > 0 && all[index - 1].text(text) == "." && all[index - 1].end == token.start;
            match () {
                () if is_behind_point => None,
                () if is_call && knowledge.function(word).is_some() => Some(Paint::Function),
                () if words::is_keyword(word) => Some(Paint::Keyword),
                () => None,
            }
        }
    }
}

/// Where tables are named, and whether each is known.
struct NamedTables(HashMap<usize, bool>);

impl NamedTables {
    fn get(&self, start: usize) -> Option<bool> {
        self.0.get(&start).copied()
    }
}

fn named_tables(text: &str, knowledge: &Knowledge) -> NamedTables {
    let sentence = Sentence::new(text, None);
    let inner = (0..sentence.end()).filter(|&index| sentence.is_sign(index, "(")).map(|index| sentence.inside(index));
    let ranges = std::iter::once(sentence.main()).chain(inner.filter(|range| sentence.is_query(range)));
    let queries: Vec<_> = ranges.map(|range| sentence.query(range)).collect();
    let ctes: BTreeSet<&str> = queries.iter().flat_map(|query| &query.ctes).map(|cte| cte.name.as_str()).collect();
    let named = queries.iter().flat_map(|query| tables(&sentence, query));
    let is_known = |name: &str| ctes.contains(name) || knowledge.table(name).is_some();
    NamedTables(named.map(|(name, index)| (sentence.tokens[index].start, is_known(name))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::complete::knowledge::{Command, Function, Table};

    fn knowledge() -> Knowledge {
        let mut knowledge = Knowledge::default();
        knowledge.add_table("offices", Table::default());
        knowledge.add_function(Function { name: "nps".to_owned(), ..Function::default() });
        knowledge.last = Some(Table::default());
        knowledge
    }

    /// The text with a letter for what each part is.
    fn marked(text: &str) -> String {
        let coloured = Coloured::new(text, &knowledge());
        let mut marks = vec![' '; text.len()];
        for (range, paint) in &coloured.parts {
            let letter = match paint {
                Paint::Keyword => 'k',
                Paint::Text => 's',
                Paint::Number => '1',
                Paint::Variable => '$',
                Paint::Comment => 'c',
                Paint::Function => 'f',
                Paint::Table => 't',
                Paint::UnknownTable => '?',
                Paint::Wrong => '!',
                Paint::Open => '(',
                Paint::Partner | Paint::Faint | Paint::Prompt => unreachable!("not of a text"),
            };
            marks[range.clone()].fill(letter);
        }
        marks.into_iter().collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn words_strings_numbers_comments_functions_and_tables_are_told_apart() {
        for (text, expected) in [
            ("select nps(x), 1.5, 'a' -- b", "kkkkkk fff     111  sss cccc"),
            ("select $p from offices o", "kkkkkk $$ kkkk ttttttt"),
            ("select a from ofices", "kkkkkk   kkkk ??????"),
            ("from _", "kkkk t"),
            ("with x as (select 1) select * from x", "kkkk   kk  kkkkkk 1  kkkkkk   kkkk t"),
            ("select month, t.order from offices", "kkkkkk                kkkk ttttttt"),
            ("select 1; select 2", "kkkkkk 1  kkkkkk 1"),
        ] {
            assert_eq!(marked(text), expected, "{text}");
        }
    }

    #[test]
    fn a_command_keeps_its_colour_before_a_semicolon() {
        let mut knowledge = Knowledge::default();
        knowledge.commands = vec![Command { name: "q".to_owned(), ..Command::default() }];
        for (text, expected) in [("\\q;", Paint::Keyword), ("\\w;", Paint::Wrong)] {
            assert_eq!(Coloured::new(text, &knowledge).parts, [(0..2, expected)], "{text}");
        }
    }

    #[test]
    fn brackets_and_quotes_without_a_partner_stand_out() {
        for (text, expected) in [
            ("select (1))", "kkkkkk  1 !"),
            ("select ((1)", "kkkkkk ( 1"),
            ("select 'a", "kkkkkk !s"),
            ("select E'a", "kkkkkk !!s"),
            ("select \"a", "kkkkkk !s"),
            ("select 1); select (2)", "kkkkkk 1!  kkkkkk  1"),
        ] {
            assert_eq!(marked(text), expected, "{text}");
        }
    }

    #[test]
    fn colours_change_no_letter() {
        for text in ["select ((1) 'ä' \"ö /* é", "\\d offices\nselect 1", "select f(a[1]), 'x\ny' from offices;"] {
            for cursor in 0..=text.len() {
                let painted = Coloured::new(text, &knowledge()).painted(Theme::Dark, Some(cursor));
                let mut plain = String::new();
                let mut rest = painted.as_str();
                while let Some((before, behind)) = rest.split_once('\x1b') {
                    plain.push_str(before);
                    rest = behind.split_once('m').expect("an end of the colour").1;
                }
                assert_eq!(plain + rest, text);
            }
        }
    }

    #[test]
    fn the_partner_of_the_bracket_at_the_cursor_is_found() {
        let text = "f(a, (b))";
        let coloured = Coloured::new(text, &knowledge());
        assert_eq!(coloured.pair(text.len()), Some((1, 8)));
        assert_eq!(coloured.pair(1), Some((1, 8)));
        assert_eq!(coloured.pair(8), Some((5, 7)));
        assert_eq!(coloured.pair(4), None);
    }
}

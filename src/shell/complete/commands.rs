//! Completion of `\` commands. What an argument can be follows from the form in which the list of commands shows it.

use super::knowledge::{Knowledge, Parameter};
use super::rank::Shortlist;
use super::scope::Resolver;
use super::sentence::{Sentence, is_closed, unquoted};
use super::{Completion, Kind, files};
use crate::engine::Kept;
use crate::output::chart;
use crate::shell::command::is_word;

/// What can be typed at a place of a command, which begins with its `\`.
pub fn complete(text: &str, place: usize, knowledge: &Knowledge) -> Completion {
    let before = &text[..place];
    let start = word_start(before);
    let typed = &before[start..];
    if start == 0 {
        let mut list = Shortlist::new(typed);
        for command in &knowledge.commands {
            let name = format!("\\{}", command.name);
            let remark = [command.form.as_str(), &command.what].into_iter().filter(|part| !part.is_empty());
            let remark = remark.collect::<Vec<_>>().join(" · ");
            list.offer(&name, Kind::Command, || (name.clone(), remark));
        }
        return finished(start, list);
    }
    let words: Vec<&str> = before[..start].split_whitespace().collect();
    let name = words[0].trim_start_matches('\\');
    let Some(command) = knowledge.commands.iter().find(|command| command.name == name) else {
        return Completion { start: place, ..Completion::default() };
    };
    let forms = forms(&command.form);
    let Some(form) = forms.get(words.len() - 1).or(forms.last().filter(|form| form.ends_with("..."))) else {
        return Completion { start: place, ..Completion::default() };
    };
    let form = form.trim_end_matches("...").trim();
    if form == "k=v" {
        let query = words.get(1).and_then(|name| knowledge.queries.get(*name));
        return parameter(query.map_or(&[], |query| &query.parameters), start, typed, knowledge);
    }
    let quote = opening_quote(typed).filter(|_| form.split('|').any(|form| form == "FILE"));
    let mut list = Shortlist::new(&quote.map_or_else(|| typed.to_owned(), |_| unquoted(typed)));
    for form in form.split('|') {
        match form {
            "FILE" => paths(quote, &text[place..], &mut list, knowledge),
            form => argument(form, name, &mut list, knowledge),
        }
    }
    finished(start, list)
}

/// The quote that a word begins with.
fn opening_quote(word: &str) -> Option<char> {
    word.chars().next().filter(|letter| matches!(letter, '\'' | '"'))
}

/// A text as it is written between such quotes.
fn within(quote: char, text: &str) -> String {
    text.replace(quote, &format!("{quote}{quote}"))
}

/// Offers files and folders, in the quotes that are there or that they need. `behind`: what follows the cursor.
fn paths(quote: Option<char>, behind: &str, list: &mut Shortlist, knowledge: &Knowledge) {
    let typed = list.typed().to_owned();
    for path in knowledge.folder.iter().flat_map(|folder| files::beginning(&typed, folder)) {
        let text = match quote.or_else(|| Some('\'').filter(|_| !is_word(&path))) {
            None => path.clone(),
            // A folder goes on.
            Some(quote) if path.ends_with('/') || is_closed(behind, quote) => {
                format!("{quote}{}", within(quote, &path))
            }
            Some(quote) => format!("{quote}{}{quote}", within(quote, &path)),
        };
        list.offer(&path, Kind::File, || (text, String::new()));
    }
}

/// Offers what an argument of this form can be.
fn argument(form: &str, command: &str, list: &mut Shortlist, knowledge: &Knowledge) {
    match (form, command) {
        ("TABLE", _) => {
            for (name, table) in knowledge.tables() {
                list.offer(name, Kind::Table, || (name.to_owned(), table.remark.clone()));
            }
            if !list.typed().is_empty() {
                for (name, table) in &knowledge.kept {
                    let name = format!("{}.{name}", Kept::SCHEMA);
                    list.offer(&name, Kind::Table, || (name.clone(), table.remark.clone()));
                }
            }
        }
        ("FORMAT", _) | ("NAME", "format") => formats(list, knowledge),
        ("KIND", _) => {
            for kind in chart::Kind::names() {
                list.offer(kind, Kind::Keyword, || (kind.to_owned(), String::new()));
            }
        }
        ("NAME", "set" | "unset") => {
            for (name, value) in &knowledge.variables {
                list.offer(name, Kind::Parameter, || (name.clone(), value.clone()));
            }
        }
        // A name that is new.
        ("NAME", "save") => {}
        ("NAME", "doc" | "df") => {
            for function in knowledge.functions() {
                let kind = if function.is_metric { Kind::Metric } else { Kind::Function };
                list.offer(&function.name, kind, || (function.name.clone(), function.call.clone()));
            }
        }
        ("NAME", _) => {
            for (name, query) in &knowledge.queries {
                list.offer(name, Kind::Query, || (name.clone(), query.title.clone()));
            }
        }
        (word, _) if word.chars().all(|letter| letter.is_ascii_lowercase()) => {
            list.offer(word, Kind::Keyword, || (word.to_owned(), String::new()));
        }
        // Something that only its user knows.
        _ => {}
    }
}

fn formats(list: &mut Shortlist, knowledge: &Knowledge) {
    for format in &knowledge.formats {
        list.offer(format, Kind::Keyword, || (format.clone(), String::new()));
    }
}

/// `name=`, or behind it the values that are allowed; of a list, behind its last comma.
fn parameter(parameters: &[Parameter], start: usize, typed: &str, knowledge: &Knowledge) -> Completion {
    let Some((name, value)) = typed.split_once('=') else {
        let mut list = Shortlist::new(typed);
        for parameter in parameters {
            list.offer(&parameter.name, Kind::Parameter, || (format!("{}=", parameter.name), parameter.remark.clone()));
        }
        return finished(start, list);
    };
    let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else {
        return finished(start, Shortlist::new(typed));
    };
    let quote = opening_quote(value);
    let inside = quote.map_or(value, |quote| &value[quote.len_utf8()..]);
    let last = inside.rfind(',').map_or(0, |comma| comma + 1);
    let begun = &inside[last..];
    let mut values =
        Shortlist::new(&quote.map_or_else(|| begun.to_owned(), |quote| unquoted(&format!("{quote}{begun}"))));
    let of_lake = parameter.values_sql.as_deref().map_or_else(Vec::new, |sql| values_of(sql, knowledge));
    for value in parameter.values.iter().chain(&of_lake) {
        // Quotes that are open already hold the value together; else it brings its own, if it is the first.
        let text = match quote {
            Some(quote) => within(quote, value),
            None if last == 0 && !is_word(value) => format!("'{}'", within('\'', value)),
            None => value.clone(),
        };
        values.offer(value, Kind::Value, || (text, String::new()));
    }
    finished(start + typed.len() - inside.len() + last, values)
}

/// The values of the first column of a query, where they were seen.
fn values_of(sql: &str, knowledge: &Knowledge) -> Vec<String> {
    let sentence = Sentence::new(sql, None);
    let columns = Resolver { sentence: &sentence, knowledge }.output(sentence.main(), &Vec::new(), 0);
    let Some(first) = columns.first() else { return Vec::new() };
    knowledge.values(first.origin.as_ref(), &first.name).map(str::to_owned).collect()
}

/// The forms of the arguments, without brackets: `NAME [k=v ...]` is `NAME` and `k=v ...`.
fn forms(form: &str) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    for word in form.split_whitespace() {
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        match (bare, forms.last_mut()) {
            ("...", Some(last)) => last.push_str(" ..."),
            _ => forms.push(bare.to_owned()),
        }
    }
    forms
}

/// Where the last word begins; blanks in quotes part no words, and a quote that is doubled within them closes none.
fn word_start(text: &str) -> usize {
    let (mut start, mut quote) = (0, None);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open && letters.next_if(|(_, next)| *next == open).is_none() => {
                quote = None;
            }
            (None, '\'' | '"') if at == start || text[..at].ends_with('=') => quote = Some(letter),
            (None, letter) if letter.is_whitespace() => start = at + letter.len_utf8(),
            _ => {}
        }
    }
    start
}

fn finished(start: usize, list: Shortlist) -> Completion {
    let (candidates, looked_at) = list.finish();
    Completion { start, candidates, looked_at }
}

//! Completion of `\` commands. What an argument can be follows from the form in which the list of commands shows it.

use super::knowledge::{Knowledge, Parameter};
use super::rank::Shortlist;
use super::scope::Resolver;
use super::sentence::Sentence;
use super::{Completion, Kind, files};
use crate::engine::Kept;
use crate::output::chart;

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
    let mut list = Shortlist::new(typed);
    for form in form.split('|') {
        argument(form, name, &mut list, knowledge);
    }
    finished(start, list)
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
        ("FILE" | "PATH", _) => {
            let typed = list.typed().to_owned();
            for path in knowledge.folder.iter().flat_map(|folder| files::beginning(&typed, folder)) {
                list.offer(&path, Kind::File, || (path.clone(), String::new()));
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
    let quote = value.chars().next().filter(|letter| matches!(letter, '\'' | '"'));
    let inside = quote.map_or(value, |quote| &value[quote.len_utf8()..]);
    let last = inside.rfind(',').map_or(0, |comma| comma + 1);
    let mut values = Shortlist::new(&inside[last..]);
    let of_lake = parameter.values_sql.as_deref().map_or_else(Vec::new, |sql| values_of(sql, knowledge));
    for value in parameter.values.iter().chain(&of_lake) {
        // Quotes that are open already hold the blanks; else the value, if it is the first, brings its own.
        let has_blank = value.contains(char::is_whitespace) && quote.is_none() && last == 0;
        values.offer(value, Kind::Value, || {
            (if has_blank { format!("'{value}'") } else { value.clone() }, String::new())
        });
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

/// Where the last word begins; blanks in quotes part no words.
fn word_start(text: &str) -> usize {
    let (mut start, mut quote) = (0, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
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

//! `\` commands: the same at the prompt and in scripts.

use super::{Next, Shell, look, tell};
use crate::error::{Error, Result};
use crate::output::Format;
use crate::query::run::{Given, assignment};
use crate::suggest;

/// Every command: its name, what follows it, and what it does.
pub const ALL: [(&str, &str, &str); 11] = [
    ("d", "[TABLE]", "list tables, or show the columns and files of one"),
    ("queries", "[NAME]", "list saved queries, or show one"),
    ("run", "NAME [k=v ...]", "run a saved query; quote a value with blanks: k='a b'"),
    ("f", "", "list functions"),
    ("doc", "NAME", "show what a function or a metric does, and how it is called"),
    ("format", "[NAME]", "show or set the form of results"),
    ("e", "[NAME]", "edit the last statement, or a saved query, in $EDITOR, and run it"),
    ("timing", "[on|off]", "say how long each statement takes"),
    ("params", "[k=v ...]", "show or set values for $name in statements"),
    ("?", "", "show this list"),
    ("q", "", "leave"),
];

/// Runs one command, written without its `\`.
///
/// # Errors
/// `Usage` for an unknown command, with the nearest; those of what it does.
pub async fn run(shell: &mut Shell, text: &str) -> Result<Next> {
    let words = words(text)?;
    let (name, rest) = words.split_first().map_or(("", [].as_slice()), |(name, rest)| (name.as_str(), rest));
    match (name, rest) {
        ("d", []) => shell.listing(shell.tables()?).await?,
        ("d", [table]) => {
            let listing = shell.table(table.trim_end_matches(';')).await?;
            shell.listing(listing).await?;
        }
        ("queries", []) => {
            let listing = shell.queries().await?;
            shell.listing(listing).await?;
        }
        ("queries", [name]) => tell(look::query_text(&shell.library, name).await?.trim_end()),
        ("run", []) => return Err(look::missing("the name of a saved query", "\\run NAME k=v")),
        ("run", [name, given @ ..]) => {
            let given = assignments(given)?;
            shell.saved(name.trim_end_matches(';'), given).await?;
        }
        ("f", []) => shell.listing(shell.functions()?).await?,
        ("doc", [name]) => tell(look::doc(&shell.engine, &shell.library, name.trim_end_matches(';')).await?.trim_end()),
        ("format", []) => tell(name_of(shell.view.format.unwrap_or(Format::Table))),
        ("format", [format]) => shell.view.format = Some(Format::parse(format)?),
        ("timing", rest) => {
            shell.view.timing = switch(rest, shell.view.timing)?;
            shell.note(if shell.view.timing { "timing is on" } else { "timing is off" });
        }
        ("params", []) => {
            for (name, texts) in &shell.given {
                tell(&format!("{name} = {}", texts.join(", ")));
            }
        }
        ("params", given) => shell.given.extend(assignments(given)?),
        ("?", _) => tell(&help()),
        ("e", _) => {
            return Err(Error::usage("`\\e` works at the prompt alone, on a line of its own"));
        }
        ("q", _) => return Ok(Next::Quit),
        (name, _) => return Err(unknown(name)),
    }
    Ok(Next::GoOn)
}

/// Reads `k=v` words; a name that comes twice adds to its list.
fn assignments(words: &[String]) -> Result<Given> {
    let mut given = Given::new();
    for word in words {
        let (name, value) = assignment(word.trim_end_matches(';'))?;
        given.entry(name).or_default().push(value);
    }
    Ok(given)
}

fn switch(words: &[String], now: bool) -> Result<bool> {
    match words.first().map(String::as_str) {
        None => Ok(!now),
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(other) => Err(Error::usage(format!("`{other}` is neither `on` nor `off`"))),
    }
}

fn name_of(format: Format) -> &'static str {
    Format::ALL.iter().find(|(known, ..)| *known == format).map_or("table", |(_, name, _)| name)
}

fn unknown(name: &str) -> Error {
    let names = || ALL.iter().map(|(name, ..)| *name);
    let error = match ALL.iter().find(|(known, ..)| *known == name) {
        Some((name, form, _)) => return Error::usage(format!("`\\{name}` takes {form}")),
        None => Error::usage(format!("no command `\\{name}`")),
    };
    match suggest::nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `\\{near}`? `\\?` lists all")),
        None => error.hint("`\\?` lists all"),
    }
}

fn help() -> String {
    let lines = ALL.iter().map(|(name, form, what)| {
        let head = format!("\\{name} {form}");
        format!("  {head:<24}{what}")
    });
    let statements = "  SQL ends with `;` and may go over several lines".to_owned();
    [statements].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// Parts a command into words at blanks; quotes keep blanks together and are taken off.
fn words(text: &str) -> Result<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut inside: Option<String> = None;
    let mut quote: Option<char> = None;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"') if opens(inside.as_deref()) => {
                quote = Some(letter);
                inside.get_or_insert_default();
            }
            (None, letter) if letter.is_whitespace() => words.extend(inside.take()),
            (_, letter) => inside.get_or_insert_default().push(letter),
        }
    }
    if let Some(quote) = quote {
        return Err(Error::usage(format!("a {quote} is not closed")));
    }
    words.extend(inside);
    Ok(words)
}

/// A quote counts at the start of a word or of a value, and is a letter elsewhere (`name=O'Brien`).
fn opens(inside: Option<&str>) -> bool {
    inside.is_none_or(|word| word.is_empty() || word.ends_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_what_is_quoted_together() {
        let parted = |text| words(text).expect("closed quotes");
        assert_eq!(
            parted("run x offices='New York, NY' name=O'Brien"),
            ["run", "x", "offices=New York, NY", "name=O'Brien"]
        );
        assert_eq!(parted("  d   surveys "), ["d", "surveys"]);
        assert_eq!(parted("x ''"), ["x", ""]);
        assert!(words("run x name='a").is_err());
    }
}

//! `\` commands: the same at the prompt and in scripts.

use std::path::{Path, PathBuf};

use super::save::Existing;
use super::{Next, Reach, Shell, Turned, look, tell};
use crate::error::{Error, Result};
use crate::lake::span::parse as span;
use crate::output::Format;
use crate::output::chart::Picture;
use crate::query::run::{Given, assignment};
use crate::suggest;

/// A command: its name, what follows it, and what it does.
pub struct Command {
    pub name: &'static str,
    pub form: &'static str,
    pub what: &'static str,
    /// May stand behind a statement, in the place of its `;`.
    pub ends: bool,
}

const fn command(name: &'static str, form: &'static str, what: &'static str) -> Command {
    Command { name, form, what, ends: false }
}

const fn ending(name: &'static str, form: &'static str, what: &'static str) -> Command {
    Command { name, form, what, ends: true }
}

/// Every command, by what it is for.
pub const ALL: [(&str, &[Command]); 4] = [
    (
        "Looking around",
        &[
            command("d", "[TABLE]", "list tables, or show the columns and files of one"),
            command("d+", "[TABLE]", "the same, with what only buckets and every footer know"),
            command("dt", "", "list tables, as `\\d`"),
            command("dv", "", "list views and tables that this session made"),
            command("dq", "[NAME]", "list saved queries, or show one, as `\\queries`"),
            command("df", "[NAME]", "list functions, or show one, as `\\f` and `\\doc`"),
            command("queries", "[NAME]", "list saved queries, or show one"),
            command("f", "", "list functions"),
            command("doc", "NAME", "show what a function or a metric does, and how it is called"),
        ],
    ),
    (
        "Running",
        &[
            command("run", "NAME [k=v ...]", "run a saved query; quote a value with blanks: k='a b'"),
            ending("g", "[FORMAT|FILE]", "run the statement, or the last one again, in another form or into a file"),
            ending("gx", "", "the same with a line for each value"),
            ending("watch", "[SPAN [TIMES]]", "run it every 5 s, or so often, until Ctrl-C"),
            command("e", "[NAME]", "edit the last statement, or a saved query, in $EDITOR, and run it"),
            command("i", "FILE", "run the statements and commands of a file"),
            command("save", "NAME [TITLE]", "make the last statement a saved query; `\\save!` replaces one"),
            command("timeout", "[SPAN|off]", "stop statements that run longer"),
            command("timing", "[on|off]", "say how long each statement takes"),
            command("stats", "[on|off]", "say what each statement read and asked of buckets"),
        ],
    ),
    (
        "Results",
        &[
            command("format", "[NAME]", "show or set the form of results"),
            command("x", "[on|off|auto]", "a line for each value: always, never, or where a table is too wide"),
            command("rows", "[N|all]", "rows of a table that are shown"),
            command("digits", "[grouped|plain]", "set thousands apart in numbers without a format of their own"),
            command("pager", "[on|off]", "show what is longer than the screen through $PAGER"),
            command("last", "[FORMAT]", "show the last result again, all of it; `from _` queries it"),
            command("o", "[FILE]", "write the next result to a file, or show it after all"),
            ending("chart", "[N|KIND] [X [Y [BY]]]", "draw the result: as bar, line, dot, scatter, heatmap and more"),
            ending("crosstab", "[ROWS COLUMNS VALUES]", "turn the result: a column for each value of the second"),
        ],
    ),
    (
        "The session",
        &[
            command("set", "[NAME VALUE]", "show or set values for $name in statements"),
            command("unset", "NAME", "forget a value"),
            command("history", "[N]", "show what was entered, the last 20 or N"),
            command("?", "", "show this list"),
            command("q", "", "leave"),
        ],
    ),
];

/// What DuckDB and others call `\` commands of ours.
const ELSEWHERE: [(&str, &str); 14] = [
    (".help", "\\?"),
    (".tables", "\\d"),
    (".schema", "\\d TABLE"),
    (".mode", "\\format NAME"),
    (".read", "\\i FILE"),
    (".output", "\\o FILE"),
    (".once", "\\o FILE"),
    (".timer", "\\timing"),
    (".maxrows", "\\rows N"),
    (".edit", "\\e"),
    (".last", "\\last"),
    (".exit", "\\q"),
    (".quit", "\\q"),
    ("help", "\\?"),
];

/// What is wrong with a line that is a command of another prompt; as SQL it would only ask for more lines.
pub fn of_elsewhere(text: &str) -> Option<Error> {
    let line = text.trim().trim_end_matches(';');
    let word = line.split_whitespace().next()?;
    let is_command =
        word.strip_prefix('.').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_lowercase()));
    if line.contains('\n') || !is_command && !line.eq_ignore_ascii_case("help") {
        return None;
    }
    let error = Error::usage(format!("`{word}` is no command here"));
    Some(match ELSEWHERE.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)) {
        Some((_, ours)) => error.hint(format!("here it is `{ours}`")),
        None => error.hint("commands begin with a `\\`: `\\?` lists them"),
    })
}

/// Every command.
pub fn all() -> impl Iterator<Item = &'static Command> {
    ALL.iter().flat_map(|(_, commands)| commands.iter())
}

/// Whether a command may stand in the place of a `;`.
fn ends(name: &str) -> bool {
    all().any(|command| command.ends && command.name == name)
}

/// Runs one command, written without its `\`.
///
/// # Errors
/// `Usage` for an unknown command, with the nearest; those of what it does.
pub async fn run(shell: &mut Shell, text: &str) -> Result<Next> {
    let words = words(text)?;
    let (name, rest) = words.split_first().map_or(("", [].as_slice()), |(name, rest)| (name.as_str(), rest));
    match (name, rest) {
        ("d" | "dt", []) => {
            let listing = shell.tables(Reach::Near).await?;
            shell.listing(listing).await?;
        }
        ("d+", []) => {
            let listing = shell.tables(Reach::Everywhere).await?;
            shell.listing(listing).await?;
        }
        ("dv", []) => {
            let listing = shell.made().await?;
            shell.listing(listing).await?;
        }
        ("d" | "d+", [table]) => {
            let listing = shell.table(table).await?;
            shell.listing(listing).await?;
        }
        ("queries" | "dq", []) => {
            let listing = shell.queries().await?;
            shell.listing(listing).await?;
        }
        ("queries" | "dq", [name]) => tell(look::query_text(&shell.library, name).await?.trim_end()),
        ("f" | "df", []) => shell.listing(shell.functions()?).await?,
        ("doc" | "df", [name]) => tell(look::doc(&shell.engine, &shell.library, name).await?.trim_end()),
        ("run", []) => return Err(look::missing("the name of a saved query", "\\run NAME k=v")),
        ("run", [name, given @ ..]) => {
            let given = assignments(given)?;
            shell.saved(name, given).await?;
        }
        ("i", [file]) => {
            shell.check_allowed("no file is read by `\\i`")?;
            return shell.include(Path::new(file)).await;
        }
        ("save" | "save!", [query, title @ ..]) => {
            let title = Some(title.join(" ")).filter(|title| !title.is_empty());
            let existing = if name == "save" { Existing::Keep } else { Existing::Replace };
            shell.save(query, title.as_deref(), existing).await?;
        }
        ("chart", columns) => {
            let kept = shell.kept()?;
            shell.chart(columns, &kept).await?;
        }
        ("crosstab", columns) => {
            let kept = shell.kept()?;
            shell.crosstab(columns, &kept).await?;
        }
        ("last", []) => shell.last().await?,
        ("last", [format]) => {
            let format = Format::parse(format)?;
            shell.with(|view| view.format = Some(format), async |shell| shell.last().await).await?;
        }
        ("history", rest @ ([] | [_])) => shell.tell_history(rest.first().map(String::as_str))?,
        ("e", _) => return Err(Error::usage("`\\e` works at the prompt alone, on a line of its own")),
        ("?", _) => tell(&help()),
        ("q", _) => return Ok(Next::Quit),
        (name, rest) if ends(name) => repeat(shell, name, rest).await?,
        (name, rest) => set(shell, name, rest)?,
    }
    Ok(Next::GoOn)
}

/// Runs the command that a statement ends with; the statement is what was asked last.
///
/// # Errors
/// `Usage` for a command that cannot stand there; those of what it does.
pub async fn behind(shell: &mut Shell, text: &str) -> Result<Next> {
    let words = words(text)?;
    let (name, rest) = words.split_first().map_or(("", [].as_slice()), |(name, rest)| (name.as_str(), rest));
    match name {
        "q" => return Ok(Next::Quit),
        "chart" => {
            let kept = shell.held().await?;
            shell.chart(rest, &kept).await?;
        }
        "crosstab" => {
            let kept = shell.held().await?;
            shell.crosstab(rest, &kept).await?;
        }
        name if ends(name) => repeat(shell, name, rest).await?,
        name if all().any(|command| command.name == name) => {
            return Err(Error::usage(format!("`\\{name}` cannot end a statement")).hint("put a `;` before it"));
        }
        name => return Err(unknown(name)),
    }
    Ok(Next::GoOn)
}

/// Runs what was asked last in the way that a command says.
async fn repeat(shell: &mut Shell, name: &str, rest: &[String]) -> Result<()> {
    match (name, rest) {
        ("g", []) => shell.again().await,
        // A word with a point or a slash is a file; what its ending does not say is told when it is opened.
        ("g", [word]) if !word.contains(['.', '/']) => {
            let format = Format::parse(word)?;
            shell.with(|view| view.format = Some(format), async |shell| shell.again().await).await
        }
        ("g", [file]) => {
            shell.check_allowed("no file is written by `\\g`")?;
            shell.next_output = Some(PathBuf::from(file));
            let done = shell.with(|view| view.format = None, async |shell| shell.again().await).await;
            shell.next_output = None;
            done
        }
        ("gx", []) => shell.with(|view| view.format = Some(Format::Vertical), async |shell| shell.again().await).await,
        ("watch", []) => shell.watch(span("5")?, None).await,
        ("watch", [every]) => shell.watch(span(every)?, None).await,
        ("watch", [every, times]) => shell.watch(span(every)?, Some(count(times)?)).await,
        (name, _) => Err(unknown(name)),
    }
}

/// Shows or changes a setting of the session.
fn set(shell: &mut Shell, name: &str, rest: &[String]) -> Result<()> {
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    let view = &mut shell.view;
    match (name, words.as_slice()) {
        ("format", []) => tell(name_of(view.format.unwrap_or(Format::Table))),
        ("format", [format]) => view.format = Some(Format::parse(format)?),
        ("timing", rest @ ([] | [_])) => view.timing = switch(rest, view.timing, "timing")?,
        ("stats", rest @ ([] | [_])) => view.stats = switch(rest, view.stats, "stats")?,
        ("pager", rest @ ([] | [_])) => view.pages = switch(rest, view.pages, "the pager")?,
        ("x", [other]) if !["on", "off", "auto"].contains(other) => {
            return Err(Error::usage(format!("`{other}` is none of `on`, `off`, `auto`")));
        }
        ("x", ["auto"]) => {
            view.turned = Turned::WhereTooWide;
            tell("a line for each value where a table is too wide");
        }
        ("x", rest @ ([] | [_])) => {
            let is_on = switch(rest, view.turned == Turned::Always, "a line for each value")?;
            view.turned = if is_on { Turned::Always } else { Turned::Never };
        }
        ("rows", []) => tell(&view.rows_max.map_or("all".to_owned(), |rows| rows.to_string())),
        ("rows", ["all"]) => view.rows_max = None,
        ("rows", [rows]) => view.rows_max = Some(usize::try_from(count(rows)?).unwrap_or(usize::MAX)),
        ("digits", []) => tell(if view.groups_digits { "grouped" } else { "plain" }),
        ("digits", ["grouped"]) => view.groups_digits = true,
        ("digits", ["plain"]) => view.groups_digits = false,
        ("timeout", []) => tell(&view.timeout.map_or("off".to_owned(), |span| format!("{} s", span.as_secs_f64()))),
        ("timeout", ["off"]) => view.timeout = None,
        ("timeout", [text]) => view.timeout = Some(span(text)?),
        ("o", []) => shell.next_output = None,
        ("o", [file]) => {
            shell.check_allowed("no file is written by `\\o`")?;
            let path = PathBuf::from(file);
            let is_known = Format::of_file(&path).is_some() || Picture::of_file(&path).is_some();
            if shell.view.format.is_none() && !is_known {
                return Err(super::result::unknown_ending(&path));
            }
            tell(&format!("the next result goes to {}", path.display()));
            shell.next_output = Some(path);
        }
        ("set", []) => {
            for (name, texts) in &shell.given {
                tell(&format!("{name} = {}", texts.join(", ")));
            }
        }
        ("set", [name]) if !name.contains('=') => {
            return Err(Error::usage(format!("`{name}` gets no value")).hint(format!("write `\\set {name} VALUE`")));
        }
        ("set", [name, "=", value @ ..] | [name, value @ ..]) if !name.contains('=') && !value.is_empty() => {
            shell.given.insert((*name).trim_start_matches('$').to_owned(), vec![value.join(" ")]);
        }
        ("set", _) => shell.given.extend(assignments(rest)?),
        ("unset", [name]) => {
            let name = name.trim_start_matches('$');
            if shell.given.remove(name).is_none() {
                return Err(Error::usage(format!("`{name}` has no value")));
            }
        }
        (name, _) => return Err(unknown(name)),
    }
    Ok(())
}

/// Reads `k=v` words; a name that comes twice adds to its list.
fn assignments(words: &[String]) -> Result<Given> {
    let mut given = Given::new();
    for word in words {
        let (name, value) = assignment(word)?;
        given.entry(name).or_default().push(value);
    }
    Ok(given)
}

/// The next state of something that is on or off, and says so.
fn switch(words: &[&str], now: bool, what: &str) -> Result<bool> {
    let next = match words.first() {
        None => !now,
        Some(&"on") => true,
        Some(&"off") => false,
        Some(other) => return Err(Error::usage(format!("`{other}` is neither `on` nor `off`"))),
    };
    tell(&format!("{what} is {}", if next { "on" } else { "off" }));
    Ok(next)
}

fn count(text: &str) -> Result<u64> {
    let count = text.parse().ok().filter(|&count| count > 0);
    count.ok_or_else(|| Error::usage(format!("`{text}` is no number above zero")))
}

fn name_of(format: Format) -> &'static str {
    Format::ALL.iter().find(|(known, ..)| *known == format).map_or("table", |(_, name, _)| name)
}

fn unknown(name: &str) -> Error {
    if let Some(Command { name, form, .. }) = all().find(|known| known.name == name) {
        let takes = if form.is_empty() { "nothing behind it" } else { form };
        return Error::usage(format!("`\\{name}` takes {takes}"));
    }
    let error = Error::usage(format!("no command `\\{name}`"));
    match suggest::nearest(name, all().map(|known| known.name)) {
        Some(near) => error.hint(format!("did you mean `\\{near}`? `\\?` lists all")),
        None => error.hint("`\\?` lists all"),
    }
}

fn help() -> String {
    let mut text = "SQL ends with `;` and may go over several lines.\n".to_owned();
    for (group, commands) in ALL {
        text += &format!("\n{group}\n");
        for Command { name, form, what, .. } in commands {
            let head = format!("\\{name} {form}");
            text += &format!("  {head:<32}{what}\n");
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Whether a text is one word of a command as it stands, without quotes.
pub fn is_word(text: &str) -> bool {
    words(text).is_ok_and(|words| words == [text])
}

/// Parts a command into words at blanks; quotes keep blanks together and are taken off. A quote that is doubled within
/// them stands for itself, as in SQL, and a `;` at the end is no part of the command.
fn words(text: &str) -> Result<Vec<String>> {
    let text = text.trim_end_matches(';');
    let mut words: Vec<String> = Vec::new();
    let mut inside: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open && letters.next_if_eq(&open).is_none() => quote = None,
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
        assert_eq!(parted("set a 'it''s' b='''' c='' d=O''Brien"), ["set", "a", "it's", "b='", "c=", "d=O''Brien"]);
        assert_eq!(parted("set a \"say \"\"so\"\"\""), ["set", "a", "say \"so\""]);
        assert_eq!(parted("set a b;c 'd;';"), ["set", "a", "b;c", "d;"]);
        assert_eq!(parted("q ;"), ["q"]);
        assert!(words("set a '''").is_err());
        assert!(words("run x name='a").is_err());
    }

    #[test]
    fn a_text_that_would_be_parted_or_lose_letters_is_no_word_without_quotes() {
        for (text, expected) in [
            ("a.sql", true),
            ("O'Brien", true),
            ("a b", false),
            ("'a'", false),
            ("a;", false),
            ("k='v", false),
            ("", false),
        ] {
            assert_eq!(is_word(text), expected, "{text}");
        }
    }
}

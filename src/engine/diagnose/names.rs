//! Names that stand for nothing, or for more than one thing: tables, columns, functions, types, settings.

use datafusion::common::{Column, SchemaError};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::super::kept::Kept;
use super::{Clues, between, wording};
use crate::error::Error;
use crate::suggest;

/// What the engine says before the name and types of a call that fits no function.
const NO_FUNCTION: &str = "No function matches the given name and argument types '";

/// Names of types that statements can use.
const TYPES: [&str; 28] = [
    "text",
    "varchar",
    "char",
    "string",
    "int",
    "integer",
    "bigint",
    "smallint",
    "tinyint",
    "float",
    "double",
    "real",
    "decimal",
    "numeric",
    "bool",
    "boolean",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "interval",
    "bytea",
    "uint8",
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
];

/// How far two dates are apart, in the units that are asked for most.
const DATES_APART: &str = "`later::date - earlier::date` in days, and in months `12 * (extract(year from later) - \
    extract(year from earlier)) + extract(month from later) - extract(month from earlier)`";

/// The value that is there most often, of all rows and of each group.
const MOST_FREQUENT: &str = "`select x from t group by x order by count(*) desc limit 1`, and of each `k` \
    `select k, x from t group by k, x qualify row_number() over (partition by k order by count(*) desc) = 1`";

/// Functions of other databases, and what does the same here.
pub const ELSEWHERE: [(&[&str], &str); 41] = [
    (&["getdate", "sysdate", "curdate", "localtimestamp"], "`now()`"),
    (&["len", "datalength"], "`length(text)`"),
    (&["strlen"], "`octet_length(text)`, and in letters `length(text)`"),
    (&["mod"], "`x % y`"),
    (&["sign"], "`signum(x)`"),
    (&["isnull"], "`coalesce(x, y)`"),
    (&["if", "iif", "decode"], "`case when x then y else z end`"),
    (&["group_concat", "listagg"], "`string_agg(text, ', ')`"),
    (&["list", "collect_list", "grouparray"], "`array_agg(x)`"),
    (&["list_value"], "`make_array(x, y)`"),
    (&["year"], "`extract(year from day)`"),
    (&["quarter"], "`extract(quarter from day)`"),
    (&["month"], "`extract(month from day)`"),
    (&["week"], "`extract(week from day)`"),
    (&["day", "dayofmonth"], "`extract(day from day)`"),
    (&["hour"], "`extract(hour from time)`"),
    (&["weekday", "dayofweek"], "`extract(dow from day)`"),
    (&["strftime", "date_format", "format_date"], "`to_char(time, '%Y-%m')`"),
    (
        &["strptime", "str_to_date", "parse_date"],
        "`to_timestamp(text, '%d.%m.%Y %H:%M')`, and of days `to_date(text, '%d.%m.%Y')`",
    ),
    (&["datediff", "date_diff"], DATES_APART),
    (&["dateadd", "date_add", "date_sub", "adddate"], "`day + interval '1 month'`"),
    (&["add_months"], "`day + cast(n || ' months' as interval)`"),
    (&["make_interval", "to_days", "to_months", "to_years"], "`cast(n || ' months' as interval)`"),
    (&["quantile", "percentile"], "`quantile_cont(x, 0.5)`"),
    (&["approx_quantile"], "`approx_percentile_cont(x, 0.5)`"),
    (&["mode"], MOST_FREQUENT),
    (&["safe_cast"], "`try_cast(x as int)`"),
    (&["charindex", "locate"], "`strpos(text, part)`"),
    (&["countif", "count_if"], "`count(*) filter (where x > 0)`"),
    (&["max_by", "argmax"], "`arg_max(x, by)`"),
    (&["min_by", "argmin"], "`arg_min(x, by)`"),
    (&["regexp_matches"], "`regexp_like(text, pattern)`"),
    (&["regexp_extract"], "`regexp_match(text, pattern)[1]`, with the part in parentheses"),
    (&["dayname"], "`to_char(day, '%A')`"),
    (&["monthname"], "`to_char(day, '%B')`"),
    (&["last_day"], "`date_trunc('month', day) + interval '1 month' - interval '1 day'`"),
    (&["epoch"], "`extract(epoch from time)`"),
    (&["format", "printf"], "`concat(text, round(x, 2), …)`"),
    (&["read_csv", "read_csv_auto"], "`from 'x.csv'`"),
    (&["read_parquet", "parquet_scan"], "`from 'x.parquet'`"),
    (&["read_json", "read_json_auto"], "`from 'x.json'`"),
];

/// What the engine calls the options of a form that COPY writes, the form, and those of its options that are wanted most.
const COPY_OPTIONS: [(&str, &str, &[&str]); 3] = [
    ("CsvOptions", "CSV", &["has_header", "delimiter", "null_value", "date_format", "compression"]),
    ("JsonOptions", "JSON", &["compression"]),
    ("ParquetOptions", "Parquet", &["compression", "max_row_group_size"]),
];

/// A name as a statement has to write it.
fn written(name: &str) -> String {
    let is_plain = |letter: char| letter == '_' || letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let starts_well = name.starts_with(|letter: char| letter == '_' || letter.is_ascii_lowercase());
    if starts_well && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// What the engine says of the columns of a statement.
pub fn schema(error: &SchemaError, clues: &mut Clues<'_>) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => missing_column(field, valid_fields, clues),
        SchemaError::AmbiguousReference { field } => ambiguous(field, clues),
        SchemaError::DuplicateQualifiedField { qualifier, name } => {
            let table = qualifier.table();
            let places: Vec<usize> = clues.words.tables(table).collect();
            let last = places.last().and_then(|&place| clues.words.get(place));
            clues.wrong = clues.wrong.take().or(last.map(|piece| piece.at.clone()));
            if places.len() == 1 {
                return Error::query(format!("`{table}` has two columns `{name}`"));
            }
            Error::query(format!("`{table}` stands in FROM twice"))
                .hint(format!("give each a name of its own, as in `{table} as a join {table} as b`"))
        }
        SchemaError::DuplicateUnqualifiedField { name } => twice(name, clues),
    }
}

/// Two columns of one name where each must have its own.
fn twice(name: &str, clues: &mut Clues<'_>) -> Error {
    let named = clues.words.places(name).filter(|&place| {
        let before = place.checked_sub(1).and_then(|before| clues.words.get(before));
        before.is_some_and(|before| before.is_keyword(Keyword::AS))
    });
    let second = named.collect::<Vec<_>>().get(1).copied().or_else(|| clues.words.places(name).nth(1));
    clues.wrong = second.and_then(|place| clues.words.get(place)).map(|piece| piece.at.clone());
    Error::query(format!("two columns are called `{name}`")).hint("give one of them another name with `as`")
}

/// What heads the column of an expression, as the engine writes that: its alias, the name of a column that it is or casts, or else
/// all of it.
fn heading(expression: &str) -> &str {
    let alias = |text: &str| text.rmatch_indices(" AS ").map(|(at, _)| at).find(|at| is_closed(&text[..*at]));
    if let Some(at) = alias(expression) {
        return &expression[at + " AS ".len()..];
    }
    let cast = expression.strip_prefix("CAST(").or_else(|| expression.strip_prefix("TRY_CAST("));
    if let Some(inside) = cast.and_then(|cast| cast.strip_suffix(')')).filter(|inside| is_closed(inside))
        && let Some(at) = alias(inside)
    {
        return heading(&inside[..at]);
    }
    let is_plain = |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'));
    match expression.strip_suffix('"').and_then(|quoted| quoted.rsplit_once('"')) {
        Some((before, name)) if is_plain(before) => name,
        None if is_plain(expression) => expression.rsplit('.').next().unwrap_or(expression),
        _ => expression,
    }
}

/// Whether every bracket and quote of a text is closed in it.
fn is_closed(text: &str) -> bool {
    let (mut depth, mut is_quoted) = (0_usize, false);
    for letter in text.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted && depth == 0 => return false,
            ')' if !is_quoted => depth -= 1,
            _ => {}
        }
    }
    depth == 0 && !is_quoted
}

fn ambiguous(field: &Column, clues: &mut Clues<'_>) -> Error {
    let suffix = format!(".{}", field.name);
    let mut tables: Vec<&str> =
        clues.notes.iter().filter_map(|note| note.strip_prefix("possible column ")?.strip_suffix(&suffix)).collect();
    tables.dedup();
    let error = match tables.as_slice() {
        [first @ .., last] if !first.is_empty() => Error::query(format!(
            "`{}` is ambiguous: it is a column of {} and `{last}`",
            field.name,
            suggest::list(first.iter().copied())
        )),
        _ => Error::query(format!("`{}` is ambiguous: more than one table has it", field.name)),
    };
    let table = tables.first().copied().unwrap_or("t");
    let error = error.hint(format!("say of which, as in `{table}.{}`", written(&field.name)));
    let name = clues.words.name(&field.name);
    clues.mark(name);
    error
}

fn missing_column(field: &Column, valid: &[Column], clues: &mut Clues<'_>) -> Error {
    let found = clues.words.name(&field.name);
    clues.mark(found);
    let place = clues.wrong.as_ref().and_then(|wrong| clues.words.starting_at(wrong.start));
    let before = place.and_then(|place| clues.words.get(place.checked_sub(1)?));
    if let Some(clause) =
        before.filter(|before| before.is_keyword(Keyword::LIMIT) || before.is_keyword(Keyword::OFFSET))
    {
        let clause = clause.word().unwrap_or_default().to_uppercase();
        return Error::query(format!("{clause} takes a number, and `{}` is none", field.name));
    }
    let mut tables: Vec<&str> = valid.iter().filter_map(|column| Some(column.relation.as_ref()?.table())).collect();
    tables.sort_unstable();
    tables.dedup();
    if let Some(relation) = field.relation.as_ref().map(datafusion::common::TableReference::table)
        && !tables.is_empty()
        && !tables.contains(&relation)
    {
        if let Some(piece) = place.and_then(|place| clues.words.get(place)) {
            clues.wrong = Some(piece.at.clone());
        }
        return missing_relation(relation, &field.name, valid, &tables);
    }
    let shown = field.flat_name().replace('"', "");
    let error = Error::query(format!("no column `{shown}`"));
    if let Some(hint) = alias(&field.name, place, clues) {
        return error.hint(hint);
    }
    let in_scope: Vec<&Column> =
        valid.iter().filter(|column| field.relation.is_none() || column.relation == field.relation).collect();
    let mut names: Vec<&str> = in_scope.iter().map(|column| column.name.as_str()).collect();
    if let Some(near) = suggest::nearest(&field.name, names.iter().copied()) {
        let table = in_scope.iter().find(|column| column.name == near).and_then(|column| column.relation.as_ref());
        return match table.filter(|_| tables.len() > 1 && field.relation.is_none()) {
            Some(table) => error.hint(format!("did you mean `{near}` of `{}`?", table.table())),
            None => error.hint(format!("did you mean `{}`?", written(near))),
        };
    }
    let is_quoted = place
        .and_then(|place| clues.words.get(place))
        .is_some_and(|piece| matches!(&piece.token, Token::Word(word) if word.quote_style == Some('"')));
    if is_quoted {
        return error.hint(format!("names stand in double quotes; a text stands in single quotes: `'{}'`", field.name));
    }
    if field.name == "all" {
        return error.hint("`order by all` goes by a select list without `*`; else ORDER BY takes columns or their numbers, as in `order by 1, 2`");
    }
    let elsewhere = clues.known.columns.iter().filter(|(_, column)| *column == field.name);
    let elsewhere: Vec<&str> = elsewhere.map(|(table, _)| table.as_str()).collect();
    if !elsewhere.is_empty() && !names.is_empty() {
        let (a, has) = if elsewhere.len() == 1 { ("table", "has") } else { ("tables", "have") };
        return error.hint(format!("{a} {} {has} a column of this name", suggest::some(&elsewhere)));
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    match names.is_empty() {
        true => error.hint("no table is named in FROM"),
        false => error.hint(format!("columns here: {}", suggest::some(&names))),
    }
}

/// `x.column` where FROM has no `x`.
fn missing_relation(relation: &str, column: &str, valid: &[Column], tables: &[&str]) -> Error {
    let error = Error::query(format!("no table `{relation}` in FROM"));
    let with_column = valid.iter().find(|valid| valid.name == column).and_then(|valid| valid.relation.as_ref());
    match (suggest::nearest(relation, tables.iter().copied()), with_column) {
        (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
        (None, Some(table)) => error.hint(format!("did you mean `{}.{}`?", table.table(), written(column))),
        (None, None) => error.hint(format!("tables here: {}", suggest::list(tables.iter().copied()))),
    }
}

/// A name that SELECT gives, used where it is not yet known.
fn alias(name: &str, place: Option<usize>, clues: &Clues<'_>) -> Option<String> {
    let place = place?;
    let is_named = clues.words.places(name).any(|at| at < place && is_given(at, clues));
    let clauses = clues.words.iter().take(place).filter_map(|(_, piece)| {
        let is = |keyword| piece.is_keyword(keyword);
        [Keyword::SELECT, Keyword::FROM, Keyword::WHERE, Keyword::GROUP, Keyword::HAVING, Keyword::ORDER]
            .into_iter()
            .find(|keyword| is(*keyword))
    });
    let why = match clauses.last().filter(|_| is_named)? {
        Keyword::WHERE => {
            "made by SELECT, which comes after WHERE; repeat what it stands for, or filter in a query around"
        }
        Keyword::SELECT => {
            "made by this SELECT, all of whose columns are made at once; repeat what it stands for, or go on in a query around"
        }
        _ => return None,
    };
    Some(format!("`{name}` is {why}"))
}

/// Whether a name in this place is given to what stands before it, with AS or without.
fn is_given(place: usize, clues: &Clues<'_>) -> bool {
    let token = |place: usize| clues.words.get(place).map(|piece| &piece.token);
    let Some(before) = place.checked_sub(1) else { return false };
    let is_as = clues.words.get(before).is_some_and(|piece| piece.is_keyword(Keyword::AS));
    is_as || token(before) == Some(&Token::RParen) && token(place + 1) == Some(&Token::Comma)
}

/// What the engine says of other names.
pub fn tell(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    let quoted = between(message, "'", "'").unwrap_or_default();
    let is_table = (message.starts_with("table '") && message.contains("not found"))
        || message.starts_with("No table named '")
        || (message.starts_with("Table '") && message.contains("doesn't exist"));
    if is_table {
        return Some(missing_table(quoted.rsplit('.').next().unwrap_or(quoted), clues));
    }
    if message.starts_with("Table '") && message.ends_with("already exists") {
        let name = quoted.rsplit('.').next().unwrap_or(quoted);
        clues.mark(clues.words.name(name));
        return Some(Error::query(format!("there is a table `{name}` already")).hint("give yours another name"));
    }
    if message.contains(NO_FUNCTION) {
        return Some(wrong_call(message, clues));
    }
    if let Some(function) = between(message, "Function '", "' failed to match any signature") {
        return Some(refused_types(function, message, clues));
    }
    if message.starts_with("table function '") || message.starts_with("Invalid function '") {
        return Some(missing_function(quoted, message.starts_with("table function '"), clues));
    }
    if let Some(name) = message.strip_prefix("Unsupported SQL type ") {
        let name = name.split(['(', ' ']).next().unwrap_or(name).to_lowercase();
        let found = clues.words.name(&name);
        clues.mark(found);
        let error = Error::query(format!("no type `{name}`"));
        return Some(match suggest::nearest(&name, TYPES) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("types are `text`, `int`, `float`, `decimal(18,2)`, `bool`, `date` and `timestamp`"),
        });
    }
    let is_setting = message.starts_with("Config value \"")
        || message.starts_with("could not find config namespace")
        || message.starts_with("Could not find config namespace")
        || message.contains("is not a variable which can be viewed with 'SHOW'");
    if is_setting {
        let is_copy = clues.words.get(0).is_some_and(|first| first.is_keyword(Keyword::COPY));
        return Some(if is_copy { missing_option(message, clues) } else { missing_setting(clues) });
    }
    if let Some(name) = message.strip_prefix("Invalid qualifier ") {
        clues.mark(clues.words.name(name));
        return Some(Error::query(format!("no table `{name}` in FROM")));
    }
    if message.starts_with("compound identifier: ") {
        return Some(Error::query("a name has too many parts").hint("a column is written `column` or `table.column`"));
    }
    if let Some(name) = between(message, "Projections require unique expression names", "") {
        let said = between(name, "expression \"", "\" at position").unwrap_or_default();
        return Some(twice(&wording::in_words(heading(said)), clues));
    }
    if let Some(name) = between(message, "WITH query name \"", "\" specified more than once") {
        let second = clues.words.places(name).nth(1).and_then(|place| clues.words.get(place));
        clues.wrong = second.map(|piece| piece.at.clone());
        return Some(Error::query(format!("WITH names `{name}` twice")).hint("give one of them another name"));
    }
    if let Some(name) = between(message, "Field ", " not found in struct") {
        clues.mark(clues.words.name(name));
        return Some(Error::query(format!("no field `{name}` in the struct")));
    }
    None
}

fn missing_table(name: &str, clues: &mut Clues<'_>) -> Error {
    let place = clues.words.places(name).find(|&place| !clues.words.is_called(place));
    if let Some(piece) = place.and_then(|place| clues.words.get(place)) {
        // The engine's span takes in the alias.
        clues.wrong = Some(piece.at.clone());
    } else if let Some((path, at)) = path_ending_in(name, clues) {
        clues.wrong = Some(at);
        return Error::query(format!("`{path}` is of no kind that is read"))
            .hint("files by path end in `.parquet`, `.csv`, `.tsv`, `.json`, `.ndjson` or `.arrow`, folders in `/`");
    }
    let error = Error::not_found(format!("table `{name}` is not in this lake"));
    if name == "codebook" {
        return error
            .hint("`reason_codes` takes its codes from it: columns version, code, kind (phrase or pattern) and match");
    }
    if let Some(kept) = Kept::named(name) {
        return error.hint(format!("what the lake keeps of what was done is in `{}`", kept.full_name()));
    }
    // A CTE of this name that reads itself.
    let is_cte = clues.words.places(name).any(|place| {
        let is =
            |offset: usize, keyword| clues.words.get(place + offset).is_some_and(|piece| piece.is_keyword(keyword));
        is(1, Keyword::AS) || (clues.words.is_called(place) && clues.words.has(Keyword::WITH))
    });
    if is_cte && clues.words.has(Keyword::WITH) {
        let inside = clues.words.places(name).filter(|&place| {
            let before = place.checked_sub(1).and_then(|before| clues.words.get(before));
            before.is_some_and(|before| before.is_keyword(Keyword::FROM) || before.is_keyword(Keyword::JOIN))
        });
        let inside: Vec<usize> = inside.collect();
        clues.wrong = inside.first().and_then(|&place| clues.words.get(place)).map(|piece| piece.at.clone());
        let error = Error::query(format!("`{name}` reads itself"));
        return match clues.words.has(Keyword::RECURSIVE) {
            true => {
                error.hint(format!("write it in two parts: `{name} as (first rows union all select … from {name} …)`"))
            }
            false => error.hint("a CTE that reads itself is written `with recursive`"),
        };
    }
    match suggest::nearest(name, clues.known.tables.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`? `cxlake tables` or `\\d` lists all")),
        None => error.hint("`cxlake tables` or `\\d` lists all"),
    }
}

/// A text in FROM whose last part was taken for the name of a table.
fn path_ending_in(name: &str, clues: &Clues<'_>) -> Option<(String, std::ops::Range<usize>)> {
    clues.words.iter().find_map(|(_, piece)| match &piece.token {
        Token::SingleQuotedString(path) if path.ends_with(name) => Some((path.clone(), piece.at.clone())),
        _ => None,
    })
}

/// The types of a call that no form of the function takes.
fn wrong_call(message: &str, clues: &mut Clues<'_>) -> Error {
    let call = between(message, NO_FUNCTION, "'").unwrap_or_default();
    let (name, types) = call.split_once('(').unwrap_or((call, ""));
    let types = types.strip_suffix(')').unwrap_or(types);
    clues.mark(clues.words.call(name));
    let given = wording::in_words(types);
    let syntax = clues.known.calls.iter().find(|(known, _)| known == name).map(|(_, syntax)| syntax.as_str());
    let called = syntax.map(|syntax| format!("it is called as `{syntax}`"));
    let is_index = ["array_slice", "array_element"].contains(&name) && clues.words.places(name).next().is_none();
    if is_index && given.starts_with("text") {
        clues.mark(clues.words.written(&["["]));
        return Error::query("`[…]` takes from a list, and this is text")
            .hint("of a text `substr(x, 1, 2)` takes a part");
    }
    if arity(types) == Some(0) || !takes(message, name, types) {
        let count = arity(types).unwrap_or_default();
        let arguments = match count {
            0 => "no argument".to_owned(),
            1 => "one argument".to_owned(),
            count => format!("{count} arguments"),
        };
        let error = Error::query(format!("`{name}` is given {arguments}, which it does not take"));
        return match called {
            Some(called) => error.hint(called),
            None => error,
        };
    }
    let error = Error::query(format!("`{name}({given})` does not take these types"));
    if clues.known.aggregates.iter().any(|known| known == name)
        && let Some(seconds) = seconds(&given)
    {
        let others = if given.contains(", ") { ", …" } else { "" };
        return error.hint(format!("of times it takes the seconds: `{name}({seconds}{others})`"));
    }
    match called {
        Some(_) if given == "bool" && ["sum", "avg"].contains(&name) => {
            let number = "case when … then 1 else 0 end";
            error.hint(format!("rows for which a condition holds are counted with `count(*) filter (where …)`; as a number it is `{number}`"))
        }
        Some(called) if !given.contains("text") => {
            error.hint(format!("{called}; an argument is cast with `cast(x as text)`"))
        }
        _ => error.hint("cast the argument, as in `cast(x as double)`; text is no number even when it looks like one"),
    }
}

/// How the seconds of a time or of a span of time are written, by the types of a call.
fn seconds(given: &str) -> Option<&'static str> {
    match given.split(['(', ',']).next()? {
        "date" | "timestamp" => Some("extract(epoch from x)"),
        "duration" | "interval" => Some("extract(epoch from a - b)"),
        _ => None,
    }
}

/// Whether some form of the function that the message lists takes as many arguments.
fn takes(message: &str, name: &str, types: &str) -> bool {
    let Some((_, forms)) = message.split_once("Candidate functions:") else { return true };
    let given = arity(types);
    let mut forms =
        forms.lines().filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')'));
    forms.any(|form| form.contains("..") || arity(form) == given)
}

/// How many there are in a list, or `None` when its parentheses are not closed.
fn arity(list: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut count = usize::from(!list.trim().is_empty());
    for letter in list.chars() {
        match letter {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' | '>' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => count += 1,
            _ => {}
        }
    }
    Some(count)
}

/// A function that says of each of its forms which type it wants.
fn refused_types(name: &str, message: &str, clues: &mut Clues<'_>) -> Error {
    clues.mark(clues.words.call(name));
    let received = between(message, "(DataType: ", ").").or_else(|| between(message, "(DataType: ", ")"));
    let received = received.map_or_else(|| "this type".to_owned(), wording::in_words);
    Error::query(format!("`{name}` does not take {received}"))
        .hint("cast the argument, as in `cast(x as double)`; text is no number even when it looks like one")
}

fn missing_function(name: &str, in_from: bool, clues: &mut Clues<'_>) -> Error {
    clues.mark(clues.words.call(name));
    // Known after all: a window function, which is none without its window.
    if !in_from && clues.known.functions.iter().any(|known| known == name) {
        return Error::query(format!("`{name}` works on a window"))
            .hint(format!("write `{name}(…) over (partition by …)`, or `over ()` for all rows"));
    }
    let where_to = if in_from { " for FROM" } else { "" };
    let error = Error::query(format!("no function{where_to} `{name}`"));
    if let Some((_, here)) = ELSEWHERE.iter().find(|(names, _)| names.contains(&name.to_lowercase().as_str())) {
        return error.hint(format!("here it is {here}"));
    }
    match suggest::nearest(name, clues.known.functions.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`cxlake functions` or `\\f` lists all"),
    }
}

/// The setting that SET or SHOW names, and the value behind it; the setting is marked.
fn setting(clues: &mut Clues<'_>) -> (String, String) {
    let mut name = String::new();
    let mut at = None::<std::ops::Range<usize>>;
    for (_, piece) in clues.words.iter().skip(1) {
        match &piece.token {
            Token::Word(word) if !piece.is_keyword(Keyword::TO) => name += &word.value,
            Token::Period => name.push('.'),
            _ => break,
        }
        at = Some(at.map_or(piece.at.start, |at| at.start)..piece.at.end);
    }
    let value = clues.words.last().map(|last| last.token.to_string().trim_matches('\'').to_owned()).unwrap_or_default();
    clues.wrong = at;
    (name, value)
}

/// An option that COPY does not take.
fn missing_option(message: &str, clues: &mut Clues<'_>) -> Error {
    let name = between(message, "\"", "\"").unwrap_or_default();
    clues.mark(clues.words.name(name).or_else(|| clues.words.text(name)));
    let form = COPY_OPTIONS.iter().find(|(options, ..)| message.ends_with(*options));
    let Some((_, form, options)) = form else { return Error::query(format!("COPY has no option `{name}`")) };
    let error = Error::query(format!("COPY has no option `{name}` for {form}"));
    match suggest::nearest(name, options.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("it takes {}, among others", suggest::list(options.iter().copied()))),
    }
}

fn missing_setting(clues: &mut Clues<'_>) -> Error {
    let (name, _) = setting(clues);
    let error = Error::query(format!("no setting `{name}`"));
    let settings = || clues.known.settings.iter().map(String::as_str);
    // The last part alone is often all that is remembered.
    let last = |setting: &str| setting.rsplit('.').next().is_some_and(|last| last == name);
    match settings().find(|setting| last(setting)).or_else(|| suggest::nearest(&name, settings())) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`show all` lists all"),
    }
}

/// A value that a setting does not take, for whatever reason the engine gives.
pub fn wrong_value(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    clues.words.get(0).filter(|first| first.is_keyword(Keyword::SET))?;
    let (name, value) = setting(clues);
    Some(Error::query(format!("`{value}` is no value of `{name}`: {}", wording::in_words(message))))
}

#[cfg(test)]
mod tests {
    use super::heading;

    #[test]
    fn a_column_is_called_by_its_alias_by_the_column_that_it_casts_or_by_its_expression() {
        for (expression, called) in [
            ("t.a", "a"),
            ("t.\"a.b\"", "a.b"),
            ("t.a + t.b AS sum", "sum"),
            ("CAST(t.a AS Date)", "a"),
            ("TRY_CAST(CAST(t.\"a b\" AS Utf8) AS Int64)", "a b"),
            ("CAST(t.a AS Int64) AS n", "n"),
            ("CAST(t.a AS Int64) + CAST(t.b AS Int64)", "CAST(t.a AS Int64) + CAST(t.b AS Int64)"),
            ("t.a * Float64(1.5)", "t.a * Float64(1.5)"),
            ("sum(t.a)", "sum(t.a)"),
            ("Utf8(\"x AS y\")", "Utf8(\"x AS y\")"),
        ] {
            assert_eq!(heading(expression), called, "{expression}");
        }
    }
}

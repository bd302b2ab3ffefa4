//! Clauses and subqueries that do not fit: limits, orders, unions, statements that there are not.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::{Clues, between, wording};
use crate::error::Error;
use crate::suggest;

/// What COPY writes.
const COPIED: [&str; 4] = ["parquet", "csv", "json", "arrow"];

/// What there is not here: how the engine says so, the words and signs that write it, what is wrong, and what to write.
const ELSEWHERE: [(&str, &[&str], &str, &str); 10] = [
    (
        "Unsupported ast node in sqltorel: Collate ",
        &["collate"],
        "there is no COLLATE",
        "write `lower(x)`, as in `order by lower(x)`",
    ),
    ("Unsupported JOIN operator Semi(", &["semi"], "SEMI JOIN is written with its side", "write `left semi join`"),
    ("Unsupported JOIN operator Anti(", &["anti"], "ANTI JOIN is written with its side", "write `left anti join`"),
    ("Temporary tables not ", TEMPORARY, "there is no TEMP", TEMPORARY_LEFT_OUT),
    ("Temporary views not ", TEMPORARY, "there is no TEMP", TEMPORARY_LEFT_OUT),
    ("wildcard * with RENAME not ", &["rename"], "`*` takes no RENAME", "write `select * exclude (a), a as b`"),
    ("Operator DIV is not ", &["//"], "there is no `//`", WHOLE_DIVISION),
    ("Operator -> is not ", &["->"], "there is no `->`: a text is not read as JSON", PART_OF_TEXT),
    ("Operator ->> is not ", &["->>"], "there is no `->>`: a text is not read as JSON", PART_OF_TEXT),
    (
        "COUNT DISTINCT with multiple arguments",
        &["count"],
        "`count(distinct …)` takes one argument",
        "put the columns into parentheses: `count(distinct (a, b))`",
    ),
];

const TEMPORARY: &[&str] = &["temp", "temporary"];
const TEMPORARY_LEFT_OUT: &str = "leave it out: what `create` makes is gone with the session";
const PART_OF_TEXT: &str = "`regexp_match(x, '\"a\": *([0-9]+)')[1]` takes a part of a text";

/// Where a subquery can stand when it cannot stand where it is wanted.
const IN_A_QUERY_BEFORE: &str = "select it in a query before: `from (select *, exists (…) as found from …)`";

/// How to divide without a rest.
pub const WHOLE_DIVISION: &str = "`a / b` of whole numbers is whole, and of others `floor(a / b)`";

/// What the engine says of clauses.
pub fn tell(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    limits(message, clues)
        .or_else(|| sides(message, clues))
        .or_else(|| subqueries(message))
        .or_else(|| elsewhere(message, clues))
        .or_else(|| statements(message, clues))
}

fn limits(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    for (clause, keyword) in [("LIMIT", Keyword::LIMIT), ("OFFSET", Keyword::OFFSET)] {
        let below = message.starts_with(&format!("{clause} must be >="));
        let typed = message.strip_prefix(&format!("Expected {clause} to be an integer or null, but got "));
        if !below && typed.is_none() {
            continue;
        }
        let place =
            clues.words.iter().filter(|(_, piece)| piece.is_keyword(keyword)).map(|(place, _)| place).next_back();
        let value = place.and_then(|place| clues.words.get(place + 1)).map(|piece| piece.at.clone());
        clues.mark(value);
        return Some(match typed {
            Some(given) => {
                Error::query(format!("{clause} takes a whole number, and was given {}", wording::in_words(given)))
            }
            None => Error::query(format!("{clause} takes a whole number from 0")),
        });
    }
    if let Some(numbers) = between(message, "Order by column out of bounds, specified: ", "") {
        let (place, columns) = numbers.split_once(", max: ")?;
        return Some(out_of_range("ORDER BY", place, columns, clues));
    }
    if let Some(rest) = between(message, "Cannot find column with position ", "") {
        let (place, columns) = (rest.split(' ').next()?, rest.rsplit(' ').next()?);
        return Some(out_of_range("GROUP BY", place, columns, clues));
    }
    if message.starts_with("Order by index starts at 1") {
        return Some(out_of_range("ORDER BY", "0", "", clues));
    }
    if let Some(column) = between(message, "For SELECT DISTINCT, ORDER BY expressions ", " must appear") {
        let column = wording::in_words(column);
        let name = column.rsplit('.').next().unwrap_or(&column).to_owned();
        clues.mark(clues.words.name(&name));
        return Some(
            Error::query(format!("with DISTINCT, rows can only be sorted by what is selected, and `{name}` is not"))
                .hint("select it too, or group instead: `select a … group by a order by max(b)`"),
        );
    }
    None
}

/// A number in ORDER BY or GROUP BY that stands for no column.
fn out_of_range(clause: &str, place: &str, columns: &str, clues: &mut Clues<'_>) -> Error {
    let start =
        clues.words.iter().filter(|(_, piece)| piece.is_keyword(Keyword::BY)).map(|(place, _)| place).next_back();
    let is_it = |token: &Token| matches!(token, Token::Number(number, _) if number == place);
    let number = clues.words.iter().skip(start.unwrap_or(0)).find(|(_, piece)| is_it(&piece.token));
    let number = number.map(|(_, piece)| piece.at.clone());
    clues.mark(number);
    let error = Error::query(format!("{clause} names column {place}, which there is not"));
    match columns {
        "" => error.hint("columns count from 1"),
        "1" => error.hint("one column is selected"),
        columns => error.hint(format!("{columns} columns are selected")),
    }
}

/// Two queries that are put together.
fn sides(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    if let Some((operator, _)) = message.split_once(" queries have different number of columns") {
        // The sides of INTERSECT ALL and EXCEPT ALL have a column of ours.
        let is_written_out = operator != "UNION" && clues.words.has(Keyword::ALL);
        let notes = clues.notes.iter().filter(|_| !is_written_out);
        let counts: Vec<&str> = notes.filter_map(|note| between(note, "this side has ", " fields")).collect();
        let keyword = match operator {
            "UNION" => Keyword::UNION,
            "EXCEPT" => Keyword::EXCEPT,
            _ => Keyword::INTERSECT,
        };
        clues.wrong = clues.words.keyword(keyword);
        let counts = if let [left, right] = counts[..] { format!(": {left} and {right}") } else { String::new() };
        return Some(
            Error::query(format!("the queries of {operator} have different numbers of columns{counts}"))
                .hint("select `null as x` where one has nothing to give"),
        );
    }
    if message.contains("ecursive term must have the same number of columns") {
        clues.mark(clues.words.keyword(Keyword::UNION));
        let counts = between(message, "(", ")").unwrap_or_default().replace(" != ", " and ");
        return Some(Error::query(format!(
            "the two parts of a recursive query have different numbers of columns: {counts}"
        )));
    }
    if let Some(rest) = between(message, "Inconsistent data length across values list: got ", "") {
        let mut numbers = rest.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty());
        let (given, row, expected) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let row: u64 = row.parse().ok()?;
        clues.mark(clues.words.keyword(Keyword::VALUES));
        return Some(Error::query(format!("row {} of VALUES has {given} values, and {expected} are wanted", row + 1)));
    }
    if let Some(rest) = between(message, "Source table contains ", " names given as column alias") {
        let mut numbers = rest.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty());
        let (columns, names) = (numbers.next()?, numbers.next()?);
        return Some(Error::query(format!("{names} names are given to {columns} columns")));
    }
    None
}

fn subqueries(message: &str) -> Option<Error> {
    if message.starts_with("Scalar subquery returned more than one row") {
        return Some(
            Error::query("a subquery that stands for one value returned more than one row")
                .hint("take one of them with `max(…)` or `limit 1`, or compare with `in (select …)`"),
        );
    }
    if let Some(columns) = between(message, "Too many columns! The subquery should only return one column: ", "") {
        let count = columns.split(", ").count();
        return Some(
            Error::query(format!("the subquery returns {count} columns, and one is compared"))
                .hint("select one column; for several write `exists (select 1 from … where a = b and c = d)`"),
        );
    }
    if message.starts_with("null_aware anti join only supports single column join key") {
        return Some(
            Error::query("NOT IN cannot be run with a query that uses a column of the query around it")
                .hint("write `not exists (select 1 from … where … and y = x)`"),
        );
    }
    if message.contains("subquery can only be used in ") {
        return Some(Error::query("a subquery stands where it cannot be run").hint(IN_A_QUERY_BEFORE));
    }
    let is_correlated = message.contains("logical expression OuterReferenceColumn")
        || message.contains("logical expression ScalarSubquery")
        || message.contains("logical expression InSubquery")
        || message.contains("logical expression Exists")
        || message.contains("Correlated scalar subquery must be aggregated")
        || message.contains("Correlated column is not allowed")
        || message.contains("correlated subquer");
    is_correlated.then(|| {
        Error::query("a subquery uses a column of the query around it in a way that cannot be run")
            .hint(format!("write it as a join with a grouped query, or for an aggregate {IN_A_QUERY_BEFORE}"))
    })
}

/// What other databases have and there is not here.
fn elsewhere(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    if let Some((_, written, wrong, hint)) = ELSEWHERE.iter().find(|(start, ..)| message.starts_with(start)) {
        clues.mark(clues.words.written(written));
        return Some(Error::query(*wrong).hint(*hint));
    }
    // The parser's tree of it says nothing beyond its name.
    let tree = message.strip_prefix("Unsupported ast node in sqltorel: ")?;
    let name = tree.split(|letter: char| !letter.is_alphanumeric()).next()?;
    Some(Error::query(format!("there is no expression {}", name.to_uppercase())))
}

/// Some of the rows by chance, as other databases write it.
pub fn no_sample(written: &str) -> Error {
    Error::query(format!("there is no `{written}`")).hint("take a share of the rows with `where random() < 0.1`")
}

/// SIMILAR TO, which the engine takes for a regular expression that may match anywhere.
pub fn no_similar_to() -> Error {
    Error::query("there is no SIMILAR TO").hint("write `like`, or a regular expression: `x ~ '^…$'`")
}

/// A join with the nearest row before.
pub fn no_asof_join() -> Error {
    Error::query("there is no `asof` join").hint(
        "write `a left join b on a.id = b.id and b.time <= a.time` with \
         `qualify row_number() over (partition by a.id, a.time order by b.time desc) = 1`",
    )
}

/// What stands in FROM and is none of what can, by the parser's name for it.
pub fn relation(factor: &str, clues: &mut Clues<'_>) -> Error {
    let (keyword, hint) = match factor {
        "Pivot" => {
            (Keyword::PIVOT, "write `sum(x) filter (where …)` for each column, or turn the result with `\\crosstab`")
        }
        "Unpivot" => (Keyword::UNPIVOT, "write `select 'a' as name, a as value from t union all select 'b', b from t`"),
        _ => {
            return Error::query(
                "FROM takes tables, files by path, queries in parentheses and functions that make rows",
            );
        }
    };
    clues.mark(clues.words.keyword(keyword));
    Error::query(format!("there is no {}", factor.to_uppercase())).hint(hint)
}

/// What there is no statement or clause for.
fn statements(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    if message.starts_with("FETCH clause is not supported") {
        clues.mark(clues.words.keyword(Keyword::FETCH));
        return Some(Error::query("there is no FETCH").hint("write `limit 5` at the end"));
    }
    if message == "TOP" {
        clues.mark(clues.words.keyword(Keyword::TOP));
        return Some(Error::query("there is no TOP").hint("write `limit 5` at the end"));
    }
    if let Some((factor, _)) =
        between(message, "Unsupported ast node ", " in create_relation").and_then(|tree| tree.split_once(' '))
    {
        return Some(relation(factor, clues));
    }
    let is_insert = message.starts_with("Insert into not implemented");
    let changes = message.split_once(" not supported for Base table").map(|(what, _)| what);
    if let Some(what) = changes.or(is_insert.then_some("INSERT")) {
        let first = clues.words.get(0).map(|piece| piece.at.clone());
        clues.mark(first);
        return Some(
            Error::query(format!("{what} does not change tables of the lake"))
                .hint("write a new file with `copy (select …) to 'file.parquet'`, or `create table x as select …` in this session"),
        );
    }
    if message.starts_with("Unsupported SQL statement: ") || message.starts_with("Unsupported logical plan: ") {
        let first = clues.words.get(0)?;
        let mut word = first.word().unwrap_or_default().to_uppercase();
        let mut at = first.at.clone();
        if let Some(second) =
            clues.words.get(1).filter(|_| ["CREATE", "ALTER", "DROP", "SHOW"].contains(&word.as_str()))
        {
            word = format!("{word} {}", second.word().unwrap_or_default().to_uppercase());
            at.end = second.at.end;
        }
        clues.mark(Some(at));
        return Some(Error::query(format!("there is no statement {word}")));
    }
    if let Some(ending) = message.strip_prefix("There is no registered file format with ext ") {
        let path = clues.words.iter().find(|(_, piece)| match &piece.token {
            Token::SingleQuotedString(path) => path.ends_with(ending),
            _ => false,
        });
        let path = path.map(|(_, piece)| piece.at.clone());
        clues.mark(path);
        let error = Error::query(format!("COPY does not write `.{ending}`"));
        return Some(match suggest::nearest(ending, COPIED) {
            Some(near) => error.hint(format!("did you mean `.{near}`?")),
            None => error.hint(format!("it writes {}", suggest::list(COPIED))),
        });
    }
    if message.starts_with("SELECT * with no tables specified") {
        clues.mark(clues.words.sign(&[Token::Mul]));
        return Some(Error::query("`*` stands for the columns of a table, and FROM names none"));
    }
    if message.starts_with("Invalid window frame: start bound") {
        return Some(
            Error::query("a window starts behind its end").hint("write `between 1 preceding and 1 following`"),
        );
    }
    if message.starts_with("Substring without for/from is not valid") {
        let call = clues.words.call("substr").or_else(|| clues.words.call("substring"));
        clues.mark(call);
        return Some(
            Error::query("`substr` needs a place to start from")
                .hint("it is called as `substr(text, start [, length])`"),
        );
    }
    None
}

//! Types that do not go together, and values that are not what they were taken for.

use std::ops::Range;

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::{Clues, between, wording};
use crate::error::Error;
use crate::suggest;

/// What a date is cut to, all of which are parts of it too.
const PERIODS: [&str; 10] =
    ["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond"];

/// Parts of a date that no date is cut to.
const PARTS: [&str; 4] = ["dow", "isodow", "doy", "epoch"];

/// What to do where a number has more digits than its type.
const MORE_DIGITS: &str = "compute with `cast(x as decimal(38,2))`, which has room for 36 digits before the point, or with `cast(x as float)`";

/// What the engine says of types and values.
pub fn tell(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    types(message, clues)
        .or_else(|| parts_of_dates(message, clues))
        .or_else(|| casts(message, clues))
        .or_else(|| arithmetic(message, clues))
}

fn types(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    if let Some(operation) = between(message, "Cannot coerce arithmetic expression ", " to valid types")
        .or_else(|| between(message, "Cannot get result type for temporal operation ", ": "))
    {
        return Some(operator(operation, clues));
    }
    if let Some(operation) = between(message, "Cannot infer common argument type for comparison operation ", "") {
        let (left, sign, right) = operands(operation)?;
        let error = match sign {
            "IS DISTINCT FROM" => Error::query(format!("`is true` asks a condition, and this is {left}")),
            sign => {
                clues.mark(clues.words.sign(tokens(sign)));
                Error::query(format!("{left} and {right} cannot be compared with `{sign}`"))
            }
        };
        return Some(error.hint(format!("cast one of them, as in `cast(x as {left})`")));
    }
    if let Some(operation) = between(message, "Cannot infer common argument type for logical boolean operation ", "") {
        let (left, word, right) = operands(operation)?;
        let keyword = if word == "OR" { Keyword::OR } else { Keyword::AND };
        clues.mark(clues.words.keyword(keyword));
        let wrong = if left == "bool" { right } else { left };
        return Some(
            Error::query(format!("{word} joins conditions, and one of these is {wrong}"))
                .hint("compare it with something, as in `x > 0`"),
        );
    }
    if let Some(types) = between(message, "There isn't a common type to coerce ", " in ") {
        let (left, right) = types.split_once(" and ")?;
        let (left, right) = (wording::in_words(left), wording::in_words(right));
        let operator = message.split(" in ").last().and_then(|rest| rest.strip_suffix(" expression")).unwrap_or("LIKE");
        clues.mark(clues.words.keyword(if operator == "ILIKE" { Keyword::ILIKE } else { Keyword::LIKE }));
        return Some(
            Error::query(format!("{operator} compares texts, and was given {left} and {right}"))
                .hint("make a text of it with `cast(x as text)`"),
        );
    }
    if let Some(given) = between(message, "Unary operator 'NOT' requires a boolean expression, got ", "") {
        clues.mark(clues.words.keyword(Keyword::NOT));
        return Some(
            Error::query(format!("NOT takes a condition, and was given {}", wording::in_words(given)))
                .hint("compare it with something, as in `not x > 0`"),
        );
    }
    if message.starts_with("Unary operator '-' only supports")
        || message.starts_with("Unary operator '+' only supports")
    {
        return Some(
            Error::query("a sign stands before numbers, and this is none").hint("cast it, as in `-cast(x as int)`"),
        );
    }
    if let Some(condition) = between(message, "Cannot create filter with non-boolean predicate '", "' returning ") {
        let condition = wording::in_words(condition);
        let given = wording::in_words(message.split("' returning ").last()?);
        let name = condition.rsplit('.').next().unwrap_or(&condition).to_owned();
        let found = clues.words.name(&name);
        let condition = if found.is_some() { name } else { condition };
        clues.mark(found.or_else(|| clues.words.keyword(Keyword::WHERE)));
        return Some(
            Error::query(format!("a filter takes a condition, and `{condition}` is {given}"))
                .hint(format!("compare it with something, as in `{condition} = …`")),
        );
    }
    if let Some(given) = between(message, "Join condition must be boolean type, but got ", "") {
        clues.mark(clues.words.keyword(Keyword::ON));
        return Some(
            Error::query(format!("ON takes a condition, and was given {}", wording::in_words(given)))
                .hint("compare the two sides, as in `a.id = b.id`"),
        );
    }
    if let Some(given) = between(message, "Cannot access field at argument 1: type ", " is not Struct") {
        return Some(Error::query(format!("{} has no fields to take one from", wording::in_words(given))));
    }
    if message.starts_with("unnest() can only be applied to") {
        clues.mark(clues.words.call("unnest"));
        return Some(Error::query("`unnest` takes a list or a struct").hint("a list is written `[1, 2, 3]`"));
    }
    let cast = message
        .strip_prefix("Unsupported CAST from ")
        .or_else(|| message.strip_prefix("Cannot automatically convert "));
    if let Some((from, to)) = cast.and_then(|types| types.split_once(" to ")) {
        clues.mark(cast_in(clues));
        let (from, to) = (wording::in_words(from), wording::in_words(to));
        return Some(Error::query(format!("{from} cannot be made {to}")));
    }
    None
}

/// The two types around an operator, and the operator.
fn operands(operation: &str) -> Option<(String, &str, String)> {
    let mut depth = 0_usize;
    let mut spaces = operation.char_indices().filter_map(|(at, letter)| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => return Some(at),
            _ => {}
        }
        None
    });
    let first = spaces.next()?;
    let last = spaces.last()?;
    let sign = operation.get(first + 1..last)?;
    Some((wording::in_words(&operation[..first]), sign, wording::in_words(&operation[last + 1..])))
}

/// The tokens that write an operator.
fn tokens(sign: &str) -> &'static [Token] {
    match sign {
        "+" => &[Token::Plus],
        "-" => &[Token::Minus],
        "*" => &[Token::Mul],
        "/" => &[Token::Div],
        "%" => &[Token::Mod],
        "=" => &[Token::Eq, Token::DoubleEq],
        "!=" => &[Token::Neq],
        "<" => &[Token::Lt],
        "<=" => &[Token::LtEq],
        ">" => &[Token::Gt],
        ">=" => &[Token::GtEq],
        _ => &[],
    }
}

fn operator(operation: &str, clues: &mut Clues<'_>) -> Error {
    let Some((left, sign, right)) = operands(operation) else {
        return Error::query(format!("types do not go together: {}", wording::in_words(operation)));
    };
    clues.mark(clues.words.sign(tokens(sign)));
    let error = Error::query(format!("`{sign}` does not take {left} and {right}"));
    let are_dates = |name: &str| name.starts_with("date") || name.starts_with("timestamp");
    match (sign, left.as_str(), right.as_str()) {
        ("*" | "/", "interval", _) | ("*", _, "interval") => {
            error.hint("`cast(n || ' months' as interval)` makes an interval of a number")
        }
        ("+", "text", "text") => error.hint("texts are joined with `||`"),
        (_, "text", _) | (_, _, "text") if are_dates(&left) || are_dates(&right) => {
            error.hint("spans of time are written `interval '1 month'`, days `date '2026-12-31'`")
        }
        (_, "text", _) | (_, _, "text") => {
            error.hint("make a number of the text with `cast(x as float)`; texts are joined with `||`")
        }
        (_, left, right) if are_dates(left) && are_dates(right) => {
            error.hint("days may be taken from one another with `-`")
        }
        (_, left, right) if are_dates(left) || are_dates(right) => {
            error.hint("spans of time are written `interval '1 month'`")
        }
        _ => error.hint("cast one of them, as in `cast(x as float)`"),
    }
}

fn parts_of_dates(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    if let Some(period) = between(message, "Unsupported date_trunc granularity: '", "'") {
        clues.mark(clues.words.text(period));
        let error = Error::query(format!("`date_trunc` does not take `{period}`"));
        return Some(match suggest::nearest(period, PERIODS) {
            _ if PARTS.contains(&period) => error.hint(format!("`extract({period} from time)` gives it")),
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("it takes {}", suggest::list(PERIODS))),
        });
    }
    let part = between(message, "Date part '", "' not supported")?;
    clues.mark(clues.words.text(part).or_else(|| clues.words.name(part)));
    let error = Error::query(format!("a date has no part `{part}`"));
    let parts = || PERIODS.into_iter().chain(PARTS);
    Some(match suggest::nearest(part, parts()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("its parts are {}", suggest::list(parts()))),
    })
}

/// Values that cannot be made what they are wanted as.
fn casts(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    if let Some(value) = between(message, "Cannot cast string '", "' to value of ")
        .or_else(|| between(message, "Cannot cast value '", "' to value of "))
    {
        let wanted = wording::in_words(message.rsplit("' to value of ").next()?.trim_end_matches(" type"));
        let wanted = if wanted.starts_with("decimal(") { decimal(value, clues) } else { wanted };
        return Some(not_a(value, &wanted, clues));
    }
    if let Some(rest) = message.strip_prefix("Can't cast value ") {
        let (value, wanted) = rest.split_once(" to type ")?;
        clues.mark(cast_in(clues));
        return Some(
            Error::query(format!("`{value}` is too large for {}", wording::narrow(wanted)))
                .hint("cast it to a wider type, such as `bigint`"),
        );
    }
    if let Some(wanted) = between(message, "Cannot cast to ", ". Overflowing on ") {
        let wanted = wording::in_words(wanted);
        return Some(Error::query(format!("a number became too large for {wanted}")).hint(MORE_DIGITS));
    }
    if let Some(value) = message.split_once(" is too large to store in a Decimal").map(|(value, _)| value) {
        let most = between(message, "Max is ", "").unwrap_or_default();
        clues.mark(cast_in(clues));
        return Some(
            Error::query(format!("`{value}` is too large for this decimal, which holds {most} at most"))
                .hint("a `decimal(18,2)` has 18 digits, 2 of them after the point"),
        );
    }
    if let Some(value) = between(message, "Error parsing timestamp from '", "'") {
        if let Some(format) = between(message, "using format '", "'") {
            clues.mark(clues.words.text(value));
            return Some(Error::query(format!("`{value}` is not written as `{format}` says")));
        }
        return Some(not_a(value, "timestamp", clues));
    }
    if let Some(value) = between(message, "Invalid input syntax for type interval: \"", "\"") {
        clues.mark(clues.words.text(value));
        return Some(
            Error::query(format!("`{value}` is no interval"))
                .hint("write a number and a unit: `interval '1 month 3 days'`"),
        );
    }
    if message.starts_with("INTERVAL expression cannot be ") || message.starts_with("Unsupported interval argument. ") {
        clues.mark(clues.words.keyword(Keyword::INTERVAL));
        return Some(
            Error::query("a span of time stands in quotes")
                .hint("write `interval '7 days'`, and of a number `cast(n || ' days' as interval)`"),
        );
    }
    if message.starts_with("Unable to cast to Date32") {
        let literal = only_text(clues);
        clues.mark(literal);
        return Some(Error::query("a text is no date").hint("a date is written `'2026-12-31'`"));
    }
    if let Some(value) = between(message, "ould not parse '", "'") {
        clues.mark(clues.words.text(value));
    }
    None
}

/// A text that is no such value.
fn not_a(value: &str, wanted: &str, clues: &mut Clues<'_>) -> Error {
    let literal = clues.words.text(value);
    let is_literal = literal.is_some();
    let asked = cast_in(clues);
    let is_asked = has_cast(clues);
    clues.mark(literal.or(asked));
    let shown = if value.is_empty() { "an empty text".to_owned() } else { format!("`{value}`") };
    let error = Error::query(format!("{shown} is no {wanted}"));
    match wanted {
        "date" => error.hint("a date is written `'2026-12-31'`; `to_date('31.12.2026', '%d.%m.%Y')` reads another form"),
        "timestamp" => error.hint("a time is written `'2026-12-31 23:59:00'`; `to_timestamp(x, '%d.%m.%Y %H:%M')` reads another form"),
        "bool" if is_literal => error.hint("a bool is `true` or `false`"),
        _ if is_asked => error.hint(format!("`try_cast(x as {wanted})` gives null where there is none")),
        _ if is_literal => error.hint(format!("it is compared with or put beside {wanted}")),
        _ => error.hint(format!(
            "a column of texts is compared with or put beside {wanted}; write the other as a text (`'5'`), or use `try_cast(x as {wanted})`"
        )),
    }
}

/// The decimal type of the cast that a value stands in, as the statement writes it: the engine always names its widest.
fn decimal(value: &str, clues: &Clues<'_>) -> String {
    let words = &clues.words;
    let literal = words.text(value).and_then(|at| words.starting_at(at.start));
    let is_cast = |piece: &super::text::Piece| piece.is_keyword(Keyword::AS) || piece.token == Token::DoubleColon;
    let cast = match literal {
        Some(literal) => words.get(literal + 1).is_some_and(is_cast).then_some(literal),
        None => cast_in(clues).and_then(|at| words.starting_at(at.start)),
    };
    let is_type = |piece: &super::text::Piece| piece.is_keyword(Keyword::DECIMAL) || piece.is_keyword(Keyword::NUMERIC);
    let named = cast.and_then(|cast| words.iter().skip(cast).find(|(_, piece)| is_type(piece)));
    let Some((named, _)) = named.filter(|&(named, _)| words.is_called(named)) else { return "decimal".to_owned() };
    let mut written = String::new();
    for (_, piece) in words.iter().skip(named) {
        written += &piece.token.to_string().to_lowercase();
        if piece.token == Token::RParen {
            break;
        }
    }
    written
}

fn has_cast(clues: &Clues<'_>) -> bool {
    clues.words.has(Keyword::CAST) || clues.words.iter().any(|(_, piece)| piece.token == Token::DoubleColon)
}

/// The only cast of a statement.
fn cast_in(clues: &Clues<'_>) -> Option<Range<usize>> {
    let is_cast = |piece: &super::text::Piece| piece.is_keyword(Keyword::CAST) || piece.token == Token::DoubleColon;
    let mut casts = clues.words.iter().filter(|(_, piece)| is_cast(piece)).map(|(_, piece)| piece.at.clone());
    let first = casts.next()?;
    casts.next().is_none().then_some(first)
}

/// The only text in single quotes of a statement.
fn only_text(clues: &Clues<'_>) -> Option<Range<usize>> {
    let is_text = |token: &Token| matches!(token, Token::SingleQuotedString(_));
    let mut texts = clues.words.iter().filter(|(_, piece)| is_text(&piece.token)).map(|(_, piece)| piece.at.clone());
    let first = texts.next()?;
    texts.next().is_none().then_some(first)
}

fn arithmetic(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    if message.starts_with("Divide by zero") {
        clues.mark(clues.words.sign(&[Token::Div, Token::Mod]));
        return Some(Error::query("division by zero").hint("`a / nullif(b, 0)` gives null where `b` is 0"));
    }
    if message.starts_with("Overflow happened on") || message.contains("rithmetic overflow") {
        let what = message.split(" on: ").nth(1).map(|what| format!(": `{what}`")).unwrap_or_default();
        return Some(Error::query(format!("a number became too large for its type{what}")).hint(MORE_DIGITS));
    }
    if message.contains("cannot take square root of a negative number") {
        clues.mark(clues.words.call("sqrt"));
        return Some(Error::query("a negative number has no square root"));
    }
    if message.starts_with("regex parse error:") {
        let reason = message.rsplit("error: ").next().unwrap_or_default().trim();
        let pattern = message.lines().nth(1).map(|line| line.get(4..).unwrap_or(line)).unwrap_or_default();
        clues.mark(clues.words.text(pattern));
        let error = Error::query(format!("`{pattern}` is no regular expression: {reason}"));
        return Some(error.hint("a sign that is meant as it stands has a `\\` before it: `\\(`, `\\[`, `\\.`"));
    }
    None
}

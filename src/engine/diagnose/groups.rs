//! Grouping, aggregates and windows that stand where they cannot.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::{Clues, between, wording};
use crate::error::Error;

/// What the engine says of groups.
pub fn tell(message: &str, clues: &mut Clues<'_>) -> Option<Error> {
    if message.contains(" must be in GROUP BY or an aggregate function") {
        let column = between(message, ", column \"", "\" must appear")?;
        return Some(ungrouped(column, clues));
    }
    if let Some(condition) = between(message, "HAVING clause references: ", " must appear") {
        clues.mark(clues.words.keyword(Keyword::HAVING));
        let condition = wording::in_words(condition);
        return Some(
            Error::query(format!("HAVING filters groups, and `{condition}` is neither grouped nor aggregated"))
                .hint("WHERE filters rows"),
        );
    }
    if message.starts_with("Aggregate functions are not allowed in the WHERE clause") {
        let call = in_where(clues, |name, clues| clues.known.aggregates.iter().any(|known| known == name));
        clues.mark(call);
        return Some(
            Error::query("WHERE chooses rows before they are aggregated, and takes no aggregate")
                .hint("filter groups with `having`, as in `group by … having count(*) > 1`"),
        );
    }
    if message.contains("logical expression WindowFunction") {
        let over = in_where(clues, |_, _| true).filter(|_| clues.words.has(Keyword::OVER));
        clues.mark(over.or_else(|| clues.words.keyword(Keyword::OVER)));
        return Some(
            Error::query("a window function cannot stand here: rows are chosen before windows are computed")
                .hint("filter with `qualify`, which comes after: `… qualify row_number() over (…) = 1`"),
        );
    }
    if message.contains("logical expression Wildcard") {
        let star = clues.words.iter().find(|(place, piece)| {
            let before = place.checked_sub(1).and_then(|before| clues.words.get(before));
            piece.token == Token::Mul && before.is_some_and(|before| before.token == Token::LParen)
        });
        let star = star.map(|(_, piece)| piece.at.clone());
        clues.mark(star);
        return Some(Error::query("`*` is no argument here").hint("only `count` takes `*`; name a column"));
    }
    if let Some(inner) = between(message, "Aggregate function calls cannot be nested: '", "' is nested") {
        let inner = wording::in_words(inner).replace("count(1)", "count(*)");
        let name = inner.split('(').next().unwrap_or_default().to_owned();
        clues.mark(clues.words.call(&name));
        return Some(
            Error::query(format!("`{inner}` stands in another aggregate"))
                .hint("aggregate twice: `select sum(n) from (select count(*) as n from … group by …)`"),
        );
    }
    None
}

fn ungrouped(column: &str, clues: &mut Clues<'_>) -> Error {
    let said = wording::in_words(column);
    let name = said.rsplit('.').next().unwrap_or(&said).to_owned();
    let has_group = clues.words.has(Keyword::GROUP);
    if clues.wrong.is_none() && clues.words.places(&name).next().is_none() {
        // It comes from a `*`.
        let star = clues.words.iter().find(|(place, piece)| {
            let before = place.checked_sub(1).and_then(|before| clues.words.get(before));
            piece.token == Token::Mul && before.is_some_and(|before| before.token != Token::LParen)
        });
        let star = star.map(|(_, piece)| piece.at.clone());
        clues.mark(star);
        return Error::query(format!("`*` takes columns that are not grouped, such as `{name}`"))
            .hint("name the columns that are, or aggregate without `*`");
    }
    // In which place of several, the engine says.
    let place = clues.words.name(&name);
    clues.mark(place);
    let written = clues.wrong.as_ref().and_then(|wrong| clues.words.starting_at(wrong.start));
    let is_bare = written.and_then(|place| clues.words.get(place)?.word()).is_some_and(|word| word == name);
    let said = if is_bare { name } else { said };
    let error = Error::query(format!("`{said}` is neither grouped nor aggregated"));
    match has_group {
        true => error.hint(format!(
            "add it to GROUP BY (`group by all` takes every column that is not aggregated), or aggregate it, as in `max({said})`"
        )),
        false => error.hint(format!("write `group by {said}`, or aggregate it, as in `max({said})`")),
    }
}

/// Where the first call of such a function behind WHERE is.
fn in_where(clues: &Clues<'_>, is_it: impl Fn(&str, &Clues<'_>) -> bool) -> Option<std::ops::Range<usize>> {
    let start = clues.words.iter().find(|(_, piece)| piece.is_keyword(Keyword::WHERE))?.0;
    let mut behind = clues.words.iter().skip(start);
    let call = behind.find(|(place, piece)| {
        let name = piece.word().map(str::to_lowercase);
        clues.words.is_called(*place) && name.is_some_and(|name| is_it(&name, clues))
    });
    call.map(|(_, piece)| piece.at.clone())
}

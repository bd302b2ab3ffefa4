//! The words of SQL: which can stand where, and which are coloured.

use std::collections::HashSet;
use std::sync::LazyLock;

/// What a statement begins with.
pub const STARTS: [&str; 15] = [
    "select",
    "with",
    "from",
    "explain",
    "explain analyze",
    "describe",
    "summarize",
    "show",
    "set",
    "reset",
    "copy",
    "create",
    "insert into",
    "drop",
    "values",
];

/// What follows the first word or words of a statement.
pub fn after_start(words: &[&str]) -> &'static [&'static str] {
    match words {
        ["create"] => &["table", "view", "external table", "or replace"],
        ["create", "or"] => &["replace"],
        ["create", "external"] => &["table"],
        ["drop"] | ["create", "or", "replace"] => &["table", "view"],
        ["insert"] => &["into"],
        ["explain"] => &["analyze", "verbose", "format", "select", "with"],
        ["explain", "analyze"] => &["verbose", "select", "with"],
        ["explain", "verbose"] => &["select", "with"],
        ["show"] => &["tables", "columns from", "functions", "all"],
        ["show", "columns"] => &["from"],
        _ => &[],
    }
}

/// What a value can begin with beside a name.
pub const OPERANDS: [&str; 12] = [
    "distinct",
    "case",
    "cast(",
    "try_cast(",
    "exists (",
    "extract(",
    "interval",
    "not",
    "null",
    "true",
    "false",
    "date",
];

/// What can stand behind a value, whatever the clause.
pub const OPERATORS: [&str; 15] = [
    "and",
    "or",
    "between",
    "in (",
    "is null",
    "is not null",
    "is distinct from",
    "like",
    "ilike",
    "not in (",
    "not like",
    "over (",
    "filter (where",
    "within group (order by",
    "as",
];

/// What goes on inside a CASE.
pub const CASES: [&str; 4] = ["when", "then", "else", "end"];

/// What follows the parts of a query.
pub const AFTER_SELECT: [&str; 3] = ["from", "as", "into"];
pub const JOINS: [&str; 8] =
    ["join", "left join", "inner join", "right join", "full join", "cross join", "left anti join", "left semi join"];
pub const AFTER_FROM: [&str; 9] =
    ["where", "group by", "order by", "limit", "having", "as", "qualify", "window", "offset"];
pub const AFTER_WHERE: [&str; 4] = ["group by", "order by", "limit", "window"];
pub const AFTER_GROUP: [&str; 5] = ["having", "order by", "limit", "qualify", "window"];
pub const AFTER_ORDER: [&str; 6] = ["asc", "desc", "nulls first", "nulls last", "limit", "offset"];
pub const SETS: [&str; 4] = ["union", "union all", "intersect", "except"];

/// What begins a query behind UNION ALL and its like; a WITH stands before the first alone.
pub const AFTER_SET: [&str; 3] = ["select", "from", "values"];

/// What a window is made of.
pub const WINDOW: [&str; 4] = ["partition by", "order by", "rows between", "range between"];
pub const FRAME: [&str; 5] = ["unbounded preceding", "unbounded following", "current row", "preceding", "following"];

/// What a frame can begin with and end with, beside so many rows.
pub const FRAME_START: [&str; 2] = ["unbounded preceding", "current row"];
pub const FRAME_END: [&str; 2] = ["current row", "unbounded following"];

/// The second word of two.
pub fn second(first: &str) -> &'static [&'static str] {
    match first {
        "order" | "group" | "partition" => &["by"],
        "left" | "right" => &["join", "outer join", "semi join", "anti join"],
        "full" => &["join", "outer join"],
        "inner" | "cross" | "outer" | "semi" | "anti" | "natural" => &["join"],
        "is" => &["null", "not null", "distinct from", "not distinct from", "true", "false"],
        "nulls" => &["first", "last"],
        "union" | "intersect" | "except" => &["all", "select", "from", "values"],
        "stored" => &["as"],
        "partitioned" => &["by ("],
        "over" => &["("],
        "rows" | "range" => &["between"],
        "within" => &["group (order by"],
        "if" => &["exists", "not exists"],
        _ => &[],
    }
}

pub const TYPES: [&str; 12] = [
    "varchar",
    "text",
    "int",
    "bigint",
    "smallint",
    "double",
    "float",
    "decimal(18,2)",
    "boolean",
    "date",
    "timestamp",
    "interval",
];

/// What dates are cut to, for `date_trunc('month', ...)`.
pub const PERIODS: [&str; 8] = ["day", "week", "month", "quarter", "year", "hour", "minute", "second"];

/// Parts of dates, for `extract(month from ...)`.
pub const UNITS: [&str; 11] =
    ["day", "week", "month", "quarter", "year", "hour", "minute", "second", "dow", "doy", "epoch"];

/// Words behind which a value is still to come.
pub const EXPECT_VALUE: [&str; 29] = [
    "all",
    "and",
    "any",
    "between",
    "by",
    "case",
    "distinct",
    "div",
    "else",
    "escape",
    "exists",
    "from",
    "having",
    "ilike",
    "in",
    "interval",
    "is",
    "like",
    "not",
    "on",
    "or",
    "qualify",
    "returning",
    "select",
    "set",
    "then",
    "values",
    "when",
    "where",
];

/// Words that cannot be the name of a relation behind it without `as`, since they go on with the statement.
pub const GO_ON: [&str; 34] = [
    "anti",
    "asof",
    "cross",
    "except",
    "fetch",
    "for",
    "from",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "into",
    "join",
    "lateral",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "outer",
    "qualify",
    "right",
    "select",
    "semi",
    "set",
    "tablesample",
    "union",
    "using",
    "values",
    "where",
    "window",
    "with",
];

/// Every word that is coloured as one of the language.
const KEYWORDS: &str = "\
    all analyze and anti any array as asc asof between bigint boolean both by case cast char collate columns copy \
    create cross current database date day deallocate decimal delete desc describe distinct double drop else end \
    escape except exclude execute exists explain external extract false fetch filter first float following for \
    format from full functions group having header hour if ilike in inner insert int integer intersect interval into \
    is join last lateral leading left like limit location minute month natural not null nulls offset on options or \
    order outer over partition partitioned preceding prepare qualify range recursive replace reset returning right \
    row rows schema second select semi set show similar smallint some stored summarize table tables text then \
    timestamp to trailing true try_cast unbounded union update using values varchar verbose view when where window \
    with";

static KEYWORD_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| KEYWORDS.split(' ').collect());

/// Words that name columns as often as they are of the language; they are coloured only where no name can be.
const SOFT: [&str; 12] =
    ["columns", "date", "day", "first", "format", "hour", "last", "location", "minute", "month", "second", "text"];

/// Words that must stand in quotes to be a name.
const RESERVED: &str = "\
    all and any as asc between by case cast create cross desc distinct else end except exists false fetch for from \
    full group having in inner intersect into is join lateral left like limit natural not null offset on or order \
    right select then true union using values when where";

/// Whether a word is one of the language; names that often are columns count only in capitals.
pub fn is_keyword(word: &str) -> bool {
    let small = word.to_ascii_lowercase();
    KEYWORD_SET.contains(small.as_str()) && (small != word || !SOFT.contains(&small.as_str()))
}

pub fn is_reserved(word: &str) -> bool {
    RESERVED.split(' ').any(|known| known.eq_ignore_ascii_case(word))
}

/// A name as it is written in SQL: in quotes where it needs them.
pub fn written(name: &str) -> String {
    let is_plain = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !is_reserved(name);
    if is_plain { name.to_owned() } else { in_quotes(name) }
}

pub fn in_quotes(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_often_are_columns_are_keywords_in_capitals_alone() {
        assert!(is_keyword("SELECT") && is_keyword("with") && !is_keyword("surveys"));
        assert!(is_keyword("MONTH") && !is_keyword("month"));
    }

    #[test]
    fn a_name_is_quoted_only_where_it_must_be() {
        for (name, expected) in
            [("a_1", "a_1"), ("A", "\"A\""), ("customer-health", "\"customer-health\""), ("order", "\"order\"")]
        {
            assert_eq!(written(name), expected);
        }
    }
}

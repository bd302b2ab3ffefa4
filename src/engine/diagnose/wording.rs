//! Takes the engine's own words for types and values out of its messages.

/// The words of a message that stand for a type, and what analysts call it.
const TYPES: [(&str, &str); 24] = [
    ("Utf8View", "text"),
    ("LargeUtf8", "text"),
    ("Utf8", "text"),
    ("String", "text"),
    ("Int8", "int"),
    ("Int16", "int"),
    ("Int32", "int"),
    ("Int64", "int"),
    ("UInt8", "int"),
    ("UInt16", "int"),
    ("UInt32", "int"),
    ("UInt64", "int"),
    ("Float16", "float"),
    ("Float32", "float"),
    ("Float64", "float"),
    ("Boolean", "bool"),
    ("Date32", "date"),
    ("Date64", "date"),
    ("BinaryView", "binary"),
    ("LargeBinary", "binary"),
    ("Binary", "binary"),
    ("Interval", "interval"),
    ("Timestamp", "timestamp"),
    ("Duration", "duration"),
];

/// The message with types as manifests call them and values as statements write them: `Utf8("a")` is `'a'`, and
/// `Timestamp(ns)` is `timestamp`.
pub fn in_words(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        if end == 0 {
            text.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, behind) = rest.split_at(end);
        rest = behind;
        let (said, taken) = word_of(word, parenthesized(behind));
        text += &said;
        rest = &rest[taken..];
    }
    // What a literal was made of is said twice where it was cast.
    text.replace("Some(", "(")
}

/// What a word is in the analyst's words, and how many of the bytes behind it belong to it.
fn word_of(word: &str, behind: Option<&str>) -> (String, usize) {
    let taken = behind.map_or(0, |inside| inside.len() + 2);
    match (word, behind) {
        ("List" | "LargeList" | "ListView", Some(inside)) => {
            let item = inside.split(", ").find(|part| !part.contains(':')).unwrap_or(inside);
            return (format!("list<{}>", in_words(item.trim_start_matches("non-null "))), taken);
        }
        ("Decimal32" | "Decimal64" | "Decimal128" | "Decimal256", Some(inside)) => {
            return (format!("decimal({})", inside.replace(", ", ",")), taken);
        }
        ("Decimal32" | "Decimal64" | "Decimal128" | "Decimal256", None) => return ("decimal".to_owned(), 0),
        ("Literal", Some(inside)) => return (in_words(inside.trim_end_matches(", None")), taken),
        ("Struct", Some(inside)) => return (format!("struct({})", in_words(inside)), taken),
        (word, Some(_)) if word.starts_with("Timestamp") && word.len() > "Timestamp".len() => {
            return ("a timestamp".to_owned(), taken);
        }
        (word, Some(_)) if word.starts_with("Interval") && word.len() > "Interval".len() => {
            return ("an interval".to_owned(), taken);
        }
        _ => {}
    }
    let Some((_, said)) = TYPES.iter().find(|(engine, _)| *engine == word) else { return (word.to_owned(), 0) };
    match behind {
        // The unit and zone of a type.
        Some(_) if ["timestamp", "interval", "duration"].contains(said) => ((*said).to_owned(), taken),
        Some(value) => match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
            Some(value) => (format!("'{value}'"), taken),
            None => (value.to_owned(), taken),
        },
        None => ((*said).to_owned(), 0),
    }
}

/// A number type by the name that says how wide it is.
pub fn narrow(engine: &str) -> &'static str {
    match engine {
        "Int8" => "tinyint",
        "Int16" => "smallint",
        "Int32" => "int",
        "Int64" => "bigint",
        "UInt8" | "UInt16" | "UInt32" | "UInt64" => "an unsigned number",
        _ => "its type",
    }
}

/// What stands in the parentheses with which a text begins.
fn parenthesized(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('(')?;
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, letter) in inside.char_indices() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted && depth == 0 => return Some(&inside[..at]),
            ')' if !is_quoted => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_values_are_said_as_statements_write_them() {
        for (engine, said) in [
            ("t.a = Utf8View(\"x (y)\")", "t.a = 'x (y)'"),
            ("sum(Int64(1)) + Float64(0.5)", "sum(1) + 0.5"),
            ("got Utf8View, Int64", "got text, int"),
            ("Timestamp(ns) and Timestamp(µs, \"UTC\") and Date32", "timestamp and timestamp and date"),
            ("Decimal128(18, 2)", "decimal(18,2)"),
            ("List(Int64)", "list<int>"),
            ("Interval(MonthDayNano)", "interval"),
            ("IntervalMonthDayNano(\"IntervalMonthDayNano { months: 1 }\")", "an interval"),
            ("no such thing as Int64x", "no such thing as Int64x"),
        ] {
            assert_eq!(in_words(engine), said);
        }
    }
}

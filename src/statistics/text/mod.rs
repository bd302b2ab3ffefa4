//! Words, themes, reason codes and sentiment of short English texts.

pub mod codes;
pub mod sentiment;
pub mod themes;
mod words;

/// Whether somebody who wrote this says nothing: a blank, punctuation alone, or a word for "I have no comment".
pub fn says_nothing(text: &str) -> bool {
    const NOTHING: [&str; 18] = [
        "",
        "na",
        "n a",
        "nil",
        "nill",
        "none",
        "nothing",
        "no",
        "no comment",
        "no comments",
        "not applicable",
        "null",
        "nothing to add",
        "nothing else",
        "none at this time",
        "not at this time",
        "nope",
        "x",
    ];
    // The longest of them with room for punctuation; what is longer says something.
    const LONGEST: usize = 40;
    let text = text.trim();
    if text.len() > LONGEST {
        return false;
    }
    let is_mark =
        |letter: char| letter.is_ascii_punctuation() || matches!(letter, '–' | '—' | '…' | '·' | '•' | '“' | '”' | '’');
    let mut plain = String::with_capacity(text.len());
    for word in text.split(|letter: char| letter.is_whitespace() || is_mark(letter)).filter(|word| !word.is_empty()) {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(word);
    }
    plain.make_ascii_lowercase();
    NOTHING.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_words_for_nothing_say_nothing() {
        for text in
            ["", "  \n", "-", "--", "...", "n/a", "N/A.", "NA", "None", "none!", "Nothing", "no comment.", "…", "?"]
        {
            assert!(says_nothing(text), "{text:?}");
        }
        for text in ["None of it works", "no complaints", "ok", "👍", "nothing works", "特になし", "Na ja"] {
            assert!(!says_nothing(text), "{text:?}");
        }
    }
}

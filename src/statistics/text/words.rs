//! Words of a text: found as Unicode has it, brought to their stems, and told apart from those that carry no subject.

use std::collections::HashMap;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

/// What a word can be part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A theme of its own, and part of a phrase.
    Content,
    /// `not` and its like: nothing alone, but the first word of a phrase such as `no complaints`.
    Negation,
    /// Nothing: a function word, a number, a letter.
    Stop,
}

/// A word as it was first met.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// Lower case.
    pub surface: String,
    /// The same number for all forms of one word.
    pub stem: u32,
    pub role: Role,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// The word, by its number in the vocabulary.
    pub word: u32,
    /// Nothing but a space or a hyphen stands between the word before and this one.
    pub follows: bool,
}

/// All words met so far, numbered.
pub(super) struct Vocabulary {
    stemmer: Stemmer,
    words: Vec<Word>,
    surfaces: HashMap<String, u32>,
    stems: HashMap<String, u32>,
    /// Reused from word to word.
    lower: String,
}

impl Vocabulary {
    pub fn new() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
            words: Vec::new(),
            surfaces: HashMap::new(),
            stems: HashMap::new(),
            lower: String::new(),
        }
    }

    pub fn word(&self, number: u32) -> &Word {
        &self.words[number as usize]
    }

    /// The words of a text, in their order.
    pub fn read(&mut self, text: &str, tokens: &mut Vec<Token>) {
        tokens.clear();
        let mut end = None;
        for (start, surface) in text.unicode_word_indices() {
            let between = end.and_then(|end| text.get(end..start));
            let follows = between.is_some_and(|between| between.chars().all(|gap| gap == ' ' || gap == '-'));
            end = Some(start + surface.len());
            tokens.push(Token { word: self.number(surface), follows });
        }
    }

    fn number(&mut self, surface: &str) -> u32 {
        self.lower.clear();
        for letter in surface.chars() {
            match letter {
                '’' => self.lower.push('\''),
                letter if letter.is_ascii() => self.lower.push(letter.to_ascii_lowercase()),
                letter => self.lower.extend(letter.to_lowercase()),
            }
        }
        if let Some(owned) = self.lower.strip_suffix("'s") {
            self.lower.truncate(owned.len());
        }
        if let Some(&known) = self.surfaces.get(self.lower.as_str()) {
            return known;
        }
        let role = role(&self.lower);
        // All negations are one, so that `not` and `don't` make one phrase with the same word.
        let stem = match role {
            Role::Negation => "not".to_owned(),
            Role::Content | Role::Stop => self.stemmer.stem(&self.lower).into_owned(),
        };
        let next = count(self.stems.len());
        let stem = *self.stems.entry(stem).or_insert(next);
        let number = count(self.words.len());
        self.words.push(Word { surface: self.lower.clone(), stem, role });
        self.surfaces.insert(self.lower.clone(), number);
        number
    }
}

/// A length as a number; four thousand million are more than a column of text can hold here.
pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn role(word: &str) -> Role {
    if word.ends_with("n't") || NEGATIONS.binary_search(&word).is_ok() {
        return Role::Negation;
    }
    let is_number = !word.chars().any(char::is_alphabetic) || word.starts_with(|letter: char| letter.is_ascii_digit());
    let is_letter = word.chars().nth(1).is_none();
    match is_number || is_letter || STOPS.binary_search(&word).is_ok() {
        true => Role::Stop,
        false => Role::Content,
    }
}

const NEGATIONS: [&str; 7] = ["cannot", "dont", "never", "no", "nor", "not", "without"];

/// Words that carry no subject, in order; contractions as they are written.
const STOPS: [&str; 296] = [
    "a",
    "about",
    "above",
    "across",
    "actually",
    "after",
    "again",
    "against",
    "all",
    "almost",
    "along",
    "already",
    "also",
    "although",
    "always",
    "am",
    "among",
    "an",
    "and",
    "another",
    "any",
    "anybody",
    "anyone",
    "anything",
    "are",
    "around",
    "as",
    "at",
    "away",
    "back",
    "be",
    "because",
    "been",
    "before",
    "behind",
    "being",
    "below",
    "between",
    "both",
    "but",
    "by",
    "came",
    "can",
    "come",
    "comes",
    "coming",
    "could",
    "did",
    "do",
    "does",
    "doing",
    "done",
    "down",
    "during",
    "each",
    "eight",
    "either",
    "else",
    "enough",
    "especially",
    "etc",
    "even",
    "ever",
    "every",
    "everybody",
    "everyone",
    "everything",
    "few",
    "first",
    "five",
    "for",
    "four",
    "from",
    "further",
    "get",
    "gets",
    "getting",
    "give",
    "given",
    "gives",
    "got",
    "had",
    "has",
    "have",
    "having",
    "he",
    "he'd",
    "he'll",
    "her",
    "here",
    "hers",
    "herself",
    "him",
    "himself",
    "his",
    "how",
    "however",
    "i",
    "i'd",
    "i'll",
    "i'm",
    "i've",
    "if",
    "im",
    "in",
    "indeed",
    "instead",
    "into",
    "is",
    "it",
    "it'd",
    "it'll",
    "its",
    "itself",
    "ive",
    "just",
    "keep",
    "keeps",
    "kept",
    "less",
    "let",
    "lot",
    "lots",
    "made",
    "make",
    "makes",
    "making",
    "many",
    "may",
    "maybe",
    "me",
    "might",
    "mine",
    "more",
    "most",
    "mostly",
    "much",
    "must",
    "my",
    "myself",
    "need",
    "needs",
    "next",
    "nine",
    "nobody",
    "none",
    "nothing",
    "now",
    "of",
    "off",
    "often",
    "on",
    "once",
    "one",
    "ones",
    "only",
    "onto",
    "or",
    "other",
    "others",
    "otherwise",
    "our",
    "ours",
    "ourselves",
    "out",
    "over",
    "overall",
    "own",
    "per",
    "perhaps",
    "please",
    "put",
    "quite",
    "rather",
    "really",
    "said",
    "say",
    "says",
    "second",
    "seem",
    "seemed",
    "seems",
    "seven",
    "several",
    "shall",
    "she",
    "she'd",
    "she'll",
    "should",
    "since",
    "six",
    "so",
    "some",
    "somebody",
    "someone",
    "something",
    "sometimes",
    "somewhat",
    "soon",
    "still",
    "such",
    "sure",
    "take",
    "taken",
    "takes",
    "taking",
    "than",
    "that",
    "that'd",
    "that'll",
    "the",
    "their",
    "theirs",
    "them",
    "themselves",
    "then",
    "there",
    "there'd",
    "therefore",
    "these",
    "they",
    "they'd",
    "they'll",
    "they're",
    "they've",
    "thing",
    "things",
    "third",
    "this",
    "those",
    "though",
    "three",
    "through",
    "throughout",
    "thus",
    "till",
    "to",
    "together",
    "too",
    "took",
    "toward",
    "towards",
    "twice",
    "two",
    "under",
    "unless",
    "until",
    "up",
    "upon",
    "us",
    "usually",
    "very",
    "via",
    "want",
    "wanted",
    "wants",
    "was",
    "way",
    "we",
    "we'd",
    "we'll",
    "we're",
    "we've",
    "well",
    "went",
    "were",
    "what",
    "whatever",
    "when",
    "whenever",
    "where",
    "whether",
    "which",
    "while",
    "who",
    "who'd",
    "whole",
    "whom",
    "whose",
    "why",
    "will",
    "with",
    "within",
    "would",
    "yes",
    "yet",
    "you",
    "you'd",
    "you'll",
    "you're",
    "you've",
    "your",
    "yours",
    "yourself",
    "yourselves",
    "zero",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn surfaces(text: &str) -> Vec<(String, Role, bool)> {
        let mut vocabulary = Vocabulary::new();
        let mut tokens = Vec::new();
        vocabulary.read(text, &mut tokens);
        let word = |token: &Token| vocabulary.word(token.word).clone();
        tokens.iter().map(|token| (word(token).surface, word(token).role, token.follows)).collect()
    }

    #[test]
    fn the_lists_are_in_order_so_that_they_can_be_searched() {
        assert!(NEGATIONS.is_sorted());
        assert!(STOPS.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn words_are_lower_case_and_know_whether_they_follow_each_other() {
        let expected = [
            ("response", Role::Content, false),
            ("time", Role::Content, true),
            ("it", Role::Stop, false),
            ("don't", Role::Negation, true),
            ("help", Role::Content, true),
            ("3", Role::Stop, true),
            ("go", Role::Content, true),
            ("live", Role::Content, true),
        ];
        let expected: Vec<_> =
            expected.into_iter().map(|(word, role, follows)| (word.to_owned(), role, follows)).collect();
        assert_eq!(surfaces("Response time. It don’t help 3 go-live"), expected);
    }

    #[test]
    fn forms_of_one_word_have_one_stem() {
        let mut vocabulary = Vocabulary::new();
        let mut tokens = Vec::new();
        vocabulary.read("invoice invoices Invoiced billing", &mut tokens);
        let stems: Vec<u32> = tokens.iter().map(|token| vocabulary.word(token.word).stem).collect();
        assert_eq!(stems[..3], [stems[0]; 3]);
        assert_ne!(stems[3], stems[0]);
    }

    #[test]
    fn other_scripts_are_words_too() {
        assert_eq!(surfaces("Réponse rapide")[0].0, "réponse");
        assert!(!surfaces("対応が早くて助かります。").is_empty());
    }
}

//! Sentiment: how somebody feels, by the words of a lexicon and what stands before them.
//!
//! The method is that of VADER (Hutto and Gilbert, ICWSM 2014) in its main lines, with a lexicon cut to business
//! feedback (`lexicon.tsv`, licence beside it) and a few rules for how customers write.

use std::collections::HashMap;
use std::ops::Range;

use super::says_nothing;

/// What negation leaves of a word's valence, turned round.
const NEGATED: f64 = -0.74;

/// What an intensifier adds to a word beside it, one before that, and one before that.
const DEGREE: [f64; 3] = [0.293, 0.293 * 0.95, 0.293 * 0.9];

/// Weight of what comes before `but`, and of what comes after.
const BUT: (f64, f64) = (0.5, 1.5);

/// At this squared sum the score is 0.7.
const NORMAL: f64 = 15.0;

/// How many words back a negation or an intensifier works.
const REACH: usize = 3;

/// What a word does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Word {
    /// -4 (worst) to 4 (best); 0 when it says nothing of how somebody feels.
    valence: f64,
    role: Role,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Role {
    #[default]
    Plain,
    /// `not`: turns round what follows.
    Negation,
    /// `never`: as `not`, but `never been better` is good.
    Never,
    /// `could`, `expected`: what follows and is better is not so.
    Unmet,
    /// `couldn't`: both at once, so that `couldn't be better` is good.
    NotUnmet,
    /// `better`: good only when it is so.
    Comparative,
    /// `very`: more of what follows.
    More,
    /// `slightly`: less of what follows.
    Less,
    /// `but`: what follows counts for more.
    Turn,
    /// `problem`: bad unless it is solved.
    Trouble,
    /// `solved`.
    Mended,
}

/// A word of a text.
#[derive(Clone, Debug)]
struct Token {
    word: Word,
    /// Where it stands in the lower-case text.
    place: Range<usize>,
    /// Changes at each comma and each `but`; nothing reaches further.
    clause: u32,
    /// Changes at each full stop.
    sentence: u32,
}

/// Scores texts; keeps its memory from text to text.
#[derive(Debug)]
pub struct Scorer {
    lexicon: &'static HashMap<&'static str, Word>,
    lower: String,
    tokens: Vec<Token>,
}

impl Default for Scorer {
    fn default() -> Self {
        Self { lexicon: lexicon(), lower: String::new(), tokens: Vec::new() }
    }
}

impl Scorer {
    /// The sentiment of an English text, -1 (worst) to 1 (best).
    ///
    /// The valences of its words are summed and brought between -1 and 1 by s / sqrt(s^2 + 15). `None` for a text that
    /// says nothing; 0 when it has no word that the lexicon knows.
    pub fn score(&mut self, text: &str) -> Option<f64> {
        if says_nothing(text) {
            return None;
        }
        self.read(text);
        let mut sum = 0.0;
        let mut start = 0;
        for sentence in self.tokens.chunk_by(|one, next| one.sentence == next.sentence) {
            // A sentence that begins with `but` turns from the one before, which has had its say.
            let turn = sentence.iter().rposition(|token| token.word.role == Role::Turn).filter(|&place| place > 0);
            for (place, token) in sentence.iter().enumerate().filter(|(_, token)| token.word.valence != 0.0) {
                let weight = turn.map_or(1.0, |turn| if place < turn { BUT.0 } else { BUT.1 });
                sum += weight * self.valence(start + place, token);
            }
            start += sentence.len();
        }
        Some(sum / (sum * sum + NORMAL).sqrt())
    }

    fn read(&mut self, text: &str) {
        self.lower.clear();
        self.tokens.clear();
        for letter in text.chars() {
            match letter {
                '’' => self.lower.push('\''),
                letter if letter.is_ascii() => self.lower.push(letter.to_ascii_lowercase()),
                letter => self.lower.extend(letter.to_lowercase()),
            }
        }
        let (mut clause, mut sentence, mut start) = (0, 0, None);
        let ended = std::iter::once((self.lower.len(), ' '));
        for (place, letter) in self.lower.char_indices().chain(ended) {
            if letter.is_alphanumeric() || (letter == '\'' && start.is_some()) {
                start.get_or_insert(place);
                continue;
            }
            if let Some(start) = start.take() {
                let text = self.lower[start..place].trim_end_matches('\'');
                let word = self.lexicon.get(text).copied().unwrap_or_else(|| unlisted(text));
                clause += u32::from(word.role == Role::Turn);
                self.tokens.push(Token { word, place: start..start + text.len(), clause, sentence });
            }
            clause += u32::from(!matches!(letter, ' ' | '-' | '/' | '"' | '“' | '”' | '&' | '%'));
            sentence += u32::from(matches!(letter, '.' | '!' | '?' | ';' | '\n'));
        }
    }

    fn text(&self, place: usize) -> &str {
        self.tokens.get(place).map_or("", |token| &self.lower[token.place.clone()])
    }

    /// The valence of a word where it stands.
    fn valence(&self, place: usize, token: &Token) -> f64 {
        if self.is_another_meaning(place) {
            return 0.0;
        }
        let near = |place: &usize| self.tokens[*place].clause == token.clause;
        let before: Vec<usize> = (place.saturating_sub(REACH)..place).rev().filter(near).collect();
        let mut valence = token.word.valence;
        let mut turns = 0;
        for (back, &other) in before.iter().enumerate() {
            let is_better = token.word.role == Role::Comparative;
            match self.tokens[other].word.role {
                Role::More => valence += DEGREE[back] * valence.signum(),
                Role::Less => valence -= DEGREE[back] * valence.signum(),
                Role::Negation => turns += u32::from(!self.is_no_negation(other)),
                Role::Never => turns += u32::from(!is_better),
                Role::Unmet => turns += u32::from(is_better),
                Role::NotUnmet => turns += 1 + u32::from(is_better),
                _ => {}
            }
        }
        if token.word.role == Role::Trouble && turns % 2 == 0 && self.is_mended(place, token.clause) {
            return 0.0;
        }
        if turns % 2 == 1 { NEGATED * valence } else { valence }
    }

    /// `not only`, and `no doubt`.
    fn is_no_negation(&self, place: usize) -> bool {
        matches!((self.text(place), self.text(place + 1)), ("not", "only") | ("no", "doubt"))
    }

    /// Whether a word that is bad in itself has been put right, as in `solved our problem`.
    fn is_mended(&self, place: usize, clause: u32) -> bool {
        let is_negation = |role| matches!(role, Role::Negation | Role::Never | Role::NotUnmet | Role::Unmet);
        let range = place.saturating_sub(REACH)..(place + REACH + 1).min(self.tokens.len());
        let inside = || self.tokens[range.clone()].iter().filter(|token| token.clause == clause);
        inside().any(|token| token.word.role == Role::Mended) && !inside().any(|token| is_negation(token.word.role))
    }

    /// Whether the words beside it give a word a meaning that says nothing of how somebody feels.
    fn is_another_meaning(&self, place: usize) -> bool {
        let word = self.text(place);
        let before = place.checked_sub(1).map_or("", |before| self.text(before));
        let after = self.text(place + 1);
        match word {
            // Only as a verb: `I like it`, and not `like new`, `would like to`.
            "like" => {
                !(matches!(before, "i" | "we" | "they" | "you" | "really" | "users" | "customers")
                    || before.ends_with("n't"))
            }
            "well" => matches!(before, "as" | "") || after == "as",
            "care" => before == "customer",
            "help" => matches!(after, "desk" | "center" | "centre"),
            "hard" => after == "copy",
            "error" | "errors" => after == "message",
            "fine" => matches!(before, "the" | "a"),
            "thank" | "thanks" => after == "to",
            _ => false,
        }
    }
}

/// A word that the lexicon lacks.
fn unlisted(word: &str) -> Word {
    let role = if word.ends_with("n't") { Role::Negation } else { Role::Plain };
    Word { valence: 0.0, role }
}

/// The lexicon with the roles of its words.
fn lexicon() -> &'static HashMap<&'static str, Word> {
    static LEXICON: std::sync::LazyLock<HashMap<&'static str, Word>> = std::sync::LazyLock::new(|| {
        let rows = include_str!("lexicon.tsv").lines();
        let valued = rows.filter_map(|row| {
            let (word, rest) = row.split_once('\t')?;
            let valence = rest.split('\t').next()?.parse().ok()?;
            Some((word, Word { valence, role: Role::Plain }))
        });
        let mut lexicon: HashMap<&'static str, Word> = valued.collect();
        for (role, words) in ROLES {
            for word in words.split(' ') {
                lexicon.entry(word).or_default().role = role;
            }
        }
        lexicon
    });
    &LEXICON
}

const ROLES: [(Role, &str); 10] = [
    (
        Role::Negation,
        "not no cannot cant dont doesnt didnt isnt wasnt wont neither nor nobody none nothing nowhere hardly barely \
         scarcely rarely seldom without less fewer lacks lacking",
    ),
    (Role::Never, "never"),
    (
        Role::Unmet,
        "could should would expected promised hoped hope wish wanted want need needs needed deserve deserves must",
    ),
    (Role::NotUnmet, "couldn't couldnt wouldn't wouldnt"),
    (
        Role::Comparative,
        "better faster easier quicker smoother happier nicer simpler clearer stronger friendlier safer smarter cleaner \
         improve improved",
    ),
    (
        Role::More,
        "very extremely really so too totally completely absolutely incredibly exceptionally highly especially \
         particularly most more much thoroughly utterly entirely truly deeply hugely always pretty quite definitely",
    ),
    (
        Role::Less,
        "slightly little somewhat sometimes occasionally partly partially kinda rather fairly almost mostly marginally",
    ),
    (Role::Turn, "but however though although"),
    (
        Role::Trouble,
        "issue issues problem problems bug bugs defect defects error errors fault faults complaint complaints mistake \
         mistakes trouble troubles",
    ),
    (
        Role::Mended,
        "solved solves solve resolved resolves resolve resolving fixed fixes sorted corrected settled cleared handled",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn score(text: &str) -> f64 {
        Scorer::default().score(text).unwrap()
    }

    #[test]
    fn handwritten_sentences_have_the_sign_that_a_reader_gives_them() {
        let good = [
            "Great team!",
            "not bad at all",
            "Not bad",
            "No complaints",
            "It runs without failures.",
            "We don't have any problems",
            "couldn't be better",
            "It has never been easier",
            "Never been better",
            "The support team solved our issue quickly",
            "They fixed the problem the same day",
            "Slow at first, but now it is excellent",
            "I really like the new reports",
            "Easy to work with, responsive and reliable",
            "nothing but praise",
            "Not only fast, also friendly",
            "Very happy with the service",
            "It isn’t difficult to use",
            "works well",
        ];
        let bad = [
            "not good at all",
            "Not happy",
            "We were promised better",
            "Could be better",
            "should be faster",
            "No longer happy",
            "Never helpful",
            "hardly reliable",
            "The product is good, but support is terrible",
            "We waited weeks, very disappointed",
            "The problem was not solved",
            "We still have the same issue",
            "I don't like it",
            "Extremely slow",
            "invoice wrong again",
            "the outage cost us a day",
            "nobody seems to care",
            "They are not amused",
            "The team isn't very helpful",
            "worse than before",
        ];
        for text in good {
            assert!(score(text) > 0.05, "{text}: {}", score(text));
        }
        for text in bad {
            assert!(score(text) < -0.05, "{text}: {}", score(text));
        }
    }

    #[test]
    fn words_of_business_say_nothing_of_how_somebody_feels() {
        let texts = [
            "We use the support desk as well",
            "interest on the value of the shares",
            "customer care",
            "the help desk",
            "We would like to have a report like last year",
            "Does the job.",
            "Sehr zufrieden",
            "悪くないです。",
        ];
        for text in texts {
            assert!(score(text).abs() < 1e-12, "{text}: {}", score(text));
        }
    }

    #[test]
    fn degrees_and_their_opposite_move_the_score() {
        assert!(score("very good") > score("good"));
        assert!(score("slightly slow") > score("slow"));
        assert!(score("slow") > score("extremely slow"));
        assert!(score("good and great") > score("great"));
    }

    #[test]
    fn the_formula_is_the_published_one() {
        // good is 1.9 in the lexicon.
        let expected = 1.9 / (1.9_f64 * 1.9 + 15.0).sqrt();
        assert!((score("good") - expected).abs() < 1e-12);
        let negated = 1.9 * NEGATED;
        assert!((score("not good") - negated / (negated * negated + 15.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_says_nothing_has_no_sentiment() {
        assert_eq!(Scorer::default().score("n/a"), None);
        assert_eq!(Scorer::default().score("  "), None);
        assert_eq!(Scorer::default().score("👍"), Some(0.0));
    }

    #[test]
    fn every_row_of_the_lexicon_is_read_and_in_range() {
        let rows = include_str!("lexicon.tsv").lines().count();
        let valued = lexicon().values().filter(|word| word.valence != 0.0).count();
        assert_eq!(rows, valued);
        assert!(lexicon().values().all(|word| word.valence.abs() <= 4.0));
    }
}

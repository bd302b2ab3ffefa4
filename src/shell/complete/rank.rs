//! Which names fit what is typed, and the best of them first.

use super::{Candidate, Kind};

/// Candidates at most; the line editor cannot count further than 65,535, and nobody reads so many.
pub const MAX: usize = 300;

/// How well a name fits what is typed, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It begins so.
    Start,
    /// It begins so, but for the case of letters.
    StartInOtherCase,
    /// A word of it begins so.
    Word,
    /// It has that inside.
    Inside,
    /// It has the letters in this order.
    Scattered,
}

impl Fit {
    fn of(name: &str, typed: &str) -> Option<Self> {
        if name.starts_with(typed) {
            return Some(Self::Start);
        }
        let (name, typed) = (name.to_lowercase(), typed.to_lowercase());
        if name.starts_with(&typed) {
            return Some(Self::StartInOtherCase);
        }
        if name.contains(&typed) {
            let begins_word = |(at, _): (usize, &str)| !name[..at].ends_with(char::is_alphanumeric);
            return Some(if name.match_indices(&typed).any(begins_word) { Self::Word } else { Self::Inside });
        }
        let mut letters = name.chars();
        let is_scattered =
            typed.chars().count() > 2 && typed.chars().all(|wanted| letters.any(|letter| letter == wanted));
        is_scattered.then_some(Self::Scattered)
    }

    /// Fits of one class are offered together, and no worse ones with them: they would keep what all share from being typed.
    fn class(self) -> u8 {
        match self {
            Self::Start | Self::StartInOtherCase => 0,
            Self::Word => 1,
            Self::Inside => 2,
            Self::Scattered => 3,
        }
    }
}

/// Candidates as they are found.
#[derive(Debug)]
pub struct Shortlist {
    typed: String,
    found: Vec<(Fit, Kind, Candidate)>,
    /// Names that were held against what is typed.
    looked_at: usize,
}

impl Shortlist {
    pub fn new(typed: &str) -> Self {
        Self { typed: typed.to_owned(), found: Vec::new(), looked_at: 0 }
    }

    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Offers a candidate if its name fits; what it is worked out only then.
    pub fn offer(&mut self, name: &str, kind: Kind, candidate: impl FnOnce() -> (String, String)) {
        self.looked_at += 1;
        // Names of one's own are looked for; hundreds of others would turn up unasked.
        let is_own = !matches!(kind, Kind::Function | Kind::Keyword);
        if let Some(fit) = Fit::of(name, &self.typed)
            && (is_own || fit.class() == Fit::Start.class())
            && self.found.iter().filter(|(known, ..)| known.class() <= fit.class()).count() < MAX
        {
            let (text, remark) = candidate();
            let shown = match kind {
                // Without the quote that closes it, and without the folders above it.
                Kind::Value => name.to_owned(),
                Kind::File => name.split_inclusive('/').next_back().unwrap_or(name).to_owned(),
                _ => text.clone(),
            };
            self.found.push((fit, kind, Candidate { text, shown, kind, remark }));
        }
    }

    /// The best, in order: by fit, by kind, and as they were offered. Also how many names were looked at.
    pub fn finish(mut self) -> (Vec<Candidate>, usize) {
        let best = self.found.iter().map(|(fit, ..)| fit.class()).min();
        self.found.retain(|(fit, ..)| Some(fit.class()) == best);
        self.found.sort_by_key(|(fit, kind, _)| (*fit, *kind));
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut texts = std::collections::HashSet::new();
        for (.., candidate) in self.found {
            if texts.insert(candidate.text.clone()) && candidates.len() < MAX {
                candidates.push(candidate);
            }
        }
        (candidates, self.looked_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_by_its_start_a_word_its_inside_or_its_letters() {
        for (typed, expected) in [
            ("off", Some(Fit::Start)),
            ("OFF", Some(Fit::StartInOtherCase)),
            ("id", Some(Fit::Word)),
            ("ice", Some(Fit::Inside)),
            ("ofid", Some(Fit::Scattered)),
            ("oi", None),
            ("ido", None),
            ("", Some(Fit::Start)),
        ] {
            assert_eq!(Fit::of("office_id", typed), expected, "{typed}");
        }
    }

    #[test]
    fn names_that_fit_worse_than_others_are_left_out_and_kinds_have_their_order() {
        let offered = |typed: &str| {
            let mut list = Shortlist::new(typed);
            for (name, kind) in [
                ("case", Kind::Keyword),
                ("cast", Kind::Function),
                ("account", Kind::Column),
                ("category", Kind::Column),
                ("category", Kind::Column),
            ] {
                list.offer(name, kind, || (name.to_owned(), String::new()));
            }
            let (candidates, looked_at) = list.finish();
            assert_eq!(looked_at, 5);
            candidates.into_iter().map(|candidate| candidate.text).collect::<Vec<_>>()
        };
        assert_eq!(offered("ca"), ["category", "cast", "case"]);
        assert_eq!(offered("cc"), ["account"]);
        // A function or a keyword must begin as typed.
        assert_eq!(offered("ase"), [""; 0]);
    }
}

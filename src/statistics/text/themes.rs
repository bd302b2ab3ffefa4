//! Themes: the words and two-word phrases that people of a group say, held against what all others say.

use std::cmp::{Ordering, Reverse};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::says_nothing;
use super::words::{Role, Token, Vocabulary, count};

/// One comment.
#[derive(Clone, Copy, Debug)]
pub struct Comment<'a> {
    pub text: &'a str,
    /// Who said it; `None`: nobody knows, so it counts as somebody who said nothing else.
    pub person: Option<u32>,
    /// The group it belongs to, as a number below the number of groups.
    pub group: u32,
}

/// What to list.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Themes of a group.
    pub top: usize,
    /// A theme of fewer people is not listed.
    pub people_min: u32,
}

/// A theme of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme<'a> {
    pub group: u32,
    /// From 1 within the group.
    pub rank: u32,
    /// In the form that most comments have.
    pub theme: String,
    /// Of the group, each counted once.
    pub people: u32,
    /// `people` of all people of the group who commented.
    pub share: f64,
    /// Weight of the theme within the group; see [`themes`].
    pub tf_idf: f64,
    /// `None` when there is one group.
    pub against: Option<Against>,
    /// The shortest comment of the group that has it.
    pub example: &'a str,
}

/// A theme held against the other groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Against {
    /// Of the other groups, each counted once.
    pub people: u32,
    pub share: f64,
    /// Natural logarithm of the ratio of the odds, with a prior.
    pub log_odds: f64,
    /// `log_odds` in standard errors.
    pub z: f64,
}

/// Mass of the prior in mentions: small groups are drawn to what all say, large ones are not (Monroe, Colaresi and
/// Quinn take 500, a day's words of one party, too).
const PRIOR: f64 = 500.0;

/// A phrase with this share of its word's people stands for the word; two themes that share a word and this share of
/// people are one.
const NEARLY_ALL: f64 = 0.8;

/// The themes of each group, best first; groups in the order of their numbers.
///
/// Comments that say nothing are left out. A theme is a word or two words next to each other, brought to their stems.
/// `tf_idf` is occurrences times ln(comments of the group / those that have the theme). `log_odds` and `z` are the
/// log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi and Quinn, Fightin' Words, Political Analysis
/// 16(4), 2008): with y people of n mentions in the group, y' of n' in all others, and a prior of a from the share
/// among all people, ln((y + a) / (n + A - y - a)) - ln((y' + a) / (n' + A - y' - a)), over
/// sqrt(1 / (y + a) + 1 / (y' + a)). Ranked by `z`, or by `tf_idf` when there is one group.
pub fn themes<'a>(comments: &[Comment<'a>], options: Options) -> Vec<Theme<'a>> {
    let spoken = Spoken::read(comments);
    let corpus = Corpus::count(&spoken, options.people_min);
    (0..count(corpus.groups.len())).flat_map(|group| corpus.list(&spoken, comments, group, options)).collect()
}

/// A term in a comment; in this order, so that sorted mentions are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mention {
    term: u32,
    group: u32,
    person: u32,
    comment: u32,
    /// The words as written, by their numbers; the second is [`NO_WORD`] in a single word.
    words: [u32; 2],
}

const NO_WORD: u32 = u32::MAX;

/// Everything that was said.
struct Spoken {
    vocabulary: Vocabulary,
    /// The stems of each term; the second is [`NO_WORD`] in a single word.
    terms: Vec<[u32; 2]>,
    mentions: Vec<Mention>,
    /// Group and person of each comment that says something.
    speakers: Vec<(u32, u32)>,
}

impl Spoken {
    fn read(comments: &[Comment<'_>]) -> Self {
        let mut spoken =
            Self { vocabulary: Vocabulary::new(), terms: Vec::new(), mentions: Vec::new(), speakers: Vec::new() };
        let mut numbers: HashMap<[u32; 2], u32> = HashMap::new();
        let mut unknown = comments.iter().filter_map(|comment| comment.person).max().map_or(0, |most| most + 1);
        let mut tokens = Vec::new();
        for (place, comment) in comments.iter().enumerate() {
            let person = comment.person.unwrap_or_else(|| {
                unknown += 1;
                unknown - 1
            });
            if says_nothing(comment.text) {
                continue;
            }
            spoken.speakers.push((comment.group, person));
            spoken.vocabulary.read(comment.text, &mut tokens);
            let mut before: Option<Token> = None;
            for token in tokens.iter().copied() {
                let word = spoken.vocabulary.word(token.word);
                if word.role == Role::Content {
                    let single = ([word.stem, NO_WORD], [token.word, NO_WORD]);
                    let phrase = before
                        .filter(|_| token.follows)
                        .map(|before| (spoken.vocabulary.word(before.word).stem, before.word))
                        // A word said twice is no phrase.
                        .filter(|(stem, _)| *stem != word.stem)
                        .map(|(stem, before)| ([stem, word.stem], [before, token.word]));
                    for (stems, words) in [Some(single), phrase].into_iter().flatten() {
                        let next = count(spoken.terms.len());
                        let term = *numbers.entry(stems).or_insert(next);
                        if term == next {
                            spoken.terms.push(stems);
                        }
                        let (group, comment) = (comment.group, count(place));
                        spoken.mentions.push(Mention { term, group, person, comment, words });
                    }
                }
                before = Some(token).filter(|_| word.role != Role::Stop);
            }
        }
        spoken.mentions.sort_unstable();
        spoken
    }

    /// The most frequent form of a term, of those the first by letter.
    fn form(&self, mentions: &[Mention]) -> String {
        let mut forms: HashMap<[u32; 2], u32> = HashMap::new();
        for mention in mentions {
            *forms.entry(mention.words).or_default() += 1;
        }
        let text = |[first, second]: [u32; 2]| {
            let first = &self.vocabulary.word(first).surface;
            match second {
                NO_WORD => first.clone(),
                second => format!("{first} {}", self.vocabulary.word(second).surface),
            }
        };
        let forms = forms.into_iter().map(|(words, count)| (Reverse(count), text(words)));
        forms.min().map(|(_, text)| text).unwrap_or_default()
    }
}

/// A term in a group.
#[derive(Clone, Debug)]
struct Count {
    term: u32,
    /// Its mentions in the group.
    mentions: Range<usize>,
    people: u32,
    people_elsewhere: u32,
    /// People of all groups.
    people_anywhere: u32,
    occurrences: u32,
    comments: u32,
}

/// What a group, or all others, add up to.
#[derive(Clone, Debug, Default)]
struct Group {
    counts: Vec<Count>,
    comments: u32,
    people: u32,
    people_elsewhere: u32,
    /// Sum of people over all terms, in the group and elsewhere.
    mentions: u32,
    mentions_elsewhere: u32,
}

struct Corpus {
    groups: Vec<Group>,
    /// Sum of people over all terms.
    mentions: u32,
    /// Each term as written; blank where too few people said it to be listed.
    forms: Vec<String>,
    /// Whether one group at most says something, so that there are no others.
    is_alone: bool,
}

impl Corpus {
    fn count(spoken: &Spoken, people_min: u32) -> Self {
        let groups = spoken.speakers.iter().map(|(group, _)| group + 1).max().unwrap_or(0);
        let mut corpus =
            Self { groups: vec![Group::default(); groups as usize], mentions: 0, forms: Vec::new(), is_alone: false };
        for &(group, _) in &spoken.speakers {
            corpus.groups[group as usize].comments += 1;
        }
        let speakers = spoken.speakers.clone();
        let (total, each) = distinct(speakers);
        corpus.is_alone = each.len() < 2;
        corpus.groups.iter_mut().for_each(|group| group.people_elsewhere = total);
        for (group, people, only_here) in each {
            let group = &mut corpus.groups[group as usize];
            (group.people, group.people_elsewhere) = (people, total - only_here);
        }
        let mut only_here = vec![0; corpus.groups.len()];
        let mut start = 0;
        for mentions in spoken.mentions.chunk_by(|one, next| one.term == next.term) {
            let (total, each) = distinct(mentions.iter().map(|mention| (mention.group, mention.person)).collect());
            corpus.forms.push(if total < people_min { String::new() } else { spoken.form(mentions) });
            corpus.mentions += total;
            let parts = mentions.chunk_by(|one, next| one.group == next.group);
            let mut from = start;
            for (part, (group, people, only)) in parts.zip(each) {
                only_here[group as usize] += only;
                let group = &mut corpus.groups[group as usize];
                group.mentions += people;
                group.counts.push(Count {
                    term: part[0].term,
                    mentions: from..from + part.len(),
                    people,
                    people_elsewhere: total - only,
                    people_anywhere: total,
                    occurrences: count(part.len()),
                    comments: count(part.chunk_by(|one, next| one.comment == next.comment).count()),
                });
                from += part.len();
            }
            start += mentions.len();
        }
        for (group, only_here) in corpus.groups.iter_mut().zip(only_here) {
            group.mentions_elsewhere = corpus.mentions - only_here;
        }
        corpus
    }

    /// The themes of a group.
    fn list<'a>(&self, spoken: &Spoken, comments: &[Comment<'a>], number: u32, options: Options) -> Vec<Theme<'a>> {
        let group = &self.groups[number as usize];
        let people: HashMap<u32, u32> = group.counts.iter().map(|count| (count.term, count.people)).collect();
        let replaced = replaced(spoken, &group.counts, &people);
        let mut candidates: Vec<Candidate<'_>> = group
            .counts
            .iter()
            .filter(|count| count.people >= options.people_min && !replaced.contains(&count.term))
            .map(|count| {
                let log_odds = (!self.is_alone).then(|| self.log_odds(group, count));
                let idf = (f64::from(group.comments) / f64::from(count.comments)).ln();
                let tf_idf = f64::from(count.occurrences) * idf;
                let score = log_odds.map_or(tf_idf, |(_, z)| z);
                let form = self.forms[count.term as usize].clone();
                Candidate { count, stems: spoken.terms[count.term as usize], form, score, tf_idf, log_odds }
            })
            .collect();
        candidates.sort_unstable_by(Candidate::better_first);
        let mut listed: Vec<Candidate<'_>> = Vec::new();
        for candidate in candidates {
            match listed.iter().position(|better| says_the_same(spoken, &candidate, better)) {
                // Of the same people's word and phrase the phrase tells more.
                Some(place) if candidate.is_phrase() && !listed[place].is_phrase() => listed[place] = candidate,
                Some(_) => {}
                None if listed.len() == options.top => break,
                None => listed.push(candidate),
            }
        }
        listed.sort_unstable_by(Candidate::better_first);
        let theme = |(rank, candidate): (u32, Candidate<'_>)| Theme {
            group: number,
            rank,
            people: candidate.count.people,
            share: f64::from(candidate.count.people) / f64::from(group.people),
            tf_idf: candidate.tf_idf,
            against: candidate.log_odds.map(|(log_odds, z)| Against {
                people: candidate.count.people_elsewhere,
                share: f64::from(candidate.count.people_elsewhere) / f64::from(group.people_elsewhere),
                log_odds,
                z,
            }),
            example: example(&spoken.mentions[candidate.count.mentions.clone()], comments),
            theme: candidate.form,
        };
        (1..).zip(listed).map(theme).collect()
    }

    fn log_odds(&self, group: &Group, count: &Count) -> (f64, f64) {
        // The one term that there is: whoever says something says it, here and elsewhere.
        if count.people_anywhere == self.mentions {
            return (0.0, 0.0);
        }
        let prior = PRIOR * f64::from(count.people_anywhere) / f64::from(self.mentions);
        let here = f64::from(count.people) + prior;
        let elsewhere = f64::from(count.people_elsewhere) + prior;
        let odds = |said: f64, mentions: u32| said / (f64::from(mentions) + PRIOR - said);
        let log_odds = (odds(here, group.mentions) / odds(elsewhere, group.mentions_elsewhere)).ln();
        (log_odds, log_odds / (1.0 / here + 1.0 / elsewhere).sqrt())
    }
}

struct Candidate<'a> {
    count: &'a Count,
    stems: [u32; 2],
    form: String,
    score: f64,
    tf_idf: f64,
    log_odds: Option<(f64, f64)>,
}

impl Candidate<'_> {
    fn is_phrase(&self) -> bool {
        self.stems[1] != NO_WORD
    }

    /// By score, then by people, a phrase before a word, then by letter.
    fn better_first(one: &Self, next: &Self) -> Ordering {
        let key = |candidate: &Self| (candidate.count.people, candidate.is_phrase());
        next.score.total_cmp(&one.score).then_with(|| key(next).cmp(&key(one))).then_with(|| one.form.cmp(&next.form))
    }
}

/// How many people there are in all, and for each group in order: its number, its people, and those in no other group.
fn distinct(mut said: Vec<(u32, u32)>) -> (u32, Vec<(u32, u32, u32)>) {
    said.sort_unstable();
    said.dedup();
    let mut groups: Vec<(u32, u32, u32)> =
        said.chunk_by(|one, next| one.0 == next.0).map(|part| (part[0].0, count(part.len()), 0)).collect();
    said.sort_unstable_by_key(|&(group, person)| (person, group));
    let mut total = 0;
    for person in said.chunk_by(|one, next| one.1 == next.1) {
        total += 1;
        if let [(group, _)] = person
            && let Ok(place) = groups.binary_search_by_key(group, |(known, ..)| *known)
        {
            groups[place].2 += 1;
        }
    }
    (total, groups)
}

/// The words that a phrase stands for.
fn replaced(spoken: &Spoken, counts: &[Count], people: &HashMap<u32, u32>) -> HashSet<u32> {
    let singles: HashMap<u32, u32> = people
        .keys()
        .map(|&term| (term, spoken.terms[term as usize]))
        .filter(|(_, stems)| stems[1] == NO_WORD)
        .map(|(term, stems)| (stems[0], term))
        .collect();
    let mut replaced = HashSet::new();
    for phrase in counts {
        let stems = spoken.terms[phrase.term as usize];
        if stems[1] == NO_WORD {
            continue;
        }
        for single in stems.iter().filter_map(|stem| singles.get(stem)) {
            if f64::from(phrase.people) >= NEARLY_ALL * f64::from(people[single]) {
                replaced.insert(*single);
            }
        }
    }
    replaced
}

/// Whether a candidate is a better one in other words: nearly all people of each said the other, or they share a word
/// and nearly all of the candidate's people said the better one.
fn says_the_same(spoken: &Spoken, candidate: &Candidate<'_>, better: &Candidate<'_>) -> bool {
    let shares_word = candidate.stems.iter().any(|stem| *stem != NO_WORD && better.stems.contains(stem));
    let of = match shares_word {
        true => candidate.count.people,
        false => candidate.count.people.max(better.count.people),
    };
    let wanted = NEARLY_ALL * f64::from(of);
    if f64::from(candidate.count.people.min(better.count.people)) < wanted {
        return false;
    }
    let people = |candidate: &Candidate<'_>| {
        let mentions = &spoken.mentions[candidate.count.mentions.clone()];
        let mut people: Vec<u32> = mentions.iter().map(|mention| mention.person).collect();
        people.dedup();
        people
    };
    let better = people(better);
    let both = people(candidate).iter().filter(|person| better.binary_search(person).is_ok()).count();
    both as f64 >= wanted
}

/// The shortest comment, of those the first by text.
fn example<'a>(mentions: &[Mention], comments: &[Comment<'a>]) -> &'a str {
    let texts = mentions.iter().map(|mention| comments[mention.comment as usize].text.trim());
    texts.min_by_key(|text| (text.chars().count(), *text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Options = Options { top: 100, people_min: 1 };

    fn comments<'a>(rows: &[(&'a str, u32, u32)]) -> Vec<Comment<'a>> {
        rows.iter().map(|&(text, person, group)| Comment { text, person: Some(person), group }).collect()
    }

    fn find<'a>(themes: &'a [Theme<'a>], group: u32, theme: &str) -> &'a Theme<'a> {
        themes
            .iter()
            .find(|one| one.group == group && one.theme == theme)
            .unwrap_or_else(|| panic!("{theme}: {themes:?}"))
    }

    #[test]
    fn a_person_counts_once_and_each_group_has_its_own_base() {
        let rows = comments(&[
            ("invoices", 1, 0),
            ("Invoice!", 1, 0),
            ("training", 2, 0),
            ("n/a", 3, 0),
            ("training", 1, 1),
            ("invoice", 4, 1),
        ]);
        let listed = themes(&rows, ALL);
        let invoice = find(&listed, 0, "invoice");
        assert_eq!((invoice.people, invoice.share), (1, 0.5));
        let training = find(&listed, 0, "training");
        let against = training.against.unwrap();
        assert_eq!((training.people, against.people, against.share), (1, 1, 0.5));
        // The person who said it in both groups is elsewhere too.
        assert_eq!(find(&listed, 1, "training").against.unwrap().people, 1);
        assert!((find(&listed, 1, "invoice").against.unwrap().share - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_log_odds_are_those_of_a_hand_calculation() {
        let rows = comments(&[("slow", 1, 0), ("slow", 2, 0), ("training", 3, 0), ("training", 4, 1), ("slow", 5, 1)]);
        let listed = themes(&rows, ALL);
        let slow = find(&listed, 0, "slow").against.unwrap();
        // y = 2 of 3 here, 1 of 2 elsewhere, the prior 500 * 3 / 5 = 300 of 500.
        let expected = (302.0_f64 / 201.0).ln() - (301.0_f64 / 201.0).ln();
        assert!((slow.log_odds - expected).abs() < 1e-12, "{slow:?}");
        assert!((slow.z - expected / (1.0_f64 / 302.0 + 1.0 / 301.0).sqrt()).abs() < 1e-12, "{slow:?}");
    }

    #[test]
    fn one_group_is_ranked_by_tf_idf_and_held_against_nobody() {
        let rows = comments(&[("slow slow", 1, 0), ("training", 2, 0), ("training", 3, 0), ("other words", 4, 0)]);
        let listed = themes(&rows, ALL);
        let training = find(&listed, 0, "training");
        assert!((training.tf_idf - 2.0 * 2.0_f64.ln()).abs() < 1e-12);
        // Two occurrences in one comment of four.
        assert!((listed[0].tf_idf - 2.0 * 4.0_f64.ln()).abs() < 1e-12);
        assert!(listed.iter().all(|theme| theme.against.is_none()));
    }

    #[test]
    fn a_phrase_stands_for_the_words_that_it_carries() {
        let rows = comments(&[
            ("The response time gets worse.", 1, 0),
            ("response times are bad", 2, 0),
            ("Response time!", 3, 0),
            ("no complaints", 4, 0),
        ]);
        let listed = themes(&rows, Options { top: 10, people_min: 1 });
        let names: Vec<&str> = listed.iter().map(|theme| theme.theme.as_str()).collect();
        assert!(names.contains(&"response time") && names.contains(&"no complaints"), "{names:?}");
        assert!(!["response", "time", "times", "complaints"].iter().any(|word| names.contains(word)), "{names:?}");
        assert_eq!(find(&listed, 0, "response time").example, "Response time!");
    }

    #[test]
    fn the_order_of_comments_changes_nothing() {
        let texts =
            ["slow reports", "The reports are slow", "good training", "Training!", "réponse", "返事が遅い", "", "x"];
        let mut rows: Vec<Comment<'_>> = (0..400_u32)
            .map(|row| Comment {
                text: texts[(row * 7 % 8) as usize],
                person: Some(row * 13 % 61),
                group: row * 31 % 3,
            })
            .collect();
        let expected = themes(&rows, ALL);
        assert!(expected.len() > 9, "{expected:?}");
        rows.reverse();
        assert_eq!(themes(&rows, ALL), expected);
        rows.sort_by_key(|comment| (comment.text, comment.person));
        assert_eq!(themes(&rows, ALL), expected);
    }

    #[test]
    fn the_only_word_of_all_is_said_by_no_group_more_than_by_others() {
        let listed = themes(&comments(&[("slow", 1, 0), ("slow", 2, 0), ("slow", 3, 1)]), ALL);
        let against: Vec<Against> = listed.iter().filter_map(|theme| theme.against).collect();
        assert_eq!(against.iter().map(|against| (against.log_odds, against.z)).collect::<Vec<_>>(), [(0.0, 0.0); 2]);
    }

    #[test]
    fn a_group_for_every_person_takes_no_time_for_every_pair_of_them() {
        let groups = 100_000_u32;
        let rows: Vec<Comment<'_>> = (0..groups)
            .map(|group| Comment {
                text: if group.is_multiple_of(2) { "slow" } else { "training" },
                person: Some(group),
                group,
            })
            .collect();
        let listed = themes(&rows, ALL);
        assert_eq!(listed.len(), rows.len());
        assert!(listed.iter().all(|theme| theme.against.is_some_and(|against| against.people == groups / 2 - 1)));
    }

    #[test]
    fn nothing_said_has_no_themes() {
        assert_eq!(themes(&[], ALL), []);
        assert_eq!(themes(&comments(&[("", 1, 0), ("n/a", 2, 0)]), ALL), []);
    }
}

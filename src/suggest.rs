//! Did-you-mean: the candidate nearest to a misspelt name.

/// The candidate that a typist most likely meant, or `None` when nothing is near.
///
/// Compares without case; a candidate counts as near when at most a third of its letters differ, or when
/// one name begins with the other and is at least three letters long.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .into_iter()
        .filter_map(|candidate| distance(&typed, candidate).map(|distance| (distance, candidate)))
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(b.1)))
        .map(|(_, candidate)| candidate)
}

/// How far a candidate is from the typed name (lower case), or `None` when it is too far to be meant.
fn distance(typed: &str, candidate: &str) -> Option<usize> {
    let lower = candidate.to_lowercase();
    let distance = strsim::damerau_levenshtein(typed, &lower);
    let allowed = typed.chars().count().max(lower.chars().count()) / 3;
    let begins = typed.len().min(lower.len()) >= 3 && (lower.starts_with(typed) || typed.starts_with(&lower));
    (distance <= allowed || begins).then_some(distance)
}

/// Names as a sentence lists them: `` `a`, `b`, `c` ``.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The first dozen names as a sentence lists them, and how many more there are.
pub fn some(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown = list(names.iter().take(SHOWN).copied());
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swapped_letter_finds_its_word_and_a_far_word_finds_none() {
        assert_eq!(nearest("reviws", ["offices", "reviews"]), Some("reviews"));
        assert_eq!(nearest("REVIEWS", ["offices", "reviews"]), Some("reviews"));
        assert_eq!(nearest("cost", ["cost_per_touch", "offices"]), Some("cost_per_touch"));
        assert_eq!(nearest("c", ["d"]), None);
        assert_eq!(nearest("zebra", ["offices", "reviews"]), None);
    }
}

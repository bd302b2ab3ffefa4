//! What people say: company names, comments and field notes, put together from phrases.

use super::random::{Random, hash};
use super::story::THEMES;

/// How somebody feels about the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Promoter,
    Passive,
    Detractor,
}

/// An invented company name that no other account has.
pub(super) fn company(seed: u64, number: u64) -> String {
    let roots = (ONSETS.len() * MIDDLES.len() * ENDINGS.len()) as u64;
    let nouns = NOUNS.len() as u64;
    // 7919 is prime and divides none of the list lengths, so that roots come once each before the first comes again.
    let root = (number % roots * 7_919 + hash(seed, &[]) % roots) % roots;
    let round = number / roots;
    let noun = (round + hash(seed, &[root]) % nouns) % nouns;
    let (onset, rest) = (root as usize % ONSETS.len(), root as usize / ONSETS.len());
    let (middle, ending) = (rest % MIDDLES.len(), rest / MIDDLES.len());
    let name = format!("{}{}{} {}", ONSETS[onset], MIDDLES[middle], ENDINGS[ending], NOUNS[noun as usize]);
    match round / nouns {
        0 => name,
        again => format!("{name} {}", again + 1),
    }
}

// Onsets have three letters and middles two, so that different syllables never make the same root.
const ONSETS: [&str; 48] = [
    "Bal", "Bem", "Bor", "Bru", "Cal", "Cev", "Cor", "Dal", "Dev", "Dor", "Dra", "Elm", "Far", "Fen", "Fol", "Gal",
    "Gem", "Gor", "Hal", "Hem", "Hol", "Ilv", "Jar", "Jor", "Kal", "Kem", "Kor", "Lam", "Lev", "Lor", "Mal", "Mer",
    "Mor", "Nal", "Nem", "Orv", "Pal", "Per", "Quo", "Rav", "Rem", "Sal", "Tav", "Tor", "Ulv", "Var", "Wex", "Zan",
];
const MIDDLES: [&str; 24] = [
    "ba", "be", "da", "do", "fi", "ga", "go", "la", "le", "li", "ma", "mo", "na", "ne", "po", "ra", "ri", "sa", "so",
    "ta", "ti", "va", "vi", "zo",
];
const ENDINGS: [&str; 20] = [
    "bex", "cline", "cor", "dane", "dell", "fold", "gren", "hart", "lind", "lox", "mark", "mond", "nox", "quist",
    "rell", "stad", "thorn", "vane", "wick", "zell",
];
const NOUNS: [&str; 32] = [
    "Holdings",
    "Group",
    "Systems",
    "Industries",
    "Partners",
    "Works",
    "Services",
    "Networks",
    "Supply",
    "Foods",
    "Energy",
    "Logistics",
    "Insurance",
    "Bank",
    "Retail",
    "Health",
    "Media",
    "Telecom",
    "Marine",
    "Textiles",
    "Motors",
    "Materials",
    "Travel",
    "Capital",
    "Paper",
    "Chemicals",
    "Instruments",
    "Freight",
    "Stores",
    "Labs",
    "Utilities",
    "Brands",
];

/// What is said of each theme of [`THEMES`] when it goes well, and when it goes badly.
const CLAUSES: [([&str; 3], [&str; 3]); THEMES.len()] = [
    (
        ["answers come within the hour", "tickets are picked up at once", "the response time is excellent"],
        ["we wait days for an answer", "the response time gets worse", "urgent tickets stay untouched"],
    ),
    (
        ["the price is fair for what we get", "the new pricing is easy to explain", "we get good value"],
        [
            "the price went up without notice",
            "pricing is hard to justify to our board",
            "it costs more than others ask",
        ],
    ),
    (
        [
            "we have worked with the same people for years",
            "the new colleague was up to speed at once",
            "the team is stable",
        ],
        ["our contact changed again", "every quarter a new face has to be trained", "the people we trusted have left"],
    ),
    (
        ["invoices are correct", "billing questions are settled in one call", "the new invoice format helps us"],
        ["the invoice was wrong again", "credit notes take months", "we pay for seats that we do not use"],
    ),
    (
        ["the product does what it says", "the last release fixed what we asked for", "it runs without failures"],
        [
            "the last release broke our reports",
            "we meet the same defect every month",
            "the product is slow at month end",
        ],
    ),
    (
        ["we are told before things happen", "everybody explains things plainly", "we always know whom to call"],
        ["nobody told us about the outage", "we get three different answers", "messages go unanswered"],
    ),
    (
        ["onboarding took two weeks as promised", "the training was worth the time", "the go-live was smooth"],
        ["onboarding is still not finished", "the training did not fit our work", "the go-live was moved twice"],
    ),
    (
        ["the reports save us a day each month", "the dashboards are clear", "our board likes the reporting"],
        [
            "the reports do not match our numbers",
            "we rebuild the reports by hand",
            "the export is missing half the fields",
        ],
    ),
    (
        [
            "they see no reason to look elsewhere",
            "they dropped their tender after the demo",
            "they chose us over a cheaper bid",
        ],
        [
            "they are talking to a competitor",
            "a competitor runs a trial there",
            "they asked how to export all their data",
        ],
    ),
    (
        [
            "the sponsor speaks for us on their board",
            "the new director knows us well",
            "their board renewed its support",
        ],
        [
            "our sponsor left the company",
            "the new director asks why they need us",
            "nobody on their board speaks for us now",
        ],
    ),
];

/// A survey comment; `theme` is a place in [`THEMES`].
pub(super) fn comment(mood: Mood, theme: usize, language: &str, random: &mut Random) -> String {
    if let Some(local) = local(language, mood) {
        return random.pick(local).to_owned();
    }
    let good = random.pick(&CLAUSES[theme].0);
    let bad = random.pick(&CLAUSES[theme].1);
    match (mood, random.below(6)) {
        (Mood::Promoter, 0) => format!("Very happy: {good}."),
        (Mood::Promoter, 1) => format!("{}, and that is why we stay.", capital(good)),
        (Mood::Promoter, 2) => format!("Not bad at all: {good}."),
        (Mood::Promoter, 3) => format!("No complaints, {good}."),
        (Mood::Promoter, 4) => format!("Great team, {good}."),
        (Mood::Promoter, _) => format!("{}.", capital(good)),
        (Mood::Passive, 0) => "Does the job.".to_owned(),
        (Mood::Passive, 1) => "Not great, not terrible.".to_owned(),
        (Mood::Passive, 2) => format!("Good overall, but sometimes {bad}."),
        (Mood::Passive, 3) => format!("Mostly fine: {good}."),
        (Mood::Passive, _) => format!("It is fine, though now and then {bad}."),
        (Mood::Detractor, 0) => format!("Disappointed: {bad}."),
        (Mood::Detractor, 1) => format!("{}, and nobody seems to care.", capital(bad)),
        (Mood::Detractor, 2) => format!("Not good at all: {bad}."),
        (Mood::Detractor, 3) => format!("We were promised better, {bad}."),
        (Mood::Detractor, _) => format!("{}.", capital(bad)),
    }
}

/// What is said in another language than English.
fn local(language: &str, mood: Mood) -> Option<&'static [&'static str]> {
    Some(match (language, mood) {
        ("de", Mood::Promoter) => &["Sehr zufrieden, danke!", "Schnelle Antwort, nettes Team.", "Gar nicht schlecht!"],
        ("de", Mood::Passive) => &["Ganz in Ordnung.", "Solide, aber nicht mehr."],
        ("de", Mood::Detractor) => {
            &["Die Antwort dauert viel zu lange.", "Die Rechnung war wieder falsch.", "Überhaupt nicht zufrieden."]
        }
        ("fr", Mood::Promoter) => &["Très satisfait, merci !", "Équipe réactive.", "Pas mal du tout !"],
        ("fr", Mood::Passive) => &["Correct, sans plus.", "Ça va dans l'ensemble."],
        ("fr", Mood::Detractor) => {
            &["Les réponses tardent trop.", "Encore une facture erronée.", "Pas du tout satisfait."]
        }
        ("es", Mood::Promoter) => &["Muy contentos, gracias.", "Respuesta rápida y clara.", "¡Nada mal!"],
        ("es", Mood::Passive) => &["Está bien, sin más.", "Correcto en general."],
        ("es", Mood::Detractor) => {
            &["Tardan demasiado en responder.", "Otra vez una factura errónea.", "Nada satisfechos."]
        }
        ("ja", Mood::Promoter) => &["とても満足しています。", "対応が早くて助かります。", "悪くないです。"],
        ("ja", Mood::Passive) => &["まあまあです。", "特に問題はありません。"],
        ("ja", Mood::Detractor) => &["返事が遅いです。", "請求書がまた間違っていました。", "満足していません。"],
        _ => return None,
    })
}

/// The language that the people of this country may answer in; English otherwise.
pub(super) fn language(country: &str) -> &'static str {
    match country {
        "DE" => "de",
        "FR" => "fr",
        "ES" => "es",
        "JP" => "ja",
        _ => "en",
    }
}

/// A field note; `theme` is a place in [`THEMES`].
pub(super) fn note(mood: Mood, theme: usize, partner: bool, random: &mut Random) -> String {
    let good = random.pick(&CLAUSES[theme].0);
    let bad = random.pick(&CLAUSES[theme].1);
    let who = if partner {
        random.pick(&["The partner reports", "The partner hears from clients", "Our reseller says"])
    } else {
        random.pick(&["Heard on site", "They told us", "From the review call", "At lunch with their team"])
    };
    match (mood, random.below(3)) {
        (Mood::Promoter, 0) => format!("{who}: {good}. They would recommend us."),
        (Mood::Promoter, _) => format!("{who}: {good}."),
        (Mood::Passive, 0) => format!("{who}: {good}, but now and then {bad}."),
        (Mood::Passive, _) => format!("{who}: sometimes {bad}, not a problem so far."),
        (Mood::Detractor, 0) => format!("{who}: {bad}. They want an answer this month."),
        (Mood::Detractor, 1) => format!("{who}: {bad}, and they are not amused."),
        (Mood::Detractor, _) => format!("{who}: {bad}."),
    }
}

fn capital(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_accounts_have_the_same_name() {
        let names: HashSet<String> = (0..100_000).map(|number| company(1, number)).collect();
        assert_eq!(names.len(), 100_000);
        // The first number for which every root has had every noun.
        assert!(company(1, 23_040 * 32).ends_with(" 2"));
    }
}

//! The codebook: phrases and patterns by which comments and field notes get reason codes, in two versions.
//!
//! It is written for what `text.rs` says of each theme. The first version knows nothing of sponsors or of other
//! languages than English; the second adds both.

use Kind::{Pattern, Phrase};

use super::calendar::{Day, day};
use super::writer::{self, Column, Sink};
use crate::error::Result;

/// The first day of each version.
const VALID_FROM: [Day; 2] = [day(2024, 10, 1), day(2026, 4, 1)];

/// A rule: the first version that holds it, code, label, whether it is a pattern, and what it looks for.
type Rule = (i32, &'static str, &'static str, Kind, &'static str);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Phrase,
    Pattern,
}

const RULES: [Rule; 45] = [
    (1, "RESP", "response time", Phrase, "response time"),
    (1, "RESP", "response time", Phrase, "for an answer"),
    (1, "RESP", "response time", Phrase, "answers come within"),
    (1, "RESP", "response time", Pattern, r"tickets (are picked up|stay untouched)"),
    (1, "RESP", "response time", Pattern, r"\bwait(ed|ing)? (days|weeks)\b"),
    (1, "PRICE", "pricing", Pattern, r"\bpric(e|es|ing)\b"),
    (1, "PRICE", "pricing", Phrase, "good value"),
    (1, "PRICE", "pricing", Phrase, "costs more than"),
    (1, "STAFF", "staff turnover", Phrase, "our contact changed"),
    (1, "STAFF", "staff turnover", Phrase, "a new face"),
    (1, "STAFF", "staff turnover", Pattern, r"people we trusted (have )?left"),
    (1, "STAFF", "staff turnover", Phrase, "the team is stable"),
    (1, "STAFF", "staff turnover", Pattern, r"\b(same people|new colleague)\b"),
    (1, "BILL", "billing accuracy", Pattern, r"\binvoices?\b"),
    (1, "BILL", "billing accuracy", Phrase, "billing"),
    (1, "BILL", "billing accuracy", Pattern, r"\bcredit notes?\b"),
    (1, "BILL", "billing accuracy", Phrase, "pay for seats"),
    (1, "PROD", "product quality", Phrase, "last release"),
    (1, "PROD", "product quality", Phrase, "same defect"),
    (1, "PROD", "product quality", Pattern, r"\bthe product (is slow|does what)\b"),
    (1, "PROD", "product quality", Phrase, "without failures"),
    (1, "COMM", "communication", Pattern, r"(nobody told us|we are told)"),
    (1, "COMM", "communication", Phrase, "different answers"),
    (1, "COMM", "communication", Phrase, "messages go unanswered"),
    (1, "COMM", "communication", Phrase, "explains things"),
    (1, "COMM", "communication", Phrase, "whom to call"),
    (1, "ONBD", "onboarding", Phrase, "onboarding"),
    (1, "ONBD", "onboarding", Phrase, "the training"),
    (1, "ONBD", "onboarding", Pattern, r"\bgo-?live\b"),
    (1, "REPT", "reporting", Pattern, r"\b(the reports (do|save)|rebuild the reports|dashboards?|reporting)\b"),
    (1, "REPT", "reporting", Phrase, "the export is missing"),
    (1, "COMP", "competitor interest", Phrase, "competitor"),
    (1, "COMP", "competitor interest", Phrase, "look elsewhere"),
    (1, "COMP", "competitor interest", Phrase, "export all their data"),
    (2, "COMP", "competitor interest", Pattern, r"\b(tender|cheaper bid)\b"),
    (2, "SPON", "executive sponsor", Phrase, "sponsor"),
    (2, "SPON", "executive sponsor", Phrase, "new director"),
    (2, "SPON", "executive sponsor", Pattern, r"\btheir board\b"),
    (2, "RESP", "response time", Pattern, r"\b(die|schnelle) antwort\b"),
    (2, "RESP", "response time", Pattern, r"\b(réponses tardent|équipe réactive)\b"),
    (2, "RESP", "response time", Pattern, r"(tardan demasiado|respuesta rápida)"),
    (2, "RESP", "response time", Pattern, r"(返事が遅い|対応が早く)"),
    (2, "BILL", "billing accuracy", Phrase, "rechnung"),
    (2, "BILL", "billing accuracy", Pattern, r"\bfactur[ae]\b"),
    (2, "BILL", "billing accuracy", Phrase, "請求書"),
];

/// One rule in one version.
pub(super) struct Row {
    version: i32,
    rule: Rule,
}

/// Makes both versions; the second holds what the first does.
pub(super) fn generate(sink: &mut Sink<'_, Row>) -> Result<()> {
    for version in 1..=2 {
        let rules = RULES.into_iter().filter(|rule| rule.0 <= version);
        rules.map(|rule| Row { version, rule }).try_for_each(|row| sink.push(row))?;
    }
    Ok(())
}

/// The columns of the table.
pub(super) fn columns(rows: &[Row]) -> Vec<Column> {
    vec![
        writer::int("version", rows, |row| row.version),
        writer::date("valid_from", rows, |row| VALID_FROM[row.version as usize - 1]),
        writer::text("code", rows, |row| row.rule.1),
        writer::text("label", rows, |row| row.rule.2),
        writer::text("kind", rows, |row| match row.rule.3 {
            Phrase => "phrase",
            Pattern => "pattern",
        }),
        writer::text("match", rows, |row| row.rule.4),
    ]
}

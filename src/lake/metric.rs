//! Metrics: what a promoter, an active account or a touch is, said once.
//!
//! A metric with `sql` is used in statements like a function and written out there; the three on scales (`nps`, `csat`,
//! `ces`) are functions of the engine, and what follows from a scale (`promoter`, `satisfied`, ...) follows from it here.

use std::collections::BTreeMap;

use super::scale::{Scale, Scales};

/// One definition.
#[derive(Clone, Debug)]
pub struct Metric {
    pub name: String,
    pub description: String,
    /// What it is called with, in this order.
    pub arguments: Vec<String>,
    pub formula: Formula,
    /// Where the definition comes from.
    pub source: Option<String>,
    /// File and line of the manifest; `None` where cxlake itself says it.
    pub place: Option<(String, usize)>,
}

/// How a metric is worked out.
#[derive(Clone, Debug)]
pub enum Formula {
    /// An SQL expression over the arguments.
    Sql(String),
    /// Functions of the engine, and in words what they work out.
    Functions { names: &'static [&'static str], words: String },
}

impl Metric {
    /// The call, such as `promoter(score)`.
    pub fn call(&self) -> String {
        format!("{}({})", self.name, self.arguments.join(", "))
    }

    /// The formula as a person reads it.
    pub fn formula_text(&self) -> &str {
        match &self.formula {
            Formula::Sql(text) | Formula::Functions { words: text, .. } => text,
        }
    }

    fn of_score(name: &str, description: &str, formula: Formula, source: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            arguments: vec!["score".to_owned()],
            formula,
            source: Some(source.to_owned()),
            place: None,
        }
    }
}

const REICHHELD: &str = "Reichheld, The One Number You Need to Grow, Harvard Business Review, December 2003";
const TOP_BOXES: &str = "share of the top boxes of the scale, as is common in the field";
const EFFORT: &str =
    "Dixon, Freeman and Toman, Stop Trying to Delight Your Customers, Harvard Business Review, July 2010";

/// What follows from the scales, by name.
pub fn of_scales(scales: &Scales) -> BTreeMap<String, Metric> {
    let between = |low: i64, high: i64| Formula::Sql(format!("score between {low} and {high}"));
    let top = |scale: &Scale| between(scale.top_from, scale.high);
    let range = |scale: &Scale| format!("{} to {}", scale.low, scale.high);
    let (nps, csat, ces) = (&scales.nps, &scales.csat, &scales.ces);
    let mut metrics = vec![
        Metric::of_score(
            "nps",
            &format!("Net Promoter Score in points, over answers of {}", range(nps)),
            Formula::Functions {
                names: &["nps", "nps_stats", "nps_test"],
                words: "100 * (promoters - detractors) / answers".to_owned(),
            },
            REICHHELD,
        ),
        Metric::of_score("promoter", "whether an answer is a promoter's", top(nps), REICHHELD),
        Metric::of_score(
            "csat",
            &format!("share of satisfied answers, over answers of {}", range(csat)),
            Formula::Functions { names: &["csat", "csat_stats"], words: "satisfied answers / answers".to_owned() },
            TOP_BOXES,
        ),
        Metric::of_score("satisfied", "whether an answer is satisfied", top(csat), TOP_BOXES),
        Metric::of_score(
            "ces",
            &format!("Customer Effort Score: mean of answers of {}", range(ces)),
            Formula::Functions { names: &["ces", "ces_stats"], words: "sum of answers / answers".to_owned() },
            EFFORT,
        ),
        Metric::of_score("easy", "whether an answer says that it was easy", top(ces), EFFORT),
    ];
    if let Some(bottom_to) = nps.bottom_to {
        let detractor = between(nps.low, bottom_to);
        metrics.push(Metric::of_score("detractor", "whether an answer is a detractor's", detractor, REICHHELD));
        let passive = between(bottom_to + 1, nps.top_from - 1);
        metrics.push(Metric::of_score("passive", "whether an answer is a passive one", passive, REICHHELD));
    }
    metrics.into_iter().map(|metric| (metric.name.clone(), metric)).collect()
}

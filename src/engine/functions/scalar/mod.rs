//! Scalar functions: a value for each row, from that row alone.

mod band;
mod choice;
mod decay;
mod distinct_texts;
mod duration_parts;
mod health;
mod in_utc;
mod narrow_cast;
mod normal;
mod one_nan;
mod product;
mod reason_codes;
mod regexp_replace;
mod sentiment;
mod short_text;
mod significance;
mod span_length;
mod whole_numbers;
mod wilson;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::help::Help;
use significance::{Of, Significance};

pub use choice::Choice;
pub use distinct_texts::OfDistinctTexts;
pub use duration_parts::extract_planner;
pub use in_utc::{DayInUtc, is_utc};
pub use narrow_cast::NarrowCast;
pub use one_nan::OneNan;
pub use product::Product;
pub use short_text::ShortTextIs;
pub use span_length::{SpanLength, nanoseconds, unit_length};
pub use whole_numbers::WholeNumbers;

/// What each says of itself.
pub const HELPS: &[&Help] = &[
    &significance::NPS_TEST,
    &significance::SHARE_TEST,
    &wilson::WILSON,
    &normal::Z_VALUE,
    &normal::P_VALUE,
    &reason_codes::HELP,
    &sentiment::HELP,
    &band::HELP,
    &decay::HELP,
    &health::COVERAGE_HELP,
    &health::SCORE_HELP,
];

/// All of them, and those of the engine that we make differently.
pub fn all() -> Vec<Arc<ScalarUDF>> {
    let all = [
        ScalarUDF::from(Significance::new(Of::Nps)),
        ScalarUDF::from(Significance::new(Of::Shares)),
        ScalarUDF::from(wilson::Wilson::new()),
        ScalarUDF::from(normal::Normal::z_value()),
        ScalarUDF::from(normal::Normal::p_value()),
        ScalarUDF::from(reason_codes::ReasonCodes::new()),
        ScalarUDF::from(sentiment::Sentiment::new()),
        ScalarUDF::from(band::Band::new()),
        ScalarUDF::from(decay::Decay::new()),
        ScalarUDF::from(health::OfComponents::coverage()),
        ScalarUDF::from(health::OfComponents::score()),
    ];
    // The latter come in the place of the engine's.
    let [date_trunc, _] = in_utc::all();
    let engine = [date_trunc, duration_parts::date_part(), regexp_replace::regexp_replace()];
    all.into_iter().chain(engine).map(Arc::new).collect()
}

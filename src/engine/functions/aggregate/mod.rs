//! Aggregate functions: many rows to one value, vectorised for many groups, and over windows.

mod ces;
mod codebook;
mod csat;
mod nps;
mod tally;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

use super::help::Help;
use crate::lake::scale::Scales;
use tally::ScoreFunction;

/// What each says of itself.
pub const HELPS: &[&Help] = &[
    &nps::NPS,
    &nps::NPS_STATS,
    &csat::CSAT,
    &csat::CSAT_STATS,
    &csat::SHARE_STATS,
    &ces::CES,
    &ces::CES_STATS,
    &codebook::HELP,
];

/// All of them.
pub fn all(scales: &Scales) -> Vec<Arc<AggregateUDF>> {
    let all = [
        AggregateUDF::from(ScoreFunction::<nps::Nps, 3>::new(scales.nps)),
        AggregateUDF::from(ScoreFunction::<nps::NpsStats, 3>::new(scales.nps)),
        AggregateUDF::from(ScoreFunction::<csat::Csat, 2>::new(scales.csat)),
        AggregateUDF::from(ScoreFunction::<csat::CsatStats, 2>::new(scales.csat)),
        AggregateUDF::from(ScoreFunction::<csat::ShareStats, 2>::new(csat::CONDITION)),
        AggregateUDF::from(ScoreFunction::<ces::Ces, 4>::new(scales.ces)),
        AggregateUDF::from(ScoreFunction::<ces::CesStats, 4>::new(scales.ces)),
        AggregateUDF::from(codebook::CodebookOf::new()),
    ];
    all.into_iter().map(Arc::new).collect()
}

//! Aggregate functions: many rows to one value, vectorised for many groups, and over windows.

mod arg_extreme;
mod ces;
mod codebook;
mod csat;
mod distinct_count;
mod emit;
mod filter;
mod first_row;
mod float_extremes;
mod float_sums;
mod mad;
mod nps;
mod pairs;
#[cfg(test)]
pub(crate) mod paths;
mod quantile_set;
mod quantiles;
mod samples;
mod tally;
mod weighted_median;
mod whole_sums;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

use super::help::Help;
use crate::lake::scale::Scales;
use tally::ScoreFunction;

pub use distinct_count::DistinctCount;
pub use first_row::FirstRow;
pub use quantile_set::QuantileSet;
pub use quantiles::Quantile;

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
    &arg_extreme::ARG_MAX_HELP,
    &arg_extreme::ARG_MIN_HELP,
    &mad::HELP,
    &weighted_median::HELP,
];

/// All of them, and those of the engine that we make differently.
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
        AggregateUDF::from(arg_extreme::ArgExtreme::max()),
        AggregateUDF::from(arg_extreme::ArgExtreme::min()),
        AggregateUDF::from(mad::Mad::new()),
        AggregateUDF::from(weighted_median::WeightedMedian::new()),
    ];
    // The latter come in the place of the engine's.
    all.into_iter()
        .chain(float_sums::all())
        .chain(float_extremes::all())
        .chain(pairs::all())
        .chain(quantiles::all())
        .map(Arc::new)
        .collect()
}

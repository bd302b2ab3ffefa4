//! Customer effort: `ces` and, with its base and interval, `ces_stats`.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::{DataType, Fields};

use super::super::help::{Argument, Help, Kind, Takes};
use super::super::structs::{fields, structs};
use super::super::types::Types;
use super::tally::{CONFIDENCE, MISSING, Score, Tally, WEIGHT};
use crate::lake::scale::Scale;
use crate::statistics::proportion::mean_interval;

const SCORE: Argument = Argument {
    name: "score",
    takes: Takes::Column,
    types: Types::Answer,
    default: None,
    what: "answers from 1 to 7, or on the scale that the lake sets, of which the highest is the least effort; null is no \
           answer",
};

const ERRORS: &str = "A score outside the scale or no whole number, and a weight that is negative or not finite. Rows \
                      that do not count are not looked at.";

pub static CES: Help = Help {
    name: "ces",
    kind: Kind::Aggregate,
    summary: "Customer Effort Score 2.0: the mean of the answers to how easy it was.",
    arguments: &[SCORE, WEIGHT, MISSING],
    returns: "A float, 1 to 7.",
    nulls: "A null score is no answer and stays out of the base, and so does an answer with a null weight. Without \
            answers, or when their weights sum to 0, the mean is null.",
    errors: ERRORS,
    source: "Dixon, Toman and DeLisi, The Effortless Experience (2013).",
    examples: &["select touchpoint, ces(ces) as ces from surveys group by touchpoint order by ces"],
};

pub static CES_STATS: Help = Help {
    name: "ces_stats",
    kind: Kind::Aggregate,
    summary: "Customer Effort Score with the number of answers behind it, its interval, and the share who found it easy.",
    arguments: &[SCORE, WEIGHT, MISSING, CONFIDENCE],
    returns: "A struct: n counts answers, without weights; mean, low and high are 1 to 7 and easy_share, of those from 5 \
              up, 0 to 1, weighted where there is a weight; n_effective is the size of the base that the interval uses.",
    nulls: "As `ces`; without answers n is 0 and the rest is null. One answer has no interval.",
    errors: ERRORS,
    source: "Student's t interval of the mean, with n_effective - 1 degrees of freedom; it is not cut at the ends of the \
             scale. With weights n_effective = (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965), and the variance is the \
             weighted one times n_effective / (n_effective - 1).",
    examples: &[
        "with scored as (select touchpoint, ces_stats(ces) as s from surveys group by touchpoint) select touchpoint, \
         s['n'] as n, s['mean'] as mean, s['low'] as low, s['high'] as high, s['easy_share'] as easy from scored order \
         by mean",
    ],
};

/// Places of the sums.
const EASY: usize = 1;
const SUM: usize = 2;
const SQUARES: usize = 3;

fn marks(scale: Scale, score: i64) -> [i64; 4] {
    [1, i64::from(score >= scale.top_from), score, score * score]
}

/// `ces`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ces;

impl Score<4> for Ces {
    const HELP: &'static Help = &CES;

    #[inline]
    fn marks(scale: Scale, score: i64) -> [i64; 4] {
        marks(scale, score)
    }

    fn result() -> DataType {
        DataType::Float64
    }

    fn finish(tallies: impl Iterator<Item = Tally<4>>, _: f64) -> ArrayRef {
        Arc::new(tallies.map(|tally| tally.mean(SUM)).collect::<Float64Array>())
    }
}

static FIELDS: LazyLock<Fields> =
    LazyLock::new(|| fields(&["n"], &["mean", "low", "high", "easy_share", "n_effective"]));

/// `ces_stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CesStats;

impl Score<4> for CesStats {
    const HELP: &'static Help = &CES_STATS;

    #[inline]
    fn marks(scale: Scale, score: i64) -> [i64; 4] {
        marks(scale, score)
    }

    fn result() -> DataType {
        DataType::Struct(FIELDS.clone())
    }

    fn finish(tallies: impl Iterator<Item = Tally<4>>, confidence: f64) -> ArrayRef {
        let rows = tallies.map(|tally| {
            let (mean, squares, n) = (tally.mean(SUM), tally.mean(SQUARES), tally.effective());
            let interval = mean.zip(squares).zip(n).and_then(|((mean, squares), n)| {
                let spread = squares - mean * mean;
                // Whole numbers that differ at all have a spread far above what rounding leaves of none.
                let spread = if spread > 1e-12 * squares { spread } else { 0.0 };
                mean_interval(mean, spread * n / (n - 1.0), n, confidence)
            });
            let (low, high) = interval.map(|interval| (interval.low, interval.high)).unzip();
            Some(([tally.n()], [mean, low, high, tally.mean(EASY), n]))
        });
        structs(&FIELDS, rows)
    }
}

//! Net Promoter Score: `nps` and, with its base and interval, `nps_stats`.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::{DataType, Fields};

use super::super::help::{Argument, Help, Kind, Takes};
use super::super::structs::{fields, structs};
use super::super::types::Types;
use super::tally::{CONFIDENCE, MISSING, Score, Tally, WEIGHT};
use crate::lake::scale::Scale;
use crate::statistics::proportion::{NetShares, net_interval, normal_quantile};

const SCORE: Argument = Argument {
    name: "score",
    takes: Takes::Column,
    types: Types::Answer,
    default: None,
    what: "answers from 0 to 10, or on the scale that the lake sets; null is no answer",
};

const NULLS: &str = "A null score is no answer and stays out of the base, and so does an answer with a null weight. \
                     Without answers, or when their weights sum to 0, the score is null: 0 is a real score.";

const ERRORS: &str = "A score outside the scale or no whole number, and a weight that is negative or not finite. Rows \
                      that do not count are not looked at.";

pub static NPS: Help = Help {
    name: "nps",
    kind: Kind::Aggregate,
    summary: "Net Promoter Score: per cent of promoters less per cent of detractors.",
    arguments: &[SCORE, WEIGHT, MISSING],
    returns: "A float in points, -100 to 100, not rounded.",
    nulls: NULLS,
    errors: ERRORS,
    source: "100 (P - D) / n; promoters give 9 or 10, detractors 0 to 6 (Reichheld, Harvard Business Review, December \
             2003).",
    examples: &[
        "select office_id, nps(nps) as nps from surveys group by office_id order by nps desc",
        "select distinct month, nps(nps) over (order by month range between interval '2 months' preceding and current \
         row) as of_3_months from surveys order by month",
    ],
};

pub static NPS_STATS: Help = Help {
    name: "nps_stats",
    kind: Kind::Aggregate,
    summary: "Net Promoter Score with the numbers of answers behind it and its interval.",
    arguments: &[SCORE, WEIGHT, MISSING, CONFIDENCE],
    returns: "A struct: n, promoters, passives and detractors count answers, without weights; nps, low and high are in \
              points and promoter_share and detractor_share 0 to 1, weighted where there is a weight; n_effective is the \
              size of the base that the interval uses. Fields are had as `nps_stats(x).low` or `nps_stats(x)['low']`, \
              and as `s['low']` or `t.s.low` where the struct is a column `s` of a table `t`.",
    nulls: "A null score is no answer and stays out of the base, and so does an answer with a null weight. Without \
            answers the counts are 0 and the rest is null; the rest is null, too, when the weights sum to 0.",
    errors: ERRORS,
    source: "Adjusted Wald interval, which adds 3/4 of a promoter, 3/2 passives and 3/4 of a detractor and is cut at -100 \
             and 100 (Sauro and Lewis, measuringu.com); with weights n_effective = (sum w)^2 / sum w^2 (Kish, Survey \
             Sampling, 1965).",
    examples: &[
        "select nps_stats(nps) as s, nps_stats(nps).low as low, nps_stats(nps)['high'] as high from surveys",
        "with scored as (select office_id, nps_stats(nps, weight => weight) as s from surveys group by office_id) \
         select office_id, s['n'] as n, s['nps'] as nps, scored.s.low, scored.s.high from scored order by nps",
    ],
};

/// Places of the sums.
const PROMOTERS: usize = 1;
const DETRACTORS: usize = 2;

fn marks(scale: Scale, score: i64) -> [i64; 3] {
    let is_detractor = scale.bottom_to.is_some_and(|bottom_to| score <= bottom_to);
    [1, i64::from(score >= scale.top_from), i64::from(is_detractor)]
}

fn points(tally: &Tally<3>) -> Option<f64> {
    tally.points(PROMOTERS, DETRACTORS)
}

/// `nps`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Nps;

impl Score<3> for Nps {
    const HELP: &'static Help = &NPS;

    #[inline]
    fn marks(scale: Scale, score: i64) -> [i64; 3] {
        marks(scale, score)
    }

    fn result() -> DataType {
        DataType::Float64
    }

    fn finish(tallies: impl Iterator<Item = Tally<3>>, _: f64) -> ArrayRef {
        Arc::new(tallies.map(|tally| points(&tally)).collect::<Float64Array>())
    }
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let counts = ["n", "promoters", "passives", "detractors"];
    fields(&counts, &["nps", "low", "high", "n_effective", "promoter_share", "detractor_share"])
});

/// `nps_stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NpsStats;

impl Score<3> for NpsStats {
    const HELP: &'static Help = &NPS_STATS;

    #[inline]
    fn marks(scale: Scale, score: i64) -> [i64; 3] {
        marks(scale, score)
    }

    fn result() -> DataType {
        DataType::Struct(FIELDS.clone())
    }

    fn finish(tallies: impl Iterator<Item = Tally<3>>, confidence: f64) -> ArrayRef {
        let z = normal_quantile(confidence);
        let rows = tallies.map(|tally| {
            let [n, promoters, detractors] = tally.counts;
            let (top, bottom, size) = (tally.mean(PROMOTERS), tally.mean(DETRACTORS), tally.effective());
            let shares = top.zip(bottom).zip(size).map(|((top, bottom), n)| NetShares { top, bottom, n });
            let interval = shares.map(|shares| net_interval(shares, z));
            let (low, high) = interval.map(|interval| (100.0 * interval.low, 100.0 * interval.high)).unzip();
            let counts = [n, promoters, n - promoters - detractors, detractors];
            Some((counts, [points(&tally), low, high, size, top, bottom]))
        });
        structs(&FIELDS, rows)
    }
}

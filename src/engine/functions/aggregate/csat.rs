//! Customer satisfaction: `csat` and, with its base and interval, `csat_stats`; and `share_stats`, the same for any condition.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::{DataType, Fields};

use super::super::help::{Argument, Help, Kind, Takes};
use super::super::structs::{fields, structs};
use super::super::types::Types;
use super::tally::{CONFIDENCE, MISSING, Score, Tally, WEIGHT};
use crate::lake::scale::Scale;
use crate::statistics::proportion::{Share, normal_quantile, wilson};

/// The scale of a condition: false is 0 and true, which counts, 1.
pub const CONDITION: Scale = Scale { low: 0, high: 1, top_from: 1, bottom_to: None };

const SCORE: Argument = Argument {
    name: "score",
    takes: Takes::Column,
    types: Types::Answer,
    default: None,
    what: "answers from 1 to 5, or on the scale that the lake sets; null is no answer",
};

const TOP: Argument = Argument {
    name: "top",
    takes: Takes::Value,
    types: Types::Whole,
    default: Some("null"),
    what: "how many of the highest values count as satisfied; null: those that the lake's scale names, by default 2, the \
           4 and 5 of 1 to 5",
};

const NULLS: &str = "A null score is no answer and stays out of the base, and so does an answer with a null weight. \
                     Without answers, or when their weights sum to 0, the share is null.";

const ERRORS: &str = "A score outside the scale or no whole number, and a weight that is negative or not finite. Rows \
                      that do not count are not looked at.";

const WILSON: &str = "Wilson's score interval (Journal of the American Statistical Association 22, 1927); with weights \
                      over n_effective = (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965).";

pub static CSAT: Help = Help {
    name: "csat",
    kind: Kind::Aggregate,
    summary: "Customer satisfaction: the share of answers that are among the highest values, by default the top two.",
    arguments: &[SCORE, WEIGHT, MISSING, TOP],
    returns: "A float, 0 to 1.",
    nulls: NULLS,
    errors: ERRORS,
    source: "satisfied / answered",
    examples: &[
        "select touchpoint, csat(csat) as csat, csat(csat, top => 1) as top_box from surveys group by touchpoint order \
         by touchpoint",
    ],
};

pub static CSAT_STATS: Help = Help {
    name: "csat_stats",
    kind: Kind::Aggregate,
    summary: "Customer satisfaction with the numbers of answers behind it and its interval.",
    arguments: &[SCORE, WEIGHT, MISSING, TOP, CONFIDENCE],
    returns: "A struct: n and satisfied count answers, without weights; csat, low and high are 0 to 1, weighted where \
              there is a weight; n_effective is the size of the base that the interval uses.",
    nulls: "As `csat`; without answers the counts are 0 and the rest is null.",
    errors: ERRORS,
    source: WILSON,
    examples: &[
        "with scored as (select touchpoint, csat_stats(csat) as s from surveys group by touchpoint) select touchpoint, \
         s['n'] as n, s['csat'] as csat, s['low'] as low, s['high'] as high from scored order by csat",
    ],
};

pub static SHARE_STATS: Help = Help {
    name: "share_stats",
    kind: Kind::Aggregate,
    summary: "The share of rows for which a condition holds, with its base and interval.",
    arguments: &[
        Argument {
            name: "condition",
            takes: Takes::Column,
            types: Types::Condition,
            default: None,
            what: "what holds or does not; null, where it is not known, stays out of the base",
        },
        WEIGHT,
        CONFIDENCE,
    ],
    returns: "A struct: n and k count rows and those for which it holds, without weights; share, low and high are 0 to 1, \
              weighted where there is a weight; n_effective is the size of the base that the interval uses.",
    nulls: "A null condition stays out of the base, and so does a row with a null weight. Without rows the counts are 0 \
            and the rest is null; the rest is null, too, when the weights sum to 0.",
    errors: "A weight that is negative or not finite.",
    source: WILSON,
    examples: &[
        "with asked as (select survey_type, share_stats(answered_at is not null) as s from surveys group by survey_type) \
         select survey_type, s['n'] as n, s['share'] as rate, s['low'] as low, s['high'] as high from asked order by rate",
    ],
};

/// Place of the sum of satisfied answers.
const TOPS: usize = 1;

fn marks(scale: Scale, score: i64) -> [i64; 2] {
    [1, i64::from(score >= scale.top_from)]
}

fn shares(fields: &Fields, tallies: impl Iterator<Item = Tally<2>>, confidence: f64) -> ArrayRef {
    let z = normal_quantile(confidence);
    let rows = tallies.map(|tally| {
        let (share, n) = (tally.mean(TOPS), tally.effective());
        let interval = share.zip(n).map(|(share, n)| wilson(Share { share, n }, z));
        let (low, high) = interval.map(|interval| (interval.low, interval.high)).unzip();
        Some((tally.counts, [share, low, high, n]))
    });
    structs(fields, rows)
}

/// `csat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Csat;

impl Score<2> for Csat {
    const HELP: &'static Help = &CSAT;

    #[inline]
    fn marks(scale: Scale, score: i64) -> [i64; 2] {
        marks(scale, score)
    }

    fn result() -> DataType {
        DataType::Float64
    }

    fn finish(tallies: impl Iterator<Item = Tally<2>>, _: f64) -> ArrayRef {
        Arc::new(tallies.map(|tally| tally.mean(TOPS)).collect::<Float64Array>())
    }
}

static CSAT_FIELDS: LazyLock<Fields> =
    LazyLock::new(|| fields(&["n", "satisfied"], &["csat", "low", "high", "n_effective"]));

/// `csat_stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CsatStats;

impl Score<2> for CsatStats {
    const HELP: &'static Help = &CSAT_STATS;

    #[inline]
    fn marks(scale: Scale, score: i64) -> [i64; 2] {
        marks(scale, score)
    }

    fn result() -> DataType {
        DataType::Struct(CSAT_FIELDS.clone())
    }

    fn finish(tallies: impl Iterator<Item = Tally<2>>, confidence: f64) -> ArrayRef {
        shares(&CSAT_FIELDS, tallies, confidence)
    }
}

static SHARE_FIELDS: LazyLock<Fields> = LazyLock::new(|| fields(&["n", "k"], &["share", "low", "high", "n_effective"]));

/// `share_stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShareStats;

impl Score<2> for ShareStats {
    const HELP: &'static Help = &SHARE_STATS;

    #[inline]
    fn marks(scale: Scale, score: i64) -> [i64; 2] {
        marks(scale, score)
    }

    fn result() -> DataType {
        DataType::Struct(SHARE_FIELDS.clone())
    }

    fn finish(tallies: impl Iterator<Item = Tally<2>>, confidence: f64) -> ArrayRef {
        shares(&SHARE_FIELDS, tallies, confidence)
    }
}

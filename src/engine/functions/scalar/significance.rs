//! Whether two groups differ: `nps_test` and `share_test` over what `nps_stats`, `share_stats` and `csat_stats` give.

use std::sync::LazyLock;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, StructArray};
use datafusion::arrow::datatypes::{DataType, Fields, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::structs::{fields, structs};
use super::super::types::{self, Types};
use crate::error::Error;
use crate::statistics::proportion::{NetShares, Share, Test, net_test, share_test};

const fn stats(name: &'static str, what: &'static str) -> Argument {
    Argument { name, takes: Takes::Column, types: Types::Statistics, default: None, what }
}

const RETURNS: &str = "A struct: difference, the first less the second; z; and p, two-sided, which says how often chance \
                       alone makes a difference at least as large.";

const NULLS: &str = "Null when either side is null, has no answers, or has weights that sum to 0.";

pub static NPS_TEST: Help = Help {
    name: "nps_test",
    kind: Kind::Scalar,
    summary: "Whether two Net Promoter Scores differ by more than chance.",
    arguments: &[
        stats("first", "what `nps_stats` gives for one group"),
        stats("second", "what `nps_stats` gives for another, with no answer in both"),
    ],
    returns: "A struct: difference, the first score less the second, in points and as observed; z, from the adjusted \
              scores; and p, two-sided, which says how often chance alone makes a difference at least as large.",
    nulls: NULLS,
    errors: "Anything but what `nps_stats` gives.",
    source: "Each score is adjusted by 3/4 of a promoter, 3/2 passives and 3/4 of a detractor; z = difference / sqrt(SE1^2 \
             + SE2^2) (measuringu.com, significance test for two Net Promoter Scores).",
    examples: &[
        "select nps_test(nps_stats(nps) filter (where month >= date '2026-04-01'), nps_stats(nps) filter (where month < \
         date '2026-04-01')) as test from surveys",
        "with s as (select survey_type, nps_stats(nps) as s from surveys group by survey_type) select a.survey_type, \
         b.survey_type as other, nps_test(a.s, b.s)['p'] as p from s as a join s as b on a.survey_type < b.survey_type \
         order by p",
    ],
};

pub static SHARE_TEST: Help = Help {
    name: "share_test",
    kind: Kind::Scalar,
    summary: "Whether two shares differ by more than chance.",
    arguments: &[
        stats("first", "what `share_stats` or `csat_stats` gives for one group"),
        stats("second", "what it gives for another, with no row in both"),
    ],
    returns: RETURNS,
    nulls: NULLS,
    errors: "Anything but what `share_stats` and `csat_stats` give.",
    source: "The z-test with the pooled share, without continuity correction; where all or none of both groups are in, z \
             is 0 and p is 1.",
    examples: &[
        "select share_test(share_stats(answered_at is not null) filter (where language = 'en'), share_stats(answered_at \
         is not null) filter (where language <> 'en')) as test from surveys",
    ],
};

/// Which test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    Nps,
    Shares,
}

/// `nps_test` and `share_test`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Significance {
    of: Of,
    signature: Signature,
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| fields(&[], &["difference", "z", "p"]));

impl Significance {
    pub fn new(of: Of) -> Self {
        Self { of, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn help(&self) -> &'static Help {
        match self.of {
            Of::Nps => &NPS_TEST,
            Of::Shares => &SHARE_TEST,
        }
    }

    /// The fields that the test reads; of several names, the one that is there.
    fn reads(&self) -> &'static [&'static [&'static str]] {
        match self.of {
            Of::Nps => &[&["promoter_share"], &["detractor_share"], &["n_effective"]],
            Of::Shares => &[&["share", "csat"], &["n_effective"]],
        }
    }

    /// The test of one pair, from the fields that it reads.
    fn test(&self, first: &[f64], second: &[f64]) -> Option<[f64; 3]> {
        let Test { difference, z, p } = match (self.of, first, second) {
            (Of::Nps, [top, bottom, n], [other_top, other_bottom, other_n]) => {
                let first = NetShares { top: *top, bottom: *bottom, n: *n };
                let second = NetShares { top: *other_top, bottom: *other_bottom, n: *other_n };
                let test = net_test(first, second);
                Test { difference: 100.0 * test.difference, ..test }
            }
            (Of::Shares, [share, n], [other_share, other_n]) => {
                share_test(Share { share: *share, n: *n }, Share { share: *other_share, n: *other_n })
            }
            _ => return None,
        };
        Some([difference, z, p])
    }
}

/// The column of the first of these fields that a struct has, if it holds floats.
fn place(fields: &Fields, names: &[&str]) -> Option<usize> {
    let found = names.iter().find_map(|name| fields.iter().position(|field| field.name() == name));
    found.filter(|place| fields[*place].data_type() == &DataType::Float64)
}

/// The values of a row, unless one is null.
fn row(stats: &StructArray, columns: &[&Float64Array], row: usize) -> Option<Vec<f64>> {
    // A field under a null struct can hold anything.
    let is_there = stats.is_valid(row) && columns.iter().all(|column| column.is_valid(row));
    is_there.then(|| columns.iter().map(|column| column.value(row)).collect())
}

impl ScalarUDFImpl for Significance {
    fn name(&self) -> &str {
        self.help().name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, call: &[Expr]) -> Result<String> {
        Ok(headings::scalar(self.help(), call))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types::coerced(self.help(), given))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let (help, made_by) = match self.of {
            Of::Nps => (&NPS_TEST, "`nps_stats` gives"),
            Of::Shares => (&SHARE_TEST, "`share_stats` or `csat_stats` gives"),
        };
        for (argument, given) in help.arguments.iter().zip(given) {
            let is = match given {
                DataType::Null => continue,
                DataType::Struct(fields) if self.reads().iter().all(|names| place(fields, names).is_some()) => continue,
                DataType::Struct(_) => "another struct".to_owned(),
                other => types::word(other),
            };
            let name = argument.name;
            let error = Error::query(format!("`{name}` of `{}` takes what {made_by}, and was given {is}", help.name));
            return Err(error.hint(format!("it is called as `{}`", help.syntax())).into());
        }
        Ok(DataType::Struct(FIELDS.clone()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let sides: Vec<ArrayRef> =
            arguments.args.into_iter().map(|side| side.into_array(rows)).collect::<Result<_>>()?;
        let mut stats = Vec::new();
        for side in &sides {
            let Some(side) = side.as_struct_opt() else {
                let nothing = std::iter::repeat_n(None::<([i64; 0], [Option<f64>; 3])>, rows);
                return Ok(ColumnarValue::Array(structs(&FIELDS, nothing)));
            };
            let columns = self.reads().iter().filter_map(|names| place(side.fields(), names));
            stats.push((side, columns.map(|at| side.column(at).as_primitive::<Float64Type>()).collect::<Vec<_>>()));
        }
        let tests = (0..rows).map(|at| match stats.as_slice() {
            [(first, first_columns), (second, second_columns)] => {
                let test = self.test(&row(first, first_columns, at)?, &row(second, second_columns, at)?)?;
                Some(([], test.map(Some)))
            }
            _ => None,
        });
        Ok(ColumnarValue::Array(structs(&FIELDS, tests)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.help().documentation())
    }
}

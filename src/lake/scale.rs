//! The scales that scores are given on: which values there are, and which of them count as good and as bad.
//!
//! A lake can set its own in `[metric.nps]`, `[metric.csat]` and `[metric.ces]`; the functions and the queries take
//! them from here, so that a promoter is the same person everywhere.

/// One scale of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale {
    /// The lowest value.
    pub low: i64,
    /// The highest value.
    pub high: i64,
    /// The lowest of the good values: promoters, satisfied, easy.
    pub top_from: i64,
    /// The highest of the bad values; detractors have it, the other scales count no bad ones.
    pub bottom_to: Option<i64>,
}

/// The scales of a lake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scales {
    pub nps: Scale,
    pub csat: Scale,
    pub ces: Scale,
}

impl Default for Scales {
    /// The scales of the literature: promoters 9 to 10 and detractors 0 to 6 of 0 to 10, the top two of 1 to 5, 5 to 7
    /// of 1 to 7.
    fn default() -> Self {
        Self {
            nps: Scale { low: 0, high: 10, top_from: 9, bottom_to: Some(6) },
            csat: Scale { low: 1, high: 5, top_from: 4, bottom_to: None },
            ces: Scale { low: 1, high: 7, top_from: 5, bottom_to: None },
        }
    }
}

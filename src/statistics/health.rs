//! Scores out of components, of which some may be missing, and how they fade and fall into bands.

use std::cmp::Ordering;

/// Coverage that is less than the least by no more than this is enough: 0.1 + 0.2 + 0.4 of 1 is 0.7.
const COVERAGE_TOLERANCE: f64 = 1e-9;

/// What the components of a score add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    weighted: f64,
    weight_present: f64,
    weight: f64,
}

impl Health {
    /// Adds up components, each a score and its weight. One without a score is absent; one without a weight is none.
    ///
    /// # Errors
    /// The first weight that is negative, infinite or NaN.
    pub fn of(components: impl IntoIterator<Item = (Option<f64>, Option<f64>)>) -> Result<Self, f64> {
        let mut health = Self::default();
        for (score, weight) in components {
            let Some(weight) = weight else { continue };
            if !(weight >= 0.0 && weight.is_finite()) {
                return Err(weight);
            }
            health.weight += weight;
            if let Some(score) = score {
                health.weight_present += weight;
                health.weighted += weight * score;
            }
        }
        Ok(health)
    }

    /// sum(w present) / sum(w), 0 to 1; `None` without weight.
    pub fn coverage(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.weight_present / self.weight)
    }

    /// sum(w s) / sum(w) over the components that are present; `None`, for unknown, when less than `min_coverage` is.
    pub fn score(&self, min_coverage: f64) -> Option<f64> {
        let is_enough = self.coverage()? + COVERAGE_TOLERANCE >= min_coverage;
        (is_enough && self.weight_present > 0.0).then(|| self.weighted / self.weight_present)
    }
}

/// What is left of a weight at some age: 2^(-age / half-life).
pub fn decay(age: f64, half_life: f64) -> f64 {
    0.5_f64.powf(age / half_life)
}

/// Which band has a value that is exactly an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The edge is the lower end of the band above it, and in it.
    Lower,
    /// The edge is the upper end of the band below it, and in it.
    Upper,
}

/// The band, 0 to the number of edges, that a number falls in; `edges` ascend. `None` for NaN, which is in no band.
pub fn band(value: f64, edges: &[f64], edge: Edge) -> Option<usize> {
    if value.is_nan() {
        return None;
    }
    Some(edges.partition_point(|bound| match edge {
        Edge::Lower => *bound <= value,
        Edge::Upper => *bound < value,
    }))
}

/// The first pair of neighbours that does not ascend.
pub fn not_ascending(edges: &[f64]) -> Option<(f64, f64)> {
    let pairs = edges.windows(2).map(|pair| (pair[0], pair[1]));
    pairs.into_iter().find(|(low, high)| low.partial_cmp(high) != Some(Ordering::Less))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(components: &[(Option<f64>, f64)]) -> Health {
        Health::of(components.iter().map(|(score, weight)| (*score, Some(*weight)))).expect("weights")
    }

    #[test]
    fn a_missing_component_is_left_out_of_both_sums() {
        let some = health(&[(Some(80.0), 30.0), (None, 15.0), (Some(50.0), 15.0)]);
        assert_eq!((some.score(0.5), some.coverage()), (Some(70.0), Some(0.75)));
        assert_eq!(some.score(0.75), Some(70.0));
        assert_eq!(some.score(0.76), None);
        let none = health(&[(None, 30.0), (None, 15.0)]);
        assert_eq!((none.score(0.0), none.coverage()), (None, Some(0.0)));
        let zero = health(&[(Some(80.0), 0.0)]);
        assert_eq!((zero.score(0.0), zero.coverage()), (None, None));
        let empty = health(&[]);
        assert_eq!((empty.score(0.0), empty.coverage()), (None, None));
    }

    #[test]
    fn a_component_without_weight_is_none_and_a_wrong_weight_is_refused() {
        let some = Health::of([(Some(80.0), Some(1.0)), (Some(0.0), None)]).expect("weights");
        assert_eq!((some.score(1.0), some.coverage()), (Some(80.0), Some(1.0)));
        assert_eq!(Health::of([(None, Some(-1.0))]), Err(-1.0));
        assert!(Health::of([(None, Some(f64::NAN))]).is_err_and(f64::is_nan));
    }

    #[test]
    fn rounding_of_weights_takes_no_coverage_away() {
        let some = health(&[(Some(1.0), 0.1), (Some(1.0), 0.2), (Some(1.0), 0.4), (None, 0.3)]);
        assert!(some.score(0.7).is_some());
    }

    #[test]
    fn an_answer_counts_half_after_its_half_life() {
        assert_eq!([0.0, 180.0, 360.0].map(|age| Some(decay(age, 180.0))), [Some(1.0), Some(0.5), Some(0.25)]);
    }

    #[test]
    fn an_edge_belongs_above_unless_it_is_an_upper_one() {
        let places =
            |edge| [49.9, 50.0, 69.0, 70.0, 100.0].map(|value| band(value, &[50.0, 70.0], edge).expect("a band"));
        assert_eq!(places(Edge::Lower), [0, 1, 1, 2, 2]);
        assert_eq!(places(Edge::Upper), [0, 0, 1, 1, 2]);
        assert_eq!(band(f64::NAN, &[50.0], Edge::Lower), None);
        assert_eq!(band(f64::INFINITY, &[50.0], Edge::Lower), Some(1));
        assert_eq!(band(1.0, &[], Edge::Lower), Some(0));
        assert_eq!(not_ascending(&[1.0, 2.0, 2.0]), Some((2.0, 2.0)));
        assert_eq!(not_ascending(&[1.0, 2.0]), None);
    }
}

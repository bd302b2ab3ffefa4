//! Medians, quantiles and deviations from them.
//!
//! Values come in any order. NaN sorts after every number, whatever its sign, as ORDER BY and DuckDB have it.

use std::cmp::Ordering;

use super::sum::Sum;

/// Makes the median absolute deviation of a normal distribution its standard deviation, as its inverse (Iglewicz and Hoaglin, 1993).
const MAD_OF_NORMAL: f64 = 0.6745;

/// The interquartile range of a normal distribution, in standard deviations.
const IQR_OF_NORMAL: f64 = 1.349;

/// Values below which a robust z says nothing.
const ROBUST_Z_VALUES_MIN: usize = 5;

/// Half of all weight is reached when it is this close, as a share of all weight: 0.1 + 0.2 is half of 0.6.
const HALF_TOLERANCE: f64 = 1e-12;

/// The order of floats: numbers, then NaN.
pub fn ascending(left: &f64, right: &f64) -> Ordering {
    left.partial_cmp(right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// The middle value, or the mean of the two middle ones; `None` without values. Reorders `values`.
pub fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let is_odd = values.len() % 2 == 1;
    let middle = values.len() / 2;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, ascending);
    match below.iter().copied().max_by(ascending) {
        Some(lower) if !is_odd => Some(lower.midpoint(upper)),
        _ => Some(upper),
    }
}

/// Median absolute deviation: the median distance of the values from their median, in their unit and not scaled.
///
/// `None` without values. Overwrites `values`.
pub fn mad(values: &mut [f64]) -> Option<f64> {
    let centre = median(values)?;
    for value in &mut *values {
        *value = (*value - centre).abs();
    }
    median(values)
}

/// The value below which the share `p`, 0 to 1, of ascending `sorted` lies, interpolated between neighbours (Hyndman and
/// Fan's type 7, the `percentile_cont` of SQL and the default of R, NumPy and spreadsheets). `None` without values.
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let place = p * sorted.len().checked_sub(1)? as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of values")]
    let lower = place.floor() as usize;
    let low = *sorted.get(lower)?;
    match sorted.get(lower + 1) {
        Some(&high) if place > lower as f64 => Some(between(low, high, place - lower as f64)),
        _ => Some(low),
    }
}

/// [`quantile`] of values in any order, which it changes.
pub fn quantile_of(values: &mut [f64], p: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)? as f64;
    Some(value_at(values, p * last))
}

/// [`quantile_of`] values in descending order; `1.0 - p` would have been rounded.
pub fn quantile_from_above(values: &mut [f64], p: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)? as f64;
    Some(value_at(values, last - p * last))
}

/// The value at a place among ascending ones, from 0 to the last of at least one, interpolated between neighbours.
fn value_at(values: &mut [f64], place: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of values")]
    let lower = (place.floor() as usize).min(values.len() - 1);
    let (_, &mut low, above) = values.select_nth_unstable_by(lower, ascending);
    match above.iter().copied().min_by(ascending) {
        Some(high) if place > lower as f64 => between(low, high, place - lower as f64),
        _ => low,
    }
}

/// The value so far on the way from one to another, as a share of it.
fn between(low: f64, high: f64, share: f64) -> f64 {
    let distance = high - low;
    match ascending(&low, &high) {
        // Two infinities have no distance.
        Ordering::Equal => low,
        _ if distance.is_finite() => low + distance * share,
        // That of two far numbers is beyond all floats, and what lies between them is not.
        _ => low * (1.0 - share) + high * share,
    }
}

/// The value at which half of the weight is reached; where exactly half lies below it, the mean of the two values on
/// either side, so that equal weights give the plain median.
///
/// `pairs`: value and weight, weights at least 0 and finite; weight 0 counts nothing. `None` without weight. Reorders
/// `pairs`.
pub fn weighted_median(pairs: &mut [[f64; 2]]) -> Option<f64> {
    // By weight too, so that sums, and with them the last digits, do not depend on the order of rows.
    pairs.sort_unstable_by(|a, b| ascending(&a[0], &b[0]).then(ascending(&a[1], &b[1])));
    let mut all = Sum::default();
    for [_, weight] in &*pairs {
        all.add(*weight);
    }
    let all = all.value();
    if all <= 0.0 {
        return None;
    }
    if !all.is_finite() {
        // Only shares of the weight matter, so weights whose sum is too large for a float are made smaller.
        for [_, weight] in &mut *pairs {
            *weight /= 2f64.powi(64);
        }
        return weighted_median(pairs);
    }
    let half = all / 2.0;
    let tolerance = all * HALF_TOLERANCE;
    let mut below = Sum::default();
    let mut weighing = pairs.iter().filter(|[_, weight]| *weight > 0.0).peekable();
    while let Some([value, weight]) = weighing.next() {
        below.add(*weight);
        let over = below.value() - half;
        if over.abs() <= tolerance
            && let Some([next, _]) = weighing.peek()
        {
            return Some(value.midpoint(*next));
        }
        if over > 0.0 || weighing.peek().is_none() {
            return Some(*value);
        }
    }
    None
}

/// How far values lie from the middle of all, in robust standard deviations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RobustScale {
    centre: f64,
    spread: Spread,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Spread {
    Mad(f64),
    Iqr(f64),
}

impl RobustScale {
    /// The scale of some values; `None` below five of them, and where neither the MAD nor the interquartile range is
    /// above zero, because then there is nothing to measure a distance with. Reorders `values`.
    pub fn of(values: &mut [f64]) -> Option<Self> {
        if values.len() < ROBUST_Z_VALUES_MIN {
            return None;
        }
        let centre = median(values)?;
        let mad = mad(&mut values.to_vec())?;
        if mad > 0.0 {
            return Some(Self { centre, spread: Spread::Mad(mad) });
        }
        values.sort_unstable_by(ascending);
        let iqr = quantile(values, 0.75)? - quantile(values, 0.25)?;
        (iqr > 0.0).then_some(Self { centre, spread: Spread::Iqr(iqr) })
    }

    /// 0.6745 (x - median) / MAD (Iglewicz and Hoaglin, 1993; an outlier beyond 3.5); where the MAD is zero, the
    /// interquartile range by 1.349 stands for the standard deviation.
    pub fn z(&self, value: f64) -> f64 {
        let distance = value - self.centre;
        match self.spread {
            Spread::Mad(mad) => MAD_OF_NORMAL * distance / mad,
            Spread::Iqr(iqr) => distance / (iqr / IQR_OF_NORMAL),
        }
    }
}

/// Medians of all values but one, each in constant time.
#[derive(Clone, Debug)]
pub struct Peers {
    sorted: Vec<f64>,
}

impl Peers {
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(ascending);
        Self { sorted: values }
    }

    /// The values without `own`; all of them for a thing that has none.
    pub fn count(&self, own: Option<f64>) -> usize {
        self.sorted.len() - usize::from(own.is_some())
    }

    /// The median of the values without `own`, which is one of them; of all for a thing that has none.
    pub fn median(&self, own: Option<f64>) -> Option<f64> {
        let count = self.count(own);
        // Of several that are equal it does not matter which one is left out.
        let left_out = own.map_or(self.sorted.len(), |own| {
            self.sorted.partition_point(|value| ascending(value, &own) == Ordering::Less)
        });
        let at = |place: usize| self.sorted.get(place + usize::from(place >= left_out)).copied();
        if count % 2 == 1 {
            return at(count / 2);
        }
        Some(at((count / 2).checked_sub(1)?)?.midpoint(at(count / 2)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_two() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [7.0]), Some(7.0));
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&mut [2.0, 2.0, 2.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [f64::MAX, f64::MAX]), Some(f64::MAX));
        assert_eq!(median(&mut [f64::NAN, 1.0, -f64::NAN]).map(f64::is_nan), Some(true));
        assert_eq!(median(&mut [-f64::NAN, 1.0, 2.0]), Some(2.0));
    }

    #[test]
    fn mad_is_the_median_of_the_distances_from_the_median() {
        // The example of Wikipedia's article: median 2, distances 1 1 0 0 2 4 7.
        assert_eq!(mad(&mut [1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]), Some(1.0));
        assert_eq!(mad(&mut [5.0, 5.0, 5.0]), Some(0.0));
        assert_eq!(mad(&mut [5.0]), Some(0.0));
        assert_eq!(mad(&mut []), None);
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&sorted, 0.25), Some(1.75));
        assert_eq!(quantile(&sorted, 0.75), Some(5.0));
        assert_eq!(quantile(&sorted, 1.0), Some(8.0));
        assert_eq!(quantile(&sorted, 0.0), Some(1.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn quantiles_in_any_order_are_those_of_sorted_values_from_either_end() {
        let mut values = [4.0, 8.0, 1.0, 2.0];
        assert_eq!(quantile_of(&mut values, 0.25), Some(1.75));
        assert_eq!(quantile_from_above(&mut values, 0.75), Some(1.75));
        assert_eq!(quantile_from_above(&mut values, 0.0), Some(8.0));
        assert_eq!(quantile_from_above(&mut values, 1.0), Some(1.0));
        assert_eq!(quantile_from_above(&mut [], 0.5), None);
        // The tenth of eleven from above is the second, to the last digit.
        let mut eleven: Vec<f64> = (1..=11).map(f64::from).collect();
        assert_eq!(quantile_from_above(&mut eleven, 0.9), Some(2.0));
    }

    #[test]
    fn quantiles_between_infinite_and_far_neighbours_are_those_of_the_neighbours() {
        let infinite = [f64::NEG_INFINITY, 1.0, f64::INFINITY, f64::INFINITY];
        let far = [f64::MIN, f64::MAX];
        for (values, p, expected) in [
            (infinite.as_slice(), 0.9, f64::INFINITY),
            (infinite.as_slice(), 0.5, f64::INFINITY),
            (infinite.as_slice(), 0.1, f64::NEG_INFINITY),
            (far.as_slice(), 0.5, 0.0),
        ] {
            assert_eq!(quantile(values, p), Some(expected), "{p} of {values:?}");
            assert_eq!(quantile_of(&mut values.to_vec(), p), Some(expected), "{p} of {values:?}");
        }
    }

    #[test]
    fn half_of_the_weight_decides() {
        assert_eq!(weighted_median(&mut [[1.0, 1.0], [2.0, 1.0], [10.0, 3.0]]), Some(10.0));
        assert_eq!(weighted_median(&mut [[10.0, 3.0], [1.0, 1.0], [2.0, 2.0]]), Some(6.0));
        assert_eq!(weighted_median(&mut [[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]), Some(2.0));
        // Nothing lies between the two middle values but weight 0.
        assert_eq!(weighted_median(&mut [[1.0, 2.0], [2.0, 0.0], [3.0, 2.0]]), Some(2.0));
        assert_eq!(weighted_median(&mut [[1.0, 0.1], [2.0, 0.2], [3.0, 0.3]]), Some(2.5));
        assert_eq!(weighted_median(&mut [[1.0, 0.0]]), None);
        assert_eq!(weighted_median(&mut []), None);
        // The example of Wikipedia's article on the weighted median.
        let mut article = [[1.0, 0.15], [2.0, 0.1], [3.0, 0.2], [4.0, 0.3], [5.0, 0.25]];
        assert_eq!(weighted_median(&mut article), Some(4.0));
        let mut even = [[1.0, 0.25], [2.0, 0.25], [3.0, 0.25], [4.0, 0.25]];
        assert_eq!(weighted_median(&mut even), Some(2.5));
    }

    #[test]
    fn equal_weights_give_the_plain_median() {
        for count in 1..60 {
            for weight in [0.1, 1.0, 1.0 / 3.0, 1e-300, 1e308] {
                let values: Vec<f64> = (0..count).map(|place| f64::from((place * 37) % 61)).collect();
                let mut pairs: Vec<[f64; 2]> = values.iter().map(|value| [*value, weight]).collect();
                assert_eq!(weighted_median(&mut pairs), median(&mut values.clone()), "{count} of {weight}");
            }
        }
    }

    #[test]
    fn robust_z_falls_back_to_the_interquartile_range_and_needs_five() {
        let scale = RobustScale::of(&mut [1.0, 2.0, 3.0, 4.0, 100.0]).expect("a scale");
        assert!((scale.z(100.0) - 0.6745 * 97.0).abs() < 1e-12);
        assert_eq!(RobustScale::of(&mut [1.0, 2.0, 3.0, 100.0]), None);
        assert_eq!(RobustScale::of(&mut [2.0; 9]), None);
        // Four of seven are equal: the MAD is 0, the quartiles are 1.5 and 2.
        let scale = RobustScale::of(&mut [0.0, 1.0, 2.0, 2.0, 2.0, 2.0, 9.0]).expect("a scale");
        assert!((scale.z(9.0) - 7.0 / (0.5 / 1.349)).abs() < 1e-12);
    }

    #[test]
    fn peers_leave_out_one_of_several_equal_values() {
        let peers = Peers::new(vec![5.0, 1.0, 5.0, 2.0]);
        assert_eq!((peers.count(Some(5.0)), peers.median(Some(5.0))), (3, Some(2.0)));
        assert_eq!((peers.count(Some(1.0)), peers.median(Some(1.0))), (3, Some(5.0)));
        assert_eq!((peers.count(None), peers.median(None)), (4, Some(3.5)));
        let alone = Peers::new(vec![5.0]);
        assert_eq!((alone.count(Some(5.0)), alone.median(Some(5.0))), (0, None));
        assert_eq!(Peers::new(vec![]).median(None), None);
    }
}

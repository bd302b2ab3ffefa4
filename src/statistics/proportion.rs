//! Shares and differences of shares, with their intervals and tests.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Where a true value lies, at some confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// A share of a base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// 0 to 1.
    pub share: f64,
    /// Size of the base, more than 0; the effective size where answers are weighted.
    pub n: f64,
}

/// The two shares that a net score is the difference of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetShares {
    /// Share of promoters, 0 to 1.
    pub top: f64,
    /// Share of detractors, 0 to 1.
    pub bottom: f64,
    /// Size of the base, more than 0; the effective size where answers are weighted.
    pub n: f64,
}

/// How two groups differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// The first group less the second, as observed.
    pub difference: f64,
    pub z: f64,
    /// Two-sided: how often chance alone makes a difference at least as large.
    pub p: f64,
}

/// The standard normal's two-sided quantile: 1.96 for a confidence of 0.95.
///
/// `confidence`: more than 0 and less than 1.
pub fn normal_quantile(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(f64::midpoint(1.0, confidence))
}

/// How many unweighted answers tell as much as these weighted ones: (sum w)^2 / sum w^2.
///
/// `None` without weights that have a sum. Kish, Survey Sampling (1965).
pub fn effective_size(weights: f64, squared_weights: f64) -> Option<f64> {
    let size = weights * weights / squared_weights;
    (weights > 0.0 && size.is_finite()).then_some(size)
}

/// Adjusted Wald interval of a net score, as a difference of shares within -1 to 1.
///
/// Adds 3/4 of a promoter, 3/2 passives and 3/4 of a detractor, so that few or unanimous answers don't look certain.
/// Sauro and Lewis, measuringu.com, Confidence Intervals for Net Promoter Scores. `z`: see [`normal_quantile`].
pub fn net_interval(shares: NetShares, z: f64) -> Interval {
    let (net, error) = adjusted(shares);
    Interval { low: (net - z * error).max(-1.0), high: (net + z * error).min(1.0) }
}

/// Tests whether two net scores differ: each adjusted as for its interval, z = difference / sqrt(SE1^2 + SE2^2).
///
/// `difference` is of the shares as observed; z and p come from the adjusted ones, and the two may differ in sign when
/// there is next to nothing between the groups. Source as [`net_interval`].
pub fn net_test(first: NetShares, second: NetShares) -> Test {
    let ((first_net, first_error), (second_net, second_error)) = (adjusted(first), adjusted(second));
    let z = (first_net - second_net) / first_error.hypot(second_error);
    Test { difference: (first.top - first.bottom) - (second.top - second.bottom), z, p: two_sided(z) }
}

/// The adjusted net score and its standard error.
fn adjusted(shares: NetShares) -> (f64, f64) {
    let n = shares.n + 3.0;
    let top = (shares.top * shares.n + 0.75) / n;
    let bottom = (shares.bottom * shares.n + 0.75) / n;
    let net = top - bottom;
    (net, ((top + bottom - net * net) / n).sqrt())
}

/// Wilson's score interval of a share.
///
/// Wilson, Journal of the American Statistical Association 22 (1927). `z`: see [`normal_quantile`].
pub fn wilson(of: Share, z: f64) -> Interval {
    let Share { share, n } = of;
    let shrink = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / shrink;
    let half = z / shrink * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    // At a share of 0 or 1 the end of the interval is that share, but for rounding.
    let low = if share > 0.0 { (centre - half).max(0.0) } else { 0.0 };
    let high = if share < 1.0 { (centre + half).min(1.0) } else { 1.0 };
    Interval { low, high }
}

/// Tests whether two shares differ: the z-test with the pooled share, two-sided, without continuity correction.
///
/// When all of both groups or none of both are in, nothing speaks for a difference: z is 0 and p is 1, as Fisher's exact
/// test has it.
pub fn share_test(first: Share, second: Share) -> Test {
    let difference = first.share - second.share;
    let pooled = (first.share * first.n + second.share * second.n) / (first.n + second.n);
    let variance = pooled * (1.0 - pooled) * (1.0 / first.n + 1.0 / second.n);
    let z = if variance > 0.0 { difference / variance.sqrt() } else { 0.0 };
    Test { difference, z, p: two_sided(z) }
}

/// Student's t interval of a mean from a sample's variance (the one with n - 1).
///
/// `n` is the effective size where answers are weighted. `None` below two answers, which say next to nothing of their
/// spread.
pub fn mean_interval(mean: f64, variance: f64, n: f64, confidence: f64) -> Option<Interval> {
    if n < 2.0 {
        return None;
    }
    let half = t_quantile(n - 1.0, confidence)? * (variance / n).sqrt();
    Some(Interval { low: mean - half, high: mean + half })
}

/// Student's two-sided quantile.
///
/// From 200 degrees of freedom on it is expanded around the normal one (Abramowitz and Stegun 26.7.5), which is right to
/// eight digits there; the exact way loses digits as the degrees grow, four of them left at a million.
fn t_quantile(freedom: f64, confidence: f64) -> Option<f64> {
    if freedom < 200.0 {
        return Some(StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(f64::midpoint(1.0, confidence)));
    }
    let z = normal_quantile(confidence);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    Some(z + first / freedom + second / freedom.powi(2) + third / freedom.powi(3))
}

/// The probability of a z at least as far from zero, to either side: 0.05 for 1.96.
pub fn two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{found}, not {wanted}");
    }

    fn net(promoters: f64, passives: f64, detractors: f64) -> NetShares {
        let n = promoters + passives + detractors;
        NetShares { top: promoters / n, bottom: detractors / n, n }
    }

    // Where no other source is named, the figures are SciPy's 1.17.1.

    #[test]
    fn quantiles_are_those_of_the_tables() {
        near(normal_quantile(0.95), 1.959_963_984_540_054);
        near(normal_quantile(0.9), 1.644_853_626_951_472_2);
        near(normal_quantile(0.99), 2.575_829_303_548_900_4);
        let student = [
            (1.0, 12.706_204_736_174_694),
            (1.5, 6.016_663_104_427_929),
            (2.0, 4.302_652_729_749_462),
            (5.0, 2.570_581_835_636_314_6),
            (29.0, 2.045_229_642_132_703),
            (199.0, 1.971_956_544_251_753_3),
            (200.0, 1.971_896_223_633_908_8),
            (2745.0, 1.960_828_574_631_937),
            (1e6, 1.959_966_356_814_107),
            (1e12, 1.959_963_984_540_054),
        ];
        for (freedom, wanted) in student {
            let found = t_quantile(freedom, 0.95).expect("a quantile");
            assert!((found - wanted).abs() < 1e-8 * wanted, "{freedom}: {found}, not {wanted}");
        }
    }

    #[test]
    fn the_airports_net_score_is_39_796_give_or_take_2_614() {
        let Interval { low, high } = net_interval(net(1436.0, 968.0, 342.0), normal_quantile(0.95));
        near(100.0 * low, 37.182_360_716_973_78);
        near(100.0 * high, 42.410_218_402_706_1);
        assert_eq!(format!("{:.3} {:.3}", 50.0 * (low + high), 50.0 * (high - low)), "39.796 2.614");
    }

    #[test]
    fn few_answers_to_a_net_score_are_far_from_certain_and_stay_on_the_scale() {
        let z = normal_quantile(0.95);
        let one = net_interval(net(1.0, 0.0, 0.0), z);
        near(one.low, -0.484_986_494_202_520_3);
        near(one.high, 0.984_986_494_202_520_3);
        // 104.4 before it is cut.
        near(net_interval(net(2.0, 0.0, 0.0), z).high, 1.0);
        near(net_interval(net(0.0, 0.0, 2.0), z).low, -1.0);
    }

    #[test]
    fn two_net_scores_are_tested_with_both_adjusted() {
        let test = net_test(net(60.0, 25.0, 15.0), net(50.0, 25.0, 45.0));
        near(test.difference, 0.45 - 5.0 / 120.0);
        near(test.z, 3.659_711_091_587_678);
        near(test.p, 0.000_252_499_767_946_089_04);
        let same = net_test(net(5.0, 5.0, 5.0), net(5.0, 5.0, 5.0));
        near(same.z, 0.0);
        near(same.p, 1.0);
    }

    #[test]
    fn wilsons_interval_is_that_of_the_textbooks() {
        let z = normal_quantile(0.95);
        let figures = [
            (8.0, 10.0, 0.490_162_471_536_641_8, 0.943_317_848_545_624_8),
            (0.0, 10.0, 0.0, 0.277_532_799_862_889_26),
            (10.0, 10.0, 0.722_467_200_137_110_7, 1.0),
            (1.0, 1.0, 0.206_549_314_377_237_45, 1.0),
            (2206.0, 2688.0, 0.805_727_924_586_039_8, 0.834_725_841_496_934_1),
            (52.5, 97.25, 0.441_162_084_766_409_17, 0.635_501_167_405_529_2),
        ];
        for (k, n, low, high) in figures {
            let found = wilson(Share { share: k / n, n }, z);
            near(found.low, low);
            near(found.high, high);
        }
    }

    #[test]
    fn two_shares_are_tested_with_the_pooled_one() {
        let test = share_test(Share { share: 0.4, n: 100.0 }, Share { share: 0.25, n: 120.0 });
        near(test.difference, 0.15);
        // Its square is Pearson's chi-squared of the four counts.
        near(test.z, 2.378_474_901_516_276);
        near(test.p, 0.017_384_420_352_066_15);
        let all = share_test(Share { share: 1.0, n: 4.0 }, Share { share: 1.0, n: 9.0 });
        assert_eq!(all, Test { difference: 0.0, z: 0.0, p: 1.0 });
    }

    #[test]
    fn weights_that_differ_tell_less_than_their_number() {
        let weights = [1.0, 0.5, 2.0, 1.5, 1.0, 1.0, 3.0, 0.25, 1.0, 2.0_f64];
        let size = effective_size(weights.iter().sum(), weights.iter().map(|weight| weight * weight).sum());
        near(size.expect("a size"), 7.450_928_381_962_865);
        assert_eq!(effective_size(0.0, 0.0), None);
    }

    #[test]
    fn a_mean_has_students_interval() {
        let found = mean_interval(4.7, 4.677_777_777_777_778, 10.0, 0.95).expect("an interval");
        near(found.low, 3.152_813_856_170_258);
        near(found.high, 6.247_186_143_829_742);
        assert_eq!(mean_interval(4.0, 0.0, 3.0, 0.95), Some(Interval { low: 4.0, high: 4.0 }));
        assert_eq!(mean_interval(4.0, f64::NAN, 1.0, 0.95), None);
    }
}

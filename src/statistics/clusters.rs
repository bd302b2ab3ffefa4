//! Groups of like things: k-means and rule cut-points.
//!
//! Nothing here depends on a clock or a global source of chance: the same points in the same order give the same groups.

use std::cmp::Ordering;

/// The values at which a feature is cut into so many levels of about the same size, ascending: each is the lowest value
/// of the level above it.
///
/// Equal values stay together, so levels differ in size where values repeat, and there are fewer of them where a value
/// is so frequent that two cuts would fall together; of one value alone there is no cut. Of two cuts that are equally
/// near the lower one is taken.
pub fn cut_points(values: &[f64], levels: usize) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let starts: Vec<usize> = (1..sorted.len()).filter(|&place| sorted[place] > sorted[place - 1]).collect();
    let nearest =
        |part: usize| starts.iter().copied().min_by_key(|start| (start * levels).abs_diff(sorted.len() * part));
    let mut cuts: Vec<usize> = (1..levels).filter_map(nearest).collect();
    cuts.dedup();
    cuts.into_iter().map(|place| sorted[place]).collect()
}

/// The level of a value, from 0: how many cuts it has reached.
pub fn level(value: f64, cuts: &[f64]) -> usize {
    cuts.partition_point(|cut| *cut <= value)
}

/// A feature as distances from its mean in standard deviations (of the sample); all 0 when it does not vary.
pub fn standardised(values: &[f64]) -> Vec<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0)).sqrt();
    let is_constant = values.windows(2).all(|pair| pair[0].total_cmp(&pair[1]).is_eq());
    values.iter().map(|value| if is_constant { 0.0 } else { (value - mean) / deviation }).collect()
}

/// Points in groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    /// Group of each point, from 0.
    pub group: Vec<usize>,
    /// Euclidean distance of each point to the centre of its group.
    pub distance: Vec<f64>,
    /// Centre of each group: the means of its points.
    pub centres: Vec<Vec<f64>>,
}

/// How often k-means starts anew; the best of them counts.
const STARTS: usize = 10;

/// After so many rounds a start is taken as it is; it hardly ever needs more than thirty.
const ROUNDS_MAX: usize = 300;

/// K-means by Lloyd's algorithm from k-means++ centres (Arthur and Vassilvitskii, SODA 2007): the groups with the smallest
/// sum of squared distances to their centres, of ten starts.
///
/// The largest group comes first; of two of one size the one with the lower centre.
///
/// # Errors
/// The number of different points, when it is below `k`.
pub fn k_means(points: &[Vec<f64>], k: usize, seed: u64) -> Result<Clusters, usize> {
    let mut different: Vec<&Vec<f64>> = points.iter().collect();
    different.sort_unstable_by(|a, b| lexicographic(a, b));
    different.dedup();
    if different.len() < k {
        return Err(different.len());
    }
    let mut random = Random(seed);
    let mut best: Option<(f64, Vec<Vec<f64>>)> = None;
    for _ in 0..STARTS {
        let centres = settled(points, starting_centres(points, k, &mut random));
        let spread: f64 = points.iter().map(|point| nearest(point, &centres).1).sum();
        if best.as_ref().is_none_or(|(least, _)| spread < *least) {
            best = Some((spread, centres));
        }
    }
    let mut centres = best.map(|(_, centres)| centres).unwrap_or_default();

    let mut sizes = vec![0_usize; centres.len()];
    for point in points {
        sizes[nearest(point, &centres).0] += 1;
    }
    let mut order: Vec<usize> = (0..centres.len()).collect();
    order.sort_by(|&a, &b| sizes[b].cmp(&sizes[a]).then_with(|| lexicographic(&centres[a], &centres[b])));
    centres = order.into_iter().map(|group| std::mem::take(&mut centres[group])).collect();
    let (group, squares): (Vec<usize>, Vec<f64>) = points.iter().map(|point| nearest(point, &centres)).unzip();
    Ok(Clusters { group, distance: squares.into_iter().map(f64::sqrt).collect(), centres })
}

fn lexicographic(a: &[f64], b: &[f64]) -> Ordering {
    a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).fold(Ordering::Equal, Ordering::then)
}

/// Points of which each is drawn with a chance that grows with the squared distance to those before it.
fn starting_centres(points: &[Vec<f64>], k: usize, random: &mut Random) -> Vec<Vec<f64>> {
    let mut squares = vec![1.0; points.len()];
    let mut centres: Vec<Vec<f64>> = Vec::with_capacity(k);
    while centres.len() < k {
        let drawn = random.unit() * squares.iter().sum::<f64>();
        let mut so_far = 0.0;
        let mut chosen = None;
        for (place, square) in squares.iter().enumerate().filter(|(_, square)| **square > 0.0) {
            so_far += square;
            chosen = Some(place);
            if so_far > drawn {
                break;
            }
        }
        // There is one, since there are at least k different points.
        let Some(chosen) = chosen else { break };
        let is_first = centres.is_empty();
        centres.push(points[chosen].clone());
        for (square, point) in squares.iter_mut().zip(points) {
            let new = distance_squared(point, &points[chosen]);
            *square = if is_first { new } else { square.min(new) };
        }
    }
    centres
}

/// The centres once no point changes its group.
fn settled(points: &[Vec<f64>], mut centres: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut groups: Vec<usize> = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let (new, squares): (Vec<usize>, Vec<f64>) = points.iter().map(|point| nearest(point, &centres)).unzip();
        if new == groups {
            break;
        }
        groups = new;
        let mut sizes = vec![0_usize; centres.len()];
        let mut sums = vec![vec![0.0; points[0].len()]; centres.len()];
        for (point, group) in points.iter().zip(&groups) {
            sizes[*group] += 1;
            sums[*group].iter_mut().zip(point).for_each(|(sum, value)| *sum += value);
        }
        let mut far: Vec<usize> = if sizes.contains(&0) { (0..points.len()).collect() } else { vec![] };
        far.sort_by(|&a, &b| squares[b].total_cmp(&squares[a]));
        let mut far = far.into_iter();
        for ((centre, sum), size) in centres.iter_mut().zip(sums).zip(&sizes) {
            match size {
                // A group that lost all its points starts anew at the point that is farthest from any centre.
                0 => *centre = far.next().map_or(sum, |place| points[place].clone()),
                size => *centre = sum.into_iter().map(|sum| sum / *size as f64).collect(),
            }
        }
    }
    centres
}

/// The nearest centre, the first of equally near ones, and the squared distance to it.
fn nearest(point: &[f64], centres: &[Vec<f64>]) -> (usize, f64) {
    let distances = centres.iter().map(|centre| distance_squared(point, centre)).enumerate();
    distances.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

fn distance_squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): short, and enough to draw starting points.
struct Random(u64);

impl Random {
    /// A number from 0 to below 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points around three centres: 60 around (0, 0), 30 around (10, 0), 10 around (0, 10).
    fn planted() -> Vec<Vec<f64>> {
        let mut random = Random(7);
        let centres = [(60, [0.0, 0.0]), (30, [10.0, 0.0]), (10, [0.0, 10.0])];
        let around = |(count, [x, y]): (usize, [f64; 2])| (0..count).map(move |_| [x, y]).collect::<Vec<_>>();
        let places = centres.into_iter().flat_map(around);
        places.map(|[x, y]| vec![x + random.unit(), y + random.unit()]).collect()
    }

    #[test]
    fn planted_groups_are_found_with_any_seed_and_numbered_by_size() {
        for seed in 0..20 {
            let found = k_means(&planted(), 3, seed).unwrap();
            let wanted: Vec<usize> = [(60, 0), (30, 1), (10, 2)].iter().flat_map(|&(n, of)| vec![of; n]).collect();
            assert_eq!(found.group, wanted, "seed {seed}");
            assert!(found.distance.iter().all(|distance| *distance < 1.0));
        }
    }

    #[test]
    fn as_many_groups_as_different_points_have_no_distance_and_more_are_refused() {
        let points = vec![vec![1.0], vec![2.0], vec![2.0], vec![9.0]];
        let found = k_means(&points, 3, 1).unwrap();
        assert_eq!((found.group, found.distance), (vec![1, 0, 0, 2], vec![0.0; 4]));
        assert_eq!(k_means(&points, 4, 1), Err(3));
    }

    #[test]
    fn a_cut_leaves_equal_values_together_and_both_sides_filled() {
        assert_eq!(cut_points(&[1.0, 2.0, 3.0, 4.0], 2), [3.0]);
        assert_eq!(cut_points(&[4.0, 3.0, 1.0, 2.0, 5.0, 6.0], 3), [3.0, 5.0]);
        // Most are at the top: the cut is below it and not above.
        assert_eq!(cut_points(&[7.0, 10.0, 10.0, 10.0, 10.0], 2), [10.0]);
        assert_eq!(cut_points(&[0.0, 0.0, 0.0, 0.0, 3.0], 3), [3.0]);
        assert_eq!(cut_points(&[5.0, 5.0], 2), Vec::<f64>::new());
        assert_eq!([0.5, 1.0, 2.9, 3.0].map(|value| level(value, &[1.0, 3.0])), [0, 1, 1, 2]);
    }

    #[test]
    fn a_feature_that_does_not_vary_is_at_its_mean() {
        assert_eq!(standardised(&[0.1, 0.1, 0.1]), [0.0, 0.0, 0.0]);
        let found = standardised(&[1.0, 2.0, 3.0]);
        assert_eq!(found, [-1.0, 0.0, 1.0]);
    }
}

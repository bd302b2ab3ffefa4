//! Relative importance of drivers in a linear regression.
//!
//! Rows may come in any order: they are sorted before anything is summed, so that the figures are the same to the bit.

use std::cmp::Ordering;

use nalgebra::{Cholesky, DMatrix, DVector, SymmetricEigen};

/// Up to so many drivers the average over all orders of entry is computed; it takes a regression for each subset.
pub const LMG_DRIVERS_MAX: usize = 12;

/// What a driver must keep of its variance beside the drivers before it, as a part of 1.
///
/// Below it the regression would divide by rounding noise. R's `lm` gives up at 1e-7 of the length, which is 1e-14 of the
/// variance; correlations summed over a million rows are exact to about 1e-13.
const OWN_VARIANCE_MIN: f64 = 1e-10;

/// What a set of drivers explains of a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Drivers {
    /// Rows used: those where the target, the weight and every used driver have a value.
    pub rows: usize,
    /// Rows left out.
    pub left_out: usize,
    /// Part of the target's variance that the used drivers explain together; `None` when no driver was used.
    pub r_squared: Option<f64>,
    /// One for each driver, in the order given.
    pub drivers: Vec<Driver>,
}

/// What became of one driver.
#[derive(Clone, Debug, PartialEq)]
pub enum Driver {
    Used(Importance),
    LeftOut(Reason),
}

/// The importance of a driver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Importance {
    /// Johnson's relative weight, a part of R-squared.
    pub weight: f64,
    /// Mean gain of R-squared over all orders of entry (LMG, Shapley); `None` above [`LMG_DRIVERS_MAX`] drivers.
    pub lmg: Option<f64>,
    /// Pearson's correlation with the target.
    pub correlation: f64,
    /// Standardised coefficient of the regression on all used drivers.
    pub coefficient: f64,
}

/// Why a driver was left out.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// No row with a target has a value.
    Blank,
    /// All rows that could be used have this value.
    Constant(f64),
    /// It is a linear combination of these drivers, given before it; a copy when there is one.
    Collinear(Vec<usize>),
}

/// Why there is nothing to compute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    /// No row has a target and, where rows are weighted, a weight above 0.
    NoTarget,
    /// All rows have the same target.
    ConstantTarget(f64),
    /// As many rows as parameters, or fewer.
    TooFewRows { rows: usize, drivers: usize },
}

/// Splits what drivers explain of a target among them: Johnson's relative weights and, up to 12 drivers, LMG.
///
/// All slices have one entry per row, `None` where it is blank. A row is used when its target, its weight and all used
/// drivers have a value and its weight is above 0. Drivers that cannot be used are left out one after the other, and the
/// rows that only they lacked come back.
///
/// With Rxx the correlations of the drivers and r those with the target: Rxx = V D V', L = V sqrt(D) V', b = L^-1 r,
/// weights = L^2 b^2, which sum to R-squared (Johnson, Multivariate Behavioral Research 35, 2000). LMG: Lindeman, Merenda
/// and Gold 1980, as in R's `relaimpo`.
///
/// # Errors
/// [`Refusal`] when the target does not vary or the rows are too few.
pub fn key_drivers(
    target: &[Option<f64>],
    drivers: &[Vec<Option<f64>>],
    weights: Option<&[Option<f64>]>,
) -> Result<Drivers, Refusal> {
    let weight = |row: usize| weights.map_or(Some(1.0), |weights| weights[row].filter(|weight| *weight > 0.0));
    let answered: Vec<usize> =
        (0..target.len()).filter(|&row| target[row].is_some() && weight(row).is_some()).collect();
    if answered.is_empty() {
        return Err(Refusal::NoTarget);
    }
    let mut reasons: Vec<Option<Reason>> = drivers.iter().map(|driver| unusable(driver, &answered)).collect();
    loop {
        let used: Vec<usize> = (0..drivers.len()).filter(|&driver| reasons[driver].is_none()).collect();
        let mut rows: Vec<usize> = answered.clone();
        rows.retain(|&row| used.iter().all(|&driver| drivers[driver][row].is_some()));
        let left_out = target.len() - rows.len();
        if used.is_empty() {
            let drivers = reasons.into_iter().flatten().map(Driver::LeftOut).collect();
            return Ok(Drivers { rows: rows.len(), left_out, r_squared: None, drivers });
        }
        // A line through two points fits whatever they are.
        if rows.len() <= 2 {
            return Err(Refusal::TooFewRows { rows: rows.len(), drivers: used.len() });
        }
        if let Some(value) = constant(target, &rows) {
            return Err(Refusal::ConstantTarget(value));
        }
        let constants = used.iter().filter_map(|&driver| Some((driver, constant(&drivers[driver], &rows)?)));
        let constants: Vec<(usize, f64)> = constants.collect();
        if !constants.is_empty() {
            for (driver, value) in constants {
                reasons[driver] = Some(Reason::Constant(value));
            }
            continue;
        }

        let columns: Vec<&[Option<f64>]> = std::iter::once(target)
            .chain(used.iter().map(|&driver| drivers[driver].as_slice()))
            .chain(weights)
            .collect();
        rows.sort_unstable_by(|&a, &b| by_values(&columns, a, b));
        let weights: Vec<f64> = rows.iter().filter_map(|&row| weight(row)).collect();
        let scores =
            |column: &[Option<f64>]| unit(&rows.iter().filter_map(|&row| column[row]).collect::<Vec<_>>(), &weights);
        let target_scores = scores(target);
        let scores: Vec<Vec<f64>> = used.iter().map(|&driver| scores(&drivers[driver])).collect();
        let among = DMatrix::from_fn(used.len(), used.len(), |a, b| match a == b {
            true => 1.0,
            false => dot(&scores[a.min(b)], &scores[a.max(b)]),
        });
        let with_target = DVector::from_fn(used.len(), |driver, _| dot(&scores[driver], &target_scores));

        let collinear = collinear(&among);
        if rows.len() <= used.len() - collinear.len() + 1 {
            return Err(Refusal::TooFewRows { rows: rows.len(), drivers: used.len() - collinear.len() });
        }
        if !collinear.is_empty() {
            for (place, others) in collinear {
                reasons[used[place]] = Some(Reason::Collinear(others.into_iter().map(|other| used[other]).collect()));
            }
            continue;
        }

        let (importances, r_squared) = importances(&among, &with_target);
        let mut importances = importances.into_iter();
        let outcome = |reason: Option<Reason>| match reason {
            Some(reason) => Some(Driver::LeftOut(reason)),
            None => importances.next().map(Driver::Used),
        };
        let drivers = reasons.into_iter().filter_map(outcome).collect();
        return Ok(Drivers { rows: rows.len(), left_out, r_squared: Some(r_squared), drivers });
    }
}

/// Why a driver alone cannot be used.
fn unusable(driver: &[Option<f64>], rows: &[usize]) -> Option<Reason> {
    if rows.iter().all(|&row| driver[row].is_none()) {
        return Some(Reason::Blank);
    }
    constant(driver, rows).map(Reason::Constant)
}

/// The value that all of these rows have where they have one.
fn constant(column: &[Option<f64>], rows: &[usize]) -> Option<f64> {
    let mut values = rows.iter().filter_map(|&row| column[row]);
    let first = values.next()?;
    #[expect(clippy::float_cmp, reason = "a constant is the same value in each row")]
    values.all(|value| value == first).then_some(first)
}

/// The order of two rows by their values, column by column.
fn by_values(columns: &[&[Option<f64>]], a: usize, b: usize) -> Ordering {
    let orders = columns.iter().map(|column| match (column[a], column[b]) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

/// The values less their mean, each times the root of its weight, as a vector of length 1.
fn unit(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let mean = dot(values, weights) / weights.iter().sum::<f64>();
    let centred: Vec<f64> = values.iter().zip(weights).map(|(value, weight)| (value - mean) * weight.sqrt()).collect();
    let length = dot(&centred, &centred).sqrt();
    centred.into_iter().map(|value| value / length).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The drivers that have next to no variance of their own beside those before them, each with the drivers it is made of.
fn collinear(among: &DMatrix<f64>) -> Vec<(usize, Vec<usize>)> {
    /// A share in a combination below it is rounding.
    const SHARE_MIN: f64 = 1e-4;
    let mut kept: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    for driver in 0..among.nrows() {
        let of_kept = among.select_rows(&kept).select_columns(&kept);
        let with_kept = DVector::from_iterator(kept.len(), kept.iter().map(|&other| among[(other, driver)]));
        let shares = match Cholesky::new(of_kept) {
            Some(factor) => factor.solve(&with_kept),
            None => with_kept.clone(),
        };
        if 1.0 - shares.dot(&with_kept) >= OWN_VARIANCE_MIN {
            kept.push(driver);
            continue;
        }
        let others =
            kept.iter().zip(shares.iter()).filter(|(_, share)| share.abs() > SHARE_MIN).map(|(other, _)| *other);
        found.push((driver, others.collect()));
    }
    found
}

/// The importance of each driver and R-squared, from the correlations of the drivers and those with the target.
fn importances(among: &DMatrix<f64>, with_target: &DVector<f64>) -> (Vec<Importance>, f64) {
    let eigen = SymmetricEigen::new(among.clone());
    let powered = |power: fn(f64) -> f64| {
        let diagonal = DMatrix::from_diagonal(&eigen.eigenvalues.map(power));
        &eigen.eigenvectors * diagonal * eigen.eigenvectors.transpose()
    };
    let squared = |value: f64| value * value;
    let root = powered(f64::sqrt);
    let of_orthogonal = powered(|value| value.sqrt().recip()) * with_target;
    let coefficients = powered(f64::recip) * with_target;
    let weights = root.map(squared) * of_orthogonal.map(squared);
    let lmg = lmg(among, with_target);
    let importance = |driver: usize| Importance {
        weight: weights[driver],
        lmg: lmg.as_ref().map(|lmg| lmg[driver]),
        correlation: with_target[driver],
        coefficient: coefficients[driver],
    };
    ((0..with_target.len()).map(importance).collect(), weights.sum())
}

/// The mean gain of R-squared by each driver over all orders of entry; `None` above [`LMG_DRIVERS_MAX`] drivers.
fn lmg(among: &DMatrix<f64>, with_target: &DVector<f64>) -> Option<Vec<f64>> {
    let count = with_target.len();
    if count > LMG_DRIVERS_MAX {
        return None;
    }
    let members = |set: usize| (0..count).filter(|driver| (set >> driver) & 1 == 1).collect::<Vec<_>>();
    let mut explained = vec![0.0; 1 << count];
    for (set, explained) in explained.iter_mut().enumerate().skip(1) {
        let members = members(set);
        let with_target = with_target.select_rows(&members);
        let factor = Cholesky::new(among.select_rows(&members).select_columns(&members))?;
        *explained = factor.solve(&with_target).dot(&with_target);
    }
    // Orders of entry in which exactly these drivers come before one, as a part of all orders: s! (p - s - 1)! / p!.
    let mut parts = vec![1.0 / count as f64; count];
    for before in 1..count {
        parts[before] = parts[before - 1] * before as f64 / (count - before) as f64;
    }
    let gain = |driver: usize| {
        let without = (0..1_usize << count).filter(|set| (set >> driver) & 1 == 0);
        without.map(|set| parts[members(set).len()] * (explained[set | (1 << driver)] - explained[set])).sum()
    };
    Some((0..count).map(gain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mpg, cyl, disp, hp, gear of R's mtcars.
    const MTCARS: [[f64; 5]; 32] = [
        [21.0, 6.0, 160.0, 110.0, 4.0],
        [21.0, 6.0, 160.0, 110.0, 4.0],
        [22.8, 4.0, 108.0, 93.0, 4.0],
        [21.4, 6.0, 258.0, 110.0, 3.0],
        [18.7, 8.0, 360.0, 175.0, 3.0],
        [18.1, 6.0, 225.0, 105.0, 3.0],
        [14.3, 8.0, 360.0, 245.0, 3.0],
        [24.4, 4.0, 146.7, 62.0, 4.0],
        [22.8, 4.0, 140.8, 95.0, 4.0],
        [19.2, 6.0, 167.6, 123.0, 4.0],
        [17.8, 6.0, 167.6, 123.0, 4.0],
        [16.4, 8.0, 275.8, 180.0, 3.0],
        [17.3, 8.0, 275.8, 180.0, 3.0],
        [15.2, 8.0, 275.8, 180.0, 3.0],
        [10.4, 8.0, 472.0, 205.0, 3.0],
        [10.4, 8.0, 460.0, 215.0, 3.0],
        [14.7, 8.0, 440.0, 230.0, 3.0],
        [32.4, 4.0, 78.7, 66.0, 4.0],
        [30.4, 4.0, 75.7, 52.0, 4.0],
        [33.9, 4.0, 71.1, 65.0, 4.0],
        [21.5, 4.0, 120.1, 97.0, 3.0],
        [15.5, 8.0, 318.0, 150.0, 3.0],
        [15.2, 8.0, 304.0, 150.0, 3.0],
        [13.3, 8.0, 350.0, 245.0, 3.0],
        [19.2, 8.0, 400.0, 175.0, 3.0],
        [27.3, 4.0, 79.0, 66.0, 4.0],
        [26.0, 4.0, 120.3, 91.0, 5.0],
        [30.4, 4.0, 95.1, 113.0, 5.0],
        [15.8, 8.0, 351.0, 264.0, 5.0],
        [19.7, 6.0, 145.0, 175.0, 5.0],
        [15.0, 8.0, 301.0, 335.0, 5.0],
        [21.4, 4.0, 121.0, 109.0, 4.0],
    ];

    fn column(column: usize) -> Vec<Option<f64>> {
        MTCARS.iter().map(|row| Some(row[column])).collect()
    }

    fn used(drivers: &Drivers) -> Vec<Importance> {
        let importance = |driver: &Driver| match driver {
            Driver::Used(importance) => Some(*importance),
            Driver::LeftOut(_) => None,
        };
        drivers.drivers.iter().filter_map(importance).collect()
    }

    /// Columns of small whole numbers without a pattern.
    fn noise(columns: usize, rows: usize) -> Vec<Vec<Option<f64>>> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(f64::from(state >> 24) / 10.0)
        };
        (0..columns).map(|_| (0..rows).map(|_| next()).collect()).collect()
    }

    #[test]
    fn the_weights_of_mtcars_are_those_of_r() {
        let found = key_drivers(&column(0), &[column(1), column(2), column(3), column(4)], None).unwrap();
        assert_eq!((found.rows, found.left_out), (32, 0));
        assert!((found.r_squared.unwrap() - 0.779_189_6).abs() < 5e-8, "{found:?}");
        let weights = [0.228_479_7, 0.222_146_9, 0.232_174_4, 0.096_388_6];
        let lmg = [0.247_052_0, 0.243_499_6, 0.210_912_9, 0.077_725_1];
        for (importance, (weight, lmg)) in used(&found).iter().zip(weights.into_iter().zip(lmg)) {
            assert!((importance.weight - weight).abs() < 6e-8, "{importance:?}");
            assert!((importance.lmg.unwrap() - lmg).abs() < 6e-8, "{importance:?}");
        }
    }

    #[test]
    fn a_single_driver_has_the_square_of_its_correlation() {
        let found = key_drivers(&column(0), &[column(2)], None).unwrap();
        let only = used(&found)[0];
        assert!((only.weight - only.correlation.powi(2)).abs() < 1e-14);
        assert!((only.lmg.unwrap() - only.weight).abs() < 1e-14);
        assert!((only.coefficient - only.correlation).abs() < 1e-14 && only.correlation < -0.8);
    }

    #[test]
    fn lmg_stops_above_twelve_drivers_and_sums_to_r_squared_up_to_there() {
        let columns = noise(14, 60);
        let twelve = key_drivers(&columns[0], &columns[1..13], None).unwrap();
        let sum: f64 = used(&twelve).iter().filter_map(|driver| driver.lmg).sum();
        let weights: f64 = used(&twelve).iter().map(|driver| driver.weight).sum();
        let r_squared = twelve.r_squared.unwrap();
        assert!((sum - r_squared).abs() < 1e-12 && (weights - r_squared).abs() < 1e-12);
        let thirteen = key_drivers(&columns[0], &columns[1..14], None).unwrap();
        assert!(used(&thirteen).iter().all(|driver| driver.lmg.is_none()));
        assert!(thirteen.r_squared.unwrap() > r_squared);
    }

    #[test]
    fn rows_in_another_order_give_the_same_bits() {
        let columns = noise(5, 200);
        let forwards = key_drivers(&columns[0], &columns[1..4], Some(&columns[4])).unwrap();
        let shuffled: Vec<Vec<_>> =
            columns.iter().map(|column| (0..200).map(|row| column[row * 77 % 200]).collect()).collect();
        assert_eq!(key_drivers(&shuffled[0], &shuffled[1..4], Some(&shuffled[4])), Ok(forwards));
    }

    #[test]
    fn weights_count_rows_as_if_they_were_there_so_often() {
        let columns = noise(3, 30);
        let weights: Vec<_> = (0..30).map(|row| Some(f64::from(row % 3))).collect();
        let repeated: Vec<Vec<_>> = columns
            .iter()
            .map(|column| (0..30).flat_map(|row| std::iter::repeat_n(column[row], row % 3)).collect())
            .collect();
        let weighted = key_drivers(&columns[0], &columns[1..], Some(&weights)).unwrap();
        let repeated = key_drivers(&repeated[0], &repeated[1..], None).unwrap();
        assert_eq!((weighted.rows, weighted.left_out), (20, 10));
        for (weighted, repeated) in used(&weighted).iter().zip(used(&repeated)) {
            assert!((weighted.weight - repeated.weight).abs() < 1e-12);
        }
    }

    #[test]
    fn drivers_that_say_nothing_of_their_own_are_left_out_with_the_reason() {
        let columns = noise(3, 40);
        let copy = columns[1].iter().map(|value| value.map(|value| 7.0 - 2.0 * value)).collect();
        let sum = columns[1].iter().zip(&columns[2]).map(|(a, b)| Some(a.unwrap() + b.unwrap())).collect();
        let drivers = [vec![None; 40], columns[1].clone(), vec![Some(3.0); 40], copy, columns[2].clone(), sum];
        let found = key_drivers(&columns[0], &drivers, None).unwrap();
        let reasons: Vec<_> = found
            .drivers
            .iter()
            .map(|driver| match driver {
                Driver::Used(_) => None,
                Driver::LeftOut(reason) => Some(reason.clone()),
            })
            .collect();
        let collinear = |others: &[usize]| Some(Reason::Collinear(others.to_vec()));
        let wanted =
            vec![Some(Reason::Blank), None, Some(Reason::Constant(3.0)), collinear(&[1]), None, collinear(&[1, 4])];
        assert_eq!(reasons, wanted);
        assert_eq!((found.rows, found.left_out), (40, 0));
    }

    #[test]
    fn rows_that_only_a_driver_left_out_lacked_come_back() {
        let columns = noise(2, 40);
        let mut copy = columns[1].clone();
        copy[..10].fill(None);
        let found = key_drivers(&columns[0], &[columns[1].clone(), copy], None).unwrap();
        assert_eq!((found.rows, found.left_out), (40, 0));
    }

    #[test]
    fn too_few_rows_and_a_target_that_does_not_vary_are_refused() {
        let columns = noise(4, 4);
        let few = key_drivers(&columns[0], &columns[1..], None);
        assert_eq!(few, Err(Refusal::TooFewRows { rows: 4, drivers: 3 }));
        let columns = noise(2, 9);
        assert_eq!(key_drivers(&[Some(5.0); 9], &columns, None), Err(Refusal::ConstantTarget(5.0)));
        assert_eq!(key_drivers(&[None; 9], &columns, None), Err(Refusal::NoTarget));
    }
}

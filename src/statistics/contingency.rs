//! Tables of counts: expected values, residuals, chi-squared.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

/// A table of counts held against what it would be if rows and columns had nothing to do with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Contingency {
    /// Cells, row by row.
    pub cells: Vec<Cell>,
    /// Pearson's statistic; `None` with one row or one column.
    pub chi_squared: Option<f64>,
    /// (rows - 1) (columns - 1).
    pub degrees: usize,
    /// Probability of at least this statistic by chance.
    pub p: Option<f64>,
    /// Strength of the relation from 0 to 1: sqrt(chi-squared / (n min(rows - 1, columns - 1))), Cramer 1946.
    pub cramers_v: Option<f64>,
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Count if rows and columns were independent, in the unit of the counts given.
    pub expected: f64,
    /// The same in answers, which is what the rule of five is about.
    pub expected_answers: f64,
    /// Adjusted standardised residual, about standard normal under independence (Haberman, Biometrics 29, 1973); `None`
    /// with one row or one column, and where counts are so far apart that there is no variance left.
    pub residual: Option<f64>,
    /// Two-sided probability of the residual.
    pub p: Option<f64>,
    /// The same after Holm's correction for the number of cells.
    pub p_adjusted: Option<f64>,
}

/// Tests a table of counts, given row by row, with no row and no column empty.
///
/// `answers`: how many independent answers the counts stand for: their sum, or for weighted counts the effective number
/// (Kish: (sum of weights)^2 / sum of squared weights), to which the statistics are scaled.
pub fn contingency(counts: &[f64], columns: usize, answers: f64) -> Contingency {
    let rows = counts.len().checked_div(columns).unwrap_or_default();
    let row_sums: Vec<f64> = counts.chunks(columns.max(1)).map(|row| row.iter().sum()).collect();
    let column_sums: Vec<f64> = (0..columns).map(|column| counts.iter().skip(column).step_by(columns).sum()).collect();
    let (other_rows, other_columns) = (others(&row_sums), others(&column_sums));
    let total: f64 = row_sums.iter().sum();
    let scale = answers / total;
    let degrees = rows.saturating_sub(1) * columns.saturating_sub(1);
    let mut cells = Vec::with_capacity(counts.len());
    let mut chi_squared = 0.0;
    for (place, count) in counts.iter().enumerate() {
        let (row, column) = (row_sums[place / columns], column_sums[place % columns]);
        let expected = row * column / total;
        let variance = expected * (other_rows[place / columns] / total) * (other_columns[place % columns] / total);
        let residual = (count - expected) * (scale / variance).sqrt();
        let residual = Some(residual).filter(|residual| degrees > 0 && residual.is_finite());
        let p = residual.map(two_sided);
        chi_squared += (count - expected).powi(2) / expected * scale;
        cells.push(Cell { expected, expected_answers: expected * scale, residual, p, p_adjusted: p });
    }
    holm(&mut cells);
    let chi_squared = (degrees > 0).then_some(chi_squared);
    let tail = |chi_squared: f64| Some(ChiSquared::new(degrees as f64).ok()?.sf(chi_squared));
    let smaller = rows.min(columns).saturating_sub(1) as f64;
    Contingency {
        cells,
        chi_squared,
        degrees,
        p: chi_squared.and_then(tail),
        cramers_v: chi_squared.map(|chi_squared| (chi_squared / (answers * smaller)).sqrt()),
    }
}

/// For each sum that of all others. Taken from the total, one that is nearly all of it would leave nothing of them.
fn others(sums: &[f64]) -> Vec<f64> {
    let mut others = vec![0.0; sums.len()];
    let (mut before, mut after) = (0.0, 0.0);
    for (other, sum) in others.iter_mut().zip(sums) {
        *other += before;
        before += sum;
    }
    for (other, sum) in others.iter_mut().zip(sums).rev() {
        *other += after;
        after += sum;
    }
    others
}

/// Probability that a standard normal value is at least this far from 0.
fn two_sided(residual: f64) -> f64 {
    2.0 * Normal::standard().sf(residual.abs())
}

/// Corrects the probabilities for their number: the smallest times all, the next times one fewer, never falling (Holm,
/// Scandinavian Journal of Statistics 6, 1979).
fn holm(cells: &mut [Cell]) {
    let mut order: Vec<(usize, f64)> =
        cells.iter().enumerate().filter_map(|(place, cell)| Some((place, cell.p?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut so_far = 0.0_f64;
    for (rank, (place, p)) in order.iter().enumerate() {
        so_far = so_far.max((p * (order.len() - rank) as f64).min(1.0));
        cells[*place].p_adjusted = Some(so_far);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, wanted: f64) {
        let found = found.unwrap();
        assert!((found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{found} and not {wanted}");
    }

    #[test]
    fn hair_and_eyes_of_men_and_women_are_as_in_r() {
        // R: apply(HairEyeColor, 1:2, sum), chisq.test: X-squared = 138.29, df = 9; stdres of black hair and brown eyes
        // 6.137, by hand (68 - 40.1351...) / sqrt(40.1351... (1 - 108/592) (1 - 220/592)).
        let counts = [68.0, 20.0, 15.0, 5.0, 119.0, 84.0, 54.0, 29.0, 26.0, 17.0, 14.0, 14.0, 7.0, 94.0, 10.0, 16.0];
        let found = contingency(&counts, 4, 592.0);
        assert_eq!(found.degrees, 9);
        close(found.chi_squared, 138.289_841_626_008_24);
        close(found.cramers_v, (138.289_841_626_008_24_f64 / (592.0 * 3.0)).sqrt());
        let expected: f64 = 108.0 * 220.0 / 592.0;
        let by_hand = (68.0_f64 - expected) / (expected * (1.0 - 108.0 / 592.0) * (1.0 - 220.0 / 592.0)).sqrt();
        close(found.cells[0].residual, by_hand);
        assert!((by_hand - 6.137).abs() < 1e-3, "{by_hand}");
        assert!((found.p.unwrap() - 2.325e-25).abs() < 1e-28, "{:?}", found.p);
    }

    #[test]
    fn a_table_of_two_by_two_has_one_residual_up_to_its_sign_and_its_square_is_chi_squared() {
        let found = contingency(&[12.0, 5.0, 3.0, 9.0], 2, 29.0);
        let residual = found.cells[0].residual.unwrap();
        close(found.chi_squared, residual * residual);
        close(found.cells[1].residual, -residual);
        close(found.cells[0].p, found.p.unwrap());
        // Four cells that are all equally unlikely: each counts four times.
        close(found.cells[3].p_adjusted, (4.0 * found.p.unwrap()).min(1.0));
    }

    #[test]
    fn one_row_has_nothing_to_differ_from() {
        let found = contingency(&[3.0, 4.0], 2, 7.0);
        assert_eq!((found.chi_squared, found.p, found.cramers_v, found.degrees), (None, None, None, 0));
        assert_eq!(found.cells[0].residual, None);
        assert_eq!(contingency(&[], 0, 0.0).cells, []);
    }

    #[test]
    fn a_weight_beyond_all_others_leaves_residuals_that_are_numbers() {
        // By hand: where the weight is the cell's row or column, 2 is expected of 1, and the variance is 4 / 1e20.
        let found = contingency(&[1e20, 1.0, 1.0, 1.0], 2, 4.0);
        close(found.cells[1].residual, -1.0);
        close(found.cells[2].residual, -1.0);
        assert!(found.cells.iter().all(|cell| cell.residual.is_some_and(f64::is_finite)), "{found:?}");
        // Beyond what a float can hold there is none.
        let found = contingency(&[1e150, 1e-100, 1e-100, 1e-100], 2, 4.0);
        assert_eq!(found.cells.iter().map(|cell| (cell.residual, cell.p)).collect::<Vec<_>>(), [(None, None); 4]);
    }

    #[test]
    fn weights_that_are_all_two_change_nothing_but_the_unit() {
        let plain = contingency(&[12.0, 5.0, 3.0, 9.0], 2, 29.0);
        let doubled = contingency(&[24.0, 10.0, 6.0, 18.0], 2, 29.0);
        close(doubled.chi_squared, plain.chi_squared.unwrap());
        close(doubled.cells[2].residual, plain.cells[2].residual.unwrap());
        assert!((doubled.cells[2].expected - 2.0 * plain.cells[2].expected).abs() < 1e-12);
        assert!((doubled.cells[2].expected_answers - plain.cells[2].expected).abs() < 1e-12);
    }
}

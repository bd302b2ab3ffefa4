//! Tables of counts: expected values, residuals, chi-squared.

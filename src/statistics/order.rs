//! Medians, quantiles and deviations from them.

//! Relative importance of drivers in a linear regression.

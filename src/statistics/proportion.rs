//! Shares and differences of shares, with their intervals and tests.

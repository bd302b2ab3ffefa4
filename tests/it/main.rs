//! The integration tests: one binary, a file per subject, each test a sentence.

mod harness;
mod tidy;

//! The integration tests: one binary, a file per subject, each test a sentence.

mod command_line;
mod engine_defects;
mod harness;
mod limits;
mod manifest;
mod sample;
mod saved_queries;
mod tables;
mod tidy;

//! The integration tests: one binary, a file per subject, each test a sentence.

// A test says what is wrong by panicking; clippy knows that of test functions, but not of what they call.
#![allow(clippy::expect_used, clippy::format_collect, clippy::panic)]

mod alerts;
mod chance;
mod charts;
mod checks;
mod command_line;
mod completion;
mod copying;
mod documentation;
mod engine_defects;
mod engine_functions;
mod function_calls;
mod function_errors;
mod harness;
mod kept;
mod kept_results;
mod library_cost;
mod library_finance;
mod library_gaps;
mod library_loyalty;
mod library_operations;
mod library_surveys;
mod limits;
mod looking_around;
mod manifest;
mod merged_names;
mod metrics;
mod mistakes;
mod optimize;
mod order;
mod prompt;
mod prompt_editing;
mod prompt_running;
mod real_data;
mod reports;
mod results;
mod rules;
mod s3;
mod sample;
mod sample_tables;
mod saved_queries;
mod schedule_manifest;
mod schedules;
mod scores;
mod sharing;
mod spreadsheets;
mod table_functions;
mod tables;
mod terminal;
mod text;
mod tidy;

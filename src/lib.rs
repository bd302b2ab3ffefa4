//! cxlake: the lake for customer-experience data.
//!
//! The modules in reading order, from the bottom up; imports only go down (`tests/it/tidy.rs` holds the table).

pub mod error;
pub mod hash;
pub mod suggest;

pub mod lake;
pub mod output;
pub mod sample;
pub mod statistics;

pub mod storage;

pub mod engine;

pub mod query;

pub mod optimize;
pub mod quality;

pub mod report;

pub mod shell;

pub mod schedule;

pub mod cli;

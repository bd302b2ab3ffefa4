//! Lakes and files in buckets.

mod buckets;
mod cache;
mod canned;
mod contract;
mod credentials;
mod doctor;
mod fault_runs;
mod faults;
pub mod http;
mod kept;
mod lake;
mod odd_names;
mod optimize;
mod played;
pub mod proxy;
mod reach;
mod requests;
mod roles;
mod secrets;
pub mod server;
mod versions;
mod writing;

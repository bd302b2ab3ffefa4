//! Lakes and files in buckets.

mod buckets;
mod cache;
mod canned;
mod contract;
mod credentials;
mod doctor;
mod fault_runs;
mod faults;
mod http;
mod lake;
mod played;
mod proxy;
mod reach;
mod requests;
mod roles;
mod secrets;
mod server;
mod versions;
mod writing;

//! Lakes and files in buckets.

mod canned;
mod credentials;
mod doctor;
mod faults;
mod lake;
mod server;
mod writing;

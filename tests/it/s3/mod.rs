//! Lakes and files in buckets.

mod doctor;
mod lake;
mod server;

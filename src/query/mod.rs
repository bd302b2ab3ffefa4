//! Saved queries and scripts: text into statements, parameters into values, statements into running ones.

pub mod alert;
pub mod check;
mod copy;
pub mod grain;
pub mod header;
pub mod lexis;
pub mod parameter;
pub mod results;
pub mod run;
pub mod saved;
pub mod script;

//! The arithmetic behind the functions: numbers in, numbers out, no engine and no I/O.
//!
//! Formulas and where they come from stand at each function; what SQL makes of them is in `engine/functions`.

pub mod clusters;
pub mod contingency;
pub mod health;
pub mod order;
pub mod proportion;
pub mod regression;
pub mod sum;
pub mod text;

//! SQL functions of our own: one file per function or close family, each with its help.
//!
//! The arithmetic is in `crate::statistics`, which knows no engine; here it is made vectorised, typed and documented.

pub mod aggregate;
pub mod arguments;
mod casts;
mod codebook;
mod comparisons;
mod constant;
mod exists;
mod floats;
mod headings;
pub mod help;
mod items;
pub mod joins;
pub mod metrics;
mod named_windows;
mod orders;
pub mod scalar;
mod set_operations;
mod shifts;
pub mod structs;
pub mod table;
mod time_formats;
mod types;
pub mod window;
mod zones;

use datafusion::execution::SessionStateBuilder;

use crate::lake::scale::Scales;
use help::{Help, Kind};

/// What every function of ours says of itself, by name.
pub fn helps() -> Vec<&'static Help> {
    let mut helps = [aggregate::HELPS, window::HELPS, scalar::HELPS, table::HELPS].concat();
    helps.sort_by_key(|help| help.name);
    helps
}

/// Puts all functions into a session.
pub fn register(builder: SessionStateBuilder, scales: &Scales) -> SessionStateBuilder {
    let mut builder = builder.with_relation_planners(vec![table::planner()]);
    builder.aggregate_functions().get_or_insert_default().extend(aggregate::all(scales));
    builder.window_functions().get_or_insert_default().extend(window::all().into_iter().chain(shifts::all()));
    builder.scalar_functions().get_or_insert_default().extend(scalar::all());
    // The first one that plans EXTRACT has it.
    builder.expr_planners().get_or_insert_default().insert(0, scalar::extract_planner());
    builder
}

/// The published reference of our functions, as Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "# Functions\n\n\
         The functions that cxlake adds to those of its engine. `cxlake functions` lists all of both, `cxlake functions show NAME` and \
         `\\doc NAME` show one.\nThis page is made from the same text.\n\n\
         An argument in brackets may be left out. Arguments can be given by name, in any order: `nps_stats(nps, confidence => 0.9)`.\n",
    );
    for kind in [Kind::Aggregate, Kind::Window, Kind::Scalar, Kind::Table] {
        text += &format!("\n## {} functions\n", capital(kind.name()));
        for help in helps().into_iter().filter(|help| help.kind == kind) {
            text += &help.markdown();
        }
    }
    text
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

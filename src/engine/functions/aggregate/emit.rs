//! Which groups leave an aggregate.

use datafusion::logical_expr::EmitTo;

/// How many groups leave, from the first, of so many that there are.
pub fn leaving(emit_to: EmitTo, groups: usize) -> usize {
    match emit_to {
        EmitTo::All => groups,
        EmitTo::First(count) => count,
    }
}

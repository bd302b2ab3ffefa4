//! Writes named windows out where they are used: `over w` and `over (w …)` become what WINDOW says of `w`.
//!
//! The engine knows the names in the select list alone, and leaves the one in `over (w …)` out without a word.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, Ident, NamedWindowDefinition, NamedWindowExpr, VisitMut, WindowSpec, WindowType,
    visit_expressions_mut,
};

use super::arguments::normalized;
use crate::error::{Error, Result};

/// Writes the windows of a SELECT out in a part of it, in which no window of a query within is left.
pub fn write_out(part: &mut impl VisitMut, windows: &[NamedWindowDefinition]) -> ControlFlow<Error> {
    visit_expressions_mut(part, |expression| {
        let Expr::Function(Function { over: Some(over), .. }) = expression else { return ControlFlow::Continue(()) };
        let written = match over {
            WindowType::NamedWindow(name) => named(name, windows),
            WindowType::WindowSpec(window) => whole(window, windows),
        };
        match written {
            Ok(window) => *over = WindowType::WindowSpec(window),
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    })
}

/// The window of a name.
///
/// # Errors
/// `Query` when there is none.
fn named(name: &Ident, windows: &[NamedWindowDefinition]) -> Result<WindowSpec> {
    let is_it = |definition: &NamedWindowDefinition| normalized(&definition.0) == normalized(name);
    let Some(place) = windows.iter().position(is_it) else {
        return Err(Error::query(format!("no window `{}`", name.value))
            .hint(format!("define it behind HAVING: `window {} as (partition by …)`", name.value)));
    };
    // One is made of those before it, and never of itself.
    let before = &windows[..place];
    match &windows[place].1 {
        NamedWindowExpr::NamedWindow(name) => named(name, before),
        NamedWindowExpr::WindowSpec(window) => whole(window, before),
    }
}

/// A window with all that the one it begins with has.
///
/// # Errors
/// `Query` when there is no such window, or both have a partition, an order or a frame.
fn whole(window: &WindowSpec, windows: &[NamedWindowDefinition]) -> Result<WindowSpec> {
    let WindowSpec { window_name: Some(name), partition_by, order_by, window_frame } = window.clone() else {
        return Ok(window.clone());
    };
    let base = named(&name, windows)?;
    let is_twice = (!partition_by.is_empty() && !base.partition_by.is_empty())
        || (!order_by.is_empty() && !base.order_by.is_empty())
        || (window_frame.is_some() && base.window_frame.is_some());
    if is_twice {
        let message = format!("window `{}` is given a partition, an order or a frame, and has one already", name.value);
        return Err(Error::query(message).hint("write the whole window there: `over (partition by … order by …)`"));
    }
    Ok(WindowSpec {
        window_name: None,
        partition_by: if partition_by.is_empty() { base.partition_by } else { partition_by },
        order_by: if order_by.is_empty() { base.order_by } else { order_by },
        window_frame: window_frame.or(base.window_frame),
    })
}

//! `lead` and `lag` with IGNORE NULLS.
//!
//! DataFusion 55.2 goes row by row where it can. It then loses the values that `lead(x, 2) ignore nulls` has yet to reach, and says null.
//! It calculates a `lag` as a `lead` too, where the rows lie in the opposite order. Given all rows of a partition at once it is right, so
//! that it is given them here whenever it looks ahead and passes over nulls.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::error::Result;
use datafusion::functions_window::lead_lag::{lag_udwf, lead_udwf};
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Documentation, LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_plan::PhysicalExpr;

/// The functions, in the place of the engine's.
pub fn all() -> [Arc<WindowUDF>; 2] {
    [lead_udwf(), lag_udwf()].map(|engine| Arc::new(Shift(engine).into()))
}

/// The engine's function.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Shift(Arc<WindowUDF>);

impl WindowUDFImpl for Shift {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn aliases(&self) -> &[String] {
        self.0.aliases()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn expressions(&self, arguments: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        self.0.expressions(arguments)
    }

    fn partition_evaluator(&self, arguments: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        let passes_over_nulls = arguments.ignore_nulls();
        let engine = self.0.partition_evaluator_factory(arguments)?;
        let looks_ahead = !engine.is_causal();
        if passes_over_nulls && looks_ahead {
            return Ok(Box::new(AtOnce(engine)));
        }
        Ok(engine)
    }

    fn field(&self, arguments: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        self.0.field(arguments)
    }

    /// The same function, which is told that it goes backwards.
    fn reverse_expr(&self) -> ReversedUDWF {
        ReversedUDWF::Reversed(Arc::new(Self(Arc::clone(&self.0)).into()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }

    fn limit_effect(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.0.inner().limit_effect(arguments)
    }
}

/// An evaluator that is given all rows of a partition at once: it does not support less.
#[derive(Debug)]
struct AtOnce(Box<dyn PartitionEvaluator>);

impl PartitionEvaluator for AtOnce {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.0.evaluate_all(values, rows)
    }
}

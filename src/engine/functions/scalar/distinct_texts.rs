//! What is calculated of a text alone, once for each distinct text of a batch.
//!
//! Texts are told apart by a hash of what they say, and those with the same hash are compared. Statements cannot call the function;
//! `engine/optimizer/distinct_texts.rs` puts it in the place of what it calculates.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::{Arc, Weak};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray, UInt64Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Column, DFSchema, Result};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::{PhysicalExprRef, create_physical_expr};
use hashbrown::HashTable;

/// Rows of a batch after which it shows whether texts repeat, and distinct ones among them at most: as many as there are where a batch of
/// the engine's size has the most that pay, a quarter.
const LOOK: usize = 256;
const MOST_OF_LOOK: usize = 240;

/// An expression over one text, as a function of that text.
#[derive(Debug)]
pub struct OfDistinctTexts {
    name: String,
    expr: Expr,
    physical: PhysicalExprRef,
    schema: SchemaRef,
    returns: FieldRef,
    signature: Signature,
}

impl OfDistinctTexts {
    /// The function of an expression whose only column is one of texts, with the field that the column has.
    ///
    /// # Errors
    /// Those of an expression that cannot be evaluated.
    pub fn new(expr: &Expr, text: &FieldRef, options: &Arc<ConfigOptions>) -> Result<Self> {
        let renamed = |part: Expr| match part {
            Expr::Column(_) => Ok(Transformed::yes(Expr::Column(Column::new_unqualified(text.name())))),
            other => Ok(Transformed::no(other)),
        };
        let name = format!("of each text: {expr}");
        let expr = expr.clone().transform_up(renamed)?.data;
        let schema = Arc::new(Schema::new(vec![Arc::clone(text)]));
        let named = DFSchema::try_from(Arc::clone(&schema))?;
        let mut props = ExecutionProps::new();
        props.config_options = Some(Arc::clone(options));
        Ok(Self {
            name,
            physical: create_physical_expr(&expr, &named, &props, &PhysicalPlanningContext::default())?,
            returns: expr.to_field(&named)?.1,
            expr,
            schema,
            signature: Signature::exact(vec![DataType::Utf8View], Volatility::Immutable),
        })
    }

    /// What is calculated, and the schema of the one column that it is calculated from.
    pub fn calculated(&self) -> (&PhysicalExprRef, &Schema) {
        (&self.physical, &self.schema)
    }

    fn calculate(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![Arc::clone(texts)])?;
        self.physical.evaluate(&batch)?.into_array(batch.num_rows())
    }
}

impl PartialEq for OfDistinctTexts {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.expr, &self.schema) == (&other.name, &other.expr, &other.schema)
    }
}

impl Eq for OfDistinctTexts {}

impl Hash for OfDistinctTexts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expr.hash(state);
    }
}

impl ScalarUDFImpl for OfDistinctTexts {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.data_type().clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::clone(&self.returns))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = take_function_args(&self.name, args.args)?;
        let texts = texts.into_array(args.number_rows)?;
        let found = match distinct(&texts)?.as_ref() {
            Some(distinct) => take(&self.calculate(&take(&texts, &distinct.rows, None)?)?, &distinct.of_rows, None)?,
            None => self.calculate(&texts)?,
        };
        Ok(ColumnarValue::Array(found))
    }
}

/// The distinct texts of a batch.
struct Distinct {
    /// A row of each.
    rows: UInt64Array,
    /// Of each row, which of them it is.
    of_rows: UInt64Array,
}

/// Texts that were looked at, and the distinct ones among them; `None` where they are too many to gain anything.
struct Looked {
    /// Not held alive; while this is here, no other texts get their address.
    texts: Weak<dyn Array>,
    distinct: Rc<Option<Distinct>>,
}

thread_local! {
    /// The texts looked at last: several expressions over a column come one after the other.
    static LAST: RefCell<Option<Looked>> = const { RefCell::new(None) };
}

/// The distinct texts, unless they are too many.
fn distinct(texts: &ArrayRef) -> Result<Rc<Option<Distinct>>> {
    LAST.with_borrow_mut(|last| {
        let is_same = |last: &&Looked| last.texts.upgrade().is_some_and(|last| Arc::ptr_eq(&last, texts));
        if let Some(last) = last.as_ref().filter(is_same) {
            return Ok(Rc::clone(&last.distinct));
        }
        let distinct = Rc::new(look(texts.as_string_view())?);
        *last = Some(Looked { texts: Arc::downgrade(texts), distinct: Rc::clone(&distinct) });
        Ok(distinct)
    })
}

fn look(texts: &StringViewArray) -> Result<Option<Distinct>> {
    // Rows without a text cost next to nothing where each row is calculated.
    let has_few = texts.null_count() > texts.len() / 2;
    if has_few || texts.len() < LOOK {
        return Ok(None);
    }
    // Of each distinct text its hash and its first row; in the table, which of them it is.
    let mut distinct: Vec<(u64, usize)> = vec![];
    let mut table: HashTable<usize> = HashTable::with_capacity(LOOK);
    let mut of_rows: Vec<u64> = Vec::with_capacity(texts.len());
    for (rows, most) in [(0..LOOK, MOST_OF_LOOK), (LOOK..texts.len(), texts.len() / 4)] {
        let mut hashes = vec![0; rows.len()];
        create_hashes([&texts.slice(rows.start, rows.len()) as &dyn Array], &RandomState::default(), &mut hashes)?;
        for (row, hash) in rows.zip(hashes) {
            let is_same = |which: &usize| is_same(texts, distinct[*which].1, row);
            let which = match table.find(hash, is_same) {
                Some(which) => *which,
                None if distinct.len() >= most => return Ok(None),
                None => {
                    let which = distinct.len();
                    distinct.push((hash, row));
                    table.insert_unique(hash, which, |which| distinct[*which].0);
                    which
                }
            };
            of_rows.push(which as u64);
        }
    }
    let rows = distinct.iter().map(|(_, row)| *row as u64).collect();
    Ok(Some(Distinct { rows, of_rows: of_rows.into() }))
}

/// Whether two rows have the same text, or both none.
fn is_same(texts: &StringViewArray, one: usize, other: usize) -> bool {
    match (texts.is_null(one), texts.is_null(other)) {
        // What lies in the same place is the same; others are read.
        (false, false) => texts.views()[one] == texts.views()[other] || texts.value(one) == texts.value(other),
        (one, other) => one && other,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::StringViewBuilder;
    use datafusion::arrow::datatypes::Field;
    use datafusion::logical_expr::{lit, when};
    use datafusion::scalar::ScalarValue;

    use super::*;

    /// Texts of which some are null, each written to a place of its own; so many distinct ones after the first rows.
    fn texts(rows: usize, first: usize, distinct: usize) -> ArrayRef {
        let mut texts = StringViewBuilder::new();
        for row in 0..rows {
            let number = row % if row < LOOK { first } else { distinct };
            let long = if number % 2 == 0 { "" } else { ", and what makes it a long one" };
            texts.append_option((number != 3).then(|| format!("text {number}{long}")));
        }
        Arc::new(texts.finish())
    }

    #[test]
    fn rows_with_the_same_text_have_the_same_value() {
        let text = Expr::Column(Column::new_unqualified("text"));
        let literal = |text: &str| lit(ScalarValue::Utf8View(Some(text.to_owned())));
        let long = text.clone().like(literal("%long%"));
        let expr = when(long, text.clone()).when(text.is_null(), literal("none")).otherwise(literal("short"));
        let expr = expr.expect("an expression");
        let function = OfDistinctTexts::new(&expr, &field(), &Arc::default()).expect("an expression over one text");
        for (rows, first, after, repeats) in [
            (0, 1, 1, false),
            (LOOK - 1, 1, 1, false),
            (LOOK, 1, 1, true),
            (LOOK, MOST_OF_LOOK, 1, true),
            (LOOK, MOST_OF_LOOK + 1, 1, false),
            (1000, 100, 100, true),
            (1000, 100, 300, false),
            (8192, 100, 2048, true),
            (8192, 100, 2049, false),
            (8192, 8192, 8192, false),
        ] {
            let texts = texts(rows, first, after);
            let found = look(texts.as_string_view()).expect("a look");
            assert_eq!(found.is_some(), repeats, "{rows}, {first}, {after}");
            let parts = [Arc::clone(&texts), texts.slice(0, rows / 2), texts.slice(rows / 3, rows / 2)];
            for texts in parts.iter().flat_map(|texts| [texts, texts]) {
                let expected = function.calculate(texts).expect("values");
                assert_eq!(&call(&function, texts), &expected, "{rows}, {first}, {after}");
            }
        }
    }

    #[test]
    fn few_texts_among_nulls_are_not_looked_at() {
        let text = |row: usize, few: usize| (row % 10 < few).then_some("a text of more than twelve bytes");
        let texts = |few: usize| -> StringViewArray { (0..1000).map(|row| text(row, few)).collect() };
        assert!(look(&texts(5)).expect("a look").is_some());
        assert!(look(&texts(4)).expect("a look").is_none());
    }

    fn field() -> FieldRef {
        Arc::new(Field::new("text", DataType::Utf8View, true))
    }

    fn call(function: &OfDistinctTexts, texts: &ArrayRef) -> ArrayRef {
        let args = ScalarFunctionArgs {
            args: vec![ColumnarValue::Array(Arc::clone(texts))],
            arg_fields: vec![field()],
            number_rows: texts.len(),
            return_field: Arc::clone(&function.returns),
            config_options: Arc::default(),
        };
        function.invoke_with_args(args).and_then(|values| values.into_array(texts.len())).expect("values")
    }
}

//! Multiplies decimals without losing digits before the point, and divides them as doubles.
//!
//! A product of decimals has as many digits as both together. The engine computes it in 38, and where there are more prints the first 38 of
//! them as if they were all. Here such a product is computed in 76 digits and rounded to one of 38, of which 18 or more stand
//! behind the point where the factors have them; what is too large for that is an error.

use datafusion::arrow::datatypes::{
    DECIMAL32_MAX_PRECISION, DECIMAL64_MAX_PRECISION, DECIMAL128_MAX_PRECISION, DataType,
};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, ScalarUDF, cast};
use datafusion::scalar::ScalarValue;

use super::super::functions::scalar::{Product, Quotient};

/// Digits that a rounded product keeps behind the point.
const SCALE: i8 = 18;

/// A product or a quotient with a decimal in it; other expressions as they are.
pub fn calculated(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Multiply | Operator::Divide), right }) = &expr else {
        return Transformed::no(expr);
    };
    let (Some(first), Some(second)) = (Exact::of(left, schema), Exact::of(right, schema)) else {
        return Transformed::no(expr);
    };
    if !first.kind.is_decimal() && !second.kind.is_decimal() {
        return Transformed::no(expr);
    }
    if *op == Operator::Divide {
        let sides = vec![left.as_ref().clone(), right.as_ref().clone()];
        return Transformed::yes(ScalarUDF::from(Quotient::default()).call(sides));
    }
    match product((left.as_ref(), &first), (right.as_ref(), &second)) {
        Some(product) => Transformed::yes(product),
        None => Transformed::no(expr),
    }
}

/// A number that is exact, and the digits that it may have.
struct Exact {
    kind: DataType,
    digits: u8,
    scale: i8,
}

impl Exact {
    fn of(expr: &Expr, schema: &DFSchema) -> Option<Self> {
        let kind = expr.get_type(schema).ok()?;
        let (digits, scale) = match &kind {
            DataType::Decimal32(digits, scale)
            | DataType::Decimal64(digits, scale)
            | DataType::Decimal128(digits, scale)
            | DataType::Decimal256(digits, scale) => (*digits, *scale),
            DataType::Int8 | DataType::UInt8 => (3, 0),
            DataType::Int16 | DataType::UInt16 => (5, 0),
            DataType::Int32 | DataType::UInt32 => (10, 0),
            DataType::Int64 => (written_digits(expr).unwrap_or(19), 0),
            DataType::UInt64 => (20, 0),
            _ => return None,
        };
        Some(Self { kind, digits, scale })
    }
}

/// The digits of a number that the statement writes.
fn written_digits(expr: &Expr) -> Option<u8> {
    let Expr::Literal(ScalarValue::Int64(Some(number)), _) = super::unaliased(expr) else { return None };
    u8::try_from(number.unsigned_abs().checked_ilog10().unwrap_or(0) + 1).ok()
}

/// A product in a type that has room for all of its digits; `None` where the engine's has.
fn product((left, first): (&Expr, &Exact), (right, second): (&Expr, &Exact)) -> Option<Expr> {
    let digits = first.digits.saturating_add(second.digits);
    let room = [first, second].into_iter().filter_map(|factor| match factor.kind {
        DataType::Decimal32(..) => Some(DECIMAL32_MAX_PRECISION),
        DataType::Decimal64(..) => Some(DECIMAL64_MAX_PRECISION),
        DataType::Decimal128(..) => Some(DECIMAL128_MAX_PRECISION),
        // The widest there is.
        DataType::Decimal256(..) => Some(u8::MAX),
        _ => None,
    });
    if digits <= room.max()? {
        return None;
    }
    if digits <= DECIMAL128_MAX_PRECISION {
        let wide = |expr: &Expr, of: &Exact| cast(expr.clone(), DataType::Decimal128(of.digits, of.scale));
        return Some(wide(left, first) * wide(right, second));
    }
    let scale = first.scale.saturating_add(second.scale).min(SCALE.max(first.scale).max(second.scale));
    Some(ScalarUDF::from(Product::new(scale)).call(vec![left.clone(), right.clone()]))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::col;

    use super::*;

    fn schema() -> DFSchema {
        let columns = [
            ("cents", DataType::Decimal128(18, 2)),
            ("wide", DataType::Decimal128(38, 18)),
            ("small", DataType::Decimal32(9, 2)),
            ("n", DataType::Int64),
            ("x", DataType::Float64),
        ];
        let fields: Vec<Field> = columns.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect();
        DFSchema::try_from(Schema::new(fields)).expect("names are different")
    }

    fn kind_of(expr: Expr) -> Option<DataType> {
        let schema = schema();
        let found = calculated(expr, &schema);
        found.transformed.then(|| found.data.get_type(&schema).expect("a type"))
    }

    #[test]
    fn a_product_is_left_alone_where_all_of_its_digits_have_room() {
        assert_eq!(kind_of(col("cents") * col("cents")), None);
        assert_eq!(kind_of(col("cents") * col("n")), None);
        assert_eq!(kind_of(col("n") * col("n")), None);
        assert_eq!(kind_of(col("wide") * col("x")), None);
        assert_eq!(kind_of(col("wide") * col("wide")), Some(DataType::Decimal128(38, 18)));
        assert_eq!(kind_of(col("wide") * col("cents")), Some(DataType::Decimal128(38, 18)));
        assert_eq!(kind_of(col("small") * col("small")), Some(DataType::Decimal128(19, 4)));
    }

    #[test]
    fn a_quotient_with_a_decimal_in_it_is_a_double_and_names_stay() {
        assert_eq!(kind_of(col("cents") / col("n")), Some(DataType::Float64));
        assert_eq!(kind_of(col("n") / col("wide")), Some(DataType::Float64));
        assert_eq!(kind_of(col("n") / col("n")), None);
        assert_eq!(kind_of(col("cents") / col("x")), None);
        let divided = col("cents") / col("n");
        let name = divided.schema_name().to_string();
        assert_eq!(calculated(divided, &schema()).data.schema_name().to_string(), name);
        let multiplied = col("wide") * col("wide");
        let name = multiplied.schema_name().to_string();
        assert_eq!(calculated(multiplied, &schema()).data.schema_name().to_string(), name);
    }
}

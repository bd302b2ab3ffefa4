//! Makes calls of our functions whole before the engine plans them.
//!
//! The engine wants every argument before the last one given. Ours may leave out any that has a default when they name
//! the others, a table function may be given a bare table's name, a field of a result may be had with a dot, and a window may
//! have a name: all are written out here, in the parsed statement. What the engine would answer wrongly is written out or refused too.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, ObjectNamePart, Query, Select, SelectFlavor, SelectItem, SetExpr,
    TableFactor, UnaryOperator, Value, VisitMut, VisitorMut, WildcardAdditionalOptions, visit_expressions,
    visit_relations_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Tokenizer;

use super::super::diagnose::{no_sample, no_similar_to};
use super::help::{Help, Kind};
use super::{
    casts, codebook, comparisons, exists, items, joins, metrics, named_windows, orders, set_operations, time_formats,
    zones,
};
use crate::error::{Error, Result};
use crate::lake::metric::Metric;
use crate::suggest;

/// Completes all calls of our functions in a statement, and writes the lake's metrics out.
///
/// # Errors
/// `Query` for an argument that the function does not have, or has twice, or needs and was not given, and for what the engine
/// would answer wrongly.
pub fn complete(statement: &mut Statement, metrics: &BTreeMap<String, Metric>) -> Result<()> {
    match statement {
        Statement::Explain(explain) => return complete(&mut explain.statement, metrics),
        Statement::CopyTo(copy) => copy.partitioned_by.iter_mut().for_each(unquote),
        _ => {}
    }
    let mut pass = Pass { helps: super::helps(), metrics, relations: Vec::new(), asking: 0 };
    match visit_statement(statement, &mut pass) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Passes over what a statement has that was parsed.
pub fn visit_statement<V: VisitorMut>(statement: &mut Statement, visitor: &mut V) -> ControlFlow<V::Break> {
    match statement {
        Statement::Statement(statement) => statement.visit(visitor),
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(visitor),
            CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        Statement::Explain(explain) => visit_statement(&mut explain.statement, visitor),
        Statement::CreateExternalTable(_) | Statement::Reset(_) => ControlFlow::Continue(()),
    }
}

/// Completes all calls of our functions in an expression over the columns of one row, and writes the lake's metrics out.
///
/// # Errors
/// As [`complete`]; `Query` for a query in it.
pub fn complete_expression(expression: &mut Expr, metrics: &BTreeMap<String, Metric>) -> Result<()> {
    let mut pass = Pass { helps: super::helps(), metrics, relations: Vec::new(), asking: 0 };
    let asks = visit_expressions(expression, |inner| match is_query(inner) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    if asks.is_break() {
        return Err(Error::query("the expression holds a query, and sees nothing but the columns of one row")
            .hint("say it as a query, whose `where` can look into other tables"));
    }
    match expression.visit(&mut pass) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Pass<'a> {
    helps: Vec<&'static Help>,
    metrics: &'a BTreeMap<String, Metric>,
    /// Of each SELECT around, the relation in FROM where it is one.
    relations: Vec<Option<String>>,
    /// Queries around that are parts of an expression; what their columns are called does not matter.
    asking: usize,
}

impl Pass<'_> {
    fn help(&self, name: &ObjectName) -> Option<&'static Help> {
        let name = name.0.last()?.as_ident()?.value.to_lowercase();
        self.helps.iter().find(|help| help.name == name).copied()
    }
}

impl VisitorMut for Pass<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        // `from t` alone is all of it.
        if let SetExpr::Select(select) = query.body.as_mut()
            && select.flavor == SelectFlavor::FromFirstNoSelect
        {
            select.flavor = SelectFlavor::FromFirst;
            select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        select.projection.iter().try_for_each(|item| flow(items::check(item)))?;
        self.relations.push(orders::sole_relation(select));
        if self.asking == 0 {
            items::name(select);
        }
        flow(select.from.iter_mut().try_for_each(joins::check))
    }

    /// From the queries within outwards: a name stands for the window of its own query.
    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        self.relations.pop();
        exists::write_out(select)?;
        let windows = select.named_window.clone();
        named_windows::write_out(select, &windows)
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let windows = match query.body.as_ref() {
            SetExpr::Select(select) => select.named_window.clone(),
            _ => Vec::new(),
        };
        named_windows::write_out(&mut query.order_by, &windows)?;
        orders::shorten_in_query(query);
        items::number_keys(query);
        casts::tell_apart(query);
        flow(set_operations::write_out(query))
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table { sample: Some(_), .. } = factor {
            // The engine would read all rows without a word.
            return ControlFlow::Break(no_sample("tablesample"));
        }
        if let TableFactor::NestedJoin { table_with_joins, .. } = factor {
            return flow(joins::check(table_with_joins));
        }
        let TableFactor::Table { name, args: Some(arguments), .. } = factor else { return ControlFlow::Continue(()) };
        let Some(help) = self.help(name) else { return ControlFlow::Continue(()) };
        if help.kind != Kind::Table {
            return ControlFlow::Break(
                Error::query(format!("`{}` gives a value and no rows, and is not called in FROM", help.name))
                    .hint(format!("write `select {} from …`", help.syntax())),
            );
        }
        if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(relation))) = arguments.args.first_mut()
            && let Some(name) = table_name(relation)
        {
            match select_all(&name) {
                Ok(query) => *relation = Expr::Subquery(Box::new(query)),
                Err(error) => return ControlFlow::Break(error),
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        flow(comparisons::write_out(expression))?;
        flow(zones::write_out(expression))?;
        self.asking += usize::from(is_query(expression));
        name_fields(expression);
        if matches!(expression, Expr::SimilarTo { .. }) {
            return ControlFlow::Break(no_similar_to());
        }
        let Expr::Function(function) = expression else { return ControlFlow::Continue(()) };
        orders::shorten_in_call(function, self.relations.last().and_then(Option::as_deref));
        let filled = match self.help(&function.name) {
            Some(help) if help.kind == Kind::Table => {
                Err(Error::query(format!("`{}` makes rows, and is called in FROM", help.name))
                    .hint(format!("write `select * from {}`", help.syntax())))
            }
            Some(help) => {
                drop_distinct(function, help);
                let completed = check_clauses(function, help).and_then(|()| fill(function, help));
                completed.and_then(|()| codebook::write(function, help))
            }
            None => refuse_distinct_rows(function).and_then(|()| time_formats::check(function)),
        };
        match filled.and_then(|()| metrics::expand(function, self.metrics)) {
            Ok(Some(written)) => *expression = written,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }

    /// From the leaves up, so that what one IS DISTINCT FROM lets go of is seen by the operators around it.
    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        self.asking -= usize::from(is_query(expression));
        let_go(expression);
        ControlFlow::Continue(())
    }
}

/// Whether an expression asks a query.
fn is_query(expression: &Expr) -> bool {
    matches!(expression, Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. })
}

/// How a pass goes on.
pub fn flow(result: Result<()>) -> ControlFlow<Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// Which operators hold their operands more tightly than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Or,
    And,
    Not,
    Is,
}

/// Puts what follows an IS DISTINCT FROM where it belongs: the parser takes all of it for the right side, so that `a is distinct
/// from b and c` would be held against `b and c`. Parentheses of the user's are nodes of their own, and stay.
fn let_go(expression: &mut Expr) {
    let Some(tightness) = tightness(expression) else { return };
    let Some(swallowed) = last_operand(expression).filter(|last| is_looser(last, tightness)) else { return };
    let swallowed = std::mem::replace(swallowed, nothing());
    let mut tight = std::mem::replace(expression, swallowed);
    let mut place = expression;
    while is_looser(place, tightness)
        && let Expr::BinaryOp { left, .. } = place
    {
        place = left;
    }
    // The leftmost operand is all that was meant.
    let operand = std::mem::replace(place, nothing());
    if let Some(last) = last_operand(&mut tight) {
        *last = operand;
    }
    *place = tight;
}

/// What stands in a place while its expression is moved.
fn nothing() -> Expr {
    Expr::value(Value::Null)
}

fn tightness(expression: &Expr) -> Option<Tightness> {
    match expression {
        Expr::BinaryOp { op: BinaryOperator::Or, .. } => Some(Tightness::Or),
        Expr::BinaryOp { op: BinaryOperator::And, .. } => Some(Tightness::And),
        Expr::UnaryOp { op: UnaryOperator::Not, .. } => Some(Tightness::Not),
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => Some(Tightness::Is),
        _ => None,
    }
}

/// Whether an expression is an AND or OR that an operator of this tightness cannot have for an operand.
fn is_looser(expression: &Expr, than: Tightness) -> bool {
    matches!(expression, Expr::BinaryOp { .. }) && tightness(expression).is_some_and(|tightness| tightness < than)
}

/// The operand at the end of an operator that may follow or be followed by an IS DISTINCT FROM.
fn last_operand(expression: &mut Expr) -> Option<&mut Expr> {
    match expression {
        Expr::BinaryOp { right: last, op: BinaryOperator::And | BinaryOperator::Or, .. }
        | Expr::UnaryOp { expr: last, op: UnaryOperator::Not }
        | Expr::IsDistinctFrom(_, last)
        | Expr::IsNotDistinctFrom(_, last) => Some(last),
        _ => None,
    }
}

/// Writes the fields of `f(x).field` as texts; the engine takes a name only where the struct is a column.
pub fn name_fields(expression: &mut Expr) {
    // After a name, a dot may lead to a column of a table and not to a field.
    if let Expr::CompoundFieldAccess { root, access_chain } = expression
        && !matches!(**root, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
    {
        access_chain.iter_mut().for_each(name_field);
    }
}

fn name_field(access: &mut AccessExpr) {
    if let AccessExpr::Dot(field) = access
        && let Expr::Identifier(name) = field
    {
        let name = normalized(name);
        *field = Expr::value(Value::SingleQuotedString(name));
    }
}

/// A name as the engine reads it: in lower case, unless it is quoted.
pub fn normalized(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// What the columns of a relation in FROM may be qualified with.
pub fn qualifier(factor: &TableFactor) -> Option<String> {
    let (name, alias) = match factor {
        TableFactor::Table { name, alias, .. } => (name.0.last().and_then(ObjectNamePart::as_ident), alias),
        TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. } => (None, alias),
        _ => return None,
    };
    alias.as_ref().map(|alias| &alias.name).or(name).map(normalized)
}

/// The name that an item of a select list is given.
pub fn alias(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(normalized(alias)),
        _ => None,
    }
}

/// A bare name of a table or the path of a file, as an expression has it.
fn table_name(expression: &Expr) -> Option<ObjectName> {
    match expression {
        Expr::Nested(inner) => table_name(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(path) => Some(ObjectName::from(vec![Ident::with_quote('\'', path)])),
            _ => None,
        },
        Expr::Identifier(name) => Some(ObjectName::from(vec![name.clone()])),
        Expr::CompoundIdentifier(names) => Some(ObjectName::from(names.clone())),
        _ => None,
    }
}

/// `select * from name`.
fn select_all(name: &ObjectName) -> Result<Query> {
    let mut query = query("select * from t")?;
    let _: ControlFlow<()> = visit_relations_mut(&mut query, |relation| {
        *relation = name.clone();
        ControlFlow::Continue(())
    });
    Ok(query)
}

/// A parser of a text that is not the user's: what it makes has no place, so that no error points into theirs by it.
///
/// # Errors
/// When the text has no words.
pub fn parser(sql: &str) -> Result<Parser<'static>, ParserError> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize()?;
    Ok(Parser::new(&GenericDialect {}).with_tokens(tokens))
}

/// A call of `coalesce`.
pub fn coalesce(values: Vec<Expr>) -> Expr {
    let argument = |value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("coalesce")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: values.into_iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// A query of our own making.
pub fn query(sql: &str) -> Result<Query> {
    parser(sql)
        .and_then(|mut parser| parser.parse_query())
        .map(|query| *query)
        .map_err(|error| Error::internal(error.to_string()))
}

/// Puts a query's body in the place that `values` hold in a text of our own, and them in its place.
pub fn insert(body: &mut SetExpr, into: &mut impl VisitMut) {
    // It breaks off where that is done.
    let _: ControlFlow<()> = into.visit(&mut Insertion(body));
}

struct Insertion<'a>(&'a mut SetExpr);

impl VisitorMut for Insertion<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if !matches!(query.body.as_ref(), SetExpr::Values(_)) {
            return ControlFlow::Continue(());
        }
        std::mem::swap(query.body.as_mut(), self.0);
        ControlFlow::Break(())
    }
}

/// Shows the expressions of a part of a query, other than those in queries within.
pub fn each_outside_queries<B>(
    part: &mut impl VisitMut,
    see: impl FnMut(&mut Expr) -> ControlFlow<B>,
) -> ControlFlow<B> {
    part.visit(&mut OutsideQueries { see, depth: 0 })
}

struct OutsideQueries<F> {
    see: F,
    /// Queries around.
    depth: usize,
}

impl<B, F: FnMut(&mut Expr) -> ControlFlow<B>> VisitorMut for OutsideQueries<F> {
    type Break = B;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<B> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<B> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<B> {
        if self.depth == 0 { (self.see)(expression) } else { ControlFlow::Continue(()) }
    }
}

/// A name without its quotes, which the engine takes for a part of it.
fn unquote(name: &mut String) {
    if let Ok(read) = parser(name).and_then(|mut parser| parser.parse_identifier()) {
        *name = read.value;
    }
}

/// Refuses `count(distinct *)`, for which the engine counts one thing: that there are rows.
fn refuse_distinct_rows(function: &Function) -> Result<()> {
    use FunctionArgExpr::{QualifiedWildcard, Wildcard};
    let is_star = |argument: &FunctionArg| matches!(argument, FunctionArg::Unnamed(Wildcard | QualifiedWildcard(_)));
    if let FunctionArguments::List(list) = &function.args
        && list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
        && list.args.iter().any(is_star)
        && function.name.to_string().eq_ignore_ascii_case("count")
    {
        let error = Error::query("`count` takes no `distinct *`");
        return Err(error.hint("name the columns: `count(distinct (a, b))`"));
    }
    Ok(())
}

/// Leaves DISTINCT out where a row that is there twice says what it says once. The engine would take two arguments that are one
/// column for a single argument.
fn drop_distinct(function: &mut Function, help: &'static Help) {
    if let FunctionArguments::List(list) = &mut function.args
        && ["arg_max", "arg_min"].contains(&help.name)
    {
        list.duplicate_treatment = None;
    }
}

/// Refuses what a function of this kind does nothing with; the engine would leave it out in silence.
fn check_clauses(function: &Function, help: &'static Help) -> Result<()> {
    let is_distinct = matches!(&function.args, FunctionArguments::List(list)
        if list.duplicate_treatment == Some(DuplicateTreatment::Distinct));
    let refused = |what: &str, hint: &str| Err(Error::query(format!("`{}` {what}", help.name)).hint(hint));
    match help.kind {
        Kind::Aggregate if is_distinct && help.counts_answers() => {
            let what = "counts every answer, and takes no DISTINCT";
            refused(what, "make the answers distinct by respondent in a query before")
        }
        Kind::Scalar if is_distinct || function.filter.is_some() || function.over.is_some() => {
            let what = "gives a value for each row, and takes no DISTINCT, FILTER or OVER";
            refused(what, &format!("it is called as `{}`", help.syntax()))
        }
        Kind::Window if function.over.is_none() => {
            let hint = format!("write `{} over (partition by …)`, or `over ()` for all rows", help.syntax());
            refused("works on a window", &hint)
        }
        Kind::Window if is_distinct || function.filter.is_some() => {
            refused("looks at all rows of its window, and takes no DISTINCT or FILTER", "filter in a query before")
        }
        Kind::Aggregate | Kind::Scalar | Kind::Window | Kind::Table => Ok(()),
    }
}

/// Puts named arguments in their places, with the defaults of those left out before them.
fn fill(function: &mut Function, help: &'static Help) -> Result<()> {
    let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
    let called = |error: Error| error.hint(format!("it is called as `{}`", help.syntax()));
    if list.args.len() > help.arguments.len() {
        let message = format!("`{}` is given more arguments than it takes", help.name);
        return Err(called(Error::query(message)));
    }
    let mut places: Vec<Option<FunctionArgExpr>> = vec![None; help.arguments.len()];
    let mut seen_named = false;
    for (place, argument) in std::mem::take(&mut list.args).into_iter().enumerate() {
        let (place, given) = match argument {
            FunctionArg::Unnamed(given) if !matches!(given, FunctionArgExpr::Expr(_)) => {
                return Err(called(Error::query(format!("`{}` takes no `{given}`", help.name))));
            }
            FunctionArg::Unnamed(_) if seen_named => {
                return Err(called(Error::query(format!(
                    "`{}`: an argument without a name follows a named one",
                    help.name
                ))));
            }
            FunctionArg::Unnamed(given) => (place, given),
            FunctionArg::Named { name, arg, .. } | FunctionArg::ExprNamed { name: Expr::Identifier(name), arg, .. } => {
                seen_named = true;
                (position(help, &name)?, arg)
            }
            FunctionArg::ExprNamed { .. } => return Err(called(Error::query("an argument's name is a word"))),
        };
        if places[place].replace(given).is_some() {
            let name = help.arguments[place].name;
            return Err(called(Error::query(format!("`{name}` of `{}` is given twice", help.name))));
        }
    }
    // A null at the end is as good as nothing given.
    let is_given = |given: &Option<FunctionArgExpr>| given.as_ref().is_some_and(|given| !is_null(given));
    let used = places.iter().rposition(is_given).map_or(0, |last| last + 1);
    let needed = help.arguments.iter().rposition(|argument| argument.default.is_none()).map_or(0, |last| last + 1);
    for (argument, given) in help.arguments.iter().zip(places).take(used.max(needed)) {
        let given = match (given, argument.default) {
            (Some(given), _) => given,
            // Null stands for the default; what that is, the function knows.
            (None, Some(_)) => FunctionArgExpr::Expr(Expr::value(Value::Null)),
            (None, None) => {
                return Err(called(Error::query(format!("`{}` of `{}` is missing", argument.name, help.name))));
            }
        };
        list.args.push(FunctionArg::Unnamed(given));
    }
    Ok(())
}

/// Whether an argument is the literal null.
pub fn is_null(given: &FunctionArgExpr) -> bool {
    matches!(given, FunctionArgExpr::Expr(Expr::Value(value)) if value.value == Value::Null)
}

fn position(help: &'static Help, name: &Ident) -> Result<usize> {
    let name = name.value.to_lowercase();
    help.position(&name).ok_or_else(|| {
        let error = Error::query(format!("`{}` has no argument `{name}`", help.name));
        let names: Vec<&str> = help.arguments.iter().map(|argument| argument.name).collect();
        match suggest::nearest(&name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("it is called as `{}`", help.syntax())),
        }
    })
}

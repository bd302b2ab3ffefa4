//! Gives the columns that a join merges their one value: `k` of `a full join b using (k)` is there on whichever side it is.
//!
//! DataFusion 55.2 keeps the columns of both sides, and where one is asked for takes the left, or for `*` the one whose table comes
//! first in the alphabet: NULL where only the other side has a row. WHERE and ON know no merged names at all. Here such names,
//! and each `*` above such a join, are written out in the parsed statement, query by query from the innermost, with what a plan of the
//! query's FROM says of its columns. A column of one side stays to be had by its table's name.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::common::{Column, JoinConstraint as Joined, JoinType};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr as PlanExpr, Join, LogicalPlan};
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Cte, ExcludeSelectItem, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, GroupByExpr, Ident, JoinConstraint, JoinOperator, ObjectName, OrderByExpr, OrderByKind, Query,
    Select, SelectItem, SetExpr, Statement as Parsed, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
    WildcardAdditionalOptions, With,
};

use super::functions::arguments::normalized;

/// Writes the merged names of a statement out.
///
/// What cannot be planned is left as it is: planning the whole says why.
pub async fn write_out(statement: &mut Statement, state: &SessionState) {
    let mut next = 0;
    while let Some((place, probe)) = search(statement, next) {
        if let Ok(LogicalPlan::Projection(plan)) = state.statement_to_plan(probe).await {
            walk(statement, Walk::new(Task::Write { place, from: &plan.input }));
        }
        next = place + 1;
    }
}

/// The next SELECT that joins by names, and a statement with the same FROM.
fn search(statement: &mut Statement, first: usize) -> Option<(usize, Statement)> {
    match walk(statement, Walk::new(Task::Search { first, found: None })) {
        Task::Search { found, .. } => found,
        Task::Write { .. } => None,
    }
}

/// Passes over all SELECTs of a statement, in the same order each time.
fn walk<'a>(statement: &mut Statement, mut walk: Walk<'a>) -> Task<'a> {
    // Nothing breaks it off.
    let _: ControlFlow<()> = match statement {
        Statement::Statement(statement) => statement.visit(&mut walk),
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(&mut walk),
            CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        Statement::Explain(explain) => return self::walk(&mut explain.statement, walk),
        Statement::CreateExternalTable(_) | Statement::Reset(_) => ControlFlow::Continue(()),
    };
    walk.task
}

enum Task<'a> {
    /// Look for a SELECT from this place on.
    Search { first: usize, found: Option<(usize, Statement)> },
    /// Write out the one in this place, whose FROM has this plan.
    Write { place: usize, from: &'a LogicalPlan },
}

struct Walk<'a> {
    task: Task<'a>,
    /// SELECTs so far.
    place: usize,
    /// The CTEs that can be named.
    ctes: Vec<Cte>,
    is_recursive: bool,
    /// The WITH of each query around, and how many CTEs there were before it.
    around: Vec<(Option<With>, usize)>,
}

impl<'a> Walk<'a> {
    fn new(task: Task<'a>) -> Self {
        Self { task, place: 0, ctes: Vec::new(), is_recursive: false, around: Vec::new() }
    }

    fn selects(&mut self, body: &mut SetExpr, keys: Option<&mut Vec<OrderByExpr>>) {
        match body {
            SetExpr::Select(select) => self.select(select, keys),
            SetExpr::SetOperation { left, right, .. } => {
                self.selects(left, None);
                self.selects(right, None);
            }
            // The others have none of their own.
            _ => {}
        }
    }

    fn select(&mut self, select: &mut Select, keys: Option<&mut Vec<OrderByExpr>>) {
        let here = self.place;
        self.place += 1;
        match &mut self.task {
            Task::Search { first, found } if here >= *first && found.is_none() && joins_by_name(&mut select.from) => {
                *found = Some((here, probe(select, &self.ctes, self.is_recursive)));
            }
            Task::Write { place, from } if *place == here => write(select, keys, from),
            Task::Search { .. } | Task::Write { .. } => {}
        }
    }
}

impl VisitorMut for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        // Each CTE knows those before it.
        let mut with = query.with.take();
        let known = self.ctes.len();
        if let Some(With { recursive, cte_tables, .. }) = &mut with {
            self.is_recursive |= *recursive;
            for cte in cte_tables {
                let itself = self.ctes.len();
                if *recursive {
                    self.ctes.push(cte.clone());
                }
                cte.query.visit(self)?;
                self.ctes.truncate(itself);
                self.ctes.push(cte.clone());
            }
        }
        self.around.push((with, known));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let keys = match query.order_by.as_mut().map(|order_by| &mut order_by.kind) {
            Some(OrderByKind::Expressions(keys)) => Some(keys),
            Some(OrderByKind::All(_)) | None => None,
        };
        self.selects(&mut query.body, keys);
        if let Some((with, known)) = self.around.pop() {
            query.with = with;
            self.ctes.truncate(known);
        }
        ControlFlow::Continue(())
    }
}

fn joins_by_name(from: &mut [TableWithJoins]) -> bool {
    let mut found = false;
    each_constraint(from, &mut |constraint| {
        found |= matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural);
    });
    found
}

/// Shows what the tables of a FROM are joined by, those in parentheses too.
fn each_constraint(from: &mut [TableWithJoins], see: &mut impl FnMut(&mut JoinConstraint)) {
    for table in from {
        let relations = std::iter::once(&mut table.relation).chain(table.joins.iter_mut().map(|join| {
            if let Some(constraint) = constraint(&mut join.join_operator) {
                see(constraint);
            }
            &mut join.relation
        }));
        for relation in relations.collect::<Vec<_>>() {
            if let TableFactor::NestedJoin { table_with_joins, .. } = relation {
                each_constraint(std::slice::from_mut(table_with_joins), see);
            }
        }
    }
}

/// `select true` from what a SELECT is from, without the conditions of its joins, in which merged names may stand.
fn probe(select: &Select, ctes: &[Cte], is_recursive: bool) -> Statement {
    let mut from = select.from.clone();
    each_constraint(&mut from, &mut |constraint| {
        if let JoinConstraint::On(condition) = constraint {
            *condition = Expr::value(Value::Boolean(true));
        }
    });
    let select = Select {
        distinct: None,
        projection: vec![SelectItem::UnnamedExpr(Expr::value(Value::Boolean(true)))],
        from,
        selection: None,
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        ..select.clone()
    };
    let with = With { with_token: select.select_token.clone(), recursive: is_recursive, cte_tables: ctes.to_vec() };
    let query = Query {
        with: Some(with).filter(|with| !with.cte_tables.is_empty()),
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    };
    Statement::Statement(Box::new(Parsed::Query(Box::new(query))))
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => Some(constraint),
        // The engine has no others that go by names.
        _ => None,
    }
}

/// A column that a FROM has to give.
struct Output {
    name: String,
    /// The columns of tables that it is made of: several where it is merged.
    columns: Vec<Column>,
    value: Expr,
}

impl Output {
    fn is_merged(&self) -> bool {
        self.columns.len() > 1
    }
}

/// What a FROM has to give, each merged column once, in the place of the first.
fn outputs(from: &LogicalPlan) -> Vec<Output> {
    let LogicalPlan::Join(join) = from else { return from.schema().columns().into_iter().map(plain).collect() };
    match join.join_type {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => both_sides(join),
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => outputs(&join.left),
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => outputs(&join.right),
    }
}

/// What the sides of a join have, merged where they are joined by names.
fn both_sides(join: &Join) -> Vec<Output> {
    let (mut left, mut right) = (outputs(&join.left), outputs(&join.right));
    for (left_key, right_key) in keys(join) {
        let place = |side: &[Output], key| side.iter().position(|output| output.columns.contains(key));
        let (Some(here), Some(there)) = (place(&left, left_key), place(&right, right_key)) else { continue };
        let other = right.remove(there);
        let output = &mut left[here];
        output.columns.extend(other.columns);
        match join.join_type {
            JoinType::Right => output.value = other.value,
            JoinType::Full => output.value = first_known(output.value.clone(), other.value),
            _ => {}
        }
    }
    left.extend(right);
    left
}

/// The columns by whose names a join joins.
fn keys(join: &Join) -> impl Iterator<Item = (&Column, &Column)> {
    let is_by_name = join.join_constraint == Joined::Using;
    join.on.iter().filter(move |_| is_by_name).filter_map(|key| match key {
        (PlanExpr::Column(left), PlanExpr::Column(right)) => Some((left, right)),
        _ => None,
    })
}

fn plain(column: Column) -> Output {
    Output { name: column.name.clone(), value: written(&column), columns: vec![column] }
}

fn written(column: &Column) -> Expr {
    let quoted = |part: &str| Ident::with_quote('"', part);
    match &column.relation {
        Some(table) => {
            let parts = [table.catalog(), table.schema(), Some(table.table()), Some(&column.name)];
            Expr::CompoundIdentifier(parts.into_iter().flatten().map(quoted).collect())
        }
        None => Expr::Identifier(quoted(&column.name)),
    }
}

/// `coalesce(one, other)`.
fn first_known(one: Expr, other: Expr) -> Expr {
    let argument = |value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("coalesce")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![argument(one), argument(other)],
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// Writes the merged names of one SELECT out, whose FROM has this plan.
fn write(select: &mut Select, keys: Option<&mut Vec<OrderByExpr>>, from: &LogicalPlan) {
    let outputs = outputs(from);
    if !outputs.iter().any(Output::is_merged) {
        return;
    }
    write_conditions(&mut select.from, from);
    let all = Names { outputs: &outputs, hidden: HashSet::new() };
    let aliases: HashSet<String> = select.projection.iter().filter_map(alias).collect();
    let mut kept: HashSet<String> = select.projection.iter().filter_map(bare).chain(aliases.iter().cloned()).collect();
    let items = std::mem::take(&mut select.projection);
    for item in items {
        match item {
            SelectItem::Wildcard(options) => match every(&options, &outputs) {
                Some(items) => {
                    kept.extend(outputs.iter().map(|output| output.name.clone()));
                    select.projection.extend(items);
                }
                None => select.projection.push(SelectItem::Wildcard(options)),
            },
            SelectItem::UnnamedExpr(expr) => select.projection.push(all.item(expr)),
            mut item => {
                all.write(&mut item);
                select.projection.push(item);
            }
        }
    }
    all.write(&mut select.distinct);
    all.write(&mut select.selection);
    all.write(&mut select.group_by);
    // From here on a name means what the SELECT calls so, before a column.
    let behind = Names { hidden: aliases, ..all };
    behind.write(&mut select.having);
    behind.write(&mut select.qualify);
    if let Some(keys) = keys {
        Names { hidden: kept, ..behind }.write(keys);
    }
}

/// The name that an item is given.
fn alias(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(normalized(alias)),
        _ => None,
    }
}

/// The name that an item is.
fn bare(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(normalized(name)),
        _ => None,
    }
}

/// What `*` stands for; `None` where the engine is to say what is wrong with it.
fn every(options: &WildcardAdditionalOptions, outputs: &[Output]) -> Option<Vec<SelectItem>> {
    let WildcardAdditionalOptions { opt_exclude, opt_except, opt_replace, opt_ilike, opt_rename, opt_alias, .. } =
        options;
    if opt_ilike.is_some() || opt_rename.is_some() || opt_alias.is_some() {
        return None;
    }
    let single = |name: &ObjectName| match name.0.as_slice() {
        [part] => part.as_ident().map(normalized),
        _ => None,
    };
    let mut left_out = match opt_exclude {
        None => Vec::new(),
        Some(ExcludeSelectItem::Single(name)) => vec![single(name)?],
        Some(ExcludeSelectItem::Multiple(names)) => names.iter().map(single).collect::<Option<_>>()?,
    };
    if let Some(except) = opt_except {
        left_out.extend(std::iter::once(&except.first_element).chain(&except.additional_elements).map(normalized));
    }
    let replaced = opt_replace.as_ref().map_or(&[][..], |replace| &replace.items);
    let is_there = |name: &String| outputs.iter().any(|output| output.name == *name);
    let mut named = left_out.iter().cloned().chain(replaced.iter().map(|element| normalized(&element.column_name)));
    if !named.all(|name| is_there(&name)) {
        return None;
    }
    let names = Names { outputs, hidden: HashSet::new() };
    let kept = outputs.iter().filter(|output| !left_out.contains(&output.name));
    let items = kept.map(|output| {
        let replaced = replaced.iter().find(|element| normalized(&element.column_name) == output.name);
        match replaced {
            Some(element) => {
                let mut expr = element.expr.clone();
                names.write(&mut expr);
                SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', &output.name) }
            }
            None => item(output),
        }
    });
    Some(items.collect())
}

/// A column in a select list, under its name.
fn item(output: &Output) -> SelectItem {
    let expr = output.value.clone();
    match expr {
        Expr::Function(_) => SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', &output.name) },
        expr => SelectItem::UnnamedExpr(expr),
    }
}

/// Writes out the conditions of a FROM's joins.
fn write_conditions(from: &mut [TableWithJoins], plan: &LogicalPlan) {
    let Some((last, before)) = from.split_last_mut() else { return };
    match plan {
        LogicalPlan::Join(join) if !before.is_empty() => {
            write_joins(last, &join.right);
            write_conditions(before, &join.left);
        }
        plan if before.is_empty() => write_joins(last, plan),
        _ => {}
    }
}

fn write_joins(table: &mut TableWithJoins, mut plan: &LogicalPlan) {
    for step in table.joins.iter_mut().rev() {
        let LogicalPlan::Join(join) = plan else { return };
        if let Some(constraint) = constraint(&mut step.join_operator) {
            write_condition(constraint, join);
        }
        if let TableFactor::NestedJoin { table_with_joins, alias: None } = &mut step.relation {
            write_joins(table_with_joins, &join.right);
        }
        plan = &join.left;
    }
    if let TableFactor::NestedJoin { table_with_joins, alias: None } = &mut table.relation {
        write_joins(table_with_joins, plan);
    }
}

fn write_condition(constraint: &mut JoinConstraint, join: &Join) {
    let (left, right) = (outputs(&join.left), outputs(&join.right));
    if let JoinConstraint::On(condition) = constraint {
        let outputs: Vec<Output> = left.into_iter().chain(right).collect();
        Names { outputs: &outputs, hidden: HashSet::new() }.write(condition);
        return;
    }
    // The engine joins by the first of the columns that are merged on a side.
    let value = |side: &[Output], key| {
        side.iter().find(|output| output.columns.contains(key)).map(|output| output.value.clone())
    };
    let pairs = keys(join)
        .map(|(a, b)| (value(&left, a).unwrap_or_else(|| written(a)), value(&right, b).unwrap_or_else(|| written(b))));
    let pairs: Vec<(Expr, Expr)> = pairs.collect();
    if keys(join).zip(&pairs).all(|((a, b), (left, right))| *left == written(a) && *right == written(b)) {
        return;
    }
    let equal = |(left, right)| Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Eq, right: Box::new(right) };
    let all = pairs.into_iter().map(equal).reduce(|one, other| Expr::BinaryOp {
        left: Box::new(one),
        op: BinaryOperator::And,
        right: Box::new(other),
    });
    if let Some(all) = all {
        *constraint = JoinConstraint::On(all);
    }
}

/// Replaces bare names by what they are merged of, other than in queries within, which have names of their own.
struct Names<'a> {
    outputs: &'a [Output],
    /// Names that mean something else.
    hidden: HashSet<String>,
}

impl Names<'_> {
    fn write(&self, part: &mut impl VisitMut) {
        let mut visit = NamesWithin { names: self, depth: 0 };
        // Nothing breaks it off.
        let _: ControlFlow<()> = part.visit(&mut visit);
    }

    /// An item of a select list without an alias, which keeps its name.
    fn item(&self, mut expr: Expr) -> SelectItem {
        if let Expr::Identifier(name) = &expr
            && let Some(output) = self.merged(name)
        {
            return item(output);
        }
        self.write(&mut expr);
        SelectItem::UnnamedExpr(expr)
    }

    /// What a name stands for, if that is one merged column.
    fn merged(&self, name: &Ident) -> Option<&Output> {
        let name = normalized(name);
        let mut outputs = self.outputs.iter().filter(|output| output.name == name);
        outputs.next().filter(|output| output.is_merged() && outputs.next().is_none() && !self.hidden.contains(&name))
    }
}

struct NamesWithin<'a> {
    names: &'a Names<'a>,
    /// Queries around.
    depth: usize,
}

impl VisitorMut for NamesWithin<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = expr
            && self.depth == 0
            && let Some(output) = self.names.merged(name)
        {
            *expr = output.value.clone();
        }
        ControlFlow::Continue(())
    }
}

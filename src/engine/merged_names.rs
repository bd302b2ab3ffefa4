//! Gives the columns that a join merges their one value: `k` of `a full join b using (k)` is there on whichever side it is.
//!
//! DataFusion 55.2 keeps the columns of both sides, and where one is asked for takes the left, or for `*` the one whose table comes
//! first in the alphabet: NULL where only the other side has a row. WHERE and ON know no merged names at all. Here such names,
//! and each `*` above such a join, are written out in the parsed statement, query by query from the innermost, with what a plan of the
//! query's FROM says of its columns. A column of one side stays to be had by its table's name.
//!
//! The same plan says whether the columns are there that `* replace (…)` names, of which the engine passes over the others.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::common::{Column, JoinType};
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Cte, ExcludeSelectItem, Expr, GroupByExpr, Ident, Join, JoinConstraint, ObjectName, OrderByExpr,
    OrderByKind, Query, Select, SelectItem, SetExpr, Statement as Parsed, TableFactor, TableWithJoins, Value, VisitMut,
    VisitorMut, WildcardAdditionalOptions, With, visit_expressions,
};

use super::functions::arguments::{alias, coalesce, each_outside_queries, flow, normalized, query, visit_statement};
use super::functions::joins::constraint;
use crate::error::{Error, Result};
use crate::suggest;

/// Writes the merged names of a statement out.
///
/// What cannot be planned is left as it is: planning the whole says why.
///
/// # Errors
/// `Query` for a NATURAL JOIN of tables without a common column, which would pair every row with every other, and for a column that is
/// to be replaced and is not there.
pub async fn write_out(statement: &mut Statement, state: &SessionState) -> Result<()> {
    let mut next = 0;
    while let Some((place, probe)) = search(statement, next)? {
        if let Ok(LogicalPlan::Projection(plan)) = state.statement_to_plan(probe).await {
            walk(statement, Walk::new(Task::Write { place, from: &plan.input }))?;
        }
        next = place + 1;
    }
    Ok(())
}

/// The next SELECT that joins by names or replaces columns, and a statement with the same FROM.
fn search(statement: &mut Statement, first: usize) -> Result<Option<(usize, Statement)>> {
    match walk(statement, Walk::new(Task::Search { first, found: None }))? {
        Task::Search { found, .. } => Ok(found),
        Task::Write { .. } => Ok(None),
    }
}

/// Passes over all SELECTs of a statement, in the same order each time.
fn walk<'a>(statement: &mut Statement, mut walk: Walk<'a>) -> Result<Task<'a>> {
    match visit_statement(statement, &mut walk) {
        ControlFlow::Continue(()) => Ok(walk.task),
        ControlFlow::Break(error) => Err(error),
    }
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
    /// The WITH of each query around, and what was known before it: how many CTEs, and whether any may name itself.
    around: Vec<(Option<With>, usize, bool)>,
}

impl<'a> Walk<'a> {
    fn new(task: Task<'a>) -> Self {
        Self { task, place: 0, ctes: Vec::new(), is_recursive: false, around: Vec::new() }
    }

    fn selects(&mut self, body: &mut SetExpr, keys: Option<&mut Vec<OrderByExpr>>) -> Result<()> {
        match body {
            SetExpr::Select(select) => self.select(select, keys),
            SetExpr::SetOperation { left, right, .. } => {
                self.selects(left, None)?;
                self.selects(right, None)
            }
            // The others have none of their own.
            _ => Ok(()),
        }
    }

    fn select(&mut self, select: &mut Select, keys: Option<&mut Vec<OrderByExpr>>) -> Result<()> {
        let here = self.place;
        self.place += 1;
        match &mut self.task {
            Task::Search { first, found } if here >= *first && found.is_none() => {
                if joins_by_name(&mut select.from) || replaced(select).next().is_some() {
                    *found = Some((here, probe(select, &self.ctes, self.is_recursive)));
                }
            }
            Task::Write { place, from } if *place == here => {
                check_replaced(select, from)?;
                if joins_by_name(&mut select.from) {
                    return write(select, keys, from);
                }
            }
            Task::Search { .. } | Task::Write { .. } => {}
        }
        Ok(())
    }
}

impl VisitorMut for Walk<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        // Each CTE knows those before it.
        let mut with = query.with.take();
        let (known, was_recursive) = (self.ctes.len(), self.is_recursive);
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
        self.around.push((with, known, was_recursive));
        ControlFlow::Continue(())
    }

    /// A join in parentheses that has a name is a query of its own.
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::NestedJoin { table_with_joins, alias: alias @ Some(_) } = factor
            && joins_by_name(std::slice::from_mut(table_with_joins))
            && let Ok(mut query) = query("select * from nothing")
            && let SetExpr::Select(select) = query.body.as_mut()
        {
            select.from = vec![table_with_joins.as_ref().clone()];
            let alias = alias.take();
            *factor = TableFactor::Derived { lateral: false, subquery: Box::new(query), alias, sample: None };
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let keys = match query.order_by.as_mut().map(|order_by| &mut order_by.kind) {
            Some(OrderByKind::Expressions(keys)) => Some(keys),
            Some(OrderByKind::All(_)) | None => None,
        };
        flow(self.selects(&mut query.body, keys))?;
        if let Some((with, known, was_recursive)) = self.around.pop() {
            query.with = with;
            self.ctes.truncate(known);
            self.is_recursive = was_recursive;
        }
        ControlFlow::Continue(())
    }
}

/// The columns that the stars of a SELECT replace.
fn replaced(select: &Select) -> impl Iterator<Item = &Ident> {
    let stars = select.projection.iter().filter_map(|item| match item {
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => options.opt_replace.as_ref(),
        _ => None,
    });
    stars.flat_map(|replace| replace.items.iter().map(|element| &element.column_name))
}

fn check_replaced(select: &Select, from: &LogicalPlan) -> Result<()> {
    let names = || from.schema().fields().iter().map(|field| field.name().as_str());
    let Some(absent) = replaced(select).find(|name| names().all(|known| known != normalized(name))) else {
        return Ok(());
    };
    let error = Error::query(format!("no column `{}` is there to be replaced", absent.value));
    Err(match suggest::nearest(&absent.value, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("columns here: {}", suggest::some(&names().collect::<Vec<_>>()))),
    })
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

/// `select true` from what a SELECT is from, without what its joins join by, which is looked for in what they join.
fn probe(select: &Select, ctes: &[Cte], is_recursive: bool) -> Statement {
    let mut from = select.from.clone();
    each_constraint(&mut from, &mut |constraint| {
        if *constraint != JoinConstraint::None {
            *constraint = JoinConstraint::On(Expr::value(Value::Boolean(true)));
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

/// A column that a FROM has to give.
struct Output {
    name: String,
    value: Expr,
    is_merged: bool,
}

/// What a FROM has to give, each merged column once, in the place of the first. Its joins by names become joins by values. `None`
/// where the engine is to say what is wrong with it.
fn joined(from: &mut [TableWithJoins], plan: &LogicalPlan) -> Option<Vec<Output>> {
    let (last, before) = from.split_last_mut()?;
    if before.is_empty() {
        return steps(&mut last.relation, &mut last.joins, plan);
    }
    let LogicalPlan::Join(join) = plan else { return None };
    let mut outputs = joined(before, &join.left)?;
    outputs.extend(steps(&mut last.relation, &mut last.joins, &join.right)?);
    Some(outputs)
}

/// The same of a table and the joins behind it.
fn steps(first: &mut TableFactor, joins: &mut [Join], plan: &LogicalPlan) -> Option<Vec<Output>> {
    let Some((last, before)) = joins.split_last_mut() else { return relation(first, plan) };
    let LogicalPlan::Join(join) = plan else { return None };
    let left = steps(first, before, &join.left)?;
    let right = relation(&mut last.relation, &join.right)?;
    match constraint(&mut last.join_operator) {
        Some(constraint) => merged(constraint, join.join_type, left, right),
        None => Some(left.into_iter().chain(right).collect()),
    }
}

fn relation(factor: &mut TableFactor, plan: &LogicalPlan) -> Option<Vec<Output>> {
    match factor {
        TableFactor::NestedJoin { table_with_joins: table, alias: None } => {
            steps(&mut table.relation, &mut table.joins, plan)
        }
        _ => Some(plan.schema().columns().iter().map(plain).collect()),
    }
}

/// What the sides of a join have, merged where they are joined by names.
fn merged(
    constraint: &mut JoinConstraint,
    join_type: JoinType,
    mut left: Vec<Output>,
    mut right: Vec<Output>,
) -> Option<Vec<Output>> {
    let names: Vec<String> = match constraint {
        JoinConstraint::On(condition) => {
            let before = left.len();
            left.append(&mut right);
            Names { outputs: &left, hidden: HashSet::new() }.write(condition);
            right = left.split_off(before);
            Vec::new()
        }
        JoinConstraint::Using(names) => names.iter().map(single).collect::<Option<_>>()?,
        JoinConstraint::Natural => {
            let is_common = |output: &&Output| left.iter().any(|other| other.name == output.name);
            right.iter().filter(is_common).map(|output| output.name.clone()).collect()
        }
        JoinConstraint::None => Vec::new(),
    };
    let mut equal = Vec::new();
    for name in &names {
        let (here, there) = (only(&left, name)?, only(&right, name)?);
        let other = right.remove(there);
        let output = &mut left[here];
        equal.push(binary(output.value.clone(), BinaryOperator::Eq, other.value.clone()));
        match join_type {
            JoinType::Inner | JoinType::Left => output.is_merged = true,
            JoinType::Right => *output = Output { is_merged: true, ..other },
            JoinType::Full => {
                output.value = coalesce(vec![output.value.clone(), other.value]);
                output.is_merged = true;
            }
            // One side alone is given out.
            _ => right.insert(there, other),
        }
    }
    if let Some(condition) = equal.into_iter().reduce(|one, other| binary(one, BinaryOperator::And, other)) {
        *constraint = JoinConstraint::On(condition);
    }
    match join_type {
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => Some(left),
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => Some(right),
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            Some(left.into_iter().chain(right).collect())
        }
    }
}

/// Where the only column of a name is.
fn only(side: &[Output], name: &str) -> Option<usize> {
    let mut places = side.iter().enumerate().filter(|(_, output)| output.name == name).map(|(place, _)| place);
    places.next().filter(|_| places.next().is_none())
}

/// A name without a table's before it.
fn single(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(normalized),
        _ => None,
    }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn plain(column: &Column) -> Output {
    Output { name: column.name.clone(), value: written(column), is_merged: false }
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

/// Writes the merged names of one SELECT out, whose FROM has this plan.
///
/// # Errors
/// `Query` for a NATURAL JOIN that has nothing to join by.
fn write(select: &mut Select, keys: Option<&mut Vec<OrderByExpr>>, plan: &LogicalPlan) -> Result<()> {
    let mut from = select.from.clone();
    let Some(outputs) = joined(&mut from, plan) else { return Ok(()) };
    // Those that have a common column are joins by values now.
    if joins_by_name(&mut from) {
        return Err(Error::query(
            "a `natural join` of tables without a common column would pair every row with every other",
        )
        .hint("write `join … on a.x = b.y`, or `cross join`"));
    }
    select.from = from;
    if !outputs.iter().any(|output| output.is_merged) {
        return Ok(());
    }
    let all = Names { outputs: &outputs, hidden: HashSet::new() };
    let aliases: HashSet<String> = select.projection.iter().filter_map(alias).collect();
    let mut kept: HashSet<String> = select.projection.iter().filter_map(bare).chain(aliases.iter().cloned()).collect();
    let mut items = Items { all: &all, given: kept.clone(), qualified: qualified(select, keys.as_deref()) };
    if select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_))) {
        items.given.extend(outputs.iter().map(|output| output.name.clone()));
        kept.extend(items.given.iter().cloned());
    }
    let projection = std::mem::take(&mut select.projection).into_iter();
    select.projection = projection.flat_map(|item| items.written(item)).collect();
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
    Ok(())
}

/// The name that an item is.
fn bare(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(normalized(name)),
        _ => None,
    }
}

/// The names of columns that stand in ORDER BY with their tables', where the engine takes no such column beside one of the name alone;
/// `None` for all that tables have, for which `t.*` stands.
fn qualified(select: &Select, keys: Option<&Vec<OrderByExpr>>) -> Option<HashSet<String>> {
    if select.projection.iter().any(|item| matches!(item, SelectItem::QualifiedWildcard(..))) {
        return None;
    }
    let mut names = HashSet::new();
    // Nothing breaks it off.
    let _: ControlFlow<()> = visit_expressions(keys.unwrap_or(&Vec::new()), |expr| {
        if let Expr::CompoundIdentifier(parts) = expr {
            names.extend(parts.last().map(normalized));
        }
        ControlFlow::Continue(())
    });
    Some(names)
}

/// Writes the items of a select list out.
struct Items<'a> {
    all: &'a Names<'a>,
    /// Names under which columns are given out.
    given: HashSet<String>,
    qualified: Option<HashSet<String>>,
}

impl Items<'_> {
    fn written(&self, item: SelectItem) -> Vec<SelectItem> {
        match item {
            SelectItem::Wildcard(options) => match self.every(&options) {
                Some(items) => items,
                None => vec![SelectItem::Wildcard(options)],
            },
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => vec![self.beside(parts)],
            SelectItem::UnnamedExpr(mut expr) => {
                if let Expr::Identifier(name) = &expr
                    && let Some(output) = self.all.merged(name)
                {
                    return vec![self.column(output)];
                }
                self.all.write(&mut expr);
                vec![SelectItem::UnnamedExpr(expr)]
            }
            mut item => {
                self.all.write(&mut item);
                vec![item]
            }
        }
    }

    /// A column of one side, which has another name where the merged one is given out.
    fn beside(&self, parts: Vec<Ident>) -> SelectItem {
        let name = parts.last().map(normalized).unwrap_or_default();
        let is_given =
            self.given.contains(&name) && self.all.outputs.iter().any(|output| output.is_merged && output.name == name);
        let expr = Expr::CompoundIdentifier(parts);
        if is_given { SelectItem::ExprWithAlias { expr, alias: again(&name) } } else { SelectItem::UnnamedExpr(expr) }
    }

    /// A column under its name, as far as the engine takes that beside others.
    fn column(&self, output: &Output) -> SelectItem {
        let expr = output.value.clone();
        let is_qualified = self.qualified.as_ref().is_none_or(|names| names.contains(&output.name));
        match expr {
            Expr::Function(_) if !is_qualified => {
                let is_alone = only(self.all.outputs, &output.name).is_some();
                let alias = if is_alone { Ident::with_quote('"', &output.name) } else { again(&output.name) };
                SelectItem::ExprWithAlias { expr, alias }
            }
            expr => SelectItem::UnnamedExpr(expr),
        }
    }

    /// What `*` stands for; `None` where the engine is to say what is wrong with it.
    fn every(&self, options: &WildcardAdditionalOptions) -> Option<Vec<SelectItem>> {
        let WildcardAdditionalOptions {
            opt_exclude, opt_except, opt_replace, opt_ilike, opt_rename, opt_alias, ..
        } = options;
        if opt_ilike.is_some() || opt_rename.is_some() || opt_alias.is_some() {
            return None;
        }
        let mut left_out = match opt_exclude {
            None => Vec::new(),
            Some(ExcludeSelectItem::Single(name)) => vec![single(name)?],
            Some(ExcludeSelectItem::Multiple(names)) => names.iter().map(single).collect::<Option<_>>()?,
        };
        if let Some(except) = opt_except {
            left_out.extend(std::iter::once(&except.first_element).chain(&except.additional_elements).map(normalized));
        }
        let replaced = opt_replace.as_ref().map_or(&[][..], |replace| &replace.items);
        let is_there = |name: &String| self.all.outputs.iter().any(|output| output.name == *name);
        let mut named = left_out.iter().cloned().chain(replaced.iter().map(|element| normalized(&element.column_name)));
        if !named.all(|name| is_there(&name)) {
            return None;
        }
        let kept = self.all.outputs.iter().filter(|output| !left_out.contains(&output.name));
        let items =
            kept.map(|output| match replaced.iter().find(|element| normalized(&element.column_name) == output.name) {
                Some(element) => {
                    let mut expr = element.expr.clone();
                    self.all.write(&mut expr);
                    SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', &output.name) }
                }
                None => self.column(output),
            });
        Some(items.collect())
    }
}

/// How a column is headed whose name another one has.
fn again(name: &str) -> Ident {
    Ident::with_quote('"', format!("{name}:1"))
}

/// Replaces bare names by what they are merged of, other than in queries within, which have names of their own.
struct Names<'a> {
    outputs: &'a [Output],
    /// Names that mean something else.
    hidden: HashSet<String>,
}

impl Names<'_> {
    fn write(&self, part: &mut impl VisitMut) {
        // Nothing breaks it off.
        let _: ControlFlow<()> = each_outside_queries(part, |expr| {
            if let Expr::Identifier(name) = expr
                && let Some(output) = self.merged(name)
            {
                *expr = output.value.clone();
            }
            ControlFlow::Continue(())
        });
    }

    /// What a name stands for, if that is one merged column.
    fn merged(&self, name: &Ident) -> Option<&Output> {
        let name = normalized(name);
        let mut outputs = self.outputs.iter().filter(|output| output.name == name);
        outputs.next().filter(|output| output.is_merged && outputs.next().is_none() && !self.hidden.contains(&name))
    }
}

//! What is gathered of one table's rows before a join, and how it is put together above.
//!
//! Expressions come over columns of two kinds: those of the table, named by [`source_column`], and all others. They leave
//! over columns of the groups and the others.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DFSchemaRef, TableReference};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    AggregateUDF, BinaryExpr, Cast, Expr, ExprSchemable, Operator, cast, lit, when,
};

use crate::table_provider::has_subquery;

/// Stands before the columns of the table whose rows are grouped.
const SOURCE: &str = "$source";
/// Stands before the columns of its groups.
pub(crate) const GROUPS: &str = "$partial";

/// Returns the name by which expressions know a column of the table.
pub(crate) fn source_column(at: usize) -> Expr {
    Expr::Column(Column::new(Some(TableReference::bare(SOURCE)), at.to_string()))
}

/// Returns an expression with what its columns stand for in their place; nothing when it may not be moved. Scopes are
/// schemas, and what their columns stand for.
///
/// # Errors
/// Never in fact: no step of the rewrite fails.
pub(crate) fn resolved(expr: &Expr, scopes: &[(&DFSchema, &[Expr])]) -> Result<Option<Expr>> {
    if expr.is_volatile() || has_subquery(expr) {
        return Ok(None);
    }
    let mut all_known = true;
    let resolved = expr.clone().unalias_nested().data.transform_down(|inner| {
        let Expr::Column(column) = &inner else { return Ok(Transformed::no(inner)) };
        let meant = scopes.iter().find_map(|(schema, meanings)| {
            let at = schema.index_of_column_by_name(column.relation.as_ref(), &column.name)?;
            meanings.get(at).cloned()
        });
        all_known &= meant.is_some();
        Ok(Transformed::new(meant.unwrap_or(inner), true, TreeNodeRecursion::Jump))
    })?;
    Ok(all_known.then_some(resolved.data))
}

/// The groups of one table's rows, as expressions come to need them.
pub(crate) struct Lowering {
    /// The table's columns.
    schema: DFSchemaRef,
    keys: Vec<Expr>,
    partials: Vec<Expr>,
    gathered: Vec<Expr>,
}

/// How one aggregate is made of partial ones.
///
/// The numbers count in [`Lowering::gathered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merged {
    /// It is what was gathered.
    Plain(usize),
    /// It is a sum of counts, where no count is zero.
    Count(usize),
    /// It is a sum divided by a sum of counts.
    Average(usize, usize),
}

impl Merged {
    /// Returns the result over the columns of [`Lowering::gathered`].
    ///
    /// # Errors
    /// Never in fact: the expressions are well formed.
    pub(crate) fn result(self, gathered: &[Column]) -> Result<Expr> {
        let column = |at: usize| Expr::Column(gathered[at].clone());
        match self {
            Merged::Plain(at) => Ok(column(at)),
            // A sum of nothing is null.
            Merged::Count(at) => when(column(at).is_not_null(), column(at)).otherwise(lit(0_i64)),
            Merged::Average(sum, count) => Ok(column(sum) / cast(column(count), DataType::Float64)),
        }
    }
}

impl Lowering {
    /// Returns no groups yet, of a table with these columns.
    pub(crate) fn new(schema: &DFSchemaRef) -> Lowering {
        Lowering { schema: Arc::clone(schema), keys: Vec::new(), partials: Vec::new(), gathered: Vec::new() }
    }

    /// Returns what the rows are grouped by, over the table's own columns, under the names that expressions above know.
    pub(crate) fn keys(&self) -> Vec<Expr> {
        let keys = self.keys.iter().cloned().enumerate();
        keys.map(|(at, key)| key.alias(key_name(at).name)).collect()
    }

    /// Returns what is gathered of each group, as [`Lowering::keys`] does.
    pub(crate) fn partials(&self) -> Vec<Expr> {
        let partials = self.partials.iter().cloned().enumerate();
        partials.map(|(at, partial)| partial.alias(partial_name(at).name)).collect()
    }

    /// Returns the aggregates above the joins, of which [`Merged`] says what they are for.
    pub(crate) fn gathered(&self) -> Vec<Expr> {
        // Names of expressions leave casts out, so two of them may have the same.
        let gathered = self.gathered.iter().cloned().enumerate();
        gathered.map(|(at, aggregate)| aggregate.alias(format!("$merged{at}"))).collect()
    }

    /// Returns an expression over the groups and other columns: what is about the table alone becomes a key.
    ///
    /// # Errors
    /// When the expression has no type: a bug of the planner.
    pub(crate) fn lowered(&mut self, expr: Expr) -> Result<Expr> {
        let lowered = expr.transform_down(|inner| {
            let is_key = match &inner {
                Expr::Column(column) => is_source(column),
                // The table's own column is the better key: it has a dictionary.
                Expr::Cast(Cast { expr, .. }) if matches!(**expr, Expr::Column(_)) => false,
                other => is_about_source(other) && self.cannot_fail(other)?,
            };
            match is_key {
                true => Ok(Transformed::new(self.key(inner)?, true, TreeNodeRecursion::Jump)),
                false => Ok(Transformed::no(inner)),
            }
        })?;
        Ok(lowered.data)
    }

    /// Returns how an aggregate is made of partial ones; nothing when it cannot be.
    ///
    /// # Errors
    /// As [`Lowering::lowered`].
    pub(crate) fn merged(&mut self, expr: Expr) -> Result<Option<Merged>> {
        let Expr::AggregateFunction(AggregateFunction { func, params }) = expr else { return Ok(None) };
        let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = params;
        if !order_by.is_empty() || null_treatment.is_some() {
            return Ok(None);
        }
        let (mut below, mut above) = (Vec::new(), Vec::new());
        for part in filter.into_iter().flat_map(|filter| split_conjunction_owned(*filter)) {
            match is_about_source(&part) && self.cannot_fail(&part)? {
                true => below.push(part),
                false => above.push(part),
            }
        }
        let above = conjunction(above).map(|part| self.lowered(part)).transpose()?;
        let is_about_others = !args.iter().any(reads_source);
        let merges_itself = matches!(func.name(), "min" | "max" | "bool_and" | "bool_or");
        if distinct || merges_itself && is_about_others {
            // A row that comes once for many changes nothing.
            let mut lowered = Vec::with_capacity(args.len());
            for arg in args {
                lowered.push(self.lowered(arg)?);
            }
            let below = conjunction(below).map(|part| self.lowered(part)).transpose()?;
            let filter = conjunction(above.into_iter().chain(below));
            let merged = aggregate(func, lowered, distinct, filter);
            return Ok(Some(Merged::Plain(position_in(&mut self.gathered, merged))));
        }
        let Ok([arg]) = <[Expr; 1]>::try_from(args) else { return Ok(None) };
        let counts_rows =
            func.name() == "count" && matches!(&arg, Expr::Literal(value, _) if !value.is_null());
        let gathers = counts_rows || is_about_source(&arg) && self.cannot_fail(&arg)?;
        if !gathers {
            return Ok(None);
        }
        let argument_type = self.over_table(arg.clone())?.get_type(&self.schema)?;
        let below = conjunction(below);
        let mut gather = |partial: &Arc<AggregateUDF>, arg: &Expr, merge: &Arc<AggregateUDF>| {
            let partial = aggregate(Arc::clone(partial), vec![arg.clone()], false, below.clone());
            let merged = aggregate(Arc::clone(merge), vec![self.partial(partial)?], false, above.clone());
            Ok::<_, DataFusionError>(position_in(&mut self.gathered, merged))
        };
        Ok(match func.name() {
            "count" => Some(Merged::Count(gather(&func, &arg, &sum_udaf())?)),
            "avg" if argument_type == DataType::Float64 => {
                let sum = gather(&sum_udaf(), &arg, &sum_udaf())?;
                Some(Merged::Average(sum, gather(&count_udaf(), &arg, &sum_udaf())?))
            }
            "sum" => Some(Merged::Plain(gather(&func, &arg, &func)?)),
            _ if merges_itself => Some(Merged::Plain(gather(&func, &arg, &func)?)),
            _ => None,
        })
    }

    fn key(&mut self, expr: Expr) -> Result<Expr> {
        let expr = self.over_table(expr)?;
        let at = position_in(&mut self.keys, expr);
        Ok(Expr::Column(key_name(at)))
    }

    fn partial(&mut self, expr: Expr) -> Result<Expr> {
        let expr = self.over_table(expr)?;
        let at = position_in(&mut self.partials, expr);
        Ok(Expr::Column(partial_name(at)))
    }

    /// Returns an expression over the table's columns under their own names.
    fn over_table(&self, expr: Expr) -> Result<Expr> {
        let named = expr.transform(|inner| {
            let at = match &inner {
                Expr::Column(column) if is_source(column) => column.name.parse::<usize>().ok(),
                _ => None,
            };
            Ok(match at {
                Some(at) => Transformed::yes(Expr::Column(Column::from(self.schema.qualified_field(at)))),
                None => Transformed::no(inner),
            })
        })?;
        Ok(named.data)
    }

    /// Returns whether an expression over the table alone has a value for every row. It is computed for rows that
    /// joins would have dropped, whose errors nobody may see.
    fn cannot_fail(&self, expr: &Expr) -> Result<bool> {
        let all = |parts: &[&Expr]| -> Result<bool> {
            for part in parts {
                if !self.cannot_fail(part)? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        match expr {
            Expr::Column(_) | Expr::Literal(..) => Ok(true),
            Expr::Not(inner) | Expr::IsNull(inner) | Expr::IsNotNull(inner) => all(&[inner.as_ref()]),
            Expr::Cast(Cast { expr, field }) => {
                let from = self.over_table(expr.as_ref().clone())?.get_type(&self.schema)?;
                Ok(widens(&from, field.data_type()) && all(&[expr.as_ref()])?)
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
                Operator::Divide | Operator::Modulo => Ok(is_positive(right) && all(&[left.as_ref()])?),
                Operator::Plus | Operator::Minus | Operator::Multiply => {
                    let own = self.over_table(left.as_ref().clone())?.get_type(&self.schema)?;
                    Ok(own.is_numeric() && !own.is_decimal() && all(&[left.as_ref(), right.as_ref()])?)
                }
                Operator::And | Operator::Or => all(&[left.as_ref(), right.as_ref()]),
                Operator::Eq
                | Operator::NotEq
                | Operator::Lt
                | Operator::LtEq
                | Operator::Gt
                | Operator::GtEq => all(&[left.as_ref(), right.as_ref()]),
                _ => Ok(false),
            },
            Expr::Case(case) => {
                let branches = case.when_then_expr.iter().flat_map(|(when, then)| [when, then]);
                let ends = case.expr.iter().chain(&case.else_expr);
                all(&branches.chain(ends).map(Box::as_ref).collect::<Vec<_>>())
            }
            Expr::Between(between) => {
                all(&[between.expr.as_ref(), between.low.as_ref(), between.high.as_ref()])
            }
            Expr::InList(list) => {
                Ok(all(&[list.expr.as_ref()])? && all(&list.list.iter().collect::<Vec<_>>())?)
            }
            Expr::Like(like) => all(&[like.expr.as_ref(), like.pattern.as_ref()]),
            _ => Ok(false),
        }
    }
}

fn position_in(all: &mut Vec<Expr>, expr: Expr) -> usize {
    all.iter().position(|known| *known == expr).unwrap_or_else(|| {
        all.push(expr);
        all.len() - 1
    })
}

fn key_name(at: usize) -> Column {
    Column::new(Some(TableReference::bare(GROUPS)), format!("$key{at}"))
}

fn partial_name(at: usize) -> Column {
    Column::new(Some(TableReference::bare(GROUPS)), format!("$partial{at}"))
}

fn aggregate(func: Arc<AggregateUDF>, args: Vec<Expr>, distinct: bool, filter: Option<Expr>) -> Expr {
    let filter = filter.map(Box::new);
    Expr::AggregateFunction(AggregateFunction::new_udf(func, args, distinct, filter, Vec::new(), None))
}

fn is_source(column: &Column) -> bool {
    matches!(&column.relation, Some(TableReference::Bare { table }) if &**table == SOURCE)
}

fn reads_source(expr: &Expr) -> bool {
    expr.column_refs().into_iter().any(is_source)
}

/// Returns whether an expression reads the table and nothing else.
fn is_about_source(expr: &Expr) -> bool {
    let columns = expr.column_refs();
    !columns.is_empty() && columns.into_iter().all(is_source)
}

/// Returns whether every value of a type is one of the other, or near one.
fn widens(from: &DataType, to: &DataType) -> bool {
    match to {
        DataType::Float64 => {
            matches!(from, DataType::Int32 | DataType::Int64 | DataType::Float32 | DataType::Float64)
        }
        DataType::Int64 => {
            matches!(
                from,
                DataType::Int32 | DataType::Int64 | DataType::Boolean | DataType::Timestamp(_, None)
            )
        }
        _ => from == to,
    }
}

fn is_positive(expr: &Expr) -> bool {
    let Expr::Literal(value, _) = expr else { return false };
    match value.cast_to(&DataType::Float64) {
        Ok(datafusion::scalar::ScalarValue::Float64(Some(value))) => value > 0.0,
        _ => false,
    }
}

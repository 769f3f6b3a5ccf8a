//! DataFusion's expressions as computations of the segment level.

use std::any::Any;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{Column, DFSchema};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, ExprSchemable, Volatility};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use meunier_execution::compute::Compute;
use meunier_execution::error::ExecutionError;

use crate::error::QueryError;

/// An expression and the columns it reads.
#[derive(Debug)]
pub(crate) struct Computation {
    expression: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    /// Whether it gives the same whenever it is asked.
    is_immutable: bool,
}

/// A computation, the positions of its columns in the table, and its result's type.
pub(crate) struct Computed {
    pub(crate) columns: Vec<usize>,
    pub(crate) compute: Arc<dyn Compute>,
    pub(crate) data_type: DataType,
}

impl Computation {
    /// Returns the computation of `expr`, whose columns are found by name in the table's schema.
    ///
    /// # Errors
    /// When the expression names a column that the schema does not have.
    pub(crate) fn of(expr: &Expr, table: &SchemaRef, props: &ExecutionProps) -> Result<Computed> {
        let mut columns = Vec::new();
        for column in expr.column_refs() {
            columns.push(table.index_of(&column.name)?);
        }
        columns.sort_unstable();
        columns.dedup();
        let schema = Arc::new(table.project(&columns)?);
        let inputs = DFSchema::try_from(Arc::clone(&schema))?;
        let expr = unqualified(expr)?;
        let data_type = expr.get_type(&inputs)?;
        let expression = create_physical_expr(&expr, &inputs, props, &PhysicalPlanningContext::default())?;
        let is_immutable = is_immutable(&expr)?;
        Ok(Computed {
            columns,
            compute: Arc::new(Computation { expression, schema, is_immutable }),
            data_type,
        })
    }
}

/// Returns whether no function in an expression looks at anything but its arguments, such as the clock.
fn is_immutable(expr: &Expr) -> Result<bool> {
    use datafusion::common::tree_node::TreeNode;
    let looks_elsewhere = |inner: &Expr| match inner {
        Expr::ScalarFunction(function) => function.func.signature().volatility != Volatility::Immutable,
        _ => false,
    };
    Ok(!expr.exists(|inner| Ok(looks_elsewhere(inner)))?)
}

/// Returns the expression with columns that are named without their table.
pub(crate) fn unqualified(expr: &Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let plain = expr.clone().transform(|inner| {
        Ok(match inner {
            Expr::Column(column) if column.relation.is_some() => {
                Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(plain.data)
}

impl Compute for Computation {
    fn compute(&self, inputs: &[ArrayRef], rows: usize) -> std::result::Result<ArrayRef, ExecutionError> {
        let failed = |error: DataFusionError| ExecutionError::Compute(Box::new(error));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        // A dictionary's values are never null, whatever the column's rows are.
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), inputs.to_vec(), &options)?;
        self.expression.evaluate(&batch).and_then(|values| values.into_array(rows)).map_err(failed)
    }

    fn hash_code(&self) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        self.expression.hash(&mut hasher);
        self.is_immutable.then(|| hasher.finish())
    }

    fn is_same(&self, other: &dyn Compute) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Computation>().is_some_and(|other| {
            self.is_immutable
                && self.expression.as_ref().eq(other.expression.as_ref())
                && self.schema == other.schema
        })
    }
}

/// Returns an error of the segment level as DataFusion carries errors.
pub(crate) fn carried(error: ExecutionError) -> DataFusionError {
    match error {
        ExecutionError::Compute(inner) => match inner.downcast::<DataFusionError>() {
            Ok(error) => *error,
            Err(other) => DataFusionError::External(other),
        },
        ExecutionError::Arrow(error) => error.into(),
        unreadable @ ExecutionError::Unreadable { .. } => {
            QueryError::Execution { detail: unreadable.to_string() }.into()
        }
    }
}

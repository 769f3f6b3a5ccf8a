//! `aggregationConfigs` and `aggregateMetrics`: rows that differ in their metrics only become one.

use meunier_segment::schema::{DataType, FieldRole, Schema};

use super::IngestionConfig;

/// How one metric of rows that become one is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRollUp {
    /// The column.
    pub column: String,
    /// What is made of its values.
    pub function: RollUpFunction,
    /// The field of the record that holds the value; none for a count, whose value is 1.
    pub source: Option<String>,
}

/// What is made of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollUpFunction {
    /// Their sum.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

/// Returns how each metric is rolled up, as the config asks.
///
/// # Errors
/// Why that cannot be done, in words.
pub(in crate::table_config) fn of(
    config: &IngestionConfig,
    aggregate_metrics: bool,
    schema: &Schema,
) -> Result<Option<Vec<MetricRollUp>>, String> {
    if config.aggregations.is_empty() && !aggregate_metrics {
        return Ok(None);
    }
    let metrics = schema.fields().iter().filter(|field| field.role == FieldRole::Metric);
    let mut rolled = Vec::new();
    for field in metrics {
        let is_number = matches!(
            field.data_type,
            DataType::Int | DataType::Long | DataType::Float | DataType::Double | DataType::BigDecimal
        );
        if !is_number || !field.single_value {
            return Err(format!("`{}` is no number", field.name));
        }
        let column = field.name.to_string();
        if config.aggregations.is_empty() {
            let source = Some(column.clone());
            rolled.push(MetricRollUp { column, function: RollUpFunction::Sum, source });
            continue;
        }
        let written = config.aggregations.iter().find(|aggregation| aggregation.column == column);
        let Some(written) = written else { return Err(format!("`{column}` has no aggregation")) };
        rolled.push(read(column, &written.function)?);
    }
    Ok(Some(rolled))
}

fn read(column: String, text: &str) -> Result<MetricRollUp, String> {
    let call = text.trim().strip_suffix(')').and_then(|text| text.split_once('('));
    let (name, argument) = call.ok_or_else(|| format!("`{text}` is no aggregation such as SUM(amount)"))?;
    let source = argument.trim().trim_matches('"').to_owned();
    let (function, source) = match name.trim().to_ascii_uppercase().as_str() {
        "SUM" => (RollUpFunction::Sum, Some(source)),
        "MIN" => (RollUpFunction::Min, Some(source)),
        "MAX" => (RollUpFunction::Max, Some(source)),
        "COUNT" => (RollUpFunction::Sum, None),
        other => return Err(format!("{other} is not computed by this version")),
    };
    Ok(MetricRollUp { column, function, source })
}

//! The function that stands behind a call: the values of one column of one state of a dimension table.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType as ArrowType, Field as ArrowField, FieldRef, TimeUnit};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::Dimension;

/// Begins the names of such functions; then come the table's version and the column's position.
const PREFIX: &str = "$lookup";

/// Returns the name of the function of a column.
pub(super) fn name_of(dimension: &Dimension, position: usize) -> String {
    format!("{PREFIX}{}.{position}", dimension.version)
}

/// Returns the function of a name.
pub(super) fn find(dimensions: &BTreeMap<String, Arc<Dimension>>, name: &str) -> Option<Arc<ScalarUDF>> {
    let (version, position) = name.strip_prefix(PREFIX)?.split_once('.')?;
    let (version, position) = (version.parse::<u64>().ok()?, position.parse::<usize>().ok()?);
    let dimension = dimensions.values().find(|dimension| dimension.version == version)?;
    Some(Arc::new(ScalarUDF::new_from_impl(Lookup {
        name: name.to_owned(),
        dimension: Arc::clone(dimension),
        position,
        // What it gives depends on nothing else: a table in another state is another function.
        signature: Signature::variadic_any(Volatility::Immutable),
    })))
}

struct Lookup {
    name: String,
    dimension: Arc<Dimension>,
    position: usize,
    signature: Signature,
}

impl std::fmt::Debug for Lookup {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.name)
    }
}

/// The name says which column of which state it is.
impl PartialEq for Lookup {
    fn eq(&self, other: &Lookup) -> bool {
        self.name == other.name
    }
}

impl Eq for Lookup {}

impl Hash for Lookup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Lookup {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[ArrowType]) -> Result<ArrowType> {
        if let Some(list) = types.iter().find(|data_type| data_type.is_nested()) {
            return plan_err!("`LOOKUP` takes one value for each part of a key, not {list}");
        }
        Ok(self.dimension.columns[self.position].0.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<ArrowType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let field = ArrowField::new(&self.name, self.return_type(&types)?, true);
        let metadata = self.dimension.columns[self.position].0.metadata().clone();
        Ok(Arc::new(field.with_metadata(metadata)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let keys = ColumnarValue::values_to_arrays(&args.args)?;
        let rows = args.number_rows;
        let all_constant = args.args.iter().all(|key| matches!(key, ColumnarValue::Scalar(_)));
        let values = self.dimension.values(self.position, &keys)?;
        if all_constant && rows != values.len() {
            return Ok(ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&values, 0)?));
        }
        Ok(ColumnarValue::Array(values))
    }
}

/// Returns a part of keys in the type that it is compared in, a moment as its milliseconds where numbers are compared.
pub(super) fn part_of_key(values: &ArrayRef, wanted: &ArrowType) -> Result<ArrayRef> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let from = match values.data_type() {
        ArrowType::Timestamp(..) if wanted.is_numeric() => {
            let millis =
                cast_with_options(values, &ArrowType::Timestamp(TimeUnit::Millisecond, None), &strict)?;
            cast_with_options(&millis, &ArrowType::Int64, &strict)?
        }
        _ => Arc::clone(values),
    };
    Ok(cast_with_options(&from, wanted, &strict)?)
}
